/* SPDX-License-Identifier: Apache-2.0 */
/* Digests against published vectors, in pieces, combined; CRC-64 by both ways; HMAC by RFC 4231. */
#include "pcloud/digest.h"

#include "base/alloc.h"
#include "crypto/crc.h"
#include "test_env.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MESSAGE 1000

/*
 * RFC 1321, FIPS 180-4, the CRC catalogue's check values; the rest by Python: hashlib, and for the checksums
 *   def crc(poly, w, data):
 *       r = (1 << w) - 1
 *       for b in data:
 *           r ^= b
 *           for _ in range(8): r = (r >> 1) ^ (poly if r & 1 else 0)
 *       return r ^ ((1 << w) - 1)
 * with 0xedb88320, 0x82f63b78 and 0x9a6c9329ac4bc9b5. The last message is bytes((i * 7 + i // 256) & 255 for i in range(1000)).
 */
static const struct {
    const char *message;
    const char *result[PC_DIGEST_COUNT];
} vectors[] = {
    {"",
     {"d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "00000000", "00000000",
      "0000000000000000"}},
    {"a",
     {"0cc175b9c0f1b6a831c399e269772661", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
      "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", "e8b7be43", "c1d04330",
      "8c2f8445b4cbfc3c"}},
    {"abc",
     {"900150983cd24fb0d6963f7d28e17f72", "a9993e364706816aba3e25717850c26c9cd0d89d",
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "352441c2", "364b3fb7",
      "05e5cabb3fc1faeb"}},
    {"123456789",
     {"25f9e794323b453885f5181f1b624d0b", "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
      "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225", "cbf43926", "e3069283",
      "ae8b14860a799888"}},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     {"8215ef0796a20bcaaae116d3876c664a", "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", "171a3f5f", "071325f5",
      "f01a771de91f90d4"}},
    {NULL,
     {"bd8c10439abeb42fb5c19745991e360e", "36b3862969aef72235b9f6aadcf795eefeacd183",
      "c85a431e0fe575b2609289d3a4042414715f400612575a125d2ce5573d608732", "668f073d", "22c9a2b3",
      "a9e34f062e07306e"}},
};

#define VECTORS (sizeof vectors / sizeof *vectors)

static size_t message_of(size_t vector, uint8_t data[MESSAGE])
{
    const char *text = vectors[vector].message;

    if (text) {
        memcpy(data, text, strlen(text));
        return strlen(text);
    }
    for (size_t i = 0; i < MESSAGE; i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
    return MESSAGE;
}

static void expect(const uint8_t *out, size_t vector, size_t kind)
{
    char text[2 * PC_DIGEST_MAX + 1];

    pc_hex(out, pc_digest_size((enum pc_digest_kind)kind), text);
    assert_string_equal(text, vectors[vector].result[kind]);
}

static void vectors_hold_whole_and_in_pieces(void **state)
{
    uint8_t data[MESSAGE], out[PC_DIGEST_MAX];
    uint64_t rng = 1;

    (void)state;
    for (size_t kind = 0; kind < PC_DIGEST_COUNT; kind++) {
        struct pc_digest *d = pc_digest_new((enum pc_digest_kind)kind);

        assert_non_null(d);
        for (size_t v = 0; v < VECTORS; v++) {
            size_t len = message_of(v, data);

            assert_int_equal(pc_digest_once((enum pc_digest_kind)kind, data, len, out), 0);
            expect(out, v, kind);
            for (int round = 0; round < 20; round++) {
                for (size_t at = 0, n; at < len; at += n) {
                    n = (size_t)test_random(&rng) % (len - at + 1);
                    pc_digest_update(d, data + at, n);
                }
                pc_digest_final(d, out);
                expect(out, v, kind);
            }
        }
        pc_digest_free(d);
    }
    pc_digest_free(NULL);
}

static void both_ways_to_crc64_agree(void **state)
{
    static uint8_t data[4096 + 64];
    uint64_t rng = 2;

    (void)state;
    assert_true(crc64_table(0, "123456789", 9) == 0xae8b14860a799888u);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)test_random(&rng);
    if (!crc64_has_clmul())
        skip();
    for (size_t len = 0; len <= 1024; len++) {
        size_t shift = (size_t)test_random(&rng) % 64;
        uint64_t before = test_random(&rng);

        assert_true(crc64_clmul(before, data + shift, len) ==
                    crc64_table(before, data + shift, len));
    }
    assert_true(crc64_clmul(0, data, sizeof data) == crc64_table(0, data, sizeof data));
    assert_true(crc64_update(5, data, sizeof data) == crc64_table(5, data, sizeof data));
}

