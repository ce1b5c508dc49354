/* SPDX-License-Identifier: Apache-2.0 */
/* What operations owe to the quotas above: noted row by row, checked and written at their end. */
#include "meta/ops/quota.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "pcloud/err.h"

#define FIRST 16

uint64_t quota_move_max = 16384;

struct due {
    struct quota_at at;
    int64_t bytes, nodes; /* what the operation adds */
};

struct quota_op {
    struct due *v;
    size_t n, cap;
};

struct quota_op *quota_op_new(void)
{
    return mem_calloc(1, sizeof(struct quota_op));
}

void quota_op_free(struct quota_op *q)
{
    if (!q)
        return;
    mem_free(q->v);
    mem_free(q);
}

void quota_begin(struct quota_op *q)
{
    q->n = 0;
}

int quota_at(struct sql_conn *c, uint64_t ino, struct quota_at *ret)
{
    static const char sql[] = "SELECT n.parent, q.bytes, q.nodes, q.bytes_max, q.nodes_max, "
                              "q.cursor, n.nlink FROM node n LEFT JOIN quota q ON q.ino=n.ino "
                              "WHERE n.ino=?1";
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "u", ino);

    if (rc <= 0)
        return rc;
    *ret = (struct quota_at){
        .ino = ino,
        .parent = col_u(st, 0),
        .has = sqlite3_column_type(st, 5) != SQLITE_NULL,
        .is_last = ino == PC_ROOT_INO || col_u(st, 6) == 0,
    };
    if (ret->has) {
        ret->bytes = sqlite3_column_int64(st, 1);
        ret->nodes = sqlite3_column_int64(st, 2);
        ret->bytes_max = sqlite3_column_int64(st, 3);
        ret->nodes_max = sqlite3_column_int64(st, 4);
        ret->cursor = sqlite3_column_int64(st, 5);
    }
    sqlite3_reset(st);
    return 1;
}

static int due_add(struct quota_op *q, const struct quota_at *at, int64_t bytes, int64_t nodes)
{
    size_t i = 0;

    while (i < q->n && q->v[i].at.ino != at->ino)
        i++;
    if (i == q->n) {
        if (q->n == q->cap) {
            size_t cap = q->cap ? 2 * q->cap : FIRST;
            struct due *v = mem_realloc(q->v, cap * sizeof(*v));

            if (!v)
                return -ENOMEM;
            q->v = v;
            q->cap = cap;
        }
        q->v[q->n++] = (struct due){.at = *at};
    }
    q->v[i].bytes += bytes;
    q->v[i].nodes += nodes;
    return 0;
}

/* A change of node ${ino}, for every quota from its folder up. */
static int above_add(struct sql_conn *c, uint64_t ino, uint64_t folder, int64_t bytes,
                     int64_t nodes)
{
    struct quota_at at;

    for (unsigned depth = 0; depth < QUOTA_DEPTH_MAX; depth++) {
        int rc = quota_at(c, folder, &at);

        if (rc <= 0)
            return rc;
        if (at.has && (int64_t)ino <= at.cursor)
            rc = due_add(c->quota, &at, bytes, nodes);
        if (rc < 0 || at.is_last)
            return rc < 0 ? rc : 0;
        folder = at.parent;
    }
    return -ELOOP;
}

/* The quotas from a folder up: in ${q}, which begins empty. */
static int above_list(struct sql_conn *c, uint64_t folder, struct quota_op *q)
{
    struct quota_at at;

    for (unsigned depth = 0; depth < QUOTA_DEPTH_MAX; depth++) {
        int rc = quota_at(c, folder, &at);

        if (rc <= 0)
            return rc;
        if (at.has)
            rc = due_add(q, &at, 0, 0);
        if (rc < 0 || at.is_last)
            return rc < 0 ? rc : 0;
        folder = at.parent;
    }
    return -ELOOP;
}

int quota_usage(struct sql_conn *c, uint64_t ino, int64_t cursor, uint64_t max,
                struct quota_sum *ret)
{
    static const char sql[] =
        QUOTA_SUM("count(*), coalesce(sum(used), 0)", "?1", "?2", " LIMIT ?3");
    uint64_t limit = max < INT64_MAX ? max + 1 : INT64_MAX;
    struct quota_sum sum;
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "uiu", ino, cursor, limit);

    if (rc <= 0)
        return rc < 0 ? rc : -EIO;
    sum.nodes = sqlite3_column_int64(st, 0);
    sum.bytes = sqlite3_column_int64(st, 1);
    sqlite3_reset(st);
    if ((uint64_t)sum.nodes > max)
        return -EXDEV;
    *ret = sum;
    return 0;
}

/* What is below a folder that moves, for one quota. */
static int below(struct sql_conn *c, uint64_t ino, const struct quota_at *for_whom,
                 struct quota_sum *ret)
{
    struct quota_at own;
    int rc = quota_at(c, ino, &own);

    if (rc < 0)
        return rc;
    if (rc > 0 && own.has && own.cursor == QUOTA_COUNTED && for_whom->cursor == QUOTA_COUNTED) {
        *ret = (struct quota_sum){own.bytes, own.nodes};
        return 0;
    }
    rc = quota_usage(c, ino, for_whom->cursor, quota_move_max, ret);
    if (rc == -EXDEV)
        pc_err_set(rc, "more than %llu entries would have to be counted for other quotas: copy it",
                   (unsigned long long)quota_move_max);
    return rc;
}

