/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a bucket in byte order: a walk in depth by seeks on the edges' key. */
#ifndef META_S3_WALK_H
#define META_S3_WALK_H

#include "meta/s3/key.h"

/*
 * The walk stands in the folder ${stack}[depth], whose key is key[0, len). One statement runs: over the entries of that folder from a segment on.
 * Going down it starts anew in the subfolder, coming up behind the subfolder's segment: seeks, no state in the database.
 */
struct walk {
    struct sql_conn *c;
    sqlite3_stmt *st; /* NULL: nothing is left */
    bool is_root;     /* of the reserved bucket: other buckets are passed over */
    bool down;        /* the last entry is a folder that is an object: its entries come next */
    unsigned depth;
    size_t len, entry_len; /* the folder's key, the present entry's key */
    struct row row;
    const char *prefix;
    size_t prefix_len;
    struct {
        uint64_t ino;
        size_t len;
    } stack[KEY_DEPTH_MAX];
    char key[PC_KEY_MAX + 2], from[PC_KEY_MAX + 2];
};

/** walk_open(c, bucket, prefix, prefix_len, ret): a new one that stands nowhere; -ENOMEM, PC_ENOBUCKET. Ends with walk_close. */
int walk_open(struct sql_conn *c, const char *bucket, const char *prefix, size_t prefix_len,
              struct walk **ret);
void walk_close(struct walk *w);

/** walk_seek(w, bound, len): go to the first key that is not below ${bound}. */
int walk_seek(struct walk *w, const char *bound, size_t len);

/** walk_next(w): the next key: 1 with w->key, w->entry_len, w->row and the object's columns under w->st; 0 at the end (keys above the prefix are not told apart from it). */
int walk_next(struct walk *w);

/** walk_object(w, ret, etag, list): the object of that key: ETag and headers as they hold now, in ${etag} and under w->st or in ${list}; and its version id ("" if none). */
struct walk_object {
    struct pc_headers headers;
    char etag[PC_ETAG_MAX];
    char vid[PC_VERSION_MAX];
    char list[PC_META_MAX]; /* what headers may point to */
};
/** walk_columns(st, at, r, ret): the columns o.version, o.etag, o.headers, o.vid from ${at} on. */
int walk_columns(sqlite3_stmt *st, int at, const struct row *r, struct walk_object *ret);

/** walk_start(l, bound, ret_end): where a listing starts: the prefix, behind ${after}, or behind all that rolls up with it. Its length; *ret_end: nothing can be there. */
size_t walk_start(const struct pc_list *l, char bound[PC_KEY_MAX + 2], bool *ret_end);

#endif
