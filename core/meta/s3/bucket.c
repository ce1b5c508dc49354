/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets: the folders at the top with legal names, and the root as the reserved bucket. */
#include "meta/ops/ops.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "meta/ops/slice.h"
#include "meta/s3/past.h"
#include "pcloud/err.h"

#define RESERVED "pcloud"
#define FOLDERS_STEP 256 /* that one transaction takes away */

/* "name/" */
static int bucket_seg(const char *bucket, char seg[PC_BUCKET_MAX + 2], size_t *ret_len)
{
    size_t len = strnlen(bucket, PC_BUCKET_MAX + 1);

    if (len > PC_BUCKET_MAX)
        return PC_EBUCKETNAME;
    memcpy(seg, bucket, len);
    seg[len] = '/';
    seg[len + 1] = '\0';
    *ret_len = len + 1;
    return top_is_bucket(seg, len + 1) ? 0 : PC_EBUCKETNAME;
}

int bucket_find(struct sql_conn *c, const char *bucket, uint64_t *ret_ino)
{
    char seg[PC_BUCKET_MAX + 2];
    size_t len;
    int rc;

    if (strcmp(bucket, RESERVED) == 0) {
        *ret_ino = PC_ROOT_INO;
        return 0;
    }
    rc = bucket_seg(bucket, seg, &len) < 0 ? 0 : edge_find(c, PC_ROOT_INO, seg, len, ret_ino);
    return rc == 0 ? pc_err_set(PC_ENOBUCKET, "there is no bucket %.63s", bucket) : rc < 0 ? rc : 0;
}

static int owner_set(struct sql_conn *c, struct row *r, const char *owner, int64_t created)
{
    static const char sql[] = "INSERT INTO bucket VALUES(?1, ?2, ?3, 0) "
                              "ON CONFLICT(ino) DO UPDATE SET owner=excluded.owner";
    int rc;

    if (strnlen(owner, 64) == 64)
        return PC_EUSAGE;
    rc = sql_run(c, sql, "uti", r->ino, owner, created);
    r->flags |= ROW_BUCKET;
    return rc < 0 ? rc : 0;
}

int bucket_row(struct sql_conn *c, struct row *r)
{
    static const char sql[] = "INSERT OR IGNORE INTO bucket VALUES(?1, '', ?2, 0)";
    int rc = r->flags & ROW_BUCKET ? 0 : sql_run(c, sql, "ui", r->ino, r->btime);

    r->flags |= ROW_BUCKET;
    return rc < 0 ? rc : 0;
}

static int create_in(struct meta *m, struct sql_conn *c, const char *bucket, const char *owner)
{
    struct edge e = {.parent = PC_ROOT_INO, .folder = true};
    char seg[PC_BUCKET_MAX + 2];
    uint64_t file, folder;
    struct row root, r;
    int rc = bucket_seg(bucket, seg, &e.len);

    if (strcmp(bucket, RESERVED) == 0)
        return PC_EBUCKETEXISTS;
    if (rc < 0 || top_is_reserved(bucket))
        return PC_EBUCKETNAME;
    rc = edge_pair(c, PC_ROOT_INO, seg, e.len - 1, &file, &folder);
    if (rc == 0 && folder)
        rc = PC_EBUCKETEXISTS;
    if (rc == 0)
        rc = row_load(c, PC_ROOT_INO, &root);
    if (rc < 0)
        return rc;
    row_new(m, S_IFDIR | 0755, root.uid, root.gid, PC_ROOT_INO, &r);
    rc = owner_set(c, &r, owner, r.btime);
    if (rc == 0)
        rc = row_insert(c, &r);
    if (rc == 0)
        rc = edge_insert(c, PC_ROOT_INO, seg, e.len, r.ino);
    if (rc < 0)
        return rc;
    row_count(m, &r, 1);
    root.nlink++;
    root.mtime = root.ctime = r.btime;
    root.flags |= file ? ROW_TWINS : 0;
    rc = row_store(c, &root);
    memcpy(e.seg, seg, e.len);
    e.ino = r.ino;
    e.twin = file != 0;
    return rc < 0 ? rc : edge_feed(m, c, PC_CHANGE_ENTRY, &e);
}

int op_bucket_create(struct meta *m, const char *bucket, const char *owner)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);

    return rc < 0 ? rc : sql_write_end(m, c, create_in(m, c, bucket, owner));
}

