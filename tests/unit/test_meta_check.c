/* SPDX-License-Identifier: Apache-2.0 */
/* Damage of every kind is found and mended; what can be kept is kept. No allocation that fails leaves anything half done. */
#include "meta/schema.h"

#include "base/alloc.h"
#include "meta/engine.h"
#include "meta/node.h"
#include "pcloud/err.h"
#include "pcloud/node.h"
#include "test_env.h"
#include "test_meta.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct test_meta t;
static uint64_t pack, folder, file, sliced;

/* A tree with something of everything. */
static void fill(void)
{
    struct pc_make link = {.mode = S_IFLNK | 0777, .target = "x"};
    static const char acl[] = "\2\0\0\0\1\0\6\0\0\0\0\0\4\0\6\0\0\0\0\0\40\0\6\0\0\0\0\0";
    struct meta_key k = test_key("bucket", "up");
    struct meta_key held = test_key("kept", "v/1");
    struct pc_delete gone = {.key = "v/2", .len = 3};
    struct meta_new content = {.n = 1};
    struct pc_part part = {.number = 1, .etag = "e"};
    struct meta_slice s[3];
    char id[PC_UPLOAD_ID_MAX];
    unsigned bad;

    assert_int_equal(t.m->object->bucket_create(t.m, "bucket", "alice"), 0);
    assert_int_equal(t.m->object->setting_set(t.m, "bucket", PC_SETTING_CORS, "c", 1), 0);
    assert_int_equal(t.m->content->pack_new(t.m, &pack), 0);
    folder = test_folder(t.m, PC_ROOT_INO, "folder");
    test_folder(t.m, test_folder(t.m, folder, "sub"), "deep");
    file = test_file(t.m, folder, "file");
    sliced = test_file(t.m, folder, "sliced");
    assert_int_equal(t.m->content->write_inline(t.m, file, "hello", 5, 0), 0);
    for (unsigned i = 0; i < 3; i++)
        s[i] = (struct meta_slice){
            .pos = 100 * i, .len = 100, .block = test_block(i, 200, pack, 1 + 300 * i)};
    assert_int_equal(t.m->content->write(t.m, sliced, s, 3, 0, 0, &bad), 0);
    assert_int_equal(t.m->node->make(t.m, folder, "link", &link, NULL), 0);
    test_file(t.m, folder, "thrown");
    test_folder(t.m, folder, "away");
    assert_int_equal(t.m->trash->enable(t.m, true), 0);
    assert_int_equal(t.m->node->unlink(t.m, folder, "thrown"), 0);
    assert_int_equal(t.m->node->rmdir(t.m, folder, "away"), 0);
    assert_int_equal(t.m->trash->enable(t.m, false), 0);
    assert_int_equal(t.m->node->xattr_set(t.m, file, "user.a", "b", 1, 0), 0);
    assert_int_equal(
        t.m->node->xattr_set(t.m, folder, "system.posix_acl_default", acl, sizeof(acl) - 1, 0), 0);
    assert_int_equal(test_put(t.m, "bucket", "a/b", "v"), 0);
    assert_int_equal(t.m->object->bucket_create(t.m, "kept", "alice"), 0);
    assert_int_equal(t.m->object->versioning_set(t.m, "kept", PC_VERSIONING_ON), 0);
    assert_int_equal(test_put(t.m, "kept", "v/1", "first"), 0);
    assert_int_equal(test_put(t.m, "kept", "v/1", "second"), 0);
    assert_int_equal(test_put(t.m, "kept", "v/2", "first"), 0);
    assert_int_equal(t.m->object->del(t.m, "kept", &gone, 1, NULL, NULL), 0);
    assert_int_equal(t.m->object->hold(t.m, &held, true), 0);
    assert_int_equal(t.m->object->upload_create(t.m, &k, "alice", NULL, id), 0);
    s[0].block = test_block(9, 100, pack, 2000);
    content.size = 100;
    content.slices = s;
    assert_int_equal(t.m->object->part_put(t.m, &k, id, &content, &part, &bad), 0);
}

static int set_up(void **state)
{
    (void)state;
    schema_window = 300; /* so that there are several */
    test_meta_new(&t);
    fill();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_meta_free(&t);
    return 0;
}

static void damage(const char *sql)
{
    struct sql_conn *c;

    assert_int_equal(sql_write_begin(t.m, SQL_FREES, &c), 0);
    if (sql_run(c, sql, "") <= 0)
        fail_msg("does nothing: %s", sql);
    assert_int_equal(sql_write_end(t.m, c, 0), 0);
}

