/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the table edge: found by segment and by the mount's name, changed, and told to the feed. */
#include "meta/ops/row.h"

#include <errno.h>
#include <string.h>

#include "pcloud/err.h"

int edge_find(struct sql_conn *c, uint64_t parent, const char *seg, size_t len, uint64_t *ret_ino)
{
    static const char sql[] = "SELECT ino FROM edge WHERE parent=?1 AND seg=?2";
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "ub", parent, seg, len);

    if (rc <= 0)
        return rc;
    *ret_ino = col_u(st, 0);
    sqlite3_reset(st);
    return 1;
}

int edge_pair(struct sql_conn *c, uint64_t parent, const char *base, size_t len, uint64_t *ret_file,
              uint64_t *ret_folder)
{
    static const char sql[] = "SELECT 0, ino FROM edge WHERE parent=?1 AND seg=?2 "
                              "UNION ALL SELECT 1, ino FROM edge WHERE parent=?1 AND seg=?3";
    char folder[SEGMENT_MAX + 1];
    uint64_t file_ino = 0, folder_ino = 0;
    sqlite3_stmt *st;
    int rc = sql_stmt(c, sql, &st);

    if (rc < 0)
        return rc;
    if (len >= SEGMENT_MAX)
        len =
            SEGMENT_MAX; /* a folder over the longest segment is not there: found is at most the file */
    memcpy(folder, base, len);
    folder[len] = '/';
    rc = sql_bind(st, "ubb", parent, base, len, folder, len + 1);
    while (rc >= 0 && (rc = sql_step(st)) > 0) {
        if (sqlite3_column_int(st, 0))
            folder_ino = col_u(st, 1);
        else
            file_ino = col_u(st, 1);
    }
    sqlite3_reset(st);
    if (rc < 0)
        return rc;
    *ret_file = file_ino;
    *ret_folder = folder_ino;
    return 0;
}

static void edge_set(struct edge *e, uint64_t parent, uint64_t ino, const char *seg, size_t len)
{
    if (len > SEGMENT_MAX)
        len = SEGMENT_MAX;
    e->parent = parent;
    e->ino = ino;
    e->folder = segment_is_folder(seg, len);
    e->twin = false;
    e->len = len;
    memmove(e->seg, seg, len);
    e->seg[len] = '\0';
}

/* Fill in whether the other kind of the same base is there. */
static int find_twin(struct sql_conn *c, struct edge *e)
{
    uint64_t file, folder;
    int rc = edge_pair(c, e->parent, e->seg, e->folder ? e->len - 1 : e->len, &file, &folder);

    if (rc == 0)
        e->twin = file && folder;
    return rc;
}

static int by_digest(struct sql_conn *c, uint64_t parent, const struct name_target *t,
                     struct edge *e)
{
    static const char sql[] = "SELECT seg, ino FROM edge WHERE parent=?1 AND seg>=?2 ORDER BY seg";
    const char *seg;
    size_t len;
    sqlite3_stmt *st;
    int found = 0, rc = sql_stmt(c, sql, &st);

    if (rc < 0)
        return rc;
    rc = sql_bind(st, "ub", parent, t->seg, t->len);
    while (rc >= 0 && !found && (rc = sql_step(st)) > 0) {
        rc = col_blob(st, 0, &seg, &len);
        if (rc < 0 || len < t->len || memcmp(seg, t->seg, t->len) != 0)
            break;
        if (segment_digest_matches(t, seg, len)) {
            edge_set(e, parent, col_u(st, 1), seg, len);
            found = 1;
        }
    }
    sqlite3_reset(st);
    return rc < 0 ? rc : found;
}

static int by_plain(struct sql_conn *c, uint64_t parent, const struct name_target *t,
                    struct edge *e)
{
    uint64_t file, folder;
    int rc = edge_pair(c, parent, t->seg, t->len, &file, &folder);

    if (rc < 0 || (!file && !folder))
        return rc;
    edge_set(e, parent, folder ? folder : file, t->seg, t->len);
    if (folder) {
        e->seg[e->len++] = '/';
        e->seg[e->len] = '\0';
        e->folder = true;
    }
    e->twin = file && folder;
    return 1;
}

