/* SPDX-License-Identifier: Apache-2.0 */
/* S3 identities and their access keys. A change is told to the feed as ATTR of node 0. */
#include <errno.h>
#include <string.h>

#include "meta/ops/ops.h"
#include "pcloud/err.h"

#define KEY_COLUMNS "k.access, k.secret, k.bucket, k.read_only, u.name, u.id, u.email, u.role"
#define KEY_FROM " FROM access_key k CROSS JOIN user u ON u.name=k.user "

static int changed(struct meta *m, struct sql_conn *c)
{
    return sql_feed(m, c, PC_CHANGE_ATTR, 0, 0, NULL, 0);
}

/* Copy a text column into a field of ${cap} bytes. */
static int col_text(sqlite3_stmt *st, int i, char *out, size_t cap)
{
    const char *s = (const char *)sqlite3_column_text(st, i);
    size_t len = s ? strnlen(s, cap) : 0;

    if (!s)
        return -ENOMEM;
    if (len == cap)
        return PC_ECORRUPT;
    memcpy(out, s, len + 1);
    return 0;
}

/* Columns name, id, email, role from ${at} on. */
static int user_read(sqlite3_stmt *st, int at, struct pc_user *u)
{
    int rc;

    memset(u, 0, sizeof(*u));
    rc = col_text(st, at, u->name, sizeof(u->name));
    if (rc == 0)
        rc = col_text(st, at + 1, u->id, sizeof(u->id));
    if (rc == 0)
        rc = col_text(st, at + 2, u->email, sizeof(u->email));
    u->role = col_u(st, at + 3) == PC_ROLE_ADMIN ? PC_ROLE_ADMIN : PC_ROLE_USER;
    return rc;
}

static int key_read(sqlite3_stmt *st, struct pc_access_key *k)
{
    int rc;

    memset(k, 0, sizeof(*k));
    rc = col_text(st, 0, k->access_key, sizeof(k->access_key));
    if (rc == 0)
        rc = col_text(st, 1, k->secret_key, sizeof(k->secret_key));
    if (rc == 0)
        rc = col_text(st, 2, k->bucket, sizeof(k->bucket));
    k->read_only = col_u(st, 3) != 0;
    return rc < 0 ? rc : user_read(st, 4, &k->user);
}

/* 1 if the query has a row, 0 if not. */
static int is_there(struct sql_conn *c, const char *sql, const char *arg)
{
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "t", arg);

    if (rc > 0)
        sqlite3_reset(st);
    return rc;
}

static const char user_sql[] = "SELECT name, id, email, role FROM user WHERE name=?1";

static int user_add_in(struct meta *m, struct sql_conn *c, const struct pc_user *u)
{
    static const char sql[] = "INSERT INTO user VALUES(?1, ?2, ?3, ?4)";
    int rc = is_there(c, user_sql, u->name);

    if (rc > 0)
        return pc_err_set(PC_EUSEREXISTS, "there is a user %s already", u->name);
    if (rc == 0)
        rc = sql_run(c, sql, "tttu", u->name, u->id, u->email, (uint64_t)u->role);
    return rc < 0 ? rc : changed(m, c);
}

int op_user_add(struct meta *m, const struct pc_user *u)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);

    return rc < 0 ? rc : sql_write_end(m, c, user_add_in(m, c, u));
}

static int user_rm_in(struct meta *m, struct sql_conn *c, const char *name)
{
    /* (a folder that is not at the top is no bucket any more) */
    static const char owned[] = "SELECT 1 FROM bucket b CROSS JOIN node n ON n.ino=b.ino "
                                "WHERE b.owner=?1 AND n.parent=1 AND n.nlink>0 LIMIT 1";
    static const char keys[] = "DELETE FROM access_key WHERE user=?1";
    static const char del[] = "DELETE FROM user WHERE name=?1";
    int rc = is_there(c, user_sql, name);

    if (rc <= 0)
        return rc < 0 ? rc : pc_err_set(PC_ENOUSER, "there is no user %s", name);
    rc = is_there(c, owned, name);
    if (rc > 0)
        return pc_err_set(-ENOTEMPTY, "user %s still owns buckets", name);
    if (rc == 0)
        rc = sql_run(c, keys, "t", name);
    if (rc >= 0)
        rc = sql_run(c, del, "t", name);
    return rc < 0 ? rc : changed(m, c);
}

