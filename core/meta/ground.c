/* SPDX-License-Identifier: Apache-2.0 */
/* The ground's tables: settings, the change feed and the totals. */
#include "meta/engine.h"

#include "meta/ops/quota.h"

#include "pcloud/err.h"

#include <stddef.h>

#define TRIM_ROWS 256

static const char ground_sql[] =
    "CREATE TABLE setting(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE feed(seq INTEGER PRIMARY KEY, kinds INTEGER, ino INTEGER, parent INTEGER,"
    " seg BLOB, session INTEGER);"
    "CREATE TABLE total(which INTEGER PRIMARY KEY, value INTEGER NOT NULL);";

/* Settings that rise, and where they are kept between commits. */
static const struct {
    const char *key;
    int64_t first;
    size_t place;
    bool may_be_ahead;
} counters[] = {
    {"commit", 1, offsetof(struct shm_head, commits), false},
    {"feed", 0, offsetof(struct shm_head, feed_end), false},
    {"change", 1, offsetof(struct shm_head, change), true},
    {"session", 0, offsetof(struct shm_head, last_session), true},
    {"id_end", 1024, offsetof(struct shm_head, id_end), false},
};

int setting_get(struct sql_conn *c, const char *key, int64_t *ret)
{
    sqlite3_stmt *st;
    int r = sql_one(c, "SELECT value FROM setting WHERE key = ?", &st, "t", key);

    if (r < 0)
        return r;
    if (r == 0)
        return pc_err_set(PC_ECORRUPT, "metadata database: setting %s is missing; run pcloud fsck",
                          key);
    *ret = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return 0;
}

int setting_set(struct sql_conn *c, const char *key, int64_t value)
{
    int r = sql_run(c, "INSERT OR REPLACE INTO setting VALUES(?, ?)", "ti", key, value);

    return r < 0 ? r : 0;
}

int ground_create(struct sql_conn *c, const uint8_t volume_id[16])
{
    int rc = sqlite3_exec(c->db, ground_sql, NULL, NULL, NULL);
    int r = sql_code(rc);

    if (rc != SQLITE_OK)
        return pc_err_set(r, "metadata database: %s", sqlite3_errmsg(c->db));
    r = sql_run(c, "INSERT INTO setting VALUES('volume_id', ?)", "b", volume_id, (size_t)16);
    if (r < 0)
        return r;
    for (int i = 0; i < SQL_TOTALS; i++) {
        r = sql_run(c, "INSERT INTO total VALUES(?, 0)", "i", (int64_t)i);
        if (r < 0)
            return r;
    }
    r = setting_set(c, "format", ENGINE_FORMAT);
    for (size_t i = 0; r == 0 && i < sizeof counters / sizeof counters[0]; i++)
        r = setting_set(c, counters[i].key, counters[i].first);
    return r;
}

static _Atomic uint64_t *counter(struct engine *e, size_t i)
{
    return (_Atomic uint64_t *)(void *)((char *)e->shm.head + counters[i].place);
}

/* What rose in memory beyond its last commit stays risen: nothing is given twice. */
int counters_load(struct engine *e)
{
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        int64_t v;
        int r = setting_get(&e->writer, counters[i].key, &v);

        if (r < 0)
            return r;
        if (!counters[i].may_be_ahead || atomic_load(counter(e, i)) < (uint64_t)v)
            atomic_store(counter(e, i), (uint64_t)v);
    }
    int any = quota_any(&e->writer);

    if (any < 0)
        return any;
    atomic_store(&e->shm.head->quotas, (uint32_t)any);
    return 0;
}

static int totals_save(struct engine *e)
{
    for (int i = 0; i < SQL_TOTALS; i++) {
        int r;

        if (e->totals[i] == 0)
            continue;
        r = sql_run(&e->writer, "UPDATE total SET value = value + ? WHERE which = ?", "ii",
                    e->totals[i], (int64_t)i);
        if (r < 0)
            return r;
        e->totals[i] = 0;
    }
    return 0;
}

/* A few at a time, so that no commit gets long. */
static int feed_trim(struct engine *e)
{
    uint64_t keep =
        e->feed_next > engine_tuning.feed_rows ? e->feed_next - engine_tuning.feed_rows : 0;
    int r;

    if (keep < e->feed_trimmed + TRIM_ROWS)
        return 0;
    r = sql_run(&e->writer,
                "DELETE FROM feed WHERE seq < min(?1, (SELECT min(seq) FROM feed) + ?2)", "ui",
                keep, (int64_t)TRIM_ROWS * 4);
    if (r >= 0 && r < TRIM_ROWS * 4)
        e->feed_trimmed = keep;
    return r < 0 ? r : 0;
}

int counters_save(struct engine *e)
{
    struct shm_head *h = e->shm.head;
    int r = totals_save(e);

    if (r == 0)
        r = feed_trim(e);
    if (r == 0)
        r = setting_set(&e->writer, "feed", (int64_t)e->feed_next - 1);
    if (r == 0)
        r = setting_set(&e->writer, "change", (int64_t)atomic_load(&h->change));
    if (r == 0)
        r = setting_set(&e->writer, "session", (int64_t)atomic_load(&h->last_session));
    if (r == 0)
        r = setting_set(&e->writer, "commit", (int64_t)e->txn_base + 1);
    return r;
}
