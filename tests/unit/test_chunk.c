/* SPDX-License-Identifier: Apache-2.0 */
/* Content-defined cuts: bounds, determinism, however the bytes come in, and that an insertion moves few of them. */
#include "data/chunk.h"

#include "data/data.h"
#include "data_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN (48u << 20)
#define CUTS_MAX 256

static uint64_t gear[CHUNK_GEAR];

static uint8_t *content(size_t len, uint64_t seed)
{
    uint8_t *p = malloc(len);

    assert_non_null(p);
    rig_fill(p, len, seed, false);
    return p;
}

/* Lengths of all chunks, given ${step} bytes at a time. */
static size_t cuts(const uint8_t *p, size_t len, size_t step, size_t *ret)
{
    struct chunk_state st = {0};
    size_t n = 0, begin = 0, at = 0;

    while (at < len) {
        size_t give = len - at < step ? len - at : step, took;
        bool cut;

        took = chunk_scan(gear, &st, p + at, give, &cut);
        assert_true(took <= give && (cut || took == give));
        at += took;
        if (cut) {
            assert_true(n < CUTS_MAX);
            ret[n++] = at - begin;
            begin = at;
        }
    }
    if (at > begin)
        ret[n++] = at - begin;
    return n;
}

static void lengths_are_bounded_and_gather(void **state)
{
    size_t len[CUTS_MAX], n, near = 0;
    uint8_t *p = content(LEN, 1);

    (void)state;
    n = cuts(p, LEN, LEN, len);
    for (size_t i = 0; i + 1 < n; i++) {
        assert_true(len[i] > DATA_CHUNK_MIN && len[i] <= DATA_CHUNK_MAX);
        near += len[i] > DATA_CHUNK_AVG / 2 && len[i] < DATA_CHUNK_AVG * 2;
    }
    assert_true(n > LEN / DATA_CHUNK_AVG / 2 && n < LEN / DATA_CHUNK_AVG * 2);
    assert_true(near * 10 > n * 8);
    free(p);
}

static void splitting_the_input_changes_nothing(void **state)
{
    static const size_t steps[] = {3, 4095, 65536, 100003, DATA_CHUNK_MAX + 1};
    size_t whole[CUTS_MAX], len[CUTS_MAX], n = 0, m;
    uint8_t *p = content(LEN / 4, 2);

    (void)state;
    n = cuts(p, LEN / 4, LEN / 4, whole);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        m = cuts(p, LEN / 4, steps[i], len);
        assert_int_equal(m, n);
        assert_memory_equal(len, whole, n * sizeof *len);
    }
    free(p);
}

static void an_insertion_moves_few_cuts(void **state)
{
    size_t a[CUTS_MAX], b[CUTS_MAX], n, m, same = 0;
    uint8_t *p = content(LEN, 3), *q = malloc(LEN + 7);

    (void)state;
    assert_non_null(q);
    memcpy(q, p, 5000000);
    memcpy(q + 5000000, "0123456", 7);
    memcpy(q + 5000007, p + 5000000, LEN - 5000000);
    n = cuts(p, LEN, LEN, a);
    m = cuts(q, LEN + 7, LEN, b);
    while (same < n && same < m && a[n - 1 - same] == b[m - 1 - same])
        same++;
    assert_true(same + 12 > n);
    assert_true(same < n);
    free(q);
    free(p);
}

static void equal_bytes_are_cut_somewhere(void **state)
{
    size_t len[CUTS_MAX], n;
    uint8_t *p = calloc(1, LEN / 4);

    (void)state;
    assert_non_null(p);
    n = cuts(p, LEN / 4, 65536, len);
    for (size_t i = 0; i < n; i++)
        assert_true(len[i] <= DATA_CHUNK_MAX);
    free(p);
}

static void another_key_cuts_elsewhere(void **state)
{
    uint8_t key[32] = {1}, other[32] = {2};
    size_t a[CUTS_MAX], b[CUTS_MAX], n, m;
    uint8_t *p = content(LEN / 4, 4);

    (void)state;
    chunk_gear(key, gear);
    n = cuts(p, LEN / 4, LEN, a);
    chunk_gear(other, gear);
    m = cuts(p, LEN / 4, LEN, b);
    assert_false(n == m && memcmp(a, b, n * sizeof *a) == 0);
    chunk_gear(key, gear);
    assert_int_equal(cuts(p, LEN / 4, LEN, b), n);
    assert_memory_equal(a, b, n * sizeof *a);
    free(p);
}

static void data_chunk_wants_all_it_needs(void **state)
{
    uint8_t *p = content(DATA_CHUNK_MAX * 2, 5);
    struct data_rig rig;
    size_t n;

    (void)state;
    rig_new(&rig);
    assert_int_equal(rig_open(&rig), 0);
    assert_int_equal(data_chunk(rig.data, p, DATA_CHUNK_MIN, false), 0);
    assert_int_equal(data_chunk(rig.data, p, DATA_CHUNK_MIN, true), DATA_CHUNK_MIN);
    n = data_chunk(rig.data, p, DATA_CHUNK_MAX * 2, false);
    assert_true(n > DATA_CHUNK_MIN && n <= DATA_CHUNK_MAX);
    assert_int_equal(data_chunk(rig.data, p, n, false), n);
    assert_int_equal(data_chunk(rig.data, p, n - 1, false), 0);
    assert_int_equal(data_chunk(rig.data, p, n - 1, true), n - 1);
    rig_free(&rig);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_are_bounded_and_gather),
        cmocka_unit_test(splitting_the_input_changes_nothing),
        cmocka_unit_test(an_insertion_moves_few_cuts),
        cmocka_unit_test(equal_bytes_are_cut_somewhere),
        cmocka_unit_test(another_key_cuts_elsewhere),
        cmocka_unit_test(data_chunk_wants_all_it_needs),
    };
    uint8_t key[32] = {9};

    chunk_gear(key, gear);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
