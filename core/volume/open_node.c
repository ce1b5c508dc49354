/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Write coalescing for one node.
 *
 * A write lands in memory: in `dirty`, a set of ranges, or at the end of `stream`, which chunks sequential content and hands blocks to the workers while more
 * comes in. A range that grows at its end past STREAM_START becomes the stream. Flush ends the stream, makes a block of each range and puts all of them
 * into metadata in one operation, so a crash shows either all of a flush or nothing. Content that a write covers is never read; two cases
 * read: a small file that outgrows its inline place, and an append to a short last slice, which is joined so that logs do not
 * become thousands of slices.
 */
#include "volume/open_node.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "pcloud/err.h"
#include "volume/volume.h"

#define STREAM_START (1u << 20)   /* a range this long that still grows becomes a stream */
#define NODE_DIRTY_MAX (8u << 20) /* unwritten bytes of one node outside its stream */
#define TAIL_JOIN (64u << 10)     /* a last slice shorter than this is rewritten by an append */

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + 1;
}

static void account(struct pc_volume *v, size_t before, size_t after)
{
    if (after > before)
        atomic_fetch_add(&v->dirty_bytes, after - before);
    else
        atomic_fetch_sub(&v->dirty_bytes, before - after);
}

static void stream_end(struct pc_volume *v, struct open_node *n)
{
    if (n->stream == NULL)
        return;
    data_stream_free(n->stream);
    n->stream = NULL;
    meta_unpin(v->meta, n->pin);
}

static int stream_begin(struct pc_volume *v, struct open_node *n, struct dirty_extent *e)
{
    uint64_t pin = meta_pin(v->meta);
    int rc = data_stream_new(v->data, e->pos, &n->stream);
    if (rc < 0) {
        meta_unpin(v->meta, pin);
        return rc;
    }
    n->pin = pin;
    n->stream_pos = e->pos;
    n->stream_end = e->pos;
    rc = data_stream_write(n->stream, e->data, e->len);
    if (rc < 0) {
        stream_end(v, n);
        return rc;
    }
    n->stream_end += e->len;
    dirty_remove(&n->dirty, e);
    return 0;
}

static int stream_append(struct open_node *n, const void *buf, size_t len)
{
    int rc = dirty_cut(&n->dirty, n->stream_end, len);
    if (rc < 0)
        return rc;
    rc = data_stream_write(n->stream, buf, len);
    if (rc == 0)
        n->stream_end += len;
    return rc;
}

static int write_piece(struct pc_volume *v, struct open_node *n, const void *buf, size_t len,
                       uint64_t off)
{
    if (n->stream != NULL && off == n->stream_end)
        return stream_append(n, buf, len);
    if (n->stream != NULL && off < n->stream_end && off + len > n->stream_pos) {
        int rc = open_node_flush_locked(v, n);
        if (rc < 0)
            return rc;
    }
    struct dirty_extent *e = dirty_at_end(&n->dirty, off);
    bool grows = e != NULL;
    int rc = dirty_write(&n->dirty, buf, len, off);
    if (rc == -E2BIG) {
        rc = open_node_flush_locked(v, n);
        if (rc == 0)
            rc = dirty_write(&n->dirty, buf, len, off);
    }
    if (rc < 0 || !grows || n->stream != NULL)
        return rc;
    e = dirty_at_end(&n->dirty, off + len);
    return e != NULL && e->len >= STREAM_START ? stream_begin(v, n, e) : 0;
}

static void mark_dirty(struct open_node *n)
{
    if (n->dirty_since_ms == 0)
        __atomic_store_n(&n->dirty_since_ms, now_ms(), __ATOMIC_RELEASE);
}

