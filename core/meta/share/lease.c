/* SPDX-License-Identifier: Apache-2.0 */
/* The locks between processes: the write lease, life signs of sessions, the setup lock. */
#include "meta/share/lease.h"

#include "meta/share/holder.h"
#include "pcloud/counter.h"
#include "pcloud/err.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

enum { BYTE_LEASE = 0, BYTE_SETUP = 1, BYTE_SLOTS = 16 };

#define YIELD_MS 5 /* how long somebody who was woken may take to get in */
#define LOOK_MS 20

static int lock_bytes(int fd, int cmd, short type, off_t start, off_t len)
{
    struct flock fl = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    int r;

    do
        r = fcntl(fd, cmd, &fl);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return errno == EACCES ? -EAGAIN : -errno;
    return cmd == F_OFD_GETLK ? fl.l_type != F_UNLCK : 0;
}

int lease_open(const char *path, struct lease *ret)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return pc_err_wrap(-errno, "%s: ", path);
    *ret = (struct lease){.fd = fd, .slot = UINT_MAX};
    return 0;
}

void lease_close(struct lease *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

int lease_setup(struct lease *l)
{
    int r = lock_bytes(l->fd, F_OFD_SETLKW, F_WRLCK, BYTE_SETUP, 1);

    return r < 0 ? pc_err_wrap(r, "lock between sessions: ") : 0;
}

void lease_setup_end(struct lease *l)
{
    lock_bytes(l->fd, F_OFD_SETLK, F_UNLCK, BYTE_SETUP, 1);
}

int lease_alone(struct lease *l)
{
    int r = lock_bytes(l->fd, F_OFD_GETLK, F_WRLCK, BYTE_SLOTS, SHM_SLOTS);

    return r < 0 ? pc_err_wrap(r, "lock between sessions: ") : !r;
}

int lease_claim(struct lease *l)
{
    for (unsigned i = 0; i < SHM_SLOTS; i++) {
        int r = lock_bytes(l->fd, F_OFD_SETLK, F_WRLCK, BYTE_SLOTS + (off_t)i, 1);

        if (r == 0) {
            l->slot = i;
            return 0;
        }
        if (r != -EAGAIN)
            return pc_err_wrap(r, "lock between sessions: ");
    }
    return pc_err_set(PC_ELIMIT, "%d sessions have this home open; stop one of them", SHM_SLOTS);
}

bool lease_is_alive(struct lease *l, unsigned slot)
{
    return slot == l->slot ||
           lock_bytes(l->fd, F_OFD_GETLK, F_WRLCK, BYTE_SLOTS + (off_t)slot, 1) != 0;
}

void lease_reap(struct lease *l, struct shm *s)
{
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER; /* the lock below knows no threads */

    if (pthread_mutex_trylock(&one) != 0)
        return;
    if (lock_bytes(l->fd, F_OFD_SETLK, F_WRLCK, BYTE_SETUP, 1) < 0)
        goto unlock;
    for (unsigned i = 0; i < SHM_SLOTS; i++)
        if (atomic_load(&s->head->slots[i].pid) != 0 && !lease_is_alive(l, i))
            shm_slot_clear(s, i);
    lease_setup_end(l);
unlock:
    pthread_mutex_unlock(&one);
}

static uint64_t own_bit(const struct lease *l)
{
    return (uint64_t)1 << l->slot;
}

bool lease_wanted(const struct lease *l, struct shm *s)
{
    return (atomic_load(&s->head->waiting) & ~own_bit(l)) != 0;
}

/* Locks are not handed over in order: whoever releases and comes again at once would win every time. */
static void yield(struct lease *l, struct shm *s)
{
    if (l->yields && atomic_load(&s->head->grants) == l->yield_grants && lease_wanted(l, s))
        futex_wait(&s->head->grants, l->yield_grants, YIELD_MS);
    l->yields = false;
}

/* What keeps the holder from committing; 0: nothing, or nobody holds it. */
static int holder_stuck(struct shm *s)
{
    uint32_t holder = atomic_load(&s->head->holder);

    return holder == 0 || holder > SHM_SLOTS ? 0
                                             : -(int)atomic_load(&s->head->slots[holder - 1].stuck);
}

/* Not by F_OFD_SETLKW: it could not be left when the holder turns out to be stuck. A dead holder wakes nobody, so look now and then. */
static int wait_for_it(struct lease *l, struct shm *s)
{
    uint32_t holder = atomic_load(&s->head->holder);
    struct holder_wait wait = {0, 0};
    int r;

    if (holder != 0 && holder <= SHM_SLOTS)
        shm_poke(s, holder - 1);
    for (;;) {
        uint32_t seen = atomic_load(&s->head->releases);

        r = lock_bytes(l->fd, F_OFD_SETLK, F_WRLCK, BYTE_LEASE, 1);
        if (r != -EAGAIN)
            return r;
        r = holder_stuck(s);
        if (r < 0)
            return r;
        futex_wait(&s->head->releases, seen, LOOK_MS);
        holder_waited(s, &wait, "a write");
    }
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int lease_take(struct lease *l, struct shm *s)
{
    bool waited;
    int r;

    yield(l, s);
    r = lock_bytes(l->fd, F_OFD_SETLK, F_WRLCK, BYTE_LEASE, 1);
    waited = r == -EAGAIN;
    if (waited) {
        int64_t began = now_us();

        atomic_fetch_or(&s->head->waiting, own_bit(l));
        r = wait_for_it(l, s);
        atomic_fetch_and(&s->head->waiting, ~own_bit(l));
        pc_counter_add(PC_COUNTER_LEASE_WAIT, 1);
        pc_counter_add(PC_COUNTER_LEASE_US, (uint64_t)(now_us() - began));
    }
    if (r < 0)
        return pc_err_set(r, "another part of pcloud cannot commit its changes: %s",
                          pc_strerror(r));
    l->held = true;
    holder_took(s, l->slot);
    atomic_fetch_add(&s->head->grants, 1);
    if (waited)
        futex_wake(&s->head->grants);
    return 0;
}

void lease_release(struct lease *l, struct shm *s)
{
    l->yields = lease_wanted(l, s);
    l->yield_grants = atomic_load(&s->head->grants);
    l->held = false;
    holder_left(s);
    lock_bytes(l->fd, F_OFD_SETLK, F_UNLCK, BYTE_LEASE, 1);
    atomic_fetch_add(&s->head->releases, 1);
    if (l->yields)
        futex_wake(&s->head->releases);
}
