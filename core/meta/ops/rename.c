/* SPDX-License-Identifier: Apache-2.0 */
/* rename(2) and renameat2(2): edges move, nodes and what is below them stay. */
#include "meta/ops/link.h"
#include "meta/ops/ops.h"
#include "meta/tree/trash.h"
#include "meta/s3/past.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 1000000 /* a longer way up is a circle */

/* Everything a rename looks at. If the folders are one, only ${from} counts. */
struct move {
    struct row from, to;
    struct edge src, dst;
    struct row node, other; /* other: what the new name means now, if ${exists} */
    bool exists, same_folder;
};

static struct row *target_folder(struct move *v)
{
    return v->same_folder ? &v->from : &v->to;
}

int folder_is_above(struct sql_conn *c, uint64_t ino, uint64_t at)
{
    struct row r;

    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
        if (at == ino)
            return 1;
        if (at == PC_ROOT_INO)
            return 0;
        int rc = row_load(c, at, &r);

        if (rc < 0)
            return rc;
        at = r.parent;
    }
    return -ELOOP;
}

static int load(struct sql_conn *c, struct move *v, uint64_t parent, const char *name,
                uint64_t new_parent, const char *new_name)
{
    int rc = row_load_folder(c, parent, &v->from);

    v->same_folder = parent == new_parent;
    if (rc == 0 && !v->same_folder)
        rc = row_load_folder(c, new_parent, &v->to);
    if (rc < 0)
        return rc;
    rc = edge_by_name(c, parent, name, &v->src);
    if (rc <= 0)
        return rc < 0 ? rc : -ENOENT;
    rc = row_load(c, v->src.ino, &v->node);
    if (rc < 0)
        return rc;
    rc = edge_by_name(c, new_parent, new_name, &v->dst);
    if (rc < 0)
        return rc;
    v->exists = rc > 0;
    return v->exists ? row_load(c, v->dst.ino, &v->other) : 0;
}

static int check(struct sql_conn *c, struct move *v, const char *name, const char *new_name,
                 unsigned flags)
{
    uint64_t new_parent = target_folder(v)->ino;
    int rc;

    if (new_parent == PC_ROOT_INO && top_is_reserved(new_name))
        return -EPERM;
    if ((target_folder(v)->flags | v->node.flags) & ROW_TRASH)
        return -EPERM; /* nothing is brought into the trash, and its hours stay */
    if ((flags & PC_RENAME_EXCHANGE) && (v->from.flags & ROW_TRASH))
        return -EPERM;
    if ((flags & PC_RENAME_EXCHANGE) && !v->exists)
        return -ENOENT;
    if ((flags & PC_RENAME_NOREPLACE) && v->exists)
        return -EEXIST;
    if (v->src.folder && !v->same_folder) {
        rc = folder_is_above(c, v->src.ino, new_parent);
        if (rc != 0)
            return rc < 0 ? rc : -EINVAL;
    }
    rc = folder_may_move(c, &v->src, &v->node, new_parent, new_name);
    if (rc == 0 && v->exists)
        rc = folder_may_move(c, &v->dst, &v->other, v->from.ino,
                             flags & PC_RENAME_EXCHANGE ? name : new_name);
    if (rc < 0)
        return rc;
    if (flags & PC_RENAME_EXCHANGE) {
        if (!v->dst.folder || v->same_folder)
            return 0;
        rc = folder_is_above(c, v->dst.ino, v->from.ino);
        return rc > 0 ? -EINVAL : rc;
    }
    if (!v->exists)
        return 0;
    if (v->src.folder && !v->dst.folder)
        return -ENOTDIR;
    if (!v->src.folder && v->dst.folder)
        return -EISDIR;
    if (!v->dst.folder)
        return 0;
    rc = edge_any(c, v->dst.ino);
    if (rc == 0 && (v->other.flags & ROW_KEEPS))
        rc = past_any(c, v->dst.ino);
    return rc > 0 ? -ENOTEMPTY : rc;
}

/* Both folders changed. */
static int store_folders(struct sql_conn *c, struct move *v, int64_t now)
{
    int rc;

    v->from.mtime = v->from.ctime = now;
    v->from.flags &= ~(unsigned)ROW_IMPLICIT;
    rc = row_store(c, &v->from);
    if (rc < 0 || v->same_folder)
        return rc;
    v->to.mtime = v->to.ctime = now;
    v->to.flags &= ~(unsigned)ROW_IMPLICIT;
    return row_store(c, &v->to);
}

/* A name of it moved from one folder to another. */
static int store_node(struct sql_conn *c, struct row *r, uint64_t from, uint64_t to, int64_t now)
{
    int rc = link_move(c, r, from, to);

    r->ctime = now;
    return rc < 0 ? rc : row_store(c, r);
}

