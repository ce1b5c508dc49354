/* SPDX-License-Identifier: Apache-2.0 */
/* Open files, found by number for their own requests and by node for everybody's attributes. */
#include "handles.h"

#include "pcloud/err.h"

#include <fcntl.h>
#include <stdlib.h>

#define HANDLE_MAGIC 0x70634668u

struct handle {
    uint32_t magic;
    int flags;
    _Atomic unsigned refs;
    atomic_flag read_before;
    uint64_t node;
    struct pc_file *file;
    struct handle *next, **back; /* in its bucket */
};

static unsigned bucket_of(uint64_t node)
{
    return (unsigned)(node * 0x9e3779b97f4a7c15ULL >> 56);
}

void handles_init(struct handles *t)
{
    for (size_t i = 0; i < HANDLE_BUCKETS; i++) {
        pthread_mutex_init(&t->locks[i], NULL);
        t->buckets[i] = NULL;
    }
    atomic_init(&t->writers, 0);
}

bool handle_can_write(const struct handle *h)
{
    return (h->flags & O_ACCMODE) != O_RDONLY;
}

static int handle_put(struct handle *h)
{
    int r = 0;

    if (atomic_fetch_sub(&h->refs, 1) == 1) {
        r = pc_file_close(h->file);
        h->magic = 0;
        free(h);
    }
    return r;
}

int handle_open(struct handles *t, struct pc_volume *v, uint64_t node, int flags,
                struct handle **ret)
{
    unsigned b = bucket_of(node);
    struct handle *h = malloc(sizeof(*h));
    int r;

    if (!h)
        return -ENOMEM;
    *h = (struct handle){.magic = HANDLE_MAGIC, .flags = flags, .node = node};
    atomic_init(&h->refs, 1);
    atomic_flag_clear(&h->read_before);
    r = pc_file_open(v, node, flags, &h->file);
    if (r < 0) {
        free(h);
        return r;
    }
    pthread_mutex_lock(&t->locks[b]);
    h->back = &t->buckets[b];
    h->next = t->buckets[b];
    if (h->next)
        h->next->back = &h->next;
    t->buckets[b] = h;
    pthread_mutex_unlock(&t->locks[b]);
    if (handle_can_write(h))
        atomic_fetch_add(&t->writers, 1);
    *ret = h;
    return 0;
}

int handle_close(struct handles *t, struct handle *h)
{
    unsigned b = bucket_of(h->node);

    if (handle_can_write(h))
        atomic_fetch_sub(&t->writers, 1);
    pthread_mutex_lock(&t->locks[b]);
    *h->back = h->next;
    if (h->next)
        h->next->back = h->back;
    pthread_mutex_unlock(&t->locks[b]);
    return handle_put(h);
}

int handles_close_all(struct handles *t)
{
    int first = 0;

    for (size_t i = 0; i < HANDLE_BUCKETS; i++) {
        while (t->buckets[i]) {
            int r = handle_close(t, t->buckets[i]);

            if (r < 0 && first == 0)
                first = r;
        }
        pthread_mutex_destroy(&t->locks[i]);
    }
    return first;
}

uint64_t handle_fh(const struct handle *h)
{
    return (uint64_t)(uintptr_t)h;
}

struct handle *handle_of(uint64_t fh)
{
    struct handle *h = (struct handle *)(uintptr_t)fh;

    return h && h->magic == HANDLE_MAGIC ? h : NULL;
}

struct pc_file *handle_file(const struct handle *h)
{
    return h->file;
}

uint64_t handle_node(const struct handle *h)
{
    return h->node;
}

bool handle_first_read(struct handle *h)
{
    return !atomic_flag_test_and_set(&h->read_before);
}

/* A handle that writes to the node, borrowed: give back with handle_put. */
static struct handle *borrow_writer(struct handles *t, uint64_t node)
{
    unsigned b = bucket_of(node);
    struct handle *h;

    if (atomic_load(&t->writers) == 0)
        return NULL;
    pthread_mutex_lock(&t->locks[b]);
    for (h = t->buckets[b]; h; h = h->next)
        if (h->node == node && handle_can_write(h))
            break;
    if (h)
        atomic_fetch_add(&h->refs, 1);
    pthread_mutex_unlock(&t->locks[b]);
    return h;
}

int handles_attr(struct handles *t, uint64_t node, struct pc_attr *attr)
{
    struct handle *h = borrow_writer(t, node);
    int r;

    if (!h)
        return 0;
    r = pc_file_attr(h->file, attr);
    (void)handle_put(h);
    return r < 0 ? r : 1;
}

bool handles_written(struct handles *t, uint64_t node)
{
    struct handle *h = borrow_writer(t, node);

    if (h)
        (void)handle_put(h);
    return h != NULL;
}
