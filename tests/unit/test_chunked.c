/* SPDX-License-Identifier: Apache-2.0 */
/* The decoders of aws-chunked bodies: AWS's published examples, split at every byte, and what must be refused. */
#include "auth/chunk.h"

#include "pcloud/digest.h"
#include "pcloud/err.h"
#include "s3/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define SIG(hex) ";chunk-signature=" hex "\r\n"

static struct sigv4 sig;
static unsigned char key[32];

static void use_seed(const char *seed)
{
    sig = (struct sigv4){
        .date = "20130524", .region = "us-east-1", .service = "s3", .time = "20130524T000000Z"};
    memcpy(sig.signature, seed, 65);
    sigv4_key(&sig, SECRET, key);
}

static int collect(void *arg, const void *data, size_t len)
{
    buf_add(arg, data, len);
    return ((struct buf *)arg)->err;
}

/* Feed in pieces of ${step} bytes, the first of ${first}; the error, or 0 with the content in ${out}. */
static int decode(enum chunk_kind kind, const char *body, size_t len, uint64_t expected,
                  size_t first, size_t step, struct buf *out, char trailer[64])
{
    struct chunk c;
    int rc;

    buf_reset(out);
    assert_int_equal(chunk_init(&c, kind, &sig, key, expected), 0);
    for (size_t at = 0, n = first; at < len; at += n, n = step) {
        char *piece;

        if (n == 0)
            n = step;
        if (n > len - at)
            n = len - at;
        piece = malloc(n); /* of its exact size: a byte read too far is seen */
        assert_non_null(piece);
        memcpy(piece, body + at, n);
        chunk_feed(&c, piece, n, collect, out);
        free(piece);
    }
    rc = chunk_end(&c);
    if (trailer) {
        const char *v = chunk_trailer(&c, "x-amz-checksum-crc32c");

        snprintf(trailer, 64, "%s", v ? v : "");
    }
    chunk_fini(&c);
    return rc;
}

static void fill(struct buf *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_char(b, 'a');
}

/* The 65 KiB example: two chunks, the last one empty. */
static void published(struct buf *b, const char *one, const char *two, const char *last,
                      const char *tail)
{
    buf_init(b, 1 << 20);
    buf_fmt(b, "10000;chunk-signature=%s\r\n", one);
    fill(b, 65536);
    buf_fmt(b, "\r\n400;chunk-signature=%s\r\n", two);
    fill(b, 1024);
    buf_fmt(b, "\r\n0;chunk-signature=%s\r\n%s", last, tail);
}

