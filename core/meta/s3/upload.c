/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart uploads: made, found, aborted; their parts, which are nodes that nothing links to. */
#include "meta/s3/upload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "meta/ops/header.h"
#include "meta/ops/ops.h"
#include "meta/ops/quota.h"
#include "meta/ops/slice.h"
#include "pcloud/err.h"

static void new_id(char id[PC_UPLOAD_ID_MAX])
{
    uint8_t random[16];

    sqlite3_randomness(sizeof(random), random);
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(id + 2 * i, 3, "%02x", random[i]);
}

static int create_in(struct meta *m, struct sql_conn *c, const struct meta_key *k,
                     const char *owner, const struct pc_headers *headers, char id[PC_UPLOAD_ID_MAX])
{
    static const char sql[] = "INSERT INTO upload VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    bool has = headers && headers->data;
    uint64_t bucket;
    int rc = header_check(headers);

    if (rc == 0 && strnlen(owner, 64) == 64)
        rc = PC_EUSAGE;
    if (rc == 0)
        rc = key_check(c, k, &bucket);
    if (rc < 0)
        return rc;
    new_id(id);
    rc = sql_run(c, sql, "utubtib", sql_next_id(m), id, bucket, k->key, k->len, owner, wall_ns(),
                 has ? headers->data : NULL, has ? headers->len : (size_t)0);
    return rc < 0 ? rc : 0;
}

int op_upload_create(struct meta *m, const struct meta_key *k, const char *owner,
                     const struct pc_headers *headers, char ret_id[PC_UPLOAD_ID_MAX])
{
    char id[PC_UPLOAD_ID_MAX];
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);

    if (rc < 0)
        return rc;
    rc = sql_write_end(m, c, create_in(m, c, k, owner, headers, id));
    if (rc == 0)
        memcpy(ret_id, id, strlen(id) + 1);
    return rc;
}

int upload_find(struct sql_conn *c, const struct meta_key *k, const char *id, uint64_t *ret_num)
{
    static const char sql[] = "SELECT num, bucket, key FROM upload WHERE id=?1";
    uint64_t bucket = 0;
    const char *key;
    size_t len;
    bool same;
    sqlite3_stmt *st;
    int rc = k ? bucket_find(c, k->bucket, &bucket) : 0;

    if (rc == 0)
        rc = sql_one(c, sql, &st, "t", id);
    if (rc <= 0)
        return rc < 0 ? rc : PC_ENOUPLOAD;
    rc = col_blob(st, 2, &key, &len);
    same = rc == 0 && (!k || (col_u(st, 1) == bucket && len == k->len &&
                              (len == 0 || memcmp(key, k->key, len) == 0)));
    *ret_num = col_u(st, 0);
    sqlite3_reset(st);
    if (rc < 0)
        return rc;
    return same ? 0 : PC_ENOUPLOAD;
}

int upload_read(sqlite3_stmt *st, struct pc_upload *u)
{
    const char *id = (const char *)sqlite3_column_text(st, 0);
    const char *owner = (const char *)sqlite3_column_text(st, 2);
    size_t id_len = id ? strnlen(id, PC_UPLOAD_ID_MAX) : 0;
    size_t owner_len = owner ? strnlen(owner, sizeof(u->owner)) : 0;
    int rc;

    if (!id || !owner)
        return -ENOMEM;
    if (id_len == PC_UPLOAD_ID_MAX || owner_len == sizeof(u->owner))
        return PC_ECORRUPT;
    memset(u, 0, sizeof(*u));
    memcpy(u->id, id, id_len);
    memcpy(u->owner, owner, owner_len);
    u->created = ns_to(sqlite3_column_int64(st, 3));
    rc = col_blob(st, 1, &u->key, &u->len);
    return rc < 0 ? rc : col_blob(st, 4, &u->headers.data, &u->headers.len);
}

static int get_in(struct sql_conn *c, const struct meta_key *k, const char *id,
                  struct pc_upload *ret)
{
    static const char sql[] = "SELECT id, key, owner, created, headers FROM upload WHERE num=?1";
    struct pc_upload u;
    char *key = NULL, *headers = NULL;
    uint64_t num;
    sqlite3_stmt *st;
    int rc = upload_find(c, k, id, &num);

