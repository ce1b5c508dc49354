/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the tree as a snapshot saw them: virtual tables that put the real one and what was kept of it together, in the key's order. */
#include "meta/snap/snap.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "meta/conn.h"
#include "meta/engine.h"

/* What of the key a query gave. */
enum bound { KEY_1 = 1, KEY_2 = 2, KEY_FROM = 4, KEY_TO = 8, KEY_DOWN = 16, KEY_PLANS = 32 };

struct past_table {
    const char *name, *declared;
    const char *k1, *k2;  /* the key; k2 "" if it is one column */
    const char *is, *was; /* the columns: of the real table, of what was kept */
    const char *old;      /* a row of the real table i that was there: without what is younger */
    const char *there;    /* a kept row p that is one, and not the word that there was none */
};

static const struct past_table past_tables[] = {
    {"node",
     "CREATE TABLE t(ino INTEGER, mode INTEGER, uid INTEGER, gid INTEGER, nlink INTEGER, "
     "size INTEGER, used INTEGER, rdev INTEGER, atime INTEGER, mtime INTEGER, ctime INTEGER, "
     "btime INTEGER, version INTEGER, parent INTEGER, flags INTEGER)",
     "ino", "",
     "i.ino, i.mode, i.uid, i.gid, i.nlink, i.size, i.used, i.rdev, i.atime, i.mtime, i.ctime, "
     "i.btime, i.version, i.parent, i.flags",
     "p.ino, p.mode, p.uid, p.gid, p.nlink, p.size, p.used, p.rdev, p.atime, p.mtime, p.ctime, "
     "p.btime, p.version, p.parent, p.flags",
     "i.ino < ?5", "p.ino < ?5"},
    {"edge", "CREATE TABLE t(parent INTEGER, seg BLOB, ino INTEGER)", "parent", "seg",
     "i.parent, i.seg, i.ino", "p.parent, p.seg, p.ino", "i.ino < ?5 AND i.parent < ?5",
     "p.ino > 0 AND p.ino < ?5"},
    {"inline", "CREATE TABLE t(ino INTEGER, data BLOB)", "ino", "", "i.ino, i.data",
     "p.ino, p.data", "i.ino < ?5", "p.there = 1"},
    {"symlink", "CREATE TABLE t(ino INTEGER, target BLOB)", "ino", "", "i.ino, i.target",
     "p.ino, p.target", "i.ino < ?5", "p.there = 1"},
    {"xattr", "CREATE TABLE t(ino INTEGER, name BLOB, value BLOB)", "ino", "name",
     "i.ino, i.name, i.value", "p.ino, p.name, p.value", "i.ino < ?5", "p.value IS NOT NULL"},
    {"object",
     "CREATE TABLE t(ino INTEGER, version INTEGER, etag TEXT, headers BLOB, parts BLOB, vid TEXT)",
     "ino", "", "i.ino, i.version, i.etag, i.headers, i.parts, i.vid",
     "p.ino, p.version, p.etag, p.headers, p.parts, p.vid", "i.ino < ?5", "p.etag IS NOT NULL"},
    {"slice", "CREATE TABLE t(ino INTEGER, pos INTEGER, len INTEGER, boff INTEGER, bid INTEGER)",
     "ino", "pos", "i.ino, i.pos, i.len, i.boff, i.bid", "p.ino, p.pos, p.len, p.boff, p.bid",
     "i.bid < ?5 AND i.ino < ?5", "p.bid > 0 AND p.bid < ?5"},
};
#define TABLES (sizeof(past_tables) / sizeof(past_tables[0]))

struct past_vtab {
    sqlite3_vtab base;
    sqlite3 *db;
    const struct past_table *table;
    const struct snap_point *at;
    sqlite3_stmt *idle[KEY_PLANS]; /* one of each plan, for its next use */
};

struct past_cursor {
    sqlite3_vtab_cursor base;
    sqlite3_stmt *st;
    int plan;
    bool done;
    int64_t row;
};

static int past_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
                        sqlite3_vtab **ret, char **error)
{
    struct past_vtab *v;

    (void)error;
    for (size_t i = 0; i < TABLES; i++) {
        int rc;

        if (argc < 3 || strcmp(argv[2], past_tables[i].name) != 0)
            continue;
        v = mem_calloc(1, sizeof(*v));
        if (!v)
            return SQLITE_NOMEM;
        v->db = db;
        v->table = &past_tables[i];
        v->at = aux;
        rc = sqlite3_declare_vtab(db, v->table->declared);
        if (rc != SQLITE_OK)
            mem_free(v);
        else
            *ret = &v->base;
        return rc;
    }
    return SQLITE_ERROR;
}

static int past_disconnect(sqlite3_vtab *base)
{
    struct past_vtab *v = (struct past_vtab *)(void *)base;

    for (int i = 0; i < KEY_PLANS; i++)
        sqlite3_finalize(v->idle[i]);
    mem_free(v);
    return SQLITE_OK;
}

