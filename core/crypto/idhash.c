/* SPDX-License-Identifier: Apache-2.0 */
/* Keyed names of content: two GMACs in one pass over it, then keyed BLAKE2b. */
#include "crypto/idhash.h"

#include "crypto/aead.h"
#include "crypto/lib.h"
#include "pcloud/err.h"
#include "pcloud/keys.h"

#include "base/alloc.h"

#include <stdbool.h>

struct idhash {
    EVP_CIPHER_CTX *ctx[2];
};

int idhash_new(struct idhash **ret)
{
    const struct crypto_lib *lib = crypto_lib();
    struct idhash *h = mem_calloc(1, sizeof *h);

    if (!h)
        return -ENOMEM;
    for (int i = 0; i < 2; i++) {
        h->ctx[i] = mem_denied() ? NULL : EVP_CIPHER_CTX_new();
        if (!h->ctx[i] || !lib->aes_256_gcm ||
            EVP_CipherInit_ex2(h->ctx[i], lib->aes_256_gcm, NULL, NULL, 1, NULL) != 1) {
            idhash_free(h);
            return -ENOMEM;
        }
    }
    *ret = h;
    return 0;
}

void idhash_free(struct idhash *h)
{
    if (!h)
        return;
    EVP_CIPHER_CTX_free(h->ctx[0]);
    EVP_CIPHER_CTX_free(h->ctx[1]);
    mem_free(h);
}

static bool begin(EVP_CIPHER_CTX *ctx, const uint8_t key[32])
{
    static const uint8_t nonce[AEAD_NONCE_BYTES];

    return EVP_CipherInit_ex2(ctx, NULL, key, nonce, 1, NULL) == 1;
}

static bool end(EVP_CIPHER_CTX *ctx, uint8_t tag[AEAD_TAG_BYTES])
{
    uint8_t none[16];
    int n;

    return EVP_CipherFinal_ex(ctx, none, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_BYTES, tag) == 1;
}

/* Both hashes take each piece before the next one is fetched. */
static bool hash(struct idhash *h, const struct idhash_keys *keys, const uint8_t *p, size_t n,
                 uint8_t tags[2 * AEAD_TAG_BYTES])
{
    int unused;

    if (!begin(h->ctx[0], keys->hash[0]) || !begin(h->ctx[1], keys->hash[1]))
        return false;
    while (n > 0) {
        size_t piece = n < IDHASH_PIECE ? n : IDHASH_PIECE;

        if (EVP_CipherUpdate(h->ctx[0], NULL, &unused, p, (int)piece) != 1 ||
            EVP_CipherUpdate(h->ctx[1], NULL, &unused, p, (int)piece) != 1)
            return false;
        p += piece;
        n -= piece;
    }
    return end(h->ctx[0], tags) && end(h->ctx[1], tags + AEAD_TAG_BYTES);
}

int idhash_name(struct idhash *h, const struct idhash_keys *keys, const void *p, size_t n,
                uint8_t out[IDHASH_BYTES])
{
    static const uint8_t no_key[32];
    uint8_t tags[2 * AEAD_TAG_BYTES], len[8];
    bool done = hash(h, keys, p, n, tags);

    /* the keys leave the contexts with the call */
    done = begin(h->ctx[0], no_key) && begin(h->ctx[1], no_key) && done;
    for (int i = 0; i < 8; i++)
        len[i] = (uint8_t)((uint64_t)n >> 8 * i);
    if (done)
        mac_keyed(keys->name, tags, sizeof tags, len, sizeof len, out);
    pc_wipe(tags, sizeof tags);
    return done ? 0 : -EIO;
}
