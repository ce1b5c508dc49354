/* SPDX-License-Identifier: Apache-2.0 */
/* Frames under somebody else's key: sizes, every border, tampering, keys told apart, memory that fails. */
#include "pcloud/sealed.h"

#include "pcloud/digest.h"
#include "pcloud/err.h"

#include "base/alloc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FRAME ((uint64_t)PC_SEALED_FRAME)
#define WHOLE (PC_SEALED_FRAME + PC_SEALED_TAG)

struct sink {
    uint8_t *data;
    size_t len, cap;
    int fail; /* from here on */
};

static int take(void *arg, const void *data, size_t len)
{
    struct sink *s = arg;

    if (s->fail)
        return s->fail;
    assert_true(len <= s->cap - s->len);
    memcpy(s->data + s->len, data, len);
    s->len += len;
    return 0;
}

static struct pc_sealed_key *key_of(uint8_t byte)
{
    uint8_t raw[PC_SEALED_KEY];
    struct pc_sealed_key *k;

    memset(raw, byte, sizeof raw);
    assert_int_equal(pc_sealed_key_new(raw, &k), 0);
    return k;
}

/* Content that differs everywhere. */
static uint8_t *content(size_t len)
{
    uint8_t *p = malloc(len + 1);
    uint64_t x = 88172645463325252u;

    assert_non_null(p);
    for (size_t i = 0; i < len; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        p[i] = (uint8_t)x;
    }
    return p;
}

static struct sink seal(const struct pc_sealed_key *k, const uint8_t *plain, size_t len,
                        size_t piece)
{
    struct sink s = {.cap = (size_t)pc_sealed_size(len)};
    const struct pc_sealed_sink to = {take, &s};
    struct pc_sealer *sealer;

    s.data = malloc(s.cap);
    assert_non_null(s.data);
    assert_int_equal(pc_sealer_new(k, &sealer), 0);
    for (size_t at = 0; at < len; at += piece)
        assert_int_equal(
            pc_sealer_write(sealer, plain + at, len - at < piece ? len - at : piece, &to), 0);
    assert_int_equal(pc_sealer_end(sealer, &to), 0);
    pc_sealer_free(sealer);
    return s;
}

/* 0 and the content, or the first frame's error. */
static int unseal(const struct pc_sealed_key *k, const uint8_t *in, size_t len, uint8_t *out)
{
    struct pc_opener *o;
    uint64_t plain, number = 0;
    int rc = len < PC_SEALED_HEAD ? PC_ECORRUPT : pc_sealed_plain(len, &plain);

    if (rc < 0)
        return rc;
    assert_int_equal(pc_opener_new(&o), 0);
    rc = pc_opener_head(o, k, in);
    in += PC_SEALED_HEAD;
    len -= PC_SEALED_HEAD;
    while (rc == 0 && len > 0) {
        size_t n = len > WHOLE ? WHOLE : len;

        rc = pc_opener_frame(o, number++, n == len ? PC_SEALED_LAST : PC_SEALED_MORE, in, n, out);
        in += n;
        len -= n;
        out += n - PC_SEALED_TAG;
    }
    pc_opener_free(o);
    return rc;
}

static const size_t lengths[] = {0,      1,      15,     16,     17,     65535,     65536,
                                 65537,  131071, 131072, 131073, 200000, 5 * 65536, 5 * 65536 + 1,
                                 1000003};
#define LENGTHS (sizeof lengths / sizeof lengths[0])

static void test_every_border(void **state)
{
    static const size_t pieces[] = {1 << 20, 65536, 65537, 4096, 777, 65535};
    struct pc_sealed_key *k = key_of(7);

    (void)state;
    for (size_t i = 0; i < LENGTHS; i++) {
        uint8_t *plain = content(lengths[i]), *out = malloc(lengths[i] + 1);

        for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
            struct sink s = seal(k, plain, lengths[i], pieces[p]);

            assert_int_equal(s.len, pc_sealed_size(lengths[i]));
            assert_int_equal(unseal(k, s.data, s.len, out), 0);
            assert_memory_equal(out, plain, lengths[i]);
            free(s.data);
        }
        free(plain);
        free(out);
    }
    pc_sealed_key_free(k);
}

