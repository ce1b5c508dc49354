/* SPDX-License-Identifier: Apache-2.0 */
/* Statements: prepared once a literal, bound and run by short calls, their results made our codes. */
#include "meta/sql.h"

#include "base/alloc.h"
#include "meta/engine.h"
#include "pcloud/err.h"

#include <string.h>

#define SLOTS_FIRST 128
#define SLOTS_MAX 8192

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

static size_t slot_hash(const char *sql, size_t cap)
{
    uint64_t x = (uint64_t)(uintptr_t)sql * 0x9e3779b97f4a7c15u;

    return (size_t)(x >> 32) & (cap - 1);
}

static struct sql_slot *slot_find(struct sql_slot *slots, size_t cap, const char *sql)
{
    size_t i = slot_hash(sql, cap);

    while (slots[i].sql && slots[i].sql != sql)
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

static int slots_grow(struct sql_conn *c)
{
    size_t cap = c->slots_cap ? c->slots_cap * 2 : SLOTS_FIRST;
    struct sql_slot *slots;

    if (cap > SLOTS_MAX)
        return PC_ELIMIT;
    slots = mem_calloc(cap, sizeof *slots);
    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < c->slots_cap; i++)
        if (c->slots[i].sql)
            *slot_find(slots, cap, c->slots[i].sql) = c->slots[i];
    mem_free(c->slots);
    c->slots = slots;
    c->slots_cap = cap;
    return 0;
}

int sql_stmt(struct sql_conn *c, const char *sql, sqlite3_stmt **ret)
{
    struct sql_slot *slot;
    int rc;

    if (c->slots_used * 2 >= c->slots_cap) {
        int r = slots_grow(c);

        if (r < 0)
            return r;
    }
    slot = slot_find(c->slots, c->slots_cap, sql);
    if (slot->sql) {
        sqlite3_reset(slot->stmt);
        sqlite3_clear_bindings(slot->stmt);
        *ret = slot->stmt;
        return 0;
    }
    rc = sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &slot->stmt, NULL);
    if (rc != SQLITE_OK)
        return failed(c->db, rc, sql);
    slot->sql = sql;
    c->slots_used++;
    *ret = slot->stmt;
    return 0;
}

static int bind_list(sqlite3_stmt *st, const char *types, va_list ap)
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
    int rc = sqlite3_step(st);

    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE)
        return 0;
    return failed(sqlite3_db_handle(st), rc, sqlite3_sql(st));
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
    for (size_t i = 0; i < c->slots_cap; i++)
        sqlite3_finalize(c->slots[i].stmt);
    mem_free(c->slots);
    sqlite3_close(c->db);
    memset(c, 0, sizeof *c);
}
