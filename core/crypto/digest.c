/* SPDX-License-Identifier: Apache-2.0 */
/* Running digests of every kind behind one face. */
#include "pcloud/digest.h"

#include "crypto/crc.h"
#include "crypto/lib.h"
#include "pcloud/err.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct pc_digest {
    enum pc_digest_kind kind;
    EVP_MD_CTX *ctx; /* of a hash */
    uint64_t crc;    /* of a checksum */
};

size_t pc_digest_size(enum pc_digest_kind kind)
{
    static const size_t sizes[PC_DIGEST_COUNT] = {16, 20, 32, 4, 4, 8};

    return sizes[kind];
}

/* NULL for a checksum. */
static const EVP_MD *hash_of(enum pc_digest_kind kind)
{
    const struct crypto_lib *lib = crypto_lib();

    switch (kind) {
    case PC_MD5:
        return lib->md5;
    case PC_SHA1:
        return lib->sha1;
    case PC_SHA256:
        return lib->sha256;
    default:
        return NULL;
    }
}

static bool is_crc(enum pc_digest_kind kind)
{
    return kind == PC_CRC32 || kind == PC_CRC32C || kind == PC_CRC64NVME;
}

static uint64_t crc_update(enum pc_digest_kind kind, uint64_t crc, const void *data, size_t len)
{
    if (kind == PC_CRC32)
        return crc32_update((uint32_t)crc, data, len);
    if (kind == PC_CRC32C)
        return crc32c_update((uint32_t)crc, data, len);
    return crc64_update(crc, data, len);
}

static void crc_put(enum pc_digest_kind kind, uint64_t crc, uint8_t *out)
{
    for (size_t n = pc_digest_size(kind); n > 0; crc >>= 8)
        out[--n] = (uint8_t)crc;
}

struct pc_digest *pc_digest_new(enum pc_digest_kind kind)
{
    struct pc_digest *d = mem_calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->kind = kind;
    if (is_crc(kind))
        return d;
    d->ctx = mem_denied() ? NULL : EVP_MD_CTX_new();
    if (!d->ctx || !hash_of(kind) || EVP_DigestInit_ex2(d->ctx, hash_of(kind), NULL) != 1) {
        pc_digest_free(d);
        return NULL;
    }
    return d;
}

void pc_digest_update(struct pc_digest *d, const void *data, size_t len)
{
    if (len == 0)
        return;
    if (is_crc(d->kind))
        d->crc = crc_update(d->kind, d->crc, data, len);
    else if (EVP_DigestUpdate(d->ctx, data, len) != 1)
        abort(); /* cannot be: a wrong digest must not come of it */
}

void pc_digest_final(struct pc_digest *d, uint8_t out[PC_DIGEST_MAX])
{
    if (is_crc(d->kind)) {
        crc_put(d->kind, d->crc, out);
        d->crc = 0;
    } else if (EVP_DigestFinal_ex(d->ctx, out, NULL) != 1 ||
               EVP_DigestInit_ex2(d->ctx, NULL, NULL) != 1) {
        abort();
    }
}

void pc_digest_free(struct pc_digest *d)
{
    if (!d)
        return;
    EVP_MD_CTX_free(d->ctx);
    mem_free(d);
}

int pc_digest_once(enum pc_digest_kind kind, const void *data, size_t len,
                   uint8_t out[PC_DIGEST_MAX])
{
    if (is_crc(kind)) {
        crc_put(kind, crc_update(kind, 0, data, len), out);
        return 0;
    }
    if (mem_denied() || !hash_of(kind) ||
        EVP_Digest(data, len, out, NULL, hash_of(kind), NULL) != 1)
        return -ENOMEM;
    return 0;
}

uint64_t pc_crc_combine(enum pc_digest_kind kind, uint64_t a, uint64_t b, uint64_t len_b)
{
    if (kind == PC_CRC32)
        return crc_shift(CRC32_POLY, 32, a, len_b) ^ b;
    if (kind == PC_CRC32C)
        return crc_shift(CRC32C_POLY, 32, a, len_b) ^ b;
    return crc_shift(CRC64_POLY, 64, a, len_b) ^ b;
}
