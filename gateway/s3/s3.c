/* SPDX-License-Identifier: Apache-2.0 */
/* One S3 request from its head to its reply, and the form of errors. */
#include "s3/s3.h"

#include "access/authz.h"
#include "guard/guard.h"
#include "pcloud/err.h"
#include "pcloud/keys.h"
#include "pcloud/log.h"
#include "s3/ops.h"
#include "settings/settings.h"
#include "watch/audit.h"
#include "watch/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int s3_fail(struct s3 *s, enum s3_error error, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    s->message = req_dup(s->r, text, strlen(text));
    return error;
}

void s3_extra(struct s3 *s, const char *name, const char *value)
{
    xml_str(&s->extra, name, value);
}

const char *s3_param(const struct s3 *s, const char *name)
{
    return uri_query_get(&s->query, name);
}

/* What is about the signing and the sender's own body stays where it is. */
bool s3_hoisted(const char *param)
{
    static const char *const not [] = {"x-amz-algorithm",
                                       "x-amz-checksum-",
                                       "x-amz-content-sha256",
                                       "x-amz-credential",
                                       "x-amz-date",
                                       "x-amz-expires",
                                       "x-amz-sdk-",
                                       "x-amz-security-token",
                                       "x-amz-server-side-encryption-customer-",
                                       "x-amz-copy-source-server-side-encryption-customer-",
                                       "x-amz-signature",
                                       "x-amz-signedheaders"};

    for (size_t i = 0; i < sizeof not / sizeof not [0]; i++)
        if (strncasecmp(param, not [i], strlen(not [i])) == 0)
            return false;
    return strncasecmp(param, "x-amz-", 6) == 0;
}

const char *s3_header(const struct s3 *s, const char *name)
{
    const char *v = req_header(s->r, name);

    if (v || !s->sig.presigned || strncmp(name, "x-amz-", 6) != 0)
        return v;
    for (size_t i = 0; i < s->query.count; i++)
        if (s3_hoisted(s->query.params[i].name) && strcasecmp(s->query.params[i].name, name) == 0)
            return s->query.params[i].value;
    return NULL;
}

int s3_number(struct s3 *s, const char *text, long min, long max, const char *name, long *ret)
{
    char *end;
    long v;

    errno = 0;
    v = strtol(text, &end, 10);
    if (errno || end == text || *end || *text == ' ' || *text == '+')
        return s3_fail(s, S3_EARGUMENT, "Provided %s not an integer or within integer range", name);
    if (v < min || v > max)
        return s3_fail(s, S3_EARGUMENT, "Argument %s must be an integer between %ld and %ld", name,
                       min, max);
    *ret = v;
    return 0;
}

char *s3_etag_plain(char *etag)
{
    size_t len = strlen(etag);

    if (len >= 2 && etag[0] == '"' && etag[len - 1] == '"') {
        etag[len - 1] = '\0';
        return etag + 1;
    }
    return etag;
}

static int first_admin(void *arg, const struct pc_user *u)
{
    if (u->role != PC_ROLE_ADMIN)
        return 0;
    *(struct pc_user *)arg = *u;
    return 1;
}

void s3_owner(struct s3 *s, const char *name, struct pc_user *ret)
{
    *ret = (struct pc_user){0};
    if (strcmp(name, s->user.name) == 0 || (*name == '\0' && s->user.role == PC_ROLE_ADMIN))
        *ret = s->user;
    else if (*name == '\0')
        pc_user_list(s->gw->volume, first_admin, ret);
    else if (pc_user_get(s->gw->volume, name, ret) < 0)
        snprintf(ret->name, sizeof ret->name, "%s", name);
}

int s3_reply_xml(struct s3 *s)
{
    s->r->status = 200;
    req_reply_header(s->r, "Content-Type", "application/xml");
    return s->r->reply_body.err;
}

static void add_ids(struct s3 *s)
{
    req_reply_header(s->r, "x-amz-request-id", s->id);
    req_reply_headerf(s->r, "x-amz-id-2", "%s/pcloud", s->id);
    if (*s->version)
        req_reply_header(s->r, "x-amz-version-id", s->version);
    if (s->marker)
        req_reply_header(s->r, "x-amz-delete-marker", s->marker);
    cors_reply(s);
}

/* The reply becomes the error's. */
static void reply_error(struct s3 *s, int code)
{
    struct req *r = s->r;
    enum s3_error error = s3_error_of(code);
    const struct s3_error_entry *e = s3_error_entry(error);
    struct buf *b = &r->reply_body;

    if (e->status >= 500 && error != S3_ENOTIMPLEMENTED && !s->retry_after)
        pc_log(PC_LOG_ERROR, "s3.failed", "%s %.*s: %s (%s)", r->method,
               (int)strcspn(r->target, "?"), r->target, pc_err_text(code), pc_err_name(code));
    if (error == S3_EACCESS) {
        s->version[0] = '\0'; /* whoever may not see it is not told of it */
        s->marker = NULL;
    }
    req_reply_reset(r);
    r->status = e->status;
    s->code = e->code;
    add_ids(s);
    if (s->retry_after)
        req_reply_headerf(r, "Retry-After", "%u", s->retry_after);
    if (s->level != S3_SERVICE && error == S3_EAUTHHEADER)
        req_reply_header(r, "x-amz-bucket-region", s->gw->region);
    if (e->status == 304)
        return;
    req_reply_header(r, "Content-Type", "application/xml");
    buf_str(b, XML_PROLOG "<Error>");
    xml_str(b, "Code", e->code);
    xml_str(b, "Message",
            s->message           ? s->message
            : error == S3_EQUOTA ? pc_err_text(code) /* which quota */
                                 : e->text);
    if (s->bucket && *s->bucket)
        xml_str(b, "BucketName", s->bucket);
    if (s->key_len)
        xml_key(b, "Key", s->key, s->key_len, XML_PLAIN);
    buf_add(b, buf_text(&s->extra), s->extra.len);
    xml_key(b, "Resource", r->uri.path, r->uri.path_len, XML_PLAIN);
    xml_str(b, "RequestId", s->id);
    buf_fmt(b, "<HostId>%s/pcloud</HostId></Error>", s->id);
}

