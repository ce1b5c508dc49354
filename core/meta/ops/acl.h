/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX access control lists: extended attributes that are kept in step with the mode. */
#ifndef META_OPS_ACL_H
#define META_OPS_ACL_H

#include "meta/ops/row.h"

#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"
#define ACL_MAX 4096 /* bytes of one: as many as the kernel asks for */

/*
 * The form is the kernel's (linux/posix_acl_xattr.h), least byte first: a version (4 bytes: 2), then entries in the order owner, users, group,
 * groups, mask, others, each a tag (2), permissions (2) and an id (4). A minimal one says what a mode can say and is not kept.
 */

/** acl_is(name): is this attribute a list? */
bool acl_is(const char *name);

/** acl_mode(acl, len, mode): put the permissions that the list grants into *mode (9 bits): 1, 0 if it is minimal, -EINVAL if it is no list. */
int acl_mode(const void *acl, size_t len, uint32_t *mode);

/** acl_chmod(acl, len, mode): have a list say the mode's permissions: owner, mask (or group where there is none), others. */
void acl_chmod(void *acl, size_t len, uint32_t mode);

/** acl_create(acl, len, mode): make a folder's default list the list of a new node: list and *mode both keep what both grant. As acl_mode. */
int acl_create(void *acl, size_t len, uint32_t *mode);

/** acl_set(c, r, name, value, len, flags): store a list and what follows for the row, which the caller stores. flags: those of pc_xattr_set. */
int acl_set(struct sql_conn *c, struct row *r, const char *name, const void *value, size_t len,
            int flags);

/** acl_follow(c, r): the mode of a row with lists was set. */
int acl_follow(struct sql_conn *c, const struct row *r);

/** acl_inherit(c, parent, r, umask): give a new node what its folder's default list says; where there is none, take the umask off its mode. */
int acl_inherit(struct sql_conn *c, const struct row *parent, struct row *r, uint32_t umask);

#endif
