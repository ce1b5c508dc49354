/* SPDX-License-Identifier: Apache-2.0 */
/* Past versions: rows of the table past, and what is current becoming one of them. */
#include "meta/s3/past.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "meta/ops/header.h"
#include "meta/ops/slice.h"
#include "pcloud/digest.h"
#include "pcloud/err.h"

#define COLUMNS "rank, mtime, ino, id"

int past_read(sqlite3_stmt *st, int at, struct past *p)
{
    const char *id = (const char *)sqlite3_column_text(st, at + 3);
    size_t len = id ? strnlen(id, PC_VERSION_MAX) : 0;

    if (!id)
        return -ENOMEM;
    if (len == 0 || len == PC_VERSION_MAX)
        return pc_err_set(PC_ECORRUPT, "a past version without an id");
    p->rank = sqlite3_column_int64(st, at);
    p->mtime = sqlite3_column_int64(st, at + 1);
    p->ino = col_u(st, at + 2);
    memcpy(p->id, id, len + 1);
    return 0;
}

static int take(sqlite3_stmt *st, int rc, struct past *p)
{
    if (rc <= 0)
        return rc;
    rc = past_read(st, 0, p);
    sqlite3_reset(st);
    return rc < 0 ? rc : 1;
}

int past_newest(struct sql_conn *c, const struct place *pl, struct past *p)
{
    static const char sql[] =
        "SELECT " COLUMNS " FROM past WHERE bucket=?1 AND key=?2 ORDER BY rank LIMIT 1";
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "ub", pl->bucket.ino, pl->key, pl->len);

    return take(st, rc, p);
}

int past_find(struct sql_conn *c, const struct place *pl, const char *id, struct past *p)
{
    static const char sql[] = "SELECT " COLUMNS " FROM past WHERE bucket=?1 AND key=?2 AND id=?3";
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "ubt", pl->bucket.ino, pl->key, pl->len, id);

    return take(st, rc, p);
}

int past_any(struct sql_conn *c, uint64_t bucket)
{
    static const char sql[] = "SELECT 1 FROM past WHERE bucket=?1 LIMIT 1";
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "u", bucket);

    if (rc > 0)
        sqlite3_reset(st);
    return rc;
}

int past_add(struct sql_conn *c, const struct place *pl, const char *id, uint64_t ino,
             int64_t mtime)
{
    static const char sql[] =
        "INSERT INTO past VALUES(?1, ?2, coalesce((SELECT rank FROM past WHERE bucket=?1 "
        "AND key=?2 ORDER BY rank LIMIT 1), 0) - 1, ?3, ?4, ?5)";
    int rc = sql_run(c, sql, "ubtui", pl->bucket.ino, pl->key, pl->len, id, ino, mtime);

    return rc < 0 ? rc : 0;
}

int past_remove(struct sql_conn *c, const struct place *pl, int64_t rank)
{
    static const char sql[] = "DELETE FROM past WHERE bucket=?1 AND key=?2 AND rank=?3";
    int rc = sql_run(c, sql, "ubi", pl->bucket.ino, pl->key, pl->len, rank);

    return rc < 0 ? rc : 0;
}

int past_drop(struct meta *m, struct sql_conn *c, const struct place *pl, const struct past *p)
{
    struct row r;
    int rc = past_remove(c, pl, p->rank);

    if (rc < 0 || p->ino == 0)
        return rc;
    rc = row_load(c, p->ino, &r);
    if (rc < 0)
        return rc;
    r.flags &= ~(unsigned)ROW_PAST;
    return node_unlink(m, c, &r, r.parent);
}

void version_new(char id[PC_VERSION_MAX])
{
    uint8_t random[16];

    sqlite3_randomness(sizeof(random), random);
    pc_hex(random, sizeof(random), id);
}

int version_of(struct sql_conn *c, const struct place *pl, const struct object *o,
               char id[PC_VERSION_MAX])
{
    struct past p;
    int rc = 0;

    if (o->vid[0] != '\0') {
        memcpy(id, o->vid, PC_VERSION_MAX);
        return 0;
    }
    rc = past_find(c, pl, VERSION_NULL, &p);
    if (rc < 0)
        return rc;
    if (rc == 0)
        snprintf(id, PC_VERSION_MAX, VERSION_NULL);
    else
        snprintf(id, PC_VERSION_MAX, "%016llx%016llx", (unsigned long long)o->row.ino,
                 (unsigned long long)o->row.btime);
    return 0;
}

int version_id_set(struct meta *m, struct sql_conn *c, struct row *r, const char *id)
{
    static const char add[] = "INSERT INTO object VALUES(?1, NULL, '', NULL, NULL, ?2)";
    static const char change[] = "UPDATE object SET vid=?2 WHERE ino=?1";
    bool has = (r->flags & ROW_OBJECT) != 0;
    int rc = has || id ? sql_run(c, has ? change : add, "ut", r->ino, id) : 0;

    if (rc < 0)
        return rc;
    if (!has && id) {
        r->flags |= ROW_OBJECT;
        if (r->nlink > 0)
            sql_total_add(m, SQL_OBJECTS, 1);
    }
    r->flags &= ~(unsigned)ROW_VERSION;
    if (id)
        r->flags |= ROW_VERSION;
    return 0;
}

