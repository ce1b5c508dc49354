/* SPDX-License-Identifier: Apache-2.0 */
/* Unwritten ranges: random writes, fills and cuts against a plain byte model. */
#include "volume/dirty.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test_env.h"

#define SPACE 4096

struct model {
    uint8_t byte[SPACE];
    uint8_t there[SPACE];
};

static void check_same(const struct dirty *d, const struct model *m)
{
    uint8_t seen[SPACE];
    size_t bytes = 0;
    memset(seen, 0xee, sizeof(seen));
    dirty_overlay(d, seen, SPACE, 0);
    for (size_t i = 0; i < SPACE; i++) {
        assert_int_equal(seen[i], m->there[i] ? m->byte[i] : 0xee);
        bytes += m->there[i];
    }
    assert_int_equal(d->bytes, bytes);
    for (size_t i = 0; i < d->n; i++) {
        assert_true(d->v[i].len > 0 && d->v[i].len <= d->v[i].cap);
        if (i > 0)
            assert_true(d->v[i - 1].pos + d->v[i - 1].len <= d->v[i].pos);
    }
}

static void one_step(struct dirty *d, struct model *m, uint64_t *rng)
{
    uint8_t buf[SPACE];
    size_t pos = test_random(rng) % SPACE;
    size_t len = 1 + test_random(rng) % (SPACE - pos < 700 ? SPACE - pos : 700);
    for (size_t i = 0; i < len; i++)
        buf[i] = (uint8_t)test_random(rng);
    switch (test_random(rng) % 4) {
    case 0:
        assert_int_equal(dirty_cut(d, pos, len), 0);
        memset(m->there + pos, 0, len);
        break;
    case 1:
        assert_int_equal(dirty_fill(d, buf, len, pos), 0);
        for (size_t i = 0; i < len; i++) {
            if (!m->there[pos + i])
                m->byte[pos + i] = buf[i];
            m->there[pos + i] = 1;
        }
        break;
    default:
        assert_int_equal(dirty_write(d, buf, len, pos), 0);
        memcpy(m->byte + pos, buf, len);
        memset(m->there + pos, 1, len);
    }
}

static void random_against_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct dirty d = {0};
        struct model m = {0};
        uint64_t rng = seed;
        for (int i = 0; i < 300; i++) {
            one_step(&d, &m, &rng);
            check_same(&d, &m);
            size_t pos = test_random(&rng) % SPACE;
            size_t len = 1 + test_random(&rng) % (SPACE - pos);
            int all = memchr(m.there + pos, 0, len) == NULL;
            assert_int_equal(dirty_covers(&d, pos, len) != 0, all);
        }
        dirty_clear(&d);
        assert_int_equal(d.bytes, 0);
    }
}

static void ranges_are_bounded(void **state)
{
    (void)state;
    struct dirty d = {0};
    uint8_t *big = calloc(1, DIRTY_EXTENT_MAX + 1);
    assert_non_null(big);
    assert_int_equal(dirty_write(&d, big, DIRTY_EXTENT_MAX + 1, 0), -E2BIG);
    assert_int_equal(dirty_write(&d, big, DIRTY_EXTENT_MAX, 0), 0);
    assert_int_equal(dirty_write(&d, big, 1, DIRTY_EXTENT_MAX), -E2BIG);
    assert_int_equal(dirty_write(&d, big, 1, DIRTY_EXTENT_MAX - 1), 0);
    assert_int_equal(d.bytes, DIRTY_EXTENT_MAX);
    dirty_clear(&d);
    free(big);
}

static void end_of_a_range(void **state)
{
    (void)state;
    struct dirty d = {0};
    assert_int_equal(dirty_write(&d, "abc", 3, 10), 0);
    assert_null(dirty_at_end(&d, 12));
    assert_non_null(dirty_at_end(&d, 13));
    assert_int_equal(dirty_write(&d, "def", 3, 13), 0);
    assert_int_equal(d.n, 1);
    assert_int_equal(dirty_at_end(&d, 16)->pos, 10);
    dirty_remove(&d, dirty_at_end(&d, 16));
    assert_int_equal(d.n, 0);
    assert_int_equal(d.bytes, 0);
    dirty_clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_against_model),
        cmocka_unit_test(ranges_are_bounded),
        cmocka_unit_test(end_of_a_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
