/* SPDX-License-Identifier: Apache-2.0 */
/* Objects: the tree as S3 sees it. */
#ifndef PCLOUD_OBJECT_H
#define PCLOUD_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "pcloud/bucket.h"

#define PC_KEY_MAX 1024   /* bytes of a key */
#define PC_ETAG_MAX 64    /* characters of an ETag without quotes, and NUL */
#define PC_META_MAX 16384 /* bytes of all header names and values of one object */
#define PC_LIST_MAX 1000
#define PC_VERSION_MAX 33 /* characters of a version id, and NUL */

/*
 * Headers of an object: a packed list "name\0value\0name\0value\0", names in lower case: "content-type", "cache-control", ...,
 * "x-amz-meta-NAME", "x-amz-checksum-crc32" (base64, with "-N" if composite), "x-amz-checksum-type", "x-amz-storage-class"; and what only the door reads: "tagging", "acl", "lock-mode", "lock-until", "legal-hold", "kms"; "sse-c", "sse-size", which hold as checksums do: until the mount changes the content.
 */
struct pc_headers {
    const char *data; /* NULL if none */
    size_t len;
};
/** pc_headers_get(h, name): the value, borrowed from ${h}, or NULL. */
const char *pc_headers_get(const struct pc_headers *h, const char *name);
/** pc_headers_next(h, pos, name, value): iterate: *pos starts at 0; false at the end. */
bool pc_headers_next(const struct pc_headers *h, size_t *pos, const char **name,
                     const char **value);

struct pc_object {
    uint64_t ino;
    uint64_t size;
    struct timespec mtime;
    char etag
        [PC_ETAG_MAX]; /* as S3 said; a file changed on the mount has "<32 hex>-0" made from node and version */
    unsigned parts;               /* of a multipart object; else 0 */
    struct pc_headers headers;    /* owned: pc_object_fini */
    char version[PC_VERSION_MAX]; /* its id; "" if none was given to it (pcloud/history.h) */
    bool latest;                  /* it is the current version */
};
void pc_object_fini(struct pc_object *o);

struct
    pc_condition { /* all that are set must hold at the moment of the change, else PC_EPRECONDITION */
    const char *if_match;            /* ETag without quotes or "*"; -ENOENT if there is no object */
    const char *if_none_match;       /* the same; "*": must not exist */
    const struct timespec *if_mtime; /* its time in whole seconds; NULL: any */
    const uint64_t *if_size;
};

/* Objects. Keys are any 1 to 1,024 bytes of UTF-8 without NUL checks of ours: total and reversible. */

/** pc_object_head(v, bucket, key, len, ret): PC_ENOBUCKET, -ENOENT. ${ret} is filled only on success. */
int pc_object_head(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                   struct pc_object *ret);

/**
 * pc_object_annotate(v, bucket, key, len, change): change headers of an object in place: each name in ${change} replaces the one that was there, an empty
 * value takes it away. Content, ETag, mtime and version stay. Durable. PC_ENOBUCKET, -ENOENT, PC_ELIMIT over PC_META_MAX.
 */
int pc_object_annotate(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                       const struct pc_headers *change);

struct pc_reader; /* an object's content as it was at open, whatever happens to the key */
int pc_reader_open(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                   struct pc_object *ret, struct pc_reader **ret_reader);
/** pc_reader_read(r, buf, len, off): as pc_file_read. One thread at a time; sequential reads are read ahead. */
ssize_t pc_reader_read(struct pc_reader *r, void *buf, size_t len, uint64_t off);
/** pc_reader_read_now(r, buf, len, off): the same where no disk is waited for; may be fewer bytes. -EAGAIN: none, for whatever reason: pc_reader_read tells it. */
ssize_t pc_reader_read_now(struct pc_reader *r, void *buf, size_t len, uint64_t off);
/** pc_reader_part(r, number, ret_off, ret_len): where part ${number} of a multipart object lies; PC_EPART. Not multipart: 1 is all of it. */
int pc_reader_part(struct pc_reader *r, unsigned number, uint64_t *ret_off, uint64_t *ret_len);
/** pc_reader_parts(r, sizes, max): the sizes of all parts, in order; their number, 0 if it is not multipart. */
int pc_reader_parts(struct pc_reader *r, uint64_t *sizes, unsigned max);
void pc_reader_close(struct pc_reader *r);

