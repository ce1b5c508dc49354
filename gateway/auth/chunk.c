/* SPDX-License-Identifier: Apache-2.0 */
/* Decoders of aws-chunked bodies: signed, signed with a trailer, unsigned with a trailer. */
#include "auth/chunk.h"

#include "pcloud/digest.h"
#include "pcloud/err.h"
#include "pcloud/keys.h"
#include "s3/error.h"

#include <ctype.h>
#include <string.h>

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

int chunk_init(struct chunk *c, enum chunk_kind kind, const struct sigv4 *sig,
               const unsigned char key[32], uint64_t expected)
{
    *c = (struct chunk){.kind = kind, .expected = expected, .sig = sig};
    if (kind == CHUNK_UNSIGNED_TRAILER)
        return 0;
    memcpy(c->key, key, 32);
    memcpy(c->previous, sig->signature, sizeof c->previous);
    c->digest = pc_digest_new(PC_SHA256);
    return c->digest ? 0 : -ENOMEM;
}

void chunk_fini(struct chunk *c)
{
    pc_digest_free(c->digest);
    c->digest = NULL;
    pc_wipe(c->key, sizeof c->key);
}

/* What the signature over ${hash} must be, chained to the one before; it becomes the one before. */
static int check_signature(struct chunk *c, const char *label, const char *hash, bool with_empty)
{
    char want[65];
    struct buf text;
    int rc = 0;

    buf_init(&text, 1024);
    buf_fmt(&text, "AWS4-HMAC-SHA256-%s\n%s\n%s/%s/%s/aws4_request\n%s\n", label, c->sig->time,
            c->sig->date, c->sig->region, c->sig->service, c->previous);
    if (with_empty)
        buf_str(&text, EMPTY_SHA256 "\n");
    buf_str(&text, hash);
    if (text.err) {
        rc = text.err;
    } else {
        sigv4_sign(c->key, text.data, text.len, want);
        if (!pc_equal(want, c->given, 64))
            rc = S3_ESIGNATURE;
        memcpy(c->previous, want, sizeof want);
    }
    buf_fini(&text);
    return rc;
}

static int check_chunk(struct chunk *c)
{
    uint8_t hash[PC_DIGEST_MAX];
    char hex[65];

    if (c->kind == CHUNK_UNSIGNED_TRAILER)
        return 0;
    pc_digest_final(c->digest, hash);
    pc_hex(hash, 32, hex);
    return check_signature(c, "PAYLOAD", hex, true);
}

/* Hex digits at ${text}: their number, 0 if none or too many. */
static size_t parse_size(const char *text, uint64_t *ret)
{
    uint64_t v = 0;
    size_t n = strspn(text, "0123456789abcdefABCDEF");

    if (n > 15)
        return 0;
    for (size_t i = 0; i < n; i++) {
        int digit = text[i] <= '9' ? text[i] - '0' : (text[i] | 32) - 'a' + 10;

        v = v << 4 | (uint64_t)digit;
    }
    *ret = v;
    return n;
}

static int copy_signature(struct chunk *c, const char *text)
{
    if (strlen(text) != 64 || strspn(text, "0123456789abcdef") != 64)
        return S3_ESIGNATURE;
    memcpy(c->given, text, 65);
    return 0;
}

/* "1000;chunk-signature=…" or "1000": the line before the data, complete. */
static int on_head(struct chunk *c)
{
    static const char ext[] = ";chunk-signature=";
    size_t n = parse_size(c->line, &c->left);
    int rc;

    if (n == 0)
        return S3_ECHUNK;
    if (c->kind == CHUNK_UNSIGNED_TRAILER) {
        if (c->line[n] != '\0')
            return S3_ECHUNK;
    } else {
        if (strncmp(c->line + n, ext, sizeof ext - 1) != 0)
            return S3_ECHUNK;
        rc = copy_signature(c, c->line + n + sizeof ext - 1);
        if (rc < 0)
            return rc;
    }
    if (c->left > c->expected - c->received)
        return S3_EINCOMPLETE;
    if (c->left > 0) {
        c->state = CHUNK_DATA;
        return 0;
    }
    c->state = c->kind == CHUNK_SIGNED ? CHUNK_LAST_CR : CHUNK_TRAILER;
    return check_chunk(c);
}

static int check_trailer_signature(struct chunk *c)
{
    uint8_t hash[PC_DIGEST_MAX];
    char hex[65];
    struct buf text;
    int rc;

    buf_init(&text, 2048);
    for (unsigned i = 0; i < c->trailers; i++)
        buf_fmt(&text, "%s:%s\n", c->trailer[i].name, c->trailer[i].value);
    rc = text.err ? text.err : pc_digest_once(PC_SHA256, buf_text(&text), text.len, hash);
    buf_fini(&text);
    if (rc < 0)
        return rc;
    pc_hex(hash, 32, hex);
    c->trailer_signed = true;
    return check_signature(c, "TRAILER", hex, false);
}