static int open_request(struct s3 *s, const struct s3_op *op)
{
    int rc = s3_resolve(s);

    if (rc < 0)
        return rc;
    s->op = op ? op : s3_route(s);
    rc = guard_address(s);
    if (rc == 0 && s->gw->audit_refuses && audit_failing(s->gw->audit)) {
        s->retry_after = 1;
        rc = s3_fail(s, S3_EUNAVAILABLE, "Requests cannot be recorded at present.");
    }
    if (rc < 0)
        return rc;
    if (s->op && s->op->run == op_options) {
        s->authz = AUTHZ_DONE; /* a preflight is for everybody */
        return s->op->run(s);
    }
    rc = cors_open(s);
    if (rc == 0)
        rc = s3_authenticate(s);
    if (rc < 0)
        return rc;
    s->authentic = !s->op || s->op->body != S3_BODY_FORM; /* who sent a form is known later */
    rc = s->authentic ? guard_key(s) : 0;
    if (rc < 0)
        return rc;
    if (!s->op)
        return S3_EMETHOD;
    rc = authz_request(s);
    if (rc == 0)
        rc = crypt_parse(s);
    if (rc == 0)
        rc = body_open(s);
    if (rc == 0 && s->op->begin)
        rc = s->op->begin(s);
    return rc;
}

static void make_id(char id[17])
{
    uint8_t raw[8];

    pc_random(raw, sizeof raw);
    pc_hex(raw, sizeof raw, id);
    for (char *p = id; *p; p++)
        if (*p >= 'a')
            *p = (char)(*p - 32);
}

int s3_begin(const struct gateway *gw, struct req *r, enum s3_door door, const struct s3_op *op)
{
    struct s3 *s = calloc(1, sizeof *s);
    int rc;

    if (!s) {
        r->status = 503;
        return -ENOMEM;
    }
    r->app = s;
    s->r = r;
    s->gw = gw;
    s->door = door;
    s->bucket = s->key = s->only_bucket = s->access_key = "";
    s->sum_kind = -1;
    access_init(&s->access, &s->info);
    buf_init(&s->xml, 8u << 20);
    buf_init(&s->extra, 65536);
    make_id(s->id);
    rc = open_request(s, op);
    if (rc < 0)
        reply_error(s, rc);
    return rc;
}

static int on_head(void *ctx, struct req *r)
{
    return s3_begin(ctx, r, S3_DOOR_S3, NULL);
}

static int on_data(struct req *r, const void *data, size_t len)
{
    struct s3 *s = r->app;
    int rc = body_feed(s, data, len);

    if (rc < 0)
        reply_error(s, rc);
    return rc;
}

static void on_finish(struct req *r)
{
    struct s3 *s = r->app;
    int rc = body_close(s);

    if (rc == 0)
        rc = authz_body(s);
    if (rc == 0)
        rc = s->op->run(s);
    if (rc == 0 && !authz_settled(s))
        rc = S3_EACCESS;
    if (rc < 0)
        reply_error(s, rc);
    else
        add_ids(s);
}

static void on_fail(struct req *r, int rc)
{
    reply_error(r->app, rc);
}

static void on_end(struct req *r, bool sent, uint64_t bytes)
{
    struct s3 *s = r->app;
    struct timespec now;

    if (!s)
        return;
    watch_request(s, sent, bytes);
    if (pc_log_on(PC_LOG_DEBUG)) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        pc_log(PC_LOG_DEBUG, "s3.request", "%s %s %s %s %s %.*s -> %u in=%llu out=%llu us=%lld%s",
               s->id, r->peer, *s->user.name ? s->user.name : "-", s->op ? s->op->name : "-",
               r->method, (int)r->uri.path_len, r->uri.path, r->status,
               (unsigned long long)r->received, (unsigned long long)bytes,
               (long long)(now.tv_sec - r->begun.tv_sec) * 1000000 +
                   (now.tv_nsec - r->begun.tv_nsec) / 1000,
               sent ? "" : " cut");
    }
    body_fini(s);
    crypt_fini(s);
    access_fini(&s->access);
    uri_query_fini(&s->query);
    buf_fini(&s->extra);
    pc_wipe(s->signing_key, sizeof s->signing_key);
    free(s);
}

const struct req_app s3_app = {
    .head = on_head,
    .data = on_data,
    .finish = on_finish,
    .fail = on_fail,
    .end = on_end,
};
