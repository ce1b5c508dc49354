/* SPDX-License-Identifier: Apache-2.0 */
/* Commits: made for many operations at once by a thread of their own, or by whoever needs one; and their way to disk. */
#include "meta/engine.h"

#include "pcloud/err.h"
#include "pcloud/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HOUSEKEEPING_MS 1000
#define RETRY_NS 100000000

static int barrier(struct engine *e)
{
    return e->data_barrier ? e->data_barrier(e->barrier_arg) : 0;
}

/* Not in a transaction any more: all that the others need to know of it, in an order in which dying in between does no harm. */
static void txn_leave(struct engine *e)
{
    struct shm_head *h = e->shm.head;

    e->txn_open = false;
    atomic_store(&e->acked, 0);
    redo_clear(e->redo);
    atomic_store(&h->dirty, 0);
    atomic_store(&h->holder, 0);
    lease_release(&e->lease, &e->shm);
    atomic_store(&h->slots[e->lease.slot].want, 0);
    shm_event(&e->shm);
}

/* The first operation failed, nothing is kept: nobody would come to commit, and the others would wait for the lease. */
void txn_abandon(struct engine *e)
{
    if (e->broken || !e->txn_open || atomic_load(&e->acked) != 0)
        return;
    if (!sqlite3_get_autocommit(e->writer.db) && sql_run(&e->writer, "ROLLBACK", "") < 0)
        return;
    txn_leave(e);
}

/* Lines ${first} to ${end} come with our own commit. Whoever reads own_end, own_first and own_end again, and finds no change, has seen both as they belong together. */
static void feed_own(struct engine *e, uint64_t first, uint64_t end)
{
    if (first != atomic_load(&e->own_end) + 1) {
        atomic_store(&e->own_end, 0);
        atomic_store(&e->own_first, first);
    }
    atomic_store(&e->own_end, end);
}

static int commit(struct engine *e)
{
    struct shm_head *h = e->shm.head;
    uint64_t need = atomic_load(&e->barrier_need);
    int r = e->broken; /* what is open may be half an operation */

    if (r < 0)
        return r;
    if (need > atomic_load(&e->barrier_done)) {
        r = barrier(e);
        if (r < 0)
            return r;
        atomic_store(&e->barrier_done, need);
    }
    r = counters_save(e);
    if (r == 0) {
        r = sql_run(&e->writer, "COMMIT", "");
        if (r >= 0) {
            feed_own(e, atomic_load(&h->feed_end) + 1, e->feed_next - 1);
            atomic_store(&h->feed_end, e->feed_next - 1);
            atomic_store(&h->commits, e->txn_base + 1);
            txn_leave(e);
            return 0;
        }
    }
    if (sqlite3_get_autocommit(e->writer.db))
        txn_rebuild(e);
    return r;
}

/* Let others know why it does not come to a commit: they would wait for ever. */
static void tell_stuck(struct engine *e, int r)
{
    uint32_t code = r >= 0 ? 0 : r > PC_ECORRUPT ? (uint32_t)-r : EIO;

    if (atomic_exchange(&e->shm.head->slots[e->lease.slot].stuck, code) != code && code)
        shm_event(&e->shm);
}

int txn_commit(struct engine *e)
{
    int r = commit(e);

    tell_stuck(e, r);
    return r;
}

/* Commit what is open; the data goes to disk before, while others go on. */
static int commit_open(struct engine *e)
{
    uint64_t need = atomic_load(&e->barrier_need);
    int r = 0;

    if (atomic_load(&e->acked) != 0 && need > atomic_load(&e->barrier_done)) {
        r = barrier(e);
        if (r < 0) {
            tell_stuck(e, r);
            return r;
        }
    }
    pthread_mutex_lock(&e->lock);
    if (need > atomic_load(&e->barrier_done))
        atomic_store(&e->barrier_done, need);
    if (e->txn_open)
        r = txn_commit(e);
    pthread_mutex_unlock(&e->lock);
    return r;
}

/* The committer. */

static int sleep_ms(struct engine *e)
{
    int64_t left;

    if (atomic_load(&e->acked) == 0)
        return HOUSEKEEPING_MS;
    left = atomic_load(&e->deadline) - monotonic_ns();
    return left <= 0 ? 0 : (int)(left / 1000000) + 1;
}

