/* SPDX-License-Identifier: Apache-2.0 */
/* Homes: made whole or not at all, again and again after interrupted inits; locks; files replaced whole. */
#include "pcloud/home.h"

#include "base/alloc.h"
#include "base/home.h"
#include "pcloud/err.h"
#include "test_env.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char *tmp;  /* of the running test */
static char *path; /* of its home: three folders deep in ${tmp} */

static int set_up(void **state)
{
    (void)state;
    tmp = test_dir_new();
    path = test_path(tmp, "a/b/home");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mem_fail_at(0, MEM_FAIL_ONCE);
    free(path);
    test_dir_free(tmp);
    return 0;
}

static int count_entries(const char *dir)
{
    DIR *d = opendir(dir);
    int n = 0;

    if (!d)
        return -1;
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static unsigned mode_of(struct pc_home *home, const char *name)
{
    char file[PATH_MAX];
    struct stat st;

    assert_int_equal(pc_home_path(home, name, file, sizeof file), 0);
    assert_int_equal(stat(file, &st), 0);
    return st.st_mode & 07777;
}

static void make_home(void)
{
    struct pc_home *home;

    assert_int_equal(pc_home_create(path, &home), 0);
    assert_int_equal(pc_home_commit(home), 0);
    pc_home_close(home);
}

static void a_home_is_made_and_opened(void **state)
{
    static const char *const folders[] = {PC_HOME_META, PC_HOME_PACKS, PC_HOME_RUN, PC_HOME_LOG};
    struct pc_home *home;

    (void)state;
    assert_int_equal(pc_home_open(path, &home), PC_ENOHOME);
    assert_int_equal(pc_home_create(path, &home), 0);
    assert_string_equal(pc_home_dir(home), path);
    assert_int_equal(mode_of(home, ""), 0700);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(mode_of(home, folders[i]), 0700);
    assert_int_equal(pc_home_commit(home), 0);
    assert_int_equal(mode_of(home, PC_HOME_FORMAT), 0600);
    pc_home_close(home);
    assert_int_equal(count_entries(path), 5);
    assert_int_equal(pc_home_open(path, &home), 0);
    pc_home_close(home);
    assert_int_equal(pc_home_create(path, &home), PC_EHOMEEXISTS);
    assert_int_equal(count_entries(path), 5);
    pc_home_close(NULL);
}

static void an_abandoned_home_leaves_nothing(void **state)
{
    char *above = test_path(tmp, "a");
    struct pc_home *home;

    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(pc_home_create(path, &home), 0);
        assert_int_equal(pc_home_write(home, PC_HOME_KEYS, "k", 1), 0);
        assert_int_equal(pc_home_write(home, "packs/x", "k", 1), 0);
        pc_home_abandon(home);
        assert_int_equal(count_entries(tmp), 0);
    }
    assert_int_equal(mkdir(above, 0755), 0);
    assert_int_equal(pc_home_create(path, &home), 0);
    pc_home_abandon(home);
    assert_int_equal(count_entries(tmp), 1); /* what was there before stays */
    free(above);
}

/* An init that dies at each of its steps: the next one works every time, and so does the one after that. */
static void die_after(int step)
{
    struct pc_home *home;

    if (pc_home_create(path, &home) < 0)
        _exit(1);
    if (step > 0 && pc_home_write(home, PC_HOME_KEYS, "secret", 6) < 0)
        _exit(1);
    if (step > 1 && (pc_home_write(home, "meta/volume.db", "db", 2) < 0 ||
                     mkdirat(home->fd, "packs/00", 0700) < 0 ||
                     pc_home_write(home, "packs/00/0.pack", "p", 1) < 0))
        _exit(1);
    if (step > 2) /* in the middle of writing a file */
        close(openat(home->fd, "keys" HOME_NEW, O_CREAT | O_WRONLY, 0600));
    if (step > 3)
        close(openat(home->fd, "format" HOME_NEW, O_CREAT | O_WRONLY, 0600));
    kill(getpid(), SIGKILL);
}

