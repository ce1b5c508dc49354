/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart uploads: create, upload a part, complete, abort. */
#include "s3/ops.h"
#include "s3/s3.h"

#include "history/history.h"
#include "pcloud/err.h"
#include "s3/xml_in.h"
#include "settings/tagging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* x-amz-checksum-algorithm and -type of the object to be. */
static int checksum_of_upload(struct s3 *s, struct buf *headers)
{
    const char *algorithm = s3_header(s, "x-amz-checksum-algorithm"),
               *type = s3_header(s, "x-amz-checksum-type");
    int kind = algorithm ? checksum_kind(algorithm) : -1;
    bool sha = kind == PC_SHA1 || kind == PC_SHA256, full;

    if (!algorithm && !type)
        return 0;
    if (!algorithm)
        return s3_fail(s, S3_EREQUEST,
                       "The x-amz-checksum-type header can only be used with the "
                       "x-amz-checksum-algorithm header.");
    if (kind < 0)
        return s3_fail(
            s, S3_EREQUEST,
            "Checksum algorithm provided is unsupported. Please try again with any of the "
            "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
    if (type && strcmp(type, "FULL_OBJECT") != 0 && strcmp(type, "COMPOSITE") != 0)
        return s3_fail(s, S3_EREQUEST, "Value for x-amz-checksum-type header is invalid.");
    full = type ? *type == 'F' : kind == PC_CRC64NVME;
    if ((full && sha) || (!full && kind == PC_CRC64NVME))
        return s3_fail(s, S3_EREQUEST,
                       "The %s checksum type cannot be used with the %s checksum algorithm.",
                       full ? "FULL_OBJECT" : "COMPOSITE", checksum_name(kind));
    headers_add(headers, "x-amz-checksum-algorithm", checksum_name(kind));
    headers_add(headers, "x-amz-checksum-type", full ? "FULL_OBJECT" : "COMPOSITE");
    req_reply_header(s->r, "x-amz-checksum-algorithm", checksum_name(kind));
    req_reply_header(s->r, "x-amz-checksum-type", full ? "FULL_OBJECT" : "COMPOSITE");
    return 0;
}

int op_create_upload(struct s3 *s)
{
    struct buf headers, *b = &s->r->reply_body;
    char id[PC_UPLOAD_ID_MAX];
    struct pc_headers h;
    int rc = headers_refuse(s);

    if (rc < 0)
        return rc;
    buf_init(&headers, PC_META_MAX);
    rc = headers_collect(s, &headers);
    if (rc == 0)
        rc = tags_collect(s, &headers);
    if (rc == 0)
        rc = checksum_of_upload(s, &headers);
    h = (struct pc_headers){headers.data, headers.len};
    if (rc == 0)
        rc = pc_upload_create(s->gw->volume, s->bucket, s->key, s->key_len, s->user.name, &h, id);
    if (rc == 0)
        crypt_reply(s, &h);
    buf_fini(&headers);
    if (rc < 0)
        return rc;
    xml_begin(b, "InitiateMultipartUploadResult");
    xml_str(b, "Bucket", s->bucket);
    xml_key(b, "Key", s->key, s->key_len, XML_PLAIN);
    xml_str(b, "UploadId", id);
    xml_close(b, "InitiateMultipartUploadResult");
    return s3_reply_xml(s);
}

/* The part's checksum is the upload's: computed if it did not come, refused if it is another. */
static int match_checksum(struct s3 *s, const struct pc_upload *u)
{
    const char *algorithm = pc_headers_get(&u->headers, "x-amz-checksum-algorithm");
    int kind = algorithm ? checksum_kind(algorithm) : -1;

    if (kind < 0 || kind == s->sum_kind)
        return 0;
    if (s->sum_kind >= 0)
        return s3_fail(
            s, S3_EREQUEST,
            "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum "
            "Type: %s",
            checksum_name(kind), checksum_name(s->sum_kind));
    s->sum_kind = kind;
    s->sum = pc_digest_new((enum pc_digest_kind)kind);
    return s->sum ? 0 : -ENOMEM;
}

int op_upload_part_begin(struct s3 *s)
{
    const char *number = s3_param(s, "partNumber");
    struct pc_upload u;
    long n;
    int rc;

    if (!number || s3_number(s, number, 1, PC_PARTS_MAX, "partNumber", &n) < 0)
        return s3_fail(s, S3_EARGUMENT,
                       "Part number must be an integer between 1 and %d, inclusive", PC_PARTS_MAX);
    s->part = (unsigned)n;
    rc = pc_upload_get(s->gw->volume, s->bucket, s->key, s->key_len, s3_param(s, "uploadId"), &u);
    if (rc < 0)
        return rc;
    rc = match_checksum(s, &u);
    if (rc == 0)
        rc = crypt_fits_upload(s, &u.headers, CRYPT_NEEDED);
    if (rc == 0)
        crypt_reply(s, &u.headers);
    pc_upload_fini(&u);
    return rc;
}

int op_upload_part(struct s3 *s)
{
    struct pc_part part = {.number = s->part};
    struct pc_put *put = s->put;
    int rc;

    crypt_etag(s, s->md5_got, part.etag);
    if (s->sum_kind >= 0)
        snprintf(part.checksum, sizeof part.checksum, "%s=%s", checksum_header(s->sum_kind),
                 s->sum_got);
    s->put = NULL;
    rc = pc_put_commit_part(put, s->bucket, s->key, s->key_len, s3_param(s, "uploadId"), &part);
    if (rc < 0)
        return rc;
    s->r->status = 200;
    req_reply_headerf(s->r, "ETag", "\"%s\"", part.etag);
    if (s->sum_kind >= 0)
        req_reply_header(s->r, checksum_header(s->sum_kind), s->sum_got);
    return 0;
}

struct manifest { /* what the client says the parts are, then what they are */
    struct s3 *s;
    struct pc_part *parts;
    size_t count, cap;
    struct pc_part now;
    bool any;
};

static int grow(struct manifest *m)
{
    size_t cap = m->cap ? 2 * m->cap : 64;
    struct pc_part *parts;

    if (m->count == PC_PARTS_MAX)
        return S3_EXML;
    if (m->count < m->cap)
        return 0;
    parts = realloc(m->parts, cap * sizeof *parts);
    if (!parts)
        return -ENOMEM;
    m->parts = parts;
    m->cap = cap;
    return 0;
}

static int on_leaf(void *arg, const char *path, const char *text, size_t len)
{
    struct manifest *m = arg;
    struct pc_part *p = &m->now;
    long n;
    int rc;

    if (strcmp(path, "Part/PartNumber") == 0) {
        rc = s3_number(m->s, text, 1, PC_PARTS_MAX, "PartNumber", &n);
        p->number = rc == 0 ? (unsigned)n : 0;
        return rc;
    }
    if (strcmp(path, "Part/ETag") == 0) {
        const char *from = text + (*text == '"');
        size_t n_plain = strcspn(from, "\"");

        if (n_plain >= sizeof p->etag)
            return S3_EPART;
        memcpy(p->etag, from, n_plain);
        p->etag[n_plain] = '\0';
        return 0;
    }
    if (strncmp(path, "Part/Checksum", 13) == 0 && len > 0) {
        int kind = checksum_kind(path + 13);

        if (kind < 0 || !checksum_valid(kind, text))
            return S3_EPART;
        snprintf(p->checksum, sizeof p->checksum, "%s=%s", checksum_header(kind), text);
        return 0;
    }
    if (strcmp(path, "Part") != 0)
        return 0;
    if (p->number == 0 || !*p->etag)
        return S3_EXML;
    rc = grow(m);
    if (rc < 0)
        return rc;
    m->parts[m->count++] = *p;
    *p = (struct pc_part){0};
    return 0;
}

struct lookup {
    struct manifest *m;
    size_t at;
    const struct pc_headers *headers; /* of the upload */
};

/* A part that is there: its size and checksum go to the one the client named. */
static int on_part(void *arg, const struct pc_part *p)
{
    struct lookup *l = arg;

    while (l->at < l->m->count && l->m->parts[l->at].number < p->number)
        l->at++;
    if (l->at < l->m->count && l->m->parts[l->at].number == p->number) {
        l->m->parts[l->at].size = crypt_part_size(l->headers, p->size);
        if (!*l->m->parts[l->at].checksum)
            memcpy(l->m->parts[l->at].checksum, p->checksum, sizeof p->checksum);
    }
    return 0;
}

static int read_manifest(struct s3 *s, struct manifest *m)
{
    int rc;

    if (s->xml.len == 0)
        return S3_EXML;
    rc = xml_read(s->xml.data, s->xml.len, "CompleteMultipartUpload", on_leaf, m);
    if (rc < 0)
        return rc;
    if (m->count == 0)
        return S3_EXML;
    for (size_t i = 1; i < m->count; i++)
        if (m->parts[i].number <= m->parts[i - 1].number)
            return S3_EPARTORDER;
    return 0;
}

/* Hex of the MD5 of the parts' MD5s, and how many they are. */
static int etag_of_parts(const struct manifest *m, char out[PC_ETAG_MAX])
{
    struct pc_digest *d = pc_digest_new(PC_MD5);
    uint8_t raw[PC_DIGEST_MAX];
    int rc = d ? 0 : -ENOMEM;

    for (size_t i = 0; rc == 0 && i < m->count; i++) {
        if (strlen(m->parts[i].etag) != 32 || pc_unhex(m->parts[i].etag, 32, raw) < 0)
            rc = S3_EPART;
        else
            pc_digest_update(d, raw, 16);
    }
    if (rc == 0) {
        pc_digest_final(d, raw);
        pc_hex(raw, 16, out);
        snprintf(out + 32, PC_ETAG_MAX - 32, "-%zu", m->count);
    }
    pc_digest_free(d);
    return rc;
}

static int check_size(struct s3 *s, const struct manifest *m, const struct pc_headers *h,
                      struct buf *out)
{
    const char *want = s3_header(s, "x-amz-mp-object-size");
    uint64_t size = 0;

    for (size_t i = 0; i < m->count; i++)
        size += m->parts[i].size;
    if (want && strtoull(want, NULL, 10) != size)
        return s3_fail(
            s, S3_EREQUEST,
            "The provided 'x-amz-mp-object-size' header value %s does not match what was "
            "computed: %llu",
            want, (unsigned long long)size);
    if (!crypt_is_sealed(h))
        return 0;
    for (size_t i = 0; i + 1 < m->count; i++)
        if (m->parts[i].size < PC_PART_MIN)
            return S3_ETOOSMALL;
    crypt_collect_size(size, out);
    return 0;
}

/* The upload's headers with the object's checksum instead of the wish for one. */
static int final_headers(struct s3 *s, const struct pc_upload *u, struct manifest *m,
                         struct buf *out)
{
    struct lookup l = {m, 0, &u->headers};
    const char *name, *value;
    size_t pos = 0;
    bool truncated;
    int rc;

    while (pc_headers_next(&u->headers, &pos, &name, &value))
        if (strncmp(name, "x-amz-checksum-", 15) != 0)
            headers_add(out, name, value);
    rc = pc_upload_parts(s->gw->volume, u->id, 0, PC_PARTS_MAX, on_part, &l, &truncated);
    if (rc == 0)
        rc = lock_default(s, &u->headers, out);
    if (rc == 0)
        rc = check_size(s, m, &u->headers, out);
    if (rc == 0)
        rc = checksum_of_parts(s, &u->headers, m->parts, m->count, out);
    return rc < 0 ? rc : out->err;
}

static int reply_completed(struct s3 *s, const char *etag, const struct pc_headers *h)
{
    struct buf *b = &s->r->reply_body;
    const char *host = s3_header(s, "Host");

    xml_begin(b, "CompleteMultipartUploadResult");
    buf_fmt(b, "<Location>%s://", s->r->scheme == REQ_HTTPS ? "https" : "http");
    xml_text(b, host ? host : "", host ? strlen(host) : 0);
    buf_char(b, '/');
    xml_text(b, s->bucket, strlen(s->bucket));
    buf_char(b, '/');
    uri_encode(b, s->key, s->key_len, URI_SLASH_KEEP);
    buf_str(b, "</Location>");
    xml_str(b, "Bucket", s->bucket);
    xml_key(b, "Key", s->key, s->key_len, XML_PLAIN);
    xml_etag(b, etag);
    checksum_xml(b, h);
    xml_close(b, "CompleteMultipartUploadResult");
    crypt_reply(s, h);
    return s3_reply_xml(s);
}

/* The upload is gone: if the object is what it would have made, this is the second try of a success. */
static int completed_before(struct s3 *s, const char *etag)
{
    struct pc_object o;
    int rc = pc_version_head(s->gw->volume, s->bucket, s->key, s->key_len,
                             s->info.versioning == PC_VERSIONING_OFF ? NULL : "", &o);

    if (rc < 0)
        return rc == -ENOENT || rc == PC_EMARKER ? (int)S3_ENOUPLOAD : rc;
    history_made(s, &o);
    rc = strcmp(o.etag, etag) == 0 ? reply_completed(s, etag, &o.headers) : (int)S3_ENOUPLOAD;
    pc_object_fini(&o);
    return rc;
}

static int complete(struct s3 *s, struct manifest *m)
{
    const char *id = s3_param(s, "uploadId");
    struct pc_condition cond;
    struct pc_upload u;
    struct pc_object made;
    struct pc_headers h;
    struct buf headers;
    char etag[PC_ETAG_MAX];
    int rc = headers_write_condition(s, &cond), bad;

    if (rc < 0)
        return rc;
    bad = etag_of_parts(m, etag);
    rc = pc_upload_get(s->gw->volume, s->bucket, s->key, s->key_len, id, &u);
    if (rc == PC_ENOUPLOAD && bad == 0)
        return completed_before(s, etag);
    if (rc < 0)
        return rc;
    buf_init(&headers, PC_META_MAX);
    /* S3 asks for the key here only where it has to look at checksums */
    rc = crypt_fits_upload(
        s, &u.headers,
        pc_headers_get(&u.headers, "x-amz-checksum-algorithm") ? CRYPT_NEEDED : CRYPT_OPTIONAL);
    if (rc == 0)
        rc = bad < 0 ? bad : final_headers(s, &u, m, &headers);
    h = (struct pc_headers){headers.data, headers.len};
    if (rc == 0)
        rc =
            pc_upload_complete(s->gw->volume, s->bucket, s->key, s->key_len, id, m->parts, m->count,
                               etag, &h, cond.if_match || cond.if_none_match ? &cond : NULL, &made);
    if (rc == 0) {
        history_made(s, &made);
        pc_object_fini(&made);
        rc = reply_completed(s, etag, &h);
    }
    buf_fini(&headers);
    pc_upload_fini(&u);
    return rc;
}

int op_complete_upload(struct s3 *s)
{
    struct manifest m = {.s = s};
    int rc = read_manifest(s, &m);

    if (rc == 0)
        rc = complete(s, &m);
    free(m.parts);
    return rc;
}

int op_abort_upload(struct s3 *s)
{
    int rc = pc_upload_abort(s->gw->volume, s->bucket, s->key, s->key_len, s3_param(s, "uploadId"));

    if (rc == 0)
        s->r->status = 204;
    return rc;
}
