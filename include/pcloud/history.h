/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of objects: what a bucket keeps of what was put, changed and deleted, and what must not be deleted yet. */
#ifndef PCLOUD_HISTORY_H
#define PCLOUD_HISTORY_H

#include "pcloud/object.h"
#include "pcloud/upload.h"

/*
 * The current version of a key is its file, as ever. In a bucket that keeps versions, what a PUT, a DELETE or the mount takes away stays as a past version
 * under its key (docs/decisions/0008). A version id is 32 letters and digits, or "null": what was there without one. ${id} below: NULL or "" means the
 * current version, and "" also tells of a delete marker that took its place.
 */

/** pc_versioning_set(v, bucket, state): PC_EBUCKETSTATE: back to OFF, not ON while versions can be locked, or the reserved bucket. Durable. */
int pc_versioning_set(struct pc_volume *v, const char *bucket, enum pc_versioning state);
/** pc_locking_set(v, bucket): from now on versions can be locked, for ever. PC_EBUCKETSTATE unless versioning is ON. Durable. */
int pc_locking_set(struct pc_volume *v, const char *bucket);

/**
 * pc_version_head(v, bucket, key, len, id, ret): ret->version and ret->latest are set too. -ENOENT: nothing is current; PC_ENOVERSION: no such id of this key;
 * PC_EMARKER: it is a delete marker; then ${ret} is filled (version, mtime) as on success.
 */
int pc_version_head(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                    const char *id, struct pc_object *ret);
/** pc_version_open(...): a reader of a version; as pc_reader_open, with the codes of pc_version_head. */
int pc_version_open(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                    const char *id, struct pc_object *ret, struct pc_reader **ret_reader);
/** pc_version_annotate: pc_object_annotate of a version. */
int pc_version_annotate(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                        const char *id, const struct pc_headers *change);
/** pc_version_copy: pc_object_copy from a version. Locks are not copied. pc_version_part_copy: pc_part_copy from a version. */
int pc_version_copy(struct pc_volume *v, const char *src_bucket, const char *src_key,
                    size_t src_len, const char *src_id, const char *src_etag, const char *bucket,
                    const char *key, size_t len, const struct pc_headers *headers,
                    const struct pc_condition *cond, struct pc_object *ret);
int pc_version_part_copy(struct pc_volume *v, const char *src_bucket, const char *src_key,
                         size_t src_len, const char *src_id, uint64_t off, uint64_t size,
                         const char *bucket, const char *key, size_t len, const char *id,
                         struct pc_part *part);

/**
 * pc_version_delete(v, bucket, item, cond): item->version "" or NULL: what is current becomes a past version and a delete marker takes its place (a suspended bucket
 * loses the version "null" and gets the marker "null"); a bucket without versions loses the object. Else that version goes, and if it was the current one or the
 * marker in its place, the newest past version is current again. PC_ELOCKED. Nothing there: 0. Durable. pc_objects_delete does this for many.
 */
int pc_version_delete(struct pc_volume *v, const char *bucket, struct pc_delete *item,
                      const struct pc_condition *cond);

/* Locks, kept as the headers "lock-mode" (GOVERNANCE, COMPLIANCE), "lock-until" (milliseconds since 1970) and "legal-hold" (ON, OFF) of a version. */
enum pc_lock_mode { PC_LOCK_NONE, PC_LOCK_GOVERNANCE, PC_LOCK_COMPLIANCE };
struct pc_lock {
    enum pc_lock_mode mode;
    int64_t until_ms;
    int hold; /* 1 on, 0 off, -1 never said */
};
/** pc_lock_read(h, ret): the lock that headers tell of. */
void pc_lock_read(const struct pc_headers *h, struct pc_lock *ret);
/**
 * pc_version_retain(v, bucket, key, len, id, mode, until_ms, bypass): PC_ELOCKED: what is kept longer, or in COMPLIANCE, is not kept shorter; and in GOVERNANCE
 * only with ${bypass}. NONE takes it away. pc_version_hold: the legal hold. Durable. Codes of pc_version_head.
 */
int pc_version_retain(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                      const char *id, enum pc_lock_mode mode, int64_t until_ms, bool bypass);
int pc_version_hold(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                    const char *id, bool on);

struct pc_version_list {
    const char *prefix;
    size_t prefix_len;
    const char *delimiter;
    size_t delimiter_len;
    const char *after; /* behind this key, or if ${after_id} is not "" behind that version of it */
    size_t after_len;
    const char *after_id; /* one that is gone: all that is left of the key */
    unsigned max;
};
struct pc_version_entry {
    const char *key; /* or the common prefix; valid during the call, as is all here */
    size_t len;
    bool is_prefix;
    bool latest, marker;
    const char *version;
    struct timespec mtime;
    uint64_t size; /* the rest not of markers */
    const char *etag;
    const struct pc_headers *headers;
};
/** pc_version_list(v, bucket, list, fn, arg, ret_truncated): by key, of each the newest first; costs by results. ${fn} non-zero ends it (returned). */
int pc_version_list(struct pc_volume *v, const char *bucket, const struct pc_version_list *list,
                    int (*fn)(void *arg, const struct pc_version_entry *e), void *arg,
                    bool *ret_truncated);

#endif
