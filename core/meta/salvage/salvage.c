/* SPDX-License-Identifier: Apache-2.0 */
/* A new database out of what still opens of a damaged one. */
#include "meta/engine.h"

#include "base/alloc.h"
#include "meta/salvage/rows.h"
#include "meta/schema.h"
#include "pcloud/err.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH_ROWS 20000
#define ENTRIES 64
#define ASIDE_TRIES 1000

/* An entry of the old schema. */
struct entry {
    char name[64];
    uint32_t root;
};

struct salvage {
    const char *dir;
    char *path, *log, *made, *aside,
        *aside_log; /* the database, its log, the new one, where the old goes */
    void (*found)(void *arg, const char *text);
    void *arg;
    struct seal_vfs *vfs;
    struct image image;
    struct sql_conn c; /* the new one */
    struct rows_table tables[ROWS_TABLES], *current;
    unsigned tables_n, batch;
    struct entry entries[ENTRIES];
    unsigned entries_n;
    bool branches_lost;
};

static void __attribute__((format(printf, 2, 3))) report(struct salvage *s, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (s->found)
        s->found(s->arg, text);
}

/* What the old schema says, as far as it can be read; the same code makes the same tables at the same places, so the new one knows the rest. */

static void entry_add(struct salvage *s, const char *name, size_t len, uint32_t root)
{
    struct entry *e = &s->entries[s->entries_n];

    for (unsigned i = 0; i < s->entries_n; i++)
        if (strlen(s->entries[i].name) == len && memcmp(s->entries[i].name, name, len) == 0)
            return;
    if (s->entries_n == ENTRIES || len >= sizeof e->name || root < 2)
        return;
    memcpy(e->name, name, len);
    e->name[len] = '\0';
    e->root = root;
    s->entries_n++;
}

static int schema_row(void *arg, const struct tree_row *row)
{
    const struct tree_value *v = row->v;

    if (row->n >= 4 && v[1].type == TREE_TEXT && v[3].type == TREE_INT && v[3].i > 1 &&
        v[3].i < UINT32_MAX)
        entry_add(arg, (const char *)v[1].p, v[1].len, (uint32_t)v[3].i);
    return 0;
}

static int schema_read(struct salvage *s)
{
    struct tree t = {.im = &s->image, .row = schema_row, .arg = s};
    sqlite3_stmt *st;
    int r = tree_walk(&t, 1, TREE_ROWS);

    if (r == 0 && (t.lost_pages || t.lost_cells))
        report(s, "the list of tables is damaged; taken from this version of pcloud");
    if (r == 0)
        r = sql_stmt(&s->c, "SELECT name, rootpage FROM sqlite_schema", &st);
    while (r == 0 && (r = sql_step(st)) > 0) {
        entry_add(s, (const char *)sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0),
                  (uint32_t)sqlite3_column_int64(st, 1));
        r = 0;
    }
    return r;
}

static uint32_t root_of(const struct salvage *s, const char *name)
{
    for (unsigned i = 0; i < s->entries_n; i++)
        if (strcmp(s->entries[i].name, name) == 0)
            return s->entries[i].root;
    return 0;
}

static int table_add(struct salvage *s, const char *name, const char *sql)
{
    struct rows_table *t = &s->tables[s->tables_n];
    int r = s->tables_n < ROWS_TABLES ? rows_open(s->c.db, name, sql, t) : PC_ELIMIT;

    if (r < 0)
        return r;
    t->root = root_of(s, name);
    s->tables_n++;
    return 0;
}

/* Rows. */

static int batch_next(struct salvage *s)
{
    if (++s->batch % BATCH_ROWS != 0)
        return 0;
    return conn_exec(&s->c, "COMMIT; PRAGMA wal_checkpoint(PASSIVE); BEGIN IMMEDIATE");
}

static int table_row(void *arg, const struct tree_row *row)
{
    struct salvage *s = arg;
    int r = rows_insert(s->current, row);

    return r < 0 ? r : batch_next(s);
}

static int tables_walk(struct salvage *s)
{
    for (unsigned i = 0; i < s->tables_n; i++) {
        struct tree t = {.im = &s->image, .row = table_row, .arg = s};
        int r;

        s->current = &s->tables[i];
        r = tree_walk(&t, s->current->root, s->current->kind);
        if (r < 0)
            return r;
        if (t.lost_pages || t.lost_cells)
            report(s, "table %s: %llu pages and %llu rows cannot be read, %llu rows can",
                   s->current->name, (unsigned long long)t.lost_pages,
                   (unsigned long long)t.lost_cells, (unsigned long long)t.rows);
        s->branches_lost = s->branches_lost || t.branches_lost;
    }
    return 0;
}

