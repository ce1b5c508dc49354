/* SPDX-License-Identifier: Apache-2.0 */
/* Completing an upload: the parts' slices become one object's, in one step. */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "meta/ops/header.h"
#include "meta/ops/ops.h"
#include "meta/ops/slice.h"
#include "meta/s3/upload.h"
#include "pcloud/err.h"

struct complete {
    uint64_t num;
    const struct pc_part *parts;
    size_t n;
    struct row *rows; /* of the parts' nodes */
    uint8_t *sizes;   /* 8 bytes each, least byte first */
};

/* The part as it was put: there, and equal to what the caller names. */
static int part_load(struct sql_conn *c, uint64_t num, const struct pc_part *p, struct row *r)
{
    static const char sql[] = "SELECT p.etag, p.checksum, " ROW_COLUMNS " FROM part p "
                              "CROSS JOIN node n ON n.ino=p.ino "
                              "WHERE p.upload=?1 AND p.number=?2";
    const char *etag, *checksum;
    bool same;
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "uu", num, (uint64_t)p->number);

    if (rc <= 0)
        return rc < 0 ? rc : pc_err_set(PC_EPART, "part %u was not uploaded", p->number);
    etag = (const char *)sqlite3_column_text(st, 0);
    checksum = (const char *)sqlite3_column_text(st, 1);
    same = etag && checksum && strcmp(etag, p->etag) == 0 &&
           (p->checksum[0] == '\0' || strcmp(checksum, p->checksum) == 0);
    row_read(st, 2, r);
    sqlite3_reset(st);
    return same ? 0 : pc_err_set(PC_EPART, "part %u is not the one that is named", p->number);
}

static int load_parts(struct sql_conn *c, struct complete *w)
{
    for (size_t i = 0; i < w->n; i++) {
        uint64_t size;
        int rc;

        if (i > 0 && w->parts[i].number <= w->parts[i - 1].number)
            return PC_EPARTORDER;
        rc = part_load(c, w->num, &w->parts[i], &w->rows[i]);
        if (rc < 0)
            return rc;
        size = w->rows[i].size;
        for (unsigned b = 0; b < 8; b++)
            w->sizes[8 * i + b] = (uint8_t)(size >> 8 * b);
    }
    for (size_t i = 0; i + 1 < w->n; i++) {
        if (w->rows[i].size < PC_PART_MIN)
            return pc_err_set(PC_EPARTSIZE, "part %u has %llu bytes", w->parts[i].number,
                              (unsigned long long)w->rows[i].size);
    }
    return 0;
}

/* The parts' slices move to the new node; what is left of the upload goes. */
static int take_parts(struct meta *m, struct sql_conn *c, void *arg, struct row *r)
{
    static const char move[] = "UPDATE slice SET ino=?2, pos=pos+?3 WHERE ino=?1";
    struct complete *w = arg;
    uint64_t off = 0;
    int rc = content_drop(m, c, r);

    for (size_t i = 0; i < w->n && rc >= 0; i++) {
        struct row *p = &w->rows[i];

        if (p->size > PC_FILE_MAX - off)
            return -EFBIG;
        rc = sql_run(c, move, "uuu", p->ino, r->ino, off);
        r->used += p->used;
        off += p->size;
    }
    if (rc >= 0)
        rc = upload_drop(m, c, w->num);
    if (rc < 0)
        return rc;
    r->flags |= ROW_SLICES;
    row_resize(m, r, off);
    return 0;
}

static int complete_in(struct meta *m, struct sql_conn *c, struct complete *w,
                       const struct meta_key *k, const char *id, const char *etag,
                       const struct pc_headers *headers, const struct pc_condition *cond,
                       struct pc_object *ret)
{
    static const char sql[] = "SELECT headers FROM upload WHERE num=?1";
    struct object_source src = {.content = take_parts,
                                .arg = w,
                                .etag = etag,
                                .headers = headers,
                                .parts = w->sizes,
                                .parts_len = 8 * w->n};
    struct pc_headers own = {0};
    char *copy = NULL;
    struct object o;
    sqlite3_stmt *st;
    int rc = upload_find(c, k, id, &w->num);

    if (rc == 0)
        rc = load_parts(c, w);
    if (rc < 0)
        return rc;
    if (!headers) {
        rc = sql_one(c, sql, &st, "u", w->num);
        if (rc <= 0)
            return rc < 0 ? rc : PC_ENOUPLOAD;
        rc = col_blob(st, 0, &own.data, &own.len);
        if (rc == 0) {
            copy = mem_dup(own.data, own.len < PC_META_MAX ? own.len : PC_META_MAX);
            rc = copy ? 0 : -ENOMEM;
        }
        sqlite3_reset(st);
        own.data = copy;
        src.headers = &own;
    }
    if (rc == 0)
        rc = object_put(m, c, k, &src, cond, &o);
    if (rc == 0 && ret)
        rc = object_fill(c, &o, ret);
    mem_free(copy);
    return rc;
}

int op_upload_complete(struct meta *m, const struct meta_key *k, const char *id,
                       const struct pc_part *parts, size_t n, const char *etag,
                       const struct pc_headers *headers, const struct pc_condition *cond,
                       struct pc_object *ret)
{
    struct complete w = {.parts = parts, .n = n};
    struct sql_conn *c;
    int rc;

    if (n == 0 || n > PC_PARTS_MAX)
        return PC_EPART;
    w.rows = mem_calloc(n, sizeof(*w.rows));
    w.sizes = mem_calloc(n, 8);
    rc = w.rows && w.sizes ? sql_write_begin(m, SQL_NEEDS_ROOM, &c) : -ENOMEM;
    if (rc == 0)
        rc = object_end(m, c, complete_in(m, c, &w, k, id, etag, headers, cond, ret), ret);
    mem_free(w.sizes);
    mem_free(w.rows);
    return rc;
}
