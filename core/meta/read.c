/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: through the write connection while it holds what is not committed, else through readers of their own. */
#include "meta/engine.h"

#include "meta/share/holder.h"
#include "meta/snap/snap.h"
#include "pcloud/err.h"

#define ASK_MS 20 /* look again so often whether the other process lives */

/* Another session has acknowledged operations that only it can see: ask it to commit, or bury it. */
static int others_settle(struct engine *e)
{
    struct shm_head *h = e->shm.head;
    uint64_t commits = atomic_load(&h->commits);
    uint32_t dirty = atomic_load(&h->dirty), seen;
    struct holder_wait wait = {0, 0};

    if (dirty == 0 || dirty > SHM_SLOTS || dirty == e->lease.slot + 1)
        return 0;
    for (;;) {
        seen = atomic_load(&h->events);
        if (atomic_load(&h->dirty) != dirty || atomic_load(&h->commits) != commits)
            return 0;
        if (atomic_load(&h->slots[dirty - 1].stuck) != 0)
            return 0; /* its disk is full, or fails: better what is committed than nothing */
        if (!lease_is_alive(&e->lease, dirty - 1)) {
            struct sql_conn *c;
            int r = sql_write_begin(&e->meta, SQL_FREES, &c); /* who takes the lease redoes */

            return r < 0 ? r : sql_write_end(&e->meta, c, 0);
        }
        atomic_store(&h->slots[dirty - 1].want, 1);
        shm_poke(&e->shm, dirty - 1);
        shm_event_wait(&e->shm, seen, ASK_MS);
        holder_waited(&e->shm, &wait, "a read");
    }
}

/* An idle reader, a new one, or the next that comes back. One that could not be opened goes back like any other, and is opened by its next user. */
static int reader_take(struct engine *e, struct sql_conn **ret)
{
    struct sql_conn *c;

    pthread_mutex_lock(&e->reader_lock);
    while (e->idle_n == 0 && e->readers_n == ENGINE_READERS)
        pthread_cond_wait(&e->reader_back, &e->reader_lock);
    c = &e->readers[e->idle_n > 0 ? e->idle[--e->idle_n] : e->readers_n++];
    pthread_mutex_unlock(&e->reader_lock);
    *ret = c;
    return c->db ? 0 : conn_open(e->vfs, e->path, c);
}

static void reader_give(struct engine *e, struct sql_conn *c)
{
    pthread_mutex_lock(&e->reader_lock);
    e->idle[e->idle_n++] = (unsigned)(c - e->readers);
    pthread_cond_signal(&e->reader_back);
    pthread_mutex_unlock(&e->reader_lock);
}

void readers_close(struct engine *e)
{
    for (unsigned i = 0; i < e->readers_n; i++)
        conn_close(&e->readers[i]);
    e->readers_n = e->idle_n = 0;
}

/* A view of what is committed, by all. */
static int view_begin(struct engine *e, struct sql_conn **ret)
{
    struct sql_conn *c;
    int r = others_settle(e);

    if (r < 0)
        return r;
    r = reader_take(e, &c);
    if (r == 0)
        r = sql_run(c, "BEGIN", "");
    if (r < 0) {
        reader_give(e, c);
        return r;
    }
    *ret = c;
    return 0;
}

int sql_read_begin(struct meta *m, struct sql_conn **ret)
{
    struct engine *e = engine_of(m);

    if (snap_entered != 0)
        return snap_view_begin(e, ret);

    if (atomic_load(&e->acked) != 0) {
        pthread_mutex_lock(&e->lock);
        if (e->txn_open) {
            *ret = &e->writer;
            return 0;
        }
        pthread_mutex_unlock(&e->lock);
    }
    return view_begin(e, ret);
}

int read_committed_begin(struct engine *e, struct sql_conn **ret)
{
    int r = meta_flush(&e->meta);

    return r < 0 ? r : view_begin(e, ret);
}

void sql_read_end(struct meta *m, struct sql_conn *c)
{
    struct engine *e = engine_of(m);

    if (c == &e->writer) {
        if (e->txn_open && sqlite3_get_autocommit(c->db))
            txn_rebuild(e); /* a read without memory made SQLite give the transaction up */
        pthread_mutex_unlock(&e->lock);
        return;
    }
    if (snap_entered != 0 && snap_view_end(e, c))
        return;
    if (!sqlite3_get_autocommit(c->db) && sql_run(c, "COMMIT", "") < 0)
        conn_close(c); /* it would stay in this view for ever; its next user opens it anew */
    reader_give(e, c);
}
