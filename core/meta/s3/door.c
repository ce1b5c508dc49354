/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on objects: get, put, copy; and the table of all that S3 does. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "meta/ops/ops.h"
#include "meta/ops/slice.h"
#include "meta/s3/past.h"
#include "base/alloc.h"
#include "pcloud/err.h"

static int get_in(struct sql_conn *c, const struct meta_key *k, struct pc_object *ret)
{
    struct object o;
    int rc = version_get(c, k, &o);

    if (rc == PC_EMARKER) {
        *ret = (struct pc_object){.mtime = ns_to(o.row.mtime), .latest = o.latest};
        memcpy(ret->version, o.vid, sizeof(ret->version));
    }
    return rc < 0 ? rc : object_fill(c, &o, ret);
}

static int op_get(struct meta *m, const struct meta_key *k, struct pc_object *ret)
{
    struct sql_conn *c;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = get_in(c, k, ret);
    sql_read_end(m, c);
    return rc;
}

/* Is the node still there, in a view that is younger than our hold? */
static int still_there(struct meta *m, uint64_t ino)
{
    struct sql_conn *c;
    struct row r;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = row_load(c, ino, &r);
    sql_read_end(m, c);
    return rc;
}

static int op_get_hold(struct meta *m, const struct meta_key *k, struct pc_object *ret)
{
    struct pc_object o;
    int rc;

    /* Whoever unlinks looks at the holds inside its write: one that came too late finds the node gone, and looks again. */
    for (;;) {
        rc = op_get(m, k, &o);
        if (rc == PC_EMARKER)
            *ret = o;
        if (rc < 0)
            return rc;
        rc = meta_hold(m, o.ino);
        if (rc == 0) {
            rc = still_there(m, o.ino);
            if (rc == 0)
                break;
            meta_drop(m, o.ino);
        }
        mem_free((void *)(uintptr_t)o.headers.data);
        if (rc != -ENOENT)
            return rc;
    }
    *ret = o;
    return 0;
}

struct new_content {
    const struct meta_new *content;
    unsigned *ret_bad;
};

static int take_new(struct meta *m, struct sql_conn *c, void *arg, struct row *r)
{
    const struct new_content *n = arg;

    return content_set(m, c, r, n->content, n->ret_bad);
}

static int put_in(struct meta *m, struct sql_conn *c, const struct meta_key *k,
                  const struct object_source *src, const struct pc_condition *cond,
                  struct pc_object *ret)
{
    struct object o;
    int rc = object_put(m, c, k, src, cond, &o);

    return rc < 0 || !ret ? rc : object_fill(c, &o, ret);
}

static int op_put(struct meta *m, const struct meta_key *k, const struct meta_new *content,
                  const char *etag, const struct pc_headers *headers,
                  const struct pc_condition *cond, struct pc_object *ret, unsigned *ret_bad)
{
    struct new_content n = {content, ret_bad};
    struct object_source src = {.content = take_new, .arg = &n, .etag = etag, .headers = headers};
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);

    return rc < 0 ? rc : object_end(m, c, put_in(m, c, k, &src, cond, ret), ret);
}

static int take_copy(struct meta *m, struct sql_conn *c, void *arg, struct row *r)
{
    const struct object *from = arg;
    int rc;

    if (from->row.ino == r->ino)
        return 0; /* a folder onto itself: only its headers change */
    rc = content_drop(m, c, r);
    return rc < 0 ? rc : content_copy(m, c, &from->row, r);
}

static int load_parts(struct sql_conn *c, uint64_t ino, void **ret, size_t *ret_len)
{
    static const char sql[] = "SELECT parts FROM object WHERE ino=?1";
    const char *data;
    void *copy;
    size_t len;
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "u", ino);

    if (rc <= 0)
        return rc;
    rc = col_blob(st, 0, &data, &len);
    if (rc == 0 && len > (size_t)PC_PARTS_MAX * 8)
        rc = pc_err_set(PC_ECORRUPT, "node %llu: too many parts", (unsigned long long)ino);
    if (rc == 0 && len > 0) {
        copy = mem_dup(data, len);
        if (!copy)
            rc = -ENOMEM;
        *ret = copy;
        *ret_len = copy ? len : 0;
    }
    sqlite3_reset(st);
    return rc;
}

