/* SPDX-License-Identifier: Apache-2.0 */
/* Inflating hostile bytes to a given size, and that deflating comes back. */
#include "data/deflate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PLAIN 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct deflate *z;
    uint8_t *out, *packed;
    size_t len, n;

    if (!z)
        z = deflate_new();
    if (!z)
        abort();
    if (size < 2)
        return 0;
    len = ((size_t)data[0] << 8 | data[1]) + 1;
    out = malloc(len);
    if (!out)
        abort();
    (void)deflate_unpack(z, data + 2, size - 2, out, len);
    free(out);

    (void)deflate_pays(data, size);
    if (size > PLAIN)
        return 0;
    packed = malloc(size);
    out = malloc(size);
    if (!packed || !out)
        abort();
    n = deflate_pack(z, data, size, packed, size);
    if (n > 0 && (deflate_unpack(z, packed, n, out, size) < 0 || memcmp(out, data, size) != 0))
        abort();
    free(out);
    free(packed);
    return 0;
}
