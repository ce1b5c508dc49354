/* SPDX-License-Identifier: Apache-2.0 */
/* The trash shown, and what comes back from it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "meta/ops/ops.h"
#include "meta/tree/trash.h"
#include "pcloud/err.h"

#define DEPTH_MAX 1024 /* folders in the trash above each other */

/* Where something was removed from. */
struct origin {
    uint64_t parent;
    size_t len;
    char seg[SEGMENT_MAX + 1];
};

/* 1, 0 if the node is not in the trash. */
static int origin_of(struct sql_conn *c, uint64_t ino, struct origin *o)
{
    static const char sql[] = "SELECT parent, seg FROM trash WHERE ino=?1";
    const char *seg;
    size_t len;
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "u", ino);

    if (rc <= 0)
        return rc;
    rc = col_blob(st, 1, &seg, &len);
    if (rc == 0 && (len == 0 || len > SEGMENT_MAX))
        rc = pc_err_set(PC_ECORRUPT, "node %llu: no name in the trash", (unsigned long long)ino);
    if (rc == 0) {
        o->parent = col_u(st, 0);
        o->len = len;
        memcpy(o->seg, seg, len);
        o->seg[len] = '\0';
    }
    sqlite3_reset(st);
    return rc < 0 ? rc : 1;
}

/* The text of where things are or were, written from its end. */
struct text {
    char buf[META_TRASH_PATH];
    size_t at;
};

/* false: there is no more room. */
static bool prepend(struct text *t, const char *s, size_t len)
{
    if (t->at < len)
        return false;
    t->at -= len;
    memcpy(t->buf + t->at, s, len);
    return true;
}

static void prepend_name(struct text *t, const char *seg, size_t len, bool twin)
{
    char name[SEGMENT_NAME_MAX + 1];

    segment_to_name(seg, len, twin, name);
    if (!prepend(t, name, strlen(name)) || !prepend(t, "/", 1))
        t->at = 0;
}

/* The path of a folder, through the trash where that is the way; "?" where it ends. */
static int folder_text(struct sql_conn *c, uint64_t ino, struct text *t)
{
    struct origin o;
    struct edge e;
    struct row r;
    int rc = 0;

    t->at = sizeof(t->buf) - 1;
    t->buf[t->at] = '\0';
    for (unsigned depth = 0; ino != PC_ROOT_INO && depth < DEPTH_MAX; depth++) {
        rc = row_load(c, ino, &r);
        if (rc == 0 && (r.flags & ROW_TRASHED)) {
            rc = origin_of(c, ino, &o);
            if (rc > 0)
                prepend_name(t, o.seg, o.len, false);
            ino = o.parent;
        } else if (rc == 0) {
            rc = edge_of(c, r.parent, ino, &e);
            if (rc > 0)
                prepend_name(t, e.seg, e.len, e.twin);
            ino = r.parent;
        }
        if (rc < 0 && rc != -ENOENT)
            return rc;
        if (rc <= 0) {
            prepend(t, "?", 1);
            return 0;
        }
    }
    return 0;
}

struct lister {
    struct sql_conn *c;
    struct text where; /* of folder ${parent} */
    uint64_t parent;
    char entry[META_TRASH_HOUR + 2 + SEGMENT_NAME_MAX + 1];
    char path[META_TRASH_PATH + SEGMENT_NAME_MAX + 2];
};

/* A row: hour, segment, parent, seg, gone, and the node. */
static int list_row(struct lister *l, sqlite3_stmt *st, struct pc_trash_entry *e)
{
    char name[SEGMENT_NAME_MAX + 1];
    const char *hour, *seg, *was;
    size_t hour_len, len, was_len;
    uint64_t parent = col_u(st, 2);
    struct row r;
    int rc = col_blob(st, 0, &hour, &hour_len);

    if (rc == 0)
        rc = col_blob(st, 1, &seg, &len);
    if (rc == 0)
        rc = col_blob(st, 3, &was, &was_len);
    if (rc == 0 && (len > SEGMENT_MAX || was_len > SEGMENT_MAX))
        rc = PC_ECORRUPT;
    if (rc < 0)
        return rc;
    segment_to_name(seg, len, false, name);
    if (hour_len > META_TRASH_HOUR + 1)
        hour_len = META_TRASH_HOUR + 1;
    memcpy(l->entry, hour, hour_len);
    snprintf(l->entry + hour_len, sizeof(l->entry) - hour_len, "%s", name);
    if (parent != l->parent) {
        rc = folder_text(l->c, parent, &l->where);
        if (rc < 0)
            return rc;
        l->parent = parent;
    }
    segment_to_name(was, was_len, false, name);
    snprintf(l->path, sizeof(l->path), "%s/%s", l->where.buf + l->where.at, name);
    row_read(st, 5, &r);
    e->entry = l->entry;
    e->path = l->path;
    e->gone = ns_to(sqlite3_column_int64(st, 4));
    row_attr(&r, &e->attr);
    return 0;
}