static int copy_in(struct meta *m, struct sql_conn *c, const struct meta_key *src,
                   const char *src_etag, const struct meta_key *dst,
                   const struct pc_headers *headers, const struct pc_condition *cond,
                   struct pc_object *ret)
{
    struct pc_condition own = {.if_match = src_etag};
    struct object from;
    struct pc_object shown;
    void *parts = NULL;
    size_t parts_len = 0;
    int rc = version_get(c, src, &from);

    if (rc == 0)
        rc = object_meets(&from, &own);
    if (rc == 0)
        rc = object_fill(c, &from, &shown);
    if (rc < 0)
        return rc;
    shown.headers.len = lock_strip((char *)(uintptr_t)shown.headers.data, shown.headers.len);
    if (from.fresh)
        rc = load_parts(c, from.row.ino, &parts, &parts_len);
    if (rc == 0) {
        struct object_source s = {.content = take_copy,
                                  .arg = &from,
                                  .etag = from.fresh ? from.etag : NULL,
                                  .headers = headers ? headers : &shown.headers,
                                  .parts = parts,
                                  .parts_len = parts_len};

        rc = put_in(m, c, dst, &s, cond, ret);
    }
    mem_free(parts);
    mem_free((void *)(uintptr_t)shown.headers.data);
    return rc;
}

static int op_copy(struct meta *m, const struct meta_key *src, const char *src_etag,
                   const struct meta_key *dst, const struct pc_headers *headers,
                   const struct pc_condition *cond, struct pc_object *ret)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);

    if (rc < 0)
        return rc;
    return object_end(m, c, copy_in(m, c, src, src_etag, dst, headers, cond, ret), ret);
}

int op_part_sizes(struct meta *m, uint64_t ino, uint64_t *sizes, unsigned max)
{
    struct sql_conn *c;
    void *parts = NULL;
    size_t len = 0;
    unsigned n = 0;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = load_parts(c, ino, &parts, &len);
    sql_read_end(m, c);
    if (rc < 0)
        return rc;
    for (; n < max && 8 * (size_t)n < len; n++) {
        const uint8_t *p = (const uint8_t *)parts + 8 * (size_t)n;

        sizes[n] = 0;
        for (unsigned i = 8; i > 0; i--)
            sizes[n] = sizes[n] << 8 | p[i - 1];
    }
    mem_free(parts);
    return (int)n;
}

const struct meta_object_ops sql_object_ops = {
    .bucket_create = op_bucket_create,
    .bucket_delete = op_bucket_delete,
    .bucket_get = op_bucket_get,
    .bucket_chown = op_bucket_chown,
    .bucket_list = op_bucket_list,
    .setting_get = op_setting_get,
    .setting_set = op_setting_set,
    .get = op_get,
    .get_hold = op_get_hold,
    .put = op_put,
    .del = op_del,
    .copy = op_copy,
    .rename = op_object_rename,
    .annotate = op_annotate,
    .list = op_list,
    .versioning_set = op_versioning_set,
    .locking_set = op_locking_set,
    .retain = op_retain,
    .hold = op_hold,
    .version_list = op_version_list,
    .part_sizes = op_part_sizes,
    .upload_create = op_upload_create,
    .upload_get = op_upload_get,
    .upload_list = op_upload_list,
    .upload_abort = op_upload_abort,
    .upload_complete = op_upload_complete,
    .part_put = op_part_put,
    .part_list = op_part_list,
    .user_add = op_user_add,
    .user_rm = op_user_rm,
    .user_get = op_user_get,
    .user_list = op_user_list,
    .key_add = op_key_add,
    .key_rm = op_key_rm,
    .key_get = op_key_get,
    .key_list = op_key_list,
};
