/* SPDX-License-Identifier: Apache-2.0 */
/* Content of the past: read like any other, shared into the present by its blocks. */
#include "meta/snap/snap.h"

#include <errno.h>

#include "base/alloc.h"
#include "meta/content.h"
#include "pcloud/err.h"

#define NODE_MASK ((UINT64_C(1) << PC_SNAPSHOT_SHIFT) - 1)
#define SHARE_PAGE 64

static int past_read(struct meta *m, uint64_t ino, uint64_t off, uint64_t len,
                     struct meta_slice *slices, unsigned max, uint8_t *ret_inline,
                     size_t *ret_inline_len, uint64_t *ret_size, uint64_t *ret_version)
{
    int rc;

    if (!pc_is_snapshot(ino))
        return sql_content_ops.read(m, ino, off, len, slices, max, ret_inline, ret_inline_len,
                                    ret_size, ret_version);
    if (ino & PC_SNAPSHOT_FOLDERS)
        return -EISDIR;
    snap_enter(ino >> PC_SNAPSHOT_SHIFT);
    rc = sql_content_ops.read(m, ino & NODE_MASK, off, len, slices, max, ret_inline, ret_inline_len,
                              ret_size, ret_version);
    snap_leave();
    return rc;
}

static int past_write(struct meta *m, uint64_t ino, const struct meta_slice *slices, unsigned n,
                      uint64_t min_size, unsigned set, unsigned *ret_bad)
{
    if (pc_is_snapshot(ino))
        return -EROFS;
    return sql_content_ops.write(m, ino, slices, n, min_size, set, ret_bad);
}

static int past_write_inline(struct meta *m, uint64_t ino, const void *data, size_t len,
                             unsigned set)
{
    if (pc_is_snapshot(ino))
        return -EROFS;
    return sql_content_ops.write_inline(m, ino, data, len, set);
}

static int past_punch(struct meta *m, uint64_t ino, uint64_t off, uint64_t len)
{
    return pc_is_snapshot(ino) ? -EROFS : sql_content_ops.punch(m, ino, off, len);
}

static int past_shift(struct meta *m, uint64_t ino, uint64_t off, int64_t delta)
{
    return pc_is_snapshot(ino) ? -EROFS : sql_content_ops.shift(m, ino, off, delta);
}

struct share {
    struct meta *m;
    uint64_t src, src_off, dst, dst_off, len;
};

/* The slices of one page as they will be in dst: their number, *ret_next where the next page begins. */
static int share_page(const struct share *s, uint64_t at, struct meta_slice *slices,
                      uint64_t *ret_next)
{
    uint64_t end = s->src_off + s->len;
    int n = past_read(s->m, s->src, at, end - at, slices, SHARE_PAGE, NULL, NULL, NULL, NULL);

    for (int i = 0; i < n; i++) {
        struct meta_slice *x = &slices[i];
        uint64_t lo = x->pos > at ? x->pos : at;
        uint64_t hi = x->pos + x->len < end ? x->pos + x->len : end;

        *ret_next = x->pos + x->len;
        x->boff += (uint32_t)(lo - x->pos);
        x->len = (uint32_t)(hi - lo);
        x->pos = s->dst_off + (lo - s->src_off);
    }
    return n;
}

/* In steps: a range of a large file is many slices. */
static int share_all(const struct share *s)
{
    struct meta_slice *slices = mem_calloc(SHARE_PAGE, sizeof(*slices));
    uint64_t at = s->src_off, end = s->src_off + s->len;
    int n, rc = -ENOMEM;

    if (!slices)
        return rc;
    rc = sql_content_ops.punch(s->m, s->dst, s->dst_off, s->len);
    do {
        n = rc < 0 ? rc : share_page(s, at, slices, &at);
        if (n >= 0)
            rc = sql_content_ops.write(s->m, s->dst, slices, (unsigned)n,
                                       n < SHARE_PAGE ? s->dst_off + s->len : 0, 0, NULL);
    } while (n == SHARE_PAGE && rc == 0 && at < end);
    mem_free(slices);
    if (rc == PC_ESTALEREF)
        rc = -ESTALE; /* the snapshot was removed meanwhile */
    return n < 0 ? n : rc;
}

static int past_share(struct meta *m, uint64_t src, uint64_t src_off, uint64_t dst,
                      uint64_t dst_off, uint64_t len)
{
    if (pc_is_snapshot(dst))
        return -EROFS;
    if (!pc_is_snapshot(src))
        return sql_content_ops.share(m, src, src_off, dst, dst_off, len);
    if (src_off > PC_FILE_MAX || len > PC_FILE_MAX - src_off)
        return -EINVAL;
    if (dst_off > PC_FILE_MAX || len > PC_FILE_MAX - dst_off)
        return -EFBIG;
    return len > 0 ? share_all(&(struct share){m, src, src_off, dst, dst_off, len}) : 0;
}

static int64_t past_seek(struct meta *m, uint64_t ino, uint64_t off, int whence)
{
    int64_t rc;

    if (!pc_is_snapshot(ino))
        return sql_content_ops.seek(m, ino, off, whence);
    snap_enter(ino >> PC_SNAPSHOT_SHIFT);
    rc = sql_content_ops.seek(m, ino & NODE_MASK, off, whence);
    snap_leave();
    return rc;
}

void snap_content_ops(struct meta_content_ops *content)
{
    *content = sql_content_ops;
    content->read = past_read;
    content->write = past_write;
    content->write_inline = past_write_inline;
    content->punch = past_punch;
    content->shift = past_shift;
    content->share = past_share;
    content->seek = past_seek;
}
