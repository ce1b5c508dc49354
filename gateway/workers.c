/* SPDX-License-Identifier: Apache-2.0 */
/* Worker threads for what must not run on the threads that poll connections. */
#include "workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define STACK_BYTES (512u << 10)

struct workers {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct worker_job *first, **last;
    unsigned idle, queued;
    bool stopping;
    unsigned count;
    pthread_t threads[];
};

static void *work(void *arg)
{
    struct workers *p = arg;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct worker_job *job = p->first;

        if (job) {
            p->first = job->next;
            p->queued--;
            if (!p->first)
                p->last = &p->first;
            pthread_mutex_unlock(&p->lock);
            job->fn(job);
            pthread_mutex_lock(&p->lock);
        } else if (p->stopping) {
            break;
        } else {
            p->idle++;
            pthread_cond_wait(&p->wake, &p->lock);
            p->idle--;
        }
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static int spawn(struct workers *p, unsigned threads)
{
    pthread_attr_t attr;
    sigset_t all, old;
    int rc = 0;

    if (pthread_attr_init(&attr) != 0)
        return -ENOMEM;
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (rc == 0 && p->count < threads) {
        rc = -pthread_create(&p->threads[p->count], &attr, work, p);
        if (rc == 0)
            p->count++;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return rc;
}

int workers_start(unsigned threads, struct workers **ret)
{
    struct workers *p = calloc(1, sizeof *p + threads * sizeof p->threads[0]);
    int rc;

    if (!p)
        return -ENOMEM;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->last = &p->first;
    rc = spawn(p, threads);
    if (rc < 0) {
        workers_stop(p);
        return rc;
    }
    *ret = p;
    return 0;
}

/* Under the lock. */
static void enqueue(struct workers *p, struct worker_job *job)
{
    job->next = NULL;
    *p->last = job;
    p->last = &job->next;
    p->queued++;
}

void workers_submit(struct workers *p, struct worker_job *job)
{
    bool wake;

    pthread_mutex_lock(&p->lock);
    enqueue(p, job);
    wake = p->idle > 0;
    pthread_mutex_unlock(&p->lock);
    if (wake)
        pthread_cond_signal(&p->wake);
}

bool workers_offer(struct workers *p, struct worker_job *job)
{
    bool taken;

    pthread_mutex_lock(&p->lock);
    taken =
        p->idle > p->queued; /* each of those that wait may have been woken for one in the queue */
    if (taken)
        enqueue(p, job);
    pthread_mutex_unlock(&p->lock);
    if (taken)
        pthread_cond_signal(&p->wake);
    return taken;
}

void workers_look(struct workers *p, struct workers_load *ret)
{
    pthread_mutex_lock(&p->lock);
    *ret = (struct workers_load){p->count, p->count - p->idle, p->queued};
    pthread_mutex_unlock(&p->lock);
}

void workers_stop(struct workers *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_mutex_unlock(&p->lock);
    pthread_cond_broadcast(&p->wake);
    for (unsigned i = 0; i < p->count; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
