/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed pages: nothing in clear on disk, nothing forged or moved taken for real, a torn log taken for its end. */
#include "meta/seal/file.h"
#include "meta/seal/vfs.h"

#include "meta/engine.h"
#include "pcloud/err.h"
#include "test_env.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NEEDLE "the needle that must not be found"

static const uint8_t key[32] = {1, 2, 3}, other_key[32] = {9};

/* One home for one test. */
struct place {
    char *dir, *db, *log;
    struct seal_vfs *vfs;
    struct sql_conn c;
};

static void place_new(struct place *p)
{
    memset(p, 0, sizeof *p);
    p->dir = test_dir_new();
    p->db = test_path(p->dir, "volume.db");
    p->log = test_path(p->dir, "volume.db-wal");
    assert_int_equal(seal_vfs_new(key, NULL, &p->vfs), 0);
}

static void place_free(struct place *p)
{
    conn_close(&p->c);
    seal_vfs_free(p->vfs);
    test_dir_free(p->dir);
    free(p->db);
    free(p->log);
}

static void run(struct sql_conn *c, const char *sql)
{
    char *err = NULL;

    if (sqlite3_exec(c->db, sql, NULL, NULL, &err) != SQLITE_OK)
        fail_msg("%s: %s", sql, err);
}

/* The one number that the query gives, or a negative code. */
static int64_t ask(struct sql_conn *c, const char *sql)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(c->db, sql, -1, &st, NULL);
    int64_t r = rc == SQLITE_OK ? 0 : sql_code(rc);

    if (r == 0) {
        int n = sql_step(st);

        r = n < 0 ? n : sqlite3_column_int64(st, 0);
    }
    sqlite3_finalize(st);
    return r;
}

static const char fill_sql[] =
    "CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB);"
    "CREATE INDEX tb ON t(b);"
    "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
    " INSERT INTO t SELECT i, '" NEEDLE "' || i || hex(zeroblob(300)) FROM n;"
    "INSERT INTO t VALUES(1000, '" NEEDLE "' || hex(zeroblob(20000)));";

/* In a child that dies without closing: what is left is the database as it was and the log. */
static void crash_after(struct place *p, const char *sql, const char *more)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        struct sql_conn c;
        int r = access(p->db, F_OK) == 0 ? conn_open(p->vfs, p->db, &c)
                                         : conn_create(p->vfs, p->db, &c);

        if (r < 0 || sqlite3_exec(c.db, sql, NULL, NULL, NULL) != SQLITE_OK ||
            (more && sqlite3_exec(c.db, more, NULL, NULL, NULL) != SQLITE_OK))
            _exit(1);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void flip(const char *path, off_t off)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t b;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &b, 1, off), 1);
    b ^= 0x10;
    assert_int_equal(pwrite(fd, &b, 1, off), 1);
    close(fd);
}

static off_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_size : -1;
}

static void a_page_opens_as_it_was_and_only_there(void **state)
{
    static const int places[] = {0,    1,    2031, SEAL_CONTENT - 1, SEAL_CONTENT, 4075, 4076,
                                 4091, 4092, 4095};
    uint8_t plain[SEAL_PAGE] = {0}, sealed[SEAL_PAGE], out[SEAL_PAGE], nonce[12] = {7};
    struct place p;
    struct aead *a;

    (void)state;
    place_new(&p);
    assert_int_equal(seal_vfs_aead(p.vfs, &a), 0);
    memcpy(plain, NEEDLE, sizeof NEEDLE);
    plain[SEAL_CONTENT - 1] = 5;
    assert_int_equal(seal_page(a, 7, nonce, plain, sealed), 0);
    assert_null(memmem(sealed, sizeof sealed, NEEDLE, 8));
    assert_int_equal(seal_page_open(a, 7, sealed, out), 0);
    assert_memory_equal(out, plain, sizeof out);
    assert_int_equal(seal_page_open(a, 8, sealed, out), PC_ECORRUPT);
    assert_true(seal_is_zero(out, sizeof out));
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        sealed[places[i]] ^= 1;
        assert_int_equal(seal_page_open(a, 7, sealed, out), PC_ECORRUPT);
        sealed[places[i]] ^= 1;
    }
    plain[SEAL_PAGE - 1] = 1;
    assert_int_equal(seal_page(a, 7, nonce, plain, sealed), -EINVAL);
    aead_free(a);
    place_free(&p);
}

