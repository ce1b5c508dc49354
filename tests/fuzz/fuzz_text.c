/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes hex, base64 and UTF-8: what is read is what would be written. */
#include "base/utf8.h"
#include "pcloud/digest.h"
#include "pcloud/err.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hex(const char *text, size_t size)
{
    uint8_t *bytes = malloc(size / 2 + 1);
    char *again = malloc(size + 2);

    if (!bytes || !again)
        abort();
    if (pc_unhex(text, size, bytes) == 0) {
        pc_hex(bytes, size / 2, again);
        for (size_t i = 0; i < size; i++) {
            if (again[i] != (char)tolower((unsigned char)text[i]))
                abort();
        }
    }
    free(bytes);
    free(again);
}

static void base64(const char *text, size_t size)
{
    size_t cap = size / 4 * 3;
    uint8_t *bytes = malloc(cap + 1);
    char *again = malloc(size + 5);
    int n;

    if (!bytes || !again)
        abort();
    n = pc_unbase64(text, size, bytes, cap);
    if (n >= 0) {
        pc_base64(bytes, (size_t)n, again);
        if (strlen(again) != size || memcmp(again, text, size) != 0)
            abort();
        if (n > 0 && pc_unbase64(text, size, bytes, (size_t)n - 1) != PC_ELIMIT)
            abort();
    } else if (n != PC_EFORMAT) {
        abort();
    }
    free(bytes);
    free(again);
}

static void utf8(const char *text, size_t size)
{
    uint32_t c;

    for (size_t at = 0, n; at < size; at += n ? n : 1) {
        n = utf8_next(text + at, size - at, &c);
        if (n > 4 || n > size - at || (n && (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))))
            abort();
        if (n > 1 && utf8_cut(text, at + n - 1) != at)
            abort();
        if (n && utf8_cut(text, at + n) != at + n)
            abort();
    }
    if (utf8_cut(text, size) > size || utf8_cut(text, size) + 3 < size)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hex((const char *)data, size);
    base64((const char *)data, size);
    utf8((const char *)data, size);
    return 0;
}
