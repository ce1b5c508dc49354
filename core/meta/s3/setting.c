/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of a bucket: got, set, taken away; which there are stands in the bucket's row. */
#include "meta/ops/ops.h"

#include <errno.h>

#include "base/alloc.h"
#include "pcloud/err.h"

static int take(sqlite3_stmt *st, char **ret, size_t *ret_len)
{
    const char *data;
    char *copy;
    size_t len;
    int rc = col_blob(st, 0, &data, &len);

    if (rc < 0)
        return rc;
    if (len > PC_SETTING_MAX)
        return pc_err_set(PC_ECORRUPT, "a setting of %zu bytes", len);
    copy = mem_dup(data, len);
    if (!copy)
        return -ENOMEM;
    *ret = copy;
    *ret_len = len;
    return 0;
}

static int get_in(struct sql_conn *c, const char *bucket, enum pc_setting which, char **ret,
                  size_t *ret_len)
{
    static const char sql[] = "SELECT data FROM bucket_setting WHERE ino=?1 AND which=?2";
    uint64_t ino;
    sqlite3_stmt *st;
    int rc = bucket_find(c, bucket, &ino);

    if (rc == 0)
        rc = sql_one(c, sql, &st, "ui", ino, (int64_t)which);
    if (rc <= 0)
        return rc < 0 ? rc : -ENODATA;
    rc = take(st, ret, ret_len);
    sqlite3_reset(st);
    return rc;
}

int op_setting_get(struct meta *m, const char *bucket, enum pc_setting which, char **ret,
                   size_t *ret_len)
{
    struct sql_conn *c;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = get_in(c, bucket, which, ret, ret_len);
    sql_read_end(m, c);
    return rc;
}

static int set_in(struct meta *m, struct sql_conn *c, const char *bucket, enum pc_setting which,
                  const void *data, size_t len)
{
    static const char put[] = "INSERT OR REPLACE INTO bucket_setting VALUES(?1, ?2, ?3)";
    static const char del[] = "DELETE FROM bucket_setting WHERE ino=?1 AND which=?2";
    static const char mark[] = "UPDATE bucket SET settings=settings|?2 WHERE ino=?1";
    static const char unmark[] = "UPDATE bucket SET settings=settings&~?2 WHERE ino=?1";
    struct row r;
    uint64_t ino;
    int rc = bucket_find(c, bucket, &ino);

    if (rc == 0)
        rc = row_load(c, ino, &r);
    if (rc < 0 || (!data && !(r.flags & ROW_BUCKET)))
        return rc;
    rc = bucket_row(c, &r);
    if (rc == 0)
        rc = data ? sql_run(c, put, "uib", ino, (int64_t)which, data, len)
                  : sql_run(c, del, "ui", ino, (int64_t)which);
    if (rc >= 0)
        rc = sql_run(c, data ? mark : unmark, "ui", ino, (int64_t)1 << which);
    if (rc >= 0)
        rc = row_store(c, &r);
    return rc < 0 ? rc : sql_feed(m, c, PC_CHANGE_ATTR, ino, 0, NULL, 0);
}

int op_setting_set(struct meta *m, const char *bucket, enum pc_setting which, const void *data,
                   size_t len)
{
    struct sql_conn *c;
    int rc;

    if (data && len > PC_SETTING_MAX)
        return pc_err_set(PC_ELIMIT, "a setting of more than %u bytes", PC_SETTING_MAX);
    rc = sql_write_begin(m, data ? SQL_NEEDS_ROOM : SQL_FREES, &c);
    return rc < 0 ? rc : sql_write_end(m, c, set_in(m, c, bucket, which, data, len));
}