static void interrupted_inits_never_stop_the_next(void **state)
{
    struct pc_home *home;

    (void)state;
    for (int round = 0; round < 20; round++) {
        int status = 0;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
            die_after(round % 5);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(pc_home_open(path, &home), PC_ENOHOME);
        assert_non_null(strstr(pc_err_text(PC_ENOHOME), "interrupted"));
        assert_int_equal(pc_home_create(path, &home), 0);
        assert_int_equal(faccessat(home->fd, "keys", F_OK, 0), -1);
        assert_int_equal(faccessat(home->fd, "packs/00", F_OK, 0), -1);
        if (round % 2)
            pc_home_abandon(home); /* a second failure of another kind */
        else
            pc_home_close(home);
    }
    make_home();
    assert_int_equal(count_entries(path), 5);
}

static void a_cut_between_format_and_marker_is_a_home(void **state)
{
    struct pc_home *home;

    (void)state;
    assert_int_equal(pc_home_create(path, &home), 0);
    assert_int_equal(pc_home_write(home, PC_HOME_FORMAT, "pcloud-home 2\n", 14), 0);
    pc_home_close(home);
    assert_int_equal(pc_home_create(path, &home), PC_EHOMEEXISTS);
    assert_int_equal(pc_home_open(path, &home), 0);
    assert_int_equal(faccessat(home->fd, HOME_MARKER, F_OK, 0), -1);
    pc_home_close(home);
}

static void what_is_not_ours_is_never_removed(void **state)
{
    char *file = test_path(tmp, "keys"), *strange = test_path(path, "thesis.txt");
    struct pc_home *home;

    (void)state;
    /* a folder with a name we use, but no marker */
    assert_int_equal(test_file_write(file, "mine", 4), 0);
    assert_int_equal(pc_home_create(tmp, &home), -ENOTEMPTY);
    assert_non_null(strstr(pc_err_text(-ENOTEMPTY), "keys"));
    assert_int_equal(count_entries(tmp), 1);
    /* a strange file among the remains of an init */
    assert_int_equal(pc_home_create(path, &home), 0);
    assert_int_equal(pc_home_write(home, PC_HOME_KEYS, "k", 1), 0);
    pc_home_close(home);
    assert_int_equal(test_file_write(strange, "mine", 4), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pc_home_create(path, &home), -ENOTEMPTY);
    assert_int_equal(count_entries(path), 7);
    assert_int_equal(unlink(strange), 0);
    make_home();
    free(file);
    free(strange);
}

static void an_empty_folder_will_do(void **state)
{
    struct pc_home *home;
    char *lost = test_path(tmp, "lost+found");

    (void)state;
    assert_int_equal(mkdir(lost, 0755), 0); /* a fresh file system */
    assert_int_equal(chmod(tmp, 0755), 0);
    assert_int_equal(pc_home_create(tmp, &home), 0);
    assert_int_equal(mode_of(home, ""), 0700);
    pc_home_abandon(home);
    assert_int_equal(count_entries(tmp), 1);
    free(lost);
}

static void links_in_the_remains_are_not_followed(void **state)
{
    char *precious = test_path(tmp, "precious"), *file = test_path(precious, "f");
    struct pc_home *home;

    (void)state;
    assert_int_equal(mkdir(precious, 0755), 0);
    assert_int_equal(test_file_write(file, "x", 1), 0);
    assert_int_equal(pc_home_create(path, &home), 0);
    assert_int_equal(unlinkat(home->fd, "packs", AT_REMOVEDIR), 0);
    assert_int_equal(symlinkat(precious, home->fd, "packs"), 0);
    assert_int_equal(symlinkat(precious, home->fd, "meta/link"), 0);
    pc_home_abandon(home);
    assert_int_equal(access(file, F_OK), 0);
    assert_int_equal(count_entries(tmp), 1);
    free(file);
    free(precious);
}

