/* SPDX-License-Identifier: Apache-2.0 */
/* Rates, lists of hosts, and text in JSON. */
#include "buf.h"
#include "guard/guard.h"
#include "guard/rate.h"
#include "watch/metrics.h"
#include "watch/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#define S 1000000

static unsigned taken(struct rate *r, uint64_t who, int64_t at, unsigned asks)
{
    unsigned n = 0, wait;

    for (unsigned i = 0; i < asks; i++)
        n += rate_take(r, who, at, &wait);
    return n;
}

static void test_requests(void **state)
{
    struct rate *r;
    unsigned wait = 0;

    (void)state;
    assert_int_equal(rate_new(&r), 0);
    assert_int_equal(taken(r, 1, 5 * S, 1000), 1000); /* nothing is set */
    rate_set(r, 10, 0);
    assert_int_equal(taken(r, 1, 5 * S, 1000), 10);
    assert_int_equal(taken(r, 2, 5 * S, 1000), 10);
    assert_int_equal(taken(r, 1, 5 * S + S / 2, 1000), 5);
    assert_int_equal(taken(r, 1, 900 * S, 1000),
                     10); /* no more than a second's worth is saved up */
    assert_false(rate_take(r, 1, 900 * S, &wait));
    assert_int_equal(wait, 1);
    assert_int_equal(taken(r, 1, 1 * S, 1000), 0); /* a clock that goes back gives nothing */
    rate_free(r);
    rate_free(NULL);
}

static void test_bytes(void **state)
{
    struct rate *r;
    unsigned wait = 0;

    (void)state;
    assert_int_equal(rate_new(&r), 0);
    rate_set(r, 0, 1000);
    rate_charge(r, 1, S, 1000);
    assert_true(rate_take(r, 1, S, &wait));
    rate_charge(r, 1, S, 5000);
    assert_false(rate_take(r, 1, S, &wait));
    assert_int_equal(wait, 6);
    assert_false(rate_take(r, 1, 5 * S, &wait));
    assert_true(rate_take(r, 1, 7 * S, &wait));
    assert_true(rate_take(r, 2, S, &wait));
    rate_charge(r, 3, S, UINT64_MAX); /* owes for long, not for ever */
    assert_false(rate_take(r, 3, 2 * S, &wait));
    assert_int_equal(wait, 3600);
    rate_charge(r, 3, 2 * S, UINT64_MAX);
    assert_false(rate_take(r, 3, 3 * S, &wait));
    rate_free(r);
}

/* Many who ask once take no memory, and somebody who asks all the time is not forgotten for them. */
static void test_crowd(void **state)
{
    struct rate *r;
    unsigned got = 0, wait;

    (void)state;
    assert_int_equal(rate_new(&r), 0);
    rate_set(r, 1, 0);
    for (uint64_t i = 1; i < 100000; i++) {
        rate_take(r, i * 7919 + 8, (int64_t)i, &wait);
        got += rate_take(r, 7, (int64_t)i, &wait);
    }
    assert_int_equal(got, 1);
    rate_free(r);
}

static void test_hosts(void **state)
{
    static const char list[] = "a.example, *.b.example,10.0.0.1  [::1]";

    (void)state;
    assert_true(host_listed(list, "a.example"));
    assert_true(host_listed(list, "A.Example.:9800"));
    assert_true(host_listed(list, "x.b.example:1"));
    assert_true(host_listed(list, "x.y.b.example"));
    assert_true(host_listed(list, "10.0.0.1:9800"));
    assert_true(host_listed(list, "[::1]:9800"));
    assert_false(host_listed(list, "b.example"));
    assert_false(host_listed(list, ".b.example"));
    assert_false(host_listed(list, "xb.example"));
    assert_false(host_listed(list, "a.example.evil"));
    assert_false(host_listed(list, "10.0.0.11"));
    assert_false(host_listed(list, "[::12]"));
    assert_false(host_listed(list, ""));
    assert_false(host_listed(list, ":80"));
    assert_false(host_listed("", "a"));
    assert_true(host_is_local("localhost"));
    assert_true(host_is_local("127.0.0.1:9880"));
    assert_true(host_is_local("[::1]"));
    assert_false(host_is_local("127.0.0.1.evil.example"));
    assert_false(host_is_local("localhost.evil"));
    assert_false(host_is_local("128.0.0.1"));
    assert_false(host_is_local(""));
}

static void is_json(const char *text, size_t len, const char *want)
{
    struct buf b;

    buf_init(&b, 1000);
    json_text(&b, text, len);
    assert_string_equal(buf_text(&b), want);
    buf_fini(&b);
}

static void test_json(void **state)
{
    (void)state;
    is_json("", 0, "\"\"");
    is_json("a\"b\\c\n\x7f", 7, "\"a\\\"b\\\\c\\u000a\\u007f\"");
    is_json("a\0b", 3, "\"a\\u0000b\"");
    is_json("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
    is_json("\xff", 1, "\"\\ufffd\"");
    is_json("\xc3", 1, "\"\\ufffd\"");
    is_json("\xc0\xaf", 2, "\"\\ufffd\\ufffd\"");
    is_json("\xed\xa0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\"");
    is_json("\xf4\x90\x80\x80", 4, "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

static void test_metrics(void **state)
{
    struct metrics *m;
    struct buf b;
    char name[8][4];

    (void)state;
    assert_int_equal(metrics_new(&m), 0);
    metrics_request(m, "GetObject", 200, 1, 20, 1500);
    metrics_request(m, "GetObject", 799, 1, 20, 999999999);
    for (unsigned i = 0; i < 8; i++) { /* the text counts, not where it is */
        memcpy(name[i], "Put", 4);
        metrics_request(m, name[i], 200, 0, 0, 0);
    }
    buf_init(&b, 1 << 20);
    metrics_render(m, &b);
    assert_int_equal(b.err, 0);
    assert_non_null(strstr(b.data, "{operation=\"GetObject\",status=\"200\"} 1\n"));
    assert_non_null(strstr(b.data, "{operation=\"GetObject\",status=\"other\"} 1\n"));
    assert_non_null(strstr(b.data, "{operation=\"Put\",status=\"200\"} 8\n"));
    assert_non_null(strstr(b.data, "{operation=\"GetObject\",le=\"0.001\"} 0\n"));
    assert_non_null(strstr(b.data, "{operation=\"GetObject\",le=\"0.0025\"} 1\n"));
    assert_non_null(strstr(b.data, "{operation=\"GetObject\",le=\"+Inf\"} 2\n"));
    assert_non_null(strstr(b.data, "_sum{operation=\"GetObject\"} 1000.001499\n"));
    buf_fini(&b);
    metrics_free(m);
}

/* More operations than there is room for are counted together, none is lost. */
static void test_many_operations(void **state)
{
    static char names[400][8];
    struct metrics *m;
    struct buf b;

    (void)state;
    assert_int_equal(metrics_new(&m), 0);
    for (unsigned i = 0; i < 400; i++) {
        snprintf(names[i], sizeof names[i], "Op%u", i);
        metrics_request(m, names[i], 200, 0, 0, 0);
    }
    buf_init(&b, 4 << 20);
    metrics_render(m, &b);
    assert_non_null(strstr(b.data, "{operation=\"Other\",status=\"200\"} 241\n"));
    buf_fini(&b);
    metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_many_operations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
