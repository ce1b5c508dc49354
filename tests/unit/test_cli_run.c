/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor keeps on disk and sees from outside: state files, logs, processes, addresses, mounts. */
#include "pcloud/home.h"
#include "run/probe.h"
#include "run/spawn.h"
#include "run/state.h"
#include "test_env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct rig {
    char *dir;
    struct pc_home *home;
};

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    char *path;

    rig->dir = test_dir_new();
    path = test_path(rig->dir, "home");
    assert_int_equal(pc_home_create(path, &rig->home), 0);
    assert_int_equal(pc_home_commit(rig->home), 0);
    free(path);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    pc_home_close(rig->home);
    test_dir_free(rig->dir);
    free(rig);
    return 0;
}

static void put(struct rig *rig, const char *name, const void *data, size_t len)
{
    char path[1024];

    assert_int_equal(pc_home_path(rig->home, name, path, sizeof path), 0);
    assert_int_equal(test_file_write(path, data, len), 0);
}

static void state_comes_back(void **state)
{
    struct rig *rig = *state;
    struct run_supervisor s = {.pid = getpid(), .born = run_born(getpid()), .wants = {true, false}},
                          t;

    assert_false(run_supervisor_alive(rig->home));
    s.parts[PART_MOUNT] = (struct run_part){.state = PART_DEGRADED,
                                            .reason = "a \"reason\"",
                                            .pid = 7,
                                            .born = 99,
                                            .where = "/m\xc3\xbcnt"};
    assert_int_equal(run_supervisor_save(rig->home, &s), 0);
    assert_int_equal(run_supervisor_load(rig->home, &t), 0);
    assert_int_equal(t.pid, s.pid);
    assert_true(t.wants[PART_MOUNT] && !t.wants[PART_GATEWAY]);
    assert_int_equal(t.parts[PART_MOUNT].state, PART_DEGRADED);
    assert_string_equal(t.parts[PART_MOUNT].reason, "a \"reason\"");
    assert_string_equal(t.parts[PART_MOUNT].where, "/m\xc3\xbcnt");
    assert_int_equal(t.parts[PART_MOUNT].born, 99);
    assert_true(run_supervisor_alive(rig->home));
    s.born++; /* the pid, but another process */
    assert_int_equal(run_supervisor_save(rig->home, &s), 0);
    assert_false(run_supervisor_alive(rig->home));
}

static void malformed_files_are_none(void **state)
{
    static const char *const cases[] = {
        "", "{", "[]", "7", "{\"pid\":", "{\"pid\":\"x\",\"mount\":7}", "\xff\xfe"};
    struct rig *rig = *state;
    struct run_supervisor s;
    struct run_part p;
    char *large = malloc(1 << 20);

    assert_int_equal(run_part_read(rig->home, PART_MOUNT, &p), -ENOENT);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(rig, RUN_SUPERVISOR, cases[i], strlen(cases[i]));
        run_supervisor_load(rig->home, &s);
        assert_false(run_supervisor_alive(rig->home));
    }
    assert_non_null(large);
    memset(large, ' ', 1 << 20);
    put(rig, RUN_SUPERVISOR, large, 1 << 20);
    assert_int_equal(run_supervisor_load(rig->home, &s), -ENOENT);
    free(large);
}

static void parts_speak_for_themselves(void **state)
{
    static const char text[] = "{\"pid\":12,\"s3\":\"http://127.0.0.1:9800\",\"web\":\"\"}";
    struct rig *rig = *state;
    struct run_part p;

    put(rig, run_part_file(PART_GATEWAY), text, sizeof text - 1);
    assert_int_equal(run_part_read(rig->home, PART_GATEWAY, &p), 0);
    assert_int_equal(p.pid, 12);
    assert_string_equal(p.where, "127.0.0.1:9800");
    assert_string_equal(p.web, "");
}

static void a_dead_process_was_never_born(void **state)
{
    siginfo_t info;
    pid_t pid;

    (void)state;
    assert_int_not_equal(run_born(getpid()), 0);
    assert_int_equal(run_born(0), 0);
    assert_int_equal(run_born(-1), 0);
    pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0); /* a zombie now */
    assert_int_equal(run_born(pid), 0);
    waitpid(pid, NULL, 0);
    assert_int_equal(run_born(pid), 0);
}

static void only_the_right_process_is_ended(void **state)
{
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        for (;;)
            pause();
    }
    probe_process_end(pid, run_born(pid) + 1, 1000); /* the pid was reused: not ours */
    assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
    probe_process_end(pid, run_born(pid), 10000);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void reasons_are_the_last_line(void **state)
{
    static const struct {
        const char *log, *reason;
    } cases[] = {
        {"", ""},
        {"\n\n", ""},
        {"plain\n", "plain"},
        {"first\nmount.pcloud: second\n", "second"},
        {"pcloud-gateway: 127.0.0.1:1: in use", "127.0.0.1:1: in use"},
        {"2026-01-02T03:04:05.678Z error mount main: cannot: really\n", "cannot: really"},
        {"{\"time\":\"2026\",\"event\":\"x\",\"message\":\"in \\\"JSON\\\"\"}\n", "in \"JSON\""},
    };
    struct rig *rig = *state;
    char reason[64];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(rig, "log/mount.log", cases[i].log, strlen(cases[i].log));
        spawn_log_reason(rig->home, "mount", 0, reason, sizeof reason);
        assert_string_equal(reason, cases[i].reason);
    }
    put(rig, "log/mount.log", "old\nnew\n", 8);
    spawn_log_reason(rig->home, "mount", 4, reason, sizeof reason);
    assert_string_equal(reason, "new");
    spawn_log_reason(rig->home, "mount", 8, reason, sizeof reason); /* nothing since */
    assert_string_equal(reason, "");
}

