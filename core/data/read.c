/* SPDX-License-Identifier: Apache-2.0 */
/* Reading blocks: from the cache, or from their packs, a segment at a time. */
#include "data/data_impl.h"

#include "base/alloc.h"
#include "pcloud/err.h"
#include "pcloud/log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define INFO_INDEX UINT32_MAX /* the cache's number for what a record's head says */

/* A record's head, as the cache keeps it: it holds for one place. */
struct placed_info {
    uint64_t pack, off;
    struct record_info info;
};

/* One reading of one block: what of its record is in the scratch window. */
struct reader {
    struct data *d;
    const struct meta_block *block;
    struct data_scratch *s; /* NULL until something must be read */
    bool opened;            /* the head is known and the codec keyed */
    bool past_cache;        /* do not take the head from the cache */
    bool now;               /* -EAGAIN instead of waiting, or of saying what is wrong */
    struct record_info info;
    uint32_t from, to; /* bytes of the record in the window */
};

void data_tell_damage(struct data *d, uint64_t pack, uint64_t at, const char *why)
{
    bool told = false;

    pthread_mutex_lock(&d->scratch_lock);
    for (unsigned i = 0; i < DATA_TOLD && !told; i++)
        told = d->told[i].pack == pack && d->told[i].at == at;
    if (!told) {
        d->told[d->told_n % DATA_TOLD].pack = pack;
        d->told[d->told_n++ % DATA_TOLD].at = at;
    }
    pthread_mutex_unlock(&d->scratch_lock);
    if (!told)
        pc_log(PC_LOG_ERROR, "pack.damaged", "pack %016" PRIx64 " at %" PRIu64 ": %s", pack, at,
               why);
}

/* Tell what is damaged, and keep dedup from using it again; unless the pack went away while we read. */
static int damaged(struct reader *rd, uint32_t at)
{
    const struct meta_block *b = rd->block;
    char what[200];

    if (rd->now)
        return -EAGAIN;
    if (packs_gone(rd->d->packs, b->pack))
        return pc_err_set(PC_ESTALEREF, "pack %016" PRIx64 " was removed", b->pack);
    what[0] = 0;
    strncat(what, pc_err_text(PC_ECORRUPT), sizeof what - 1);
    data_tell_damage(rd->d, b->pack, b->off + at, what);
    pending_drop(rd->d->pending, b->id);
    if (b->bid)
        (void)rd->d->meta->content->block_forget(rd->d->meta, b->bid);
    return pc_err_set(PC_ECORRUPT,
                      "pack %016" PRIx64 " is damaged at %" PRIu64 " (record at %" PRIu64
                      "): %s; run `pcloud scrub` to see which files are hit",
                      b->pack, b->off + at, b->off, what);
}

static int read_window(struct reader *rd, uint32_t from, uint32_t to)
{
    const struct meta_block *b = rd->block;
    int r;

    if (to > b->stored)
        to = b->stored;
    if (to - from > sizeof rd->s->window)
        to = from + (uint32_t)sizeof rd->s->window;
    rd->from = rd->to = 0;
    r = (rd->now ? packs_read_now : packs_read)(rd->d->packs, b->pack, b->off + from, rd->s->window,
                                                to - from);
    if (r == PC_ECORRUPT)
        return damaged(rd, from);
    if (r < 0)
        return r;
    rd->from = from;
    rd->to = to;
    return 0;
}

/* The head from the cache: is it there, and for this place? */
static bool cached_info(struct reader *rd)
{
    struct cache_entry *e;
    struct placed_info *p;
    bool fits;

    if (rd->past_cache || rd->block->size <= DATA_SEGMENT ||
        cache_get(rd->d->cache, rd->block->id, INFO_INDEX, sizeof *p,
                  rd->now ? CACHE_NOW : CACHE_LOOK, &e) != CACHE_READY)
        return false;
    p = (struct placed_info *)(void *)e->data;
    fits = p->pack == rd->block->pack && p->off == rd->block->off;
    if (fits) {
        rd->info = p->info;
        cache_put(rd->d->cache, e);
    } else {
        cache_drop(rd->d->cache, e);
    }
    return fits;
}

static void keep_info(struct reader *rd)
{
    struct cache_entry *e;
    struct placed_info *p;

    if (rd->past_cache || rd->block->size <= DATA_SEGMENT ||
        cache_get(rd->d->cache, rd->block->id, INFO_INDEX, sizeof *p, CACHE_PREFETCH, &e) !=
            CACHE_FILL)
        return;
    p = (struct placed_info *)(void *)e->data;
    *p = (struct placed_info){rd->block->pack, rd->block->off, rd->info};
    cache_filled(rd->d->cache, e, true);
    cache_put(rd->d->cache, e);
}

