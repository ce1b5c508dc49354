/* SPDX-License-Identifier: Apache-2.0 */
/* Engine operations on buckets, objects, uploads, users and keys. */
#ifndef META_OBJECT_H
#define META_OBJECT_H

#include "meta/content.h"
#include "pcloud/history.h"
#include "pcloud/object.h"
#include "pcloud/upload.h"
#include "pcloud/user.h"

/* New content, not yet part of anything. Blocks as in meta_content_ops.write. */
struct meta_new {
    uint64_t size;
    const void *inline_data; /* size ≤ META_INLINE_MAX: all of it; then n is 0 */
    const struct meta_slice *slices;
    unsigned n;
};

struct meta_key {
    const char *bucket; /* "pcloud" is the root without its buckets */
    const char *key;
    size_t len;
    const char *version; /* NULL: what is current; "": and a marker in its place; else that id */
};

/*
 * Keys are cut by tree/segment.h. Folders on the way are made as needed and marked as S3's own, and go with their last entry. A put replaces the edge's
 * node by a new one (readers of the old keep it), keeping nothing of the old but the place. Errors as in pcloud/object.h and upload.h.
 */
struct meta_object_ops {
    int (*bucket_create)(struct meta *m, const char *bucket, const char *owner);
    int (*bucket_delete)(struct meta *m, const char *bucket);
    int (*bucket_get)(struct meta *m, const char *bucket, struct pc_bucket *ret);
    int (*bucket_chown)(struct meta *m, const char *bucket, const char *owner);
    int (*bucket_list)(struct meta *m, int (*fn)(void *arg, const struct pc_bucket *b), void *arg);

    /* -ENODATA; the copy has a NUL behind it and is the caller's. */
    int (*setting_get)(struct meta *m, const char *bucket, enum pc_setting which, char **ret,
                       size_t *ret_len);
    int (*setting_set)(struct meta *m, const char *bucket, enum pc_setting which, const void *data,
                       size_t len);

    int (*get)(struct meta *m, const struct meta_key *k, struct pc_object *ret);
    /* get and hold the node in one step, for readers */
    int (*get_hold)(struct meta *m, const struct meta_key *k, struct pc_object *ret);
    int (*put)(struct meta *m, const struct meta_key *k, const struct meta_new *content,
               const char *etag, const struct pc_headers *headers, const struct pc_condition *cond,
               struct pc_object *ret, unsigned *ret_bad);
    /* Each item has its result; with ${cond} (one item) that is also the call's. */
    int (*del)(struct meta *m, const char *bucket, struct pc_delete *items, size_t n,
               const struct pc_condition *cond, bool *ret_existed);
    int (*copy)(struct meta *m, const struct meta_key *src, const char *src_etag,
                const struct meta_key *dst, const struct pc_headers *headers,
                const struct pc_condition *cond, struct pc_object *ret);
    /* Within a bucket that keeps no versions; keys of folders are -EINVAL. */
    int (*rename)(struct meta *m, const struct meta_key *src, const struct pc_condition *src_cond,
                  const struct meta_key *dst, const struct pc_condition *cond);
    int (*annotate)(struct meta *m, const struct meta_key *k, const struct pc_headers *change);
    int (*list)(struct meta *m, const char *bucket, const struct pc_list *list,
                int (*fn)(void *arg, const struct pc_list_entry *e), void *arg,
                bool *ret_truncated);
    /* Versions: pcloud/history.h. get, get_hold, annotate and copy's source take one in their key. */
    int (*versioning_set)(struct meta *m, const char *bucket, enum pc_versioning state);
    int (*locking_set)(struct meta *m, const char *bucket);
    int (*retain)(struct meta *m, const struct meta_key *k, enum pc_lock_mode mode,
                  int64_t until_ms, bool bypass);
    int (*hold)(struct meta *m, const struct meta_key *k, bool on);
    int (*version_list)(struct meta *m, const char *bucket, const struct pc_version_list *list,
                        int (*fn)(void *arg, const struct pc_version_entry *e), void *arg,
                        bool *ret_truncated);
    /* Sizes of the parts of a multipart object, in order; number, at most max. */
    int (*part_sizes)(struct meta *m, uint64_t ino, uint64_t *sizes, unsigned max);

    int (*upload_create)(struct meta *m, const struct meta_key *k, const char *owner,
                         const struct pc_headers *headers, char ret_id[PC_UPLOAD_ID_MAX]);
    int (*upload_get)(struct meta *m, const struct meta_key *k, const char *id,
                      struct pc_upload *ret);
    int (*upload_list)(struct meta *m, const char *bucket, const struct pc_upload_list *list,
                       int (*fn)(void *arg, const struct pc_upload *u, const char *key, size_t len),
                       void *arg, bool *ret_truncated);
    int (*upload_abort)(struct meta *m, const struct meta_key *k, const char *id);
    int (*upload_complete)(struct meta *m, const struct meta_key *k, const char *id,
                           const struct pc_part *parts, size_t n, const char *etag,
                           const struct pc_headers *headers, const struct pc_condition *cond,
                           struct pc_object *ret);
    /* The content of a part is slices, never inline (-EINVAL unless empty): completion moves slices and sees no bytes. */
    int (*part_put)(struct meta *m, const struct meta_key *k, const char *id,
                    const struct meta_new *content, struct pc_part *part, unsigned *ret_bad);
    int (*part_list)(struct meta *m, const char *id, unsigned after, unsigned max,
                     int (*fn)(void *arg, const struct pc_part *p), void *arg, bool *ret_truncated);

    /* The feed tells of users and keys as ATTR of node 0. */
    int (*user_add)(struct meta *m, const struct pc_user *u);
    int (*user_rm)(struct meta *m, const char *name);
    int (*user_get)(struct meta *m, const char *name, struct pc_user *ret);
    int (*user_list)(struct meta *m, int (*fn)(void *arg, const struct pc_user *u), void *arg);
    int (*key_add)(struct meta *m, const struct pc_access_key *k); /* k->user.name names the user */
    int (*key_rm)(struct meta *m, const char *access);
    int (*key_get)(struct meta *m, const char *access, struct pc_access_key *ret);
    int (*key_list)(struct meta *m, const char *user,
                    int (*fn)(void *arg, const struct pc_access_key *k), void *arg);
};

#endif
