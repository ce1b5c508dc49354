/* SPDX-License-Identifier: Apache-2.0 */
/* Pack files: names, headers, rolling and sealing, shared barriers, adoption, removal, compaction, full disks. */
#include "data/pack.h"

#include "data/record.h"
#include "data_rig.h"
#include "disk_fault.h"
#include "mem_meta.h"
#include "pcloud/err.h"
#include "test_env.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
    struct data_rig *rig = malloc(sizeof *rig);

    assert_non_null(rig);
    disk_fault_on();
    rig_new(rig);
    rig->options.dedup = false;
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

/* Put ${n} blocks of ${size} random bytes; their rows are made. */
static void put_blocks(struct data_rig *rig, struct meta_block *blocks, size_t n, uint32_t size)
{
    uint8_t *plain = malloc(size);

    assert_non_null(plain);
    for (size_t i = 0; i < n; i++) {
        rig_fill(plain, size, i, false);
        assert_int_equal(data_put(rig->data, plain, size, &blocks[i]), 0);
        assert_int_equal(mem_meta_commit(rig->meta, &blocks[i]), 0);
    }
    free(plain);
}

static void check_blocks(struct data_rig *rig, const struct meta_block *blocks, size_t n)
{
    uint8_t *plain = malloc(blocks->size), *out = malloc(blocks->size);

    assert_non_null(plain);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++) {
        struct meta_block b;

        assert_true(mem_meta_place(rig->meta, blocks[i].id, &b));
        rig_fill(plain, b.size, i, false);
        assert_int_equal(data_get(rig->data, &b, 0, b.size, out), 0);
        assert_memory_equal(out, plain, b.size);
    }
    free(out);
    free(plain);
}

static void headers_say_who_they_are(void **state)
{
    uint8_t h[PACK_HEADER];
    uint64_t id;

    (void)state;
    pack_header_encode(0x1122334455667788, h);
    assert_int_equal(pack_header_parse(h, &id), 0);
    assert_true(id == 0x1122334455667788);
    for (size_t i = 0; i < sizeof h; i++) {
        h[i] ^= 0x10;
        assert_true(pack_header_parse(h, &id) < 0);
        h[i] ^= 0x10;
    }
}

static void full_packs_are_sealed(void **state)
{
    struct data_rig *rig = *state;
    struct meta_block b[20];
    uint64_t size, bytes, packs;
    char *path;

    put_blocks(rig, b, 20, META_BLOCK_MAX);
    assert_true(b[19].pack > b[0].pack);
    assert_int_equal(rig_close(rig), 0);
    for (uint64_t id = b[0].pack; id <= b[19].pack; id++)
        assert_true(mem_meta_sealed(rig->meta, id, &size));
    assert_true(mem_meta_sealed(rig->meta, b[0].pack, &size));
    assert_true(size <= DATA_PACK_MAX && size > DATA_PACK_MAX - 5 * META_BLOCK_MAX / 4);
    assert_int_equal(rig_open(rig), 0);
    assert_int_equal(data_pack_size(rig->data, b[0].pack), size);
    path = rig_pack_path(rig, b[0].pack);
    assert_int_equal(access(path, R_OK), 0);
    free(path);
    assert_int_equal(data_bytes(rig->data, &bytes, &packs), 0);
    assert_true(packs == b[19].pack && bytes > 20ull * META_BLOCK_MAX);
    check_blocks(rig, b, 20);
}

static int count_id(void *arg, uint64_t id)
{
    (*(uint64_t *)arg) += id;
    return 0;
}

static int stop_at_once(void *arg, uint64_t id)
{
    (void)arg;
    (void)id;
    return 42;
}

static void packs_on_disk_are_listed(void **state)
{
    struct data_rig *rig = *state;
    struct meta_block b;
    uint64_t sum = 0;
    char *path;

    put_blocks(rig, &b, 1, 1000);
    path = rig_pack_path(rig, 0xabc0000000000001u);
    assert_int_equal(test_file_write(path, "x", 1), 0);
    free(path);
    assert_int_equal(data_pack_ids(rig->data, count_id, &sum), 0);
    assert_true(sum == b.pack + 0xabc0000000000001u);
    assert_int_equal(data_pack_ids(rig->data, stop_at_once, NULL), 42);
    assert_int_equal(data_pack_size(rig->data, 77), -ENOENT);
}

static void dead_sessions_packs_are_adopted(void **state)
{
    struct data_rig *rig = *state, second = *rig;
    struct meta_block b;
    uint64_t size;

    put_blocks(rig, &b, 1, 5000);
    assert_false(mem_meta_sealed(rig->meta, b.pack, &size));
    mem_meta_die(rig->meta);
    assert_int_equal(rig_open(&second), 0);
    assert_true(mem_meta_sealed(rig->meta, b.pack, &size));
    assert_int_equal(size, b.off + b.stored);
    check_blocks(&second, &b, 1);
    assert_int_equal(rig_close(&second), 0);
    mem_meta_fail(rig->meta, -EIO); /* the first one is dead: it must not seal again */
    assert_int_equal(rig_close(rig), -EIO);
    mem_meta_fail(rig->meta, 0);
}

