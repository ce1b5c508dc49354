/* SPDX-License-Identifier: Apache-2.0 */
/* How an object is to be encrypted, by its request or its bucket; what of it is kept with the object and told again. */
#include "crypt/crypt.h"

#include "pcloud/digest.h"
#include "pcloud/err.h"
#include "s3/s3.h"
#include "s3/xml_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SSE "x-amz-server-side-encryption"
#define KMS_KEY SSE "-aws-kms-key-id"
#define BUCKET_KEY SSE "-bucket-key-enabled"
#define CUSTOMER SSE "-customer-"
#define KMS_DEFAULT "alias/aws/s3" /* the key of who names none */

struct rule { /* of a bucket's document */
    char algorithm[16], key[CRYPT_KEY_ID_MAX + 1];
    bool bucket_key, no_customer;
};

static bool is_kms(const char *algorithm)
{
    return strcmp(algorithm, "aws:kms") == 0 || strcmp(algorithm, "aws:kms:dsse") == 0;
}

static bool is_key_name(const char *name)
{
    static const char legal[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/:.";

    return *name && strlen(name) <= CRYPT_KEY_ID_MAX && name[strspn(name, legal)] == '\0';
}

/* Is the key among those that the setting names, or are all? */
static bool is_known(const struct s3 *s, const char *name)
{
    const char *p = s->gw->kms_keys;
    size_t len = strlen(name);

    if (!is_key_name(name))
        return false;
    while (*p) {
        size_t n;

        p += strspn(p, " ,");
        n = strcspn(p, " ,");
        if ((n == 1 && *p == '*') || (n == len && memcmp(p, name, n) == 0))
            return true;
        p += n;
    }
    return strcmp(name, KMS_DEFAULT) == 0;
}

static int use_kms(struct s3 *s, const char *algorithm, const char *key)
{
    if (!key || !*key)
        key = KMS_DEFAULT;
    if (!is_known(s, key))
        return s3_fail(s, S3_EKMS, "Key '%.200s' does not exist", key);
    s->crypt.kms = req_dup(s->r, algorithm, strlen(algorithm));
    s->crypt.kms_key = req_dup(s->r, key, strlen(key));
    return s->crypt.kms && s->crypt.kms_key ? 0 : -ENOMEM;
}

static int copy_text(char *out, size_t cap, const char *text, size_t len)
{
    if (len >= cap)
        return S3_EXML;
    memcpy(out, text, len);
    out[len] = '\0';
    return 0;
}

static int on_leaf(void *arg, const char *path, const char *text, size_t len)
{
    static const char by[] = "Rule/ApplyServerSideEncryptionByDefault/";
    struct rule *r = arg;

    if (strncmp(path, by, sizeof by - 1) == 0) {
        if (strcmp(path + sizeof by - 1, "SSEAlgorithm") == 0)
            return *r->algorithm ? (int)S3_EXML
                                 : copy_text(r->algorithm, sizeof r->algorithm, text, len);
        if (strcmp(path + sizeof by - 1, "KMSMasterKeyID") == 0)
            return copy_text(r->key, sizeof r->key, text, len);
        return S3_EXML;
    }
    if (strcmp(path, "Rule/BucketKeyEnabled") == 0)
        r->bucket_key = strcmp(text, "true") == 0;
    else if (strcmp(path, "Rule/BlockedEncryptionTypes/EncryptionType") == 0)
        r->no_customer |= strcmp(text, "SSE-C") == 0;
    return strncmp(path, "Rule", 4) == 0 ? 0 : (int)S3_EXML;
}

static int read_rule(const char *xml, size_t len, struct rule *ret)
{
    int rc;

    *ret = (struct rule){.bucket_key = false};
    rc = xml_read(xml, len, "ServerSideEncryptionConfiguration", on_leaf, ret);
    if (rc == 0 && !*ret->algorithm && ret->no_customer)
        memcpy(ret->algorithm, "AES256", sizeof "AES256");
    if (rc == 0 && strcmp(ret->algorithm, "AES256") != 0 && !is_kms(ret->algorithm))
        rc = S3_EXML;
    return rc;
}

int crypt_check(struct s3 *s, struct buf *out)
{
    struct rule r;
    int rc = read_rule(buf_text(&s->xml), s->xml.len, &r);

    if (rc < 0)
        return rc;
    if (*r.key && !is_kms(r.algorithm))
        return s3_fail(s, S3_EARGUMENT,
                       "a KMSMasterKeyID is not applicable if the default sse algorithm is not "
                       "aws:kms or aws:kms:dsse");
    if (*r.key && !is_known(s, r.key))
        return s3_fail(s, S3_EKMS, "Key '%.200s' does not exist", r.key);
    buf_add(out, buf_text(&s->xml), s->xml.len);
    return 0;
}

/* What the bucket says to a request that says nothing, or brings a key. */
static int ask_bucket(struct s3 *s)
{
    struct rule r;
    char *xml;
    size_t len;
    int rc;

    if (!(s->info.settings & 1u << PC_SETTING_ENCRYPTION))
        return 0;
    rc = pc_bucket_setting_get(s->gw->volume, s->bucket, PC_SETTING_ENCRYPTION, &xml, &len);
    if (rc < 0)
        return rc == -ENODATA ? 0 : rc;
    rc = read_rule(xml, len, &r);
    free(xml);
    if (rc < 0)
        return PC_ECORRUPT;
    if (s->crypt.key)
        return r.no_customer ? (int)S3_EACCESS : 0;
    if (!is_kms(r.algorithm))
        return 0;
    s->crypt.bucket_key = r.bucket_key;
    return use_kms(s, r.algorithm, r.key);
}

int crypt_wanted(struct s3 *s)
{
    const char *sse = s3_header(s, SSE), *key = s3_header(s, KMS_KEY),
               *bucket_key = s3_header(s, BUCKET_KEY);
    int rc = 0;

    if (s->crypt.key && (sse || key))
        return s3_fail(s, S3_EARGUMENT,
                       "Server Side Encryption with Customer provided key is incompatible with "
                       "the encryption method specified");
    if (sse && strcmp(sse, "AES256") != 0 && !is_kms(sse))
        return s3_fail(s, S3_EARGUMENT, "The encryption method specified is not supported");
    if (key && (!sse || !is_kms(sse)))
        return s3_fail(s, S3_EARGUMENT,
                       "Server Side Encryption with AWS KMS managed key requires HTTP header "
                       "x-amz-server-side-encryption : aws:kms");
    if (!sse)
        rc = ask_bucket(s);
    else if (is_kms(sse))
        rc = use_kms(s, sse, key);
    if (bucket_key)
        s->crypt.bucket_key = strcmp(bucket_key, "true") == 0;
    return rc;
}

/* "sse-c" is the mark of the client's key; "kms" the algorithm, a letter for the bucket's key, and the key's name. */
void crypt_collect(struct s3 *s, struct buf *out)
{
    uint8_t mark[PC_SEALED_MARK];
    char hex[2 * PC_SEALED_MARK + 1], text[CRYPT_KEY_ID_MAX + 32];

    if (s->crypt.key) {
        pc_sealed_key_mark(s->crypt.key, mark);
        pc_hex(mark, sizeof mark, hex);
        headers_add(out, "sse-c", hex);
    } else if (s->crypt.kms) {
        snprintf(text, sizeof text, "%s %c %s", s->crypt.kms, s->crypt.bucket_key ? 'b' : '-',
                 s->crypt.kms_key);
        headers_add(out, "kms", text);
    }
}

void crypt_collect_size(uint64_t size, struct buf *out)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)size);
    headers_add(out, "sse-size", text);
}

bool crypt_is_own(const char *name)
{
    return strcmp(name, "kms") == 0 || strncmp(name, "sse-", 4) == 0;
}

void crypt_reply(struct s3 *s, const struct pc_headers *h)
{
    const char *kms = pc_headers_get(h, "kms"), *end = kms ? strchr(kms, ' ') : NULL;

    if (crypt_is_sealed(h)) {
        req_reply_header(s->r, CUSTOMER "algorithm", "AES256");
        if (*s->crypt.md5)
            req_reply_header(s->r, CUSTOMER "key-MD5", s->crypt.md5);
        return;
    }
    if (!end || strlen(end) < 4) {
        req_reply_header(s->r, SSE, "AES256");
        return;
    }
    req_reply_headerf(s->r, SSE, "%.*s", (int)(end - kms), kms);
    req_reply_header(s->r, KMS_KEY, end + 3);
    if (end[1] == 'b')
        req_reply_header(s->r, BUCKET_KEY, "true");
}
