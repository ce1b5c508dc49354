/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: BIP-39's vectors, the file byte by byte, what is refused and why, interrupted inits, passphrases. */
#include "pcloud/keys.h"

#include "base/alloc.h"
#include "crypto/crc.h"
#include "keys/keyfile.h"
#include "keys/words.h"
#include "pcloud/digest.h"
#include "pcloud/err.h"
#include "pcloud/log.h"
#include "test_env.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char *tmp;
static struct pc_home *home;

static int set_up(void **state)
{
    (void)state;
    tmp = test_dir_new();
    return pc_home_create(tmp, &home);
}

static int tear_down(void **state)
{
    (void)state;
    mem_fail_at(0, MEM_FAIL_ONCE);
    pc_home_close(home);
    test_dir_free(tmp);
    return 0;
}

/* The standard's vectors of 256 bits (bip-0039, vectors.json), and one of bytes 0 to 31 by the reference implementation. */
static const char *const vectors[][2] = {
    {"0000000000000000000000000000000000000000000000000000000000000000",
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "abandon "
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art"},
    {"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
     "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth "
     "useful legal winner thank year wave sausage worth title"},
    {"8080808080808080808080808080808080808080808080808080808080808080",
     "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount "
     "doctor "
     "acoustic avoid letter advice cage absurd amount doctor acoustic bless"},
    {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo "
     "vote"},
    {"68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c",
     "hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy "
     "gospel tennis maple dilemma loan word shrug inflict delay length"},
    {"9f6a2878b2520799a44ef18bc7df394e7061a224d2c33cd015b157d746869863",
     "panda eyebrow bullet gorilla call smoke muffin taste mesh discover soft ostrich alcohol "
     "speed "
     "nation flash devote level hobby quick inner drive ghost inside"},
    {"066dca1a2bb7e8a1db2832148ce9933eea0f3ac9548d793112d9a95c9407efad",
     "all hour make first leader extend hole alien behind guard gospel lava path output census "
     "museum "
     "junior mass reopen famous sing advance salt reform"},
    {"f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f",
     "void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing "
     "screen "
     "patrol group space point ten exist slush involve unfold"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "abandon amount liar amount expire adjust cage candy arch gather drum bullet absurd math era "
     "live "
     "bid rhythm alien crouch range attend journey unaware"},
};
#define VECTORS (sizeof vectors / sizeof *vectors)

static void the_list_is_the_standards(void **state)
{
    /* SHA-256 of english.txt of bip-0039: each word with a newline behind it */
    static const char sum[] = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda";
    struct pc_digest *d = pc_digest_new(PC_SHA256);
    uint8_t out[PC_DIGEST_MAX];
    char text[65];

    (void)state;
    assert_non_null(d);
    for (size_t i = 0; i < WORDS_LIST; i++) {
        pc_digest_update(d, words_english[i], strlen(words_english[i]));
        pc_digest_update(d, "\n", 1);
        if (i > 0)
            assert_true(strcmp(words_english[i - 1], words_english[i]) < 0);
    }
    pc_digest_final(d, out);
    pc_digest_free(d);
    pc_hex(out, 32, text);
    assert_string_equal(text, sum);
}

static void vectors_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        uint8_t secret[32], back[32];
        char words[PC_WORDS_MAX];

        assert_int_equal(pc_unhex(vectors[i][0], 64, secret), 0);
        assert_int_equal(words_encode(secret, words), 0);
        assert_string_equal(words, vectors[i][1]);
        assert_int_equal(words_decode(words, back), 0);
        assert_memory_equal(back, secret, 32);
        assert_int_equal(pc_words_check(words), 0);
    }
}

static void every_word_is_found(void **state)
{
    uint64_t rng = 5;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        uint8_t secret[32], back[32];
        char words[PC_WORDS_MAX];

        for (size_t j = 0; j < 32; j++)
            secret[j] = (uint8_t)test_random(&rng);
        assert_int_equal(words_encode(secret, words), 0);
        assert_int_equal(words_decode(words, back), 0);
        assert_memory_equal(back, secret, 32);
    }
}

