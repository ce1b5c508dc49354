/* SPDX-License-Identifier: Apache-2.0 */
/* Forms taken apart in pieces of every size, and policies held against their fields. */
#include "form/form.h"
#include "form/form_policy.h"

#include "pcloud/err.h"
#include "s3/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char got[8192];

static int on_begin(void *arg, const char *name, const char *filename, const char *type)
{
    (void)arg;
    snprintf(got + strlen(got), sizeof got - strlen(got), "[%s|%s|%s]", name,
             filename ? filename : "-", type ? type : "-");
    return 0;
}

static int on_data(void *arg, const void *data, size_t len)
{
    size_t at = strlen(got);

    (void)arg;
    assert_true(at + len < sizeof got);
    memcpy(got + at, data, len);
    got[at + len] = '\0';
    return 0;
}

static int on_end(void *arg)
{
    (void)arg;
    strncat(got, "$", sizeof got - strlen(got) - 1);
    return 0;
}

static const struct form_sink sink = {on_begin, on_data, on_end, NULL};

static int feed(const char *text, size_t piece, bool *ret_whole)
{
    size_t len = strlen(text);
    struct form f;
    int rc = form_init(&f, "multipart/form-data; charset=x; boundary=\"a b\"");

    assert_int_equal(rc, 0);
    got[0] = '\0';
    for (size_t at = 0; at < len && rc == 0; at += piece)
        rc = form_feed(&f, &sink, text + at, len - at < piece ? len - at : piece);
    *ret_whole = form_whole(&f);
    return rc;
}

#define FIELD(name) "\r\nContent-Disposition: form-data; name=" name "\r\n\r\n"

static void parts_in_pieces(void **state)
{
    static const char text[] = "preamble\r\n--a b" FIELD(
        "key") "v\r\n--a \r\n--b\r\r\n--a b \t\r\n"
               "content-type: text/x; y\r\nContent-Disposition: form-data; filename=\"a;\\\"b\"; "
               "name=\"file\"\r\n\r\n\r\n-\r\n\r\n--a b--\r\nepilogue --a b";
    bool whole;

    (void)state;
    for (size_t piece = 1; piece <= sizeof text; piece++) {
        assert_int_equal(feed(text, piece, &whole), 0);
        assert_true(whole);
        assert_string_equal(got, "[key|-|-]v\r\n--a \r\n--b\r$[file|a;\"b|text/x; y]\r\n-\r\n$");
    }
    assert_int_equal(feed("--a b" FIELD("k") "\r\n--a b--", 1, &whole), 0);
    assert_string_equal(got, "[k|-|-]$");
}

static void what_is_no_form(void **state)
{
    static const char *const types[] = {NULL,
                                        "",
                                        "text/plain",
                                        "multipart/form-data",
                                        "multipart/form-data; boundary=",
                                        "multipart/form-data; boundary=\"x",
                                        "multipart/mixed; boundary=x"};
    static const char *const bodies[] = {"--a bX", "--a b\r\n\r\n\r\n", "--a b\r\nA: b\r\n\r\n",
                                         "--a b" FIELD(""), "--a b" FIELD("k") "\r\n--a b-x"};
    char text[FORM_HEAD_MAX + 64] = "--a b\r\nX: ";
    struct form f;
    bool whole;

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        assert_int_equal(form_init(&f, types[i]), PC_EFORMAT);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        int rc = feed(bodies[i], 1, &whole);

        if (i != 3)
            assert_int_equal(rc, PC_EFORMAT);
        assert_false(whole);
    }
    memset(text + strlen(text), 'x', FORM_HEAD_MAX);
    assert_int_equal(feed(text, 100, &whole), PC_ELIMIT);
}

static const struct form_field fields[] = {{"key", "user/eric/a"},
                                           {"Content-Type", "image/png"},
                                           {"x-ignore-me", "1"},
                                           {"AWSAccessKeyId", "K"},
                                           {"policy", "p"}};

static int check(const char *conditions, struct form_limits *l)
{
    char json[1024], message[256];

    snprintf(json, sizeof json,
             "{\"expiration\": \"2030-01-01T12:00:00.000Z\", \"conditions\": %s}", conditions);
    return form_policy_check(json, strlen(json), 1000, "pics", fields, 5, l, message);
}

static void policies(void **state)
{
#define BOTH "[\"starts-with\", \"$key\", \"user/\"], {\"content-TYPE\": \"image/png\"}"
    static const struct {
        const char *text;
        int rc;
    } tries[] = {
        {"[" BOTH "]", 0},
        {"[{\"bucket\": \"pics\"}, " BOTH "]", 0},
        {"[{\"bucket\": \"other\"}, " BOTH "]", S3_EACCESS},
        {"[[\"starts-with\", \"$key\", \"user/\"]]",
         S3_EACCESS}, /* of Content-Type it says nothing */
        {"[[\"eq\", \"$key\", \"user/\"], {\"Content-Type\": \"image/png\"}]", S3_EACCESS},
        {"[" BOTH ", [\"starts-with\", \"$acl\", \"\"]]", 0},
        {"[" BOTH ", {\"acl\": \"private\"}]", S3_EACCESS},
        {"[" BOTH ", [\"content-length-range\", 1, 10], [\"content-length-range\", \"0\", \"9\"]]",
         0},
        {"[" BOTH ", [\"content-length-range\", 1]]", S3_EFORMPOLICY},
        {"[" BOTH ", [\"content-length-range\", -1, 0]]", S3_EFORMPOLICY},
        {"[" BOTH ", [\"content-length-range\", 2, 1]]", S3_EFORMPOLICY},
        {"[" BOTH ", {}]", S3_EFORMPOLICY},
        {"[" BOTH ", {\"a\": \"\", \"b\": \"\"}]", S3_EFORMPOLICY},
        {"[" BOTH ", {\"a\": 1}]", S3_EFORMPOLICY},
        {"[" BOTH ", [\"ends-with\", \"$key\", \"a\"]]", S3_EFORMPOLICY},
        {"[" BOTH ", 7]", S3_EFORMPOLICY},
        {"{}", S3_EFORMPOLICY},
    };
    struct form_limits l;
    char message[256];

    (void)state;
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
        if (check(tries[i].text, &l) != tries[i].rc)
            fail_msg("%s", tries[i].text);
    assert_int_equal(check(tries[7].text, &l), 0);
    assert_int_equal(l.min, 1);
    assert_int_equal(l.max, 9);
#define JSON(text) text, sizeof(text) - 1
    assert_int_equal(form_policy_check(JSON("{\"expiration\": \"1970-01-01T00:00:00Z\", "
                                            "\"conditions\": []}"),
                                       1000, "b", NULL, 0, &l, message),
                     S3_EACCESS);
    assert_int_equal(form_policy_check(JSON("{\"expiration\": \"2030-01-01\", \"conditions\": []}"),
                                       1000, "b", NULL, 0, &l, message),
                     S3_EFORMPOLICY);
    assert_int_equal(form_policy_check(JSON("{\"Expiration\": \"2030-01-01T00:00:00Z\"}"), 1000,
                                       "b", NULL, 0, &l, message),
                     S3_EFORMPOLICY);
    assert_int_equal(form_policy_check(JSON("[1"), 1000, "b", NULL, 0, &l, message),
                     S3_EFORMPOLICY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_in_pieces),
        cmocka_unit_test(what_is_no_form),
        cmocka_unit_test(policies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
