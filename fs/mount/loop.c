/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that take requests from the kernel: readers, sleepers, and a guard that sees when a reader is kept by its request. */
#include "mount/loop.h"

#include "pcloud/log.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GUARD_MS                                                                                   \
    2 /* a request that takes longer than one or two of these does not keep others waiting */
#define GUARD_IDLE 20 /* rounds without a request, after which the guard sleeps */
#define KICK_MS 20    /* between two attempts to wake readers */
#define CROWD                                                                                      \
    16 /* requests that were found waiting (twice) less those that were not: one more reader */
#define CALM 256 /* so often none was found waiting: one less */

struct worker {
    struct loop *loop;
    pthread_t thread;
    pthread_cond_t called;
    struct worker *below; /* in the stack of those that sleep */
    bool reads, gone;     /* called to read; at its end */
    /* The number of the request that it serves and will read after; 0: none, or another thread reads instead. */
    _Atomic uint64_t turn;
    uint32_t caller; /* of the last request that had one */
    uint64_t seen;   /* the turn that the guard saw last */
};

struct loop {
    struct fuse_session *session;
    _Atomic uint64_t turns;  /* requests so far */
    _Atomic int crowd, calm; /* about */
    /* Readers: who read, or serve and will read after. Changed under the lock. */
    _Atomic unsigned wanted, readers, max;
    _Atomic bool guard_sleeps, ended;

    pthread_mutex_t lock; /* of what follows, and of each worker's below, reads, gone */
    pthread_cond_t changed;
    struct worker *sleepers;
    unsigned started, left, cores;
    int error;
    struct worker workers[];
};

static void *work(void *arg);

static void on_kick(int sig)
{
    (void)sig; /* only interrupts a read */
}

static void cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

static void wait_ms(struct loop *l, long ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ms * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&l->changed, &l->lock, &until);
}