static void two_inits_at_once_do_not_mix(void **state)
{
    struct pc_home *home, *other;

    (void)state;
    assert_int_equal(pc_home_create(path, &home), 0);
    assert_int_equal(pc_home_write(home, PC_HOME_KEYS, "k", 1), 0);
    assert_int_equal(pc_home_create(path, &other), PC_ERUNNING);
    assert_int_equal(faccessat(home->fd, "keys", F_OK, 0), 0);
    assert_int_equal(pc_home_commit(home), 0);
    assert_int_equal(pc_home_commit(home), -EINVAL);
    pc_home_close(home);
    assert_int_equal(pc_home_create(path, &other), PC_EHOMEEXISTS);
}

static void a_place_that_cannot_be_is_refused(void **state)
{
    char *file = test_path(tmp, "file"), *below = test_path(tmp, "file/home");
    struct pc_home *home;

    (void)state;
    assert_int_equal(test_file_write(file, "x", 1), 0);
    assert_int_equal(pc_home_create(file, &home), -ENOTDIR);
    assert_int_equal(pc_home_create(below, &home), -ENOTDIR);
    assert_int_equal(pc_home_open(below, &home), PC_ENOHOME);
    assert_int_equal(pc_home_create("", &home), PC_EUSAGE);
    assert_int_equal(count_entries(tmp), 1);
    free(file);
    free(below);
}

static void other_formats_are_named(void **state)
{
    static const struct {
        const char *text;
        int code;
    } cases[] = {{"pcloud-home 1\n", PC_EVERSION},   {"pcloud-home 2", PC_EVERSION},
                 {"pcloud-home 2\n\n", PC_EVERSION}, {"", PC_ECORRUPT},
                 {"pcloud-home x\n", PC_ECORRUPT},   {"hello\n", PC_ECORRUPT}};
    char *file = test_path(path, PC_HOME_FORMAT), big[100];
    struct pc_home *home;

    (void)state;
    make_home();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(test_file_write(file, cases[i].text, strlen(cases[i].text)), 0);
        assert_int_equal(pc_home_open(path, &home), cases[i].code);
    }
    assert_int_equal(test_file_write(file, "pcloud-home 12\n", 15), 0);
    assert_int_equal(pc_home_open(path, &home), PC_EVERSION);
    assert_non_null(strstr(pc_err_text(PC_EVERSION), "\"pcloud-home 12\""));
    memset(big, 'x', sizeof big);
    assert_int_equal(test_file_write(file, big, sizeof big), 0);
    assert_int_equal(pc_home_open(path, &home), PC_ECORRUPT);
    free(file);
}

static void no_memory_leaves_nothing(void **state)
{
    struct pc_home *home;
    unsigned long n = 0;
    int r;

    (void)state;
    do {
        home = NULL;
        mem_fail_at(++n, MEM_FAIL_ONCE);
        r = pc_home_create(path, &home);
        if (!mem_fail_count())
            break;
        mem_fail_at(0, MEM_FAIL_ONCE);
        assert_int_equal(r, -ENOMEM);
        assert_null(home);
        assert_int_equal(count_entries(tmp), 0);
    } while (n < 1000);
    mem_fail_at(0, MEM_FAIL_ONCE);
    assert_int_equal(r, 0);
    pc_home_close(home); /* interrupted: the next one also removes */
    for (n = 1; n < 1000; n++) {
        mem_fail_at(n, MEM_FAIL_ON);
        r = pc_home_create(path, &home);
        if (!mem_fail_count())
            break;
        assert_int_equal(r, -ENOMEM);
    }
    mem_fail_at(0, MEM_FAIL_ONCE);
    assert_int_equal(r, 0);
    assert_true(n > 6);
    assert_int_equal(pc_home_commit(home), 0);
    pc_home_close(home);
    for (n = 1; n < 1000; n++) {
        mem_fail_at(n, MEM_FAIL_ONCE);
        r = pc_home_open(path, &home);
        if (!mem_fail_count())
            break;
        assert_int_equal(r, -ENOMEM);
    }
    assert_int_equal(r, 0);
    pc_home_close(home);
}

