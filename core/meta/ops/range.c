/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of content: holes, moves within a file, shared ranges, where data is. */
#include "meta/ops/ops.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "meta/ops/slice.h"
#include "pcloud/err.h"

#define PAGE 64

static int load_file(struct sql_conn *c, uint64_t ino, struct row *r)
{
    int rc = row_load(c, ino, r);

    if (rc < 0)
        return rc;
    if (S_ISREG(r->mode))
        return 0;
    return S_ISDIR(r->mode) ? -EISDIR : -EINVAL;
}

static int finish(struct meta *m, struct sql_conn *c, struct row *r)
{
    int rc;

    row_changed(r, wall_ns());
    rc = row_store(c, r);
    return rc < 0 ? rc : sql_feed(m, c, PC_CHANGE_DATA | PC_CHANGE_ATTR, r->ino, 0, NULL, 0);
}

static int punch_in(struct meta *m, struct sql_conn *c, uint64_t ino, uint64_t off, uint64_t len)
{
    uint8_t buf[META_INLINE_MAX];
    size_t have = 0;
    struct row r;
    int rc = load_file(c, ino, &r);

    if (rc < 0)
        return rc;
    if (off >= r.size || len == 0)
        return 0;
    if (len > r.size - off)
        len = r.size - off;
    rc = row_open(m, c, &r);
    if (rc == 0 && (r.flags & ROW_INLINE)) {
        rc = inline_get(c, ino, buf, &have);
        if (rc == 0 && off < have) {
            memset(buf + off, 0, len < have - off ? (size_t)len : have - (size_t)off);
            rc = inline_set(c, &r, buf, have);
        }
    }
    if (rc == 0)
        rc = slice_cut(m, c, &r, off, off + len);
    return rc < 0 ? rc : finish(m, c, &r);
}

int op_punch(struct meta *m, uint64_t ino, uint64_t off, uint64_t len)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    return rc < 0 ? rc : sql_write_end(m, c, punch_in(m, c, ino, off, len));
}

/* No slice crosses ${at} afterwards. */
static int split(struct meta *m, struct sql_conn *c, uint64_t ino, uint64_t at)
{
    static const char shorten[] = "UPDATE slice SET len=?3 WHERE ino=?1 AND pos=?2";
    static const char add[] = "INSERT INTO slice VALUES(?1, ?2, ?3, ?4, ?5)";
    struct slice_row s;
    uint32_t left;
    int rc = slice_page(c, ino, at, at + 1, 1, &s);

    if (rc <= 0 || s.pos >= at)
        return rc < 0 ? rc : 0;
    left = (uint32_t)(at - s.pos);
    rc = sql_run(c, shorten, "uuu", ino, s.pos, (uint64_t)left);
    if (rc >= 0)
        rc = sql_run(c, add, "uuuuu", ino, at, (uint64_t)(s.len - left), (uint64_t)(s.boff + left),
                     s.bid);
    if (rc >= 0)
        rc = block_ref(m, c, s.bid, false);
    return rc < 0 ? rc : 0;
}

/* Two passes: below zero and back, so that no row meets another on its way. */
static int move_slices(struct sql_conn *c, uint64_t ino, uint64_t off, int64_t delta)
{
    static const char out[] = "UPDATE slice SET pos=-1-(pos+?3) WHERE ino=?1 AND pos>=?2";
    static const char back[] = "UPDATE slice SET pos=-1-pos WHERE ino=?1 AND pos<0";
    int rc = sql_run(c, out, "uui", ino, off, delta);

    if (rc > 0)
        rc = sql_run(c, back, "u", ino);
    return rc < 0 ? rc : 0;
}

static int shift_in(struct meta *m, struct sql_conn *c, uint64_t ino, uint64_t off, int64_t delta)
{
    struct row r;
    int rc = load_file(c, ino, &r);

    if (rc < 0)
        return rc;
    if ((r.flags & ROW_INLINE) || delta == 0 || off > r.size ||
        (delta < 0 && (uint64_t)-delta > off))
        return -EINVAL;
    if (delta > 0 && (uint64_t)delta > PC_FILE_MAX - r.size)
        return -EFBIG;
    rc = row_open(m, c, &r);
    if (rc == 0 && (r.flags & ROW_SLICES)) {
        if (delta < 0)
            rc = slice_cut(m, c, &r, off - (uint64_t)-delta, off);
        else
            rc = split(m, c, ino, off);
        if (rc == 0)
            rc = move_slices(c, ino, off, delta);
    }
    if (rc < 0)
        return rc;
    row_resize(m, &r, r.size + (uint64_t)delta);
    return finish(m, c, &r);
}

