/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the past: turned here, and nowhere else, into a snapshot and a number in it; what reads is asked of that snapshot, what changes is refused. */
#include "meta/snap/snap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "meta/content.h"
#include "meta/node.h"
#include "meta/ops/row.h"
#include "pcloud/err.h"

#define NODE_MASK ((UINT64_C(1) << PC_SNAPSHOT_SHIFT) - 1)

static bool is_list(uint64_t ino)
{
    return (ino & PC_SNAPSHOT_FOLDERS) != 0;
}

static uint64_t node_of(uint64_t ino)
{
    return ino & NODE_MASK;
}

/* Read the past of which ${ino} is; end with snap_leave. */
static uint64_t enter(uint64_t ino)
{
    snap_enter(ino >> PC_SNAPSHOT_SHIFT);
    return node_of(ino);
}

static void stamp(uint64_t of, struct pc_attr *attr)
{
    attr->ino |= of & ~NODE_MASK;
}

/* A folder of snapshots: it looks like the folder that it is of, and changes when one is taken or removed. */
static int list_attr(struct meta *m, uint64_t ino, struct pc_attr *attr)
{
    static const char sql[] = "SELECT coalesce(max(taken), 0) FROM snapshot WHERE gone=0";
    struct sql_conn *c;
    sqlite3_stmt *st;
    int rc = sql_node_ops.getattr(m, node_of(ino), attr);

    if (rc < 0)
        return rc;
    if (!S_ISDIR(attr->mode))
        return -ENOENT;
    rc = sql_read_begin(m, &c);
    if (rc < 0)
        return rc;
    rc = sql_one(c, sql, &st, "");
    if (rc > 0) {
        struct timespec taken = ns_to(sqlite3_column_int64(st, 0));

        if (taken.tv_sec > attr->btime.tv_sec)
            attr->mtime = attr->ctime = taken;
        sqlite3_reset(st);
    }
    sql_read_end(m, c);
    attr->ino = ino;
    attr->mode = S_IFDIR | 0555;
    attr->nlink = 2;
    attr->size = attr->used = 0;
    attr->has = 0;
    return rc < 0 ? rc : 0;
}

static int past_getattr(struct meta *m, uint64_t ino, struct pc_attr *attr)
{
    int rc;

    if (!pc_is_snapshot(ino))
        return sql_node_ops.getattr(m, ino, attr);
    if (is_list(ino))
        return list_attr(m, ino, attr);
    rc = sql_node_ops.getattr(m, enter(ino), attr);
    snap_leave();
    if (rc == 0)
        stamp(ino, attr);
    return rc;
}

static int lookup_snapshot(struct meta *m, uint64_t list, const char *name, struct pc_attr *attr)
{
    struct pc_snapshot s;
    int rc;

    if (strlen(name) > PC_SNAPSHOT_NAME_MAX)
        return -ENOENT;
    rc = meta_snapshot_find(m, name, &s);
    if (rc == 0)
        rc = past_getattr(m, s.id << PC_SNAPSHOT_SHIFT | node_of(list), attr);
    if (rc == 0 && !S_ISDIR(attr->mode))
        rc = -ENOENT;
    return rc == -ESTALE ? -ENOENT : rc;
}

static bool is_snapshots(uint64_t parent, const char *name)
{
    return parent == PC_ROOT_INO && name[0] == '.' && strcmp(name, PC_SNAPSHOTS) == 0;
}

static int past_lookup(struct meta *m, uint64_t parent, const char *name, struct pc_attr *attr)
{
    int rc;

    if (!pc_is_snapshot(parent)) {
        if (is_snapshots(parent, name))
            return list_attr(m, pc_snapshots_of(parent), attr);
        return sql_node_ops.lookup(m, parent, name, attr);
    }
    if (is_list(parent))
        return lookup_snapshot(m, parent, name, attr);
    rc = sql_node_ops.lookup(m, enter(parent), name, attr);
    snap_leave();
    if (rc == 0)
        stamp(parent, attr);
    return rc;
}

static int past_parent(struct meta *m, uint64_t ino, uint64_t *ret_parent)
{
    uint64_t parent;
    int rc;

    if (!pc_is_snapshot(ino))
        return sql_node_ops.parent(m, ino, ret_parent);
    if (is_list(ino) || node_of(ino) == PC_ROOT_INO) {
        *ret_parent = is_list(ino) ? node_of(ino) : pc_snapshots_of(PC_ROOT_INO);
        return 0;
    }
    rc = sql_node_ops.parent(m, enter(ino), &parent);
    snap_leave();
    if (rc == 0)
        *ret_parent = parent | (ino & ~NODE_MASK);
    return rc;
}

static int past_setattr(struct meta *m, uint64_t ino, unsigned set, const struct pc_attr *in,
                        struct pc_attr *attr)
{
    return pc_is_snapshot(ino) ? -EROFS : sql_node_ops.setattr(m, ino, set, in, attr);
}