static void is_found_and_mended(const char *sql)
{
    uint64_t problems = 0, repaired = 0;

    damage(sql);
    assert_int_equal(meta_check(t.m, false, NULL, &problems, &repaired), 0);
    if (problems == 0)
        fail_msg("not found: %s", sql);
    assert_int_equal(repaired, 0);
    assert_int_equal(meta_check(t.m, true, NULL, &problems, &repaired), 0);
    if (problems == 0 || repaired == 0)
        fail_msg("not counted as mended: %s", sql);
    if (!test_meta_clean(t.m))
        fail_msg("not mended: %s", sql);
}

static void damage_is_found_and_mended(void **state)
{
    static const char *const sqls[] = {
        "DELETE FROM node WHERE ino=1",
        "DELETE FROM node WHERE ino=(SELECT ino FROM edge WHERE seg=CAST('file' AS BLOB))",
        "DELETE FROM node WHERE ino=(SELECT ino FROM edge WHERE seg=CAST('sub/' AS BLOB))",
        "DELETE FROM edge WHERE seg=CAST('file' AS BLOB)",
        "DELETE FROM edge WHERE seg=CAST('sub/' AS BLOB)",
        "UPDATE edge SET seg=CAST('file/' AS BLOB) WHERE seg=CAST('file' AS BLOB)",
        "UPDATE edge SET seg=CAST('sub' AS BLOB) WHERE seg=CAST('sub/' AS BLOB)",
        "INSERT INTO edge SELECT 1, CAST('again/' AS BLOB), ino FROM edge "
        "WHERE seg=CAST('sub/' AS BLOB)",
        "INSERT INTO edge SELECT parent, CAST('again/' AS BLOB), ino FROM edge "
        "WHERE seg=CAST('sub/' AS BLOB)",
        "INSERT INTO edge SELECT ino, CAST('up/' AS BLOB), 1 FROM edge "
        "WHERE seg=CAST('sub/' AS BLOB)",
        "UPDATE node SET parent=1 WHERE ino=(SELECT ino FROM edge WHERE seg=CAST('deep/' AS BLOB))",
        "UPDATE node SET nlink=7 WHERE ino=(SELECT ino FROM edge WHERE seg=CAST('file' AS BLOB))",
        "UPDATE node SET nlink=0 WHERE ino=(SELECT ino FROM edge WHERE seg=CAST('file' AS BLOB))",
        "UPDATE node SET nlink=7 WHERE ino=(SELECT ino FROM edge WHERE seg=CAST('sub/' AS BLOB))",
        "UPDATE node SET used=77 WHERE ino=(SELECT ino FROM edge WHERE seg=CAST('file' AS BLOB))",
        "UPDATE node SET size=77 WHERE ino=(SELECT ino FROM edge WHERE seg=CAST('file' AS BLOB))",
        "UPDATE node SET size=77 WHERE ino=(SELECT ino FROM edge WHERE seg=CAST('sliced' AS BLOB))",
        "UPDATE node SET flags=0 WHERE flags<>0",
        "UPDATE node SET flags=flags|4|32|64 WHERE ino=1",
        "UPDATE slice SET len=150 WHERE pos=0",
        "UPDATE slice SET boff=150 WHERE pos=0",
        "UPDATE slice SET bid=bid+100000 WHERE pos=0",
        "UPDATE slice SET ino=ino+100000 WHERE pos=100",
        "DELETE FROM slice WHERE pos=100",
        "DELETE FROM block WHERE bid=(SELECT min(bid) FROM block)",
        "UPDATE block SET refs=5",
        "UPDATE block SET refs=0",
        "UPDATE block SET pack=pack+1000",
        "UPDATE block SET stored=stored+1",
        "UPDATE pack SET live=1",
        "DELETE FROM pack",
        "DELETE FROM inline",
        "INSERT INTO inline SELECT ino, x'00' FROM edge WHERE seg=CAST('sliced' AS BLOB)",
        "DELETE FROM symlink",
        "INSERT INTO symlink VALUES(99999, x'00')",
        "INSERT INTO xattr VALUES(99999, x'00', x'00')",
        "DELETE FROM object",
        "INSERT INTO object VALUES(99999, 1, '', NULL, NULL, NULL)",
        "DELETE FROM bucket",
        "INSERT INTO bucket VALUES(99999, '', 0, 0)",
        "INSERT INTO bucket_setting VALUES(99999, 1, x'00')",
        "INSERT INTO bucket_setting SELECT ino, 40, x'00' FROM bucket",
        "DELETE FROM bucket_setting",
        "UPDATE bucket SET settings=0",
        "DELETE FROM part",
        "DELETE FROM upload",
        "UPDATE upload SET bucket=99999",
        "INSERT INTO orphan VALUES(99999, 0)",
        "INSERT INTO orphan SELECT ino, 0 FROM edge WHERE seg=CAST('file' AS BLOB)",
        "UPDATE total SET value=value+1",
        "DELETE FROM trash",
        "DELETE FROM edge WHERE ino=(SELECT min(ino) FROM trash)",
        "INSERT INTO trash VALUES(99999, 1, x'41', 0)",
        "INSERT INTO trash SELECT ino, 1, seg, 0 FROM edge WHERE seg=CAST('file' AS BLOB)",
        "UPDATE node SET flags=flags&~1048576",
        "UPDATE node SET flags=flags|1048576 WHERE ino=(SELECT ino FROM edge WHERE seg=CAST('sub/' "
        "AS BLOB))",
        "UPDATE node SET flags=flags&~2097152",
        "UPDATE node SET flags=flags|2097152 WHERE ino=(SELECT ino FROM edge WHERE seg=CAST('file' "
        "AS BLOB))",
        "DELETE FROM past",
        "DELETE FROM past WHERE ino=(SELECT max(ino) FROM past)",
        "DELETE FROM node WHERE ino=(SELECT max(ino) FROM past)",
        "UPDATE past SET bucket=99999",
        "UPDATE past SET ino=(SELECT ino FROM edge WHERE seg=CAST('file' AS BLOB)) WHERE ino<>0",
        "INSERT INTO past SELECT bucket, key, rank-100, 'again', ino, mtime FROM past WHERE ino<>0",
        "UPDATE past SET ino=(SELECT ino FROM edge WHERE seg=CAST('sub/' AS BLOB)) WHERE ino=0",
        "UPDATE node SET flags=flags|512 WHERE ino=(SELECT ino FROM edge "
        "WHERE seg=CAST('file' AS BLOB))",
        "UPDATE node SET flags=flags&~512",
        "UPDATE node SET flags=flags&~256",
        "UPDATE object SET vid=NULL",
        "UPDATE object SET vid='x' WHERE vid IS NULL",
        "UPDATE node SET flags=flags&~1024",
        "UPDATE node SET flags=flags&~2048",
        "UPDATE node SET flags=flags&~16384",
        "UPDATE node SET flags=flags&~32768",
        "UPDATE node SET flags=flags&~32768 WHERE ino=1",
    };

    for (size_t i = 0; i < sizeof(sqls) / sizeof(sqls[0]); i++) {
        set_up(state);
        is_found_and_mended(sqls[i]);
        tear_down(state);
    }
}

