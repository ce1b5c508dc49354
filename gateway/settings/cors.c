/* SPDX-License-Identifier: Apache-2.0 */
/* Cross-origin rules of a bucket: checked when set, asked by preflights, told with replies. */
#include "settings/settings.h"

#include "pcloud/err.h"
#include "s3/ops.h"
#include "s3/xml_in.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RULES_MAX 100
#define VALUES_MAX 100 /* of one kind in a rule */
#define DOCUMENT_MAX 65536

static const char *const methods[] = {"GET", "PUT", "POST", "DELETE", "HEAD"};

static bool is_method(const char *text)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(text, methods[i]) == 0)
            return true;
    return false;
}

/* At most one "*" in the pattern. */
static bool fits(const char *pattern, const char *text, bool any_case)
{
    const char *star = strchr(pattern, '*');
    size_t len = strlen(text), head = star ? (size_t)(star - pattern) : 0,
           tail = star ? strlen(star + 1) : 0;
    int (*compare)(const char *, const char *, size_t) = any_case ? strncasecmp : strncmp;

    if (!star)
        return strlen(pattern) == len && compare(pattern, text, len) == 0;
    return head + tail <= len && compare(pattern, text, head) == 0 &&
           compare(star + 1, text + len - tail, tail) == 0;
}

/* A document being read: checked whole, or until a rule fits a request. */
struct reading {
    struct s3 *s;
    const char *origin, *method; /* of the request; origin NULL: check */
    const char *wanted;          /* Access-Control-Request-Headers, or NULL */
    unsigned rules, origins, methods;
    bool origin_fits, origin_any, method_fits;
    struct buf allowed, headers, exposed; /* "GET, PUT"; patterns, each with NUL; "a, b" */
    const char *age;
    struct cors_reply *ret;
    bool found;
};

static int fault(struct reading *r, const char *what, const char *text)
{
    return s3_fail(r->s, S3_EREQUEST, "%s \"%.200s\" can not have more than one wildcard.", what,
                   text);
}

static void list(struct buf *b, const char *text)
{
    if (b->len)
        buf_str(b, ", ");
    buf_str(b, text);
}

static int take_origin(struct reading *r, const char *text)
{
    const char *star = strchr(text, '*');

    if (star && strchr(star + 1, '*'))
        return fault(r, "AllowedOrigin", text);
    if (++r->origins > VALUES_MAX)
        return S3_EXML;
    if (r->origin && !r->origin_fits && fits(text, r->origin, false)) {
        r->origin_fits = true;
        r->origin_any = strcmp(text, "*") == 0;
    }
    return 0;
}

static int take_method(struct reading *r, const char *text)
{
    if (!is_method(text))
        return s3_fail(r->s, S3_EREQUEST,
                       "Found unsupported HTTP method in CORS config. Unsupported method is %.100s",
                       text);
    if (++r->methods > VALUES_MAX)
        return S3_EXML;
    r->method_fits |= r->method && strcmp(text, r->method) == 0;
    list(&r->allowed, text);
    return 0;
}

static bool header_allowed(const struct reading *r, const char *name)
{
    const char *p = r->headers.data;

    for (size_t at = 0; at < r->headers.len; at += strlen(p + at) + 1)
        if (fits(p + at, name, true))
            return true;
    return false;
}

/* Every header that the page wants to send. */
static bool headers_allowed(const struct reading *r)
{
    const char *p = r->wanted ? r->wanted : "";

    while (*(p += strspn(p, " \t,"))) {
        size_t len = strcspn(p, " \t,");
        char name[256];

        if (len >= sizeof name)
            return false;
        memcpy(name, p, len);
        name[len] = '\0';
        if (!header_allowed(r, name))
            return false;
        p += len;
    }
    return true;
}

static int give(struct reading *r)
{
    struct cors_reply *c = r->ret;
    struct req *q = r->s->r;

    r->found = true;
    c->origin = r->origin_any ? "*" : r->origin;
    c->methods = req_dup(q, buf_text(&r->allowed), r->allowed.len);
    c->exposed = r->exposed.len ? req_dup(q, buf_text(&r->exposed), r->exposed.len) : NULL;
    c->headers = r->wanted;
    c->age = r->age;
    return c->methods && (c->exposed || !r->exposed.len) ? 0 : -ENOMEM;
}

static int end_rule(struct reading *r)
{
    int rc = 0;

    if (++r->rules > RULES_MAX)
        return s3_fail(r->s, S3_EREQUEST,
                       "The number of CORS rules should not exceed allowed limit of %d rules.",
                       RULES_MAX);
    if (r->origins == 0 || r->methods == 0)
        return S3_EXML;
    if (r->origin && !r->found && r->origin_fits && r->method_fits && headers_allowed(r))
        rc = give(r);
    r->origins = r->methods = 0;
    r->origin_fits = r->origin_any = r->method_fits = false;
    r->age = NULL;
    buf_reset(&r->allowed);
    buf_reset(&r->headers);
    buf_reset(&r->exposed);
    return rc;
}

