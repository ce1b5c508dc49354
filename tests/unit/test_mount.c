/* SPDX-License-Identifier: Apache-2.0 */
/* The mount's own parts: its command line, the table of nodes, the table of errors. */
#include "errmap.h"
#include "inodes.h"
#include "mount/mountpoint.h"
#include "mount/options.h"

#include "pcloud/err.h"
#include "test_env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGS_MAX 12

static char *dir; /* the home and the mount point of every command line */
static struct mount_options o;

static int set_up(void **state)
{
    (void)state;
    dir = test_dir_new();
    return dir ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    options_fini(&o);
    test_dir_free(dir);
    return 0;
}

/* Parse the words; "HOME" and "MNT" stand for the folder. */
static int parse(const char *first, ...)
{
    char program[] = "mount.pcloud";
    char *argv[ARGS_MAX] = {program};
    int argc = 1;
    va_list ap;

    va_start(ap, first);
    for (const char *word = first; word && argc < ARGS_MAX - 1; word = va_arg(ap, const char *))
        argv[argc++] =
            (char *)(uintptr_t)(strcmp(word, "HOME") == 0 || strcmp(word, "MNT") == 0 ? dir : word);
    va_end(ap);
    options_fini(&o);
    return options_parse(argc, argv, &o);
}

static void options_are_read(void **state)
{
    (void)state;
    assert_int_equal(parse("HOME", "MNT", "-o", "ro,uid=12,gid=34", "-o",
                           "umask=027,cache=3M,threads=5,fsname=a\\,b,foreground", NULL),
                     0);
    assert_int_equal(o.action, ACTION_MOUNT);
    assert_string_equal(o.home, dir);
    assert_string_equal(o.mountpoint, dir);
    assert_null(o.subpath);
    assert_true(o.given[OPTION_RO] && o.given[OPTION_FOREGROUND] && o.given[OPTION_UMASK]);
    assert_false(o.given[OPTION_RW] || o.given[OPTION_WRITEBACK]);
    assert_int_equal(o.uid, 12);
    assert_int_equal(o.gid, 34);
    assert_int_equal(o.umask, 027);
    assert_int_equal(o.threads, 5);
    assert_string_equal(o.cache, "3M");
    assert_string_equal(o.fsname, "a,b");
}

static void flags_of_mount8_are_taken(void **state)
{
    (void)state;
    assert_int_equal(parse("HOME", "MNT", "-n", "-v", "-t", "pcloud", "-o", "rw,nofail", NULL), 0);
    assert_true(o.verbose);
    assert_false(o.fake);
    assert_int_equal(parse("-f", "HOME", "MNT", NULL), 0);
    assert_true(o.fake);
    assert_int_equal(
        parse("HOME", "MNT", "-o",
              "defaults,noauto,user,_netdev,x-systemd.automount,X-a=b,comment=c,,relatime", NULL),
        0);
    assert_int_equal(parse("--help", NULL), 0);
    assert_int_equal(o.action, ACTION_HELP);
    assert_int_equal(parse("--version", NULL), 0);
    assert_int_equal(o.action, ACTION_VERSION);
    assert_int_equal(parse("--print-man", NULL), 0);
    assert_int_equal(o.action, ACTION_MAN);
}

static void the_last_of_two_opposites_wins(void **state)
{
    (void)state;
    assert_int_equal(parse("HOME", "MNT", "-o", "ro,rw", NULL), 0);
    assert_true(o.given[OPTION_RW] && !o.given[OPTION_RO]);
    assert_int_equal(parse("HOME", "MNT", "-o", "rw,noatime,relatime,ro", NULL), 0);
    assert_true(o.given[OPTION_RO] && !o.given[OPTION_RW]);
    assert_true(o.given[OPTION_RELATIME] && !o.given[OPTION_NOATIME]);
}

static void wrong_usage_is_named(void **state)
{
    static const char *const bad[][2] = {
        {"nonsense", "'nonsense'"},         {"ro=1", "ro takes no value"},
        {"uid", "uid needs a value"},       {"umask=8", "not a number"},
        {"umask=01000", "not a number"},    {"uid=-1", "uid"},
        {"uid=4294967295", "not a number"}, {"threads=0", "at least 1"},
        {"threads=5x", "not a number"}};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(parse("HOME", "MNT", "-o", bad[i][0], NULL), PC_EUSAGE);
        assert_non_null(strstr(pc_err_text(PC_EUSAGE), bad[i][1]));
    }
    assert_int_equal(parse("HOME", NULL), PC_EUSAGE);
    assert_int_equal(parse("HOME", "MNT", "MNT", NULL), PC_EUSAGE);
    assert_int_equal(parse("HOME", "MNT", "-Q", NULL), PC_EUSAGE);
    assert_int_equal(parse("-s", "HOME", "MNT", "-o", "nonsense", NULL), 0);
}

static void a_folder_of_the_volume(void **state)
{
    char source[4096];

    (void)state;
    snprintf(source, sizeof(source), "%s:/a/b:/c", dir);
    assert_int_equal(parse(source, "MNT", NULL), 0);
    assert_string_equal(o.home, dir);
    assert_string_equal(o.subpath, "/a/b:/c");
    snprintf(source, sizeof(source), "%s:/", dir);
    assert_int_equal(parse(source, "MNT", NULL), 0);
    assert_null(o.subpath);
    snprintf(source, sizeof(source), "%s/missing:/x", dir);
    assert_int_equal(parse(source, "MNT", NULL), PC_ENOHOME);
}