/* A node of its own with the content and headers of ${o}. */
static int clone(struct meta *m, struct sql_conn *c, const struct object *o, struct row *ret)
{
    const struct row *from = &o->row;
    struct pc_object shown;
    struct row r;
    int rc = object_fill(c, o, &shown);

    if (rc < 0)
        return rc;
    row_new(m, S_IFREG | (S_ISREG(from->mode) ? from->mode & 07777 : 0644), from->uid, from->gid,
            from->parent, &r);
    r.atime = from->atime;
    r.mtime = from->mtime;
    r.btime = from->btime;
    r.version = from->version;
    r.flags = ROW_OBJECT | (from->flags & ROW_LOCKED);
    row_count(m, &r, 1);
    rc = content_copy(m, c, from, &r);
    if (rc == 0)
        rc = row_insert(c, &r);
    if (rc == 0 && o->fresh)
        rc = object_clone(c, from->ino, r.ino);
    else if (rc == 0)
        rc = object_store(c, &r, shown.etag, &shown.headers, NULL, 0, NULL);
    mem_free((void *)(uintptr_t)shown.headers.data);
    *ret = r;
    return rc;
}

int version_bare(struct meta *m, struct sql_conn *c, struct row *r)
{
    static const char sql[] = "UPDATE object SET headers=?2 WHERE ino=?1";
    char *data = NULL;
    size_t len;
    int rc = r->flags & ROW_VERSION ? version_id_set(m, c, r, NULL) : 0;

    if (rc < 0 || !(r->flags & ROW_LOCKED))
        return rc;
    rc = header_load(c, r->ino, &data, &len);
    if (rc == 0)
        rc = sql_run(c, sql, "ub", r->ino, data, lock_strip(data, len));
    mem_free(data);
    r->flags &= ~(unsigned)ROW_LOCKED;
    return rc < 0 ? rc : 0;
}

static int keep(struct meta *m, struct sql_conn *c, const struct place *pl, struct object *o,
                const char *id, bool copy)
{
    struct row own, *r = &o->row;
    int rc = 0;

    if (copy) {
        rc = clone(m, c, o, &own);
        if (rc == 0)
            rc = version_bare(m, c, r);
        r = &own;
    }
    if (rc == 0 && strcmp(id, VERSION_NULL) != 0)
        rc = version_id_set(m, c, r, id);
    if (rc < 0)
        return rc;
    r->flags |= ROW_PAST;
    r->parent = pl->bucket.ino;
    rc = row_store(c, r);
    if (rc == 0)
        rc = past_add(c, pl, id, r->ino, r->mtime);
    return rc < 0 ? rc : !copy;
}

int version_copy(struct meta *m, struct sql_conn *c, const struct place *pl, struct object *o)
{
    char id[PC_VERSION_MAX];
    int rc = version_of(c, pl, o, id);

    return rc < 0 ? rc : keep(m, c, pl, o, id, true);
}

/* The version "null" of a suspended bucket makes room for another one. */
static int drop_null(struct meta *m, struct sql_conn *c, const struct place *pl)
{
    struct past p;
    int rc = past_find(c, pl, VERSION_NULL, &p);

    return rc <= 0 ? rc : past_drop(m, c, pl, &p);
}

/* A node that has other names, or that somebody has open, goes on without becoming past. */
int version_replace(struct meta *m, struct sql_conn *c, const struct place *pl, struct object *o)
{
    bool keeps = (pl->bucket.flags & ROW_VERSIONS) != 0;
    char id[PC_VERSION_MAX];
    int rc = o ? version_of(c, pl, o, id) : 0;

    if (rc == 0 && !keeps)
        rc = drop_null(m, c, pl);
    if (rc < 0 || !o)
        return rc;
    if (!keeps && strcmp(id, VERSION_NULL) == 0)
        return 0;
    return keep(m, c, pl, o, id,
                !S_ISREG(o->row.mode) || o->row.nlink > 1 || sql_is_held(m, o->row.ino));
}

int version_mark(struct meta *m, struct sql_conn *c, const struct place *pl,
                 char id[PC_VERSION_MAX])
{
    char own[PC_VERSION_MAX] = VERSION_NULL;
    int rc;

    if (pl->bucket.flags & ROW_VERSIONS)
        version_new(own);
    (void)m;
    rc = past_add(c, pl, own, 0, wall_ns());
    if (rc == 0 && id)
        memcpy(id, own, sizeof(own));
    return rc;
}

static int edges(struct sql_conn *c, struct place *pl, uint64_t at, size_t end)
{
    struct row r;
    struct edge e;
    int rc = 0;

    while (at != pl->bucket.ino) {
        rc = row_load(c, at, &r);
        if (rc == 0)
            rc = edge_of(c, r.parent, at, &e); /* (a walk over the folder: there is no index) */
        if (rc <= 0 || e.len > end)
            return rc == -ENOENT ? 0 : rc < 0 ? rc : 0;
        end -= e.len;
        memcpy(pl->buf + end, e.seg, e.len);
        at = r.parent;
    }
    pl->key = pl->buf + end;
    pl->len = PC_KEY_MAX - end;
    return 1;
}

int place_of(struct sql_conn *c, uint64_t parent, const char *seg, size_t len, struct place *pl)
{
    uint64_t at = parent;
    int rc = row_load(c, PC_ROOT_INO, &pl->bucket);

    if (rc < 0 || !(pl->bucket.flags & ROW_HISTORY) || len > PC_KEY_MAX)
        return rc;
    for (unsigned depth = 0; at != PC_ROOT_INO && depth <= KEY_DEPTH_MAX; depth++) {
        rc = row_load(c, at, &pl->bucket);
        if (rc < 0)
            return rc == -ENOENT ? 0 : rc;
        at = pl->bucket.parent;
    }
    if (at != PC_ROOT_INO || parent == PC_ROOT_INO || !(pl->bucket.flags & ROW_KEEPS))
        return 0;
    memcpy(pl->buf + PC_KEY_MAX - len, seg, len);
    return edges(c, pl, parent, PC_KEY_MAX - len);
}