static int past_make(struct meta *m, uint64_t parent, const char *name, const struct pc_make *make,
                     struct pc_attr *attr)
{
    return pc_is_snapshot(parent) ? -EROFS : sql_node_ops.make(m, parent, name, make, attr);
}

static int past_unlink(struct meta *m, uint64_t parent, const char *name)
{
    if (pc_is_snapshot(parent))
        return -EROFS;
    return sql_node_ops.unlink(m, parent, name);
}

static int past_rmdir(struct meta *m, uint64_t parent, const char *name)
{
    if (pc_is_snapshot(parent) || is_snapshots(parent, name))
        return -EROFS;
    return sql_node_ops.rmdir(m, parent, name);
}

static int past_rename(struct meta *m, uint64_t parent, const char *name, uint64_t new_parent,
                       const char *new_name, unsigned flags)
{
    if (pc_is_snapshot(parent | new_parent) || is_snapshots(parent, name))
        return -EROFS;
    return sql_node_ops.rename(m, parent, name, new_parent, new_name, flags);
}

static int past_link(struct meta *m, uint64_t ino, uint64_t parent, const char *name,
                     struct pc_attr *attr)
{
    if (pc_is_snapshot(ino | parent))
        return pc_is_snapshot(parent) ? -EROFS : -EXDEV;
    return sql_node_ops.link(m, ino, parent, name, attr);
}

static ssize_t past_readlink(struct meta *m, uint64_t ino, char *buf, size_t cap)
{
    ssize_t n;

    if (!pc_is_snapshot(ino))
        return sql_node_ops.readlink(m, ino, buf, cap);
    if (is_list(ino))
        return -EINVAL;
    n = sql_node_ops.readlink(m, enter(ino), buf, cap);
    snap_leave();
    return n;
}

/* A page of a folder of the past. */
struct page {
    struct meta *m;
    uint64_t ino;
    int (*fn)(void *arg, const struct meta_entry *e);
    void *arg;
};

static int give(void *arg, const struct meta_entry *e)
{
    struct page *p = arg;
    struct meta_entry shown = *e;

    stamp(p->ino, &shown.attr);
    return p->fn(p->arg, &shown);
}

/* The names of a page of a folder of snapshots; attributes are asked for when no view is open. */
static int list_names(struct meta *m, const char *after, unsigned max, char (*names)[256])
{
    static const char sql[] = "SELECT name FROM snapshot WHERE gone=0 AND name>?1 ORDER BY name";
    unsigned n = 0;
    struct sql_conn *c;
    sqlite3_stmt *st;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = sql_stmt(c, sql, &st);
    if (rc == 0) {
        rc = sql_bind(st, "t", after);
        while (rc >= 0 && n < max && (rc = sql_step(st)) > 0)
            (void)snprintf(names[n++], sizeof(names[0]), "%s",
                           (const char *)sqlite3_column_text(st, 0));
        sqlite3_reset(st);
    }
    sql_read_end(m, c);
    return rc < 0 ? rc : (int)n;
}

#define LIST_PAGE 16

static int list_page(const struct page *p, const char *after, size_t after_len, unsigned max)
{
    char names[LIST_PAGE][256], from[256] = "";
    unsigned given = 0;
    int n, rc = 0;

    if (after_len > sizeof(from))
        return -EINVAL;
    if (after_len > 0)
        memcpy(from, after, after_len - 1); /* without its slash */
    do {
        n = list_names(p->m, from, LIST_PAGE, names);
        for (int i = 0; i < n && rc == 0 && given < max; i++) {
            struct meta_entry e = {.name = names[i]};
            char seg[258];

            memcpy(from, names[i], sizeof(from));
            rc = lookup_snapshot(p->m, p->ino, names[i], &e.attr);
            if (rc == -ENOENT) { /* the folder was not there then */
                rc = 0;
                continue;
            }
            e.seg = seg;
            e.seg_len = (size_t)snprintf(seg, sizeof(seg), "%s/", names[i]);
            if (rc == 0) {
                rc = p->fn(p->arg, &e);
                given++;
            }
        }
    } while (n == LIST_PAGE && rc == 0 && given < max);
    return n < 0 ? n : rc < 0 ? rc : (int)given;
}

static int past_dir_page(struct meta *m, uint64_t ino, const char *after, size_t after_len,
                         unsigned max, int (*fn)(void *arg, const struct meta_entry *e), void *arg)
{
    struct page p = {m, ino, fn, arg};
    int rc;

    if (!pc_is_snapshot(ino))
        return sql_node_ops.dir_page(m, ino, after, after_len, max, fn, arg);
    if (is_list(ino))
        return list_page(&p, after, after_len, max);
    rc = sql_node_ops.dir_page(m, enter(ino), after, after_len, max, give, &p);
    snap_leave();
    return rc;
}

