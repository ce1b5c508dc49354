/* SPDX-License-Identifier: Apache-2.0 */
/* Unwritten ranges of one file in memory: sorted, apart from each other, newest content wins. */
#ifndef VOLUME_DIRTY_H
#define VOLUME_DIRTY_H

#include <stddef.h>
#include <stdint.h>

#define DIRTY_EXTENT_MAX (4u << 20) /* bytes of one range: one block */

struct dirty_extent {
    uint64_t pos;
    size_t len, cap;
    uint8_t *data;
};
struct dirty {
    struct dirty_extent
        *v; /* by pos; no two touch, unless joined they would be over DIRTY_EXTENT_MAX */
    size_t n, cap, bytes;
};

/** dirty_write(d, buf, len, pos): put a range over what is there. -E2BIG if a range would get over DIRTY_EXTENT_MAX: flush and retry; -ENOMEM. Nothing changes on failure. */
int dirty_write(struct dirty *d, const void *buf, size_t len, uint64_t pos);

/** dirty_fill(d, buf, len, pos): only where there is nothing yet. */
int dirty_fill(struct dirty *d, const void *buf, size_t len, uint64_t pos);

/** dirty_cut(d, pos, len): forget a range. -ENOMEM only if it has to split one. */
int dirty_cut(struct dirty *d, uint64_t pos, uint64_t len);

/** dirty_overlay(d, buf, len, pos): copy what is there over ${buf}, which holds the file's bytes from ${pos}. */
void dirty_overlay(const struct dirty *d, void *buf, size_t len, uint64_t pos);

/** dirty_covers(d, pos, len): is the whole range there? */
int dirty_covers(const struct dirty *d, uint64_t pos, uint64_t len);

/** dirty_at_end(d, pos): the extent that ends exactly at ${pos}, or NULL. */
struct dirty_extent *dirty_at_end(struct dirty *d, uint64_t pos);

/** dirty_remove(d, e): drop one extent (frees its data unless taken by setting it to NULL before). */
void dirty_remove(struct dirty *d, struct dirty_extent *e);

/** dirty_clear(d): drop all and free. */
void dirty_clear(struct dirty *d);

#endif
