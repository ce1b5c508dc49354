/* SPDX-License-Identifier: Apache-2.0 */
/* Names that go, and nodes that go with their last name and their last holder. */
#include "meta/ops/ops.h"

#include <errno.h>
#include <sys/stat.h>

#include "meta/ops/link.h"
#include "meta/ops/quota.h"
#include "meta/ops/slice.h"
#include "meta/tree/trash.h"
#include "meta/s3/past.h"
#include "pcloud/err.h"

#define FREE_STEP 1024 /* slices freed in one transaction */
#define ORPHAN_PAGE 64
#define EXPIRE_STEPS 256 /* of one orphan at a time */

int node_free(struct meta *m, struct sql_conn *c, const struct row *r)
{
    static const struct {
        unsigned flag;
        const char *sql;
    } more[] = {
        {ROW_INLINE, "DELETE FROM inline WHERE ino=?1"},
        {ROW_XATTR, "DELETE FROM xattr WHERE ino=?1"},
        {ROW_OBJECT, "DELETE FROM object WHERE ino=?1"},
        {ROW_BUCKET, "DELETE FROM bucket WHERE ino=?1"},
        {ROW_BUCKET, "DELETE FROM bucket_setting WHERE ino=?1"},
        {0, "DELETE FROM node WHERE ino=?1"},
    };
    static const char link[] = "DELETE FROM symlink WHERE ino=?1";
    int rc = 0;

    if (r->flags & ROW_SLICES) {
        rc = slice_free_all(m, c, r->ino, FREE_STEP);
        if (rc < 0 || rc == FREE_STEP)
            return rc < 0 ? rc : 0;
    }
    if (S_ISLNK(r->mode))
        rc = sql_run(c, link, "u", r->ino);
    if (S_ISDIR(r->mode))
        rc = rc < 0 ? rc : upload_drop_all(m, c, r->ino);
    if (S_ISDIR(r->mode) && rc >= 0 && c->quota)
        rc = quota_forget(c, r->ino);
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]) && rc >= 0; i++) {
        if (more[i].flag == 0 || (r->flags & more[i].flag))
            rc = sql_run(c, more[i].sql, "u", r->ino);
    }
    return rc < 0 ? rc : 1;
}

int orphan_add(struct meta *m, struct sql_conn *c, uint64_t ino)
{
    static const char sql[] = "INSERT INTO orphan VALUES(?1, ?2)";
    int rc = sql_run(c, sql, "uu", ino, sql_change_seq(m));

    if (rc < 0)
        return rc;
    sql_total_add(m, SQL_ORPHANS, 1);
    return 0;
}

int node_unlink(struct meta *m, struct sql_conn *c, struct row *r, uint64_t folder)
{
    int rc = r->flags & ROW_TRASHED ? trash_out(c, r) : 0;

    if (rc < 0)
        return rc;
    r->ctime = wall_ns();
    if (!S_ISDIR(r->mode) && r->nlink > 1) {
        rc = link_less(c, r, folder);
        return rc < 0 ? rc : row_store(c, r);
    }
    if (r->nlink > 0)
        row_count(m, r, -1);
    r->nlink = 0;
    rc = quota_follow(c, r);
    if (rc == 0 && S_ISDIR(r->mode) && c->quota)
        rc = quota_forget(c, r->ino);
    if (rc < 0)
        return rc;
    if (!sql_is_held(m, r->ino)) {
        rc = node_free(m, c, r);
        if (rc != 0)
            return rc < 0 ? rc : 0;
    }
    rc = row_store(c, r);
    return rc < 0 ? rc : orphan_add(m, c, r->ino);
}

int folder_remove(struct meta *m, struct sql_conn *c, struct row *parent, struct row *f,
                  const struct edge *e)
{
    int rc = edge_delete(c, e->parent, e->seg, e->len);

    if (rc == 0)
        rc = node_leave(m, c, e, f);
    if (rc < 0)
        return rc;
    parent->nlink--;
    parent->mtime = parent->ctime = wall_ns();
    return edge_feed(m, c, PC_CHANGE_ENTRY | PC_CHANGE_ATTR, e);
}

