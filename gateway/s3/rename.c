/* SPDX-License-Identifier: Apache-2.0 */
/* RenameObject: another key of the same bucket, in one step. */
#include "s3/ops.h"
#include "s3/s3.h"

#include "access/authz.h"
#include "pcloud/err.h"
#include "s3/cond.h"

#include <string.h>

/* The key in "/bucket/key" or "key", percent-coded. */
static int parse_source(struct s3 *s, const char **ret, size_t *ret_len)
{
    const char *text = s3_header(s, "x-amz-rename-source");
    size_t len = text ? strlen(text) : 0, n, bucket = strlen(s->bucket);
    char *plain = req_alloc(s->r, len + 1);

    if (!plain)
        return -ENOMEM;
    if (!text || !*text || uri_decode(text, len, URI_PLUS_LITERAL, plain, &n) < 0)
        return s3_fail(s, S3_EARGUMENT, "x-amz-rename-source must name the object to be renamed");
    if (n > bucket + 2 && *plain == '/' && memcmp(plain + 1, s->bucket, bucket) == 0 &&
        plain[bucket + 1] == '/') {
        plain += bucket + 2;
        n -= bucket + 2;
    } else if (*plain == '/') {
        return s3_fail(s, S3_EREQUEST, "The source and the destination are of different buckets");
    }
    *ret = plain;
    *ret_len = n;
    return n > PC_KEY_MAX ? (int)S3_EKEYTOOLONG : 0;
}

/* The names of conditions have a prefix where they are about the source. */
static const char *condition(struct s3 *s, const char *prefix, const char *name)
{
    char *full = req_print(s->r, "%s%s", prefix, name);

    return full ? s3_header(s, full) : NULL;
}

/* Holds them against ${o} (NULL: there is none), and ${pin} to the object that was seen, for the moment of the change. */
static int check(struct s3 *s, const char *prefix, const struct pc_object *o,
                 struct pc_condition *pin)
{
    struct cond c = {
        .if_match = condition(s, prefix, "if-match"),
        .if_none_match = condition(s, prefix, "if-none-match"),
        .if_modified_since = condition(s, prefix, "if-modified-since"),
        .if_unmodified_since = condition(s, prefix, "if-unmodified-since"),
    };
    bool any = c.if_match || c.if_none_match || c.if_modified_since || c.if_unmodified_since;

    *pin = (struct pc_condition){0};
    if (!any)
        return 0;
    if (!o) {
        pin->if_none_match = "*";
        return c.if_match ? (int)S3_EPRECONDITION : 0;
    }
    pin->if_match = o->etag;
    return cond_check(&c, o->etag, o->mtime.tv_sec) == COND_GO ? 0 : (int)S3_EPRECONDITION;
}

static int rename_from(struct s3 *s, const char *key, size_t len, const struct pc_object *from)
{
    struct pc_condition source, target;
    struct pc_object to;
    int rc = check(s, "x-amz-rename-source-", from, &source);
    int found = pc_object_head(s->gw->volume, s->bucket, s->key, s->key_len, &to);

    if (found < 0 && found != -ENOENT)
        return found;
    if (rc == 0)
        rc = check(s, "", found == 0 ? &to : NULL, &target);
    if (rc == 0)
        rc = pc_object_rename(s->gw->volume, s->bucket, key, len, &source, s->key, s->key_len,
                              &target);
    if (found == 0)
        pc_object_fini(&to);
    return rc;
}

int op_rename_object(struct s3 *s)
{
    struct pc_object from;
    const char *key = NULL;
    size_t len = 0;
    int rc = parse_source(s, &key, &len);

    if (rc == 0)
        rc = authz_key(s, "s3:DeleteObject", key, len);
    if (rc == 0)
        rc = pc_object_head(s->gw->volume, s->bucket, key, len, &from);
    if (rc < 0)
        return rc;
    rc = rename_from(s, key, len, &from);
    pc_object_fini(&from);
    if (rc == -EINVAL)
        return s3_fail(s, S3_EREQUEST, "Keys that end in / cannot be renamed");
    if (rc == 0)
        s->r->status = 200;
    return rc;
}
