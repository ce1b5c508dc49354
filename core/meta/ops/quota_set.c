/* SPDX-License-Identifier: Apache-2.0 */
/* Quotas set, listed, asked and taken away; what was below a folder before is counted in steps. */
#include "meta/ops/quota.h"

#include <errno.h>
#include <sys/stat.h>

#include "pcloud/err.h"

#define MEMO 256 /* folders of which a step remembers whether they are below */

uint64_t quota_count_max = 4096, quota_step = 1024;

/* The limits of a folder that has a quota already, or a new row: exact at once, or 1: what is below is yet to be counted. */
static int set_in(struct meta *m, struct sql_conn *c, uint64_t ino, int64_t bytes, int64_t nodes)
{
    static const char change[] = "UPDATE quota SET bytes_max=?2, nodes_max=?3 WHERE ino=?1";
    static const char add[] = "INSERT INTO quota VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
    struct quota_sum sum = {0, 0};
    struct row r;
    int64_t cursor = QUOTA_COUNTED;
    int rc = row_load_folder(c, ino, &r);

    if (rc < 0)
        return rc;
    rc = sql_run(c, change, "uii", ino, bytes, nodes);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = quota_usage(c, ino, QUOTA_COUNTED, quota_count_max, &sum);
    if (rc == -EXDEV) {
        cursor = 0;
        rc = 0;
    }
    if (rc == 0 && (r.flags & ROW_IMPLICIT)) {
        r.flags &= ~(unsigned)ROW_IMPLICIT; /* somebody cares for the folder itself */
        rc = row_store(c, &r);
    }
    if (rc == 0)
        rc = sql_run(c, add, "uiiiii", ino, bytes, nodes, sum.bytes, sum.nodes, cursor);
    if (rc < 0)
        return rc;
    sql_quotas_begin(m);
    return cursor != QUOTA_COUNTED;
}

int op_quota_set(struct meta *m, uint64_t ino, uint64_t bytes_max, uint64_t nodes_max)
{
    struct sql_conn *c;
    int rc;

    if (bytes_max > PC_QUOTA_NONE || nodes_max > PC_QUOTA_NONE ||
        (bytes_max == PC_QUOTA_NONE && nodes_max == PC_QUOTA_NONE))
        return -EINVAL;
    rc = sql_write_begin(m, SQL_FREES, &c);
    if (rc < 0)
        return rc;
    return sql_write_end(m, c, set_in(m, c, ino, (int64_t)bytes_max, (int64_t)nodes_max));
}

int op_quota_rm(struct meta *m, uint64_t ino)
{
    static const char sql[] = "DELETE FROM quota WHERE ino=?1";
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    if (rc < 0)
        return rc;
    rc = sql_run(c, sql, "u", ino);
    return sql_write_end(m, c, rc == 0 ? -ENODATA : rc < 0 ? rc : 0);
}

static void quota_read(sqlite3_stmt *st, struct pc_quota *q)
{
    *q = (struct pc_quota){
        .ino = col_u(st, 0),
        .bytes_max = col_u(st, 1),
        .nodes_max = col_u(st, 2),
        .bytes = col_u(st, 3),
        .nodes = col_u(st, 4),
        .counting = sqlite3_column_int64(st, 5) != QUOTA_COUNTED,
    };
}

int op_quota_list(struct meta *m, uint64_t after, unsigned max, struct pc_quota *quotas)
{
    static const char sql[] = "SELECT ino, bytes_max, nodes_max, bytes, nodes, cursor FROM quota "
                              "WHERE ino>?1 AND (bytes_max<?2 OR nodes_max<?2) ORDER BY ino";
    unsigned n = 0;
    struct sql_conn *c;
    sqlite3_stmt *st;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = sql_stmt(c, sql, &st);
    if (rc == 0) {
        rc = sql_bind(st, "ui", after, (int64_t)PC_QUOTA_NONE);
        while (rc >= 0 && n < max && (rc = sql_step(st)) > 0)
            quota_read(st, &quotas[n++]);
        sqlite3_reset(st);
    }
    sql_read_end(m, c);
    return rc < 0 ? rc : (int)n;
}

/* What is known of folders: whether they are the quota's or below it. */
struct memo {
    uint64_t quota;
    uint64_t folder[MEMO];
    bool is[MEMO];
};

static int is_below(struct sql_conn *c, struct memo *known, uint64_t folder)
{
    struct quota_at at;
    size_t i = folder % MEMO;
    uint64_t up = folder;
    int is = -1;

    if (known->folder[i] == folder)
        return known->is[i];
    for (unsigned depth = 0; is < 0; depth++) {
        int rc = up == known->quota ? 0 : quota_at(c, up, &at);

        if (rc < 0 || depth == QUOTA_DEPTH_MAX)
            return rc < 0 ? rc : -ELOOP;
        if (up == known->quota)
            is = 1;
        else if (rc == 0 || at.is_last)
            is = 0;
        else
            up = at.parent;
    }
    known->folder[i] = folder;
    known->is[i] = is;
    return is;
}

