/* SPDX-License-Identifier: Apache-2.0 */
/* Worker threads for what must not run on the threads that poll connections. */
#ifndef GATEWAY_POOL_H
#define GATEWAY_POOL_H

struct pool_job { /* lives in the caller's memory until ${fn} begins */
    void (*fn)(struct pool_job *job);
    struct pool_job *next;
};

struct pool;

/** pool_start(threads, ret): -EAGAIN, -ENOMEM. */
int pool_start(unsigned threads, struct pool **ret);
/** pool_submit(p, job): run it on a worker, in order; never blocks, never fails. The job may be submitted again from its ${fn}. */
void pool_submit(struct pool *p, struct pool_job *job);
/** pool_stop(p): finish every job, end the threads, free. NULL is legal. */
void pool_stop(struct pool *p);

#endif
