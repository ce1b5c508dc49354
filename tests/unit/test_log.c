/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: form, escaping, levels, one write a line. */
#include "pcloud/log.h"

#include "test_env.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char got[8192];

/* What pc_log writes for one message: a packet pipe shows that it is one write. */
static const char *logged(enum pc_log_level level, const char *event, const char *message)
{
    int saved = dup(STDERR_FILENO);
    int fds[2];
    ssize_t n;

    assert_true(saved >= 0);
    assert_int_equal(pipe2(fds, O_DIRECT | O_NONBLOCK), 0);
    assert_true(dup2(fds[1], STDERR_FILENO) >= 0);
    errno = ENOTTY;
    pc_log(level, event, "%s", message);
    assert_int_equal(errno, ENOTTY);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    n = read(fds[0], got, sizeof got - 1);
    got[n > 0 ? n : 0] = 0;
    assert_true(read(fds[0], got + sizeof got - 1, 1) <= 0);
    close(saved);
    close(fds[0]);
    close(fds[1]);
    return got;
}

/* The line without its time, which is checked for its shape. */
static const char *text_of(const char *line)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ ";

    for (size_t i = 0; shape[i]; i++) {
        if (shape[i] == 'd')
            assert_true(line[i] >= '0' && line[i] <= '9');
        else
            assert_int_equal(line[i], shape[i]);
    }
    return line + sizeof shape - 1;
}

static void text_lines_have_time_level_program_event(void **state)
{
    (void)state;
    pc_log_setup("mount", PC_LOG_INFO, PC_LOG_TEXT);
    assert_string_equal(text_of(logged(PC_LOG_WARN, "pack.damaged", "pack 5 at 12")),
                        "warn mount pack.damaged: pack 5 at 12\n");
}

static void levels_are_kept(void **state)
{
    (void)state;
    pc_log_setup("p", PC_LOG_WARN, PC_LOG_TEXT);
    assert_true(pc_log_on(PC_LOG_ERROR));
    assert_true(pc_log_on(PC_LOG_WARN));
    assert_false(pc_log_on(PC_LOG_INFO));
    assert_string_equal(logged(PC_LOG_INFO, "x", "y"), "");
    pc_log_setup("p", PC_LOG_DEBUG, PC_LOG_TEXT);
    assert_string_equal(text_of(logged(PC_LOG_DEBUG, "x", "y")), "debug p x: y\n");
}

static void nothing_reaches_a_terminal_raw(void **state)
{
    (void)state;
    pc_log_setup("p", PC_LOG_INFO, PC_LOG_TEXT);
    assert_string_equal(text_of(logged(PC_LOG_INFO, "e",
                                       "a\nb\t\x1b[2J\x7f\xc2\x9b"
                                       "c \xe2\x82\xac \xff!")),
                        "info p e: a\\nb\\t\\x1b[2J\\x7f\\x9bc \xe2\x82\xac \\xff!\n");
}

static void json_lines_are_json(void **state)
{
    const char *line;

    (void)state;
    pc_log_setup("p", PC_LOG_INFO, PC_LOG_JSON);
    line = logged(PC_LOG_ERROR, "e", "say \"hi\" \\ \x01\n\xff \xc3\xa4");
    assert_int_equal(strncmp(line, "{\"time\":\"", 9), 0);
    assert_string_equal(strstr(line, "\",\"level\""),
                        "\",\"level\":\"error\",\"program\":\"p\",\"event\":\"e\","
                        "\"message\":\"say \\\"hi\\\" \\\\ \\u0001\\n\\ufffd \xc3\xa4\"}\n");
}

static void long_messages_are_cut_and_say_so(void **state)
{
    static char big[10000];
    size_t len;

    (void)state;
    pc_log_setup("p", PC_LOG_INFO, PC_LOG_TEXT);
    memset(big, 'x', sizeof big - 1);
    len = strlen(logged(PC_LOG_INFO, "e", big));
    assert_true(len > 2000 && len <= 4096);
    assert_string_equal(got + len - 4, "...\n");
    pc_log_setup("p", PC_LOG_INFO, PC_LOG_JSON);
    for (size_t lead = 0; lead < 8; lead++) {
        memset(big, 1, sizeof big - 1);
        memset(big, '"', lead);
        len = strlen(logged(PC_LOG_INFO, "e", big));
        assert_true(len > 4000 && len <= 4096);
        assert_string_equal(got + len - 6, "...\"}\n");
        assert_int_equal(strncmp(got + len - 12, "\\u0001", 6), 0);
    }
}

static void words_of_the_configuration_are_understood(void **state)
{
    (void)state;
    assert_int_equal(pc_log_parse_level("error"), PC_LOG_ERROR);
    assert_int_equal(pc_log_parse_level("debug"), PC_LOG_DEBUG);
    assert_int_equal(pc_log_parse_level("Debug"), -EINVAL);
    assert_int_equal(pc_log_parse_level(NULL), -EINVAL);
    assert_int_equal(pc_log_parse_format("text"), PC_LOG_TEXT);
    assert_int_equal(pc_log_parse_format("json"), PC_LOG_JSON);
    assert_int_equal(pc_log_parse_format(""), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_lines_have_time_level_program_event),
        cmocka_unit_test(levels_are_kept),
        cmocka_unit_test(nothing_reaches_a_terminal_raw),
        cmocka_unit_test(json_lines_are_json),
        cmocka_unit_test(long_messages_are_cut_and_say_so),
        cmocka_unit_test(words_of_the_configuration_are_understood),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
