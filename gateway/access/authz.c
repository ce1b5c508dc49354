/* SPDX-License-Identifier: Apache-2.0 */
/* The decision: may who asks do this? */
#include "access/authz.h"

#include "access/acl.h"
#include "history/history.h"
#include "pcloud/err.h"
#include "pcloud/log.h"
#include "s3/s3.h"
#include "settings/tagging.h"

#include <stdio.h>
#include <string.h>

struct matter { /* what is to be decided */
    struct access *access;
    const char *action;
    char acl;        /* permission of the lists, or 0 */
    const char *key; /* NULL: the bucket */
    size_t len;
    const struct pc_object *object; /* NULL: not about one that is there */
    const char *prefix;             /* of listing, if it is not the parameter */
    size_t prefix_len;
};

static int ask_policy(struct s3 *s, const struct matter *m, enum policy_effect *ret)
{
    struct question q = {s, m->access, m->object, m->prefix, m->prefix_len};
    struct policy_request r = {
        .action = m->action,
        .bucket = m->access->info->name,
        .key = m->key,
        .key_len = m->len,
        .anonymous = s->anonymous,
        .user = s->user.name,
        .id = s->user.id,
        .value = fact_value,
        .arg = &q,
    };
    const struct policy *p;
    unsigned block;
    int rc = access_policy(s, m->access, &p);

    *ret = POLICY_SILENT;
    if (rc < 0 || !p)
        return rc;
    *ret = policy_evaluate(p, &r);
    if (*ret != POLICY_ALLOW)
        return 0;
    rc = access_block(s, m->access, &block);
    if (rc == 0 && (block & BLOCK_RESTRICT) && policy_is_public(p))
        *ret = POLICY_SILENT;
    return rc;
}

/* The owner can always mend a policy that locks everybody out. */
static bool mends_policy(const struct matter *m)
{
    static const char *const names[] = {"s3:GetBucketPolicy", "s3:PutBucketPolicy",
                                        "s3:DeleteBucketPolicy"};

    for (size_t i = 0; i < 3; i++)
        if (strcmp(m->action, names[i]) == 0)
            return true;
    return false;
}

static int ask_list(struct s3 *s, const struct matter *m, const char *list)
{
    struct acl_who who = {.id = s->anonymous ? NULL : s->user.id,
                          .bucket_owner = access_owns(s, m->access->info)};
    enum ownership ownership;
    unsigned block;
    int rc;

    if (!m->acl || !list)
        return S3_EACCESS;
    rc = access_ownership(s, m->access, &ownership);
    if (rc < 0 || ownership == OWNERSHIP_ENFORCED)
        return rc < 0 ? rc : (int)S3_EACCESS;
    rc = access_block(s, m->access, &block);
    if (rc < 0)
        return rc;
    who.ignore_public = block & BLOCK_IGNORE;
    return acl_grants(list, (enum acl_permission)m->acl, &who) ? 0 : (int)S3_EACCESS;
}

/* Whose an object is: the bucket's owner's unless its list says another and counts. */
static int object_owner(struct s3 *s, const struct matter *m, char ret[ACL_ID_MAX])
{
    const char *list = pc_headers_get(&m->object->headers, "acl");
    enum ownership ownership;
    int rc;

    memcpy(ret, ".", 2);
    if (!list)
        return 0;
    rc = access_ownership(s, m->access, &ownership);
    if (rc < 0 || ownership == OWNERSHIP_ENFORCED)
        return rc;
    rc = acl_owner(list, ret);
    return rc < 0 ? pc_err_set(PC_ECORRUPT, "bucket %s: an object's list cannot be read",
                               m->access->info->name)
                  : 0;
}

static int decide(struct s3 *s, const struct matter *m)
{
    bool owner = access_owns(s, m->access->info), admin = owner && s->user.role == PC_ROLE_ADMIN;
    char object[ACL_ID_MAX] = ".";
    enum policy_effect effect;
    const char *list;
    int rc;

    if (*s->only_bucket && strcmp(s->only_bucket, m->access->info->name) != 0)
        return S3_EACCESS;
    rc = ask_policy(s, m, &effect);
    if (rc < 0)
        return owner && mends_policy(m) ? 0 : rc;
    if (effect == POLICY_DENY && !(owner && mends_policy(m)))
        return S3_EACCESS;
    if (admin)
        return 0;
    if (m->object)
        rc = object_owner(s, m, object);
    if (rc < 0)
        return rc;
    if (strcmp(object, ".") == 0) {
        if (owner || effect == POLICY_ALLOW)
            return 0;
    } else if (!s->anonymous && strcmp(object, s->user.id) == 0) {
        return 0;
    }
    if (m->object)
        return ask_list(s, m, pc_headers_get(&m->object->headers, "acl"));
    rc = access_acl(s, m->access, &list);
    return rc < 0 ? rc : ask_list(s, m, list);
}

