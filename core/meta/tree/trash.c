/* SPDX-License-Identifier: Apache-2.0 */
/* Into the trash: whose folder wants it, the hour's folder, the entry; and out of it for good. */
#include "meta/tree/trash.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "meta/engine.h"
#include "meta/ops/ops.h"
#include "meta/s3/past.h"
#include "pcloud/err.h"

#define NS 1000000000
#define TOP_SEG PC_TRASH_NAME "/"
#define DEPTH_MAX 1000000 /* a longer way up is a circle */
#define DROP_NS 4000000   /* time of one transaction that frees */
#define DROP_PAGE 64

size_t trash_segment(uint64_t ino, const char *seg, size_t len, char ret[SEGMENT_MAX + 1])
{
    size_t n = (size_t)snprintf(ret, SEGMENT_MAX, "%llu-", (unsigned long long)ino);
    bool folder = segment_is_folder(seg, len);
    size_t base = folder ? len - 1 : len, room = SEGMENT_MAX - n - 1;

    if (base > room)
        base = room;
    memcpy(ret + n, seg, base);
    n += base;
    if (folder)
        ret[n++] = '/';
    ret[n] = '\0';
    return n;
}

int trash_top(struct sql_conn *c, struct row *ret)
{
    uint64_t ino;
    int rc = edge_find(c, PC_ROOT_INO, TOP_SEG, sizeof(TOP_SEG) - 1, &ino);

    if (rc > 0)
        rc = row_load(c, ino, ret);
    else
        return rc;
    return rc < 0 ? rc : (ret->flags & ROW_TRASH) != 0;
}

int trash_guard(struct meta *m, const struct row *r)
{
    if (!(r->flags & ROW_TRASHED) || sql_is_held(m, r->ino))
        return 0;
    return pc_err_set(-EPERM, "what is in the trash does not change; move it out first");
}

/* Does what is removed from folder ${at} go to the trash? 1, 0: the nearest rule counts; buckets that keep versions need none. */
static int is_wanted(struct sql_conn *c, uint64_t at)
{
    bool said = false;
    struct row r;

    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
        int rc = row_load(c, at, &r);

        if (rc < 0)
            return rc == -ENOENT ? 0 : rc;
        if (r.flags & (ROW_TRASH | ROW_TRASHED | ROW_KEEPS))
            return 0;
        if (!said && (r.flags & ROW_TRASH_OFF))
            return 0;
        said = said || (r.flags & ROW_TRASH_ON) != 0;
        if (at == PC_ROOT_INO)
            return 1;
        at = r.parent;
    }
    return 0;
}

/* A folder of the trash's own. */
static int make_folder(struct meta *m, struct sql_conn *c, struct row *up, const char *seg,
                       size_t len, uint32_t uid, uint32_t gid, struct row *ret)
{
    struct edge e = {.parent = up->ino, .folder = true, .len = len};
    int rc;

    row_new(m, S_IFDIR | 0700, uid, gid, up->ino, ret);
    ret->flags = ROW_TRASH;
    rc = row_insert(c, ret);
    if (rc == 0)
        rc = edge_insert(c, up->ino, seg, len, ret->ino);
    if (rc < 0)
        return rc;
    row_count(m, ret, 1);
    up->nlink++;
    up->mtime = up->ctime = ret->btime;
    rc = row_store(c, up);
    memcpy(e.seg, seg, len);
    e.ino = ret->ino;
    return rc < 0 ? rc : edge_feed(m, c, PC_CHANGE_ENTRY, &e);
}

/* The folder of this hour: 1, 0 if there is no trash. */
static int hour_folder(struct meta *m, struct sql_conn *c, int64_t now, struct row *ret)
{
    char seg[META_TRASH_HOUR + 2];
    time_t t = (time_t)(now / NS);
    struct row top;
    struct tm tm;
    uint64_t ino;
    size_t len;
    int rc = trash_top(c, &top);

    if (rc <= 0)
        return rc;
    gmtime_r(&t, &tm);
    len = strftime(seg, sizeof(seg), "%Y-%m-%d-%H/", &tm);
    rc = edge_find(c, top.ino, seg, len, &ino);
    if (rc > 0)
        rc = row_load(c, ino, ret);
    else if (rc == 0)
        rc = make_folder(m, c, &top, seg, len, top.uid, top.gid, ret);
    return rc < 0 ? rc : 1;
}