    if (rc == 0)
        rc = sql_one(c, sql, &st, "u", num);
    if (rc <= 0)
        return rc < 0 ? rc : PC_ENOUPLOAD;
    rc = upload_read(st, &u);
    if (rc == 0 && (u.len > PC_KEY_MAX || u.headers.len > PC_META_MAX))
        rc = PC_ECORRUPT;
    if (rc == 0) {
        key = mem_dup(u.key, u.len);
        headers = mem_dup(u.headers.data, u.headers.len);
        if (!key || !headers)
            rc = -ENOMEM;
    }
    sqlite3_reset(st);
    if (rc < 0) {
        mem_free(key);
        mem_free(headers);
        return rc;
    }
    u.key = key;
    u.headers.data = headers;
    *ret = u;
    return 0;
}

int op_upload_get(struct meta *m, const struct meta_key *k, const char *id, struct pc_upload *ret)
{
    struct sql_conn *c;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = get_in(c, k, id, ret);
    sql_read_end(m, c);
    return rc;
}

int part_drop(struct meta *m, struct sql_conn *c, uint64_t ino)
{
    struct row r;
    int rc = row_load(c, ino, &r);

    if (rc < 0)
        return rc == -ENOENT ? 0 : rc;
    r.flags &= ~(unsigned)ROW_PART;
    return node_unlink(m, c, &r, r.parent);
}

/* A few statements for all parts, however many: those with content become orphans, which gc_orphans frees in steps. */
int upload_drop(struct meta *m, struct sql_conn *c, uint64_t num)
{
#define PARTS "(SELECT ino FROM part WHERE upload=?1)"
    static const char orphans[] =
        "INSERT INTO orphan SELECT p.ino, ?2 FROM part p WHERE "
        "p.upload=?1 AND EXISTS (SELECT 1 FROM slice s WHERE s.ino=p.ino)";
    static const char unlinked[] = "UPDATE node SET nlink=0, flags=flags & ~128, ctime=?2 WHERE "
                                   "ino IN " PARTS " AND ino IN (SELECT ino FROM orphan)";
    static const char empty[] = "DELETE FROM node WHERE ino IN " PARTS " AND (flags & 128) <> 0";
    static const char del_parts[] = "DELETE FROM part WHERE upload=?1";
    static const char del[] = "DELETE FROM upload WHERE num=?1";
    int rc = sql_run(c, orphans, "uu", num, sql_change_seq(m));

#undef PARTS
    if (rc > 0)
        sql_total_add(m, SQL_ORPHANS, rc);
    if (rc > 0)
        rc = sql_run(c, unlinked, "ui", num, wall_ns());
    if (rc >= 0)
        rc = sql_run(c, empty, "u", num);
    if (rc >= 0)
        rc = sql_run(c, del_parts, "u", num);
    if (rc >= 0)
        rc = sql_run(c, del, "u", num);
    return rc < 0 ? rc : 0;
}

int upload_drop_all(struct meta *m, struct sql_conn *c, uint64_t bucket)
{
    static const char sql[] = "SELECT num FROM upload WHERE bucket=?1 LIMIT 1";
    sqlite3_stmt *st;
    int rc;

    while ((rc = sql_one(c, sql, &st, "u", bucket)) > 0) {
        uint64_t num = col_u(st, 0);

        sqlite3_reset(st);
        rc = upload_drop(m, c, num);
        if (rc < 0)
            break;
    }
    return rc;
}

static int abort_in(struct meta *m, struct sql_conn *c, const struct meta_key *k, const char *id)
{
    uint64_t num;
    int rc = upload_find(c, k, id, &num);

    return rc < 0 ? rc : upload_drop(m, c, num);
}

int op_upload_abort(struct meta *m, const struct meta_key *k, const char *id)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    return rc < 0 ? rc : sql_write_end(m, c, abort_in(m, c, k, id));
}

static int drop_old(struct meta *m, struct sql_conn *c, uint64_t num, unsigned number)
{
    static const char sql[] = "SELECT ino FROM part WHERE upload=?1 AND number=?2";
    uint64_t ino;
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "uu", num, (uint64_t)number);

    if (rc <= 0)
        return rc;
    ino = col_u(st, 0);
    sqlite3_reset(st);
    return part_drop(m, c, ino);
}

static int part_check(const struct meta_new *content, const struct pc_part *part)
{
    if (part->number < 1 || part->number > PC_PARTS_MAX)
        return PC_EPART;
    if (content->inline_data && content->size > 0)
        return pc_err_set(-EINVAL, "the content of a part must be slices");
    if (strnlen(part->etag, PC_ETAG_MAX) == PC_ETAG_MAX ||
        strnlen(part->checksum, sizeof(part->checksum)) == sizeof(part->checksum))
        return -EINVAL;
    return 0;
}

