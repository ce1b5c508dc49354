/* SPDX-License-Identifier: Apache-2.0 */
/* A secret of 256 bits as 24 words (BIP-39). */
#ifndef KEYS_WORDS_H
#define KEYS_WORDS_H

#include "pcloud/keys.h"

#define WORDS_LIST 2048 /* words in the list: 11 bits each */
#define WORD_MAX 8      /* letters of the longest */

extern const char words_english[WORDS_LIST][WORD_MAX + 1];

/** words_encode(secret, out): the 24 words with single spaces; -ENOMEM. */
int words_encode(const uint8_t secret[PC_KEY_BYTES], char out[PC_WORDS_MAX]);

/** words_decode(text, secret): the secret they stand for; PC_EWORDS as pc_words_check, -ENOMEM. ${secret} is written only on success. */
int words_decode(const char *text, uint8_t secret[PC_KEY_BYTES]);

#endif
