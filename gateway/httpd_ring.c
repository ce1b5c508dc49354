/* SPDX-License-Identifier: Apache-2.0 */
/* Rings: bytes on their way between a polling thread and a worker. */
#include "httpd_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SPARES 4 /* large ones that are kept: making one costs a page fault for each 4 KiB */

static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER;
static void *spare[SPARES];
static unsigned spares;

/* Large ones are mapped: they go back to the system, whatever thread had them. */
static void *map_large(void)
{
    void *p = NULL;

    pthread_mutex_lock(&spare_lock);
    if (spares > 0)
        p = spare[--spares];
    pthread_mutex_unlock(&spare_lock);
    if (p)
        return p;
    p = mmap(NULL, RING_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void unmap_large(void *p)
{
    pthread_mutex_lock(&spare_lock);
    if (spares < SPARES) {
        spare[spares++] = p;
        p = NULL;
    }
    pthread_mutex_unlock(&spare_lock);
    if (p)
        munmap(p, RING_MAX);
}

void ring_free(struct ring *g)
{
    if (g->mapped)
        unmap_large(g->data);
    else
        free(g->data);
    g->data = NULL;
    g->cap = 0;
    g->mapped = false;
}

int ring_alloc(struct ring *g, size_t cap)
{
    bool large = cap > RING_SMALL;

    if (g->cap < cap || g->mapped != large) {
        ring_free(g);
        g->data = large ? map_large() : malloc(cap);
        if (!g->data)
            return -ENOMEM;
        g->mapped = large;
        g->cap = cap;
    }
    atomic_store(&g->in, 0);
    atomic_store(&g->out, 0);
    return 0;
}

char *ring_take(struct ring *g)
{
    char *data = g->data;

    g->data = NULL;
    g->cap = 0;
    return data;
}

size_t ring_there(const struct ring *g)
{
    return (size_t)(atomic_load(&g->in) - atomic_load(&g->out));
}

size_t ring_room(const struct ring *g)
{
    return g->cap - ring_there(g);
}