static void help_names_every_option(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);

    (void)state;
    assert_non_null(f);
    options_help(f);
    options_man(f);
    fclose(f);
#define NAMED(id, name, arg, argname, prose) assert_non_null(strstr(text, "\n  " name));
    MOUNT_OPTION_TABLE(NAMED)
#undef NAMED
    assert_non_null(strstr(text, ".SH EXIT STATUS"));
    free(text);
}

static void lookups_are_counted(void **state)
{
    struct inodes *t = inodes_new();

    (void)state;
    assert_non_null(t);
    assert_false(inodes_known(t, 5));
    assert_int_equal(inodes_facts(t, 5), 0);
    assert_int_equal(inodes_ref(t, 5, INODE_DIR), 0);
    assert_int_equal(inodes_ref(t, 5, INODE_NO_CAPS), 0);
    assert_int_equal(inodes_facts(t, 5), INODE_DIR);
    inodes_learn(t, 5, INODE_NO_SUID);
    inodes_doubt(t, 5, INODE_DIR);
    assert_int_equal(inodes_facts(t, 5), INODE_NO_SUID);
    inodes_unref(t, 5, 1);
    assert_true(inodes_known(t, 5));
    inodes_unref(t, 5, 1);
    assert_false(inodes_known(t, 5));
    inodes_unref(t, 5, 1);
    inodes_learn(t, 5, INODE_DIR);
    assert_int_equal(inodes_facts(t, 5), 0);
    inodes_free(t);
    inodes_free(NULL);
}

static void add_up(void *arg, uint64_t node, unsigned facts)
{
    uint64_t *sum = arg;

    (void)facts;
    sum[0]++;
    sum[1] += node;
}

/* Growing, shrinking and closing gaps never lose a node: compared with a plain array. */
static void many_nodes(void **state)
{
    enum { NODES = 20000 };
    static unsigned char counts[NODES];
    struct inodes *t = inodes_new();
    uint64_t sum[2] = {0}, want[2] = {0};
    uint32_t x = 1;

    (void)state;
    assert_non_null(t);
    for (unsigned i = 0; i < 400000; i++) {
        unsigned node, phase = i / 100000;

        x = x * 1664525u + 1013904223u;
        node = (x >> 8) % NODES;
        if ((x & 7) < (phase % 2 ? 2u : 6u)) {
            if (counts[node] == 255)
                continue;
            assert_int_equal(inodes_ref(t, node * 64 + 1, 0), 0);
            counts[node]++;
        } else if (counts[node]) {
            unsigned n = counts[node] > 1 ? counts[node] / 2 : 1;

            inodes_unref(t, node * 64 + 1, n);
            counts[node] = (unsigned char)(counts[node] - n);
        }
    }
    for (unsigned i = 0; i < NODES; i++) {
        assert_int_equal(inodes_known(t, i * 64 + 1), counts[i] != 0);
        want[0] += counts[i] != 0;
        want[1] += counts[i] ? i * 64 + 1 : 0;
    }
    assert_int_equal(inodes_each(t, add_up, sum), 0);
    assert_int_equal(sum[0], want[0]);
    assert_int_equal(sum[1], want[1]);
    for (unsigned i = 0; i < NODES; i++)
        inodes_unref(t, i * 64 + 1, 1000);
    sum[0] = 0;
    assert_int_equal(inodes_each(t, add_up, sum), 0);
    assert_int_equal(sum[0], 0);
    inodes_free(t);
}

static void every_code_has_an_errno(void **state)
{
    (void)state;
    assert_int_equal(errmap(0), 0);
    assert_int_equal(errmap(17), 0);
    assert_int_equal(errmap(-ENOENT), ENOENT);
    assert_int_equal(errmap(-ESTALE), ESTALE);
    assert_int_equal(errmap(PC_ECORRUPT), EIO);
    assert_int_equal(errmap(PC_EPRECONDITION), EAGAIN);
    assert_int_equal(errmap(PC_ENOTEMPTY_BUCKET), ENOTEMPTY);
    assert_int_equal(errmap(-999999), EIO);
#define MAPPED(name, value, text) assert_in_range(errmap(name), 1, 133);
    PC_ERROR_TABLE(MAPPED)
#undef MAPPED
}

static void a_lock_has_the_name_of_its_mount_point(void **state)
{
    char a[64], b[64];

    (void)state;
    mountpoint_lock_name("/mnt/a", a, sizeof(a));
    mountpoint_lock_name("/mnt/a", b, sizeof(b));
    assert_string_equal(a, b);
    mountpoint_lock_name("/mnt/b", b, sizeof(b));
    assert_string_not_equal(a, b);
    assert_null(strchr(a, '/'));
}

static void what_cannot_be_a_mount_point(void **state)
{
    char path[4096];

    (void)state;
    assert_int_equal(mountpoint_check(dir), 0);
    snprintf(path, sizeof(path), "%s/missing", dir);
    assert_int_equal(mountpoint_check(path), -ENOENT);
    assert_int_equal(mountpoint_check("/dev/null"), -ENOTDIR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(options_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flags_of_mount8_are_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_of_two_opposites_wins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_usage_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_of_the_volume, set_up, tear_down),
        cmocka_unit_test(help_names_every_option),
        cmocka_unit_test(lookups_are_counted),
        cmocka_unit_test(many_nodes),
        cmocka_unit_test(every_code_has_an_errno),
        cmocka_unit_test(a_lock_has_the_name_of_its_mount_point),
        cmocka_unit_test_setup_teardown(what_cannot_be_a_mount_point, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("mount", tests, NULL, NULL);
}
