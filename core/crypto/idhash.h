/* SPDX-License-Identifier: Apache-2.0 */
/* Keyed names of content: a universal hash of 256 bits, then a PRF (docs/decisions/0007). */
#ifndef CRYPTO_IDHASH_H
#define CRYPTO_IDHASH_H

#include <stddef.h>
#include <stdint.h>

#define IDHASH_BYTES 32
#define IDHASH_PIECE                                                                               \
    (16u << 10) /* both hashes take so much in turn, while it is in the processor's first cache */

/* Three independent keys of a volume; in locked memory. */
struct idhash_keys {
    uint8_t hash[2][32], name[32];
};

/* Cipher contexts: one thread at a time. They hold keys only during a call. */
struct idhash;

/** idhash_new(ret): -ENOMEM. */
int idhash_new(struct idhash **ret);
/** idhash_free(h): NULL is legal. */
void idhash_free(struct idhash *h);

/**
 * idhash_name(h, keys, p, n, out): the name of ${n} bytes: BLAKE2b-256, keyed by keys->name, of GMAC(keys->hash[0], p) ‖ GMAC(keys->hash[1], p) ‖ n (8 bytes,
 * least first); GMAC is AES-256-GCM (NIST SP 800-38D) over associated data alone, under a nonce of zeros. Whoever lacks the keys finds no two contents of one
 * name, and learns from a name no more than whether two are equal. Whoever has them can make collisions at will. -EIO if the cipher fails; ${out} is written
 * only on success.
 */
int idhash_name(struct idhash *h, const struct idhash_keys *keys, const void *p, size_t n,
                uint8_t out[IDHASH_BYTES]);

#endif