static void a_frame_is_bound_to_its_place_and_header(void **state)
{
    uint8_t plain[SEAL_FRAME] = {0, 0, 0, 9}, sealed[SEAL_FRAME], out[SEAL_FRAME], nonce[12] = {7};
    struct place p;
    struct aead *a;

    (void)state;
    place_new(&p);
    assert_int_equal(seal_vfs_aead(p.vfs, &a), 0);
    memcpy(plain + SEAL_FRAME_HEADER, NEEDLE, sizeof NEEDLE);
    memcpy(plain + SEAL_FRAME_PLAIN, "checksum", 8);
    assert_int_equal(seal_frame(a, 3, nonce, plain, sealed), 0);
    assert_null(memmem(sealed, sizeof sealed, NEEDLE, 8));
    assert_null(memmem(sealed, sizeof sealed, "checksum", 8));
    assert_int_equal(seal_frame_open(a, 3, sealed, out), 0);
    assert_memory_equal(out, plain, sizeof out);
    assert_int_equal(seal_frame_open(a, 4, sealed, out), PC_ECORRUPT);
    for (int i = 0; i < SEAL_FRAME; i += i < 40 ? 1 : 509) {
        sealed[i] ^= 0x80;
        assert_int_equal(seal_frame_open(a, 3, sealed, out), PC_ECORRUPT);
        sealed[i] ^= 0x80;
    }
    aead_free(a);
    place_free(&p);
}

static void a_page_and_a_frame_are_not_exchanged(void **state)
{
    uint8_t plain[SEAL_FRAME] = {0}, frame[SEAL_FRAME], page[SEAL_PAGE], out[SEAL_FRAME];
    uint8_t nonce[12] = {7};
    struct place p;
    struct aead *a;

    (void)state;
    place_new(&p);
    assert_int_equal(seal_vfs_aead(p.vfs, &a), 0);
    assert_int_equal(seal_page(a, 1, nonce, plain, page), 0);
    memset(frame, 0, sizeof frame);
    memcpy(frame + SEAL_FRAME_HEADER, page, sizeof page);
    assert_int_equal(seal_frame_open(a, 1, frame, out), PC_ECORRUPT);
    assert_int_equal(seal_frame(a, 1, nonce, plain, frame), 0);
    assert_int_equal(seal_page_open(a, 1, frame + SEAL_FRAME_HEADER, out), PC_ECORRUPT);
    aead_free(a);
    place_free(&p);
}

static void nothing_is_in_clear(void **state)
{
    static const char *const words[] = {NEEDLE, "CREATE", "SQLite format", "sqlite"};
    struct place p;

    (void)state;
    place_new(&p);
    assert_int_equal(conn_create(p.vfs, p.db, &p.c), 0);
    run(&p.c, fill_sql);
    for (int stage = 0; stage < 4; stage++) {
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            assert_false(test_tree_contains(p.dir, words[i], strlen(words[i])));
        if (stage == 0)
            run(&p.c, "PRAGMA wal_checkpoint(FULL); UPDATE t SET b = b || 'x'");
        if (stage == 1) { /* big sorts and savepoints keep to memory */
            run(&p.c, "BEGIN; SAVEPOINT s; UPDATE t SET b = b || 'y'; ROLLBACK TO s; COMMIT");
            run(&p.c, "SELECT * FROM t ORDER BY b || a");
        }
        if (stage == 2)
            run(&p.c, "DELETE FROM t; VACUUM");
    }
    conn_close(&p.c);
    crash_after(&p, "INSERT INTO t VALUES(5000, '" NEEDLE "')", NULL);
    assert_true(size_of(p.log) > 0);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_false(test_tree_contains(p.dir, words[i], strlen(words[i])));
    /* and the search can find */
    assert_int_equal(conn_open(p.vfs, p.db, &p.c), 0);
    assert_int_equal(ask(&p.c, "SELECT b = '" NEEDLE "' FROM t WHERE a = 5000"), 1);
    place_free(&p);
}