/* The part of a key that a constraint gives; 0: none that we can use. */
static int use_of(const struct past_table *t, const struct sqlite3_index_constraint *k)
{
    if (!k->usable)
        return 0;
    if (k->iColumn == 0 && k->op == SQLITE_INDEX_CONSTRAINT_EQ)
        return KEY_1;
    if (k->iColumn != 1 || t->k2[0] == '\0')
        return 0;
    switch (k->op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
        return KEY_2;
    case SQLITE_INDEX_CONSTRAINT_GT:
    case SQLITE_INDEX_CONSTRAINT_GE:
        return KEY_FROM;
    case SQLITE_INDEX_CONSTRAINT_LT:
    case SQLITE_INDEX_CONSTRAINT_LE:
        return KEY_TO;
    default:
        return 0;
    }
}

/* Rows of one first part of a key come in the order of the second: is that what is asked for? */
static bool is_order(const struct past_table *t, const sqlite3_index_info *info, bool *down)
{
    int i = 0;

    if (t->k2[0] == '\0' || info->nOrderBy == 0)
        return false;
    if (info->aOrderBy[0].iColumn == 0 && info->nOrderBy > 1)
        i = 1; /* always the same */
    if (info->nOrderBy != i + 1 || info->aOrderBy[i].iColumn != 1)
        return false;
    *down = info->aOrderBy[i].desc != 0;
    return true;
}

static int past_best(sqlite3_vtab *base, sqlite3_index_info *info)
{
    static const int order[] = {KEY_1, KEY_2, KEY_FROM, KEY_TO};
    const struct past_table *t = ((struct past_vtab *)(void *)base)->table;
    int at[16] = {0}, plan = 0, n = 0; /* of each use, its constraint + 1 */
    bool down = false, whole;

    for (int i = 0; i < info->nConstraint; i++) {
        int use = use_of(t, &info->aConstraint[i]);

        if (use > 0 && at[use] == 0) {
            at[use] = i + 1;
            plan |= use;
        }
    }
    if (!(plan & KEY_1))
        plan = 0;
    if (plan & KEY_2)
        plan &= KEY_1 | KEY_2;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (plan & order[i])
            info->aConstraintUsage[at[order[i]] - 1].argvIndex = ++n;
    if ((plan & KEY_1) && !(plan & KEY_2) && is_order(t, info, &down)) {
        info->orderByConsumed = 1;
        plan |= down ? KEY_DOWN : 0;
    }
    whole = (plan & KEY_1) && (t->k2[0] == '\0' || (plan & KEY_2));
    info->idxNum = plan;
    info->estimatedCost = whole ? 2 : plan & (KEY_FROM | KEY_TO) ? 20 : plan & KEY_1 ? 40 : 1e9;
    info->estimatedRows = whole ? 1 : plan & KEY_1 ? 20 : 1000000;
    if (whole)
        info->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
    return SQLITE_OK;
}

/* The condition on the key of table ${a}. */
static int where_text(const struct past_table *t, int plan, char a, char *buf, size_t cap)
{
    int n = snprintf(buf, cap, "1");

    if (plan & KEY_1)
        n = snprintf(buf, cap, "%c.%s=?1", a, t->k1);
    if (plan & KEY_2)
        n += snprintf(buf + n, cap - (size_t)n, " AND %c.%s=?2", a, t->k2);
    if (plan & KEY_FROM)
        n += snprintf(buf + n, cap - (size_t)n, " AND %c.%s>=?2", a, t->k2);
    if (plan & KEY_TO)
        n += snprintf(buf + n, cap - (size_t)n, " AND %c.%s<=?3", a, t->k2);
    return n;
}

static void same_text(const struct past_table *t, char a, char b, char *buf, size_t cap)
{
    int n = snprintf(buf, cap, "%c.%s=%c.%s", a, t->k1, b, t->k1);

    if (t->k2[0] != '\0')
        (void)snprintf(buf + n, cap - (size_t)n, " AND %c.%s=%c.%s", a, t->k2, b, t->k2);
}

