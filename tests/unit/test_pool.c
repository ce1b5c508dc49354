/* SPDX-License-Identifier: Apache-2.0 */
/* The worker pool: every job runs once, also those submitted by jobs, at the end, and without threads. */
#include "data/pool.h"

#include "base/alloc.h"
#include "test_env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct count {
    struct pool_job job;
    struct pool *pool;
    atomic_int *runs;
    int again; /* submits itself so many times more */
};

static void run(struct pool_job *job)
{
    struct count *c = (struct count *)(void *)job;
    bool again = c->again > 0;

    atomic_fetch_add(c->runs, 1);
    if (again) {
        c->again--;
        pool_submit(c->pool, POOL_IDLE, &c->job);
    }
}

static void every_job_runs_once(void **state)
{
    struct count jobs[2000];
    atomic_int runs = 0;
    struct pool *p;

    (void)state;
    assert_int_equal(pool_new(4, &p), 0);
    assert_int_equal(pool_workers(p), 4);
    for (int i = 0; i < 2000; i++) {
        jobs[i] = (struct count){{run, NULL}, p, &runs, i % 3};
        pool_submit(p, i % 2 ? POOL_URGENT : POOL_IDLE, &jobs[i].job);
    }
    pool_free(p);
    assert_int_equal(runs, 2000 + 666 * 3 + 1);
}

struct gate {
    struct pool_job job;
    atomic_bool open;
    atomic_int *order, place;
};

static bool is_open(void *arg)
{
    return atomic_load((atomic_bool *)arg);
}

static void block(struct pool_job *job)
{
    struct gate *g = (struct gate *)(void *)job;

    assert_true(test_wait(60000, is_open, &g->open));
}

static void note(struct pool_job *job)
{
    struct gate *g = (struct gate *)(void *)job;

    g->place = atomic_fetch_add(g->order, 1);
}

static void urgent_ones_go_first(void **state)
{
    atomic_int order = 0;
    struct gate gate = {.job.run = block}, idle = {.job.run = note, .order = &order},
                urgent = {.job.run = note, .order = &order};
    struct pool *p;

    (void)state;
    assert_int_equal(pool_new(1, &p), 0);
    pool_submit(p, POOL_URGENT, &gate.job);
    pool_submit(p, POOL_IDLE, &idle.job);
    pool_submit(p, POOL_URGENT, &urgent.job);
    atomic_store(&gate.open, true);
    pool_free(p);
    assert_int_equal(urgent.place, 0);
    assert_int_equal(idle.place, 1);
}

static void without_a_thread_the_caller_works(void **state)
{
    atomic_int runs = 0;
    struct pool *p;
    struct count job = {{run, NULL}, NULL, &runs, 2};

    (void)state;
    assert_int_equal(pool_new(0, &p), 0);
    job.pool = p;
    mem_fail_at(1, MEM_FAIL_ON);
    pool_submit(p, POOL_URGENT, &job.job);
    mem_fail_at(0, MEM_FAIL_ONCE);
    assert_int_equal(runs, 3);
    pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_runs_once),
        cmocka_unit_test(urgent_ones_go_first),
        cmocka_unit_test(without_a_thread_the_caller_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
