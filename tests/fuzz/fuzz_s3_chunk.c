/* SPDX-License-Identifier: Apache-2.0 */
/* The three decoders of aws-chunked bodies: the same answer however the bytes are cut. */
#include "auth/chunk.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count(void *arg, const void *data, size_t len)
{
    (void)data;
    *(uint64_t *)arg += len;
    return 0;
}

static int decode(enum chunk_kind kind, const uint8_t *data, size_t size, size_t step,
                  uint64_t *ret_bytes)
{
    static const unsigned char key[32];
    struct sigv4 sig = {
        .date = "20130524", .region = "us-east-1", .service = "s3", .time = "20130524T000000Z"};
    struct chunk c;
    int rc;

    memset(sig.signature, '0', 64);
    *ret_bytes = 0;
    if (chunk_init(&c, kind, &sig, key, 4096) < 0)
        return 0;
    for (size_t at = 0; at < size; at += step)
        chunk_feed(&c, data + at, size - at < step ? size - at : step, count, ret_bytes);
    rc = chunk_end(&c);
    if (*ret_bytes > 4096)
        abort();
    if (rc == 0 && *ret_bytes != 4096)
        abort();
    chunk_fini(&c);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum chunk_kind kind = size ? (enum chunk_kind)(data[0] % 3) : CHUNK_SIGNED;
    uint64_t whole, pieces;
    int rc;

    if (size < 2)
        return 0;
    rc = decode(kind, data + 2, size - 2, size, &whole);
    if (decode(kind, data + 2, size - 2, 1 + data[1] % 64, &pieces) != rc)
        abort();
    if (rc == 0 && whole != pieces)
        abort();
    return 0;
}