/* Know the head, from the cache or from disk; with it as much of the record as will be wanted, if that begins there. */
static int open_record(struct reader *rd, uint32_t first, uint32_t last)
{
    const struct meta_block *b = rd->block;
    int r;

    if (b->size == 0 || b->size > META_BLOCK_MAX || b->stored < record_head_size(b->size))
        return pc_err_set(-EINVAL, "no such block: %u bytes stored as %u", b->size, b->stored);
    rd->s = scratch_get(rd->d);
    if (!rd->s)
        return -ENOMEM;
    if (!cached_info(rd)) {
        uint32_t to = (uint32_t)record_head_size(b->size);

        if (first == 0)
            to += (last + 1) * (DATA_SEGMENT + AEAD_TAG_BYTES);
        r = read_window(rd, 0, to);
        if (r < 0)
            return r;
        r = record_parse(rd->s->window, rd->to, &rd->info);
        if (r == PC_EVERSION)
            return r;
        if (r == PC_EFORMAT)
            r = pc_err_set(PC_ECORRUPT, "no record there");
        if (r == 0 && (memcmp(rd->info.id, b->id, META_BLOCK_ID) != 0 || rd->info.size != b->size ||
                       rd->info.stored != b->stored))
            r = pc_err_set(PC_ECORRUPT, "another block's record");
        if (r < 0)
            return damaged(rd, 0);
        keep_info(rd);
    }
    r = record_open(rd->s->codec, &rd->d->secrets->record, &rd->info);
    rd->opened = r == 0;
    return r;
}

/* Segment ${i} of those up to ${last} that will be wanted, opened to ${out}. */
static int load(struct reader *rd, uint32_t i, uint32_t last, uint8_t *out)
{
    int r;

    if (!rd->opened) {
        r = open_record(rd, i, last);
        if (r < 0)
            return r;
    }
    if (rd->info.off[i] < rd->from || rd->info.off[i + 1] > rd->to) {
        uint32_t to = rd->info.off[i + 1];

        for (uint32_t j = i + 1; j <= last; j++)
            if (rd->info.off[j + 1] - rd->info.off[i] <= sizeof rd->s->window)
                to = rd->info.off[j + 1];
        r = read_window(rd, rd->info.off[i], to);
        if (r < 0)
            return r;
    }
    r = record_segment(rd->s->codec, &rd->info, i, rd->s->window + (rd->info.off[i] - rd->from),
                       out);
    if (r == PC_ECORRUPT)
        return damaged(rd, rd->info.off[i]);
    return r;
}

static void reader_fini(struct reader *rd)
{
    if (rd->s)
        scratch_put(rd->d, rd->s);
}

static uint32_t segment_size(const struct meta_block *b, uint32_t i)
{
    return b->size - i * DATA_SEGMENT < DATA_SEGMENT ? b->size - i * DATA_SEGMENT : DATA_SEGMENT;
}

/* Bytes [from, to) of segment ${i} to ${out}, by way of the cache. A whole segment is opened straight to ${out}, if it is not in the cache. */
static int get_segment(struct reader *rd, uint32_t i, uint32_t last, uint32_t from, uint32_t to,
                       uint8_t *out)
{
    struct cache *cache = rd->d->cache;
    uint32_t size = segment_size(rd->block, i);
    bool whole = from == 0 && to == size && size == DATA_SEGMENT;
    enum cache_mode mode = rd->now ? CACHE_NOW : whole ? CACHE_LOOK : CACHE_MAKE;
    struct cache_entry *e;
    enum cache_result c;
    uint8_t *plain;
    int r;

    c = cache_get(cache, rd->block->id, i, size, mode, &e);
    if (c == CACHE_READY) {
        memcpy(out, e->data + from, to - from);
        cache_put(cache, e);
        return 0;
    }
    if (c == CACHE_FILL) {
        r = load(rd, i, last, e->data);
        cache_filled(cache, e, r == 0);
        if (r == 0)
            memcpy(out, e->data + from, to - from);
        cache_put(cache, e);
        return r;
    }
    if (from == 0 && to == size)
        return load(rd, i, last, out);
    plain = mem_alloc(size);
    if (!plain)
        return -ENOMEM;
    r = load(rd, i, last, plain);
    if (r == 0)
        memcpy(out, plain + from, to - from);
    mem_free(plain);
    return r;
}

