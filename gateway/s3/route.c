/* SPDX-License-Identifier: Apache-2.0 */
/* From host, path and query to bucket, key and operation. */
#include "s3/ops.h"
#include "s3/s3.h"

#include "pcloud/err.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define READ_OP(name, fn)                                                                          \
    {                                                                                              \
        name, S3_READ, S3_BODY_NONE, NULL, fn                                                      \
    }
#define WRITE_OP(name, fn)                                                                         \
    {                                                                                              \
        name, S3_WRITE, S3_BODY_NONE, NULL, fn                                                     \
    }
#define XML_OP(name, fn)                                                                           \
    {                                                                                              \
        name, S3_WRITE, S3_BODY_XML, NULL, fn                                                      \
    }

/* The first row that fits is it: method, level, a parameter that must be there, a header that must be there. */
static const struct row {
    const char *method;
    enum s3_level level;
    const char *param, *header;
    struct s3_op op;
} rows[] = {
    {"GET", S3_SERVICE, NULL, NULL, READ_OP("ListBuckets", op_list_buckets)},

    {"DELETE", S3_BUCKET, "cors", NULL, WRITE_OP("DeleteBucketCors", op_delete_setting)},
    {"DELETE", S3_BUCKET, "encryption", NULL,
     WRITE_OP("DeleteBucketEncryption", op_delete_setting)},
    {"DELETE", S3_BUCKET, "lifecycle", NULL,
     WRITE_OP("DeleteBucketLifecycleConfiguration", op_delete_setting)},
    {"DELETE", S3_BUCKET, "replication", NULL,
     WRITE_OP("DeleteBucketReplication", op_delete_setting)},
    {"DELETE", S3_BUCKET, "tagging", NULL, WRITE_OP("DeleteBucketTagging", op_delete_setting)},
    {"DELETE", S3_BUCKET, "website", NULL, WRITE_OP("DeleteBucketWebsite", op_delete_setting)},
    {"GET", S3_BUCKET, "accelerate", NULL,
     READ_OP("GetBucketAccelerateConfiguration", op_get_setting)},
    {"GET", S3_BUCKET, "cors", NULL, READ_OP("GetBucketCors", op_get_setting)},
    {"GET", S3_BUCKET, "encryption", NULL, READ_OP("GetBucketEncryption", op_get_setting)},
    {"GET", S3_BUCKET, "lifecycle", NULL,
     READ_OP("GetBucketLifecycleConfiguration", op_get_setting)},
    {"GET", S3_BUCKET, "logging", NULL, READ_OP("GetBucketLogging", op_get_setting)},
    {"GET", S3_BUCKET, "notification", NULL,
     READ_OP("GetBucketNotificationConfiguration", op_get_setting)},
    {"GET", S3_BUCKET, "replication", NULL, READ_OP("GetBucketReplication", op_get_setting)},
    {"GET", S3_BUCKET, "requestPayment", NULL, READ_OP("GetBucketRequestPayment", op_get_setting)},
    {"GET", S3_BUCKET, "tagging", NULL, READ_OP("GetBucketTagging", op_get_setting)},
    {"GET", S3_BUCKET, "website", NULL, READ_OP("GetBucketWebsite", op_get_setting)},
    {"PUT", S3_BUCKET, "accelerate", NULL,
     XML_OP("PutBucketAccelerateConfiguration", op_put_setting)},
    {"PUT", S3_BUCKET, "cors", NULL, XML_OP("PutBucketCors", op_put_setting)},
    {"PUT", S3_BUCKET, "encryption", NULL, XML_OP("PutBucketEncryption", op_put_setting)},
    {"PUT", S3_BUCKET, "lifecycle", NULL,
     XML_OP("PutBucketLifecycleConfiguration", op_put_setting)},
    {"PUT", S3_BUCKET, "logging", NULL, XML_OP("PutBucketLogging", op_put_setting)},
    {"PUT", S3_BUCKET, "notification", NULL,
     XML_OP("PutBucketNotificationConfiguration", op_put_setting)},
    {"PUT", S3_BUCKET, "replication", NULL, XML_OP("PutBucketReplication", op_put_setting)},
    {"PUT", S3_BUCKET, "requestPayment", NULL, XML_OP("PutBucketRequestPayment", op_put_setting)},
    {"PUT", S3_BUCKET, "tagging", NULL, XML_OP("PutBucketTagging", op_put_setting)},
    {"PUT", S3_BUCKET, "website", NULL, XML_OP("PutBucketWebsite", op_put_setting)},
    {"GET", S3_BUCKET, "versioning", NULL, READ_OP("GetBucketVersioning", op_get_versioning)},
    {"PUT", S3_BUCKET, "versioning", NULL, XML_OP("PutBucketVersioning", op_put_versioning)},
    {"GET", S3_BUCKET, "object-lock", NULL,
     READ_OP("GetObjectLockConfiguration", op_get_object_lock)},
    {"PUT", S3_BUCKET, "object-lock", NULL,
     XML_OP("PutObjectLockConfiguration", op_put_object_lock)},
    {"GET", S3_OBJECT, "retention", NULL, READ_OP("GetObjectRetention", op_get_retention)},
    {"PUT", S3_OBJECT, "retention", NULL, XML_OP("PutObjectRetention", op_put_retention)},
    {"GET", S3_OBJECT, "legal-hold", NULL, READ_OP("GetObjectLegalHold", op_get_legal_hold)},
    {"PUT", S3_OBJECT, "legal-hold", NULL, XML_OP("PutObjectLegalHold", op_put_legal_hold)},
    {"DELETE", S3_OBJECT, "tagging", NULL,
     WRITE_OP("DeleteObjectTagging", op_delete_object_tagging)},
    {"GET", S3_OBJECT, "tagging", NULL, READ_OP("GetObjectTagging", op_get_object_tagging)},
    {"PUT", S3_OBJECT, "tagging", NULL, XML_OP("PutObjectTagging", op_put_object_tagging)},

    {"PUT",
     S3_BUCKET,
     NULL,
     NULL,
     {"CreateBucket", S3_CREATE, S3_BODY_XML, NULL, op_create_bucket}},
    {"DELETE", S3_BUCKET, NULL, NULL, WRITE_OP("DeleteBucket", op_delete_bucket)},
    {"HEAD", S3_BUCKET, NULL, NULL, READ_OP("HeadBucket", op_head_bucket)},
    {"GET", S3_BUCKET, "location", NULL, READ_OP("GetBucketLocation", op_bucket_location)},
    {"GET", S3_BUCKET, "uploads", NULL, READ_OP("ListMultipartUploads", op_list_uploads)},
    {"GET", S3_BUCKET, "versions", NULL, READ_OP("ListObjectVersions", op_list_versions)},
    {"GET", S3_BUCKET, NULL, NULL, READ_OP("ListObjects", op_list_objects)},
    {"POST", S3_BUCKET, "delete", NULL, XML_OP("DeleteObjects", op_delete_objects)},

    {"HEAD", S3_OBJECT, NULL, NULL, READ_OP("HeadObject", op_head_object)},
    {"GET", S3_OBJECT, "uploadId", NULL, READ_OP("ListParts", op_list_parts)},
    {"GET", S3_OBJECT, "attributes", NULL, READ_OP("GetObjectAttributes", op_object_attributes)},
    {"GET", S3_OBJECT, NULL, NULL, READ_OP("GetObject", op_get_object)},
    {"PUT", S3_OBJECT, "uploadId", "x-amz-copy-source", WRITE_OP("UploadPartCopy", op_copy_part)},
    {"PUT",
     S3_OBJECT,
     "uploadId",
     NULL,
     {"UploadPart", S3_WRITE, S3_BODY_OBJECT, op_upload_part_begin, op_upload_part}},
    {"PUT", S3_OBJECT, "renameObject", NULL, WRITE_OP("RenameObject", op_rename_object)},
    {"PUT", S3_OBJECT, NULL, "x-amz-copy-source", WRITE_OP("CopyObject", op_copy_object)},
    {"PUT",
     S3_OBJECT,
     NULL,
     NULL,
     {"PutObject", S3_WRITE, S3_BODY_OBJECT, op_put_object_begin, op_put_object}},
    {"DELETE", S3_OBJECT, "uploadId", NULL, WRITE_OP("AbortMultipartUpload", op_abort_upload)},
    {"DELETE", S3_OBJECT, NULL, NULL, WRITE_OP("DeleteObject", op_delete_object)},
    {"POST", S3_OBJECT, "uploads", NULL, WRITE_OP("CreateMultipartUpload", op_create_upload)},
    {"POST", S3_OBJECT, "uploadId", NULL, XML_OP("CompleteMultipartUpload", op_complete_upload)},
};

