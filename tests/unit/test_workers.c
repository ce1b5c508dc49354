/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's workers: order, offers that are only taken by who is idle, the end. */
#include "workers.h"

#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define THREADS 3

struct task {
    struct worker_job job;
    sem_t *begun, *go;
};

static atomic_int ran;

static void run_quick(struct worker_job *job)
{
    (void)job;
    atomic_fetch_add(&ran, 1);
}

static void run_waiting(struct worker_job *job)
{
    struct task *t = (struct task *)(void *)job;

    sem_post(t->begun);
    while (sem_wait(t->go) < 0)
        ;
    atomic_fetch_add(&ran, 1);
}

/* Threads begin to wait for work some time after they were started. */
static void offer_until_taken(struct workers *p, struct worker_job *job)
{
    while (!workers_offer(p, job))
        sched_yield();
}

static void every_job_is_run_before_the_end(void **state)
{
    struct worker_job jobs[100];
    struct workers *p;

    (void)state;
    atomic_store(&ran, 0);
    assert_int_equal(workers_start(THREADS, &p), 0);
    for (size_t i = 0; i < 100; i++) {
        jobs[i].fn = run_quick;
        workers_submit(p, &jobs[i]);
    }
    workers_stop(p);
    workers_stop(NULL);
    assert_int_equal(atomic_load(&ran), 100);
}

/* With n threads n offers are taken and the next is not, be they begun or still in the queue; afterwards there is room again. */
static void an_offer_is_taken_only_by_who_is_idle(void **state)
{
    struct task tasks[THREADS];
    struct worker_job more = {.fn = run_quick}, last = {.fn = run_quick};
    sem_t begun, go;
    struct workers *p;

    (void)state;
    atomic_store(&ran, 0);
    sem_init(&begun, 0, 0);
    sem_init(&go, 0, 0);
    assert_int_equal(workers_start(THREADS, &p), 0);
    for (int i = 0; i < THREADS; i++) {
        tasks[i] = (struct task){.job.fn = run_waiting, .begun = &begun, .go = &go};
        offer_until_taken(p, &tasks[i].job);
    }
    assert_false(workers_offer(p, &more));
    for (int i = 0; i < THREADS; i++)
        while (sem_wait(&begun) < 0)
            ;
    assert_false(workers_offer(p, &more));
    workers_submit(p, &more); /* waits its turn */
    for (int i = 0; i < THREADS; i++)
        sem_post(&go);
    offer_until_taken(p, &last);
    workers_stop(p);
    assert_int_equal(atomic_load(&ran), THREADS + 2);
    sem_destroy(&begun);
    sem_destroy(&go);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_is_run_before_the_end),
        cmocka_unit_test(an_offer_is_taken_only_by_who_is_idle),
    };

    return cmocka_run_group_tests_name("workers", tests, NULL, NULL);
}