static int get(struct data *d, const struct meta_block *block, uint32_t boff, uint32_t len,
               uint8_t *p, bool now)
{
    struct reader rd = {.d = d, .block = block, .now = now};
    uint32_t last;
    int r = 0;

    if (boff > block->size || len > block->size - boff)
        return pc_err_set(-EINVAL, "bytes %u+%u of a block of %u", boff, len, block->size);
    if (len == 0)
        return 0;
    last = (boff + len - 1) / DATA_SEGMENT;
    for (uint32_t i = boff / DATA_SEGMENT; r == 0 && i <= last; i++) {
        uint32_t from = boff > i * DATA_SEGMENT ? boff - i * DATA_SEGMENT : 0;
        uint32_t to = segment_size(block, i);

        if (to > boff + len - i * DATA_SEGMENT)
            to = boff + len - i * DATA_SEGMENT;
        r = get_segment(&rd, i, last, from, to, p);
        p += to - from;
    }
    reader_fini(&rd);
    return r;
}

int data_get(struct data *d, const struct meta_block *block, uint32_t boff, uint32_t len, void *out)
{
    return get(d, block, boff, len, out, false);
}

int data_get_now(struct data *d, const struct meta_block *block, uint32_t boff, uint32_t len,
                 void *out)
{
    return get(d, block, boff, len, out, true) < 0 ? -EAGAIN : 0;
}

int data_verify(struct data *d, const struct meta_block *block)
{
    struct reader rd = {.d = d, .block = block, .past_cache = true};
    uint32_t segments = (block->size + DATA_SEGMENT - 1) / DATA_SEGMENT;
    uint8_t *plain, id[META_BLOCK_ID];
    int r = 0;

    if (block->size == 0 || block->size > META_BLOCK_MAX)
        return -EINVAL;
    plain = mem_alloc(block->size);
    if (!plain)
        return -ENOMEM;
    for (uint32_t i = 0; r == 0 && i < segments; i++)
        r = load(&rd, i, segments - 1, plain + (size_t)i * DATA_SEGMENT);
    if (r == 0)
        r = record_id(rd.s->codec, &d->secrets->record, plain, block->size, id);
    if (r == 0 && memcmp(id, block->id, sizeof id) != 0) {
        pc_err_set(PC_ECORRUPT, "content of another id");
        r = damaged(&rd, 0);
    }
    reader_fini(&rd);
    mem_free(plain);
    return r;
}

struct prefetch {
    struct pool_job job;
    struct data *d;
    struct meta_block block;
};

/* Bring every segment that is neither there nor on its way. Errors are for those who ask for the bytes. */
static void prefetch_run(struct pool_job *job)
{
    struct prefetch *p = (struct prefetch *)(void *)job;
    struct reader rd = {.d = p->d, .block = &p->block};
    uint32_t segments = (p->block.size + DATA_SEGMENT - 1) / DATA_SEGMENT;
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < segments; i++) {
        struct cache_entry *e;

        if (cache_get(p->d->cache, p->block.id, i, segment_size(&p->block, i), CACHE_PREFETCH,
                      &e) != CACHE_FILL)
            continue;
        r = load(&rd, i, segments - 1, e->data);
        cache_filled(p->d->cache, e, r == 0);
        cache_put(p->d->cache, e);
    }
    reader_fini(&rd);
    pthread_mutex_lock(&p->d->scratch_lock);
    p->d->prefetching -= p->block.size;
    pthread_mutex_unlock(&p->d->scratch_lock);
    mem_free(p);
}

void data_prefetch(struct data *d, const struct meta_block *blocks, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct prefetch *p;
        bool fits;

        pthread_mutex_lock(&d->scratch_lock);
        fits = blocks[i].size <= META_BLOCK_MAX &&
               d->prefetching + blocks[i].size <= d->cache_bytes / 2;
        if (fits)
            d->prefetching += blocks[i].size;
        pthread_mutex_unlock(&d->scratch_lock);
        if (!fits)
            return;
        p = mem_alloc(sizeof *p);
        if (!p) {
            pthread_mutex_lock(&d->scratch_lock);
            d->prefetching -= blocks[i].size;
            pthread_mutex_unlock(&d->scratch_lock);
            return;
        }
        *p = (struct prefetch){.job.run = prefetch_run, .d = d, .block = blocks[i]};
        pool_submit(d->pool, POOL_URGENT, &p->job);
    }
}

void data_ahead(struct data *d, const struct meta_block *blocks, unsigned n)
{
    for (unsigned i = 0; i < n;) {
        const struct meta_block *b = &blocks[i++];
        uint64_t len = b->stored;

        /* what was written in one go lies in one piece */
        while (i < n && blocks[i].pack == b->pack && blocks[i].off == b->off + len)
            len += blocks[i++].stored;
        packs_ahead(d->packs, b->pack, b->off, len);
    }
}
