/* SPDX-License-Identifier: Apache-2.0 */
/* Doing again what was acknowledged and not committed: after a process was killed, or after SQLite gave a transaction up. */
#include "meta/engine.h"

#include "pcloud/err.h"
#include "pcloud/log.h"

#include <string.h>
#include <unistd.h>

struct replay {
    struct engine *e;
    unsigned ops;
    bool barrier;
};

static int statement(void *arg, const char *sql, size_t len, const uint8_t *values,
                     size_t values_len)
{
    struct replay *p = arg;
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(p->e->writer.db, sql, (int)len, &st, NULL);
    int r = rc == SQLITE_OK ? record_bind(st, values, values_len) : sql_code(rc);

    while (r == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
        ;
    if (r == 0 && rc != SQLITE_DONE)
        r = pc_err_set(sql_code(rc), "metadata database: %s (redone)",
                       sqlite3_errmsg(p->e->writer.db));
    sqlite3_finalize(st);
    return r;
}

static int total(void *arg, unsigned which, int64_t delta)
{
    struct replay *p = arg;

    if (which >= SQL_TOTALS)
        return PC_ECORRUPT;
    p->e->totals[which] += delta;
    return 0;
}

static int barrier(void *arg)
{
    ((struct replay *)arg)->barrier = true;
    return 0;
}

/* A record is done as a whole or not at all; what comes after one that cannot be done is left out. */
static int operation(void *arg, const uint8_t *data, size_t len)
{
    struct replay *p = arg;
    const struct record_reader reader = {statement, total, barrier, p};
    int64_t totals[SQL_TOTALS];
    int r = sql_run(&p->e->writer, "SAVEPOINT op", "");

    if (r < 0)
        return r;
    memcpy(totals, p->e->totals, sizeof totals);
    r = record_read(data, len, &reader);
    if (r < 0) {
        memcpy(p->e->totals, totals, sizeof totals);
        sql_run(&p->e->writer, "ROLLBACK TO op", "");
    } else {
        p->ops++;
    }
    sql_run(&p->e->writer, "RELEASE op", "");
    return r;
}

/* Open a transaction and do all records in it. */
static int replay_all(struct engine *e, struct replay *p)
{
    int r;

    *p = (struct replay){.e = e};
    memset(e->totals, 0, sizeof e->totals);
    r = sql_run(&e->writer, "BEGIN IMMEDIATE", "");
    return r < 0 ? r : redo_each(e->redo, operation, p);
}

static int feed_end_find(struct engine *e)
{
    sqlite3_stmt *st;
    int r = sql_one(&e->writer,
                    "SELECT max((SELECT coalesce(max(seq), 0) FROM feed), value) FROM"
                    " setting WHERE key = 'feed'",
                    &st, "");

    if (r <= 0)
        return r < 0 ? r : PC_ECORRUPT;
    e->feed_next = (uint64_t)sqlite3_column_int64(st, 0) + 1;
    sqlite3_reset(st);
    return 0;
}

int txn_rebuild(struct engine *e)
{
    struct replay p;
    int r;

    if (!sqlite3_get_autocommit(e->writer.db))
        sql_run(&e->writer, "ROLLBACK", "");
    r = replay_all(e, &p);
    if (r == 0)
        r = feed_end_find(e);
    if (r == 0)
        return 0;
    /* Leave the records where they are: the next session can read them. */
    pc_log(PC_LOG_ERROR, "meta.broken",
           "%s; nothing more is written until the volume is opened again", pc_err_text(r));
    e->broken = r;
    return r;
}

/* The dead one's packs are not ours to sync by themselves: have the whole file system on disk. */
static int data_to_disk(struct engine *e)
{
    return syncfs(e->dir_fd) < 0 ? pc_err_wrap(-errno, "sync of %s: ", e->dir) : 0;
}

static int redo_commit(struct engine *e, uint64_t base)
{
    struct replay p;
    int r = replay_all(e, &p);

    if (r < 0 && r != PC_ECORRUPT && r != -EIO)
        goto rollback;
    if (r < 0)
        pc_log(PC_LOG_WARN, "meta.redo", "%s; what came after %u operations is left out",
               pc_err_text(r), p.ops);
    r = p.barrier ? data_to_disk(e) : 0;
    if (r == 0)
        r = feed_end_find(e);
    e->txn_base = base;
    if (r == 0)
        r = counters_save(e);
    if (r == 0)
        r = sql_run(&e->writer, "COMMIT", "");
    if (r < 0)
        goto rollback;
    pc_log(PC_LOG_INFO, "meta.redo", "%u operations of a killed process are kept", p.ops);
    return 0;
rollback:
    memset(e->totals, 0, sizeof e->totals);
    if (!sqlite3_get_autocommit(e->writer.db))
        sql_run(&e->writer, "ROLLBACK", "");
    return r;
}

int txn_recover(struct engine *e)
{
    struct shm_head *h = e->shm.head;
    int64_t commit;
    uint64_t base, session;
    int r = setting_get(&e->writer, "commit", &commit);

    if (r == 0 && redo_left(e->redo, &base, &session) && base == (uint64_t)commit) {
        if (session > atomic_load(&h->last_session))
            atomic_store(&h->last_session, session); /* what it did names it */
        r = redo_commit(e, base);
    }
    if (r < 0)
        return r;
    r = counters_load(e);
    if (r < 0)
        return r;
    redo_clear(e->redo);
    atomic_store(&h->dirty, 0);
    atomic_store(&h->holder, 0);
    shm_event(&e->shm);
    return 0;
}
