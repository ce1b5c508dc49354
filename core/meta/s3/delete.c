/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting objects: the object or a version of it, or a marker over what stays. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "meta/ops/ops.h"
#include "meta/ops/slice.h"
#include "meta/tree/trash.h"
#include "meta/s3/past.h"
#include "pcloud/err.h"

/* The folder stays as long as it has entries or the mount made it; it is a key no more. */
static int del_folder(struct meta *m, struct sql_conn *c, const struct key_path *p, struct row *r)
{
    static const char sql[] = "DELETE FROM object WHERE ino=?1";
    struct edge e;
    int rc = content_drop(m, c, r);

    if (rc == 0)
        rc = sql_run(c, sql, "u", r->ino);
    if (rc < 0)
        return rc;
    r->flags &= ~(unsigned)(ROW_OBJECT | ROW_VERSION | ROW_LOCKED);
    sql_total_add(m, SQL_OBJECTS, -1);
    row_changed(r, wall_ns());
    rc = row_store(c, r);
    if (rc == 0)
        rc = key_edge(c, p, r->ino, &e);
    return rc < 0 ? rc : edge_feed(m, c, PC_CHANGE_ATTR | PC_CHANGE_DATA, &e);
}

static int del_file(struct meta *m, struct sql_conn *c, const struct key_path *p, struct row *r,
                    bool kept)
{
    struct row parent;
    struct edge e;
    int rc = key_edge(c, p, r->ino, &e);

    if (rc == 0)
        rc = edge_delete(c, e.parent, e.seg, e.len);
    if (rc == 0 && !kept)
        rc = node_leave(m, c, &e, r);
    if (rc == 0)
        rc = row_load(c, e.parent, &parent);
    if (rc < 0)
        return rc;
    parent.mtime = parent.ctime = wall_ns();
    rc = row_store(c, &parent);
    return rc < 0 ? rc : edge_feed(m, c, PC_CHANGE_ENTRY | PC_CHANGE_ATTR, &e);
}

int object_remove(struct meta *m, struct sql_conn *c, const struct key_path *p, struct object *o,
                  bool kept)
{
    return key_is_folder(p) ? del_folder(m, c, p, &o->row) : del_file(m, c, p, &o->row, kept);
}

int object_prune(struct meta *m, struct sql_conn *c, struct key_path *p, uint64_t ino)
{
    if (key_is_folder(p)) { /* one that is its own key goes with those above it */
        p->folders[p->depth].ino = ino;
        p->folders[p->depth].at = (size_t)(p->seg - p->key);
        p->folders[p->depth++].len = p->seg_len;
    }
    return key_prune(m, c, p);
}

static bool is_condition(int rc)
{
    return rc == -ENOENT || rc == PC_EPRECONDITION || rc == -EINVAL || rc == -ENAMETOOLONG ||
           rc == PC_ELOCKED;
}

struct del {
    struct meta *m;
    struct sql_conn *c;
    const char *bucket;
    struct place place;
    const struct pc_condition *cond;
    bool existed;
};

static int meets(const struct del *w, const struct object *o, const struct pc_delete *item)
{
    struct pc_condition own = {.if_match = item->etag};
    int rc = object_meets(o, w->cond);

    if (rc == 0)
        rc = object_meets(o, &own);
    return rc < 0 ? rc : object_meets(o, item->cond);
}

/* The key has no object, but may have a marker: no condition but "*" holds for that. */
static int marker_meets(const struct del *w, const struct pc_delete *item, int rc)
{
    const struct pc_condition *cond = w->cond ? w->cond : item->cond;
    const char *tag = item->etag ? item->etag : cond ? cond->if_match : NULL;
    struct past p;
    int found;

    if (rc != -ENOENT || !(w->place.bucket.flags & ROW_KEEPS))
        return rc;
    found = past_newest(w->c, &w->place, &p);
    if (found <= 0 || p.ino != 0)
        return found < 0 ? found : rc;
    return tag && strcmp(tag, "*") == 0 ? 0 : PC_EPRECONDITION;
}

/* What is current goes; in a bucket with versions it is kept, and a marker is in its place. */
static int del_current(struct del *w, const struct meta_key *k, struct pc_delete *item)
{
    bool keeps = (w->place.bucket.flags & ROW_KEEPS) != 0;
    struct key_path path;
    struct object o;
    uint64_t bucket;
    int found = key_walk(w->c, k, &path), kept = 0, rc;

    if (found > 0)
        found = object_find(w->c, &path, &o);
    rc = found < 0 ? found : meets(w, found ? &o : NULL, item);
    if (rc < 0 && !found)
        rc = marker_meets(w, item, rc);
    w->existed = found > 0;
    if (rc == 0 && keeps && !found)
        rc = key_check(w->c, k, &bucket);
    if (rc < 0 || (!found && !keeps))
        return rc;
    if (keeps)
        kept = version_replace(w->m, w->c, &w->place, found ? &o : NULL);
    else
        kept = lock_guard(w->c, &o.row, item->bypass);
    rc = kept < 0 ? kept : 0;
    if (rc == 0 && found)
        rc = object_remove(w->m, w->c, &path, &o, kept > 0);
    if (rc == 0 && found)
        rc = object_prune(w->m, w->c, &path, o.row.ino);
    item->marker = keeps;
    return rc < 0 || !keeps ? rc : version_mark(w->m, w->c, &w->place, item->id);
}

/* One key: item->result; a code only if nothing may be kept. */
static int del_one(struct del *w, struct pc_delete *item)
{
    struct meta_key k = {
        .bucket = w->bucket, .key = item->key, .len = item->len, .version = item->version};
    int rc;

    w->place.key = item->key;
    w->place.len = item->len;
    if (item->version && item->version[0] != '\0') {
        rc = version_delete(w->m, w->c, &k, item);
        w->existed = rc == 0;
        if (rc == PC_ENOVERSION || rc == -ENOENT)
            rc = 0;
    } else {
        rc = del_current(w, &k, item);
    }
    item->result = rc;
    return rc < 0 && !is_condition(rc) ? rc : 0;
}

static int del_in(struct del *w, struct pc_delete *items, size_t n)
{
    uint64_t ino;
    int rc = bucket_find(w->c, w->bucket, &ino);

    if (rc == 0)
        rc = row_load(w->c, ino, &w->place.bucket);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = del_one(w, &items[i]);
    return rc;
}

/* With ${cond} (one key only) its result is also that of the call. */
int op_del(struct meta *m, const char *bucket, struct pc_delete *items, size_t n,
           const struct pc_condition *cond, bool *ret_existed)
{
    struct del w = {.m = m, .bucket = bucket, .cond = cond};
    int rc = sql_write_begin(m, SQL_FREES, &w.c);

    if (rc < 0)
        return rc;
    rc = sql_write_end(m, w.c, del_in(&w, items, n));
    if (rc == 0 && ret_existed)
        *ret_existed = w.existed;
    return rc == 0 && cond && n == 1 ? items[0].result : rc;
}
