/* SPDX-License-Identifier: Apache-2.0 */
/* Figures, the count of damage, and the check of the whole. */
#include "meta/engine.h"

#include "meta/schema.h"
#include "pcloud/err.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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

struct finding {
    void (*found)(void *arg, const char *text);
    void *arg;
    uint64_t count;
};

static void find(struct finding *f, const char *text)
{
    f->count++;
    if (f->found)
        f->found(f->arg, text);
}

/* SQLite's own check; its lines are findings. */
static int integrity_check(struct sql_conn *c, struct finding *f)
{
    sqlite3_stmt *st;
    int r = sql_stmt(c, "PRAGMA integrity_check(1000)", &st);

    while (r == 0 && (r = sql_step(st)) > 0) {
        const char *text = (const char *)sqlite3_column_text(st, 0);

        if (text && strcmp(text, "ok") != 0)
            find(f, text);
        r = 0;
    }
    sqlite3_reset(st);
    if (r != PC_ECORRUPT)
        return r;
    find(f, "the metadata database is damaged; pcloud fsck --repair reads what is left of it");
    return 0;
}

int meta_check(struct meta *m, bool repair, void (*found)(void *arg, const char *text), void *arg,
               uint64_t *ret_problems, uint64_t *ret_repaired)
{
    struct engine *e = engine_of(m);
    struct finding f = {found, arg, 0};
    uint64_t repaired = 0;
    struct sql_conn *c;
    int r = read_committed_begin(e, &c);

    if (r < 0)
        return r;
    r = integrity_check(c, &f);
    if (r == 0 && f.count == 0 && !repair)
        r = schema_check(m, c, false, found, arg, &f.count, &repaired);
    sql_read_end(m, c);
    if (r == 0 && f.count == 0 && repair) {
        r = write_alone_begin(e, &c);
        if (r == 0)
            r = sql_write_end(m, c, schema_check(m, c, true, found, arg, &f.count, &repaired));
    }
    if (r < 0)
        return r;
    *ret_problems = f.count;
    *ret_repaired = repaired;
    return 0;
}
