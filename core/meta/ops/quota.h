/* SPDX-License-Identifier: Apache-2.0 */
/* Quotas of folders: what an operation changes is added to every one above, and refused as a whole where one has no room. */
#ifndef META_OPS_QUOTA_H
#define META_OPS_QUOTA_H

#include "meta/conn.h"
#include "meta/ops/row.h"
#include "pcloud/quota.h"

/*
 * A node with links counts for each quota from the folder that its row names as its parent up to the root. Each row that is inserted or stored says what changed of
 * it; the sums are checked and written once, at the end of the operation: only what comes out of it counts, so replacing a file needs no room for two.
 *
 * cursor: nodes up to this number are counted, so only changes of these count; all of them once it is QUOTA_COUNTED.
 */
#define QUOTA_COUNTED INT64_MAX

/* A folder with more below it than this does not move to where other quotas hold (-EXDEV: mv copies it). A test may set it. */
extern uint64_t quota_move_max;
/* Nodes that are counted at once when a quota is set; beyond, steps. Tests may set them. */
extern uint64_t quota_count_max, quota_step;

struct quota_op; /* of a connection that writes */
struct quota_op *quota_op_new(void);
void quota_op_free(struct quota_op *q);
/** quota_begin(q): an operation begins. quota_end(c): it has come to its end: -EDQUOT, or the rows are written. */
void quota_begin(struct quota_op *q);
int quota_end(struct sql_conn *c);

/** quota_counts(r): does it count? It has links; and the trash's own folders do not, so that removing needs no room. */
static inline bool quota_counts(const struct row *r)
{
    return r->nlink > 0 && !(r->flags & ROW_TRASH);
}

/** quota_changed(c, r, is_new): note how a row differs from what was counted of it. quota_follow: where there are quotas at all. */
int quota_changed(struct sql_conn *c, struct row *r, bool is_new);
static inline int quota_follow(struct sql_conn *c, struct row *r)
{
    return c->quota ? quota_changed(c, r, false) : 0;
}

/**
 * quota_aside(c, ino): what is built below a folder without links counts nowhere until it gets one (then it is counted, -EXDEV if that is much): keep count of it
 * beside, by a row without limits, which quota_forget removes.
 */
int quota_aside(struct sql_conn *c, uint64_t ino);

/** quota_fits(c, folder, bytes): could so much be added below the folder? -EDQUOT. */
int quota_fits(struct sql_conn *c, uint64_t folder, int64_t bytes);
/** quota_forget(c, ino): its folder went. */
int quota_forget(struct sql_conn *c, uint64_t ino);
/** quota_any(c): has any folder one? 1, 0. */
int quota_any(struct sql_conn *c);

/* A query of what is below folder ${top}, nodes up to ${cursor}: entries; files of several names once, by the folder that counts them; past versions by their bucket. */
#define QUOTA_BELOW "FROM f CROSS JOIN edge e ON e.parent=f.ino CROSS JOIN node n ON n.ino=e.ino "
#define QUOTA_SUM(what, top, cursor, limit)                                                        \
    "WITH RECURSIVE f(ino) AS NOT MATERIALIZED (SELECT " top " UNION ALL SELECT e.ino FROM f "     \
    "CROSS JOIN edge e ON e.parent=f.ino WHERE substr(e.seg, -1) = x'2f') SELECT " what            \
    " FROM (SELECT n.used AS used " QUOTA_BELOW "WHERE n.ino<=" cursor                             \
    " AND (n.flags & 1048576) = 0 AND (n.nlink=1 OR substr(e.seg, -1) = x'2f') "                   \
    "UNION ALL SELECT used FROM (SELECT DISTINCT n.ino, n.used AS used " QUOTA_BELOW               \
    "WHERE n.ino<=" cursor " AND n.nlink>1 AND substr(e.seg, -1) <> x'2f' AND n.parent=e.parent) " \
    "UNION ALL SELECT n.used FROM f CROSS JOIN past p ON p.bucket=f.ino "                          \
    "CROSS JOIN node n ON n.ino=p.ino WHERE n.ino<=" cursor limit ")"

/** quota_usage(c, ino, cursor, max, ret): bytes and nodes below a folder, of those up to a number; -EXDEV if they are more than ${max}. */
struct quota_sum {
    int64_t bytes, nodes;
};
int quota_usage(struct sql_conn *c, uint64_t ino, int64_t cursor, uint64_t max,
                struct quota_sum *ret);

/* One step on the way up: the folder's parent, and its quota if it has one. */
struct quota_at {
    uint64_t ino, parent;
    bool has, is_last; /* is_last: nothing is above it: the root, or a folder without links */
    int64_t bytes, nodes, bytes_max, nodes_max, cursor;
};
/** quota_at(c, ino, ret): 1; 0 if there is no such node. */
int quota_at(struct sql_conn *c, uint64_t ino, struct quota_at *ret);
#define QUOTA_DEPTH_MAX 1000000 /* a longer way up is a circle */

/* quota_set.c */
int op_quota_set(struct meta *m, uint64_t ino, uint64_t bytes_max, uint64_t nodes_max);
int op_quota_rm(struct meta *m, uint64_t ino);
int op_quota_list(struct meta *m, uint64_t after, unsigned max, struct pc_quota *quotas);
int op_quota_step(struct meta *m);
int op_quota_room(struct meta *m, uint64_t ino, struct pc_quota_room *ret);

#endif
