/* SPDX-License-Identifier: Apache-2.0 */
/* AWS Signature Version 4: reading a signature from a request, and computing what it must be. */
#include "auth/sigv4.h"

#include "date.h"
#include "pcloud/digest.h"
#include "pcloud/err.h"
#include "pcloud/keys.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool copy_slice(char *out, size_t cap, const char *text, size_t len)
{
    if (len == 0 || len >= cap || memchr(text, '\0', len))
        return false;
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

/* KEY/20130524/us-east-1/s3/aws4_request; the key itself may hold slashes, so it is read from the end. */
static bool parse_credential(const char *text, size_t len, struct sigv4 *sig)
{
    static const char last[] = "aws4_request";
    const char *cut[4];
    size_t end = len;

    for (int i = 3; i >= 0; i--) {
        const char *slash = end ? memrchr(text, '/', end) : NULL;

        if (!slash)
            return false;
        cut[i] = slash;
        end = (size_t)(slash - text);
    }
    if (len - (size_t)(cut[3] + 1 - text) != sizeof last - 1 ||
        memcmp(cut[3] + 1, last, sizeof last - 1) != 0)
        return false;
    return copy_slice(sig->access_key, sizeof sig->access_key, text, (size_t)(cut[0] - text)) &&
           cut[1] - cut[0] == 9 && copy_slice(sig->date, sizeof sig->date, cut[0] + 1, 8) &&
           strspn(sig->date, "0123456789") == 8 &&
           copy_slice(sig->region, sizeof sig->region, cut[1] + 1, (size_t)(cut[2] - cut[1] - 1)) &&
           copy_slice(sig->service, sizeof sig->service, cut[2] + 1, (size_t)(cut[3] - cut[2] - 1));
}

static bool parse_signature(const char *text, size_t len, struct sigv4 *sig)
{
    if (len != 64 || !copy_slice(sig->signature, sizeof sig->signature, text, len))
        return false;
    return strspn(sig->signature, "0123456789abcdef") == 64;
}

static bool parse_signed_headers(const char *text, size_t len, struct sigv4 *sig)
{
    if (!copy_slice(sig->signed_headers, sizeof sig->signed_headers, text, len))
        return false;
    for (const char *p = sig->signed_headers; *p; p++)
        if (isupper((unsigned char)*p) || isspace((unsigned char)*p))
            return false;
    return true;
}

/* One "Name=value" of the Authorization header; bits of what was seen go to *seen. */
static enum sigv4_fault parse_field(const char *field, size_t len, struct sigv4 *sig,
                                    unsigned *seen)
{
    const char *eq = memchr(field, '=', len);
    size_t name_len = eq ? (size_t)(eq - field) : len;
    const char *value = eq ? eq + 1 : field;
    size_t value_len = eq ? len - name_len - 1 : 0;

    if (name_len == 10 && memcmp(field, "Credential", 10) == 0) {
        *seen |= 1;
        return parse_credential(value, value_len, sig) ? SIGV4_OK : SIGV4_CREDENTIAL;
    }
    if (name_len == 13 && memcmp(field, "SignedHeaders", 13) == 0) {
        *seen |= 2;
        return parse_signed_headers(value, value_len, sig) ? SIGV4_OK : SIGV4_MALFORMED;
    }
    if (name_len == 9 && memcmp(field, "Signature", 9) == 0) {
        *seen |= 4;
        return parse_signature(value, value_len, sig) ? SIGV4_OK : SIGV4_MALFORMED;
    }
    return SIGV4_MALFORMED;
}

static enum sigv4_fault parse_time(const char *amz_date, const char *date, struct sigv4 *sig)
{
    struct tm tm;

    if (amz_date) {
        if (strlen(amz_date) == 16 && date_parse_amz(amz_date, &sig->when) == 0) {
            memcpy(sig->time, amz_date, 17);
            return SIGV4_OK;
        }
        date = amz_date;
    }
    if (!date || (date_parse_http(date, &sig->when) < 0 && date_parse_amz(date, &sig->when) < 0) ||
        !gmtime_r(&sig->when, &tm) ||
        strftime(sig->time, sizeof sig->time, "%Y%m%dT%H%M%SZ", &tm) != 16)
        return SIGV4_DATE;
    return SIGV4_OK;
}

enum sigv4_fault sigv4_from_header(const char *authorization, const char *amz_date,
                                   const char *date, struct sigv4 *ret)
{
    const char *p = authorization + strlen(SIGV4_ALGORITHM);
    enum sigv4_fault fault;
    unsigned seen = 0;

    *ret = (struct sigv4){0};
    if (strncmp(authorization, SIGV4_ALGORITHM, strlen(SIGV4_ALGORITHM)) != 0)
        return SIGV4_UNSUPPORTED;
    if (*p != ' ' && *p != '\t')
        return SIGV4_MALFORMED;
    while (*p) {
        size_t skip = strspn(p, " \t,"), len = strcspn(p + skip, ", \t");

        p += skip;
        if (len == 0)
            break;
        fault = parse_field(p, len, ret, &seen);
        if (fault != SIGV4_OK)
            return fault;
        p += len;
    }
    if (seen != 7)
        return SIGV4_MALFORMED;
    fault = parse_time(amz_date, date, ret);
    if (fault != SIGV4_OK)
        return fault;
    return strncmp(ret->date, ret->time, 8) == 0 ? SIGV4_OK : SIGV4_SCOPE_DATE;
}

enum sigv4_fault sigv4_from_query(const struct uri_query *query, struct sigv4 *ret)
{
    const char *algorithm = uri_query_get(query, "X-Amz-Algorithm");
    const char *credential = uri_query_get(query, "X-Amz-Credential");
    const char *date = uri_query_get(query, "X-Amz-Date");
    const char *expires = uri_query_get(query, "X-Amz-Expires");
    const char *names = uri_query_get(query, "X-Amz-SignedHeaders");
    const char *signature = uri_query_get(query, "X-Amz-Signature");
    char *end;

    *ret = (struct sigv4){.presigned = true};
    if (!algorithm || !credential || !date || !expires || !names || !signature)
        return SIGV4_INCOMPLETE;
    if (strcmp(algorithm, SIGV4_ALGORITHM) != 0)
        return SIGV4_UNSUPPORTED;
    if (!parse_credential(credential, strlen(credential), ret))
        return SIGV4_CREDENTIAL;
    if (strlen(date) != 16 || parse_time(date, NULL, ret) != SIGV4_OK)
        return SIGV4_DATE;
    errno = 0;
    ret->expires = strtol(expires, &end, 10);
    if (errno || end == expires || *end || ret->expires < 0 || ret->expires > SIGV4_EXPIRES_MAX)
        return SIGV4_EXPIRES;
    if (!parse_signed_headers(names, strlen(names), ret) ||
        !parse_signature(signature, strlen(signature), ret))
        return SIGV4_MALFORMED;
    return strncmp(ret->date, ret->time, 8) == 0 ? SIGV4_OK : SIGV4_SCOPE_DATE;
}

bool sigv4_signs(const struct sigv4 *sig, const char *name)
{
    size_t len = strlen(name);

    for (const char *p = sig->signed_headers; *p;) {
        size_t n = strcspn(p, ";");

        if (n == len && strncasecmp(p, name, len) == 0)
            return true;
        p += n + (p[n] == ';');
    }
    return false;
}

static int add_path(const struct sigv4_request *request, struct buf *out)
{
    const struct uri *uri = &request->uri;
    char *plain;
    size_t len;
    int rc;

    if (request->raw_path) {
        buf_add(out, uri->path, uri->path_len);
        return out->err;
    }
    plain = malloc(uri->path_len + 1);
    if (!plain)
        return -ENOMEM;
    rc = uri_decode(uri->path, uri->path_len, URI_PLUS_LITERAL, plain, &len);
    if (rc == 0)
        uri_encode(out, plain, len, URI_SLASH_KEEP);
    free(plain);
    return rc;
}

struct coded { /* a parameter, coded; slices of one buffer */
    const char *name, *value;
};

static int by_code(const void *a, const void *b)
{
    const struct coded *x = a, *y = b;
    int c = strcmp(x->name, y->name);

    return c ? c : strcmp(x->value, y->value);
}

/* Every parameter but the signature, coded anew and sorted by its code. */
static int add_query(const struct sigv4_request *request, bool presigned, struct buf *out)
{
    struct coded coded[URI_PARAMS_MAX];
    size_t at[URI_PARAMS_MAX][2], n = 0;
    struct uri_query query;
    struct buf mem;
    int rc = uri_query_parse(request->uri.query, request->uri.query_len, &query);

    if (rc < 0)
        return rc;
    buf_init(&mem, 4 * URI_TARGET_MAX);
    for (size_t i = 0; i < query.count; i++) {
        const struct uri_param *p = &query.params[i];

        if (presigned && strcmp(p->name, "X-Amz-Signature") == 0)
            continue;
        at[n][0] = mem.len;
        uri_encode(&mem, p->name, p->name_len, URI_SLASH_ENCODE);
        buf_char(&mem, '\0');
        at[n][1] = mem.len;
        uri_encode(&mem, p->value, p->value_len, URI_SLASH_ENCODE);
        buf_char(&mem, '\0');
        n++;
    }
    rc = mem.err;
    for (size_t i = 0; rc == 0 && i < n; i++)
        coded[i] = (struct coded){mem.data + at[i][0], mem.data + at[i][1]};
    if (rc == 0)
        qsort(coded, n, sizeof coded[0], by_code);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (i)
            buf_char(out, '&');
        buf_str(out, coded[i].name);
        buf_char(out, '=');
        buf_str(out, coded[i].value);
    }
    buf_fini(&mem);
    uri_query_fini(&query);
    return rc;
}

