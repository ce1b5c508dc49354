/* SPDX-License-Identifier: Apache-2.0 */
/* Reading packs: a small table of open descriptors. */
#include "data/pack_impl.h"

#include "data/disk.h"
#include "pcloud/err.h"

#include <fcntl.h>
#include <inttypes.h>

void pack_fds_init(struct packs *ps)
{
    pthread_mutex_init(&ps->fd_lock, NULL);
    for (int i = 0; i < PACK_FDS; i++)
        ps->fds[i].fd = -1;
}

void pack_fds_fini(struct packs *ps)
{
    for (int i = 0; i < PACK_FDS; i++)
        if (ps->fds[i].fd >= 0)
            disk()->close(ps->fds[i].fd);
    pthread_mutex_destroy(&ps->fd_lock);
}

static struct pack_fd *find(struct packs *ps, uint64_t id)
{
    for (int i = 0; i < PACK_FDS; i++) {
        struct pack_fd *f = &ps->fds[i];

        if (f->id == id && f->fd >= 0 && !f->gone) {
            f->refs++;
            f->used = ++ps->fd_clock;
            return f;
        }
    }
    return NULL;
}

/* A place for a descriptor: a free one, or the one unused for longest; NULL if all are in use. */
static struct pack_fd *victim(struct packs *ps)
{
    struct pack_fd *best = NULL;

    for (int i = 0; i < PACK_FDS; i++) {
        struct pack_fd *f = &ps->fds[i];

        if (f->fd < 0)
            return f;
        if (f->refs == 0 && (!best || f->used < best->used))
            best = f;
    }
    return best;
}

/* Open pack ${id} and put it into the table. *ret_slot NULL: no place there, the caller closes *ret_fd. */
static int open_fd(struct packs *ps, uint64_t id, struct pack_fd **ret_slot, int *ret_fd)
{
    char path[PACK_PATH_MAX];
    struct pack_fd *f;
    int fd, old = -1, r;

    r = pack_path(ps->dir, id, path, sizeof path);
    if (r < 0)
        return r;
    fd = disk()->open(path, O_RDONLY, 0);
    if (fd == -ENOENT)
        return pc_err_set(PC_ESTALEREF, "pack %016" PRIx64 " is not there", id);
    if (fd < 0)
        return pc_err_set(fd, "cannot open pack %s: %s", path, pc_strerror(fd));
    pthread_mutex_lock(&ps->fd_lock);
    f = find(ps, id);
    if (f) {
        old = fd;
        fd = f->fd;
    } else {
        f = victim(ps);
        if (f) {
            old = f->fd;
            *f = (struct pack_fd){.id = id, .used = ++ps->fd_clock, .fd = fd, .refs = 1};
        }
    }
    pthread_mutex_unlock(&ps->fd_lock);
    if (old >= 0)
        disk()->close(old);
    *ret_slot = f;
    *ret_fd = fd;
    return 0;
}

static void put_fd(struct packs *ps, struct pack_fd *f, int fd)
{
    bool drop = !f;

    if (f) {
        pthread_mutex_lock(&ps->fd_lock);
        drop = --f->refs == 0 && f->gone;
        if (drop)
            *f = (struct pack_fd){.fd = -1};
        pthread_mutex_unlock(&ps->fd_lock);
    }
    if (drop)
        disk()->close(fd);
}

void pack_fd_drop(struct packs *ps, uint64_t id)
{
    struct pack_fd *f;
    int fd;

    pthread_mutex_lock(&ps->fd_lock);
    f = find(ps, id);
    fd = f ? f->fd : -1;
    if (f)
        f->gone = true;
    pthread_mutex_unlock(&ps->fd_lock);
    if (f)
        put_fd(ps, f, fd);
}

/* A descriptor for reading pack ${id}; put_fd gives it back. */
static int get_fd(struct packs *ps, uint64_t id, struct pack_fd **ret_slot, int *ret_fd)
{
    struct pack_fd *f;

    pthread_mutex_lock(&ps->fd_lock);
    f = find(ps, id);
    if (f)
        *ret_fd = f->fd;
    pthread_mutex_unlock(&ps->fd_lock);
    if (!f)
        return open_fd(ps, id, ret_slot, ret_fd);
    *ret_slot = f;
    return 0;
}

void packs_ahead(struct packs *ps, uint64_t id, uint64_t off, uint64_t len)
{
    struct pack_fd *f;
    int fd;

    if (get_fd(ps, id, &f, &fd) < 0)
        return;
    disk()->ahead(fd, off, len);
    put_fd(ps, f, fd);
}

int packs_read(struct packs *ps, uint64_t id, uint64_t off, void *buf, size_t len)
{
    struct pack_fd *f;
    ssize_t n;
    int fd, r = get_fd(ps, id, &f, &fd);

    if (r < 0)
        return r;
    n = disk_read(fd, buf, len, off);
    put_fd(ps, f, fd);
    if (n < 0)
        return pc_err_set((int)n, "cannot read pack %016" PRIx64 " at %" PRIu64 ": %s", id, off,
                          pc_strerror((int)n));
    if ((size_t)n == len)
        return 0;
    if (packs_gone(ps, id)) {
        pack_fd_drop(ps, id);
        return pc_err_set(PC_ESTALEREF, "pack %016" PRIx64 " was removed", id);
    }
    return pc_err_set(PC_ECORRUPT, "pack %016" PRIx64 " ends before byte %" PRIu64, id, off + len);
}

int packs_read_now(struct packs *ps, uint64_t id, uint64_t off, void *buf, size_t len)
{
    struct pack_fd *f;
    int fd = -1, r;

    pthread_mutex_lock(&ps->fd_lock);
    f = find(ps, id);
    if (f)
        fd = f->fd;
    pthread_mutex_unlock(&ps->fd_lock);
    if (!f)
        return -EAGAIN;
    r = disk_read_now(fd, buf, len, off);
    put_fd(ps, f, fd);
    return r;
}
