/* SPDX-License-Identifier: Apache-2.0 */
/* ListObjectVersions: what is current, what is past and the markers over it. */
#include "history/history.h"

#include "pcloud/err.h"
#include "s3/ops.h"

#include <string.h>

struct listing {
    struct s3 *s;
    enum xml_coding coding;
    bool enforced;
    struct pc_user who; /* the bucket's owner */
    struct pc_version_list list;
    struct buf prefixes; /* CommonPrefixes come after the versions */
    struct buf last;     /* the last key or common prefix */
    char last_id[PC_VERSION_MAX];
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
    const struct pc_user *u = &l->who;
    struct buf *b = &l->s->r->reply_body;
    char id[ACL_ID_MAX];
    struct pc_user other;

    if (list && !l->enforced && acl_owner(list, id) == 0 && strcmp(id, ".") != 0) {
        access_user(l->s, id, &other);
        u = &other;
    }
    xml_open(b, "Owner");
    xml_str(b, "ID", u->id);
    xml_str(b, "DisplayName", u->name);
    xml_close(b, "Owner");
}

static void add_version(struct listing *l, const struct pc_version_entry *e)
{
    const char *name = e->marker ? "DeleteMarker" : "Version";
    const char *class = e->headers ? pc_headers_get(e->headers, "x-amz-storage-class") : NULL;
    struct buf *b = &l->s->r->reply_body;

    xml_open(b, name);
    xml_key(b, "Key", e->key, e->len, l->coding);
    xml_str(b, "VersionId", e->version);
    xml_str(b, "IsLatest", e->latest ? "true" : "false");
    xml_time(b, "LastModified", &e->mtime);
    if (!e->marker) {
        xml_etag(b, e->etag);
        xml_num(b, "Size", crypt_size(e->headers, e->size));
        xml_str(b, "StorageClass", class ? class : "STANDARD");
    }
    add_owner(l, e->headers);
    xml_close(b, name);
}

static int add_entry(void *arg, const struct pc_version_entry *e)
{
    struct listing *l = arg;

    buf_reset(&l->last);
    buf_add(&l->last, e->key, e->len);
    l->last_id[0] = '\0';
    if (e->is_prefix) {
        xml_open(&l->prefixes, "CommonPrefixes");
        xml_key(&l->prefixes, "Prefix", e->key, e->len, l->coding);
        xml_close(&l->prefixes, "CommonPrefixes");
    } else {
        memcpy(l->last_id, e->version, strlen(e->version) + 1);
        add_version(l, e);
    }
    return l->s->r->reply_body.err;
}

static int read_params(struct listing *l)
{
    struct s3 *s = l->s;
    const char *max = s3_param(s, "max-keys"), *coding = s3_param(s, "encoding-type");
    long n = PC_LIST_MAX;
    int rc;

    slice(s, "prefix", &l->list.prefix, &l->list.prefix_len);
    slice(s, "delimiter", &l->list.delimiter, &l->list.delimiter_len);
    slice(s, "key-marker", &l->list.after, &l->list.after_len);
    l->list.after_id = s3_param(s, "version-id-marker");
    if (l->list.after_id && *l->list.after_id && l->list.after_len == 0)
        return s3_fail(s, S3_EARGUMENT,
                       "A version-id marker cannot be specified without a key marker.");
    if (l->list.after_id && history_check(s, l->list.after_id) < 0)
        return S3_EARGUMENT;
    if (max && *max) {
        rc = s3_number(s, max, 0, 2147483647, "max-keys", &n);
        if (rc < 0)
            return rc;
    }
    l->list.max = n > PC_LIST_MAX ? PC_LIST_MAX : (unsigned)n;
    if (coding && *coding && strcmp(coding, "url") != 0)
        return s3_fail(s, S3_EARGUMENT, "Invalid Encoding Method specified in Request");
    l->coding = coding && *coding ? XML_URL : XML_PLAIN;
    return 0;
}

static void add_frame(struct listing *l, bool truncated)
{
    struct buf *b = &l->s->r->reply_body;

    xml_str(b, "Name", l->s->bucket);
    xml_key(b, "Prefix", l->list.prefix, l->list.prefix_len, l->coding);
    xml_key(b, "KeyMarker", l->list.after, l->list.after_len, l->coding);
    xml_str(b, "VersionIdMarker", l->list.after_id ? l->list.after_id : "");
    if (truncated) {
        xml_key(b, "NextKeyMarker", buf_text(&l->last), l->last.len, l->coding);
        if (l->last_id[0] != '\0')
            xml_str(b, "NextVersionIdMarker", l->last_id);
    }
    xml_num(b, "MaxKeys", l->list.max);
    if (l->list.delimiter_len)
        xml_key(b, "Delimiter", l->list.delimiter, l->list.delimiter_len, l->coding);
    if (l->coding == XML_URL)
        xml_str(b, "EncodingType", "url");
    xml_str(b, "IsTruncated", truncated ? "true" : "false");
}

int op_list_versions(struct s3 *s)
{
    struct listing l = {.s = s};
    struct buf *b = &s->r->reply_body;
    bool truncated = false;
    enum ownership ownership;
    int rc = read_params(&l);

    if (rc == 0)
        rc = access_ownership(s, &s->access, &ownership);
    if (rc < 0)
        return rc;
    l.enforced = ownership == OWNERSHIP_ENFORCED;
    s3_owner(s, s->info.owner, &l.who);
    buf_init(&l.prefixes, REQ_REPLY_MAX);
    buf_init(&l.last, PC_KEY_MAX + 1);
    xml_begin(b, "ListVersionsResult");
    if (l.list.max > 0)
        rc = pc_version_list(s->gw->volume, s->bucket, &l.list, add_entry, &l, &truncated);
    add_frame(&l, truncated);
    buf_add(b, buf_text(&l.prefixes), l.prefixes.len);
    xml_close(b, "ListVersionsResult");
    if (rc >= 0)
        rc = l.prefixes.err ? l.prefixes.err : l.last.err;
    buf_fini(&l.prefixes);
    buf_fini(&l.last);
    return rc < 0 ? rc : s3_reply_xml(s);
}
