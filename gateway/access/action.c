/* SPDX-License-Identifier: Apache-2.0 */
/* From operation to action, and what it is about. */
#include "access/authz.h"

#include "access/acl.h"

#include <string.h>

#define OBJECT_READ "s3:GetObject", "s3:GetObjectVersion", ABOUT_OBJECT, ACL_READ
#define OBJECT_WRITE "s3:PutObject", NULL, ABOUT_KEY, ACL_WRITE

/* The most frequent come first. */
static const struct action actions[] = {
    {"GetObject", OBJECT_READ},
    {"HeadObject", OBJECT_READ},
    {"PutObject", OBJECT_WRITE},
    {"DeleteObject", "s3:DeleteObject", "s3:DeleteObjectVersion", ABOUT_KEY, ACL_WRITE},

    {"ListBuckets", "s3:ListAllMyBuckets", NULL, ABOUT_SERVICE, 0},
    {"CreateBucket", "s3:CreateBucket", NULL, ABOUT_NEW_BUCKET, 0},
    {"HeadBucket", "s3:ListBucket", NULL, ABOUT_BUCKET, ACL_READ},
    {"ListObjects", "s3:ListBucket", NULL, ABOUT_BUCKET, ACL_READ},
    {"ListObjectVersions", "s3:ListBucketVersions", NULL, ABOUT_BUCKET, ACL_READ},
    {"ListMultipartUploads", "s3:ListBucketMultipartUploads", NULL, ABOUT_BUCKET, ACL_READ},
    {"GetBucketAcl", "s3:GetBucketAcl", NULL, ABOUT_BUCKET, ACL_READ_ACP},
    {"PutBucketAcl", "s3:PutBucketAcl", NULL, ABOUT_BUCKET, ACL_WRITE_ACP},
    {"GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock", NULL, ABOUT_BUCKET, 0},
    {"PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock", NULL, ABOUT_BUCKET, 0},
    {"DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock", NULL, ABOUT_BUCKET, 0},
    {"DeleteBucketOwnershipControls", "s3:PutBucketOwnershipControls", NULL, ABOUT_BUCKET, 0},
    {"GetBucketCors", "s3:GetBucketCORS", NULL, ABOUT_BUCKET, 0},
    {"PutBucketCors", "s3:PutBucketCORS", NULL, ABOUT_BUCKET, 0},
    {"DeleteBucketCors", "s3:PutBucketCORS", NULL, ABOUT_BUCKET, 0},
    {"DeleteBucketTagging", "s3:PutBucketTagging", NULL, ABOUT_BUCKET, 0},
    {"GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration", NULL, ABOUT_BUCKET, 0},
    {"PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration", NULL, ABOUT_BUCKET, 0},
    {"DeleteBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration", NULL, ABOUT_BUCKET, 0},
    {"GetBucketEncryption", "s3:GetEncryptionConfiguration", NULL, ABOUT_BUCKET, 0},
    {"PutBucketEncryption", "s3:PutEncryptionConfiguration", NULL, ABOUT_BUCKET, 0},
    {"DeleteBucketEncryption", "s3:PutEncryptionConfiguration", NULL, ABOUT_BUCKET, 0},
    {"GetBucketReplication", "s3:GetReplicationConfiguration", NULL, ABOUT_BUCKET, 0},
    {"PutBucketReplication", "s3:PutReplicationConfiguration", NULL, ABOUT_BUCKET, 0},
    {"DeleteBucketReplication", "s3:PutReplicationConfiguration", NULL, ABOUT_BUCKET, 0},
    {"GetBucketAccelerateConfiguration", "s3:GetAccelerateConfiguration", NULL, ABOUT_BUCKET, 0},
    {"PutBucketAccelerateConfiguration", "s3:PutAccelerateConfiguration", NULL, ABOUT_BUCKET, 0},
    {"GetBucketNotificationConfiguration", "s3:GetBucketNotification", NULL, ABOUT_BUCKET, 0},
    {"PutBucketNotificationConfiguration", "s3:PutBucketNotification", NULL, ABOUT_BUCKET, 0},
    {"GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration", NULL, ABOUT_BUCKET, 0},
    {"PutObjectLockConfiguration", "s3:PutBucketObjectLockConfiguration", NULL, ABOUT_BUCKET, 0},
    {"DeleteObjects", "s3:DeleteObject", NULL, ABOUT_KEYS, ACL_WRITE},
    {"PostObject", "s3:PutObject", NULL, ABOUT_FORM, ACL_WRITE},

    {"GetObjectAttributes", "s3:GetObjectAttributes", "s3:GetObjectVersionAttributes", ABOUT_OBJECT,
     ACL_READ},
    {"GetObjectAcl", "s3:GetObjectAcl", "s3:GetObjectVersionAcl", ABOUT_OBJECT, ACL_READ_ACP},
    {"PutObjectAcl", "s3:PutObjectAcl", "s3:PutObjectVersionAcl", ABOUT_OBJECT, ACL_WRITE_ACP},
    {"GetObjectTagging", "s3:GetObjectTagging", "s3:GetObjectVersionTagging", ABOUT_STORED, 0},
    {"PutObjectTagging", "s3:PutObjectTagging", "s3:PutObjectVersionTagging", ABOUT_STORED, 0},
    {"DeleteObjectTagging", "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging", ABOUT_STORED,
     0},
    {"CopyObject", OBJECT_WRITE},
    {"RenameObject", OBJECT_WRITE},
    {"CreateMultipartUpload", OBJECT_WRITE},
    {"UploadPart", OBJECT_WRITE},
    {"UploadPartCopy", OBJECT_WRITE},
    {"CompleteMultipartUpload", OBJECT_WRITE},
    {"ListParts", "s3:ListMultipartUploadParts", NULL, ABOUT_UPLOAD, 0},
    {"AbortMultipartUpload", "s3:AbortMultipartUpload", NULL, ABOUT_UPLOAD, 0},
};

const struct action *action_of(const char *operation)
{
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(actions[i].operation, operation) == 0)
            return &actions[i];
    return NULL;
}
