/* SPDX-License-Identifier: Apache-2.0 */
/* Lookup counts in a table of shards, each open addressing under its own mutex. */
#include "inodes.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define SHARDS 64
#define SHARD_MIN 64 /* slots of an empty shard */

struct slot {
    uint64_t node; /* 0: free */
    uint64_t lookups;
    unsigned facts;
};

struct shard {
    pthread_mutex_t lock;
    struct slot *slots;
    size_t cap, used; /* cap is a power of two, used at most three quarters of it */
} __attribute__((aligned(64)));

struct inodes {
    struct shard shards[SHARDS];
};

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    return x;
}

static struct shard *shard_of(struct inodes *t, uint64_t node)
{
    return &t->shards[mix(node) >> 58];
}

/* The slot of the node, or the free one where it belongs. */
static struct slot *shard_find(const struct shard *s, uint64_t node)
{
    size_t i = mix(node) & (s->cap - 1);

    while (s->slots[i].node && s->slots[i].node != node)
        i = (i + 1) & (s->cap - 1);
    return &s->slots[i];
}

static int shard_resize(struct shard *s, size_t cap)
{
    struct shard bigger = {.slots = calloc(cap, sizeof(struct slot)), .cap = cap};

    if (!bigger.slots)
        return -ENOMEM;
    for (size_t i = 0; i < s->cap; i++)
        if (s->slots[i].node)
            *shard_find(&bigger, s->slots[i].node) = s->slots[i];
    free(s->slots);
    s->slots = bigger.slots;
    s->cap = cap;
    return 0;
}

/* Remove and close the gap, so that every search still ends at a free slot. */
static void shard_remove(struct shard *s, struct slot *slot)
{
    size_t mask = s->cap - 1, hole = (size_t)(slot - s->slots), i = hole;

    for (;;) {
        size_t home;

        i = (i + 1) & mask;
        if (!s->slots[i].node)
            break;
        home = mix(s->slots[i].node) & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            s->slots[hole] = s->slots[i];
            hole = i;
        }
    }
    s->slots[hole] = (struct slot){.node = 0};
    s->used--;
    if (s->cap > SHARD_MIN && s->used < s->cap / 8)
        (void)shard_resize(s, s->cap / 2);
}

struct inodes *inodes_new(void)
{
    struct inodes *t = aligned_alloc(64, sizeof(*t));

    if (!t)
        return NULL;
    for (size_t i = 0; i < SHARDS; i++) {
        t->shards[i] = (struct shard){.cap = 0};
        pthread_mutex_init(&t->shards[i].lock, NULL);
        if (shard_resize(&t->shards[i], SHARD_MIN) < 0) {
            while (i-- > 0)
                free(t->shards[i].slots);
            free(t);
            return NULL;
        }
    }
    return t;
}

void inodes_free(struct inodes *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        free(t->shards[i].slots);
        pthread_mutex_destroy(&t->shards[i].lock);
    }
    free(t);
}

int inodes_ref(struct inodes *t, uint64_t node, unsigned facts)
{
    struct shard *s = shard_of(t, node);
    struct slot *slot;
    int r = 0;

    pthread_mutex_lock(&s->lock);
    if (s->used + 1 > s->cap / 4 * 3)
        r = shard_resize(s, s->cap * 2);
    slot = r < 0 ? NULL : shard_find(s, node);
    if (slot && slot->node) {
        slot->lookups++;
    } else if (slot) {
        *slot = (struct slot){.node = node, .lookups = 1, .facts = facts};
        s->used++;
    }
    pthread_mutex_unlock(&s->lock);
    return r;
}

void inodes_unref(struct inodes *t, uint64_t node, uint64_t n)
{
    struct shard *s = shard_of(t, node);
    struct slot *slot;

    pthread_mutex_lock(&s->lock);
    slot = shard_find(s, node);
    if (slot->node) {
        slot->lookups -= n < slot->lookups ? n : slot->lookups;
        if (slot->lookups == 0)
            shard_remove(s, slot);
    }
    pthread_mutex_unlock(&s->lock);
}

bool inodes_known(struct inodes *t, uint64_t node)
{
    struct shard *s = shard_of(t, node);
    bool known;

    pthread_mutex_lock(&s->lock);
    known = shard_find(s, node)->node != 0;
    pthread_mutex_unlock(&s->lock);
    return known;
}

unsigned inodes_facts(struct inodes *t, uint64_t node)
{
    struct shard *s = shard_of(t, node);
    unsigned facts;

    pthread_mutex_lock(&s->lock);
    facts = shard_find(s, node)->facts;
    pthread_mutex_unlock(&s->lock);
    return facts;
}

static void change_facts(struct inodes *t, uint64_t node, unsigned set, unsigned clear)
{
    struct shard *s = shard_of(t, node);
    struct slot *slot;

    pthread_mutex_lock(&s->lock);
    slot = shard_find(s, node);
    if (slot->node)
        slot->facts = (slot->facts | set) & ~clear;
    pthread_mutex_unlock(&s->lock);
}

void inodes_learn(struct inodes *t, uint64_t node, unsigned facts)
{
    change_facts(t, node, facts, 0);
}

void inodes_doubt(struct inodes *t, uint64_t node, unsigned facts)
{
    change_facts(t, node, 0, facts);
}

int inodes_each(struct inodes *t, void (*fn)(void *arg, uint64_t node, unsigned facts), void *arg)
{
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *s = &t->shards[i];
        struct slot *copy;
        size_t n = 0;

        pthread_mutex_lock(&s->lock);
        copy = malloc((s->used + 1) * sizeof(*copy));
        for (size_t j = 0; copy && j < s->cap; j++)
            if (s->slots[j].node)
                copy[n++] = s->slots[j];
        pthread_mutex_unlock(&s->lock);
        if (!copy)
            return -ENOMEM;
        for (size_t j = 0; j < n; j++)
            fn(arg, copy[j].node, copy[j].facts);
        free(copy);
    }
    return 0;
}
