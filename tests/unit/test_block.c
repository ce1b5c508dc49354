/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks: put, get, dedup, damage, verification, through packs on disk. */
#include "data/data.h"

#include "crypto/aead.h"
#include "data/disk.h"
#include "data/pack.h"
#include "data/record.h"
#include "data_rig.h"
#include "mem_meta.h"
#include "pcloud/err.h"
#include "test_env.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
    struct data_rig *rig = malloc(sizeof *rig);

    assert_non_null(rig);
    rig_new(rig);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    rig_free(*state);
    free(*state);
    return 0;
}

static uint8_t *content(size_t len, uint64_t seed, bool text)
{
    uint8_t *p = malloc(len);

    assert_non_null(p);
    rig_fill(p, len, seed, text);
    return p;
}

static void check_ranges(struct data *d, const struct meta_block *b, const uint8_t *plain)
{
    uint8_t *out = malloc(b->size);
    uint64_t rng = b->size;

    assert_non_null(out);
    assert_int_equal(data_get(d, b, 0, b->size, out), 0);
    assert_memory_equal(out, plain, b->size);
    for (int i = 0; i < 20; i++) {
        uint32_t off = (uint32_t)(test_random(&rng) % b->size);
        uint32_t len = (uint32_t)(test_random(&rng) % (b->size - off)) + 1;

        if (i % 2)
            len = len < 5000 ? len : 5000;
        assert_int_equal(data_get(d, b, off, len, out), 0);
        assert_memory_equal(out, plain + off, len);
    }
    assert_int_equal(data_get(d, b, b->size, 0, out), 0);
    assert_int_equal(data_get(d, b, b->size, 1, out), -EINVAL);
    assert_int_equal(data_get(d, b, 1, b->size, out), -EINVAL);
    free(out);
}

static void every_size_comes_back(void **state)
{
    static const uint32_t sizes[] = {1,      15,      16,       4096,           5000,
                                     65535,  65536,   65537,    131072,         200000,
                                     262144, 1000000, 1u << 20, (4u << 20) - 1, 4u << 20};
    struct data_rig *rig = *state;

    for (int text = 0; text < 2; text++) {
        struct meta_block blocks[sizeof sizes / sizeof *sizes];

        assert_int_equal(rig_open(rig), 0);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            uint8_t *plain = content(sizes[i], i * 2 + (unsigned)text, text);

            assert_int_equal(data_put(rig->data, plain, sizes[i], &blocks[i]), 0);
            assert_int_equal(blocks[i].size, sizes[i]);
            assert_int_equal(blocks[i].bid, 0);
            if (text && sizes[i] > 4096)
                assert_true(blocks[i].stored < sizes[i] * 3 / 4);
            check_ranges(rig->data, &blocks[i], plain);
            assert_int_equal(data_verify(rig->data, &blocks[i]), 0);
            free(plain);
        }
        assert_int_equal(rig_close(rig), 0);
        assert_int_equal(rig_open(rig), 0);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            uint8_t *plain = content(sizes[i], i * 2 + (unsigned)text, text);

            check_ranges(rig->data, &blocks[i], plain);
            free(plain);
        }
        assert_int_equal(rig_close(rig), 0);
    }
    assert_int_equal(rig_open(rig), 0);
    assert_int_equal(data_put(rig->data, "", 0, &(struct meta_block){0}), -EINVAL);
}

static void equal_content_is_stored_once(void **state)
{
    struct data_rig *rig = *state;
    uint8_t *plain = content(100000, 1, false);
    struct meta_block a, b, c;

    assert_int_equal(rig_open(rig), 0);
    assert_int_equal(data_put(rig->data, plain, 100000, &a), 0);
    assert_int_equal(data_put(rig->data, plain, 100000, &b), 0);
    assert_int_equal(b.bid, 0);
    assert_true(a.pack == b.pack && a.off == b.off);
    assert_int_equal(mem_meta_commit(rig->meta, &a), 0);
    assert_int_equal(data_put(rig->data, plain, 100000, &b), 0);
    assert_int_equal(b.bid, a.bid);
    assert_int_equal(data_put_again(rig->data, plain, 100000, &c), 0);
    assert_int_equal(c.bid, 0);
    assert_false(a.pack == c.pack && a.off == c.off);
    check_ranges(rig->data, &c, plain);

    /* What is sealed and unknown to the engine may be gone any time: it is written anew. */
    mem_meta_drop(rig->meta, a.bid);
    assert_int_equal(rig_close(rig), 0);
    assert_int_equal(rig_open(rig), 0);
    assert_int_equal(data_put(rig->data, plain, 100000, &b), 0);
    assert_int_not_equal(b.pack, a.pack);
    assert_int_equal(rig_close(rig), 0);

    rig->options.dedup = false;
    assert_int_equal(rig_open(rig), 0);
    assert_int_equal(data_put(rig->data, plain, 100000, &a), 0);
    assert_int_equal(data_put(rig->data, plain, 100000, &b), 0);
    assert_false(a.pack == b.pack && a.off == b.off);
    free(plain);
}

