/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing the data path, and writing blocks. */
#include "data/data_impl.h"

#include "base/alloc.h"
#include "crypto/aead.h"
#include "pcloud/err.h"
#include "pcloud/log.h"

#include <errno.h>
#include <string.h>

/* More content in flight than this for each worker makes nothing faster. */
#define BUFFER_PER_WORKER ((size_t)4 << 20)

struct data_scratch *scratch_get(struct data *d)
{
    struct data_scratch *s;

    pthread_mutex_lock(&d->scratch_lock);
    s = d->scratch;
    if (s) {
        d->scratch = s->next;
        d->scratch_n--;
    }
    pthread_mutex_unlock(&d->scratch_lock);
    if (s)
        return s;
    s = mem_alloc(sizeof *s);
    if (!s)
        return NULL;
    s->codec = codec_new();
    if (!s->codec) {
        mem_free(s);
        return NULL;
    }
    return s;
}

static void scratch_free(struct data_scratch *s)
{
    codec_free(s->codec);
    mem_free(s);
}

void scratch_put(struct data *d, struct data_scratch *s)
{
    bool keep;

    pthread_mutex_lock(&d->scratch_lock);
    keep = d->scratch_n < d->scratch_max;
    if (keep) {
        s->next = d->scratch;
        d->scratch = s;
        d->scratch_n++;
    }
    pthread_mutex_unlock(&d->scratch_lock);
    if (!keep)
        scratch_free(s);
}

/* The block of that id that is stored already: 1, 0, or an error. */
static int find(struct data *d, const uint8_t id[META_BLOCK_ID], uint32_t size,
                struct meta_block *ret)
{
    struct meta_block found;
    int r = d->meta->content->block_find(d->meta, id, &found);

    if (r < 0)
        return r;
    if (r == 0)
        r = pending_find(d->pending, id, &found) && packs_is_open(d->packs, found.pack);
    if (r == 0 || found.size != size)
        return 0;
    *ret = found;
    return 1;
}

/* Encode to ${out} and append. */
static int store(struct data *d, struct data_scratch *s, const uint8_t id[META_BLOCK_ID],
                 const void *plain, uint32_t size, uint8_t *out, struct meta_block *ret)
{
    struct meta_block block = {.size = size};
    int r;

    memcpy(block.id, id, META_BLOCK_ID);
    r = record_encode(s->codec, &d->secrets->record, id, plain, size, d->compress, out,
                      &block.stored);
    if (r == 0)
        r = packs_append(d->packs, PACKS_KEEP_RESERVE, out, block.stored, &block.pack, &block.off);
    if (r < 0)
        return r;
    pending_add(d->pending, &block);
    *ret = block;
    return 0;
}

static int put(struct data *d, const void *plain, uint32_t size, bool dedup, uint8_t *out,
               struct meta_block *ret)
{
    uint8_t id[META_BLOCK_ID], *buf = NULL;
    struct data_scratch *s;
    int r;

    if (size == 0 || size > META_BLOCK_MAX)
        return -EINVAL;
    s = scratch_get(d);
    if (!s)
        return -ENOMEM;
    r = record_id(s->codec, &d->secrets->record, plain, size, id);
    if (r == 0 && dedup && d->dedup)
        r = find(d, id, size, ret);
    if (r != 0) {
        scratch_put(d, s);
        return r < 0 ? r : 0;
    }
    if (!out)
        out = s->window;
    if (out == s->window && record_bound(size) > sizeof s->window)
        out = buf = mem_alloc(record_bound(size));
    r = out ? store(d, s, id, plain, size, out, ret) : -ENOMEM;
    mem_free(buf);
    scratch_put(d, s);
    return r;
}

int data_put(struct data *d, const void *plain, uint32_t size, struct meta_block *ret)
{
    return put(d, plain, size, true, NULL, ret);
}

int data_put_again(struct data *d, const void *plain, uint32_t size, struct meta_block *ret)
{
    return put(d, plain, size, false, NULL, ret);
}

