/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds the write lease, and since when: for those who wait, and for who asks from outside. */
#include "meta/share/holder.h"

#include "meta/share/lease.h"
#include "pcloud/err.h"
#include "pcloud/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define AGAIN_MS 60000 /* between two lines of one process */

int holder_patience_ms = 3000;

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void holder_took(struct shm *s, unsigned slot)
{
    atomic_store(&s->head->lease_since, now_ns());
    atomic_store(&s->head->lease_slot, slot + 1);
}

void holder_left(struct shm *s)
{
    atomic_store(&s->head->lease_slot, 0);
}

/* 1 with *ret filled, 0 if nobody says that he has it. */
static int holder_get(const struct shm_head *h, struct meta_holder *ret)
{
    uint32_t slot = atomic_load(&h->lease_slot);
    int64_t since = atomic_load(&h->lease_since);
    struct meta_holder r = {.pid = 0};

    if (slot == 0 || slot > SHM_SLOTS)
        return 0;
    r.pid = atomic_load(&h->slots[slot - 1].pid);
    memcpy(r.program, h->slots[slot - 1].program, sizeof r.program - 1);
    r.held_ms = (now_ns() - since) / 1000000;
    if (atomic_load(&h->lease_slot) != slot || r.pid == 0 || r.held_ms < 0)
        return 0;
    *ret = r;
    return 1;
}

void holder_waited(struct shm *s, struct holder_wait *w, const char *what)
{
    static _Atomic int64_t told; /* by this process */
    int64_t now = now_ns(), last = atomic_load(&told);
    struct meta_holder h;

    if (w->began == 0)
        w->began = now;
    if (now - w->began < (int64_t)holder_patience_ms * 1000000 ||
        (w->told != 0 && now - w->told < (int64_t)AGAIN_MS * 1000000))
        return;
    w->told = now;
    if (last != 0 && now - last < (int64_t)holder_patience_ms * 1000000)
        return; /* another thread said so just now */
    if (!atomic_compare_exchange_strong(&told, &last, now) || holder_get(s->head, &h) == 0)
        return;
    pc_log(PC_LOG_WARN, "meta.wait",
           "%s waits: process %u (%s) has been inside a change of the volume for %lld s; if it is "
           "stopped, continue it with kill -CONT %u",
           what, h.pid, h.program, (long long)(h.held_ms / 1000), h.pid);
}

/* Is byte 0 of the lease file, the lease itself, locked? */
static int is_locked(const char *dir)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    char path[4096];
    int fd, r = 0;

    if (snprintf(path, sizeof path, "%s/lease", dir) >= (int)sizeof path)
        return -ENAMETOOLONG;
    fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fcntl(fd, F_OFD_GETLK, &fl) < 0)
        r = -errno;
    close(fd);
    return r < 0 ? r : fl.l_type != F_UNLCK;
}

int meta_holder(const char *dir, struct meta_holder *ret)
{
    const struct shm_head *h;
    char path[4096];
    struct stat st;
    int fd, r = is_locked(dir);

    if (r <= 0)
        return r;
    if (snprintf(path, sizeof path, "%s/shm", dir) >= (int)sizeof path)
        return -ENAMETOOLONG;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    r = fstat(fd, &st) < 0 ? -errno : 0;
    if (r < 0 || st.st_size < (off_t)sizeof *h)
        goto close_fd;
    h = mmap(NULL, sizeof *h, PROT_READ, MAP_SHARED, fd, 0);
    if (h == MAP_FAILED) {
        r = -errno;
        goto close_fd;
    }
    r = h->version == SHM_VERSION ? holder_get(h, ret) : 0;
    munmap((void *)(uintptr_t)h, sizeof *h);
close_fd:
    close(fd);
    return r;
}