static void case_and_blanks_are_forgiven(void **state)
{
    uint8_t secret[32], back[32];
    char text[1024];
    size_t n = 0;

    (void)state;
    text[n++] = '\n';
    for (const char *p = vectors[8][1]; *p; p++) {
        if (*p == ' ') {
            memcpy(text + n, " \t\r\n ", 5);
            n += 5;
        } else {
            text[n] = (char)(n % 2 ? toupper(*p) : *p);
            n++;
        }
    }
    memcpy(text + n, "  ", 3);
    assert_int_equal(pc_unhex(vectors[8][0], 64, secret), 0);
    assert_int_equal(words_decode(text, back), 0);
    assert_memory_equal(back, secret, 32);
}

static void refuse(const char *words, const char *message)
{
    uint8_t secret[32] = {42};

    assert_int_equal(words_decode(words, secret), PC_EWORDS);
    assert_string_equal(pc_err_text(PC_EWORDS), message);
    assert_int_equal(secret[0], 42);
    assert_int_equal(pc_words_check(words), PC_EWORDS);
}

/* The all-zero words with number ${n} (1 ... 24) replaced. */
static const char *with(unsigned n, const char *word)
{
    static char text[1024];
    size_t len = 0;

    for (unsigned i = 1; i <= 24; i++) {
        const char *w = i == n ? word : i == 24 ? "art" : "abandon";

        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i > 1 ? " " : "", w);
    }
    return text;
}

static void wrong_words_are_named(void **state)
{
    static const char sum[] =
        "each word is in the list, but their checksum is wrong: a word is another "
        "one, or two have changed places";
    int good = 0;

    (void)state;
    refuse(with(3, "abandn"), "word 3, \"abandn\", is not in the list; did you mean \"abandon\"?");
    refuse(with(24, "xrt"), "word 24, \"xrt\", is not in the list; did you mean \"art\"?");
    refuse(with(1, "qqqqq"), "word 1, \"qqqqq\", is not in the list");
    refuse(with(1, "aban"), "word 1, \"aban\", is not in the list; did you mean \"abandon\"?");
    refuse(with(1, "abandons"),
           "word 1, \"abandons\", is not in the list; did you mean \"abandon\"?");
    refuse(with(2, "pneumonoultramicroscopicsilicovolcanoconiosis"),
           "word 2, \"pneumonoultramicrosc\", is not in the list");
    refuse(with(1, "zoo"), sum);
    refuse(with(24, "abandon"), sum);
    refuse("", "there are only 0 words; a recovery phrase has 24");
    refuse(with(24, ""), "there are only 23 words; a recovery phrase has 24");
    refuse(with(24, "art zoo"), "there are more than 24 words");
    for (int i = 0; i < WORDS_LIST; i++) {
        uint8_t secret[32];

        good += words_decode(with(24, words_english[i]), secret) == 0;
    }
    assert_int_equal(good, 8); /* 3 bits of secret and 8 of checksum */
}

/*
 * Files made by Python (argon2-cffi, cryptography), to docs/FORMATS.md:
 *   key = hash_secret_raw(passphrase, salt, time_cost=passes, memory_cost=kib, parallelism=1, hash_len=32, type=Type.ID, version=19)
 *   head = b"PCLDKEYS" + struct.pack("<5I", 1, 1, kib, passes, 1) + salt + nonce
 *   body = head + AESGCM(key).encrypt(nonce, secret, head)
 *   file = body + struct.pack("<Q", crc64nvme(body))
 * with secret = bytes(range(32)), salt = bytes(range(100, 116)), nonce = bytes(range(200, 212)), passphrase "pässword" in UTF-8.
 */
