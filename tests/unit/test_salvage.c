/* SPDX-License-Identifier: Apache-2.0 */
/* Salvage: whatever page is lost, the rest comes back, and the new database is sound. */
#include "meta/meta.h"

#include "meta/content.h"
#include "meta/engine.h"
#include "meta/node.h"
#include "meta/object.h"
#include "pcloud/err.h"
#include "test_env.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FILES 1500
#define PAGE_FILES 150 /* a page holds no more rows of node or edge than this */

static const uint8_t key[32] = {4};

struct place {
    char *dir, *db;
    struct meta *m;
};

static void open_it(struct place *p)
{
    const struct meta_options o = {.dir = p->dir, .page_key = key, .program = "test"};
    int r = meta_open(&o, &p->m);

    if (r < 0)
        fail_msg("%s", pc_err_text(r));
}

static void close_it(struct place *p)
{
    if (p->m)
        assert_int_equal(meta_close(p->m), 0);
    p->m = NULL;
}

static void name_of(unsigned i, char name[64])
{
    snprintf(name, 64, "a file of some length, number %u", i);
}

static void put_file(struct place *p, unsigned i)
{
    struct pc_make make = {.mode = S_IFREG | 0644};
    struct pc_attr attr;
    char name[64], text[600];

    name_of(i, name);
    memset(text, 'a' + (int)(i % 26), sizeof text);
    assert_int_equal(p->m->node->make(p->m, PC_ROOT_INO, name, &make, &attr), 0);
    assert_int_equal(p->m->content->write_inline(p->m, attr.ino, text, sizeof text, 0), 0);
}

static void place_new(struct place *p)
{
    memset(p, 0, sizeof *p);
    p->dir = test_dir_new();
    p->db = test_path(p->dir, "volume.db");
    assert_int_equal(meta_create(p->dir, key, 7, 8), 0);
    open_it(p);
    for (unsigned i = 0; i < FILES; i++)
        put_file(p, i);
}

static void place_free(struct place *p)
{
    close_it(p);
    test_dir_free(p->dir);
    free(p->db);
}

static int64_t ask(struct place *p, const char *sql)
{
    struct sql_conn *c;
    sqlite3_stmt *st;
    int64_t n;

    assert_int_equal(sql_read_begin(p->m, &c), 0);
    assert_int_equal(sql_one(c, sql, &st, ""), 1);
    n = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    sql_read_end(p->m, c);
    return n;
}

static void say(void *arg, const char *text)
{
    (void)arg;
    print_message("  %s\n", text);
}

static void damage(const char *path, uint32_t pgno)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    char zeros[64] = {0};

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, zeros, sizeof zeros, (off_t)(pgno - 1) * 4096 + 50), sizeof zeros);
    close(fd);
}

static uint32_t pages_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return (uint32_t)(st.st_size / 4096);
}

/* Nothing is found wrong, every name leads to its node, and at least so many files are there with their content. */
static void is_sound(struct place *p, int64_t least)
{
    const struct meta_watch watch = {.found = say};
    uint64_t problems = 9, repaired;
    int64_t files;

    open_it(p);
    assert_int_equal(meta_check(p->m, false, &watch, &problems, &repaired), 0);
    assert_int_equal(problems, 0);
    files = ask(p, "SELECT count(*) FROM edge e JOIN node n ON n.ino = e.ino JOIN inline i ON i.ino"
                   " = n.ino WHERE length(i.data) = n.size");
    if (files < least)
        fail_msg("%lld files, not %lld", (long long)files, (long long)least);
    assert_int_equal(ask(p, "SELECT count(*) FROM inline WHERE data <> CAST(replace(hex(zeroblob("
                            "300)), '0', substr(data, 1, 1)) AS BLOB)"),
                     0);
    put_file(p, 100000); /* and it can be written */
    close_it(p);
}

static void salvage(struct place *p)
{
    int r = meta_salvage(p->dir, key, say, NULL);

    if (r < 0)
        fail_msg("%s", pc_err_text(r));
}

static void a_sound_database_comes_through_whole(void **state)
{
    struct place p;
    int64_t id_end;

    (void)state;
    place_new(&p);
    assert_int_equal(p.m->object->bucket_create(p.m, "bucket", ""), 0);
    assert_int_equal(p.m->object->setting_set(p.m, "bucket", PC_SETTING_POLICY, key, 32), 0);
    id_end = ask(&p, "SELECT value FROM setting WHERE key = 'id_end'");
    assert_int_equal(meta_salvage(p.dir, key, say, NULL), PC_ERUNNING);
    close_it(&p);
    salvage(&p);
    open_it(&p);
    assert_true(ask(&p, "SELECT value FROM setting WHERE key = 'id_end'") >= id_end);
    assert_int_equal(ask(&p, "SELECT uid FROM node WHERE ino = 1"), 7);
    assert_int_equal(ask(&p, "SELECT settings FROM bucket"), 1 << PC_SETTING_POLICY);
    assert_int_equal(ask(&p, "SELECT length(data) FROM bucket_setting"), 32);
    close_it(&p);
    is_sound(&p, FILES);
    place_free(&p);
}

