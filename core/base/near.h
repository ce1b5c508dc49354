/* SPDX-License-Identifier: Apache-2.0 */
/* How far apart two words are, for messages that say what was meant. */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include <stddef.h>

#define NEAR_MAX 32 /* bytes of ${a}; longer ones are far from everything */

/** near_distance(a, a_len, b, b_len): letters to add, drop or change (Levenshtein); SIZE_MAX if a word is too long to ask. */
size_t near_distance(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
