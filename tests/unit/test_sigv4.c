/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures: the examples AWS publishes for S3, and forms that must be refused. */
#include "auth/sigv4.h"

#include "pcloud/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SCOPE "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
#define HOST                                                                                       \
    {                                                                                              \
        "Host", "examplebucket.s3.amazonaws.com"                                                   \
    }
#define DATE                                                                                       \
    {                                                                                              \
        "X-Amz-Date", "20130524T000000Z"                                                           \
    }

struct example {
    const char *method, *target, *names, *signature, *payload;
    struct header headers[8];
};

static void compute(const struct sigv4 *sig, const struct example *e, char out[65])
{
    struct sigv4_request r = {.method = e->method, .headers = e->headers, .payload = e->payload};
    struct buf canonical, text;
    unsigned char key[32];

    while (r.header_count < 8 && e->headers[r.header_count].name)
        r.header_count++;
    assert_int_equal(uri_split(e->target, &r.uri), 0);
    buf_init(&canonical, SIGV4_CANONICAL_MAX);
    buf_init(&text, 1024);
    assert_int_equal(sigv4_canonical(sig, &r, &canonical), 0);
    assert_int_equal(sigv4_string_to_sign(sig, &canonical, &text), 0);
    sigv4_key(sig, SECRET, key);
    sigv4_sign(key, text.data, text.len, out);
    buf_fini(&canonical);
    buf_fini(&text);
}

static const struct example examples[] = {
    {"GET",
     "/test.txt",
     "host;range;x-amz-content-sha256;x-amz-date",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
     EMPTY,
     {HOST, {"Range", "bytes=0-9"}, {"x-amz-content-sha256", EMPTY}, DATE}},
    {"PUT",
     "/test$file.text",
     "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
     "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
     {HOST,
      {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
      {"x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"},
      DATE,
      {"x-amz-storage-class", "REDUCED_REDUNDANCY"}}},
    {"GET",
     "/?lifecycle",
     "host;x-amz-content-sha256;x-amz-date",
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
     EMPTY,
     {HOST, {"x-amz-content-sha256", EMPTY}, DATE}},
    {"GET",
     "/?prefix=J&max-keys=2",
     "host;x-amz-content-sha256;x-amz-date",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
     EMPTY,
     {HOST, {"x-amz-content-sha256", EMPTY}, DATE}},
};

static void test_published_header(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        const struct example *e = &examples[i];
        char line[1024], got[65];
        struct sigv4 sig;

        snprintf(line, sizeof line,
                 "AWS4-HMAC-SHA256 Credential=" SCOPE ",SignedHeaders=%s,Signature=%s", e->names,
                 e->signature);
        assert_int_equal(sigv4_from_header(line, "20130524T000000Z", NULL, &sig), SIGV4_OK);
        assert_string_equal(sig.access_key, "AKIAIOSFODNN7EXAMPLE");
        assert_string_equal(sig.region, "us-east-1");
        compute(&sig, e, got);
        assert_string_equal(got, e->signature);
    }
}

static const char presigned[] =
    "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

static enum sigv4_fault from_target(const char *target, struct sigv4 *sig)
{
    struct uri_query query;
    struct uri uri;
    enum sigv4_fault fault;

    assert_int_equal(uri_split(target, &uri), 0);
    assert_int_equal(uri_query_parse(uri.query, uri.query_len, &query), 0);
    fault = sigv4_from_query(&query, sig);
    uri_query_fini(&query);
    return fault;
}

