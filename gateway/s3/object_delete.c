/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting objects, one and many. */
#include "s3/ops.h"
#include "s3/s3.h"

#include "access/authz.h"
#include "pcloud/err.h"
#include "s3/xml_in.h"

#include <stdlib.h>
#include <string.h>

#define DELETE_MAX 1000

int op_delete_object(struct s3 *s)
{
    const char *id = s3_param(s, "versionId"), *match = s3_header(s, "If-Match");
    struct pc_condition cond = {0};
    char *etag;
    int rc;

    if (id && *id && strcmp(id, "null") != 0)
        return s3_fail(s, S3_EARGUMENT, "Invalid version id specified");
    if (match) {
        etag = req_dup(s->r, match, strlen(match));
        if (!etag)
            return -ENOMEM;
        cond.if_match = s3_etag_plain(etag);
    }
    rc = pc_object_delete(s->gw->volume, s->bucket, s->key, s->key_len, match ? &cond : NULL, NULL);
    if (rc < 0 && rc != -ENOENT)
        return rc;
    s->r->status = 204; /* also if there was nothing */
    return 0;
}

struct batch {
    struct s3 *s;
    struct pc_delete items[DELETE_MAX];
    bool bad_version[DELETE_MAX];
    int refused[DELETE_MAX]; /* why it may not be touched, or 0 */
    size_t count;
    bool quiet, open;
};

static int on_leaf(void *arg, const char *path, const char *text, size_t len)
{
    struct batch *b = arg;
    struct pc_delete *item = &b->items[b->count];

    if (strcmp(path, "Quiet") == 0) {
        b->quiet = strcmp(text, "true") == 0;
        return 0;
    }
    if (strncmp(path, "Object", 6) != 0)
        return 0;
    if (b->count == DELETE_MAX)
        return S3_EXML;
    if (strcmp(path, "Object/Key") == 0) {
        if (len > PC_KEY_MAX)
            return S3_EKEYTOOLONG;
        item->key = req_dup(b->s->r, text, len);
        item->len = len;
        return item->key ? 0 : -ENOMEM;
    }
    if (strcmp(path, "Object/ETag") == 0) {
        char *etag = req_dup(b->s->r, text, len);

        if (!etag)
            return -ENOMEM;
        item->etag = s3_etag_plain(etag);
        return 0;
    }
    if (strcmp(path, "Object/VersionId") == 0)
        b->bad_version[b->count] = len > 0 && strcmp(text, "null") != 0;
    if (strcmp(path, "Object") == 0) {
        if (!item->key || item->len == 0)
            return S3_EXML;
        b->count++;
    }
    return 0;
}

static void add_result(struct batch *b, size_t i)
{
    struct buf *out = &b->s->r->reply_body;
    const struct pc_delete *item = &b->items[i];
    const struct s3_error_entry *e;

    if (item->result == 0 || item->result == -ENOENT) {
        if (b->quiet)
            return;
        xml_open(out, "Deleted");
        xml_key(out, "Key", item->key, item->len, XML_PLAIN);
        xml_close(out, "Deleted");
        return;
    }
    e = s3_error_entry(s3_error_of(item->result));
    xml_open(out, "Error");
    xml_key(out, "Key", item->key, item->len, XML_PLAIN);
    xml_str(out, "Code", e->code);
    xml_str(out, "Message", e->text);
    xml_close(out, "Error");
}

static int refuse_some(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        int rc = authz_key(b->s, "s3:DeleteObject", b->items[i].key, b->items[i].len);

        if (rc < 0 && rc != S3_EACCESS)
            return rc;
        b->refused[i] = rc < 0 ? rc : b->bad_version[i] ? (int)S3_ENOVERSION : 0;
    }
    return 0;
}

/* Those that may not or cannot be deleted are left out and answered by themselves. */
static int delete_batch(struct batch *b)
{
    struct pc_delete *all = b->items;
    size_t n = 0, from = 0;
    int rc = 0;

    while (rc == 0 && from < b->count) {
        if (b->refused[from]) {
            all[from].result = b->refused[from];
            from++;
            continue;
        }
        for (n = from; n < b->count && !b->refused[n];)
            n++;
        rc = pc_objects_delete(b->s->gw->volume, b->s->bucket, all + from, n - from);
        from = n;
    }
    return rc;
}

int op_delete_objects(struct s3 *s)
{
    struct batch *b;
    int rc;

    if (s->xml.len == 0)
        return S3_EMISSINGBODY;
    b = calloc(1, sizeof *b);
    if (!b)
        return -ENOMEM;
    b->s = s;
    rc = xml_read(s->xml.data, s->xml.len, "Delete", on_leaf, b);
    if (rc == 0 && b->count == 0)
        rc = S3_EXML;
    if (rc == 0)
        rc = refuse_some(b);
    if (rc == 0)
        rc = delete_batch(b);
    if (rc == 0) {
        xml_begin(&s->r->reply_body, "DeleteResult");
        for (size_t i = 0; i < b->count; i++)
            add_result(b, i);
        xml_close(&s->r->reply_body, "DeleteResult");
        rc = s3_reply_xml(s);
    }
    free(b);
    return rc;
}
