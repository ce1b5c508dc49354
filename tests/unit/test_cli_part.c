/* SPDX-License-Identifier: Apache-2.0 */
/* The step function of a supervised part: states, backoff, deadlines. */
#include "run/part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct part running(int64_t now)
{
    struct part p = {0};

    part_step(&p, PART_EV_WANTED, NULL, now);
    part_step(&p, PART_EV_SPAWNED, NULL, now);
    part_step(&p, PART_EV_ANSWERED, NULL, now);
    return p;
}

static void starts_at_once(void **state)
{
    struct part p = {0};
    int64_t in;

    (void)state;
    part_step(&p, PART_EV_WANTED, NULL, 1000);
    assert_int_equal(p.state, PART_WAITING);
    assert_int_equal(part_due(&p, 1000, &in), PART_DUE_SPAWN);
    part_step(&p, PART_EV_SPAWNED, NULL, 1000);
    assert_int_equal(p.state, PART_STARTING);
    assert_int_equal(part_due(&p, 1000, &in), PART_DUE_NOTHING);
    assert_int_equal(in, PART_PROBE_STARTING_MS);
    assert_int_equal(part_due(&p, 1000 + in, &in), PART_DUE_PROBE);
    part_step(&p, PART_EV_SILENT, "not yet", 1030);
    assert_int_equal(p.state, PART_STARTING);
    part_step(&p, PART_EV_ANSWERED, NULL, 1060);
    assert_int_equal(p.state, PART_OK);
    assert_true(*p.reason);
}

static void end_before_the_first_answer_is_a_failure(void **state)
{
    struct part p = {0};
    int64_t in;

    (void)state;
    part_step(&p, PART_EV_WANTED, NULL, 0);
    part_step(&p, PART_EV_SPAWNED, NULL, 0);
    part_step(&p, PART_EV_EXITED, "the passphrase is wrong", 10);
    assert_int_equal(p.state, PART_FAILED);
    assert_string_equal(p.reason, "the passphrase is wrong");
    assert_int_equal(part_due(&p, 1000000, &in), PART_DUE_NOTHING);
    assert_int_equal(in, -1);
}

static void silence_at_the_start_fails_in_the_end(void **state)
{
    struct part p = {0};

    (void)state;
    part_step(&p, PART_EV_WANTED, NULL, 0);
    part_step(&p, PART_EV_SPAWNED, NULL, 0);
    part_step(&p, PART_EV_SILENT, "no file", PART_START_MAX_MS - 1);
    assert_int_equal(p.state, PART_STARTING);
    part_step(&p, PART_EV_SILENT, "no file", PART_START_MAX_MS);
    assert_int_equal(p.state, PART_FAILED);
    assert_non_null(strstr(p.reason, "no file"));
}

static void a_killed_part_comes_back(void **state)
{
    struct part p = running(0);
    int64_t in;

    (void)state;
    part_step(&p, PART_EV_EXITED, "ended by signal 9", 5000);
    assert_int_equal(p.state, PART_WAITING);
    assert_non_null(strstr(p.reason, "signal 9"));
    assert_int_equal(part_due(&p, 5000, &in), PART_DUE_NOTHING);
    assert_int_equal(in, PART_BACKOFF_MIN_MS);
    assert_int_equal(part_due(&p, 5000 + in, &in), PART_DUE_SPAWN);
    part_step(&p, PART_EV_SPAWNED, NULL, 5100);
    assert_string_equal(p.reason, "starting again");
    part_step(&p, PART_EV_EXITED, "ended by signal 9", 5200);
    assert_int_equal(p.state, PART_WAITING); /* it had answered before: not a failure */
    assert_int_equal(part_due(&p, 5200, &in), PART_DUE_NOTHING);
    assert_int_equal(in, 2 * PART_BACKOFF_MIN_MS);
    part_step(&p, PART_EV_SPAWNED, NULL, 5400);
    part_step(&p, PART_EV_ANSWERED, NULL, 5500);
    part_step(&p, PART_EV_EXITED, "ended by signal 9", 5600);
    part_due(&p, 5600, &in);
    assert_int_equal(in, PART_BACKOFF_MIN_MS); /* reset by the answer */
    assert_int_equal(p.restarts, 3);
}

static void backoff_doubles_to_a_cap(void **state)
{
    int64_t last = 0;

    (void)state;
    assert_int_equal(part_backoff_ms(1), PART_BACKOFF_MIN_MS);
    assert_int_equal(part_backoff_ms(2), 2 * PART_BACKOFF_MIN_MS);
    for (unsigned n = 1; n < 100; n++) {
        int64_t ms = part_backoff_ms(n);

        assert_true(ms >= last && ms <= PART_BACKOFF_MAX_MS);
        last = ms;
    }
    assert_int_equal(last, PART_BACKOFF_MAX_MS);
    assert_int_equal(part_backoff_ms(UINT32_MAX), PART_BACKOFF_MAX_MS);
}

static void silence_degrades_and_an_answer_mends(void **state)
{
    struct part p = running(0);

    (void)state;
    for (int i = 1; i < PART_SILENT_MAX; i++)
        part_step(&p, PART_EV_SILENT, "timed out", i * 1000);
    assert_int_equal(p.state, PART_OK);
    part_step(&p, PART_EV_SILENT, "timed out", 9000);
    assert_int_equal(p.state, PART_DEGRADED);
    assert_non_null(strstr(p.reason, "timed out"));
    part_step(&p, PART_EV_ANSWERED, NULL, 10000);
    assert_int_equal(p.state, PART_OK);
    assert_int_equal(p.silent, 0);
}

static void a_long_reason_is_cut(void **state)
{
    struct part p = running(0);
    char why[2 * PART_REASON_MAX];

    (void)state;
    memset(why, 'x', sizeof why - 1);
    why[sizeof why - 1] = '\0';
    part_step(&p, PART_EV_EXITED, why, 1);
    assert_true(strlen(p.reason) < PART_REASON_MAX);
    part_step(&p, PART_EV_STOPPED, why, 2);
    assert_int_equal(p.state, PART_OFF);
    assert_true(strlen(p.reason) < PART_REASON_MAX);
}

static void names_come_back(void **state)
{
    (void)state;
    for (int s = 0; s < PART_STATE_COUNT; s++)
        assert_int_equal(part_state_parse(part_state_name((enum part_state)s)), s);
    assert_int_equal(part_state_parse("no such state"), PART_OFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_at_once),
        cmocka_unit_test(end_before_the_first_answer_is_a_failure),
        cmocka_unit_test(silence_at_the_start_fails_in_the_end),
        cmocka_unit_test(a_killed_part_comes_back),
        cmocka_unit_test(backoff_doubles_to_a_cap),
        cmocka_unit_test(silence_degrades_and_an_answer_mends),
        cmocka_unit_test(a_long_reason_is_cut),
        cmocka_unit_test(names_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
