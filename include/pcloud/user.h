/* SPDX-License-Identifier: Apache-2.0 */
/* S3 identities and their access keys, kept in the sealed database. */
#ifndef PCLOUD_USER_H
#define PCLOUD_USER_H

#include <stdbool.h>

#include "pcloud/volume.h"

#define PC_ACCESS_KEY_MAX 128
#define PC_SECRET_KEY_MAX 128

enum pc_role { PC_ROLE_USER, PC_ROLE_ADMIN };

struct pc_user {
    char name[64]; /* also the display name */
    char id[65];   /* canonical id: 64 hex digits */
    char email[128];
    enum pc_role role;
};

struct pc_access_key {
    char access_key[PC_ACCESS_KEY_MAX + 1];
    char secret_key[PC_SECRET_KEY_MAX + 1]; /* wiped by the caller */
    struct pc_user user;
    char bucket[64]; /* "" = all of the user's */
    bool read_only;
};

/** pc_user_add(v, name, email, role, ret): PC_EUSEREXISTS, PC_EUSAGE (1–63 of A–Z a–z 0–9 . _ - @). Durable, as all changes here. */
int pc_user_add(struct pc_volume *v, const char *name, const char *email, enum pc_role role,
                struct pc_user *ret);
/** pc_user_rm(v, name): and its keys; -ENOTEMPTY while it owns buckets. PC_ENOUSER. */
int pc_user_rm(struct pc_volume *v, const char *name);
int pc_user_get(struct pc_volume *v, const char *name, struct pc_user *ret);
int pc_user_list(struct pc_volume *v, int (*fn)(void *arg, const struct pc_user *u), void *arg);

/**
 * pc_key_add(v, user, access, secret, bucket, read_only, ret): ${access} and ${secret} may be NULL: made at random (20 and 40 characters). Keys of 3–128 and
 * 8–128 printable characters may be brought along.
 */
int pc_key_add(struct pc_volume *v, const char *user, const char *access, const char *secret,
               const char *bucket, bool read_only, struct pc_access_key *ret);
int pc_key_rm(struct pc_volume *v, const char *access);
int pc_key_list(struct pc_volume *v, const char *user,
                int (*fn)(void *arg, const struct pc_access_key *k), void *arg);

/** pc_key_find(v, access, ret): one point look-up, made for each request, so a removed key ends at once. PC_ENOUSER. */
int pc_key_find(struct pc_volume *v, const char *access, struct pc_access_key *ret);

#endif
