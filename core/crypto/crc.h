/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums as plain functions: CRC-32, CRC-32C and CRC-64/NVME. */
#ifndef CRYPTO_CRC_H
#define CRYPTO_CRC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** crc32_update/crc32c_update/crc64_update(crc, p, n): the checksum of what ${crc} is one of, followed by ${n} bytes; begin with 0. */
uint32_t crc32_update(uint32_t crc, const void *p, size_t n);
uint32_t crc32c_update(uint32_t crc, const void *p, size_t n);
uint64_t crc64_update(uint64_t crc, const void *p, size_t n);

/* The two ways to the same CRC-64, for their test and their measurement. */

/** crc64_table(crc, p, n): eight tables, any machine. */
uint64_t crc64_table(uint64_t crc, const void *p, size_t n);
/** crc64_clmul(crc, p, n): carry-less multiplication; only if crc64_has_clmul(). */
uint64_t crc64_clmul(uint64_t crc, const void *p, size_t n);
bool crc64_has_clmul(void);

/** crc_shift(poly, width, crc, bytes): ${crc} times x to the 8 ${bytes}, modulo the reflected ${poly} of that width. */
uint64_t crc_shift(uint64_t poly, unsigned width, uint64_t crc, uint64_t bytes);

#define CRC32_POLY 0xedb88320u
#define CRC32C_POLY 0x82f63b78u
#define CRC64_POLY 0x9a6c9329ac4bc9b5u /* NVME: 0xad93d23594c93659 reflected */

#endif
