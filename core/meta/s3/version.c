/* SPDX-License-Identifier: Apache-2.0 */
/* Versions by key and id: found, deleted; the one before becomes current again; and whether a bucket keeps them. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "meta/ops/ops.h"
#include "meta/s3/past.h"
#include "pcloud/err.h"

/* A past one, or the marker in the place of the current one. */
static int from_past(struct sql_conn *c, struct version *v)
{
    int rc;

    v->marker = v->past.ino == 0;
    memcpy(v->id, v->past.id, sizeof(v->id));
    if (v->marker) {
        v->o = (struct object){.row = {.mtime = v->past.mtime}};
        memcpy(v->o.vid, v->id, sizeof(v->id));
        return 1;
    }
    rc = row_load(c, v->past.ino, &v->o.row);
    if (rc == 0)
        rc = object_load(c, &v->o);
    if (rc < 0)
        return rc == -ENOENT ? pc_err_set(PC_ECORRUPT, "a past version without a node") : rc;
    memcpy(v->o.vid, v->id, sizeof(v->id));
    return 1;
}

int version_find(struct sql_conn *c, const struct meta_key *k, struct key_path *path,
                 struct place *pl, struct version *v)
{
    bool any = k->version[0] == '\0', keeps;
    struct past top;
    int newest, rc = key_walk(c, k, path);

    if (rc >= 0) {
        int walked = rc;

        rc = row_load(c, path->bucket, &pl->bucket);
        if (rc == 0 && walked > 0)
            rc = object_find(c, path, &v->o);
    }
    if (rc < 0)
        return rc;
    v->current = rc > 0;
    v->marker = false;
    v->latest = v->current;
    pl->key = k->key;
    pl->len = k->len;
    keeps = (pl->bucket.flags & ROW_KEEPS) != 0;
    if (v->current) {
        rc = version_of(c, pl, &v->o, v->id);
        if (rc < 0)
            return rc;
        if (any || strcmp(v->id, k->version) == 0) {
            memcpy(v->o.vid, keeps ? v->id : "", keeps ? sizeof(v->id) : 1);
            return 1;
        }
        v->current = false;
    } else if (any) {
        rc = keeps ? past_newest(c, pl, &v->past) : 0;
        if (rc <= 0 || v->past.ino != 0)
            return rc < 0 ? rc : -ENOENT;
        v->latest = true;
        return from_past(c, v);
    }
    newest = past_newest(c, pl, &top);
    rc = newest > 0 ? past_find(c, pl, k->version, &v->past) : newest;
    if (rc <= 0)
        return rc < 0 ? rc : PC_ENOVERSION;
    v->latest = !v->latest && v->past.ino == 0 && v->past.rank == top.rank;
    return from_past(c, v);
}

int version_get(struct sql_conn *c, const struct meta_key *k, struct object *o)
{
    struct key_path path;
    struct place pl;
    struct version v;
    int rc;

    if (!k->version) {
        rc = key_walk(c, k, &path);
        if (rc > 0)
            rc = object_find(c, &path, o);
        o->latest = true;
        return rc < 0 ? rc : rc > 0 ? 0 : -ENOENT;
    }
    rc = version_find(c, k, &path, &pl, &v);
    if (rc < 0)
        return rc;
    *o = v.o;
    o->latest = v.latest;
    return v.marker ? PC_EMARKER : 0;
}

/* If nothing is current, the newest past version is, unless it is a marker. */
static int restore(struct meta *m, struct sql_conn *c, const struct meta_key *k,
                   const struct place *pl)
{
    struct key_path path;
    struct past p;
    struct row r;
    uint64_t ino;
    int rc = past_newest(c, pl, &p);

    if (rc <= 0 || p.ino == 0)
        return rc < 0 ? rc : 0;
    rc = key_walk(c, k, &path);
    if (rc > 0)
        rc = edge_find(c, key_parent(&path), path.seg, path.seg_len, &ino);
    if (rc > 0 && !key_is_folder(&path))
        return 0; /* something that is no object is in its place */
    if (rc >= 0)
        rc = past_remove(c, pl, p.rank);
    if (rc == 0)
        rc = row_load(c, p.ino, &r);
    if (rc < 0)
        return rc;
    r.flags &= ~(unsigned)ROW_PAST;
    return object_restore(m, c, k, &r);
}

