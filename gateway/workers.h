/* SPDX-License-Identifier: Apache-2.0 */
/* Worker threads for what must not run on the threads that poll connections. */
#ifndef GATEWAY_WORKERS_H
#define GATEWAY_WORKERS_H

#include <stdbool.h>

struct worker_job { /* lives in the caller's memory until ${fn} begins */
    void (*fn)(struct worker_job *job);
    struct worker_job *next;
};

struct workers;

/** workers_start(threads, ret): -EAGAIN, -ENOMEM. */
int workers_start(unsigned threads, struct workers **ret);
/** workers_submit(p, job): run it on a worker, in order; never blocks, never fails. The job may be submitted again from its ${fn}. */
void workers_submit(struct workers *p, struct worker_job *job);
/**
 * workers_offer(p, job): as workers_submit, but only if a worker has nothing to do and takes it at once; false if none has. So the job never waits behind
 * others, and whoever waits for its end on a worker cannot wait for ever.
 */
bool workers_offer(struct workers *p, struct worker_job *job);

struct workers_load {
    unsigned threads, busy, queued;
};
/** workers_look(p, ret): how busy they are just now. */
void workers_look(struct workers *p, struct workers_load *ret);

/** workers_stop(p): finish every job, end the threads, free. NULL is legal. */
void workers_stop(struct workers *p);

#endif
