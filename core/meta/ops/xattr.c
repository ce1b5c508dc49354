/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes: those of the table xattr, and user.s3.* as a view of the object's headers. */
#include "meta/ops/ops.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/alloc.h"
#include "meta/ops/acl.h"
#include "meta/ops/header.h"
#include "meta/tree/trash.h"

#define VALUES_MAX (1u << 20) /* bytes of all values of one node */

static bool is_header(const char *name)
{
    return strncmp(name, HEADER_XATTR, strlen(HEADER_XATTR)) == 0;
}

static int name_check(const char *name)
{
    size_t len = strnlen(name, PC_XATTR_NAME_MAX + 1);

    return len == 0 || len > PC_XATTR_NAME_MAX ? -ERANGE : 0;
}

static ssize_t give(const char *data, size_t len, void *buf, size_t cap)
{
    if (cap == 0)
        return (ssize_t)len;
    if (len > cap)
        return -ERANGE;
    memcpy(buf, data, len);
    return (ssize_t)len;
}

static ssize_t get_header(struct sql_conn *c, uint64_t ino, const char *name, void *buf, size_t cap)
{
    char header[PC_XATTR_NAME_MAX + 8];
    const char *value;
    char *data;
    size_t len;
    ssize_t rc;

    if (header_of_xattr(name, header) < 0)
        return -ENODATA;
    rc = header_load(c, ino, &data, &len);
    if (rc < 0)
        return rc;
    value = header_find(data, len, header);
    rc = value ? give(value, strlen(value), buf, cap) : -ENODATA;
    mem_free(data);
    return rc;
}

static ssize_t get_in(struct sql_conn *c, uint64_t ino, const char *name, void *buf, size_t cap)
{
    static const char sql[] = "SELECT value FROM xattr WHERE ino=?1 AND name=?2";
    const char *value;
    size_t len;
    struct row r;
    sqlite3_stmt *st;
    ssize_t rc = name_check(name);

    if (rc == 0)
        rc = row_load(c, ino, &r);
    if (rc < 0)
        return rc;
    if (is_header(name))
        return r.flags & ROW_OBJECT ? get_header(c, ino, name, buf, cap) : -ENODATA;
    if (!(r.flags & ROW_XATTR))
        return -ENODATA;
    rc = sql_one(c, sql, &st, "ub", ino, name, strlen(name));
    if (rc <= 0)
        return rc < 0 ? rc : -ENODATA;
    rc = col_blob(st, 0, &value, &len);
    if (rc == 0)
        rc = give(value, len, buf, cap);
    sqlite3_reset(st);
    return rc;
}

ssize_t op_xattr_get(struct meta *m, uint64_t ino, const char *name, void *buf, size_t cap)
{
    struct sql_conn *c;
    ssize_t rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = get_in(c, ino, name, buf, cap);
    sql_read_end(m, c);
    return rc;
}

static int flags_check(bool exists, int flags)
{
    if ((flags & XATTR_CREATE) && exists)
        return -EEXIST;
    return (flags & XATTR_REPLACE) && !exists ? -ENODATA : 0;
}

/* A header's value goes over the wire: nothing that could end its line. */
static bool is_value(const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char b = (unsigned char)value[i];

        if ((b < 0x20 && b != '\t') || b == 0x7f)
            return false;
    }
    return true;
}

/* Set (or with value NULL remove) a header; a file that came by the mount becomes an object without an ETag of its own. */
static int set_header(struct meta *m, struct sql_conn *c, struct row *r, const char *name,
                      const void *value, size_t len, int flags)
{
    static const char add[] = "INSERT INTO object VALUES(?1, NULL, '', ?2, NULL, NULL)";
    static const char change[] = "UPDATE object SET headers=?2 WHERE ino=?1";
    char header[PC_XATTR_NAME_MAX + 8], out[PC_META_MAX], *data;
    size_t data_len, out_len = 0;
    int rc = header_of_xattr(name, header);

    if (rc == 0 && !S_ISREG(r->mode) && !(r->flags & ROW_OBJECT))
        rc = -EOPNOTSUPP; /* a folder would become a key */
    if (rc == 0 && value && !is_value(value, len))
        rc = -EINVAL;
    if (rc == 0)
        rc = header_load(c, r->ino, &data, &data_len);
    if (rc < 0)
        return rc;
    rc = flags_check(header_find(data, data_len, header) != NULL, flags);
    if (rc == 0)
        rc = header_put(data, data_len, header, value, len, out, &out_len);
    mem_free(data);
    if (rc == 0)
        rc = sql_run(c, r->flags & ROW_OBJECT ? change : add, "ub", r->ino, out, out_len);
    if (rc < 0)
        return rc;
    if (!(r->flags & ROW_OBJECT) && r->nlink > 0)
        sql_total_add(m, SQL_OBJECTS, 1);
    r->flags |= ROW_OBJECT;
    return 0;
}

/* The caps on all attributes of a node; *ret_exists: is this one there already? */
static int room_check(struct sql_conn *c, uint64_t ino, const char *name, size_t len,
                      bool *ret_exists)
{
    static const char sql[] = "SELECT total(length(name)+1), total(length(value)), total(name=?2), "
                              "total(iif(name=?2, length(value), 0)) FROM xattr WHERE ino=?1";
    double names, values, exists, own;
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "ub", ino, name, strlen(name));

    if (rc <= 0)
        return rc < 0 ? rc : -EIO;
    names = sqlite3_column_double(st, 0);
    values = sqlite3_column_double(st, 1);
    exists = sqlite3_column_double(st, 2);
    own = sqlite3_column_double(st, 3);
    sqlite3_reset(st);
    *ret_exists = exists > 0;
    if (!*ret_exists)
        names += (double)strlen(name) + 1;
    /* (a part of the list is for the headers: at most PC_META_MAX and their prefixes) */
    if (names > PC_XATTR_LIST_MAX - 2 * PC_META_MAX || values - own + (double)len > VALUES_MAX)
        return -ENOSPC;
    return 0;
}

