/* SPDX-License-Identifier: Apache-2.0 */
/* The file "keys": the secret sealed by a passphrase, byte by byte as docs/FORMATS.md has it. */
#include "keys/keyfile.h"

#include "crypto/aead.h"
#include "crypto/crc.h"
#include "crypto/kdf.h"
#include "pcloud/digest.h"
#include "pcloud/err.h"

#include <string.h>

#define MAGIC "PCLDKEYS"
#define MAGIC_BYTES 8
#define VERSION 1
#define KDF_ARGON2ID 1

/* Offsets. Numbers are little-endian. All up to SEALED is associated data of the seal. */
#define AT_VERSION 8
#define AT_KDF 12
#define AT_KIB 16
#define AT_PASSES 20
#define AT_LANES 24
#define AT_SALT 28
#define AT_NONCE 44
#define AT_SEALED 56
#define AT_TAG 88
#define AT_CHECKSUM 104
#define CHECKSUM_BYTES 8 /* the last bytes of any version */

static void put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static uint32_t get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_checksum(uint8_t *data, size_t size)
{
    uint64_t sum = crc64_update(0, data, size - CHECKSUM_BYTES);

    put32(data + size - 8, (uint32_t)sum);
    put32(data + size - 4, (uint32_t)(sum >> 32));
}

static bool checksum_fits(const uint8_t *data, size_t size)
{
    uint64_t sum = get32(data + size - 8) | (uint64_t)get32(data + size - 4) << 32;

    return crc64_update(0, data, size - CHECKSUM_BYTES) == sum;
}

/* A cipher with the key of the passphrase; one of its own, so that the key is wiped with it. */
static int cipher_new(const char *passphrase, size_t len, const uint8_t *salt,
                      struct keyfile_cost cost, struct aead **ret)
{
    uint8_t key[AEAD_KEY_BYTES];
    struct aead *a = NULL;
    int r = aead_new(&a);

    if (r == 0)
        r = kdf_passphrase(passphrase, len, salt, cost.kib, cost.passes, key);
    if (r == 0)
        r = aead_rekey(a, key);
    pc_wipe(key, sizeof key);
    if (r < 0)
        aead_free(a);
    else
        *ret = a;
    return r;
}

int keyfile_seal(const uint8_t secret[PC_KEY_BYTES], const char *passphrase, size_t len,
                 struct keyfile_cost cost, uint8_t out[KEYFILE_BYTES])
{
    struct aead *a = NULL;
    int r;

    memcpy(out, MAGIC, MAGIC_BYTES);
    put32(out + AT_VERSION, VERSION);
    put32(out + AT_KDF, KDF_ARGON2ID);
    put32(out + AT_KIB, cost.kib);
    put32(out + AT_PASSES, cost.passes);
    put32(out + AT_LANES, 1);
    pc_random(out + AT_SALT, AT_SEALED - AT_SALT);
    r = cipher_new(passphrase, len, out + AT_SALT, cost, &a);
    if (r == 0)
        r = aead_seal(a, out + AT_NONCE, out, AT_SEALED, secret, PC_KEY_BYTES, out + AT_SEALED,
                      out + AT_TAG);
    if (r == 0)
        put_checksum(out, KEYFILE_BYTES);
    aead_free(a);
    return r;
}

int keyfile_check(const uint8_t *data, size_t size, struct keyfile_cost *ret_cost)
{
    struct keyfile_cost cost;
    uint32_t version;

    if (size < AT_KDF + CHECKSUM_BYTES || size > KEYFILE_BYTES_MAX ||
        memcmp(data, MAGIC, MAGIC_BYTES) != 0)
        return pc_err_set(PC_ECORRUPT, "this is not a file of keys");
    if (!checksum_fits(data, size))
        return pc_err_set(PC_ECORRUPT, "the file of keys is damaged; restore it from a copy");
    version = get32(data + AT_VERSION);
    if (version != VERSION)
        return pc_err_set(PC_EVERSION,
                          "the file of keys has version %u; this pcloud reads version %d", version,
                          VERSION);
    if (size != KEYFILE_BYTES)
        return pc_err_set(PC_ECORRUPT, "the file of keys has %zu bytes instead of %d", size,
                          KEYFILE_BYTES);
    cost = (struct keyfile_cost){get32(data + AT_KIB), get32(data + AT_PASSES)};
    if (get32(data + AT_KDF) != KDF_ARGON2ID || get32(data + AT_LANES) != 1)
        return pc_err_set(PC_ECORRUPT, "the file of keys names a derivation that is not known");
    if (cost.kib < KEYFILE_KIB_MIN || cost.kib > KEYFILE_KIB_MAX ||
        cost.passes < KEYFILE_PASSES_MIN || cost.passes > KEYFILE_PASSES_MAX)
        return pc_err_set(PC_ECORRUPT,
                          "the file of keys asks for %u KiB and %u passes, which is out of bounds",
                          cost.kib, cost.passes);
    *ret_cost = cost;
    return 0;
}

int keyfile_open(const uint8_t *data, size_t size, const char *passphrase, size_t len,
                 uint8_t ret_secret[PC_KEY_BYTES])
{
    uint8_t secret[PC_KEY_BYTES];
    struct keyfile_cost cost;
    struct aead *a = NULL;
    int r = keyfile_check(data, size, &cost);

    if (r == 0)
        r = cipher_new(passphrase, len, data + AT_SALT, cost, &a);
    if (r < 0)
        return r;
    r = aead_open(a, data + AT_NONCE, data, AT_SEALED, data + AT_SEALED, PC_KEY_BYTES, secret,
                  data + AT_TAG);
    if (r == PC_ECORRUPT) /* the checksum fits, so the bytes are those that were written */
        r = pc_err_set(PC_EPASSPHRASE, "the passphrase is wrong");
    if (r == 0)
        memcpy(ret_secret, secret, sizeof secret);
    pc_wipe(secret, sizeof secret);
    aead_free(a);
    return r;
}
