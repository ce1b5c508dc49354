/* SPDX-License-Identifier: Apache-2.0 */
/* Who sends a request: finds the key, checks time, scope and signature, and says what is wrong as S3 does. */
#include "s3/s3.h"

#include "auth/sigv2.h"
#include "pcloud/err.h"
#include "pcloud/keys.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SKEW_MAX 900 /* seconds */

/* The words for a malformed signature. */
static int form_fault(struct s3 *s, enum sigv4_fault fault)
{
    enum s3_error error = s->sig.presigned ? S3_EAUTHQUERY : S3_EAUTHHEADER;

    switch (fault) {
    case SIGV4_OK:
        return 0;
    case SIGV4_UNSUPPORTED:
        return s3_fail(s, S3_EREQUEST,
                       "The authorization mechanism you have provided is not supported. Please use "
                       "AWS4-HMAC-SHA256.");
    case SIGV4_CREDENTIAL:
        return s3_fail(s, error,
                       "The credential is malformed; expecting "
                       "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
    case SIGV4_DATE:
        if (s->sig.presigned)
            return s3_fail(
                s, error, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
        return s3_fail(s, S3_EACCESS,
                       "AWS authentication requires a valid Date or x-amz-date header");
    case SIGV4_SCOPE_DATE:
        return s3_fail(
            s, error,
            "Invalid credential date \"%s\". This date is not the same as X-Amz-Date: \"%.8s\".",
            s->sig.date, s->sig.time);
    case SIGV4_EXPIRES:
        return s3_fail(
            s, S3_EACCESS,
            "X-Amz-Expires must be a number of seconds that is non-negative and less than a week");
    case SIGV4_INCOMPLETE:
        return s3_fail(
            s, error,
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
            "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
    case SIGV4_MALFORMED:
        break;
    }
    return s3_fail(s, error, "The authorization %s is malformed.",
                   s->sig.presigned ? "query" : "header");
}

static int read_form(struct s3 *s)
{
    const char *header = s3_header(s, "Authorization");
    bool query = s3_param(s, "X-Amz-Algorithm") || s3_param(s, "X-Amz-Signature") ||
                 s3_param(s, "X-Amz-Credential");

    if (header && query)
        return s3_fail(
            s, S3_EARGUMENT,
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
            "Signature query string parameter or the Authorization header should be specified");
    if (query)
        return form_fault(s, sigv4_from_query(&s->query, &s->sig));
    if (!header)
        return form_fault(s, SIGV4_UNSUPPORTED);
    if (strncmp(header, "AWS ", 4) != 0 && strncmp(header, "AWS4-", 5) != 0)
        return s3_fail(s, S3_EARGUMENT, "Unsupported Authorization Type");
    return form_fault(
        s, sigv4_from_header(header, s3_header(s, "x-amz-date"), s3_header(s, "Date"), &s->sig));
}

static int check_scope(struct s3 *s)
{
    enum s3_error error = s->sig.presigned ? S3_EAUTHQUERY : S3_EAUTHHEADER;

    if (strcmp(s->sig.region, s->gw->region) != 0) {
        s3_extra(s, "Region", s->gw->region);
        return s3_fail(
            s, error, "The authorization %s is malformed; the region '%s' is wrong; expecting '%s'",
            s->sig.presigned ? "query" : "header", s->sig.region, s->gw->region);
    }
    if (strcmp(s->sig.service, "s3") != 0)
        return s3_fail(
            s, error,
            "The authorization %s is malformed; incorrect service \"%s\". This endpoint belongs "
            "to \"s3\".",
            s->sig.presigned ? "query" : "header", s->sig.service);
    if (!sigv4_signs(&s->sig, "host"))
        return s3_fail(s, S3_EACCESS,
                       "There were headers present in the request which were not signed: host");
    for (size_t i = 0; i < s->r->header_count; i++)
        if (strncasecmp(s->r->headers[i].name, "x-amz-", 6) == 0 &&
            !sigv4_signs(&s->sig, s->r->headers[i].name) &&
            !(s->sig.presigned && strcasecmp(s->r->headers[i].name, "x-amz-content-sha256") == 0)) {
            s3_extra(s, "HeadersNotSigned", s->r->headers[i].name);
            return s3_fail(s, S3_EACCESS,
                           "There were headers present in the request which were not signed");
        }
    return 0;
}

static int check_time(struct s3 *s)
{
    struct timespec now;
    char text[40];
    time_t skew;

    clock_gettime(CLOCK_REALTIME, &now);
    skew = now.tv_sec - s->sig.when;
    if (!s->sig.presigned) {
        if (skew <= SKEW_MAX && skew >= -SKEW_MAX)
            return 0;
        s3_extra(s, "RequestTime", s->sig.time);
        snprintf(text, sizeof text, "%d", SKEW_MAX * 1000);
        s3_extra(s, "MaxAllowedSkewMilliseconds", text);
        return S3_ESKEW;
    }
    if (skew < -SKEW_MAX)
        return s3_fail(s, S3_EACCESS, "Request is not valid yet");
    if (skew > s->sig.expires || s->sig.expires == 0) {
        snprintf(text, sizeof text, "%ld", s->sig.expires);
        s3_extra(s, "X-Amz-Expires", text);
        return s3_fail(s, S3_EACCESS, "Request has expired");
    }
    return 0;
}

/* Does the signature fit the request, its path taken in one of two ways? */
static int try_signature(struct s3 *s, const char *payload, bool raw_path, bool *ret_fits)
{
    struct sigv4_request request = {
        .method = s->r->method,
        .uri = s->r->uri,
        .headers = s->r->headers,
        .header_count = s->r->header_count,
        .payload = payload,
        .raw_path = raw_path,
    };
    struct buf canonical, text;
    char want[65];
    int rc;

    buf_init(&canonical, SIGV4_CANONICAL_MAX);
    buf_init(&text, 1024);
    rc = sigv4_canonical(&s->sig, &request, &canonical);
    if (rc == 0)
        rc = sigv4_string_to_sign(&s->sig, &canonical, &text);
    if (rc == 0) {
        sigv4_sign(s->signing_key, text.data, text.len, want);
        *ret_fits = pc_equal(want, s->sig.signature, 64);
    }
    if (rc == 0 && !*ret_fits && raw_path) { /* what the client needs to find its mistake */
        s3_extra(s, "AWSAccessKeyId", s->sig.access_key);
        s3_extra(s, "StringToSign", text.data);
        s3_extra(s, "SignatureProvided", s->sig.signature);
        s3_extra(s, "CanonicalRequest", canonical.data);
    }
    buf_fini(&text);
    if (canonical.data) /* a client's key may be among the headers */
        pc_wipe(canonical.data, canonical.len);
    buf_fini(&canonical);
    return rc;
}

static int check_signature(struct s3 *s, const char *payload)
{
    bool fits = false;
    int rc = try_signature(s, payload, false, &fits);

    if (rc == 0 && !fits)
        rc = try_signature(s, payload, true, &fits);
    if (rc == PC_EFORMAT)
        return s3_fail(s, S3_EACCESS, "There were headers signed which are not in the request");
    if (rc == PC_ELIMIT)
        return s3_fail(s, S3_EREQUEST, "The request is too large to be signed");
    if (rc < 0)
        return rc;
    return fits ? 0 : S3_ESIGNATURE;
}

/* The scope's key from a secret; the last few are remembered by each thread, they change once a day. */
static void signing_key(struct s3 *s, const char *secret)
{
    sigv4_key(&s->sig, secret, s->signing_key);
}

int auth_key(struct s3 *s, const char *access_key, struct pc_access_key *key)
{
    int rc = pc_key_find(s->gw->volume, access_key, key);
    const char *name = req_dup(s->r, access_key, strlen(access_key));

    s->access_key = name ? name : "";
    if (rc == PC_ENOUSER)
        s3_extra(s, "AWSAccessKeyId", access_key);
    if (rc < 0)
        return rc;
    s->user = key->user;
    s->read_only = key->read_only;
    s->only_bucket = *key->bucket ? req_dup(s->r, key->bucket, strlen(key->bucket)) : "";
    if (s->only_bucket)
        return 0;
    pc_wipe(key->secret_key, sizeof key->secret_key);
    return -ENOMEM;
}

/* Nothing in the request claims to be from anybody. */
static bool is_anonymous(struct s3 *s)
{
    static const char *const marks[] = {"X-Amz-Algorithm", "X-Amz-Signature", "X-Amz-Credential",
                                        "AWSAccessKeyId"};

    if (s3_header(s, "Authorization"))
        return false;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (s3_param(s, marks[i]))
            return false;
    return true;
}

/* Who that is owns nothing and has no id; what they may do is for policies and lists to say. */
static int be_nobody(struct s3 *s)
{
    const char *payload = s3_header(s, "x-amz-content-sha256");

    s->anonymous = true;
    s->signature = "none";
    snprintf(s->user.name, sizeof s->user.name, "%s", ACCESS_NOBODY);
    if (payload && strncmp(payload, "STREAMING-AWS4-", 15) == 0)
        return s3_fail(s, S3_EACCESS, "A signed payload needs a signed request");
    return 0;
}

int s3_authenticate(struct s3 *s)
{
    const char *payload = s3_header(s, "x-amz-content-sha256");
    struct pc_access_key key;
    int rc;

    if (s->door == S3_DOOR_WEB)
        return be_nobody(s);
    if (sigv2_asks(s))
        return sigv2_authenticate(s);
    if (is_anonymous(s))
        return be_nobody(s);
    rc = read_form(s);
    if (rc < 0)
        return rc;
    s->signature = s->sig.presigned ? "v4-url" : "v4";
    if (!payload && !s->sig.presigned)
        return s3_fail(s, S3_EREQUEST,
                       "Missing required header for this request: x-amz-content-sha256");
    rc = auth_key(s, s->sig.access_key, &key);
    if (rc < 0)
        return rc;
    signing_key(s, key.secret_key);
    pc_wipe(key.secret_key, sizeof key.secret_key);
    rc = check_scope(s);
    if (rc == 0)
        rc = check_time(s);
    if (rc == 0)
        rc = check_signature(s, payload ? payload : "UNSIGNED-PAYLOAD");
    return rc;
}