static void the_default_is_found(void **state)
{
    static const char *const names[] = {"PCLOUD_HOME", "XDG_DATA_HOME", "HOME"};
    char cwd[PATH_MAX], *found, *expected;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        unsetenv(names[i]);
    assert_int_equal(pc_home_default("/x/y//", &found), 0);
    assert_string_equal(found, "/x/y");
    free(found);
    assert_non_null(getcwd(cwd, sizeof cwd));
    expected = test_path(cwd, "rel/home");
    assert_int_equal(pc_home_default("rel/home", &found), 0);
    assert_string_equal(found, expected);
    free(expected);
    free(found);
    setenv("PCLOUD_HOME", "/p", 1);
    assert_int_equal(pc_home_default(NULL, &found), 0);
    assert_string_equal(found, "/p");
    free(found);
    setenv("PCLOUD_HOME", "", 1); /* as if not set */
    setenv("XDG_DATA_HOME", "/data", 1);
    assert_int_equal(pc_home_default(NULL, &found), 0);
    assert_string_equal(found, geteuid() == 0 ? "/var/lib/pcloud" : "/data/pcloud");
    free(found);
    setenv("XDG_DATA_HOME", "data", 1); /* must be absolute */
    setenv("HOME", "/h", 1);
    assert_int_equal(pc_home_default(NULL, &found), 0);
    assert_string_equal(found, geteuid() == 0 ? "/var/lib/pcloud" : "/h/.local/share/pcloud");
    free(found);
    unsetenv("HOME");
    if (geteuid() != 0)
        assert_int_equal(pc_home_default(NULL, &found), PC_EUSAGE);
    assert_int_equal(pc_home_default("", &found), PC_EUSAGE);
    mem_fail_at(1, MEM_FAIL_ONCE);
    assert_int_equal(pc_home_default("/x", &found), -ENOMEM);
}

static void paths_have_bounds(void **state)
{
    char buf[PATH_MAX], *expected = test_path(path, "run/x");
    struct pc_home *home;
    size_t len = strlen(expected);

    (void)state;
    assert_int_equal(pc_home_create(path, &home), 0);
    assert_int_equal(pc_home_path(home, "run/x", buf, len + 1), 0);
    assert_string_equal(buf, expected);
    assert_int_equal(pc_home_path(home, "run/x", buf, len), -ENAMETOOLONG);
    pc_home_abandon(home);
    free(expected);
}

static void a_lock_is_held_by_one(void **state)
{
    struct pc_home *home;
    char text[64];
    int fd, second, status = 0, ready[2];
    pid_t pid;

    (void)state;
    make_home();
    assert_int_equal(pc_home_open(path, &home), 0);
    assert_int_equal(pc_home_lock(home, "mount", &fd), 0);
    assert_int_equal(pc_home_lock(home, "mount", &second), PC_ERUNNING);
    (void)snprintf(text, sizeof text, "by process %ld", (long)getpid());
    assert_non_null(strstr(pc_err_text(PC_ERUNNING), text));
    assert_int_equal(pc_home_lock(home, "gateway", &second), 0);
    close(second);
    close(fd);
    assert_int_equal(pc_home_lock(home, "mount", &fd), 0);
    close(fd);
    assert_int_equal(pc_home_lock(home, "../x", &fd), -EINVAL);
    assert_int_equal(pc_home_lock(home, "", &fd), -EINVAL);
    /* a killed process releases */
    assert_int_equal(pipe(ready), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (pc_home_lock(home, "mount", &fd) == 0)
            (void)!write(ready[1], "x", 1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], text, 1), 1);
    assert_int_equal(pc_home_lock(home, "mount", &fd), PC_ERUNNING);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(pc_home_lock(home, "mount", &fd), 0);
    close(fd);
    close(ready[0]);
    close(ready[1]);
    pc_home_close(home);
}

