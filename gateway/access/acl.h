/* SPDX-License-Identifier: Apache-2.0 */
/* Access control lists in the form that is kept, and what they grant. Without I/O. */
#ifndef GATEWAY_ACL_H
#define GATEWAY_ACL_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>

#define ACL_GRANTS_MAX 100
#define ACL_ID_MAX 65 /* of a canonical id, with NUL */
#define ACL_TEXT_MAX 8192

/*
 * Kept as text: the owner, then for each grant a blank, a letter for the permission and the grantee. An owner or grantee is a canonical id or "."
 * (the bucket's owner, whoever that is by then); a grantee also "*" (AllUsers), "@" (AuthenticatedUsers) or "#" (LogDelivery).
 * Example: ". f. r*". No text means ". f.": the bucket's owner owns it, and nobody else may do anything.
 */
enum acl_permission {
    ACL_READ = 'r',
    ACL_WRITE = 'w',
    ACL_READ_ACP = 'R',
    ACL_WRITE_ACP = 'W',
    ACL_FULL_CONTROL = 'f',
};

struct acl_grant {
    enum acl_permission permission;
    char grantee[ACL_ID_MAX];
};

#define ACL_PRIVATE ". f."

/** acl_owner(text, ret): the owner. PC_EFORMAT. */
int acl_owner(const char *text, char ret[ACL_ID_MAX]);
/** acl_next(text, pos, ret): iterate over the grants: *pos starts at 0; false at the end. */
bool acl_next(const char *text, size_t *pos, struct acl_grant *ret);
/** acl_start(b, owner), acl_add(b, permission, grantee): write one. */
void acl_start(struct buf *b, const char *owner);
void acl_add(struct buf *b, enum acl_permission permission, const char *grantee);

/** acl_is_public(text): does it grant anything to a group of everybody? */
bool acl_is_public(const char *text);

struct acl_who {
    const char *id; /* NULL: anonymous */
    bool bucket_owner;
    bool ignore_public; /* grants to groups count for nothing */
};
/** acl_grants(text, permission, who): what ${who} is granted by themselves or by a group; what cannot be read grants nothing. */
bool acl_grants(const char *text, enum acl_permission permission, const struct acl_who *who);

/** acl_uri(grantee): the group's, or NULL. acl_group(uri): the grantee, or NULL. */
const char *acl_uri(const char *grantee);
const char *acl_group(const char *uri);
/** acl_permission_name(p): "READ"; acl_permission_of(name): 0 if there is none. */
const char *acl_permission_name(enum acl_permission p);
int acl_permission_of(const char *name);

enum acl_thing { ACL_OF_BUCKET, ACL_OF_OBJECT };
/** acl_canned(b, name, thing, owner): write the one of that name; PC_EFORMAT if there is none. */
int acl_canned(struct buf *b, const char *name, enum acl_thing thing, const char *owner);

#endif