static void only_the_key_opens_and_another_harms_nothing(void **state)
{
    struct seal_vfs *wrong;
    struct sql_conn c;
    struct place p;
    off_t log_size;

    (void)state;
    place_new(&p);
    crash_after(&p, fill_sql, NULL);
    log_size = size_of(p.log);
    assert_true(log_size > 0);
    assert_int_equal(seal_vfs_new(other_key, NULL, &wrong), 0);
    assert_int_equal(conn_open(wrong, p.db, &c), PC_EPASSPHRASE);
    assert_int_equal(size_of(p.log), log_size);
    seal_vfs_free(wrong);
    assert_int_equal(conn_open(p.vfs, p.db, &p.c), 0);
    assert_int_equal(ask(&p.c, "SELECT count(*) FROM t"), 301);
    place_free(&p);
}

static void damaged_and_swapped_pages_are_refused(void **state)
{
    static const off_t places[] = {0, 100, 4063, 4064, 4080, 4095};
    struct place p;
    uint8_t *data;
    size_t len;

    (void)state;
    place_new(&p);
    assert_int_equal(conn_create(p.vfs, p.db, &p.c), 0);
    run(&p.c, fill_sql);
    conn_close(&p.c);
    assert_int_equal(size_of(p.log), -1);
    data = test_file_read(p.db, &len);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        flip(p.db, 2 * SEAL_PAGE + places[i]); /* the root of the index */
        assert_int_equal(conn_open(p.vfs, p.db, &p.c), 0);
        assert_int_equal(ask(&p.c, "SELECT count(b) FROM t INDEXED BY tb"), PC_ECORRUPT);
        conn_close(&p.c);
        flip(p.db, 2 * SEAL_PAGE + places[i]);
    }
    /* page 2 where 3 was */
    memcpy(data + 2 * SEAL_PAGE, data + SEAL_PAGE, SEAL_PAGE);
    assert_int_equal(test_file_write(p.db, data, len), 0);
    assert_int_equal(conn_open(p.vfs, p.db, &p.c), 0);
    assert_int_equal(ask(&p.c, "SELECT count(b) FROM t INDEXED BY tb"), PC_ECORRUPT);
    conn_close(&p.c);
    /* page 1 damaged: not a wrong key; a page of zeros, and a file cut short: not empty content */
    flip(p.db, 7);
    assert_int_equal(conn_open(p.vfs, p.db, &p.c), PC_ECORRUPT);
    flip(p.db, 7);
    memset(data + 2 * SEAL_PAGE, 0, SEAL_PAGE);
    assert_int_equal(test_file_write(p.db, data, len), 0);
    assert_int_equal(conn_open(p.vfs, p.db, &p.c), 0);
    assert_int_equal(ask(&p.c, "SELECT count(b) FROM t INDEXED BY tb"), PC_ECORRUPT);
    conn_close(&p.c);
    assert_int_equal(truncate(p.db, (off_t)len - SEAL_PAGE), 0);
    assert_int_equal(conn_open(p.vfs, p.db, &p.c), PC_ECORRUPT);
    assert_int_equal(test_file_write(p.db, data, 100), 0);
    assert_int_equal(conn_open(p.vfs, p.db, &p.c), PC_ECORRUPT);
    free(data);
    place_free(&p);
}

static void sum_is(struct place *p, int64_t sum)
{
    assert_int_equal(conn_open(p->vfs, p->db, &p->c), 0);
    assert_int_equal(ask(&p->c, "SELECT sum(a) FROM t"), sum);
    conn_close(&p->c);
}

