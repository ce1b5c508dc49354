/* SPDX-License-Identifier: Apache-2.0 */
/* AES-256-GCM, keyed hashing and locked memory for the core. */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include <stddef.h>
#include <stdint.h>

#define AEAD_KEY_BYTES 32
#define AEAD_NONCE_BYTES 12
#define AEAD_TAG_BYTES 16
#define MAC_BYTES 32

/* A cipher context: one thread at a time. */
struct aead;

/** aead_new(ret): a context without a key; -ENOMEM. */
int aead_new(struct aead **ret);
/** aead_free(a): wipes; NULL is legal. */
void aead_free(struct aead *a);
/** aead_thread(): this thread's own context, made at first use and freed when the thread ends; NULL if out of memory. */
struct aead *aead_thread(void);
/** aead_rekey(a, key): set the key (copied into the context); 0 or -EIO. */
int aead_rekey(struct aead *a, const uint8_t key[AEAD_KEY_BYTES]);

/**
 * aead_seal(a, nonce, aad, aad_len, in, len, out, tag): encrypt ${len} bytes (≤ INT_MAX) to ${out}, which may be ${in}. A nonce must never
 * repeat under one key. NIST SP 800-38D. 0 or -EIO.
 */
int aead_seal(struct aead *a, const uint8_t nonce[AEAD_NONCE_BYTES], const void *aad,
              size_t aad_len, const void *in, size_t len, void *out, uint8_t tag[AEAD_TAG_BYTES]);

/** aead_open(...): the reverse; PC_ECORRUPT if the tag does not fit, and then ${out} holds nothing of use (wiped). */
int aead_open(struct aead *a, const uint8_t nonce[AEAD_NONCE_BYTES], const void *aad,
              size_t aad_len, const void *in, size_t len, void *out,
              const uint8_t tag[AEAD_TAG_BYTES]);

/** mac_keyed(key, a, a_len, b, b_len, out): BLAKE2b-256 keyed by ${key} over the two buffers joined (either may be empty). */
void mac_keyed(const uint8_t key[32], const void *a, size_t a_len, const void *b, size_t b_len,
               uint8_t out[MAC_BYTES]);

/** mem_lock_alloc(n): zeroed memory that is locked, guarded and kept out of core dumps; NULL if none. */
void *mem_lock_alloc(size_t n);
/** mem_lock_free(p): wipes, then frees; NULL is legal. */
void mem_lock_free(void *p);

#endif
