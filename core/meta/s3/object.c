/* SPDX-License-Identifier: Apache-2.0 */
/* Objects: found at the end of a key, judged by conditions, shown, put. */
#include "meta/s3/past.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "meta/ops/header.h"
#include "meta/ops/slice.h"
#include "meta/tree/trash.h"
#include "pcloud/err.h"

void object_etag(const struct row *r, uint64_t version, const char *etag, char ret[PC_ETAG_MAX])
{
    size_t len = etag ? strnlen(etag, PC_ETAG_MAX) : 0;

    if (version == r->version && len > 0 && len < PC_ETAG_MAX) {
        memcpy(ret, etag, len + 1);
        return;
    }
    snprintf(ret, PC_ETAG_MAX, "%016llx%016llx-0", (unsigned long long)r->ino,
             (unsigned long long)r->version);
}

#define OBJECT_COLUMNS "o.ino, o.version, o.etag, length(o.parts), o.vid"

static void object_read(sqlite3_stmt *st, int at, struct object *o)
{
    uint64_t version = col_u(st, at + 1); /* NULL is 0, which no node has */
    const char *vid = (const char *)sqlite3_column_text(st, at + 4);
    size_t len = vid ? strnlen(vid, PC_VERSION_MAX - 1) : 0;

    o->has_row = col_u(st, at) != 0;
    o->fresh = o->has_row && version == o->row.version;
    object_etag(&o->row, version, (const char *)sqlite3_column_text(st, at + 2), o->etag);
    o->parts = o->fresh ? (unsigned)(col_u(st, at + 3) / 8) : 0;
    memcpy(o->vid, vid ? vid : "", len);
    o->vid[len] = '\0';
}

int object_load(struct sql_conn *c, struct object *o)
{
    static const char sql[] = "SELECT " OBJECT_COLUMNS " FROM node n "
                              "LEFT JOIN object o ON o.ino=n.ino WHERE n.ino=?1";
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "u", o->row.ino);

    if (rc <= 0)
        return rc < 0 ? rc : -ENOENT;
    object_read(st, 0, o);
    sqlite3_reset(st);
    return 0;
}

int object_find(struct sql_conn *c, const struct key_path *p, struct object *o)
{
    static const char sql[] = "SELECT " ROW_COLUMNS ", " OBJECT_COLUMNS " "
                              "FROM edge e CROSS JOIN node n ON n.ino=e.ino "
                              "LEFT JOIN object o ON o.ino=n.ino WHERE e.parent=?1 AND e.seg=?2";
    sqlite3_stmt *st;
    int rc;

    *o = (struct object){.has_row = false};
    rc = sql_one(c, sql, &st, "ub", key_parent(p), p->seg, p->seg_len);
    if (rc <= 0)
        return rc;
    row_read(st, 0, &o->row);
    object_read(st, ROW_NCOLUMNS, o);
    sqlite3_reset(st);
    return key_is_folder(p) ? (o->row.flags & ROW_OBJECT) != 0 : S_ISREG(o->row.mode);
}

static bool etag_is(const char *wanted, const struct object *o)
{
    return o && (strcmp(wanted, "*") == 0 || strcmp(wanted, o->etag) == 0);
}

int object_meets(const struct object *o, const struct pc_condition *cond)
{
    if (!cond)
        return 0;
    if (cond->if_match) {
        if (!o)
            return -ENOENT;
        if (!etag_is(cond->if_match, o))
            return PC_EPRECONDITION;
    }
    if (cond->if_mtime || cond->if_size) {
        if (!o)
            return -ENOENT;
        if ((cond->if_size && *cond->if_size != o->row.size) ||
            (cond->if_mtime && cond->if_mtime->tv_sec != ns_to(o->row.mtime).tv_sec))
            return PC_EPRECONDITION;
    }
    return cond->if_none_match && etag_is(cond->if_none_match, o) ? PC_EPRECONDITION : 0;
}

int object_fill(struct sql_conn *c, const struct object *o, struct pc_object *ret)
{
    struct pc_object out = {.ino = o->row.ino,
                            .size = o->row.size,
                            .mtime = ns_to(o->row.mtime),
                            .parts = o->parts,
                            .latest = o->latest};
    char *data = NULL;
    size_t len = 0;

    if (o->has_row) {
        int rc = header_load(c, o->row.ino, &data, &len);

        if (rc < 0)
            return rc;
    }
    if (!o->fresh)
        len = header_drop_checksums(data, len);
    memcpy(out.etag, o->etag, PC_ETAG_MAX);
    memcpy(out.version, o->vid, PC_VERSION_MAX);
    out.headers.data = data;
    out.headers.len = len;
    *ret = out;
    return 0;
}

int object_end(struct meta *m, struct sql_conn *c, int rc, struct pc_object *ret)
{
    int r = sql_write_end(m, c, rc);

    if (rc == 0 && r < 0 && ret) {
        mem_free((void *)(uintptr_t)ret->headers.data);
        *ret = (struct pc_object){0};
    }
    return r;
}