static void test_sizes(void **state)
{
    uint64_t plain;

    (void)state;
    for (uint64_t n = 0; n < 3 * FRAME; n += n < 40 || n % FRAME > FRAME - 40 ? 1 : 29) {
        assert_int_equal(pc_sealed_plain(pc_sealed_size(n), &plain), 0);
        assert_int_equal(plain, n);
    }
    assert_int_equal(pc_sealed_plain(pc_sealed_size(UINT64_C(1) << 50), &plain), 0);
    assert_int_equal(plain, UINT64_C(1) << 50);
    for (uint64_t bad = 0; bad < PC_SEALED_HEAD + PC_SEALED_TAG; bad++)
        assert_int_equal(pc_sealed_plain(bad, &plain), PC_ECORRUPT);
    for (uint64_t more = 1; more <= PC_SEALED_TAG; more++)
        assert_int_equal(pc_sealed_plain(PC_SEALED_HEAD + WHOLE + more, &plain), PC_ECORRUPT);
    assert_int_equal(pc_sealed_plain(UINT64_MAX, &plain), PC_ECORRUPT);
}

static void test_tampering(void **state)
{
    struct pc_sealed_key *k = key_of(7), *other = key_of(8);
    size_t len = 2 * PC_SEALED_FRAME + 100;
    uint8_t *plain = content(len), *out = malloc(len);
    struct sink s = seal(k, plain, len, len), again = seal(k, plain, len, len);

    (void)state;
    assert_memory_not_equal(s.data + 16, again.data + 16, 32); /* salts */
    assert_memory_not_equal(s.data + PC_SEALED_HEAD, again.data + PC_SEALED_HEAD, 64);
    assert_int_equal(unseal(other, s.data, s.len, out), PC_ECORRUPT);
    for (size_t at = 0; at < s.len; at += at < 300 ? 1 : 9973) {
        s.data[at] ^= 0x40;
        assert_true(unseal(k, s.data, s.len, out) < 0);
        s.data[at] ^= 0x40;
    }
    /* cut at a frame's border, frames exchanged, a frame of another stream */
    assert_int_equal(unseal(k, s.data, PC_SEALED_HEAD + WHOLE, out), PC_ECORRUPT);
    assert_int_equal(unseal(k, s.data, PC_SEALED_HEAD + 2 * WHOLE, out), PC_ECORRUPT);
    memcpy(s.data + PC_SEALED_HEAD, again.data + PC_SEALED_HEAD, WHOLE);
    assert_int_equal(unseal(k, s.data, s.len, out), PC_ECORRUPT);
    memcpy(s.data, again.data, again.len);
    memcpy(s.data + PC_SEALED_HEAD, again.data + PC_SEALED_HEAD + WHOLE, WHOLE);
    memcpy(s.data + PC_SEALED_HEAD + WHOLE, again.data + PC_SEALED_HEAD, WHOLE);
    assert_int_equal(unseal(k, s.data, s.len, out), PC_ECORRUPT);
    again.data[8]++;
    assert_int_equal(unseal(k, again.data, again.len, out), PC_EVERSION);
    free(s.data);
    free(again.data);
    free(plain);
    free(out);
    pc_sealed_key_free(k);
    pc_sealed_key_free(other);
}

static void test_marks(void **state)
{
    struct pc_sealed_key *k = key_of(1), *other = key_of(2);
    uint8_t a[PC_SEALED_MARK], b[PC_SEALED_MARK];

    (void)state;
    pc_sealed_key_mark(k, a);
    pc_sealed_key_mark(k, b);
    assert_memory_not_equal(a, b, sizeof a);
    assert_true(pc_sealed_key_fits(k, a) && pc_sealed_key_fits(k, b));
    assert_false(pc_sealed_key_fits(other, a));
    for (size_t i = 0; i < sizeof a; i++) {
        a[i] ^= 1;
        assert_false(pc_sealed_key_fits(k, a));
        a[i] ^= 1;
    }
    pc_sealed_key_free(k);
    pc_sealed_key_free(other);
    pc_sealed_key_free(NULL);
}

