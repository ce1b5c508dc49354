/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MD5 and SHA-256 of the same bytes, side by side (decision 0008). Each step of MD5 waits for the one before it, so that it leaves most of a core unused; the SHA
 * instructions of four rounds fit between four of its steps. RFC 1321, FIPS 180-4. Where there are no such instructions, libcrypto does one after the other.
 */
#include "crypto/pair.h"

#include "pcloud/digest.h"

#include "base/alloc.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#define HAVE_SHA 1
#endif

#define BLOCK 64

struct pc_pair {
    struct pc_digest *md5, *sha256; /* NULL: by the code below */
    uint64_t len;
    uint32_t m[4], s[8];
    uint8_t rest[BLOCK]; /* len % BLOCK bytes that wait for more */
};

#ifdef HAVE_SHA
/* floor(2^32 |sin(i + 1)|) */
static const uint32_t md5_table[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const uint32_t sha_table[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t word(const uint8_t *p, unsigned i)
{
    uint32_t w;

    memcpy(&w, p + (size_t)4 * i, sizeof w);
    return w;
}

/* The functions of MD5; what does not need b, the newest, can be had early. */
#define FN_F(b, c, d) ((((c) ^ (d)) & (b)) ^ (d))
#define FN_G(b, c, d) ((~(d) & (c)) + ((d) & (b)))
#define FN_H(b, c, d) (((c) ^ (d)) ^ (b))
#define FN_I(b, c, d) (((b) | ~(d)) ^ (c))
#define STEP(fn, a, b, c, d, i, w, s)                                                              \
    do {                                                                                           \
        (a) += word(p, (w) % 16) + md5_table[i] + fn(b, c, d);                                     \
        (a) = ((a) << (s) | (a) >> (32 - (s))) + (b);                                              \
    } while (0)
/* Four steps: step i takes word first + i * stride. */
#define FOUR(fn, g, first, stride, s0, s1, s2, s3)                                                 \
    do {                                                                                           \
        STEP(fn, a, b, c, d, 4 * (g), (first) + (stride) * (4 * (g)), s0);                         \
        STEP(fn, d, a, b, c, 4 * (g) + 1, (first) + (stride) * (4 * (g) + 1), s1);                 \
        STEP(fn, c, d, a, b, 4 * (g) + 2, (first) + (stride) * (4 * (g) + 2), s2);                 \
        STEP(fn, b, c, d, a, 4 * (g) + 3, (first) + (stride) * (4 * (g) + 3), s3);                 \
    } while (0)
/* Four rounds of SHA-256 with the words in w. */
#define ROUNDS(g, w)                                                                               \
    do {                                                                                           \
        __m128i sum = _mm_add_epi32(                                                               \
            w, _mm_loadu_si128((const __m128i_u *)(const void *)&sha_table[4 * (g)]));             \
        cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);                                             \
        abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));                    \
    } while (0)
/* w0 becomes the words that follow w3. */
#define NEXT(w0, w1, w2, w3)                                                                       \
    (w0 = _mm_sha256msg2_epu32(                                                                    \
         _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4)), w3))
#define LOAD(i)                                                                                    \
    _mm_shuffle_epi8(_mm_loadu_si128((const __m128i_u *)(const void *)(p + 16 * (i))), swap)

