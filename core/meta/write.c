/* SPDX-License-Identifier: Apache-2.0 */
/* Operations: each in a savepoint of the open transaction, kept for redoing until the commit. */
#include "meta/engine.h"

#include "meta/ops/quota.h"

#include "pcloud/err.h"
#include "pcloud/log.h"

#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#define ID_STEP 4096
#define ROOM_ASK_NS 5000000 /* ask the disk for its room so often at most */

int64_t monotonic_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int room_check(struct engine *e)
{
    int64_t now = monotonic_ns(), asked = atomic_load(&e->room_asked);
    struct statvfs st;

    if (e->reserve_bytes == 0)
        return 0;
    if ((asked == 0 || now - asked > ROOM_ASK_NS) &&
        atomic_compare_exchange_strong(&e->room_asked, &asked, now) && statvfs(e->dir, &st) == 0)
        atomic_store(&e->room_short, (uint64_t)st.f_bavail * st.f_frsize < e->reserve_bytes);
    if (!atomic_load(&e->room_short))
        return 0;
    return pc_err_set(-ENOSPC, "less than %llu MiB of disk are free at %s: remove something",
                      (unsigned long long)(e->reserve_bytes >> 20), e->dir);
}

/* Open a transaction, with the lease. Whoever died in one has its acknowledged operations redone first. */
static int txn_begin(struct engine *e)
{
    struct shm_head *h = e->shm.head;
    uint64_t base, session;
    int r = lease_take(&e->lease, &e->shm);

    if (r < 0)
        return r;
    if (atomic_load(&h->holder) != 0 || redo_left(e->redo, &base, &session))
        r = txn_recover(e);
    if (r < 0)
        goto release;
    atomic_store(&h->holder, e->lease.slot + 1);
    r = sql_run(&e->writer, "BEGIN IMMEDIATE", "");
    if (r < 0)
        goto leave;
    if (atomic_load(&h->quotas) != 0) {
        r = quota_any(&e->writer);
        if (r == 0)
            atomic_store(&h->quotas, 0); /* the last one went */
        if (r < 0)
            goto rollback;
    }
    e->txn_base = atomic_load(&h->commits);
    e->feed_next = atomic_load(&h->feed_end) + 1;
    e->txn_first_id = atomic_load(&h->next_id);
    e->txn_ops = 0;
    e->txn_open = true;
    redo_begin(e->redo, e->txn_base, e->session);
    return 0;
rollback:
    if (!sqlite3_get_autocommit(e->writer.db))
        sql_run(&e->writer, "ROLLBACK", "");
leave:
    atomic_store(&h->holder, 0);
release:
    lease_release(&e->lease, &e->shm);
    return r;
}

static int op_begin(struct engine *e, bool saved, struct sql_conn **ret)
{
    int r = e->broken;

    if (r == 0 && !e->txn_open)
        r = txn_begin(e);
    e->writer.quota = r == 0 && atomic_load(&e->shm.head->quotas) != 0 ? e->quota : NULL;
    if (e->writer.quota) {
        quota_begin(e->quota);
        saved = true; /* it may be refused at its end */
    }
    if (r == 0 && saved)
        r = sql_run(&e->writer, "SAVEPOINT op", "");
    else if (r == 0 && sqlite3_get_autocommit(e->writer.db)) /* a failed read ended it */
        r = txn_rebuild(e);
    if (r < 0 && e->txn_open && sqlite3_get_autocommit(e->writer.db))
        txn_rebuild(e);
    if (r < 0)
        return r;
    e->op_saved = saved;
    atomic_fetch_add(&e->shm.head->change, 1);
    memset(e->op_totals, 0, sizeof e->op_totals);
    e->op_barrier = false;
    e->op_error = 0;
    e->op_feed_next = e->feed_next;
    e->op_id_end = atomic_load(&e->shm.head->id_end);
    record_reset(&e->op);
    sql_note(&e->writer, &e->op);
    *ret = &e->writer;
    return 0;
}

static int write_begin(struct meta *m, enum sql_room room, bool saved, struct sql_conn **ret)
{
    struct engine *e = engine_of(m);
    int r = room == SQL_NEEDS_ROOM ? room_check(e) : 0;

    if (r < 0)
        return r;
    pthread_mutex_lock(&e->lock);
    r = op_begin(e, saved, ret);
    if (r < 0)
        pthread_mutex_unlock(&e->lock);
    return r;
}

int sql_write_begin(struct meta *m, enum sql_room room, struct sql_conn **ret)
{
    return write_begin(m, room, true, ret);
}

int sql_write_begin_sure(struct meta *m, enum sql_room room, struct sql_conn **ret)
{
    return write_begin(m, room, false, ret);
}

int write_alone_begin(struct engine *e, struct sql_conn **ret)
{
    int r = 0;

    pthread_mutex_lock(&e->lock);
    if (e->txn_open)
        r = txn_commit(e);
    if (r == 0)
        r = op_begin(e, true, ret);
    if (r < 0)
        pthread_mutex_unlock(&e->lock);
    return r;
}