/* The nearest kept row from ?4 on of each key, and the real rows of keys that have none. */
static int past_prepare(const struct past_vtab *v, int plan, sqlite3_stmt **ret)
{
    const struct past_table *t = v->table;
    char sql[2048], wi[128], wp[128], qp[128], qi[128], order[64] = "";
    int n;

    (void)where_text(t, plan, 'i', wi, sizeof(wi));
    (void)where_text(t, plan, 'p', wp, sizeof(wp));
    same_text(t, 'q', 'p', qp, sizeof(qp));
    same_text(t, 'q', 'i', qi, sizeof(qi));
    if ((plan & KEY_1) && t->k2[0] != '\0' && !(plan & KEY_2))
        (void)snprintf(order, sizeof(order), " ORDER BY 2%s", plan & KEY_DOWN ? " DESC" : "");
    n = snprintf(sql, sizeof(sql),
                 "SELECT %s FROM main.%s i WHERE %s AND %s AND NOT EXISTS (SELECT 1 FROM "
                 "main.%s_was q WHERE %s AND q.snap>=?4) UNION ALL SELECT %s FROM main.%s_was p "
                 "WHERE %s AND p.snap>=?4 AND %s AND NOT EXISTS (SELECT 1 FROM main.%s_was q "
                 "WHERE %s AND q.snap>=?4 AND q.snap<p.snap)%s",
                 t->is, t->name, wi, t->old, t->name, qi, t->was, t->name, wp, t->there, t->name,
                 qp, order);
    if (n < 0 || n >= (int)sizeof(sql))
        return SQLITE_TOOBIG;
    return sqlite3_prepare_v3(v->db, sql, n, SQLITE_PREPARE_PERSISTENT, ret, NULL);
}

static int past_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
    struct past_cursor *k = mem_calloc(1, sizeof(*k));

    (void)base;
    if (!k)
        return SQLITE_NOMEM;
    *ret = &k->base;
    return SQLITE_OK;
}

static void statement_back(struct past_cursor *k)
{
    struct past_vtab *v = (struct past_vtab *)(void *)k->base.pVtab;

    if (!k->st)
        return;
    sqlite3_reset(k->st);
    sqlite3_clear_bindings(k->st);
    if (v->idle[k->plan])
        sqlite3_finalize(k->st);
    else
        v->idle[k->plan] = k->st;
    k->st = NULL;
}

static int past_close(sqlite3_vtab_cursor *base)
{
    struct past_cursor *k = (struct past_cursor *)(void *)base;

    statement_back(k);
    mem_free(k);
    return SQLITE_OK;
}

static int past_next(sqlite3_vtab_cursor *base)
{
    struct past_cursor *k = (struct past_cursor *)(void *)base;
    int rc = sqlite3_step(k->st);

    k->done = rc != SQLITE_ROW;
    k->row++;
    if (rc == SQLITE_DONE)
        statement_back(k); /* the other half of a UNION may want it next */
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int past_filter(sqlite3_vtab_cursor *base, int plan, const char *name, int argc,
                       sqlite3_value **argv)
{
    static const struct {
        int use, place;
    } order[] = {{KEY_1, 1}, {KEY_2, 2}, {KEY_FROM, 2}, {KEY_TO, 3}};
    struct past_cursor *k = (struct past_cursor *)(void *)base;
    struct past_vtab *v = (struct past_vtab *)(void *)base->pVtab;
    int rc = SQLITE_OK, n = 0;

    (void)name;
    statement_back(k);
    k->plan = plan;
    k->st = v->idle[plan];
    v->idle[plan] = NULL;
    if (!k->st)
        rc = past_prepare(v, plan, &k->st);
    for (size_t i = 0; i < 4 && rc == SQLITE_OK && n < argc; i++)
        if (plan & order[i].use)
            rc = sqlite3_bind_value(k->st, order[i].place, argv[n++]);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(k->st, 4, (int64_t)v->at->id);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(k->st, 5, (int64_t)v->at->next_id);
    k->row = 0;
    return rc == SQLITE_OK ? past_next(base) : rc;
}

static int past_eof(sqlite3_vtab_cursor *base)
{
    return ((struct past_cursor *)(void *)base)->done;
}

static int past_column(sqlite3_vtab_cursor *base, sqlite3_context *ctx, int i)
{
    struct past_cursor *k = (struct past_cursor *)(void *)base;

    sqlite3_result_value(ctx, sqlite3_column_value(k->st, i));
    return SQLITE_OK;
}

static int past_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
    *ret = ((struct past_cursor *)(void *)base)->row;
    return SQLITE_OK;
}

static const sqlite3_module past_vtab_module = {
    .xCreate = past_connect,
    .xConnect = past_connect,
    .xBestIndex = past_best,
    .xDisconnect = past_disconnect,
    .xDestroy = past_disconnect,
    .xOpen = past_open,
    .xClose = past_close,
    .xFilter = past_filter,
    .xNext = past_next,
    .xEof = past_eof,
    .xColumn = past_column,
    .xRowid = past_rowid,
};

int snap_vtab_make(struct sql_conn *c, const struct snap_point *at)
{
    char sql[96];
    int rc =
        sqlite3_create_module_v2(c->db, "pc_past", &past_vtab_module, (void *)(uintptr_t)at, NULL);

    if (rc != SQLITE_OK)
        return sql_code(rc);
    for (size_t i = 0; i < TABLES; i++) {
        (void)snprintf(sql, sizeof(sql), "CREATE VIRTUAL TABLE temp.%s USING pc_past",
                       past_tables[i].name);
        rc = conn_exec(c, sql);
        if (rc < 0)
            return rc;
    }
    return 0;
}
