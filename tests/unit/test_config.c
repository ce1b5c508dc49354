/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: defaults, every type's bounds, messages that help, changes that keep the rest of the file. */
#include "pcloud/config.h"

#include "base/alloc.h"
#include "base/config_file.h"
#include "pcloud/err.h"
#include "pcloud/log.h"
#include "test_env.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

static struct config_span span(const char *s)
{
    return (struct config_span){s, strlen(s)};
}

static int parse(const char *text, struct pc_config **ret)
{
    return config_parse(span(text), "FILE", ret);
}

static void refuse(const char *text, const char *message)
{
    struct pc_config *config = NULL;

    assert_int_equal(parse(text, &config), PC_EFORMAT);
    assert_null(config);
    assert_string_equal(pc_err_text(PC_EFORMAT), message);
}

static void without_a_file_all_is_default(void **state)
{
    struct pc_config *config;

    (void)state;
    assert_int_equal(pc_config_load(home, &config), 0);
    for (int id = 0; id < (int)PC_CONFIG_COUNT; id++) {
        const struct pc_config_entry *e = pc_config_entry((enum pc_config_id)id);

        assert_false(pc_config_is_set(config, (enum pc_config_id)id));
        assert_string_equal(pc_config_str(config, (enum pc_config_id)id), e->def);
        assert_true(strlen(e->prose) > 0);
        assert_int_equal(pc_config_find(e->key), id);
    }
    assert_string_equal(pc_config_str(config, PC_CONFIG_S3_LISTEN), "127.0.0.1:9800");
    assert_int_equal(pc_config_num(config, PC_CONFIG_S3_CONNECTIONS), 1024);
    assert_int_equal(pc_config_num(config, PC_CONFIG_CACHE_SIZE), 16 << 20);
    assert_true(pc_config_bool(config, PC_CONFIG_DEDUP));
    assert_int_equal(pc_config_num(config, PC_CONFIG_LOG_LEVEL), PC_LOG_INFO);
    pc_config_free(config);
    pc_config_free(NULL);
}

static void a_file_is_read(void **state)
{
    struct pc_config *config;

    (void)state;
    assert_int_equal(
        parse("# comment\r\n\n  s3.region=eu-north-1 \t\n"
              "workers = 7\ncache.size = 2g\ndedup = off\n\t# more\n"
              "mount.options = ro,x=y # not a comment\nlog.format = json\nmount.path =",
              &config),
        0);
    assert_string_equal(pc_config_str(config, PC_CONFIG_S3_REGION), "eu-north-1");
    assert_int_equal(pc_config_num(config, PC_CONFIG_WORKERS), 7);
    assert_int_equal(pc_config_num(config, PC_CONFIG_CACHE_SIZE), 2ll << 30);
    assert_string_equal(pc_config_str(config, PC_CONFIG_CACHE_SIZE), "2g");
    assert_false(pc_config_bool(config, PC_CONFIG_DEDUP));
    assert_string_equal(pc_config_str(config, PC_CONFIG_MOUNT_OPTIONS), "ro,x=y # not a comment");
    assert_int_equal(pc_config_num(config, PC_CONFIG_LOG_FORMAT), PC_LOG_JSON);
    assert_string_equal(pc_config_str(config, PC_CONFIG_MOUNT_PATH), "");
    assert_true(pc_config_is_set(config, PC_CONFIG_MOUNT_PATH));
    assert_false(pc_config_is_set(config, PC_CONFIG_COMPRESS));
    pc_config_free(config);
}

static void errors_say_where_and_what(void **state)
{
    (void)state;
    refuse("\nworkers = many\n",
           "FILE, line 2: workers must be a whole number from 0 to 256, not \"many\"");
    refuse("s3.regoin = x", "FILE, line 1: there is no key \"s3.regoin\"; did you mean s3.region?");
    refuse("region = x", "FILE, line 1: there is no key \"region\"; did you mean s3.region?");
    refuse("zzzzzz = x", "FILE, line 1: there is no key \"zzzzzz\"");
    refuse("workers = 1\nworkers = 1", "FILE, line 2: workers is set a second time; remove one");
    refuse("  hello world \n", "FILE, line 1: expected \"key = value\", not \"hello world\"");
    refuse("= 5", "FILE, line 1: expected \"key = value\", not \"= 5\"");
    refuse("dedup = maybe", "FILE, line 1: dedup must be true or false, not \"maybe\"");
    refuse("log.level = loud",
           "FILE, line 1: log.level must be one of: error warn info debug, not \"loud\"");
    refuse(
        "cache.size = 1K",
        "FILE, line 1: cache.size must be a size such as 512K, 64M or 2G, from 1M on, not \"1K\"");
    refuse("s3.region =", "FILE, line 1: s3.region must be text of 1 to 63 bytes without control "
                          "characters, not \"\"");
}