static int into(struct meta *m, struct sql_conn *c, const struct edge *e, struct row *r,
                struct row *hour)
{
    static const char sql[] = "INSERT INTO trash VALUES(?1, ?2, ?3, ?4)";
    bool folder = S_ISDIR(r->mode);
    struct edge to = {.parent = hour->ino, .ino = r->ino, .folder = folder};
    int64_t now = wall_ns();
    int rc;

    to.len = trash_segment(r->ino, e->seg, e->len, to.seg);
    rc = edge_insert(c, hour->ino, to.seg, to.len, r->ino);
    if (rc == 0)
        rc = sql_run(c, sql, "uubi", r->ino, e->parent, e->seg, e->len, now);
    if (rc < 0)
        return rc;
    hour->nlink += folder;
    hour->mtime = hour->ctime = now;
    rc = row_store(c, hour);
    r->parent = hour->ino;
    r->flags |= ROW_TRASHED;
    r->ctime = now;
    if (rc == 0)
        rc = row_store(c, r);
    return rc < 0 ? rc : edge_feed(m, c, PC_CHANGE_ENTRY, &to);
}

int node_leave(struct meta *m, struct sql_conn *c, const struct edge *e, struct row *r)
{
    struct row hour;
    int rc;

    if (!atomic_load_explicit(&engine_of(m)->trash, memory_order_relaxed) ||
        (!S_ISDIR(r->mode) && r->nlink > 1))
        return node_unlink(m, c, r, e->parent);
    rc = is_wanted(c, e->parent);
    if (rc > 0)
        rc = hour_folder(m, c, wall_ns(), &hour);
    if (rc < 0)
        return rc;
    return rc > 0 ? into(m, c, e, r, &hour) : node_unlink(m, c, r, e->parent);
}

int trash_out(struct sql_conn *c, struct row *r)
{
    static const char sql[] = "DELETE FROM trash WHERE ino=?1";
    int rc = sql_run(c, sql, "u", r->ino);

    r->flags &= ~(unsigned)ROW_TRASHED;
    return rc < 0 ? rc : 0;
}

/* The top of the trash; whoever made the volume may look into it, others only through that. */
static int make_top(struct meta *m, struct sql_conn *c)
{
    struct row root, top;
    uint64_t ino;
    int rc = edge_find(c, PC_ROOT_INO, TOP_SEG, sizeof(TOP_SEG) - 1, &ino);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = row_load(c, PC_ROOT_INO, &root);
    if (rc < 0)
        return rc;
    return make_folder(m, c, &root, TOP_SEG, sizeof(TOP_SEG) - 1, root.uid, root.gid, &top);
}

static int op_enable(struct meta *m, bool on)
{
    struct engine *e = engine_of(m);
    struct sql_conn *c;
    struct row top;
    int rc = 0;

    if (on) {
        rc = sql_read_begin(m, &c);
        if (rc < 0)
            return rc;
        rc = trash_top(c, &top);
        sql_read_end(m, c);
    }
    if (on && rc == 0) {
        rc = sql_write_begin(m, SQL_FREES, &c);
        if (rc == 0)
            rc = sql_write_end(m, c, make_top(m, c));
    }
    if (rc < 0)
        return rc;
    atomic_store(&e->trash, on);
    return 0;
}

static int rule_in(struct meta *m, struct sql_conn *c, uint64_t ino, enum pc_trash_rule rule)
{
    struct row r;
    int rc = row_load_folder(c, ino, &r);

    if (rc == 0 && (r.flags & ROW_TRASH))
        rc = -EPERM;
    if (rc < 0)
        return rc;
    r.flags &= ~(unsigned)(ROW_TRASH_ON | ROW_TRASH_OFF | ROW_IMPLICIT);
    if (rule != PC_TRASH_INHERIT)
        r.flags |= rule == PC_TRASH_ON ? ROW_TRASH_ON : ROW_TRASH_OFF;
    r.ctime = wall_ns();
    rc = row_store(c, &r);
    return rc < 0 ? rc : sql_feed(m, c, PC_CHANGE_ATTR, ino, 0, NULL, 0);
}

static int op_rule_set(struct meta *m, uint64_t ino, enum pc_trash_rule rule)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    return rc < 0 ? rc : sql_write_end(m, c, rule_in(m, c, ino, rule));
}