/* Before everything else: a parameter that names a document of the bucket or object. */
static const struct row documents[] = {
    {"GET", S3_BUCKET, "acl", NULL, READ_OP("GetBucketAcl", op_get_bucket_acl)},
    {"PUT", S3_BUCKET, "acl", NULL, XML_OP("PutBucketAcl", op_put_bucket_acl)},
    {"GET", S3_OBJECT, "acl", NULL, READ_OP("GetObjectAcl", op_get_object_acl)},
    {"PUT", S3_OBJECT, "acl", NULL, XML_OP("PutObjectAcl", op_put_object_acl)},
    {"GET", S3_BUCKET, "policy", NULL, READ_OP("GetBucketPolicy", op_get_bucket_policy)},
    {"PUT", S3_BUCKET, "policy", NULL, XML_OP("PutBucketPolicy", op_put_bucket_policy)},
    {"DELETE", S3_BUCKET, "policy", NULL, WRITE_OP("DeleteBucketPolicy", op_delete_bucket_policy)},
    {"GET", S3_BUCKET, "policyStatus", NULL,
     READ_OP("GetBucketPolicyStatus", op_bucket_policy_status)},
    {"GET", S3_BUCKET, "ownershipControls", NULL,
     READ_OP("GetBucketOwnershipControls", op_get_ownership)},
    {"PUT", S3_BUCKET, "ownershipControls", NULL,
     XML_OP("PutBucketOwnershipControls", op_put_ownership)},
    {"DELETE", S3_BUCKET, "ownershipControls", NULL,
     WRITE_OP("DeleteBucketOwnershipControls", op_delete_ownership)},
    {"GET", S3_BUCKET, "publicAccessBlock", NULL,
     READ_OP("GetPublicAccessBlock", op_get_public_block)},
    {"PUT", S3_BUCKET, "publicAccessBlock", NULL,
     XML_OP("PutPublicAccessBlock", op_put_public_block)},
    {"DELETE", S3_BUCKET, "publicAccessBlock", NULL,
     WRITE_OP("DeletePublicAccessBlock", op_delete_public_block)},
};