__attribute__((target("sha,ssse3,sse4.1"))) static void blocks(uint32_t md5[4], uint32_t sha[8],
                                                               const uint8_t *p, size_t n)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i half = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i_u *)(const void *)sha), 0xb1);
    __m128i cdgh =
        _mm_shuffle_epi32(_mm_loadu_si128((const __m128i_u *)(const void *)(sha + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(half, cdgh, 8);
    uint32_t a = md5[0], b = md5[1], c = md5[2], d = md5[3];

    cdgh = _mm_blend_epi16(cdgh, half, 0xf0);
    for (; n > 0; n--, p += BLOCK) {
        __m128i abef0 = abef, cdgh0 = cdgh, w0 = LOAD(0), w1 = LOAD(1), w2 = LOAD(2), w3 = LOAD(3);
        uint32_t a0 = a, b0 = b, c0 = c, d0 = d;

        ROUNDS(0, w0);
        FOUR(FN_F, 0, 0, 1, 7, 12, 17, 22);
        ROUNDS(1, w1);
        FOUR(FN_F, 1, 0, 1, 7, 12, 17, 22);
        ROUNDS(2, w2);
        FOUR(FN_F, 2, 0, 1, 7, 12, 17, 22);
        ROUNDS(3, w3);
        FOUR(FN_F, 3, 0, 1, 7, 12, 17, 22);
        NEXT(w0, w1, w2, w3);
        ROUNDS(4, w0);
        FOUR(FN_G, 4, 1, 5, 5, 9, 14, 20);
        NEXT(w1, w2, w3, w0);
        ROUNDS(5, w1);
        FOUR(FN_G, 5, 1, 5, 5, 9, 14, 20);
        NEXT(w2, w3, w0, w1);
        ROUNDS(6, w2);
        FOUR(FN_G, 6, 1, 5, 5, 9, 14, 20);
        NEXT(w3, w0, w1, w2);
        ROUNDS(7, w3);
        FOUR(FN_G, 7, 1, 5, 5, 9, 14, 20);
        NEXT(w0, w1, w2, w3);
        ROUNDS(8, w0);
        FOUR(FN_H, 8, 5, 3, 4, 11, 16, 23);
        NEXT(w1, w2, w3, w0);
        ROUNDS(9, w1);
        FOUR(FN_H, 9, 5, 3, 4, 11, 16, 23);
        NEXT(w2, w3, w0, w1);
        ROUNDS(10, w2);
        FOUR(FN_H, 10, 5, 3, 4, 11, 16, 23);
        NEXT(w3, w0, w1, w2);
        ROUNDS(11, w3);
        FOUR(FN_H, 11, 5, 3, 4, 11, 16, 23);
        NEXT(w0, w1, w2, w3);
        ROUNDS(12, w0);
        FOUR(FN_I, 12, 0, 7, 6, 10, 15, 21);
        NEXT(w1, w2, w3, w0);
        ROUNDS(13, w1);
        FOUR(FN_I, 13, 0, 7, 6, 10, 15, 21);
        NEXT(w2, w3, w0, w1);
        ROUNDS(14, w2);
        FOUR(FN_I, 14, 0, 7, 6, 10, 15, 21);
        NEXT(w3, w0, w1, w2);
        ROUNDS(15, w3);
        FOUR(FN_I, 15, 0, 7, 6, 10, 15, 21);
        abef = _mm_add_epi32(abef, abef0);
        cdgh = _mm_add_epi32(cdgh, cdgh0);
        a += a0;
        b += b0;
        c += c0;
        d += d0;
    }
    md5[0] = a;
    md5[1] = b;
    md5[2] = c;
    md5[3] = d;
    half = _mm_shuffle_epi32(abef, 0x1b);
    cdgh = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i_u *)(void *)sha, _mm_blend_epi16(half, cdgh, 0xf0));
    _mm_storeu_si128((__m128i_u *)(void *)(sha + 4), _mm_alignr_epi8(cdgh, half, 8));
}

static bool has_sha(void)
{
    unsigned a, b, c, d;

    /* SSSE3 and SSE4.1 came long before */
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 29) &&
           __get_cpuid(1, &a, &b, &c, &d) && (c & 1u << 9) && (c & 1u << 19);
}

static void start(struct pc_pair *p)
{
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

    p->len = 0;
    p->m[0] = 0x67452301;
    p->m[1] = 0xefcdab89;
    p->m[2] = 0x98badcfe;
    p->m[3] = 0x10325476;
    memcpy(p->s, first, sizeof p->s);
}

