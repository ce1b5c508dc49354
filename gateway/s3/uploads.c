/* SPDX-License-Identifier: Apache-2.0 */
/* Listing multipart uploads and their parts. */
#include "s3/ops.h"
#include "s3/s3.h"

#include "pcloud/err.h"

#include <string.h>

static void add_user(struct buf *b, const char *element, const struct pc_user *u)
{
    xml_open(b, element);
    xml_str(b, "ID", u->id);
    xml_str(b, "DisplayName", u->name);
    xml_close(b, element);
}

/* Whose the object will be. */
static void object_owner(struct s3 *s, const struct pc_headers *h, struct pc_user *ret)
{
    const char *list = pc_headers_get(h, "acl");
    char id[ACL_ID_MAX] = ".";

    if (list)
        acl_owner(list, id);
    access_user(s, id, ret);
}

struct parts {
    struct s3 *s;
    const struct pc_headers *headers; /* of the upload */
};

static int add_part(void *arg, const struct pc_part *p)
{
    const struct parts *l = arg;
    struct s3 *s = l->s;
    struct buf *b = &s->r->reply_body;

    xml_open(b, "Part");
    xml_num(b, "PartNumber", p->number);
    xml_time(b, "LastModified", &p->mtime);
    xml_etag(b, p->etag);
    xml_num(b, "Size", crypt_part_size(l->headers, p->size));
    checksum_part_xml(b, p->checksum);
    xml_close(b, "Part");
    s->part = p->number;
    return b->err;
}

int op_list_parts(struct s3 *s)
{
    const char *id = s3_param(s, "uploadId"), *max = s3_param(s, "max-parts"),
               *after = s3_param(s, "part-number-marker");
    const char *algorithm, *type, *class;
    struct buf *b = &s->r->reply_body;
    long count = 1000, marker = 0;
    struct pc_user owner;
    struct pc_upload u;
    bool truncated = false;
    struct buf parts = *b;
    int rc = 0;

    if (max && *max)
        rc = s3_number(s, max, 0, 2147483647, "max-parts", &count);
    if (rc == 0 && after && *after)
        rc = s3_number(s, after, 0, 2147483647, "part-number-marker", &marker);
    if (rc == 0)
        rc = pc_upload_get(s->gw->volume, s->bucket, s->key, s->key_len, id, &u);
    if (rc < 0)
        return rc;
    if (count > 1000)
        count = 1000;
    s->part = (unsigned)marker;
    if (count > 0)
        rc = pc_upload_parts(s->gw->volume, id, (unsigned)marker, (unsigned)count, add_part,
                             &(struct parts){s, &u.headers}, &truncated);
    parts = *b; /* the frame comes before them */
    buf_init(b, REQ_REPLY_MAX);
    xml_begin(b, "ListPartsResult");
    xml_str(b, "Bucket", s->bucket);
    xml_key(b, "Key", s->key, s->key_len, XML_PLAIN);
    xml_str(b, "UploadId", id);
    s3_owner(s, u.owner, &owner);
    add_user(b, "Initiator", &owner);
    object_owner(s, &u.headers, &owner);
    add_user(b, "Owner", &owner);
    class = pc_headers_get(&u.headers, "x-amz-storage-class");
    xml_str(b, "StorageClass", class ? class : "STANDARD");
    algorithm = pc_headers_get(&u.headers, "x-amz-checksum-algorithm");
    type = pc_headers_get(&u.headers, "x-amz-checksum-type");
    if (algorithm)
        xml_str(b, "ChecksumAlgorithm", algorithm);
    if (type)
        xml_str(b, "ChecksumType", type);
    xml_num(b, "PartNumberMarker", (uint64_t)marker);
    xml_num(b, "NextPartNumberMarker", s->part);
    xml_num(b, "MaxParts", (uint64_t)count);
    xml_str(b, "IsTruncated", truncated ? "true" : "false");
    buf_add(b, buf_text(&parts), parts.len);
    xml_close(b, "ListPartsResult");
    rc = rc < 0 ? rc : parts.err;
    buf_fini(&parts);
    pc_upload_fini(&u);
    return rc < 0 ? rc : s3_reply_xml(s);
}

