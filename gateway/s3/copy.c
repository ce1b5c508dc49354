/* SPDX-License-Identifier: Apache-2.0 */
/* Copying objects, whole and as parts of uploads. */
#include "s3/ops.h"
#include "s3/s3.h"

#include "access/authz.h"
#include "history/history.h"
#include "pcloud/err.h"
#include "s3/cond.h"
#include "settings/tagging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct copy_source {
    const char *bucket, *key, *version; /* version: NULL: what is current */
    size_t len;
    struct pc_object object;
};

/* "/bucket/key?versionId=id", percent-coded, the slash before it optional. */
static int parse_source(struct s3 *s, struct copy_source *ret)
{
    const char *text = s3_header(s, "x-amz-copy-source"), *mark = strrchr(text, '?');
    size_t len = strlen(text), n;
    char *plain, *slash;

    ret->version = NULL;
    if (mark && strncmp(mark, "?versionId=", 11) == 0) {
        ret->version = mark + 11;
        len = (size_t)(mark - text);
    }
    plain = req_alloc(s->r, len + 1);
    if (!plain)
        return -ENOMEM;
    if (uri_decode(text, len, URI_PLUS_LITERAL, plain, &n) < 0)
        return s3_fail(s, S3_EARGUMENT, "Copy Source must be URL-encoded");
    if (*plain == '/') {
        plain++;
        n--;
    }
    slash = memchr(plain, '/', n);
    if (!slash || slash == plain || slash + 1 == plain + n)
        return s3_fail(
            s, S3_EARGUMENT,
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
    *slash = '\0';
    ret->bucket = plain;
    ret->key = slash + 1;
    ret->len = n - (size_t)(slash + 1 - plain);
    return ret->len > PC_KEY_MAX ? (int)S3_EKEYTOOLONG : 0;
}

static int check_conditions(struct s3 *s, const struct pc_object *o)
{
    struct cond c = {
        .if_match = s3_header(s, "x-amz-copy-source-if-match"),
        .if_none_match = s3_header(s, "x-amz-copy-source-if-none-match"),
        .if_modified_since = s3_header(s, "x-amz-copy-source-if-modified-since"),
        .if_unmodified_since = s3_header(s, "x-amz-copy-source-if-unmodified-since"),
    };

    return cond_check(&c, o->etag, o->mtime.tv_sec) == COND_GO ? 0 : (int)S3_EPRECONDITION;
}

static int look_at_source(struct s3 *s, struct access *access, struct copy_source *from)
{
    int rc = authz_source(s, access, &(struct source){from->key, from->version, from->len},
                          &from->object);

    if (rc == 0)
        rc = crypt_fits_source(s, &from->object.headers);
    if (rc == 0)
        rc = check_conditions(s, &from->object);
    if (rc < 0)
        pc_object_fini(&from->object);
    return rc;
}

static int copy_source_open(struct s3 *s, struct copy_source *ret)
{
    struct pc_bucket bucket;
    struct access access;
    int rc = parse_source(s, ret);

    if (rc == 0)
        rc = pc_bucket_get(s->gw->volume, ret->bucket, &bucket);
    if (rc == PC_EBUCKETNAME)
        rc = PC_ENOBUCKET;
    if (rc == 0)
        rc = ret->version ? history_check(s, ret->version) : 0;
    if (rc < 0)
        return rc;
    access_init(&access, &bucket);
    rc =
        pc_version_head(s->gw->volume, ret->bucket, ret->key, ret->len, ret->version, &ret->object);
    if (rc == PC_EMARKER)
        rc = s3_fail(s, S3_EREQUEST,
                     "The source of a copy request may not specifically refer to a delete marker "
                     "by version id.");
    if (rc == -ENOENT)
        rc = authz_source(s, &access, &(struct source){ret->key, ret->version, ret->len}, NULL);
    else if (rc == 0)
        rc = look_at_source(s, &access, ret);
    access_fini(&access);
    return rc;
}

enum directive { DIRECTIVE_COPY, DIRECTIVE_REPLACE };

static int read_directive(struct s3 *s, const char *name, enum directive *ret)
{
    const char *v = s3_header(s, name);

    *ret = DIRECTIVE_COPY;
    if (!v || strcmp(v, "COPY") == 0)
        return 0;
    if (strcmp(v, "REPLACE") != 0)
        return s3_fail(s, S3_EARGUMENT, "Unknown %s directive.",
                       strstr(name, "meta") ? "metadata" : "tagging");
    *ret = DIRECTIVE_REPLACE;
    return 0;
}

/* What of the source stays with the copy. A list does not: the copy is theirs who make it. */
static bool is_kept(const char *name, enum directive meta, enum directive tags)
{
    if (crypt_is_own(name) || strcmp(name, "acl") == 0 || strncmp(name, "lock-", 5) == 0 ||
        strcmp(name, "legal-hold") == 0)
        return false;
    if (strcmp(name, "tagging") == 0)
        return tags == DIRECTIVE_COPY;
    return meta == DIRECTIVE_COPY || strncmp(name, "x-amz-checksum-", 15) == 0;
}

/* Is content shared with the source, or has it to be made anew, under another key? */
static bool is_shared(const struct s3 *s, const struct pc_object *from)
{
    return !s->crypt.key && !crypt_is_sealed(&from->headers);
}

/* Checksums of parts are worth nothing for content that came in one piece. */
static bool is_composite(const struct s3 *s, const struct pc_object *from, const char *name)
{
    return from->parts > 0 && !is_shared(s, from) && strncmp(name, "x-amz-checksum-", 15) == 0;
}

static int make_headers(struct s3 *s, const struct pc_object *from, enum directive meta,
                        enum directive tags, struct buf *out)
{
    const char *name, *value;
    size_t pos = 0;
    int rc = meta == DIRECTIVE_REPLACE ? headers_collect(s, out) : lock_collect(s, out);

    if (rc == 0)
        rc = lock_default(s, &(struct pc_headers){out->data, out->len}, out);

    while (rc == 0 && pc_headers_next(&from->headers, &pos, &name, &value))
        if (is_kept(name, meta, tags) && !is_composite(s, from, name))
            headers_add(out, name, value);
    if (rc == 0 && meta == DIRECTIVE_COPY) {
        crypt_collect(s, out);
        if (s->acl)
            headers_add(out, "acl", s->acl);
    }
    if (rc == 0 && tags == DIRECTIVE_REPLACE)
        rc = tags_collect(s, out);
    return rc < 0 ? rc : out->err == PC_ELIMIT ? (int)S3_EMETATOOLARGE : out->err;
}

static bool same_place(const struct s3 *s, const struct copy_source *from)
{
    return strcmp(s->bucket, from->bucket) == 0 && s->key_len == from->len &&
           memcmp(s->key, from->key, from->len) == 0;
}

static int reply_copied(struct s3 *s, const struct pc_object *o)
{
    struct buf *b = &s->r->reply_body;

    xml_begin(b, "CopyObjectResult");
    xml_time(b, "LastModified", &o->mtime);
    xml_etag(b, o->etag);
    checksum_xml(b, &o->headers);
    xml_close(b, "CopyObjectResult");
    crypt_reply(s, &o->headers);
    return s3_reply_xml(s);
}

/* The content is read, opened and sealed as both sides ask for; the object is made by what a PUT does. */
static int copy_content(struct s3 *s, const struct copy_source *from, struct buf *headers,
                        const struct pc_condition *cond, struct pc_object *ret)
{
    struct crypt_copy copy = {.bucket = from->bucket,
                              .key = from->key,
                              .len = from->len,
                              .version = from->version,
                              .etag = from->object.etag,
                              .size = UINT64_MAX,
                              .sum_kind = -1};
    char etag[33];
    struct pc_headers h;
    struct pc_put *put;
    int rc = crypt_copy(s, &copy, &put, etag);

    if (rc < 0)
        return rc;
    if (s->crypt.key)
        crypt_collect_size(copy.size, headers);
    h = (struct pc_headers){headers->data, headers->len};
    if (headers->err) {
        pc_put_abort(put);
        return headers->err;
    }
    return pc_put_commit(put, s->bucket, s->key, s->key_len, etag, &h, cond, ret);
}

static int copy_from(struct s3 *s, const struct copy_source *from, enum directive meta,
                     enum directive tags)
{
    bool shared = is_shared(s, &from->object);
    bool replace = !shared || meta == DIRECTIVE_REPLACE || tags == DIRECTIVE_REPLACE || s->acl ||
                   s->crypt.kms || s->info.locking ||
                   pc_headers_get(&from->object.headers, "acl") ||
                   pc_headers_get(&from->object.headers, "kms");
    const struct pc_condition *only;
    struct pc_condition cond;
    struct pc_object made;
    struct pc_headers h;
    struct buf headers;
    int rc = headers_write_condition(s, &cond);

    if (rc < 0)
        return rc;
    only = cond.if_match || cond.if_none_match ? &cond : NULL;
    buf_init(&headers, PC_META_MAX);
    if (replace)
        rc = make_headers(s, &from->object, meta, tags, &headers);
    h = (struct pc_headers){headers.data, headers.len};
    if (rc == 0)
        rc = !shared ? copy_content(s, from, &headers, only, &made)
                     : pc_version_copy(s->gw->volume, from->bucket, from->key, from->len,
                                       from->version, from->object.etag, s->bucket, s->key,
                                       s->key_len, replace ? &h : NULL, only, &made);
    buf_fini(&headers);
    if (rc < 0)
        return rc;
    history_made(s, &made);
    if (from->version)
        req_reply_header(s->r, "x-amz-copy-source-version-id", from->version);
    rc = reply_copied(s, &made);
    pc_object_fini(&made);
    return rc;
}

int op_copy_object(struct s3 *s)
{
    struct copy_source from;
    enum directive directive = DIRECTIVE_COPY, tags = DIRECTIVE_COPY;
    int rc = headers_refuse(s);

    if (rc == 0)
        rc = read_directive(s, "x-amz-metadata-directive", &directive);
    if (rc == 0)
        rc = read_directive(s, "x-amz-tagging-directive", &tags);
    if (rc == 0)
        rc = copy_source_open(s, &from);
    if (rc < 0)
        return rc;
    if (same_place(s, &from) && !from.version && directive == DIRECTIVE_COPY &&
        is_shared(s, &from.object) && !s3_header(s, "x-amz-storage-class") &&
        !s3_header(s, "x-amz-website-redirect-location") &&
        !s3_header(s, "x-amz-server-side-encryption"))
        rc = s3_fail(s, S3_EREQUEST,
                     "This copy request is illegal because it is trying to copy an object to "
                     "itself without changing "
                     "the object's metadata, storage class, website redirect location or "
                     "encryption attributes.");
    else
        rc = copy_from(s, &from, directive, tags);
    pc_object_fini(&from.object);
    return rc;
}

/* The bytes of a part: x-amz-copy-source-range, or all. */
static int part_range(struct s3 *s, const struct pc_object *o, uint64_t *off, uint64_t *size)
{
    const char *range = s3_header(s, "x-amz-copy-source-range");

    uint64_t whole = crypt_size(&o->headers, o->size);

    *off = 0;
    *size = whole;
    if (!range)
        return whole > S3_OBJECT_MAX ? (int)S3_ETOOLARGE : 0;
    if (!range_parse_exact(range, off, size))
        return s3_fail(s, S3_EARGUMENT,
                       "The x-amz-copy-source-range value must be of the form bytes=first-last "
                       "where first and last are "
                       "the zero-based offsets of the first and last bytes to copy");
    if (*off >= whole || *size > whole - *off)
        return s3_fail(s, S3_ERANGE, "Range specified is not valid for source object of size: %llu",
                       (unsigned long long)whole);
    return *size > S3_OBJECT_MAX ? (int)S3_ETOOLARGE : 0;
}

/* As copy_content, of a part; its checksum is the upload's. */
static int copy_part_content(struct s3 *s, const struct copy_source *from, uint64_t off,
                             uint64_t size, struct pc_part *part)
{
    struct crypt_copy copy = {.bucket = from->bucket,
                              .key = from->key,
                              .len = from->len,
                              .version = from->version,
                              .etag = from->object.etag,
                              .off = off,
                              .size = size,
                              .sum_kind = s->sum_kind};
    struct pc_put *put;
    int rc = crypt_copy(s, &copy, &put, part->etag);

    if (rc < 0)
        return rc;
    if (s->sum_kind >= 0)
        snprintf(part->checksum, sizeof part->checksum, "%s=%s", checksum_header(s->sum_kind),
                 copy.sum);
    return pc_put_commit_part(put, s->bucket, s->key, s->key_len, s3_param(s, "uploadId"), part);
}

static int copy_part(struct s3 *s, const struct copy_source *from, struct pc_part *part)
{
    uint64_t off, size;
    int rc = part_range(s, &from->object, &off, &size);

    if (rc < 0)
        return rc;
    if (!is_shared(s, &from->object))
        return copy_part_content(s, from, off, size, part);
    if (s->sum_kind >= 0)
        snprintf(part->checksum, sizeof part->checksum, "%s=", checksum_header(s->sum_kind));
    return pc_version_part_copy(s->gw->volume, from->bucket, from->key, from->len, from->version,
                                off, size, s->bucket, s->key, s->key_len, s3_param(s, "uploadId"),
                                part);
}

int op_copy_part(struct s3 *s)
{
    struct copy_source from;
    struct pc_part part = {0};
    struct buf *b = &s->r->reply_body;
    int rc = op_upload_part_begin(s);

    if (rc == 0)
        rc = copy_source_open(s, &from);
    if (rc < 0)
        return rc;
    part.number = s->part;
    rc = copy_part(s, &from, &part);
    if (rc == 0 && from.version)
        req_reply_header(s->r, "x-amz-copy-source-version-id", from.version);
    pc_object_fini(&from.object);
    if (rc < 0)
        return rc;
    xml_begin(b, "CopyPartResult");
    xml_time(b, "LastModified", &part.mtime);
    xml_etag(b, part.etag);
    checksum_part_xml(b, part.checksum);
    xml_close(b, "CopyPartResult");
    return s3_reply_xml(s);
}