/* Parts count when they are an object. One that would not fit then is refused now, as far as the bucket's quotas and those above say. */
static int parts_fit(struct sql_conn *c, uint64_t num, uint64_t used)
{
    static const char sql[] =
        "SELECT u.bucket, coalesce((SELECT sum(n.used) FROM part p CROSS JOIN "
        "node n ON n.ino=p.ino WHERE p.upload=u.num), 0) FROM upload u "
        "WHERE u.num=?1";
    uint64_t bucket, others;
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "u", num);

    if (rc <= 0)
        return rc;
    bucket = col_u(st, 0);
    others = col_u(st, 1);
    sqlite3_reset(st);
    return quota_fits(c, bucket, (int64_t)(others + used));
}

static int part_put_in(struct meta *m, struct sql_conn *c, const struct meta_key *k, const char *id,
                       const struct meta_new *content, struct pc_part *part, unsigned *ret_bad)
{
    static const char sql[] = "INSERT OR REPLACE INTO part VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
    struct row r;
    uint64_t num;
    int rc = part_check(content, part);

    if (rc == 0)
        rc = upload_find(c, k, id, &num);
    if (rc < 0)
        return rc;
    row_new(m, S_IFREG | 0600, 0, 0, 0, &r);
    r.nlink = 0;
    r.flags = ROW_PART;
    rc = content_set(m, c, &r, content, ret_bad);
    if (rc == 0)
        rc = row_insert(c, &r);
    if (rc == 0)
        rc = drop_old(m, c, num, part->number);
    if (rc == 0 && c->quota)
        rc = parts_fit(c, num, r.used);
    if (rc == 0)
        rc = sql_run(c, sql, "uuutti", num, (uint64_t)part->number, r.ino, part->etag,
                     part->checksum, r.mtime);
    if (rc < 0)
        return rc;
    part->size = r.size;
    part->mtime = ns_to(r.mtime);
    return 0;
}

int op_part_put(struct meta *m, const struct meta_key *k, const char *id,
                const struct meta_new *content, struct pc_part *part, unsigned *ret_bad)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);

    return rc < 0 ? rc : sql_write_end(m, c, part_put_in(m, c, k, id, content, part, ret_bad));
}

static int part_read(sqlite3_stmt *st, struct pc_part *p)
{
    const char *etag = (const char *)sqlite3_column_text(st, 1);
    const char *checksum = (const char *)sqlite3_column_text(st, 2);

    if (!etag || !checksum)
        return -ENOMEM;
    memset(p, 0, sizeof(*p));
    p->number = (unsigned)col_u(st, 0);
    memcpy(p->etag, etag, strnlen(etag, PC_ETAG_MAX - 1));
    memcpy(p->checksum, checksum, strnlen(checksum, sizeof(p->checksum) - 1));
    p->mtime = ns_to(sqlite3_column_int64(st, 3));
    p->size = col_u(st, 4);
    return 0;
}

static int part_list_in(struct sql_conn *c, const char *id, unsigned after, unsigned max,
                        int (*fn)(void *arg, const struct pc_part *p), void *arg,
                        bool *ret_truncated)
{
    static const char sql[] = "SELECT p.number, p.etag, p.checksum, p.mtime, n.size FROM part p "
                              "CROSS JOIN node n ON n.ino=p.ino "
                              "WHERE p.upload=?1 AND p.number>?2 ORDER BY p.number";
    struct pc_part p;
    uint64_t num;
    unsigned n = 0;
    sqlite3_stmt *st;
    int rc = upload_find(c, NULL, id, &num);

    if (rc == 0)
        rc = sql_stmt(c, sql, &st);
    if (rc < 0)
        return rc;
    *ret_truncated = false;
    rc = sql_bind(st, "uu", num, (uint64_t)after);
    while (rc >= 0 && (rc = sql_step(st)) > 0) {
        if (n++ == max) {
            *ret_truncated = max > 0;
            rc = 0;
            break;
        }
        rc = part_read(st, &p);
        if (rc == 0)
            rc = fn(arg, &p);
        if (rc != 0)
            break;
    }
    sqlite3_reset(st);
    return rc;
}

int op_part_list(struct meta *m, const char *id, unsigned after, unsigned max,
                 int (*fn)(void *arg, const struct pc_part *p), void *arg, bool *ret_truncated)
{
    struct sql_conn *c;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = part_list_in(c, id, after, max, fn, arg, ret_truncated);
    sql_read_end(m, c);
    return rc;
}
