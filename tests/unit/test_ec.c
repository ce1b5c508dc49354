/* SPDX-License-Identifier: Apache-2.0 */
/* Erasure coding: every loss of up to 8 shards, random ones of the policies, damage, files of every awkward size. */
#include "pcloud/ec.h"

#include "base/alloc.h"
#include "pcloud/err.h"
#include "test_env.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define LEN 200

/* A set of shards and what they should hold. */
struct set {
    unsigned k, n;
    size_t len;
    uint8_t *shard[PC_EC_MAX], *good[PC_EC_MAX];
    struct pc_ec *ec;
};

static void set_init(struct set *s, unsigned k, unsigned n, size_t len, uint64_t seed)
{
    s->k = k;
    s->n = n;
    s->len = len;
    assert_int_equal(pc_ec_new(k, n, &s->ec), 0);
    for (unsigned i = 0; i < n; i++) {
        s->shard[i] = malloc(len);
        s->good[i] = malloc(len);
        assert_non_null(s->shard[i]);
        assert_non_null(s->good[i]);
        for (size_t j = 0; j < len; j++)
            s->good[i][j] = (uint8_t)test_random(&seed);
    }
    pc_ec_encode(s->ec, len, s->good, s->good + k);
    for (unsigned i = 0; i < n; i++)
        memcpy(s->shard[i], s->good[i], len);
}

static void set_fini(struct set *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        free(s->shard[i]);
        free(s->good[i]);
    }
    pc_ec_free(s->ec);
}

/* Lose what is not present, rebuild what is wanted, and look that nothing else was touched. */
static void lose_and_rebuild(struct set *s, const uint8_t *present, const uint8_t *want)
{
    uint8_t lost[LEN];
    unsigned have = 0;
    int r;

    memset(lost, 0xdb, sizeof lost);
    for (unsigned i = 0; i < s->n; i++) {
        have += present[i];
        if (!present[i])
            memset(s->shard[i], 0xdb, s->len);
    }
    r = pc_ec_rebuild(s->ec, s->len, s->shard, present, want);
    assert_int_equal(r, have < s->k ? PC_EUNRECOVERABLE : 0);
    for (unsigned i = 0; i < s->n; i++) {
        bool known = present[i] || (want[i] && r == 0);

        assert_memory_equal(s->shard[i], known ? s->good[i] : lost, s->len);
        memcpy(s->shard[i], s->good[i], s->len);
    }
}

static void every_loss_of_small_sets(void **state)
{
    static const size_t lengths[] = {1, 15, 16, 31, 33, LEN};

    (void)state;
    for (unsigned n = 1; n <= 8; n++) {
        for (unsigned k = 1; k <= n; k++) {
            struct set s;

            set_init(&s, k, n, lengths[(n + k) % 6], n * 100 + k);
            for (unsigned pattern = 0; pattern < 1u << n; pattern++) {
                uint8_t present[8], want[8], all[8], none[8] = {0};

                for (unsigned i = 0; i < n; i++) {
                    present[i] = pattern >> i & 1;
                    want[i] = (pattern + i) % 3 != 0;
                    all[i] = 1;
                }
                lose_and_rebuild(&s, present, all);
                lose_and_rebuild(&s, present, want);
                lose_and_rebuild(&s, present, none);
            }
            set_fini(&s);
        }
    }
}

static void random_losses_of_large_sets(void **state)
{
    static const struct pc_ec_policy sets[] = {{10, 20},  {10, 30},   {29, 80},
                                               {64, 128}, {128, 128}, {1, 128}};
    uint64_t rng = 6;

    (void)state;
    for (size_t p = 0; p < sizeof sets / sizeof *sets; p++) {
        struct set s;

        set_init(&s, sets[p].k, sets[p].n, LEN, p);
        for (int round = 0; round < 60; round++) {
            uint8_t present[PC_EC_MAX] = {0}, want[PC_EC_MAX];
            unsigned left = sets[p].k + (round % 4 == 0 ? (unsigned)test_random(&rng) % 3 : 0);

            if (left > sets[p].n)
                left = sets[p].n;
            if (round % 8 == 7)
                left = sets[p].k - 1; /* one too few */
            memset(want, 1, sizeof want);
            while (left > 0) {
                size_t i = (size_t)test_random(&rng) % sets[p].n;

                left -= !present[i];
                present[i] = 1;
            }
            lose_and_rebuild(&s, present, want);
        }
        set_fini(&s);
    }
}