static void logs_are_bounded(void **state)
{
    struct rig *rig = *state;
    size_t len = SPAWN_LOG_MAX + 1, moved;
    char *data = calloc(1, len), path[1024], *back;
    struct stat st;
    int fd;

    assert_non_null(data);
    memset(data, 'x', len);
    put(rig, "log/gateway.log", data, len);
    assert_int_equal(pc_home_path(rig->home, "log/gateway.log", path, sizeof path), 0);
    fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    spawn_log_trim(rig->home, "gateway");
    assert_int_equal(write(fd, "after\n", 6), 6); /* its writer goes on */
    close(fd);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 6);
    assert_int_equal(pc_home_path(rig->home, "log/gateway.log.1", path, sizeof path), 0);
    back = test_file_read(path, &moved);
    assert_non_null(back);
    assert_int_equal(moved, len);
    assert_memory_equal(back, data, len);
    free(back);
    free(data);
}

static void busy_addresses_are_named(void **state)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof to;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char address[64], reachable[64];

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&to, &len), 0);
    snprintf(address, sizeof address, "127.0.0.1:%u", ntohs(to.sin_port));
    assert_int_equal(probe_address_free(address, "s3"), -EADDRINUSE);
    assert_non_null(strstr(pc_err_text(-EADDRINUSE), address));
    assert_non_null(strstr(pc_err_text(-EADDRINUSE), "--s3"));
    assert_int_equal(probe_wait(probe_port_start(address)), 0);
    close(fd);
    assert_int_equal(probe_wait(probe_port_start(address)), -ECONNREFUSED);
    assert_int_equal(probe_address_free("127.0.0.1:0", "s3"), 0);
    assert_int_equal(probe_address_free("no address", "s3"), PC_EUSAGE);
    assert_int_equal(probe_connect_address("0.0.0.0:80", reachable, sizeof reachable), 0);
    assert_string_equal(reachable, "127.0.0.1:80");
    assert_int_equal(probe_connect_address("[::]:80", reachable, sizeof reachable), 0);
    assert_string_equal(reachable, "[::1]:80");
}

static void mounts_are_seen(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(probe_mount_kind("/proc"), PROBE_MOUNTED);
    assert_int_equal(probe_mount_kind(rig->dir), PROBE_NOT_MOUNTED);
    assert_int_equal(probe_mount_clear(rig->dir), 0);
    assert_int_equal(probe_wait(probe_mount_start("/proc")), 0);
    assert_int_equal(probe_wait(probe_mount_start(rig->dir)), -ENODEV);
    assert_int_equal(probe_wait(probe_mount_start("/no/such/folder")), -ENOENT);
}

static void programs_are_found(void **state)
{
    char path[1024];

    (void)state;
    assert_int_equal(spawn_find("sh", path, sizeof path), 0);
    assert_int_equal(access(path, X_OK), 0);
    assert_int_equal(spawn_find("no-such-program-here", path, sizeof path), -ENOENT);
}

static void secrets_go_through_a_pipe(void **state)
{
    struct passphrase_way way = {.secret = NULL};
    char text[16];
    int fd;

    (void)state;
    assert_int_equal(passphrase_way_pipe(&way, &fd), 0);
    assert_int_equal(fd, -1);
    way = (struct passphrase_way){.secret = (char[]){"open sesame\n"}, .len = 12};
    assert_int_equal(passphrase_way_pipe(&way, &fd), 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    assert_int_equal(read(fd, text, sizeof text), 12);
    assert_memory_equal(text, "open sesame\n", 12);
    assert_int_equal(read(fd, text, sizeof text), 0); /* and then its end */
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(state_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(malformed_files_are_none, setup, teardown),
        cmocka_unit_test_setup_teardown(parts_speak_for_themselves, setup, teardown),
        cmocka_unit_test(a_dead_process_was_never_born),
        cmocka_unit_test(only_the_right_process_is_ended),
        cmocka_unit_test_setup_teardown(reasons_are_the_last_line, setup, teardown),
        cmocka_unit_test_setup_teardown(logs_are_bounded, setup, teardown),
        cmocka_unit_test(busy_addresses_are_named),
        cmocka_unit_test_setup_teardown(mounts_are_seen, setup, teardown),
        cmocka_unit_test(programs_are_found),
        cmocka_unit_test(secrets_go_through_a_pipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