static void update(struct pc_pair *p, const uint8_t *data, size_t len)
{
    size_t have = (size_t)(p->len % BLOCK), whole;

    p->len += len;
    if (have > 0) {
        size_t n = BLOCK - have < len ? BLOCK - have : len;

        memcpy(p->rest + have, data, n);
        data += n;
        len -= n;
        if (have + n < BLOCK)
            return;
        blocks(p->m, p->s, p->rest, 1);
    }
    whole = len / BLOCK;
    blocks(p->m, p->s, data, whole);
    memcpy(p->rest, data + whole * BLOCK, len - whole * BLOCK);
}

/* A one, zeros, and the length in bits: its first byte the least (MD5) or the highest (SHA-256). So the ends differ, and each is thrown away for the other. */
static void finish(struct pc_pair *p, uint8_t md5[16], uint8_t sha256[32])
{
    uint8_t end[2][2 * BLOCK] = {{0}};
    uint32_t unused_m[4] = {0}, unused_s[8] = {0};
    size_t have = (size_t)(p->len % BLOCK), n = have < BLOCK - 8 ? 1 : 2;
    uint64_t bits = p->len * 8;

    for (int k = 0; k < 2; k++) {
        memcpy(end[k], p->rest, have);
        end[k][have] = 0x80;
    }
    for (size_t i = 0; i < 8; i++) {
        end[0][n * BLOCK - 8 + i] = (uint8_t)(bits >> 8 * i);
        end[1][n * BLOCK - 1 - i] = (uint8_t)(bits >> 8 * i);
    }
    blocks(p->m, unused_s, end[0], n);
    blocks(unused_m, p->s, end[1], n);
    for (size_t i = 0; i < 16; i++)
        md5[i] = (uint8_t)(p->m[i / 4] >> 8 * (i % 4));
    for (size_t i = 0; i < 32; i++)
        sha256[i] = (uint8_t)(p->s[i / 4] >> 8 * (3 - i % 4));
}
#else
static bool has_sha(void)
{
    return false;
}

static void start(struct pc_pair *p)
{
    (void)p;
}

static void update(struct pc_pair *p, const uint8_t *data, size_t len)
{
    (void)p;
    (void)data;
    (void)len;
}

static void finish(struct pc_pair *p, uint8_t md5[16], uint8_t sha256[32])
{
    (void)p;
    (void)md5;
    (void)sha256;
}
#endif

struct pc_pair *pair_new(enum pair_way way)
{
    struct pc_pair *p;

    if (way == PAIR_TOGETHER && !has_sha())
        return NULL;
    p = mem_calloc(1, sizeof *p);
    if (!p)
        return NULL;
    if (way == PAIR_TOGETHER) {
        start(p);
        return p;
    }
    p->md5 = pc_digest_new(PC_MD5);
    p->sha256 = pc_digest_new(PC_SHA256);
    if (p->md5 && p->sha256)
        return p;
    pc_pair_free(p);
    return NULL;
}

struct pc_pair *pc_pair_new(void)
{
    return pair_new(has_sha() ? PAIR_TOGETHER : PAIR_APART);
}

void pc_pair_update(struct pc_pair *p, const void *data, size_t len)
{
    if (len == 0)
        return;
    if (p->md5) {
        pc_digest_update(p->md5, data, len);
        pc_digest_update(p->sha256, data, len);
    } else {
        update(p, data, len);
    }
}

void pc_pair_final(struct pc_pair *p, uint8_t md5[16], uint8_t sha256[32])
{
    if (p->md5) {
        uint8_t out[PC_DIGEST_MAX];

        pc_digest_final(p->md5, out);
        memcpy(md5, out, 16);
        pc_digest_final(p->sha256, sha256);
    } else {
        finish(p, md5, sha256);
        start(p);
    }
}

void pc_pair_free(struct pc_pair *p)
{
    if (!p)
        return;
    pc_digest_free(p->md5);
    pc_digest_free(p->sha256);
    mem_free(p);
}