/* GF(2^8), the slow way. */
static uint8_t product(uint8_t a, uint8_t b)
{
    unsigned p = 0;

    for (unsigned i = 0; i < 8; i++) {
        if (b >> i & 1)
            p ^= (unsigned)a << i;
    }
    for (unsigned i = 15; i >= 8; i--) {
        if (p >> i & 1)
            p ^= 0x11du << (i - 8);
    }
    return (uint8_t)p;
}

static uint8_t inverse(uint8_t a)
{
    for (unsigned b = 1; b < 256; b++) {
        if (product(a, (uint8_t)b) == 1)
            return (uint8_t)b;
    }
    return 0;
}

/* The format's sentence in other words: parity i is the sum of data j times 1 / (i xor j). */
static void parity_is_what_the_format_says(void **state)
{
    struct set s;

    (void)state;
    set_init(&s, 3, 6, LEN, 7);
    for (unsigned i = 3; i < 6; i++) {
        for (size_t at = 0; at < LEN; at++) {
            uint8_t sum = 0;

            for (unsigned j = 0; j < 3; j++)
                sum ^= product(s.good[j][at], inverse((uint8_t)(i ^ j)));
            assert_int_equal(s.good[i][at], sum);
        }
    }
    set_fini(&s);
    set_init(&s, 1, 3, LEN, 8);
    assert_memory_equal(s.good[1], s.good[0], LEN);
    assert_memory_equal(s.good[2], s.good[0], LEN);
    set_fini(&s);
}

static void every_flipped_byte_is_noticed(void **state)
{
    static const struct pc_ec_policy sets[] = {{1, 2}, {3, 6}, {10, 20}};

    (void)state;
    for (size_t p = 0; p < 3; p++) {
        struct set s;

        set_init(&s, sets[p].k, sets[p].n, LEN, p);
        assert_int_equal(pc_ec_verify(s.ec, LEN, s.shard), 0);
        for (unsigned i = 0; i < s.n; i++) {
            for (size_t at = 0; at < LEN; at++) {
                s.shard[i][at] ^= (uint8_t)(1u << at % 8);
                assert_int_equal(pc_ec_verify(s.ec, LEN, s.shard), PC_ECORRUPT);
                s.shard[i][at] ^= (uint8_t)(1u << at % 8);
            }
        }
        set_fini(&s);
    }
}

static void damage_is_found_in_any_cell(void **state)
{
    static const size_t places[] = {
        0, PC_EC_CELL - 1, PC_EC_CELL, 2 * PC_EC_CELL - 1, 2 * PC_EC_CELL, 2 * PC_EC_CELL + 4};
    struct set s;

    (void)state;
    set_init(&s, 2, 4, 2 * PC_EC_CELL + 5, 9);
    assert_int_equal(pc_ec_verify(s.ec, s.len, s.shard), 0);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        s.shard[i % 4][places[i]] ^= 1;
        assert_int_equal(pc_ec_verify(s.ec, s.len, s.shard), PC_ECORRUPT);
        s.shard[i % 4][places[i]] ^= 1;
    }
    set_fini(&s);
}

static void impossible_coders_are_refused(void **state)
{
    struct pc_ec *ec = NULL;

    (void)state;
    assert_int_equal(pc_ec_new(0, 1, &ec), -EINVAL);
    assert_int_equal(pc_ec_new(2, 1, &ec), -EINVAL);
    assert_int_equal(pc_ec_new(1, PC_EC_MAX + 1, &ec), -EINVAL);
    assert_int_equal(pc_ec_new(0, 0, &ec), -EINVAL);
    assert_null(ec);
    pc_ec_free(NULL);
}

static void policies_never_ask_for_more_owners(void **state)
{
    static const struct {
        unsigned owners, k, n;
    } cases[] = {{0, 1, 1},    {1, 1, 1},    {2, 1, 2},    {3, 1, 3},    {4, 2, 4},
                 {5, 2, 5},    {6, 3, 6},    {9, 3, 6},    {19, 3, 6},   {20, 10, 20},
                 {29, 10, 20}, {30, 10, 30}, {79, 10, 30}, {80, 29, 80}, {UINT32_MAX, 29, 80}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pc_ec_policy p = pc_ec_policy(cases[i].owners);

        assert_int_equal(p.k, cases[i].k);
        assert_int_equal(p.n, cases[i].n);
    }
    for (unsigned owners = 1; owners < 200; owners++) {
        struct pc_ec_policy p = pc_ec_policy(owners);

        assert_true(p.n <= owners && p.n <= PC_EC_MAX && p.k >= 1 && p.k <= p.n);
        assert_true(p.n > p.k || owners == 1); /* one owner may always go */
    }
}

