/* SPDX-License-Identifier: Apache-2.0 */
/* Exit codes, sizes, shell quoting and JSON of what the user sees. */
#include "out.h"
#include "pcloud/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void exit_codes(void **state)
{
    (void)state;
    assert_int_equal(out_exit(0), 0);
    assert_int_equal(out_exit(1), 1);
    assert_int_equal(out_exit(PC_EUSAGE), 2);
    assert_int_equal(out_exit(PC_ENOHOME), 1);
    assert_int_equal(out_exit(-ENOSPC), 1);
}

static void sizes(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1.0 KiB"},
        {1536, "1.5 KiB"},
        {1048575, "1.0 MiB"},
        {UINT64_C(3) << 30, "3.0 GiB"},
        {UINT64_MAX, "16.0 EiB"},
    };
    char buf[OUT_SIZE_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(out_size(cases[i].bytes, buf), cases[i].text);
}

static void quoting(void **state)
{
    static const char *const cases[][2] = {
        {"", "''"}, {"a b", "'a b'"}, {"it's", "'it'\\''s'"}, {"$(x) \"y\"", "'$(x) \"y\"'"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = NULL;
        size_t len;
        FILE *f = open_memstream(&text, &len);

        assert_non_null(f);
        out_quote(cases[i][0], f);
        fclose(f);
        assert_string_equal(text, cases[i][1]);
        free(text);
    }
}

static void json_of_any_bytes(void **state)
{
    json_t *good = out_json_text("gr\xc3\xbc\xc3\x9f"), *bad = out_json_text("a\xff"
                                                                             "b");

    (void)state;
    assert_string_equal(json_string_value(good), "gr\xc3\xbc\xc3\x9f");
    assert_string_equal(json_string_value(bad), "a?b");
    json_decref(good);
    json_decref(bad);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(out_json(NULL), -ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes),
        cmocka_unit_test(sizes),
        cmocka_unit_test(quoting),
        cmocka_unit_test(json_of_any_bytes),
        cmocka_unit_test(no_memory_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