static const char *with_version(struct s3 *s, const struct action *a)
{
    const char *id = s3_param(s, "versionId");

    return id && *id && a->version ? a->version : a->name;
}

/* The bucket as it is now, and whether it is who the client thinks it is. */
static int find_bucket(struct s3 *s)
{
    const char *expected = s3_header(s, "x-amz-expected-bucket-owner");
    struct pc_user u;
    int rc = pc_bucket_get(s->gw->volume, s->bucket, &s->info);

    if (rc == PC_EBUCKETNAME)
        rc = PC_ENOBUCKET;
    if (rc < 0)
        return rc;
    if (!expected)
        return 0;
    s3_owner(s, s->info.owner, &u);
    return strcmp(u.id, expected) == 0 ? 0 : (int)S3_EACCESS;
}

/* Codes that tell what there is under a key. */
static bool is_absent(int rc)
{
    return rc == -ENOENT || rc == -ENOTDIR || rc == PC_ENOVERSION || rc == S3_EMETHOD;
}

/* Of operations that do not look at the object themselves. */
static int decide_stored(struct s3 *s, struct matter *m)
{
    struct pc_object o;
    int rc;

    if (access_owns(s, &s->info) && !(s->info.settings & 1u << PC_SETTING_POLICY))
        return decide(s, m);
    rc = history_head(s, &o);
    if (rc < 0)
        return is_absent(rc) ? decide(s, m) : rc;
    m->object = &o;
    rc = decide(s, m);
    pc_object_fini(&o);
    return rc;
}

/* Who began an upload may look at it and end it, unless the policy denies it. */
static int decide_upload(struct s3 *s, const struct matter *m)
{
    const char *id = s3_param(s, "uploadId");
    enum policy_effect effect = POLICY_SILENT;
    struct pc_upload u;
    int rc = decide(s, m), found;

    if (rc != S3_EACCESS || s->anonymous || !id ||
        (*s->only_bucket && strcmp(s->only_bucket, s->bucket) != 0))
        return rc;
    found = ask_policy(s, m, &effect);
    if (found < 0 || effect == POLICY_DENY)
        return found < 0 ? found : rc;
    found = pc_upload_get(s->gw->volume, s->bucket, s->key, s->key_len, id, &u);
    if (found < 0)
        return found == PC_ENOUPLOAD ? rc : found;
    if (strcmp(u.owner, s->user.name) == 0)
        rc = 0;
    pc_upload_fini(&u);
    return rc;
}

static int decide_about(struct s3 *s, enum about about, struct matter *m)
{
    switch (about) {
    case ABOUT_STORED:
        return decide_stored(s, m);
    case ABOUT_UPLOAD:
        return decide_upload(s, m);
    default:
        return decide(s, m);
    }
}

/* An object that is made with a lock needs leave for that as well. */
static int decide_lock(struct s3 *s)
{
    struct matter m = {.access = &s->access, .key = s->key, .len = s->key_len};
    int rc = 0;

    if (s3_header(s, "x-amz-object-lock-mode") ||
        s3_header(s, "x-amz-object-lock-retain-until-date")) {
        m.action = "s3:PutObjectRetention";
        rc = decide(s, &m);
    }
    if (rc == 0 && s3_header(s, "x-amz-object-lock-legal-hold")) {
        m.action = "s3:PutObjectLegalHold";
        rc = decide(s, &m);
    }
    return rc;
}

static int authz_bucket(struct s3 *s, const struct action *a)
{
    struct matter m = {.access = &s->access};
    char *name;
    int rc;

    if (a && (a->about == ABOUT_OBJECT || a->about == ABOUT_KEYS || a->about == ABOUT_FORM)) {
        s->authz = AUTHZ_DUE;
        return *s->only_bucket && strcmp(s->only_bucket, s->bucket) != 0 ? (int)S3_EACCESS : 0;
    }
    if (s->level == S3_OBJECT) {
        m.key = s->key;
        m.len = s->key_len;
    }
    if (!a) {
        name = req_print(s->r, "s3:%s", s->op->name);
        if (!name)
            return -ENOMEM;
        m.action = name;
        return decide(s, &m);
    }
    m.action = with_version(s, a);
    m.acl = a->acl;
    if (a->about == ABOUT_KEY && m.action == a->version)
        m.acl = 0; /* no list lets anybody change the past */
    rc = decide_about(s, a->about, &m);
    return rc == 0 && a->about == ABOUT_KEY ? decide_lock(s) : rc;
}

