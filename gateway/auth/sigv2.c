/* SPDX-License-Identifier: Apache-2.0 */
/* AWS Signature Version 2: what is signed, and whether a request bears it. */
#include "auth/sigv2.h"

#include "date.h"
#include "pcloud/digest.h"
#include "pcloud/err.h"
#include "pcloud/keys.h"
#include "s3/s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SKEW_MAX 900 /* seconds */
#define SHA1_BLOCK 64
#define SHA1_SIZE 20
#define SIGNED_MAX (REQ_HEADERS_MAX + URI_PARAMS_MAX)

/* Parameters that are part of the resource, in their order. */
static const char *const parts[] = {"accelerate",
                                    "acl",
                                    "analytics",
                                    "attributes",
                                    "cors",
                                    "defaultObjectAcl",
                                    "delete",
                                    "encryption",
                                    "intelligent-tiering",
                                    "inventory",
                                    "legal-hold",
                                    "lifecycle",
                                    "location",
                                    "logging",
                                    "metrics",
                                    "notification",
                                    "object-lock",
                                    "ownershipControls",
                                    "partNumber",
                                    "policy",
                                    "policyStatus",
                                    "publicAccessBlock",
                                    "replication",
                                    "requestPayment",
                                    "response-cache-control",
                                    "response-content-disposition",
                                    "response-content-encoding",
                                    "response-content-language",
                                    "response-content-type",
                                    "response-expires",
                                    "restore",
                                    "retention",
                                    "select",
                                    "select-type",
                                    "storageClass",
                                    "tagging",
                                    "torrent",
                                    "uploadId",
                                    "uploads",
                                    "versionId",
                                    "versioning",
                                    "versions",
                                    "website"};

/* HMAC with SHA-1 (RFC 2104). */
static int hmac_sha1(const char *key, const void *data, size_t len, uint8_t out[PC_DIGEST_MAX])
{
    uint8_t block[SHA1_BLOCK] = {0}, inner[PC_DIGEST_MAX];
    struct pc_digest *d = pc_digest_new(PC_SHA1);
    size_t key_len = strlen(key);
    int rc = d ? 0 : -ENOMEM;

    if (rc == 0 && key_len > SHA1_BLOCK) {
        pc_digest_update(d, key, key_len);
        pc_digest_final(d, inner);
        memcpy(block, inner, SHA1_SIZE);
    } else {
        memcpy(block, key, key_len > SHA1_BLOCK ? 0 : key_len);
    }
    if (rc == 0) {
        for (size_t i = 0; i < SHA1_BLOCK; i++)
            block[i] ^= 0x36;
        pc_digest_update(d, block, sizeof block);
        pc_digest_update(d, data, len);
        pc_digest_final(d, inner);
        for (size_t i = 0; i < SHA1_BLOCK; i++)
            block[i] ^= 0x36 ^ 0x5c;
        pc_digest_update(d, block, sizeof block);
        pc_digest_update(d, inner, SHA1_SIZE);
        pc_digest_final(d, out);
    }
    pc_wipe(block, sizeof block);
    pc_digest_free(d);
    return rc;
}

int sigv2_sign(const char *secret, const void *text, size_t len, char out[SIGV2_SIGNATURE_MAX])
{
    uint8_t raw[PC_DIGEST_MAX];
    int rc = hmac_sha1(secret, text, len, raw);

    if (rc == 0)
        pc_base64(raw, SHA1_SIZE, out);
    return rc;
}

/* A parameter of a presigned URL stands for a header that is not sent. */
static const char *sent(const struct sigv2_request *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++)
        if (strcasecmp(r->headers[i].name, name) == 0)
            return r->headers[i].value;
    return NULL;
}

static const char *header_of(const struct sigv2_request *r, const char *name)
{
    const char *v = sent(r, name);

    for (size_t i = 0; !v && r->expires && i < r->query->count; i++)
        if (strcasecmp(r->query->params[i].name, name) == 0)
            v = r->query->params[i].value;
    return v;
}

static int by_name(const void *a, const void *b)
{
    const struct header *x = a, *y = b;
    int rc = strcasecmp(x->name, y->name);

    return rc ? rc : x < y ? -1 : 1;
}

/* "x-amz-acl:private\n…", names in lower case, in order, equal ones joined. */
static void amz_headers(const struct sigv2_request *r, struct buf *out)
{
    struct header h[SIGNED_MAX];
    size_t n = 0;

    for (size_t i = 0; i < r->header_count && n < SIGNED_MAX; i++)
        if (strncasecmp(r->headers[i].name, "x-amz-", 6) == 0)
            h[n++] = r->headers[i];
    for (size_t i = 0; r->expires && i < r->query->count && n < SIGNED_MAX; i++)
        if (strncasecmp(r->query->params[i].name, "x-amz-", 6) == 0 &&
            !sent(r, r->query->params[i].name))
            h[n++] = (struct header){r->query->params[i].name, r->query->params[i].value};
    qsort(h, n, sizeof *h, by_name);
    for (size_t i = 0; i < n; i++) {
        const char *value = h[i].value + strspn(h[i].value, " \t");
        size_t len = strlen(value);
        bool joins = i && strcasecmp(h[i].name, h[i - 1].name) == 0;
        bool goes_on = i + 1 < n && strcasecmp(h[i].name, h[i + 1].name) == 0;

        while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
            len--;
        for (const char *p = h[i].name; !joins && *p; p++)
            buf_char(out, *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p);
        buf_char(out, joins ? ',' : ':');
        buf_add(out, value, len);
        if (!goes_on)
            buf_char(out, '\n');
    }
}

