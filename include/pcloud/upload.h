/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart uploads. */
#ifndef PCLOUD_UPLOAD_H
#define PCLOUD_UPLOAD_H

#include "pcloud/object.h"

#define PC_UPLOAD_ID_MAX 48 /* characters and NUL */
#define PC_PARTS_MAX 10000
#define PC_PART_MIN (5u << 20) /* bytes of every part but the last */
#define PC_CHECKSUM_MAX 96 /* "x-amz-checksum-sha256=", base64 of 32 bytes, "-10000" and NUL fit */

struct pc_upload {
    char id[PC_UPLOAD_ID_MAX];
    const char *key; /* owned: pc_upload_fini */
    size_t len;
    struct timespec created;
    char owner[64];
    struct pc_headers headers; /* owned */
};
void pc_upload_fini(struct pc_upload *u);

struct pc_part {
    unsigned number; /* 1 … PC_PARTS_MAX */
    uint64_t size;
    char etag[PC_ETAG_MAX];
    char checksum[PC_CHECKSUM_MAX]; /* "x-amz-checksum-crc32=base64"; "" if none */
    struct timespec mtime;
};

/** pc_upload_create(v, bucket, key, len, owner, headers, ret_id): durable. PC_ENOBUCKET. */
int pc_upload_create(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                     const char *owner, const struct pc_headers *headers,
                     char ret_id[PC_UPLOAD_ID_MAX]);

/** pc_upload_get(v, bucket, key, len, id, ret): PC_ENOUPLOAD if it is not there or of another key. */
int pc_upload_get(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                  const char *id, struct pc_upload *ret);

/** pc_put_commit_part(p, bucket, key, len, id, part): ${p} becomes part ${part}->number, replacing an earlier one; fills size and mtime. Frees ${p} in any case. Durable. */
int pc_put_commit_part(struct pc_put *p, const char *bucket, const char *key, size_t len,
                       const char *id, struct pc_part *part);

/** pc_part_copy(...): a range of an object becomes a part without moving content where blocks allow; off, size: range, size UINT64_MAX = all. The ETag is MD5 of the content; a checksum that part->checksum names ("x-amz-checksum-crc32=") is made too. */
int pc_part_copy(struct pc_volume *v, const char *src_bucket, const char *src_key, size_t src_len,
                 uint64_t off, uint64_t size, const char *bucket, const char *key, size_t len,
                 const char *id, struct pc_part *part);

/** pc_upload_parts(v, id, after, max, fn, arg, ret_truncated): parts by number above ${after}. */
int pc_upload_parts(struct pc_volume *v, const char *id, unsigned after, unsigned max,
                    int (*fn)(void *arg, const struct pc_part *p), void *arg, bool *ret_truncated);

/**
 * pc_upload_complete(v, bucket, key, len, id, parts, n, etag, headers, cond, ret): ${parts}[i].number and .etag (and .checksum if not "") name the parts, ascending
 * (PC_EPARTORDER), each there and equal (PC_EPART), each but the last at least PC_PART_MIN (PC_EPARTSIZE). One durable step; the rest of the parts are freed. A retry after
 * success finds no upload: the caller compares the object's ETag. ${headers} replaces the upload's if not NULL.
 */
int pc_upload_complete(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                       const char *id, const struct pc_part *parts, size_t n, const char *etag,
                       const struct pc_headers *headers, const struct pc_condition *cond,
                       struct pc_object *ret);
int pc_upload_abort(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                    const char *id);

struct pc_upload_list {
    const char *prefix, *delimiter, *after_key, *after_id; /* all may be "" ; NUL-terminated */
    unsigned max;
};
/** pc_upload_list(v, bucket, list, fn, arg, ret_truncated): by key, then by time of creation; ${u} NULL means a common prefix (key, len). */
int pc_upload_list(struct pc_volume *v, const char *bucket, const struct pc_upload_list *list,
                   int (*fn)(void *arg, const struct pc_upload *u, const char *key, size_t len),
                   void *arg, bool *ret_truncated);

#endif