int open_node_write_locked(struct pc_volume *v, struct open_node *n, const void *buf, size_t len,
                           uint64_t off)
{
    size_t before = n->dirty.bytes;
    const uint8_t *p = buf;
    int rc = 0;
    for (size_t done = 0; done < len && rc == 0;) {
        size_t piece = len - done < DIRTY_EXTENT_MAX / 2 ? len - done : DIRTY_EXTENT_MAX / 2;
        mark_dirty(n);
        rc = write_piece(v, n, p + done, piece, off + done);
        mark_dirty(n); /* it may have had to flush first, and then it was clean for a moment */
        if (rc == 0) {
            done += piece;
            if (off + done > n->end)
                n->end = off + done;
        }
    }
    account(v, before, n->dirty.bytes);
    clock_gettime(CLOCK_REALTIME, &n->written);
    if (rc == 0 && (n->dirty.bytes > NODE_DIRTY_MAX || atomic_load(&v->dirty_bytes) > v->dirty_max))
        rc = open_node_flush_locked(v, n);
    return rc;
}

/* The whole file fits inline: its content is in ${dirty} or in ${base}. */
static int flush_inline(struct pc_volume *v, struct open_node *n, const uint8_t *base,
                        size_t base_len, uint64_t size)
{
    uint8_t all[META_INLINE_MAX] = {0};
    memcpy(all, base, base_len);
    dirty_overlay(&n->dirty, all, size, 0);
    return v->meta->content->write_inline(v->meta, n->ino, all, (size_t)size, 0);
}

/* An append to a file whose last slice is short: take that slice's content along. */
static int join_tail(struct pc_volume *v, struct open_node *n, uint64_t size)
{
    struct meta_slice last;
    if (size == 0 || dirty_at_end(&n->dirty, size) != NULL)
        return 0;
    struct dirty_extent *e = NULL;
    for (size_t i = 0; i < n->dirty.n && e == NULL; i++)
        if (n->dirty.v[i].pos == size)
            e = &n->dirty.v[i];
    if (e == NULL || e->len > TAIL_JOIN)
        return 0;
    int rc = v->meta->content->read(v->meta, n->ino, size - 1, 1, &last, 1, NULL, NULL, NULL, NULL);
    if (rc <= 0 || last.len >= TAIL_JOIN || last.pos + last.len != size)
        return rc < 0 ? rc : 0;
    uint8_t *tail = mem_alloc(last.len);
    if (tail == NULL)
        return -ENOMEM;
    if (data_get(v->data, &last.block, last.boff, last.len, tail) == 0)
        rc = dirty_fill(&n->dirty, tail, last.len, last.pos);
    mem_free(tail);
    return rc < 0 && rc != -E2BIG ? rc : 0;
}

struct flush {
    struct meta_slice *slices;   /* the stream's, then the ranges' */
    struct meta_slice *streamed; /* the stream's own, borrowed */
    unsigned n, from_stream;
};