static void what_lost_its_name_is_in_lost_found(void **state)
{
    uint8_t data[META_INLINE_MAX];
    char name[32];
    struct pc_attr a, lost;
    size_t len;

    (void)state;
    is_found_and_mended("DELETE FROM edge WHERE seg=CAST('file' AS BLOB)");
    assert_int_equal(t.m->node->lookup(t.m, PC_ROOT_INO, "lost+found", &lost), 0);
    snprintf(name, sizeof(name), "#%llu", (unsigned long long)file);
    assert_int_equal(t.m->node->lookup(t.m, lost.ino, name, &a), 0);
    assert_int_equal(a.ino, file);
    assert_int_equal(t.m->content->read(t.m, file, 0, 9, NULL, 0, data, &len, NULL, NULL), 0);
    assert_memory_equal(data, "hello", 5);
}

static void circles_are_opened(void **state)
{
    struct sql_conn *c;
    struct pc_attr sub;

    (void)state;
    assert_int_equal(t.m->node->lookup(t.m, folder, "sub", &sub), 0);
    assert_int_equal(sql_write_begin(t.m, SQL_FREES, &c), 0);
    assert_int_equal(sql_run(c, "UPDATE edge SET parent=?1 WHERE ino=?2", "uu", sub.ino, folder),
                     1);
    assert_int_equal(sql_run(c, "UPDATE node SET parent=?1 WHERE ino=?2", "uu", sub.ino, folder),
                     1);
    assert_int_equal(sql_write_end(t.m, c, 0), 0);
    is_found_and_mended("UPDATE node SET nlink=2 WHERE ino=1");
    assert_int_equal(t.m->node->lookup(t.m, PC_ROOT_INO, "lost+found", &sub), 0);
}

