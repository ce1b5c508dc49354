/* SPDX-License-Identifier: Apache-2.0 */
/* Copies whose content changes its key: read, opened, sealed, block by block. */
#include "crypt/crypt.h"

#include "pcloud/digest.h"
#include "pcloud/err.h"
#include "pcloud/history.h"
#include "pcloud/keys.h"
#include "s3/s3.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK (256u << 10)

struct from { /* a source that is open */
    struct pc_object object;
    struct pc_reader *reader;
    struct crypt_reader *sealed;
    uint64_t size; /* plain */
};

static void from_close(struct from *f)
{
    crypt_reader_free(f->sealed);
    pc_reader_close(f->reader);
    pc_object_fini(&f->object);
}

static int from_open(struct s3 *s, const struct crypt_copy *c, struct from *f)
{
    int rc = pc_version_open(s->gw->volume, c->bucket, c->key, c->len, c->version, &f->object,
                             &f->reader);

    if (rc < 0)
        return rc == PC_EMARKER || rc == -ENOENT ? PC_EPRECONDITION : rc;
    f->sealed = NULL;
    f->size = f->object.size;
    if (strcmp(f->object.etag, c->etag) != 0)
        rc = PC_EPRECONDITION;
    else if (crypt_is_sealed(&f->object.headers)) {
        struct pc_sealed_key *key = s->crypt.source_key;

        s->crypt.source_key = NULL;
        rc = crypt_reader_new(f->reader, f->object.parts, f->object.size, key, &f->sealed);
        if (rc == 0)
            f->size = crypt_reader_size(f->sealed);
    }
    if (rc < 0)
        from_close(f);
    return rc;
}

struct sums {
    struct pc_digest *md5, *sum;
};

static int move(struct s3 *s, struct from *f, const struct crypt_copy *c, struct pc_put *put,
                const struct sums *d)
{
    uint8_t *buf = malloc(BLOCK);
    uint64_t off = c->off, left = c->size;
    int rc = buf ? 0 : -ENOMEM;

    while (rc == 0 && left > 0) {
        size_t want = left < BLOCK ? (size_t)left : BLOCK;
        ssize_t n = f->sealed ? crypt_reader_read(f->sealed, buf, want, off)
                              : pc_reader_read(f->reader, buf, want, off);

        if (n <= 0) {
            rc = n < 0 ? (int)n : -EIO;
            break;
        }
        pc_digest_update(d->md5, buf, (size_t)n);
        if (d->sum)
            pc_digest_update(d->sum, buf, (size_t)n);
        rc = crypt_write(s, put, buf, (size_t)n);
        off += (uint64_t)n;
        left -= (uint64_t)n;
    }
    if (buf)
        pc_wipe(buf, BLOCK);
    free(buf);
    return rc < 0 ? rc : crypt_end(s, put);
}

static void finish(const struct s3 *s, struct crypt_copy *c, const struct sums *d, char etag[33])
{
    uint8_t raw[PC_DIGEST_MAX];

    pc_digest_final(d->md5, raw);
    crypt_etag(s, raw, etag);
    if (!d->sum)
        return;
    pc_digest_final(d->sum, raw);
    pc_base64(raw, pc_digest_size((enum pc_digest_kind)c->sum_kind), c->sum);
}

int crypt_copy(struct s3 *s, struct crypt_copy *c, struct pc_put **ret, char etag[33])
{
    struct sums d = {pc_digest_new(PC_MD5),
                     c->sum_kind < 0 ? NULL : pc_digest_new((enum pc_digest_kind)c->sum_kind)};
    struct pc_put *put = NULL;
    struct from f;
    int rc = !d.md5 || (c->sum_kind >= 0 && !d.sum) ? -ENOMEM : 0;

    if (rc == 0)
        rc = from_open(s, c, &f);
    if (rc < 0)
        goto free_sums;
    if (c->size == UINT64_MAX)
        c->size = f.size;
    rc = c->off > f.size || c->size > f.size - c->off ? PC_EPRECONDITION
                                                      : pc_put_begin(s->gw->volume, &put);
    if (rc == 0)
        rc = move(s, &f, c, put, &d);
    if (rc == 0) {
        finish(s, c, &d, etag);
        *ret = put;
    } else {
        pc_put_abort(put);
    }
    from_close(&f);
free_sums:
    pc_digest_free(d.sum);
    pc_digest_free(d.md5);
    return rc;
}