static int put_ranges(struct pc_volume *v, struct open_node *n, struct flush *f)
{
    for (size_t i = 0; i < n->dirty.n; i++) {
        const struct dirty_extent *e = &n->dirty.v[i];
        struct meta_slice *s = &f->slices[f->from_stream + i];
        *s = (struct meta_slice){.pos = e->pos, .len = (uint32_t)e->len};
        int rc = data_put(v->data, e->data, (uint32_t)e->len, &s->block);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* A block that dedup found went away: store slice ${bad} anew. */
static int put_again(struct pc_volume *v, struct open_node *n, struct flush *f, unsigned bad)
{
    if (bad >= f->n)
        return -EIO;
    if (bad >= f->from_stream) {
        const struct dirty_extent *e = &n->dirty.v[bad - f->from_stream];
        return data_put_again(v->data, e->data, (uint32_t)e->len, &f->slices[bad].block);
    }
    int rc = data_stream_redo(n->stream, bad);
    if (rc == 0)
        f->slices[bad] = f->streamed[bad];
    return rc;
}

static int flush_slices(struct pc_volume *v, struct open_node *n)
{
    struct flush f = {0};
    int rc = 0;
    if (n->stream != NULL) {
        rc = data_stream_finish(n->stream, &f.streamed, &f.from_stream);
        if (rc < 0)
            return rc;
    }
    f.n = f.from_stream + (unsigned)n->dirty.n;
    if (f.n == 0)
        return 0;
    f.slices = mem_calloc(f.n, sizeof(*f.slices));
    if (f.slices == NULL)
        return -ENOMEM;
    if (f.from_stream > 0)
        memcpy(f.slices, f.streamed, f.from_stream * sizeof(*f.slices));
    rc = put_ranges(v, n, &f);
    while (rc == 0) {
        unsigned bad = UINT32_MAX;
        rc = v->meta->content->write(v->meta, n->ino, f.slices, f.n, n->end, 0, &bad);
        if (rc != PC_ESTALEREF)
            break;
        rc = put_again(v, n, &f, bad);
    }
    mem_free(f.slices);
    return rc;
}

/* All that a short file will hold is here: nothing of it has to be read first. -EFBIG if the file is longer. */
static int flush_whole(struct pc_volume *v, struct open_node *n)
{
    if (n->stream != NULL || n->dirty.n != 1 || n->dirty.v[0].pos != 0 ||
        n->dirty.v[0].len != n->end || n->end > META_INLINE_MAX)
        return -EFBIG;
    return v->meta->content->write_inline(v->meta, n->ino, n->dirty.v[0].data, (size_t)n->end,
                                          META_IF_SHORTER);
}

static int flush_content(struct pc_volume *v, struct open_node *n)
{
    uint8_t base[META_INLINE_MAX];
    size_t base_len = 0;
    uint64_t size = 0;
    int rc = flush_whole(v, n);
    if (rc != -EFBIG)
        return rc;
    rc = v->meta->content->read(v->meta, n->ino, 0, 0, NULL, 0, base, &base_len, &size, NULL);
    if (rc < 0)
        return rc;
    uint64_t end = n->end > size ? n->end : size;
    if (n->stream == NULL && end <= META_INLINE_MAX &&
        (base_len == size || dirty_covers(&n->dirty, 0, end)))
        return flush_inline(v, n, base, base_len, end);
    if (base_len > 0) {
        rc = dirty_fill(&n->dirty, base, base_len, 0);
        if (rc == 0 && n->stream != NULL)
            rc = dirty_cut(&n->dirty, n->stream_pos, n->stream_end - n->stream_pos);
    } else if (n->stream == NULL) {
        rc = join_tail(v, n, size);
    }
    return rc < 0 ? rc : flush_slices(v, n);
}

static void clean(struct pc_volume *v, struct open_node *n)
{
    stream_end(v, n);
    account(v, n->dirty.bytes, 0);
    dirty_clear(&n->dirty);
    n->end = 0;
    atomic_fetch_sub(&v->quota_pending, n->quota_taken);
    n->quota_left = n->quota_taken = 0;
    atomic_fetch_add(&v->flushes, 1);
    __atomic_store_n(&n->dirty_since_ms, 0, __ATOMIC_RELEASE);
}

int open_node_flush_locked(struct pc_volume *v, struct open_node *n)
{
    if (n->dirty_since_ms == 0)
        return 0;
    size_t before = n->dirty.bytes;
    uint64_t pin = meta_pin(v->meta);
    int rc = flush_content(v, n);
    meta_unpin(v->meta, pin);
    account(v, before, n->dirty.bytes);
    if (rc == 0) {
        clean(v, n);
    } else if (n->stream != NULL || rc == -ENOENT) {
        /* A stream cannot be finished twice, and a node that went needs no content. */
        clean(v, n);
        n->error = rc == -ENOENT ? 0 : rc;
        __atomic_store_n(&n->error_seq, n->error_seq + 1, __ATOMIC_RELEASE);
    }
    return rc == -ENOENT ? 0 : rc;
}

int open_node_flush(struct pc_volume *v, struct open_node *n)
{
    if (__atomic_load_n(&n->dirty_since_ms, __ATOMIC_ACQUIRE) == 0)
        return 0;
    pthread_mutex_lock(&n->lock);
    int rc = open_node_flush_locked(v, n);
    pthread_mutex_unlock(&n->lock);
    return rc;
}

void open_node_discard_locked(struct pc_volume *v, struct open_node *n)
{
    clean(v, n);
}

void open_node_discard(struct pc_volume *v, struct open_node *n)
{
    pthread_mutex_lock(&n->lock);
    clean(v, n);
    pthread_mutex_unlock(&n->lock);
}
