/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: content comes back, however it was written; dedup across edits; errors stick; memory stays bounded. */
#include "data/data.h"

#include "data_rig.h"
#include "disk_fault.h"
#include "mem_meta.h"
#include "pcloud/err.h"
#include "test_env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Under a sanitizer or valgrind: what memory is used says nothing, and less content must do. */
static bool is_slow(void)
{
    return SANITIZED || getenv("PC_TEST_SLOW") != NULL;
}

static int setup(void **state)
{
    struct data_rig *rig = malloc(sizeof *rig);

    assert_non_null(rig);
    disk_fault_on();
    rig_new(rig);
    assert_int_equal(rig_open(rig), 0);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    disk_fault(0, 0, 0, false);
    rig_free(*state);
    free(*state);
    assert_int_equal(disk_fault_fds(), 0);
    disk_fault_off();
    return 0;
}

static uint8_t *content(size_t len, uint64_t seed, bool text)
{
    uint8_t *p = malloc(len + 1);

    assert_non_null(p);
    rig_fill(p, len, seed, text);
    return p;
}

/* The content through one stream, in pieces of random lengths up to ${max}; commits the blocks. The number of new rows. */
static unsigned send(struct data_rig *rig, const uint8_t *p, size_t len, uint64_t pos, size_t max,
                     struct data_stream **ret, struct meta_slice **ret_slices, unsigned *ret_n)
{
    uint64_t rng = len, at = pos;
    unsigned fresh = 0;

    assert_int_equal(data_stream_new(rig->data, pos, ret), 0);
    for (size_t done = 0; done < len;) {
        size_t n = (size_t)(test_random(&rng) % max) + 1;

        if (n > len - done)
            n = len - done;
        assert_int_equal(data_stream_write(*ret, p + done, n), 0);
        done += n;
    }
    assert_int_equal(data_stream_finish(*ret, ret_slices, ret_n), 0);
    for (unsigned i = 0; i < *ret_n; i++) {
        struct meta_slice *s = &(*ret_slices)[i];

        assert_int_equal(s->pos, at);
        assert_int_equal(s->boff, 0);
        assert_int_equal(s->len, s->block.size);
        at += s->len;
        fresh += s->block.bid == 0 && !mem_meta_place(rig->meta, s->block.id, &s->block);
        assert_int_equal(mem_meta_commit(rig->meta, &s->block), 0);
    }
    assert_int_equal(at, pos + len);
    return fresh;
}

static void check(struct data_rig *rig, const struct meta_slice *slices, unsigned n,
                  const uint8_t *p)
{
    uint8_t *out = malloc(META_BLOCK_MAX);

    assert_non_null(out);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(data_get(rig->data, &slices[i].block, 0, slices[i].len, out), 0);
        assert_memory_equal(out, p + (slices[i].pos - slices[0].pos), slices[i].len);
    }
    free(out);
}

static void content_comes_back(void **state)
{
    static const size_t sizes[] = {1, 4096, 262144, 262145, 1u << 20, 9000001, 30u << 20};
    struct data_rig *rig = *state;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t max = 10000; max < 1u << 24; max *= 100) {
            uint8_t *p = content(sizes[i], i, i % 2);
            struct data_stream *s;
            struct meta_slice *slices;
            unsigned n, fresh;

            fresh = send(rig, p, sizes[i], 12345, max, &s, &slices, &n);
            assert_int_equal(fresh, max == 10000 ? n : 0);
            check(rig, slices, n, p);
            data_stream_free(s);
            free(p);
        }
    }
}

