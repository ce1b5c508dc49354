/* SPDX-License-Identifier: Apache-2.0 */
/* The operations by file; sql_node_ops, sql_content_ops and sql_object_ops list them. */
#ifndef META_OPS_OPS_H
#define META_OPS_OPS_H

#include "meta/node.h"
#include "meta/object.h"
#include "meta/ops/row.h"
#include "meta/sql.h"

/* node.c */
/** edge_new(c, parent, name, folder, p, e): the folder and the segment for a new entry; -EEXIST if the name means something already. */
int edge_new(struct sql_conn *c, uint64_t parent, const char *name, bool folder, struct row *p,
             struct edge *e);

/* ../tree/clone.c */
int op_clone_begin(struct meta *m, uint64_t src, uint64_t parent, const char *name,
                   struct meta_clone **ret);
int op_clone_step(struct meta *m, struct meta_clone *k);
int op_clone_end(struct meta *m, struct meta_clone *k, uint64_t parent, const char *name,
                 struct pc_attr *attr);
void op_clone_free(struct meta *m, struct meta_clone *k);

/* remove.c */
int op_unlink(struct meta *m, uint64_t parent, const char *name);
int op_rmdir(struct meta *m, uint64_t parent, const char *name);
int op_gc_orphans(struct meta *m, unsigned max);
/** folder_remove(m, c, parent, f, e): take an empty folder out of ${parent} (both rows change; the caller stores the parent's). */
int folder_remove(struct meta *m, struct sql_conn *c, struct row *parent, struct row *f,
                  const struct edge *e);

/* rename.c */
/** folder_is_above(c, ino, at): is folder ${ino} the folder ${at} or above it? 1, 0. */
int folder_is_above(struct sql_conn *c, uint64_t ino, uint64_t at);
int op_rename(struct meta *m, uint64_t parent, const char *name, uint64_t new_parent,
              const char *new_name, unsigned flags);

/* xattr.c */
ssize_t op_xattr_get(struct meta *m, uint64_t ino, const char *name, void *buf, size_t cap);
int op_xattr_set(struct meta *m, uint64_t ino, const char *name, const void *value, size_t len,
                 int flags);
int op_xattr_remove(struct meta *m, uint64_t ino, const char *name);
ssize_t op_xattr_list(struct meta *m, uint64_t ino, char *buf, size_t cap);

/* range.c */
int op_punch(struct meta *m, uint64_t ino, uint64_t off, uint64_t len);
int op_shift(struct meta *m, uint64_t ino, uint64_t off, int64_t delta);
int op_share(struct meta *m, uint64_t src, uint64_t src_off, uint64_t dst, uint64_t dst_off,
             uint64_t len);
int64_t op_seek(struct meta *m, uint64_t ino, uint64_t off, int whence);

/* block.c */
int op_block_find(struct meta *m, const uint8_t id[META_BLOCK_ID], struct meta_block *ret);
int op_block_forget(struct meta *m, uint64_t bid);
int op_block_get(struct meta *m, uint64_t bid, struct meta_block *ret);
int op_block_move(struct meta *m, uint64_t bid, uint64_t old_pack, uint64_t old_off,
                  uint64_t new_pack, uint64_t new_off);
int op_block_users(struct meta *m, uint64_t bid, unsigned max, void (*fn)(void *arg, uint64_t ino),
                   void *arg);
int op_gc_blocks(struct meta *m, unsigned max, uint64_t *bytes);

/* pack.c */
int op_pack_new(struct meta *m, uint64_t *ret_id);
int op_pack_seal(struct meta *m, uint64_t id, uint64_t size);
int op_pack_list(struct meta *m, uint64_t after, unsigned max, struct meta_pack *packs);
int op_pack_blocks(struct meta *m, uint64_t pack, uint64_t after_off, unsigned max,
                   struct meta_block *blocks);
int op_pack_adopt(struct meta *m, int64_t (*size_of)(void *arg, uint64_t id), void *arg);
int op_gc_packs(struct meta *m, unsigned max, uint64_t *ids);