/* The fault loop: fail the first allocation of an operation, the second, ... until none failed. */

static int op_make(unsigned i)
{
    struct pc_make make = {.mode = S_IFREG | 0644};
    char name[16];

    snprintf(name, sizeof(name), "m%u", i);
    return t.m->node->make(t.m, folder, name, &make, NULL);
}

static int op_write(unsigned i)
{
    struct meta_slice s = {
        .pos = 50 * i, .len = 120, .block = test_block(100 + i, 200, pack, 9000)};
    unsigned bad;

    s.block.off += 300ull * i;
    return t.m->content->write(t.m, sliced, &s, 1, 0, 0, &bad);
}

static int op_put(unsigned i)
{
    static const char headers[] = "content-type\0text/plain";
    struct pc_headers h = {headers, sizeof(headers)};
    struct meta_key k = test_key("bucket", "x/y/z");
    struct meta_new content = {.size = 5, .inline_data = "hello"};
    struct pc_object o;
    unsigned bad;
    int rc = t.m->object->put(t.m, &k, &content, "etag", &h, NULL, &o, &bad);

    (void)i;
    if (rc == 0)
        free((void *)(uintptr_t)o.headers.data);
    return rc;
}

static int op_get(unsigned i)
{
    struct meta_key k = test_key("bucket", "x/y/z");
    struct pc_object o;
    int rc = t.m->object->get_hold(t.m, &k, &o);

    (void)i;
    if (rc < 0)
        return rc;
    meta_drop(t.m, o.ino);
    free((void *)(uintptr_t)o.headers.data);
    return 0;
}

static int op_rename(unsigned i)
{
    return t.m->node->rename(t.m, folder, i % 2 ? "file" : "moved", folder,
                             i % 2 ? "moved" : "file", 0);
}

static int ignore(void *arg, const struct pc_list_entry *e)
{
    (void)arg;
    (void)e;
    return 0;
}

static int op_setting(unsigned i)
{
    char *data;
    size_t len;
    int rc = t.m->object->setting_set(t.m, "bucket", PC_SETTING_POLICY, i % 3 ? "p" : NULL, 1);

    if (rc == 0 && i % 3)
        rc = t.m->object->setting_get(t.m, "bucket", PC_SETTING_POLICY, &data, &len);
    if (rc == 0 && i % 3)
        free(data);
    return rc;
}

static int op_annotate(unsigned i)
{
    static const char change[] = "tagging\0a=1";
    struct pc_headers h = {change, sizeof(change)};
    struct meta_key k = test_key("bucket", "x/y/z");

    (void)i;
    return t.m->object->annotate(t.m, &k, &h);
}

static int op_list(unsigned i)
{
    struct pc_list l = {.prefix = "", .delimiter = "/", .delimiter_len = 1, .after = "", .max = 9};
    bool more;

    (void)i;
    return t.m->object->list(t.m, "bucket", &l, ignore, NULL, &more);
}

static int op_xattr(unsigned i)
{
    char value[8];

    snprintf(value, sizeof(value), "%u", i);
    return t.m->node->xattr_set(t.m, file, "user.s3.meta.a", value, strlen(value), 0);
}

static int op_delete(unsigned i)
{
    struct pc_delete d = {.key = "x/y/z", .len = 5};
    int rc = t.m->object->del(t.m, "bucket", &d, 1, NULL, NULL);

    (void)i;
    return rc < 0 ? rc : d.result;
}

static int op_version_put(unsigned i)
{
    (void)i;
    return test_put(t.m, "kept", "v/3/4", "x");
}

static int ignore_version(void *arg, const struct pc_version_entry *e)
{
    (void)arg;
    (void)e;
    return 0;
}

static int op_version_list(unsigned i)
{
    struct pc_version_list l = {.prefix = "",
                                .delimiter = "",
                                .after = "v/1",
                                .after_len = 3,
                                .after_id = "none",
                                .max = 9};
    bool more;

    (void)i;
    return t.m->object->version_list(t.m, "kept", &l, ignore_version, NULL, &more);
}

