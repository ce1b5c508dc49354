/* SPDX-License-Identifier: Apache-2.0 */
/* The version is the one configure knows; the helpers all tests stand on do what they say. */
#include "pcloud/version.h"

#include "config.h"
#include "test_env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void version_is_the_package_version(void **state)
{
    (void)state;
    assert_string_equal(pc_version(), PACKAGE_VERSION);
}

static bool third_time(void *arg)
{
    return ++*(int *)arg >= 3;
}

static bool never(void *arg)
{
    ++*(int *)arg;
    return false;
}

static void waiting_ends_with_the_condition(void **state)
{
    int asked = 0;

    (void)state;
    assert_true(test_wait(60000, third_time, &asked));
    assert_int_equal(asked, 3);
    asked = 0;
    assert_false(test_wait(0, never, &asked));
    assert_true(asked > 0);
}

static void files_round_trip_and_go_away(void **state)
{
    char *dir = test_dir_new();
    char *path = test_path(dir, "f");
    size_t len = 0;
    char *data;

    (void)state;
    assert_int_equal(test_file_write(path, "ab\0cd", 5), 0);
    data = test_file_read(path, &len);
    assert_non_null(data);
    assert_int_equal(len, 5);
    assert_memory_equal(data, "ab\0cd", 6);
    assert_true(test_tree_contains(dir, "b\0c", 3));
    assert_false(test_tree_contains(dir, "bc", 2));
    test_dir_free(strdup(dir));
    assert_int_equal(access(dir, F_OK), -1);
    free(data);
    free(path);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_is_the_package_version),
        cmocka_unit_test(waiting_ends_with_the_condition),
        cmocka_unit_test(files_round_trip_and_go_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
