/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: operations in savepoints, and the commit that ends them. */
#include "meta/engine.h"

#include "pcloud/err.h"

#include <stdio.h>
#include <sys/statvfs.h>

#define ID_STEP 4096

static int room_check(struct engine *e)
{
    struct statvfs st;

    if (e->reserve_bytes == 0 || statvfs(e->dir, &st) != 0)
        return 0;
    if ((uint64_t)st.f_bavail * st.f_frsize >= e->reserve_bytes)
        return 0;
    return pc_err_set(-ENOSPC, "less than %llu bytes of disk are free at %s; free some space",
                      (unsigned long long)e->reserve_bytes, e->dir);
}

int sql_write_begin(struct meta *m, enum sql_room room, struct sql_conn **ret)
{
    struct engine *e = engine_of(m);
    int r = room == SQL_NEEDS_ROOM ? room_check(e) : 0;

    if (r < 0)
        return r;
    pthread_mutex_lock(&e->lock);
    r = sql_run(&e->writer, "BEGIN IMMEDIATE", "");
    if (r < 0) {
        pthread_mutex_unlock(&e->lock);
        return r;
    }
    e->change++;
    e->barrier_needed = false;
    *ret = &e->writer;
    return 0;
}

static int commit(struct engine *e)
{
    int r = 0;

    if (e->barrier_needed && e->data_barrier)
        r = e->data_barrier(e->barrier_arg);
    if (r == 0)
        r = totals_write(e, &e->writer);
    if (r == 0)
        r = setting_set(&e->writer, "change", (int64_t)e->change);
    if (r == 0)
        r = setting_set(&e->writer, "feed", (int64_t)e->feed_next - 1);
    if (r == 0)
        r = sql_run(&e->writer, "COMMIT", "");
    return r < 0 ? r : 0;
}

int sql_write_end(struct meta *m, struct sql_conn *c, int rc)
{
    struct engine *e = engine_of(m);
    int r = rc < 0 ? rc : commit(e);

    if (r < 0) {
        for (int i = 0; i < SQL_TOTALS; i++)
            e->totals[i] = 0;
        e->feed_next = e->feed_end + 1;
        e->next_id_end = e->next_id; /* the row may be back at an older bound */
        if (!sqlite3_get_autocommit(c->db))
            sql_run(c, "ROLLBACK", "");
    } else {
        feed_publish(e, e->feed_next - 1);
    }
    pthread_mutex_unlock(&e->lock);
    return r < 0 ? r : rc;
}

void sql_needs_barrier(struct meta *m)
{
    engine_of(m)->barrier_needed = true;
}

int sql_read_begin(struct meta *m, struct sql_conn **ret)
{
    struct engine *e = engine_of(m);
    int r;

    pthread_mutex_lock(&e->lock);
    r = sql_run(&e->writer, "BEGIN", "");
    if (r < 0) {
        pthread_mutex_unlock(&e->lock);
        return r;
    }
    *ret = &e->writer;
    return 0;
}

void sql_read_end(struct meta *m, struct sql_conn *c)
{
    sql_run(c, "COMMIT", "");
    pthread_mutex_unlock(&engine_of(m)->lock);
}

int meta_flush(struct meta *m)
{
    (void)m;
    return 0;
}

int meta_sync(struct meta *m)
{
    struct engine *e = engine_of(m);
    int rc;

    pthread_mutex_lock(&e->lock);
    rc = sqlite3_wal_checkpoint_v2(e->writer.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    pthread_mutex_unlock(&e->lock);
    return sql_code(rc);
}

uint64_t sql_next_id(struct meta *m)
{
    struct engine *e = engine_of(m);

    if (e->next_id == e->next_id_end &&
        setting_set(&e->writer, "next_id", (int64_t)(e->next_id + ID_STEP)) == 0)
        e->next_id_end = e->next_id + ID_STEP;
    return e->next_id++;
}