int version_delete(struct meta *m, struct sql_conn *c, const struct meta_key *k,
                   struct pc_delete *item)
{
    struct key_path path;
    struct place pl;
    struct version v;
    int rc = version_find(c, k, &path, &pl, &v);

    if (rc < 0)
        return rc;
    rc = object_meets(v.marker ? NULL : &v.o, item->cond);
    if (rc == 0 && item->etag)
        rc = object_meets(v.marker ? NULL : &v.o, &(struct pc_condition){.if_match = item->etag});
    if (rc == 0 && !v.marker)
        rc = lock_guard(c, &v.o.row, item->bypass);
    if (rc < 0)
        return rc == -ENOENT ? PC_EPRECONDITION : rc;
    memcpy(item->id, v.id, sizeof(item->id));
    item->marker = v.marker;
    if (!v.current) {
        rc = past_drop(m, c, &pl, &v.past);
        return rc == 0 && v.latest ? restore(m, c, k, &pl) : rc;
    }
    rc = object_remove(m, c, &path, &v.o, false);
    if (rc == 0)
        rc = restore(m, c, k, &pl);
    return rc < 0 ? rc : object_prune(m, c, &path, v.o.row.ino);
}

static int set_in(struct meta *m, struct sql_conn *c, const char *bucket, unsigned clear,
                  unsigned set)
{
    struct row r, root;
    uint64_t ino;
    int rc = bucket_find(c, bucket, &ino);

    if (rc == 0 && ino == PC_ROOT_INO)
        rc = pc_err_set(PC_EBUCKETSTATE, "the bucket %s keeps no versions", bucket);
    if (rc == 0)
        rc = row_load(c, ino, &r);
    if (rc == 0)
        rc = row_load(c, PC_ROOT_INO, &root);
    if (rc < 0)
        return rc;
    if ((set & ROW_SUSPENDED) && (r.flags & ROW_LOCKING))
        return pc_err_set(PC_EBUCKETSTATE, "versions of %s can be locked: it has to keep them",
                          bucket);
    if ((set & ROW_LOCKING) && !(r.flags & ROW_VERSIONS))
        return pc_err_set(PC_EBUCKETSTATE, "%s keeps no versions that could be locked", bucket);
    r.flags = (r.flags & ~clear) | set;
    r.flags &= ~(unsigned)ROW_IMPLICIT;
    root.flags |= ROW_HISTORY;
    rc = row_store(c, &r);
    if (rc == 0)
        rc = row_store(c, &root);
    return rc < 0 ? rc : sql_feed(m, c, PC_CHANGE_ATTR, ino, 0, NULL, 0);
}

static int op_set(struct meta *m, const char *bucket, unsigned clear, unsigned set)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    return rc < 0 ? rc : sql_write_end(m, c, set_in(m, c, bucket, clear, set));
}

int op_versioning_set(struct meta *m, const char *bucket, enum pc_versioning state)
{
    if (state == PC_VERSIONING_ON)
        return op_set(m, bucket, ROW_SUSPENDED, ROW_VERSIONS);
    if (state == PC_VERSIONING_SUSPENDED)
        return op_set(m, bucket, ROW_VERSIONS, ROW_SUSPENDED);
    return pc_err_set(PC_EBUCKETSTATE, "a bucket that keeps versions can only be suspended");
}

int op_locking_set(struct meta *m, const char *bucket)
{
    return op_set(m, bucket, 0, ROW_LOCKING);
}
