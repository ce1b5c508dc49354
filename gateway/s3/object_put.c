/* SPDX-License-Identifier: Apache-2.0 */
/* Writing objects: PUT. */
#include "s3/ops.h"
#include "s3/s3.h"

#include "history/history.h"
#include "pcloud/err.h"
#include "s3/cond.h"
#include "settings/lifecycle.h"
#include "settings/tagging.h"

#include <string.h>

/* What can be known to fail before the body is taken. */
int op_put_object_begin(struct s3 *s)
{
    struct pc_condition cond;
    struct pc_object o;
    int rc = headers_refuse(s);

    if (rc == 0)
        rc = headers_write_condition(s, &cond);
    if (rc < 0 || (!cond.if_match && !cond.if_none_match))
        return rc;
    rc = pc_object_head(s->gw->volume, s->bucket, s->key, s->key_len, &o);
    if (rc == -ENOENT)
        return cond.if_match ? (int)S3_ENOKEY : 0;
    if (rc < 0)
        return rc;
    if ((cond.if_none_match && cond_etag_in(cond.if_none_match, o.etag)) ||
        (cond.if_match && !cond_etag_in(cond.if_match, o.etag)))
        rc = S3_EPRECONDITION;
    pc_object_fini(&o);
    return rc;
}

/* The checksum that came, kept with the object. */
static void keep_checksum(struct s3 *s, struct buf *headers)
{
    if (s->sum_kind < 0)
        return;
    headers_add(headers, checksum_header(s->sum_kind), s->sum_got);
    headers_add(headers, "x-amz-checksum-type", "FULL_OBJECT");
}

int op_put_object(struct s3 *s)
{
    struct pc_condition cond;
    struct pc_put *put = s->put;
    struct buf headers;
    struct pc_object made;
    struct pc_headers h;
    char etag[33];
    int rc = headers_write_condition(s, &cond);

    if (rc < 0)
        return rc;
    buf_init(&headers, PC_META_MAX);
    rc = headers_collect(s, &headers);
    if (rc == 0)
        rc = tags_collect(s, &headers);
    if (rc == 0)
        rc = lock_default(s, &(struct pc_headers){headers.data, headers.len}, &headers);
    if (rc == 0) {
        keep_checksum(s, &headers);
        if (s->crypt.key)
            crypt_collect_size(s->taken, &headers);
        rc = headers.err;
    }
    if (rc < 0) {
        buf_fini(&headers);
        return rc == PC_ELIMIT ? (int)S3_EMETATOOLARGE : rc;
    }
    crypt_etag(s, s->md5_got, etag);
    memcpy(s->etag, etag, sizeof etag);
    h = (struct pc_headers){headers.data, headers.len};
    s->put = NULL;
    rc = pc_put_commit(put, s->bucket, s->key, s->key_len, etag, &h,
                       cond.if_match || cond.if_none_match ? &cond : NULL, &made);
    if (rc == 0) {
        lifecycle_reply(s, &made);
        history_made(s, &made);
        pc_object_fini(&made);
        s->r->status = 200;
        req_reply_headerf(s->r, "ETag", "\"%s\"", etag);
        crypt_reply(s, &h);
        checksum_reply(s, &h);
    }
    buf_fini(&headers);
    return rc;
}