struct listing {
    struct s3 *s;
    enum xml_coding coding;
    struct buf uploads, prefixes;
    char *last_key, *last_id;
    size_t last_len;
};

static int add_upload(void *arg, const struct pc_upload *u, const char *key, size_t len)
{
    struct listing *l = arg;
    struct buf *b = &l->uploads;
    struct pc_user owner;

    l->last_key = req_dup(l->s->r, key, len);
    l->last_len = len;
    l->last_id = u ? req_dup(l->s->r, u->id, strlen(u->id)) : NULL;
    if (!l->last_key)
        return -ENOMEM;
    if (!u) {
        xml_open(&l->prefixes, "CommonPrefixes");
        xml_key(&l->prefixes, "Prefix", key, len, l->coding);
        xml_close(&l->prefixes, "CommonPrefixes");
        return l->prefixes.err;
    }
    s3_owner(l->s, u->owner, &owner);
    xml_open(b, "Upload");
    xml_key(b, "Key", u->key, u->len, l->coding);
    xml_str(b, "UploadId", u->id);
    add_user(b, "Initiator", &owner);
    object_owner(l->s, &u->headers, &owner);
    add_user(b, "Owner", &owner);
    xml_str(b, "StorageClass", "STANDARD");
    xml_time(b, "Initiated", &u->created);
    xml_close(b, "Upload");
    return b->err;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static void add_frame(struct listing *l, const struct pc_upload_list *list, bool truncated)
{
    struct s3 *s = l->s;
    struct buf *b = &s->r->reply_body;

    xml_str(b, "Bucket", s->bucket);
    xml_key(b, "KeyMarker", list->after_key, strlen(list->after_key), l->coding);
    xml_str(b, "UploadIdMarker", list->after_id);
    if (truncated) {
        xml_key(b, "NextKeyMarker", or_empty(l->last_key), l->last_len, l->coding);
        xml_str(b, "NextUploadIdMarker", or_empty(l->last_id));
    }
    xml_key(b, "Prefix", list->prefix, strlen(list->prefix), l->coding);
    if (*list->delimiter)
        xml_key(b, "Delimiter", list->delimiter, strlen(list->delimiter), l->coding);
    xml_num(b, "MaxUploads", list->max);
    if (l->coding == XML_URL)
        xml_str(b, "EncodingType", "url");
    xml_str(b, "IsTruncated", truncated ? "true" : "false");
}

int op_list_uploads(struct s3 *s)
{
    const char *max = s3_param(s, "max-uploads"), *coding = s3_param(s, "encoding-type");
    struct pc_upload_list list = {
        .prefix = or_empty(s3_param(s, "prefix")),
        .delimiter = or_empty(s3_param(s, "delimiter")),
        .after_key = or_empty(s3_param(s, "key-marker")),
        .after_id = or_empty(s3_param(s, "upload-id-marker")),
    };
    struct listing l = {.s = s,
                        .coding = coding && strcmp(coding, "url") == 0 ? XML_URL : XML_PLAIN};
    struct buf *b = &s->r->reply_body;
    bool truncated = false;
    long n = 1000;
    int rc = 0;

    if (max && *max)
        rc = s3_number(s, max, 0, 2147483647, "max-uploads", &n);
    if (rc < 0)
        return rc;
    list.max = n > 1000 ? 1000 : (unsigned)n;
    if (!*list.after_key)
        list.after_id = ""; /* means nothing without the key */
    buf_init(&l.uploads, REQ_REPLY_MAX);
    buf_init(&l.prefixes, REQ_REPLY_MAX);
    if (list.max > 0)
        rc = pc_upload_list(s->gw->volume, s->bucket, &list, add_upload, &l, &truncated);
    xml_begin(b, "ListMultipartUploadsResult");
    add_frame(&l, &list, truncated);
    buf_add(b, buf_text(&l.uploads), l.uploads.len);
    buf_add(b, buf_text(&l.prefixes), l.prefixes.len);
    xml_close(b, "ListMultipartUploadsResult");
    buf_fini(&l.uploads);
    buf_fini(&l.prefixes);
    return rc < 0 ? rc : s3_reply_xml(s);
}
