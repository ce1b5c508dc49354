/* SPDX-License-Identifier: Apache-2.0 */
/* Hex and base64: vectors, every length there and back, and nothing but the one legal form is read. */
#include "pcloud/digest.h"

#include "pcloud/err.h"
#include "test_env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void hex_is_read_and_written(void **state)
{
    uint8_t data[256], back[256];
    char text[513];

    (void)state;
    for (size_t i = 0; i < 256; i++)
        data[i] = (uint8_t)i;
    pc_hex(data, 256, text);
    assert_int_equal(strlen(text), 512);
    assert_int_equal(strncmp(text + 0xab * 2, "abacadae", 8), 0);
    assert_int_equal(pc_unhex(text, 512, back), 0);
    assert_memory_equal(back, data, 256);
    assert_int_equal(pc_unhex("DeadBEEF", 8, back), 0);
    assert_memory_equal(back, "\xde\xad\xbe\xef", 4);
    pc_hex(data, 0, text);
    assert_string_equal(text, "");
    assert_int_equal(pc_unhex("", 0, back), 0);
}

static void wrong_hex_is_refused_and_writes_nothing(void **state)
{
    static const char *const bad[] = {"0",  "abc", "0g",    "g0", " 0",
                                      "0 ", "0x",  "00\n0", "-1", "\xc3\xa4"};
    uint8_t out[4] = {1, 2, 3, 4};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(pc_unhex(bad[i], strlen(bad[i]), out), PC_EFORMAT);
    assert_int_equal(pc_unhex("00\0000", 4, out), PC_EFORMAT);
    assert_int_equal(pc_unhex("aabbc!", 6, out), PC_EFORMAT);
    assert_memory_equal(out, "\1\2\3\4", 4);
    for (int c = 0; c < 256; c++) {
        char text[2] = {(char)c, '0'};
        bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');

        assert_int_equal(pc_unhex(text, 2, out), digit ? 0 : PC_EFORMAT);
    }
}

/* RFC 4648, 10 */
static void base64_vectors_hold(void **state)
{
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"},
                                             {"\xfb\xff\xfe", "+//+"}};
    char text[64], back[64];

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        size_t len = strlen(vectors[i][0]);

        pc_base64(vectors[i][0], len, text);
        assert_string_equal(text, vectors[i][1]);
        assert_int_equal(pc_unbase64(text, strlen(text), back, len), len);
        assert_memory_equal(back, vectors[i][0], len);
    }
}

static void base64_round_trips(void **state)
{
    uint8_t data[200], back[200];
    char text[4 * ((200 + 2) / 3) + 1];
    uint64_t rng = 4;

    (void)state;
    for (size_t len = 0; len <= sizeof data; len++) {
        for (size_t i = 0; i < len; i++)
            data[i] = (uint8_t)test_random(&rng);
        pc_base64(data, len, text);
        assert_int_equal(strlen(text), 4 * ((len + 2) / 3));
        memset(back, 0xee, sizeof back);
        assert_int_equal(pc_unbase64(text, strlen(text), back, len), len);
        assert_memory_equal(back, data, len);
        if (len < sizeof back)
            assert_int_equal(back[len], 0xee);
        if (len)
            assert_int_equal(pc_unbase64(text, strlen(text), back, len - 1), PC_ELIMIT);
    }
}

static void wrong_base64_is_refused(void **state)
{
    static const char *const bad[] = {
        "Z",        "Zg",   "Zg=",  "Zg===", "Zg==\n",     "\nZg==",    "Z g=",
        "Zh==",     "Zm9=", "=Zg=", "Zg=g",  "====",       "A===",      "Zg==Zg==",
        "Zm9v====", "Zm-v", "Zm_v", "Zm9v=", "Zm9vYm\nFy", "Zm9v Zm9v", "Zm\xc3\xa4",
    };
    uint8_t out[64] = {7};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(pc_unbase64(bad[i], strlen(bad[i]), out, sizeof out), PC_EFORMAT);
    assert_int_equal(pc_unbase64("Zm\0v", 4, out, sizeof out), PC_EFORMAT);
    assert_int_equal(out[0], 7);
    assert_int_equal(pc_unbase64("Zm9v", 4, out, 2), PC_ELIMIT);
    assert_int_equal(out[0], 7);
}

/* Of all texts of four characters over a small alphabet, those that are read are exactly those that are written. */
static void what_is_read_would_be_written_so(void **state)
{
    static const char alphabet[] = "AQgw9+/=-\n";
    const size_t n = sizeof alphabet - 1;
    char text[4], again[5];
    uint8_t out[3];

    (void)state;
    for (size_t i = 0; i < n * n * n * n; i++) {
        int len;

        for (size_t j = 0, rest = i; j < 4; j++, rest /= n)
            text[j] = alphabet[rest % n];
        len = pc_unbase64(text, 4, out, sizeof out);
        if (len < 0)
            continue;
        pc_base64(out, (size_t)len, again);
        assert_memory_equal(again, text, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_is_read_and_written),
        cmocka_unit_test(wrong_hex_is_refused_and_writes_nothing),
        cmocka_unit_test(base64_vectors_hold),
        cmocka_unit_test(base64_round_trips),
        cmocka_unit_test(wrong_base64_is_refused),
        cmocka_unit_test(what_is_read_would_be_written_so),
    };

    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
