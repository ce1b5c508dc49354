/* SPDX-License-Identifier: Apache-2.0 */
/* Reading objects: GET, HEAD and attributes, with conditions, ranges and parts. */
#include "history/history.h"
#include "s3/ops.h"
#include "s3/s3.h"
#include "settings/lifecycle.h"

#include "access/authz.h"
#include "date.h"
#include "pcloud/err.h"
#include "pcloud/log.h"
#include "s3/cond.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct content { /* a reader as the source of a reply */
    struct pc_reader *reader;
    struct crypt_reader *sealed; /* over it, for what is under a client's key; or NULL */
    char *what;
};

static ssize_t content_read(void *arg, void *buf, size_t len, uint64_t off)
{
    struct content *c = arg;
    ssize_t n = c->sealed ? crypt_reader_read(c->sealed, buf, len, off)
                          : pc_reader_read(c->reader, buf, len, off);

    if (n < 0)
        pc_log(PC_LOG_ERROR, "s3.read", "%s at %llu: %s", c->what, (unsigned long long)off,
               pc_err_text((int)n));
    return n;
}

static ssize_t content_read_now(void *arg, void *buf, size_t len, uint64_t off)
{
    struct content *c = arg;

    return pc_reader_read_now(c->reader, buf, len, off);
}

static void content_close(void *arg)
{
    struct content *c = arg;

    crypt_reader_free(c->sealed);
    pc_reader_close(c->reader);
    free(c->what);
    free(c);
}

/* The reply's body comes from ${reader}, which is taken. */
static int set_source(struct s3 *s, struct pc_reader *reader)
{
    struct content *c = calloc(1, sizeof *c);

    if (!c) {
        pc_reader_close(reader);
        return -ENOMEM;
    }
    c->reader = reader;
    c->sealed = s->crypt.reader;
    s->crypt.reader = NULL;
    c->what = strndup(s->r->uri.path, s->r->uri.path_len);
    s->r->source =
        (struct req_source){content_read, c->sealed ? NULL : content_read_now, content_close, c};
    if (!c->what)
        return -ENOMEM;
    return 0;
}

static void identity(struct s3 *s, const struct pc_object *o)
{
    char date[DATE_HTTP_MAX];

    date_http(o->mtime.tv_sec, date);
    req_reply_header(s->r, "Last-Modified", date);
    req_reply_headerf(s->r, "ETag", "\"%s\"", o->etag);
}

static int conditions(struct s3 *s, const struct pc_object *o)
{
    struct cond c = {
        .if_match = s3_header(s, "If-Match"),
        .if_none_match = s3_header(s, "If-None-Match"),
        .if_modified_since = s3_header(s, "If-Modified-Since"),
        .if_unmodified_since = s3_header(s, "If-Unmodified-Since"),
    };

    switch (cond_check(&c, o->etag, o->mtime.tv_sec)) {
    case COND_GO:
        return 0;
    case COND_NOT_MODIFIED:
        s->r->status = 304;
        identity(s, o);
        if (pc_headers_get(&o->headers, "cache-control"))
            req_reply_header(s->r, "Cache-Control", pc_headers_get(&o->headers, "cache-control"));
        return 1;
    default:
        if (c.if_match && !cond_etag_in(c.if_match, o->etag))
            s3_extra(s, "Condition", "If-Match");
        else
            s3_extra(s, "Condition", "If-Unmodified-Since");
        return S3_EPRECONDITION;
    }
}

/* Which bytes: *off, *len; 200 or 206. */
static int select_range(struct s3 *s, const struct pc_object *o, struct pc_reader *reader,
                        uint64_t *off, uint64_t *len)
{
    const char *range = s3_header(s, "Range"), *part = s3_param(s, "partNumber"),
               *if_range = s3_header(s, "If-Range");
    char size[24];
    long number;
    int rc;

    *off = 0;
    *len = o->size;
    s->r->status = 200;
    if (range && part)
        return s3_fail(s, S3_EREQUEST,
                       "Cannot specify both Range header and partNumber query parameter");
    if (part) {
        rc = s3_number(s, part, 1, PC_PARTS_MAX, "partNumber", &number);
        if (rc == 0)
            rc = s->crypt.reader ? crypt_reader_part(s->crypt.reader, (unsigned)number, off, len)
                                 : pc_reader_part(reader, (unsigned)number, off, len);
        if (rc < 0)
            return rc == PC_EPART ? (int)S3_EPARTNUMBER : rc;
        if (o->parts)
            req_reply_headerf(s->r, "x-amz-mp-parts-count", "%u", o->parts);
        s->r->status = 206;
    } else if (range && (!if_range || cond_range_holds(if_range, o->etag, o->mtime.tv_sec))) {
        switch (range_parse(range, o->size, off, len)) {
        case RANGE_ALL:
            break;
        case RANGE_PART:
            s->r->status = 206;
            break;
        case RANGE_UNSATISFIABLE:
            s3_extra(s, "RangeRequested", range);
            snprintf(size, sizeof size, "%llu", (unsigned long long)o->size);
            s3_extra(s, "ActualObjectSize", size);
            return S3_ERANGE;
        }
    }
    if (s->r->status == 206 && *len > 0)
        req_reply_headerf(s->r, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)*off,
                          (unsigned long long)(*off + *len - 1), (unsigned long long)o->size);
    return 0;
}

