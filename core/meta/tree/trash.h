/* SPDX-License-Identifier: Apache-2.0 */
/* What goes to the trash instead of being freed, and how it comes back. */
#ifndef META_TREE_TRASH_H
#define META_TREE_TRASH_H

#include "meta/ops/row.h"
#include "meta/node.h"

/**
 * node_leave(m, c, e, r): the entry ${e} of ${r} went, by unlink, rename or S3: the last one's node goes to the trash if its folder wants that; else node_unlink. One look at a
 * flag where there is no trash.
 */
int node_leave(struct meta *m, struct sql_conn *c, const struct edge *e, struct row *r);

/** trash_out(c, r): the entry of the trash has another place now; the caller stores the row. */
int trash_out(struct sql_conn *c, struct row *r);

/** trash_guard(m, r): -EPERM for changing what lies in the trash, unless somebody had it open. */
int trash_guard(struct meta *m, const struct row *r);

/** trash_segment(ino, seg, len, ret): what an entry of the trash is called; the length. */
size_t trash_segment(uint64_t ino, const char *seg, size_t len, char ret[SEGMENT_MAX + 1]);
/** trash_top(c, ret): the trash: 1, 0 if there is none. */
int trash_top(struct sql_conn *c, struct row *ret);

/* back.c */
int op_trash_list(struct meta *m, int (*fn)(void *arg, const struct pc_trash_entry *e), void *arg);
int op_trash_restore(struct meta *m, uint64_t ino, uint64_t parent, const char *name);
int op_trash_removed_from(struct meta *m, uint64_t folder, int64_t *before, unsigned max,
                          uint64_t *inos);

#endif