int op_shift(struct meta *m, uint64_t ino, uint64_t off, int64_t delta)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);

    return rc < 0 ? rc : sql_write_end(m, c, shift_in(m, c, ino, off, delta));
}

static int share_check(const struct row *from, uint64_t src_off, const struct row *r,
                       uint64_t dst_off, uint64_t len)
{
    if (src_off > PC_FILE_MAX || len > PC_FILE_MAX - src_off)
        return -EINVAL;
    if (dst_off > PC_FILE_MAX || len > PC_FILE_MAX - dst_off)
        return -EFBIG;
    if ((from->flags | r->flags) & ROW_INLINE)
        return -EINVAL;
    if (from->ino == r->ino && src_off < dst_off + len && dst_off < src_off + len)
        return -EINVAL;
    return 0;
}

static int share_in(struct meta *m, struct sql_conn *c, uint64_t src, uint64_t src_off,
                    uint64_t dst, uint64_t dst_off, uint64_t len)
{
    struct row from, r;
    int rc = load_file(c, src, &from);

    if (rc == 0)
        rc = load_file(c, dst, &r);
    if (rc == 0)
        rc = share_check(&from, src_off, &r, dst_off, len);
    if (rc < 0 || len == 0)
        return rc;
    rc = row_open(m, c, &r);
    if (rc == 0)
        rc = slice_cut(m, c, &r, dst_off, dst_off + len);
    if (rc == 0 && (from.flags & ROW_SLICES))
        rc = slice_share(m, c, src, src_off, &r, dst_off, len);
    if (rc < 0)
        return rc;
    if (dst_off + len > r.size)
        row_resize(m, &r, dst_off + len);
    return finish(m, c, &r);
}

int op_share(struct meta *m, uint64_t src, uint64_t src_off, uint64_t dst, uint64_t dst_off,
             uint64_t len)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_NEEDS_ROOM, &c);

    return rc < 0 ? rc : sql_write_end(m, c, share_in(m, c, src, src_off, dst, dst_off, len));
}

static int64_t seek_data(struct sql_conn *c, uint64_t ino, uint64_t off, uint64_t size)
{
    struct slice_row s;
    int rc = slice_page(c, ino, off, size, 1, &s);

    if (rc <= 0)
        return rc < 0 ? rc : -ENXIO;
    return (int64_t)(s.pos > off ? s.pos : off);
}

static int64_t seek_hole(struct sql_conn *c, uint64_t ino, uint64_t off, uint64_t size)
{
    struct slice_row rows[PAGE];
    int n;

    do {
        n = slice_page(c, ino, off, size, PAGE, rows);
        if (n < 0)
            return n;
        for (int i = 0; i < n; i++) {
            if (rows[i].pos > off)
                return (int64_t)off;
            off = rows[i].pos + rows[i].len;
        }
    } while (n == PAGE && off < size);
    return (int64_t)(off < size ? off : size);
}

static int64_t seek_in(struct sql_conn *c, uint64_t ino, uint64_t off, int whence)
{
    struct row r;
    int rc = load_file(c, ino, &r);

    if (rc < 0)
        return rc;
    if (whence != SEEK_DATA && whence != SEEK_HOLE)
        return -EINVAL;
    if (off >= r.size)
        return -ENXIO;
    if (r.flags & ROW_INLINE)
        return whence == SEEK_DATA ? (int64_t)off : (int64_t)r.size;
    if (!(r.flags & ROW_SLICES))
        return whence == SEEK_DATA ? -ENXIO : (int64_t)off;
    return whence == SEEK_DATA ? seek_data(c, ino, off, r.size) : seek_hole(c, ino, off, r.size);
}

int64_t op_seek(struct meta *m, uint64_t ino, uint64_t off, int whence)
{
    struct sql_conn *c;
    int64_t rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = seek_in(c, ino, off, whence);
    sql_read_end(m, c);
    return rc;
}