/* A file in memory with ${size} reproducible bytes, read from its start. */
static int memory_file(uint64_t size)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    uint8_t buf[4096];
    uint64_t rng = size + 1;

    assert_true(fd >= 0);
    for (uint64_t at = 0; at < size; at += sizeof buf) {
        size_t n = size - at < sizeof buf ? (size_t)(size - at) : sizeof buf;

        for (size_t i = 0; i < n; i++)
            buf[i] = (uint8_t)test_random(&rng);
        assert_int_equal(write(fd, buf, n), n);
    }
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static bool same_content(int a, int b)
{
    off_t size = lseek(a, 0, SEEK_END);
    uint8_t *pa, *pb;
    bool same;

    if (size != lseek(b, 0, SEEK_END))
        return false;
    pa = malloc((size_t)size + 1);
    pb = malloc((size_t)size + 1);
    assert_non_null(pa);
    assert_non_null(pb);
    same = pread(a, pa, (size_t)size, 0) == size && pread(b, pb, (size_t)size, 0) == size &&
           memcmp(pa, pb, (size_t)size) == 0;
    free(pa);
    free(pb);
    return same;
}

static void rewind_all(const int *fds, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(lseek(fds[i], 0, SEEK_SET), 0);
}

/* Encode a file, then take it back from k shards, lose one and make it anew; a few times. */
static void file_round_trip(unsigned k, unsigned n, uint64_t size)
{
    int in = memory_file(size), shards[PC_EC_MAX], some[PC_EC_MAX];
    struct pc_ec *ec;

    assert_int_equal(pc_ec_new(k, n, &ec), 0);
    for (unsigned i = 0; i < n; i++)
        shards[i] = memory_file(0);
    assert_int_equal(pc_ec_encode_fd(ec, in, size, shards), 0);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(lseek(shards[i], 0, SEEK_CUR), pc_ec_shard_size(k, size));
    for (unsigned shift = 0; shift < n; shift++) {
        int out = memory_file(0), made = memory_file(0);

        rewind_all(shards, n);
        for (unsigned i = 0; i < n; i++)
            some[i] = (i + shift) % n < k ? shards[i] : -1;
        assert_int_equal(pc_ec_decode_fd(ec, size, some, out), 0);
        assert_true(same_content(in, out));
        rewind_all(shards, n);
        if (k < n) {
            assert_int_equal(pc_ec_rebuild_fd(ec, size, shards, shift, made), 0);
            assert_true(same_content(shards[shift], made));
        }
        close(out);
        close(made);
    }
    for (unsigned i = 0; i < n; i++)
        close(shards[i]);
    close(in);
    pc_ec_free(ec);
}

static void files_of_awkward_sizes_come_back(void **state)
{
    const uint64_t cell = PC_EC_CELL;
    const uint64_t sizes[] = {0,           1,
                              cell - 1,    cell,
                              cell + 1,    3 * cell - 1,
                              3 * cell,    3 * cell + 1,
                              6 * cell,    10 * cell + 12345,
                              2 * cell + 7};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        file_round_trip(3, 6, sizes[i]);
    file_round_trip(1, 3, 2 * cell + 5);
    file_round_trip(4, 4, 5 * cell + 5);
    file_round_trip(10, 20, 21 * cell + 99);
}

static void shard_sizes_are_whole_cells(void **state)
{
    (void)state;
    assert_int_equal(pc_ec_shard_size(3, 0), 0);
    assert_int_equal(pc_ec_shard_size(3, 1), PC_EC_CELL);
    assert_int_equal(pc_ec_shard_size(3, 3 * PC_EC_CELL), PC_EC_CELL);
    assert_int_equal(pc_ec_shard_size(3, 3 * PC_EC_CELL + 1), 2 * PC_EC_CELL);
    assert_true(pc_ec_shard_size(1, UINT64_MAX - PC_EC_CELL + 1) == UINT64_MAX - PC_EC_CELL + 1);
    assert_true(pc_ec_shard_size(29, UINT64_MAX) >= UINT64_MAX / 29);
}