static bool is_legal(enum pc_config_id id, const char *value)
{
    int64_t n;

    return config_value_check(id, span(value), &n) == 0;
}

static void values_keep_their_bounds(void **state)
{
    static const char *const numbers[] = {"",     "-1",
                                          "+1",   "1.0",
                                          "0x10", " 1",
                                          "1 ",   "99999999999999999999",
                                          "257",  "9223372036854775808",
                                          "1K"};
    static const char *const sizes[] = {"",         "K",  "1KK",     "-1M", "9223372036854775807K",
                                        "8388608T", "1B", "1048575", "1 M", "1MiB"};
    char text[300];

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_false(is_legal(PC_CONFIG_WORKERS, numbers[i]));
    assert_true(is_legal(PC_CONFIG_WORKERS, "0"));
    assert_true(is_legal(PC_CONFIG_WORKERS, "256"));
    assert_true(is_legal(PC_CONFIG_WORKERS, "007"));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_false(is_legal(PC_CONFIG_CACHE_SIZE, sizes[i]));
    assert_true(is_legal(PC_CONFIG_CACHE_SIZE, "1048576"));
    assert_true(is_legal(PC_CONFIG_CACHE_SIZE, "9223372036854775807"));
    assert_true(is_legal(PC_CONFIG_CACHE_SIZE, "8388607T"));
    assert_true(is_legal(PC_CONFIG_CACHE_SIZE, "1024k"));
    assert_false(is_legal(PC_CONFIG_LOG_LEVEL, ""));
    assert_false(is_legal(PC_CONFIG_LOG_LEVEL, "inf"));
    assert_false(is_legal(PC_CONFIG_LOG_LEVEL, "info debug"));
    assert_false(is_legal(PC_CONFIG_DEDUP, "TRUE"));
    memset(text, 'r', sizeof text);
    text[63] = 0;
    assert_true(is_legal(PC_CONFIG_S3_REGION, text));
    text[63] = 'r';
    text[64] = 0;
    assert_false(is_legal(PC_CONFIG_S3_REGION, text));
    assert_false(is_legal(PC_CONFIG_S3_REGION, "a\nb"));
    assert_false(is_legal(PC_CONFIG_S3_REGION, "a\x7f"));
    assert_false(is_legal(PC_CONFIG_S3_REGION, " a"));
    assert_true(is_legal(PC_CONFIG_MOUNT_PATH, "/m\xc3\xa4rz \xff"));
    assert_int_equal(
        config_value_check(PC_CONFIG_S3_REGION, (struct config_span){"a\0b", 3}, &(int64_t){0}),
        PC_EFORMAT);
}

static char *file_text(void)
{
    char *data = NULL;
    size_t len;

    assert_int_equal(pc_home_read(home, PC_HOME_CONFIG, CONFIG_FILE_MAX, &data, &len), 0);
    return data;
}

static void expect_file(const char *expected)
{
    char *text = file_text();

    assert_string_equal(text, expected);
    free(text);
}

static void a_change_keeps_the_rest(void **state)
{
    static const char before[] = "# mine\n\nworkers=3\n# about s3\ns3.region =  x\nworkers = 9";

    (void)state;
    assert_int_equal(pc_config_set(home, "workers", "5"), 0);
    expect_file("workers = 5\n");
    assert_int_equal(pc_home_write(home, PC_HOME_CONFIG, before, sizeof before - 1), 0);
    assert_int_equal(pc_config_set(home, "workers", "5"), 0); /* mends a file that does not load */
    expect_file("# mine\n\nworkers = 5\n# about s3\ns3.region =  x\n");
    assert_int_equal(pc_config_set(home, "dedup", "false"), 0);
    expect_file("# mine\n\nworkers = 5\n# about s3\ns3.region =  x\ndedup = false\n");
    assert_int_equal(pc_config_set(home, "workers", NULL), 0);
    assert_int_equal(pc_config_set(home, "workers", NULL), 0);
    expect_file("# mine\n\n# about s3\ns3.region =  x\ndedup = false\n");
    assert_int_equal(pc_home_write(home, PC_HOME_CONFIG, "dedup = true", 12), 0);
    assert_int_equal(pc_config_set(home, "workers", "1"), 0);
    expect_file("dedup = true\nworkers = 1\n");
}

