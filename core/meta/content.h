/* SPDX-License-Identifier: Apache-2.0 */
/* Engine operations on content: slices, inline data, blocks and packs. */
#ifndef META_CONTENT_H
#define META_CONTENT_H

#include "meta/meta.h"

#define META_INLINE_MAX 4096
#define META_IF_SHORTER (1u << 31) /* beside PC_SET_… */
#define META_BLOCK_ID 32
#define META_BLOCK_MAX (4u << 20)

/* A block and its place. */
struct meta_block {
    uint64_t bid; /* row; 0 while it has none */
    uint8_t id[META_BLOCK_ID];
    uint32_t size;   /* plain bytes, 1 … META_BLOCK_MAX */
    uint32_t stored; /* bytes of its record in the pack */
    uint64_t pack, off;
};

/* A slice: ${len} bytes of the file at ${pos} are those of ${block} from ${boff} on. Slices of one file never overlap: a newer one cuts the older. */
struct meta_slice {
    uint64_t pos;
    uint32_t len, boff;
    struct meta_block block;
};

struct meta_pack {
    uint64_t id, size, live; /* bytes on disk, bytes of referenced or not yet reclaimed records */
    bool sealed;
};

struct meta_content_ops {
    /* Slices that meet [off, off+len), ordered, at most ${max}; returns their number. *ret_inline (META_INLINE_MAX bytes, may be NULL) and *ret_inline_len get inline
     * content (len 0: none); *ret_size and *ret_version the node's. ${off}+${len} beyond the end is no error. */
    int (*read)(struct meta *m, uint64_t ino, uint64_t off, uint64_t len, struct meta_slice *slices,
                unsigned max, uint8_t *ret_inline, size_t *ret_inline_len, uint64_t *ret_size,
                uint64_t *ret_version);

    /* Put slices over what is there (any order, not overlapping each other); inline content, if any, is dropped (the caller has included it). Blocks with bid
     * 0 get rows (or meet an equal id's row, which then is used); bid > 0 gains a reference: PC_ESTALEREF with *ret_bad set if that row is gone. Size becomes
     * max(size, min_size). mtime and ctime become now; ${set} may hold PC_SET_KILL_SUID. Version rises by one. */
    int (*write)(struct meta *m, uint64_t ino, const struct meta_slice *slices, unsigned n,
                 uint64_t min_size, unsigned set, unsigned *ret_bad);

    /* The whole content becomes these ≤ META_INLINE_MAX bytes; slices go. With META_IF_SHORTER in ${set}: -EFBIG and nothing done if the node is longer than that. */
    int (*write_inline)(struct meta *m, uint64_t ino, const void *data, size_t len, unsigned set);

    /* A hole; sizes stay. Inline content is zeroed there. */
    int (*punch)(struct meta *m, uint64_t ino, uint64_t off, uint64_t len);
    /* Move everything from ${off} on by ${delta} bytes (< 0: collapse: [off+delta, off) must be a hole), changing the size. */
    int (*shift)(struct meta *m, uint64_t ino, uint64_t off, int64_t delta);
    /* Share slices: dst's range becomes a copy of src's (src may be dst, ranges apart). No inline content on either side. */
    int (*share)(struct meta *m, uint64_t src, uint64_t src_off, uint64_t dst, uint64_t dst_off,
                 uint64_t len);
    /* Where the next data or hole at or after ${off} is; -ENXIO. */
    int64_t (*seek)(struct meta *m, uint64_t ino, uint64_t off, int whence);

    /* Blocks for dedup: 1 and *ret filled, 0 if unknown. A block once read as damaged (block_forget) is not found any more. */
    int (*block_find)(struct meta *m, const uint8_t id[META_BLOCK_ID], struct meta_block *ret);
    int (*block_forget)(struct meta *m, uint64_t bid);
    int (*block_get)(struct meta *m, uint64_t bid, struct meta_block *ret); /* -ENOENT */

    /* Packs: numbers are never reused. pack_new is durable before use: bytes of an unknown pack are garbage. */
    int (*pack_new)(struct meta *m, uint64_t *ret_id);
    int (*pack_seal)(struct meta *m, uint64_t id, uint64_t size);
    int (*pack_list)(struct meta *m, uint64_t after, unsigned max,
                     struct meta_pack *packs); /* number */
    int (*pack_blocks)(struct meta *m, uint64_t pack, uint64_t after_off, unsigned max,
                       struct meta_block *blocks); /* by offset; number */

    /* Reclaim: delete up to ${max} block rows without references that no pin protects; the number, sizes added to *bytes. */
    int (*gc_blocks)(struct meta *m, unsigned max, uint64_t *bytes);
    /* The block's record was copied: switch it if it still is at (old_pack, old_off); 0 or PC_ESTALEREF. */
    int (*block_move)(struct meta *m, uint64_t bid, uint64_t old_pack, uint64_t old_off,
                      uint64_t new_pack, uint64_t new_off);
    /* Forget sealed packs with nothing live, older than every pin, whose removal is durable: fills ids to unlink; number. */
    int (*gc_packs)(struct meta *m, unsigned max, uint64_t *ids);
    /* Expire nodes whose last holder is gone; the number, with those that others did meanwhile: 0 says that all are gone or held. */
    int (*gc_orphans)(struct meta *m, unsigned max);
    /* A session that died left open packs: mark those of dead sessions sealed at the size given by ${size_of}. */
    int (*pack_adopt)(struct meta *m, int64_t (*size_of)(void *arg, uint64_t id), void *arg);
};

#endif
