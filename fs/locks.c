/* SPDX-License-Identifier: Apache-2.0 */
/* Owners of locks, their files in run/locks, and the threads that wait. */
#include "locks.h"

#include "pcloud/err.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FOLDER PC_HOME_RUN "/locks"
#define BUCKETS 256
#define WAITERS_MAX 1024
#define OPEN_TRIES 1000  /* a lock file that is removed just when it was opened, again and again */
#define CLOSING_TRIES 20 /* ms for an open file that ended to be told of */
#define STACK_SIZE (64u << 10)

struct owner {
    struct owner *next;
    struct lock_key key; /* fh: by which it locked last */
    unsigned refs;       /* the table and the waiters */
    pid_t pid;           /* who locked last */
    int fd;
};

struct locks {
    int dir;
    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t left;
    struct owner *buckets[BUCKETS];
    _Atomic size_t owners; /* 0: nobody has anything to lose */
    struct waiter *waiters;
    unsigned nwaiters;
    bool stopped;
};

struct waiter {
    struct waiter *next, **back;
    struct locks *l;
    struct owner *owner;
    struct flock lock;
    fuse_req_t req;
    pthread_t thread;
    bool sleep;
    _Atomic bool cancelled, done;
};

static int fail(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOSPC ? -ENOLCK : -error;
}

static void file_name(const struct lock_key *k, char name[32])
{
    snprintf(name, 32, "%llu%s", (unsigned long long)k->node, k->whole ? "-whole" : "");
}

/*
 * The file has a shared flock(2) of everybody who uses it; who gets an exclusive one is alone and removes it. One that was removed between open and
 * lock has no link any more.
 */
