/* SPDX-License-Identifier: Apache-2.0 */
/* Statements: prepared once a literal, bound and run by short calls, their results made our codes. */
#include "meta/sql.h"

#include "base/alloc.h"
#include "meta/conn.h"
#include "pcloud/err.h"

#include <string.h>

#define ENTRIES_FIRST 256
#define ENTRIES_MAX 8192

int sql_code(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return PC_ECORRUPT;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_IOERR:
        if (rc == SQLITE_IOERR_NOMEM)
            return -ENOMEM;
        return rc == SQLITE_IOERR_CORRUPTFS ? PC_ECORRUPT : -EIO;
    case SQLITE_INTERRUPT:
        return PC_ECANCELED;
    default:
        return -EIO;
    }
}

/* The code of a failed call on this connection, with SQLite's own words kept for the message. */
static int failed(sqlite3 *db, int rc, const char *what)
{
    int code = sql_code(rc);

    return pc_err_set(code, "metadata database: %s (%s)", sqlite3_errmsg(db), what);
}

static size_t hash(const void *p, size_t cap)
{
    uint64_t x = (uint64_t)(uintptr_t)p * 0x9e3779b97f4a7c15u;

    return (size_t)(x >> 32) & (cap - 1);
}

static struct sql_entry **find_sql(struct sql_entry **table, size_t cap, const char *sql)
{
    size_t i = hash(sql, cap);

    while (table[i] && table[i]->sql != sql)
        i = (i + 1) & (cap - 1);
    return &table[i];
}

static struct sql_entry **find_stmt(struct sql_entry **table, size_t cap, const sqlite3_stmt *st)
{
    size_t i = hash(st, cap);

    while (table[i] && table[i]->stmt != st)
        i = (i + 1) & (cap - 1);
    return &table[i];
}

static int grow(struct sql_conn *c)
{
    size_t cap = c->cap ? c->cap * 2 : ENTRIES_FIRST;
    struct sql_entry **by_sql, **by_stmt;

    if (cap > ENTRIES_MAX)
        return PC_ELIMIT;
    by_sql = mem_calloc(cap, sizeof(struct sql_entry *));
    by_stmt = mem_calloc(cap, sizeof(struct sql_entry *));
    if (!by_sql || !by_stmt) {
        mem_free(by_sql);
        mem_free(by_stmt);
        return -ENOMEM;
    }
    for (size_t i = 0; i < c->cap; i++) {
        struct sql_entry *e = c->by_sql[i];

        if (e) {
            *find_sql(by_sql, cap, e->sql) = e;
            *find_stmt(by_stmt, cap, e->stmt) = e;
        }
    }
    mem_free(c->by_sql);
    mem_free(c->by_stmt);
    c->by_sql = by_sql;
    c->by_stmt = by_stmt;
    c->cap = cap;
    return 0;
}

static int prepare(struct sql_conn *c, const char *sql, struct sql_entry **ret)
{
    struct sql_entry *e = mem_calloc(1, sizeof *e);
    int rc, r;

    if (!e)
        return -ENOMEM;
    rc = sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &e->stmt, NULL);
    if (rc != SQLITE_OK) {
        r = failed(c->db, rc, sql);
        mem_free(e);
        return r;
    }
    e->sql = sql;
    e->writes = !sqlite3_stmt_readonly(e->stmt);
    c->used++;
    *find_stmt(c->by_stmt, c->cap, e->stmt) = e;
    *ret = e;
    return 0;
}

int sql_stmt(struct sql_conn *c, const char *sql, sqlite3_stmt **ret)
{
    struct sql_entry **at;
    int r;

    if (c->used * 2 >= c->cap) {
        r = grow(c);
        if (r < 0)
            return r;
    }
    at = find_sql(c->by_sql, c->cap, sql);
    if (*at) {
        sqlite3_reset((*at)->stmt);
        sqlite3_clear_bindings((*at)->stmt);
        (*at)->bound = false;
    } else {
        r = prepare(c, sql, at);
        if (r < 0)
            return r;
    }
    *ret = (*at)->stmt;
    return 0;
}

/* Writes of a running operation are noted. The connection that this thread writes by: */
static _Thread_local struct sql_conn *writing;

void sql_note(struct sql_conn *c, struct record *op)
{
    c->op = op;
    writing = op ? c : NULL;
}

static struct sql_entry *noted(sqlite3_stmt *st)
{
    struct sql_entry *e;

    if (!writing || sqlite3_db_handle(st) != writing->db)
        return NULL;
    e = *find_stmt(writing->by_stmt, writing->cap, st);
    return e && e->writes ? e : NULL;
}

