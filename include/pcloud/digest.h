/* SPDX-License-Identifier: Apache-2.0 */
/* Digests, checksums, HMAC and encodings that S3 and HTTP ask for. */
#ifndef PCLOUD_DIGEST_H
#define PCLOUD_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pc_digest_kind {
    PC_MD5,
    PC_SHA1,
    PC_SHA256,
    PC_CRC32,
    PC_CRC32C,
    PC_CRC64NVME,
    PC_DIGEST_COUNT
};
#define PC_DIGEST_MAX 32

struct pc_digest;

/** pc_digest_size(kind): bytes of the result: 16, 20, 32, 4, 4, 8. CRCs are big-endian, as S3 writes them. */
size_t pc_digest_size(enum pc_digest_kind kind);

/** pc_digest_new(kind): a running digest, NULL if out of memory. One thread at a time. */
struct pc_digest *pc_digest_new(enum pc_digest_kind kind);
void pc_digest_update(struct pc_digest *d, const void *data, size_t len);
/** pc_digest_final(d, out): write the result and reset for a new message. */
void pc_digest_final(struct pc_digest *d, uint8_t out[PC_DIGEST_MAX]);
void pc_digest_free(struct pc_digest *d);

/** pc_digest_once(kind, data, len, out): the digest of one buffer; -ENOMEM. */
int pc_digest_once(enum pc_digest_kind kind, const void *data, size_t len,
                   uint8_t out[PC_DIGEST_MAX]);

/** pc_crc_combine(kind, a, b, len_b): the CRC of two messages joined, from their CRCs (host integers); PC_CRC32, PC_CRC32C, PC_CRC64NVME. */
uint64_t pc_crc_combine(enum pc_digest_kind kind, uint64_t a, uint64_t b, uint64_t len_b);

/** pc_hmac_sha256(key, key_len, data, len, out): RFC 2104. */
void pc_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[32]);

/** pc_equal(a, b, len): compare in constant time. */
bool pc_equal(const void *a, const void *b, size_t len);

/** pc_random(p, n): cryptographic random bytes. */
void pc_random(void *p, size_t n);

/** pc_hex(data, len, out): lower-case hex and NUL: ${out} holds 2 len + 1. */
void pc_hex(const void *data, size_t len, char *out);
/** pc_unhex(text, len, out): ${len} hex digits (even) into len / 2 bytes; PC_EFORMAT. */
int pc_unhex(const char *text, size_t len, void *out);

/** pc_base64(data, len, out): RFC 4648 with padding and NUL: ${out} holds 4 * ((len + 2) / 3) + 1. */
void pc_base64(const void *data, size_t len, char *out);
/** pc_unbase64(text, len, out, cap): strict; the number of bytes, or PC_EFORMAT, PC_ELIMIT. */
int pc_unbase64(const char *text, size_t len, void *out, size_t cap);

/** pc_gzip(in, len, out, cap, ret_len): ${len} bytes (under 1 GiB) as a gzip file. -ENOSPC if it does not fit into ${cap}, -ENOMEM. */
int pc_gzip(const void *in, size_t len, void *out, size_t cap, size_t *ret_len);

#endif
