/* SPDX-License-Identifier: Apache-2.0 */
/* Bucket policies: reading a document, and what it says about a request. Pure: no I/O, no state. */
#ifndef GATEWAY_POLICY_H
#define GATEWAY_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#define POLICY_MAX (20u << 10) /* bytes of a document */
#define POLICY_DEPTH_MAX 8     /* of nested objects and arrays */
#define POLICY_STATEMENTS_MAX 256
#define POLICY_LIST_MAX 1024    /* entries of one list */
#define POLICY_TEXT_MAX 2048    /* bytes of one entry */
#define POLICY_PATTERN_MAX 4096 /* bytes of one with its variables in place */

struct policy;

struct policy_text { /* borrowed; need not end in NUL */
    const char *data;
    size_t len;
};

struct policy_request {
    const char *action; /* "s3:GetObject" */
    const char *bucket;
    const char *key; /* NULL: the bucket itself */
    size_t key_len;
    bool anonymous;
    const char *user, *id; /* name and canonical id of who asks, unless anonymous */
    /*
     * value: the value number ${index} of a condition key, false if there is none. The name comes in lower case up to a "/"
     * ("aws:sourceip", "s3:existingobjecttag/Team"). The text stays valid as long as the request.
     */
    bool (*value)(void *arg, const char *name, size_t index, struct policy_text *ret);
    void *arg;
};

enum policy_effect { POLICY_SILENT, POLICY_ALLOW, POLICY_DENY };

/**
 * policy_parse(text, len, bucket, ret, ret_why): read the document of a bucket. PC_EFORMAT with ${ret_why} (fixed text, in S3's words) if it is none,
 * names things that do not exist, or resources outside ${bucket}; PC_ELIMIT over a cap; -ENOMEM.
 */
int policy_parse(const char *text, size_t len, const char *bucket, struct policy **ret,
                 const char **ret_why);
void policy_free(struct policy *p);

/** policy_evaluate(p, r): a statement that denies wins; what cannot be decided (a value over POLICY_PATTERN_MAX) is denied. Any thread. */
enum policy_effect policy_evaluate(const struct policy *p, const struct policy_request *r);

/** policy_is_public(p): does it allow something to everybody, without a condition that holds it to fixed sources? */
bool policy_is_public(const struct policy *p);

/** policy_glob(pattern, text, len): "*" is any number of bytes, "?" one character. */
bool policy_glob(const char *pattern, const char *text, size_t len);

#endif
