/* SPDX-License-Identifier: Apache-2.0 */
/* The old signature: the examples that AWS published, and what of a URL is signed. */
#include "auth/sigv2.h"

#include "pcloud/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

struct example {
    const char *method, *bucket, *target, *expires, *text, *signature;
    struct header headers[10];
};

static void is_signed(const struct example *e)
{
    struct sigv2_request r = {
        .method = e->method, .bucket = e->bucket, .headers = e->headers, .expires = e->expires};
    char out[SIGV2_SIGNATURE_MAX];
    struct uri_query query;
    struct uri uri;
    struct buf text;

    assert_int_equal(uri_split(e->target, &uri), 0);
    assert_int_equal(uri_query_parse(uri.query, uri.query_len, &query), 0);
    while (e->headers[r.header_count].name)
        r.header_count++;
    r.path = uri.path;
    r.path_len = uri.path_len;
    r.query = &query;
    buf_init(&text, SIGV2_TEXT_MAX);
    assert_int_equal(sigv2_text(&r, &text), 0);
    if (e->text)
        assert_string_equal(buf_text(&text), e->text);
    if (e->signature) {
        assert_int_equal(sigv2_sign(SECRET, text.data, text.len, out), 0);
        assert_string_equal(out, e->signature);
    }
    buf_fini(&text);
    uri_query_fini(&query);
}

static void examples_of_aws(void **state)
{
    static const struct example examples[] = {
        {.method = "GET",
         .bucket = "johnsmith",
         .target = "/photos/puppy.jpg",
         .headers = {{"Date", "Tue, 27 Mar 2007 19:36:42 +0000"}},
         .text = "GET\n\n\nTue, 27 Mar 2007 19:36:42 +0000\n/johnsmith/photos/puppy.jpg",
         .signature = "bWq2s1WEIj+Ydj0vQ697zp+IXMU="},
        {.method = "PUT",
         .bucket = "johnsmith",
         .target = "/photos/puppy.jpg",
         .headers = {{"Content-Type", "image/jpeg"},
                     {"Content-Length", "94328"},
                     {"Date", "Tue, 27 Mar 2007 21:15:45 +0000"}},
         .signature = "MyyxeRY7whkBe+bq8fHCL/2kKUg="},
        {.method = "PUT",
         .bucket = "static.johnsmith.net",
         .target = "/db-backup.dat.gz",
         .headers = {{"Date", "Tue, 27 Mar 2007 21:06:08 +0000"},
                     {"x-amz-acl", "public-read"},
                     {"content-type", "application/x-download"},
                     {"Content-MD5", "4gJE4saaMU4BqNR0kLY+lw=="},
                     {"X-Amz-Meta-ReviewedBy", "joe@johnsmith.net"},
                     {"X-Amz-Meta-ReviewedBy", " jane@johnsmith.net "},
                     {"X-Amz-Meta-FileChecksum", "0x02661779"},
                     {"X-Amz-Meta-ChecksumAlgorithm", "crc32"}},
         .signature = "ilyl83RwaSoYIEdixDQcA4OnAnc="},
    };

    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
        is_signed(&examples[i]);
}

static void what_of_a_request_is_signed(void **state)
{
    static const struct example examples[] = {
        {.method = "GET",
         .bucket = "",
         .target = "/b/k%20x?uploads&prefix=p&versionId=a%2Fb&acl=&AWSAccessKeyId=x",
         .headers = {{"x-amz-date", "Tue, 27 Mar 2007 21:20:26 +0000"}, {"Date", "other"}},
         .text = "GET\n\n\n\nx-amz-date:Tue, 27 Mar 2007 21:20:26 +0000\n"
                 "/b/k%20x?acl&uploads&versionId=a/b"},
        {.method = "PUT",
         .bucket = "",
         .target = "/b/k?AWSAccessKeyId=K&Expires=99&Signature=s&x-amz-acl=private&content-type=t",
         .headers = {{"Date", "not this"}},
         .expires = "99",
         .text = "PUT\n\nt\n99\nx-amz-acl:private\n/b/k"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
        is_signed(&examples[i]);
}

static void long_keys_and_texts(void **state)
{
    struct sigv2_request r = {.method = "GET", .bucket = "", .path = "/"};
    static char long_key[200], big[SIGV2_TEXT_MAX + 1];
    struct uri_query none = {.count = 0};
    struct header h = {"x-amz-meta-a", big};
    char out[SIGV2_SIGNATURE_MAX];
    struct buf text;

    (void)state;
    memset(long_key, 0xaa, 80);
    assert_int_equal(
        sigv2_sign(long_key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, out), 0);
    assert_string_equal(out, "qkrl4VJy0A6VcFY3zoo7Ve1AIRI="); /* RFC 2202 */
    memset(big, 'x', sizeof big - 1);
    r.query = &none;
    r.headers = &h;
    r.header_count = 1;
    r.path_len = 1;
    buf_init(&text, SIGV2_TEXT_MAX);
    assert_int_equal(sigv2_text(&r, &text), PC_ELIMIT);
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_aws),
        cmocka_unit_test(what_of_a_request_is_signed),
        cmocka_unit_test(long_keys_and_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