static int file_open(struct locks *l, const struct lock_key *k)
{
    struct stat st;
    char name[32];

    file_name(k, name);
    for (unsigned i = 0; i < OPEN_TRIES; i++) {
        int fd = openat(l->dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0)
            return fail(errno);
        if (flock(fd, LOCK_SH) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
            return fd;
        close(fd);
    }
    return -ENOLCK;
}

static void file_close(struct locks *l, const struct lock_key *k, int fd)
{
    char name[32];

    file_name(k, name);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(l->dir, name, 0);
    close(fd);
}

static int set(int fd, const struct flock *lock, bool sleep)
{
    struct flock copy = *lock;

    copy.l_pid = 0;
    return fcntl(fd, sleep ? F_OFD_SETLKW : F_OFD_SETLK, &copy) < 0 ? -errno : 0;
}

static void unlock(int fd, off_t start, off_t len)
{
    (void)set(fd, &(struct flock){.l_type = F_UNLCK, .l_start = start, .l_len = len}, false);
}

static struct owner **bucket(struct locks *l, uint64_t node)
{
    return &l->buckets[node % BUCKETS];
}

/* The lock is held in all of these. */

static struct owner *owner_find(struct locks *l, const struct lock_key *k)
{
    struct owner *o = *bucket(l, k->node);

    while (o && (o->key.node != k->node || o->key.owner != k->owner || o->key.whole != k->whole))
        o = o->next;
    return o;
}

static int owner_get(struct locks *l, const struct lock_key *k, struct owner **ret)
{
    struct owner *o = owner_find(l, k);
    int fd;

    if (!o) {
        fd = file_open(l, k);
        if (fd < 0)
            return fd;
        o = malloc(sizeof(*o));
        if (!o) {
            file_close(l, k, fd);
            return -ENOMEM;
        }
        *o = (struct owner){.next = *bucket(l, k->node), .refs = 1, .fd = fd};
        *bucket(l, k->node) = o;
        atomic_fetch_add(&l->owners, 1);
    }
    o->key = *k;
    *ret = o;
    return 0;
}

static void owner_put(struct locks *l, struct owner *o)
{
    if (--o->refs)
        return;
    file_close(l, &o->key, o->fd);
    free(o);
}

/* Everything that owners of a node hold, for those whose ${fh} or (0: none) ${owner} it is. */
static void drop(struct locks *l, uint64_t node, uint64_t owner, uint64_t fh)
{
    pthread_mutex_lock(&l->lock);
    for (struct owner **at = bucket(l, node), *o; (o = *at);) {
        bool hit = fh ? o->key.fh == fh : !o->key.whole && o->key.owner == owner;

        if (o->key.node != node || !hit) {
            at = &o->next;
            continue;
        }
        *at = o->next;
        atomic_fetch_sub(&l->owners, 1);
        unlock(o->fd, 0, 0);
        owner_put(l, o);
    }
    pthread_mutex_unlock(&l->lock);
}

void locks_close(struct locks *l, uint64_t node, uint64_t owner)
{
    if (atomic_load(&l->owners))
        drop(l, node, owner, 0);
}

void locks_release(struct locks *l, uint64_t node, uint64_t fh)
{
    if (atomic_load(&l->owners))
        drop(l, node, 0, fh);
}

/* Who holds what is in the way, if it is one of ours: through that one's file nothing is. */
static pid_t holder(struct locks *l, const struct lock_key *k, const struct flock *found)
{
    for (struct owner *o = *bucket(l, k->node); o; o = o->next) {
        struct flock probe = *found;

        if (o->key.node != k->node || o->key.whole != k->whole || o->key.owner == k->owner)
            continue;
        probe.l_type = F_WRLCK;
        probe.l_pid = 0;
        if (fcntl(o->fd, F_OFD_GETLK, &probe) == 0 && probe.l_type == F_UNLCK)
            return o->pid;
    }
    return 0;
}

int locks_test(struct locks *l, const struct lock_key *key, struct flock *lock)
{
    struct owner *o;
    char name[32];
    int fd, r;

    file_name(key, name);
    lock->l_pid = 0;
    pthread_mutex_lock(&l->lock);
    o = owner_find(l, key);
    fd = o ? o->fd : openat(l->dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    r = fd < 0 ? fail(errno) : 0;
    if (fd >= 0 && fcntl(fd, F_OFD_GETLK, lock) < 0)
        r = fail(errno);
    if (r == -ENOENT) { /* nobody has any */
        lock->l_type = F_UNLCK;
        r = 0;
    }
    if (r == 0 && lock->l_type != F_UNLCK)
        lock->l_pid = holder(l, key, lock);
    pthread_mutex_unlock(&l->lock);
    if (!o && fd >= 0)
        close(fd);
    return r;
}

static void pause_ms(void)
{
    (void)poll(NULL, 0, 1);
}

/* The one who waits got a signal. Called by libfuse, which keeps the request alive meanwhile; and, if the signal came first, by the waiter itself. */
static void on_interrupt(fuse_req_t req, void *data)
{
    struct waiter *w = data;

    (void)req;
    atomic_store(&w->cancelled, true);
    if (pthread_equal(w->thread, pthread_self()))
        return;
    while (!atomic_load(&w->done)) { /* it may be about to wait just when it is woken */
        pthread_kill(w->thread, SIGUSR2);
        pause_ms();
    }
}

static int wait_for(struct waiter *w)
{
    int r = -EAGAIN;

    for (unsigned i = 0; !w->sleep && r == -EAGAIN && i < CLOSING_TRIES; i++) {
        pause_ms();
        r = atomic_load(&w->cancelled) ? -EINTR : set(w->owner->fd, &w->lock, false);
    }
    while (w->sleep && (r == -EAGAIN || r == -EINTR)) {
        if (atomic_load(&w->cancelled))
            return -EINTR;
        r = set(w->owner->fd, &w->lock, true);
    }
    return r;
}

static void *waiter_main(void *arg)
{
    struct waiter *w = arg;
    struct locks *l = w->l;
    sigset_t kick;
    int r;

    sigemptyset(&kick);
    sigaddset(&kick, SIGUSR2);
    pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
    pthread_mutex_lock(&l->lock); /* until it is listed with its thread */
    pthread_mutex_unlock(&l->lock);
    fuse_req_interrupt_func(w->req, on_interrupt, w);
    r = wait_for(w);
    atomic_store(&w->done, true);
    fuse_req_interrupt_func(w->req, NULL, NULL);
    if (fuse_reply_err(w->req, -r) < 0 && r == 0)
        unlock(w->owner->fd, w->lock.l_start, w->lock.l_len);
    pthread_mutex_lock(&l->lock);
    *w->back = w->next;
    if (w->next)
        w->next->back = w->back;
    l->nwaiters--;
    owner_put(l, w->owner);
    pthread_cond_signal(&l->left);
    pthread_mutex_unlock(&l->lock);
    free(w);
    return NULL;
}

/* Have a thread wait and answer. The lock is held. */
static int waiter_start(struct locks *l, struct owner *o, const struct flock *lock, bool sleep,
                        fuse_req_t req)
{
    struct waiter *w = l->stopped || l->nwaiters >= WAITERS_MAX ? NULL : malloc(sizeof(*w));
    pthread_attr_t attr;
    int r;

    if (!w)
        return -ENOLCK;
    *w = (struct waiter){.l = l, .owner = o, .lock = *lock, .sleep = sleep, .req = req};
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    r = pthread_create(&w->thread, &attr, waiter_main, w);
    pthread_attr_destroy(&attr);
    if (r != 0) {
        free(w);
        return -ENOLCK;
    }
    o->refs++;
    l->nwaiters++;
    w->back = &l->waiters;
    w->next = l->waiters;
    if (w->next)
        w->next->back = &w->next;
    l->waiters = w;
    return 1;
}

/* The lock is held. */
static int owner_set(struct locks *l, struct owner *o, const struct flock *lock, bool sleep,
                     fuse_req_t req)
{
    int r = set(o->fd, lock, false);

    if (r == 0 && lock->l_type != F_UNLCK)
        o->pid = lock->l_pid;
    if (r == -EACCES)
        r = -EAGAIN;
    if (r != -EAGAIN)
        return r;
    if (o->key.whole)
        unlock(o->fd, 0, 0); /* flock(2) gives up the old one before it waits for another */
    /* An open file that ended is told of a little later, after close(2) has returned. */
    return sleep || o->key.whole ? waiter_start(l, o, lock, sleep, req) : r;
}

int locks_set(struct locks *l, const struct lock_key *key, const struct flock *lock, bool sleep,
              fuse_req_t req)
{
    struct owner *o = NULL;
    int r = 0;

    pthread_mutex_lock(&l->lock);
    if (lock->l_type != F_UNLCK || owner_find(l, key))
        r = owner_get(l, key, &o);
    if (r == 0 && o)
        r = owner_set(l, o, lock, sleep, req);
    pthread_mutex_unlock(&l->lock);
    return r;
}

/* What killed mounts left: files that nobody uses. */
static void sweep(struct locks *l)
{
    int copy = fcntl(l->dir, F_DUPFD_CLOEXEC, 0);
    DIR *d = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *e;

    if (!d && copy >= 0)
        close(copy);
    while (d && (e = readdir(d))) {
        int fd = *e->d_name == '.' ? -1 : openat(l->dir, e->d_name, O_RDWR | O_CLOEXEC);

        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
            unlinkat(l->dir, e->d_name, 0);
        if (fd >= 0)
            close(fd);
    }
    if (d)
        closedir(d);
}

int locks_open(struct pc_home *home, struct locks **ret)
{
    struct locks *l = calloc(1, sizeof(*l));
    char path[4096];
    int r;

    if (!l)
        return -ENOMEM;
    r = pc_home_path(home, FOLDER, path, sizeof(path));
    if (r >= 0 && mkdir(path, 0700) < 0 && errno != EEXIST)
        r = -errno;
    if (r >= 0)
        l->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r >= 0 && l->dir < 0)
        r = -errno;
    if (r < 0) {
        free(l);
        return pc_err_set(r, "%s: %s", path, strerror(-r));
    }
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->left, NULL);
    sweep(l);
    *ret = l;
    return 0;
}

void locks_stop(struct locks *l)
{
    struct timespec until;

    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stopped = true;
    while (l->waiters) {
        for (struct waiter *w = l->waiters; w; w = w->next) {
            atomic_store(&w->cancelled, true);
            if (!atomic_load(&w->done))
                pthread_kill(w->thread, SIGUSR2);
        }
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 10000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        pthread_cond_timedwait(&l->left, &l->lock, &until);
    }
    pthread_mutex_unlock(&l->lock);
}

void locks_free(struct locks *l)
{
    if (!l)
        return;
    locks_stop(l);
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct owner *o = l->buckets[i], *next; o; o = next) {
            next = o->next;
            owner_put(l, o);
        }
    pthread_cond_destroy(&l->left);
    pthread_mutex_destroy(&l->lock);
    close(l->dir);
    free(l);
}
