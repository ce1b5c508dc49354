/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: bytes in, cut by content into chunks, encoded by the workers in any order, slices out in order. */
#include "data/data_impl.h"

#include "base/alloc.h"
#include "pcloud/err.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK_BYTES (RECORD_HEADROOM + DATA_CHUNK_MAX)
#define CHUNK_KEEP (RECORD_HEADROOM + (3u << 19)) /* memory a spare buffer keeps */
#define HELD_LEAST (2 * (size_t)DATA_CHUNK_MAX)
#define BITE (64u << 10) /* looked at and copied while it is in the processor's cache */

/* A buffer: room for the record's head, then the content; becomes the record in place. */
struct chunk {
    struct pool_job job;
    struct chunk *next;
    struct data_stream *s;
    unsigned index;
    uint32_t len;
    uint8_t *buf;
};

struct data_stream {
    struct data *d;
    uint64_t pos;
    struct chunk_state scan;
    struct chunk *open; /* takes bytes now */
    bool finished;

    /* Guarded by chunk_lock. */
    unsigned pending; /* chunks with the workers */
    int error;
    struct meta_slice *slices;
    unsigned n, cap;
};

static struct chunk *chunk_make(void)
{
    struct chunk *c = mem_calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->buf = mem_denied() ? MAP_FAILED
                          : mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (c->buf == MAP_FAILED) {
        mem_free(c);
        return NULL;
    }
    return c;
}

static void chunk_unmake(struct chunk *c)
{
    munmap(c->buf, CHUNK_BYTES);
    mem_free(c);
}

/* An empty buffer; waits while too much is with the workers. */
static struct chunk *chunk_get(struct data *d)
{
    struct chunk *c;

    pthread_mutex_lock(&d->chunk_lock);
    while (d->inflight > d->buffer_bytes)
        pthread_cond_wait(&d->chunk_done, &d->chunk_lock);
    c = d->chunks;
    if (c) {
        d->chunks = c->next;
        d->chunks_n--;
    }
    pthread_mutex_unlock(&d->chunk_lock);
    return c ? c : chunk_make();
}

/* Spare buffers are few, and give back what only a long chunk needed. */
static void chunk_put(struct data *d, struct chunk *c)
{
    bool keep;

    if (RECORD_HEADROOM + c->len > CHUNK_KEEP)
        madvise(c->buf + CHUNK_KEEP, CHUNK_BYTES - CHUNK_KEEP, MADV_DONTNEED);
    c->len = 0;
    pthread_mutex_lock(&d->chunk_lock);
    keep = d->chunks_n < pool_workers(d->pool) + 1;
    if (keep) {
        c->next = d->chunks;
        d->chunks = c;
        d->chunks_n++;
    }
    pthread_mutex_unlock(&d->chunk_lock);
    if (!keep)
        chunk_unmake(c);
}

void chunks_free(struct data *d)
{
    while (d->chunks) {
        struct chunk *c = d->chunks;

        d->chunks = c->next;
        chunk_unmake(c);
    }
}

int data_stream_new(struct data *d, uint64_t pos, struct data_stream **ret)
{
    struct data_stream *s = mem_calloc(1, sizeof *s);

    if (!s)
        return -ENOMEM;
    s->d = d;
    s->pos = pos;
    *ret = s;
    return 0;
}

/* Encode a chunk and put its block into its slice. On a worker, or on the stream's own thread. */
static void chunk_run(struct pool_job *job)
{
    struct chunk *c = (struct chunk *)(void *)job;
    struct data_stream *s = c->s;
    struct data *d = s->d;
    unsigned index = c->index;
    uint32_t len = c->len;
    struct meta_block block;
    int r;

    pthread_mutex_lock(&d->chunk_lock);
    r = s->error;
    pthread_mutex_unlock(&d->chunk_lock);
    if (r == 0)
        r = data_put_in_place(d, c->buf, len, true, &block);
    chunk_put(d, c);
    pthread_mutex_lock(&d->chunk_lock);
    if (r == 0)
        s->slices[index].block = block;
    else if (s->error == 0)
        s->error = r;
    s->pending--;
    d->inflight -= len;
    pthread_cond_broadcast(&d->chunk_done);
    pthread_mutex_unlock(&d->chunk_lock);
}

/* Make room for one more slice. Under chunk_lock. */
static int grow(struct data_stream *s)
{
    unsigned cap = s->cap ? s->cap * 2 : 4;
    struct meta_slice *more;

    if (s->n < s->cap)
        return 0;
    if (cap < s->cap)
        return -EFBIG;
    more = mem_realloc_array(s->slices, cap, sizeof *more);
    if (!more)
        return -ENOMEM;
    s->slices = more;
    s->cap = cap;
    return 0;
}

