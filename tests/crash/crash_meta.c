/* SPDX-License-Identifier: Apache-2.0 */
/* Power cuts under the metadata engine: what was synced is there, in order, and never refers to data that is not on disk. */
#include "meta/meta.h"

#include "meta/engine.h"
#include "meta/node.h"
#include "pcloud/err.h"
#include "test_env.h"
#include "test_vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define STEPS 400
#define CUTS 300

enum mark { SYNCED, DATA_WRITTEN, DATA_ON_DISK };

static const uint8_t key[32] = {8};
static int64_t data_written; /* the newest data that was written */

static int sync_log(int fd)
{
    (void)fd;
    test_vfs_sync("-wal");
    return 0;
}

static int barrier(void *arg)
{
    int64_t upto = __atomic_load_n(&data_written, __ATOMIC_SEQ_CST);

    (void)arg;
    test_vfs_mark(DATA_ON_DISK, upto);
    return 0;
}

static struct meta *open_it(const char *dir)
{
    const struct meta_options o = {
        .dir = dir, .page_key = key, .program = "test", .data_barrier = barrier};
    struct meta *m;
    int r = meta_open(&o, &m);

    if (r < 0)
        fail_msg("%s", pc_err_text(r));
    return m;
}

static void make(struct meta *m, int64_t i)
{
    struct pc_make what = {.mode = S_IFREG | 0644};
    struct pc_attr attr;
    char name[32];

    snprintf(name, sizeof name, "f%lld", (long long)i);
    assert_int_equal(m->node->make(m, PC_ROOT_INO, name, &what, &attr), 0);
}

/* The root's access time stands for a reference to data number i, which was written before. */
static void refer(struct meta *m, int64_t i)
{
    struct sql_conn *c;

    test_vfs_mark(DATA_WRITTEN, i);
    __atomic_store_n(&data_written, i, __ATOMIC_SEQ_CST);
    assert_int_equal(sql_write_begin(m, SQL_NEEDS_ROOM, &c), 0);
    sql_needs_barrier(m);
    assert_int_equal(sql_run(c, "UPDATE node SET atime = ? WHERE ino = 1", "i", i), 1);
    assert_int_equal(sql_write_end(m, c, 0), 0);
}

/* Files in order, references, syncs now and then, a log that is brought back all the time. */
static void run_workload(const char *dir)
{
    uint64_t rng = 11;
    struct meta *m;

    test_vfs_start();
    m = open_it(dir);
    for (int64_t i = 1; i <= STEPS; i++) {
        make(m, i);
        refer(m, i);
        switch (test_random(&rng) % 12) {
        case 0:
            assert_int_equal(meta_sync(m), 0);
            test_vfs_mark(SYNCED, i);
            break;
        case 1:
        case 2:
            assert_int_equal(meta_flush(m), 0);
            break;
        default:
            break;
        }
    }
    assert_int_equal(meta_sync(m), 0);
    test_vfs_mark(SYNCED, STEPS);
    test_vfs_stop();
    assert_int_equal(meta_close(m), 0);
}

static int64_t ask(struct meta *m, const char *sql)
{
    struct sql_conn *c;
    sqlite3_stmt *st;
    int64_t n;

    assert_int_equal(sql_read_begin(m, &c), 0);
    assert_int_equal(sql_one(c, sql, &st, ""), 1);
    n = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    sql_read_end(m, c);
    return n;
}

static int64_t last_mark(size_t upto, enum mark which)
{
    int64_t n = 0;

    for (size_t i = 0; i < upto; i++)
        if (test_vfs_event(i)->kind == TEST_MARK && test_vfs_event(i)->file == which)
            n = test_vfs_event(i)->off;
    return n;
}

static void say(void *arg, const char *text)
{
    (void)arg;
    print_message("  %s\n", text);
}

static void is_a_past_state(const char *dir, size_t upto)
{
    const struct meta_watch watch = {.found = say};
    struct meta *m = open_it(dir);
    int64_t files = ask(m, "SELECT count(*) FROM edge"), data;
    uint64_t problems = 9, repaired;

    data = ask(m, "SELECT CASE WHEN atime > 1000000 THEN 0 ELSE atime END FROM node WHERE ino = 1");
    assert_int_equal(meta_check(m, false, &watch, &problems, &repaired), 0);
    assert_int_equal(problems, 0);
    assert_int_equal(ask(m, "SELECT count(*) FROM edge WHERE CAST(substr(CAST(seg AS TEXT), 2) AS"
                            " INTEGER) > (SELECT count(*) FROM edge)"),
                     0);
    assert_true(data == files || data == files - 1);
    assert_true(files >= last_mark(upto, SYNCED));
    assert_true(data <= last_mark(upto, DATA_ON_DISK));
    make(m, 1000000);
    assert_int_equal(meta_close(m), 0);
}

static void every_cut_leaves_a_past_state(void **state)
{
    char *home = test_dir_new(), *path = test_path(home, "volume.db");
    uint64_t seed = 5;
    uint8_t *before;
    size_t len;

    (void)state;
    assert_int_equal(meta_create(home, key, 0, 0), 0);
    before = test_file_read(path, &len);
    run_workload(home);
    print_message("%zu events\n", test_vfs_count());
    for (size_t i = 0; i < CUTS; i++) {
        size_t upto = i * test_vfs_count() / (CUTS - 1);
        char *dir = test_dir_new(), *db = test_path(dir, "volume.db");

        assert_int_equal(test_file_write(db, before, len), 0);
        test_vfs_cut(dir, upto, &seed);
        is_a_past_state(dir, upto);
        free(db);
        test_dir_free(dir);
    }
    free(before);
    free(path);
    test_dir_free(home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_leaves_a_past_state),
    };

    test_vfs_setup();
    engine_tuning.below = TEST_VFS_NAME;
    engine_tuning.sync_log = sync_log;
    engine_tuning.log_bytes = 300000;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