static void removed_packs_are_stale_not_damaged(void **state)
{
    struct data_rig *rig = *state;
    struct meta_block b[2];
    uint8_t out[1000];

    put_blocks(rig, b, 1, 1000);
    assert_int_equal(rig_close(rig), 0);
    assert_int_equal(rig_open(rig), 0);
    data_cache_resize(rig->data, 0);
    assert_int_equal(data_get(rig->data, &b[0], 0, 1000, out), 0);
    assert_int_equal(data_pack_remove(rig->data, b[0].pack), 0);
    assert_int_equal(data_get(rig->data, &b[0], 0, 1000, out), PC_ESTALEREF);
    assert_int_equal(data_pack_remove(rig->data, b[0].pack), -ENOENT);

    /* Removed by another process, while this one has it open. */
    put_blocks(rig, b, 2, 1000);
    assert_int_equal(rig_close(rig), 0);
    assert_int_equal(rig_open(rig), 0);
    data_cache_resize(rig->data, 0);
    assert_int_equal(data_get(rig->data, &b[1], 0, 1000, out), 0);
    {
        struct data_rig other = *rig;

        assert_int_equal(rig_open(&other), 0);
        assert_int_equal(data_pack_remove(other.data, b[1].pack), 0);
        assert_int_equal(rig_close(&other), 0);
    }
    assert_int_equal(data_get(rig->data, &b[1], 0, 1000, out), PC_ESTALEREF);
}

static void compaction_moves_what_lives(void **state)
{
    struct data_rig *rig = *state;
    struct meta_block b[50], now;
    uint64_t moved = 0, expected = 0, pack;
    uint8_t out[1];
    char *path;
    FILE *f;

    put_blocks(rig, b, 50, 100000);
    pack = b[0].pack;
    for (int i = 0; i < 50; i++) {
        if (i % 5)
            expected += b[i].stored;
        else
            mem_meta_drop(rig->meta, b[i].bid);
    }
    assert_int_equal(rig_close(rig), 0);
    assert_int_equal(rig_open(rig), 0);
    path = rig_pack_path(rig, pack);
    f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, (long)b[7].off + 5000, SEEK_SET), 0);
    assert_int_equal(fputs("damage", f) >= 0, 1);
    fclose(f);
    free(path);
    assert_int_equal(data_pack_compact(rig->data, pack, &moved), 0);
    assert_int_equal(moved, expected - b[7].stored);
    assert_true(mem_meta_place(rig->meta, b[7].id, &now));
    assert_int_equal(now.pack, pack);
    mem_meta_drop(rig->meta, b[7].bid);
    assert_int_equal(data_pack_remove(rig->data, pack), 0);
    for (int i = 1; i < 50; i++) {
        if (i % 5 == 0 || i == 7)
            continue;
        assert_true(mem_meta_place(rig->meta, b[i].id, &now));
        assert_int_not_equal(now.pack, pack);
        assert_int_equal(data_verify(rig->data, &now), 0);
    }
    assert_int_equal(data_get(rig->data, &b[1], 0, 1, out), PC_ESTALEREF);
    assert_int_equal(data_pack_compact(rig->data, pack, &moved), 0);
    assert_int_equal(moved, 0);
}

static void a_full_disk_is_said_before_and_meant(void **state)
{
    struct data_rig *rig = *state;
    uint8_t plain[10000];
    struct meta_block a, b;

    rig_fill(plain, sizeof plain, 1, false);
    assert_int_equal(rig_close(rig), 0);
    rig->options.reserve_bytes = 1u << 20;
    assert_int_equal(rig_open(rig), 0);
    disk_fault_free((1u << 20) + 15000);
    assert_int_equal(data_put(rig->data, plain, sizeof plain, &a), 0);
    disk_fault_free((1u << 20) + 5000);
    assert_int_equal(data_put(rig->data, plain, sizeof plain, &b), -ENOSPC);
    assert_non_null(strstr(pc_err_text(-ENOSPC), "reserve"));
    assert_int_equal(data_get(rig->data, &a, 0, sizeof plain, plain), 0);
    disk_fault_free(UINT64_MAX);

    /* The system itself may say so in the middle of a write; the next record takes the place. */
    disk_fault(DISK_FAULT_WRITE, 1, -ENOSPC, false);
    assert_int_equal(data_put(rig->data, plain, sizeof plain, &b), -ENOSPC);
    assert_int_equal(data_put(rig->data, plain, sizeof plain, &b), 0);
    assert_true(b.pack == a.pack && b.off == a.off + a.stored);
    assert_int_equal(data_verify(rig->data, &b), 0);

    /* After another error nothing more goes to that pack. */
    disk_fault(DISK_FAULT_WRITE, 1, -EIO, false);
    assert_int_equal(data_put(rig->data, plain, sizeof plain, &b), -EIO);
    assert_int_equal(data_put(rig->data, plain, sizeof plain, &b), 0);
    assert_int_not_equal(b.pack, a.pack);
    assert_int_equal(data_verify(rig->data, &a), 0);
}