int object_store(struct sql_conn *c, const struct row *r, const char *etag,
                 const struct pc_headers *headers, const void *parts, size_t parts_len,
                 const char *vid)
{
    static const char sql[] = "INSERT OR REPLACE INTO object VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
    bool has = headers && headers->data;
    int rc;

    if (etag && strnlen(etag, PC_ETAG_MAX) == PC_ETAG_MAX)
        return -EINVAL;
    rc = sql_run(c, sql, "uutbbt", r->ino, r->version, etag ? etag : "", has ? headers->data : NULL,
                 has ? headers->len : (size_t)0, parts, parts_len, vid);
    return rc < 0 ? rc : 0;
}

int object_clone(struct sql_conn *c, uint64_t from, uint64_t to)
{
    static const char sql[] = "INSERT INTO object SELECT ?2, version, etag, headers, parts, NULL "
                              "FROM object WHERE ino=?1";
    int rc = sql_run(c, sql, "uu", from, to);

    return rc < 0 ? rc : 0;
}

/* What a put works on. */
struct put {
    struct meta *m;
    struct sql_conn *c;
    const struct key_path *path;
    const struct object_source *src;
    struct place place;
    struct row parent, owner;
    struct edge edge;
    char vid[PC_VERSION_MAX]; /* "": none */
};

/* Of the node that is put. */
static unsigned put_flags(const struct put *w)
{
    return ROW_OBJECT | (w->vid[0] != '\0' ? ROW_VERSION : 0) |
           (lock_named(w->src->headers) ? ROW_LOCKED : 0);
}

static int put_store(struct put *w, const struct row *r)
{
    const struct object_source *s = w->src;

    return object_store(w->c, r, s->etag, s->headers, s->parts, s->parts_len,
                        w->vid[0] != '\0' ? w->vid : NULL);
}

/* What was in the place: 1 if its node is kept as a past version. ${is_object}: it was one. */
static int old_leaves(struct put *w, struct object *old, bool is_object)
{
    if (w->place.bucket.flags & ROW_KEEPS)
        return version_replace(w->m, w->c, &w->place, is_object ? old : NULL);
    return is_object ? lock_guard(w->c, &old->row, false) : 0;
}

static int finish_put(struct put *w, unsigned kinds)
{
    int rc;

    w->parent.mtime = w->parent.ctime = wall_ns();
    if (w->edge.twin)
        w->parent.flags |= ROW_TWINS;
    rc = row_store(w->c, &w->parent);
    return rc < 0 ? rc : edge_feed(w->m, w->c, kinds, &w->edge);
}

/* A new node takes the key's place; who reads the old one keeps it. */
static int put_file(struct put *w, struct object *was, bool is_object, struct row *r)
{
    const struct object_source *s = w->src;
    struct row *old = &was->row;
    int kept, rc;

    row_new(w->m, S_IFREG | 0644, w->owner.uid, w->owner.gid, w->parent.ino, r);
    r->flags = put_flags(w);
    row_count(w->m, r, 1);
    rc = s->content(w->m, w->c, s->arg, r);
    if (rc == 0)
        rc = row_insert(w->c, r);
    if (rc == 0)
        rc = put_store(w, r);
    kept = rc < 0 ? rc : old_leaves(w, was, is_object);
    if (kept < 0)
        return kept;
    w->edge.ino = r->ino;
    if (!old->ino) {
        rc = edge_insert(w->c, w->edge.parent, w->edge.seg, w->edge.len, r->ino);
        return rc < 0 ? rc : finish_put(w, PC_CHANGE_ENTRY);
    }
    rc = edge_point(w->c, w->edge.parent, w->edge.seg, w->edge.len, r->ino);
    if (rc == 0 && !kept)
        rc = node_leave(w->m, w->c, &w->edge, old);
    if (rc == 0)
        rc = sql_feed(w->m, w->c, PC_CHANGE_ATTR, old->ino, 0, NULL, 0);
    return rc < 0 ? rc : finish_put(w, PC_CHANGE_ENTRY);
}

/* The folder itself becomes an object, or one of other content. */
static int put_folder(struct put *w, struct object *old, bool is_object, struct row *r)
{
    const struct object_source *s = w->src;
    bool is_new = !old->row.ino;
    int rc = old_leaves(w, old, is_object);

    if (rc < 0)
        return rc;
    if (is_new)
        row_new(w->m, S_IFDIR | 0755, w->owner.uid, w->owner.gid, w->parent.ino, r);
    else
        *r = old->row;
    if (is_new) {
        r->flags = ROW_IMPLICIT | put_flags(w);
        row_count(w->m, r, 1);
    } else {
        if (!(r->flags & ROW_OBJECT))
            sql_total_add(w->m, SQL_OBJECTS, 1);
        r->flags = (r->flags & ~(unsigned)(ROW_VERSION | ROW_LOCKED)) | put_flags(w);
    }
    rc = s->content(w->m, w->c, s->arg, r);
    if (rc < 0)
        return rc;
    w->edge.ino = r->ino;
    if (is_new) {
        w->parent.nlink++;
        rc = row_insert(w->c, r);
        if (rc == 0)
            rc = edge_insert(w->c, w->edge.parent, w->edge.seg, w->edge.len, r->ino);
    } else {
        row_changed(r, wall_ns());
        rc = row_store(w->c, r);
    }
    if (rc == 0)
        rc = put_store(w, r);
    return rc < 0 ? rc : finish_put(w, PC_CHANGE_ENTRY | PC_CHANGE_ATTR | PC_CHANGE_DATA);
}

