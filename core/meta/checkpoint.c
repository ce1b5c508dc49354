/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing the log back into the database, beside everybody's work. */
#include "meta/engine.h"

#include "meta/seal/page.h"
#include "pcloud/err.h"
#include "pcloud/log.h"

#include <string.h>

#define PASSES_MAX 4 /* beside writers, before they are kept out for the last one */

/* Does not wait for anybody, nor let anybody wait. *ret_done: bytes of the log that are in the database now; 0 if another process is at it. */
static int pass(struct sql_conn *c, int64_t *ret_done)
{
    int frames = 0, done = 0;
    int rc = sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &done);

    *ret_done = 0;
    if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
        return 0;
    if (rc != SQLITE_OK)
        return pc_err_set(sql_code(rc), "checkpoint: %s", sqlite3_errmsg(c->db));
    *ret_done = (int64_t)done * SEAL_FRAME;
    return 0;
}

static int64_t log_now(struct engine *e)
{
    int64_t bytes;

    pthread_mutex_lock(&e->thread_lock);
    bytes = e->log_now;
    pthread_mutex_unlock(&e->thread_lock);
    return bytes;
}

/*
 * The log starts anew when a transaction begins on one that was brought back whole. What a pass calls whole is the log as it was when the pass began: with writers
 * always at it that is never all. So come near beside them, and do the rest while none is let in.
 */
static int checkpoint(struct engine *e, struct sql_conn *c)
{
    int64_t done = 0;
    int r = 0;

    for (int i = 0; i < PASSES_MAX && r == 0; i++) {
        int64_t before = done;

        r = pass(c, &done);
        if (r < 0 || done == 0)
            return r;
        if (done <= before || log_now(e) - done < engine_tuning.log_bytes / 4)
            break;
    }
    pthread_mutex_lock(&e->lock);
    if (e->txn_open)
        r = txn_commit(e);
    if (r == 0)
        r = lease_take(&e->lease, &e->shm);
    if (r == 0) {
        r = pass(c, &done);
        lease_release(&e->lease, &e->shm);
    }
    pthread_mutex_unlock(&e->lock);
    return r;
}

void *checkpoint_run(void *engine)
{
    struct engine *e = engine;
    struct sql_conn c = {0};

    pthread_mutex_lock(&e->thread_lock);
    while (!atomic_load(&e->stopping)) {
        int r = 0;

        if (e->log_bytes < engine_tuning.log_bytes) {
            pthread_cond_wait(&e->log_grew, &e->thread_lock);
            continue;
        }
        e->log_bytes = 0;
        pthread_mutex_unlock(&e->thread_lock);
        if (!c.db)
            r = conn_open(e->vfs, e->path, &c);
        if (r == 0)
            r = checkpoint(e, &c);
        if (r < 0)
            pc_log(PC_LOG_WARN, "meta.checkpoint", "%s; the log of the metadata grows meanwhile",
                   pc_err_text(r));
        pthread_mutex_lock(&e->thread_lock);
    }
    pthread_mutex_unlock(&e->thread_lock);
    conn_close(&c);
    return NULL;
}

/* After each commit of the write connection. */
static int log_size(void *engine, sqlite3 *db, const char *name, int frames)
{
    struct engine *e = engine;
    int64_t bytes = (int64_t)frames * SEAL_FRAME;

    (void)db;
    (void)name;
    pthread_mutex_lock(&e->thread_lock);
    e->log_now = bytes;
    if (bytes < engine_tuning.log_bytes)
        e->log_next = engine_tuning.log_bytes;
    if (bytes < engine_tuning.log_bytes || bytes < e->log_next || atomic_load(&e->stopping)) {
        pthread_mutex_unlock(&e->thread_lock);
        return SQLITE_OK;
    }
    e->log_bytes = bytes;
    e->log_next =
        bytes + engine_tuning.log_bytes / 4; /* a reader may keep the log from getting shorter */
    if (!e->checkpointer_runs)
        e->checkpointer_runs = pthread_create(&e->checkpointer, NULL, checkpoint_run, e) == 0;
    else
        pthread_cond_signal(&e->log_grew);
    pthread_mutex_unlock(&e->thread_lock);
    return SQLITE_OK;
}

void checkpoint_watch(struct engine *e)
{
    sqlite3_wal_hook(e->writer.db, log_size, e);
}
