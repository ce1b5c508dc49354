/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of S3: each sets the reply, or returns a negative code. */
#ifndef GATEWAY_S3_OPS_H
#define GATEWAY_S3_OPS_H

struct s3;

int op_list_buckets(struct s3 *s);
int op_create_bucket(struct s3 *s);
int op_delete_bucket(struct s3 *s);
int op_head_bucket(struct s3 *s);
int op_bucket_location(struct s3 *s);
int op_list_objects(struct s3 *s);
int op_list_versions(struct s3 *s);
int op_get_versioning(struct s3 *s);
int op_put_versioning(struct s3 *s);
int op_get_object_lock(struct s3 *s);
int op_put_object_lock(struct s3 *s);
int op_get_retention(struct s3 *s);
int op_put_retention(struct s3 *s);
int op_get_legal_hold(struct s3 *s);
int op_put_legal_hold(struct s3 *s);
int op_get_object(struct s3 *s);
int op_head_object(struct s3 *s);
int op_object_attributes(struct s3 *s);
int op_put_object_begin(struct s3 *s);
int op_put_object(struct s3 *s);
int op_post_object(struct s3 *s);
int op_copy_object(struct s3 *s);
int op_rename_object(struct s3 *s);
int op_delete_object(struct s3 *s);
int op_delete_objects(struct s3 *s);
int op_create_upload(struct s3 *s);
int op_upload_part_begin(struct s3 *s);
int op_upload_part(struct s3 *s);
int op_copy_part(struct s3 *s);
int op_complete_upload(struct s3 *s);
int op_abort_upload(struct s3 *s);
int op_list_parts(struct s3 *s);
int op_list_uploads(struct s3 *s);
int op_get_setting(struct s3 *s);
int op_put_setting(struct s3 *s);
int op_delete_setting(struct s3 *s);
int op_get_object_tagging(struct s3 *s);
int op_put_object_tagging(struct s3 *s);
int op_delete_object_tagging(struct s3 *s);
int op_get_bucket_acl(struct s3 *s);
int op_put_bucket_acl(struct s3 *s);
int op_get_object_acl(struct s3 *s);
int op_put_object_acl(struct s3 *s);
int op_get_bucket_policy(struct s3 *s);
int op_put_bucket_policy(struct s3 *s);
int op_delete_bucket_policy(struct s3 *s);
int op_bucket_policy_status(struct s3 *s);
int op_get_ownership(struct s3 *s);
int op_put_ownership(struct s3 *s);
int op_delete_ownership(struct s3 *s);
int op_get_public_block(struct s3 *s);
int op_put_public_block(struct s3 *s);
int op_delete_public_block(struct s3 *s);
int op_probe(struct s3 *s);
int op_unsupported(struct s3 *s);
int op_options(struct s3 *s);

#endif
