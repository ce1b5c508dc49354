/* SPDX-License-Identifier: Apache-2.0 */
/* Policies, ownership controls and the block of public access: getting, setting, taking away. */
#include "access/access.h"

#include "pcloud/err.h"
#include "policy/policy.h"
#include "s3/ops.h"
#include "s3/s3.h"
#include "s3/xml_in.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int set(struct s3 *s, enum pc_setting which, const char *data, size_t len, unsigned status)
{
    int rc = pc_bucket_setting_set(s->gw->volume, s->bucket, which, data, len);

    if (rc == 0)
        s->r->status = status;
    return rc;
}

int op_get_bucket_policy(struct s3 *s)
{
    char *text;
    size_t len;
    int rc = pc_bucket_setting_get(s->gw->volume, s->bucket, PC_SETTING_POLICY, &text, &len);

    if (rc < 0)
        return rc == -ENODATA ? (int)S3_ENOBUCKETPOLICY : rc;
    buf_add(&s->r->reply_body, text, len);
    free(text);
    s->r->status = 200;
    req_reply_header(s->r, "Content-Type", "application/json");
    return s->r->reply_body.err;
}

int op_put_bucket_policy(struct s3 *s)
{
    const char *why = "";
    struct policy *p;
    unsigned block;
    int rc = access_block(s, &s->access, &block);

    if (rc < 0)
        return rc;
    if (s->xml.len == 0)
        return S3_EMISSINGBODY;
    rc = policy_parse(s->xml.data, s->xml.len, s->bucket, &p, &why);
    if (rc == PC_EFORMAT)
        return s3_fail(s, S3_EPOLICY, "%s", why);
    if (rc == PC_ELIMIT)
        return s3_fail(s, S3_EPOLICY, "The policy is over a limit: %u bytes, %d statements",
                       POLICY_MAX, POLICY_STATEMENTS_MAX);
    if (rc < 0)
        return rc;
    rc = (block & BLOCK_POLICY) && policy_is_public(p) ? (int)S3_EACCESS : 0;
    policy_free(p);
    return rc < 0 ? rc : set(s, PC_SETTING_POLICY, s->xml.data, s->xml.len, 204);
}

int op_delete_bucket_policy(struct s3 *s)
{
    return set(s, PC_SETTING_POLICY, NULL, 0, 204);
}

/* By its policy, or by a list that counts. */
static int is_public(struct s3 *s, bool *ret)
{
    const struct policy *policy = NULL;
    enum ownership ownership = OWNERSHIP_WRITER;
    const char *list = NULL;
    unsigned block = 0;
    int rc = access_policy(s, &s->access, &policy);

    if (rc == 0)
        rc = access_acl(s, &s->access, &list);
    if (rc == 0)
        rc = access_block(s, &s->access, &block);
    if (rc == 0)
        rc = access_ownership(s, &s->access, &ownership);
    *ret =
        (policy && policy_is_public(policy)) ||
        (list && acl_is_public(list) && !(block & BLOCK_IGNORE) && ownership != OWNERSHIP_ENFORCED);
    return rc;
}

int op_bucket_policy_status(struct s3 *s)
{
    struct buf *b = &s->r->reply_body;
    bool public;
    int rc = is_public(s, &public);

    if (rc < 0)
        return rc;
    xml_begin(b, "PolicyStatus");
    xml_str(b, "IsPublic", public ? "true" : "false");
    xml_close(b, "PolicyStatus");
    return s3_reply_xml(s);
}

int op_get_ownership(struct s3 *s)
{
    struct buf *b = &s->r->reply_body;
    enum ownership ownership;
    int rc = access_ownership(s, &s->access, &ownership);

    if (rc < 0)
        return rc;
    if (!(s->info.settings & 1u << PC_SETTING_OWNERSHIP))
        return S3_ENOOWNERSHIP;
    xml_begin(b, "OwnershipControls");
    xml_open(b, "Rule");
    xml_str(b, "ObjectOwnership", ownership_name(ownership));
    xml_close(b, "Rule");
    xml_close(b, "OwnershipControls");
    return s3_reply_xml(s);
}

static int take_ownership(void *arg, const char *path, const char *text, size_t len)
{
    int *ret = arg;

    (void)len;
    if (strcmp(path, "Rule") == 0)
        return 0;
    if (strcmp(path, "Rule/ObjectOwnership") != 0 || *ret >= 0)
        return S3_EXML;
    *ret = ownership_of(text);
    return *ret < 0 ? *ret : 0;
}

int op_put_ownership(struct s3 *s)
{
    const char *list, *name;
    int ownership = -1, rc;

    rc = xml_read(buf_text(&s->xml), s->xml.len, "OwnershipControls", take_ownership, &ownership);
    if (rc == 0)
        rc = access_acl(s, &s->access, &list);
    if (rc < 0)
        return rc;
    if (ownership < 0)
        return S3_EXML;
    if (ownership == OWNERSHIP_ENFORCED && list)
        return S3_EBUCKETACL;
    name = ownership_name((enum ownership)ownership);
    return set(s, PC_SETTING_OWNERSHIP, name, strlen(name), 200);
}

int op_delete_ownership(struct s3 *s)
{
    return set(s, PC_SETTING_OWNERSHIP, NULL, 0, 204);
}

static const char *const switches[] = {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy",
                                       "RestrictPublicBuckets"};

int op_get_public_block(struct s3 *s)
{
    struct buf *b = &s->r->reply_body;
    unsigned block;
    int rc = access_block(s, &s->access, &block);

    if (rc < 0)
        return rc;
    if (!(block & BLOCK_SET))
        return S3_ENOPUBLICBLOCK;
    xml_begin(b, "PublicAccessBlockConfiguration");
    for (unsigned i = 0; i < 4; i++)
        xml_str(b, switches[i], block & 1u << i ? "true" : "false");
    xml_close(b, "PublicAccessBlockConfiguration");
    return s3_reply_xml(s);
}

static int take_switch(void *arg, const char *path, const char *text, size_t len)
{
    char *digits = arg;

    (void)len;
    for (unsigned i = 0; i < 4; i++)
        if (strcmp(path, switches[i]) == 0) {
            bool on = strcasecmp(text, "true") == 0;

            if (!on && strcasecmp(text, "false") != 0)
                return S3_EXML;
            digits[i] = on ? '1' : '0';
            return 0;
        }
    return S3_EXML;
}

int op_put_public_block(struct s3 *s)
{
    char digits[] = "0000";
    int rc = xml_read(buf_text(&s->xml), s->xml.len, "PublicAccessBlockConfiguration", take_switch,
                      digits);

    return rc < 0 ? rc : set(s, PC_SETTING_PUBLIC_BLOCK, digits, 4, 200);
}

int op_delete_public_block(struct s3 *s)
{
    return set(s, PC_SETTING_PUBLIC_BLOCK, NULL, 0, 204);
}
