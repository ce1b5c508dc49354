/* SPDX-License-Identifier: Apache-2.0 */
/* Past versions and delete markers: the table past, and how versions come into it and out of it. */
#ifndef META_S3_PAST_H
#define META_S3_PAST_H

#include "meta/s3/key.h"

#define VERSION_NULL "null"
#define ROW_KEEPS (ROW_VERSIONS | ROW_SUSPENDED) /* of a bucket: it has, or had, versions */

/* Where versions lie: a key of a bucket that keeps them. */
struct place {
    struct row bucket;
    const char *key;
    size_t len;
    char buf[PC_KEY_MAX + 1]; /* what key points into if the mount led here */
};

/* A row of the table. Of one key the least rank is the newest. */
struct past {
    int64_t rank, mtime;
    uint64_t ino; /* 0: a delete marker */
    char id[PC_VERSION_MAX];
};

/** past_newest(c, pl, p), past_find(c, pl, id, p): 1, 0 if there is none. past_any(c, bucket): has the bucket any? */
int past_newest(struct sql_conn *c, const struct place *pl, struct past *p);
int past_find(struct sql_conn *c, const struct place *pl, const char *id, struct past *p);
int past_any(struct sql_conn *c, uint64_t bucket);
/** past_add(c, pl, id, ino, mtime): as the newest of its key. past_remove(c, pl, rank): only the row. */
int past_add(struct sql_conn *c, const struct place *pl, const char *id, uint64_t ino,
             int64_t mtime);
int past_remove(struct sql_conn *c, const struct place *pl, int64_t rank);
/** past_drop(m, c, pl, p): the row and its node. */
int past_drop(struct meta *m, struct sql_conn *c, const struct place *pl, const struct past *p);
/** past_read(st, at, p): columns rank, mtime, ino, id. */
int past_read(sqlite3_stmt *st, int at, struct past *p);

/** version_new(id): a new one, that nobody can guess. */
void version_new(char id[PC_VERSION_MAX]);

/** version_of(c, pl, o, id): the id of what is current: its own; else "null", or if a past version is that, one made of the node. */
int version_of(struct sql_conn *c, const struct place *pl, const struct object *o,
               char id[PC_VERSION_MAX]);

/**
 * version_replace(m, c, pl, o): ${o}, which was current, becomes a past version: 1 if its node did (it must lose its edge, and has no link to take away). 0 if nothing
 * is kept, or a copy that shares its blocks, because the node has other names or somebody has it open: then the caller goes on with the node as if there were no
 * versions. A suspended bucket loses the version "null". ${o} NULL: there is none.
 */
int version_replace(struct meta *m, struct sql_conn *c, const struct place *pl, struct object *o);

/** version_copy(m, c, pl, o): a copy of it, which shares its blocks, becomes past, and the node has no id and no lock any more. version_bare: only that. The row is not stored. */
int version_copy(struct meta *m, struct sql_conn *c, const struct place *pl, struct object *o);
int version_bare(struct meta *m, struct sql_conn *c, struct row *r);

/** version_mark(m, c, pl, id): a delete marker takes the place of what was current; its id in ${id} (may be NULL). */
int version_mark(struct meta *m, struct sql_conn *c, const struct place *pl,
                 char id[PC_VERSION_MAX]);

/** version_id_set(m, c, r, id): the id of its row in object (NULL: none), and the flag; the caller stores the row. */
int version_id_set(struct meta *m, struct sql_conn *c, struct row *r, const char *id);

/** place_of(c, parent, seg, len, pl): the key of an entry of the mount: 1; 0 if its bucket keeps no versions. Cheap where no bucket does. */
int place_of(struct sql_conn *c, uint64_t parent, const char *seg, size_t len, struct place *pl);

/* What the mount does. version_change, which comes before a change of content in place, is in ops/row.h. */

/** version_leave(m, c, e, r, mark): the entry goes or will name another node; ${mark}: nothing takes its place. 1: the node is kept and has no link to take away. PC_ELOCKED. */
int version_leave(struct meta *m, struct sql_conn *c, const struct edge *e, struct row *r,
                  bool mark);
/** version_move(m, c, e, r, mark): the node gets another key: its version stays at the old one. */
int version_move(struct meta *m, struct sql_conn *c, const struct edge *e, struct row *r,
                 bool mark);
/** folder_may_move(c, e, r, new_parent, new_name): buckets with versions stay buckets; out of buckets with locks folders do not move (-EXDEV: copy it). */
int folder_may_move(struct sql_conn *c, const struct edge *e, const struct row *r,
                    uint64_t new_parent, const char *new_name);

/* lock.c */
/** lock_guard(c, r, bypass): PC_ELOCKED while the version must not go. lock_named(h): is a lock among them? */
int lock_guard(struct sql_conn *c, const struct row *r, bool bypass);
bool lock_named(const struct pc_headers *h);
/** lock_strip(data, len): take locks out of a list of headers, in place; the new length. */
size_t lock_strip(char *data, size_t len);
int op_retain(struct meta *m, const struct meta_key *k, enum pc_lock_mode mode, int64_t until_ms,
              bool bypass);
int op_hold(struct meta *m, const struct meta_key *k, bool on);

/* version.c */
/** A version that a key and an id name. */
struct version {
    struct object o;  /* unless marker */
    struct past past; /* unless current */
    bool current;     /* it is at the end of ${path} */
    bool marker, latest;
    char id[PC_VERSION_MAX];
};
/** version_find(c, k, path, pl, v): 1; -ENOENT, PC_ENOVERSION. A marker is found too. ${k}->version is not NULL. */
int version_find(struct sql_conn *c, const struct meta_key *k, struct key_path *path,
                 struct place *pl, struct version *v);
/** version_get(c, k, o): an object by key, with k->version or without: 0, -ENOENT, PC_ENOVERSION, PC_EMARKER (then o->row.mtime and o->vid are the marker's). */
int version_get(struct sql_conn *c, const struct meta_key *k, struct object *o);
/** version_delete(m, c, k, pl, item): item->version goes. */
int version_delete(struct meta *m, struct sql_conn *c, const struct meta_key *k,
                   struct pc_delete *item);
int op_versioning_set(struct meta *m, const char *bucket, enum pc_versioning state);
int op_locking_set(struct meta *m, const char *bucket);

/* history.c */
int op_version_list(struct meta *m, const char *bucket, const struct pc_version_list *list,
                    int (*fn)(void *arg, const struct pc_version_entry *e), void *arg,
                    bool *ret_truncated);

#endif