/* The format, by another implementation (BLAKE2b of Python, AES-GCM of cryptography): a change of it would make what is stored unreadable. */
static void test_format(void **state)
{
    static const char stream[] =
        "70637365616c65640110000000000000000102030405060708090a0b0c0d0e0f1011121314151617"
        "18191a1b1c1d1e1f00000000000000000000000000000000ebbfc6c3f14d84076491b5def672a5fb"
        "34926bc8d25ad31fc082760d0c37756e2128935db0ea7bec";
    static const char mark[] = "000102030405060708090a0b0c0d0e0fdef13480a5b6bc21cc4a3a3ca0a361b4";
    struct pc_sealed_key *k = key_of(0x2a);
    uint8_t raw[sizeof stream / 2], out[64];

    (void)state;
    assert_int_equal(pc_unhex(stream, strlen(stream), raw), 0);
    assert_int_equal(unseal(k, raw, sizeof raw, out), 0);
    assert_memory_equal(out, "under a key of their own", 24);
    assert_int_equal(pc_unhex(mark, strlen(mark), raw), 0);
    assert_true(pc_sealed_key_fits(k, raw));
    pc_sealed_key_name(k, raw, out);
    pc_hex(out, 16, (char *)raw);
    assert_string_equal(raw, "e8db87655fc956eb4d9af4e418a57396");
    pc_sealed_key_free(k);
}

static void test_frames_without_sense(void **state)
{
    struct pc_sealed_key *k = key_of(1);
    struct pc_opener *o;
    uint8_t in[WHOLE + 1] = {0}, out[WHOLE];

    (void)state;
    assert_int_equal(pc_opener_new(&o), 0);
    assert_int_equal(pc_opener_frame(o, 0, PC_SEALED_LAST, in, 100, out), PC_ECORRUPT);
    assert_int_equal(pc_opener_head(o, k, in), PC_ECORRUPT);
    for (size_t n = 0; n < PC_SEALED_TAG; n++)
        assert_int_equal(pc_opener_frame(o, 0, PC_SEALED_LAST, in, n, out), PC_ECORRUPT);
    assert_int_equal(pc_opener_frame(o, 0, PC_SEALED_MORE, in, 100, out), PC_ECORRUPT);
    assert_int_equal(pc_opener_frame(o, 0, PC_SEALED_LAST, in, sizeof in, out), PC_ECORRUPT);
    pc_opener_free(o);
    pc_opener_free(NULL);
    pc_sealed_key_free(k);
}

static void test_sink_that_fails(void **state)
{
    struct pc_sealed_key *k = key_of(1);
    struct sink s = {.fail = -ENOSPC};
    const struct pc_sealed_sink to = {take, &s};
    uint8_t *plain = content(PC_SEALED_FRAME + 1);
    struct pc_sealer *sealer;

    (void)state;
    assert_int_equal(pc_sealer_new(k, &sealer), 0);
    assert_int_equal(pc_sealer_write(sealer, plain, 10, &to), 0); /* waits */
    assert_int_equal(pc_sealer_write(sealer, plain, PC_SEALED_FRAME, &to), -ENOSPC);
    assert_int_equal(pc_sealer_end(sealer, &to), -ENOSPC);
    pc_sealer_free(sealer);
    pc_sealer_free(NULL);
    free(plain);
    pc_sealed_key_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_border),    cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_tampering),       cmocka_unit_test(test_marks),
        cmocka_unit_test(test_format),          cmocka_unit_test(test_frames_without_sense),
        cmocka_unit_test(test_sink_that_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