/* Configurations that S3 has and this server does not: asking is answered as for one never set, setting is refused. */
static const char *const unused[] = {
    "acl",       "policy",    "policyStatus", "ownershipControls",   "publicAccessBlock",
    "analytics", "inventory", "metrics",      "intelligent-tiering", "torrent",
    "restore",   "select",    "session",      "metadataTable",       "metadataConfiguration",
    "append",    "abac",
};

static const struct s3_op probe = READ_OP("GetConfiguration", op_probe);
static const struct s3_op refusal = {"PutConfiguration", S3_WRITE, S3_BODY_NONE, NULL,
                                     op_unsupported};
static const struct s3_op options = READ_OP("Options", op_options);
static const struct s3_op post_form = {"PostObject", S3_WRITE, S3_BODY_FORM, NULL, op_unsupported};

static const struct s3_op *route_unused(const struct s3 *s)
{
    for (size_t i = 0; i < sizeof unused / sizeof unused[0]; i++)
        if (s3_param(s, unused[i]))
            return strcmp(s->r->method, "GET") == 0 || s->r->head ? &probe : &refusal;
    return NULL;
}

static const struct row *find_row(const struct s3 *s, const struct row *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct row *row = &list[i];

        if (row->level == s->level && strcmp(row->method, s->r->method) == 0 &&
            (!row->param || s3_param(s, row->param)) && (!row->header || s3_header(s, row->header)))
            return row;
    }
    return NULL;
}

