/* SPDX-License-Identifier: Apache-2.0 */
/* The feed thread, the notify thread, and the ring of recent changes between them and the requests. */
#include "coherence.h"

#include "fs.h"
#include "notify.h"
#include "pcloud/err.h"
#include "pcloud/log.h"
#include "pcloud/snapshot.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RING 4096u      /* recent changes that requests can look at */
#define QUEUE 4096u     /* notifications that wait for the notify thread */
#define IDLE_MS 30000   /* between two rounds of storing access times */
#define PATIENCE_MS 100 /* of a request for the notify thread: pages may wait for other requests */
#define PASSES 2
static const int64_t pass_ms[PASSES] = {
    20, 500}; /* after which a change is told again, and once more */

struct item {
    int64_t at_ms; /* CLOCK_MONOTONIC */
    uint64_t node, parent;
    unsigned kinds;
    char name[PC_NAME_MAX + 1];
};

struct coherence {
    struct fs *fs;
    struct pc_feed *feed;
    pthread_t feed_thread, notify_thread;
    bool stopped;

    _Atomic uint64_t head;   /* changes seen so far: the feed's position */
    uint64_t passed[PASSES]; /* changes told again so far, by the notify thread */
    int64_t stored_ms;       /* when access times were stored */
    pthread_mutex_t ring_lock;
    struct item *ring; /* of change n at n % RING */

