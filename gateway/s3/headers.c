/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of objects: taken from a request, kept with the object, given back in a reply. */
#include "s3/s3.h"

#include "date.h"
#include "history/history.h"
#include "pcloud/err.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define META "x-amz-meta-"

/* Kept as they are; those with a parameter can be replaced in the reply to a GET. */
static const struct {
    const char *name, *header, *param;
} kept[] = {
    {"content-type", "Content-Type", "response-content-type"},
    {"cache-control", "Cache-Control", "response-cache-control"},
    {"content-disposition", "Content-Disposition", "response-content-disposition"},
    {"content-encoding", "Content-Encoding", "response-content-encoding"},
    {"content-language", "Content-Language", "response-content-language"},
    {"expires", "Expires", "response-expires"},
    {"x-amz-website-redirect-location", "x-amz-website-redirect-location", NULL},
    {"x-amz-storage-class", "x-amz-storage-class", NULL},
};
#define KEPT (sizeof kept / sizeof kept[0])

void headers_add(struct buf *b, const char *name, const char *value)
{
    buf_add(b, name, strlen(name) + 1);
    buf_add(b, value, strlen(value) + 1);
}

/* A Content-Encoding without the "aws-chunked" of the transfer; NULL if nothing is left. */
static const char *plain_encoding(struct s3 *s, const char *value)
{
    char *out = req_alloc(s->r, strlen(value) + 1), *at = out;

    if (!out)
        return NULL;
    if (!strcasestr(value, "aws-chunked"))
        return value;
    while (*value) {
        size_t len;

        value += strspn(value, " \t,");
        len = strcspn(value, " \t,");
        if (len && (len != 11 || strncasecmp(value, "aws-chunked", 11) != 0)) {
            if (at != out)
                *at++ = ',';
            memcpy(at, value, len);
            at += len;
        }
        value += len;
    }
    *at = '\0';
    return *out ? out : NULL;
}

static int check_class(struct s3 *s, const char *class)
{
    static const char *const classes[] = {"STANDARD",       "REDUCED_REDUNDANCY",  "STANDARD_IA",
                                          "ONEZONE_IA",     "INTELLIGENT_TIERING", "GLACIER_IR",
                                          "EXPRESS_ONEZONE"};

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(class, classes[i]) == 0)
            return 0;
    (void)s;
    return S3_ESTORAGECLASS;
}

int headers_add_meta(struct s3 *s, const char *given, const char *value, size_t *total,
                     struct buf *out)
{
    char name[128];
    size_t len = strlen(given);

    if (strncasecmp(given, META, strlen(META)) != 0)
        return 0;
    *total += len - strlen(META) + strlen(value);
    if (*total > S3_META_MAX || len >= sizeof name) {
        s3_extra(s, "MaxSizeAllowed", "2048");
        return S3_EMETATOOLARGE;
    }
    for (size_t k = 0; k <= len; k++)
        name[k] = (char)tolower((unsigned char)given[k]);
    headers_add(out, name, value);
    return 0;
}

static int collect_meta(struct s3 *s, struct buf *out)
{
    size_t total = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < s->r->header_count; i++)
        rc = headers_add_meta(s, s->r->headers[i].name, s->r->headers[i].value, &total, out);
    for (size_t i = 0; rc == 0 && s->sig.presigned && i < s->query.count; i++)
        rc = headers_add_meta(s, s->query.params[i].name, s->query.params[i].value, &total, out);
    return rc;
}

int headers_collect(struct s3 *s, struct buf *out)
{
    int rc;

    for (size_t i = 0; i < KEPT; i++) {
        const char *v = s3_header(s, kept[i].name);

        if (v && i == 3)
            v = plain_encoding(s, v);
        if (!v || !*v) {
            if (i == 0)
                headers_add(out, "content-type", "binary/octet-stream");
            continue;
        }
        if (strcmp(kept[i].name, "x-amz-storage-class") == 0) {
            rc = check_class(s, v);
            if (rc < 0)
                return rc;
            if (strcmp(v, "STANDARD") == 0)
                continue;
        }
        headers_add(out, kept[i].name, v);
    }
    if (s->acl)
        headers_add(out, "acl", s->acl);
    crypt_collect(s, out);
    rc = lock_collect(s, out);
    if (rc == 0)
        rc = collect_meta(s, out);
    return rc < 0 ? rc : out->err;
}

void headers_reply(struct s3 *s, const struct pc_headers *h)
{
    const char *name, *value, *type = NULL;
    size_t pos = 0;

    for (size_t i = 0; i < KEPT; i++) {
        const char *own = kept[i].param ? s3_param(s, kept[i].param) : NULL;

        value = own ? own : pc_headers_get(h, kept[i].name);
        if (value)
            req_reply_header(s->r, kept[i].header, value);
        if (i == 0)
            type = value;
    }
    if (!type)
        req_reply_header(s->r, "Content-Type", "binary/octet-stream");
    while (pc_headers_next(h, &pos, &name, &value))
        if (strncmp(name, META, strlen(META)) == 0)
            req_reply_header(s->r, name, value);
}

/* Headers that ask for what is not there: silence would be a lie. And how it is to be encrypted, and whose the object will be. */
int headers_refuse(struct s3 *s)
{
    int rc;

    if (s3_header(s, "x-amz-write-offset-bytes"))
        return s3_fail(s, S3_ENOTIMPLEMENTED,
                       "A header you provided implies functionality that is not implemented: "
                       "x-amz-write-offset-bytes");
    if (s->op->right == S3_CREATE)
        return 0;
    rc = crypt_wanted(s);
    return rc < 0 ? rc : access_of_new(s);
}

int headers_write_condition(struct s3 *s, struct pc_condition *ret)
{
    const char *match = s3_header(s, "If-Match"), *none = s3_header(s, "If-None-Match");
    char *etag;

    *ret = (struct pc_condition){0};
    if (match && none)
        return s3_fail(s, S3_ENOTIMPLEMENTED,
                       "If-Match and If-None-Match together are not implemented");
    if (!match && !none)
        return 0;
    etag = match ? req_dup(s->r, match, strlen(match)) : req_dup(s->r, none, strlen(none));
    if (!etag)
        return -ENOMEM;
    if (match)
        ret->if_match = s3_etag_plain(etag);
    else
        ret->if_none_match = s3_etag_plain(etag);
    return 0;
}