static void short_writes_and_reads_are_gone_on_with(void **state)
{
    struct data_rig *rig = *state;
    struct meta_block b[3];

    disk_fault_short(1000);
    put_blocks(rig, b, 3, 200000);
    check_blocks(rig, b, 3);
}

static void a_failed_sync_is_final(void **state)
{
    struct data_rig *rig = *state;
    struct meta_block a, b;
    uint8_t out[1000] = {0};
    uint64_t size;

    put_blocks(rig, &a, 1, 1000);
    assert_int_equal(data_barrier(rig->data), 0);
    put_blocks(rig, &a, 1, 1000);
    disk_fault(DISK_FAULT_SYNC, 1, -EIO, false);
    assert_int_equal(data_barrier(rig->data), -EIO);
    assert_int_equal(data_barrier(rig->data), -EIO);
    assert_int_equal(data_put(rig->data, out, 1000, &b), -EIO);
    assert_int_equal(data_get(rig->data, &a, 0, 1000, out), 0);
    assert_int_equal(rig_close(rig), -EIO);
    assert_false(mem_meta_sealed(rig->meta, a.pack, &size));
    assert_int_equal(rig_open(rig), 0);
    put_blocks(rig, &b, 1, 1000);
    assert_int_equal(data_barrier(rig->data), 0);
}

struct writer {
    struct data_rig *rig;
    atomic_int *failed;
    uint64_t seed;
};

static void *write_and_sync(void *arg)
{
    struct writer *w = arg;
    uint8_t plain[3000];
    struct meta_block b;

    for (uint64_t i = 0; i < 100; i++) {
        rig_fill(plain, sizeof plain, w->seed * 1000 + i, false);
        if (data_put(w->rig->data, plain, sizeof plain, &b) < 0 || data_barrier(w->rig->data) < 0 ||
            data_verify(w->rig->data, &b) < 0)
            atomic_fetch_add(w->failed, 1);
    }
    return NULL;
}

static void barriers_are_shared(void **state)
{
    struct data_rig *rig = *state;
    atomic_int failed = 0;
    struct writer w[8];
    pthread_t t[8];

    for (unsigned i = 0; i < 8; i++) {
        w[i] = (struct writer){rig, &failed, i};
        assert_int_equal(pthread_create(&t[i], NULL, write_and_sync, &w[i]), 0);
    }
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(failed, 0);
    disk_fault(0, 0, 0, false);
    assert_int_equal(data_barrier(rig->data), 0);
    assert_int_equal(disk_fault_calls(DISK_FAULT_SYNC), 0); /* nothing was left to sync */
}

struct endless {
    struct data_rig *rig;
    atomic_bool stop;
    atomic_int puts;
};

static void *write_on(void *arg)
{
    struct endless *e = arg;
    uint8_t plain[3000] = {0};
    struct meta_block b;

    while (!atomic_load(&e->stop)) {
        if (data_put(e->rig->data, plain, sizeof plain, &b) < 0)
            abort();
        atomic_fetch_add(&e->puts, 1);
    }
    return NULL;
}

static bool some_puts(void *arg)
{
    return atomic_load((atomic_int *)arg) > 100;
}

static void writers_do_not_hold_up_a_barrier(void **state)
{
    struct endless e = {.rig = *state};
    pthread_t t[4];

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, write_on, &e), 0);
    assert_true(test_wait(60000, some_puts, &e.puts));
    disk_fault(0, 0, 0, false);
    for (int i = 0; i < 10; i++)
        assert_int_equal(data_barrier(e.rig->data), 0);
    atomic_store(&e.stop, true);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    assert_true(disk_fault_calls(DISK_FAULT_SYNC) <= 10 * 2 * 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_say_who_they_are),
        cmocka_unit_test_setup_teardown(full_packs_are_sealed, setup, teardown),
        cmocka_unit_test_setup_teardown(packs_on_disk_are_listed, setup, teardown),
        cmocka_unit_test_setup_teardown(dead_sessions_packs_are_adopted, setup, teardown),
        cmocka_unit_test_setup_teardown(removed_packs_are_stale_not_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(compaction_moves_what_lives, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_is_said_before_and_meant, setup, teardown),
        cmocka_unit_test_setup_teardown(short_writes_and_reads_are_gone_on_with, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_sync_is_final, setup, teardown),
        cmocka_unit_test_setup_teardown(barriers_are_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(writers_do_not_hold_up_a_barrier, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
