/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets: list, create, delete, head, location. */
#include "s3/ops.h"
#include "s3/s3.h"

#include "pcloud/err.h"
#include "pcloud/history.h"
#include "s3/xml_in.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct listing {
    struct s3 *s;
    const char *prefix, *after;
    unsigned long max, count;
    char last[PC_BUCKET_MAX + 1];
};

static bool in_bounds(const struct s3 *s, const struct pc_bucket *b)
{
    return !*s->only_bucket || strcmp(s->only_bucket, b->name) == 0;
}

static int list_one(void *arg, const struct pc_bucket *b)
{
    struct listing *l = arg;
    struct buf *out = &l->s->r->reply_body;

    if (!access_owns(l->s, b) || !in_bounds(l->s, b) ||
        strncmp(b->name, l->prefix, strlen(l->prefix)) != 0 || strcmp(b->name, l->after) <= 0)
        return 0;
    if (l->count == l->max)
        return 1;
    xml_open(out, "Bucket");
    xml_str(out, "Name", b->name);
    xml_time(out, "CreationDate", &b->created);
    if (s3_param(l->s, "max-buckets"))
        xml_str(out, "BucketRegion", l->s->gw->region);
    xml_close(out, "Bucket");
    memcpy(l->last, b->name, sizeof l->last);
    l->count++;
    return 0;
}

int op_list_buckets(struct s3 *s)
{
    struct listing l = {.s = s, .prefix = "", .after = "", .max = 10000};
    const char *max = s3_param(s, "max-buckets"), *token = s3_param(s, "continuation-token");
    struct buf *b = &s->r->reply_body;
    long n;
    int rc;

    if (max) {
        rc = s3_number(s, max, 1, 10000, "max-buckets", &n);
        if (rc < 0)
            return rc;
        l.max = (unsigned long)n;
    }
    if (s3_param(s, "prefix"))
        l.prefix = s3_param(s, "prefix");
    if (token)
        l.after = token;
    xml_begin(b, "ListAllMyBucketsResult");
    buf_str(b, "<Owner>");
    xml_str(b, "ID", s->user.id);
    xml_str(b, "DisplayName", s->user.name);
    buf_str(b, "</Owner><Buckets>");
    rc = pc_bucket_list(s->gw->volume, list_one, &l);
    if (rc < 0)
        return rc;
    xml_close(b, "Buckets");
    if (*l.prefix)
        xml_str(b, "Prefix", l.prefix);
    if (rc > 0)
        xml_str(b, "ContinuationToken", l.last);
    xml_close(b, "ListAllMyBucketsResult");
    return s3_reply_xml(s);
}

struct constraint {
    char text[64];
};

static int on_constraint(void *arg, const char *path, const char *text, size_t len)
{
    struct constraint *c = arg;

    if (strcmp(path, "LocationConstraint") == 0)
        snprintf(c->text, sizeof c->text, "%.*s", (int)len, text);
    return 0;
}

static int check_location(struct s3 *s)
{
    struct constraint c = {""};
    int rc;

    if (s->xml.len == 0)
        return 0;
    rc = xml_read(s->xml.data, s->xml.len, "CreateBucketConfiguration", on_constraint, &c);
    if (rc < 0)
        return rc;
    if (*c.text && strcmp(c.text, s->gw->region) != 0)
        return s3_fail(s, S3_ELOCATION,
                       "The specified location-constraint is not valid; this endpoint is \"%s\"",
                       s->gw->region);
    return 0;
}

/* A bucket of that name is there: the owner's own is fine in the first region, as S3 has it, if its list is to stay private. */
static int already_there(struct s3 *s, const char *list)
{
    struct pc_bucket b;
    int rc = pc_bucket_get(s->gw->volume, s->bucket, &b);

    if (rc < 0)
        return rc == PC_ENOBUCKET ? S3_EBUCKETEXISTS : rc;
    if (strcmp(b.owner, s->user.name) != 0 && !(*b.owner == '\0' && s->user.role == PC_ROLE_ADMIN))
        return S3_EBUCKETEXISTS;
    if (strcmp(s->gw->region, "us-east-1") != 0)
        return S3_EBUCKETOWNED;
    return list || (b.settings & 1u << PC_SETTING_ACL) ? (int)S3_EBUCKETEXISTS : 0;
}

/* What a bucket is made with. A crash before it is kept leaves a bucket that is private. */
static int set_access(struct s3 *s, const char *list, enum ownership ownership)
{
    const char *name = ownership_name(ownership);
    int rc = 0;

    if (s3_header(s, "x-amz-object-ownership"))
        rc = pc_bucket_setting_set(s->gw->volume, s->bucket, PC_SETTING_OWNERSHIP, name,
                                   strlen(name));
    if (rc == 0 && list)
        rc = pc_bucket_setting_set(s->gw->volume, s->bucket, PC_SETTING_ACL, list, strlen(list));
    return rc;
}

static int create(struct s3 *s, const char *list, enum ownership ownership)
{
    int rc = pc_bucket_create(s->gw->volume, s->bucket, s->user.name);

    if (rc == PC_EBUCKETEXISTS)
        return already_there(s, list);
    return rc < 0 ? rc : set_access(s, list, ownership);
}

int op_create_bucket(struct s3 *s)
{
    const char *lock = s3_header(s, "x-amz-bucket-object-lock-enabled");
    enum ownership ownership;
    struct buf list;
    int rc = headers_refuse(s);

    if (rc < 0)
        return rc;
    rc = check_location(s);
    if (rc < 0)
        return rc;
    buf_init(&list, ACL_TEXT_MAX);
    rc = access_of_new_bucket(s, &list, &ownership);
    if (rc == 0)
        rc = create(s, list.len && strcmp(list.data, ACL_PRIVATE) != 0 ? list.data : NULL,
                    ownership);
    buf_fini(&list);
    if (rc == 0 && lock && strcasecmp(lock, "true") == 0) {
        rc = pc_versioning_set(s->gw->volume, s->bucket, PC_VERSIONING_ON);
        if (rc == 0)
            rc = pc_locking_set(s->gw->volume, s->bucket);
    }
    if (rc < 0)
        return rc;
    s->r->status = 200;
    req_reply_headerf(s->r, "Location", "/%s", s->bucket);
    return 0;
}

int op_delete_bucket(struct s3 *s)
{
    int rc = pc_bucket_delete(s->gw->volume, s->bucket);

    if (rc == 0)
        s->r->status = 204;
    return rc;
}

int op_head_bucket(struct s3 *s)
{
    s->r->status = 200;
    req_reply_header(s->r, "x-amz-bucket-region", s->gw->region);
    req_reply_header(s->r, "x-amz-access-point-alias", "false");
    req_reply_header(s->r, "Content-Type", "application/xml");
    return 0;
}

int op_bucket_location(struct s3 *s)
{
    struct buf *b = &s->r->reply_body;

    xml_begin(b, "LocationConstraint");
    if (strcmp(s->gw->region, "us-east-1") != 0)
        xml_text(b, s->gw->region, strlen(s->gw->region));
    xml_close(b, "LocationConstraint");
    return s3_reply_xml(s);
}
