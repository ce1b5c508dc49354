/* SPDX-License-Identifier: Apache-2.0 */
/* Encoding and decoding of records: memory to memory, no files. */
#include "data/record.h"

#include "base/alloc.h"
#include "data/deflate.h"
#include "pcloud/digest.h"
#include "pcloud/err.h"

#include <string.h>

#define MAGIC "pcb1"
#define VERSION 2 /* 1 had ids of another kind */
#define AAD 48

/* A segment is stored deflated if that saves at least a sixteenth. */
#define WORTH(len) ((len) - (len) / 16)

struct codec {
    struct aead *aead;
    struct idhash *idhash;
    struct deflate *z;
    uint8_t buf[DATA_SEGMENT];
};

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v & 0xffff);
    put16(p + 2, v >> 16);
}

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

struct codec *codec_new(void)
{
    struct codec *c = mem_alloc(sizeof *c);

    if (!c)
        return NULL;
    c->z = deflate_new();
    if (!c->z)
        goto free_codec;
    if (aead_new(&c->aead) < 0)
        goto free_deflate;
    if (idhash_new(&c->idhash) < 0)
        goto free_aead;
    return c;
free_aead:
    aead_free(c->aead);
free_deflate:
    deflate_free(c->z);
free_codec:
    mem_free(c);
    return NULL;
}

void codec_free(struct codec *c)
{
    if (!c)
        return;
    idhash_free(c->idhash);
    aead_free(c->aead);
    deflate_free(c->z);
    mem_free(c);
}

int record_id(struct codec *c, const struct record_keys *keys, const void *plain, size_t size,
              uint8_t id[META_BLOCK_ID])
{
    return idhash_name(c->idhash, &keys->id, plain, size, id);
}

static uint32_t segments_of(uint32_t size)
{
    return (size + DATA_SEGMENT - 1) / DATA_SEGMENT;
}

size_t record_bound(uint32_t size)
{
    return record_head_size(size) + size + (size_t)AEAD_TAG_BYTES * segments_of(size) +
           RECORD_TRAILER;
}

size_t record_head_size(uint32_t size)
{
    return RECORD_HEADER + (size_t)4 * segments_of(size);
}

uint32_t record_segment_size(const struct record_info *info, uint32_t i)
{
    return i + 1 < info->segments ? DATA_SEGMENT : info->size - i * DATA_SEGMENT;
}

/* The key of a record: no two have the same, since each has its own salt; so the number of a segment can be its nonce. */
static int rekey(struct codec *c, const struct record_keys *keys, const uint8_t *id,
                 const uint8_t *salt)
{
    uint8_t key[MAC_BYTES];
    int r;

    mac_keyed(keys->content, id, META_BLOCK_ID, salt, RECORD_SALT, key);
    r = aead_rekey(c->aead, key);
    pc_wipe(key, sizeof key);
    return r;
}

int record_open(struct codec *c, const struct record_keys *keys, const struct record_info *info)
{
    return rekey(c, keys, info->id, info->salt);
}

/* What is bound to segment ${i}, besides its bytes. */
static void bind(const uint8_t *id, uint32_t size, uint32_t i, uint32_t entry, uint8_t aad[AAD],
                 uint8_t nonce[AEAD_NONCE_BYTES])
{
    memcpy(aad, id, META_BLOCK_ID);
    put16(aad + 32, VERSION);
    put16(aad + 34, segments_of(size));
    put32(aad + 36, size);
    put32(aad + 40, i);
    put32(aad + 44, entry);
    memset(nonce, 0, AEAD_NONCE_BYTES);
    put32(nonce, i);
}

/* Segment ${i}: deflate if it pays, seal to ${out}; ${in} may overlap ${out} from above. The table's entry. */
static int encode_segment(struct codec *c, const uint8_t *id, uint32_t size, uint32_t i,
                          const uint8_t *in, bool compress, uint8_t *out, uint32_t *ret_entry)
{
    uint32_t len = size - i * DATA_SEGMENT < DATA_SEGMENT ? size - i * DATA_SEGMENT : DATA_SEGMENT;
    uint8_t aad[AAD], nonce[AEAD_NONCE_BYTES];
    uint32_t entry = len;
    int r;

    if (compress && deflate_pays(in, len)) {
        size_t n = deflate_pack(c->z, in, len, c->buf, WORTH(len));

        if (n > 0) {
            in = c->buf;
            len = (uint32_t)n;
            entry = len | RECORD_DEFLATED;
        }
    }
    if (in > out && in < out + len + AEAD_TAG_BYTES) {
        memmove(out, in, len);
        in = out;
    }
    bind(id, size, i, entry, aad, nonce);
    r = aead_seal(c->aead, nonce, aad, sizeof aad, in, len, out, out + len);
    if (r < 0)
        return r;
    *ret_entry = entry;
    return 0;
}

