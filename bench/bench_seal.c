/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata engine beside its ceilings: sealed pages beside plain SQLite, operations beside bare rows, syncs beside fdatasync. */
#include "meta/meta.h"

#include "meta/engine.h"
#include "meta/node.h"
#include "meta/seal/page.h"
#include "pcloud/err.h"
#include "test_env.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t key[32] = {1};

static void must(int r, const char *what)
{
    if (r >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, pc_err_text(r));
    exit(1);
}

static double seconds(void)
{
    return (double)monotonic_ns() / 1e9;
}

static void line(const char *what, double n, double s, double ceiling)
{
    printf("%-44s %10.0f /s", what, n / s);
    if (ceiling > 0)
        printf("  %5.2f of its ceiling", n / s / ceiling);
    putchar('\n');
}

static void pages(void)
{
    static uint8_t plain[SEAL_PAGE], sealed[SEAL_PAGE], out[SEAL_PAGE];
    struct seal_nonces nonces = {.left = 0};
    struct seal_vfs *vfs;
    const uint8_t *nonce;
    struct aead *a;
    const int n = 200000;
    double t;

    must(seal_vfs_new(key, NULL, &vfs), "vfs");
    must(seal_vfs_aead(vfs, &a), "cipher");
    t = seconds();
    for (int i = 0; i < n; i++) {
        must(seal_nonce(&nonces, &nonce), "nonce");
        must(seal_page(a, (uint32_t)i + 1, nonce, plain, sealed), "seal");
    }
    line("pages sealed", n, seconds() - t, 0);
    must(seal_page(a, 1, nonce, plain, sealed), "seal");
    t = seconds();
    for (int i = 0; i < n; i++)
        must(seal_page_open(a, 1, sealed, out), "open");
    line("pages opened", n, seconds() - t, 0);
    aead_free(a);
    seal_vfs_free(vfs);
}

static void exec(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return;
    fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
    exit(1);
}

/* One row a transaction; returns their rate. */
static double rows(sqlite3 *db, int n)
{
    sqlite3_stmt *st;
    double t;

    exec(db, "CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)");
    if (sqlite3_prepare_v2(db, "INSERT INTO t VALUES(?, randomblob(100))", -1, &st, NULL) !=
        SQLITE_OK)
        exit(1);
    t = seconds();
    for (int i = 0; i < n; i++) {
        sqlite3_bind_int64(st, 1, (int64_t)i * 7919 % n);
        if (sqlite3_step(st) != SQLITE_DONE)
            exit(1);
        sqlite3_reset(st);
    }
    t = seconds() - t;
    sqlite3_finalize(st);
    return n / t;
}

static double scan(sqlite3 *db)
{
    double t = seconds();

    exec(db, "PRAGMA shrink_memory; SELECT sum(length(b)) FROM t");
    return 1 / (seconds() - t);
}

static void transactions(const char *dir, int n)
{
    char *plain_path = test_path(dir, "plain.db"), *path = test_path(dir, "sealed.db");
    double plain_rate, sealed_rate, plain_scan, sealed_scan;
    struct seal_vfs *vfs;
    struct sql_conn c;
    sqlite3 *db;

    must(seal_vfs_new(key, NULL, &vfs), "vfs");
    if (sqlite3_open(plain_path, &db) != SQLITE_OK)
        exit(1);
    exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384;"
             "PRAGMA secure_delete = OFF; PRAGMA wal_autocheckpoint = 0");
    plain_rate = rows(db, n);
    plain_scan = scan(db);
    sqlite3_close(db);
    must(conn_create(vfs, path, &c), "sealed database");
    sealed_rate = rows(c.db, n);
    sealed_scan = scan(c.db);
    conn_close(&c);
    seal_vfs_free(vfs);
    line("one-row transactions, plain SQLite", plain_rate, 1, 0);
    line("one-row transactions, sealed", sealed_rate, 1, plain_rate);
    line("scans without cache, plain SQLite", plain_scan, 1, 0);
    line("scans without cache, sealed", sealed_scan, 1, plain_scan);
    free(plain_path);
    free(path);
}

/* The smallest operation there is, and one that makes a file. */
static void operations(struct meta *m, int n)
{
    struct pc_make what = {.mode = S_IFREG | 0644};
    struct pc_attr attr;
    struct sql_conn *c;
    char name[32];
    double t = seconds();

    for (int i = 0; i < n; i++) {
        must(sql_write_begin(m, SQL_FREES, &c), "begin");
        must(sql_run(c, "UPDATE node SET atime = ? WHERE ino = 1", "i", (int64_t)i), "row");
        must(sql_write_end(m, c, 0), "end");
    }
    line("operations of one row", n, seconds() - t, 0);
    t = seconds();
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "file %d", i);
        must(m->node->make(m, PC_ROOT_INO, name, &what, &attr), "make");
    }
    line("files made", n, seconds() - t, 0);
    must(meta_sync(m), "sync");
    t = seconds();
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "file %d", (int)((int64_t)i * 7919 % n));
        must(m->node->lookup(m, PC_ROOT_INO, name, &attr), "lookup");
    }
    line("files found", n, seconds() - t, 0);
}

static void syncs(struct meta *m, const char *dir, int n)
{
    char *path = test_path(dir, "raw"), block[4120] = {0}, name[32];
    struct pc_make what = {.mode = S_IFREG | 0644};
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct pc_attr attr;
    double raw, t = seconds();

    for (int i = 0; i < n; i++)
        if (write(fd, block, sizeof block) < 0 || fdatasync(fd) < 0)
            exit(1);
    raw = n / (seconds() - t);
    close(fd);
    line("a frame written and synced", raw, 1, 0);
    t = seconds();
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "synced %d", i);
        must(m->node->make(m, PC_ROOT_INO, name, &what, &attr), "make");
        must(meta_sync(m), "sync");
    }
    line("files made and synced", n, seconds() - t, raw);
    free(path);
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 100000;
    char *dir = test_dir_new();
    const struct meta_options o = {.dir = dir, .page_key = key, .program = "bench"};
    struct meta *m;

    pages();
    transactions(dir, n / 5);
    must(meta_create(dir, key, 0, 0), "create");
    must(meta_open(&o, &m), "open");
    operations(m, n);
    syncs(m, dir, n / 500);
    must(meta_close(m), "close");
    test_dir_free(dir);
    return 0;
}
