/* SPDX-License-Identifier: Apache-2.0 */
/* The table of access times that are not stored yet. */
#include "atime.h"

#include "pcloud/snapshot.h"

#include <string.h>
#include <time.h>

#define PATIENCE 86400 /* seconds after which an access time is renewed whatever else happened */

void atimes_init(struct atimes *t)
{
    pthread_mutex_init(&t->lock, NULL);
    atomic_init(&t->used, 0);
    memset(t->slots, 0, sizeof(t->slots));
}

static bool not_after(struct timespec a, struct timespec b)
{
    return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec <= b.tv_nsec);
}

/* One place a node: a collision is stored at once instead. */
static size_t slot_of(uint64_t node)
{
    return (size_t)(node * 0x9e3779b97f4a7c15ULL >> 52) % ATIME_SLOTS;
}

static void store(struct pc_volume *v, uint64_t node, struct timespec at)
{
    struct pc_attr in = {.atime = at};

    /* A node that is gone meanwhile has no access time: no error. */
    (void)pc_setattr(v, node, PC_SET_ATIME | PC_SET_KEEP_CTIME, &in, NULL);
}

void atimes_read(struct atimes *t, struct pc_volume *v, uint64_t node, bool strict)
{
    size_t i = slot_of(node);
    struct pc_attr attr;
    struct timespec now, old_at;
    uint64_t old;

    if (pc_is_snapshot(node) || pc_getattr(v, node, &attr) < 0)
        return;
    atimes_show(t, &attr);
    clock_gettime(CLOCK_REALTIME, &now);
    if (!strict && !not_after(attr.atime, attr.mtime) && !not_after(attr.atime, attr.ctime) &&
        now.tv_sec - attr.atime.tv_sec < PATIENCE)
        return;
    pthread_mutex_lock(&t->lock);
    old = t->slots[i].node;
    old_at = t->slots[i].at;
    t->slots[i].node = node;
    t->slots[i].at = now;
    if (!old)
        atomic_fetch_add(&t->used, 1);
    pthread_mutex_unlock(&t->lock);
    if (old && old != node)
        store(v, old, old_at);
}

void atimes_show(struct atimes *t, struct pc_attr *attr)
{
    size_t i = slot_of(attr->ino);

    if (atomic_load_explicit(&t->used, memory_order_relaxed) == 0)
        return;
    pthread_mutex_lock(&t->lock);
    if (t->slots[i].node == attr->ino && not_after(attr->atime, t->slots[i].at))
        attr->atime = t->slots[i].at;
    pthread_mutex_unlock(&t->lock);
}

void atimes_forget(struct atimes *t, uint64_t node)
{
    size_t i = slot_of(node);

    if (atomic_load_explicit(&t->used, memory_order_relaxed) == 0)
        return;
    pthread_mutex_lock(&t->lock);
    if (t->slots[i].node == node) {
        t->slots[i].node = 0;
        atomic_fetch_sub(&t->used, 1);
    }
    pthread_mutex_unlock(&t->lock);
}

void atimes_store(struct atimes *t, struct pc_volume *v)
{
    for (size_t i = 0; i < ATIME_SLOTS && atomic_load(&t->used); i++) {
        uint64_t node;
        struct timespec at;

        pthread_mutex_lock(&t->lock);
        node = t->slots[i].node;
        at = t->slots[i].at;
        pthread_mutex_unlock(&t->lock);
        if (!node)
            continue;
        store(v, node, at);
        pthread_mutex_lock(&t->lock);
        if (t->slots[i].node == node && t->slots[i].at.tv_sec == at.tv_sec &&
            t->slots[i].at.tv_nsec == at.tv_nsec) {
            t->slots[i].node = 0;
            atomic_fetch_sub(&t->used, 1);
        }
        pthread_mutex_unlock(&t->lock);
    }
}