/* bucket.c */
int op_bucket_create(struct meta *m, const char *bucket, const char *owner);
int op_bucket_delete(struct meta *m, const char *bucket);
int op_bucket_get(struct meta *m, const char *bucket, struct pc_bucket *ret);
int op_bucket_chown(struct meta *m, const char *bucket, const char *owner);
int op_bucket_list(struct meta *m, int (*fn)(void *arg, const struct pc_bucket *b), void *arg);
int op_part_sizes(struct meta *m, uint64_t ino, uint64_t *sizes, unsigned max);
/* setting.c, annotate.c */
int op_setting_get(struct meta *m, const char *bucket, enum pc_setting which, char **ret,
                   size_t *ret_len);
int op_setting_set(struct meta *m, const char *bucket, enum pc_setting which, const void *data,
                   size_t len);
int op_annotate(struct meta *m, const struct meta_key *k, const struct pc_headers *change);

/** bucket_row(c, r): see to it that a bucket has a row in bucket; sets the flag, which the caller stores. */
int bucket_row(struct sql_conn *c, struct row *r);

/** bucket_find(c, bucket, ret_ino): its folder (the root for "pcloud"); PC_ENOBUCKET. */
int bucket_find(struct sql_conn *c, const char *bucket, uint64_t *ret_ino);

/* delete.c */
int op_del(struct meta *m, const char *bucket, struct pc_delete *items, size_t n,
           const struct pc_condition *cond, bool *ret_existed);

/* ../s3/rename.c */
int op_object_rename(struct meta *m, const struct meta_key *src,
                     const struct pc_condition *src_cond, const struct meta_key *dst,
                     const struct pc_condition *cond);

/* list.c */
int op_list(struct meta *m, const char *bucket, const struct pc_list *list,
            int (*fn)(void *arg, const struct pc_list_entry *e), void *arg, bool *ret_truncated);

/* upload.c */
int op_upload_create(struct meta *m, const struct meta_key *k, const char *owner,
                     const struct pc_headers *headers, char ret_id[PC_UPLOAD_ID_MAX]);
int op_upload_get(struct meta *m, const struct meta_key *k, const char *id, struct pc_upload *ret);
int op_upload_abort(struct meta *m, const struct meta_key *k, const char *id);
int op_part_put(struct meta *m, const struct meta_key *k, const char *id,
                const struct meta_new *content, struct pc_part *part, unsigned *ret_bad);
int op_part_list(struct meta *m, const char *id, unsigned after, unsigned max,
                 int (*fn)(void *arg, const struct pc_part *p), void *arg, bool *ret_truncated);
/** upload_drop_all(m, c, bucket): abort every upload of a bucket that goes. */
int upload_drop_all(struct meta *m, struct sql_conn *c, uint64_t bucket);

/* complete.c, upload_list.c */
int op_upload_complete(struct meta *m, const struct meta_key *k, const char *id,
                       const struct pc_part *parts, size_t n, const char *etag,
                       const struct pc_headers *headers, const struct pc_condition *cond,
                       struct pc_object *ret);
int op_upload_list(struct meta *m, const char *bucket, const struct pc_upload_list *list,
                   int (*fn)(void *arg, const struct pc_upload *u, const char *key, size_t len),
                   void *arg, bool *ret_truncated);

/* user.c */
int op_user_add(struct meta *m, const struct pc_user *u);
int op_user_rm(struct meta *m, const char *name);
int op_user_get(struct meta *m, const char *name, struct pc_user *ret);
int op_user_list(struct meta *m, int (*fn)(void *arg, const struct pc_user *u), void *arg);
int op_key_add(struct meta *m, const struct pc_access_key *k);
int op_key_rm(struct meta *m, const char *access);
int op_key_get(struct meta *m, const char *access, struct pc_access_key *ret);
int op_key_list(struct meta *m, const char *user,
                int (*fn)(void *arg, const struct pc_access_key *k), void *arg);

#endif