/* Of the whole object, or of the part that was asked for; a range has none. */
static void add_checksum(struct s3 *s, const struct pc_object *o)
{
    const char *mode = s3_header(s, "x-amz-checksum-mode"), *part = s3_param(s, "partNumber"),
               *type;
    char sum[64];
    int kind;

    if (!mode || strcmp(mode, "ENABLED") != 0)
        return;
    if (part && o->parts) {
        kind = checksum_of_part(&o->headers, (unsigned)strtoul(part, NULL, 10), sum);
        type = pc_headers_get(&o->headers, "x-amz-checksum-type");
        if (kind < 0)
            return;
        req_reply_header(s->r, checksum_header(kind), sum);
        req_reply_header(s->r, "x-amz-checksum-type", type ? type : "COMPOSITE");
    } else if (s->r->status == 200 || part) {
        checksum_reply(s, &o->headers);
    }
}

static void add_tag_count(struct s3 *s, const struct pc_object *o)
{
    const char *tags = pc_headers_get(&o->headers, "tagging");
    unsigned n = 1;

    if (!tags)
        return;
    while ((tags = strchr(tags, '&'))) {
        tags++;
        n++;
    }
    req_reply_headerf(s->r, "x-amz-tagging-count", "%u", n);
}

static void describe(struct s3 *s, const struct pc_object *o)
{
    identity(s, o);
    req_reply_header(s->r, "Accept-Ranges", "bytes");
    headers_reply(s, &o->headers);
    crypt_reply(s, &o->headers);
    add_checksum(s, o);
    add_tag_count(s, o);
    lock_reply(s, &o->headers);
    lifecycle_reply(s, o);
}

static int answer(struct s3 *s, struct pc_object *o, struct pc_reader *reader)
{
    uint64_t off, len;
    int rc = crypt_fits(s, &o->headers);

    if (rc == 0)
        rc = conditions(s, o);
    if (rc == 0)
        rc = crypt_open(s, o, reader);

    if (rc == 0)
        rc = select_range(s, o, reader, &off, &len);
    if (rc != 0) {
        pc_reader_close(reader);
        return rc < 0 ? rc : 0;
    }
    describe(s, o);
    s->r->reply_offset = off;
    s->r->reply_length = len;
    return set_source(s, reader);
}

/* How an object is encrypted is not for a reader to say. */
static int refuse_encryption(struct s3 *s)
{
    return s3_header(s, "x-amz-server-side-encryption")
               ? s3_fail(s, S3_EARGUMENT,
                         "x-amz-server-side-encryption header is not supported for this operation.")
               : 0;
}

int op_get_object(struct s3 *s)
{
    struct pc_object o;
    struct pc_reader *reader;
    int rc = refuse_encryption(s);

    if (rc < 0)
        return rc;
    rc = history_open(s, &o, &reader);
    if (rc < 0)
        return authz_missing(s, rc);
    rc = authz_object(s, &o);
    if (rc < 0)
        pc_reader_close(reader);
    else
        rc = answer(s, &o, reader);
    pc_object_fini(&o);
    return rc;
}

static ssize_t no_content(void *arg, void *buf, size_t len, uint64_t off)
{
    (void)arg;
    (void)buf;
    (void)len;
    (void)off;
    return -EIO;
}

int op_head_object(struct s3 *s)
{
    struct pc_object o;
    uint64_t off, len;
    int rc;

    if (s3_param(s, "partNumber"))
        return op_get_object(s);
    rc = refuse_encryption(s);
    if (rc < 0)
        return rc;
    rc = history_head(s, &o);
    if (rc < 0)
        return authz_missing(s, rc);
    rc = authz_object(s, &o);
    if (rc == 0)
        rc = crypt_fits(s, &o.headers);
    if (rc == 0)
        rc = conditions(s, &o);
    if (rc == 0)
        rc = crypt_open(s, &o, NULL);
    if (rc == 0)
        rc = select_range(s, &o, NULL, &off, &len);
    if (rc == 0 && s->r->status != 304) {
        describe(s, &o);
        s->r->source.read = no_content; /* only its length is told */
        s->r->reply_length = len;
    }
    pc_object_fini(&o);
    return rc < 0 ? rc : 0;
}

