/* SPDX-License-Identifier: Apache-2.0 */
/* The two libraries made ready once, and the functions that only pass on to them. */
#include "crypto/lib.h"

#include "crypto/aead.h"
#include "pcloud/digest.h"
#include "pcloud/keys.h"

#include "base/alloc.h"

#include <sodium.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct crypto_lib lib;

/* Fetching by name takes a lock and a search every time; EVP_aes_256_gcm() does it at every use. The fetched ones live for ever. */
static void lib_init(void)
{
    if (sodium_init() < 0)
        abort(); /* no source of random bytes: nothing here may go on */
    lib.aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    lib.md5 = EVP_MD_fetch(NULL, "MD5", NULL);
    lib.sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    lib.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

const struct crypto_lib *crypto_lib(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, lib_init);
    return &lib;
}

void pc_random(void *p, size_t n)
{
    (void)crypto_lib();
    randombytes_buf(p, n);
}

void pc_wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}

bool pc_equal(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}

void pc_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[32])
{
    crypto_auth_hmacsha256_state st;

    (void)crypto_lib();
    crypto_auth_hmacsha256_init(&st, key, key_len);
    crypto_auth_hmacsha256_update(&st, data, len);
    crypto_auth_hmacsha256_final(&st, out);
    sodium_memzero(&st, sizeof st);
}

void mac_keyed(const uint8_t key[32], const void *a, size_t a_len, const void *b, size_t b_len,
               uint8_t out[MAC_BYTES])
{
    crypto_generichash_state st;

    (void)crypto_lib();
    crypto_generichash_init(&st, key, 32, MAC_BYTES);
    crypto_generichash_update(&st, a, a_len);
    crypto_generichash_update(&st, b, b_len);
    crypto_generichash_final(&st, out, MAC_BYTES);
    sodium_memzero(&st, sizeof st);
}

/* libsodium puts the end of the memory at the guard page: only a whole number of 16 keeps it aligned for every type. */
void *mem_lock_alloc(size_t n)
{
    size_t whole = (n + 15) & ~(size_t)15;
    void *p;

    (void)crypto_lib();
    if (whole < n || mem_denied())
        return NULL;
    p = sodium_malloc(whole ? whole : 16);
    if (p)
        memset(p, 0, whole);
    return p;
}

void mem_lock_free(void *p)
{
    sodium_free(p);
}
