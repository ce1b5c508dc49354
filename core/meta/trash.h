/* SPDX-License-Identifier: Apache-2.0 */
/* Engine operations on the trash: pcloud/trash.h. */
#ifndef META_TRASH_H
#define META_TRASH_H

#include "meta/meta.h"
#include "pcloud/trash.h"

/* The longest text of a path that is told, and of an hour's folder ("2026-11-21-19"). */
#define META_TRASH_PATH 8192
#define META_TRASH_HOUR 13

struct meta_trash_ops {
    /* From now on what this engine removes goes to the trash; made if it is not there yet. */
    int (*enable)(struct meta *m, bool on);
    int (*rule_set)(struct meta *m, uint64_t ino, enum pc_trash_rule rule);
    int (*rule_get)(struct meta *m, uint64_t ino, enum pc_trash_rule *ret,
                    enum pc_trash_rule *ret_effective);
    int (*list)(struct meta *m, int (*fn)(void *arg, const struct pc_trash_entry *e), void *arg);
    /* One node, to ${name} in ${parent}, or with 0 to where it was. */
    int (*restore)(struct meta *m, uint64_t ino, uint64_t parent, const char *name);
    /* Up to ${max} of what was removed from a folder, and the time of each, before *before, the newest first; their number, *before for the next call. */
    int (*removed_from)(struct meta *m, uint64_t folder, int64_t *before, unsigned max,
                        uint64_t *inos);
    int (*stat)(struct meta *m, struct pc_trash_result *ret);
    /* Free some of the oldest hour if it ended before ${before} (seconds since 1970), adding to *ret: 1 go on, 2 go on: an hour is done; 0 there is none. */
    int (*drop)(struct meta *m, int64_t before, struct pc_trash_result *ret);
};

#endif
