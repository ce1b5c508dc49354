/* SPDX-License-Identifier: Apache-2.0 */
/* Engine operations on nodes, names and extended attributes. */
#ifndef META_NODE_H
#define META_NODE_H

#include "meta/meta.h"
#include "pcloud/tree.h"
#include "pcloud/quota.h"

/* Names are names on the mount; the engine maps them by tree/segment.h inside the transaction. Semantics and errors as in pcloud/node.h. */
struct meta_entry {
    const char *name; /* as the mount shows it */
    const char *seg;  /* raw */
    size_t seg_len;
    struct pc_attr attr;
};

/* A tree that is being copied, and what of it is there. */
struct meta_clone {
    uint64_t entries, bytes, shared;
};

struct meta_node_ops {
    int (*lookup)(struct meta *m, uint64_t parent, const char *name, struct pc_attr *attr);
    int (*getattr)(struct meta *m, uint64_t ino, struct pc_attr *attr);
    int (*parent)(struct meta *m, uint64_t ino, uint64_t *ret_parent);
    /* PC_SET_SIZE shrinks or extends: slices behind the end go, a crossing one is shortened; inline content is cut or zero-extended up to 4 KiB, beyond that
     * the caller has turned it into slices before (-EFBIG otherwise). */
    int (*setattr)(struct meta *m, uint64_t ino, unsigned set, const struct pc_attr *in,
                   struct pc_attr *attr);
    int (*make)(struct meta *m, uint64_t parent, const char *name, const struct pc_make *make,
                struct pc_attr *attr);
    /* A file without a name, which may get one by link while it is held; on success the caller has one hold (meta_drop). */
    int (*make_unnamed)(struct meta *m, uint64_t parent, const struct pc_make *make,
                        struct pc_attr *attr);
    int (*unlink)(struct meta *m, uint64_t parent, const char *name);
    int (*rmdir)(struct meta *m, uint64_t parent, const char *name);
    int (*rename)(struct meta *m, uint64_t parent, const char *name, uint64_t new_parent,
                  const char *new_name, unsigned flags);
    int (*link)(struct meta *m, uint64_t ino, uint64_t parent, const char *name,
                struct pc_attr *attr);
    ssize_t (*readlink)(struct meta *m, uint64_t ino, char *buf, size_t cap);
    /* Up to ${max} entries of a folder after segment ${after} (len 0: from the start), in byte order; ${fn} non-zero ends. Returns the number given. */
    int (*dir_page)(struct meta *m, uint64_t ino, const char *after, size_t after_len, unsigned max,
                    int (*fn)(void *arg, const struct meta_entry *e), void *arg);
    ssize_t (*xattr_get)(struct meta *m, uint64_t ino, const char *name, void *buf, size_t cap);
    int (*xattr_set)(struct meta *m, uint64_t ino, const char *name, const void *value, size_t len,
                     int flags);
    int (*xattr_remove)(struct meta *m, uint64_t ino, const char *name);
    ssize_t (*xattr_list)(struct meta *m, uint64_t ino, char *buf, size_t cap);
    int (*path)(struct meta *m, uint64_t ino, char *buf, size_t cap);
    /* Nodes with content that block ${bid} is part of, for messages: calls ${fn} with each ino, at most ${max}. */
    int (*block_users)(struct meta *m, uint64_t bid, unsigned max,
                       void (*fn)(void *arg, uint64_t ino), void *arg);
    /* pcloud/tree.h: begun below no folder, as an orphan that is held; clone_step until it returns 0 (1: go on), each a few milliseconds of one transaction;
     * clone_end links it. Nothing goes on after an error. clone_free lets go of what was not linked. */
    int (*clone_begin)(struct meta *m, uint64_t src, uint64_t parent, const char *name,
                       struct meta_clone **ret);
    int (*clone_step)(struct meta *m, struct meta_clone *k);
    int (*clone_end)(struct meta *m, struct meta_clone *k, uint64_t parent, const char *name,
                     struct pc_attr *attr);
    void (*clone_free)(struct meta *m, struct meta_clone *k);

    /* Quotas, as in pcloud/quota.h. set: 1 if what is below is yet to be counted, by quota_step: 1 as long as there is something to count. room: 1, 0 (nothing written) if none. */
    int (*quota_set)(struct meta *m, uint64_t ino, uint64_t bytes_max, uint64_t nodes_max);
    int (*quota_rm)(struct meta *m, uint64_t ino);
    int (*quota_list)(struct meta *m, uint64_t after, unsigned max, struct pc_quota *quotas);
    int (*quota_step)(struct meta *m);
    int (*quota_room)(struct meta *m, uint64_t ino, struct pc_quota_room *ret);
};

/* The trash: pcloud/tree.h. */
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
