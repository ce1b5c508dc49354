/* SPDX-License-Identifier: Apache-2.0 */
/* The command line's parser, its table of verbs, and the texts made from it. */
#include "args.h"
#include "help.h"
#include "run/plan.h"
#include "verbs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ARGC_MAX 80

/* Parse the words of a line, parted by blanks. */
static int parse(struct cli *c, const char *line)
{
    static char copy[4096];
    char *argv[ARGC_MAX + 1] = {(char[]){"pcloud"}};
    char *rest = copy, *word;
    int argc = 1;

    snprintf(copy, sizeof copy, "%s", line);
    *c = (struct cli){0};
    while ((word = strsep(&rest, " ")) && argc < ARGC_MAX)
        if (*word)
            argv[argc++] = word;
    return args_parse(argc, argv, c);
}

static void verbs_of_one_and_two_words(void **state)
{
    struct cli c;

    (void)state;
    assert_int_equal(parse(&c, "init"), 0);
    assert_ptr_equal(c.verb->run, verb_init);
    assert_int_equal(parse(&c, "user add anna --email a@b.example"), 0);
    assert_ptr_equal(c.verb->run, verb_user_add);
    assert_string_equal(c.args[0], "anna");
    assert_string_equal(cli_value(&c, "email"), "a@b.example");
    assert_int_equal(parse(&c, "--home /h user --json list"), 0);
    assert_ptr_equal(c.verb->run, verb_user_list);
    assert_string_equal(cli_value(&c, "home"), "/h");
    assert_true(cli_has(&c, "json"));
    assert_false(cli_has(&c, "email"));
}

static void options_in_every_form(void **state)
{
    struct cli c;

    (void)state;
    assert_int_equal(parse(&c, "up --mount=/m=n --s3 127.0.0.1:0 --no-node"), 0);
    assert_string_equal(cli_value(&c, "mount"), "/m=n");
    assert_string_equal(cli_value(&c, "s3"), "127.0.0.1:0");
    assert_string_equal(cli_value(&c, "no-node"), "");
    assert_int_equal(parse(&c, "up --listen /ip4/a --listen /ip4/b"), 0);
    assert_string_equal(cli_value_at(&c, "listen", 0), "/ip4/a");
    assert_string_equal(cli_value_at(&c, "listen", 1), "/ip4/b");
    assert_null(cli_value_at(&c, "listen", 2));
    assert_int_equal(parse(&c, "up --mount /a --mount /b"), 0);
    assert_string_equal(cli_value(&c, "mount"), "/b"); /* the last one counts */
    assert_int_equal(parse(&c, "user rm -- --odd"), 0);
    assert_string_equal(c.args[0], "--odd");
    assert_int_equal(parse(&c, "config set k -"), 0);
    assert_string_equal(c.args[1], "-");
}

static void wrong_usage_names_the_word(void **state)
{
    static const char *const cases[][2] = {
        {"", "no verb"},
        {"frobnicate", "frobnicate"},
        {"user", "second word"},
        {"user frobnicate", "frobnicate"},
        {"up --frobnicate", "--frobnicate"},
        {"--mount /m up", "--mount"},
        {"up --mount", "--mount"},
        {"up --no-node=1", "--no-node=1"},
        {"up extra", "extra"},
        {"up -x", "-x"},
        {"user rm", "NAME"},
        {"bucket chown b", "BUCKET USER"},
        {"config set a b c", "c"},
    };
    struct cli c;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(parse(&c, cases[i][0]), PC_EUSAGE);
        assert_non_null(strstr(pc_err_text(PC_EUSAGE), cases[i][1]));
    }
}

static void too_many_options_are_refused(void **state)
{
    char line[2048] = "up";
    struct cli c;

    (void)state;
    for (int i = 0; i <= CLI_VALUES_MAX; i++)
        snprintf(line + strlen(line), sizeof line - strlen(line), " --json");
    assert_int_equal(parse(&c, line), PC_EUSAGE);
}

