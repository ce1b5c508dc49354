/* SPDX-License-Identifier: Apache-2.0 */
/* Access control lists from headers and XML. */
#include "access/access.h"

#include "pcloud/err.h"
#include "s3/s3.h"
#include "s3/xml_in.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct search {
    const char *email;
    struct pc_user *ret;
};

static int compare(void *arg, const struct pc_user *u)
{
    struct search *search = arg;

    if (!*u->email || strcasecmp(u->email, search->email) != 0)
        return 0;
    *search->ret = *u;
    return 1;
}

/* The grantee of an id; the bucket's owner is "." so that they stay it when the bucket changes hands. */
static int grantee_of_id(struct s3 *s, const char *id, char ret[ACL_ID_MAX])
{
    struct pc_user u;

    access_user(s, ".", &u);
    if (*id && strcmp(u.id, id) == 0) {
        memcpy(ret, ".", 2);
        return 0;
    }
    if (strlen(id) < ACL_ID_MAX)
        access_user(s, id, &u);
    if (strlen(id) >= ACL_ID_MAX || !*u.name || strcmp(u.id, id) != 0) {
        s3_extra(s, "ArgumentName", "CanonicalUser/ID");
        s3_extra(s, "ArgumentValue", id);
        return s3_fail(s, S3_EARGUMENT, "Invalid id");
    }
    memcpy(ret, id, strlen(id) + 1);
    return 0;
}

static int grantee_of_email(struct s3 *s, const char *email, char ret[ACL_ID_MAX])
{
    struct pc_user u = {.name = ""};
    struct search search = {email, &u};
    int rc = pc_user_list(s->gw->volume, compare, &search);

    if (rc < 0)
        return rc;
    if (rc == 0)
        return S3_EEMAIL;
    return grantee_of_id(s, u.id, ret);
}

static int grantee_of_uri(struct s3 *s, const char *uri, char ret[ACL_ID_MAX])
{
    const char *group = acl_group(uri);

    if (!group)
        return s3_fail(s, S3_EARGUMENT, "Invalid group uri");
    memcpy(ret, group, 2);
    return 0;
}

static int add_grant(struct s3 *s, struct buf *out, size_t *count, enum acl_permission permission,
                     const char *grantee)
{
    if (++*count > ACL_GRANTS_MAX)
        return s3_fail(s, S3_EARGUMENT, "An access control list has at most %d grants",
                       ACL_GRANTS_MAX);
    acl_add(out, permission, grantee);
    return out->err;
}

/* One 'type="value"' of a header. */
static int read_pair(struct s3 *s, char *pair, char ret[ACL_ID_MAX])
{
    char *value = strchr(pair, '='), *end;

    if (value) {
        *value++ = '\0';
        end = value + strlen(value);
        while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
            *--end = '\0';
        if (end - value >= 2 && *value == '"' && end[-1] == '"') {
            end[-1] = '\0';
            value++;
        }
        if (strcasecmp(pair, "id") == 0)
            return grantee_of_id(s, value, ret);
        if (strcasecmp(pair, "uri") == 0)
            return grantee_of_uri(s, value, ret);
        if (strcasecmp(pair, "emailAddress") == 0)
            return grantee_of_email(s, value, ret);
    }
    return s3_fail(s, S3_EARGUMENT, "Argument format not recognized");
}

static int read_grants(struct s3 *s, const char *value, enum acl_permission permission,
                       size_t *count, struct buf *out)
{
    char *copy = req_dup(s->r, value, strlen(value)), grantee[ACL_ID_MAX];
    int rc = copy ? 0 : -ENOMEM;

    while (rc == 0 && copy) {
        char *next = strchr(copy, ',');

        if (next)
            *next++ = '\0';
        copy += strspn(copy, " \t");
        rc = read_pair(s, copy, grantee);
        if (rc == 0)
            rc = add_grant(s, out, count, permission, grantee);
        copy = next;
    }
    return rc;
}

static const struct {
    const char *name;
    enum acl_permission permission;
} grant_headers[] = {
    {"x-amz-grant-read", ACL_READ},
    {"x-amz-grant-write", ACL_WRITE},
    {"x-amz-grant-read-acp", ACL_READ_ACP},
    {"x-amz-grant-write-acp", ACL_WRITE_ACP},
    {"x-amz-grant-full-control", ACL_FULL_CONTROL},
};
#define GRANT_HEADERS (sizeof grant_headers / sizeof grant_headers[0])

int access_wish(struct s3 *s, enum acl_thing thing, const char *owner, struct buf *out)
{
    const char *canned = s3_header(s, "x-amz-acl");
    size_t count = 0;
    int rc = 0;

    buf_reset(out);
    for (size_t i = 0; rc == 0 && i < GRANT_HEADERS; i++) {
        const char *value = s3_header(s, grant_headers[i].name);

        if (!value || !*value)
            continue;
        if (canned)
            return s3_fail(s, S3_EREQUEST,
                           "Specifying both Canned ACLs and Header Grants is not allowed");
        if (count == 0)
            acl_start(out, owner);
        rc = read_grants(s, value, grant_headers[i].permission, &count, out);
    }
    if (rc < 0 || !canned)
        return rc;
    rc = acl_canned(out, canned, thing, owner);
    if (rc == PC_EFORMAT) {
        s3_extra(s, "ArgumentName", "x-amz-acl");
        s3_extra(s, "ArgumentValue", canned);
        return s3_fail(s, S3_EARGUMENT, "The x-amz-acl value is none of the canned lists");
    }
    return rc;
}