int edge_by_name(struct sql_conn *c, uint64_t parent, const char *name, struct edge *e)
{
    char again[SEGMENT_NAME_MAX + 1];
    struct name_target t;
    uint64_t ino;
    int rc = name_to_target(name, &t);

    if (rc < 0)
        return rc == -ENOENT ? 0 : rc;
    if (t.form == NAME_PLAIN)
        return by_plain(c, parent, &t, e);
    if (t.form == NAME_DIGEST) {
        rc = by_digest(c, parent, &t, e);
    } else {
        rc = edge_find(c, parent, t.seg, t.len, &ino);
        if (rc > 0)
            edge_set(e, parent, ino, t.seg, t.len);
    }
    if (rc <= 0)
        return rc;
    rc = find_twin(c, e);
    if (rc < 0)
        return rc;
    segment_to_name(e->seg, e->len, e->twin, again);
    return strcmp(again, name) == 0;
}

int edge_of(struct sql_conn *c, uint64_t parent, uint64_t ino, struct edge *e)
{
    static const char sql[] = "SELECT seg FROM edge WHERE parent=?1 AND ino=?2 LIMIT 1";
    const char *seg;
    size_t len;
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "uu", parent, ino);

    if (rc <= 0)
        return rc;
    rc = col_blob(st, 0, &seg, &len);
    if (rc == 0)
        edge_set(e, parent, ino, seg, len);
    sqlite3_reset(st);
    if (rc == 0)
        rc = find_twin(c, e);
    return rc < 0 ? rc : 1;
}

int edge_any(struct sql_conn *c, uint64_t parent)
{
    static const char sql[] = "SELECT 1 FROM edge WHERE parent=?1 LIMIT 1";
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "u", parent);

    if (rc > 0)
        sqlite3_reset(st);
    return rc;
}

int edge_insert(struct sql_conn *c, uint64_t parent, const char *seg, size_t len, uint64_t ino)
{
    static const char sql[] = "INSERT INTO edge VALUES(?1, ?2, ?3)";
    int rc = sql_run(c, sql, "ubu", parent, seg, len, ino);

    return rc < 0 ? rc : 0;
}

int edge_point(struct sql_conn *c, uint64_t parent, const char *seg, size_t len, uint64_t ino)
{
    static const char sql[] = "UPDATE edge SET ino=?3 WHERE parent=?1 AND seg=?2";
    int rc = sql_run(c, sql, "ubu", parent, seg, len, ino);

    return rc < 0 ? rc : 0;
}

int edge_delete(struct sql_conn *c, uint64_t parent, const char *seg, size_t len)
{
    static const char sql[] = "DELETE FROM edge WHERE parent=?1 AND seg=?2";
    int rc = sql_run(c, sql, "ub", parent, seg, len);

    return rc < 0 ? rc : 0;
}

int edge_feed(struct meta *m, struct sql_conn *c, unsigned kinds, const struct edge *e)
{
    char other[SEGMENT_MAX + 2];
    size_t len = e->folder ? e->len - 1 : e->len;
    int rc = sql_feed(m, c, kinds, e->ino, e->parent, e->seg, e->len);

    if (rc < 0 || !e->twin)
        return rc;
    memcpy(other, e->seg, len);
    if (!e->folder)
        other[len++] = '/';
    return sql_feed(m, c, PC_CHANGE_ENTRY, 0, e->parent, other, len);
}

int edge_first(struct sql_conn *c, uint64_t parent, struct edge *e)
{
    static const char sql[] = "SELECT seg, ino FROM edge WHERE parent=?1 ORDER BY seg LIMIT 1";
    const char *seg;
    size_t len;
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "u", parent);

    if (rc <= 0)
        return rc;
    rc = col_blob(st, 0, &seg, &len);
    if (rc == 0 && len > SEGMENT_MAX)
        rc = PC_ECORRUPT;
    if (rc == 0) {
        *e = (struct edge){.parent = parent, .ino = col_u(st, 1), .len = len};
        e->folder = segment_is_folder(seg, len);
        memcpy(e->seg, seg, len);
    }
    sqlite3_reset(st);
    return rc < 0 ? rc : 1;
}