static void test_published(void **state)
{
    struct buf body, out;

    (void)state;
    use_seed("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
    published(&body, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
              "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
              "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", "\r\n");
    buf_init(&out, 1 << 20);
    for (size_t step = 1; step <= 70000; step = step * 3 + 1) {
        assert_int_equal(decode(CHUNK_SIGNED, body.data, body.len, 66560, 0, step, &out, NULL), 0);
        assert_int_equal(out.len, 66560);
    }
    /* one bit of the content */
    body.data[40000] ^= 1;
    assert_int_equal(decode(CHUNK_SIGNED, body.data, body.len, 66560, 0, 4096, &out, NULL),
                     S3_ESIGNATURE);
    buf_fini(&body);
    buf_fini(&out);
}

static void test_published_trailer(void **state)
{
    static const char tail[] =
        "x-amz-checksum-crc32c:sOO8/Q==\r\n"
        "x-amz-trailer-signature:"
        "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
    struct buf body, out;
    char crc[64];

    (void)state;
    use_seed("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
    published(&body, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
              "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
              "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992", tail);
    buf_init(&out, 1 << 20);
    assert_int_equal(decode(CHUNK_SIGNED_TRAILER, body.data, body.len, 66560, 0, 1000, &out, crc),
                     0);
    assert_string_equal(crc, "sOO8/Q==");
    /* one character of the trailer's value */
    *strstr(body.data + 66560, "sOO8") = 't';
    assert_int_equal(decode(CHUNK_SIGNED_TRAILER, body.data, body.len, 66560, 0, 1000, &out, crc),
                     S3_ESIGNATURE);
    buf_fini(&body);
    buf_fini(&out);
}

/* A body signed here: chunks of the given texts, then trailers. */
static void sign_body(struct buf *b, const char *const *chunks, const char *trailer)
{
    static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    char previous[65], hash[65], text[1024];
    uint8_t raw[32];

    memcpy(previous, sig.signature, 65);
    buf_init(b, 1 << 20);
    for (size_t i = 0;; i++) {
        const char *data = chunks[i] ? chunks[i] : "";

        assert_int_equal(pc_digest_once(PC_SHA256, data, strlen(data), raw), 0);
        pc_hex(raw, 32, hash);
        snprintf(text, sizeof text,
                 "AWS4-HMAC-SHA256-PAYLOAD\n20130524T000000Z\n20130524/us-east-1/s3/"
                 "aws4_request\n%s\n%s\n%s",
                 previous, empty, hash);
        sigv4_sign(key, text, strlen(text), previous);
        buf_fmt(b, "%zx;chunk-signature=%s\r\n%s", strlen(data), previous, data);
        if (!chunks[i])
            break;
        buf_str(b, "\r\n");
    }
    if (!trailer) {
        buf_str(b, "\r\n");
        return;
    }
    snprintf(text, sizeof text, "%s\n", trailer);
    assert_int_equal(pc_digest_once(PC_SHA256, text, strlen(text), raw), 0);
    pc_hex(raw, 32, hash);
    snprintf(
        text, sizeof text,
        "AWS4-HMAC-SHA256-TRAILER\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n%s\n%s",
        previous, hash);
    sigv4_sign(key, text, strlen(text), previous);
    buf_fmt(b, "%s\r\nx-amz-trailer-signature:%s\r\n\r\n", trailer, previous);
}

static const char *const texts[] = {"hello, ", "wide", " world", NULL};

/* Cut in two at every byte: the same; cut short at every byte: never whole; one byte more: refused. */
static void every_split(enum chunk_kind kind, const struct buf *body, size_t optional_tail)
{
    struct buf out;
    char *longer = malloc(body->len + 1);

    assert_non_null(longer);
    buf_init(&out, 1 << 20);
    for (size_t cut = 0; cut <= body->len; cut++) {
        assert_int_equal(decode(kind, body->data, body->len, 17, cut, body->len, &out, NULL), 0);
        assert_string_equal(buf_text(&out), "hello, wide world");
        if (cut < body->len - optional_tail)
            assert_int_not_equal(decode(kind, body->data, cut, 17, 1, 7, &out, NULL), 0);
    }
    assert_int_not_equal(decode(kind, body->data, body->len, 18, 1, 7, &out, NULL), 0);
    assert_int_equal(decode(kind, body->data, body->len, 16, 1, 7, &out, NULL), S3_EINCOMPLETE);
    memcpy(longer, body->data, body->len);
    longer[body->len] = 'x';
    assert_int_not_equal(decode(kind, longer, body->len + 1, 17, 1, 7, &out, NULL), 0);
    free(longer);
    buf_fini(&out);
}

static void test_every_split(void **state)
{
    static const char plain[] = "7\r\nhello, \r\n4\r\nwide\r\n6\r\n world\r\n0\r\n"
                                "x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n";
    struct buf body;

    (void)state;
    use_seed("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
    sign_body(&body, texts, NULL);
    every_split(CHUNK_SIGNED, &body, 0);
    buf_fini(&body);
    sign_body(&body, texts, "x-amz-checksum-crc32c:sOO8/Q==");
    every_split(CHUNK_SIGNED_TRAILER, &body, 2);
    buf_fini(&body);
    buf_init(&body, sizeof plain);
    buf_str(&body, plain);
    every_split(CHUNK_UNSIGNED_TRAILER, &body, 0);
    buf_fini(&body);
}

/* Every byte changed in turn: a signed body is never taken. */
static void test_every_byte(void **state)
{
    struct buf body, out;

    (void)state;
    use_seed("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
    sign_body(&body, texts, "x-amz-checksum-crc32c:sOO8/Q==");
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < body.len - 2; i++) {
        char old = body.data[i];
        int rc;

        body.data[i] = (char)(old ^ 1);
        rc = decode(CHUNK_SIGNED_TRAILER, body.data, body.len, 17, 0, 64, &out, NULL);
        assert_int_not_equal(rc, 0);
        body.data[i] = old;
    }
    buf_fini(&body);
    buf_fini(&out);
}

static void refuse(enum chunk_kind kind, const char *body, uint64_t expected, int error)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    for (size_t step = 1; step < 9; step++)
        assert_int_equal(decode(kind, body, strlen(body), expected, 0, step, &out, NULL), error);
    buf_fini(&out);
}

static void test_malformed(void **state)
{
    static const struct {
        const char *body;
        uint64_t expected;
        int error;
    } unsigned_bodies[] = {
        {"", 0, S3_EINCOMPLETE},
        {"x\r\n", 1, S3_ECHUNK},
        {"\r\n", 1, S3_ECHUNK},
        {"-1\r\n", 1, S3_ECHUNK},
        {"0x1\r\na\r\n0\r\n\r\n", 1, S3_ECHUNK},
        {"1 \r\na\r\n0\r\n\r\n", 1, S3_ECHUNK},
        {"1\na\r\n0\r\n\r\n", 1, S3_ECHUNK},
        {"1\r\nab\r\n0\r\n\r\n", 1, S3_ECHUNK},
        {"1\r\na0\r\n\r\n", 1, S3_ECHUNK},
        {"1\r\na\r\n", 1, S3_EINCOMPLETE},
        {"1\r\na\r\n0\r\n", 1, S3_EINCOMPLETE},
        {"1\r\na\r\n0\r\n\r\n", 2, S3_EINCOMPLETE},
        {"2\r\nab\r\n0\r\n\r\n", 1, S3_EINCOMPLETE},
        {"ffffffffffffffff\r\na", 1, S3_ECHUNK},
        {"fffffffffffffff\r\na", 1, S3_EINCOMPLETE},
        {"1;chunk-signature=00\r\na\r\n0\r\n\r\n", 1, S3_ECHUNK},
        {"1\r\na\r\n0\r\nname\r\n\r\n", 1, S3_ETRAILER},
        {"1\r\na\r\n0\r\n:value\r\n\r\n", 1, S3_ETRAILER},
        {"1\r\na\r\n0\r\nname:\r\n\r\n", 1, S3_ETRAILER},
        {"1\r\na\r\n0\r\na:1\r\nb:1\r\nc:1\r\nd:1\r\ne:1\r\n\r\n", 1, S3_ETRAILER},
        {"1\r\na\r\n0\r\n\r\nx", 1, S3_ECHUNK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof unsigned_bodies / sizeof unsigned_bodies[0]; i++)
        refuse(CHUNK_UNSIGNED_TRAILER, unsigned_bodies[i].body, unsigned_bodies[i].expected,
               unsigned_bodies[i].error);
    use_seed("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
    refuse(CHUNK_SIGNED, "1\r\na\r\n", 1, S3_ECHUNK);
    refuse(CHUNK_SIGNED, "1;chunk-signature=abc\r\na\r\n", 1, S3_ESIGNATURE);
    refuse(CHUNK_SIGNED, "1;chunk-signatur=" SIG(""), 1, S3_ECHUNK);
    refuse(CHUNK_SIGNED,
           "0" SIG("b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9") "\r\n", 0,
           S3_ESIGNATURE);
}

/* A line that never ends is cut off, not kept. */
static void test_long_line(void **state)
{
    char line[2 * CHUNK_LINE_MAX + 1];

    (void)state;
    memset(line, '1', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    refuse(CHUNK_UNSIGNED_TRAILER, line, 1, S3_ECHUNK);
    memcpy(line, "0\r\n", 3);
    refuse(CHUNK_UNSIGNED_TRAILER, line, 0, S3_ETRAILER);
}

static void test_unsigned_trailer_missing(void **state)
{
    struct buf body, out;

    (void)state;
    use_seed("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
    sign_body(&body, texts, NULL); /* ends as a body without trailers does */
    buf_init(&out, 1 << 20);
    assert_int_equal(decode(CHUNK_SIGNED_TRAILER, body.data, body.len, 17, 0, 64, &out, NULL),
                     S3_ETRAILER);
    buf_fini(&body);
    buf_fini(&out);
}

static int refuse_sink(void *arg, const void *data, size_t len)
{
    (void)arg;
    (void)data;
    (void)len;
    return -ENOSPC;
}

static void test_sink_fails(void **state)
{
    struct chunk c;

    (void)state;
    assert_int_equal(chunk_init(&c, CHUNK_UNSIGNED_TRAILER, NULL, NULL, 1), 0);
    assert_int_equal(chunk_feed(&c, "1\r\na\r\n", 6, refuse_sink, NULL), -ENOSPC);
    assert_int_equal(chunk_feed(&c, "0\r\n\r\n", 5, refuse_sink, NULL), -ENOSPC);
    assert_int_equal(chunk_end(&c), -ENOSPC);
    chunk_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_published_trailer),
        cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_unsigned_trailer_missing),
        cmocka_unit_test(test_sink_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
