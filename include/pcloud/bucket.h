/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets and their settings. */
#ifndef PCLOUD_BUCKET_H
#define PCLOUD_BUCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "pcloud/volume.h"

#define PC_BUCKET_MAX 63
#define PC_SETTING_MAX (512u << 10) /* bytes of one setting */

/* Documents that a bucket may have, kept as the door wrote them; their numbers are on disk and never change. */
enum pc_setting {
    PC_SETTING_POLICY = 0,
    PC_SETTING_ACL = 1,
    PC_SETTING_CORS = 2,
    PC_SETTING_LIFECYCLE = 3,
    PC_SETTING_TAGGING = 4,
    PC_SETTING_ENCRYPTION = 5,
    PC_SETTING_OWNERSHIP = 6,
    PC_SETTING_PUBLIC_BLOCK = 7,
    PC_SETTING_VERSIONING = 8,
    PC_SETTING_OBJECT_LOCK = 9,
    PC_SETTING_WEBSITE = 10,
    PC_SETTING_NOTIFICATION = 11,
    PC_SETTING_REPLICATION = 12,
    PC_SETTING_LOGGING = 13,
    PC_SETTING_PAYMENT = 14,
    PC_SETTING_ACCELERATE = 15,
    PC_SETTING_COUNT
};

enum pc_versioning { PC_VERSIONING_OFF, PC_VERSIONING_ON, PC_VERSIONING_SUSPENDED };

/* The name "pcloud" is the reserved bucket of what else lies at the top. */
struct pc_bucket {
    char name[PC_BUCKET_MAX + 1];
    struct timespec created;
    char owner[64];    /* user name; "" = the volume's owner */
    uint32_t settings; /* bit 1 << enum pc_setting: that one is kept */
    enum pc_versioning versioning;
    bool locking; /* versions can be locked */
};

/** pc_bucket_check(name): 0 or PC_EBUCKETNAME (S3's rules for general purpose buckets). */
int pc_bucket_check(const char *name);

/** pc_bucket_create: PC_EBUCKETEXISTS, PC_EBUCKETNAME. Durable on return, as is every change here. */
int pc_bucket_create(struct pc_volume *v, const char *bucket, const char *owner);
/** pc_bucket_delete: with its settings; PC_ENOTEMPTY_BUCKET if any key is left. */
int pc_bucket_delete(struct pc_volume *v, const char *bucket);
int pc_bucket_get(struct pc_volume *v, const char *bucket, struct pc_bucket *ret);
int pc_bucket_chown(struct pc_volume *v, const char *bucket, const char *owner);
/** pc_bucket_list(v, fn, arg): every bucket in byte order until ${fn} returns non-zero (returned). */
int pc_bucket_list(struct pc_volume *v, int (*fn)(void *arg, const struct pc_bucket *b), void *arg);

/** pc_bucket_setting_get(v, bucket, which, ret, ret_len): a copy with NUL behind it, freed with free(). -ENODATA if it is not kept, PC_ENOBUCKET. */
int pc_bucket_setting_get(struct pc_volume *v, const char *bucket, enum pc_setting which,
                          char **ret, size_t *ret_len);

/** pc_bucket_setting_set(v, bucket, which, data, len): keep it in place of an earlier one; ${data} NULL: keep none. PC_ELIMIT over PC_SETTING_MAX. */
int pc_bucket_setting_set(struct pc_volume *v, const char *bucket, enum pc_setting which,
                          const void *data, size_t len);

#endif
