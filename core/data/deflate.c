/* SPDX-License-Identifier: Apache-2.0 */
/* Compression of segments by igzip, and CRC-32C: the only file of core/data that includes ISA-L. */
#include "data/deflate.h"

#include "base/alloc.h"
#include "pcloud/digest.h"
#include "pcloud/err.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#define SAMPLE_STRIPE 64
#define SAMPLE_STRIPES 32

struct deflate {
    struct isal_zstream out;
    struct inflate_state in;
    uint8_t level_buf[ISAL_DEF_LVL1_DEFAULT];
};

struct deflate *deflate_new(void)
{
    return mem_calloc(1, sizeof(struct deflate));
}

void deflate_free(struct deflate *z)
{
    mem_free(z);
}

/*
 * The sum of squared counts of byte values is about n + n²/256 for even ones (what is compressed or enciphered already) and grows with every value
 * that is more common. An entropy of about 7.5 bits a byte, where Huffman coding alone would win some 6 %, lies near 1.5 times the even n²/256.
 */
bool deflate_pays(const void *data, size_t len)
{
    const uint8_t *p = data;
    uint16_t count[256] = {0};
    size_t stripes = len / SAMPLE_STRIPE, n = 0;
    uint64_t sum = 0;

    if (stripes > SAMPLE_STRIPES)
        stripes = SAMPLE_STRIPES;
    if (stripes < 4)
        return len >= 64;
    for (size_t s = 0; s < stripes; s++) {
        const uint8_t *at = p + (len - SAMPLE_STRIPE) / (stripes - 1) * s;

        for (size_t i = 0; i < SAMPLE_STRIPE; i++)
            count[at[i]]++;
        n += SAMPLE_STRIPE;
    }
    for (size_t i = 0; i < 256; i++)
        sum += (uint64_t)count[i] * count[i];
    return sum > n + n * n / 256 * 5 / 4;
}

size_t deflate_pack(struct deflate *z, const void *in, size_t len, void *out, size_t cap)
{
    struct isal_zstream *s = &z->out;

    isal_deflate_stateless_init(s);
    s->level = 1;
    s->level_buf = z->level_buf;
    s->level_buf_size = sizeof z->level_buf;
    s->end_of_stream = 1;
    s->flush = NO_FLUSH;
    s->hist_bits = 0; /* the default window; the library's init leaves it as it was */
    s->gzip_flag = IGZIP_DEFLATE;
    s->next_in = (uint8_t *)(uintptr_t)in;
    s->avail_in = (uint32_t)len;
    s->next_out = out;
    s->avail_out = (uint32_t)cap;
    if (isal_deflate_stateless(s) != COMP_OK || s->avail_in > 0)
        return 0;
    return s->total_out;
}

int pc_gzip(const void *in, size_t len, void *out, size_t cap, size_t *ret_len)
{
    struct deflate *z;
    struct isal_zstream *s;
    int rc = 0;

    if (len >= 1u << 30)
        return -ENOSPC;
    z = deflate_new();
    if (!z)
        return -ENOMEM;
    s = &z->out;
    isal_deflate_stateless_init(s);
    s->level = 1;
    s->level_buf = z->level_buf;
    s->level_buf_size = sizeof z->level_buf;
    s->end_of_stream = 1;
    s->flush = NO_FLUSH;
    s->gzip_flag = IGZIP_GZIP;
    s->next_in = (uint8_t *)(uintptr_t)in;
    s->avail_in = (uint32_t)len;
    s->next_out = out;
    s->avail_out = (uint32_t)(cap < UINT32_MAX ? cap : UINT32_MAX);
    if (isal_deflate_stateless(s) != COMP_OK || s->avail_in > 0)
        rc = -ENOSPC;
    else
        *ret_len = s->total_out;
    deflate_free(z);
    return rc;
}

int deflate_unpack(struct deflate *z, const void *in, size_t in_len, void *out, size_t len)
{
    struct inflate_state *s = &z->in;

    isal_inflate_init(s);
    s->crc_flag = ISAL_DEFLATE;
    s->next_in = (uint8_t *)(uintptr_t)in;
    s->avail_in = (uint32_t)in_len;
    s->next_out = out;
    s->avail_out = (uint32_t)len;
    if (isal_inflate_stateless(s) != ISAL_DECOMP_OK || s->total_out != len || s->avail_in > 0)
        return pc_err_set(PC_ECORRUPT, "compressed data does not unpack to its size");
    return 0;
}

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;

    crc = ~crc;
    while (len > 0) {
        int n = len > (1 << 30) ? 1 << 30 : (int)len;

        crc = crc32_iscsi((unsigned char *)(uintptr_t)p, n, crc);
        p += n;
        len -= (size_t)n;
    }
    return ~crc;
}
