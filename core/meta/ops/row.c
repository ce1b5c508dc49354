/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the table node: to and from memory, attributes, times, totals. */
#include "meta/ops/row.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "meta/ops/quota.h"

#define NS 1000000000

int64_t wall_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * NS + ts.tv_nsec;
}

int64_t ns_of(const struct timespec *ts)
{
    const int64_t end = INT64_MAX / NS - 1;

    if (ts->tv_sec > end)
        return end * NS;
    if (ts->tv_sec < -end)
        return -end * NS;
    return (int64_t)ts->tv_sec * NS + ts->tv_nsec;
}

struct timespec ns_to(int64_t ns)
{
    struct timespec ts = {.tv_sec = ns / NS, .tv_nsec = ns % NS};

    if (ts.tv_nsec < 0) {
        ts.tv_sec--;
        ts.tv_nsec += NS;
    }
    return ts;
}

int col_blob(sqlite3_stmt *st, int i, const char **ret, size_t *ret_len)
{
    const void *p = sqlite3_column_blob(st, i);
    int n = sqlite3_column_bytes(st, i);

    if (!p && n > 0)
        return -ENOMEM;
    *ret = p ? p : "";
    *ret_len = p ? (size_t)n : 0;
    return 0;
}

void row_read(sqlite3_stmt *st, int at, struct row *r)
{
    r->ino = col_u(st, at);
    r->mode = (uint32_t)col_u(st, at + 1);
    r->uid = (uint32_t)col_u(st, at + 2);
    r->gid = (uint32_t)col_u(st, at + 3);
    r->nlink = (uint32_t)col_u(st, at + 4);
    r->size = col_u(st, at + 5);
    r->used = col_u(st, at + 6);
    r->rdev = col_u(st, at + 7);
    r->atime = sqlite3_column_int64(st, at + 8);
    r->mtime = sqlite3_column_int64(st, at + 9);
    r->ctime = sqlite3_column_int64(st, at + 10);
    r->btime = sqlite3_column_int64(st, at + 11);
    r->version = col_u(st, at + 12);
    r->parent = col_u(st, at + 13);
    r->flags = (unsigned)col_u(st, at + 14);
    r->counted.used = r->used;
    r->counted.parent = r->parent;
    r->counted.linked = quota_counts(r);
}

int row_load(struct sql_conn *c, uint64_t ino, struct row *r)
{
    static const char sql[] = "SELECT " ROW_COLUMNS " FROM node n WHERE n.ino=?1";
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "u", ino);

    if (rc <= 0)
        return rc < 0 ? rc : -ENOENT;
    row_read(st, 0, r);
    sqlite3_reset(st);
    return 0;
}

int row_load_folder(struct sql_conn *c, uint64_t ino, struct row *r)
{
    int rc = row_load(c, ino, r);

    if (rc < 0)
        return rc;
    if (!S_ISDIR(r->mode))
        return -ENOTDIR;
    return r->nlink == 0 || (r->flags & ROW_TRASHED) ? -ENOENT : 0;
}

int row_insert(struct sql_conn *c, struct row *r)
{
    static const char sql[] =
        "INSERT INTO node VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    int rc = sql_run(c, sql, "uuuuuuuuiiiiuuu", r->ino, (uint64_t)r->mode, (uint64_t)r->uid,
                     (uint64_t)r->gid, (uint64_t)r->nlink, r->size, r->used, r->rdev, r->atime,
                     r->mtime, r->ctime, r->btime, r->version, r->parent, (uint64_t)r->flags);

    memset(&r->counted, 0, sizeof(r->counted));
    return rc < 0 ? rc : c->quota ? quota_changed(c, r, true) : 0;
}

int row_store(struct sql_conn *c, struct row *r)
{
    static const char sql[] =
        "UPDATE node SET mode=?2, uid=?3, gid=?4, nlink=?5, size=?6, used=?7, atime=?8, mtime=?9,"
        " ctime=?10, version=?11, parent=?12, flags=?13 WHERE ino=?1";
    int rc = sql_run(c, sql, "uuuuuuuiiiuuu", r->ino, (uint64_t)r->mode, (uint64_t)r->uid,
                     (uint64_t)r->gid, (uint64_t)r->nlink, r->size, r->used, r->atime, r->mtime,
                     r->ctime, r->version, r->parent, (uint64_t)r->flags);

    return rc < 0 ? rc : quota_follow(c, r);
}

void row_attr(const struct row *r, struct pc_attr *attr)
{
    *attr = (struct pc_attr){
        .ino = r->ino,
        .mode = r->mode,
        .nlink = r->flags & ROW_TRASHED ? 0 : r->nlink,
        .uid = r->uid,
        .gid = r->gid,
        .rdev = r->rdev,
        .size = r->size,
        .used = r->used,
        .version = r->version,
        .atime = ns_to(r->atime),
        .mtime = ns_to(r->mtime),
        .ctime = ns_to(r->ctime),
        .btime = ns_to(r->btime),
        .has = (r->flags & ROW_ACL ? PC_HAS_ACL : 0) |
               (r->flags & (ROW_TRASH | ROW_TRASHED) ? PC_HAS_TRASH : 0),
    };
}

void row_new(struct meta *m, uint32_t mode, uint32_t uid, uint32_t gid, uint64_t parent,
             struct row *r)
{
    int64_t now = wall_ns();

    *r = (struct row){
        .ino = sql_next_id(m),
        .mode = mode,
        .uid = uid,
        .gid = gid,
        .nlink = S_ISDIR(mode) ? 2 : 1,
        .atime = now,
        .mtime = now,
        .ctime = now,
        .btime = now,
        .version = 1,
        .parent = parent,
    };
}

void row_changed(struct row *r, int64_t now)
{
    r->mtime = r->ctime = now;
    r->version++;
}

void row_kill_suid(struct row *r)
{
    r->mode &= ~(uint32_t)S_ISUID;
    if (r->mode & S_IXGRP)
        r->mode &= ~(uint32_t)S_ISGID;
}

void row_count(struct meta *m, const struct row *r, int sign)
{
    sql_total_add(m, S_ISDIR(r->mode) ? SQL_FOLDERS : SQL_FILES, sign);
    if (r->flags & ROW_OBJECT)
        sql_total_add(m, SQL_OBJECTS, sign);
    if (r->size > 0)
        sql_total_add(m, SQL_BYTES, sign * (int64_t)r->size);
}

void row_resize(struct meta *m, struct row *r, uint64_t size)
{
    if (r->nlink > 0 && size != r->size)
        sql_total_add(m, SQL_BYTES, (int64_t)(size - r->size));
    r->size = size;
}