static void a_torn_log_ends_before_the_tear(void **state)
{
    struct place p;
    off_t first, all;
    uint8_t *data, *db;
    size_t len, db_len;

    (void)state;
    place_new(&p);
    crash_after(&p, "CREATE TABLE t(a INTEGER PRIMARY KEY, b)", NULL);
    first = size_of(p.log);
    crash_after(&p, "INSERT INTO t VALUES(1, 'one')", "INSERT INTO t VALUES(2, 'two')");
    all = size_of(p.log);
    assert_int_equal(all - first, 2 * SEAL_FRAME);
    data = test_file_read(p.log, &len);
    db = test_file_read(p.db, &db_len);
    /* in the last frame: a bit of each kind, and a short write up to there */
    for (off_t at = all - SEAL_FRAME; at < all; at += at < all - SEAL_PAGE ? 1 : 333) {
        assert_int_equal(test_file_write(p.db, db, db_len), 0);
        assert_int_equal(test_file_write(p.log, data, len), 0);
        flip(p.log, at);
        sum_is(&p, 1);
        assert_int_equal(test_file_write(p.log, data, (size_t)at), 0);
        sum_is(&p, 1);
    }
    assert_int_equal(test_file_write(p.db, db, db_len), 0);
    assert_int_equal(test_file_write(p.log, data, len), 0);
    sum_is(&p, 3);
    free(db);
    free(data);
    place_free(&p);
}

static void page_one_torn_by_a_checkpoint_comes_from_the_log(void **state)
{
    struct place p;

    (void)state;
    place_new(&p);
    assert_int_equal(conn_create(p.vfs, p.db, &p.c), 0);
    run(&p.c, "CREATE TABLE t(a)");
    conn_close(&p.c);
    crash_after(&p, "CREATE TABLE u(a); INSERT INTO u VALUES(4)", NULL);
    flip(p.db, 99);
    assert_int_equal(conn_open(p.vfs, p.db, &p.c), 0);
    assert_int_equal(ask(&p.c, "SELECT a FROM u"), 4);
    place_free(&p);
}

static void a_journal_that_lies_there_is_never_read_or_written(void **state)
{
    struct place p;
    char *journal;

    (void)state;
    place_new(&p);
    assert_int_equal(conn_create(p.vfs, p.db, &p.c), 0);
    run(&p.c, "CREATE TABLE t(a); INSERT INTO t VALUES(3)");
    assert_int_not_equal(
        sqlite3_exec(p.c.db, "ATTACH '' AS x; CREATE TABLE x.y(z)", NULL, NULL, NULL),
        SQLITE_CORRUPT);
    conn_close(&p.c);
    journal = test_path(p.dir, "volume.db-journal");
    assert_int_equal(test_file_write(journal, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8), 0);
    assert_int_equal(conn_open(p.vfs, p.db, &p.c), 0);
    assert_int_equal(ask(&p.c, "SELECT a FROM t"), 3);
    sqlite3_exec(p.c.db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    run(&p.c, "INSERT INTO t VALUES(4)");
    assert_int_equal(size_of(journal), 8);
    assert_true(size_of(p.log) > 0);
    free(journal);
    place_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_opens_as_it_was_and_only_there),
        cmocka_unit_test(a_frame_is_bound_to_its_place_and_header),
        cmocka_unit_test(a_page_and_a_frame_are_not_exchanged),
        cmocka_unit_test(nothing_is_in_clear),
        cmocka_unit_test(only_the_key_opens_and_another_harms_nothing),
        cmocka_unit_test(damaged_and_swapped_pages_are_refused),
        cmocka_unit_test(a_torn_log_ends_before_the_tear),
        cmocka_unit_test(page_one_torn_by_a_checkpoint_comes_from_the_log),
        cmocka_unit_test(a_journal_that_lies_there_is_never_read_or_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