/* Pages that no tree leads to any more, because what led there is lost. */

static int is_link(struct salvage *s, int64_t ino)
{
    sqlite3_stmt *st;
    int r = sql_one(&s->c, "SELECT (mode & 61440) = 40960 FROM node WHERE ino = ?", &st, "i", ino);

    if (r <= 0)
        return r;
    r = sqlite3_column_int(st, 0);
    sqlite3_reset(st);
    return r;
}

/* The row is of the current table, and of no other by its looks; the two that look alike are told apart by the node. */
static int lost_row(void *arg, const struct tree_row *row)
{
    struct salvage *s = arg;
    bool link_table = strcmp(s->current->name, "symlink") == 0;
    int link;

    if (!rows_fits(s->current, s->current->kind, row))
        return 0;
    if (link_table || strcmp(s->current->name, "inline") == 0) {
        link = is_link(s, row->rowid);
        if (link < 0)
            return link;
        if ((link != 0) != link_table)
            return 0;
    }
    return table_row(s, row);
}

/* One table after the other, nodes first: what belongs to which may depend on them. */
static int lost_pages_read(struct salvage *s)
{
    for (unsigned i = 0; i < s->entries_n; i++)
        tree_mark(&s->image, s->entries[i].root);
    tree_mark_free(&s->image);
    for (unsigned i = 0; i < s->tables_n; i++) {
        struct tree t = {.im = &s->image, .row = lost_row, .arg = s};
        uint64_t before = s->tables[i].inserted;
        int r = 0;

        s->current = &s->tables[i];
        for (uint32_t p = 2; r == 0 && p <= s->image.pages; p++)
            if (!image_is_marked(&s->image, p))
                r = tree_leaf(&t, p, s->current->kind);
        if (r < 0)
            return r;
        if (s->current->inserted > before)
            report(s, "table %s: %llu rows found in pages that nothing led to", s->current->name,
                   (unsigned long long)(s->current->inserted - before));
    }
    return 0;
}

/* Numbers must not be given again. */
static int counters_mend(struct salvage *s)
{
    static const char sql[] =
        "UPDATE setting SET value = max(value, (SELECT 1000001 + max(coalesce((SELECT max(ino) FROM"
        " node), 0), coalesce((SELECT max(bid) FROM block), 0), coalesce((SELECT max(id) FROM"
        " pack), 0)))) WHERE key = 'id_end';"
        "UPDATE setting SET value = max(value, (SELECT 1 + max(coalesce((SELECT max(zseq) FROM"
        " block), 0), coalesce((SELECT max(seq) FROM pack), 0), coalesce((SELECT max(seq) FROM"
        " orphan), 0)))) WHERE key = 'change';"
        "UPDATE setting SET value = max(value, (SELECT coalesce(max(session), 0) FROM pack))"
        " WHERE key = 'session'";

    return conn_exec(&s->c, sql);
}

static int fill(struct salvage *s)
{
    int r = schema_read(s);

    if (r == 0)
        r = table_add(s, "setting",
                      "INSERT INTO setting VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value ="
                      " excluded.value WHERE key <> 'format' AND typeof(excluded.value) ="
                      " 'integer' AND excluded.value > value");
    for (unsigned i = 0; r == 0 && schema_tables[i]; i++)
        r = table_add(s, schema_tables[i], NULL);
    if (r == 0)
        r = conn_exec(&s->c, "DELETE FROM node; BEGIN IMMEDIATE");
    if (r == 0)
        r = tables_walk(s);
    if (r == 0 && (s->branches_lost || s->image.log_holes))
        r = lost_pages_read(s);
    if (r == 0)
        r = counters_mend(s);
    for (unsigned i = 0; i < s->tables_n; i++)
        rows_close(&s->tables[i]);
    if (r == 0)
        r = conn_exec(&s->c, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
    return r;
}

/* The old database goes aside under one name, its log before: beside the new one it would be taken for that one's. */
static int swap(struct salvage *s)
{
    char *shm = mem_printf("%s-shm", s->path);
    int fd, r = 0;

    if (!shm)
        return -ENOMEM;
    fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || link(s->path, s->aside) < 0 ||
        (rename(s->log, s->aside_log) < 0 && errno != ENOENT) ||
        (unlink(shm) < 0 && errno != ENOENT) || fsync(fd) < 0 || rename(s->made, s->path) < 0 ||
        fsync(fd) < 0)
        r = pc_err_wrap(-errno, "%s: ", s->path);
    if (fd >= 0)
        close(fd);
    mem_free(shm);
    return r;
}