/* A marker over a version, and away again; every other time by the mount. */
static int op_version_delete(unsigned i)
{
    struct pc_delete d = {.key = "v/3/4", .len = 5};
    struct pc_attr v, dir;
    int rc;

    if (i % 2 && t.m->node->lookup(t.m, PC_ROOT_INO, "kept", &v) == 0 &&
        t.m->node->lookup(t.m, v.ino, "v", &v) == 0 &&
        t.m->node->lookup(t.m, v.ino, "3", &dir) == 0)
        return t.m->node->unlink(t.m, dir.ino, "4");
    rc = t.m->object->del(t.m, "kept", &d, 1, NULL, NULL);
    if (rc < 0 || d.result < 0)
        return rc < 0 ? rc : d.result;
    d = (struct pc_delete){.key = "v/3/4", .len = 5, .version = "null"};
    rc = t.m->object->del(t.m, "kept", &d, 1, NULL, NULL);
    return rc < 0 ? rc : d.result;
}

static void no_memory_leaves_nothing_half_done(void **state)
{
    static int (*const ops[])(unsigned i) = {
        op_make,  op_write,  op_put,    op_get,         op_setting,      op_annotate,      op_list,
        op_xattr, op_rename, op_delete, op_version_put, op_version_list, op_version_delete};

    (void)state;
    for (size_t k = 0; k < sizeof(ops) / sizeof(ops[0]); k++) {
        unsigned long failed = 1;
        unsigned turn = 1;

        for (unsigned n = 1; failed > 0; n++) {
            int rc;

            assert_true(n < 5000);
            mem_fail_at(n, MEM_FAIL_ONCE);
            rc = ops[k](turn);
            failed = mem_fail_count();
            mem_fail_at(0, MEM_FAIL_ONCE);
            if (rc < 0 && (rc != -ENOMEM || failed == 0))
                fail_msg("operation %zu, allocation %u: %s", k, n, pc_err_text(rc));
            turn += rc == 0;
            if (n % 16 == 0)
                assert_true(test_meta_clean(t.m));
        }
        assert_true(test_meta_clean(t.m));
    }
}

struct watched {
    uint64_t steps, made, tables; /* all; files made in them; those before the invariants */
    int stop;
};

/* Between two steps nothing is held: no view that would keep the log from starting anew, no lock that a writer waits for. */
static int look_around(void *arg, uint64_t done, uint64_t total)
{
    struct watched *w = arg;
    const struct engine *e = (const struct engine *)(const void *)t.m;
    static uint64_t made;
    char name[32];

    if (w->steps > w->tables && done == w->steps - w->tables)
        return 0; /* asked within a step */
    assert_true(done == ++w->steps - w->tables && done <= total && total > 15);
    if (done == total && w->tables == 0 && engine_tuning.whole_bytes == 0)
        w->tables = w->steps;
    assert_int_equal(e->idle_n, e->readers_n);
    snprintf(name, sizeof(name), "beside%llu", (unsigned long long)made++);
    test_file(t.m, folder, name);
    w->made++;
    return w->stop;
}

static void others_write_beside_the_check(void **state)
{
    struct watched w = {0};
    const struct meta_watch watch = {.step = look_around, .arg = &w};
    uint64_t problems = 9, repaired = 9;

    (void)state;
    assert_int_equal(meta_check(t.m, false, &watch, &problems, &repaired), 0);
    assert_int_equal(problems, 0);
    assert_int_equal(repaired, 0);
    assert_true(w.steps > 40 && w.made == w.steps);
    engine_tuning.whole_bytes = 0; /* as a large one: table by table before */
    w = (struct watched){0};
    assert_int_equal(meta_check(t.m, false, &watch, &problems, &repaired), 0);
    assert_int_equal(problems, 0);
    assert_true(w.tables > 15 && w.steps > w.tables + 40);
    engine_tuning.whole_bytes = (uint64_t)64 << 20;
    w = (struct watched){.stop = 1};
    assert_int_equal(meta_check(t.m, true, &watch, &problems, &repaired), PC_ECANCELED);
    assert_int_equal(w.steps, 1);
}

/* SQLite's allocations fail with ours. */
static sqlite3_mem_methods real;

static void *failing_malloc(int n)
{
    return mem_denied() ? NULL : real.xMalloc(n);
}

static void *failing_realloc(void *p, int n)
{
    return mem_denied() ? NULL : real.xRealloc(p, n);
}

static void hook_sqlite(void)
{
    sqlite3_mem_methods failing;

    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real), SQLITE_OK);
    failing = real;
    failing.xMalloc = failing_malloc;
    failing.xRealloc = failing_realloc;
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &failing), SQLITE_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_found_and_mended),
        TEST(what_lost_its_name_is_in_lost_found),
        TEST(circles_are_opened),
        TEST(others_write_beside_the_check),
        TEST(no_memory_leaves_nothing_half_done),
    };

    hook_sqlite();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
