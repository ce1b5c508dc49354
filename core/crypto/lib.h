/* SPDX-License-Identifier: Apache-2.0 */
/* What this folder's files share: the two libraries made ready once. */
#ifndef CRYPTO_LIB_H
#define CRYPTO_LIB_H

#include <openssl/evp.h>

struct crypto_lib {
    const EVP_CIPHER *aes_256_gcm; /* NULL if libcrypto has none */
    const EVP_MD *md5, *sha1, *sha256;
};

/** crypto_lib(): algorithms fetched once for the life of the process. Any thread; never NULL. */
const struct crypto_lib *crypto_lib(void);

#endif
