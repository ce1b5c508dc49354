/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: texts, names, each thread's message; and the allocator's seam that fault loops stand on. */
#include "pcloud/err.h"

#include "base/alloc.h"
#include "base/utf8.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void codes_have_names_and_texts(void **state)
{
    (void)state;
#define CHECK(name, value, text)                                                                   \
    assert_int_equal(name, value);                                                                 \
    assert_string_equal(pc_err_name(name), #name);                                                 \
    assert_string_equal(pc_strerror(name), text);
    PC_ERROR_TABLE(CHECK)
#undef CHECK
    assert_string_equal(pc_err_name(-ENOSPC), "ENOSPC");
    assert_string_equal(pc_strerror(-ENOSPC), "No space left on device");
    assert_string_equal(pc_err_name(-999), "E?");
    assert_string_equal(pc_err_name(5), "E?");
    assert_string_equal(pc_err_name(INT32_MIN), "E?");
    assert_string_equal(pc_strerror(INT32_MIN), "unknown error");
    assert_string_equal(pc_strerror(-2000), "unknown error");
}

static void a_message_belongs_to_its_code(void **state)
{
    (void)state;
    errno = EBADF;
    assert_int_equal(pc_err_set(PC_ECORRUPT, "pack %d: bad", 7), PC_ECORRUPT);
    assert_int_equal(errno, EBADF);
    assert_string_equal(pc_err_text(PC_ECORRUPT), "pack 7: bad");
    assert_string_equal(pc_err_text(-EIO), pc_strerror(-EIO));
    assert_int_equal(pc_err_wrap(PC_ECORRUPT, "file %s: ", "a"), PC_ECORRUPT);
    assert_string_equal(pc_err_text(PC_ECORRUPT), "file a: pack 7: bad");
    assert_int_equal(pc_err_wrap(-EIO, "disk: "), -EIO);
    assert_string_equal(pc_err_text(-EIO), "disk: Input/output error");
}

static void a_message_may_be_its_own_argument(void **state)
{
    (void)state;
    (void)pc_err_set(-EIO, "inner");
    (void)pc_err_set(-EINVAL, "outer (%s)", pc_err_text(-EIO));
    assert_string_equal(pc_err_text(-EINVAL), "outer (inner)");
    (void)pc_err_wrap(-EINVAL, "%s / ", pc_err_text(-EINVAL));
    assert_string_equal(pc_err_text(-EINVAL), "outer (inner) / outer (inner)");
}

static void long_messages_are_cut_between_characters(void **state)
{
    char text[2048];

    (void)state;
    for (size_t lead = 0; lead < 4; lead++) {
        size_t len;

        memset(text, 'x', lead);
        for (size_t i = lead; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 4);
        (void)pc_err_set(-EIO, "%s", text);
        len = strlen(pc_err_text(-EIO));
        assert_true(len >= 508 && len <= 511);
        assert_int_equal((len - lead) % 3, 0);
        (void)pc_err_wrap(-EIO, "prefix ");
        assert_true(strlen(pc_err_text(-EIO)) <= 511);
    }
    (void)pc_err_set(-EIO, "%s", "");
    assert_string_equal(pc_err_text(-EIO), pc_strerror(-EIO));
}

static void *other_thread(void *arg)
{
    *(bool *)arg = strcmp(pc_err_text(-EIO), pc_strerror(-EIO)) == 0;
    (void)pc_err_set(-EIO, "theirs");
    return NULL;
}

static void threads_have_their_own_message(void **state)
{
    bool fresh = false;
    pthread_t t;

    (void)state;
    (void)pc_err_set(-EIO, "mine");
    assert_int_equal(pthread_create(&t, NULL, other_thread, &fresh), 0);
    assert_int_equal(pthread_join(t, NULL), 0);
    assert_true(fresh);
    assert_string_equal(pc_err_text(-EIO), "mine");
}

static void the_seam_fails_the_nth_allocation(void **state)
{
    void *p[4] = {NULL};

    (void)state;
    mem_fail_at(2, MEM_FAIL_ONCE);
    p[0] = mem_alloc(1);
    errno = 0;
    assert_null(mem_calloc(1, 1));
    assert_int_equal(errno, ENOMEM);
    p[1] = mem_strdup("x");
    assert_non_null(p[0]);
    assert_non_null(p[1]);
    assert_int_equal(mem_fail_count(), 1);
    mem_fail_at(1, MEM_FAIL_ON);
    assert_null(mem_printf("%d", 1));
    assert_null(mem_dup("x", 1));
    assert_null(mem_realloc(p[0], 5));
    assert_int_equal(mem_fail_count(), 3);
    mem_fail_at(0, MEM_FAIL_ONCE);
    p[2] = mem_realloc_array(NULL, 3, 5);
    assert_non_null(p[2]);
    assert_null(mem_realloc_array(NULL, SIZE_MAX / 2, 3));
    assert_null(mem_calloc(SIZE_MAX / 2, 3));
    p[3] = mem_alloc(0);
    assert_non_null(p[3]);
    for (size_t i = 0; i < 4; i++)
        mem_free(p[i]);
}

static void utf8_is_read_strictly(void **state)
{
    static const char *const bad[] = {
        "\x80",     "\xc0\x80",         "\xc1\xbf",         "\xe0\x80\x80",     "\xed\xa0\x80",
        "\xf5\x80", "\xf4\x90\x80\x80", "\xf0\x80\x80\x80", "\xe2\x82\x28\xac", "\xff"};
    uint32_t c = 0;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(utf8_next(bad[i], strlen(bad[i]), &c), 0);
    assert_int_equal(utf8_next("\xe2\x82\xac", 3, &c), 3);
    assert_int_equal(c, 0x20ac);
    assert_int_equal(utf8_next("\xe2\x82\xac", 2, &c), 0);
    assert_int_equal(utf8_next("\xf4\x8f\xbf\xbf", 4, &c), 4);
    assert_int_equal(c, 0x10ffff);
    assert_int_equal(utf8_next("a", 0, &c), 0);
    assert_int_equal(utf8_cut("a\xe2\x82", 3), 1);
    assert_int_equal(utf8_cut("a\xe2\x82\xac", 4), 4);
    assert_int_equal(utf8_cut("\x82\x82\x82\x82", 4), 4);
    assert_int_equal(utf8_cut("", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_have_names_and_texts),
        cmocka_unit_test(a_message_belongs_to_its_code),
        cmocka_unit_test(a_message_may_be_its_own_argument),
        cmocka_unit_test(long_messages_are_cut_between_characters),
        cmocka_unit_test(threads_have_their_own_message),
        cmocka_unit_test(the_seam_fails_the_nth_allocation),
        cmocka_unit_test(utf8_is_read_strictly),
    };

    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