static void nothing_makes_no_slices(void **state)
{
    struct data_rig *rig = *state;
    struct meta_slice *slices;
    struct data_stream *s;
    unsigned n = 9;

    assert_int_equal(data_stream_new(rig->data, 0, &s), 0);
    assert_int_equal(data_stream_write(s, "", 0), 0);
    assert_int_equal(data_stream_finish(s, &slices, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(data_stream_finish(s, &slices, &n), -EINVAL);
    data_stream_free(s);
    data_stream_free(NULL);
    assert_int_equal(data_stream_new(rig->data, 0, &s), 0);
    assert_int_equal(data_stream_write(s, "x", 1), 0);
    data_stream_free(s);
}

static void an_edit_stores_little_anew(void **state)
{
    const size_t len = 20u << 20;
    struct data_rig *rig = *state;
    uint8_t *p = content(len, 1, false), *q = malloc(len + 3);
    struct data_stream *s;
    struct meta_slice *slices;
    unsigned n, fresh;

    assert_non_null(q);
    memcpy(q, p, len / 2);
    memcpy(q + len / 2, "abc", 3);
    memcpy(q + len / 2 + 3, p + len / 2, len / 2);
    send(rig, p, len, 0, 65536, &s, &slices, &n);
    data_stream_free(s);
    fresh = send(rig, q, len + 3, 0, 65536, &s, &slices, &n);
    assert_true(n > 8 && fresh >= 1 && fresh <= 4);
    check(rig, slices, n, q);
    data_stream_free(s);
    free(q);
    free(p);
}

static void zeros_take_almost_nothing(void **state)
{
    struct data_rig *rig = *state;
    const size_t len = is_slow() ? 16u << 20 : 64u << 20;
    uint8_t *p = calloc(1, len);
    struct data_stream *s;
    struct meta_slice *slices;
    uint64_t bytes, packs;
    unsigned n;

    assert_non_null(p);
    send(rig, p, len, 0, 1u << 20, &s, &slices, &n);
    check(rig, slices, n, p);
    assert_int_equal(data_bytes(rig->data, &bytes, &packs), 0);
    assert_true(bytes < 1u << 20);
    data_stream_free(s);
    free(p);
}

static void a_lost_row_is_redone(void **state)
{
    struct data_rig *rig = *state;
    const size_t len = 3u << 20;
    uint8_t *p = content(len, 1, false);
    struct meta_block block;
    struct data_stream *s;
    struct meta_slice *slices;
    unsigned n;

    send(rig, p, len, 0, 65536, &s, &slices, &n);
    data_stream_free(s);
    send(rig, p, len, 0, 65536, &s, &slices, &n);
    assert_int_not_equal(slices[1].block.bid, 0);
    mem_meta_drop(rig->meta, slices[1].block.bid);
    block = slices[1].block;
    assert_int_equal(mem_meta_commit(rig->meta, &block), PC_ESTALEREF);
    assert_int_equal(data_stream_redo(s, n), -EINVAL);
    assert_int_equal(data_stream_redo(s, 1), 0);
    assert_int_equal(slices[1].block.bid, 0);
    assert_int_equal(mem_meta_commit(rig->meta, &slices[1].block), 0);
    check(rig, slices, n, p);
    data_stream_free(s);
    free(p);
}

static void the_first_error_sticks(void **state)
{
    struct data_rig *rig = *state;
    const size_t len = 20u << 20;
    uint8_t *p = content(len, 1, false);
    struct data_stream *s;
    struct meta_slice *slices = NULL;
    unsigned n;
    int r;

    disk_fault(DISK_FAULT_WRITE, 3, -ENOSPC, false);
    assert_int_equal(data_stream_new(rig->data, 0, &s), 0);
    r = data_stream_write(s, p, len);
    assert_true(r == 0 || r == -ENOSPC);
    assert_int_equal(data_stream_finish(s, &slices, &n), -ENOSPC);
    assert_null(slices);
    data_stream_free(s);

    disk_fault(0, 0, 0, false);
    send(rig, p, len, 0, 1u << 20, &s, &slices, &n);
    check(rig, slices, n, p);
    data_stream_free(s);
    free(p);
}

static void prefetch_fills_the_cache(void **state)
{
    struct data_rig *rig = *state;
    const size_t len = 1000000;
    uint8_t *p = content(len, 1, true), out[10];
    struct meta_slice *slices, first;
    struct data_stream *s;
    unsigned n;

    send(rig, p, len, 0, 65536, &s, &slices, &n);
    first = slices[0];
    data_stream_free(s);
    assert_int_equal(rig_close(rig), 0);
    assert_int_equal(rig_open(rig), 0);
    data_prefetch(rig->data, &first.block, 1);
    /* Whoever comes early waits for the worker, or reads first: right in both cases. */
    for (uint32_t at = 0; at + 10 < first.len; at += 50000) {
        assert_int_equal(data_get(rig->data, &first.block, at, 10, out), 0);
        assert_memory_equal(out, p + at, 10);
    }
    free(p);
}

static long kib(const char *what)
{
    char line[256];
    long n = 0;
    FILE *f = fopen("/proc/self/status", "r");

    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        if (strncmp(line, what, strlen(what)) == 0)
            n = strtol(line + strlen(what) + 1, NULL, 10);
    fclose(f);
    return n;
}

static void memory_stays_bounded(void **state)
{
    struct data_rig *rig = *state;
    const size_t len = 1u << 20, rounds = is_slow() ? 30 : 300;
    uint8_t *p = content(len, 1, false);
    struct data_stream *s;
    struct meta_slice *slices;
    unsigned n;
    FILE *f = fopen("/proc/self/clear_refs", "w");
    long before = kib("VmRSS");

    if (f) { /* the high-water mark counts from here */
        fputs("5", f);
        fclose(f);
    }
    assert_int_equal(data_stream_new(rig->data, 0, &s), 0);
    for (size_t i = 0; i < rounds; i++) {
        for (size_t at = 0; at < len; at += 512)
            memcpy(p + at, &i, sizeof i);
        assert_int_equal(data_stream_write(s, p, len), 0);
    }
    assert_int_equal(data_stream_finish(s, &slices, &n), 0);
    assert_true(n >=
                rounds * len /
                    DATA_CHUNK_MAX); /* how many more is up to the key, another one in each run */
    if (!is_slow() && f)
        assert_true(kib("VmHWM") < before + 24 * 1024);
    data_stream_free(s);
    free(p);
}

/* Ten times as many streams as the buffers would take, all half full. */
static void many_streams_hold_little(void **state)
{
    enum { STREAMS = 80, EACH = 1000000 };
    struct data_rig *rig = *state;
    struct data_stream *s[STREAMS];
    uint8_t *p = content(EACH, 1, false);
    long before = kib("VmRSS");

    for (size_t i = 0; i < STREAMS; i++)
        assert_int_equal(data_stream_new(rig->data, 0, &s[i]), 0);
    for (size_t at = 0; at < EACH; at += 100000)
        for (size_t i = 0; i < STREAMS; i++) {
            memcpy(p + at, &i, sizeof i);
            assert_int_equal(data_stream_write(s[i], p + at, 100000), 0);
        }
    if (!is_slow())
        assert_true(kib("VmRSS") < before + 48 * 1024);
    for (size_t i = 0; i < STREAMS; i++) {
        struct meta_slice *slices;
        unsigned n;

        assert_int_equal(data_stream_finish(s[i], &slices, &n), 0);
        for (size_t at = 0; at < EACH; at += 100000)
            memcpy(p + at, &i, sizeof i);
        check(rig, slices, n, p);
        data_stream_free(s[i]);
    }
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_stays_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(many_streams_hold_little, setup, teardown),
        cmocka_unit_test_setup_teardown(content_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_makes_no_slices, setup, teardown),
        cmocka_unit_test_setup_teardown(an_edit_stores_little_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(zeros_take_almost_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_row_is_redone, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_error_sticks, setup, teardown),
        cmocka_unit_test_setup_teardown(prefetch_fills_the_cache, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
