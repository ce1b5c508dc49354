/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the tables node and edge in memory: read, written, found by name. */
#ifndef META_OPS_ROW_H
#define META_OPS_ROW_H

#include "meta/node.h"
#include "meta/sql.h"
#include "tree/segment.h"

/* node.flags: what else there is of a node, so that nobody seeks in vain. Kept in docs/FORMATS.md. */
enum row_flag {
    ROW_IMPLICIT = 1, /* a folder that S3 made on the way to a key: it goes with its last entry */
    ROW_TWINS = 2,  /* a folder in which a file and a folder of equal base may be (never cleared) */
    ROW_INLINE = 4, /* a row in inline */
    ROW_SLICES = 8, /* may have rows in slice */
    ROW_XATTR = 16, /* may have rows in xattr */
    ROW_OBJECT = 32,      /* a row in object; of a folder: it is a key */
    ROW_BUCKET = 64,      /* a row in bucket */
    ROW_PART = 128,       /* a part of an upload: no edge, no link */
    ROW_VERSION = 256,    /* its row in object has a version id */
    ROW_PAST = 512,       /* a past version: a row in past is its link, and no edge is */
    ROW_LOCKED = 1024,    /* a lock is among its headers */
    ROW_VERSIONS = 2048,  /* a bucket that keeps versions */
    ROW_SUSPENDED = 4096, /* a bucket that keeps those that it has */
    ROW_LOCKING = 8192,   /* a bucket whose versions can be locked */
    ROW_HISTORY = 16384,  /* the root, once any bucket kept versions */
    ROW_ACL = 32768, /* may have access control lists in xattr; the root, once any node had one */
    ROW_TRASH = 1048576,     /* the trash, and the hours in it: nothing is made there */
    ROW_TRASHED = 2097152,   /* an entry of the trash: a row in trash, and no link to who asks */
    ROW_TRASH_ON = 4194304,  /* a folder: what is removed from it and below goes to the trash */
    ROW_TRASH_OFF = 8388608, /* or does not */
};

struct row {
    uint64_t ino;
    uint32_t mode, uid, gid, nlink;
    uint64_t size, used, rdev;
    int64_t atime, mtime, ctime, btime; /* ns */
    uint64_t version,
        parent; /* of files: a folder that has a name of it; of past versions: their bucket */
    unsigned flags;
    struct {
        uint64_t used, parent;
        bool linked;
    } counted; /* what of it the quotas above have counted: kept by row_read, row_insert, row_store */
};

/* The columns of a row in a SELECT whose node is called n; row_read takes them from column ${at} on. */
#define ROW_COLUMNS                                                                                \
    "n.ino, n.mode, n.uid, n.gid, n.nlink, n.size, n.used, n.rdev, n.atime, n.mtime, n.ctime, "    \
    "n.btime, n.version, n.parent, n.flags"
#define ROW_NCOLUMNS 15
void row_read(sqlite3_stmt *st, int at, struct row *r);

/** row_load(c, ino, r): 0 or -ENOENT. row_load_folder: a folder that is still linked; -ENOENT, -ENOTDIR. */
int row_load(struct sql_conn *c, uint64_t ino, struct row *r);
int row_load_folder(struct sql_conn *c, uint64_t ino, struct row *r);
int row_insert(struct sql_conn *c, struct row *r);
int row_store(struct sql_conn *c, struct row *r);
void row_attr(const struct row *r, struct pc_attr *attr);

/** row_new(m, mode, uid, gid, parent, r): a row for a new node of one link (a folder: two), now. */
void row_new(struct meta *m, uint32_t mode, uint32_t uid, uint32_t gid, uint64_t parent,
             struct row *r);

/** row_changed(r, now): content changed: mtime, ctime, version. row_kill_suid(r): what a write by another than root clears. */
void row_changed(struct row *r, int64_t now);
void row_kill_suid(struct row *r);

/** row_count(m, r, sign): add the node to the totals (+1) or take it out (-1). row_resize(m, r, size): set the size, keeping the sum of bytes right. */
void row_count(struct meta *m, const struct row *r, int sign);
void row_resize(struct meta *m, struct row *r, uint64_t size);