int authz_request(struct s3 *s)
{
    const struct action *a = action_of(s->op->name);
    int rc;

    s->authz = AUTHZ_DONE;
    s->access.action = a;
    if (s->read_only && s->op->right != S3_READ)
        return S3_EACCESS;
    if (s->level != S3_SERVICE && s->op->right != S3_CREATE)
        return (rc = find_bucket(s)) < 0 ? rc : authz_bucket(s, a);
    if (s->anonymous)
        return S3_EACCESS;
    return s->op->right == S3_CREATE && *s->only_bucket ? (int)S3_EACCESS : 0;
}

int authz_object(struct s3 *s, const struct pc_object *o)
{
    const struct action *a = s->access.action;
    struct matter m = {.access = &s->access, .key = s->key, .len = s->key_len, .object = o};

    s->authz = AUTHZ_DONE;
    if (!a)
        return S3_EACCESS;
    m.action = with_version(s, a);
    m.acl = a->acl;
    return decide(s, &m);
}

/* Only who may list a key may know that it is not there. */
static int decide_missing(struct s3 *s, struct access *a, const char *key, size_t len)
{
    struct matter m = {
        .access = a, .action = "s3:ListBucket", .acl = ACL_READ, .prefix = key, .prefix_len = len};
    int rc = decide(s, &m);

    return rc == 0 ? -ENOENT : rc;
}

int authz_missing(struct s3 *s, int rc)
{
    int may;

    s->authz = AUTHZ_DONE;
    if (!is_absent(rc))
        return rc;
    may = decide_missing(s, &s->access, s->key, s->key_len);
    return may == -ENOENT ? rc : may;
}

int authz_source(struct s3 *s, struct access *a, const struct source *from,
                 const struct pc_object *o)
{
    struct matter m = {.access = a,
                       .action = from->version ? "s3:GetObjectVersion" : "s3:GetObject",
                       .acl = ACL_READ,
                       .key = from->key,
                       .len = from->len,
                       .object = o};
    const char *expected = s3_header(s, "x-amz-source-expected-bucket-owner");
    struct pc_user u;

    if (expected) {
        s3_owner(s, a->info->owner, &u);
        if (strcmp(u.id, expected) != 0)
            return S3_EACCESS;
    }
    return o ? decide(s, &m) : decide_missing(s, a, from->key, from->len);
}

int authz_key(struct s3 *s, const char *action, const char *key, size_t len)
{
    struct matter m = {.access = &s->access, .action = action, .key = key, .len = len};

    if (strcmp(action, "s3:DeleteObjectVersion") != 0) /* no list lets anybody change the past */
        m.acl = ACL_WRITE;
    s->authz = AUTHZ_DONE;
    return decide(s, &m);
}

bool authz_bypass(struct s3 *s, const char *key, size_t len)
{
    struct matter m = {
        .access = &s->access, .action = "s3:BypassGovernanceRetention", .key = key, .len = len};

    return decide(s, &m) == 0;
}

int authz_body(struct s3 *s)
{
    struct tags tags;
    struct buf packed;
    int rc;

    if (strcmp(s->op->name, "PutObjectTagging") != 0 ||
        !(s->info.settings & 1u << PC_SETTING_POLICY))
        return 0;
    rc = tags_from_xml(s, buf_text(&s->xml), s->xml.len, TAGS_OBJECT_MAX, &tags);
    if (rc < 0)
        return rc;
    buf_init(&packed, PC_META_MAX);
    tags_pack(&tags, &packed);
    s->access.tags = req_dup(s->r, buf_text(&packed), packed.len);
    rc = packed.err ? packed.err : s->access.tags ? 0 : -ENOMEM;
    buf_fini(&packed);
    return rc < 0 ? rc : authz_bucket(s, s->access.action);
}

int authz_form(struct s3 *s)
{
    int rc;

    if (s->read_only)
        return S3_EACCESS;
    rc = authz_key(s, "s3:PutObject", s->key, s->key_len);
    return rc < 0 ? rc : decide_lock(s);
}

bool authz_settled(const struct s3 *s)
{
    if (s->authz == AUTHZ_DONE)
        return true;
    pc_log(PC_LOG_ERROR, "s3.undecided", "%s was about to answer without a decision", s->op->name);
    return false;
}
