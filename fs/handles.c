/* SPDX-License-Identifier: Apache-2.0 */
/* Open files and folders, listed so that none is left behind at the end. */
#include "handles.h"

#include "pcloud/err.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>

#define HANDLE_MAGIC 0x70634668u

struct handle {
    uint32_t magic;
    int flags;
    atomic_flag read_before;
    uint64_t node;
    struct pc_volume *volume;
    struct pc_file *file; /* NULL: a folder */
    struct pc_dir *dir;
    pthread_mutex_t dir_lock;    /* of the position in dir */
    struct handle *next, **back; /* in the list */
};

void handles_init(struct handles *t)
{
    pthread_mutex_init(&t->lock, NULL);
    t->first = NULL;
}

static struct handle *handle_new(struct pc_volume *v, uint64_t node, int flags)
{
    struct handle *h = malloc(sizeof(*h));

    if (!h)
        return NULL;
    *h = (struct handle){.magic = HANDLE_MAGIC, .flags = flags, .node = node, .volume = v};
    atomic_flag_clear(&h->read_before);
    return h;
}

static void enlist(struct handles *t, struct handle *h)
{
    pthread_mutex_lock(&t->lock);
    h->back = &t->first;
    h->next = t->first;
    if (h->next)
        h->next->back = &h->next;
    t->first = h;
    pthread_mutex_unlock(&t->lock);
}

int handle_open(struct handles *t, struct pc_volume *v, uint64_t node, int flags,
                struct handle **ret)
{
    struct handle *h = handle_new(v, node, flags);
    int r;

    if (!h)
        return -ENOMEM;
    r = pc_file_open(v, node, flags, &h->file);
    if (r < 0) {
        free(h);
        return r;
    }
    enlist(t, h);
    *ret = h;
    return 0;
}

int handle_make(struct handles *t, struct pc_volume *v, uint64_t parent, const char *name,
                const struct pc_make *make, int flags, struct pc_attr *attr, struct handle **ret)
{
    struct handle *h = handle_new(v, 0, flags);
    int r;

    if (!h)
        return -ENOMEM;
    r = pc_file_make(v, parent, name, make, flags, attr, &h->file);
    if (r < 0) {
        free(h);
        return r;
    }
    h->node = attr->ino;
    enlist(t, h);
    *ret = h;
    return 0;
}

int handle_open_dir(struct handles *t, struct pc_volume *v, uint64_t node, struct handle **ret)
{
    struct handle *h = handle_new(v, node, O_RDONLY | O_DIRECTORY);
    int r;

    if (!h)
        return -ENOMEM;
    r = pc_node_hold(v, node);
    if (r < 0)
        goto free_handle;
    r = pc_dir_open(v, node, &h->dir);
    if (r < 0)
        goto drop_node;
    pthread_mutex_init(&h->dir_lock, NULL);
    enlist(t, h);
    *ret = h;
    return 0;

drop_node:
    pc_node_drop(v, node);
free_handle:
    free(h);
    return r;
}

int handle_close(struct handles *t, struct handle *h)
{
    int r = 0;

    pthread_mutex_lock(&t->lock);
    *h->back = h->next;
    if (h->next)
        h->next->back = h->back;
    pthread_mutex_unlock(&t->lock);
    if (h->dir) {
        pc_dir_close(h->dir);
        pc_node_drop(h->volume, h->node);
        pthread_mutex_destroy(&h->dir_lock);
    } else {
        r = pc_file_close(h->file);
    }
    h->magic = 0;
    free(h);
    return r;
}

int handles_close_all(struct handles *t)
{
    int first = 0;

    while (t->first) {
        int r = handle_close(t, t->first);

        if (r < 0 && first == 0)
            first = r;
    }
    pthread_mutex_destroy(&t->lock);
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

struct pc_dir *handle_dir_lock(struct handle *h)
{
    pthread_mutex_lock(&h->dir_lock);
    return h->dir;
}

void handle_dir_unlock(struct handle *h)
{
    pthread_mutex_unlock(&h->dir_lock);
}

uint64_t handle_node(const struct handle *h)
{
    return h->node;
}

bool handle_can_write(const struct handle *h)
{
    return (h->flags & O_ACCMODE) != O_RDONLY;
}

bool handle_first_read(struct handle *h)
{
    return !atomic_flag_test_and_set(&h->read_before);
}
