/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots taken, listed and removed; what only a removed one kept goes in steps. */
#include "meta/snap/snap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "meta/ops/slice.h"
#include "meta/engine.h"
#include "pcloud/err.h"

#define ID_MAX ((UINT64_C(1) << (62 - PC_SNAPSHOT_SHIFT)) - 1)
#define COLUMNS "id, name, taken, next_id, automatic"

static int read_row(sqlite3_stmt *st, struct meta_snapshot *ret)
{
    const char *name;
    size_t len;
    int rc = col_blob(st, 1, &name, &len);

    if (rc < 0)
        return rc;
    if (len > PC_SNAPSHOT_NAME_MAX)
        return pc_err_set(PC_ECORRUPT, "snapshot %llu: its name is too long",
                          (unsigned long long)col_u(st, 0));
    *ret = (struct meta_snapshot){
        .pub = {.id = col_u(st, 0),
                .taken = ns_to(sqlite3_column_int64(st, 2)),
                .automatic = sqlite3_column_int(st, 4) != 0},
        .next_id = col_u(st, 3),
    };
    memcpy(ret->pub.name, name, len);
    return 0;
}

static int one(int rc, sqlite3_stmt *st, struct meta_snapshot *ret)
{
    if (rc <= 0)
        return rc;
    rc = read_row(st, ret);
    sqlite3_reset(st);
    return rc < 0 ? rc : 1;
}

int snap_find(struct sql_conn *c, const char *name, struct meta_snapshot *ret)
{
    static const char sql[] = "SELECT " COLUMNS " FROM snapshot WHERE name=?1 AND gone=0";
    sqlite3_stmt *st = NULL;
    int rc = sql_one(c, sql, &st, "t", name);

    return one(rc, st, ret);
}

int snap_by_id(struct sql_conn *c, uint64_t id, struct meta_snapshot *ret)
{
    static const char sql[] = "SELECT " COLUMNS " FROM snapshot WHERE id=?1 AND gone=0";
    sqlite3_stmt *st = NULL;
    int rc = sql_one(c, sql, &st, "u", id);

    return one(rc, st, ret);
}

/* One number out of a query. */
static int number(struct sql_conn *c, const char *sql, uint64_t *ret)
{
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "");

    if (rc <= 0)
        return rc < 0 ? rc : -EIO;
    *ret = col_u(st, 0);
    sqlite3_reset(st);
    return 0;
}

int snap_rearm(struct sql_conn *c)
{
    uint64_t n;
    sqlite3_stmt *st;
    int rc = sql_one(c, snap_armed.find, &st, "");

    if (rc <= 0)
        return rc; /* all but always they are */
    sqlite3_reset(st);
    rc = number(c, "SELECT count(*) FROM snapshot WHERE gone=0", &n);
    if (rc < 0)
        return rc;
    return n > 0 ? snap_arm(c) : snap_disarm(c);
}

/* Folders of snapshots changed: an entry like any other for who keeps names. */
static int feed(struct meta *m, struct sql_conn *c, const struct pc_snapshot *s)
{
    char seg[PC_SNAPSHOT_NAME_MAX + 2];
    int n = snprintf(seg, sizeof(seg), "%s/", s->name);

    return sql_feed(m, c, PC_CHANGE_ENTRY | PC_CHANGE_ATTR,
                    s->id << PC_SNAPSHOT_SHIFT | PC_ROOT_INO, pc_snapshots_of(PC_ROOT_INO), seg,
                    (size_t)n);
}

static int insert(struct meta *m, struct sql_conn *c, const struct pc_snapshot *s, int64_t taken_ns)
{
    static const char sql[] = "INSERT INTO snapshot VALUES(?1, ?2, ?3, ?4, ?5, 0)";
    static const char last[] = "INSERT OR REPLACE INTO setting VALUES('snapshot', ?1)";
    uint64_t next = atomic_load(&engine_of(m)->shm.head->next_id);
    int rc = sql_run(c, sql, "utiuu", s->id, s->name, taken_ns, next, (uint64_t)s->automatic);

    if (rc >= 0)
        rc = sql_run(c, last, "u", s->id);
    return rc < 0 ? rc : 0;
}