/* The folder, the entry of that name and its node. */
static int find(struct sql_conn *c, uint64_t parent, const char *name, struct row *p,
                struct edge *e, struct row *r)
{
    int rc = row_load_folder(c, parent, p);

    if (rc == 0)
        rc = edge_by_name(c, parent, name, e);
    else
        return rc;
    if (rc <= 0)
        return rc < 0 ? rc : -ENOENT;
    return row_load(c, e->ino, r);
}

/* Its entry went, but it is a past version now. */
static int node_away(struct sql_conn *c, struct row *r)
{
    r->ctime = wall_ns();
    return row_store(c, r);
}

static int unlink_in(struct meta *m, struct sql_conn *c, uint64_t parent, const char *name)
{
    struct row p, r;
    struct edge e;
    int kept, rc = find(c, parent, name, &p, &e, &r);

    if (rc < 0)
        return rc;
    if (e.folder)
        return -EISDIR;
    kept = version_leave(m, c, &e, &r, true);
    rc = kept < 0 ? kept : edge_delete(c, parent, e.seg, e.len);
    if (rc == 0)
        rc = kept ? node_away(c, &r) : node_leave(m, c, &e, &r);
    if (rc < 0)
        return rc;
    p.mtime = p.ctime = r.ctime;
    p.flags &= ~(unsigned)ROW_IMPLICIT;
    rc = row_store(c, &p);
    return rc < 0 ? rc : edge_feed(m, c, PC_CHANGE_ENTRY | PC_CHANGE_ATTR, &e);
}

int op_unlink(struct meta *m, uint64_t parent, const char *name)
{
    struct sql_conn *c;
    int rc = sql_write_begin_sure(m, SQL_FREES, &c);

    return rc < 0 ? rc : sql_write_end(m, c, unlink_in(m, c, parent, name));
}

static int rmdir_in(struct meta *m, struct sql_conn *c, uint64_t parent, const char *name)
{
    struct row p, r;
    struct edge e;
    int rc = find(c, parent, name, &p, &e, &r);

    if (rc < 0)
        return rc;
    if (!e.folder)
        return -ENOTDIR;
    rc = edge_any(c, r.ino);
    if (rc == 0 && (r.flags & ROW_KEEPS))
        rc = past_any(c, r.ino);
    if (rc != 0)
        return rc < 0 ? rc : -ENOTEMPTY;
    rc = version_leave(m, c, &e, &r, true);
    if (rc < 0)
        return rc;
    rc = folder_remove(m, c, &p, &r, &e);
    if (rc < 0)
        return rc;
    p.flags &= ~(unsigned)ROW_IMPLICIT;
    return row_store(c, &p);
}

int op_rmdir(struct meta *m, uint64_t parent, const char *name)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    return rc < 0 ? rc : sql_write_end(m, c, rmdir_in(m, c, parent, name));
}

/* Orphans above ${after}; their number. */
static int orphan_page(struct meta *m, uint64_t after, uint64_t inos[ORPHAN_PAGE])
{
    static const char sql[] = "SELECT ino FROM orphan WHERE ino>?1 ORDER BY ino LIMIT 64";
    struct sql_conn *c;
    sqlite3_stmt *st;
    int n = 0, rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = sql_stmt(c, sql, &st);
    if (rc == 0) {
        rc = sql_bind(st, "u", after);
        while (rc >= 0 && n < ORPHAN_PAGE && (rc = sql_step(st)) > 0)
            inos[n++] = col_u(st, 0);
        sqlite3_reset(st);
    }
    sql_read_end(m, c);
    return rc < 0 ? rc : n;
}

/* An entry of a folder that nobody can reach any more: what is below a folder waits for its own turn. */
static int drop_entry(struct meta *m, struct sql_conn *c, uint64_t folder, uint64_t ino)
{
    struct row r;
    int rc = row_load(c, ino, &r);

    if (rc < 0 || !S_ISDIR(r.mode))
        return rc < 0 ? rc : node_unlink(m, c, &r, folder);
    row_count(m, &r, -1);
    r.nlink = 0;
    r.parent = PC_ROOT_INO;
    rc = row_store(c, &r);
    return rc < 0 ? rc : orphan_add(m, c, ino);
}