/* A document that cannot be had this way must not become an operation on the bucket or object. */
static bool names_document(const struct s3 *s)
{
    static const char *const names[] = {
        "accelerate",   "cors",        "encryption",     "lifecycle", "logging",
        "notification", "replication", "requestPayment", "tagging",   "website",
        "versioning",   "object-lock", "retention",      "legal-hold"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (s3_param(s, names[i]))
            return true;
    return false;
}

const struct s3_op *s3_route(const struct s3 *s)
{
    const char *method = s->r->method;
    const struct row *row;
    const struct s3_op *op;

    if (strcmp(method, "OPTIONS") == 0)
        return &options;
    row = find_row(s, documents, sizeof documents / sizeof documents[0]);
    if (row)
        return &row->op;
    op = s->level != S3_SERVICE ? route_unused(s) : NULL;
    if (op)
        return op;
    row = find_row(s, rows, sizeof rows / sizeof rows[0]);
    if (row)
        return row->param || !names_document(s) ? &row->op : NULL;
    if (strcmp(method, "POST") == 0 && s->level == S3_BUCKET)
        return &post_form;
    return NULL;
}

/* The bucket in "bucket.domain:port"; its length, 0 if the host names none. */
static size_t bucket_in_host(const struct s3 *s, const char *host)
{
    size_t domain = strlen(s->gw->domain), len = strcspn(host, ":");

    if (domain == 0 || len <= domain + 1)
        return 0;
    if (strncasecmp(host + len - domain, s->gw->domain, domain) != 0 ||
        host[len - domain - 1] != '.')
        return 0;
    return len - domain - 1;
}

static int decode_slice(struct s3 *s, const char *text, size_t len, const char **ret,
                        size_t *ret_len)
{
    char *out = req_alloc(s->r, len + 1);

    if (!out)
        return -ENOMEM;
    if (uri_decode(text, len, URI_PLUS_LITERAL, out, ret_len) < 0)
        return S3_EURI;
    *ret = out;
    return 0;
}

int s3_resolve(struct s3 *s)
{
    const struct uri *uri = &s->r->uri;
    const char *host = s3_header(s, "Host"), *path = uri->path + 1, *slash;
    size_t left = uri->path_len - 1, len, host_len = 0;
    int rc = uri_query_parse(uri->query, uri->query_len, &s->query);

    if (host && s->door == S3_DOOR_S3)
        host_len = bucket_in_host(s, host);
    if (rc < 0)
        return rc == PC_EFORMAT || rc == PC_ELIMIT ? S3_EURI : rc;
    if (host_len) {
        s->bucket = req_dup(s->r, host, host_len);
        if (!s->bucket)
            return -ENOMEM;
        s->host_style = true;
    } else if (left > 0) {
        slash = memchr(path, '/', left);
        len = slash ? (size_t)(slash - path) : left;
        rc = decode_slice(s, path, len, &s->bucket, &len);
        if (rc < 0)
            return rc;
        if (strlen(s->bucket) != len || len == 0)
            return s->bucket = "", S3_EBUCKETNAME;
        path = slash ? slash + 1 : path + left;
        left = slash ? left - (size_t)(slash - uri->path - 1) - 1 : 0;
    }
    s->level = *s->bucket ? S3_BUCKET : S3_SERVICE;
    if (left == 0 || s->level == S3_SERVICE)
        return 0;
    rc = decode_slice(s, path, left, &s->key, &s->key_len);
    if (rc < 0)
        return rc;
    s->level = S3_OBJECT;
    if (s->key_len > PC_KEY_MAX) {
        s->key_len = 0;
        return S3_EKEYTOOLONG;
    }
    return 0;
}
