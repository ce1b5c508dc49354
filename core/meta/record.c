/* SPDX-License-Identifier: Apache-2.0 */
/* An operation as a list of its writes, so that it can be done again after its process was killed. */
#include "meta/record.h"

#include "base/alloc.h"
#include "meta/sql.h"
#include "pcloud/err.h"

#include <string.h>

/* Only processes on this machine, of one version, read it: numbers are in the machine's order. */
enum { ENTRY_STATEMENT = 'S', ENTRY_TOTAL = 'T', ENTRY_BARRIER = 'B' };

void record_reset(struct record *r)
{
    r->len = 0;
    r->full = false;
}

void record_free(struct record *r)
{
    mem_free(r->data);
    memset(r, 0, sizeof *r);
}

static void put(struct record *r, const void *p, size_t n)
{
    if (r->full || n > RECORD_MAX - r->len) {
        r->full = true;
        return;
    }
    if (n > r->cap - r->len) {
        size_t cap = (r->len + n) * 2;
        uint8_t *data = mem_realloc(r->data, cap);

        if (!data) {
            r->full = true;
            return;
        }
        r->data = data;
        r->cap = cap;
    }
    if (n)
        memcpy(r->data + r->len, p, n);
    r->len += n;
}

static void put_u8(struct record *r, int v)
{
    uint8_t b = (uint8_t)v;

    put(r, &b, 1);
}

static void put_i64(struct record *r, int64_t v)
{
    put(r, &v, sizeof v);
}

static void put_bytes(struct record *r, const void *p, size_t n)
{
    uint32_t len = (uint32_t)n;

    if (n > RECORD_MAX)
        r->full = true;
    put(r, &len, sizeof len);
    put(r, p, n);
}

void record_values(struct record *r, const char *types, va_list ap)
{
    for (; *types; types++) {
        const void *p;

        switch (*types) {
        case 'i':
        case 'u':
            put_u8(r, 'i');
            put_i64(r, va_arg(ap, int64_t));
            break;
        case 't':
            p = va_arg(ap, const char *);
            put_u8(r, p ? 't' : 'n');
            if (p)
                put_bytes(r, p, strlen(p));
            break;
        case 'b':
            p = va_arg(ap, const void *);
            put_u8(r, 'b');
            put_bytes(r, p, va_arg(ap, size_t));
            break;
        default:
            put_u8(r, 'n');
            break;
        }
    }
}

void record_statement(struct record *r, const char *sql, const struct record *values)
{
    put_u8(r, ENTRY_STATEMENT);
    put_bytes(r, sql, strlen(sql));
    put_bytes(r, values ? values->data : NULL, values ? values->len : 0);
    if (values && values->full)
        r->full = true;
}

void record_total(struct record *r, unsigned which, int64_t delta)
{
    put_u8(r, ENTRY_TOTAL);
    put_u8(r, (int)which);
    put_i64(r, delta);
}

void record_barrier(struct record *r)
{
    put_u8(r, ENTRY_BARRIER);
}

/* Reading. */

struct cursor {
    const uint8_t *at, *end;
};

static bool get(struct cursor *c, void *p, size_t n)
{
    if ((size_t)(c->end - c->at) < n)
        return false;
    memcpy(p, c->at, n);
    c->at += n;
    return true;
}

static bool get_bytes(struct cursor *c, const uint8_t **ret, size_t *ret_len)
{
    uint32_t len;

    if (!get(c, &len, sizeof len) || (size_t)(c->end - c->at) < len)
        return false;
    *ret = c->at;
    *ret_len = len;
    c->at += len;
    return true;
}

static int read_entry(struct cursor *c, const struct record_reader *reader)
{
    const uint8_t *sql, *values;
    size_t sql_len, values_len;
    int64_t delta;
    uint8_t kind, which;

    if (!get(c, &kind, 1))
        return PC_ECORRUPT;
    switch (kind) {
    case ENTRY_STATEMENT:
        if (!get_bytes(c, &sql, &sql_len) || !get_bytes(c, &values, &values_len))
            return PC_ECORRUPT;
        return reader->statement(reader->arg, (const char *)sql, sql_len, values, values_len);
    case ENTRY_TOTAL:
        if (!get(c, &which, 1) || !get(c, &delta, sizeof delta))
            return PC_ECORRUPT;
        return reader->total(reader->arg, which, delta);
    case ENTRY_BARRIER:
        return reader->barrier(reader->arg);
    default:
        return PC_ECORRUPT;
    }
}

int record_read(const uint8_t *data, size_t len, const struct record_reader *reader)
{
    struct cursor c = {data, data + len};
    int r = 0;

    while (r >= 0 && c.at < c.end)
        r = read_entry(&c, reader);
    return r < 0 ? r : 0;
}

int record_bind(sqlite3_stmt *st, const uint8_t *values, size_t len)
{
    struct cursor c = {values, values + len};
    int rc = SQLITE_OK;

    for (int i = 1; c.at < c.end && rc == SQLITE_OK; i++) {
        const uint8_t *p;
        uint8_t type;
        int64_t v;
        size_t n;

        if (!get(&c, &type, 1))
            return PC_ECORRUPT;
        switch (type) {
        case 'i':
            if (!get(&c, &v, sizeof v))
                return PC_ECORRUPT;
            rc = sqlite3_bind_int64(st, i, v);
            break;
        case 't':
        case 'b':
            if (!get_bytes(&c, &p, &n))
                return PC_ECORRUPT;
            rc = type == 't'
                     ? sqlite3_bind_text(st, i, (const char *)p, (int)n, SQLITE_STATIC)
                     : sqlite3_bind_blob64(st, i, n ? (const void *)p : "", n, SQLITE_STATIC);
            break;
        case 'n':
            break;
        default:
            return PC_ECORRUPT;
        }
    }
    return rc == SQLITE_OK ? 0 : sql_code(rc);
}
