/* SPDX-License-Identifier: Apache-2.0 */
/* What a bucket says about access. */
#include "access/access.h"

#include "access/policy_cache.h"
#include "pcloud/err.h"
#include "s3/s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void access_init(struct access *a, const struct pc_bucket *info)
{
    *a = (struct access){.info = info};
}

void access_fini(struct access *a)
{
    free(a->acl);
    policy_let_go(a->policy);
    *a = (struct access){.info = a->info};
}

/* The text of a setting; NULL if it is not kept or was looked at before. */
static int load(struct s3 *s, struct access *a, enum pc_setting which, char **ret, size_t *ret_len)
{
    int rc;

    *ret = NULL;
    *ret_len = 0;
    if (!(a->info->settings & 1u << which) || (a->loaded & 1u << which))
        return 0;
    rc = pc_bucket_setting_get(s->gw->volume, a->info->name, which, ret, ret_len);
    if (rc == -ENODATA) /* taken away just now */
        rc = 0;
    if (rc == 0)
        a->loaded |= 1u << which;
    return rc;
}

int access_acl(struct s3 *s, struct access *a, const char **ret)
{
    char *text;
    size_t len;
    int rc = load(s, a, PC_SETTING_ACL, &text, &len);

    if (rc < 0)
        return rc;
    if (text)
        a->acl = text;
    *ret = a->acl;
    return 0;
}

int access_policy(struct s3 *s, struct access *a, const struct policy **ret)
{
    const char *why = "";
    char *text;
    size_t len;
    int rc = load(s, a, PC_SETTING_POLICY, &text, &len);

    if (rc < 0)
        return rc;
    if (text)
        rc = policy_hold(a->info->name, text, len, &a->policy, &why);
    free(text);
    if (rc == -ENOMEM)
        return rc;
    if (rc < 0)
        return pc_err_set(PC_ECORRUPT, "bucket %s: the policy cannot be read: %s", a->info->name,
                          why);
    *ret = a->policy ? policy_held(a->policy) : NULL;
    return 0;
}

static const char *const ownerships[] = {"ObjectWriter", "BucketOwnerPreferred",
                                         "BucketOwnerEnforced"};

const char *ownership_name(enum ownership o)
{
    return ownerships[o];
}

int ownership_of(const char *name)
{
    for (int i = 0; i < 3; i++)
        if (strcmp(ownerships[i], name) == 0)
            return i;
    return S3_EXML;
}

int access_ownership(struct s3 *s, struct access *a, enum ownership *ret)
{
    char *text;
    size_t len;
    int rc = load(s, a, PC_SETTING_OWNERSHIP, &text, &len), found;

    if (rc < 0)
        return rc;
    if (text) {
        found = ownership_of(text);
        free(text);
        if (found < 0)
            return pc_err_set(PC_ECORRUPT, "bucket %s: the ownership controls cannot be read",
                              a->info->name);
        a->ownership = (enum ownership)found;
    }
    *ret = a->ownership;
    return 0;
}

int access_block(struct s3 *s, struct access *a, unsigned *ret)
{
    char *text;
    size_t len;
    int rc = load(s, a, PC_SETTING_PUBLIC_BLOCK, &text, &len);

    if (rc < 0)
        return rc;
    if (text) {
        a->block = BLOCK_SET;
        for (unsigned i = 0; i < 4; i++) /* what cannot be read blocks */
            if (i >= len || text[i] != '0')
                a->block |= 1u << i;
        free(text);
    }
    *ret = a->block;
    return 0;
}

bool access_owns(const struct s3 *s, const struct pc_bucket *info)
{
    if (s->anonymous)
        return false;
    return s->user.role == PC_ROLE_ADMIN || strcmp(info->owner, s->user.name) == 0;
}

struct search {
    const char *id;
    struct pc_user *ret;
};

static int compare(void *arg, const struct pc_user *u)
{
    struct search *search = arg;

    if (strcmp(u->id, search->id) != 0)
        return 0;
    *search->ret = *u;
    return 1;
}

void access_user(struct s3 *s, const char *id, struct pc_user *ret)
{
    struct search search = {id, ret};

    if (strcmp(id, ".") == 0) {
        s3_owner(s, s->info.owner, ret);
        return;
    }
    if (strcmp(id, s->user.id) == 0) {
        *ret = s->user;
        return;
    }
    *ret = (struct pc_user){0};
    if (pc_user_list(s->gw->volume, compare, &search) <= 0)
        snprintf(ret->id, sizeof ret->id, "%s", id);
}
