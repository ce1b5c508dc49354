/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of S3 walked through the tree, and the object that lies at their end. */
#ifndef META_S3_KEY_H
#define META_S3_KEY_H

#include "meta/object.h"
#include "meta/ops/row.h"

#define KEY_DEPTH_MAX (PC_KEY_MAX + 1)

/* A key's way: its folders, and the last segment in the last of them. */
struct key_path {
    const char *key;
    size_t len;
    uint64_t bucket;
    unsigned depth; /* folders on the way, the bucket's own not counted */
    struct {
        uint64_t ino;
        size_t at, len; /* its segment in the key */
    } folders[KEY_DEPTH_MAX];
    const char *seg; /* the last segment */
    size_t seg_len;
};

/** key_parent(p): the folder that holds the last segment. key_is_folder(p): does the key end in "/"? */
uint64_t key_parent(const struct key_path *p);
bool key_is_folder(const struct key_path *p);

/**
 * key_walk(c, k, p): find the folders of a key: 1 if all are there, 0 if not; PC_ENOBUCKET; -EINVAL (empty), -ENAMETOOLONG; keys of the reserved bucket that
 * are another bucket's or nobody's are not there.
 */
int key_walk(struct sql_conn *c, const struct meta_key *k, struct key_path *p);

/** key_check(c, k, ret_bucket): may such a key be put? Codes as of key_make. */
int key_check(struct sql_conn *c, const struct meta_key *k, uint64_t *ret_bucket);

/** key_past(s, len): turn ${s} into the least string above all that begin with it; its length, 0 if there is none. */
size_t key_past(char *s, size_t len);

/** key_rollup(key, len, prefix_len, delimiter, delimiter_len): the length of the common prefix that a listing shows for a key; 0 if it shows the key. */
size_t key_rollup(const char *key, size_t len, size_t prefix_len, const char *delimiter,
                  size_t delimiter_len);

/** key_make(m, c, k, p): the same, and make the missing folders as S3's own; -EPERM for keys of the reserved bucket that it cannot hold. */
int key_make(struct meta *m, struct sql_conn *c, const struct meta_key *k, struct key_path *p);

/** key_edge(c, p, ino, e): describe the last edge, with whether the other kind of its base is there. ${ino} 0: with its node, 0 if it is not there. */
int key_edge(struct sql_conn *c, const struct key_path *p, uint64_t ino, struct edge *e);

/** key_prune(m, c, p): take away the folders of the way that S3 made and nothing is left in, from the last one up. */
int key_prune(struct meta *m, struct sql_conn *c, const struct key_path *p);

/* An object as its rows say. */
struct object {
    struct row row;
    bool has_row, fresh; /* fresh: not changed since its PUT */
    bool latest;
    char etag[PC_ETAG_MAX];
    char vid[PC_VERSION_MAX]; /* "" if it has none */
    unsigned parts;
};

/** object_find(c, p, o): the object at the end of a walked key: 1; 0 if there is none, then o->row.ino is that of a node that is no object, or 0. */
int object_find(struct sql_conn *c, const struct key_path *p, struct object *o);

/** object_load(c, o): the rest, of a row that is loaded. */
int object_load(struct sql_conn *c, struct object *o);

/** object_etag(r, version, etag, ret): the ETag as S3 said it (${version} is that of the PUT) or made from node and version. */
void object_etag(const struct row *r, uint64_t version, const char *etag, char ret[PC_ETAG_MAX]);

/** object_meets(o, cond): 0, PC_EPRECONDITION, -ENOENT; ${o} NULL: there is none. ${cond} may be NULL. */
int object_meets(const struct object *o, const struct pc_condition *cond);

/** object_end(m, c, rc, ret): sql_write_end of an operation that filled ${ret} (may be NULL): what fails at its end takes that back. */
int object_end(struct meta *m, struct sql_conn *c, int rc, struct pc_object *ret);

/** object_fill(c, o, ret): what callers see; headers are copied. object_store(c, r, etag, headers, parts, n, vid): the row of a new object. */
int object_fill(struct sql_conn *c, const struct object *o, struct pc_object *ret);
int object_store(struct sql_conn *c, const struct row *r, const char *etag,
                 const struct pc_headers *headers, const void *parts, size_t parts_len,
                 const char *vid);
/** object_clone(c, from, to): the same row, without a version id, for another node. */
int object_clone(struct sql_conn *c, uint64_t from, uint64_t to);
/** object_annotate(m, c, r, change): change headers in place; stores the row. */
int object_annotate(struct meta *m, struct sql_conn *c, struct row *r,
                    const struct pc_headers *change);

/* How new content gets into its row: called with a row that has a number and no content. */
struct object_source {
    int (*content)(struct meta *m, struct sql_conn *c, void *arg, struct row *r);
    void *arg;
    const char *etag; /* NULL: made from node and version */
    const struct pc_headers *headers;
    const void *parts; /* sizes, 8 bytes each, least byte first; NULL if not multipart */
    size_t parts_len;
};
/** object_put(m, c, k, src, cond, ret): put it under a key: the new object's rows in *ret. */
int object_put(struct meta *m, struct sql_conn *c, const struct meta_key *k,
               const struct object_source *src, const struct pc_condition *cond,
               struct object *ret);

/** object_restore(m, c, k, r): a node without a link takes its old key, where no object is. */
int object_restore(struct meta *m, struct sql_conn *c, const struct meta_key *k, struct row *r);

/** object_remove(m, c, p, o, kept): it is a key no more; ${kept}: its node goes on elsewhere. object_prune(m, c, p, ino): folders that S3 made and nothing is left in. */
int object_remove(struct meta *m, struct sql_conn *c, const struct key_path *p, struct object *o,
                  bool kept);
int object_prune(struct meta *m, struct sql_conn *c, struct key_path *p, uint64_t ino);

#endif
