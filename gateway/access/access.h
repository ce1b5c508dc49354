/* SPDX-License-Identifier: Apache-2.0 */
/* What a bucket says about access: read when it is asked for, once a request, and only what is kept. */
#ifndef GATEWAY_ACCESS_H
#define GATEWAY_ACCESS_H

#include "access/acl.h"
#include "pcloud/bucket.h"
#include "pcloud/user.h"

#include <stdbool.h>

struct s3;
struct policy;
struct held_policy;
struct action;

#define ACCESS_NOBODY                                                                              \
    "(anonymous)" /* name of who asks without a signature; no user can be called that */

enum ownership {                   /* of objects */
                 OWNERSHIP_WRITER, /* theirs who wrote them; where nothing is set */
                 OWNERSHIP_PREFERRED, /* the bucket's owner's, if the writer says bucket-owner-full-control */
                 OWNERSHIP_ENFORCED, /* the bucket's owner's, and lists mean nothing */
};

enum block {                     /* of public access; kept as four digits */
             BLOCK_ACLS = 1,     /* no new public lists */
             BLOCK_IGNORE = 2,   /* public lists count for nothing */
             BLOCK_POLICY = 4,   /* no new public policy */
             BLOCK_RESTRICT = 8, /* a public policy allows nobody anything */
             BLOCK_SET = 16,     /* there is a setting, whatever it says */
};

struct access {                   /* of one bucket */
    const struct pc_bucket *info; /* borrowed */
    char *acl;                    /* of the bucket; NULL: private */
    struct held_policy *policy;
    enum ownership ownership;
    unsigned block;
    const char *tags; /* that the body asks for, as a header would; of the request's memory */
    unsigned loaded;  /* bits of enum pc_setting */
    const struct action *action; /* of the request (authz.h); NULL: one of the operation's name */
};

void access_init(struct access *a, const struct pc_bucket *info);
void access_fini(struct access *a);

/** access_acl(s, a, ret), access_policy, access_ownership, access_block: NULL and 0 if it is not kept. A policy that cannot be read is PC_ECORRUPT. */
int access_acl(struct s3 *s, struct access *a, const char **ret);
int access_policy(struct s3 *s, struct access *a, const struct policy **ret);
int access_ownership(struct s3 *s, struct access *a, enum ownership *ret);
int access_block(struct s3 *s, struct access *a, unsigned *ret);

const char *ownership_name(enum ownership o);
/** ownership_of(name): negative if there is none. */
int ownership_of(const char *name);

/** access_wish(s, thing, owner, out): the list that x-amz-acl and x-amz-grant-… ask for; ${out} stays empty if they are not there. S3_EARGUMENT, S3_EEMAIL. */
int access_wish(struct s3 *s, enum acl_thing thing, const char *owner, struct buf *out);
/** access_body(s, owner, out): the list of an AccessControlPolicy document, whose owner must be ${owner}. S3_EACLXML, S3_EACCESS. */
int access_body(struct s3 *s, const char *owner, struct buf *out);
/** access_may_set(s, list): S3_EACCESS if the list is public and such lists are blocked. */
int access_may_set(struct s3 *s, const char *list);

/** access_of_new(s): before an object is made: its list into s->acl, NULL if it is the bucket's owner's and private. S3_EACLUNSUPPORTED and others. */
int access_of_new(struct s3 *s);
/** access_of_new_bucket(s, out, ret): the list and ownership a bucket is made with. */
int access_of_new_bucket(struct s3 *s, struct buf *out, enum ownership *ret);

/** access_owns(s, info): is who asks the bucket's owner, or an admin, who is everybody's? */
bool access_owns(const struct s3 *s, const struct pc_bucket *info);

/** access_user(s, id, ret): the user of that canonical id; "." is the owner of the request's bucket. Never fails: unknown ones have no name. */
void access_user(struct s3 *s, const char *id, struct pc_user *ret);

#endif
