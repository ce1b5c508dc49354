/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 and CRC-32C by ISA-L, and joining checksums of any width. */
#include "crypto/crc.h"

#include <isa-l/crc.h>

#define CRC_STEP ((size_t)1 << 30) /* ISA-L counts bytes of CRC-32C in an int */

uint32_t crc32_update(uint32_t crc, const void *p, size_t n)
{
    return crc32_gzip_refl(crc, p, n);
}

uint32_t crc32c_update(uint32_t crc, const void *p, size_t n)
{
    unsigned char *at = (unsigned char *)(uintptr_t)p; /* ISA-L's parameter is not const */

    crc = ~crc;
    while (n > 0) {
        size_t step = n < CRC_STEP ? n : CRC_STEP;

        crc = crc32_iscsi(at, (int)step, crc);
        at += step;
        n -= step;
    }
    return ~crc;
}

/* a times b modulo poly; the highest bit of ${width} is the coefficient of 1. */
static uint64_t multiply(uint64_t poly, unsigned width, uint64_t a, uint64_t b)
{
    uint64_t product = 0;

    for (uint64_t bit = (uint64_t)1 << (width - 1); bit; bit >>= 1) {
        if (a & bit)
            product ^= b;
        b = b & 1 ? b >> 1 ^ poly : b >> 1;
    }
    return product;
}

uint64_t crc_shift(uint64_t poly, unsigned width, uint64_t crc, uint64_t bytes)
{
    uint64_t square = (uint64_t)1 << (width - 1 - 8); /* x^8 */

    for (; bytes; bytes >>= 1) {
        if (bytes & 1)
            crc = multiply(poly, width, square, crc);
        square = multiply(poly, width, square, square);
    }
    return crc;
}
