/* SPDX-License-Identifier: Apache-2.0 */
/* The data path's own state, and what its files call of each other. */
#ifndef DATA_DATA_IMPL_H
#define DATA_DATA_IMPL_H

#include <pthread.h>

#include "data/cache.h"
#include "data/chunk.h"
#include "data/data.h"
#include "data/pack.h"
#include "data/pending.h"
#include "data/pool.h"
#include "data/record.h"

/* Bytes of records read or written in one go where no chunk's own buffer serves. */
#define DATA_WINDOW (4 * (DATA_SEGMENT + AEAD_TAG_BYTES) + RECORD_HEAD_MAX + RECORD_TRAILER)

#define DATA_TOLD 64

/* Locked memory: nothing of it is in a core dump or on swap. */
struct data_secrets {
    struct record_keys record;
    uint64_t gear[CHUNK_GEAR];
};

/* What one thread needs to encode or decode; kept for the next one. */
struct data_scratch {
    struct data_scratch *next;
    struct codec *codec;
    uint8_t window[DATA_WINDOW];
};

struct data {
    struct data_secrets *secrets;
    struct meta *meta;
    struct pool *pool;
    struct packs *packs;
    struct cache *cache;
    struct pending *pending;
    bool dedup, compress, finished;
    size_t cache_bytes, buffer_bytes;

    pthread_mutex_t scratch_lock;
    struct data_scratch *scratch;
    unsigned scratch_n, scratch_max;

    /* Chunks of streams. */
    pthread_mutex_t chunk_lock;
    pthread_cond_t chunk_done;
    struct chunk *chunks; /* spare ones */
    unsigned chunks_n;
    size_t inflight; /* plain bytes handed to workers */
    size_t held;     /* plain bytes in chunks that are still being filled, of all streams */

    /* Guarded by scratch_lock. */
    size_t prefetching; /* plain bytes of queued prefetches */
    struct {
        uint64_t pack, at;
    } told[DATA_TOLD]; /* damage that is in the log */
    unsigned told_n;
};

/** scratch_get(d), scratch_put(d, s): NULL if out of memory. */
struct data_scratch *scratch_get(struct data *d);
void scratch_put(struct data *d, struct data_scratch *s);

/**
 * data_put_in_place(d, buf, size, dedup, ret): as data_put for content that begins at ${buf} + RECORD_HEADROOM; ${buf} gets the record: its content is gone
 * unless dedup found it.
 */
int data_put_in_place(struct data *d, uint8_t *buf, uint32_t size, bool dedup,
                      struct meta_block *ret);

/** data_tell_damage(d, pack, at, why): one line in the log for a place, however often it is met. */
void data_tell_damage(struct data *d, uint64_t pack, uint64_t at, const char *why);

/** chunks_free(d): the spare buffers of streams. */
void chunks_free(struct data *d);

#endif
