/* SPDX-License-Identifier: Apache-2.0 */
/* Listing objects: both versions of ListObjects. */
#include "s3/ops.h"
#include "s3/s3.h"

#include "pcloud/err.h"

#include <stdio.h>
#include <string.h>

enum form { FORM_V1, FORM_V2 };

struct listing {
    struct s3 *s;
    enum form form;
    enum xml_coding coding;
    bool owner, enforced;
    struct pc_user who; /* the bucket's owner */
    struct pc_list list;
    unsigned long count;
    struct buf prefixes; /* CommonPrefixes come after the objects */
    struct buf last;     /* the last key or common prefix */
};

static void slice(const struct s3 *s, const char *name, const char **ret, size_t *ret_len)
{
    const struct uri_param *p = uri_query_param(&s->query, name);

    *ret = p ? p->value : "";
    *ret_len = p ? p->value_len : 0;
}

/* Nearly always the bucket's. */
static void add_owner(struct listing *l, const struct pc_headers *h)
{
    const char *list = h ? pc_headers_get(h, "acl") : NULL;
    struct buf *b = &l->s->r->reply_body;
    char id[ACL_ID_MAX];
    struct pc_user other;
    const struct pc_user *u = &l->who;

    if (list && !l->enforced && acl_owner(list, id) == 0 && strcmp(id, ".") != 0) {
        access_user(l->s, id, &other);
        u = &other;
    }
    buf_str(b, "<Owner>");
    xml_str(b, "ID", u->id);
    xml_str(b, "DisplayName", u->name);
    buf_str(b, "</Owner>");
}

static void add_object(struct listing *l, const struct pc_list_entry *e)
{
    struct buf *b = &l->s->r->reply_body;
    const char *class = e->headers ? pc_headers_get(e->headers, "x-amz-storage-class") : NULL;

    xml_open(b, "Contents");
    xml_key(b, "Key", e->key, e->len, l->coding);
    xml_time(b, "LastModified", &e->mtime);
    xml_etag(b, e->etag);
    xml_num(b, "Size", crypt_size(e->headers, e->size));
    if (l->owner)
        add_owner(l, e->headers);
    xml_str(b, "StorageClass", class ? class : "STANDARD");
    xml_close(b, "Contents");
}

static int add_entry(void *arg, const struct pc_list_entry *e)
{
    struct listing *l = arg;

    if (e->is_prefix) {
        xml_open(&l->prefixes, "CommonPrefixes");
        xml_key(&l->prefixes, "Prefix", e->key, e->len, l->coding);
        xml_close(&l->prefixes, "CommonPrefixes");
    } else {
        add_object(l, e);
    }
    buf_reset(&l->last);
    buf_add(&l->last, e->key, e->len);
    l->count++;
    return l->s->r->reply_body.err;
}

/* The token of V2 is the last key, in a coding that says it is opaque. */
static int read_token(struct listing *l, const char *token, size_t len)
{
    char *raw;
    int n;

    if (len > 4 * PC_KEY_MAX)
        return s3_fail(l->s, S3_EARGUMENT, "The continuation token provided is incorrect");
    raw = req_alloc(l->s->r, len + 1);
    if (!raw)
        return -ENOMEM;
    n = pc_unbase64(token, len, raw, len);
    if (n < 1 || raw[0] != 1)
        return s3_fail(l->s, S3_EARGUMENT, "The continuation token provided is incorrect");
    l->list.after = raw + 1;
    l->list.after_len = (size_t)n - 1;
    return 0;
}

static void add_token(struct buf *b, const struct buf *last)
{
    char raw[PC_KEY_MAX + 1], text[4 * ((PC_KEY_MAX + 3) / 3) + 8];
    size_t len = last->len <= PC_KEY_MAX ? last->len : PC_KEY_MAX;

    raw[0] = 1;
    memcpy(raw + 1, buf_text(last), len);
    pc_base64(raw, len + 1, text);
    xml_str(b, "NextContinuationToken", text);
}

