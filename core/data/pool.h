/* SPDX-License-Identifier: Apache-2.0 */
/* A fixed number of threads that run jobs. */
#ifndef DATA_POOL_H
#define DATA_POOL_H

/* Lives in the memory of whoever submits it, until ${run} is called; ${run} may free it. */
struct pool_job {
    void (*run)(struct pool_job *job);
    struct pool_job *next; /* the pool's */
};

/* Which jobs go first when all threads are busy. */
enum pool_class { POOL_URGENT, POOL_IDLE, POOL_CLASSES };

struct pool;

/** pool_new(workers, ret): threads start with the first jobs, so that a short command has none. 0: one a core. -ENOMEM. */
int pool_new(unsigned workers, struct pool **ret);

/** pool_submit(p, class, job): have a worker run it; on this thread if none can be started. Holds no lock while it runs. */
void pool_submit(struct pool *p, enum pool_class class, struct pool_job *job);

/** pool_workers(p): the most threads there will be. */
unsigned pool_workers(const struct pool *p);

/** pool_wait(p): until nothing is queued or running. */
void pool_wait(struct pool *p);

/** pool_free(p): run everything submitted, end the threads; NULL is legal. */
void pool_free(struct pool *p);

#endif
