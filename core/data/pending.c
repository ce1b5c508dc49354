/* SPDX-License-Identifier: Apache-2.0 */
/* The table of recent blocks: sets of four, the oldest replaced. */
#include "data/pending.h"

#include "base/alloc.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define SETS 256
#define WAYS 4

struct set {
    struct meta_block block[WAYS]; /* size 0: none */
    unsigned next;
};

struct pending {
    pthread_mutex_t lock;
    struct set set[SETS];
};

int pending_new(struct pending **ret)
{
    struct pending *p = mem_calloc(1, sizeof *p);

    if (!p)
        return -ENOMEM;
    pthread_mutex_init(&p->lock, NULL);
    *ret = p;
    return 0;
}

void pending_free(struct pending *p)
{
    if (!p)
        return;
    pthread_mutex_destroy(&p->lock);
    mem_free(p);
}

void pending_add(struct pending *p, const struct meta_block *block)
{
    struct set *s = &p->set[block->id[0] % SETS];

    pthread_mutex_lock(&p->lock);
    s->block[s->next++ % WAYS] = *block;
    pthread_mutex_unlock(&p->lock);
}

bool pending_find(struct pending *p, const uint8_t id[META_BLOCK_ID], struct meta_block *ret)
{
    struct set *s = &p->set[id[0] % SETS];
    bool found = false;

    pthread_mutex_lock(&p->lock);
    for (unsigned i = 0; i < WAYS && !found; i++) {
        found = s->block[i].size > 0 && memcmp(s->block[i].id, id, META_BLOCK_ID) == 0;
        if (found)
            *ret = s->block[i];
    }
    pthread_mutex_unlock(&p->lock);
    return found;
}

void pending_drop(struct pending *p, const uint8_t id[META_BLOCK_ID])
{
    struct set *s = &p->set[id[0] % SETS];

    pthread_mutex_lock(&p->lock);
    for (unsigned i = 0; i < WAYS; i++)
        if (memcmp(s->block[i].id, id, META_BLOCK_ID) == 0)
            s->block[i].size = 0;
    pthread_mutex_unlock(&p->lock);
}