static void files_that_cannot_come_back_say_why(void **state)
{
    int in = memory_file(100000), shards[6], some[6], out = memory_file(0), full;
    struct pc_ec *ec;

    (void)state;
    assert_int_equal(pc_ec_new(3, 6, &ec), 0);
    for (unsigned i = 0; i < 6; i++)
        shards[i] = memory_file(0);
    assert_int_equal(pc_ec_encode_fd(ec, in, 100001, shards), -EIO);
    assert_non_null(strstr(pc_err_text(-EIO), "too early"));
    rewind_all(&in, 1);
    rewind_all(shards, 6);
    assert_int_equal(pc_ec_encode_fd(ec, in, 100000, shards), 0);
    rewind_all(shards, 6);
    for (unsigned i = 0; i < 6; i++)
        some[i] = i % 3 == 0 ? shards[i] : -1;
    assert_int_equal(pc_ec_decode_fd(ec, 100000, some, out), PC_EUNRECOVERABLE);
    assert_string_equal(pc_err_text(PC_EUNRECOVERABLE), "2 shards are left of 6; it takes 3");
    assert_int_equal(pc_ec_decode_fd(ec, 0, some, out), PC_EUNRECOVERABLE);
    some[1] = shards[1];
    assert_int_equal(pc_ec_rebuild_fd(ec, 100000, some, 1, out),
                     PC_EUNRECOVERABLE); /* not from itself */
    assert_int_equal(pc_ec_rebuild_fd(ec, 100000, some, 6, out), -EINVAL);
    assert_int_equal(lseek(out, 0, SEEK_END), 0);
    assert_int_equal(ftruncate(shards[1], PC_EC_CELL - 1), 0);
    assert_int_equal(pc_ec_decode_fd(ec, 100000, some, out), -EIO);
    assert_string_equal(pc_err_text(-EIO), "shard 1 ends too early");
    full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    rewind_all(&in, 1);
    some[3] = full;
    for (unsigned i = 0; i < 6; i++)
        some[i] = i == 3 ? full : shards[i];
    assert_int_equal(pc_ec_encode_fd(ec, in, 100000, some), -ENOSPC);
    close(full);
    close(out);
    close(in);
    for (unsigned i = 0; i < 6; i++)
        close(shards[i]);
    pc_ec_free(ec);
}

static int everything(void)
{
    uint8_t present[6] = {0, 1, 1, 0, 1, 0}, want[6] = {1, 1, 1, 1, 1, 1}, buf[6][64] = {{0}};
    uint8_t *shard[6];
    int in = memory_file(1000), shards[6], out = memory_file(0);
    struct pc_ec *ec = NULL;
    int r = pc_ec_new(3, 6, &ec);

    for (unsigned i = 0; i < 6; i++) {
        shard[i] = buf[i];
        shards[i] = memory_file(0);
    }
    if (r == 0)
        r = pc_ec_rebuild(ec, 64, shard, present, want);
    if (r == 0)
        r = pc_ec_verify(ec, 64, shard);
    if (r == 0)
        r = pc_ec_encode_fd(ec, in, 1000, shards);
    rewind_all(shards, 6);
    shards[0] = (close(shards[0]), -1);
    if (r == 0)
        r = pc_ec_decode_fd(ec, 1000, shards, out);
    rewind_all(shards + 1, 5);
    if (r == 0)
        r = pc_ec_rebuild_fd(ec, 1000, shards, 0, out);
    pc_ec_free(ec);
    for (unsigned i = 1; i < 6; i++)
        close(shards[i]);
    close(in);
    close(out);
    return r;
}

static void no_memory_is_an_error(void **state)
{
    unsigned long n;
    int r = -1;

    (void)state;
    for (n = 1; n < 100; n++) {
        mem_fail_at(n, MEM_FAIL_ONCE);
        r = everything();
        if (!mem_fail_count())
            break;
        assert_int_equal(r, -ENOMEM);
    }
    mem_fail_at(0, MEM_FAIL_ONCE);
    assert_int_equal(r, 0);
    assert_true(n > 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_loss_of_small_sets),
        cmocka_unit_test(random_losses_of_large_sets),
        cmocka_unit_test(parity_is_what_the_format_says),
        cmocka_unit_test(every_flipped_byte_is_noticed),
        cmocka_unit_test(damage_is_found_in_any_cell),
        cmocka_unit_test(impossible_coders_are_refused),
        cmocka_unit_test(policies_never_ask_for_more_owners),
        cmocka_unit_test(files_of_awkward_sizes_come_back),
        cmocka_unit_test(shard_sizes_are_whole_cells),
        cmocka_unit_test(files_that_cannot_come_back_say_why),
        cmocka_unit_test(no_memory_is_an_error),
    };

    return cmocka_run_group_tests_name("ec", tests, NULL, NULL);
}
