/* SPDX-License-Identifier: Apache-2.0 */
/* Objects: found at the end of a key, judged by conditions, shown, put. */
#include "meta/s3/key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "meta/ops/header.h"
#include "meta/ops/slice.h"
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

int object_find(struct sql_conn *c, const struct key_path *p, struct object *o)
{
    static const char sql[] = "SELECT " ROW_COLUMNS ", o.ino, o.version, o.etag, length(o.parts) "
                              "FROM edge e CROSS JOIN node n ON n.ino=e.ino "
                              "LEFT JOIN object o ON o.ino=n.ino WHERE e.parent=?1 AND e.seg=?2";
    const int at = ROW_NCOLUMNS;
    uint64_t version;
    sqlite3_stmt *st;
    int rc;

    *o = (struct object){.has_row = false};
    rc = sql_one(c, sql, &st, "ub", key_parent(p), p->seg, p->seg_len);
    if (rc <= 0)
        return rc;
    row_read(st, 0, &o->row);
    o->has_row = col_u(st, at) != 0;
    version = col_u(st, at + 1); /* NULL is 0, which no node has */
    o->fresh = o->has_row && version == o->row.version;
    object_etag(&o->row, version, (const char *)sqlite3_column_text(st, at + 2), o->etag);
    o->parts = o->fresh ? (unsigned)(col_u(st, at + 3) / 8) : 0;
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
    return cond->if_none_match && etag_is(cond->if_none_match, o) ? PC_EPRECONDITION : 0;
}

int object_fill(struct sql_conn *c, const struct object *o, struct pc_object *ret)
{
    struct pc_object out = {
        .ino = o->row.ino, .size = o->row.size, .mtime = ns_to(o->row.mtime), .parts = o->parts};
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
    out.headers.data = data;
    out.headers.len = len;
    *ret = out;
    return 0;
}

int object_store(struct sql_conn *c, const struct row *r, const char *etag,
                 const struct pc_headers *headers, const void *parts, size_t parts_len)
{
    static const char sql[] = "INSERT OR REPLACE INTO object VALUES(?1, ?2, ?3, ?4, ?5)";
    bool has = headers && headers->data;
    int rc;

    if (etag && strnlen(etag, PC_ETAG_MAX) == PC_ETAG_MAX)
        return -EINVAL;
    rc = sql_run(c, sql, "uutbb", r->ino, r->version, etag ? etag : "", has ? headers->data : NULL,
                 has ? headers->len : (size_t)0, parts, parts_len);
    return rc < 0 ? rc : 0;
}

/* What a put works on. */
struct put {
    struct meta *m;
    struct sql_conn *c;
    const struct key_path *path;
    const struct object_source *src;
    struct row parent, bucket;
    struct edge edge;
};

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
static int put_file(struct put *w, struct row *old, struct row *r)
{
    const struct object_source *s = w->src;
    int rc;

    row_new(w->m, S_IFREG | 0644, w->bucket.uid, w->bucket.gid, w->parent.ino, r);
    r->flags = ROW_OBJECT;
    row_count(w->m, r, 1);
    rc = s->content(w->m, w->c, s->arg, r);
    if (rc == 0)
        rc = row_insert(w->c, r);
    if (rc == 0)
        rc = object_store(w->c, r, s->etag, s->headers, s->parts, s->parts_len);
    if (rc < 0)
        return rc;
    w->edge.ino = r->ino;
    if (!old->ino) {
        rc = edge_insert(w->c, w->edge.parent, w->edge.seg, w->edge.len, r->ino);
        return rc < 0 ? rc : finish_put(w, PC_CHANGE_ENTRY);
    }
    rc = edge_point(w->c, w->edge.parent, w->edge.seg, w->edge.len, r->ino);
    if (rc == 0)
        rc = node_unlink(w->m, w->c, old);
    if (rc == 0)
        rc = sql_feed(w->m, w->c, PC_CHANGE_ATTR, old->ino, 0, NULL, 0);
    return rc < 0 ? rc : finish_put(w, PC_CHANGE_ENTRY);
}

/* The folder itself becomes an object, or one of other content. */
static int put_folder(struct put *w, struct row *old, struct row *r)
{
    const struct object_source *s = w->src;
    bool is_new = !old->ino;
    int rc;

    if (is_new)
        row_new(w->m, S_IFDIR | 0755, w->bucket.uid, w->bucket.gid, w->parent.ino, r);
    else
        *r = *old;
    if (is_new) {
        r->flags = ROW_IMPLICIT | ROW_OBJECT;
        row_count(w->m, r, 1);
    } else if (!(r->flags & ROW_OBJECT)) {
        r->flags |= ROW_OBJECT;
        sql_total_add(w->m, SQL_OBJECTS, 1);
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
        rc = object_store(w->c, r, s->etag, s->headers, s->parts, s->parts_len);
    return rc < 0 ? rc : finish_put(w, PC_CHANGE_ENTRY | PC_CHANGE_ATTR | PC_CHANGE_DATA);
}

int object_put(struct meta *m, struct sql_conn *c, const struct meta_key *k,
               const struct object_source *src, const struct pc_condition *cond, struct object *ret)
{
    struct key_path path;
    struct put w = {.m = m, .c = c, .path = &path, .src = src};
    struct object old = {.has_row = false};
    struct row r;
    int found, rc = header_check(src->headers);

    if (rc == 0)
        rc = key_make(m, c, k, &path);
    if (rc < 0)
        return rc;
    rc = key_edge(c, &path, 0, &w.edge);
    if (rc < 0)
        return rc;
    found = w.edge.ino ? object_find(c, &path, &old) : 0;
    rc = found < 0 ? found : object_meets(found ? &old : NULL, cond);
    if (rc == 0)
        rc = row_load(c, w.edge.parent, &w.parent);
    /* (the folders that S3 made belong to whom the bucket belongs) */
    w.bucket = w.parent;
    if (rc == 0 && w.parent.ino != path.bucket && !(w.parent.flags & ROW_IMPLICIT))
        rc = row_load(c, path.bucket, &w.bucket);
    if (rc < 0)
        return rc;
    rc = key_is_folder(&path) ? put_folder(&w, &old.row, &r) : put_file(&w, &old.row, &r);
    if (rc < 0)
        return rc;
    *ret = (struct object){.row = r, .has_row = true, .fresh = true};
    ret->parts = (unsigned)(src->parts_len / 8);
    object_etag(&r, r.version, src->etag, ret->etag);
    return 0;
}
