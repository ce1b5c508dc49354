/* SPDX-License-Identifier: Apache-2.0 */
/* The cache: bound, one filling for many askers, failures, and that a scan leaves what is used. */
#include "data/cache.h"

#include "base/alloc.h"
#include "test_env.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void name(uint8_t id[META_BLOCK_ID], uint64_t n)
{
    for (int i = 0; i < 4; i++) {
        uint64_t v = test_random(&n);

        memcpy(id + 8 * i, &v, 8);
    }
}

/* Read or fill piece ${n}: was it there? */
static bool use(struct cache *c, uint64_t n, uint32_t len)
{
    uint8_t id[META_BLOCK_ID];
    struct cache_entry *e;
    enum cache_result r;

    name(id, n);
    r = cache_get(c, id, 0, len, CACHE_MAKE, &e);
    if (r == CACHE_NONE)
        return false;
    if (r == CACHE_FILL) {
        memset(e->data, (int)n, len);
        cache_filled(c, e, true);
    } else {
        assert_int_equal(e->data[0], n & 0xff);
        assert_int_equal(e->data[len - 1], n & 0xff);
    }
    cache_put(c, e);
    return r == CACHE_READY;
}

static void it_stays_within_its_bound(void **state)
{
    struct cache *c;

    (void)state;
    assert_int_equal(cache_new(8u << 20, &c), 0);
    for (uint64_t i = 0; i < 1000; i++) {
        assert_false(use(c, i, 60000));
        assert_true(use(c, i, 60000));
        assert_true(cache_bytes(c) <= 8u << 20);
    }
    assert_true(cache_bytes(c) > 6u << 20);
    cache_resize(c, 2u << 20);
    assert_true(cache_bytes(c) <= 2u << 20);
    cache_resize(c, 0);
    assert_int_equal(cache_bytes(c), 0);
    assert_false(use(c, 1, 60000));
    assert_false(use(c, 1, 60000));
    cache_free(c);
}

static void a_scan_leaves_what_is_used(void **state)
{
    struct cache *c;
    int hits = 0;

    (void)state;
    assert_int_equal(cache_new(4u << 20, &c), 0);
    for (uint64_t scan = 1000; scan < 3000; scan++) {
        if (scan % 10 == 0)
            for (uint64_t hot = 0; hot < 10; hot++)
                hits += use(c, hot, 60000);
        use(c, scan, 60000);
    }
    assert_true(hits > 2000 * 85 / 100);
    cache_free(c);
}

struct asker {
    struct cache *c;
    atomic_int *fills;
    atomic_bool *go;
};

static bool is_true(void *arg)
{
    return atomic_load((atomic_bool *)arg);
}

static void *ask(void *arg)
{
    struct asker *a = arg;
    uint8_t id[META_BLOCK_ID];
    struct cache_entry *e;
    enum cache_result r;

    name(id, 7);
    r = cache_get(a->c, id, 3, 1000, CACHE_MAKE, &e);
    if (r == CACHE_FILL) {
        int n = atomic_fetch_add(a->fills, 1);

        if (!test_wait(60000, is_true, a->go))
            abort();
        memset(e->data, 5, 1000);
        cache_filled(a->c, e, n > 0); /* the first one fails */
    } else if (r != CACHE_READY || e->data[999] != 5) {
        abort();
    }
    cache_put(a->c, e);
    return NULL;
}

static bool once_filled(void *arg)
{
    return atomic_load((atomic_int *)arg) > 0;
}

static void many_ask_one_fills(void **state)
{
    atomic_int fills = 0;
    atomic_bool go = false;
    struct asker a = {.fills = &fills, .go = &go};
    struct cache_entry *e;
    uint8_t id[META_BLOCK_ID];
    pthread_t t[8];

    (void)state;
    name(id, 7);
    assert_int_equal(cache_new(1u << 20, &a.c), 0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&t[i], NULL, ask, &a), 0);
    assert_true(test_wait(60000, once_filled, &fills));
    assert_int_equal(cache_get(a.c, id, 3, 1000, CACHE_PREFETCH, &e), CACHE_NONE);
    atomic_store(&go, true);
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(fills, 2);
    assert_int_equal(cache_get(a.c, id, 3, 1000, CACHE_LOOK, &e), CACHE_READY);
    assert_int_equal(cache_get(a.c, id, 3, 1000, CACHE_PREFETCH, &e), CACHE_NONE);
    cache_drop(a.c, e);
    assert_int_equal(cache_get(a.c, id, 3, 1000, CACHE_LOOK, &e), CACHE_NONE);
    assert_int_equal(cache_bytes(a.c), 0);
    cache_free(a.c);
}

static void no_memory_is_no_cache(void **state)
{
    struct cache *c = NULL;

    (void)state;
    mem_fail_at(1, MEM_FAIL_ON);
    assert_int_equal(cache_new(1u << 20, &c), -ENOMEM);
    mem_fail_at(0, MEM_FAIL_ONCE);
    assert_int_equal(cache_new(1u << 20, &c), 0);
    mem_fail_at(1, MEM_FAIL_ON);
    assert_false(use(c, 1, 1000));
    mem_fail_at(0, MEM_FAIL_ONCE);
    assert_false(use(c, 1, 1000));
    assert_true(use(c, 1, 1000));
    cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_stays_within_its_bound),
        cmocka_unit_test(a_scan_leaves_what_is_used),
        cmocka_unit_test(many_ask_one_fills),
        cmocka_unit_test(no_memory_is_no_cache),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
