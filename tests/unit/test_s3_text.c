/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's pure parts over text: targets, dates, conditions, ranges, XML in and out, errors. */
#include "buf.h"
#include "date.h"
#include "s3/cond.h"
#include "s3/error.h"
#include "s3/xml_in.h"
#include "s3/xml_out.h"
#include "uri.h"

#include "pcloud/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_uri(void **state)
{
    struct uri u;
    struct uri_query q;
    char out[64];
    size_t len;

    (void)state;
    assert_int_equal(uri_split("/a/b?c=d", &u), 0);
    assert_int_equal(u.path_len, 4);
    assert_int_equal(u.query_len, 3);
    assert_int_equal(uri_split("http://host:1/a?b", &u), 0);
    assert_memory_equal(u.path, "/a", 2);
    assert_int_equal(uri_split("*", &u), PC_EFORMAT);
    assert_int_equal(uri_split("", &u), PC_EFORMAT);
    assert_int_equal(uri_split("http://host", &u), PC_EFORMAT);
    assert_int_equal(uri_split("http://host?x", &u), PC_EFORMAT);

    assert_int_equal(uri_decode("a%00%2Fb+", 9, URI_PLUS_LITERAL, out, &len), 0);
    assert_int_equal(len, 5);
    assert_memory_equal(out, "a\0/b+", 5);
    assert_int_equal(uri_decode("+", 1, URI_PLUS_SPACE, out, &len), 0);
    assert_string_equal(out, " ");
    assert_int_equal(uri_decode("%", 1, URI_PLUS_SPACE, out, &len), PC_EFORMAT);
    assert_int_equal(uri_decode("%4", 2, URI_PLUS_SPACE, out, &len), PC_EFORMAT);
    assert_int_equal(uri_decode("%4g", 3, URI_PLUS_SPACE, out, &len), PC_EFORMAT);
    assert_int_equal(uri_decode("%41", 3, URI_PLUS_SPACE, out, &len), 0);
    assert_string_equal(out, "A");

    assert_int_equal(uri_query_parse("a=1&b&&c==&a=2", 14, &q), 0);
    assert_int_equal(q.count, 4);
    assert_string_equal(uri_query_get(&q, "a"), "1");
    assert_string_equal(uri_query_get(&q, "b"), "");
    assert_string_equal(uri_query_get(&q, "c"), "=");
    assert_null(uri_query_get(&q, "d"));
    uri_query_fini(&q);
    assert_int_equal(uri_query_parse("a=%zz", 5, &q), PC_EFORMAT);
}

static void test_uri_many(void **state)
{
    struct uri_query q;
    struct buf b;

    (void)state;
    buf_init(&b, 65536);
    for (int i = 0; i < URI_PARAMS_MAX; i++)
        buf_fmt(&b, "p%d=%d&", i, i);
    assert_int_equal(uri_query_parse(b.data, b.len, &q), 0);
    assert_int_equal(q.count, URI_PARAMS_MAX);
    uri_query_fini(&q);
    buf_str(&b, "one=more");
    assert_int_equal(uri_query_parse(b.data, b.len, &q), PC_ELIMIT);
    buf_fini(&b);
}

