/* SPDX-License-Identifier: Apache-2.0 */
/* Content between a request and the volume: sealed on its way in, opened on its way out, if it is under the client's key. */
#include "crypt/crypt.h"

#include "pcloud/digest.h"
#include "s3/s3.h"

static int to_put(void *arg, const void *data, size_t len)
{
    return pc_put_write(arg, data, len);
}

int crypt_write(struct s3 *s, struct pc_put *put, const void *data, size_t len)
{
    const struct pc_sealed_sink sink = {to_put, put};
    int rc = 0;

    if (!s->crypt.key)
        return pc_put_write(put, data, len);
    if (!s->crypt.sealer)
        rc = pc_sealer_new(s->crypt.key, &s->crypt.sealer);
    return rc < 0 ? rc : pc_sealer_write(s->crypt.sealer, data, len, &sink);
}

int crypt_end(struct s3 *s, struct pc_put *put)
{
    const struct pc_sealed_sink sink = {to_put, put};
    int rc = 0;

    if (!s->crypt.key)
        return 0;
    if (!s->crypt.sealer)
        rc = pc_sealer_new(s->crypt.key, &s->crypt.sealer);
    if (rc == 0)
        rc = pc_sealer_end(s->crypt.sealer, &sink);
    pc_sealer_free(s->crypt.sealer);
    s->crypt.sealer = NULL;
    return rc;
}

void crypt_etag(const struct s3 *s, const uint8_t md5[16], char out[33])
{
    uint8_t raw[16];

    if (s->crypt.key) {
        pc_sealed_key_name(s->crypt.key, md5, raw);
        md5 = raw;
    }
    pc_hex(md5, 16, out);
}

int crypt_open(struct s3 *s, struct pc_object *o, struct pc_reader *reader)
{
    struct pc_sealed_key *key = s->crypt.key;
    int rc;

    if (!crypt_is_sealed(&o->headers))
        return 0;
    if (!reader) {
        o->size = crypt_size(&o->headers, o->size);
        return 0;
    }
    s->crypt.key = NULL;
    rc = crypt_reader_new(reader, o->parts, o->size, key, &s->crypt.reader);
    if (rc == 0)
        o->size = crypt_reader_size(s->crypt.reader);
    return rc;
}