static const char golden_cheap[] =
    "50434c444b45595301000000010000000800000001000000010000006465666768696a6b6c6d6e6f70717273c8"
    "c9cacbcccdcecfd0d1d2d30ce5b91159723b2462d91f0e3ce1afed28b833bde91b02ba88fae65bb47aabca1ac5"
    "950474e17f91f3b879febf1daabff3143c90780c6103";
static const char golden_full[] =
    "50434c444b455953010000000100000000b0000004000000010000006465666768696a6b6c6d6e6f70717273c8"
    "c9cacbcccdcecfd0d1d2d3ef225a877df856de5392663d26dc5469654cf02e7cbf95f30f6cc1b045d3a40ff441"
    "ea9fc8fcc4febe54db970ae01722ba8b86479b196d08";
#define PASSWORD "p\xc3\xa4ssword"
#define PASSWORD_LEN 9

static void golden(const char *hex, uint8_t file[KEYFILE_BYTES])
{
    assert_int_equal(strlen(hex), 2 * KEYFILE_BYTES);
    assert_int_equal(pc_unhex(hex, 2 * KEYFILE_BYTES, file), 0);
}

static void files_made_elsewhere_open(void **state)
{
    static const char *const files[] = {golden_cheap, golden_full};
    uint8_t file[KEYFILE_BYTES], secret[32];
    struct keyfile_cost cost;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        golden(files[i], file);
        memset(secret, 0xee, sizeof secret);
        assert_int_equal(keyfile_open(file, sizeof file, "password", 8, secret), PC_EPASSPHRASE);
        assert_int_equal(secret[5], 0xee);
        assert_int_equal(keyfile_open(file, sizeof file, PASSWORD, PASSWORD_LEN, secret), 0);
        for (size_t j = 0; j < 32; j++)
            assert_int_equal(secret[j], j);
    }
    assert_int_equal(keyfile_check(file, sizeof file, &cost), 0);
    assert_int_equal(cost.kib, 44 << 10);
    assert_int_equal(cost.passes, 4);
}

/* Python: hashlib.blake2b(label, key=bytes(range(32)), digest_size=32) */
static void keys_are_derived_by_label(void **state)
{
    static const char *const expected[PC_KEY_COUNT] = {
        "4312b177b8fbf811d49fbbb84a7b10bffc76afa5a32dbae41ebff7100b0c6daf",
        "c5913edc0f33385041621d26ee727ab919c93bfa266a370e4f242a40b013f194",
        "cab3c510ff3df345b9c7bf1cb49d6b1f5c6c598e0ac058e036691c5a61157ceb",
        "ff0d277c0e44e055017ba0e0f262351195c231554475a2874c6174bdee9f9acf",
        "e9cbb386fef7071ffdb11350aafbcd485146cb7e42c39e461012f8b514628b71",
        "cb68d52230d074dd01d4abb9fb2396079e5a4f73a39db373fb9a3f519138ed7e",
        "21a0bb8ec825f6908e1afe458c1c018b4102dce7b721f3b9bcd35e78e8d51a2c",
        "c40f6480ce7fb60789c7605d3938d99f08631417313f85497e4a60f6d3c8508d",
        "5602f049cadf0d69d072f2d29088703ddbbcbcd76dce85263d34196a97021f35"};
    uint8_t file[KEYFILE_BYTES], key[PC_KEY_BYTES];
    struct pc_keys *keys;
    char text[65];

    (void)state;
    golden(golden_cheap, file);
    assert_int_equal(pc_home_write(home, PC_HOME_KEYS, file, sizeof file), 0);
    assert_int_equal(pc_keys_open(home, PASSWORD, PASSWORD_LEN, &keys), 0);
    for (size_t i = 0; i < PC_KEY_COUNT; i++) {
        pc_keys_derive(keys, (enum pc_key_purpose)i, key);
        pc_hex(key, 32, text);
        assert_string_equal(text, expected[i]);
    }
    pc_keys_close(keys);
    pc_keys_close(NULL);
}

