/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: the whole tree as it was, taken in O(1), read through numbers of their own, kept by rules. */
#ifndef PCLOUD_SNAPSHOT_H
#define PCLOUD_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "pcloud/node.h"

/*
 * Nodes of a snapshot have numbers of their own, which every function of pcloud/node.h and pcloud/file.h that only reads takes as it takes any other; one that
 * changes says -EROFS, and -ESTALE once the snapshot is removed. Each folder has a folder of snapshots, in which every snapshot has an entry: that same folder in
 * the past. pc_lookup finds the root's as ".snapshots"; no listing shows it (docs/decisions/0009).
 */
#define PC_SNAPSHOTS ".snapshots"
#define PC_SNAPSHOT_SHIFT 44
#define PC_SNAPSHOT_FOLDERS (UINT64_C(1) << 62)

/** pc_snapshots_of(ino): the number of the folder of snapshots of folder ${ino}. pc_is_snapshot(ino): does it mean anything of a snapshot, or a folder of snapshots? */
static inline uint64_t pc_snapshots_of(uint64_t ino)
{
    return ino | PC_SNAPSHOT_FOLDERS;
}
static inline bool pc_is_snapshot(uint64_t ino)
{
    return ino >> PC_SNAPSHOT_SHIFT != 0;
}

#define PC_SNAPSHOT_NAME_MAX 128
#define PC_SNAPSHOT_RULES_MAX 128

struct pc_snapshot {
    uint64_t id;
    char name[PC_SNAPSHOT_NAME_MAX + 1];
    struct timespec taken;
    bool automatic; /* taken by the rules: they may remove it again */
};

/**
 * pc_snapshot_take(v, name, ret): the tree as it is now, with what this pc_volume had not written back. ${name}: letters, digits and . _ - + : @, not with a dot at the
 * start; NULL: the time (2026-11-21T19-30-00Z). Durable. -EEXIST, -EINVAL (a name), PC_ELIMIT (the numbers are used up).
 */
int pc_snapshot_take(struct pc_volume *v, const char *name, struct pc_snapshot *ret);

/** pc_snapshot_list(v, fn, arg): the oldest first; ${fn} non-zero ends it (returned). It must not call the volume. */
int pc_snapshot_list(struct pc_volume *v, int (*fn)(void *arg, const struct pc_snapshot *s),
                     void *arg);

/** pc_snapshot_remove(v, name): nobody finds it from now on; what only it kept is given back in steps, here and, if this is killed, by whoever has the volume open. -ENOENT. */
int pc_snapshot_remove(struct pc_volume *v, const char *name);

struct pc_restore_result {
    uint64_t files, folders, bytes; /* made; bytes are shared, not copied */
};
/**
 * pc_snapshot_restore(v, name, path, to, ret): make ${path} of the snapshot anew at ${to} (both absolute; NULL: at ${path}), with all below it, attributes and hard links
 * within it. -EEXIST if anything is at ${to}; -ENOENT (snapshot, path or the folder of ${to}). An error leaves what was made so far. Durable.
 */
int pc_snapshot_restore(struct pc_volume *v, const char *name, const char *path, const char *to,
                        struct pc_restore_result *ret);

/*
 * Keep rules: words like "hourly=24 daily=7 weekly=4 monthly=12 yearly=3". The shortest period says how often one is taken; of each rule's newest N periods
 * (UTC; weeks begin on Monday) that have one, the newest of the period is kept. Only automatic snapshots are removed. "": none is taken, all are kept.
 */
/** pc_snapshot_rules(v, buf): what is kept in the volume. pc_snapshot_rules_set(v, rules): -EINVAL, the message says why. Durable. */
int pc_snapshot_rules(struct pc_volume *v, char buf[PC_SNAPSHOT_RULES_MAX + 1]);
int pc_snapshot_rules_set(struct pc_volume *v, const char *rules);

/** pc_snapshot_tend(v, now): take and remove what is due by the rules at ${now} (seconds since 1970), finish removals that stopped. Whoever has the volume open does it now and then by itself. */
int pc_snapshot_tend(struct pc_volume *v, int64_t now);

#endif
