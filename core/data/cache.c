/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of segments: shards, each a hash table and a queue with SIEVE's hand. */
#include "data/cache.h"

#include "base/alloc.h"
#include "pcloud/counter.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define SHARDS_MAX 16
#define SHARD_BYTES (1u << 20) /* the least that makes a shard of its own worth while */
#define BUCKETS 1024

/*
 * SIEVE (Zhang et al., NSDI 2024): entries queue by age; a hit only marks. To make room a hand goes from old to new: it unmarks what is marked, and
 * drops the first that is not. New entries nobody asks for again go first, so that a scan does not empty the cache.
 */
struct shard {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct cache_entry *bucket[BUCKETS];
    struct cache_entry *newest, *oldest, *hand;
    size_t bytes, max;
};

struct cache {
    unsigned shards;
    struct shard shard[SHARDS_MAX];
};

int cache_new(size_t bytes, struct cache **ret)
{
    struct cache *c = mem_calloc(1, sizeof *c);

    if (!c)
        return -ENOMEM;
    c->shards = (unsigned)(bytes / SHARD_BYTES < SHARDS_MAX ? bytes / SHARD_BYTES : SHARDS_MAX);
    if (c->shards == 0)
        c->shards = 1;
    for (unsigned i = 0; i < c->shards; i++) {
        pthread_mutex_init(&c->shard[i].lock, NULL);
        pthread_cond_init(&c->shard[i].filled, NULL);
        c->shard[i].max = bytes / c->shards;
    }
    *ret = c;
    return 0;
}

static size_t cost(const struct cache_entry *e)
{
    return sizeof *e + e->len;
}

/* Ids are keyed hashes: any of their bytes will do. */
static struct shard *shard_of(struct cache *c, const uint8_t *id, uint32_t index)
{
    return &c->shard[(id[0] + index) % c->shards];
}

static struct cache_entry **bucket_of(struct shard *s, const uint8_t *id, uint32_t index)
{
    uint32_t h = (uint32_t)id[1] | (uint32_t)id[2] << 8;

    return &s->bucket[(h ^ index * 2654435761u >> 12) % BUCKETS];
}

static struct cache_entry **find(struct shard *s, const uint8_t *id, uint32_t index)
{
    struct cache_entry **at = bucket_of(s, id, index);

    while (*at && ((*at)->index != index || memcmp((*at)->id, id, META_BLOCK_ID) != 0))
        at = &(*at)->hash_next;
    return at;
}

/* Take out of hash table and queue; those who hold it keep it. */
static void detach(struct shard *s, struct cache_entry *e)
{
    struct cache_entry **at = bucket_of(s, e->id, e->index);

    while (*at && *at != e)
        at = &(*at)->hash_next;
    if (!*at)
        return;
    *at = e->hash_next;
    if (s->hand == e)
        s->hand = e->newer;
    *(e->newer ? &e->newer->older : &s->newest) = e->older;
    *(e->older ? &e->older->newer : &s->oldest) = e->newer;
    s->bytes -= cost(e);
    e->failed = true;
}

static void unref(struct cache_entry *e)
{
    if (--e->refs == 0)
        mem_free(e);
}

static bool evict_one(struct shard *s)
{
    struct cache_entry *e = s->hand ? s->hand : s->oldest;

    /* Once around to unmark, once more to find. */
    for (int round = 0; round < 3;) {
        if (!e) {
            e = s->oldest;
            round++;
            if (!e)
                return false;
        }
        if (e->refs == 1 && e->ready && !e->used) {
            s->hand = e->newer;
            detach(s, e);
            unref(e);
            return true;
        }
        e->used = e->used && e->refs > 1;
        e = e->newer;
    }
    return false;
}

/* A new entry in the table and at the end of the queue: one reference is the table's, one the caller's. */
static struct cache_entry *make(struct shard *s, const uint8_t *id, uint32_t index, uint32_t len)
{
    struct cache_entry *e;
    struct cache_entry **at;