static int list_in(struct sql_conn *c, struct lister *l,
                   int (*fn)(void *arg, const struct pc_trash_entry *e), void *arg)
{
    static const char sql[] =
        "SELECT h.seg, e.seg, t.parent, t.seg, t.gone, " ROW_COLUMNS " FROM edge h "
        "CROSS JOIN edge e ON e.parent=h.ino CROSS JOIN trash t ON t.ino=e.ino "
        "CROSS JOIN node n ON n.ino=e.ino WHERE h.parent=?1 ORDER BY h.seg, e.seg";
    struct pc_trash_entry e;
    struct row top;
    sqlite3_stmt *st;
    int rc = trash_top(c, &top);

    if (rc > 0)
        rc = sql_stmt(c, sql, &st);
    else
        return rc;
    if (rc < 0)
        return rc;
    l->c = c;
    rc = sql_bind(st, "u", top.ino);
    while (rc == 0 && (rc = sql_step(st)) > 0) {
        rc = list_row(l, st, &e);
        if (rc == 0)
            rc = fn(arg, &e);
    }
    sqlite3_reset(st);
    return rc;
}

int op_trash_list(struct meta *m, int (*fn)(void *arg, const struct pc_trash_entry *e), void *arg)
{
    struct lister *l = mem_calloc(1, sizeof(*l));
    struct sql_conn *c;
    int rc;

    if (!l)
        return -ENOMEM;
    rc = sql_read_begin(m, &c);
    if (rc == 0) {
        rc = list_in(c, l, fn, arg);
        sql_read_end(m, c);
    }
    mem_free(l);
    return rc;
}

/* Out of its hour. */
static int take_out(struct meta *m, struct sql_conn *c, struct row *r, const struct origin *o)
{
    struct edge e = {.parent = r->parent, .ino = r->ino, .folder = S_ISDIR(r->mode)};
    struct row hour;
    int rc;

    e.len = trash_segment(r->ino, o->seg, o->len, e.seg);
    rc = edge_delete(c, e.parent, e.seg, e.len);
    if (rc == 0)
        rc = row_load(c, e.parent, &hour);
    if (rc < 0)
        return rc;
    hour.nlink -= e.folder;
    hour.mtime = hour.ctime = wall_ns();
    rc = row_store(c, &hour);
    if (rc == 0)
        rc = trash_out(c, r);
    return rc < 0 ? rc : edge_feed(m, c, PC_CHANGE_ENTRY, &e);
}

/* Into a folder. */
static int bring(struct meta *m, struct sql_conn *c, struct row *r, struct row *p, struct edge *e)
{
    int rc = edge_insert(c, p->ino, e->seg, e->len, r->ino);

    if (rc < 0)
        return rc;
    r->parent = p->ino;
    r->ctime = p->mtime = p->ctime = wall_ns();
    p->nlink += e->folder;
    p->flags |= e->twin ? ROW_TWINS : 0;
    rc = row_store(c, r);
    if (rc == 0)
        rc = row_store(c, p);
    e->ino = r->ino;
    return rc < 0 ? rc : edge_feed(m, c, PC_CHANGE_ENTRY | PC_CHANGE_ATTR, e);
}

/* What it was called, in that folder: -EEXIST. */
static int old_edge(struct sql_conn *c, const struct origin *o, uint64_t parent, struct row *p,
                    struct edge *e)
{
    uint64_t file, folder;
    int rc = row_load_folder(c, parent, p);

