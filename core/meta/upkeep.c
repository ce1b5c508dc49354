/* SPDX-License-Identifier: Apache-2.0 */
/* Figures, the count of damage, and the check of the whole. */
#include "meta/engine.h"

#include "meta/schema.h"
#include "pcloud/err.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t files_size(const char *dir)
{
    static const char *const names[] = {ENGINE_DB, ENGINE_DB "-wal"};
    uint64_t sum = 0;
    char path[4096];
    struct stat st;

    for (size_t i = 0; i < 2; i++)
        if (snprintf(path, sizeof path, "%s/%s", dir, names[i]) < (int)sizeof path &&
            stat(path, &st) == 0)
            sum += (uint64_t)st.st_size;
    return sum;
}

/* What the rows do not have yet that this view is of. */
static int64_t totals_pending(const struct engine *e, const struct sql_conn *c, int which)
{
    return c == &e->writer ? e->totals[which] : 0;
}

int meta_totals(struct meta *m, struct meta_totals *ret)
{
    struct engine *e = engine_of(m);
    uint64_t v[SQL_TOTALS] = {0};
    struct sql_conn *c;
    sqlite3_stmt *st;
    int r = sql_read_begin(m, &c);

    if (r < 0)
        return r;
    r = sql_stmt(c, "SELECT which, value FROM total", &st);
    while (r == 0 && (r = sql_step(st)) > 0) {
        int64_t which = sqlite3_column_int64(st, 0);

        if (which >= 0 && which < SQL_TOTALS)
            v[which] = (uint64_t)(sqlite3_column_int64(st, 1) + totals_pending(e, c, (int)which));
        r = 0;
    }
    sqlite3_reset(st);
    sql_read_end(m, c);
    if (r < 0)
        return r;
    *ret = (struct meta_totals){
        .files = v[SQL_FILES],
        .folders = v[SQL_FOLDERS],
        .objects = v[SQL_OBJECTS],
        .bytes = v[SQL_BYTES],
        .blocks = v[SQL_BLOCKS],
        .block_bytes = v[SQL_BLOCK_BYTES],
        .packs = v[SQL_PACKS],
        .meta_bytes = files_size(e->dir),
        .damaged = v[SQL_DAMAGED],
    };
    return 0;
}

int meta_count_damage(struct meta *m, uint64_t n)
{
    struct sql_conn *c;
    int r = sql_write_begin(m, SQL_FREES, &c);

    if (r < 0)
        return r;
    sql_total_add(m, SQL_DAMAGED, (int64_t)n);
    return sql_write_end(m, c, 0);
}

#define WARM_STEP ((off_t)16 << 20)
#define ASK_OPS 4000000 /* of SQLite's machine, between two questions whether to stop */

/* What is found is counted; where it goes. */
struct finding {
    const struct meta_watch *w;
    uint64_t count, done, total;
};

static void found(void *arg, const char *text)
{
    struct finding *f = arg;

    f->count++;
    if (f->w && f->w->found)
        f->w->found(f->w->arg, text);
}

static int step(void *arg, uint64_t done, uint64_t total)
{
    struct finding *f = arg;

    f->done = done;
    f->total = total;
    return f->w && f->w->step ? f->w->step(f->w->arg, done, total) : 0;
}

static int ask(void *arg)
{
    const struct finding *f = arg;

    return f->w && f->w->step ? f->w->step(f->w->arg, f->done, f->total) : 0;
}

int schema_view_begin(struct meta *m, const struct schema_watch *w, struct sql_conn **ret)
{
    struct sql_conn *c;
    int r = read_committed_begin(engine_of(m), &c);

    if (r < 0)
        return r;
    if (w->step)
        sqlite3_progress_handler(c->db, ASK_OPS, ask, w->arg);
    *ret = c;
    return 0;
}

void schema_view_end(struct meta *m, struct sql_conn *c)
{
    sqlite3_progress_handler(c->db, 0, NULL, NULL);
    sql_read_end(m, c);
}

/*
 * SQLite walks a table from its end to its beginning, a page at a time: what the kernel reads ahead is of no use to it, and from a cold disk that takes minutes. Ask
 * for the pages before, in their order. (The descriptor stays open: to close one would drop SQLite's locks on the file.)
 */
