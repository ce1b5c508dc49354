/* SPDX-License-Identifier: Apache-2.0 */
/* The change feed: lines that come with a commit, read and waited for. */
#include "meta/engine.h"

#include "pcloud/err.h"

#define WAIT_MS 60000 /* at a time; a lost wake-up ends with it */

int sql_feed(struct meta *m, struct sql_conn *c, unsigned kinds, uint64_t ino, uint64_t parent,
             const char *seg, size_t len)
{
    struct engine *e = engine_of(m);
    int r;

    if ((kinds & ~(unsigned)(PC_CHANGE_ATTR | PC_CHANGE_DATA)) == 0 && ino >= e->txn_first_id)
        return 0;
    r = sql_run(c, "INSERT INTO feed VALUES(?, ?, ?, ?, ?, ?)", "uiuubu", e->feed_next,
                (int64_t)kinds, ino, parent, seg, len, e->session);

    if (r < 0)
        return r;
    e->feed_next++;
    return 0;
}

uint64_t meta_feed_end(struct meta *m)
{
    return atomic_load(&engine_of(m)->shm.head->feed_end);
}

int meta_feed_wait(struct meta *m, uint64_t after, int timeout_ms, const volatile bool *cancel)
{
    struct engine *e = engine_of(m);
    struct shm_head *h = e->shm.head;
    int64_t until = timeout_ms < 0 ? INT64_MAX : monotonic_ns() + (int64_t)timeout_ms * 1000000;

    for (;;) {
        uint32_t seen = atomic_load(&h->events);
        int64_t left;

        if (atomic_load(&h->feed_end) > after)
            return 1;
        if (cancel && __atomic_load_n(cancel, __ATOMIC_ACQUIRE))
            return 0;
        left = until == INT64_MAX ? WAIT_MS : (until - monotonic_ns()) / 1000000;
        if (left <= 0)
            return 0;
        shm_event_wait(&e->shm, seen, left < WAIT_MS ? (int)left : WAIT_MS);
    }
}

void meta_feed_wake(struct meta *m)
{
    shm_event(&engine_of(m)->shm);
}

uint64_t meta_feed_skip_own(struct meta *m, uint64_t after)
{
    struct engine *e = engine_of(m);
    uint64_t end = atomic_load(&e->own_end), first = atomic_load(&e->own_first);

    if (end <= after || after + 1 < first || atomic_load(&e->own_end) != end)
        return after;
    return end;
}

/* The oldest line that is kept; 0 if there is none. */
static int oldest(struct sql_conn *c, uint64_t *ret)
{
    sqlite3_stmt *st;
    int r = sql_one(c, "SELECT coalesce(min(seq), 0) FROM feed", &st, "");

    if (r <= 0)
        return r < 0 ? r : PC_ECORRUPT;
    *ret = (uint64_t)sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return 0;
}

static int give(struct engine *e, sqlite3_stmt *st, uint64_t end,
                void (*fn)(void *arg, const struct meta_change *c), void *arg)
{
    int n = 0, r;

    while ((r = sql_step(st)) > 0) {
        struct meta_change change = {
            .seq = (uint64_t)sqlite3_column_int64(st, 0),
            .ino = (uint64_t)sqlite3_column_int64(st, 1),
            .parent = (uint64_t)sqlite3_column_int64(st, 2),
            .kinds = (unsigned)sqlite3_column_int64(st, 3),
            .seg = sqlite3_column_blob(st, 4),
            .seg_len = (size_t)sqlite3_column_bytes(st, 4),
            .own = (uint64_t)sqlite3_column_int64(st, 5) == e->session,
        };

        if (change.seq > end) /* our own, not committed yet */
            break;
        fn(arg, &change);
        n++;
    }
    return r < 0 ? r : n;
}

int meta_feed_read(struct meta *m, uint64_t after, unsigned max,
                   void (*fn)(void *arg, const struct meta_change *c), void *arg)
{
    struct engine *e = engine_of(m);
    uint64_t first, end;
    struct sql_conn *c;
    sqlite3_stmt *st;
    int r = sql_read_begin(m, &c);

    if (r < 0)
        return r;
    end = meta_feed_end(m);
    r = oldest(c, &first);
    if (r == 0 && (after > end || (after < end && (first == 0 || after + 1 < first))))
        r = pc_err_set(-EOVERFLOW, "changes after number %llu are not kept any more",
                       (unsigned long long)after);
    if (r == 0)
        r = sql_stmt(c,
                     "SELECT seq, ino, parent, kinds, seg, session FROM feed WHERE seq > ?"
                     " ORDER BY seq LIMIT ?",
                     &st);
    if (r == 0) {
        r = sql_bind(st, "ui", after, (int64_t)max);
        if (r == 0)
            r = give(e, st, end, fn, arg);
        sqlite3_reset(st);
    }
    sql_read_end(m, c);
    return r;
}
