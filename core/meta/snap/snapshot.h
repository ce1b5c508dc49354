/* SPDX-License-Identifier: Apache-2.0 */
/* Engine operations on snapshots: taken, listed, removed; the rules. */
#ifndef META_SNAPSHOT_H
#define META_SNAPSHOT_H

#include "meta/meta.h"
#include "pcloud/snapshot.h"

struct meta_snapshot {
    struct pc_snapshot pub;
    uint64_t next_id;
};

/**
 * meta_snapshot_take(m, name, automatic, taken_ns, after_ns, ret): O(1): one row; with the first one also triggers. ${name} is checked by the caller. -EEXIST; also if
 * an ${automatic} one was taken at or after ${after_ns} already.
 */
int meta_snapshot_take(struct meta *m, const char *name, bool automatic, int64_t taken_ns,
                       int64_t after_ns, struct pc_snapshot *ret);
/** meta_snapshot_list(m, fn, arg): the oldest first; it must not call the engine. meta_snapshot_find: by name, -ENOENT. */
int meta_snapshot_list(struct meta *m, int (*fn)(void *arg, const struct pc_snapshot *s),
                       void *arg);
int meta_snapshot_find(struct meta *m, const char *name, struct pc_snapshot *ret);
/** meta_snapshot_remove(m, id): nobody finds it from now on. -ENOENT. */
int meta_snapshot_remove(struct meta *m, uint64_t id);
/** meta_snapshot_sweep(m, max): look at up to ${max} rows that removed snapshots left: their number, 0 when there is nothing left to do. */
int meta_snapshot_sweep(struct meta *m, unsigned max);
/** meta_snapshot_rules(m, buf), meta_snapshot_rules_set(m, rules): text, as it was set. */
int meta_snapshot_rules(struct meta *m, char buf[PC_SNAPSHOT_RULES_MAX + 1]);
int meta_snapshot_rules_set(struct meta *m, const char *rules);

#endif