/** wall_ns(): wall clock. ns_of(ts), ns_to(ns): to and from (out of range: the nearest end). */
int64_t wall_ns(void);
int64_t ns_of(const struct timespec *ts);
struct timespec ns_to(int64_t ns);

struct edge {
    uint64_t parent, ino;
    bool folder, twin; /* twin: the other kind of the same base is there too */
    size_t len;
    char seg[SEGMENT_MAX + 1];
};

/** edge_find(c, parent, seg, len, ret_ino): 1, 0 if there is none. edge_pair: the file and the folder of a base (0 where none); a code or 0. */
int edge_find(struct sql_conn *c, uint64_t parent, const char *seg, size_t len, uint64_t *ret_ino);
int edge_pair(struct sql_conn *c, uint64_t parent, const char *base, size_t len, uint64_t *ret_file,
              uint64_t *ret_folder);
/** edge_by_name(c, parent, name, e): what a name on the mount means: 1, 0 if nothing; -ENAMETOOLONG, -EINVAL. */
int edge_by_name(struct sql_conn *c, uint64_t parent, const char *name, struct edge *e);
/** edge_of(c, parent, ino, e): the first edge from a folder to a node: 1, 0; looks at every entry: for messages. */
int edge_of(struct sql_conn *c, uint64_t parent, uint64_t ino, struct edge *e);
/** edge_first(c, parent, e): the first entry of a folder by its segment (not whether it has a twin): 1, 0. */
int edge_first(struct sql_conn *c, uint64_t parent, struct edge *e);
/** edge_any(c, parent): has the folder any entry? 1, 0. */
int edge_any(struct sql_conn *c, uint64_t parent);

int edge_insert(struct sql_conn *c, uint64_t parent, const char *seg, size_t len, uint64_t ino);
int edge_point(struct sql_conn *c, uint64_t parent, const char *seg, size_t len, uint64_t ino);
int edge_delete(struct sql_conn *c, uint64_t parent, const char *seg, size_t len);

/**
 * edge_feed(m, c, kinds, e): the feed's row of an edge that came, went or changed; if the other kind of its base is there too, whose name on the mount
 * changes with it, a row for that one as well.
 */
int edge_feed(struct meta *m, struct sql_conn *c, unsigned kinds, const struct edge *e);

/** node_unlink(m, c, r, folder): a name of ${r} in a folder went. The last one's content goes too, now or (held by somebody, or much) by gc_orphans. Stores the row. */
int node_unlink(struct meta *m, struct sql_conn *c, struct row *r, uint64_t folder);
/** node_path(c, ino, buf, cap): where it is on the mount, "?" if nowhere; for messages. */
int node_path(struct sql_conn *c, uint64_t ino, char *buf, size_t cap);
/** orphan_add(m, c, ino): a node without links waits for its end. */
int orphan_add(struct meta *m, struct sql_conn *c, uint64_t ino);
/** node_free(m, c, r): delete a node without links and its content in steps: 1 if all of it is gone, 0 if the next call goes on. */
int node_free(struct meta *m, struct sql_conn *c, const struct row *r);

/** version_change(m, c, r): content of a node is about to change in place: what S3 named stays as a past version (s3/past.h). -ESTALE, PC_ELOCKED. row_open: where needed. */
int version_change(struct meta *m, struct sql_conn *c, struct row *r);
static inline int row_open(struct meta *m, struct sql_conn *c, struct row *r)
{
    return r->flags & (ROW_VERSION | ROW_PAST | ROW_LOCKED) ? version_change(m, c, r) : 0;
}

/** col_u(st, i): column ${i} as uint64_t; col_blob: bytes (never NULL) and length; -ENOMEM. */
static inline uint64_t col_u(sqlite3_stmt *st, int i)
{
    return (uint64_t)sqlite3_column_int64(st, i);
}
int col_blob(sqlite3_stmt *st, int i, const char **ret, size_t *ret_len);

#endif
