/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of a file or of a whole tree that shares its content: no byte of data is moved. */
#ifndef PCLOUD_CLONE_H
#define PCLOUD_CLONE_H

#include <stdint.h>

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

#endif
