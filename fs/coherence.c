/* SPDX-License-Identifier: Apache-2.0 */
/* The feed thread, the notify thread, and the ring of recent changes between them and the requests. */
#include "coherence.h"

#include "fs.h"
#include "notify.h"
#include "pcloud/err.h"
#include "pcloud/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RING 1024u  /* recent changes that requests can look at */
#define QUEUE 4096u /* notifications that wait for the notify thread */
#define IDLE_SECONDS 30

struct item {
    uint64_t node, parent;
    unsigned kinds;
    char name[PC_NAME_MAX + 1];
};

struct coherence {
    struct fs *fs;
    struct pc_feed *feed;
    pthread_t feed_thread, notify_thread;
    bool stopped;

    _Atomic uint64_t head; /* changes seen so far: the feed's position */
    pthread_mutex_t ring_lock;
    struct item *ring; /* of change n at n % RING */

    pthread_mutex_t lock; /* of the queue */
    pthread_cond_t wake;
    struct item *queue;
    unsigned first, count;
    bool flood, stop; /* flood: the queue overflowed, all caches are to go */
};

static void item_set(struct item *i, unsigned kinds, uint64_t node, uint64_t parent,
                     const char *name)
{
    size_t len = name ? strnlen(name, PC_NAME_MAX) : 0;

    i->kinds = kinds;
    i->node = node;
    i->parent = parent;
    if (len)
        memcpy(i->name, name, len);
    i->name[len] = '\0';
}

/* Tell the kernel. Only ever from the two threads of this file. */
static void tell(struct coherence *c, const struct item *i)
{
    struct fs *fs = c->fs;

    if (i->kinds & PC_CHANGE_LOST) {
        notify_everything(fs);
        return;
    }
    if (i->kinds & PC_CHANGE_ENTRY && i->parent && inodes_known(fs->inodes, i->parent))
        notify_entry(fs, i->parent, i->name);
    if (i->kinds & (PC_CHANGE_ATTR | PC_CHANGE_DATA | PC_CHANGE_ENTRY) && i->node &&
        inodes_known(fs->inodes, i->node))
        notify_node(fs, i->node, (i->kinds & PC_CHANGE_DATA) != 0);
}

/* One change of somebody else: first into the ring, then to the kernel. */
static void on_change(void *arg, const struct pc_change *change)
{
    struct coherence *c = arg;
    uint64_t n = atomic_load(&c->head);
    struct item *i;

    if (change->own && !(change->kinds & PC_CHANGE_LOST))
        return;
    pthread_mutex_lock(&c->ring_lock);
    i = &c->ring[n % RING];
    item_set(i, change->kinds, change->ino, change->parent, change->name);
    atomic_store(&c->head, n + 1);
    pthread_mutex_unlock(&c->ring_lock);
    if (change->ino)
        inodes_doubt(c->fs->inodes, change->ino, INODE_NO_SUID | INODE_NO_CAPS);
    tell(c, i);
}

static void *feed_main(void *arg)
{
    struct coherence *c = arg;
    int r;

    do {
        r = pc_feed_wait(c->feed, -1, on_change, c);
        if (r < 0 && r != -ECANCELED)
            pc_log(PC_LOG_ERROR, "feed", "changes of others are no longer seen: %s",
                   pc_err_text(r));
    } while (r >= 0);
    return NULL;
}

static void enqueue(struct coherence *c, const struct item *i)
{
    pthread_mutex_lock(&c->lock);
    if (c->count < QUEUE)
        c->queue[(c->first + c->count++) % QUEUE] = *i;
    else
        c->flood = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

/* Nothing to tell: wait, and now and then store the access times. The lock is held, but not while storing. */
static void idle(struct coherence *c)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += IDLE_SECONDS;
    if (pthread_cond_timedwait(&c->wake, &c->lock, &until) != ETIMEDOUT)
        return;
    pthread_mutex_unlock(&c->lock);
    atimes_store(&c->fs->atimes, c->fs->volume);
    pthread_mutex_lock(&c->lock);
}