int op_user_rm(struct meta *m, const char *name)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    return rc < 0 ? rc : sql_write_end(m, c, user_rm_in(m, c, name));
}

static int user_get_in(struct sql_conn *c, const char *name, struct pc_user *ret)
{
    struct pc_user u;
    sqlite3_stmt *st;
    int rc = sql_one(c, user_sql, &st, "t", name);

    if (rc <= 0)
        return rc < 0 ? rc : pc_err_set(PC_ENOUSER, "there is no user %s", name);
    rc = user_read(st, 0, &u);
    sqlite3_reset(st);
    if (rc == 0)
        *ret = u;
    return rc;
}

int op_user_get(struct meta *m, const char *name, struct pc_user *ret)
{
    struct sql_conn *c;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = user_get_in(c, name, ret);
    sql_read_end(m, c);
    return rc;
}

int op_user_list(struct meta *m, int (*fn)(void *arg, const struct pc_user *u), void *arg)
{
    static const char sql[] = "SELECT name, id, email, role FROM user ORDER BY name";
    struct pc_user u;
    struct sql_conn *c;
    sqlite3_stmt *st;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = sql_stmt(c, sql, &st);
    if (rc == 0) {
        while (rc == 0 && (rc = sql_step(st)) > 0) {
            rc = user_read(st, 0, &u);
            if (rc == 0)
                rc = fn(arg, &u);
        }
        sqlite3_reset(st);
    }
    sql_read_end(m, c);
    return rc;
}

static const char key_sql[] = "SELECT " KEY_COLUMNS KEY_FROM "WHERE k.access=?1";

static int key_add_in(struct meta *m, struct sql_conn *c, const struct pc_access_key *k)
{
    static const char there[] = "SELECT 1 FROM access_key WHERE access=?1";
    static const char sql[] = "INSERT INTO access_key VALUES(?1, ?2, ?3, ?4, ?5)";
    int rc = is_there(c, user_sql, k->user.name);

    if (rc <= 0)
        return rc < 0 ? rc : pc_err_set(PC_ENOUSER, "there is no user %s", k->user.name);
    rc = is_there(c, there, k->access_key);
    if (rc > 0)
        return pc_err_set(PC_EUSEREXISTS, "there is a key %s already", k->access_key);
    if (rc == 0)
        rc = sql_run(c, sql, "ttttu", k->access_key, k->secret_key, k->user.name, k->bucket,
                     (uint64_t)k->read_only);
    return rc < 0 ? rc : changed(m, c);
}

int op_key_add(struct meta *m, const struct pc_access_key *k)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);

    return rc < 0 ? rc : sql_write_end(m, c, key_add_in(m, c, k));
}

static int key_rm_in(struct meta *m, struct sql_conn *c, const char *access)
{
    static const char sql[] = "DELETE FROM access_key WHERE access=?1";
    int rc = sql_run(c, sql, "t", access);

    if (rc == 0)
        return pc_err_set(PC_ENOUSER, "there is no key %.128s", access);
    return rc < 0 ? rc : changed(m, c);
}

int op_key_rm(struct meta *m, const char *access)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    return rc < 0 ? rc : sql_write_end(m, c, key_rm_in(m, c, access));
}

int op_key_get(struct meta *m, const char *access, struct pc_access_key *ret)
{
    struct sql_conn *c;
    sqlite3_stmt *st;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = sql_one(c, key_sql, &st, "t", access);
    if (rc > 0) {
        rc = key_read(st, ret);
        sqlite3_reset(st);
    } else if (rc == 0) {
        rc = PC_ENOUSER;
    }
    sql_read_end(m, c);
    return rc;
}

int op_key_list(struct meta *m, const char *user,
                int (*fn)(void *arg, const struct pc_access_key *k), void *arg)
{
    static const char sql[] =
        "SELECT " KEY_COLUMNS KEY_FROM "WHERE ?1 IS NULL OR k.user=?1 ORDER BY k.access";
    struct pc_access_key k;
    struct sql_conn *c;
    sqlite3_stmt *st;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = sql_stmt(c, sql, &st);
    if (rc == 0) {
        rc = sql_bind(st, "t", user);
        while (rc == 0 && (rc = sql_step(st)) > 0) {
            rc = key_read(st, &k);
            if (rc == 0)
                rc = fn(arg, &k);
        }
        sqlite3_reset(st);
    }
    sql_read_end(m, c);
    return rc;
}
