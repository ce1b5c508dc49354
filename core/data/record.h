/* SPDX-License-Identifier: Apache-2.0 */
/* A block's record in a pack: header, table of segments, sealed segments, checksum (docs/FORMATS.md, "Packs"). */
#ifndef DATA_RECORD_H
#define DATA_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/aead.h"
#include "crypto/idhash.h"
#include "data/data.h"

#define RECORD_HEADER 72
#define RECORD_TRAILER 4
#define RECORD_SALT 16
#define RECORD_SEGMENTS (META_BLOCK_MAX / DATA_SEGMENT)
#define RECORD_HEAD_MAX (RECORD_HEADER + 4 * RECORD_SEGMENTS)
#define RECORD_MAX                                                                                 \
    (RECORD_HEAD_MAX + META_BLOCK_MAX + AEAD_TAG_BYTES * RECORD_SEGMENTS + RECORD_TRAILER)
/* Plain bytes that lie so far behind the start of the record's buffer may be overwritten by it: nothing is written before it was read. */
#define RECORD_HEADROOM 4096

/* The volume's keys for records; in locked memory. */
struct record_keys {
    struct idhash_keys id;
    uint8_t content[32];
};

/* What a header and its table say. */
struct record_info {
    uint8_t id[META_BLOCK_ID], salt[RECORD_SALT];
    uint32_t size, stored;              /* plain bytes; bytes of the record */
    uint32_t segments;                  /* 1 … RECORD_SEGMENTS */
    uint32_t entry[RECORD_SEGMENTS];    /* length without tag, RECORD_DEFLATED */
    uint32_t off[RECORD_SEGMENTS + 1u]; /* where each begins in the record; the last: their end */
};
#define RECORD_DEFLATED 0x80000000u

/* Scratch of one encoder or decoder: one thread at a time. */
struct codec;
struct codec *codec_new(void); /* NULL if out of memory */
void codec_free(struct codec *c);

/** record_id(c, keys, plain, size, id): the keyed name of content. -EIO if the cipher fails. */
int record_id(struct codec *c, const struct record_keys *keys, const void *plain, size_t size,
              uint8_t id[META_BLOCK_ID]);

/** record_bound(size): the most bytes the record of a block of ${size} bytes takes. */
size_t record_bound(uint32_t size);

/** record_head_size(size): bytes of header and table for a block of ${size} bytes, 1 … META_BLOCK_MAX. */
size_t record_head_size(uint32_t size);

/**
 * record_encode(c, keys, id, plain, size, compress, out, ret_stored): the record of a block into ${out} (record_bound bytes). ${plain} is apart from ${out},
 * or begins at ${out} + RECORD_HEADROOM and is consumed. -EIO if the cipher fails.
 */
int record_encode(struct codec *c, const struct record_keys *keys, const uint8_t id[META_BLOCK_ID],
                  const void *plain, uint32_t size, bool compress, uint8_t *out,
                  uint32_t *ret_stored);

/** record_parse(head, len, ret): check header and table: PC_EFORMAT (no record begins here, or not all of its head is there), PC_EVERSION, PC_ECORRUPT. */
int record_parse(const uint8_t *head, size_t len, struct record_info *ret);

/** record_check(rec, len, ret): the whole record by its checksums, without a key. As record_parse. */
int record_check(const uint8_t *rec, size_t len, struct record_info *ret);

/** record_segment_size(info, i): plain bytes of segment ${i}. */
uint32_t record_segment_size(const struct record_info *info, uint32_t i);

/** record_open(c, keys, info): key ${c} for this record's segments. -EIO. */
int record_open(struct codec *c, const struct record_keys *keys, const struct record_info *info);

/** record_segment(c, info, i, sealed, out): open segment ${i} (its bytes and tag as in the record) to record_segment_size bytes. PC_ECORRUPT. */
int record_segment(struct codec *c, const struct record_info *info, uint32_t i,
                   const uint8_t *sealed, uint8_t *out);

#endif