static void *notify_main(void *arg)
{
    struct coherence *c = arg;
    struct item i;

    pthread_mutex_lock(&c->lock);
    while (!c->stop) {
        if (c->flood) {
            c->flood = false;
            c->count = 0;
            item_set(&i, PC_CHANGE_LOST, 0, 0, NULL);
        } else if (c->count) {
            i = c->queue[c->first];
            c->first = (c->first + 1) % QUEUE;
            c->count--;
        } else {
            idle(c);
            continue;
        }
        pthread_mutex_unlock(&c->lock);
        tell(c, &i);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

uint64_t coherence_mark(struct coherence *c)
{
    return atomic_load(&c->head);
}

/* Which changes concern a request. */
struct interest {
    uint64_t node, parent;
    const char *name; /* NULL: every name of the parent, and every node */
};

static bool concerns(const struct item *i, const struct interest *want)
{
    if (i->kinds & PC_CHANGE_LOST)
        return true;
    if (want->parent && !want->name)
        return true;
    if (want->node && i->node == want->node)
        return true;
    return want->parent && i->parent == want->parent && strcmp(i->name, want->name) == 0;
}

static void check(struct coherence *c, uint64_t mark, const struct interest *want)
{
    uint64_t head = atomic_load(&c->head);
    struct item i;
    bool hit;

    if (head == mark)
        return;
    if (head - mark >= RING) {
        item_set(&i, PC_CHANGE_LOST, 0, 0, NULL);
        enqueue(c, &i);
        return;
    }
    for (uint64_t n = mark; n < head; n++) {
        pthread_mutex_lock(&c->ring_lock);
        hit = concerns(&c->ring[n % RING], want);
        if (hit)
            i = c->ring[n % RING];
        pthread_mutex_unlock(&c->ring_lock);
        if (hit)
            enqueue(c, &i);
    }
}

void coherence_check(struct coherence *c, uint64_t mark, uint64_t node)
{
    check(c, mark, &(struct interest){.node = node});
}

void coherence_check_name(struct coherence *c, uint64_t mark, uint64_t parent, const char *name,
                          uint64_t node)
{
    check(c, mark, &(struct interest){.node = node, .parent = parent, .name = name});
}

void coherence_check_folder(struct coherence *c, uint64_t mark, uint64_t parent)
{
    check(c, mark, &(struct interest){.parent = parent});
}

void coherence_drop(struct coherence *c, uint64_t node, bool data)
{
    struct item i;

    item_set(&i, data ? PC_CHANGE_ATTR | PC_CHANGE_DATA : PC_CHANGE_ATTR, node, 0, NULL);
    enqueue(c, &i);
}

static int start_threads(struct coherence *c)
{
    int r = pthread_create(&c->feed_thread, NULL, feed_main, c);

    if (r != 0)
        return -r;
    r = pthread_create(&c->notify_thread, NULL, notify_main, c);
    if (r == 0)
        return 0;
    pc_feed_wake(c->feed);
    pthread_join(c->feed_thread, NULL);
    return -r;
}

int coherence_start(struct fs *fs, struct coherence **ret)
{
    struct coherence *c = calloc(1, sizeof(*c));
    int r = -ENOMEM;

    if (!c)
        return r;
    c->fs = fs;
    c->ring = calloc(RING, sizeof(*c->ring));
    c->queue = calloc(QUEUE, sizeof(*c->queue));
    if (!c->ring || !c->queue)
        goto free_memory;
    pthread_mutex_init(&c->ring_lock, NULL);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->wake, NULL);
    r = pc_feed_open(fs->volume, &c->feed);
    if (r < 0)
        goto free_memory;
    r = start_threads(c);
    if (r < 0)
        goto close_feed;
    *ret = c;
    return 0;

close_feed:
    pc_feed_close(c->feed);
free_memory:
    free(c->queue);
    free(c->ring);
    free(c);
    return r;
}

void coherence_stop(struct coherence *c)
{
    if (!c || c->stopped)
        return;
    c->stopped = true;
    pc_feed_wake(c->feed);
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->feed_thread, NULL);
    pthread_join(c->notify_thread, NULL);
}

void coherence_free(struct coherence *c)
{
    if (!c)
        return;
    coherence_stop(c);
    pc_feed_close(c->feed);
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
    pthread_mutex_destroy(&c->ring_lock);
    free(c->queue);
    free(c->ring);
    free(c);
}