static void resource(const struct sigv2_request *r, struct buf *out)
{
    char sep = '?';

    if (*r->bucket)
        buf_fmt(out, "/%s", r->bucket);
    buf_add(out, r->path, r->path_len);
    if (r->slash)
        buf_char(out, '/');
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const struct uri_param *p = uri_query_param(r->query, parts[i]);

        if (!p)
            continue;
        buf_fmt(out, "%c%s", sep, parts[i]);
        if (p->value_len) {
            buf_char(out, '=');
            buf_add(out, p->value, p->value_len);
        }
        sep = '&';
    }
}

int sigv2_text(const struct sigv2_request *r, struct buf *out)
{
    const char *md5 = header_of(r, "Content-MD5"), *type = header_of(r, "Content-Type"),
               *date = header_of(r, "Date");

    if (r->expires)
        date = r->expires;
    else if (header_of(r, "x-amz-date"))
        date = "";
    buf_fmt(out, "%s\n%s\n%s\n%s\n", r->method, md5 ? md5 : "", type ? type : "", date ? date : "");
    amz_headers(r, out);
    resource(r, out);
    return out->err;
}

bool sigv2_asks(const struct s3 *s)
{
    const char *header = s3_header(s, "Authorization");

    if (header)
        return s->gw->sigv2 == SIGV2_ON && strncmp(header, "AWS ", 4) == 0;
    return s->gw->sigv2 != SIGV2_OFF && s3_param(s, "AWSAccessKeyId") &&
           !s3_param(s, "X-Amz-Algorithm");
}

/* "AWS KEY:SIGNATURE", or both as parameters. */
static int read_claim(struct s3 *s, const char **ret_key, const char **ret_signature)
{
    const char *header = s3_header(s, "Authorization");
    char *text, *colon;

    if (!header) {
        *ret_key = s3_param(s, "AWSAccessKeyId");
        *ret_signature = s3_param(s, "Signature");
        if (*ret_signature && s3_param(s, "Expires"))
            return 0;
        return s3_fail(s, S3_EACCESS,
                       "Query-string authentication requires the Signature, Expires and "
                       "AWSAccessKeyId parameters");
    }
    text = req_dup(s->r, header + 4, strlen(header + 4));
    if (!text)
        return -ENOMEM;
    colon = strrchr(text, ':');
    if (!colon)
        return s3_fail(s, S3_EARGUMENT,
                       "AWS authorization header is invalid. Expected AwsAccessKeyId:signature");
    *colon = '\0';
    *ret_key = text + strspn(text, " ");
    *ret_signature = colon + 1;
    return 0;
}

static int check_time(struct s3 *s, const char *expires)
{
    const char *date = s3_header(s, "x-amz-date");
    time_t when, now = time(NULL);
    char *end;
    long long until;

    if (expires) {
        errno = 0;
        until = strtoll(expires, &end, 10);
        if (errno || end == expires || *end)
            return s3_fail(s, S3_EACCESS, "Invalid date (should be seconds since epoch): %.40s",
                           expires);
        return until >= now ? 0 : s3_fail(s, S3_EACCESS, "Request has expired");
    }
    date = date ? date : s3_header(s, "Date");
    if (!date || (date_parse_http(date, &when) < 0 && date_parse_amz(date, &when) < 0) || when < 0)
        return s3_fail(s, S3_EACCESS,
                       "AWS authentication requires a valid Date or x-amz-date header");
    return when - now > SKEW_MAX || now - when > SKEW_MAX ? (int)S3_ESKEW : 0;
}

static int try_signature(struct s3 *s, const struct sigv2_request *r, const char *access,
                         const char *secret, const char *signature)
{
    char want[SIGV2_SIGNATURE_MAX];
    struct buf text;
    int rc;

    buf_init(&text, SIGV2_TEXT_MAX);
    rc = sigv2_text(r, &text);
    if (rc == 0)
        rc = sigv2_sign(secret, buf_text(&text), text.len, want);
    if (rc == 0 &&
        (strlen(signature) != strlen(want) || !pc_equal(signature, want, strlen(want)))) {
        buf_reset(&s->extra);
        s3_extra(s, "AWSAccessKeyId", access);
        s3_extra(s, "StringToSign", buf_text(&text));
        s3_extra(s, "SignatureProvided", signature);
        rc = S3_ESIGNATURE;
    }
    buf_fini(&text);
    return rc == PC_ELIMIT ? (int)S3_EREQUEST : rc;
}

int sigv2_authenticate(struct s3 *s)
{
    struct sigv2_request r = {.method = s->r->method,
                              .bucket = s->host_style ? s->bucket : "",
                              .path = s->r->uri.path,
                              .path_len = s->r->uri.path_len,
                              .query = &s->query,
                              .headers = s->r->headers,
                              .header_count = s->r->header_count};
    const char *access = NULL, *signature = NULL;
    struct pc_access_key key;
    int rc = read_claim(s, &access, &signature);

    if (rc < 0)
        return rc;
    if (!s3_header(s, "Authorization"))
        r.expires = s3_param(s, "Expires");
    rc = check_time(s, r.expires);
    if (rc == 0)
        rc = auth_key(s, access, &key);
    if (rc < 0)
        return rc;
    rc = try_signature(s, &r, access, key.secret_key, signature);
    if (rc == S3_ESIGNATURE && s->level == S3_BUCKET && !s->host_style) {
        r.slash = true;
        rc = try_signature(s, &r, access, key.secret_key, signature);
    }
    pc_wipe(key.secret_key, sizeof key.secret_key);
    s->sig.presigned = r.expires != NULL;
    s->signature = s->sig.presigned ? "v2-url" : "v2";
    return rc;
}