static void *committer_run(void *engine)
{
    struct engine *e = engine;
    struct shm_slot *slot = &e->shm.head->slots[e->lease.slot];
    int64_t reaped = monotonic_ns();

    while (!atomic_load(&e->stopping)) {
        uint32_t seen = atomic_load(&slot->poke);
        bool wanted = atomic_load(&slot->want) != 0 || lease_wanted(&e->lease, &e->shm);
        int ms = sleep_ms(e);

        if (atomic_load(&e->acked) != 0 && (ms == 0 || wanted)) {
            int r = commit_open(e);

            if (r < 0) {
                pc_log(PC_LOG_WARN, "meta.commit", "%s; it is tried again", pc_err_text(r));
                atomic_store(&e->deadline, monotonic_ns() + RETRY_NS);
                futex_wait(&slot->poke, seen, RETRY_NS / 1000000);
            }
            continue;
        }
        atomic_store(&e->committer_sleeps, true);
        if (!atomic_load(&e->stopping))
            futex_wait(&slot->poke, seen, sleep_ms(e));
        atomic_store(&e->committer_sleeps, false);
        if (monotonic_ns() - reaped > (int64_t)HOUSEKEEPING_MS * 1000000) {
            lease_reap(&e->lease, &e->shm);
            reaped = monotonic_ns();
        }
    }
    return NULL;
}

void committer_need(struct engine *e)
{
    if (!e->committer_runs) {
        int err = pthread_create(&e->committer, NULL, committer_run, e);

        if (err)
            pc_log(PC_LOG_WARN, "meta.commit", "no thread for commits: %s", strerror(err));
        e->committer_runs = err == 0;
        return;
    }
    if (atomic_load(&e->committer_sleeps))
        shm_poke(&e->shm, e->lease.slot);
}

void engine_stop(struct engine *e)
{
    atomic_store(&e->stopping, true);
    if (e->committer_runs) {
        shm_poke(&e->shm, e->lease.slot);
        pthread_join(e->committer, NULL);
    }
    if (e->checkpointer_runs) {
        pthread_mutex_lock(&e->thread_lock);
        pthread_cond_signal(&e->log_grew);
        pthread_mutex_unlock(&e->thread_lock);
        pthread_join(e->checkpointer, NULL);
    }
}

int meta_flush(struct meta *m)
{
    struct engine *e = engine_of(m);

    return atomic_load(&e->acked) == 0 ? 0 : commit_open(e);
}

/* To disk. */

/* One sync for all that wait; after a failed one nobody knows what the disk holds, and there is no second try. */
static int sync_lead(struct engine *e)
{
    uint64_t upto = atomic_load(&e->shm.head->commits);
    bool dir = !e->dir_synced;
    int r = 0;

    e->syncing = true;
    pthread_mutex_unlock(&e->sync_lock);
    if (engine_tuning.sync_log(e->log_fd) < 0)
        r = -errno;
    if (r == 0 && dir && fsync(e->dir_fd) < 0)
        r = -errno;
    pthread_mutex_lock(&e->sync_lock);
    e->syncing = false;
    if (r < 0)
        e->sync_error = r;
    else {
        e->synced = upto;
        e->dir_synced = true;
    }
    pthread_cond_broadcast(&e->sync_done);
    return r;
}

int meta_sync(struct meta *m)
{
    struct engine *e = engine_of(m);
    int r = meta_flush(m);
    uint64_t need;

    if (r < 0)
        return r;
    need = atomic_load(&e->shm.head->commits);
    pthread_mutex_lock(&e->sync_lock);
    while (e->synced < need && e->sync_error == 0) {
        if (e->syncing)
            pthread_cond_wait(&e->sync_done, &e->sync_lock);
        else
            sync_lead(e);
    }
    r = e->sync_error;
    pthread_mutex_unlock(&e->sync_lock);
    if (r < 0)
        return pc_err_set(r,
                          "the metadata in %s could not be synced (%s): check the disk, then open "
                          "the volume again",
                          e->dir, pc_strerror(r));
    return 0;
}