/* A value without outer spaces, inner runs of them as one. */
static void add_value(struct buf *out, const char *value)
{
    bool gap = false, any = false;

    for (; *value; value++) {
        if (*value == ' ' || *value == '\t') {
            gap = any;
            continue;
        }
        if (gap)
            buf_char(out, ' ');
        gap = false;
        any = true;
        buf_char(out, *value);
    }
}

static int add_headers(const struct sigv4 *sig, const struct sigv4_request *request,
                       struct buf *out)
{
    for (const char *p = sig->signed_headers; *p;) {
        size_t len = strcspn(p, ";"), found = 0;

        buf_add(out, p, len);
        buf_char(out, ':');
        for (size_t i = 0; i < request->header_count; i++) {
            const struct header *h = &request->headers[i];

            if (strlen(h->name) != len || strncasecmp(h->name, p, len) != 0)
                continue;
            if (found++)
                buf_char(out, ',');
            add_value(out, h->value);
        }
        if (!found)
            return pc_err_set(PC_EFORMAT, "signed header %.*s is not in the request", (int)len, p);
        buf_char(out, '\n');
        p += len + (p[len] == ';');
    }
    return 0;
}

int sigv4_canonical(const struct sigv4 *sig, const struct sigv4_request *request, struct buf *out)
{
    int rc;

    buf_fmt(out, "%s\n", request->method);
    rc = add_path(request, out);
    if (rc < 0)
        return rc;
    buf_char(out, '\n');
    rc = add_query(request, sig->presigned, out);
    if (rc < 0)
        return rc;
    buf_char(out, '\n');
    rc = add_headers(sig, request, out);
    if (rc < 0)
        return rc;
    buf_fmt(out, "\n%s\n%s", sig->signed_headers, request->payload);
    return out->err;
}

