/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that clients bring: out of the headers into locked memory, known again by a mark, never kept. */
#include "crypt/crypt.h"

#include "pcloud/digest.h"
#include "pcloud/err.h"
#include "pcloud/history.h"
#include "pcloud/keys.h"
#include "s3/s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OWN "x-amz-server-side-encryption-customer-"
#define SOURCE "x-amz-copy-source-server-side-encryption-customer-"
#define MARK "sse-c"    /* of the key, in hex */
#define SIZE "sse-size" /* of the content, decimal */
#define ABOUT "Requests specifying Server Side Encryption with Customer provided keys must "

struct given { /* the three headers; NULL if missing */
    const char *algorithm, *key, *md5;
};

/* Those of a prefix, in one pass over the headers. */
static bool find(const struct req *r, const char *prefix, struct given *ret)
{
    size_t n = strlen(prefix);

    *ret = (struct given){NULL, NULL, NULL};
    for (size_t i = 0; i < r->header_count; i++) {
        const char *name = r->headers[i].name;

        if (strncasecmp(name, prefix, n) != 0)
            continue;
        if (strcasecmp(name + n, "algorithm") == 0)
            ret->algorithm = r->headers[i].value;
        else if (strcasecmp(name + n, "key") == 0)
            ret->key = r->headers[i].value;
        else if (strcasecmp(name + n, "key-md5") == 0)
            ret->md5 = r->headers[i].value;
    }
    return ret->algorithm || ret->key || ret->md5;
}

/* A key over plain HTTP is a key for everybody on the way; on this machine there is no way. */
static bool is_safe(const struct s3 *s)
{
    const char *peer = s->r->peer;

    if (s->r->scheme == REQ_HTTPS || s->gw->customer_http == CUSTOMER_HTTP_ON)
        return true;
    return s->gw->customer_http == CUSTOMER_HTTP_LOOPBACK &&
           (strncmp(peer, "127.", 4) == 0 || strncmp(peer, "[::1]", 5) == 0 ||
            strncmp(peer, "[::ffff:127.", 12) == 0);
}

/* ${raw} gets the key: the caller wipes it. */
static int decode(struct s3 *s, const struct given *g, uint8_t raw[PC_SEALED_KEY])
{
    uint8_t md5[PC_DIGEST_MAX], want[PC_DIGEST_MAX], wide[PC_SEALED_KEY + 3];
    int rc;

    if (!g->algorithm)
        return s3_fail(s, S3_EARGUMENT, ABOUT "provide a valid encryption algorithm.");
    if (strcmp(g->algorithm, "AES256") != 0)
        return s3_fail(s, S3_EENCRYPTION,
                       "The Encryption request you specified is not valid. Supported value: "
                       "AES256.");
    if (!g->key || !*g->key)
        return s3_fail(s, S3_EARGUMENT, ABOUT "provide an appropriate secret key.");
    if (!g->md5 || !*g->md5)
        return s3_fail(s, S3_EARGUMENT,
                       ABOUT "provide the client calculated MD5 of the secret key.");
    rc = pc_unbase64(g->key, strlen(g->key), wide, sizeof wide);
    memcpy(raw, wide, PC_SEALED_KEY);
    pc_wipe(wide, sizeof wide);
    if (rc != PC_SEALED_KEY)
        return s3_fail(s, S3_EARGUMENT, "The secret key was invalid for the specified algorithm.");
    rc = pc_digest_once(PC_MD5, raw, PC_SEALED_KEY, md5);
    if (rc < 0)
        return rc;
    if (pc_unbase64(g->md5, strlen(g->md5), want, sizeof want) != 16 || !pc_equal(md5, want, 16))
        return s3_fail(s, S3_EARGUMENT,
                       "The calculated MD5 hash of the key did not match the hash that was "
                       "provided.");
    return 0;
}