/* The entry takes the new name's place, and what was there goes. */
static int replace(struct meta *m, struct sql_conn *c, struct move *v, const char *new_name)
{
    struct row *to = target_folder(v);
    int64_t now = wall_ns();
    int kept = 0, rc = version_move(m, c, &v->src, &v->node, true);

    if (rc == 0)
        rc = edge_delete(c, v->src.parent, v->src.seg, v->src.len);
    if (rc == 0 && v->exists)
        rc = kept = version_leave(m, c, &v->dst, &v->other, false);
    if (rc >= 0 && v->exists) {
        rc = edge_point(c, v->dst.parent, v->dst.seg, v->dst.len, v->src.ino);
        if (rc == 0)
            rc = kept ? row_store(c, &v->other) : node_leave(m, c, &v->dst, &v->other);
        if (rc == 0 && (v->from.flags & ROW_TRASH))
            rc = row_load(c, v->from.ino, &v->from); /* the hour may have got what was there */
        to->nlink -= v->dst.folder;
    } else if (rc == 0) {
        v->dst.parent = to->ino;
        v->dst.folder = v->src.folder;
        v->dst.twin = false;
        rc = name_to_new_segment(new_name, v->src.folder, v->dst.seg, &v->dst.len);
        if (rc == 0)
            rc = edge_insert(c, to->ino, v->dst.seg, v->dst.len, v->src.ino);
    }
    if (rc < 0)
        return rc;
    v->from.nlink -= v->src.folder;
    to->nlink += v->src.folder;
    rc = v->node.flags & ROW_TRASHED ? trash_out(c, &v->node) : 0;
    if (rc == 0)
        rc = store_node(c, &v->node, v->from.ino, to->ino, now);
    if (rc == 0)
        rc = store_folders(c, v, now);
    if (rc == 0)
        rc = edge_feed(m, c, PC_CHANGE_ENTRY | PC_CHANGE_ATTR, &v->src);
    if (rc == 0 && v->exists)
        rc = sql_feed(m, c, PC_CHANGE_ATTR, v->dst.ino, 0, NULL, 0);
    v->dst.ino = v->src.ino;
    return rc < 0 ? rc : edge_feed(m, c, PC_CHANGE_ENTRY, &v->dst);
}

/* The segment of an edge when it names a node of the other kind. */
static void convert(const struct edge *e, bool folder, struct edge *ret)
{
    *ret = *e;
    if (folder == e->folder)
        return;
    ret->folder = folder;
    ret->twin = false;
    ret->len = folder ? e->len + 1 : e->len - 1;
    if (folder)
        ret->seg[e->len] = '/';
    ret->seg[ret->len] = '\0';
}

/* The edge ${e} goes, ${with} comes, which differs from it at most by its slash. */
static int turn(struct meta *m, struct sql_conn *c, const struct edge *e, const struct edge *with)
{
    uint64_t ino;
    int rc;

    if (e->len == with->len) {
        rc = edge_point(c, e->parent, e->seg, e->len, with->ino);
        return rc < 0 ? rc : edge_feed(m, c, PC_CHANGE_ENTRY | PC_CHANGE_ATTR, with);
    }
    if (with->len > SEGMENT_MAX)
        return -ENAMETOOLONG;
    rc = edge_find(c, with->parent, with->seg, with->len, &ino);
    if (rc != 0)
        return rc < 0 ? rc : -EEXIST; /* its twin is there */
    rc = edge_delete(c, e->parent, e->seg, e->len);
    if (rc == 0)
        rc = edge_insert(c, with->parent, with->seg, with->len, with->ino);
    if (rc == 0)
        rc = edge_feed(m, c, PC_CHANGE_ENTRY, e);
    return rc < 0 ? rc : edge_feed(m, c, PC_CHANGE_ENTRY | PC_CHANGE_ATTR, with);
}

static int exchange(struct meta *m, struct sql_conn *c, struct move *v)
{
    struct row *to = target_folder(v);
    struct edge here, there;
    int64_t now = wall_ns();
    int rc = version_move(m, c, &v->src, &v->node, false);

    if (rc == 0)
        rc = version_move(m, c, &v->dst, &v->other, false);
    if (rc < 0)
        return rc;
    convert(&v->src, v->dst.folder, &here);
    convert(&v->dst, v->src.folder, &there);
    here.ino = v->dst.ino;
    there.ino = v->src.ino;
    rc = turn(m, c, &v->src, &here);
    if (rc == 0)
        rc = turn(m, c, &v->dst, &there);
    if (rc < 0)
        return rc;
    v->from.nlink = v->from.nlink - v->src.folder + v->dst.folder;
    to->nlink = to->nlink - v->dst.folder + v->src.folder;
    rc = store_node(c, &v->node, v->from.ino, to->ino, now);
    if (rc == 0)
        rc = store_node(c, &v->other, to->ino, v->from.ino, now);
    return rc < 0 ? rc : store_folders(c, v, now);
}

static int rename_in(struct meta *m, struct sql_conn *c, uint64_t parent, const char *name,
                     uint64_t new_parent, const char *new_name, unsigned flags)
{
    struct move v;
    int rc;

    if ((flags & ~(unsigned)(PC_RENAME_NOREPLACE | PC_RENAME_EXCHANGE)) ||
        flags == (PC_RENAME_NOREPLACE | PC_RENAME_EXCHANGE))
        return -EINVAL;
    rc = load(c, &v, parent, name, new_parent, new_name);
    if (rc < 0)
        return rc;
    if (v.exists && v.src.ino == v.dst.ino && !(flags & PC_RENAME_NOREPLACE))
        return 0; /* itself, or another link of the same file: nothing is to be done */
    rc = check(c, &v, name, new_name, flags);
    if (rc < 0)
        return rc;
    return flags & PC_RENAME_EXCHANGE ? exchange(m, c, &v) : replace(m, c, &v, new_name);
}

int op_rename(struct meta *m, uint64_t parent, const char *name, uint64_t new_parent,
              const char *new_name, unsigned flags)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    if (rc < 0)
        return rc;
    return sql_write_end(m, c, rename_in(m, c, parent, name, new_parent, new_name, flags));
}
