/* SPDX-License-Identifier: Apache-2.0 */
/* Views of the past: readers of their own, each set to one snapshot at a time. They need nothing that is not committed: the past does not change. */
#include "meta/snap/snap.h"

#include <errno.h>

#include "base/alloc.h"
#include "meta/engine.h"
#include "pcloud/err.h"

#define VIEWS 8

struct snap_view {
    struct sql_conn conn;
    struct snap_point at;
    bool used;
};

struct snap_views {
    pthread_mutex_t lock;
    pthread_cond_t back;
    struct snap_view views[VIEWS];
};

_Thread_local uint64_t snap_entered;

void snap_enter(uint64_t id)
{
    snap_entered = id;
}

void snap_leave(void)
{
    snap_entered = 0;
}

int snap_views_new(struct snap_views **ret)
{
    struct snap_views *v = mem_calloc(1, sizeof(*v));

    if (!v)
        return -ENOMEM;
    pthread_mutex_init(&v->lock, NULL);
    pthread_cond_init(&v->back, NULL);
    *ret = v;
    return 0;
}

void snap_views_free(struct snap_views *v)
{
    if (!v)
        return;
    for (unsigned i = 0; i < VIEWS; i++)
        conn_close(&v->views[i].conn);
    pthread_cond_destroy(&v->back);
    pthread_mutex_destroy(&v->lock);
    mem_free(v);
}

/* One that was at the same snapshot if there is one (its cached pages are of use), else any that is free. */
static struct snap_view *view_take(struct snap_views *v, uint64_t id)
{
    struct snap_view *w = NULL;

    pthread_mutex_lock(&v->lock);
    while (!w) {
        for (unsigned i = 0; i < VIEWS; i++)
            if (!v->views[i].used && (!w || v->views[i].at.id == id ||
                                      (w->at.id != id && !w->conn.db && v->views[i].conn.db)))
                w = &v->views[i];
        if (!w)
            pthread_cond_wait(&v->back, &v->lock);
    }
    w->used = true;
    pthread_mutex_unlock(&v->lock);
    return w;
}

static void view_give(struct snap_views *v, struct snap_view *w)
{
    pthread_mutex_lock(&v->lock);
    w->used = false;
    pthread_cond_signal(&v->back);
    pthread_mutex_unlock(&v->lock);
}

static int view_open(struct engine *e, struct snap_view *w)
{
    int rc = conn_open(e->vfs, e->path, &w->conn);

    if (rc == 0)
        rc = snap_vtab_make(&w->conn, &w->at);
    if (rc < 0)
        conn_close(&w->conn);
    return rc;
}

int snap_view_begin(struct engine *e, struct sql_conn **ret)
{
    uint64_t id = snap_entered;
    struct meta_snapshot s;
    struct snap_view *w = view_take(e->views, id);
    int rc = w->conn.db ? 0 : view_open(e, w);

    if (rc == 0)
        rc = sql_run(&w->conn, "BEGIN", "");
    if (rc >= 0) {
        rc = snap_by_id(&w->conn, id, &s);
        if (rc > 0) {
            w->at = (struct snap_point){id, s.next_id};
            *ret = &w->conn;
            return 0;
        }
        snap_view_end(e, &w->conn);
        return rc < 0 ? rc : pc_err_set(-ESTALE, "this snapshot has been removed");
    }
    view_give(e->views, w);
    return rc;
}

bool snap_view_end(struct engine *e, struct sql_conn *c)
{
    struct snap_views *v = e->views;
    struct snap_view *w = v->views;

    while (w < v->views + VIEWS && &w->conn != c)
        w++;
    if (w == v->views + VIEWS)
        return false;
    if (!sqlite3_get_autocommit(c->db) && sql_run(c, "COMMIT", "") < 0)
        conn_close(c); /* as other readers */
    view_give(v, w);
    return true;
}