static void every_flipped_or_missing_byte_is_noticed(void **state)
{
    uint8_t file[KEYFILE_BYTES + 1], secret[32];

    (void)state;
    golden(golden_cheap, file);
    for (size_t bit = 0; bit < 8 * KEYFILE_BYTES; bit++) {
        file[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(keyfile_open(file, KEYFILE_BYTES, PASSWORD, PASSWORD_LEN, secret),
                         PC_ECORRUPT);
        file[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t len = 0; len < KEYFILE_BYTES; len++)
        assert_int_equal(keyfile_open(file, len, PASSWORD, PASSWORD_LEN, secret), PC_ECORRUPT);
    file[KEYFILE_BYTES] = 0;
    assert_int_equal(keyfile_open(file, KEYFILE_BYTES + 1, PASSWORD, PASSWORD_LEN, secret),
                     PC_ECORRUPT);
}

static void mend_checksum(uint8_t *file, size_t size)
{
    uint64_t sum = crc64_update(0, file, size - 8);

    for (size_t i = 0; i < 8; i++)
        file[size - 8 + i] = (uint8_t)(sum >> 8 * i);
}

/* Somebody who can write the file and mends the checksum still opens nothing. */
static void every_forged_byte_is_noticed(void **state)
{
    uint8_t file[KEYFILE_BYTES], good[KEYFILE_BYTES], secret[32];
    struct keyfile_cost cost;

    (void)state;
    golden(golden_cheap, good);
    for (size_t bit = 0; bit < 8 * 104; bit++) {
        int r, expected = PC_EPASSPHRASE;

        memcpy(file, good, sizeof file);
        file[bit / 8] ^= (uint8_t)(1u << bit % 8);
        mend_checksum(file, sizeof file);
        if (bit / 8 < 8 || (bit / 8 >= 12 && bit / 8 < 16) || (bit / 8 >= 24 && bit / 8 < 28))
            expected = PC_ECORRUPT;
        else if (bit / 8 < 12)
            expected = PC_EVERSION;
        r = keyfile_check(file, sizeof file, &cost);
        if (bit / 8 >= 16 && bit / 8 < 24 && r == PC_ECORRUPT)
            expected = PC_ECORRUPT; /* a cost out of bounds */
        if (r == 0 && (cost.kib > 1 << 14 || cost.passes > 64))
            continue; /* only dear */
        assert_int_equal(keyfile_open(file, sizeof file, PASSWORD, PASSWORD_LEN, secret), expected);
    }
}

static void costs_have_caps(void **state)
{
    static const struct {
        uint32_t kib, passes;
        int r;
    } cases[] = {{8, 1, 0},
                 {7, 1, PC_ECORRUPT},
                 {1 << 20, 64, 0},
                 {8, 0, PC_ECORRUPT},
                 {(1 << 20) + 1, 1, PC_ECORRUPT},
                 {8, 65, PC_ECORRUPT},
                 {0, 1, PC_ECORRUPT},
                 {UINT32_MAX, 1, PC_ECORRUPT},
                 {8, UINT32_MAX, PC_ECORRUPT}};
    uint8_t file[KEYFILE_BYTES_MAX + 1];
    struct keyfile_cost cost;

    (void)state;
    golden(golden_cheap, file);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t b = 0; b < 4; b++) {
            file[16 + b] = (uint8_t)(cases[i].kib >> 8 * b);
            file[20 + b] = (uint8_t)(cases[i].passes >> 8 * b);
        }
        mend_checksum(file, KEYFILE_BYTES);
        assert_int_equal(keyfile_check(file, KEYFILE_BYTES, &cost), cases[i].r);
    }
    /* a later version may have another size, and is still told from a damaged file */
    memset(file + KEYFILE_BYTES, 0, sizeof file - KEYFILE_BYTES);
    file[8] = 2;
    mend_checksum(file, 200);
    assert_int_equal(keyfile_check(file, 200, &cost), PC_EVERSION);
    mend_checksum(file, KEYFILE_BYTES_MAX);
    assert_int_equal(keyfile_check(file, KEYFILE_BYTES_MAX, &cost), PC_EVERSION);
    mend_checksum(file, KEYFILE_BYTES_MAX + 1);
    assert_int_equal(keyfile_check(file, KEYFILE_BYTES_MAX + 1, &cost), PC_ECORRUPT);
}