    pthread_mutex_t lock; /* of the queue */
    pthread_cond_t wake, done;
    struct item *queue;
    unsigned first, count;
    uint64_t asked, taken,
        told;         /* notifications that were queued, taken from the queue, and sent */
    bool flood, stop; /* flood: the queue overflowed, all caches are to go */
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void item_set(struct item *i, unsigned kinds, uint64_t node, uint64_t parent,
                     const char *name)
{
    size_t len = name ? strnlen(name, PC_NAME_MAX) : 0;

    i->at_ms = now_ms();
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
    if (i->kinds & PC_CHANGE_ENTRY && i->parent && inodes_known(fs->inodes, i->parent)) {
        notify_entry(fs, i->parent, i->name);
        notify_node(fs, i->parent,
                    false); /* its times and links, also where the kernel had no such name */
    }
    if (i->kinds & (PC_CHANGE_ATTR | PC_CHANGE_DATA | PC_CHANGE_ENTRY) && i->node &&
        inodes_known(fs->inodes, i->node))
        notify_node(fs, i->node, (i->kinds & PC_CHANGE_DATA) != 0);
}

static void doubt_node(void *arg, uint64_t node, unsigned facts)
{
    struct fs *fs = arg;

    (void)facts;
    inodes_doubt(fs->inodes, node, INODE_NO_SUID | INODE_NO_CAPS | INODE_NO_ACL);
}

/* What was known of the nodes that a change concerns is no longer sure. */
static void doubt(struct coherence *c, const struct item *i)
{
    if (i->kinds & PC_CHANGE_LOST)
        (void)inodes_each(c->fs->inodes, doubt_node, c->fs);
    else if (i->node)
        doubt_node(c->fs, i->node, 0);
}

/* One change of somebody else: first into the ring, then to the kernel. */
static void on_change(void *arg, const struct pc_change *change)
{
    struct coherence *c = arg;
    uint64_t n = atomic_load(&c->head), parent = change->parent;
    struct item *i;

    if (change->own && !(change->kinds & PC_CHANGE_LOST))
        return;
    if (parent == pc_snapshots_of(PC_ROOT_INO))
        parent = pc_snapshots_of(c->fs->root); /* a snapshot has its entry at every mount */
    pthread_mutex_lock(&c->ring_lock);
    i = &c->ring[n % RING];
    item_set(i, change->kinds, change->ino, parent, change->name);
    atomic_store(&c->head, n + 1);
    pthread_mutex_unlock(&c->ring_lock);
    doubt(c, i);
    tell(c, i);
    pthread_mutex_lock(&c->lock);
    if (c->passed[0] == n) /* nothing was to be told again: the notify thread waits for long */
        pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
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

/* Its number among all that were queued. */
static uint64_t enqueue(struct coherence *c, const struct item *i)
{
    uint64_t number;

    pthread_mutex_lock(&c->lock);
    number = ++c->asked;
    if (c->count < QUEUE)
        c->queue[(c->first + c->count++) % QUEUE] = *i;
    else
        c->flood = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    return number;
}

/*
 * An answer is not in force when it is written: the program that asked still has to wake up and enter it. Until then the kernel does not know the
 * node (and takes no notification for it), or gives the name a new term after the notification ended the old one. So each change is told again
 * a little later; pages need no second time, for they are locked from the question on.
 */
static bool next_again(struct coherence *c, int64_t now, struct item *ret, int64_t *ret_wait_ms)
{
    uint64_t head = atomic_load(&c->head);

    for (unsigned pass = 0; pass < PASSES; pass++) {
        uint64_t *n = &c->passed[pass];
        int64_t left;

        if (head - *n > RING / 2) /* more than can be told again: the newest half */
            *n = head - RING / 2;
        if (*n == head)
            continue;
        pthread_mutex_lock(&c->ring_lock);
        *ret = c->ring[*n % RING];
        pthread_mutex_unlock(&c->ring_lock);
        left = ret->at_ms + pass_ms[pass] - now;
        if (left <= 0) {
            ++*n;
            ret->kinds &= ~(unsigned)PC_CHANGE_LOST;
            if (ret->kinds & PC_CHANGE_DATA)
                ret->kinds = (ret->kinds & ~(unsigned)PC_CHANGE_DATA) | PC_CHANGE_ATTR;
            return true;
        }
        if (left < *ret_wait_ms)
            *ret_wait_ms = left;
    }
    return false;
}

/* What is to be told next: a request's, a change once more, or nothing. The lock is held. */
static bool next_item(struct coherence *c, struct item *ret, int64_t *ret_wait_ms)
{
    if (c->flood) {
        c->flood = false;
        c->count = 0;
        c->taken = c->asked;
        item_set(ret, PC_CHANGE_LOST, 0, 0, NULL);
        return true;
    }
    if (c->count) {
        *ret = c->queue[c->first];
        c->first = (c->first + 1) % QUEUE;
        c->count--;
        c->taken++;
        return true;
    }
    return next_again(c, now_ms(), ret, ret_wait_ms);
}

static struct timespec in_ms(int64_t ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

static void *notify_main(void *arg)
{
    struct coherence *c = arg;
    struct timespec until;
    struct item i;

    c->stored_ms = now_ms();
    pthread_mutex_lock(&c->lock);
    while (!c->stop) {
        int64_t wait_ms = c->stored_ms + IDLE_MS - now_ms();
        bool found = next_item(c, &i, &wait_ms);

        if (!found && wait_ms > 0) {
            until = in_ms(wait_ms);
            pthread_cond_timedwait(&c->wake, &c->lock, &until);
            continue;
        }
        pthread_mutex_unlock(&c->lock);
        if (found) {
            tell(c, &i);
        } else {
            atimes_store(&c->fs->atimes, c->fs->volume);
            c->stored_ms = now_ms();
        }
        pthread_mutex_lock(&c->lock);
        if (c->told != c->taken) {
            c->told = c->taken;
            pthread_cond_broadcast(&c->done);
        }
    }
    pthread_cond_broadcast(&c->done);
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
        doubt(c, &i);
        (void)enqueue(c, &i);
        return;
    }
    for (uint64_t n = mark; n < head; n++) {
        pthread_mutex_lock(&c->ring_lock);
        hit = concerns(&c->ring[n % RING], want);
        if (hit)
            i = c->ring[n % RING];
        pthread_mutex_unlock(&c->ring_lock);
        if (hit) {
            doubt(c, &i); /* it was learnt from an answer that is older */
            (void)enqueue(c, &i);
        }
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
    (void)enqueue(c, &i);
}

void coherence_drop_pages(struct coherence *c, uint64_t node)
{
    struct timespec until = in_ms(PATIENCE_MS);
    struct item i;
    uint64_t number;

    item_set(&i, PC_CHANGE_ATTR | PC_CHANGE_DATA, node, 0, NULL);
    number = enqueue(c, &i);
    pthread_mutex_lock(&c->lock);
    while (c->told < number && !c->stop)
        if (pthread_cond_timedwait(&c->done, &c->lock, &until) == ETIMEDOUT)
            break;
    pthread_mutex_unlock(&c->lock);
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
    pthread_condattr_t attr;
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
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->wake, &attr);
    pthread_cond_init(&c->done, &attr);
    pthread_condattr_destroy(&attr);
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
    pthread_cond_destroy(&c->done);
    pthread_mutex_destroy(&c->lock);
    pthread_mutex_destroy(&c->ring_lock);
    free(c->queue);
    free(c->ring);
    free(c);
}
