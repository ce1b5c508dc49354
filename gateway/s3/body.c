/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a request: its declared form, decoding, digests, and where the content goes. */
#include "s3/s3.h"

#include "form/post.h"
#include "pcloud/err.h"
#include "s3/xml_in.h"
#include "workers.h"

#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ASIDE_LEAST (32u << 10) /* a shorter piece is not worth another thread */

static int parse_payload(struct s3 *s, enum chunk_kind *ret_kind)
{
    const char *v = s3_header(s, "x-amz-content-sha256");
    bool object = s->op->body == S3_BODY_OBJECT;

    s->payload = S3_PAYLOAD_UNSIGNED;
    if (!v || strcmp(v, "UNSIGNED-PAYLOAD") == 0)
        return 0;
    if (strlen(v) == 64 && strspn(v, "0123456789abcdefABCDEF") == 64) {
        s->payload = S3_PAYLOAD_HASH;
        for (size_t i = 0; i < 65; i++)
            s->payload_hash[i] = v[i] >= 'A' && v[i] <= 'F' ? (char)(v[i] + 32) : v[i];
        return 0;
    }
    if (strncmp(v, "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", 40) == 0)
        return s3_fail(s, S3_ENOTIMPLEMENTED, "Signature version 4A is not supported.");
    s->payload = S3_PAYLOAD_CHUNKED;
    if (strcmp(v, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") == 0)
        *ret_kind = CHUNK_SIGNED;
    else if (strcmp(v, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") == 0)
        *ret_kind = CHUNK_SIGNED_TRAILER;
    else if (strcmp(v, "STREAMING-UNSIGNED-PAYLOAD-TRAILER") == 0)
        *ret_kind = CHUNK_UNSIGNED_TRAILER;
    else
        return s3_fail(
            s, S3_EARGUMENT,
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a "
            "valid "
            "sha256 value.");
    if (!object)
        return s3_fail(s, S3_EARGUMENT, "This operation does not take a streaming payload.");
    if (s->sig.presigned && *ret_kind != CHUNK_UNSIGNED_TRAILER)
        return s3_fail(s, S3_EARGUMENT,
                       "A presigned URL does not take a signed streaming payload.");
    return 0;
}

/* How long the content is: known before a byte of it, or not at all. */
static int parse_length(struct s3 *s)
{
    const char *decoded = s3_header(s, "x-amz-decoded-content-length");
    char *end;

    s->length = s->r->length;
    if (s->payload == S3_PAYLOAD_CHUNKED) {
        if (!decoded)
            return S3_ENOLENGTH;
        errno = 0;
        s->length = strtoull(decoded, &end, 10);
        if (errno || end == decoded || *end || *decoded == '-' || *decoded == '+' ||
            *decoded == ' ')
            return s3_fail(s, S3_EARGUMENT, "x-amz-decoded-content-length is not a number");
    } else if (s->length == REQ_LENGTH_NONE && !s->r->chunked && s->op->body == S3_BODY_OBJECT) {
        return S3_ENOLENGTH;
    }
    if (s->op->body == S3_BODY_XML && s->length != REQ_LENGTH_NONE && s->length > XML_BODY_MAX)
        return S3_EMESSAGETOOBIG;
    if (s->op->body == S3_BODY_OBJECT && s->length != REQ_LENGTH_NONE && s->length > S3_OBJECT_MAX)
        return S3_ETOOLARGE;
    return 0;
}

static int parse_md5(struct s3 *s)
{
    const char *v = s3_header(s, "Content-MD5");
    uint8_t raw[18];

    if (!v)
        return 0;
    if (pc_unbase64(v, strlen(v), raw, sizeof raw) != 16)
        return S3_EINVALIDDIGEST;
    memcpy(s->md5_want, raw, 16);
    s->md5_given = true;
    return 0;
}

static int open_digests(struct s3 *s)
{
    bool object = s->op->body == S3_BODY_OBJECT;

    /* of what is under the client's key no more is learnt than was sent */
    if (object && !s->crypt.key && s->sum_kind < 0 && !s3_param(s, "uploadId"))
        s->sum_kind = PC_CRC64NVME; /* as S3 does for an object that comes without a checksum */
    if (s->payload == S3_PAYLOAD_HASH && !(s->sha = pc_digest_new(PC_SHA256)))
        return -ENOMEM;
    if ((object || s->md5_given) && !(s->md5 = pc_digest_new(PC_MD5)))
        return -ENOMEM;
    if (s->sum_kind >= 0 && !(s->sum = pc_digest_new((enum pc_digest_kind)s->sum_kind)))
        return -ENOMEM;
    return 0;
}

int body_open(struct s3 *s)
{
    enum chunk_kind kind = CHUNK_SIGNED;
    int rc;

    if (s->op->body == S3_BODY_FORM)
        return post_open(s);
    rc = parse_payload(s, &kind);

    if (rc == 0)
        rc = parse_length(s);
    if (rc == 0 && s->op->body != S3_BODY_NONE)
        rc = parse_md5(s);
    if (rc == 0 && s->op->body != S3_BODY_NONE)
        rc = checksum_parse(s);
    if (rc == 0)
        rc = open_digests(s);
    if (rc < 0 || s->payload != S3_PAYLOAD_CHUNKED)
        return rc;
    s->chunk = malloc(sizeof *s->chunk);
    if (!s->chunk)
        return -ENOMEM;
    return chunk_init(s->chunk, kind, &s->sig, s->signing_key, s->length);
}

int body_open_object(struct s3 *s)
{
    int rc = parse_md5(s);

    s->payload = S3_PAYLOAD_UNSIGNED;
    if (rc == 0)
        rc = checksum_parse(s);
    return rc < 0 ? rc : open_digests(s);
}

/* A digest that takes a piece on another thread. MD5 alone takes as long as all the rest that is done to content. */
struct aside {
    struct worker_job job;
    sem_t done;
    struct pc_digest *digest;
    const void *data;
    size_t len;
};

static void aside_run(struct worker_job *job)
{
    struct aside *a = (struct aside *)(void *)job;

    pc_digest_update(a->digest, a->data, a->len);
    sem_post(&a->done);
}

/* True: the piece is being taken, and must stay until aside_wait. */
static bool aside_start(struct aside *a, struct s3 *s, const void *data, size_t len)
{
    *a = (struct aside){.job.fn = aside_run, .digest = s->md5, .data = data, .len = len};
    if (len < ASIDE_LEAST || sem_init(&a->done, 0, 0) < 0)
        return false;
    if (workers_offer(s->gw->pool, &a->job))
        return true;
    sem_destroy(&a->done);
    return false;
}

static void aside_wait(struct aside *a)
{
    while (sem_wait(&a->done) < 0)
        ;
    sem_destroy(&a->done);
}

/* Content on its way to where it belongs. */
static int take_content(struct s3 *s, const void *data, size_t len)
{
    if (s->op->body == S3_BODY_XML) {
        buf_add(&s->xml, data, len);
        return s->xml.err == PC_ELIMIT ? (int)S3_EMESSAGETOOBIG : s->xml.err;
    }
    if (s->op->body != S3_BODY_OBJECT)
        return 0;
    if (!s->put) {
        int rc = pc_put_begin(s->gw->volume, &s->put);

        if (rc < 0)
            return rc;
    }
    if (len > S3_OBJECT_MAX - s->taken)
        return S3_ETOOLARGE;
    s->taken += len;
    return crypt_write(s, s->put, data, len);
}

/* Content as the client meant it. */
static int take(void *arg, const void *data, size_t len)
{
    struct s3 *s = arg;
    struct aside a;
    bool aside = s->md5 && aside_start(&a, s, data, len);
    int rc;

    if (s->sha)
        pc_digest_update(s->sha, data, len);
    if (s->sum)
        pc_digest_update(s->sum, data, len);
    rc = take_content(s, data, len);
    if (aside)
        aside_wait(&a);
    else if (s->md5)
        pc_digest_update(s->md5, data, len);
    return rc;
}

int body_take(struct s3 *s, const void *data, size_t len)
{
    return take(s, data, len);
}

int body_feed(struct s3 *s, const void *data, size_t len)
{
    if (s->post)
        return post_feed(s, data, len);
    if (s->chunk)
        return chunk_feed(s->chunk, data, len, take, s);
    return take(s, data, len);
}

static int close_checksum(struct s3 *s)
{
    const char *want = s->sum_want;
    uint8_t raw[PC_DIGEST_MAX];

    pc_digest_final(s->sum, raw);
    pc_base64(raw, pc_digest_size((enum pc_digest_kind)s->sum_kind), s->sum_got);
    if (s->sum_trailer) {
        want = chunk_trailer(s->chunk, checksum_header(s->sum_kind));
        if (!want)
            return S3_ETRAILER;
        if (!checksum_valid(s->sum_kind, want))
            return s3_fail(s, S3_EREQUEST, "Value for %s trailing header is invalid.",
                           checksum_header(s->sum_kind));
    }
    if (*want && strcmp(want, s->sum_got) != 0)
        return s3_fail(s, S3_EBADDIGEST,
                       "The %s you specified did not match the calculated checksum.",
                       checksum_name(s->sum_kind));
    return 0;
}

int body_close(struct s3 *s)
{
    uint8_t raw[PC_DIGEST_MAX];
    char hex[65];
    int rc;

    if (s->post && (rc = post_close(s)) < 0)
        return rc;
    if (s->chunk && (rc = chunk_end(s->chunk)) < 0)
        return rc;
    if (s->chunk && s->chunk->trailers > 0 && !s->sum_trailer)
        return S3_ETRAILER;
    if (s->sha) {
        pc_digest_final(s->sha, raw);
        pc_hex(raw, 32, hex);
        if (strcmp(hex, s->payload_hash) != 0)
            return S3_ECONTENTSHA;
    }
    if (s->md5) {
        pc_digest_final(s->md5, raw);
        memcpy(s->md5_got, raw, 16);
        if (s->md5_given && memcmp(raw, s->md5_want, 16) != 0)
            return S3_EBADDIGEST;
    }
    if (s->sum && (rc = close_checksum(s)) < 0)
        return rc;
    if (s->op->body != S3_BODY_OBJECT)
        return 0;
    if (!s->put && (rc = pc_put_begin(s->gw->volume, &s->put)) < 0)
        return rc;
    return crypt_end(s, s->put);
}

void body_fini(struct s3 *s)
{
    if (s->put)
        pc_put_abort(s->put);
    s->put = NULL;
    post_fini(s);
    if (s->chunk) {
        chunk_fini(s->chunk);
        free(s->chunk);
    }
    s->chunk = NULL;
    pc_digest_free(s->sha);
    pc_digest_free(s->md5);
    pc_digest_free(s->sum);
    s->sha = s->md5 = s->sum = NULL;
    buf_fini(&s->xml);
}
