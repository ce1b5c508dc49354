/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-64/NVME: width 64, poly 0xad93d23594c93659, reflected in and out, first value and final xor all ones,
 * check value of "123456789" 0xae8b14860a799888 (NVM Express, NVM command set).
 *
 * Folding: 16 bytes of a message are L x^64 + H with L the first 8 bytes. What lies D bits further on may take them over as
 * L x^(D+64) + H x^D, reduced: two carry-less products. In reflected order such a product comes out multiplied by x,
 * so the factors are x^(D+63) and x^(D-1) modulo the polynomial. They are computed once instead of being copied from somewhere.
 */
#include "crypto/crc.h"

#include <pthread.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_CLMUL 1
#endif

#define LANES 4
#define LANE_BYTES 16
#define FOLD_MIN 256 /* shorter pieces are as fast by table */

static uint64_t tables[8][256];
static uint64_t factor_lanes[2], factor_one[2]; /* {for the first 8 bytes, for the second} */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* x^n modulo the polynomial; n of at least 64. */
static uint64_t power(unsigned n)
{
    uint64_t r = CRC64_POLY; /* x^64 */

    for (; n > 64; n--)
        r = r & 1 ? r >> 1 ^ CRC64_POLY : r >> 1;
    return r;
}

static void init(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint64_t r = i;

        for (int bit = 0; bit < 8; bit++)
            r = r & 1 ? r >> 1 ^ CRC64_POLY : r >> 1;
        tables[0][i] = r;
    }
    for (unsigned t = 1; t < 8; t++) {
        for (unsigned i = 0; i < 256; i++)
            tables[t][i] = tables[t - 1][i] >> 8 ^ tables[0][tables[t - 1][i] & 0xff];
    }
    factor_lanes[0] = power(8 * LANES * LANE_BYTES + 63);
    factor_lanes[1] = power(8 * LANES * LANE_BYTES - 1);
    factor_one[0] = power(8 * LANE_BYTES + 63);
    factor_one[1] = power(8 * LANE_BYTES - 1);
}

static uint64_t load(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* The register without first value and final xor. */
static uint64_t raw_table(uint64_t crc, const uint8_t *p, size_t n)
{
    for (; n >= 8; p += 8, n -= 8) {
        crc ^= load(p);
        crc = tables[7][crc & 0xff] ^ tables[6][crc >> 8 & 0xff] ^ tables[5][crc >> 16 & 0xff] ^
              tables[4][crc >> 24 & 0xff] ^ tables[3][crc >> 32 & 0xff] ^
              tables[2][crc >> 40 & 0xff] ^ tables[1][crc >> 48 & 0xff] ^ tables[0][crc >> 56];
    }
    for (; n > 0; p++, n--)
        crc = crc >> 8 ^ tables[0][(crc ^ *p) & 0xff];
    return crc;
}

uint64_t crc64_table(uint64_t crc, const void *p, size_t n)
{
    pthread_once(&once, init);
    return ~raw_table(~crc, p, n);
}

#ifdef HAVE_CLMUL
#define CLMUL __attribute__((target("pclmul,sse2")))

CLMUL static inline __m128i load_lane(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

CLMUL static inline __m128i fold(__m128i lane, __m128i factors, __m128i next)
{
    __m128i first = _mm_clmulepi64_si128(lane, factors, 0x00);
    __m128i second = _mm_clmulepi64_si128(lane, factors, 0x11);

    return _mm_xor_si128(_mm_xor_si128(first, second), next);
}

/* n is at least LANES * LANE_BYTES. */
CLMUL static uint64_t raw_clmul(uint64_t crc, const uint8_t *p, size_t n)
{
    __m128i by_lanes = _mm_set_epi64x((int64_t)factor_lanes[1], (int64_t)factor_lanes[0]);
    __m128i by_one = _mm_set_epi64x((int64_t)factor_one[1], (int64_t)factor_one[0]);
    __m128i lane[LANES];
    uint8_t rest[LANE_BYTES];

    for (size_t i = 0; i < LANES; i++)
        lane[i] = load_lane(p + i * LANE_BYTES);
    lane[0] = _mm_xor_si128(lane[0], _mm_set_epi64x(0, (int64_t)crc));
    p += LANES * LANE_BYTES;
    n -= LANES * LANE_BYTES;
    for (; n >= LANES * LANE_BYTES; p += LANES * LANE_BYTES, n -= LANES * LANE_BYTES) {
        for (size_t i = 0; i < LANES; i++)
            lane[i] = fold(lane[i], by_lanes, load_lane(p + i * LANE_BYTES));
    }
    for (size_t i = 1; i < LANES; i++)
        lane[i] = fold(lane[i - 1], by_one, lane[i]);
    for (; n >= LANE_BYTES; p += LANE_BYTES, n -= LANE_BYTES)
        lane[LANES - 1] = fold(lane[LANES - 1], by_one, load_lane(p));
    _mm_storeu_si128((__m128i *)(void *)rest, lane[LANES - 1]);
    return raw_table(raw_table(0, rest, sizeof rest), p, n);
}

uint64_t crc64_clmul(uint64_t crc, const void *p, size_t n)
{
    if (n < LANES * LANE_BYTES)
        return crc64_table(crc, p, n);
    pthread_once(&once, init);
    return ~raw_clmul(~crc, p, n);
}

bool crc64_has_clmul(void)
{
    return __builtin_cpu_supports("pclmul");
}
#else
uint64_t crc64_clmul(uint64_t crc, const void *p, size_t n)
{
    return crc64_table(crc, p, n);
}

bool crc64_has_clmul(void)
{
    return false;
}
#endif

uint64_t crc64_update(uint64_t crc, const void *p, size_t n)
{
    return n >= FOLD_MIN && crc64_has_clmul() ? crc64_clmul(crc, p, n) : crc64_table(crc, p, n);
}