static void note_values(sqlite3_stmt *st, const char *types, va_list ap)
{
    struct sql_entry *e = noted(st);

    if (!e)
        return;
    record_reset(&e->values);
    record_values(&e->values, types, ap);
    e->bound = true;
}

static int bind_each(sqlite3_stmt *st, const char *types, va_list ap)
{
    int rc = SQLITE_OK;

    for (int i = 1; *types && rc == SQLITE_OK; types++, i++) {
        const void *p;
        size_t len;

        switch (*types) {
        case 'i':
            rc = sqlite3_bind_int64(st, i, va_arg(ap, int64_t));
            break;
        case 'u':
            rc = sqlite3_bind_int64(st, i, (int64_t)va_arg(ap, uint64_t));
            break;
        case 't':
            rc = sqlite3_bind_text(st, i, va_arg(ap, const char *), -1, SQLITE_STATIC);
            break;
        case 'b':
            p = va_arg(ap, const void *);
            len = va_arg(ap, size_t);
            rc = sqlite3_bind_blob64(st, i, len ? p : "", len, SQLITE_STATIC);
            break;
        case 'n':
            rc = sqlite3_bind_null(st, i);
            break;
        default:
            return -EINVAL;
        }
    }
    return rc == SQLITE_OK ? 0 : failed(sqlite3_db_handle(st), rc, sqlite3_sql(st));
}

static int bind_list(sqlite3_stmt *st, const char *types, va_list ap)
{
    va_list again;
    int r;

    va_copy(again, ap);
    r = bind_each(st, types, again);
    va_end(again);
    if (r == 0)
        note_values(st, types, ap);
    return r;
}

int sql_bind(sqlite3_stmt *st, const char *types, ...)
{
    va_list ap;
    int r;

    va_start(ap, types);
    r = bind_list(st, types, ap);
    va_end(ap);
    return r;
}

int sql_step(sqlite3_stmt *st)
{
    struct sql_entry *e = noted(st);
    int rc;

    if (e && sqlite3_stmt_busy(st))
        e = NULL; /* its writes were made by the first step */
    if (e && !e->bound && sqlite3_bind_parameter_count(st) > 0)
        return pc_err_set(-EINVAL, "a write was bound without sql_bind: %s", e->sql);
    rc = sqlite3_step(st);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return failed(sqlite3_db_handle(st), rc, sqlite3_sql(st));
    if (e)
        record_statement(writing->op, e->sql, e->bound ? &e->values : NULL);
    return rc == SQLITE_ROW;
}

int sql_run(struct sql_conn *c, const char *sql, const char *types, ...)
{
    sqlite3_stmt *st;
    va_list ap;
    int r = sql_stmt(c, sql, &st);

    if (r < 0)
        return r;
    va_start(ap, types);
    r = bind_list(st, types, ap);
    va_end(ap);
    if (r == 0)
        do
            r = sql_step(st);
        while (r > 0);
    sqlite3_reset(st);
    return r < 0 ? r : sqlite3_changes(c->db);
}

int sql_one(struct sql_conn *c, const char *sql, sqlite3_stmt **ret, const char *types, ...)
{
    sqlite3_stmt *st;
    va_list ap;
    int r = sql_stmt(c, sql, &st);

    if (r < 0)
        return r;
    va_start(ap, types);
    r = bind_list(st, types, ap);
    va_end(ap);
    if (r == 0)
        r = sql_step(st);
    if (r <= 0)
        sqlite3_reset(st);
    else
        *ret = st;
    return r;
}

void conn_close(struct sql_conn *c)
{
    for (size_t i = 0; i < c->cap; i++) {
        struct sql_entry *e = c->by_sql[i];

        if (!e)
            continue;
        sqlite3_finalize(e->stmt);
        record_free(&e->values);
        mem_free(e);
    }
    mem_free(c->by_sql);
    mem_free(c->by_stmt);
    sqlite3_close(c->db);
    memset(c, 0, sizeof *c);
}

int conn_exec(struct sql_conn *c, const char *sql)
{
    int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : failed(c->db, rc, sql);
}

int sql_script(struct sql_conn *c, const char *text)
{
    while (*text) {
        sqlite3_stmt *st = NULL;
        int rc = sqlite3_prepare_v2(c->db, text, -1, &st, &text), r = 0;

        if (rc == SQLITE_OK && st)
            rc = sqlite3_step(st);
        if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW)
            r = failed(c->db, rc, "script");
        else if (st && c->op)
            record_statement(c->op, sqlite3_sql(st), NULL);
        sqlite3_finalize(st);
        if (r < 0)
            return r;
    }
    return 0;
}
