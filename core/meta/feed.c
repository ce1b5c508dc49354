/* SPDX-License-Identifier: Apache-2.0 */
/* The change feed: lines that come with a commit, read and waited for. */
#include "meta/engine.h"

#include "pcloud/err.h"

#include <time.h>

int sql_feed(struct meta *m, struct sql_conn *c, unsigned kinds, uint64_t ino, uint64_t parent,
             const char *seg, size_t len)
{
    struct engine *e = engine_of(m);
    int r = sql_run(c, "INSERT INTO feed VALUES(?, ?, ?, ?, ?, ?)", "uiuubu", e->feed_next,
                    (int64_t)kinds, ino, parent, seg, len, e->session);

    if (r < 0)
        return r;
    e->feed_next++;
    return 0;
}

void feed_publish(struct engine *e, uint64_t end)
{
    pthread_mutex_lock(&e->feed_lock);
    if (end > e->feed_end) {
        e->feed_end = end;
        pthread_cond_broadcast(&e->feed_more);
    }
    pthread_mutex_unlock(&e->feed_lock);
}

uint64_t meta_feed_end(struct meta *m)
{
    struct engine *e = engine_of(m);
    uint64_t end;

    pthread_mutex_lock(&e->feed_lock);
    end = e->feed_end;
    pthread_mutex_unlock(&e->feed_lock);
    return end;
}

int meta_feed_wait(struct meta *m, uint64_t after, int timeout_ms, const volatile bool *cancel)
{
    struct engine *e = engine_of(m);
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&e->feed_lock);
    while (r == 0 && e->feed_end <= after && !(cancel && *cancel))
        r = timeout_ms < 0 ? pthread_cond_wait(&e->feed_more, &e->feed_lock)
                           : pthread_cond_timedwait(&e->feed_more, &e->feed_lock, &until);
    r = e->feed_end > after;
    pthread_mutex_unlock(&e->feed_lock);
    return r;
}

void meta_feed_wake(struct meta *m)
{
    struct engine *e = engine_of(m);

    pthread_mutex_lock(&e->feed_lock);
    pthread_cond_broadcast(&e->feed_more);
    pthread_mutex_unlock(&e->feed_lock);
}

int meta_feed_read(struct meta *m, uint64_t after, unsigned max,
                   void (*fn)(void *arg, const struct meta_change *c), void *arg)
{
    struct engine *e = engine_of(m);
    struct sql_conn *c;
    sqlite3_stmt *st;
    uint64_t expect = after + 1;
    int n = 0, r = sql_read_begin(m, &c);

    if (r < 0)
        return r;
    r = sql_stmt(c,
                 "SELECT seq, ino, parent, kinds, seg, session FROM feed WHERE seq > ?"
                 " ORDER BY seq LIMIT ?",
                 &st);
    if (r == 0)
        r = sql_bind(st, "ui", after, (int64_t)max);
    while (r == 0 && (r = sql_step(st)) > 0) {
        struct meta_change change = {
            .seq = (uint64_t)sqlite3_column_int64(st, 0),
            .ino = (uint64_t)sqlite3_column_int64(st, 1),
            .parent = (uint64_t)sqlite3_column_int64(st, 2),
            .kinds = (unsigned)sqlite3_column_int64(st, 3),
            .seg = sqlite3_column_blob(st, 4),
            .seg_len = (size_t)sqlite3_column_bytes(st, 4),
            .own = (uint64_t)sqlite3_column_int64(st, 5) == e->session,
        };

        if (n == 0 && change.seq != expect) {
            r = -EOVERFLOW;
            break;
        }
        fn(arg, &change);
        n++;
        r = 0;
    }
    sqlite3_reset(st);
    sql_read_end(m, c);
    return r < 0 ? r : n;
}