static int set_row(struct sql_conn *c, struct row *r, const char *name, const void *value,
                   size_t len, int flags)
{
    static const char sql[] = "INSERT OR REPLACE INTO xattr VALUES(?1, ?2, ?3)";
    bool exists = false;
    int rc = room_check(c, r->ino, name, len, &exists);

    if (rc == 0 || rc == -ENOSPC) {
        int why = flags_check(exists, flags);

        rc = why < 0 ? why : rc;
    }
    if (rc == 0)
        rc = sql_run(c, sql, "ubb", r->ino, name, strlen(name), value ? value : "", len);
    if (rc < 0)
        return rc;
    r->flags |= ROW_XATTR;
    return 0;
}

static int finish(struct meta *m, struct sql_conn *c, struct row *r)
{
    int rc;

    r->ctime = wall_ns();
    r->flags &= ~(unsigned)ROW_IMPLICIT;
    rc = row_store(c, r);
    return rc < 0 ? rc : sql_feed(m, c, PC_CHANGE_ATTR, r->ino, 0, NULL, 0);
}

static int set_in(struct meta *m, struct sql_conn *c, uint64_t ino, const char *name,
                  const void *value, size_t len, int flags)
{
    struct row r;
    int rc = name_check(name);

    if (rc == 0 && len > PC_XATTR_VALUE_MAX)
        rc = -E2BIG;
    if (rc == 0)
        rc = row_load(c, ino, &r);
    if (rc == 0 && (r.flags & ROW_PAST))
        rc = -ESTALE;
    if (rc == 0)
        rc = trash_guard(m, &r);
    if (rc < 0)
        return rc;
    if (is_header(name))
        rc = set_header(m, c, &r, name, value ? value : "", len, flags);
    else if (acl_is(name))
        rc = acl_set(c, &r, name, value ? value : "", len, flags);
    else
        rc = set_row(c, &r, name, value, len, flags);
    return rc < 0 ? rc : finish(m, c, &r);
}

int op_xattr_set(struct meta *m, uint64_t ino, const char *name, const void *value, size_t len,
                 int flags)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);

    return rc < 0 ? rc : sql_write_end(m, c, set_in(m, c, ino, name, value, len, flags));
}

static int remove_in(struct meta *m, struct sql_conn *c, uint64_t ino, const char *name)
{
    static const char sql[] = "DELETE FROM xattr WHERE ino=?1 AND name=?2";
    struct row r;
    int rc = name_check(name);

    if (rc == 0)
        rc = row_load(c, ino, &r);
    if (rc == 0)
        rc = trash_guard(m, &r);
    if (rc < 0)
        return rc;
    if (is_header(name)) {
        if (!(r.flags & ROW_OBJECT))
            return -ENODATA;
        rc = set_header(m, c, &r, name, NULL, 0, XATTR_REPLACE);
        if (rc == -EOPNOTSUPP)
            rc = -ENODATA;
    } else {
        rc = sql_run(c, sql, "ub", ino, name, strlen(name));
        if (rc == 0)
            rc = -ENODATA;
    }
    return rc < 0 ? rc : finish(m, c, &r);
}

int op_xattr_remove(struct meta *m, uint64_t ino, const char *name)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    return rc < 0 ? rc : sql_write_end(m, c, remove_in(m, c, ino, name));
}

struct list {
    char *buf;
    size_t cap, len;
};

static void list_add(struct list *l, const char *name, size_t len)
{
    if (l->len + len + 1 <= l->cap) {
        memcpy(l->buf + l->len, name, len);
        l->buf[l->len + len] = '\0';
    }
    l->len += len + 1;
}

static int list_rows(struct sql_conn *c, uint64_t ino, struct list *l)
{
    static const char sql[] = "SELECT name FROM xattr WHERE ino=?1 ORDER BY name";
    const char *name;
    size_t len;
    sqlite3_stmt *st;
    int rc = sql_stmt(c, sql, &st);

    if (rc < 0)
        return rc;
    rc = sql_bind(st, "u", ino);
    while (rc >= 0 && (rc = sql_step(st)) > 0) {
        rc = col_blob(st, 0, &name, &len);
        if (rc == 0)
            list_add(l, name, len);
    }
    sqlite3_reset(st);
    return rc;
}

static int list_headers(struct sql_conn *c, uint64_t ino, struct list *l)
{
    char xattr[PC_XATTR_NAME_MAX + 1], *data;
    const char *name, *value;
    size_t len, pos = 0;
    int rc = header_load(c, ino, &data, &len);

    if (rc < 0)
        return rc;
    while (header_next(data, len, &pos, &name, &value)) {
        if (header_to_xattr(name, xattr))
            list_add(l, xattr, strlen(xattr));
    }
    mem_free(data);
    return 0;
}

ssize_t op_xattr_list(struct meta *m, uint64_t ino, char *buf, size_t cap)
{
    struct list l = {.buf = buf, .cap = cap};
    struct sql_conn *c;
    struct row r;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = row_load(c, ino, &r);
    if (rc == 0 && (r.flags & ROW_XATTR))
        rc = list_rows(c, ino, &l);
    if (rc == 0 && (r.flags & ROW_OBJECT))
        rc = list_headers(c, ino, &l);
    sql_read_end(m, c);
    if (rc < 0)
        return rc;
    return cap > 0 && l.len > cap ? -ERANGE : (ssize_t)l.len;
}
