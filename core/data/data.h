/* SPDX-License-Identifier: Apache-2.0 */
/* The data path: content becomes blocks, blocks become records in packs, and back. */
#ifndef DATA_DATA_H
#define DATA_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "meta/content.h"
#include "pcloud/keys.h"

#define DATA_CHUNK_MIN (256u << 10)
#define DATA_CHUNK_AVG (1u << 20)
#define DATA_CHUNK_MAX (4u << 20) /* = META_BLOCK_MAX */
#define DATA_PACK_MAX (64ull << 20)
#define DATA_SEGMENT                                                                               \
    (64u << 10) /* plain bytes that are compressed and sealed as one: a small read opens no more */

struct data;

struct data_options {
    const char *dir;            /* the home's packs folder */
    const struct pc_keys *keys; /* borrowed during open; derived keys go to locked memory */
    struct meta *meta;
    unsigned workers;    /* 0: one a core */
    size_t cache_bytes;  /* decrypted blocks kept */
    size_t buffer_bytes; /* content in flight to packs: writers wait above it */
    bool dedup, compress;
    uint64_t reserve_bytes;
};

/** data_open(options, ret): the packs folder must exist. Adopts packs of dead sessions. */
int data_open(const struct data_options *options, struct data **ret);
/**
 * data_finish(d): finish work, seal open packs, sync. Afterwards only data_get, data_barrier and data_close: so the engine, whose last commits ask for the
 * barrier, can be closed between this and data_close. The first error met while sealing.
 */
int data_finish(struct data *d);
/** data_close(d): data_finish if that was not called, then free; the engine is needed only for the former. NULL is legal. */
int data_close(struct data *d);

/** data_barrier(d): every record appended so far is on disk (fdatasync of the open packs and folder; concurrent callers share). The engine's data_barrier. */
int data_barrier(struct data *d);

/**
 * data_put(d, plain, size, ret): one block (1 … META_BLOCK_MAX bytes): id, dedup look-up, deflate where it pays, seal, append. ${ret} is ready for
 * meta_content_ops.write. On the caller's thread. -ENOSPC, -EIO. The caller holds a meta_pin from before until it is written to metadata.
 */
int data_put(struct data *d, const void *plain, uint32_t size, struct meta_block *ret);

/** data_put_again(d, plain, size, ret): as data_put, without dedup: after PC_ESTALEREF. */
int data_put_again(struct data *d, const void *plain, uint32_t size, struct meta_block *ret);

/**
 * data_get(d, block, boff, len, out): bytes [boff, boff+len) of a block, verified. PC_ECORRUPT (a message with pack and offset); PC_ESTALEREF if the pack is gone:
 * read the block's place again and retry.
 */
int data_get(struct data *d, const struct meta_block *block, uint32_t boff, uint32_t len,
             void *out);

/** data_get_now(d, block, boff, len, out): the same if that waits for no disk: 0, else -EAGAIN whatever the reason: data_get tells it. */
int data_get_now(struct data *d, const struct meta_block *block, uint32_t boff, uint32_t len,
                 void *out);

/** data_prefetch(d, blocks, n): have workers bring these blocks into the cache; returns at once; drops what does not fit. */
void data_prefetch(struct data *d, const struct meta_block *blocks, unsigned n);

/** data_ahead(d, blocks, n): these blocks will be read soon, once: the system may fetch their records. Opens and keeps nothing; returns at once. */
void data_ahead(struct data *d, const struct meta_block *blocks, unsigned n);

/** data_cache_resize(d, bytes): change the bound of the cache. */
void data_cache_resize(struct data *d, size_t bytes);

/* Streams: sequential content, cut by content (FastCDC with keyed gear), blocks encoded by the workers in parallel. One thread at a time. */
struct data_stream;

/** data_stream_new(d, pos, ret): a stream whose first byte is at file offset ${pos}. */
int data_stream_new(struct data *d, uint64_t pos, struct data_stream **ret);
/** data_stream_write(s, data, len): waits when ${buffer_bytes} are in flight. The first error sticks. */
int data_stream_write(struct data_stream *s, const void *data, size_t len);
/**
 * data_stream_finish(s, ret_slices, ret_n): end, wait for the workers; slices in order, owned by the stream until data_stream_free. May be called once.
 * data_stream_redo(s, i): after PC_ESTALEREF for slice ${i} (a block found by dedup whose row went): read the block back (its record is still
 * pinned) and append it anew, so that the slice has bid 0.
 */
int data_stream_finish(struct data_stream *s, struct meta_slice **ret_slices, unsigned *ret_n);
int data_stream_redo(struct data_stream *s, unsigned i);
void data_stream_free(struct data_stream *s);

/** data_chunk(d, data, len, last): the length of the first chunk of ${data}: a content-defined cut, 0 if more data is needed (and not ${last}). */
size_t data_chunk(struct data *d, const void *data, size_t len, bool last);

/* Upkeep, driven by core/volume. */
/** data_pack_size(d, id): bytes on disk or -ENOENT. data_pack_remove(d, id): unlink. */
int64_t data_pack_size(struct data *d, uint64_t id);
int data_pack_remove(struct data *d, uint64_t id);
/** data_pack_compact(d, id, ret_moved): copy every live record (still sealed, verified by checksum) to an open pack and switch the engine. Skips damaged ones (logged).
 * The caller holds a meta_pin: the copies are referred to only when the engine has switched. */
int data_pack_compact(struct data *d, uint64_t id, uint64_t *ret_moved);
/** data_verify(d, block): read the record from disk past the cache and check it whole. */
int data_verify(struct data *d, const struct meta_block *block);
/** data_pack_ids(d, fn, arg): every pack file on disk, also unknown ones. */
int data_pack_ids(struct data *d, int (*fn)(void *arg, uint64_t id), void *arg);
/** data_bytes(d, ret_bytes, ret_packs): sum of pack file sizes. */
int data_bytes(struct data *d, uint64_t *ret_bytes, uint64_t *ret_packs);

#endif
