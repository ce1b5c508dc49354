/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots inside the SQLite engine: what their files share, and what the engine asks them. */
#ifndef META_SNAP_SNAP_H
#define META_SNAP_SNAP_H

#include "meta/schema.h"
#include "meta/snap/snapshot.h"
#include "meta/sql.h"

/* Tables of snapshots, to be made beside those of the tree; the names of those that keep rows, NULL at the end. */
extern const char snap_tables_sql[];
extern const char *const snap_was[];

/** snap_arm(c), snap_disarm(c): make, take away the triggers that keep rows. In a write. There is no need of them without a snapshot. */
int snap_arm(struct sql_conn *c);
int snap_disarm(struct sql_conn *c);
/** snap_rearm(c): as it has to be by the table. */
int snap_rearm(struct sql_conn *c);

/* Rules of the tables of snapshots, as those of core/meta/check.c; find NULL at the end. snap_armed: are the triggers as they have to be? (snap_rearm mends.) */
extern const struct schema_check snap_checks[], snap_armed;

/* What a view of the past is of: all that the virtual tables of its connection look at. */
struct snap_point {
    uint64_t id;
    uint64_t next_id; /* nodes and blocks from here on were not there */
};

/** snap_vtab_make(c, at): tables of the same names as the real ones, before them, that show *at, which must outlive the connection. */
int snap_vtab_make(struct sql_conn *c, const struct snap_point *at);

/* Views of the past: connections of their own. What this thread reads between snap_enter and snap_leave is of that snapshot. */
struct snap_views;
struct engine;
int snap_views_new(struct snap_views **ret);
void snap_views_free(struct snap_views *v); /* NULL is legal */
void snap_enter(uint64_t id);
void snap_leave(void);
extern _Thread_local uint64_t snap_entered; /* 0: the present */
/** snap_view_begin(e, ret): what sql_read_begin does inside; -ESTALE: that snapshot is not there any more. snap_view_end(e, c): true if ${c} was one of these. */
int snap_view_begin(struct engine *e, struct sql_conn **ret);
bool snap_view_end(struct engine *e, struct sql_conn *c);

/** snap_find(c, name, ret): 1, 0. snap_by_id(c, id, ret): the same. */
int snap_find(struct sql_conn *c, const char *name, struct meta_snapshot *ret);
int snap_by_id(struct sql_conn *c, uint64_t id, struct meta_snapshot *ret);

/** snap_ops(node, content): the engine's operations, with those of door.c and content.c in the place of those that have to know of the past. */
struct meta_node_ops;
struct meta_content_ops;
void snap_ops(struct meta_node_ops *node, struct meta_content_ops *content);
void snap_content_ops(struct meta_content_ops *content);

#endif