/* The first entry of a folder: 1 with its node in *ret_ino, 0 if it is empty; PC_ENOTEMPTY_BUCKET if that is no folder. */
static int first_folder(struct sql_conn *c, uint64_t parent, uint64_t *ret_ino)
{
    struct edge e;
    int rc = edge_first(c, parent, &e);

    if (rc <= 0)
        return rc;
    *ret_ino = e.ino;
    return e.folder ? 1 : PC_ENOTEMPTY_BUCKET;
}

/* Take a folder without entries away from its parent; which one that is, is told. */
static int remove_one(struct meta *m, struct sql_conn *c, uint64_t ino, uint64_t *ret_parent)
{
    struct row r, parent;
    struct edge e;
    int rc = row_load(c, ino, &r);

    if (rc < 0)
        return rc;
    if (r.flags & ROW_OBJECT)
        return PC_ENOTEMPTY_BUCKET;
    rc = row_load(c, r.parent, &parent);
    if (rc == 0)
        rc = edge_of(c, parent.ino, ino, &e); /* the first one there */
    if (rc == 0)
        rc = pc_err_set(PC_ECORRUPT, "folder %llu has no name", (unsigned long long)ino);
    if (rc > 0)
        rc = folder_remove(m, c, &parent, &r, &e);
    if (rc == 0)
        rc = row_store(c, &parent);
    *ret_parent = parent.ino;
    return rc;
}

/* Is there a key in the bucket? Empty folders are none. */
static int has_keys(struct sql_conn *c, uint64_t top)
{
    static const char sql[] =
        "WITH RECURSIVE f(ino) AS (SELECT ?1 UNION ALL SELECT e.ino FROM f CROSS JOIN edge e ON "
        "e.parent=f.ino WHERE substr(e.seg, -1) = x'2f') SELECT 1 FROM f WHERE EXISTS (SELECT 1 "
        "FROM edge e WHERE e.parent=f.ino AND substr(e.seg, -1) <> x'2f') OR EXISTS (SELECT 1 FROM "
        "object o WHERE o.ino=f.ino) LIMIT 1";
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "u", top);

    if (rc > 0)
        sqlite3_reset(st);
    return rc;
}

/* The bucket to delete, without anybody waiting meanwhile: nothing is taken away if there is a key in it. */
static int delete_look(struct meta *m, const char *bucket, uint64_t *ret_top)
{
    struct sql_conn *c;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = bucket_find(c, bucket, ret_top);
    if (rc == 0 && *ret_top == PC_ROOT_INO)
        rc = pc_err_set(-EPERM, "the bucket %s cannot be deleted", RESERVED);
    if (rc == 0)
        rc = has_keys(c, *ret_top);
    if (rc == 0)
        rc = past_any(c, *ret_top);
    sql_read_end(m, c);
    return rc > 0 ? PC_ENOTEMPTY_BUCKET : rc;
}

/* Take away up to FOLDERS_STEP folders, the deepest first: 1 when the bucket itself is gone, 0 to go on. */
static int delete_step(struct meta *m, struct sql_conn *c, const char *bucket, uint64_t top)
{
    uint64_t at, next;
    int rc = bucket_find(c, bucket, &at);

    if (rc == PC_ENOBUCKET || (rc == 0 && at != top))
        return 1; /* somebody was faster */
    if (rc == 0)
        rc = past_any(c, top);
    if (rc > 0)
        rc = PC_ENOTEMPTY_BUCKET;
    for (unsigned removed = 0; rc == 0 && removed < FOLDERS_STEP;) {
        rc = first_folder(c, at, &next);
        if (rc > 0) {
            at = next;
            rc = 0;
        } else if (rc == 0) {
            rc = remove_one(m, c, at, &next);
            removed++;
            if (rc == 0 && at == top)
                return 1;
            at = next;
        }
    }
    return rc;
}

int op_bucket_delete(struct meta *m, const char *bucket)
{
    struct sql_conn *c;
    uint64_t top;
    int rc = delete_look(m, bucket, &top);

    while (rc == 0) {
        rc = sql_write_begin(m, SQL_FREES, &c);
        if (rc == 0)
            rc = sql_write_end(m, c, delete_step(m, c, bucket, top));
    }
    return rc < 0 ? rc : 0;
}