static int take_in(struct meta *m, struct sql_conn *c, const char *name, bool automatic,
                   int64_t taken_ns, int64_t after_ns, struct pc_snapshot *s)
{
    static const char last[] = "SELECT 1 + max(coalesce((SELECT max(id) FROM snapshot), 0), "
                               "coalesce((SELECT value FROM setting WHERE key='snapshot'), 0))";
    static const char recent[] = "SELECT 1 FROM snapshot WHERE automatic=1 AND gone=0 AND "
                                 "taken>=?1 LIMIT 1";
    struct meta_snapshot other;
    sqlite3_stmt *st;
    int rc = snap_find(c, name, &other);

    if (rc == 0 && automatic) {
        rc = sql_one(c, recent, &st, "i", after_ns);
        if (rc > 0)
            sqlite3_reset(st);
    }
    if (rc != 0)
        return rc < 0 ? rc : pc_err_set(-EEXIST, "there is a snapshot %s already", name);
    *s = (struct pc_snapshot){.taken = ns_to(taken_ns), .automatic = automatic};
    memcpy(s->name, name, strnlen(name, PC_SNAPSHOT_NAME_MAX));
    rc = number(c, last, &s->id);
    if (rc == 0 && s->id > ID_MAX)
        rc = pc_err_set(PC_ELIMIT, "this volume has had %llu snapshots: there is no number left",
                        (unsigned long long)ID_MAX);
    if (rc == 0)
        rc = insert(m, c, s, taken_ns);
    if (rc == 0)
        rc = snap_rearm(c);
    return rc < 0 ? rc : feed(m, c, s);
}

int meta_snapshot_take(struct meta *m, const char *name, bool automatic, int64_t taken_ns,
                       int64_t after_ns, struct pc_snapshot *ret)
{
    struct pc_snapshot s;
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);

    if (rc < 0)
        return rc;
    rc = sql_write_end(m, c, take_in(m, c, name, automatic, taken_ns, after_ns, &s));
    if (rc == 0)
        rc = meta_sync(m); /* views of the past see what is committed only */
    if (rc == 0)
        *ret = s;
    return rc;
}

int meta_snapshot_list(struct meta *m, int (*fn)(void *arg, const struct pc_snapshot *s), void *arg)
{
    static const char sql[] = "SELECT " COLUMNS " FROM snapshot WHERE gone=0 ORDER BY id";
    struct meta_snapshot s;
    struct sql_conn *c;
    sqlite3_stmt *st;
    int stop = 0, rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = sql_stmt(c, sql, &st);
    while (rc >= 0 && stop == 0 && (rc = sql_step(st)) > 0) {
        rc = read_row(st, &s);
        if (rc == 0)
            stop = fn(arg, &s.pub);
    }
    if (rc >= 0 || stop != 0)
        sqlite3_reset(st);
    sql_read_end(m, c);
    return rc < 0 ? rc : stop;
}

int meta_snapshot_find(struct meta *m, const char *name, struct pc_snapshot *ret)
{
    struct meta_snapshot s;
    struct sql_conn *c;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = snap_find(c, name, &s);
    sql_read_end(m, c);
    if (rc > 0)
        *ret = s.pub;
    else if (rc == 0)
        rc = pc_err_set(-ENOENT, "there is no snapshot %s; `pcloud snapshot list` shows all", name);
    return rc < 0 ? rc : 0;
}

static int remove_in(struct meta *m, struct sql_conn *c, uint64_t id)
{
    static const char sql[] = "UPDATE snapshot SET gone=1 WHERE id=?1";
    struct meta_snapshot s;
    int rc = snap_by_id(c, id, &s);

    if (rc <= 0)
        return rc < 0 ? rc : -ENOENT;
    rc = sql_run(c, sql, "u", id);
    if (rc >= 0)
        rc = snap_rearm(c);
    return rc < 0 ? rc : feed(m, c, &s.pub);
}

int meta_snapshot_remove(struct meta *m, uint64_t id)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    if (rc < 0)
        return rc;
    rc = sql_write_end(m, c, remove_in(m, c, id));
    return rc < 0 ? rc : meta_sync(m);
}

int meta_snapshot_rules(struct meta *m, char buf[PC_SNAPSHOT_RULES_MAX + 1])
{
    static const char sql[] = "SELECT value FROM setting WHERE key='snapshot_rules'";
    const char *text;
    size_t len = 0;
    struct sql_conn *c;
    sqlite3_stmt *st;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = sql_one(c, sql, &st, "");
    if (rc > 0) {
        rc = col_blob(st, 0, &text, &len);
        if (rc == 0 && len > PC_SNAPSHOT_RULES_MAX)
            rc = pc_err_set(PC_ECORRUPT, "the rules of snapshots are too long");
        if (rc == 0)
            memcpy(buf, text, len);
        sqlite3_reset(st);
    }
    sql_read_end(m, c);
    if (rc == 0)
        buf[len] = '\0';
    return rc;
}

int meta_snapshot_rules_set(struct meta *m, const char *rules)
{
    static const char sql[] = "INSERT OR REPLACE INTO setting VALUES('snapshot_rules', ?1)";
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    if (rc < 0)
        return rc;
    rc = sql_run(c, sql, "t", rules);
    rc = sql_write_end(m, c, rc < 0 ? rc : 0);
    return rc < 0 ? rc : meta_sync(m);
}