struct document {
    struct s3 *s;
    struct buf *out;
    size_t count;
    char owner[ACL_ID_MAX]; /* as it came */
    char grantee[ACL_ID_MAX];
    int permission;
};

static int take(void *arg, const char *path, const char *text, size_t len)
{
    struct document *d = arg;
    static const char grant[] = "AccessControlList/Grant";
    const char *rest = path + sizeof grant - 1;

    if (strcmp(path, "Owner/ID") == 0) {
        if (len >= sizeof d->owner)
            return S3_EACCESS;
        memcpy(d->owner, text, len + 1);
        return 0;
    }
    if (strncmp(path, grant, sizeof grant - 1) != 0)
        return strncmp(path, "Owner", 5) == 0 || strcmp(path, "AccessControlList") == 0
                   ? 0
                   : (int)S3_EACLXML;
    if (strcmp(rest, "/Grantee/ID") == 0)
        return grantee_of_id(d->s, text, d->grantee);
    if (strcmp(rest, "/Grantee/URI") == 0)
        return grantee_of_uri(d->s, text, d->grantee);
    if (strcmp(rest, "/Grantee/EmailAddress") == 0)
        return grantee_of_email(d->s, text, d->grantee);
    if (strcmp(rest, "/Permission") == 0) {
        d->permission = acl_permission_of(text);
        return d->permission ? 0 : (int)S3_EACLXML;
    }
    if (*rest)
        return strcmp(rest, "/Grantee") == 0 || strcmp(rest, "/Grantee/DisplayName") == 0
                   ? 0
                   : (int)S3_EACLXML;
    if (!*d->grantee || !d->permission)
        return S3_EACLXML;
    len = strlen(d->grantee);
    if (add_grant(d->s, d->out, &d->count, (enum acl_permission)d->permission, d->grantee) < 0)
        return S3_EARGUMENT;
    *d->grantee = '\0';
    d->permission = 0;
    return 0;
}

int access_body(struct s3 *s, const char *owner, struct buf *out)
{
    struct document d = {.s = s, .out = out};
    struct pc_user u;
    int rc;

    acl_start(out, owner);
    rc = xml_read(buf_text(&s->xml), s->xml.len, "AccessControlPolicy", take, &d);
    if (rc == S3_EXML)
        rc = S3_EACLXML;
    if (rc < 0)
        return rc;
    if (!*d.owner)
        return S3_EACLXML;
    access_user(s, owner, &u);
    return strcmp(u.id, d.owner) == 0 ? 0 : (int)S3_EACCESS;
}

int access_may_set(struct s3 *s, const char *list)
{
    unsigned block;
    int rc = access_block(s, &s->access, &block);

    if (rc < 0)
        return rc;
    return (block & BLOCK_ACLS) && acl_is_public(list) ? (int)S3_EACCESS : 0;
}

static bool wishes(struct s3 *s)
{
    for (size_t i = 0; i < GRANT_HEADERS; i++)
        if (s3_header(s, grant_headers[i].name))
            return true;
    return s3_header(s, "x-amz-acl") != NULL;
}

static bool gives_all(struct s3 *s)
{
    const char *canned = s3_header(s, "x-amz-acl");

    return canned && strcmp(canned, "bucket-owner-full-control") == 0;
}

/* Nothing was asked for, or it comes to the same: the object needs no list of its own. */
static int keep_list(struct s3 *s, const char *owner, struct buf *list)
{
    int rc = list->err;

    if (rc == 0 && list->len == 0)
        rc = acl_canned(list, "private", ACL_OF_OBJECT, owner);
    if (rc == 0)
        rc = access_may_set(s, list->data);
    if (rc < 0)
        return rc == PC_ELIMIT ? (int)S3_EARGUMENT : rc;
    if (strcmp(list->data, ACL_PRIVATE) == 0)
        return 0;
    s->acl = req_dup(s->r, list->data, list->len);
    return s->acl ? 0 : -ENOMEM;
}

int access_of_new(struct s3 *s)
{
    bool others = !s->anonymous && !access_owns(s, &s->info);
    const char *owner = others ? s->user.id : ".";
    enum ownership ownership;
    struct buf list;
    int rc;

    s->acl = NULL;
    if (!others && !wishes(s))
        return 0;
    rc = access_ownership(s, &s->access, &ownership);
    if (rc < 0)
        return rc;
    if (ownership == OWNERSHIP_ENFORCED)
        return wishes(s) && !gives_all(s) ? (int)S3_EACLUNSUPPORTED : 0;
    if (ownership == OWNERSHIP_PREFERRED && gives_all(s))
        return 0;
    buf_init(&list, ACL_TEXT_MAX);
    rc = access_wish(s, ACL_OF_OBJECT, owner, &list);
    if (rc == 0)
        rc = keep_list(s, owner, &list);
    buf_fini(&list);
    return rc;
}

int access_of_new_bucket(struct s3 *s, struct buf *out, enum ownership *ret)
{
    const char *ownership = s3_header(s, "x-amz-object-ownership");
    int rc;

    *ret = OWNERSHIP_WRITER;
    if (ownership) {
        rc = ownership_of(ownership);
        if (rc < 0)
            return s3_fail(s, S3_EARGUMENT, "Invalid x-amz-object-ownership header: %s", ownership);
        *ret = (enum ownership)rc;
    }
    rc = access_wish(s, ACL_OF_BUCKET, ".", out);
    if (rc == 0 && *ret == OWNERSHIP_ENFORCED && out->len && strcmp(out->data, ACL_PRIVATE) != 0)
        return S3_EBUCKETACL;
    return rc;
}
