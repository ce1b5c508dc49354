/* SPDX-License-Identifier: Apache-2.0 */
/* `pcloud up` and `pcloud down`. */
#include "out.h"
#include "run/plan.h"
#include "run/probe.h"
#include "run/state.h"
#include "run/status.h"
#include "run/super.h"
#include "verbs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PART_TERM_MS 10000       /* a part left by a killed supervisor has so long to stop */
#define SUPERVISOR_TERM_MS 30000 /* and a supervisor, which waits for its parts */

/* What a killed supervisor left: its parts, a dead mount, its files. True if there was anything. */
static bool sweep(struct pc_home *home)
{
    struct run_supervisor s;
    const struct run_part *mount = &s.parts[PART_MOUNT];

    if (run_supervisor_load(home, &s) < 0)
        return false;
    for (int i = 0; i < PART_COUNT; i++)
        if (s.parts[i].pid > 0)
            probe_process_end(s.parts[i].pid, s.parts[i].born, PART_TERM_MS);
    if (s.wants[PART_MOUNT] && *mount->where && probe_mount_kind(mount->where) == PROBE_MOUNT_STALE)
        probe_mount_clear(mount->where);
    for (int i = 0; i < PART_COUNT; i++)
        run_remove(home, run_part_file((enum part_kind)i));
    run_remove(home, RUN_SUPERVISOR);
    return true;
}

static bool same_port_asked(const char *asked, const char *runs)
{
    const char *colon = strrchr(asked, ':');

    return strcmp(asked, runs) == 0 || (colon && strcmp(colon, ":0") == 0);
}

/* A second `up`: fine if what is asked for runs and answers. */
static int already(struct cli *c, const struct plan *plan)
{
    struct run_supervisor s;
    char mount[PATH_MAX];

    run_supervisor_load(c->home, &s);
    for (int i = 0; i < PART_COUNT; i++) {
        const struct run_part *p = &s.parts[i];
        const char *name = part_name((enum part_kind)i);

        if (plan->wants[i] != s.wants[i])
            return pc_err_set(PC_ERUNNING, "already running %s the %s; run `pcloud down` first",
                              s.wants[i] ? "with" : "without", name);
        if (s.wants[i] && p->state != PART_OK)
            return pc_err_set(PC_ERUNNING, "already running, but the %s is %s: %s", name,
                              part_state_name(p->state), p->reason);
    }
    if (cli_has(c, "mount") &&
        (!realpath(plan->mount, mount) || strcmp(mount, s.parts[PART_MOUNT].where) != 0))
        return pc_err_set(PC_ERUNNING,
                          "already running with the mount at %s; run `pcloud down` first",
                          s.parts[PART_MOUNT].where);
    if (cli_has(c, "s3") && !same_port_asked(plan->s3, s.parts[PART_GATEWAY].where))
        return pc_err_set(PC_ERUNNING, "already running with S3 at %s; run `pcloud down` first",
                          s.parts[PART_GATEWAY].where);
    if (cli_has(c, "web") && !same_port_asked(plan->web, s.parts[PART_GATEWAY].web))
        return pc_err_set(PC_ERUNNING,
                          "already running with web pages at %s; run `pcloud down` first",
                          s.parts[PART_GATEWAY].web);
    return status_print_up(c, "already running");
}

/* Descriptors that the shell left open to us (all of our own close on exec): a supervisor must not keep a script's lock or pipe. */
static void close_inherited(void)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *e;

    while (dir && (e = readdir(dir))) {
        int fd = (int)strtol(e->d_name, NULL, 10);

        if (fd > STDERR_FILENO && fd != dirfd(dir) && (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)
            close(fd);
    }
    if (dir)
        closedir(dir);
}

/* The supervisor's process: nothing of the terminal, everything to the log. */
static void become_supervisor(struct cli *c, const struct plan *plan, struct passphrase_way *way,
                              int ready_fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int log = spawn_log_open(c->home, "supervisor");

    close_inherited();
    if (chdir("/") != 0 || null < 0 || log < 0) {
        dprintf(ready_fd, "cannot go to the background: %s\n",
                log < 0 ? pc_err_text(log) : strerror(errno));
        _exit(1);
    }
    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close(null);
    close(log);
    _exit(super_run(c->home, c->config, plan, way, ready_fd));
}

/* Fork twice, so that the supervisor is nobody's child and no session's leader; the pipe's end to read in *ret_fd. */
static int go_background(struct cli *c, const struct plan *plan, struct passphrase_way *way,
                         int *ret_fd)
{
    int fds[2], status;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return pc_err_set(-errno, "cannot make a pipe: %s", strerror(errno));
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        close(fds[0]);
        setsid();
        pid = fork();
        if (pid != 0)
            _exit(pid < 0);
        cli_log(c, "pcloud-up");
        become_supervisor(c, plan, way, fds[1]);
    }
    close(fds[1]);
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0) {
        close(fds[0]);
        return pc_err_set(-EAGAIN, "cannot start the supervisor's process");
    }
    *ret_fd = fds[0];
    return 0;
}

/* What the supervisor tells once: "ok", or the reason. */
static int hear(int fd)
{
    char text[CLI_LINE_MAX];
    size_t len = 0;
    ssize_t n;

    while (len < sizeof text - 1 &&
           ((n = read(fd, text + len, sizeof text - 1 - len)) > 0 || (n < 0 && errno == EINTR)))
        len += n > 0 ? (size_t)n : 0;
    text[len] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (strcmp(text, "ok") == 0)
        return 0;
    if (!*text)
        return pc_err_set(
            -ECHILD, "the supervisor ended without a word; see log/supervisor.log in the home");
    return pc_err_set(-ECHILD, "%s", text);
}

static int start(struct cli *c, struct plan *plan)
{
    struct passphrase_way way;
    int fd = -1, err = plan_check(c, plan);

    if (err < 0)
        return err;
    err = passphrase_way_find(c, &way);
    if (err < 0)
        goto undo;
    if (cli_has(c, "foreground")) {
        cli_log(c, "pcloud-up");
        err = super_run(c->home, c->config, plan, &way, -1);
        c->config = NULL; /* it was the supervisor's */
        passphrase_way_fini(&way);
        return err;
    }
    err = go_background(c, plan, &way, &fd);
    passphrase_way_fini(&way);
    if (err < 0)
        goto undo;
    err = hear(fd);
    close(fd);
    if (err >= 0)
        return 0;
undo:
    plan_undo(plan);
    return err;
}

int verb_up(struct cli *c)
{
    struct plan plan;
    int err = cli_open_home(c);

    if (err >= 0)
        err = plan_make(c, &plan);
    if (err < 0)
        return err;
    if (run_supervisor_alive(c->home))
        return already(c, &plan);
    sweep(c->home);
    err = start(c, &plan);
    if (err != 0 || cli_has(c, "foreground"))
        return err;
    return status_print_up(c, NULL);
}

int verb_down(struct cli *c)
{
    struct run_supervisor s;
    bool was = false;
    int err = cli_open_home(c);

    if (err < 0)
        return err;
    if (run_supervisor_alive(c->home) && run_supervisor_load(c->home, &s) == 0) {
        was = true;
        probe_process_end(s.pid, s.born, SUPERVISOR_TERM_MS);
    }
    was = sweep(c->home) || was;
    if (cli_has(c, "json"))
        return out_json(json_pack("{s:b}", "stopped", was));
    puts(was ? "Stopped" : "Nothing was running");
    return 0;
}
