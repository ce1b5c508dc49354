/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on content: read the slices of a range, write slices or inline bytes. */
#include "meta/ops/ops.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "meta/ops/slice.h"
#include "pcloud/err.h"

static int read_slices(struct sql_conn *c, uint64_t ino, uint64_t off, uint64_t len,
                       struct meta_slice *slices, unsigned max)
{
    static const char sql[] =
        "SELECT s.pos, s.len, s.boff, b.bid, b.id, b.size, b.stored, b.pack, b.off "
        "FROM slice s CROSS JOIN block b ON b.bid=s.bid WHERE s.ino=?1 AND s.pos >= "
        "coalesce((SELECT max(pos) FROM slice WHERE ino=?1 AND pos<=?2), 0) AND s.pos<?3 "
        "ORDER BY s.pos";
    uint64_t end = len < PC_FILE_MAX - off ? off + len : PC_FILE_MAX;
    unsigned n = 0;
    sqlite3_stmt *st;
    int rc = sql_stmt(c, sql, &st);

    if (rc < 0)
        return rc;
    rc = sql_bind(st, "uuu", ino, off, end);
    while (rc >= 0 && n < max && (rc = sql_step(st)) > 0) {
        struct meta_slice *s = &slices[n];
        const char *id;
        size_t id_len;

        s->pos = col_u(st, 0);
        s->len = (uint32_t)col_u(st, 1);
        if (s->pos + s->len <= off)
            continue;
        s->boff = (uint32_t)col_u(st, 2);
        s->block.bid = col_u(st, 3);
        rc = col_blob(st, 4, &id, &id_len);
        if (rc == 0 && id_len != META_BLOCK_ID)
            rc = pc_err_set(PC_ECORRUPT, "block %llu has no id", (unsigned long long)s->block.bid);
        if (rc < 0)
            break;
        memcpy(s->block.id, id, META_BLOCK_ID);
        s->block.size = (uint32_t)col_u(st, 5);
        s->block.stored = (uint32_t)col_u(st, 6);
        s->block.pack = col_u(st, 7);
        s->block.off = col_u(st, 8);
        n++;
    }
    sqlite3_reset(st);
    return rc < 0 ? rc : (int)n;
}

/* What a read wants besides the slices; any may be NULL. */
struct wanted {
    uint8_t *data;
    size_t *len;
    uint64_t *size, *version;
};

static int read_in(struct sql_conn *c, uint64_t ino, uint64_t off, uint64_t len,
                   struct meta_slice *slices, unsigned max, const struct wanted *w)
{
    static const char sql[] = "SELECT n.size, n.version, n.flags, i.data FROM node n "
                              "LEFT JOIN inline i ON i.ino=n.ino WHERE n.ino=?1";
    uint64_t size, version;
    unsigned flags;
    const char *data;
    size_t data_len = 0;
    sqlite3_stmt *st;
    int n = 0, rc = sql_one(c, sql, &st, "u", ino);

    if (rc <= 0)
        return rc < 0 ? rc : -ENOENT;
    size = col_u(st, 0);
    version = col_u(st, 1);
    flags = (unsigned)col_u(st, 2);
    rc = col_blob(st, 3, &data, &data_len);
    if (rc == 0 && data_len > META_INLINE_MAX)
        rc = pc_err_set(PC_ECORRUPT, "node %llu: too much inline content", (unsigned long long)ino);
    if (rc == 0 && w->data)
        memcpy(w->data, data, data_len);
    sqlite3_reset(st);
    if (rc == 0 && max > 0 && (flags & ROW_SLICES) && off < PC_FILE_MAX)
        n = rc = read_slices(c, ino, off, len, slices, max);
    if (rc < 0)
        return rc;
    if (w->len)
        *w->len = data_len;
    if (w->size)
        *w->size = size;
    if (w->version)
        *w->version = version;
    return n;
}

static int op_read(struct meta *m, uint64_t ino, uint64_t off, uint64_t len,
                   struct meta_slice *slices, unsigned max, uint8_t *ret_inline,
                   size_t *ret_inline_len, uint64_t *ret_size, uint64_t *ret_version)
{
    struct wanted w = {ret_inline, ret_inline_len, ret_size, ret_version};
    struct sql_conn *c;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = read_in(c, ino, off, len, slices, max, &w);
    sql_read_end(m, c);
    return rc;
}