static void test_published_presigned(void **state)
{
    struct example e = {"GET", presigned, "host", NULL, "UNSIGNED-PAYLOAD", {HOST}};
    struct sigv4 sig;
    char got[65];

    (void)state;
    assert_int_equal(from_target(presigned, &sig), SIGV4_OK);
    assert_int_equal(sig.expires, 86400);
    assert_true(sig.presigned);
    compute(&sig, &e, got);
    assert_string_equal(got, "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

/* Every character of a presigned URL's parameters changed: never the same signature without a fault. */
static void test_presigned_tampered(void **state)
{
    char target[sizeof presigned];
    struct sigv4 sig;

    (void)state;
    for (size_t i = strlen("/test.txt?"); i < sizeof presigned - 1; i++) {
        struct example e = {"GET", target, "host", NULL, "UNSIGNED-PAYLOAD", {HOST}};
        struct uri uri;
        struct uri_query query;
        char got[65];

        memcpy(target, presigned, sizeof presigned);
        target[i] = target[i] == '1' ? '2' : '1';
        assert_int_equal(uri_split(target, &uri), 0);
        if (uri_query_parse(uri.query, uri.query_len, &query) < 0)
            continue;
        if (sigv4_from_query(&query, &sig) == SIGV4_OK &&
            strcmp(sig.access_key, "AKIAIOSFODNN7EXAMPLE") == 0 && sigv4_signs(&sig, "host")) {
            compute(&sig, &e, got);
            assert_string_not_equal(got, sig.signature);
        }
        uri_query_fini(&query);
    }
}

static void test_header_forms(void **state)
{
    static const struct {
        const char *text;
        enum sigv4_fault fault;
    } forms[] = {
        {"AWS4-HMAC-SHA256", SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 ", SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 Credential=" SCOPE, SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=" EMPTY, SIGV4_CREDENTIAL},
        {"AWS4-HMAC-SHA256 Credential=////, SignedHeaders=host, Signature=" EMPTY,
         SIGV4_CREDENTIAL},
        {"AWS4-HMAC-SHA256 Credential=k/2013052a/r/s3/aws4_request, SignedHeaders=host, "
         "Signature=" EMPTY,
         SIGV4_CREDENTIAL},
        {"AWS4-HMAC-SHA256 Credential=k/20130524/r/s3/aws4_reques, SignedHeaders=host, "
         "Signature=" EMPTY,
         SIGV4_CREDENTIAL},
        {"AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=Host, Signature=" EMPTY,
         SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=host, Signature=00",
         SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=host, Sig=" EMPTY, SIGV4_MALFORMED},
        {"AWS4-HMAC-SHA512 Credential=" SCOPE ", SignedHeaders=host, Signature=" EMPTY,
         SIGV4_UNSUPPORTED},
        {"AWS key:signature", SIGV4_UNSUPPORTED},
        {"", SIGV4_UNSUPPORTED},
        {"AWS4-HMAC-SHA256 Credential=" SCOPE ",SignedHeaders=host,Signature=" EMPTY, SIGV4_OK},
        {"AWS4-HMAC-SHA256 Credential=a/b/c/20130524/us-east-1/s3/aws4_request, "
         "SignedHeaders=host, Signature=" EMPTY,
         SIGV4_OK},
    };
    struct sigv4 sig;

    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        assert_int_equal(sigv4_from_header(forms[i].text, "20130524T000000Z", NULL, &sig),
                         forms[i].fault);
    assert_string_equal(sig.access_key, "a/b/c");
}

static void test_dates(void **state)
{
    static const char good[] =
        "AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=host, Signature=" EMPTY;
    struct sigv4 sig;

    (void)state;
    assert_int_equal(sigv4_from_header(good, NULL, NULL, &sig), SIGV4_DATE);
    assert_int_equal(sigv4_from_header(good, "yesterday", NULL, &sig), SIGV4_DATE);
    assert_int_equal(sigv4_from_header(good, "20130525T000000Z", NULL, &sig), SIGV4_SCOPE_DATE);
    assert_int_equal(sigv4_from_header(good, NULL, "Fri, 24 May 2013 00:00:00 GMT", &sig),
                     SIGV4_OK);
    assert_string_equal(sig.time, "20130524T000000Z");
    assert_int_equal(sig.when, 1369353600);
    assert_int_equal(sigv4_from_header(good, "20130532T000000Z", NULL, &sig), SIGV4_DATE);
}

static void test_presigned_forms(void **state)
{
    static const struct {
        const char *from, *to;
        enum sigv4_fault fault;
    } changes[] = {
        {"Expires=86400", "Expires=604801", SIGV4_EXPIRES},
        {"Expires=86400", "Expires=-1", SIGV4_EXPIRES},
        {"Expires=86400", "Expires=1x", SIGV4_EXPIRES},
        {"Expires=86400", "Expires=604800", SIGV4_OK},
        {"X-Amz-Date=", "X-Amz-Dat=", SIGV4_INCOMPLETE},
        {"20130524T000000Z", "20130524T00000Z", SIGV4_DATE},
        {"HMAC-SHA256&", "HMAC-SHA1&", SIGV4_UNSUPPORTED},
        {"%2Fs3%2F", "%2Fs3", SIGV4_CREDENTIAL},
        {"Signature=aeee", "Signature=AEEE", SIGV4_MALFORMED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const char *at = strstr(presigned, changes[i].from);
        char target[1024];
        struct sigv4 sig;

        assert_non_null(at);
        snprintf(target, sizeof target, "%.*s%s%s", (int)(at - presigned), presigned, changes[i].to,
                 at + strlen(changes[i].from));
        assert_int_equal(from_target(target, &sig), changes[i].fault);
    }
}

/* Values are trimmed and joined, the query is sorted by its code, the path is coded once. */
static void test_canonical(void **state)
{
    static const struct header headers[] = {{"Host", "h"},
                                            {"X-Amz-Meta-A", "  a   b  "},
                                            {"x-amz-meta-a", "c"},
                                            {"X-Amz-Date", "20130524T000000Z"}};
    struct sigv4 sig;
    struct sigv4_request r = {
        .method = "PUT", .headers = headers, .header_count = 4, .payload = "UNSIGNED-PAYLOAD"};
    struct buf out;

    (void)state;
    assert_int_equal(
        sigv4_from_header("AWS4-HMAC-SHA256 Credential=" SCOPE
                          ", SignedHeaders=host;x-amz-date;x-amz-meta-a, Signature=" EMPTY,
                          "20130524T000000Z", NULL, &sig),
        SIGV4_OK);
    assert_int_equal(uri_split("/b//a%2Fb/../%e4+%20~?b=2&a=%2f&a=&acl&A=+", &r.uri), 0);
    buf_init(&out, SIGV4_CANONICAL_MAX);
    assert_int_equal(sigv4_canonical(&sig, &r, &out), 0);
    assert_string_equal(buf_text(&out),
                        "PUT\n/b//a/b/../%E4%2B%20~\nA=%20&a=&a=%2F&acl=&b=2\n"
                        "host:h\nx-amz-date:20130524T000000Z\nx-amz-meta-a:a b,c\n\n"
                        "host;x-amz-date;x-amz-meta-a\nUNSIGNED-PAYLOAD");
    buf_reset(&out);
    r.header_count = 3;
    assert_int_equal(sigv4_canonical(&sig, &r, &out), PC_EFORMAT);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_header),
        cmocka_unit_test(test_published_presigned),
        cmocka_unit_test(test_presigned_tampered),
        cmocka_unit_test(test_header_forms),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_presigned_forms),
        cmocka_unit_test(test_canonical),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