int data_put_in_place(struct data *d, uint8_t *buf, uint32_t size, bool dedup,
                      struct meta_block *ret)
{
    return put(d, buf + RECORD_HEADROOM, size, dedup, buf, ret);
}

int data_barrier(struct data *d)
{
    return packs_barrier(d->packs);
}

size_t data_chunk(struct data *d, const void *data, size_t len, bool last)
{
    struct chunk_state st = {0};
    bool cut;
    size_t n = chunk_scan(d->secrets->gear, &st, data, len, &cut);

    return cut || last ? n : 0;
}

static int64_t size_of(void *arg, uint64_t id)
{
    return packs_size(arg, id);
}

static int derive(struct data *d, const struct pc_keys *keys)
{
    uint8_t key[PC_KEY_BYTES];

    d->secrets = mem_denied() ? NULL : mem_lock_alloc(sizeof *d->secrets);
    if (!d->secrets)
        return pc_err_set(-ENOMEM, "no locked memory for keys: raise the limit (ulimit -l)");
    pc_keys_derive(keys, PC_KEY_BLOCK_HASH_1, d->secrets->record.id.hash[0]);
    pc_keys_derive(keys, PC_KEY_BLOCK_HASH_2, d->secrets->record.id.hash[1]);
    pc_keys_derive(keys, PC_KEY_BLOCK_ID, d->secrets->record.id.name);
    pc_keys_derive(keys, PC_KEY_BLOCK, d->secrets->record.content);
    pc_keys_derive(keys, PC_KEY_CHUNKER, key);
    chunk_gear(key, d->secrets->gear);
    pc_wipe(key, sizeof key);
    return 0;
}

/* Free what there is; nothing is in use. */
static void release(struct data *d)
{
    pool_free(d->pool);
    if (d->packs)
        packs_close(d->packs);
    chunks_free(d);
    while (d->scratch) {
        struct data_scratch *s = d->scratch;

        d->scratch = s->next;
        scratch_free(s);
    }
    cache_free(d->cache);
    pending_free(d->pending);
    mem_lock_free(d->secrets);
    pthread_cond_destroy(&d->chunk_done);
    pthread_mutex_destroy(&d->chunk_lock);
    pthread_mutex_destroy(&d->scratch_lock);
    mem_free(d);
}

int data_open(const struct data_options *options, struct data **ret)
{
    struct data *d = mem_calloc(1, sizeof *d);
    int r;

    if (!d)
        return -ENOMEM;
    d->meta = options->meta;
    d->dedup = options->dedup;
    d->compress = options->compress;
    d->cache_bytes = options->cache_bytes;
    d->buffer_bytes = options->buffer_bytes;
    pthread_mutex_init(&d->scratch_lock, NULL);
    pthread_mutex_init(&d->chunk_lock, NULL);
    pthread_cond_init(&d->chunk_done, NULL);
    r = derive(d, options->keys);
    if (r == 0)
        r = pool_new(options->workers, &d->pool);
    if (r == 0)
        r = pending_new(&d->pending);
    if (r == 0)
        r = cache_new(options->cache_bytes, &d->cache);
    if (r == 0)
        r = packs_new(options->dir, d->meta, d->pool, options->reserve_bytes, &d->packs);
    if (r == 0) {
        size_t enough = BUFFER_PER_WORKER * (pool_workers(d->pool) + 1);

        d->scratch_max = pool_workers(d->pool) + 2;
        if (d->buffer_bytes > enough)
            d->buffer_bytes = enough;
        r = d->meta->content->pack_adopt(d->meta, size_of, d->packs);
    }
    if (r < 0) {
        release(d);
        return r;
    }
    *ret = d;
    return 0;
}

int data_finish(struct data *d)
{
    pool_wait(d->pool);
    d->finished = true;
    return packs_finish(d->packs);
}

int data_close(struct data *d)
{
    int r;

    if (!d)
        return 0;
    r = d->finished ? 0 : data_finish(d);
    release(d);
    return r;
}

void data_cache_resize(struct data *d, size_t bytes)
{
    cache_resize(d->cache, bytes);
}
