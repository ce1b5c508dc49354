/* SPDX-License-Identifier: Apache-2.0 */
/* Opened segments in memory, bounded; each is read once however many ask at the same time. */
#ifndef DATA_CACHE_H
#define DATA_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/data.h"

struct cache;

/* A piece of a block. Its bytes may be read while it is held, and written only by the one who was told to fill it. */
struct cache_entry {
    uint8_t id[META_BLOCK_ID];
    uint32_t index, len;
    /* the cache's */
    struct cache_entry *hash_next, *newer, *older;
    uint32_t refs;
    bool ready, failed, used;
    _Alignas(16) uint8_t data[];
};

/** cache_new(bytes, ret): -ENOMEM. */
int cache_new(size_t bytes, struct cache **ret);
/** cache_free(c): nothing may be held; NULL is legal. */
void cache_free(struct cache *c);
/** cache_resize(c, bytes): drops what is too much. */
void cache_resize(struct cache *c, size_t bytes);
/** cache_bytes(c): memory taken by entries. */
size_t cache_bytes(struct cache *c);

enum cache_result {
    CACHE_READY, /* held: read it, then cache_put */
    CACHE_FILL,  /* held: fill it, then cache_filled, then cache_put */
    CACHE_NONE /* it is not there (of those asked not to make one), is being filled (of those asked not to wait), or there is no room */
};
enum cache_mode {
    CACHE_LOOK,    /* only what is there; waits for who fills it */
    CACHE_NOW,     /* only what is there and filled */
    CACHE_MAKE,    /* make it if it is not there; waits for who fills it */
    CACHE_PREFETCH /* make it if it is not there, else CACHE_NONE at once */
};

/** cache_get(c, id, index, len, mode, ret): the piece ${index} of block ${id}, of ${len} bytes. */
enum cache_result cache_get(struct cache *c, const uint8_t id[META_BLOCK_ID], uint32_t index,
                            uint32_t len, enum cache_mode mode, struct cache_entry **ret);
/** cache_filled(c, e, ok): wake those who wait; !${ok}: they must try themselves. */
void cache_filled(struct cache *c, struct cache_entry *e, bool ok);
/** cache_put(c, e): let go. */
void cache_put(struct cache *c, struct cache_entry *e);
/** cache_drop(c, e): as cache_put, and nobody finds it any more. */
void cache_drop(struct cache *c, struct cache_entry *e);

#endif
