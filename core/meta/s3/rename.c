/* SPDX-License-Identifier: Apache-2.0 */
/* An object gets another key of its bucket: its edge moves, in one step, whatever its size. */
#include "meta/ops/link.h"
#include "meta/ops/ops.h"
#include "meta/tree/trash.h"
#include "meta/s3/past.h"

#include <errno.h>
#include <string.h>

#include "pcloud/err.h"

/* One of the two keys, and what lies there. */
struct end {
    struct key_path path;
    struct object object; /* row.ino 0: nothing; of the new key it may be what is no object */
    struct edge edge;
};

static int find_source(struct sql_conn *c, const struct meta_key *k,
                       const struct pc_condition *cond, struct end *e)
{
    struct row bucket;
    int found = key_walk(c, k, &e->path), rc;

    if (found > 0 && key_is_folder(&e->path))
        return -EINVAL;
    if (found > 0)
        found = object_find(c, &e->path, &e->object);
    if (found <= 0)
        return found < 0 ? found : -ENOENT;
    rc = object_meets(&e->object, cond);
    if (rc == 0)
        rc = row_load(c, e->path.bucket, &bucket);
    if (rc == 0 && (bucket.flags & ROW_KEEPS))
        rc = pc_err_set(PC_EBUCKETSTATE, "a version keeps its key: copy it, then delete it");
    return rc < 0 ? rc : key_edge(c, &e->path, e->object.row.ino, &e->edge);
}

static int find_target(struct meta *m, struct sql_conn *c, const struct meta_key *k,
                       const struct pc_condition *cond, struct end *e)
{
    int found, rc = key_make(m, c, k, &e->path);

    if (rc == 0 && key_is_folder(&e->path))
        rc = -EINVAL;
    if (rc == 0)
        rc = key_edge(c, &e->path, 0, &e->edge);
    if (rc < 0)
        return rc;
    found = e->edge.ino ? object_find(c, &e->path, &e->object) : 0;
    return found < 0 ? found : object_meets(found ? &e->object : NULL, cond);
}

/* The entry of a folder changed. */
static int touch(struct sql_conn *c, const struct edge *e, bool came)
{
    struct row r;
    int rc = row_load(c, e->parent, &r);

    if (rc < 0)
        return rc;
    r.mtime = r.ctime = wall_ns();
    if (came && e->twin)
        r.flags |= ROW_TWINS;
    return row_store(c, &r);
}

static int move(struct meta *m, struct sql_conn *c, struct end *from, struct end *to)
{
    struct row *r = &from->object.row;
    uint64_t old = to->edge.ino;
    int rc = edge_delete(c, from->edge.parent, from->edge.seg, from->edge.len);

    to->edge.ino = r->ino;
    if (rc == 0 && old) {
        rc = edge_point(c, to->edge.parent, to->edge.seg, to->edge.len, r->ino);
        if (rc == 0)
            rc = node_leave(m, c, &to->edge, &to->object.row);
        if (rc == 0)
            rc = sql_feed(m, c, PC_CHANGE_ATTR, old, 0, NULL, 0);
    } else if (rc == 0) {
        rc = edge_insert(c, to->edge.parent, to->edge.seg, to->edge.len, r->ino);
    }
    if (rc == 0)
        rc = link_move(c, r, from->edge.parent, to->edge.parent);
    r->ctime = wall_ns();
    if (rc == 0)
        rc = row_store(c, r);
    if (rc == 0)
        rc = touch(c, &from->edge, false);
    if (rc == 0)
        rc = touch(c, &to->edge, true);
    if (rc == 0)
        rc = edge_feed(m, c, PC_CHANGE_ENTRY | PC_CHANGE_ATTR, &from->edge);
    if (rc == 0)
        rc = edge_feed(m, c, PC_CHANGE_ENTRY, &to->edge);
    return rc < 0 ? rc : key_prune(m, c, &from->path);
}

static int rename_in(struct meta *m, struct sql_conn *c, const struct meta_key *src,
                     const struct pc_condition *src_cond, const struct meta_key *dst,
                     const struct pc_condition *cond, struct end *from, struct end *to)
{
    int rc = find_source(c, src, src_cond, from);

    if (rc == 0)
        rc = find_target(m, c, dst, cond, to);
    if (rc < 0 || from->object.row.ino == to->edge.ino)
        return rc; /* itself, or another name of the same file */
    return move(m, c, from, to);
}

int op_object_rename(struct meta *m, const struct meta_key *src,
                     const struct pc_condition *src_cond, const struct meta_key *dst,
                     const struct pc_condition *cond)
{
    struct end from = {.object = {.has_row = false}}, to = {.object = {.has_row = false}};
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    if (rc < 0)
        return rc;
    return sql_write_end(m, c, rename_in(m, c, src, src_cond, dst, cond, &from, &to));
}