/* Has the running operation changed nothing yet? Every write is noted once it is done. */
static bool op_is_empty(const struct engine *e)
{
    return e->op.len == 0 && !e->op.full && !sqlite3_get_autocommit(e->writer.db);
}

/* Undo the operation alone. If SQLite gave up the whole transaction, make it again from what was kept. */
static void op_undo(struct engine *e)
{
    e->feed_next = e->op_feed_next;
    atomic_store(&e->shm.head->id_end, e->op_id_end);
    if (!e->op_saved && op_is_empty(e))
        return;
    if (e->op_saved && !sqlite3_get_autocommit(e->writer.db) &&
        sql_run(&e->writer, "ROLLBACK TO op", "") >= 0 &&
        sql_run(&e->writer, "RELEASE op", "") >= 0)
        return;
    txn_rebuild(e);
}

/* The operation outlives this process from here on. -ENOSPC: it is too long for that, and has to be committed at once. */
static int op_keep(struct engine *e)
{
    for (unsigned i = 0; i < SQL_TOTALS; i++)
        if (e->op_totals[i] != 0)
            record_total(&e->op, i, e->op_totals[i]);
    if (e->op_barrier)
        record_barrier(&e->op);
    if (e->op.full)
        return -ENOSPC;
    return e->op.len == 0 ? 0 : redo_append(e->redo, e->op.data, e->op.len);
}

static void op_count(struct engine *e)
{
    for (int i = 0; i < SQL_TOTALS; i++)
        e->totals[i] += e->op_totals[i];
    if (e->op_barrier)
        atomic_fetch_add(&e->barrier_need, 1);
}

/* It is done: tell the others that there is something uncommitted, and when it has to be. */
static void op_acknowledge(struct engine *e)
{
    bool data = atomic_load(&e->barrier_need) > atomic_load(&e->barrier_done);
    int64_t ms = data ? ENGINE_COMMIT_DATA_MS : ENGINE_COMMIT_MS;

    e->txn_ops++;
    if (atomic_load(&e->acked) == 0)
        atomic_store(&e->deadline, monotonic_ns() + ms * 1000000);
    if (atomic_fetch_add(&e->acked, 1) == 0) {
        atomic_store(&e->shm.head->dirty, e->lease.slot + 1);
        committer_need(e);
    }
}

static void commit_if_due(struct engine *e)
{
    bool wanted = lease_wanted(&e->lease, &e->shm);
    bool full = e->txn_ops >= ENGINE_OPS_MAX || redo_fill(e->redo) > REDO_BYTES / 4 * 3;
    int r;

    if (!wanted && !full)
        return;
    if (atomic_load(&e->barrier_need) > atomic_load(&e->barrier_done) && !full) {
        shm_poke(&e->shm,
                 e->lease.slot); /* the committer brings the data to disk without our lock */
        return;
    }
    r = txn_commit(e);
    if (r < 0)
        pc_log(PC_LOG_WARN, "meta.commit", "%s; it is tried again", pc_err_text(r));
}

/* Keep the operation: in the redo file, or, if it is too long for that, by a commit at once. */
static int op_end(struct engine *e)
{
    int r = e->op_error ? e->op_error : op_keep(e);

    if (r < 0 && r != -ENOSPC) {
        op_undo(e);
        return r;
    }
    op_count(e);
    if (r == 0) {
        if (e->op_saved && sql_run(&e->writer, "RELEASE op", "") < 0)
            r = txn_rebuild(e); /* with this one */
        if (r == 0) {
            op_acknowledge(e);
            commit_if_due(e);
        }
        return r;
    }
    r = txn_commit(e);
    if (r < 0 && e->txn_open)
        txn_rebuild(e); /* without it */
    return r;
}

int sql_write_end(struct meta *m, struct sql_conn *c, int rc)
{
    struct engine *e = engine_of(m);
    int r;

    if (rc >= 0 && c->quota) {
        r = quota_end(c);
        rc = r < 0 ? r : rc;
    }
    r = rc;
    c->quota = NULL;
    sql_note(c, NULL);
    if (rc < 0)
        op_undo(e);
    else
        r = op_end(e);
    if (r < 0)
        txn_abandon(e);
    pthread_mutex_unlock(&e->lock);
    return r < 0 ? r : rc;
}

void sql_needs_barrier(struct meta *m)
{
    engine_of(m)->op_barrier = true;
}

void sql_total_add(struct meta *m, enum sql_total which, int64_t delta)
{
    engine_of(m)->op_totals[which] += delta;
}

uint64_t sql_next_id(struct meta *m)
{
    struct engine *e = engine_of(m);
    struct shm_head *h = e->shm.head;
    uint64_t id = atomic_fetch_add(&h->next_id, 1);

    if (id >= atomic_load(&h->id_end)) {
        int r = setting_set(&e->writer, "id_end", (int64_t)(id + ID_STEP));

        if (r < 0)
            e->op_error = r;
        else
            atomic_store(&h->id_end, id + ID_STEP);
    }
    return id;
}
