/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as RFC 3629 has it: what is a whole character, and where a text may be cut. */
#include "base/utf8.h"

/* Bytes a character has by its first byte; 0 if none begins so. */
static size_t length_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

size_t utf8_next(const char *p, size_t n, uint32_t *ret_char)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = n ? length_of((unsigned char)p[0]) : 0;
    uint32_t c;

    if (len == 0 || len > n)
        return 0;
    c = (unsigned char)p[0] & (len == 1 ? 0x7fu : 0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | ((unsigned char)p[i] & 0x3f);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret_char = c;
    return len;
}

size_t utf8_cut(const char *p, size_t n)
{
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        unsigned char c = (unsigned char)p[n - back];

        if ((c & 0xc0) == 0x80)
            continue;
        return length_of(c) > back ? n - back : n;
    }
    return n;
}
