/* SPDX-License-Identifier: Apache-2.0 */
/* Whole trees: copies that share their content, and the trash, from where what was removed can be taken back. */
#ifndef PCLOUD_TREE_H
#define PCLOUD_TREE_H

#include <stdint.h>
#include <time.h>

#include "pcloud/node.h"
#include "pcloud/upkeep.h"

struct pc_clone_result {
    uint64_t entries; /* names made, the clone's own among them */
    uint64_t bytes;   /* sum of the sizes of its files, each counted once */
    uint64_t
        shared; /* of these, bytes in blocks that both now refer to (the rest is holes and content kept in the database) */
};

/**
 * pc_clone(v, src, new_parent, new_name, up, ret, attr): the node ${src}, with all below it, again as ${new_name} in the folder ${new_parent}: kinds, modes,
 * owners, atime and mtime, xattrs, access control lists, hard links within the tree, holes, and what S3 knows of objects (ETag, headers, parts). ctime
 * and btime are now. Not copied: sockets' peers, locks and versions of objects, a bucket's owner and settings (the clone of a bucket is a new one), upload parts.
 *
 * It is built where nobody sees it and appears under its name whole, in one step. Cancelled (up->progress, called with the entries done and 0), failed or killed:
 * nothing is there, and what was built is freed by the usual clearing. It takes entries of work, in steps of a few milliseconds, beside everybody else's.
 * Each file is as it was at one moment; files changed meanwhile may be from different moments, and a name that moves meanwhile may be met twice or not at
 * all. Unwritten data of this process is flushed before; of other processes what they flushed counts.
 *
 * ${up}, ${ret} and ${attr} may be NULL. -EEXIST: the name is there. -EINVAL: into itself. -EPERM: a name reserved at the top. -ENOENT, -ENOTDIR, -ENOSPC, PC_ECANCELED.
 */
int pc_clone(struct pc_volume *v, uint64_t src, uint64_t new_parent, const char *new_name,
             const struct pc_upkeep *up, struct pc_clone_result *ret, struct pc_attr *attr);

#define PC_TRASH_NAME ".trash" /* at the top; not listed there */

/*
 * With `trash.days` above 0, whoever loses its last name by unlink, rename over it, rmdir (an empty folder), S3's DELETE or a PUT over it moves to
 * /.trash/<UTC hour>/<number>-<name> instead of being freed, with all it has; with its number it keeps being what open files of it see, and its link count
 * reads 0. Folders say for themselves and everything below whether that is so (pc_trash_rule); the nearest that says anything counts. Buckets with versions
 * keep the past by themselves: nothing of theirs comes here. In the trash nothing can be made or changed; removing there frees, moving out takes back.
 */

/** pc_trash_days(v, days): from now on this process keeps what is removed for ${days} days; 0: it frees at once. At open it is the configuration's trash.days. */
void pc_trash_days(struct pc_volume *v, int64_t days);

enum pc_trash_rule { PC_TRASH_INHERIT, PC_TRASH_ON, PC_TRASH_OFF };
/** pc_trash_rule_set(v, ino, rule): of a folder. -ENOTDIR, -EPERM (the trash itself). pc_trash_rule_get: its own rule; *ret_effective (may be NULL): what counts there, never INHERIT. */
int pc_trash_rule_set(struct pc_volume *v, uint64_t ino, enum pc_trash_rule rule);
int pc_trash_rule_get(struct pc_volume *v, uint64_t ino, enum pc_trash_rule *ret,
                      enum pc_trash_rule *ret_effective);

struct pc_trash_entry {
    const char *
        entry; /* "<hour>/<number>-<name>" as the mount shows it below .trash; valid during the call, as is path */
    const char *
        path; /* where it was: of the folder it was in, wherever that is now; "?/name" if that is freed */
    struct timespec gone; /* when it was removed */
    struct pc_attr attr;
};
/** pc_trash_list(v, fn, arg): all of it, the oldest hour first; ${fn} non-zero ends it (returned). ${fn} may call nothing of the volume. */
int pc_trash_list(struct pc_volume *v, int (*fn)(void *arg, const struct pc_trash_entry *e),
                  void *arg);

/**
 * pc_trash_find(v, what, ret_ino): what "<hour>/<number>-<name>", with /.trash/ before it or not, or an absolute path of what was removed means; of several at that
 * path the newest. -ENOENT.
 */
int pc_trash_find(struct pc_volume *v, const char *what, uint64_t *ret_ino);

/**
 * pc_trash_restore(v, ino, parent, name, ret_n): take it back, to ${name} in the folder ${parent}; with ${parent} 0 to where it was, whose folders are taken back
 * first if they are in the trash too. With a folder comes back all that was removed from it and is still here; what cannot (its name is taken) stays. *ret_n
 * (may be NULL): names taken back. -EEXIST, -ENOENT (not in the trash, or its folder is freed: name another place).
 */
int pc_trash_restore(struct pc_volume *v, uint64_t ino, uint64_t parent, const char *name,
                     uint64_t *ret_n);

struct pc_trash_result {
    uint64_t entries, bytes; /* bytes: sum of sizes */
};
/** pc_trash_stat(v, ret): what is in the trash; costs by its entries. */
int pc_trash_stat(struct pc_volume *v, struct pc_trash_result *ret);

/** pc_trash_empty(v, older_s, up, ret): free what was removed more than ${older_s} seconds ago, in whole hours (0: all), in steps. ${up}, ${ret} may be NULL. */
int pc_trash_empty(struct pc_volume *v, int64_t older_s, const struct pc_upkeep *up,
                   struct pc_trash_result *ret);

#endif
