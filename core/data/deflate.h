/* SPDX-License-Identifier: Apache-2.0 */
/* Compression of segments, and CRC-32C: what core/data takes from ISA-L. */
#ifndef DATA_DEFLATE_H
#define DATA_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* State of one compressor and decompressor: one thread at a time. */
struct deflate;

/** deflate_new(): NULL if out of memory. About 350 KiB, touched when used. */
struct deflate *deflate_new(void);
void deflate_free(struct deflate *z);

/** deflate_pays(data, len): a cheap guess from a sample: are some byte values so much more common than others that coding them shorter helps? */
bool deflate_pays(const void *data, size_t len);

/** deflate_pack(z, in, len, out, cap): raw deflate of ${len} bytes: the number of bytes, or 0 if they do not fit into ${cap}. */
size_t deflate_pack(struct deflate *z, const void *in, size_t len, void *out, size_t cap);

/** deflate_unpack(z, in, in_len, out, len): exactly ${len} bytes, using exactly the input, or PC_ECORRUPT. */
int deflate_unpack(struct deflate *z, const void *in, size_t in_len, void *out, size_t len);

/** crc32c(crc, data, len): CRC-32C (RFC 3720) of ${data} after bytes whose CRC is ${crc} (0 at the start). */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

#endif