struct pc_put; /* content on its way in: nothing is visible before commit. One thread at a time. */
int pc_put_begin(struct pc_volume *v, struct pc_put **ret);
/** pc_put_write(p, data, len): bounded memory: waits for the workers when they are behind. -ENOSPC. */
int pc_put_write(struct pc_put *p, const void *data, size_t len);
/** pc_put_size(p): bytes written so far. */
uint64_t pc_put_size(const struct pc_put *p);
/**
 * pc_put_commit(p, bucket, key, len, etag, headers, cond, ret_object): make it the object, atomically and durably (group commit). Frees ${p} on success
 * and failure. ${ret_object} may be NULL. A key ending in "/" makes the folder an object.
 */
int pc_put_commit(struct pc_put *p, const char *bucket, const char *key, size_t len,
                  const char *etag, const struct pc_headers *headers,
                  const struct pc_condition *cond, struct pc_object *ret_object);
void pc_put_abort(struct pc_put *p);

/** pc_object_delete(v, bucket, key, len, cond): durable; 0 also if there was none (then *ret_existed is false). Folders that S3 made and nothing is left in go too. */
int pc_object_delete(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                     const struct pc_condition *cond, bool *ret_existed);
struct pc_delete {
    const char *key;
    size_t len;
    const char *etag;                /* NULL or a condition */
    int result;                      /* out: 0, a code */
    const char *version;             /* NULL or "": what is current; else see pc_version_delete */
    const struct pc_condition *cond; /* more conditions, or NULL */
    bool bypass;                     /* of GOVERNANCE */
    bool marker;                     /* out: what was made or deleted is a delete marker */
    char id[PC_VERSION_MAX];         /* out: its version id; "" if none */
};
/** pc_objects_delete(v, bucket, items, n): many at once in one durable step; each has its own result. */
int pc_objects_delete(struct pc_volume *v, const char *bucket, struct pc_delete *items, size_t n);

/** pc_object_copy(v, sb, sk, sl, src_cond, db, dk, dl, headers, dst_cond, ret): share the blocks. ${headers} NULL keeps the source's; the ETag is kept. */
int pc_object_copy(struct pc_volume *v, const char *src_bucket, const char *src_key, size_t src_len,
                   const char *src_etag, const char *bucket, const char *key, size_t len,
                   const struct pc_headers *headers, const struct pc_condition *cond,
                   struct pc_object *ret);

/**
 * pc_object_rename(v, bucket, src, sl, src_cond, dst, dl, cond): another key of the same bucket, atomically and whatever its size; what was there goes. ETag, headers and time stay.
 * -EINVAL for keys that end in "/"; PC_EBUCKETSTATE where versions are kept; codes of conditions. Durable.
 */
int pc_object_rename(struct pc_volume *v, const char *bucket, const char *src, size_t src_len,
                     const struct pc_condition *src_cond, const char *dst, size_t dst_len,
                     const struct pc_condition *cond);

/* Listing: depth-first in byte order of keys; a delimiter page costs by results. */
struct pc_list {
    const char *prefix; /* may be "" */
    size_t prefix_len;
    const char *delimiter; /* any string, "" for none; "/" is a seek */
    size_t delimiter_len;
    const char *after; /* strictly greater than this key (or common prefix); "" from the start */
    size_t after_len;
    unsigned max; /* 0 … PC_LIST_MAX, keys and common prefixes together */
};
struct pc_list_entry {
    const char *key; /* or the common prefix; valid during the call */
    size_t len;
    bool is_prefix;
    uint64_t size; /* the rest only for objects */
    struct timespec mtime;
    const char *etag;
    const struct pc_headers *headers;
};
/** pc_list(v, bucket, list, fn, arg, ret_truncated): PC_ENOBUCKET. ${fn} non-zero ends it (returned). */
int pc_list(struct pc_volume *v, const char *bucket, const struct pc_list *list,
            int (*fn)(void *arg, const struct pc_list_entry *e), void *arg, bool *ret_truncated);

#endif
