/* SPDX-License-Identifier: Apache-2.0 */
/* The worker threads of the data path. */
#include "data/pool.h"

#include "base/alloc.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#define WORKERS_MAX 64

struct queue {
    struct pool_job *first, **end;
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work; /* a job came, or stopping */
    pthread_cond_t done; /* nothing is queued or running */
    struct queue queue[POOL_CLASSES];
    unsigned max, threads, idle, waiting, running; /* waiting: jobs queued */
    bool stopping;
    pthread_t thread[WORKERS_MAX];
};

int pool_new(unsigned workers, struct pool **ret)
{
    struct pool *p = mem_calloc(1, sizeof *p);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (!p)
        return -ENOMEM;
    p->max = workers ? workers : cores > 0 ? (unsigned)cores : 1;
    if (p->max > WORKERS_MAX)
        p->max = WORKERS_MAX;
    for (int i = 0; i < POOL_CLASSES; i++)
        p->queue[i].end = &p->queue[i].first;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->done, NULL);
    *ret = p;
    return 0;
}

unsigned pool_workers(const struct pool *p)
{
    return p->max;
}

/* The next job by class, then by age; NULL if none. */
static struct pool_job *take(struct pool *p)
{
    for (int i = 0; i < POOL_CLASSES; i++) {
        struct queue *q = &p->queue[i];
        struct pool_job *job = q->first;

        if (!job)
            continue;
        q->first = job->next;
        if (!q->first)
            q->end = &q->first;
        p->waiting--;
        return job;
    }
    return NULL;
}

static void *work(void *arg)
{
    struct pool *p = arg;
    struct pool_job *job;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        job = take(p);
        if (job) {
            p->running++;
            pthread_mutex_unlock(&p->lock);
            job->run(job);
            pthread_mutex_lock(&p->lock);
            if (--p->running == 0 && p->waiting == 0)
                pthread_cond_broadcast(&p->done);
        } else if (p->stopping) {
            break;
        } else {
            p->idle++;
            pthread_cond_wait(&p->work, &p->lock);
            p->idle--;
        }
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Signals are for the threads of the program, not for ours. */
static void start_thread(struct pool *p)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (!mem_denied() && pthread_create(&p->thread[p->threads], NULL, work, p) == 0)
        p->threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void pool_submit(struct pool *p, enum pool_class class, struct pool_job *job)
{
    bool here;

    pthread_mutex_lock(&p->lock);
    if (p->idle <= p->waiting && p->threads < p->max)
        start_thread(p);
    here = p->threads == 0;
    if (!here) {
        job->next = NULL;
        *p->queue[class].end = job;
        p->queue[class].end = &job->next;
        p->waiting++;
        pthread_cond_signal(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
    if (here)
        job->run(job);
}

void pool_wait(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    while (p->waiting > 0 || p->running > 0)
        pthread_cond_wait(&p->done, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->threads; i++)
        pthread_join(p->thread[i], NULL);
    pthread_cond_destroy(&p->done);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    mem_free(p);
}