/* An empty line: the end, or a gap between trailers and their signature, as some clients send. */
static int on_blank(struct chunk *c)
{
    if (c->kind == CHUNK_SIGNED_TRAILER && !c->trailer_signed) {
        if (++c->blanks > 1 || c->trailers == 0)
            return S3_ETRAILER;
        return 0;
    }
    c->state = CHUNK_END;
    return 0;
}

/* "name:value" after the last chunk. */
static int on_trailer(struct chunk *c)
{
    char *colon = strchr(c->line, ':');
    char *value = colon ? colon + 1 : c->line, *end = c->line + c->line_len;
    size_t name_len = colon ? (size_t)(colon - c->line) : 0;
    int rc;

    if (c->line_len == 0)
        return on_blank(c);
    while (*value == ' ')
        value++;
    while (end > value && end[-1] == ' ')
        *--end = '\0';
    if (name_len == 0 || name_len > 64 || *value == '\0' || end - value > 128 || c->trailer_signed)
        return S3_ETRAILER;
    for (char *p = c->line; p < colon; p++)
        *p = (char)tolower((unsigned char)*p);
    *colon = '\0';
    if (c->kind == CHUNK_SIGNED_TRAILER && strcmp(c->line, "x-amz-trailer-signature") == 0) {
        rc = copy_signature(c, value);
        return rc < 0 ? rc : check_trailer_signature(c);
    }
    if (c->trailers == CHUNK_TRAILERS_MAX || c->blanks)
        return S3_ETRAILER;
    memcpy(c->trailer[c->trailers].name, c->line, name_len + 1);
    memcpy(c->trailer[c->trailers].value, value, (size_t)(end - value) + 1);
    c->trailers++;
    return 0;
}

/* Bytes of a line; *used says how many were taken. */
static int feed_line(struct chunk *c, const char *data, size_t len, size_t *used)
{
    const char *lf = memchr(data, '\n', len);
    size_t n = lf ? (size_t)(lf - data) : len;
    bool head = c->state == CHUNK_HEAD;

    if (n > CHUNK_LINE_MAX - c->line_len || memchr(data, '\0', n))
        return head ? S3_ECHUNK : S3_ETRAILER;
    memcpy(c->line + c->line_len, data, n);
    c->line_len += n;
    *used = n;
    if (!lf)
        return 0;
    ++*used;
    if (c->line_len && c->line[c->line_len - 1] == '\r')
        c->line_len--;
    else if (head)
        return S3_ECHUNK;
    c->line[c->line_len] = '\0';
    int rc = head ? on_head(c) : on_trailer(c);
    c->line_len = 0;
    return rc;
}

static int feed_data(struct chunk *c, const char *data, size_t len, size_t *used,
                     int (*sink)(void *arg, const void *data, size_t len), void *arg)
{
    size_t n = len < c->left ? len : (size_t)c->left;
    int rc = sink(arg, data, n);

    if (rc < 0)
        return rc;
    if (c->digest)
        pc_digest_update(c->digest, data, n);
    *used = n;
    c->left -= n;
    c->received += n;
    if (c->left > 0)
        return 0;
    c->state = CHUNK_CR;
    return check_chunk(c);
}

static int feed_mark(struct chunk *c, char byte)
{
    bool lf = c->state == CHUNK_LF || c->state == CHUNK_LAST_LF;

    if (byte != (lf ? '\n' : '\r'))
        return S3_ECHUNK;
    if (c->state == CHUNK_LF)
        c->state = CHUNK_HEAD;
    else
        c->state++;
    return 0;
}

int chunk_feed(struct chunk *c, const void *data, size_t len,
               int (*sink)(void *arg, const void *data, size_t len), void *arg)
{
    const char *p = data;

    while (len > 0 && c->error == 0) {
        size_t used = 1;

        switch (c->state) {
        case CHUNK_HEAD:
        case CHUNK_TRAILER:
            c->error = feed_line(c, p, len, &used);
            break;
        case CHUNK_DATA:
            c->error = feed_data(c, p, len, &used, sink, arg);
            break;
        case CHUNK_END:
            c->error = S3_ECHUNK;
            break;
        default:
            c->error = feed_mark(c, *p);
        }
        p += used;
        len -= used;
    }
    return c->error;
}

int chunk_end(struct chunk *c)
{
    /* the empty line behind a signed trailer carries nothing: its lack is forgiven */
    bool whole = c->state == CHUNK_END ||
                 (c->state == CHUNK_TRAILER && c->trailer_signed && c->line_len == 0);

    if (c->error == 0 && c->state == CHUNK_TRAILER && !whole)
        c->error = c->kind == CHUNK_SIGNED_TRAILER ? S3_ETRAILER : S3_EINCOMPLETE;
    if (c->error == 0 && (!whole || c->received != c->expected))
        c->error = S3_EINCOMPLETE;
    return c->error;
}

const char *chunk_trailer(const struct chunk *c, const char *name)
{
    for (unsigned i = 0; i < c->trailers; i++)
        if (strcmp(c->trailer[i].name, name) == 0)
            return c->trailer[i].value;
    return NULL;
}