static void test_dates(void **state)
{
    static const char *const same[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                       "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                                       "Sun, 06 Nov 1994 08:49:37 +0000"};
    static const char *const wrong[] = {"",
                                        "Sun, 06 Nov 1994 08:49:37",
                                        "Sun, 32 Nov 1994 08:49:37 GMT",
                                        "Sun, 06 Foo 1994 08:49:37 GMT",
                                        "Sun, 06 Nov 1994 25:49:37 GMT",
                                        "Sun, 06 Nov 1994 08:49:37 GMT+1",
                                        "1994-11-06T08:49:37Z",
                                        "Sun, 06 No"};
    char text[DATE_HTTP_MAX];
    struct timespec ts = {784111777, 123456789};
    time_t t;

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_int_equal(date_parse_http(same[i], &t), 0);
        assert_int_equal(t, 784111777);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(date_parse_http(wrong[i], &t), PC_EFORMAT);
    date_http(784111777, text);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    date_iso(&ts, text);
    assert_string_equal(text, "1994-11-06T08:49:37.123Z");
    assert_int_equal(date_parse_amz("19941106T084937Z", &t), 0);
    assert_int_equal(t, 784111777);
    assert_int_equal(date_parse_amz("19941306T084937Z", &t), PC_EFORMAT);
    assert_int_equal(date_parse_amz("19941106T084937", &t), PC_EFORMAT);
}

static void test_iso_dates(void **state)
{
    static const char *const same[] = {"1994-11-06T08:49:37Z", "1994-11-06T08:49:37.000000Z",
                                       "1994-11-06T09:49:37+01:00", "1994-11-06T06:19:37-02:30"};
    static const char *const wrong[] = {"",
                                        "1994-11-06",
                                        "1994-11-06T08:49:37",
                                        "1994-11-06T08:49:37+1",
                                        "1994-11-06T08:49:37+25:00",
                                        "1994-13-06T08:49:37Z",
                                        "1994-11-06T08:49:37.12",
                                        "1994-11-06 08:49:37Z",
                                        "1994-11-06T08:49:37Zz"};
    struct timespec ts;

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_int_equal(date_parse_iso(same[i], &ts), 0);
        assert_int_equal(ts.tv_sec, 784111777);
        assert_int_equal(ts.tv_nsec, 0);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(date_parse_iso(wrong[i], &ts), PC_EFORMAT);
    assert_int_equal(date_parse_iso("1994-11-06T08:49:37.1234567891Z", &ts), 0);
    assert_int_equal(ts.tv_nsec, 123456789);
}

static void test_range(void **state)
{
    static const struct {
        const char *text;
        uint64_t size;
        enum range_result result;
        uint64_t off, len;
    } rows[] = {
        {"bytes=0-9", 100, RANGE_PART, 0, 10},
        {"bytes=0-0", 100, RANGE_PART, 0, 1},
        {"bytes=90-", 100, RANGE_PART, 90, 10},
        {"bytes=90-1000", 100, RANGE_PART, 90, 10},
        {"bytes=-10", 100, RANGE_PART, 90, 10},
        {"bytes=-1000", 100, RANGE_PART, 0, 100},
        {"bytes=-0", 100, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=100-", 100, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=100-200", 100, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-", 0, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-1", 0, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=9-0", 100, RANGE_ALL, 0, 0},
        {"bytes=a-b", 100, RANGE_ALL, 0, 0},
        {"bytes=0-1,5-6", 100, RANGE_ALL, 0, 0},
        {"bytes=", 100, RANGE_ALL, 0, 0},
        {"bytes=-", 100, RANGE_ALL, 0, 0},
        {"items=0-1", 100, RANGE_ALL, 0, 0},
        {"0-1", 100, RANGE_ALL, 0, 0},
        {"Bytes=0-1", 100, RANGE_PART, 0, 2},
        {"bytes=99999999999999999999999-", 100, RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-99999999999999999999999", 100, RANGE_PART, 0, 100},
    };
    uint64_t off, len;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        off = len = 0;
        assert_int_equal(range_parse(rows[i].text, rows[i].size, &off, &len), rows[i].result);
        if (rows[i].result == RANGE_PART) {
            assert_int_equal(off, rows[i].off);
            assert_int_equal(len, rows[i].len);
        }
    }
    assert_true(range_parse_exact("bytes=5-9", &off, &len));
    assert_int_equal(off, 5);
    assert_int_equal(len, 5);
    assert_false(range_parse_exact("bytes=5-", &off, &len));
    assert_false(range_parse_exact("bytes=-5", &off, &len));
    assert_false(range_parse_exact("bytes=9-5", &off, &len));
    assert_false(range_parse_exact("5-9", &off, &len));
    assert_false(range_parse_exact("bytes=0-18446744073709551615", &off, &len));
}

#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AT "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

/* RFC 9110 §13.2.2: If-Match before If-Unmodified-Since, If-None-Match before If-Modified-Since. */
static void test_conditions(void **state)
{
    static const struct {
        struct cond c;
        enum cond_result result;
    } rows[] = {
        {{0}, COND_GO},
        {{.if_match = "\"e\""}, COND_GO},
        {{.if_match = "e"}, COND_GO},
        {{.if_match = "*"}, COND_GO},
        {{.if_match = "\"x\", \"e\""}, COND_GO},
        {{.if_match = "\"x\""}, COND_FAILED},
        {{.if_match = ""}, COND_FAILED},
        {{.if_none_match = "\"e\""}, COND_NOT_MODIFIED},
        {{.if_none_match = "W/\"e\""}, COND_NOT_MODIFIED},
        {{.if_none_match = "*"}, COND_NOT_MODIFIED},
        {{.if_none_match = "\"x\""}, COND_GO},
        {{.if_unmodified_since = BEFORE}, COND_FAILED},
        {{.if_unmodified_since = AT}, COND_GO},
        {{.if_unmodified_since = "nonsense"}, COND_GO},
        {{.if_modified_since = AT}, COND_NOT_MODIFIED},
        {{.if_modified_since = AFTER}, COND_NOT_MODIFIED},
        {{.if_modified_since = BEFORE}, COND_GO},
        {{.if_modified_since = "Thu, 01 Jan 9998 00:00:00 GMT"}, COND_GO},
        {{.if_match = "\"e\"", .if_unmodified_since = BEFORE}, COND_GO},
        {{.if_match = "\"x\"", .if_unmodified_since = AFTER}, COND_FAILED},
        {{.if_none_match = "\"x\"", .if_modified_since = AFTER}, COND_GO},
        {{.if_none_match = "\"e\"", .if_modified_since = BEFORE}, COND_NOT_MODIFIED},
        {{.if_match = "\"x\"", .if_none_match = "\"e\""}, COND_FAILED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(cond_check(&rows[i].c, "e", 784111777), rows[i].result);
    assert_true(cond_range_holds("\"e\"", "e", 784111777));
    assert_false(cond_range_holds("\"f\"", "e", 784111777));
    assert_true(cond_range_holds(AT, "e", 784111777));
    assert_false(cond_range_holds(AFTER, "e", 784111777));
}

struct seen {
    struct buf log;
    int fail;
};

static int on_leaf(void *arg, const char *path, const char *text, size_t len)
{
    struct seen *s = arg;

    buf_fmt(&s->log, "%s=%.*s;", path, (int)len, text);
    return s->fail;
}

static int read_xml(struct seen *s, const char *text)
{
    buf_reset(&s->log);
    return xml_read(text, strlen(text), "Delete", on_leaf, s);
}

static void test_xml_in(void **state)
{
    static const char *const wrong[] = {
        "",
        "x",
        "<Delete>",
        "<Delete></delete>",
        "<Other></Other>",
        "<Delete><a>&unknown;</a></Delete>",
        "<!DOCTYPE Delete [<!ENTITY a 'b'>]><Delete><a>&a;</a></Delete>",
        "<!DOCTYPE Delete SYSTEM 'file:///etc/passwd'><Delete/>",
        "<Delete><a><b><c><d><e><f><g><h/></g></f></e></d></c></b></a></Delete>",
        "<Delete/><Delete/>",
        "<Delete><a>\xff</a></Delete>",
        "<Delete><a>&#0;</a></Delete>",
    };
    struct seen s = {.fail = 0};

    (void)state;
    buf_init(&s.log, 1 << 20);
    assert_int_equal(
        read_xml(
            &s, "<?xml version=\"1.0\"?><Delete xmlns=\"urn:x\"><Object><Key>a&amp;b</Key></Object>"
                "<Quiet>true</Quiet></Delete>"),
        0);
    assert_string_equal(buf_text(&s.log), "Object/Key=a&b;Object=;Quiet=true;");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(read_xml(&s, wrong[i]), S3_EXML);
    s.fail = S3_EKEYTOOLONG;
    assert_int_equal(read_xml(&s, "<Delete><a/></Delete>"), S3_EKEYTOOLONG);
    buf_fini(&s.log);
}

/* Over the caps: a text, a name, the depth of the path. */
static void test_xml_caps(void **state)
{
    struct seen s = {.fail = 0};
    struct buf doc;

    (void)state;
    buf_init(&s.log, 1 << 20);
    buf_init(&doc, 1 << 20);
    buf_str(&doc, "<Delete><a>");
    for (int i = 0; i <= XML_TEXT_MAX; i++)
        buf_char(&doc, 'x');
    buf_str(&doc, "</a></Delete>");
    assert_int_equal(read_xml(&s, doc.data), S3_EXML);
    buf_reset(&doc);
    buf_str(&doc, "<Delete><");
    for (int i = 0; i < 300; i++)
        buf_char(&doc, 'x');
    buf_str(&doc, "/></Delete>");
    assert_int_equal(read_xml(&s, doc.data), S3_EXML);
    buf_fini(&doc);
    buf_fini(&s.log);
}

static void test_xml_out(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    xml_key(&b, "K", "a<>&\"'\n\x01\xc3\xa4\xff\x00z", 13, XML_PLAIN);
    assert_string_equal(buf_text(&b),
                        "<K>a&lt;&gt;&amp;&quot;'&#xA;&#x1;\xc3\xa4\xef\xbf\xbd\xef\xbf\xbdz</K>");
    buf_reset(&b);
    xml_key(&b, "K", "a b/\xff+", 6, XML_URL);
    assert_string_equal(buf_text(&b), "<K>a%20b/%FF%2B</K>");
    buf_reset(&b);
    /* overlong, surrogate, beyond the last, cut off */
    xml_text(&b, "\xc0\x80|\xed\xa0\x80|\xf4\x90\x80\x80|\xe2\x82", 12);
    assert_null(strchr(buf_text(&b), (char)0xed));
    assert_null(strchr(buf_text(&b), (char)0xf4));
    buf_reset(&b);
    xml_num(&b, "N", 0);
    xml_num(&b, "N", UINT64_MAX);
    xml_time(&b, "T", &(struct timespec){.tv_sec = 784111777, .tv_nsec = 7000000});
    xml_etag(&b, "e-1");
    assert_string_equal(buf_text(&b),
                        "<N>0</N><N>18446744073709551615</N>"
                        "<T>1994-11-06T08:49:37.007Z</T><ETag>&quot;e-1&quot;</ETag>");
    buf_fini(&b);
}

static void test_buf(void **state)
{
    struct buf b;
    size_t len;
    char *taken;

    (void)state;
    buf_init(&b, 5);
    buf_str(&b, "abc");
    buf_str(&b, "de");
    assert_int_equal(b.err, 0);
    buf_char(&b, 'f');
    assert_int_equal(b.err, PC_ELIMIT);
    assert_string_equal(buf_text(&b), "abcde");
    taken = buf_take(&b, &len);
    assert_int_equal(len, 5);
    free(taken);
    assert_string_equal(buf_text(&b), "");
    buf_fini(&b);
}

static void test_errors(void **state)
{
    (void)state;
    assert_int_equal(s3_error_of(-ENOENT), S3_ENOKEY);
    assert_int_equal(s3_error_of(PC_ENOBUCKET), S3_ENOBUCKET);
    assert_int_equal(s3_error_of(S3_EXML), S3_EXML);
    assert_int_equal(s3_error_of(-ENOSPC), S3_EFULL);
    assert_int_equal(s3_error_entry(S3_EFULL)->status, 507);
    assert_int_equal(s3_error_of(PC_ECORRUPT), S3_EINTERNAL);
    assert_int_equal(s3_error_of(-EIO), S3_EINTERNAL);
    assert_string_equal(s3_error_entry(S3_EACCESS)->code, "AccessDenied");
    for (int e = S3_EFIRST + 1; e < S3_ELAST; e++) {
        assert_non_null(s3_error_entry(e)->code);
        assert_in_range(s3_error_entry(e)->status, 304, 507);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uri),     cmocka_unit_test(test_uri_many),
        cmocka_unit_test(test_dates),   cmocka_unit_test(test_iso_dates),
        cmocka_unit_test(test_range),   cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_xml_in),  cmocka_unit_test(test_xml_caps),
        cmocka_unit_test(test_xml_out), cmocka_unit_test(test_buf),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