static bool same_secret(const struct pc_keys *a, const struct pc_keys *b)
{
    uint8_t x[32], y[32];

    pc_keys_derive(a, PC_KEY_PAGES, x);
    pc_keys_derive(b, PC_KEY_PAGES, y);
    return memcmp(x, y, 32) == 0;
}

static void keys_are_made_and_opened(void **state)
{
    struct pc_keys *keys, *again, *other = NULL;
    char words[PC_WORDS_MAX], more[PC_WORDS_MAX], big[PC_PASSPHRASE_MAX + 1];
    char *dir = test_dir_new();
    struct pc_home *second;

    (void)state;
    assert_int_equal(pc_keys_open(home, "x", 1, &keys), PC_ECORRUPT); /* there are none yet */
    assert_int_equal(pc_keys_create(home, "secret", 6, NULL, words, &keys), 0);
    assert_int_equal(pc_words_check(words), 0);
    assert_int_equal(pc_keys_create(home, "secret", 6, NULL, more, &other), -EEXIST);
    assert_int_equal(pc_keys_open(home, "secret", 6, &again), 0);
    assert_true(same_secret(keys, again));
    pc_keys_close(again);
    assert_int_equal(pc_keys_open(home, "Secret", 6, &other), PC_EPASSPHRASE);
    assert_int_equal(pc_keys_open(home, "secret\0", 7, &other), PC_EPASSPHRASE);
    assert_int_equal(pc_keys_open(home, "", 0, &other), PC_EUSAGE);
    memset(big, 'x', sizeof big);
    assert_int_equal(pc_keys_open(home, big, sizeof big, &other), PC_EUSAGE);
    assert_null(other);
    /* the words alone bring it back elsewhere, under another passphrase */
    assert_int_equal(pc_home_create(dir, &second), 0);
    assert_int_equal(pc_keys_create(second, big, PC_PASSPHRASE_MAX, words, more, &other), 0);
    assert_string_equal(more, words);
    assert_true(same_secret(keys, other));
    pc_keys_close(other);
    pc_home_close(second);
    pc_keys_close(keys);
    test_dir_free(dir);
}

static void a_refused_creation_writes_nothing(void **state)
{
    struct pc_keys *keys = NULL;
    char words[PC_WORDS_MAX] = "", big[PC_PASSPHRASE_MAX + 1], *data = NULL;
    size_t len;

    (void)state;
    memset(big, 'x', sizeof big);
    assert_int_equal(pc_keys_create(home, "", 0, NULL, words, &keys), PC_EUSAGE);
    assert_int_equal(pc_keys_create(home, big, sizeof big, NULL, words, &keys), PC_EUSAGE);
    assert_int_equal(pc_keys_create(home, "x", 1, "hello world", words, &keys), PC_EWORDS);
    assert_null(keys);
    assert_string_equal(words, "");
    assert_int_equal(pc_home_read(home, PC_HOME_KEYS, 4096, &data, &len), -ENOENT);
}

