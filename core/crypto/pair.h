/* SPDX-License-Identifier: Apache-2.0 */
/* The two ways to MD5 and SHA-256 of the same bytes, for their test and their measurement. */
#ifndef CRYPTO_PAIR_H
#define CRYPTO_PAIR_H

enum pair_way {
    PAIR_APART,   /* by libcrypto, one after the other */
    PAIR_TOGETHER /* in one pass; needs the SHA instructions */
};

/** pair_new(way): NULL if out of memory, or if this processor has no such way. */
struct pc_pair *pair_new(enum pair_way way);

#endif
