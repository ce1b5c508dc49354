/* SPDX-License-Identifier: Apache-2.0 */
/* Access control lists in the form that is kept, and what they grant. */
#include "access/acl.h"

#include "pcloud/err.h"

#include <string.h>

#define GROUPS "http://acs.amazonaws.com/groups/"

static const struct {
    const char *grantee, *uri;
} groups[] = {
    {"*", GROUPS "global/AllUsers"},
    {"@", GROUPS "global/AuthenticatedUsers"},
    {"#", GROUPS "s3/LogDelivery"},
};

static const struct {
    enum acl_permission permission;
    const char *name;
} permissions[] = {
    {ACL_READ, "READ"},
    {ACL_WRITE, "WRITE"},
    {ACL_READ_ACP, "READ_ACP"},
    {ACL_WRITE_ACP, "WRITE_ACP"},
    {ACL_FULL_CONTROL, "FULL_CONTROL"},
};

/* The word at ${text} into ${out}; its length, 0 if there is none or it is too long. */
static size_t word(const char *text, char out[ACL_ID_MAX])
{
    size_t n = strcspn(text, " ");

    if (n == 0 || n >= ACL_ID_MAX)
        return 0;
    memcpy(out, text, n);
    out[n] = '\0';
    return n;
}

int acl_owner(const char *text, char ret[ACL_ID_MAX])
{
    return word(text, ret) ? 0 : PC_EFORMAT;
}

bool acl_next(const char *text, size_t *pos, struct acl_grant *ret)
{
    size_t n;

    text += *pos;
    if (*pos == 0) {
        n = strcspn(text, " ");
        text += n;
        *pos = n;
    }
    if (text[0] != ' ' || !text[1] || !memchr("rwRWf", text[1], 5))
        return false;
    n = word(text + 2, ret->grantee);
    if (n == 0)
        return false;
    ret->permission = (enum acl_permission)text[1];
    *pos += n + 2;
    return true;
}

void acl_start(struct buf *b, const char *owner)
{
    buf_reset(b);
    buf_str(b, owner);
}

void acl_add(struct buf *b, enum acl_permission permission, const char *grantee)
{
    buf_char(b, ' ');
    buf_char(b, (char)permission);
    buf_str(b, grantee);
}

static bool is_everybody(const char *grantee)
{
    return strcmp(grantee, "*") == 0 || strcmp(grantee, "@") == 0;
}

bool acl_is_public(const char *text)
{
    struct acl_grant g;

    for (size_t pos = 0; acl_next(text, &pos, &g);)
        if (is_everybody(g.grantee))
            return true;
    return false;
}

static bool is_grantee(const struct acl_grant *g, const struct acl_who *who)
{
    if (is_everybody(g->grantee))
        return !who->ignore_public && (*g->grantee == '*' || who->id);
    if (strcmp(g->grantee, ".") == 0)
        return who->bucket_owner;
    return who->id && strcmp(g->grantee, who->id) == 0;
}

bool acl_grants(const char *text, enum acl_permission permission, const struct acl_who *who)
{
    struct acl_grant g;

    for (size_t pos = 0; acl_next(text, &pos, &g);)
        if ((g.permission == permission || g.permission == ACL_FULL_CONTROL) && is_grantee(&g, who))
            return true;
    return false;
}

const char *acl_uri(const char *grantee)
{
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (strcmp(groups[i].grantee, grantee) == 0)
            return groups[i].uri;
    return NULL;
}

const char *acl_group(const char *uri)
{
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (strcmp(groups[i].uri, uri) == 0)
            return groups[i].grantee;
    return NULL;
}

const char *acl_permission_name(enum acl_permission p)
{
    for (size_t i = 0; i < sizeof permissions / sizeof permissions[0]; i++)
        if (permissions[i].permission == p)
            return permissions[i].name;
    return "";
}

int acl_permission_of(const char *name)
{
    for (size_t i = 0; i < sizeof permissions / sizeof permissions[0]; i++)
        if (strcmp(permissions[i].name, name) == 0)
            return (int)permissions[i].permission;
    return 0;
}

/* What a canned list grants besides the owner's full control: pairs of permission and grantee. */
static const struct {
    const char *name, *bucket, *object;
} canned[] = {
    {"private", "", ""},
    {"public-read", "r*", "r*"},
    {"public-read-write", "r*w*", "r*w*"},
    {"authenticated-read", "r@", "r@"},
    {"aws-exec-read", "", ""},
    {"bucket-owner-read", "", "r."},
    {"bucket-owner-full-control", "", "f."},
    {"log-delivery-write", "w#R#", NULL},
};

int acl_canned(struct buf *b, const char *name, enum acl_thing thing, const char *owner)
{
    for (size_t i = 0; i < sizeof canned / sizeof canned[0]; i++) {
        const char *more = thing == ACL_OF_BUCKET ? canned[i].bucket : canned[i].object;

        if (strcmp(canned[i].name, name) != 0 || !more)
            continue;
        acl_start(b, owner);
        acl_add(b, ACL_FULL_CONTROL, owner);
        for (; *more; more += 2)
            if (more[1] != '.' || strcmp(owner, ".") != 0)
                acl_add(b, (enum acl_permission)more[0], (char[]){more[1], '\0'});
        return b->err;
    }
    return PC_EFORMAT;
}