static int take(struct s3 *s, const char *prefix, struct pc_sealed_key **ret, char md5[25])
{
    uint8_t raw[PC_SEALED_KEY];
    struct given g;
    int rc;

    if (!find(s->r, prefix, &g))
        return 0;
    if (!is_safe(s))
        return s3_fail(s, S3_EREQUEST, ABOUT "be made over a secure connection.");
    rc = decode(s, &g, raw);
    if (rc == 0)
        rc = pc_sealed_key_new(raw, ret);
    if (rc == 0)
        snprintf(md5, 25, "%s", g.md5);
    pc_wipe(raw, sizeof raw);
    if (g.key) /* it was signed and is not needed any more */
        pc_wipe((char *)(uintptr_t)g.key, strlen(g.key));
    return rc;
}

int crypt_parse(struct s3 *s)
{
    char md5[25];
    int rc = take(s, OWN, &s->crypt.key, s->crypt.md5);

    return rc < 0 ? rc : take(s, SOURCE, &s->crypt.source_key, md5);
}

void crypt_fini(struct s3 *s)
{
    pc_sealer_free(s->crypt.sealer);
    crypt_reader_free(s->crypt.reader);
    pc_sealed_key_free(s->crypt.key);
    pc_sealed_key_free(s->crypt.source_key);
    s->crypt = (struct crypt){.sealer = NULL};
}

bool crypt_is_sealed(const struct pc_headers *h)
{
    return pc_headers_get(h, MARK) != NULL;
}

uint64_t crypt_size(const struct pc_headers *h, uint64_t size)
{
    const char *text = pc_headers_get(h, SIZE);

    return text ? strtoull(text, NULL, 10) : size;
}

int crypt_size_stored(struct s3 *s, const char *key, size_t len, const char *version,
                      uint64_t *size)
{
    struct pc_object o;
    int rc = pc_version_head(s->gw->volume, s->bucket, key, len, version, &o);

    if (rc < 0) /* what is wrong with it is for the operation to say */
        return 0;
    if (crypt_is_sealed(&o.headers))
        *size = crypt_size(&o.headers, o.size) == *size ? o.size : UINT64_MAX;
    pc_object_fini(&o);
    return 0;
}

uint64_t crypt_part_size(const struct pc_headers *h, uint64_t size)
{
    uint64_t plain;

    return crypt_is_sealed(h) && pc_sealed_plain(size, &plain) == 0 ? plain : size;
}

static bool same_key(const struct pc_sealed_key *k, const char *mark)
{
    uint8_t raw[PC_SEALED_MARK];

    return strlen(mark) == 2 * sizeof raw && pc_unhex(mark, 2 * sizeof raw, raw) == 0 &&
           pc_sealed_key_fits(k, raw);
}

static int fits(struct s3 *s, const struct pc_sealed_key *key, const struct pc_headers *h)
{
    const char *mark = pc_headers_get(h, MARK);

    if (!mark)
        return key ? s3_fail(s, S3_EREQUEST,
                             "The encryption parameters are not applicable to this object.")
                   : 0;
    if (!key)
        return s3_fail(s, S3_EREQUEST,
                       "The object was stored using a form of Server Side Encryption. The correct "
                       "parameters must be provided to retrieve the object.");
    return same_key(key, mark) ? 0
                               : s3_fail(s, S3_EACCESS, ABOUT "provide the correct secret key.");
}

int crypt_fits(struct s3 *s, const struct pc_headers *h)
{
    return fits(s, s->crypt.key, h);
}

int crypt_fits_source(struct s3 *s, const struct pc_headers *h)
{
    return fits(s, s->crypt.source_key, h);
}

int crypt_fits_upload(struct s3 *s, const struct pc_headers *h, enum crypt_need need)
{
    const char *mark = pc_headers_get(h, MARK);

    if (!mark && s->crypt.key)
        return s3_fail(s, S3_EREQUEST,
                       "The multipart upload initiate did not request encryption. Subsequent part "
                       "requests must not include encryption parameters.");
    if (mark && !s->crypt.key)
        return need == CRYPT_OPTIONAL
                   ? 0
                   : s3_fail(s, S3_EREQUEST,
                             "The multipart upload initiate requested encryption. Subsequent part "
                             "requests must include the appropriate encryption parameters.");
    if (mark && !same_key(s->crypt.key, mark))
        return s3_fail(s, S3_EREQUEST,
                       "The provided encryption parameters did not match the ones used "
                       "originally.");
    return 0;
}
