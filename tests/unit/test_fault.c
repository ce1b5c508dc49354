/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation and every file call of the data path fails once: an error, no leak, and what was there is intact. */
#include "data/data.h"

#include "base/alloc.h"
#include "data_rig.h"
#include "disk_fault.h"
#include "mem_meta.h"
#include "pcloud/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OLD 150000
#define STREAM (3u << 20)

static uint8_t old_plain[OLD], stream_plain[STREAM], out[STREAM];

/* What was committed before the faults, and again and again is looked at. */
static struct meta_block old_block;

static void intact(struct data_rig *rig, const struct meta_block *b, const uint8_t *plain)
{
    struct meta_block now;

    assert_true(mem_meta_place(rig->meta, b->id, &now));
    assert_int_equal(data_get(rig->data, &now, 0, now.size, out), 0);
    assert_memory_equal(out, plain, now.size);
    assert_int_equal(data_verify(rig->data, &now), 0);
}

/* Stream, sync, commit, read. 0 only if all of that held. */
static int stream(struct data_rig *rig)
{
    struct data_stream *s = NULL;
    struct meta_slice *slices;
    unsigned n;
    int r = data_stream_new(rig->data, 0, &s);

    for (size_t at = 0; r == 0 && at < STREAM; at += 100000)
        r = data_stream_write(s, stream_plain + at, STREAM - at < 100000 ? STREAM - at : 100000);
    if (r == 0)
        r = data_stream_finish(s, &slices, &n);
    if (r == 0)
        r = data_barrier(rig->data);
    for (unsigned i = 0; r == 0 && i < n; i++) {
        assert_int_equal(mem_meta_commit(rig->meta, &slices[i].block), 0);
        r = data_get(rig->data, &slices[i].block, 10, slices[i].len - 10, out);
        if (r == 0)
            assert_memory_equal(out, stream_plain + slices[i].pos + 10, slices[i].len - 10);
    }
    data_stream_free(s);
    return r;
}

static int work(struct data_rig *rig)
{
    struct meta_block b, now;
    uint64_t moved, bytes, packs;
    int r = rig_open(rig);

    if (r < 0)
        return r;
    data_prefetch(rig->data, &old_block, 1);
    r = data_get(rig->data, &old_block, 70000, 5000, out);
    if (r == 0)
        r = data_put_again(rig->data, stream_plain + 5, 300000, &b);
    if (r == 0)
        r = stream(rig);
    assert_true(mem_meta_place(rig->meta, old_block.id, &now));
    if (r == 0)
        r = data_pack_compact(rig->data, now.pack, &moved);
    if (r == 0)
        r = data_verify(rig->data, &old_block);
    if (r == 0)
        r = data_bytes(rig->data, &bytes, &packs);
    if (rig_close(rig) < 0 && r == 0)
        r = -EIO;
    return r;
}

/* One life of a volume with a fault in the middle; then without: nothing that was committed is lost. */
static void one_life(void (*arm)(unsigned long n), unsigned long n, unsigned long (*disarm)(void),
                     unsigned long *ret_failed)
{
    struct data_rig rig;
    int r;

    rig_new(&rig);
    assert_int_equal(rig_open(&rig), 0);
    assert_int_equal(data_put(rig.data, old_plain, OLD, &old_block), 0);
    assert_int_equal(data_barrier(rig.data), 0);
    assert_int_equal(mem_meta_commit(rig.meta, &old_block), 0);
    assert_int_equal(rig_close(&rig), 0);
    arm(n);
    r = work(&rig);
    *ret_failed = disarm();
    if (*ret_failed == 0)
        assert_int_equal(r, 0);
    assert_int_equal(rig_open(&rig), 0);
    intact(&rig, &old_block, old_plain);
    assert_int_equal(stream(&rig), 0);
    assert_int_equal(rig_close(&rig), 0);
    rig_free(&rig);
    assert_int_equal(disk_fault_fds(), 0);
}

static void loop(void (*arm)(unsigned long n), unsigned long (*disarm)(void))
{
    unsigned long failed = 1, n, step = getenv("PC_TEST_SLOW") ? 17 : 1;

    for (n = 1; failed > 0; n += step) {
        assert_true(n < 2000);
        one_life(arm, n, disarm, &failed);
    }
    assert_true(n > 3);
}

static void arm_alloc(unsigned long n)
{
    mem_fail_at(n, MEM_FAIL_ONCE);
}

static void arm_alloc_on(unsigned long n)
{
    mem_fail_at(n, MEM_FAIL_ON);
}

static unsigned long disarm_alloc(void)
{
    unsigned long failed = mem_fail_count();

    mem_fail_at(0, MEM_FAIL_ONCE);
    return failed;
}

static unsigned kinds;
static int code;

static void arm_disk(unsigned long n)
{
    disk_fault(kinds, n, code, false);
}

static void arm_disk_on(unsigned long n)
{
    disk_fault(kinds, n, code, true);
}

static unsigned long disarm_disk(void)
{
    unsigned long failed = disk_fault_count();

    disk_fault(0, 0, 0, false);
    return failed;
}

static void each_allocation_fails(void **state)
{
    (void)state;
    loop(arm_alloc, disarm_alloc);
    loop(arm_alloc_on, disarm_alloc);
}

static void each_file_call_fails(void **state)
{
    (void)state;
    kinds = DISK_FAULT_ALL;
    code = -EIO;
    loop(arm_disk, disarm_disk);
    loop(arm_disk_on, disarm_disk);
}

static void each_write_finds_the_disk_full(void **state)
{
    (void)state;
    kinds = DISK_FAULT_WRITE | DISK_FAULT_NAME | DISK_FAULT_OPEN;
    code = -ENOSPC;
    loop(arm_disk, disarm_disk);
    loop(arm_disk_on, disarm_disk);
}

static int setup(void **state)
{
    (void)state;
    disk_fault_on();
    rig_fill(old_plain, sizeof old_plain, 1, true);
    rig_fill(stream_plain, sizeof stream_plain, 2, false);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_allocation_fails, setup),
        cmocka_unit_test_setup(each_file_call_fails, setup),
        cmocka_unit_test_setup(each_write_finds_the_disk_full, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