/* A change that is cut at any point leaves the old file or the new one, never a third thing, and does not stop the next. */
static void a_cut_change_leaves_the_old_keys(void **state)
{
    struct pc_keys *keys, *again;
    char *data;
    size_t len;

    (void)state;
    assert_int_equal(pc_keys_create(home, "old", 3, NULL, NULL, &keys), 0);
    assert_int_equal(pc_home_read(home, PC_HOME_KEYS, 4096, &data, &len), 0);
    for (size_t cut = 0; cut <= len; cut += len / 4) {
        char *file = test_path(tmp, PC_HOME_KEYS ".new");

        assert_int_equal(test_file_write(file, data, cut), 0);
        free(file);
        assert_int_equal(pc_keys_open(home, "old", 3, &again), 0);
        assert_true(same_secret(keys, again));
        pc_keys_close(again);
    }
    free(data);
    assert_int_equal(pc_keys_rewrap(home, keys, "new", 3), 0);
    assert_int_equal(pc_keys_open(home, "new", 3, &again), 0);
    assert_true(same_secret(keys, again));
    pc_keys_close(again);
    assert_int_equal(pc_home_read(home, PC_HOME_KEYS ".new", 4096, &data, &len), -ENOENT);
    pc_keys_close(keys);
}

static void a_passphrase_is_changed(void **state)
{
    struct pc_keys *keys, *again;

    (void)state;
    assert_int_equal(pc_keys_create(home, "old", 3, NULL, NULL, &keys), 0);
    assert_int_equal(pc_keys_rewrap(home, keys, "", 0), PC_EUSAGE);
    assert_int_equal(pc_keys_rewrap(home, keys, "new", 3), 0);
    assert_int_equal(pc_keys_open(home, "old", 3, &again), PC_EPASSPHRASE);
    assert_int_equal(pc_keys_open(home, "new", 3, &again), 0);
    assert_true(same_secret(keys, again));
    pc_keys_close(again);
    pc_keys_close(keys);
}

/* The cost is low only where tests make keys: opening takes what the file says, a change of passphrase the full cost. */
static void a_low_cost_is_for_new_keys_alone(void **state)
{
    struct keyfile_cost cost;
    struct pc_keys *keys;
    char *data;
    size_t len;

    (void)state;
    assert_int_equal(pc_keys_create(home, "x", 1, NULL, NULL, &keys), 0);
    assert_int_equal(pc_home_read(home, PC_HOME_KEYS, 4096, &data, &len), 0);
    assert_int_equal(keyfile_check((uint8_t *)data, len, &cost), 0);
    assert_int_equal(cost.kib, KEYFILE_KIB_MIN);
    free(data);
    assert_int_equal(pc_keys_rewrap(home, keys, "x", 1), 0);
    assert_int_equal(pc_home_read(home, PC_HOME_KEYS, 4096, &data, &len), 0);
    assert_int_equal(keyfile_check((uint8_t *)data, len, &cost), 0);
    assert_int_equal(cost.kib, KEYFILE_KIB);
    assert_int_equal(cost.passes, KEYFILE_PASSES);
    free(data);
    pc_keys_close(keys);
}

static void no_memory_is_an_error(void **state)
{
    struct pc_keys *keys;
    unsigned long n;
    int r = -1;

    (void)state;
    for (n = 1; n < 100; n++) {
        keys = NULL;
        mem_fail_at(n, MEM_FAIL_ONCE);
        r = pc_keys_create(home, "x", 1, NULL, NULL, &keys);
        if (!mem_fail_count())
            break;
        assert_int_equal(r, -ENOMEM);
        assert_null(keys);
    }
    assert_int_equal(r, 0);
    assert_true(n > 5);
    pc_keys_close(keys);
    for (n = 1; n < 100; n++) {
        keys = NULL;
        mem_fail_at(n, MEM_FAIL_ON);
        r = pc_keys_open(home, "x", 1, &keys);
        if (!mem_fail_count())
            break;
        assert_int_equal(r, -ENOMEM);
        assert_null(keys);
    }
    assert_int_equal(r, 0);
    pc_keys_close(keys);
}