static void nothing_readable_is_on_disk(void **state)
{
    struct data_rig *rig = *state;
    uint8_t *plain = content(70000, 1, true);
    struct meta_block b;

    assert_int_equal(rig_open(rig), 0);
    assert_int_equal(data_put(rig->data, plain, 70000, &b), 0);
    rig->options.compress = false;
    assert_int_equal(rig_close(rig), 0);
    assert_int_equal(rig_open(rig), 0);
    assert_int_equal(data_put_again(rig->data, plain, 70000, &b), 0);
    assert_true(b.stored > 70000);
    assert_false(test_tree_contains(rig->dir, plain + 1000, 16));
    assert_false(test_tree_contains(rig->dir, plain + 69000, 16));
    free(plain);
}

/* Flip one bit of the block's record on disk (again: put it back). */
static void flip(struct data_rig *rig, const struct meta_block *b, uint32_t at, uint8_t mask)
{
    char *path = rig_pack_path(rig, b->pack);
    FILE *f = fopen(path, "r+b");
    int c;

    assert_non_null(f);
    assert_int_equal(fseek(f, (long)(b->off + at), SEEK_SET), 0);
    c = fgetc(f);
    assert_int_equal(fseek(f, (long)(b->off + at), SEEK_SET), 0);
    assert_int_equal(fputc(c ^ mask, f), c ^ mask);
    assert_int_equal(fclose(f), 0);
    free(path);
}

static void every_flipped_byte_is_noticed(void **state)
{
    struct data_rig *rig = *state;
    uint8_t *plain = content(3000, 1, true), out[3000], rec[4096];
    struct record_info info;
    struct meta_block b;
    char *path;

    rig->options.cache_bytes = 0;
    assert_int_equal(rig_open(rig), 0);
    assert_int_equal(data_put(rig->data, plain, 3000, &b), 0);
    assert_true(b.stored < sizeof rec);
    path = rig_pack_path(rig, b.pack);
    for (uint32_t i = 0; i < b.stored; i++) {
        size_t len;
        uint8_t *file;
        int r;

        flip(rig, &b, i, (uint8_t)(1u << i % 8));
        file = test_file_read(path, &len);
        assert_non_null(file);
        memcpy(rec, file + b.off, b.stored);
        free(file);
        assert_true(record_check(rec, b.stored, &info) < 0);
        r = data_get(rig->data, &b, 0, 3000, out);
        /* The last four bytes are the checksum for those without the key: a reader has the tags. */
        if (i < b.stored - RECORD_TRAILER)
            assert_true(r == PC_ECORRUPT || r == PC_EVERSION);
        else
            assert_int_equal(r, 0);
        flip(rig, &b, i, (uint8_t)(1u << i % 8));
    }
    assert_int_equal(data_get(rig->data, &b, 0, 3000, out), 0);
    assert_memory_equal(out, plain, 3000);
    free(path);
    free(plain);
}

static void damage_is_told_for_its_segment_only(void **state)
{
    struct data_rig *rig = *state;
    const uint32_t size = 5 * DATA_SEGMENT;
    uint8_t *plain = content(size, 1, false), *out = malloc(size);
    struct meta_block b, c;
    char where[64];

    assert_non_null(out);
    rig->options.cache_bytes = 0;
    assert_int_equal(rig_open(rig), 0);
    assert_int_equal(data_put(rig->data, plain, size, &b), 0);
    assert_int_equal(mem_meta_commit(rig->meta, &b), 0);
    flip(rig, &b, 2 * (DATA_SEGMENT + AEAD_TAG_BYTES) + 1000, 1);
    assert_int_equal(data_get(rig->data, &b, 0, 2 * DATA_SEGMENT, out), 0);
    assert_int_equal(data_get(rig->data, &b, 3 * DATA_SEGMENT, 2 * DATA_SEGMENT, out), 0);
    assert_memory_equal(out, plain + 3 * DATA_SEGMENT, 2 * DATA_SEGMENT);
    assert_int_equal(data_get(rig->data, &b, 3 * DATA_SEGMENT - 1, 1, out), PC_ECORRUPT);
    snprintf(
        where, sizeof where, "pack %016llx is damaged at %llu", (unsigned long long)b.pack,
        (unsigned long long)b.off + record_head_size(size) + 2 * (DATA_SEGMENT + AEAD_TAG_BYTES));
    assert_non_null(strstr(pc_err_text(PC_ECORRUPT), where));
    assert_int_equal(data_verify(rig->data, &b), PC_ECORRUPT);

    /* It is not used for dedup any more. */
    assert_int_equal(data_put(rig->data, plain, size, &c), 0);
    assert_int_equal(c.bid, 0);
    assert_int_equal(data_get(rig->data, &c, 0, size, out), 0);
    assert_memory_equal(out, plain, size);
    free(out);
    free(plain);
}