int loop_new(struct fuse_session *session, unsigned threads, struct loop **ret)
{
    struct loop *l = calloc(1, sizeof(*l) + threads * sizeof(l->workers[0]));
    struct sigaction kick = {.sa_handler = on_kick};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (!l)
        return -ENOMEM;
    sigemptyset(&kick.sa_mask);
    sigaction(SIGUSR2, &kick, NULL); /* without SA_RESTART */
    l->session = session;
    l->max = threads;
    l->cores = cores > 0 ? (unsigned)cores : 1;
    l->wanted = 1;
    pthread_mutex_init(&l->lock, NULL);
    cond_init(&l->changed);
    for (unsigned i = 0; i < threads; i++) {
        l->workers[i].loop = l;
        cond_init(&l->workers[i].called);
    }
    *ret = l;
    return 0;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    for (unsigned i = 0; i < l->max; i++)
        pthread_cond_destroy(&l->workers[i].called);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* One more reader: who went to sleep last, or a new thread. The lock is held. */
static void call_reader(struct loop *l)
{
    struct worker *w = l->sleepers;
    int err;

    if (w) {
        l->sleepers = w->below;
        w->reads = true;
        l->readers++;
        pthread_cond_signal(&w->called);
        return;
    }
    if (l->started == l->max || atomic_load(&l->ended))
        return;
    w = &l->workers[l->started];
    err = pthread_create(&w->thread, NULL, work, w);
    if (err) {
        pc_log(PC_LOG_WARN, "mount", "%u threads serve requests, not %u: %s", l->started, l->max,
               strerror(err));
        l->max = l->started;
        return;
    }
    l->started++;
    l->readers++;
}

/* Somebody else reads in its place, if it was to read on. */
static void relieve(struct loop *l, struct worker *w, uint64_t turn)
{
    if (turn == 0 || !atomic_compare_exchange_strong(&w->turn, &turn, 0))
        return;
    pthread_mutex_lock(&l->lock);
    l->readers--;
    call_reader(l);
    pthread_mutex_unlock(&l->lock);
}

/* After a request: read on, or sleep until called. False at the end. */
static bool go_on(struct loop *l, struct worker *w)
{
    bool mine = atomic_exchange(&w->turn, 0) != 0, reads;

    if (mine && l->readers <= l->wanted) /* read without the lock: a little later does as well */
        return !atomic_load(&l->ended);
    pthread_mutex_lock(&l->lock);
    if (mine)
        l->readers--;
    w->reads = l->readers < l->wanted;
    if (w->reads) {
        l->readers++;
    } else {
        w->below = l->sleepers;
        l->sleepers = w;
        while (!w->reads && !atomic_load(&l->ended))
            pthread_cond_wait(&w->called, &l->lock);
    }
    reads = !atomic_load(&l->ended);
    pthread_mutex_unlock(&l->lock);
    return reads;
}

static bool is_waiting(struct loop *l)
{
    struct pollfd p = {.fd = fuse_session_fd(l->session), .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

/*
 * Was this request kept waiting for a thread? One that waited may have been sent by the program that was answered just before, while the answering thread
 * gave way to it: then a second reader would be no help.
 */
static bool was_kept(struct worker *w, bool waited)
{
    uint32_t before = w->caller, caller = wire_caller();

    if (caller)
        w->caller = caller;
    return waited && (wire_is_read() || (caller && caller != before));
}

static void change_readers(struct loop *l, bool more)
{
    pthread_mutex_lock(&l->lock);
    atomic_store(&l->crowd, 0);
    atomic_store(&l->calm, 0);
    if (!more) {
        l->wanted -= l->wanted / 2;
    } else if (l->wanted < l->max && l->readers <= l->wanted) {
        l->wanted++;
        call_reader(l);
    }
    pthread_mutex_unlock(&l->lock);
}

/*
 * Requests that are kept waiting again and again want one more reader, reads of content sooner, for they take the longest. More readers than
 * processors are of use only where they wait for the disk: in reads.
 */
static void count(struct loop *l, bool kept)
{
    bool reads = wire_is_read();
    unsigned most = reads || l->cores > l->max ? l->max : l->cores,
             wanted = atomic_load(&l->wanted);

    if (kept && wanted <= most) {
        atomic_store(&l->calm, 0);
        if (wanted < most && atomic_fetch_add(&l->crowd, reads ? 6 : 2) >= CROWD)
            change_readers(l, true);
        return;
    }
    if (atomic_load(&l->crowd) > 0)
        atomic_fetch_sub(&l->crowd, 1);
    if (wanted > 1 && atomic_fetch_add(&l->calm, 1) >= CALM)
        change_readers(l, false);
}

static void end(struct loop *l, int r)
{
    pthread_mutex_lock(&l->lock);
    fuse_session_exit(l->session);
    atomic_store(&l->ended, true);
    if (l->error == 0)
        l->error = r;
    for (struct worker *w = l->sleepers; w; w = w->below)
        pthread_cond_signal(&w->called);
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

static void wake_guard(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct loop *l = w->loop;
    struct fuse_buf buf = {.mem = NULL};
    bool more = true;

    while (more && !atomic_load(&l->ended)) {
        bool waited = is_waiting(l);
        int n = fuse_session_receive_buf(l->session, &buf);

        if (n == -EINTR || n == -EAGAIN)
            continue;
        if (n <= 0) {
            end(l, n);
            break;
        }
        atomic_store(&w->turn, atomic_fetch_add(&l->turns, 1) + 1);
        if (atomic_load(&l->guard_sleeps))
            wake_guard(l);
        count(l, was_kept(w, waited));
        fuse_session_process_buf(l->session, &buf);
        more = go_on(l, w);
    }
    free(buf.mem);
    pthread_mutex_lock(&l->lock);
    w->gone = true;
    l->left++;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* Relieve who serves the same request as the last time. */
static void guard_round(struct loop *l, unsigned started)
{
    for (unsigned i = 0; i < started; i++) {
        struct worker *w = &l->workers[i];
        uint64_t turn = atomic_load(&w->turn);

        if (turn == w->seen)
            relieve(l, w, turn);
        w->seen = turn;
    }
}

static void *guard(void *arg)
{
    struct loop *l = arg;
    uint64_t turns = 0;
    unsigned idle = 0;

    pthread_mutex_lock(&l->lock);
    while (!atomic_load(&l->ended)) {
        unsigned started = l->started;

        idle = atomic_load(&l->turns) == turns ? idle + 1 : 0;
        turns = atomic_load(&l->turns);
        if (idle > GUARD_IDLE) {
            atomic_store(&l->guard_sleeps, true);
            while (atomic_load(&l->turns) == turns && !atomic_load(&l->ended))
                pthread_cond_wait(&l->changed, &l->lock);
            atomic_store(&l->guard_sleeps, false);
        }
        wait_ms(l, GUARD_MS);
        pthread_mutex_unlock(&l->lock);
        guard_round(l, started);
        pthread_mutex_lock(&l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

int loop_run(struct loop *l)
{
    pthread_t guarding;
    int err = pthread_create(&guarding, NULL, guard, l);

    if (err)
        return -err;
    pthread_mutex_lock(&l->lock);
    l->workers[0].thread = pthread_self();
    l->started = 1;
    l->readers = 1;
    pthread_mutex_unlock(&l->lock);
    work(&l->workers[0]);
    pthread_join(guarding, NULL);
    for (unsigned i = 1; i < l->started; i++)
        pthread_join(l->workers[i].thread, NULL);
    return l->error;
}

void loop_stop(struct loop *l)
{
    end(l, 0);
    pthread_mutex_lock(&l->lock);
    while (l->left < l->started) { /* a reader may be about to wait just when it is kicked */
        for (unsigned i = 0; i < l->started; i++)
            if (!l->workers[i].gone)
                pthread_kill(l->workers[i].thread, SIGUSR2);
        wait_ms(l, KICK_MS);
    }
    pthread_mutex_unlock(&l->lock);
}