    if (sizeof *e + len > s->max)
        return NULL;
    while (s->bytes + sizeof *e + len > s->max)
        if (!evict_one(s))
            return NULL;
    e = mem_alloc(sizeof *e + len);
    if (!e)
        return NULL;
    memset(e, 0, sizeof *e);
    memcpy(e->id, id, META_BLOCK_ID);
    e->index = index;
    e->len = len;
    e->refs = 2;
    at = bucket_of(s, id, index);
    e->hash_next = *at;
    *at = e;
    e->older = s->newest;
    *(s->newest ? &s->newest->newer : &s->oldest) = e;
    s->newest = e;
    s->bytes += cost(e);
    return e;
}

enum cache_result cache_get(struct cache *c, const uint8_t id[META_BLOCK_ID], uint32_t index,
                            uint32_t len, enum cache_mode mode, struct cache_entry **ret)
{
    struct shard *s = shard_of(c, id, index);
    enum cache_result result = CACHE_NONE;
    struct cache_entry *e;

    pthread_mutex_lock(&s->lock);
    for (;;) {
        e = *find(s, id, index);
        if (!e) {
            e = mode == CACHE_LOOK || mode == CACHE_NOW ? NULL : make(s, id, index, len);
            result = e ? CACHE_FILL : CACHE_NONE;
            break;
        }
        if (mode == CACHE_PREFETCH || e->len != len || (mode == CACHE_NOW && !e->ready))
            break;
        e->refs++;
        while (!e->ready && !e->failed)
            pthread_cond_wait(&s->filled, &s->lock);
        if (!e->failed) {
            e->used = true;
            result = CACHE_READY;
            break;
        }
        unref(e);
    }
    pthread_mutex_unlock(&s->lock);
    if (mode != CACHE_PREFETCH)
        pc_counter_add(result == CACHE_READY ? PC_COUNTER_CACHE_HIT : PC_COUNTER_CACHE_MISS, 1);
    if (result != CACHE_NONE)
        *ret = e;
    return result;
}

void cache_filled(struct cache *c, struct cache_entry *e, bool ok)
{
    struct shard *s = shard_of(c, e->id, e->index);

    pthread_mutex_lock(&s->lock);
    if (ok) {
        e->ready = true;
    } else {
        detach(s, e);
        unref(e);
    }
    pthread_cond_broadcast(&s->filled);
    pthread_mutex_unlock(&s->lock);
}

void cache_put(struct cache *c, struct cache_entry *e)
{
    struct shard *s = shard_of(c, e->id, e->index);

    pthread_mutex_lock(&s->lock);
    unref(e);
    pthread_mutex_unlock(&s->lock);
}

void cache_drop(struct cache *c, struct cache_entry *e)
{
    struct shard *s = shard_of(c, e->id, e->index);

    pthread_mutex_lock(&s->lock);
    if (!e->failed) {
        detach(s, e);
        unref(e);
    }
    unref(e);
    pthread_mutex_unlock(&s->lock);
}

void cache_resize(struct cache *c, size_t bytes)
{
    for (unsigned i = 0; i < c->shards; i++) {
        struct shard *s = &c->shard[i];

        pthread_mutex_lock(&s->lock);
        s->max = bytes / c->shards;
        while (s->bytes > s->max && evict_one(s))
            ;
        pthread_mutex_unlock(&s->lock);
    }
}

size_t cache_bytes(struct cache *c)
{
    size_t sum = 0;

    for (unsigned i = 0; i < c->shards; i++) {
        pthread_mutex_lock(&c->shard[i].lock);
        sum += c->shard[i].bytes;
        pthread_mutex_unlock(&c->shard[i].lock);
    }
    return sum;
}

void cache_free(struct cache *c)
{
    if (!c)
        return;
    cache_resize(c, 0);
    for (unsigned i = 0; i < c->shards; i++) {
        pthread_cond_destroy(&c->shard[i].filled);
        pthread_mutex_destroy(&c->shard[i].lock);
    }
    mem_free(c);
}
