/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed pages and log frames: their bytes on disk, without any file. */
#include "meta/seal/page.h"

#include "pcloud/err.h"

#include <string.h>
#include <sys/random.h>

#define AAD_BYTES 24

bool seal_is_zero(const uint8_t *p, size_t n)
{
    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* Kind, version, number; for frames also the plain part of their header. */
static void aad_set(uint8_t aad[AAD_BYTES], char kind, uint32_t number, const uint8_t *header)
{
    memset(aad, 0, AAD_BYTES);
    aad[0] = (uint8_t)kind;
    aad[1] = 1;
    for (int i = 0; i < 4; i++)
        aad[4 + i] = (uint8_t)(number >> (24 - 8 * i));
    if (header)
        memcpy(aad + 8, header, SEAL_FRAME_PLAIN);
}

/* Seal ${len} bytes; nonce, tag and zeros go behind them. */
static int seal(struct aead *a, const uint8_t *aad, const uint8_t *nonce, const uint8_t *in,
                uint8_t *out, size_t len)
{
    uint8_t *tail = out + len;

    if (!seal_is_zero(in + len, SEAL_RESERVED))
        return -EINVAL;
    memcpy(tail, nonce, AEAD_NONCE_BYTES);
    memset(tail + AEAD_NONCE_BYTES + AEAD_TAG_BYTES, 0,
           SEAL_RESERVED - AEAD_NONCE_BYTES - AEAD_TAG_BYTES);
    return aead_seal(a, nonce, aad, AAD_BYTES, in, len, out, tail + AEAD_NONCE_BYTES);
}

static int unseal(struct aead *a, const uint8_t *aad, const uint8_t *in, uint8_t *out, size_t len)
{
    const uint8_t *tail = in + len;
    int r = PC_ECORRUPT;

    if (seal_is_zero(tail + AEAD_NONCE_BYTES + AEAD_TAG_BYTES,
                     SEAL_RESERVED - AEAD_NONCE_BYTES - AEAD_TAG_BYTES))
        r = aead_open(a, tail, aad, AAD_BYTES, in, len, out, tail + AEAD_NONCE_BYTES);
    memset(out + len, 0, SEAL_RESERVED);
    return r;
}

int seal_page(struct aead *a, uint32_t pgno, const uint8_t nonce[AEAD_NONCE_BYTES],
              const uint8_t in[SEAL_PAGE], uint8_t out[SEAL_PAGE])
{
    uint8_t aad[AAD_BYTES];

    aad_set(aad, 'P', pgno, NULL);
    return seal(a, aad, nonce, in, out, SEAL_CONTENT);
}

int seal_page_open(struct aead *a, uint32_t pgno, const uint8_t in[SEAL_PAGE],
                   uint8_t out[SEAL_PAGE])
{
    uint8_t aad[AAD_BYTES];
    int r;

    aad_set(aad, 'P', pgno, NULL);
    r = unseal(a, aad, in, out, SEAL_CONTENT);
    if (r < 0)
        memset(out, 0, SEAL_PAGE);
    return r;
}

int seal_frame(struct aead *a, uint32_t index, const uint8_t nonce[AEAD_NONCE_BYTES],
               const uint8_t in[SEAL_FRAME], uint8_t out[SEAL_FRAME])
{
    uint8_t aad[AAD_BYTES];

    aad_set(aad, 'L', index, in);
    memcpy(out, in, SEAL_FRAME_PLAIN);
    return seal(a, aad, nonce, in + SEAL_FRAME_PLAIN, out + SEAL_FRAME_PLAIN,
                SEAL_FRAME - SEAL_FRAME_PLAIN - SEAL_RESERVED);
}

int seal_frame_open(struct aead *a, uint32_t index, const uint8_t in[SEAL_FRAME],
                    uint8_t out[SEAL_FRAME])
{
    uint8_t aad[AAD_BYTES];
    int r;

    aad_set(aad, 'L', index, in);
    r = unseal(a, aad, in + SEAL_FRAME_PLAIN, out + SEAL_FRAME_PLAIN,
               SEAL_FRAME - SEAL_FRAME_PLAIN - SEAL_RESERVED);
    if (r < 0)
        memset(out, 0, SEAL_FRAME);
    else
        memcpy(out, in, SEAL_FRAME_PLAIN);
    return r;
}

int seal_nonce(struct seal_nonces *n, const uint8_t **ret)
{
    if (n->left == 0) {
        size_t have = 0;

        while (have < sizeof n->pool) {
            ssize_t got = getrandom(n->pool + have, sizeof n->pool - have, 0);

            if (got < 0 && errno != EINTR)
                return -errno;
            if (got > 0)
                have += (size_t)got;
        }
        n->left = sizeof n->pool / AEAD_NONCE_BYTES;
    }
    n->left--;
    *ret = n->pool + (size_t)n->left * AEAD_NONCE_BYTES;
    return 0;
}