/* The open chunk is complete: its slice gets its place, its block comes later. ${last}: nothing can overtake it, so encode it here. */
static int chunk_end(struct data_stream *s, bool last)
{
    struct chunk *c = s->open;
    struct data *d = s->d;
    int r;

    pthread_mutex_lock(&d->chunk_lock);
    r = s->error;
    if (r == 0)
        r = s->error = grow(s);
    if (r == 0) {
        c->s = s;
        c->index = s->n++;
        s->slices[c->index] = (struct meta_slice){.pos = s->pos, .len = c->len};
        s->pos += c->len;
        s->pending++;
        d->inflight += c->len;
        d->held -= c->len;
    }
    pthread_mutex_unlock(&d->chunk_lock);
    if (r < 0)
        return r;
    s->open = NULL;
    c->job.run = chunk_run;
    if (last)
        chunk_run(&c->job);
    else
        pool_submit(d->pool, POOL_URGENT, &c->job);
    return 0;
}

/*
 * ${n} bytes more are in the open chunk. True if it must end here although the content does not say so: very many streams are open, and all they hold would
 * be too much. What ends so is not found again by dedup; but memory is bounded.
 */
static bool hold(struct data_stream *s, size_t n)
{
    struct data *d = s->d;
    size_t most = d->buffer_bytes > HELD_LEAST ? d->buffer_bytes : HELD_LEAST;
    bool over;

    pthread_mutex_lock(&d->chunk_lock);
    s->open->len += (uint32_t)n;
    d->held += n;
    over = d->held > most;
    pthread_mutex_unlock(&d->chunk_lock);
    return over && s->open->len >= BITE;
}

int data_stream_write(struct data_stream *s, const void *data, size_t len)
{
    const uint8_t *p = data;

    while (len > 0) {
        size_t n = len < BITE ? len : BITE;
        bool cut;
        int r;

        if (!s->open) {
            s->open = chunk_get(s->d);
            if (!s->open) {
                pthread_mutex_lock(&s->d->chunk_lock);
                s->error = s->error ? s->error : -ENOMEM;
                r = s->error;
                pthread_mutex_unlock(&s->d->chunk_lock);
                return r;
            }
        }
        n = chunk_scan(s->d->secrets->gear, &s->scan, p, n, &cut);
        memcpy(s->open->buf + RECORD_HEADROOM + s->open->len, p, n);
        p += n;
        len -= n;
        if (hold(s, n) && !cut) {
            s->scan = (struct chunk_state){0};
            cut = true;
        }
        r = cut ? chunk_end(s, false) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static int wait_all(struct data_stream *s)
{
    int r;

    pthread_mutex_lock(&s->d->chunk_lock);
    while (s->pending > 0)
        pthread_cond_wait(&s->d->chunk_done, &s->d->chunk_lock);
    r = s->error;
    pthread_mutex_unlock(&s->d->chunk_lock);
    return r;
}

int data_stream_finish(struct data_stream *s, struct meta_slice **ret_slices, unsigned *ret_n)
{
    int r = 0;

    if (s->finished)
        return -EINVAL;
    s->finished = true;
    if (s->open && s->open->len > 0)
        r = chunk_end(s, true);
    r = wait_all(s) < 0 ? s->error : r;
    if (r < 0)
        return r;
    *ret_slices = s->slices;
    *ret_n = s->n;
    return 0;
}

int data_stream_redo(struct data_stream *s, unsigned i)
{
    struct meta_block *block;
    uint8_t *plain;
    int r;

    if (!s->finished || i >= s->n)
        return -EINVAL;
    block = &s->slices[i].block;
    plain = mem_alloc(block->size);
    if (!plain)
        return -ENOMEM;
    r = data_get(s->d, block, 0, block->size, plain);
    if (r == 0)
        r = data_put_again(s->d, plain, block->size, block);
    mem_free(plain);
    return r;
}

void data_stream_free(struct data_stream *s)
{
    if (!s)
        return;
    (void)wait_all(s);
    if (s->open) {
        pthread_mutex_lock(&s->d->chunk_lock);
        s->d->held -= s->open->len;
        pthread_mutex_unlock(&s->d->chunk_lock);
        chunk_put(s->d, s->open);
    }
    mem_free(s->slices);
    mem_free(s);
}