int record_encode(struct codec *c, const struct record_keys *keys, const uint8_t id[META_BLOCK_ID],
                  const void *plain, uint32_t size, bool compress, uint8_t *out,
                  uint32_t *ret_stored)
{
    const uint8_t *in = plain;
    uint32_t segments = segments_of(size);
    size_t head = record_head_size(size), at = head;
    int r;

    memcpy(out, MAGIC, 4);
    out[4] = VERSION;
    out[5] = 0;
    put16(out + 6, segments);
    put32(out + 8, size);
    memcpy(out + 16, id, META_BLOCK_ID);
    pc_random(out + 48, RECORD_SALT);
    r = rekey(c, keys, id, out + 48);
    if (r < 0)
        return r;
    for (uint32_t i = 0; i < segments; i++) {
        uint32_t entry;

        r = encode_segment(c, id, size, i, in + (size_t)i * DATA_SEGMENT, compress, out + at,
                           &entry);
        if (r < 0)
            return r;
        put32(out + RECORD_HEADER + (size_t)4 * i, entry);
        at += (entry & ~RECORD_DEFLATED) + AEAD_TAG_BYTES;
    }
    put32(out + at, crc32c(0, out + head, at - head));
    at += RECORD_TRAILER;
    put32(out + 12, (uint32_t)at);
    put32(out + 64, 0);
    put32(out + 68, 0);
    put32(out + 64, crc32c(0, out, head));
    *ret_stored = (uint32_t)at;
    return 0;
}

/* The table: every length fits its segment, and together they are the record. */
static int parse_table(const uint8_t *table, struct record_info *info)
{
    uint32_t at = (uint32_t)record_head_size(info->size);

    for (uint32_t i = 0; i < info->segments; i++) {
        uint32_t entry = get32(table + (size_t)4 * i), len = entry & ~RECORD_DEFLATED;
        uint32_t plain = record_segment_size(info, i);

        if (len == 0 || len > plain || (!(entry & RECORD_DEFLATED) && len != plain))
            return pc_err_set(PC_ECORRUPT, "record with a segment of %u for %u bytes", len, plain);
        info->entry[i] = entry;
        info->off[i] = at;
        at += len + AEAD_TAG_BYTES;
    }
    info->off[info->segments] = at;
    if (info->stored != at + RECORD_TRAILER)
        return pc_err_set(PC_ECORRUPT, "record of %u bytes says %u", at + RECORD_TRAILER,
                          info->stored);
    return 0;
}

/* The checksum of the head covers itself as zero. */
static bool head_sound(const uint8_t *head, size_t len)
{
    static const uint8_t zero[4];
    uint32_t crc = crc32c(0, head, 64);

    crc = crc32c(crc, zero, sizeof zero);
    crc = crc32c(crc, head + 68, len - 68);
    return crc == get32(head + 64);
}

int record_parse(const uint8_t *head, size_t len, struct record_info *ret)
{
    struct record_info info;
    size_t need;

    if (len < RECORD_HEADER || memcmp(head, MAGIC, 4) != 0)
        return pc_err_set(PC_EFORMAT, "no record");
    if (head[4] != VERSION || head[5] != 0)
        return pc_err_set(PC_EVERSION, "record of version %u.%u; this one reads %u.0", head[4],
                          head[5], VERSION);
    info.segments = get16(head + 6);
    info.size = get32(head + 8);
    info.stored = get32(head + 12);
    if (info.size == 0 || info.size > META_BLOCK_MAX || info.segments != segments_of(info.size))
        return pc_err_set(PC_ECORRUPT, "record of %u bytes in %u segments", info.size,
                          info.segments);
    need = record_head_size(info.size);
    if (len < need)
        return pc_err_set(PC_EFORMAT, "record cut off in its table");
    if (!head_sound(head, need))
        return pc_err_set(PC_ECORRUPT, "record with a wrong checksum of its head");
    memcpy(info.id, head + 16, META_BLOCK_ID);
    memcpy(info.salt, head + 48, RECORD_SALT);
    if (parse_table(head + RECORD_HEADER, &info) < 0)
        return PC_ECORRUPT;
    *ret = info;
    return 0;
}

int record_check(const uint8_t *rec, size_t len, struct record_info *ret)
{
    struct record_info info;
    size_t head, end;
    int r = record_parse(rec, len, &info);

    if (r < 0)
        return r;
    if (len < info.stored)
        return pc_err_set(PC_EFORMAT, "record cut off: %zu of %u bytes", len, info.stored);
    head = record_head_size(info.size);
    end = info.stored - RECORD_TRAILER;
    if (crc32c(0, rec + head, end - head) != get32(rec + end))
        return pc_err_set(PC_ECORRUPT, "record with a wrong checksum of its content");
    *ret = info;
    return 0;
}

int record_segment(struct codec *c, const struct record_info *info, uint32_t i,
                   const uint8_t *sealed, uint8_t *out)
{
    uint32_t entry = info->entry[i], len = entry & ~RECORD_DEFLATED;
    uint8_t aad[AAD], nonce[AEAD_NONCE_BYTES];
    uint8_t *to = entry & RECORD_DEFLATED ? c->buf : out;
    int r;

    bind(info->id, info->size, i, entry, aad, nonce);
    r = aead_open(c->aead, nonce, aad, sizeof aad, sealed, len, to, sealed + len);
    if (r == PC_ECORRUPT)
        return pc_err_set(r, "a segment does not fit its tag");
    if (r < 0)
        return r;
    if (to == out)
        return 0;
    return deflate_unpack(c->z, to, len, out, record_segment_size(info, i));
}
