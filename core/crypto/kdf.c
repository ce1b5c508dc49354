/* SPDX-License-Identifier: Apache-2.0 */
/* A key from a passphrase, at a price: Argon2id by libsodium. */
#include "crypto/kdf.h"

#include "crypto/lib.h"
#include "pcloud/err.h"

#include "base/alloc.h"

#include <sodium.h>

int kdf_passphrase(const char *passphrase, size_t len, const uint8_t salt[KDF_SALT_BYTES],
                   uint32_t kib, uint32_t passes, uint8_t ret_key[KDF_KEY_BYTES])
{
    (void)crypto_lib();
    if (mem_denied() || crypto_pwhash(ret_key, KDF_KEY_BYTES, passphrase, len, salt, passes,
                                      (size_t)kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return pc_err_set(-ENOMEM, "the passphrase takes %u MiB of memory to check",
                          (kib + 1023) / 1024);
    return 0;
}