static int on_leaf(void *arg, const char *path, const char *text, size_t len)
{
    struct reading *r = arg;

    if (strcmp(path, "CORSRule") == 0)
        return end_rule(r);
    if (strncmp(path, "CORSRule/", 9) != 0 || strlen(text) != len)
        return S3_EXML;
    path += 9;
    if (strcmp(path, "AllowedOrigin") == 0)
        return take_origin(r, text);
    if (strcmp(path, "AllowedMethod") == 0)
        return take_method(r, text);
    if (strcmp(path, "AllowedHeader") == 0) {
        const char *star = strchr(text, '*');

        if (star && strchr(star + 1, '*'))
            return fault(r, "AllowedHeader", text);
        buf_add(&r->headers, text, len + 1);
        return 0;
    }
    if (strcmp(path, "ExposeHeader") == 0) {
        if (strchr(text, '*'))
            return s3_fail(r->s, S3_EREQUEST,
                           "ExposeHeader \"%.200s\" contains wildcard. We currently do not support "
                           "wildcard for ExposeHeader.",
                           text);
        list(&r->exposed, text);
        return 0;
    }
    if (strcmp(path, "MaxAgeSeconds") == 0) {
        if (len == 0 || len > 9 || strspn(text, "0123456789") != len)
            return S3_EXML;
        r->age = req_dup(r->s->r, text, len);
        return r->age ? 0 : -ENOMEM;
    }
    return strcmp(path, "ID") == 0 && len <= 255 ? 0 : (int)S3_EXML;
}

static int read_document(struct reading *r, const char *data, size_t len)
{
    int rc;

    buf_init(&r->allowed, DOCUMENT_MAX);
    buf_init(&r->headers, DOCUMENT_MAX);
    buf_init(&r->exposed, DOCUMENT_MAX);
    rc = len > DOCUMENT_MAX ? (int)S3_EXML : xml_read(data, len, "CORSConfiguration", on_leaf, r);
    if (rc == 0 && r->rules == 0)
        rc = S3_EXML;
    buf_fini(&r->exposed);
    buf_fini(&r->headers);
    buf_fini(&r->allowed);
    return rc;
}

int cors_check(struct s3 *s, struct buf *out)
{
    struct reading r = {.s = s};
    int rc = read_document(&r, buf_text(&s->xml), s->xml.len);

    buf_add(out, buf_text(&s->xml), s->xml.len);
    return rc;
}

/* 1: there are rules, s->cors says what fits; 0: there are none. */
static int ask(struct s3 *s, const char *method)
{
    struct reading r = {.s = s,
                        .origin = s3_header(s, "Origin"),
                        .method = method,
                        .wanted = s3_header(s, "Access-Control-Request-Headers"),
                        .ret = &s->cors};
    struct pc_bucket b;
    char *data;
    size_t len;
    int rc = pc_bucket_get(s->gw->volume, s->bucket, &b);

    if (rc < 0)
        return rc == PC_EBUCKETNAME ? PC_ENOBUCKET : rc;
    if (!(b.settings & 1u << PC_SETTING_CORS))
        return 0;
    rc = pc_bucket_setting_get(s->gw->volume, s->bucket, PC_SETTING_CORS, &data, &len);
    if (rc < 0)
        return rc == -ENODATA ? 0 : rc;
    rc = read_document(&r, data, len);
    free(data);
    return rc < 0 ? rc : 1;
}

int cors_open(struct s3 *s)
{
    const char *method = s3_header(s, "Access-Control-Request-Method");
    int rc;

    if (s->level == S3_SERVICE || !s3_header(s, "Origin"))
        return 0;
    rc = ask(s, method ? method : s->r->method);
    s->message = NULL;
    return rc == -ENOMEM ? rc : 0; /* whatever else is wrong with the bucket is told later */
}

void cors_reply(struct s3 *s)
{
    const struct cors_reply *c = &s->cors;
    struct req *r = s->r;
    bool preflight = strcmp(r->method, "OPTIONS") == 0;

    if (!c->origin)
        return;
    req_reply_header(r, "Access-Control-Allow-Origin", c->origin);
    req_reply_header(r, "Access-Control-Allow-Methods", c->methods);
    if (strcmp(c->origin, "*") != 0)
        req_reply_header(r, "Access-Control-Allow-Credentials", "true");
    if (preflight && c->headers)
        req_reply_header(r, "Access-Control-Allow-Headers", c->headers);
    if (c->exposed)
        req_reply_header(r, "Access-Control-Expose-Headers", c->exposed);
    if (preflight && c->age)
        req_reply_header(r, "Access-Control-Max-Age", c->age);
    req_reply_header(r, "Vary",
                     "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
}

/* A preflight: nobody signs it. */
int op_options(struct s3 *s)
{
    const char *method = s3_header(s, "Access-Control-Request-Method");
    int rc;

    if (!s3_header(s, "Origin"))
        return s3_fail(s, S3_EBADREQUEST,
                       "Insufficient information. Origin request header needed.");
    if (!method || !is_method(method))
        return s3_fail(s, S3_EBADREQUEST, "Invalid Access-Control-Request-Method: %.100s",
                       method ? method : "null");
    rc = s->level == S3_SERVICE ? 0 : ask(s, method);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return s3_fail(s, S3_ECORS, "CORSResponse: CORS is not enabled for this bucket.");
    if (!s->cors.origin)
        return s3_fail(s, S3_ECORS,
                       "CORSResponse: This CORS request is not allowed. This is usually because "
                       "the evaluation of Origin, request method / Access-Control-Request-Method "
                       "or Access-Control-Request-Headers are not whitelisted by the resource's "
                       "CORS spec.");
    s->r->status = 200;
    return 0;
}