/* Add what is below the folder to those of ${in} that are not in ${out}. */
static int below_add(struct sql_conn *c, uint64_t ino, const struct quota_op *in,
                     const struct quota_op *out, int sign)
{
    struct quota_sum sum;

    for (size_t i = 0; i < in->n; i++) {
        const struct quota_at *at = &in->v[i].at;
        size_t k = 0;
        int rc;

        while (k < out->n && out->v[k].at.ino != at->ino)
            k++;
        if (k < out->n)
            continue;
        rc = below(c, ino, at, &sum);
        if (rc == 0)
            rc = due_add(c->quota, at, sign * sum.bytes, sign * sum.nodes);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* A folder has another parent, or its first link: what is below it goes along. */
static int folder_moves(struct sql_conn *c, const struct row *r)
{
    struct quota_op old = {0}, new = {0};
    uint64_t ino = r->ino;
    int rc = r->counted.linked ? above_list(c, r->counted.parent, &old) : 0;

    if (rc == 0)
        rc = above_list(c, r->parent, &new);
    if (rc == 0)
        rc = below_add(c, ino, &old, &new, -1);
    if (rc == 0)
        rc = below_add(c, ino, &new, &old, 1);
    mem_free(old.v);
    mem_free(new.v);
    return rc;
}

int quota_changed(struct sql_conn *c, struct row *r, bool is_new)
{
    bool linked = quota_counts(r), was = r->counted.linked;
    uint64_t parent = r->counted.parent;
    int64_t used = (int64_t)r->used, old = (int64_t)r->counted.used;
    int rc = 0;

    if (r->ino == PC_ROOT_INO)
        return 0;
    if (was && linked && parent == r->parent) {
        if (used != old)
            rc = above_add(c, r->ino, parent, used - old, 0);
    } else {
        if (linked && S_ISDIR(r->mode) && !is_new)
            rc = folder_moves(c, r);
        if (rc == 0 && was)
            rc = above_add(c, r->ino, parent, -old, -1);
        if (rc == 0 && linked)
            rc = above_add(c, r->ino, r->parent, used, 1);
    }
    if (rc < 0)
        return rc;
    r->counted.used = r->used;
    r->counted.parent = r->parent;
    r->counted.linked = linked;
    return 0;
}

static int exceeded(struct sql_conn *c, const struct due *d)
{
    char path[512];
    bool bytes = d->bytes > 0 && d->bytes > d->at.bytes_max - d->at.bytes;

    if (node_path(c, d->at.ino, path, sizeof(path)) < 0)
        memcpy(path, "?", 2);
    if (bytes)
        return pc_err_set(-EDQUOT, "the quota of %s is used up: %lld of %lld bytes, and %lld more",
                          path, (long long)d->at.bytes, (long long)d->at.bytes_max,
                          (long long)d->bytes);
    return pc_err_set(-EDQUOT, "the quota of %s is used up: %lld of %lld files and folders", path,
                      (long long)d->at.nodes, (long long)d->at.nodes_max);
}

static bool is_over(const struct due *d)
{
    return (d->bytes > 0 && d->bytes > d->at.bytes_max - d->at.bytes) ||
           (d->nodes > 0 && d->nodes > d->at.nodes_max - d->at.nodes);
}

int quota_fits(struct sql_conn *c, uint64_t folder, int64_t bytes)
{
    struct quota_op above = {0};
    int rc = above_list(c, folder, &above);

    for (size_t i = 0; i < above.n && rc == 0; i++) {
        above.v[i].bytes = bytes;
        if (is_over(&above.v[i]))
            rc = exceeded(c, &above.v[i]);
    }
    mem_free(above.v);
    return rc;
}

int quota_end(struct sql_conn *c)
{
    static const char sql[] = "UPDATE quota SET bytes=bytes+?2, nodes=nodes+?3 WHERE ino=?1";
    const struct quota_op *q = c->quota;
    int rc = 0;

    for (size_t i = 0; i < q->n; i++) {
        if (is_over(&q->v[i]))
            return exceeded(c, &q->v[i]);
    }
    for (size_t i = 0; i < q->n && rc >= 0; i++)
        if (q->v[i].bytes != 0 || q->v[i].nodes != 0)
            rc = sql_run(c, sql, "uii", q->v[i].at.ino, q->v[i].bytes, q->v[i].nodes);
    return rc < 0 ? rc : 0;
}

int quota_aside(struct sql_conn *c, uint64_t ino)
{
    static const char sql[] = "INSERT INTO quota VALUES(?1, ?2, ?2, 0, 0, ?2)";
    int rc = c->quota ? sql_run(c, sql, "ui", ino, (int64_t)PC_QUOTA_NONE) : 0;

    return rc < 0 ? rc : 0;
}

int quota_forget(struct sql_conn *c, uint64_t ino)
{
    static const char sql[] = "DELETE FROM quota WHERE ino=?1";
    int rc = sql_run(c, sql, "u", ino);

    return rc < 0 ? rc : 0;
}

int quota_any(struct sql_conn *c)
{
    static const char sql[] = "SELECT 1 FROM quota LIMIT 1";
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "");

    if (rc > 0)
        sqlite3_reset(st);
    return rc;
}