static void a_record_elsewhere_is_refused(void **state)
{
    struct data_rig *rig = *state;
    uint8_t *plain = content(2000, 1, false), out[2000];
    struct meta_block a, b, c;

    rig->options.cache_bytes = 0;
    assert_int_equal(rig_open(rig), 0);
    assert_int_equal(data_put(rig->data, plain, 1000, &a), 0);
    assert_int_equal(data_put(rig->data, plain + 1000, 1000, &b), 0);
    c = a;
    c.off = b.off;
    assert_int_equal(data_get(rig->data, &c, 0, 1000, out), PC_ECORRUPT);
    c = a;
    c.off = b.off + b.stored;
    assert_int_equal(data_get(rig->data, &c, 0, 1000, out), PC_ECORRUPT);
    c = a;
    c.stored = 0;
    assert_int_equal(data_get(rig->data, &c, 0, 1000, out), -EINVAL);
    c = a;
    c.pack = 999;
    assert_int_equal(data_get(rig->data, &c, 0, 1000, out), PC_ESTALEREF);
    assert_int_equal(data_verify(rig->data, &c), PC_ESTALEREF);
    free(plain);
}

static void the_cache_serves_what_was_read(void **state)
{
    struct data_rig *rig = *state;
    uint8_t *plain = content(300000, 1, false), out[100];
    struct meta_block b;

    assert_int_equal(rig_open(rig), 0);
    assert_int_equal(data_put(rig->data, plain, 300000, &b), 0);
    assert_int_equal(data_get(rig->data, &b, 200000, 100, out), 0);
    flip(rig, &b, 200000, 1);
    assert_int_equal(data_get(rig->data, &b, 200000, 100, out), 0);
    assert_memory_equal(out, plain + 200000, 100);
    assert_int_equal(data_verify(rig->data, &b), PC_ECORRUPT);
    data_cache_resize(rig->data, 0);
    assert_int_equal(data_get(rig->data, &b, 200000, 100, out), PC_ECORRUPT);
    free(plain);
}

static bool disk_waits;

static ssize_t pread_now(int fd, void *buf, size_t len, uint64_t off)
{
    return disk_waits ? -EAGAIN : disk_real.pread(fd, buf, len, off);
}

static void what_needs_no_disk_comes_at_once(void **state)
{
    struct data_rig *rig = *state;
    uint8_t *plain = content(300000, 2, false), *out = malloc(300000);
    struct disk_ops ops = disk_real;
    struct meta_block b;

    assert_non_null(out);
    ops.pread_now = pread_now;
    disk_use(&ops);
    disk_waits = false;
    assert_int_equal(rig_open(rig), 0);
    assert_int_equal(data_put(rig->data, plain, 300000, &b), 0);
    assert_int_equal(data_get_now(rig->data, &b, 0, 300000, out), -EAGAIN); /* to be opened */
    assert_int_equal(data_get(rig->data, &b, 70000, 100, out), 0);
    memset(out, 0, 300000);
    assert_int_equal(data_get_now(rig->data, &b, 0, 300000, out), 0);
    assert_memory_equal(out, plain, 300000);
    disk_waits = true;
    assert_int_equal(data_get_now(rig->data, &b, 0, 300000, out), -EAGAIN);
    assert_int_equal(data_get_now(rig->data, &b, 70001, 100, out), 0); /* in the cache */
    assert_memory_equal(out, plain + 70001, 100);
    data_cache_resize(rig->data, 0);
    assert_int_equal(data_get_now(rig->data, &b, 70001, 100, out), -EAGAIN);
    disk_waits = false;
    assert_int_equal(data_get_now(rig->data, &b, 70001, 100, out), 0);
    assert_memory_equal(out, plain + 70001, 100);
    flip(rig, &b, 70000, 1);
    assert_int_equal(data_get_now(rig->data, &b, 70001, 100, out), -EAGAIN);
    assert_int_equal(data_get(rig->data, &b, 70001, 100, out), PC_ECORRUPT);
    rig_close(rig);
    disk_use(NULL);
    free(plain);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_size_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(equal_content_is_stored_once, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_readable_is_on_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(every_flipped_byte_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(damage_is_told_for_its_segment_only, setup, teardown),
        cmocka_unit_test_setup_teardown(a_record_elsewhere_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(the_cache_serves_what_was_read, setup, teardown),
        cmocka_unit_test_setup_teardown(what_needs_no_disk_comes_at_once, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