    if (rc == 0 && (p->flags & ROW_TRASH))
        rc = -ENOENT;
    if (rc < 0)
        return rc;
    *e = (struct edge){.parent = parent, .len = o->len};
    e->folder = segment_is_folder(o->seg, o->len);
    memcpy(e->seg, o->seg, o->len);
    rc = edge_pair(c, parent, o->seg, e->folder ? o->len - 1 : o->len, &file, &folder);
    if (rc < 0)
        return rc;
    e->ino = e->folder ? folder : file;
    e->twin = (e->folder ? file : folder) != 0;
    return e->ino ? -EEXIST : 0;
}

static int place_of_folder(struct meta *m, struct sql_conn *c, uint64_t ino, unsigned depth,
                           uint64_t *ret);

/* One node to where it was; *ret: the folder of that name if there is one already (-EEXIST). */
static int to_old_place(struct meta *m, struct sql_conn *c, struct row *r, unsigned depth,
                        uint64_t *ret)
{
    struct origin o;
    struct row p;
    struct edge e;
    uint64_t parent = 0;
    int rc = origin_of(c, r->ino, &o);

    if (rc <= 0)
        return rc < 0 ? rc : -ENOENT;
    rc = place_of_folder(m, c, o.parent, depth + 1, &parent);
    if (rc == 0)
        rc = old_edge(c, &o, parent, &p, &e);
    if (rc == -EEXIST && ret)
        *ret = e.ino;
    if (rc == 0)
        rc = take_out(m, c, r, &o);
    return rc < 0 ? rc : bring(m, c, r, &p, &e);
}

/* A folder that may be in the trash: itself, brought back, or one that took its place. */
static int place_of_folder(struct meta *m, struct sql_conn *c, uint64_t ino, unsigned depth,
                           uint64_t *ret)
{
    uint64_t other = 0;
    struct row r;
    int rc = depth < DEPTH_MAX ? row_load(c, ino, &r) : -ELOOP;

    if (rc == -ENOENT || (rc == 0 && r.nlink == 0))
        return pc_err_set(-ENOENT, "the folder that it was in is gone; say where to");
    if (rc < 0)
        return rc;
    *ret = ino;
    if (!(r.flags & ROW_TRASHED))
        return 0;
    rc = to_old_place(m, c, &r, depth, &other);
    if (rc == -EEXIST && other != 0) {
        *ret = other;
        return 0;
    }
    return rc;
}

static int restore_in(struct meta *m, struct sql_conn *c, uint64_t ino, uint64_t parent,
                      const char *name)
{
    struct origin o;
    struct row r, p;
    struct edge e;
    int rc = row_load(c, ino, &r);

    if (rc == 0 && !(r.flags & ROW_TRASHED))
        rc = -ENOENT;
    if (rc < 0)
        return rc;
    if (parent == 0)
        return to_old_place(m, c, &r, 0, NULL);
    rc = origin_of(c, ino, &o);
    if (rc == 0)
        rc = -ENOENT;
    if (rc > 0)
        rc = edge_new(c, parent, name, S_ISDIR(r.mode), &p, &e);
    if (rc == 0)
        rc = take_out(m, c, &r, &o);
    return rc < 0 ? rc : bring(m, c, &r, &p, &e);
}

int op_trash_restore(struct meta *m, uint64_t ino, uint64_t parent, const char *name)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    return rc < 0 ? rc : sql_write_end(m, c, restore_in(m, c, ino, parent, name));
}

int op_trash_removed_from(struct meta *m, uint64_t folder, int64_t *before, unsigned max,
                          uint64_t *inos)
{
    static const char sql[] = "SELECT ino, gone FROM trash WHERE parent=?1 AND gone<?2 "
                              "ORDER BY gone DESC, ino DESC LIMIT ?3";
    struct sql_conn *c;
    sqlite3_stmt *st;
    unsigned n = 0;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = sql_stmt(c, sql, &st);
    if (rc == 0) {
        rc = sql_bind(st, "uiu", folder, *before, (uint64_t)max);
        while (rc >= 0 && n < max && (rc = sql_step(st)) > 0) {
            inos[n++] = col_u(st, 0);
            *before = sqlite3_column_int64(st, 1);
        }
        sqlite3_reset(st);
    }
    sql_read_end(m, c);
    return rc < 0 ? rc : (int)n;
}
