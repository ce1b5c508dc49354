/* SPDX-License-Identifier: Apache-2.0 */
/* The file "keys": the secret sealed by a passphrase, byte by byte as docs/FORMATS.md has it. */
#ifndef KEYS_KEYFILE_H
#define KEYS_KEYFILE_H

#include "pcloud/keys.h"

#define KEYFILE_BYTES 112      /* of version 1 */
#define KEYFILE_BYTES_MAX 4096 /* of any version */

/* What Argon2id may cost: checked before memory is asked for. */
#define KEYFILE_KIB_MIN 8
#define KEYFILE_KIB_MAX (1u << 20)
#define KEYFILE_PASSES_MIN 1
#define KEYFILE_PASSES_MAX 64

#define KEYFILE_KIB (44u << 10)
#define KEYFILE_PASSES 4

struct keyfile_cost {
    uint32_t kib, passes;
};

/** keyfile_seal(secret, passphrase, len, cost, out): make the file's bytes; -ENOMEM, -EIO. */
int keyfile_seal(const uint8_t secret[PC_KEY_BYTES], const char *passphrase, size_t len,
                 struct keyfile_cost cost, uint8_t out[KEYFILE_BYTES]);

/** keyfile_check(data, size, ret_cost): is it a whole, undamaged file of this version? PC_ECORRUPT, PC_EVERSION, with a message. */
int keyfile_check(const uint8_t *data, size_t size, struct keyfile_cost *ret_cost);

/** keyfile_open(data, size, passphrase, len, ret_secret): keyfile_check, then unseal. PC_EPASSPHRASE, -ENOMEM. */
int keyfile_open(const uint8_t *data, size_t size, const char *passphrase, size_t len,
                 uint8_t ret_secret[PC_KEY_BYTES]);

#endif