static int read_params(struct listing *l)
{
    struct s3 *s = l->s;
    const char *max = s3_param(s, "max-keys"), *coding = s3_param(s, "encoding-type");
    const struct uri_param *token = uri_query_param(&s->query, "continuation-token");
    long n = PC_LIST_MAX;
    int rc;

    slice(s, "prefix", &l->list.prefix, &l->list.prefix_len);
    slice(s, "delimiter", &l->list.delimiter, &l->list.delimiter_len);
    slice(s, l->form == FORM_V2 ? "start-after" : "marker", &l->list.after, &l->list.after_len);
    if (max && *max) {
        rc = s3_number(s, max, 0, 2147483647, "max-keys", &n);
        if (rc < 0)
            return rc;
    }
    l->list.max = n > PC_LIST_MAX ? PC_LIST_MAX : (unsigned)n;
    if (coding && *coding && strcmp(coding, "url") != 0)
        return s3_fail(s, S3_EARGUMENT, "Invalid Encoding Method specified in Request");
    l->coding = coding && *coding ? XML_URL : XML_PLAIN;
    if (l->form == FORM_V2 && token && token->value_len)
        return read_token(l, token->value, token->value_len);
    return 0;
}

/* What the request said, and where the next page begins. */
static void add_frame(struct listing *l, bool truncated)
{
    struct s3 *s = l->s;
    struct buf *b = &s->r->reply_body;
    const char *name = l->form == FORM_V2 ? "StartAfter" : "Marker";
    const char *after, *token = s3_param(s, "continuation-token");
    size_t len;

    slice(s, l->form == FORM_V2 ? "start-after" : "marker", &after, &len);
    xml_str(b, "Name", s->bucket);
    xml_key(b, "Prefix", l->list.prefix, l->list.prefix_len, l->coding);
    if (len || l->form != FORM_V2)
        xml_key(b, name, after, len, l->coding);
    if (l->list.delimiter_len)
        xml_key(b, "Delimiter", l->list.delimiter, l->list.delimiter_len, l->coding);
    xml_num(b, "MaxKeys", l->list.max);
    if (l->coding == XML_URL)
        xml_str(b, "EncodingType", "url");
    xml_str(b, "IsTruncated", truncated ? "true" : "false");
    if (l->form == FORM_V2) {
        xml_num(b, "KeyCount", l->count);
        if (token)
            xml_str(b, "ContinuationToken", token);
        if (truncated)
            add_token(b, &l->last);
    } else if (truncated && l->list.delimiter_len) {
        xml_key(b, "NextMarker", buf_text(&l->last), l->last.len, l->coding);
    }
}

static int list(struct s3 *s, enum form form)
{
    struct listing l = {.s = s, .form = form};
    const char *fetch = s3_param(s, "fetch-owner");
    struct buf *b = &s->r->reply_body;
    enum ownership ownership = OWNERSHIP_WRITER;
    bool truncated = false;
    int rc = read_params(&l);

    if (rc < 0)
        return rc;
    l.owner = form != FORM_V2 || (fetch && strcmp(fetch, "true") == 0);
    if (l.owner)
        rc = access_ownership(s, &s->access, &ownership);
    if (rc < 0)
        return rc;
    l.enforced = ownership == OWNERSHIP_ENFORCED;
    if (l.owner)
        s3_owner(s, s->info.owner, &l.who);
    buf_init(&l.prefixes, REQ_REPLY_MAX);
    buf_init(&l.last, PC_KEY_MAX + 1);
    xml_begin(b, "ListBucketResult");
    if (l.list.max > 0)
        rc = pc_list(s->gw->volume, s->bucket, &l.list, add_entry, &l, &truncated);
    add_frame(&l, truncated);
    buf_add(b, buf_text(&l.prefixes), l.prefixes.len);
    xml_close(b, "ListBucketResult");
    if (rc >= 0)
        rc = l.prefixes.err ? l.prefixes.err : l.last.err;
    buf_fini(&l.prefixes);
    buf_fini(&l.last);
    return rc < 0 ? rc : s3_reply_xml(s);
}

int op_list_objects(struct s3 *s)
{
    const char *type = s3_param(s, "list-type");

    if (type && strcmp(type, "2") != 0 && strcmp(type, "1") != 0)
        return s3_fail(s, S3_EARGUMENT, "Invalid List Type specified in Request");
    return list(s, type && *type == '2' ? FORM_V2 : FORM_V1);
}