/* Some entries of a folder without a link, as a clone leaves that was not finished: 1 there are none, 0 go on. */
static int drop_entries(struct meta *m, struct sql_conn *c, uint64_t ino)
{
    static const char sql[] = "SELECT ino FROM edge WHERE parent=?1 ORDER BY seg LIMIT 64";
    static const char del[] = "DELETE FROM edge WHERE parent=?1 AND seg IN "
                              "(SELECT seg FROM edge WHERE parent=?1 ORDER BY seg LIMIT ?2)";
    uint64_t inos[ORPHAN_PAGE];
    unsigned n = 0;
    sqlite3_stmt *st;
    int rc = sql_stmt(c, sql, &st);

    if (rc < 0)
        return rc;
    rc = sql_bind(st, "u", ino);
    while (rc >= 0 && n < ORPHAN_PAGE && (rc = sql_step(st)) > 0)
        inos[n++] = col_u(st, 0);
    sqlite3_reset(st);
    if (rc >= 0 && n > 0)
        rc = sql_run(c, del, "uu", ino, (uint64_t)n);
    for (unsigned i = 0; i < n && rc >= 0; i++)
        rc = drop_entry(m, c, ino, inos[i]);
    return rc < 0 ? rc : n == 0;
}

/* One bounded step towards the end of an orphan: 1 it is gone, by us or somebody who was faster and may have left others, 0 go on, 2 it is held. */
static int expire_in(struct meta *m, struct sql_conn *c, uint64_t ino)
{
    static const char find_sql[] = "SELECT 1 FROM orphan WHERE ino=?1";
    static const char del[] = "DELETE FROM orphan WHERE ino=?1";
    sqlite3_stmt *st;
    struct row r;
    int rc = sql_one(c, find_sql, &st, "u", ino);

    if (rc <= 0)
        return rc < 0 ? rc : 1;
    sqlite3_reset(st);
    if (sql_is_held(m, ino))
        return 2;
    rc = row_load(c, ino, &r);
    if (rc == 0 && S_ISDIR(r.mode)) {
        rc = c->quota ? quota_forget(c, ino) : 0;
        if (rc == 0)
            rc = drop_entries(m, c, ino);
        if (rc <= 0)
            return rc;
        rc = 0;
    }
    if (rc == 0)
        rc = node_free(m, c, &r);
    else if (rc == -ENOENT)
        rc = 1;
    if (rc <= 0)
        return rc;
    rc = sql_run(c, del, "u", ino);
    if (rc < 0)
        return rc;
    sql_total_add(m, SQL_ORPHANS, -1);
    return 1;
}

/* 1: it is gone, or there is more of it than others should wait for. */
static int expire(struct meta *m, uint64_t ino)
{
    struct sql_conn *c;
    unsigned steps = 0;
    int rc;

    do {
        if (steps++ == EXPIRE_STEPS)
            return 1;
        rc = sql_write_begin(m, SQL_FREES, &c);
        if (rc < 0)
            return rc;
        rc = sql_write_end(m, c, expire_in(m, c, ino));
    } while (rc == 0);
    return rc < 0 ? rc : rc == 1;
}

int op_gc_orphans(struct meta *m, unsigned max)
{
    uint64_t inos[ORPHAN_PAGE], after = 0;
    unsigned done = 0;
    int n, rc = 0;

    do {
        n = orphan_page(m, after, inos);
        if (n < 0)
            return n;
        for (int i = 0; i < n && done < max; i++) {
            after = inos[i];
            rc = sql_is_held(m, after) ? 0 : expire(m, after);
            if (rc < 0)
                return rc;
            done += (unsigned)rc;
        }
    } while (n == ORPHAN_PAGE && done < max);
    return (int)done;
}
