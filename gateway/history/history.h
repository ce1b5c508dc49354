/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of objects and locks on them, as requests name them. */
#ifndef GATEWAY_HISTORY_H
#define GATEWAY_HISTORY_H

#include "pcloud/history.h"
#include "s3/s3.h"

/** history_check(s, id): could it be a version id? 0 or S3_EARGUMENT. */
int history_check(struct s3 *s, const char *id);

/** history_id(s, ret): the versionId that the request names, "" for what is current, NULL also for that where the bucket has no versions; S3_EARGUMENT. */
int history_id(struct s3 *s, const char **ret);

/** history_head(s, ret), history_open(s, ret, reader): the object or version that the request names; its id will be in the reply. A marker: -ENOENT, or S3_EMETHOD if it was named. */
int history_head(struct s3 *s, struct pc_object *ret);
int history_open(struct s3 *s, struct pc_object *ret, struct pc_reader **ret_reader);

/** history_annotate(s, change): headers of the object or version that the request names. */
int history_annotate(struct s3 *s, const struct pc_headers *change);

/** history_tell(s, id): the reply names that version ("": none). */
void history_tell(struct s3 *s, const char *id);
/** history_made(s, o): the reply to a write names its version, unless that is "null". */
void history_made(struct s3 *s, const struct pc_object *o);

/* lock.c */
/** lock_collect(s, out): the lock that the request's headers ask for. lock_default(s, has, out): the bucket's, unless there is one among ${has}. */
int lock_collect(struct s3 *s, struct buf *out);
int lock_default(struct s3 *s, const struct pc_headers *has, struct buf *out);
/** lock_reply(s, h): the lock in the reply's headers. */
void lock_reply(struct s3 *s, const struct pc_headers *h);
/** lock_bypass(s, key, len): does the request ask to bypass GOVERNANCE, and may it? */
bool lock_bypass(struct s3 *s, const char *key, size_t len);

/* state.c */
/** The default retention of a bucket; its setting is "MODE days|years N". */
struct lock_rule {
    enum pc_lock_mode mode;
    bool years;
    long n;
};
/** lock_rule(s, ret): PC_LOCK_NONE if it has none. */
int lock_rule(struct s3 *s, struct lock_rule *ret);

#endif