static int load_file(struct sql_conn *c, uint64_t ino, struct row *r)
{
    int rc = row_load(c, ino, r);

    if (rc < 0)
        return rc;
    if (S_ISREG(r->mode))
        return 0;
    return S_ISDIR(r->mode) ? -EISDIR : -EINVAL;
}

static int finish_write(struct meta *m, struct sql_conn *c, struct row *r, unsigned set)
{
    int rc;

    row_changed(r, wall_ns());
    if (set & PC_SET_KILL_SUID)
        row_kill_suid(r);
    rc = row_store(c, r);
    return rc < 0 ? rc : sql_feed(m, c, PC_CHANGE_DATA | PC_CHANGE_ATTR, r->ino, 0, NULL, 0);
}

static int write_in(struct meta *m, struct sql_conn *c, uint64_t ino,
                    const struct meta_slice *slices, unsigned n, uint64_t min_size, unsigned set,
                    unsigned *ret_bad)
{
    struct row r;
    int rc = load_file(c, ino, &r);

    if (rc == 0 && min_size > PC_FILE_MAX)
        rc = -EFBIG;
    if (rc == 0)
        rc = row_open(m, c, &r);
    if (rc == 0 && (r.flags & ROW_INLINE))
        rc = inline_set(c, &r, NULL, 0);
    if (rc == 0)
        rc = slice_put(m, c, &r, slices, n, ret_bad);
    if (rc < 0)
        return rc;
    if (min_size < r.size)
        min_size = r.size;
    for (unsigned i = 0; i < n; i++) {
        if (slices[i].pos + slices[i].len > min_size)
            min_size = slices[i].pos + slices[i].len;
    }
    row_resize(m, &r, min_size);
    return finish_write(m, c, &r, set);
}

static int op_write(struct meta *m, uint64_t ino, const struct meta_slice *slices, unsigned n,
                    uint64_t min_size, unsigned set, unsigned *ret_bad)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);

    if (rc < 0)
        return rc;
    return sql_write_end(m, c, write_in(m, c, ino, slices, n, min_size, set, ret_bad));
}

static int write_inline_in(struct meta *m, struct sql_conn *c, uint64_t ino, const void *data,
                           size_t len, unsigned set)
{
    struct row r;
    int rc = load_file(c, ino, &r);

    if (rc == 0 && len > META_INLINE_MAX)
        rc = -EINVAL;
    if (rc == 0 && (set & META_IF_SHORTER) && r.size > len)
        rc = -EFBIG;
    if (rc == 0)
        rc = row_open(m, c, &r);
    if (rc == 0 && (r.flags & ROW_SLICES))
        rc = content_drop(m, c, &r);
    if (rc == 0)
        rc = inline_set(c, &r, data, len);
    if (rc < 0)
        return rc;
    row_resize(m, &r, len);
    return finish_write(m, c, &r, set);
}

static int op_write_inline(struct meta *m, uint64_t ino, const void *data, size_t len, unsigned set)
{
    struct sql_conn *c;
    int rc = sql_write_begin_sure(m, SQL_NEEDS_ROOM, &c);

    return rc < 0 ? rc : sql_write_end(m, c, write_inline_in(m, c, ino, data, len, set));
}

const struct meta_content_ops sql_content_ops = {
    .read = op_read,
    .write = op_write,
    .write_inline = op_write_inline,
    .punch = op_punch,
    .shift = op_shift,
    .share = op_share,
    .seek = op_seek,
    .block_find = op_block_find,
    .block_forget = op_block_forget,
    .block_get = op_block_get,
    .pack_new = op_pack_new,
    .pack_seal = op_pack_seal,
    .pack_list = op_pack_list,
    .pack_blocks = op_pack_blocks,
    .gc_blocks = op_gc_blocks,
    .block_move = op_block_move,
    .gc_packs = op_gc_packs,
    .gc_orphans = op_gc_orphans,
    .pack_adopt = op_pack_adopt,
};
