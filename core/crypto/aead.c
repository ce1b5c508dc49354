/* SPDX-License-Identifier: Apache-2.0 */
/* AES-256-GCM by libcrypto: one context a thread, the cipher fetched once. */
#include "crypto/aead.h"

#include "crypto/lib.h"
#include "pcloud/err.h"
#include "pcloud/keys.h"

#include "base/alloc.h"

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

struct aead {
    EVP_CIPHER_CTX *ctx;
    bool keyed;
};

static pthread_key_t thread_key;
static bool thread_key_made;

int aead_new(struct aead **ret)
{
    const struct crypto_lib *lib = crypto_lib();
    struct aead *a = mem_calloc(1, sizeof *a);

    if (!a)
        return -ENOMEM;
    a->ctx = mem_denied() ? NULL : EVP_CIPHER_CTX_new();
    if (!a->ctx || !lib->aes_256_gcm ||
        EVP_CipherInit_ex2(a->ctx, lib->aes_256_gcm, NULL, NULL, 1, NULL) != 1) {
        aead_free(a);
        return -ENOMEM;
    }
    *ret = a;
    return 0;
}

void aead_free(struct aead *a)
{
    if (!a)
        return;
    EVP_CIPHER_CTX_free(a->ctx); /* wipes the key schedule */
    mem_free(a);
}

static void thread_end(void *a)
{
    aead_free(a);
}

static void thread_key_make(void)
{
    thread_key_made = pthread_key_create(&thread_key, thread_end) == 0;
}

struct aead *aead_thread(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct aead *a;

    pthread_once(&once, thread_key_make);
    if (!thread_key_made)
        return NULL;
    a = pthread_getspecific(thread_key);
    if (a || aead_new(&a) < 0)
        return a;
    if (pthread_setspecific(thread_key, a) != 0) {
        aead_free(a);
        return NULL;
    }
    return a;
}

int aead_rekey(struct aead *a, const uint8_t key[AEAD_KEY_BYTES])
{
    a->keyed = EVP_CipherInit_ex2(a->ctx, NULL, key, NULL, 1, NULL) == 1;
    return a->keyed ? 0 : -EIO;
}

/* Set nonce and direction, take the associated data and the ${len} bytes; everything but the tag. */
static bool crypt(struct aead *a, int encrypt, const uint8_t *nonce, const void *aad,
                  size_t aad_len, const void *in, size_t len, void *out)
{
    int n;

    if (!a->keyed || aad_len > INT_MAX || len > INT_MAX)
        return false;
    if (EVP_CipherInit_ex2(a->ctx, NULL, NULL, nonce, encrypt, NULL) != 1)
        return false;
    if (aad_len && EVP_CipherUpdate(a->ctx, NULL, &n, aad, (int)aad_len) != 1)
        return false;
    return len == 0 || (EVP_CipherUpdate(a->ctx, out, &n, in, (int)len) == 1 && n == (int)len);
}

int aead_seal(struct aead *a, const uint8_t nonce[AEAD_NONCE_BYTES], const void *aad,
              size_t aad_len, const void *in, size_t len, void *out, uint8_t tag[AEAD_TAG_BYTES])
{
    uint8_t none[16];
    int n;

    if (!crypt(a, 1, nonce, aad, aad_len, in, len, out) ||
        EVP_CipherFinal_ex(a->ctx, none, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_BYTES, tag) != 1)
        return -EIO;
    return 0;
}

int aead_open(struct aead *a, const uint8_t nonce[AEAD_NONCE_BYTES], const void *aad,
              size_t aad_len, const void *in, size_t len, void *out,
              const uint8_t tag[AEAD_TAG_BYTES])
{
    uint8_t expected[AEAD_TAG_BYTES], none[16];
    int r = -EIO, n;

    memcpy(expected, tag, sizeof expected); /* the library's parameter is not const */
    if (crypt(a, 0, nonce, aad, aad_len, in, len, out) &&
        EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_BYTES, expected) == 1)
        r = EVP_CipherFinal_ex(a->ctx, none, &n) == 1 ? 0 : PC_ECORRUPT;
    if (r < 0 && len)
        pc_wipe(out, len);
    return r;
}