static void put_version(struct place *p, const char *name)
{
    static char text[600];
    struct meta_key k = {.bucket = "kept", .key = name, .len = strlen(name)};
    struct meta_new content = {.size = sizeof text, .inline_data = text};
    unsigned bad;

    memset(text, 'v', sizeof text);
    assert_int_equal(p->m->object->put(p->m, &k, &content, "e", NULL, NULL, NULL, &bad), 0);
}

static void past_versions_come_through(void **state)
{
    struct pc_delete gone = {.key = "k7", .len = 2};
    struct place p;
    uint32_t root;
    char name[64];

    (void)state;
    place_new(&p);
    assert_int_equal(p.m->object->bucket_create(p.m, "kept", ""), 0);
    assert_int_equal(p.m->object->versioning_set(p.m, "kept", PC_VERSIONING_ON), 0);
    for (unsigned i = 0; i < 600; i++) {
        snprintf(name, sizeof name, "k%u", i % 200);
        put_version(&p, name);
    }
    assert_int_equal(p.m->object->del(p.m, "kept", &gone, 1, NULL, NULL), 0);
    root = (uint32_t)ask(&p, "SELECT rootpage FROM sqlite_schema WHERE name = 'past'");
    close_it(&p);
    salvage(&p);
    open_it(&p);
    assert_int_equal(ask(&p, "SELECT count(*) FROM past"), 402);
    assert_int_equal(ask(&p, "SELECT count(*) FROM past WHERE ino = 0"), 1);
    close_it(&p);
    damage(p.db, root);
    salvage(&p);
    open_it(&p);
    assert_true(ask(&p, "SELECT count(*) FROM past") >= 402 - 20);
    close_it(&p);
    is_sound(&p, FILES);
    place_free(&p);
}

static void the_first_page_is_not_needed(void **state)
{
    struct meta *m;
    struct place p;

    (void)state;
    place_new(&p);
    close_it(&p);
    damage(p.db, 1);
    {
        const struct meta_options o = {.dir = p.dir, .page_key = key, .program = "test"};

        assert_int_equal(meta_open(&o, &m), PC_ECORRUPT);
    }
    salvage(&p);
    is_sound(&p, FILES);
    place_free(&p);
}

static void roots_are_not_needed(void **state)
{
    static const char *const tables[] = {"edge", "node", "inline"};
    uint32_t roots[3];
    struct place p;

    (void)state;
    place_new(&p);
    for (int i = 0; i < 3; i++) {
        char sql[100];

        snprintf(sql, sizeof sql, "SELECT rootpage FROM sqlite_schema WHERE name = '%s'",
                 tables[i]);
        roots[i] = (uint32_t)ask(&p, sql);
    }
    close_it(&p);
    for (int i = 0; i < 3; i++)
        damage(p.db, roots[i]);
    salvage(&p);
    is_sound(&p, FILES - 8); /* the root of a tree without rowids holds rows, too */
    place_free(&p);
}

static void any_page_may_be_lost(void **state)
{
    struct place p;
    uint8_t *data;
    uint32_t pages;
    size_t len;

    (void)state;
    place_new(&p);
    close_it(&p);
    data = test_file_read(p.db, &len);
    pages = pages_of(p.db);
    for (uint32_t pgno = 1; pgno <= pages; pgno += pgno < 40 ? 3 : 41) {
        damage(p.db, pgno);
        salvage(&p);
        is_sound(&p, FILES - 120);
        assert_int_equal(test_file_write(p.db, data, len), 0);
    }
    free(data);
    place_free(&p);
}

static void what_lies_in_the_log_is_taken(void **state)
{
    struct place p;
    char *log;
    uint8_t *data, *db;
    size_t len, db_len;

    (void)state;
    place_new(&p);
    assert_int_equal(meta_sync(p.m), 0);
    log = test_path(p.dir, "volume.db-wal");
    data = test_file_read(log, &len);
    db = test_file_read(p.db, &db_len);
    assert_true(len > 100 * 4120);
    close_it(&p);
    /* as a crash leaves it, with a hole in the middle of the log */
    memset(data + len / 2, 0, 4000);
    assert_int_equal(test_file_write(log, data, len), 0);
    assert_int_equal(test_file_write(p.db, db, db_len), 0);
    salvage(&p);
    is_sound(&p, FILES - 2 * PAGE_FILES); /* the hole reaches two frames, of whatever pages */
    free(data);
    free(db);
    free(log);
    place_free(&p);
}

static void another_key_salvages_nothing(void **state)
{
    static const uint8_t other[32] = {5};
    struct place p;

    (void)state;
    place_new(&p);
    close_it(&p);
    assert_int_equal(meta_salvage(p.dir, other, say, NULL), PC_EPASSPHRASE);
    is_sound(&p, FILES);
    place_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_database_comes_through_whole),
        cmocka_unit_test(past_versions_come_through),
        cmocka_unit_test(the_first_page_is_not_needed),
        cmocka_unit_test(roots_are_not_needed),
        cmocka_unit_test(any_page_may_be_lost),
        cmocka_unit_test(what_lies_in_the_log_is_taken),
        cmocka_unit_test(another_key_salvages_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