/* The next nodes behind the cursor: how many there were; what of them is below. */
static int step_sum(struct sql_conn *c, uint64_t ino, int64_t *cursor, struct quota_sum *sum)
{
    static const char sql[] =
        "SELECT ino, used, parent, nlink, flags FROM node WHERE ino>?1 ORDER BY ino";
    struct memo known = {.quota = ino};
    unsigned n = 0;
    sqlite3_stmt *st;
    int rc = sql_stmt(c, sql, &st);

    if (rc < 0)
        return rc;
    rc = sql_bind(st, "i", *cursor);
    while (rc >= 0 && n < quota_step && (rc = sql_step(st)) > 0) {
        n++;
        *cursor = sqlite3_column_int64(st, 0);
        if (*cursor == PC_ROOT_INO || col_u(st, 3) == 0 || (col_u(st, 4) & ROW_TRASH))
            continue;
        rc = is_below(c, &known, col_u(st, 2));
        if (rc > 0) {
            sum->bytes += sqlite3_column_int64(st, 1);
            sum->nodes++;
        }
    }
    sqlite3_reset(st);
    return rc < 0 ? rc : (int)n;
}

/* Count on for the first quota that is not counted: 1, 0 if there is none. */
static int step_in(struct sql_conn *c)
{
    static const char first[] = "SELECT ino, cursor FROM quota WHERE cursor<?1 LIMIT 1";
    static const char add[] =
        "UPDATE quota SET bytes=bytes+?2, nodes=nodes+?3, cursor=?4 WHERE ino=?1";
    struct quota_sum sum = {0, 0};
    uint64_t ino;
    int64_t cursor;
    sqlite3_stmt *st;
    int rc = sql_one(c, first, &st, "i", (int64_t)QUOTA_COUNTED);

    if (rc <= 0)
        return rc;
    ino = col_u(st, 0);
    cursor = sqlite3_column_int64(st, 1);
    sqlite3_reset(st);
    rc = step_sum(c, ino, &cursor, &sum);
    if (rc < 0)
        return rc;
    if ((unsigned)rc < quota_step)
        cursor = QUOTA_COUNTED; /* there is no other, and new ones have higher numbers */
    rc = sql_run(c, add, "uiii", ino, sum.bytes, sum.nodes, cursor);
    return rc < 0 ? rc : 1;
}

int op_quota_step(struct meta *m)
{
    struct sql_conn *c;
    int rc;

    if (!meta_has_quotas(m))
        return 0;
    rc = sql_write_begin(m, SQL_FREES, &c);
    return rc < 0 ? rc : sql_write_end(m, c, step_in(c));
}

static uint64_t left(int64_t max, int64_t is)
{
    if (max == PC_QUOTA_NONE)
        return PC_QUOTA_NONE;
    return max > is ? (uint64_t)(max - is) : 0;
}

static int room_in(struct sql_conn *c, uint64_t ino, struct pc_quota_room *ret)
{
    struct pc_quota_room room = {
        .bytes_max = PC_QUOTA_NONE,
        .nodes_max = PC_QUOTA_NONE,
        .bytes_free = PC_QUOTA_NONE,
        .nodes_free = PC_QUOTA_NONE,
    };
    struct quota_at at;
    struct row r;
    uint64_t up = ino;
    int any = 0, rc = row_load(c, ino, &r);

    if (rc < 0 || r.nlink == 0)
        return rc; /* what has no name counts nowhere */
    room.size = r.size;
    room.used = r.used;
    for (unsigned depth = 0; depth < QUOTA_DEPTH_MAX; depth++) {
        rc = quota_at(c, up, &at);
        if (rc <= 0)
            break;
        rc = 0;
        if (at.has) {
            uint64_t bytes = left(at.bytes_max, at.bytes), nodes = left(at.nodes_max, at.nodes);

            any = 1;
            if (room.bytes_max == PC_QUOTA_NONE && at.bytes_max != PC_QUOTA_NONE) {
                room.bytes_max = (uint64_t)at.bytes_max;
                room.bytes = (uint64_t)at.bytes;
            }
            if (room.nodes_max == PC_QUOTA_NONE && at.nodes_max != PC_QUOTA_NONE) {
                room.nodes_max = (uint64_t)at.nodes_max;
                room.nodes = (uint64_t)at.nodes;
            }
            room.bytes_free = bytes < room.bytes_free ? bytes : room.bytes_free;
            room.nodes_free = nodes < room.nodes_free ? nodes : room.nodes_free;
        }
        if (at.is_last)
            break;
        up = at.parent;
    }
    if (rc < 0)
        return rc;
    *ret = room;
    return any;
}

int op_quota_room(struct meta *m, uint64_t ino, struct pc_quota_room *ret)
{
    struct sql_conn *c;
    int rc;

    if (!meta_has_quotas(m))
        return 0;
    rc = sql_read_begin(m, &c);
    if (rc < 0)
        return rc;
    rc = room_in(c, ino, ret);
    sql_read_end(m, c);
    return rc;
}
