/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping a volume well: verify, repair, reclaim. All run beside normal use. */
#ifndef PCLOUD_UPKEEP_H
#define PCLOUD_UPKEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "pcloud/volume.h"

/* Progress and findings; either may be NULL. ${progress} may return non-zero to cancel (PC_ECANCELED). Called on the caller's thread. */
struct pc_upkeep {
    int (*progress)(void *arg, uint64_t done, uint64_t total);
    void (*found)(void *arg, const char *text); /* one finding, one line */
    void *arg;
};

struct pc_fsck_result {
    uint64_t nodes, edges, blocks, packs; /* looked at */
    uint64_t problems, repaired;
};
/** pc_fsck(v, repair, up, ret): check every invariant of metadata, reference counts, packs' lists of records against it. With ${repair} mend. */
int pc_fsck(struct pc_volume *v, bool repair, const struct pc_upkeep *up,
            struct pc_fsck_result *ret);

/**
 * pc_volume_salvage(home, keys, up, ret): for a database that does not open or fails its check: read every page that still decrypts into a new database,
 * keep the old one as meta/volume.db.damaged-<time>. No process may have the volume open (PC_ERUNNING).
 */
int pc_volume_salvage(struct pc_home *home, const struct pc_keys *keys, const struct pc_upkeep *up,
                      struct pc_fsck_result *ret);

struct pc_scrub_result {
    uint64_t blocks, bytes, damaged_blocks, damaged_files;
};
/** pc_scrub(v, up, ret): read everything back; each damaged file is a finding with its path. */
int pc_scrub(struct pc_volume *v, const struct pc_upkeep *up, struct pc_scrub_result *ret);

struct pc_gc_result {
    uint64_t freed_blocks, freed_bytes; /* stored bytes of blocks no longer referenced */
    uint64_t removed_packs, compacted_packs, moved_bytes, disk_bytes_freed;
};
/** pc_gc(v, full, up, ret): reclaim; paced in steps that hold no lock longer than a few milliseconds. ${full}: compact every pack with garbage. */
int pc_gc(struct pc_volume *v, bool full, const struct pc_upkeep *up, struct pc_gc_result *ret);

#endif
