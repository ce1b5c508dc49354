/* SPDX-License-Identifier: Apache-2.0 */
/* A key from a passphrase, at a price. */
#ifndef CRYPTO_KDF_H
#define CRYPTO_KDF_H

#include <stddef.h>
#include <stdint.h>

#define KDF_KEY_BYTES 32
#define KDF_SALT_BYTES 16

/** kdf_passphrase(passphrase, len, salt, kib, passes, ret_key): Argon2id 1.3 (RFC 9106), one lane, ${kib} from 8 and ${passes} from 1 on; -ENOMEM. */
int kdf_passphrase(const char *passphrase, size_t len, const uint8_t salt[KDF_SALT_BYTES],
                   uint32_t kib, uint32_t passes, uint8_t ret_key[KDF_KEY_BYTES]);

#endif
