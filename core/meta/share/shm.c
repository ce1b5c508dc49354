/* SPDX-License-Identifier: Apache-2.0 */
/* What the sessions of one home tell each other in memory: marks, counters, pins and holds. */
#include "meta/share/shm.h"

#include "pcloud/err.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define HEAD_BYTES 8192
#define HOLD_BYTES (SHM_HOLDS * sizeof(uint16_t))
#define SHM_BYTES (HEAD_BYTES + SHM_SLOTS * HOLD_BYTES)

static const char magic[8] = "pcshm\n";

_Static_assert(sizeof(struct shm_head) <= HEAD_BYTES, "the head fits");
_Static_assert(sizeof(struct shm_slot) == 64, "a slot is a cache line");

/* Writing to a hole of a mapped file on a full disk would kill the process: have the room first. */
static int take_room(int fd, off_t off, off_t len)
{
    int err;

    do
        err = posix_fallocate(fd, off, len);
    while (err == EINTR);
    return -err;
}

static int prepare(int fd, bool fresh)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size != (off_t)SHM_BYTES) {
        if (!fresh)
            return PC_EVERSION;
        if (ftruncate(fd, (off_t)SHM_BYTES) < 0)
            return -errno;
    }
    return take_room(fd, 0, HEAD_BYTES);
}

int shm_open_at(const char *path, bool fresh, struct shm *ret)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), r;
    struct shm s = {.fd = fd};
    void *map;

    if (fd < 0)
        return pc_err_wrap(-errno, "%s: ", path);
    r = prepare(fd, fresh);
    if (r < 0)
        goto close_fd;
    map = mmap(NULL, SHM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        r = -errno;
        goto close_fd;
    }
    s.head = map;
    s.holds = (_Atomic uint16_t *)(void *)((char *)map + HEAD_BYTES);
    if (fresh) {
        memset(map, 0, HEAD_BYTES);
        memcpy(s.head->magic, magic, sizeof magic);
        s.head->version = SHM_VERSION;
        for (unsigned i = 0; i < SHM_SLOTS; i++)
            atomic_store(&s.head->slots[i].oldest_pin, UINT64_MAX);
    }
    r = PC_EVERSION;
    if (memcmp(s.head->magic, magic, sizeof magic) != 0 || s.head->version != SHM_VERSION)
        goto unmap;
    *ret = s;
    return 0;
unmap:
    munmap(map, SHM_BYTES);
close_fd:
    close(fd);
    if (r == PC_EVERSION)
        return pc_err_set(r, "another version of pcloud has this home open; stop it first (%s)",
                          path);
    return pc_err_wrap(r, "%s: ", path);
}

void shm_close(struct shm *s)
{
    if (!s->head)
        return;
    munmap(s->head, SHM_BYTES);
    close(s->fd);
    s->head = NULL;
}

static _Atomic uint16_t *holds_of(struct shm *s, unsigned slot)
{
    return s->holds + (size_t)slot * SHM_HOLDS;
}

int shm_slot_claim(struct shm *s, unsigned slot)
{
    int r = take_room(s->fd, (off_t)(HEAD_BYTES + slot * HOLD_BYTES), (off_t)HOLD_BYTES);

    if (r < 0)
        return pc_err_wrap(r, "memory shared by sessions: ");
    memset((void *)holds_of(s, slot), 0, HOLD_BYTES);
    shm_slot_clear(s, slot);
    atomic_store(&s->head->slots[slot].pid, (uint32_t)getpid());
    return 0;
}

/* The holds stay as they are until the slot is claimed again: without a session they are not looked at. */
void shm_slot_clear(struct shm *s, unsigned slot)
{
    struct shm_slot *p = &s->head->slots[slot];

    atomic_store(&p->session, 0);
    atomic_store(&p->oldest_pin, UINT64_MAX);
    atomic_store(&p->want, 0);
    atomic_store(&p->stuck, 0);
    atomic_store(&p->pid, 0);
    atomic_fetch_and(&s->head->waiting, ~((uint64_t)1 << slot));
}

static size_t hold_hash(uint64_t ino)
{
    return (size_t)((ino * 0x9e3779b97f4a7c15u) >> 48) % SHM_HOLDS;
}

static void hold_change(_Atomic uint16_t *n, int by)
{
    uint16_t old = atomic_load(n);

    while (old != UINT16_MAX && !(by < 0 && old == 0) &&
           !atomic_compare_exchange_weak(n, &old, (uint16_t)(old + by)))
        ;
}

void shm_hold(struct shm *s, unsigned slot, uint64_t ino)
{
    hold_change(holds_of(s, slot) + hold_hash(ino), 1);
}

void shm_drop(struct shm *s, unsigned slot, uint64_t ino)
{
    hold_change(holds_of(s, slot) + hold_hash(ino), -1);
}

bool shm_is_held(struct shm *s, uint64_t ino)
{
    size_t at = hold_hash(ino);

    for (unsigned i = 0; i < SHM_SLOTS; i++)
        if (atomic_load(&s->head->slots[i].session) != 0 && atomic_load(holds_of(s, i) + at) != 0)
            return true;
    return false;
}

uint64_t shm_oldest_pin(struct shm *s)
{
    uint64_t least = UINT64_MAX;

    for (unsigned i = 0; i < SHM_SLOTS; i++) {
        uint64_t pin = atomic_load(&s->head->slots[i].oldest_pin);

        if (pin < least)
            least = pin;
    }
    return least;
}

void futex_wait(_Atomic uint32_t *word, uint32_t seen, int timeout_ms)
{
    struct timespec ts = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};

    syscall(SYS_futex, word, FUTEX_WAIT, seen, timeout_ms < 0 ? NULL : &ts, NULL, 0);
}

void futex_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

void shm_poke(struct shm *s, unsigned slot)
{
    atomic_fetch_add(&s->head->slots[slot].poke, 1);
    futex_wake(&s->head->slots[slot].poke);
}

void shm_event(struct shm *s)
{
    atomic_fetch_add(&s->head->events, 1);
    if (atomic_load(&s->head->event_sleepers) != 0)
        futex_wake(&s->head->events);
}

void shm_event_wait(struct shm *s, uint32_t seen, int timeout_ms)
{
    atomic_fetch_add(&s->head->event_sleepers, 1);
    futex_wait(&s->head->events, seen, timeout_ms);
    atomic_fetch_sub(&s->head->event_sleepers, 1);
}