/* Columns of a bucket from ${at} on: node.btime, bucket.owner, bucket.created, bucket.settings, node.flags. */
static void bucket_read(sqlite3_stmt *st, int at, const char *name, size_t len, struct pc_bucket *b)
{
    const char *owner = (const char *)sqlite3_column_text(st, at + 1);
    bool has = sqlite3_column_type(st, at + 2) != SQLITE_NULL;
    size_t n = owner ? strnlen(owner, sizeof(b->owner) - 1) : 0;
    unsigned flags = (unsigned)col_u(st, at + 4);

    memset(b, 0, sizeof(*b));
    memcpy(b->name, name, len);
    memcpy(b->owner, owner ? owner : "", n);
    b->settings = (uint32_t)sqlite3_column_int64(st, at + 3); /* NULL is 0 */
    b->versioning = flags & ROW_VERSIONS    ? PC_VERSIONING_ON
                    : flags & ROW_SUSPENDED ? PC_VERSIONING_SUSPENDED
                                            : PC_VERSIONING_OFF;
    b->locking = (flags & ROW_LOCKING) != 0;
    b->created = ns_to(sqlite3_column_int64(st, has ? at + 2 : at));
}

static int get_in(struct sql_conn *c, const char *bucket, struct pc_bucket *ret)
{
    static const char sql[] = "SELECT n.btime, b.owner, b.created, b.settings, n.flags FROM node n "
                              "LEFT JOIN bucket b ON b.ino=n.ino WHERE n.ino=?1";
    uint64_t ino;
    sqlite3_stmt *st;
    int rc = bucket_find(c, bucket, &ino);

    if (rc == 0)
        rc = sql_one(c, sql, &st, "u", ino);
    if (rc <= 0)
        return rc < 0 ? rc : PC_ENOBUCKET;
    bucket_read(st, 0, bucket, strlen(bucket), ret);
    sqlite3_reset(st);
    return 0;
}

int op_bucket_get(struct meta *m, const char *bucket, struct pc_bucket *ret)
{
    struct sql_conn *c;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = get_in(c, bucket, ret);
    sql_read_end(m, c);
    return rc;
}

static int chown_in(struct meta *m, struct sql_conn *c, const char *bucket, const char *owner)
{
    static const char sql[] = "SELECT 1 FROM user WHERE name=?1";
    sqlite3_stmt *st;
    struct row r;
    uint64_t ino;
    int rc = bucket_find(c, bucket, &ino);

    if (rc == 0 && owner[0] != '\0') {
        rc = sql_one(c, sql, &st, "t", owner);
        if (rc > 0)
            sqlite3_reset(st);
        rc = rc == 0 ? PC_ENOUSER : rc < 0 ? rc : 0;
    }
    if (rc == 0)
        rc = row_load(c, ino, &r);
    if (rc == 0)
        rc = owner_set(c, &r, owner, r.btime);
    if (rc == 0)
        rc = row_store(c, &r);
    return rc < 0 ? rc : sql_feed(m, c, PC_CHANGE_ATTR, ino, 0, NULL, 0);
}

int op_bucket_chown(struct meta *m, const char *bucket, const char *owner)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    return rc < 0 ? rc : sql_write_end(m, c, chown_in(m, c, bucket, owner));
}

/* In the order of names, which is not that of segments ("a-b/" is before "a/"). The root is the reserved bucket. */
static int list_in(struct sql_conn *c, int (*fn)(void *arg, const struct pc_bucket *b), void *arg)
{
    static const char sql[] =
        "SELECT substr(e.seg, 1, length(e.seg)-1) AS name, n.btime, b.owner, b.created, "
        "b.settings, n.flags "
        "FROM edge e CROSS JOIN node n ON n.ino=e.ino LEFT JOIN bucket b ON b.ino=n.ino "
        "WHERE e.parent=1 AND substr(e.seg, -1) = x'2f' UNION ALL "
        "SELECT x'70636c6f7564', n.btime, b.owner, b.created, b.settings, n.flags FROM node n "
        "LEFT JOIN bucket b ON b.ino=n.ino WHERE n.ino=1 ORDER BY name";
    struct pc_bucket b;
    char seg[PC_BUCKET_MAX + 2];
    const char *name;
    size_t len;
    sqlite3_stmt *st;
    int rc = sql_stmt(c, sql, &st);

    if (rc < 0)
        return rc;
    while (rc >= 0 && (rc = sql_step(st)) > 0) {
        rc = col_blob(st, 0, &name, &len);
        if (rc < 0 || len > PC_BUCKET_MAX)
            continue;
        memcpy(seg, name, len);
        seg[len] = '/';
        if (!top_is_bucket(seg, len + 1) && (len != 6 || memcmp(name, RESERVED, 6) != 0))
            continue;
        bucket_read(st, 1, name, len, &b);
        rc = fn(arg, &b);
        if (rc != 0)
            break;
    }
    sqlite3_reset(st);
    return rc;
}

int op_bucket_list(struct meta *m, int (*fn)(void *arg, const struct pc_bucket *b), void *arg)
{
    struct sql_conn *c;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = list_in(c, fn, arg);
    sql_read_end(m, c);
    return rc;
}