static uint64_t number(enum pc_digest_kind kind, const void *data, size_t len)
{
    uint8_t out[PC_DIGEST_MAX];
    uint64_t n = 0;

    assert_int_equal(pc_digest_once(kind, data, len, out), 0);
    for (size_t i = 0; i < pc_digest_size(kind); i++)
        n = n << 8 | out[i];
    return n;
}

static void checksums_combine(void **state)
{
    static const enum pc_digest_kind kinds[] = {PC_CRC32, PC_CRC32C, PC_CRC64NVME};
    uint8_t data[MESSAGE];
    uint64_t rng = 3;

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)test_random(&rng);
    for (size_t k = 0; k < 3; k++) {
        uint64_t whole = number(kinds[k], data, sizeof data), zeros;

        for (size_t cut = 0; cut <= sizeof data; cut++) {
            uint64_t a = number(kinds[k], data, cut);
            uint64_t b = number(kinds[k], data + cut, sizeof data - cut);

            assert_true(pc_crc_combine(kinds[k], a, b, sizeof data - cut) == whole);
        }
        /* far lengths: zeros doubled 40 times, two ways */
        zeros = number(kinds[k], "", 1);
        for (unsigned i = 0; i < 40; i++)
            zeros = pc_crc_combine(kinds[k], zeros, zeros, 1ull << i);
        for (unsigned i = 40; i > 0; i--) {
            uint64_t half = number(kinds[k], "", 1), rest;

            for (unsigned j = 0; j < i - 1; j++)
                half = pc_crc_combine(kinds[k], half, half, 1ull << j);
            rest = half;
            for (unsigned j = i - 1; j < 40; j++)
                rest = pc_crc_combine(kinds[k], rest, rest, 1ull << j);
            assert_true(rest == zeros);
        }
    }
}

/* RFC 4231, test cases 1, 2, 3 and 6 */
static void hmac_vectors_hold(void **state)
{
    static const char result[4][65] = {
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"};
    const char *last = "Test Using Larger Than Block-Size Key - Hash Key First";
    uint8_t key[131], data[50], out[32];
    char text[65];

    (void)state;
    memset(key, 0x0b, 20);
    pc_hmac_sha256(key, 20, "Hi There", 8, out);
    pc_hex(out, 32, text);
    assert_string_equal(text, result[0]);
    pc_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out);
    pc_hex(out, 32, text);
    assert_string_equal(text, result[1]);
    memset(key, 0xaa, sizeof key);
    memset(data, 0xdd, sizeof data);
    pc_hmac_sha256(key, 20, data, 50, out);
    pc_hex(out, 32, text);
    assert_string_equal(text, result[2]);
    pc_hmac_sha256(key, 131, last, strlen(last), out);
    pc_hex(out, 32, text);
    assert_string_equal(text, result[3]);
}

static void no_memory_is_an_error(void **state)
{
    uint8_t out[PC_DIGEST_MAX];

    (void)state;
    for (size_t kind = 0; kind < PC_DIGEST_COUNT; kind++) {
        unsigned long n = 0;
        struct pc_digest *d;

        do {
            mem_fail_at(++n, MEM_FAIL_ONCE);
            d = pc_digest_new((enum pc_digest_kind)kind);
            assert_true((d == NULL) == (mem_fail_count() > 0));
            pc_digest_free(d);
        } while (mem_fail_count());
    }
    mem_fail_at(1, MEM_FAIL_ONCE);
    assert_int_equal(pc_digest_once(PC_MD5, "", 0, out), -ENOMEM);
    mem_fail_at(0, MEM_FAIL_ONCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_hold_whole_and_in_pieces),
        cmocka_unit_test(both_ways_to_crc64_agree),
        cmocka_unit_test(checksums_combine),
        cmocka_unit_test(hmac_vectors_hold),
        cmocka_unit_test(no_memory_is_an_error),
    };

    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
