/* SPDX-License-Identifier: Apache-2.0 */
/* The map between S3 keys, the segments that edges store, and the names that the mount shows. */
#ifndef TREE_SEGMENT_H
#define TREE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A key is cut after each "/": "a/b//c" is "a/", "b/", "/", "c". An edge stores the raw segment, so children ordered by bytes and walked
 * depth-first come in the byte order of keys ("a-b" before "a/b"); "a" and "a/" are two edges of one folder.
 *
 * The mount's name is derived: the segment without its "/". It is escaped only where
 *   - no path can carry it: empty, ".", "..", over 255 bytes, holding NUL, or starting with the escape's own "%pc-";
 *   - two would meet: a file whose folder twin ("a" beside "a/") exists; the folder keeps the plain name.
 * Escaped: "%pc-f-" or "%pc-d-" (file, folder) and the base with "%", "/" and bytes below 0x20 as %XX (upper case). If that is over 255 bytes:
 * "%pc-F-" or "%pc-D-", 16 hex digits of the segment's SHA-256, "-" and as much of the escaped base as fits.
 */
#define SEGMENT_MAX 1024
#define SEGMENT_NAME_MAX 255

/** segment_next(key, len, pos, seg, seg_len): the next segment from *pos (start with 0), advancing it; false at the end. */
bool segment_next(const char *key, size_t len, size_t *pos, const char **seg, size_t *seg_len);

/** segment_is_folder(seg, len): does it end in "/"? */
bool segment_is_folder(const char *seg, size_t len);

/** segment_to_name(seg, len, twin, name): the mount's name, NUL-terminated (at most 255 bytes); ${twin}: a file whose folder twin exists. */
void segment_to_name(const char *seg, size_t len, bool twin, char name[SEGMENT_NAME_MAX + 1]);

enum name_form {
    NAME_PLAIN,  /* try ${seg} + "/" (folder), then ${seg} (file) */
    NAME_EXACT,  /* exactly ${seg} */
    NAME_DIGEST, /* the segment that starts with ${seg} and whose digest is ${digest} */
};
struct name_target {
    enum name_form form;
    bool folder; /* EXACT, DIGEST */
    size_t len;
    char seg[SEGMENT_MAX + 1];
    uint8_t digest[8];
};
/**
 * name_to_target(name, ret): what a name on the mount can mean. -ENAMETOOLONG, -EINVAL (empty, ".", "..", holds "/"), -ENOENT for an escaped form that
 * segment_to_name would never give (so that every node has one name).
 */
int name_to_target(const char *name, struct name_target *ret);

/** segment_digest_matches(target, seg, len): is this the segment a NAME_DIGEST target means? */
bool segment_digest_matches(const struct name_target *target, const char *seg, size_t len);

/** name_to_new_segment(name, folder, seg, ret_len): the segment that a new entry of that name gets; -EINVAL for names in our escape's space. */
int name_to_new_segment(const char *name, bool folder, char seg[SEGMENT_MAX + 1], size_t *ret_len);

/** top_is_reserved(name): may nobody create this name at the top (pcloud, .pcloud, .snapshots, .trash, ipfs, ipns)? */
bool top_is_reserved(const char *name);

/** top_is_bucket(seg, len): is this segment of the root a bucket (a folder whose name is a legal bucket name and not "pcloud")? */
bool top_is_bucket(const char *seg, size_t len);

#endif