static void warm(struct engine *e)
{
    uint64_t ram = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    struct stat st;

    if (e->db_fd < 0)
        e->db_fd = open(e->path, O_RDONLY | O_CLOEXEC);
    if (e->db_fd < 0 || fstat(e->db_fd, &st) < 0 || (uint64_t)st.st_size > ram / 2)
        return;
    for (off_t at = 0; at < st.st_size; at += WARM_STEP)
        posix_fadvise(e->db_fd, at, WARM_STEP, POSIX_FADV_WILLNEED);
}

/* The lines of one run of SQLite's own check, of all or of one table. */
static int integrity_lines(struct meta *m, const struct schema_watch *w, const char *table)
{
    static const char of[] = "SELECT integrity_check FROM pragma_integrity_check(?1)";
    struct sql_conn *c;
    sqlite3_stmt *st;
    int r = schema_view_begin(m, w, &c);

    if (r < 0)
        return r;
    r = sql_stmt(c, table ? of : "PRAGMA integrity_check(1000)", &st);
    if (r == 0 && table)
        r = sql_bind(st, "t", table);
    while (r == 0 && (r = sql_step(st)) > 0) {
        const char *text = (const char *)sqlite3_column_text(st, 0);

        if (text && strcmp(text, "ok") != 0)
            found(w->arg, text);
        r = 0;
    }
    sqlite3_reset(st);
    schema_view_end(m, c);
    return r;
}

/* SQLite's own check; its lines are findings. A large database is checked table by table, each in a view of its own; pages that belong to none are left out then. */
static int integrity_check(struct engine *e, const struct schema_watch *w)
{
    static const char *const ground[] = {"setting", "total", "feed", NULL};
    const char *const *lists[] = {ground, schema_tables};
    uint64_t done = 0, total = 0;
    int r = 0;

    warm(e);
    if (files_size(e->dir) <= engine_tuning.whole_bytes)
        r = integrity_lines(&e->meta, w, NULL);
    else
        for (size_t l = 0; l < 2; l++)
            for (size_t i = 0; lists[l][i]; i++)
                total++;
    for (size_t l = 0; l < 2 && total > 0; l++)
        for (size_t i = 0; r == 0 && lists[l][i]; i++) {
            r = integrity_lines(&e->meta, w, lists[l][i]);
            if (r == 0 && w->step(w->arg, ++done, total) != 0)
                r = PC_ECANCELED;
        }
    if (r != PC_ECORRUPT)
        return r;
    found(w->arg,
          "the metadata database is damaged; pcloud fsck --repair reads what is left of it");
    return 0;
}

int meta_check(struct meta *m, bool repair, const struct meta_watch *watch, uint64_t *ret_problems,
               uint64_t *ret_repaired)
{
    struct engine *e = engine_of(m);
    struct finding f = {.w = watch};
    const struct schema_watch w = {repair ? NULL : found, step, &f}, all = {found, step, &f};
    uint64_t repaired = 0, problems = 0;
    struct sql_conn *c;
    int r = integrity_check(e, &all);

    if (r == 0 && f.count == 0)
        r = schema_look(m, &w, &problems);
    if (r == 0 && problems > 0 && repair) {
        problems = 0;
        r = write_alone_begin(e, &c);
        if (r == 0)
            r = sql_write_end(m, c, schema_repair(m, c, &all, &problems, &repaired));
    }
    if (r < 0)
        return r;
    *ret_problems = f.count > problems ? f.count : problems;
    *ret_repaired = repaired;
    return 0;
}

/* What the kept totals have to be. */
#define IS_FOLDER "(n.mode & 61440) = 16384"

const struct schema_total schema_totals[SCHEMA_TOTALS] = {
    {SQL_FILES, "files", "SELECT count(*) FROM node n WHERE NOT (" IS_FOLDER ") AND n.nlink>0"},
    {SQL_FOLDERS, "folders",
     "SELECT count(*) FROM node n WHERE " IS_FOLDER " AND n.nlink>0 AND n.ino<>1"},
    {SQL_OBJECTS, "objects",
     "SELECT count(*) FROM object o CROSS JOIN node n ON n.ino=o.ino WHERE n.nlink>0"},
    {SQL_BYTES, "bytes", "SELECT coalesce(sum(n.size), 0) FROM node n WHERE n.nlink>0"},
    {SQL_BLOCKS, "blocks", "SELECT count(*) FROM block WHERE refs>0"},
    {SQL_BLOCK_BYTES, "bytes of blocks", "SELECT coalesce(sum(stored), 0) FROM block WHERE refs>0"},
    {SQL_PACKS, "packs", "SELECT count(*) FROM pack"},
    {SQL_ORPHANS, "orphans", "SELECT count(*) FROM orphan"},
};