static void help_forgives_what_is_missing(void **state)
{
    struct cli c;

    (void)state;
    assert_int_equal(parse(&c, "--help"), 0);
    assert_int_equal(parse(&c, "user --help"), 0);
    assert_string_equal(c.group, "user");
    assert_int_equal(parse(&c, "user rm --help"), 0);
    assert_int_equal(parse(&c, "--version"), 0);
}

static void addresses(void **state)
{
    char host[16];
    unsigned port;

    (void)state;
    assert_int_equal(args_split_address("127.0.0.1:9800", host, sizeof host, &port), 0);
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(port, 9800);
    assert_int_equal(args_split_address("[::1]:0", host, sizeof host, &port), 0);
    assert_string_equal(host, "::1");
    assert_int_equal(args_split_address(":80", host, sizeof host, &port), 0);
    assert_string_equal(host, "");
    assert_int_equal(args_split_address("localhost", host, sizeof host, &port), PC_EUSAGE);
    assert_int_equal(args_split_address("a:", host, sizeof host, &port), PC_EUSAGE);
    assert_int_equal(args_split_address("a:65536", host, sizeof host, &port), PC_EUSAGE);
    assert_int_equal(args_split_address("a:8x", host, sizeof host, &port), PC_EUSAGE);
    assert_int_equal(args_split_address("a-name-too-long-for-it:1", host, sizeof host, &port),
                     PC_EUSAGE);
}

static void folders_in_each_other(void **state)
{
    (void)state;
    assert_true(plan_inside("/a/b", "/a"));
    assert_true(plan_inside("/a", "/a"));
    assert_true(plan_inside("/a", "/"));
    assert_false(plan_inside("/ab", "/a"));
    assert_false(plan_inside("/a", "/a/b"));
}

/* All that is printed by ${print}; the caller frees. */
static char *printed(void (*print)(FILE *f))
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);

    assert_non_null(f);
    print(f);
    fclose(f);
    return text;
}

static void print_help(FILE *f)
{
    struct cli c = {0};

    help_print(&c, f);
}

static void print_bash(FILE *f)
{
    assert_int_equal(help_completion("bash", f), 0);
}

static void every_verb_is_everywhere(void **state)
{
    char *help = printed(print_help), *man = printed(help_man), *bash = printed(print_bash);

    (void)state;
    for (const struct cli_verb *v = cli_verbs; v->name; v++) {
        char head[80];

        assert_non_null(strstr(help, v->name));
        snprintf(head, sizeof head, ".SS \"pcloud %s", v->name);
        assert_non_null(strstr(man, head));
        snprintf(head, sizeof head, "'%s '", v->name);
        assert_non_null(strstr(bash, head));
        assert_true(v->brief && *v->brief && v->run);
        for (const struct cli_option *o = v->options; o && o->name; o++) {
            snprintf(head, sizeof head, "--%s", o->name);
            assert_non_null(strstr(bash, head));
        }
    }
    free(help);
    free(man);
    free(bash);
}

static void help_stays_within_its_width(void **state)
{
    (void)state;
    for (const struct cli_verb *v = cli_verbs; v->name; v++) {
        struct cli c = {.verb = v};
        char *text = NULL, *rest, *line;
        size_t len;
        FILE *f = open_memstream(&text, &len);

        assert_non_null(f);
        help_print(&c, f);
        fclose(f);
        rest = text;
        while ((line = strsep(&rest, "\n"))) {
            size_t n = strlen(line);

            assert_true(n <= 79);
            assert_true(n == 0 || line[n - 1] != ' ');
        }
        free(text);
    }
    assert_int_equal(help_completion("fish", stderr), PC_EUSAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verbs_of_one_and_two_words),
        cmocka_unit_test(options_in_every_form),
        cmocka_unit_test(wrong_usage_names_the_word),
        cmocka_unit_test(too_many_options_are_refused),
        cmocka_unit_test(help_forgives_what_is_missing),
        cmocka_unit_test(addresses),
        cmocka_unit_test(folders_in_each_other),
        cmocka_unit_test(every_verb_is_everywhere),
        cmocka_unit_test(help_stays_within_its_width),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