/* What `pcloud init` does up to the kill: the next one is not stopped by it, ever. */
static void interrupted_inits_do_not_stop_the_next(void **state)
{
    char *dir = test_dir_new(), *path = test_path(dir, "home");
    struct pc_home *mine;
    struct pc_keys *keys;

    (void)state;
    for (int i = 0; i < 10; i++) {
        int status = 0;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
            if (pc_home_create(path, &mine) == 0 &&
                pc_home_write(mine, PC_HOME_PASSPHRASE, "abc\n", 4) == 0 &&
                pc_keys_create(mine, "abc", 3, NULL, NULL, &keys) == 0)
                kill(getpid(), SIGKILL);
            _exit(1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
    }
    assert_int_equal(pc_home_create(path, &mine), 0);
    assert_int_equal(pc_keys_create(mine, "abc", 3, NULL, NULL, &keys), 0);
    assert_int_equal(pc_home_commit(mine), 0);
    pc_keys_close(keys);
    pc_home_close(mine);
    free(path);
    test_dir_free(dir);
}

static void expect_passphrase(const char *file, const char *expected)
{
    char *p = NULL;
    size_t len = 0;

    assert_int_equal(pc_passphrase_get(home, file, NULL, &p, &len), 0);
    assert_int_equal(len, strlen(expected));
    assert_string_equal(p, expected);
    pc_passphrase_free(p);
}

static void passphrases_are_found_in_their_order(void **state)
{
    char *file = test_path(tmp, "run/f"), *named = test_path(tmp, "run/g"),
         *run = test_path(tmp, "run");
    char *credential = test_path(tmp, "run/pcloud-passphrase"), *p = NULL;
    size_t len;

    (void)state;
    unsetenv("PCLOUD_PASSPHRASE_FILE");
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_int_equal(pc_passphrase_get(home, NULL, NULL, &p, &len), PC_EUSAGE);
    assert_non_null(strstr(pc_err_text(PC_EUSAGE), "--passphrase-file"));
    assert_int_equal(pc_passphrase_get(NULL, NULL, NULL, &p, &len), PC_EUSAGE);
    assert_int_equal(pc_home_write(home, PC_HOME_PASSPHRASE, "of home\n", 8), 0);
    expect_passphrase(NULL, "of home");
    setenv("CREDENTIALS_DIRECTORY", run, 1);
    expect_passphrase(NULL, "of home"); /* none there */
    assert_int_equal(test_file_write(credential, "of systemd", 10), 0);
    expect_passphrase(NULL, "of systemd");
    setenv("PCLOUD_PASSPHRASE_FILE", named, 1);
    assert_int_equal(pc_passphrase_get(home, NULL, NULL, &p, &len), -ENOENT); /* named, so meant */
    assert_int_equal(test_file_write(named, "of env\n\n", 8), 0);
    expect_passphrase(NULL, "of env\n");
    assert_int_equal(test_file_write(file, " of file ", 9), 0);
    expect_passphrase(file, " of file ");
    assert_int_equal(pc_passphrase_get(home, "/nowhere/at all", NULL, &p, &len), -ENOENT);
    assert_non_null(strstr(pc_err_text(-ENOENT), "/nowhere/at all"));
    assert_null(p);
    unsetenv("PCLOUD_PASSPHRASE_FILE");
    unsetenv("CREDENTIALS_DIRECTORY");
    free(file);
    free(named);
    free(run);
    free(credential);
}

static void passphrases_have_bounds(void **state)
{
    char *file = test_path(tmp, "run/f"), big[PC_PASSPHRASE_MAX + 3], *p = NULL;
    size_t len;

    (void)state;
    memset(big, 'x', sizeof big);
    assert_int_equal(test_file_write(file, "", 0), 0);
    assert_int_equal(pc_passphrase_get(home, file, NULL, &p, &len), PC_EUSAGE);
    assert_int_equal(test_file_write(file, "\n", 1), 0);
    assert_int_equal(pc_passphrase_get(home, file, NULL, &p, &len), PC_EUSAGE);
    for (size_t n = PC_PASSPHRASE_MAX; n <= PC_PASSPHRASE_MAX + 3; n++) {
        assert_int_equal(test_file_write(file, big, n), 0);
        assert_int_equal(pc_passphrase_get(home, file, NULL, &p, &len),
                         n == PC_PASSPHRASE_MAX ? 0 : PC_EUSAGE);
    }
    assert_int_equal(len, PC_PASSPHRASE_MAX);
    pc_passphrase_free(p);
    big[PC_PASSPHRASE_MAX] = '\n';
    assert_int_equal(test_file_write(file, big, PC_PASSPHRASE_MAX + 1), 0);
    assert_int_equal(pc_passphrase_get(home, file, NULL, &p, &len), 0);
    assert_int_equal(len, PC_PASSPHRASE_MAX);
    pc_passphrase_free(p);
    mem_fail_at(1, MEM_FAIL_ONCE);
    assert_int_equal(pc_passphrase_get(home, file, NULL, &p, &len), -ENOMEM);
    free(file);
}

/* Type ${keys} at a terminal that asks; its exit status is 0 if it understood ${expected}, 1 if not, 2 if it gave up. */
static int typed(const char *keys, const char *expected, char *screen, size_t cap)
{
    size_t used = 0, n_keys = strlen(keys);
    bool answered = false;
    int master, status = 0;
    pid_t pid = forkpty(&master, NULL, NULL, NULL);
    ssize_t n;

    assert_true(pid >= 0);
    if (pid == 0) {
        char *p = NULL;
        size_t len = 0;

        if (pc_passphrase_get(home, NULL, "Passphrase: ", &p, &len) < 0)
            _exit(2);
        _exit(len == strlen(expected) && memcmp(p, expected, len) == 0 ? 0 : 1);
    }
    while ((n = read(master, screen + used, cap - 1 - used)) > 0) {
        used += (size_t)n;
        screen[used] = 0;
        if (!answered && strstr(screen, "Passphrase: ")) {
            assert_int_equal(write(master, keys, n_keys), n_keys);
            answered = true;
        }
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(master);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static void a_terminal_is_asked(void **state)
{
    char screen[256];

    (void)state;
    assert_int_equal(typed("secret\r", "secret", screen, sizeof screen), 0);
    assert_null(strstr(screen, "secret")); /* it does not show what is typed */
    assert_int_equal(typed("wrong\x15rx\x7fight\xc3\xa4\x7f\n", "right", screen, sizeof screen), 0);
    assert_int_equal(typed("never\x03", "", screen, sizeof screen), 2);
    assert_int_equal(typed("\r", "", screen, sizeof screen), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_is_the_standards),
        cmocka_unit_test(vectors_hold),
        cmocka_unit_test(every_word_is_found),
        cmocka_unit_test(case_and_blanks_are_forgiven),
        cmocka_unit_test(wrong_words_are_named),
        cmocka_unit_test(files_made_elsewhere_open),
        cmocka_unit_test_setup_teardown(keys_are_derived_by_label, set_up, tear_down),
        cmocka_unit_test(every_flipped_or_missing_byte_is_noticed),
        cmocka_unit_test(every_forged_byte_is_noticed),
        cmocka_unit_test(costs_have_caps),
        cmocka_unit_test_setup_teardown(keys_are_made_and_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_creation_writes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cut_change_leaves_the_old_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_passphrase_is_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_low_cost_is_for_new_keys_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_memory_is_an_error, set_up, tear_down),
        cmocka_unit_test(interrupted_inits_do_not_stop_the_next),
        cmocka_unit_test_setup_teardown(passphrases_are_found_in_their_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(passphrases_have_bounds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_terminal_is_asked, set_up, tear_down),
    };

    setenv("PCLOUD_TEST_ARGON2", "min", 1);
    pc_log_setup("test", PC_LOG_ERROR, PC_LOG_TEXT);
    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
