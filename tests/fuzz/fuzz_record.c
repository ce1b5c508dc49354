/* SPDX-License-Identifier: Apache-2.0 */
/* Records: hostile ones are refused, also with right checksums; what was encoded is decoded. */
#include "data/record.h"

#include "data/deflate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct record_keys keys = {.id = {{{1}, {3}}, {4}}, .content = {2}};

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* Open every segment that the head promises, from a copy of exactly its bytes. */
static void open_all(struct codec *c, const struct record_info *info, const uint8_t *rec,
                     size_t size)
{
    uint8_t *out;

    if (record_open(c, &keys, info) < 0)
        abort();
    for (uint32_t i = 0; i < info->segments; i++) {
        uint32_t len = info->off[i + 1] - info->off[i];
        uint8_t *sealed;

        if (info->off[i + 1] > size)
            break;
        out = malloc(record_segment_size(info, i));
        sealed = malloc(len);
        if (!out || !sealed)
            abort();
        memcpy(sealed, rec + info->off[i], len);
        (void)record_segment(c, info, i, sealed, out);
        free(sealed);
        free(out);
    }
}

/* As a record from disk; then once more with the checksum of its head put right, so that what lies behind it is reached. */
static void decode(struct codec *c, const uint8_t *data, size_t size)
{
    struct record_info info;
    uint8_t *rec = malloc(size ? size : 1);

    if (!rec)
        abort();
    memcpy(rec, data, size);
    if (record_parse(rec, size, &info) == 0)
        open_all(c, &info, rec, size);
    (void)record_check(rec, size, &info);
    if (size >= RECORD_HEADER) {
        uint32_t plain = (uint32_t)rec[8] | (uint32_t)rec[9] << 8 | (uint32_t)rec[10] << 16;
        size_t head = plain ? record_head_size(plain) : 0;

        if (head > 0 && head <= size) {
            put32(rec + 64, 0);
            put32(rec + 64, crc32c(0, rec, head));
        }
        if (record_parse(rec, size, &info) == 0)
            open_all(c, &info, rec, size);
        (void)record_check(rec, size, &info);
    }
    free(rec);
}

static void round_trip(struct codec *c, const uint8_t *data, uint32_t size)
{
    uint8_t *buf = malloc(RECORD_HEADROOM + size), *out = malloc(record_bound(size));
    uint8_t id[META_BLOCK_ID];
    struct record_info info;
    uint32_t stored;

    if (!buf || !out)
        abort();
    if (record_id(c, &keys, data, size, id) < 0 ||
        record_encode(c, &keys, id, data, size, true, out, &stored) < 0 ||
        record_check(out, stored, &info) < 0)
        abort();
    memcpy(buf + RECORD_HEADROOM, data, size);
    if (record_encode(c, &keys, id, buf + RECORD_HEADROOM, size, size & 1, buf, &stored) < 0 ||
        record_check(buf, stored, &info) < 0 || record_open(c, &keys, &info) < 0)
        abort();
    for (uint32_t i = 0; i < info.segments; i++)
        if (record_segment(c, &info, i, buf + info.off[i], out) < 0 ||
            memcmp(out, data + (size_t)i * DATA_SEGMENT, record_segment_size(&info, i)) != 0)
            abort();
    free(out);
    free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct codec *c;

    if (!c)
        c = codec_new();
    if (!c)
        abort();
    decode(c, data, size);
    if (size > 0)
        round_trip(c, data, (uint32_t)size);
    return 0;
}