static ssize_t past_xattr_get(struct meta *m, uint64_t ino, const char *name, void *buf, size_t cap)
{
    ssize_t n;

    if (!pc_is_snapshot(ino))
        return sql_node_ops.xattr_get(m, ino, name, buf, cap);
    if (is_list(ino))
        return -ENODATA;
    n = sql_node_ops.xattr_get(m, enter(ino), name, buf, cap);
    snap_leave();
    return n;
}

static int past_xattr_set(struct meta *m, uint64_t ino, const char *name, const void *value,
                          size_t len, int flags)
{
    return pc_is_snapshot(ino) ? -EROFS : sql_node_ops.xattr_set(m, ino, name, value, len, flags);
}

static int past_xattr_remove(struct meta *m, uint64_t ino, const char *name)
{
    return pc_is_snapshot(ino) ? -EROFS : sql_node_ops.xattr_remove(m, ino, name);
}

static ssize_t past_xattr_list(struct meta *m, uint64_t ino, char *buf, size_t cap)
{
    ssize_t n;

    if (!pc_is_snapshot(ino))
        return sql_node_ops.xattr_list(m, ino, buf, cap);
    if (is_list(ino))
        return 0;
    n = sql_node_ops.xattr_list(m, enter(ino), buf, cap);
    snap_leave();
    return n;
}

/* "/.snapshots/NAME" and the path within. */
static int past_path(struct meta *m, uint64_t ino, char *buf, size_t cap)
{
    struct meta_snapshot s;
    struct sql_conn *c;
    size_t len;
    int rc;

    if (!pc_is_snapshot(ino))
        return sql_node_ops.path(m, ino, buf, cap);
    if (is_list(ino))
        return snprintf(buf, cap, "/" PC_SNAPSHOTS) < (int)cap ? 0 : -ERANGE;
    rc = sql_read_begin(m, &c);
    if (rc < 0)
        return rc;
    rc = snap_by_id(c, ino >> PC_SNAPSHOT_SHIFT, &s);
    sql_read_end(m, c);
    if (rc <= 0)
        return rc < 0 ? rc : -ESTALE;
    len = (size_t)snprintf(buf, cap, "/" PC_SNAPSHOTS "/%s", s.pub.name);
    if (len + 2 > cap)
        return -ERANGE;
    rc = sql_node_ops.path(m, enter(ino), buf + len, cap - len);
    snap_leave();
    return rc;
}

static int past_block_users(struct meta *m, uint64_t bid, unsigned max,
                            void (*fn)(void *arg, uint64_t ino), void *arg)
{
    static const char sql[] =
        "SELECT DISTINCT w.ino, w.snap FROM slice_was w CROSS JOIN snapshot s ON s.id=w.snap "
        "WHERE w.bid=?1 AND w.bid > 0 AND s.gone=0 LIMIT ?2";
    struct sql_conn *c;
    sqlite3_stmt *st;
    int n = sql_node_ops.block_users(m, bid, max, fn, arg), rc;

    if (n < 0 || (unsigned)n >= max)
        return n;
    rc = sql_read_begin(m, &c);
    if (rc < 0)
        return rc;
    rc = sql_stmt(c, sql, &st);
    if (rc == 0) {
        rc = sql_bind(st, "uu", bid, (uint64_t)(max - (unsigned)n));
        while (rc >= 0 && (rc = sql_step(st)) > 0) {
            n++;
            fn(arg, col_u(st, 1) << PC_SNAPSHOT_SHIFT | col_u(st, 0));
        }
        sqlite3_reset(st);
    }
    sql_read_end(m, c);
    return rc < 0 ? rc : n;
}

static int past_make_unnamed(struct meta *m, uint64_t parent, const struct pc_make *make,
                             struct pc_attr *attr)
{
    return pc_is_snapshot(parent) ? -EROFS : sql_node_ops.make_unnamed(m, parent, make, attr);
}

/* (restoring has its own way) */
static int past_clone_begin(struct meta *m, uint64_t src, uint64_t parent, const char *name,
                            struct meta_clone **ret)
{
    if (pc_is_snapshot(src | parent))
        return pc_is_snapshot(parent) ? -EROFS : -EXDEV;
    return sql_node_ops.clone_begin(m, src, parent, name, ret);
}

void snap_ops(struct meta_node_ops *node, struct meta_content_ops *content)
{
    *node = sql_node_ops;
    node->lookup = past_lookup;
    node->getattr = past_getattr;
    node->parent = past_parent;
    node->setattr = past_setattr;
    node->make = past_make;
    node->unlink = past_unlink;
    node->rmdir = past_rmdir;
    node->rename = past_rename;
    node->link = past_link;
    node->readlink = past_readlink;
    node->dir_page = past_dir_page;
    node->xattr_get = past_xattr_get;
    node->xattr_set = past_xattr_set;
    node->xattr_remove = past_xattr_remove;
    node->xattr_list = past_xattr_list;
    node->path = past_path;
    node->block_users = past_block_users;
    node->make_unnamed = past_make_unnamed;
    node->clone_begin = past_clone_begin;
    snap_content_ops(content);
}
