/* SPDX-License-Identifier: Apache-2.0 */
/* AES-256-GCM against NIST's vectors, tampering, threads; keyed hash; locked memory. */
#include "crypto/aead.h"

#include "pcloud/digest.h"
#include "pcloud/err.h"
#include "pcloud/keys.h"

#include "base/alloc.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PLAIN                                                                                      \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6" \
    "b525b16aedf5aa0de657ba637b39"
#define CIPHER                                                                                     \
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b105682" \
    "8838c5f61e6393ba7a0abcc9f662"
#define KEY "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

/* McGrew and Viega, The Galois/Counter Mode of Operation, test cases 13 to 16 (AES-256, nonces of 96 bits). */
static const struct {
    const char *key, *nonce, *aad, *plain, *cipher, *tag;
} vectors[] = {
    {ZEROS, "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {ZEROS, "000000000000000000000000", "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
    {KEY, "cafebabefacedbaddecaf888", "", PLAIN "1aafd255", CIPHER "898015ad",
     "b094dac5d93471bdec1a502270e3cc6c"},
    {KEY, "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2", PLAIN, CIPHER,
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

static size_t bytes(const char *hex, uint8_t *out)
{
    size_t n = strlen(hex) / 2;

    for (size_t i = 0; i < n; i++) {
        unsigned v = 0;

        for (int d = 0; d < 2; d++) {
            char c = hex[2 * i + (size_t)d];

            v = v << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        out[i] = (uint8_t)v;
    }
    return n;
}

static void vectors_hold(void **state)
{
    struct aead *a;

    (void)state;
    assert_int_equal(aead_new(&a), 0);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint8_t key[32], nonce[12], aad[64], plain[64], cipher[64], tag[16], out[64], out_tag[16];
        size_t aad_len = bytes(vectors[i].aad, aad), len = bytes(vectors[i].plain, plain);

        bytes(vectors[i].key, key);
        bytes(vectors[i].nonce, nonce);
        bytes(vectors[i].tag, tag);
        assert_int_equal(bytes(vectors[i].cipher, cipher), len);
        assert_int_equal(aead_rekey(a, key), 0);
        for (int again = 0; again < 2; again++) {
            memset(out, 0xee, sizeof out);
            assert_int_equal(aead_seal(a, nonce, aad, aad_len, plain, len, out, out_tag), 0);
            assert_memory_equal(out, cipher, len);
            assert_memory_equal(out_tag, tag, 16);
            assert_int_equal(aead_open(a, nonce, aad, aad_len, cipher, len, out, tag), 0);
            assert_memory_equal(out, plain, len);
        }
        memcpy(out, plain, len); /* in place */
        assert_int_equal(aead_seal(a, nonce, aad, aad_len, out, len, out, out_tag), 0);
        assert_memory_equal(out, cipher, len);
        assert_int_equal(aead_open(a, nonce, aad, aad_len, out, len, out, out_tag), 0);
        assert_memory_equal(out, plain, len);
    }
    aead_free(a);
    aead_free(NULL);
}

static void every_flipped_bit_is_noticed(void **state)
{
    static const uint8_t zeros[60];
    uint8_t key[32], nonce[12], aad[20], cipher[60], tag[16], out[60];
    const struct {
        uint8_t *p;
        size_t n;
    } parts[] = {{nonce, 12}, {aad, 20}, {cipher, 60}, {tag, 16}};
    struct aead *a = aead_thread();

    (void)state;
    assert_non_null(a);
    bytes(KEY, key);
    bytes(vectors[3].nonce, nonce);
    bytes(vectors[3].aad, aad);
    bytes(vectors[3].cipher, cipher);
    bytes(vectors[3].tag, tag);
    assert_int_equal(aead_rekey(a, key), 0);
    for (size_t part = 0; part < sizeof parts / sizeof *parts; part++) {
        for (size_t bit = 0; bit < parts[part].n * 8; bit++) {
            parts[part].p[bit / 8] ^= (uint8_t)(1u << bit % 8);
            memset(out, 0xee, sizeof out);
            assert_int_equal(aead_open(a, nonce, aad, 20, cipher, 60, out, tag), PC_ECORRUPT);
            assert_memory_equal(out, zeros, 60);
            parts[part].p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    assert_int_equal(aead_open(a, nonce, aad, 19, cipher, 60, out, tag), PC_ECORRUPT);
    assert_int_equal(aead_open(a, nonce, aad, 20, cipher, 59, out, tag), PC_ECORRUPT);
    assert_int_equal(aead_open(a, nonce, aad, 20, cipher, 60, out, tag), 0);
    key[31] ^= 1;
    assert_int_equal(aead_rekey(a, key), 0);
    assert_int_equal(aead_open(a, nonce, aad, 20, cipher, 60, out, tag), PC_ECORRUPT);
}

static void without_a_key_nothing_is_sealed(void **state)
{
    uint8_t nonce[12] = {0}, tag[16] = {0}, buf[4] = {1, 2, 3, 4};
    struct aead *a;

    (void)state;
    assert_int_equal(aead_new(&a), 0);
    assert_int_equal(aead_seal(a, nonce, NULL, 0, buf, 4, buf, tag), -EIO);
    assert_int_equal(aead_open(a, nonce, NULL, 0, buf, 4, buf, tag), -EIO);
    assert_int_equal(aead_seal(a, nonce, NULL, 0, buf, (size_t)1 << 31, buf, tag), -EIO);
    aead_free(a);
}

static void *own_context(void *arg)
{
    *(struct aead **)arg = aead_thread();
    return aead_thread() == *(struct aead **)arg ? NULL : arg;
}

static void each_thread_has_its_own(void **state)
{
    struct aead *theirs = NULL;
    void *differs = &theirs;
    pthread_t t;

    (void)state;
    assert_int_equal(pthread_create(&t, NULL, own_context, &theirs), 0);
    assert_int_equal(pthread_join(t, &differs), 0);
    assert_null(differs);
    assert_non_null(theirs);
    assert_ptr_not_equal(theirs, aead_thread());
}

static void no_memory_is_an_error(void **state)
{
    unsigned long n = 0;
    struct aead *a;
    int r;

    (void)state;
    do {
        mem_fail_at(++n, MEM_FAIL_ONCE);
        a = NULL;
        r = aead_new(&a);
        assert_true(r == 0 ? a != NULL : r == -ENOMEM && a == NULL);
        aead_free(a);
    } while (mem_fail_count());
    assert_int_equal(n, 3);
    mem_fail_at(1, MEM_FAIL_ONCE);
    assert_null(mem_lock_alloc(1));
    mem_fail_at(0, MEM_FAIL_ONCE);
    assert_null(mem_lock_alloc(SIZE_MAX));
}

/* Python: hashlib.blake2b(data, key=bytes(range(32)), digest_size=32) */
static void the_keyed_hash_is_blake2b(void **state)
{
    uint8_t key[32], out[32], expected[32];
    char data[300];

    (void)state;
    for (unsigned i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = "abcdef"[i % 6];
    bytes("4e51e7a913fc80137da52880fecca175bf81e117d5c68126dc2774033517ea0d", expected);
    mac_keyed(key, NULL, 0, NULL, 0, out);
    assert_memory_equal(out, expected, 32);
    bytes("d5354cb24774134dc5e082f6b2b660d3f6dc5d733190bc82d25d5fbbffbb7ea9", expected);
    for (size_t cut = 0; cut <= sizeof data; cut++) {
        mac_keyed(key, data, cut, data + cut, sizeof data - cut, out);
        assert_memory_equal(out, expected, 32);
    }
}

static void locked_memory_is_zeroed_and_aligned(void **state)
{
    static const uint8_t zeros[100];

    (void)state;
    for (size_t n = 0; n <= sizeof zeros; n++) {
        uint8_t *p = mem_lock_alloc(n);

        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        assert_memory_equal(p, zeros, n);
        memset(p, 0xff, n);
        mem_lock_free(p);
    }
    mem_lock_free(NULL);
}

static void locked_memory_is_guarded(void **state)
{
    int status = 0;
    pid_t pid = fork();

    (void)state;
    assert_true(pid >= 0);
    if (pid == 0) {
        volatile uint8_t *p = mem_lock_alloc(16);

        close(STDERR_FILENO);
        signal(SIGSEGV, SIG_DFL);
        p[16] = 1;
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void small_helpers_do_what_they_say(void **state)
{
    uint8_t a[64] = {1}, b[64] = {1}, zeros[64] = {0};

    (void)state;
    assert_true(pc_equal(a, b, 64));
    b[63] = 1;
    assert_false(pc_equal(a, b, 64));
    assert_true(pc_equal(a, b, 63));
    assert_true(pc_equal(a, b, 0));
    pc_random(a, 64);
    pc_random(b, 64);
    assert_memory_not_equal(a, b, 64);
    pc_wipe(a, 64);
    assert_memory_equal(a, zeros, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_hold),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(without_a_key_nothing_is_sealed),
        cmocka_unit_test(each_thread_has_its_own),
        cmocka_unit_test(no_memory_is_an_error),
        cmocka_unit_test(the_keyed_hash_is_blake2b),
        cmocka_unit_test(locked_memory_is_zeroed_and_aligned),
        cmocka_unit_test(locked_memory_is_guarded),
        cmocka_unit_test(small_helpers_do_what_they_say),
    };

    return cmocka_run_group_tests_name("aead", tests, NULL, NULL);
}
