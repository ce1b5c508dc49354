/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting objects, one and many. */
#include "s3/ops.h"
#include "s3/s3.h"

#include "access/authz.h"
#include "date.h"
#include "history/history.h"
#include "pcloud/err.h"
#include "s3/xml_in.h"

#include <stdlib.h>
#include <string.h>

#define DELETE_MAX 1000

static int read_time(struct s3 *s, const char *text, struct timespec *ret)
{
    time_t t;

    if (date_parse_iso(text, ret) == 0)
        return 0;
    if (date_parse_http(text, &t) < 0)
        return s3_fail(s, S3_EARGUMENT, "The time to match is malformed");
    *ret = (struct timespec){.tv_sec = t};
    return 0;
}

static int read_size(struct s3 *s, const char *text, uint64_t *ret)
{
    char *end;

    errno = 0;
    *ret = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text < '0' || *text > '9')
        return s3_fail(s, S3_EARGUMENT, "The size to match is not a number");
    return 0;
}

/* If-Match, and what only directory buckets have elsewhere: the time and size of what goes. */
struct conditions {
    struct pc_condition cond;
    struct timespec mtime;
    uint64_t size;
    bool any;
};

static int read_conditions(struct s3 *s, struct conditions *ret)
{
    const char *match = s3_header(s, "If-Match"),
               *mtime = s3_header(s, "x-amz-if-match-last-modified-time"),
               *size = s3_header(s, "x-amz-if-match-size");
    char *etag;
    int rc = 0;

    *ret = (struct conditions){.any = match || mtime || size};
    if (match) {
        etag = req_dup(s->r, match, strlen(match));
        if (!etag)
            return -ENOMEM;
        ret->cond.if_match = s3_etag_plain(etag);
    }
    if (mtime)
        rc = read_time(s, mtime, &ret->mtime);
    if (rc == 0 && size)
        rc = read_size(s, size, &ret->size);
    ret->cond.if_mtime = mtime ? &ret->mtime : NULL;
    ret->cond.if_size = size ? &ret->size : NULL;
    return rc;
}

int op_delete_object(struct s3 *s)
{
    struct pc_delete item = {
        .key = s->key, .len = s->key_len, .bypass = lock_bypass(s, s->key, s->key_len)};
    struct conditions c;
    int rc = read_conditions(s, &c);

    if (rc == 0)
        rc = history_id(s, &item.version);
    if (rc == 0 && c.cond.if_size)
        rc = crypt_size_stored(s, item.key, item.len, item.version, &c.size);
    if (rc == 0)
        rc = pc_version_delete(s->gw->volume, s->bucket, &item, c.any ? &c.cond : NULL);
    if (rc < 0 && rc != -ENOENT)
        return rc;
    history_tell(s, item.id);
    s->marker = item.marker ? "true" : NULL;
    if (*item.id == '\0' && item.version)
        history_tell(s, item.version); /* one that was not there */
    s->r->status = 204;                /* also if there was nothing */
    return 0;
}

struct batch {
    struct s3 *s;
    struct pc_delete items[DELETE_MAX];
    struct conditions conditions[DELETE_MAX];
    int refused[DELETE_MAX]; /* why it may not be touched, or 0 */
    size_t count;
    bool quiet, open;
};

static int on_leaf(void *arg, const char *path, const char *text, size_t len)
{
    struct batch *b = arg;
    struct pc_delete *item = &b->items[b->count < DELETE_MAX ? b->count : 0];
    struct conditions *c = &b->conditions[b->count < DELETE_MAX ? b->count : 0];

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
    if (strcmp(path, "Object/VersionId") == 0) {
        item->version = req_dup(b->s->r, text, len);
        return item->version ? 0 : -ENOMEM;
    }
    if (strcmp(path, "Object/LastModifiedTime") == 0) {
        c->cond.if_mtime = &c->mtime;
        return read_time(b->s, text, &c->mtime);
    }
    if (strcmp(path, "Object/Size") == 0) {
        c->cond.if_size = &c->size;
        return read_size(b->s, text, &c->size);
    }
    if (strcmp(path, "Object") == 0) {
        if (!item->key || item->len == 0)
            return S3_EXML;
        item->cond = &c->cond;
        item->bypass = lock_bypass(b->s, item->key, item->len);
        b->count++;
        if (c->cond.if_size)
            return crypt_size_stored(b->s, item->key, item->len, item->version, &c->size);
    }
    return 0;
}

static bool is_bad(const struct pc_delete *item)
{
    return item->version && strlen(item->version) >= PC_VERSION_MAX;
}

static void add_result(struct batch *b, size_t i)
{
    struct buf *out = &b->s->r->reply_body;
    const struct pc_delete *item = &b->items[i];
    bool done = item->result == 0 || item->result == -ENOENT;
    const struct s3_error_entry *e = done ? NULL : s3_error_entry(s3_error_of(item->result));

    if (done && b->quiet)
        return;
    xml_open(out, done ? "Deleted" : "Error");
    xml_key(out, "Key", item->key, item->len, XML_PLAIN);
    if (item->version && *item->version)
        xml_str(out, "VersionId", item->version);
    if (done && item->marker) {
        xml_str(out, "DeleteMarker", "true");
        xml_str(out, "DeleteMarkerVersionId", item->id);
    }
    if (e) {
        xml_str(out, "Code", e->code);
        xml_str(out, "Message", e->text);
    }
    xml_close(out, done ? "Deleted" : "Error");
}

static int refuse_some(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct pc_delete *item = &b->items[i];
        bool named = item->version && *item->version;
        int rc = authz_key(b->s, named ? "s3:DeleteObjectVersion" : "s3:DeleteObject", item->key,
                           item->len);

        if (rc < 0 && rc != S3_EACCESS)
            return rc;
        b->refused[i] = rc < 0 ? rc : is_bad(item) ? (int)S3_ENOVERSION : 0;
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
