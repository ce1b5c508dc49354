/* SPDX-License-Identifier: Apache-2.0 */
/* Names of content: known answers, and that everything that goes in matters. */
#include "crypto/idhash.h"

#include "base/alloc.h"
#include "pcloud/digest.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 100000

static struct idhash_keys keys;
static uint8_t data[MOST];

static int set_up(void **state)
{
    uint8_t *k = (uint8_t *)&keys;

    (void)state;
    for (size_t i = 0; i < sizeof keys; i++)
        k[i] = (uint8_t)i;
    for (size_t i = 0; i < MOST; i++)
        data[i] = (uint8_t)(i * 7 + (i >> 8));
    return 0;
}

/*
 * Python, and the same by GHASH bit by bit (SP 800-38D, algorithm 1) over AES from "openssl enc -aes-256-ecb":
 *   data = bytes((i * 7 + (i >> 8)) & 255 for i in range(n)); key = [bytes(range(i, i + 32)) for i in (0, 32, 64)]
 *   gmac = lambda k: AESGCM(k).encrypt(bytes(12), b"", data)
 *   hashlib.blake2b(gmac(key[0]) + gmac(key[1]) + n.to_bytes(8, "little"), key=key[2], digest_size=32)
 */
static void vectors_hold(void **state)
{
    static const struct {
        size_t len;
        const char *name;
    } cases[] = {
        {0, "589f161b49ab287717238a67d1f5da1edbfe511b6d5ee6bc0617e93ceafa2f9e"},
        {1, "9813f6342eacc935d4ee1280f23f66887206671d2c38d4e2881e50e13cbbe50f"},
        {16, "13371df4b2f1e0a07494d9d7bc7dd5bafcc22e0390277d95ce4675c9eb9a1d98"},
        {1000, "457e1998a6bb2f3459dcae97c988be77d0f9f8add415dfa3a024bd72cae68927"},
        {16384, "233e1a7da4914d7c36b4751172a9e1180e9dfc95b5ea0089190ad92b7baed96c"},
        {16385, "642e41e5fdad8b867cc932b2ff5b5254d9059d1c16b45f116f84cac918baa882"},
        {100000, "41031c8efc5a58d0340957da7c83d300e03df5bac9908512c88930ce3b2818e6"},
    };
    struct idhash *h;

    (void)state;
    assert_int_equal(idhash_new(&h), 0);
    for (int round = 0; round < 2; round++) /* a context is as new after every call */
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            uint8_t out[IDHASH_BYTES];
            char text[2 * IDHASH_BYTES + 1];

            assert_int_equal(idhash_name(h, &keys, data, cases[i].len, out), 0);
            pc_hex(out, sizeof out, text);
            assert_string_equal(text, cases[i].name);
        }
    idhash_free(h);
    idhash_free(NULL);
}

/* Each bit of each key, each bit of a short content, some of a long one, and a zero behind it. */
static void everything_matters(void **state)
{
    uint8_t name[IDHASH_BYTES], other[IDHASH_BYTES], *k = (uint8_t *)&keys, longer[65] = {0};
    struct idhash *h;

    (void)state;
    assert_int_equal(idhash_new(&h), 0);
    assert_int_equal(idhash_name(h, &keys, data, 64, name), 0);
    for (size_t bit = 0; bit < 8 * sizeof keys; bit++) {
        k[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(idhash_name(h, &keys, data, 64, other), 0);
        k[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_memory_not_equal(name, other, sizeof name);
    }
    for (size_t bit = 0; bit < 8 * 64; bit++) {
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(idhash_name(h, &keys, data, 64, other), 0);
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_memory_not_equal(name, other, sizeof name);
    }
    memcpy(longer, data, 64);
    assert_int_equal(idhash_name(h, &keys, longer, 65, other), 0);
    assert_memory_not_equal(name, other, sizeof name);
    assert_int_equal(idhash_name(h, &keys, data, MOST, name), 0);
    for (size_t at = 0; at < MOST; at += 997) {
        data[at] ^= 0x10;
        assert_int_equal(idhash_name(h, &keys, data, MOST, other), 0);
        data[at] ^= 0x10;
        assert_memory_not_equal(name, other, sizeof name);
    }
    idhash_free(h);
}

static void no_memory_is_an_error(void **state)
{
    unsigned long n = 0;
    struct idhash *h;
    int r;

    (void)state;
    do {
        mem_fail_at(++n, MEM_FAIL_ONCE);
        h = NULL;
        r = idhash_new(&h);
        assert_true(r == 0 ? h != NULL : r == -ENOMEM && h == NULL);
        idhash_free(h);
    } while (mem_fail_count());
    assert_int_equal(n, 4);
    mem_fail_at(0, MEM_FAIL_ONCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_hold),
        cmocka_unit_test(everything_matters),
        cmocka_unit_test(no_memory_is_an_error),
    };

    return cmocka_run_group_tests_name("idhash", tests, set_up, NULL);
}
