/* SPDX-License-Identifier: Apache-2.0 */
/* How far apart two words are, for messages that say what was meant. */
#include "base/near.h"

#include <stdint.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t near_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[NEAR_MAX + 1];

    if (a_len > NEAR_MAX || b_len > (size_t)2 * NEAR_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= a_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= b_len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= a_len; j++) {
            size_t above = row[j];

            row[j] = least(least(row[j], row[j - 1]) + 1, diagonal + (a[j - 1] != b[i - 1]));
            diagonal = above;
        }
    }
    return row[a_len];
}