/* A name for the old database that is free. */
static int aside_make(struct salvage *s)
{
    char stamp[32];
    time_t now = time(NULL);
    struct tm tm;

    if (!gmtime_r(&now, &tm) || strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm) == 0)
        return -EINVAL;
    for (unsigned i = 0; i < ASIDE_TRIES; i++) {
        mem_free(s->aside);
        mem_free(s->aside_log);
        s->aside = mem_printf("%s/" ENGINE_DB ".damaged-%s.%u", s->dir, stamp, i);
        s->aside_log = mem_printf("%s/" ENGINE_DB ".damaged-%s.%u-wal", s->dir, stamp, i);
        if (!s->aside || !s->aside_log)
            return -ENOMEM;
        if (access(s->aside, F_OK) < 0 && access(s->aside_log, F_OK) < 0)
            return 0;
    }
    return -EEXIST;
}

static int paths_make(struct salvage *s)
{
    s->path = mem_printf("%s/" ENGINE_DB, s->dir);
    s->log = mem_printf("%s/" ENGINE_DB "-wal", s->dir);
    s->made = mem_printf("%s/" ENGINE_DB_NEW, s->dir);
    return s->path && s->log && s->made ? 0 : -ENOMEM;
}

static int rebuild(struct salvage *s, const uint8_t page_key[32])
{
    struct aead *aead;
    int r = seal_vfs_new(page_key, NULL, &s->vfs);

    if (r == 0)
        r = seal_probe(s->vfs, s->path);
    if (r < 0)
        goto free_vfs;
    r = seal_vfs_aead(s->vfs, &aead);
    if (r < 0)
        goto free_vfs;
    r = image_open(s->path, s->log, aead, &s->image);
    if (r < 0)
        goto free_aead;
    r = engine_create(s->vfs, s->made, page_key, 0, 0, &s->c);
    if (r == 0) {
        r = fill(s);
        conn_close(&s->c);
    }
    image_close(&s->image);
free_aead:
    aead_free(aead);
free_vfs:
    seal_vfs_free(s->vfs);
    return r;
}

/* Every invariant, on the new database. */
static int mend(struct salvage *s, const uint8_t page_key[32])
{
    const struct meta_options o = {.dir = s->dir, .page_key = page_key, .program = "salvage"};
    const struct meta_watch watch = {.found = s->found, .arg = s->arg};
    uint64_t problems, repaired;
    struct meta *m;
    int r = meta_open(&o, &m), r2;

    if (r < 0)
        return r;
    r = meta_check(m, true, &watch, &problems, &repaired);
    r2 = meta_close(m);
    return r < 0 ? r : r2;
}

static int salvage_locked(struct salvage *s, const uint8_t page_key[32], struct lease *lease)
{
    int r = lease_alone(lease);

    if (r == 0)
        r = pc_err_set(PC_ERUNNING, "the volume is open; stop every part of pcloud (pcloud down)");
    if (r < 0)
        return r;
    r = aside_make(s);
    if (r == 0)
        r = rebuild(s, page_key);
    if (r == 0)
        r = swap(s);
    if (r < 0) {
        unlink(s->made);
        return r;
    }
    report(s, "the damaged database is kept as %s", s->aside);
    return 0;
}

int meta_salvage(const char *dir, const uint8_t page_key[32],
                 void (*found)(void *arg, const char *text), void *arg)
{
    struct salvage *s = mem_calloc(1, sizeof *s);
    char *lock = mem_printf("%s/lease", dir);
    struct lease lease = {.fd = -1};
    int r = -ENOMEM;

    if (!s || !lock)
        goto free_all;
    s->dir = dir;
    s->found = found;
    s->arg = arg;
    r = paths_make(s);
    if (r == 0 && access(s->path, F_OK) < 0)
        r = pc_err_set(PC_ENOHOME, "there is no metadata database in %s", dir);
    if (r == 0)
        r = lease_open(lock, &lease);
    if (r == 0)
        r = lease_setup(&lease);
    if (r == 0)
        r = salvage_locked(s, page_key, &lease);
    lease_close(&lease);
    if (r == 0)
        r = mend(s, page_key);
free_all:
    if (s) {
        mem_free(s->aside_log);
        mem_free(s->aside);
        mem_free(s->made);
        mem_free(s->log);
        mem_free(s->path);
    }
    mem_free(s);
    mem_free(lock);
    return r;
}
