/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: a stream of sealed frames as it lies on disk, and one that was sealed and then changed in one place. */
#include "pcloud/sealed.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE (PC_SEALED_FRAME + PC_SEALED_TAG)

struct memory {
    uint8_t *data;
    size_t len;
};

static int take(void *arg, const void *data, size_t len)
{
    struct memory *m = arg;

    memcpy(m->data + m->len, data, len);
    m->len += len;
    return 0;
}

/* True: every frame opened. */
static int unseal(const struct pc_sealed_key *k, const uint8_t *in, size_t len, uint8_t *out)
{
    struct pc_opener *o;
    uint64_t plain, number = 0;
    int rc;

    if (pc_sealed_plain(len, &plain) < 0 || plain > len || pc_opener_new(&o) < 0)
        return 0;
    rc = pc_opener_head(o, k, in);
    for (size_t at = PC_SEALED_HEAD; rc == 0 && at < len;) {
        size_t n = len - at > WHOLE ? WHOLE : len - at;

        rc = pc_opener_frame(o, number++, at + n == len ? PC_SEALED_LAST : PC_SEALED_MORE, in + at,
                             n, out);
        at += n;
    }
    pc_opener_free(o);
    return rc == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t raw[PC_SEALED_KEY] = {1};
    struct memory m = {malloc((size_t)pc_sealed_size(size)), 0};
    const struct pc_sealed_sink to = {take, &m};
    uint8_t *out = malloc(WHOLE);
    struct pc_sealed_key *k;
    struct pc_sealer *s;

    if (m.data && out && pc_sealed_key_new(raw, &k) == 0) {
        if (unseal(k, data, size, out))
            abort(); /* nobody makes one without the key */
        if (size > 4 && pc_sealer_new(k, &s) == 0) {
            size_t at = (size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2];

            if (pc_sealer_write(s, data, size, &to) < 0 || pc_sealer_end(s, &to) < 0 ||
                !unseal(k, m.data, m.len, out))
                abort();
            m.data[at % m.len] ^= data[3];
            if (unseal(k, m.data, m.len, out) != (data[3] == 0))
                abort();
            pc_sealer_free(s);
        }
        pc_sealed_key_free(k);
    }
    free(m.data);
    free(out);
    return 0;
}
