/* SPDX-License-Identifier: Apache-2.0 */
/* The whole content of a node: inline bytes or slices; dropped, set, copied, resized. */
#include "meta/ops/slice.h"

#include <errno.h>
#include <string.h>

#include "pcloud/err.h"

int inline_set(struct sql_conn *c, struct row *r, const void *data, size_t len)
{
    static const char add[] = "INSERT INTO inline VALUES(?1, ?2)";
    static const char change[] = "UPDATE inline SET data=?2 WHERE ino=?1";
    static const char del[] = "DELETE FROM inline WHERE ino=?1";
    int rc = 0;

    if (len > 0)
        rc = sql_run(c, r->flags & ROW_INLINE ? change : add, "ub", r->ino, data, len);
    else if (r->flags & ROW_INLINE)
        rc = sql_run(c, del, "u", r->ino);
    if (rc < 0)
        return rc;
    r->flags &= ~(unsigned)ROW_INLINE;
    if (len > 0)
        r->flags |= ROW_INLINE;
    r->used = len;
    return 0;
}

int inline_get(struct sql_conn *c, uint64_t ino, uint8_t buf[META_INLINE_MAX], size_t *ret_len)
{
    static const char sql[] = "SELECT data FROM inline WHERE ino=?1";
    const char *data;
    size_t len;
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "u", ino);

    if (rc < 0)
        return rc;
    *ret_len = 0;
    if (rc == 0)
        return 0;
    rc = col_blob(st, 0, &data, &len);
    if (rc == 0 && len > META_INLINE_MAX)
        rc = pc_err_set(PC_ECORRUPT, "node %llu: too much inline content", (unsigned long long)ino);
    if (rc == 0) {
        memcpy(buf, data, len);
        *ret_len = len;
    }
    sqlite3_reset(st);
    return rc;
}

int content_drop(struct meta *m, struct sql_conn *c, struct row *r)
{
    int rc = 0;

    if (r->flags & ROW_INLINE)
        rc = inline_set(c, r, NULL, 0);
    if (rc == 0 && (r->flags & ROW_SLICES)) {
        rc = slice_detach(m, c, r, 0, PC_FILE_MAX);
        if (rc >= 0)
            do
                rc = slice_free_all(m, c, r->ino, 4096);
            while (rc == 4096);
    }
    if (rc < 0)
        return rc;
    r->flags &= ~(unsigned)(ROW_INLINE | ROW_SLICES);
    r->used = 0;
    row_resize(m, r, 0);
    return 0;
}

int content_set(struct meta *m, struct sql_conn *c, struct row *r, const struct meta_new *content,
                unsigned *ret_bad)
{
    int rc = content_drop(m, c, r);

    if (rc < 0)
        return rc;
    if (content->size > PC_FILE_MAX)
        return -EFBIG;
    if (content->n > 0) {
        for (unsigned i = 0; i < content->n; i++) {
            const struct meta_slice *s = &content->slices[i];

            if (s->pos > content->size || s->len > content->size - s->pos)
                return -EINVAL;
        }
        row_resize(m, r, content->size);
        return slice_put(m, c, r, content->slices, content->n, ret_bad);
    }
    if (content->inline_data && content->size > META_INLINE_MAX)
        return -EINVAL;
    row_resize(m, r, content->size);
    return content->inline_data ? inline_set(c, r, content->inline_data, (size_t)content->size) : 0;
}

int content_copy(struct meta *m, struct sql_conn *c, const struct row *from, struct row *r)
{
    uint8_t buf[META_INLINE_MAX];
    size_t len = 0;
    int rc = 0;

    if (from->flags & ROW_INLINE) {
        rc = inline_get(c, from->ino, buf, &len);
        if (rc == 0)
            rc = inline_set(c, r, buf, len);
    }
    if (rc == 0 && (from->flags & ROW_SLICES))
        rc = slice_share(m, c, from->ino, 0, r, 0, PC_FILE_MAX);
    if (rc < 0)
        return rc;
    row_resize(m, r, from->size);
    return 0;
}

int content_resize(struct meta *m, struct sql_conn *c, struct row *r, uint64_t size)
{
    uint8_t buf[META_INLINE_MAX] = {0};
    size_t len = 0;
    int rc = 0;

    if (size > PC_FILE_MAX)
        return -EFBIG;
    if (size == 0)
        return content_drop(m, c, r);
    if (r->flags & ROW_INLINE) {
        if (size > META_INLINE_MAX)
            return -EFBIG;
        rc = inline_get(c, r->ino, buf, &len);
        if (rc == 0)
            rc = inline_set(c, r, buf, (size_t)size);
    } else if (size < r->size) {
        rc = slice_cut(m, c, r, size, PC_FILE_MAX);
    }
    if (rc < 0)
        return rc;
    row_resize(m, r, size);
    return 0;
}
