/* SPDX-License-Identifier: Apache-2.0 */
/* FastCDC (Xia et al., USENIX ATC 2016 and TPDS 2020) with normalised chunking and a keyed gear table. */
#include "data/chunk.h"

#include "crypto/aead.h"
#include "data/data.h"
#include "pcloud/keys.h"

#include <string.h>

/*
 * The hash is h = 2h + gear[byte]: a byte leaves it after 64 more. A cut is where its top bits are all zero: 22 of them before the average length, 18
 * behind, so that lengths gather around it. "Top bits zero" is one comparison. Nothing is looked at below the minimum.
 */
#define CUT_BEFORE_AVG (1ull << (64 - 22))
#define CUT_BEHIND_AVG (1ull << (64 - 18))

void chunk_gear(const uint8_t key[32], uint64_t gear[CHUNK_GEAR])
{
    for (uint32_t i = 0; i < CHUNK_GEAR; i += MAC_BYTES / 8) {
        uint8_t n[4] = {(uint8_t)i, (uint8_t)(i >> 8), 0, 0};
        uint8_t out[MAC_BYTES];

        mac_keyed(key, "gear", 4, n, sizeof n, out);
        for (uint32_t j = 0; j < MAC_BYTES / 8; j++) {
            uint64_t v = 0;

            for (uint32_t b = 8; b-- > 0;)
                v = v << 8 | out[j * 8 + b];
            gear[i + j] = v;
        }
        pc_wipe(out, sizeof out);
    }
}

/* Roll over at most ${n} bytes: the number up to and with the byte behind which there is a cut, or n + 1 if there is none. */
static size_t roll(const uint64_t *gear, uint64_t *hash, const uint8_t *p, size_t n, uint64_t bound)
{
    uint64_t h = *hash;
    size_t i = 0;

    for (; i + 4 <= n; i += 4) {
        h = (h << 1) + gear[p[i]];
        if (h < bound)
            return i + 1;
        h = (h << 1) + gear[p[i + 1]];
        if (h < bound)
            return i + 2;
        h = (h << 1) + gear[p[i + 2]];
        if (h < bound)
            return i + 3;
        h = (h << 1) + gear[p[i + 3]];
        if (h < bound)
            return i + 4;
    }
    for (; i < n; i++) {
        h = (h << 1) + gear[p[i]];
        if (h < bound)
            return i + 1;
    }
    *hash = h;
    return n + 1;
}

size_t chunk_scan(const uint64_t gear[CHUNK_GEAR], struct chunk_state *st, const uint8_t *data,
                  size_t len, bool *ret_cut)
{
    size_t at = 0;

    while (at < len && st->len < DATA_CHUNK_MAX) {
        size_t n = len - at;
        size_t end = st->len < DATA_CHUNK_MIN   ? DATA_CHUNK_MIN
                     : st->len < DATA_CHUNK_AVG ? DATA_CHUNK_AVG
                                                : DATA_CHUNK_MAX;
        size_t done;

        if (n > end - st->len)
            n = end - st->len;
        if (end > DATA_CHUNK_MIN) {
            done = roll(gear, &st->hash, data + at, n,
                        end == DATA_CHUNK_AVG ? CUT_BEFORE_AVG : CUT_BEHIND_AVG);
            if (done <= n) {
                *st = (struct chunk_state){0};
                *ret_cut = true;
                return at + done;
            }
        }
        at += n;
        st->len += n;
    }
    *ret_cut = st->len == DATA_CHUNK_MAX;
    if (*ret_cut)
        *st = (struct chunk_state){0};
    return at;
}