static int op_rule_get(struct meta *m, uint64_t ino, enum pc_trash_rule *ret,
                       enum pc_trash_rule *ret_effective)
{
    struct sql_conn *c;
    struct row r;
    int wanted = 0, rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = row_load_folder(c, ino, &r);
    if (rc == 0)
        wanted = is_wanted(c, ino);
    sql_read_end(m, c);
    rc = rc < 0 ? rc : wanted;
    if (rc < 0)
        return rc;
    *ret = r.flags & ROW_TRASH_ON    ? PC_TRASH_ON
           : r.flags & ROW_TRASH_OFF ? PC_TRASH_OFF
                                     : PC_TRASH_INHERIT;
    if (ret_effective)
        *ret_effective = wanted ? PC_TRASH_ON : PC_TRASH_OFF;
    return 0;
}

static int op_stat(struct meta *m, struct pc_trash_result *ret)
{
    static const char sql[] = "SELECT count(*), coalesce(sum(n.size), 0) FROM trash t "
                              "CROSS JOIN node n ON n.ino=t.ino";
    struct sql_conn *c;
    sqlite3_stmt *st;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = sql_one(c, sql, &st, "");
    if (rc > 0) {
        *ret = (struct pc_trash_result){col_u(st, 0), col_u(st, 1)};
        sqlite3_reset(st);
    }
    sql_read_end(m, c);
    return rc < 0 ? rc : 0;
}

/* When an hour's folder was over; what is none was long ago. */
static int64_t hour_end(const char *seg, size_t len)
{
    char text[META_TRASH_HOUR + 1];
    struct tm tm = {0};

    if (len != META_TRASH_HOUR + 1)
        return 0;
    memcpy(text, seg, META_TRASH_HOUR);
    text[META_TRASH_HOUR] = '\0';
    if (sscanf(text, "%4d-%2d-%2d-%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour) != 4)
        return 0;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    tm.tm_hour++;
    return (int64_t)timegm(&tm);
}

static int drop_one(struct meta *m, struct sql_conn *c, const struct edge *e, struct row *hour,
                    struct pc_trash_result *ret)
{
    struct row r;
    int rc = row_load(c, e->ino, &r);

    if (rc == 0)
        rc = edge_delete(c, e->parent, e->seg, e->len);
    if (rc < 0)
        return rc;
    ret->entries++;
    ret->bytes += r.size;
    hour->nlink -= e->folder;
    rc = node_unlink(m, c, &r, e->parent);
    return rc < 0 ? rc : edge_feed(m, c, PC_CHANGE_ENTRY, e);
}

static int drop_in(struct meta *m, struct sql_conn *c, int64_t before, struct pc_trash_result *ret)
{
    int64_t until = monotonic_ns() + DROP_NS;
    struct row top, hour;
    struct edge h, e;
    int rc = trash_top(c, &top);

    if (rc > 0)
        rc = edge_first(c, top.ino, &h);
    if (rc <= 0 || hour_end(h.seg, h.len) > before)
        return rc < 0 ? rc : 0;
    rc = row_load(c, h.ino, &hour);
    for (unsigned i = 0; i < DROP_PAGE && rc >= 0 && monotonic_ns() < until; i++) {
        rc = edge_first(c, h.ino, &e);
        if (rc == 0) { /* it is empty */
            rc = folder_remove(m, c, &top, &hour, &h);
            if (rc == 0)
                rc = row_store(c, &top);
            return rc < 0 ? rc : 2;
        }
        if (rc > 0)
            rc = drop_one(m, c, &e, &hour, ret);
    }
    if (rc >= 0)
        rc = row_store(c, &hour);
    return rc < 0 ? rc : 1;
}

static int op_drop(struct meta *m, int64_t before, struct pc_trash_result *ret)
{
    struct pc_trash_result r = {0};
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    if (rc < 0)
        return rc;
    rc = sql_write_end(m, c, drop_in(m, c, before, &r));
    if (rc >= 0) {
        ret->entries += r.entries;
        ret->bytes += r.bytes;
    }
    return rc;
}

const struct meta_trash_ops sql_trash_ops = {
    .enable = op_enable,
    .rule_set = op_rule_set,
    .rule_get = op_rule_get,
    .list = op_trash_list,
    .restore = op_trash_restore,
    .removed_from = op_trash_removed_from,
    .stat = op_stat,
    .drop = op_drop,
};
