/* SPDX-License-Identifier: Apache-2.0 */
/* The decision: may who asks do this? In order: the key's own bounds, a denial of the policy, role and ownership, what the policy allows, lists. */
#ifndef GATEWAY_AUTHZ_H
#define GATEWAY_AUTHZ_H

#include "access/access.h"
#include "pcloud/object.h"
#include "policy/policy.h"

/* What an action is about. */
enum about {
    ABOUT_SERVICE,
    ABOUT_NEW_BUCKET,
    ABOUT_BUCKET,
    ABOUT_KEY, /* writing or removing under a key: the bucket's owner says who may */
    ABOUT_OBJECT, /* an object that is there: its owner says who may. The operation calls authz_object with it. */
    ABOUT_STORED, /* the same, looked up here: for operations that do not look themselves */
    ABOUT_UPLOAD, /* one that is under way: also who began it may */
    ABOUT_KEYS,   /* of the body: the operation calls authz_key for each */
    ABOUT_FORM,   /* who asks stands in the body: the operation calls authz_form */
};

struct action {
    const char *operation;
    const char *name;    /* of the policy's action */
    const char *version; /* the action with a version id, or NULL: the same */
    enum about about;
    char acl; /* the enum acl_permission that grants it, of the bucket or the object; 0: none */
};

/* action.c */
/** action_of(operation): its row, or NULL: an action of the operation's own name that only the bucket's owner may. */
const struct action *action_of(const char *operation);

/* authz.c */
/** authz_request(s): before the body is taken; finds the bucket. 0, S3_EACCESS, PC_ENOBUCKET and others. */
int authz_request(struct s3 *s);

/** authz_object(s, o): with the object that was opened, before anything of it is told. 0 or S3_EACCESS. */
int authz_object(struct s3 *s, const struct pc_object *o);
/** authz_missing(s, rc): the code for looking up the key in vain: -ENOENT only for those who may list it; other codes stay. */
int authz_missing(struct s3 *s, int rc);

/** authz_source(s, a, from, o): may the object be read as the source of a copy? ${o} NULL: it is not there; then -ENOENT or S3_EACCESS. */
struct source {
    const char *key, *version; /* version: NULL if none is named */
    size_t len;
};
int authz_source(struct s3 *s, struct access *a, const struct source *from,
                 const struct pc_object *o);

/** authz_key(s, action, key, len): may ${action} ("s3:DeleteObject") be done under that key? */
int authz_key(struct s3 *s, const char *action, const char *key, size_t len);

/** authz_bypass(s, key, len): may who asks break a lock in governance mode? */
bool authz_bypass(struct s3 *s, const char *key, size_t len);

/** authz_body(s): the body has come: was what it says allowed? Only where a policy may ask for it. */
int authz_body(struct s3 *s);

/** authz_form(s): a form has said who asks and for which key: may they put it? */
int authz_form(struct s3 *s);

/** authz_settled(s): was everything decided that had to be? Asked before a reply goes out. */
bool authz_settled(const struct s3 *s);

/* fact.c */
struct question { /* the arg of fact_value */
    struct s3 *s;
    struct access *access;
    const struct pc_object *object; /* whose tags count; may be NULL */
    const char *prefix;             /* of listing, where it is not the parameter; or NULL */
    size_t prefix_len;
};
/** fact_value: struct policy_request's value. */
bool fact_value(void *arg, const char *name, size_t index, struct policy_text *ret);

#endif