static void files_are_read_up_to_a_cap(void **state)
{
    struct pc_home *home;
    size_t len = 99;
    char *data = NULL;

    (void)state;
    assert_int_equal(pc_home_create(path, &home), 0);
    assert_int_equal(pc_home_read(home, "run/f", 10, &data, &len), -ENOENT);
    assert_int_equal(pc_home_write(home, "run/f", "0123456789", 10), 0);
    assert_int_equal(mode_of(home, "run/f"), 0600);
    assert_int_equal(pc_home_read(home, "run/f", 9, &data, &len), PC_ELIMIT);
    assert_int_equal(pc_home_read(home, "run/f", 0, &data, &len), PC_ELIMIT);
    assert_null(data);
    assert_int_equal(len, 99);
    assert_int_equal(pc_home_read(home, "run/f", 10, &data, &len), 0);
    assert_string_equal(data, "0123456789");
    assert_int_equal(len, 10);
    free(data);
    assert_int_equal(pc_home_write(home, "run/f", "", 0), 0);
    assert_int_equal(pc_home_read(home, "run/f", 0, &data, &len), 0);
    assert_int_equal(len, 0);
    assert_string_equal(data, "");
    free(data);
    assert_int_equal(pc_home_read(home, "run", 10, &data, &len), -EISDIR);
    assert_int_equal(mkfifoat(home->fd, "run/pipe", 0600), 0);
    assert_int_equal(pc_home_read(home, "run/pipe", 10, &data, &len), -EINVAL);
    assert_int_equal(pc_home_write(home, "nowhere/f", "x", 1), -ENOENT);
    assert_int_equal(pc_home_write(home, "run", "x", 1), -EISDIR);
    assert_int_equal(faccessat(home->fd, "run" HOME_NEW, F_OK, 0), -1);
    pc_home_abandon(home);
}

struct writer {
    struct pc_home *home;
    char letter;
    int failures;
};

static void *write_often(void *arg)
{
    struct writer *w = arg;
    char data[5000];

    memset(data, w->letter, sizeof data);
    for (size_t i = 0; i < 40; i++)
        w->failures += pc_home_write(w->home, "run/f", data, 1000 + 100 * i) < 0;
    return NULL;
}

static void writers_at_once_never_tear_a_file(void **state)
{
    struct writer writers[3];
    pthread_t threads[3];
    struct pc_home *home;

    (void)state;
    assert_int_equal(pc_home_create(path, &home), 0);
    assert_int_equal(pc_home_write(home, "run/f", "first", 5), 0);
    for (size_t i = 0; i < 3; i++) {
        writers[i] = (struct writer){home, (char)('a' + i), 0};
        assert_int_equal(pthread_create(&threads[i], NULL, write_often, &writers[i]), 0);
    }
    for (int i = 0; i < 500; i++) {
        char *data = NULL;
        size_t len = 0;

        assert_int_equal(pc_home_read(home, "run/f", 10000, &data, &len), 0);
        if (len != 5) {
            assert_true(len >= 1000 && len % 100 == 0);
            assert_int_equal(strspn(data, (char[]){data[0], 0}), len);
        }
        free(data);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(writers[i].failures, 0);
    }
    assert_int_equal(faccessat(home->fd, "run/f" HOME_NEW, F_OK, 0), -1);
    pc_home_abandon(home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_home_is_made_and_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_abandoned_home_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(interrupted_inits_never_stop_the_next, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cut_between_format_and_marker_is_a_home, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_ours_is_never_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_folder_will_do, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_in_the_remains_are_not_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_inits_at_once_do_not_mix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_place_that_cannot_be_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_formats_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_memory_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_default_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(paths_have_bounds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lock_is_held_by_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_are_read_up_to_a_cap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writers_at_once_never_tear_a_file, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("home", tests, NULL, NULL);
}