/* The key's folders and rows; ${old} with what is in the place. */
static int put_open(struct put *w, const struct meta_key *k, struct key_path *path,
                    struct object *old)
{
    int found, rc = key_make(w->m, w->c, k, path);

    if (rc == 0)
        rc = key_edge(w->c, path, 0, &w->edge);
    if (rc < 0)
        return rc;
    found = w->edge.ino ? object_find(w->c, path, old) : 0;
    rc = found < 0 ? found : row_load(w->c, w->edge.parent, &w->parent);
    w->place.bucket = w->parent;
    if (rc == 0 && w->parent.ino != path->bucket)
        rc = row_load(w->c, path->bucket, &w->place.bucket);
    w->place.key = k->key;
    w->place.len = k->len;
    /* (the folders that S3 made belong to whom the bucket belongs) */
    w->owner = w->parent.flags & ROW_IMPLICIT ? w->parent : w->place.bucket;
    return rc < 0 ? rc : found;
}

int object_put(struct meta *m, struct sql_conn *c, const struct meta_key *k,
               const struct object_source *src, const struct pc_condition *cond, struct object *ret)
{
    struct key_path path;
    struct put w = {.m = m, .c = c, .path = &path, .src = src};
    struct object old = {.has_row = false};
    struct row r;
    int found, rc = header_check(src->headers);

    if (rc < 0)
        return rc;
    found = put_open(&w, k, &path, &old);
    rc = found < 0 ? found : object_meets(found ? &old : NULL, cond);
    if (rc < 0)
        return rc;
    if (w.place.bucket.flags & ROW_VERSIONS)
        version_new(w.vid);
    rc = key_is_folder(&path) ? put_folder(&w, &old, found, &r) : put_file(&w, &old, found, &r);
    if (rc < 0)
        return rc;
    *ret = (struct object){.row = r, .has_row = true, .fresh = true, .latest = true};
    ret->parts = (unsigned)(src->parts_len / 8);
    object_etag(&r, r.version, src->etag, ret->etag);
    if (w.place.bucket.flags & ROW_KEEPS)
        memcpy(ret->vid, VERSION_NULL, sizeof(VERSION_NULL));
    if (w.vid[0] != '\0')
        memcpy(ret->vid, w.vid, sizeof(ret->vid));
    return 0;
}

static int take_past(struct meta *m, struct sql_conn *c, void *arg, struct row *r)
{
    int rc = content_drop(m, c, r);

    return rc < 0 ? rc : content_copy(m, c, arg, r);
}

/* The folder takes over what the node has. */
static int restore_folder(struct put *w, struct object *old, struct row *r)
{
    struct object from = {.row = *r};
    struct pc_object shown;
    struct row folder;
    int rc = object_load(w->c, &from);

    if (rc == 0)
        rc = object_fill(w->c, &from, &shown);
    if (rc < 0)
        return rc;
    struct object_source src = {
        .content = take_past, .arg = r, .etag = from.etag, .headers = &shown.headers};

    w->src = &src;
    memcpy(w->vid, from.vid, sizeof(w->vid));
    w->place.bucket.flags = 0; /* (nothing is replaced) */
    rc = put_folder(w, old, false, &folder);
    mem_free((void *)(uintptr_t)shown.headers.data);
    return rc < 0 ? rc : node_unlink(w->m, w->c, r, r->parent);
}

int object_restore(struct meta *m, struct sql_conn *c, const struct meta_key *k, struct row *r)
{
    struct key_path path;
    struct put w = {.m = m, .c = c, .path = &path};
    struct object old = {.has_row = false};
    int rc = put_open(&w, k, &path, &old);

    if (rc < 0)
        return rc;
    if (key_is_folder(&path))
        return restore_folder(&w, &old, r);
    r->parent = w.parent.ino;
    r->ctime = wall_ns();
    w.edge.ino = r->ino;
    rc = row_store(c, r);
    if (rc == 0)
        rc = edge_insert(c, w.edge.parent, w.edge.seg, w.edge.len, r->ino);
    return rc < 0 ? rc : finish_put(&w, PC_CHANGE_ENTRY | PC_CHANGE_ATTR);
}
