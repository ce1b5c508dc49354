/* SPDX-License-Identifier: Apache-2.0 */
/* Quotas of folders: how much may be below one, whoever writes it and by whichever door. */
#ifndef PCLOUD_QUOTA_H
#define PCLOUD_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "pcloud/volume.h"

/*
 * A quota limits what is below a folder, the folder itself not counted: bytes, the sum of pc_attr.used (holes are free, so a sparse image costs what is in it; symlinks
 * and folders cost nothing), and nodes (files, folders and everything else). Every quota from the folder of a change up to the root is checked. What would take one over
 * its limit is -EDQUOT; what frees, or changes within what is there, always works, also above a limit that was set below what is there.
 *
 * A file with several names counts once, in a folder that has one of them. A removed file counts no more, even if it is open. Past versions count for their bucket.
 * Parts of an upload count when it is completed; one that would not fit is refused before.
 */
#define PC_QUOTA_NONE INT64_MAX /* no limit */

struct pc_quota {
    uint64_t ino;                  /* of the folder */
    uint64_t bytes_max, nodes_max; /* at most PC_QUOTA_NONE */
    uint64_t bytes, nodes;         /* below it */
    bool counting; /* what was there before it is being counted: the figures still grow */
};

/**
 * pc_quota_set(v, ino, bytes_max, nodes_max): give a folder a quota, or change its limits. What is below is counted in steps, beside everybody's work; on return
 * the figures are exact. If the process dies before, the next one that calls this, pc_quota_settle or pc_gc goes on. -ENOTDIR, -ENOENT, -EINVAL (no limit at all, or too large).
 */
int pc_quota_set(struct pc_volume *v, uint64_t ino, uint64_t bytes_max, uint64_t nodes_max);

/** pc_quota_get(v, ino, ret): the folder's own; -ENODATA if it has none. */
int pc_quota_get(struct pc_volume *v, uint64_t ino, struct pc_quota *ret);

/** pc_quota_rm(v, ino): take it away; -ENODATA. */
int pc_quota_rm(struct pc_volume *v, uint64_t ino);

/** pc_quota_list(v, after, max, quotas): up to ${max} with an ino above ${after}, in its order; their number. */
int pc_quota_list(struct pc_volume *v, uint64_t after, unsigned max, struct pc_quota *quotas);

/** pc_quota_settle(v): finish counting what is not counted. */
int pc_quota_settle(struct pc_volume *v);

/* What the quotas above a node leave. */
struct pc_quota_room {
    uint64_t bytes_max, nodes_max;   /* of the nearest folder that limits it; PC_QUOTA_NONE */
    uint64_t bytes, nodes;           /* what that one counts */
    uint64_t bytes_free, nodes_free; /* the least of all; PC_QUOTA_NONE */
    uint64_t size, used;             /* of the node itself */
};

/** pc_quota_room(v, ino, ret): for df and for whoever is about to write. 1; 0 if there is no quota at or above the node. Free of cost in a volume without quotas. */
int pc_quota_room(struct pc_volume *v, uint64_t ino, struct pc_quota_room *ret);

#endif