int sigv4_string_to_sign(const struct sigv4 *sig, const struct buf *canonical, struct buf *out)
{
    uint8_t hash[PC_DIGEST_MAX];
    char hex[2 * PC_DIGEST_MAX + 1];
    int rc = pc_digest_once(PC_SHA256, canonical->data, canonical->len, hash);

    if (rc < 0)
        return rc;
    pc_hex(hash, 32, hex);
    buf_fmt(out, "%s\n%s\n%s/%s/%s/aws4_request\n%s", SIGV4_ALGORITHM, sig->time, sig->date,
            sig->region, sig->service, hex);
    return out->err;
}

void sigv4_key(const struct sigv4 *sig, const char *secret, unsigned char out[32])
{
    unsigned char first[4 + 129];
    size_t len = strnlen(secret, 128);
    const char *steps[] = {sig->region, sig->service, "aws4_request"};

    memcpy(first, "AWS4", 4);
    memcpy(first + 4, secret, len);
    pc_hmac_sha256(first, 4 + len, sig->date, strlen(sig->date), out);
    for (size_t i = 0; i < 3; i++) {
        unsigned char key[32];

        memcpy(key, out, 32);
        pc_hmac_sha256(key, 32, steps[i], strlen(steps[i]), out);
        pc_wipe(key, sizeof key);
    }
    pc_wipe(first, sizeof first);
}

void sigv4_sign(const unsigned char key[32], const char *text, size_t len, char out[65])
{
    uint8_t mac[32];

    pc_hmac_sha256(key, 32, text, len, mac);
    pc_hex(mac, 32, out);
}