static void a_refused_change_changes_nothing(void **state)
{
    char *big = malloc(CONFIG_FILE_MAX);
    struct pc_config *config;

    (void)state;
    assert_int_equal(pc_config_set(home, "workers", "5"), 0);
    assert_int_equal(pc_config_set(home, "workers", "x"), PC_EFORMAT);
    assert_string_equal(pc_err_text(PC_EFORMAT),
                        "workers must be a whole number from 0 to 256, not \"x\"");
    assert_int_equal(pc_config_set(home, "worker", "5"), PC_EUSAGE);
    assert_string_equal(pc_err_text(PC_EUSAGE),
                        "there is no key \"worker\"; did you mean workers?");
    assert_int_equal(pc_config_set(home, "worker", NULL), PC_EUSAGE);
    assert_int_equal(pc_config_set(home, "qqqq", "5"), PC_EUSAGE);
    assert_non_null(strstr(pc_err_text(PC_EUSAGE), "pcloud config list"));
    assert_int_equal(pc_config_set(home, "mount.path", "a\nworkers = 9"), PC_EFORMAT);
    expect_file("workers = 5\n");
    assert_non_null(big);
    memset(big, '#', CONFIG_FILE_MAX);
    assert_int_equal(pc_home_write(home, PC_HOME_CONFIG, big, CONFIG_FILE_MAX), 0);
    assert_int_equal(pc_config_set(home, "workers", "5"), PC_ELIMIT);
    assert_int_equal(pc_config_load(home, &config), 0);
    pc_config_free(config);
    free(big);
}

static void an_option_overrides_in_memory_only(void **state)
{
    struct pc_config *config;

    (void)state;
    assert_int_equal(pc_home_write(home, PC_HOME_CONFIG, "workers = 4\n", 12), 0);
    assert_int_equal(pc_config_load(home, &config), 0);
    assert_int_equal(pc_config_override(config, PC_CONFIG_WORKERS, "7"), 0);
    assert_int_equal(pc_config_num(config, PC_CONFIG_WORKERS), 7);
    assert_int_equal(pc_config_override(config, PC_CONFIG_CACHE_SIZE, "3M"), 0);
    assert_int_equal(pc_config_num(config, PC_CONFIG_CACHE_SIZE), 3 << 20);
    assert_int_equal(pc_config_override(config, PC_CONFIG_WORKERS, "many"), PC_EFORMAT);
    assert_non_null(strstr(pc_err_text(PC_EFORMAT), "workers must be"));
    assert_int_equal(pc_config_num(config, PC_CONFIG_WORKERS), 7);
    pc_config_free(config);
    expect_file("workers = 4\n");
}

static void no_memory_is_an_error(void **state)
{
    struct pc_config *config;
    unsigned long n;
    int r = -1;

    (void)state;
    assert_int_equal(pc_home_write(home, PC_HOME_CONFIG, "dedup = no\nworkers = 4\n", 23), 0);
    for (n = 1; n < 100; n++) {
        config = NULL;
        mem_fail_at(n, MEM_FAIL_ONCE);
        r = pc_config_load(home, &config);
        if (!mem_fail_count())
            break;
        assert_int_equal(r, -ENOMEM);
        assert_null(config);
    }
    assert_int_equal(r, 0);
    assert_int_equal(n, 5);
    pc_config_free(config);
    for (n = 1; n < 100; n++) {
        mem_fail_at(n, MEM_FAIL_ONCE);
        r = pc_config_set(home, "workers", "6");
        if (!mem_fail_count())
            break;
        mem_fail_at(0, MEM_FAIL_ONCE);
        assert_int_equal(r, -ENOMEM);
        expect_file("dedup = no\nworkers = 4\n");
    }
    mem_fail_at(0, MEM_FAIL_ONCE);
    assert_int_equal(r, 0);
    expect_file("dedup = no\nworkers = 6\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_file_all_is_default, set_up, tear_down),
        cmocka_unit_test(a_file_is_read),
        cmocka_unit_test(errors_say_where_and_what),
        cmocka_unit_test(values_keep_their_bounds),
        cmocka_unit_test_setup_teardown(a_change_keeps_the_rest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_change_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_option_overrides_in_memory_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_memory_is_an_error, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