static bool listed(const char *list, const char *name)
{
    size_t n = strlen(name);

    while (*list) {
        size_t len;

        list += strspn(list, " \t,");
        len = strcspn(list, " \t,");
        if (len == n && memcmp(list, name, n) == 0)
            return true;
        list += len;
    }
    return false;
}

/* One page of the parts: x-amz-max-parts after x-amz-part-number-marker. */
static int add_parts(struct s3 *s, const struct pc_object *o, struct pc_reader *reader)
{
    const char *max = s3_header(s, "x-amz-max-parts");
    const char *after = s3_header(s, "x-amz-part-number-marker");
    struct buf *b = &s->r->reply_body;
    long count = 1000, marker = 0, last;
    char sum[64];
    int rc = 0;

    if (max)
        rc = s3_number(s, max, 0, INT_MAX, "max-parts", &count);
    if (rc == 0 && after)
        rc = s3_number(s, after, 0, INT_MAX, "part-number-marker", &marker);
    if (rc < 0)
        return rc;
    count = count > 1000 ? 1000 : count;
    last = marker + count < (long)o->parts ? marker + count : (long)o->parts;
    xml_open(b, "ObjectParts");
    xml_num(b, "PartsCount", o->parts);
    xml_num(b, "PartNumberMarker", (uint64_t)marker);
    xml_num(b, "NextPartNumberMarker", (uint64_t)(last > marker ? last : marker));
    xml_num(b, "MaxParts", (uint64_t)count);
    xml_str(b, "IsTruncated", last < (long)o->parts && count > 0 ? "true" : "false");
    for (unsigned n = (unsigned)marker + 1; (long)n <= last; n++) {
        uint64_t off, len;
        int kind = checksum_of_part(&o->headers, n, sum);

        rc = s->crypt.reader ? crypt_reader_part(s->crypt.reader, n, &off, &len)
                             : pc_reader_part(reader, n, &off, &len);
        if (rc < 0)
            return rc;
        xml_open(b, "Part");
        xml_num(b, "PartNumber", n);
        xml_num(b, "Size", len);
        if (kind >= 0)
            xml_str(b, checksum_element(kind), sum);
        xml_close(b, "Part");
    }
    xml_close(b, "ObjectParts");
    return 0;
}

static int add_attributes(struct s3 *s, const struct pc_object *o, struct pc_reader *reader)
{
    const char *want = s3_header(s, "x-amz-object-attributes"), *class;
    struct buf *b = &s->r->reply_body;
    char date[DATE_HTTP_MAX];
    int rc = 0;

    xml_begin(b, "GetObjectAttributesResponse");
    if (listed(want, "ETag"))
        xml_str(b, "ETag", o->etag);
    if (listed(want, "Checksum")) {
        xml_open(b, "Checksum");
        checksum_xml(b, &o->headers);
        xml_close(b, "Checksum");
    }
    if (listed(want, "ObjectParts") && o->parts)
        rc = add_parts(s, o, reader);
    class = pc_headers_get(&o->headers, "x-amz-storage-class");
    if (listed(want, "StorageClass"))
        xml_str(b, "StorageClass", class ? class : "STANDARD");
    if (listed(want, "ObjectSize"))
        xml_num(b, "ObjectSize", o->size);
    xml_close(b, "GetObjectAttributesResponse");
    date_http(o->mtime.tv_sec, date);
    req_reply_header(s->r, "Last-Modified", date);
    return rc;
}

int op_object_attributes(struct s3 *s)
{
    const char *want = s3_header(s, "x-amz-object-attributes");
    struct pc_object o;
    struct pc_reader *reader;
    int rc;

    if (!want || !*want)
        return s3_fail(s, S3_EARGUMENT,
                       "The x-amz-object-attributes header specifying the attributes to be "
                       "retrieved is either missing or empty");
    rc = history_open(s, &o, &reader);
    if (rc < 0)
        return authz_missing(s, rc);
    rc = authz_object(s, &o);
    if (rc == 0)
        rc = crypt_fits(s, &o.headers);
    if (rc == 0)
        rc = crypt_open(s, &o, reader);
    if (rc == 0)
        rc = add_attributes(s, &o, reader);
    pc_reader_close(reader);
    pc_object_fini(&o);
    return rc < 0 ? rc : s3_reply_xml(s);
}
