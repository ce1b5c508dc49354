/* SPDX-License-Identifier: Apache-2.0 */
/* Starting the programs of a home: where they are, what they are told, where they log. */
#include "run/spawn.h"

#include <jansson.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPAWN_ARGS_MAX 12
#define GC_NICE 10
#define COPY_BYTES 65536
#define TAIL_BYTES 4096

static bool usable(const char *dir, const char *rest, const char *program, char *buf, size_t cap)
{
    int n = snprintf(buf, cap, "%s%s/%s", dir, rest, program);

    return n > 0 && (size_t)n < cap && access(buf, X_OK) == 0;
}

static bool find_in_path(const char *program, char *buf, size_t cap)
{
    const char *p = getenv("PATH");

    for (p = p ? p : "/usr/local/bin:/usr/bin:/bin"; *p;) {
        size_t len = strcspn(p, ":");
        char dir[CLI_LINE_MAX];

        if (len > 0 && len < sizeof dir) {
            memcpy(dir, p, len);
            dir[len] = '\0';
            if (usable(dir, "", program, buf, cap))
                return true;
        }
        p += len + (p[len] == ':');
    }
    return false;
}

int spawn_find(const char *program, char *buf, size_t cap)
{
    static const char *const beside[] = {"",         "/../sbin", "/fs",
                                         "/gateway", "/../fs",   "/../gateway"};
    char dir[CLI_LINE_MAX];
    ssize_t n = readlink("/proc/self/exe", dir, sizeof dir - 1);
    char *slash;

    dir[n > 0 ? n : 0] = '\0';
    slash = strrchr(dir, '/');
    if (slash) {
        *slash = '\0';
        for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
            if (usable(dir, beside[i], program, buf, cap))
                return 0;
    }
    if (usable(PC_BINDIR, "", program, buf, cap) || usable(PC_SBINDIR, "", program, buf, cap) ||
        find_in_path(program, buf, cap))
        return 0;
    return pc_err_set(-ENOENT, "%s is not installed: it is neither beside pcloud nor in PATH",
                      program);
}

static int log_path(struct pc_home *home, const char *name, const char *suffix, char *buf,
                    size_t cap)
{
    char rel[64];

    snprintf(rel, sizeof rel, PC_HOME_LOG "/%s.log%s", name, suffix);
    return pc_home_path(home, rel, buf, cap);
}

int spawn_log_open(struct pc_home *home, const char *name)
{
    char path[CLI_LINE_MAX];
    int fd, err;

    spawn_log_trim(home, name);
    err = log_path(home, name, "", path, sizeof path);
    if (err < 0)
        return err;
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return fd >= 0 ? fd : pc_err_set(-errno, "cannot open %s: %s", path, strerror(errno));
}

void spawn_log_trim(struct pc_home *home, const char *name)
{
    char from[CLI_LINE_MAX], to[CLI_LINE_MAX], buf[COPY_BYTES];
    int in, out;
    struct stat st;
    ssize_t n;

    if (log_path(home, name, "", from, sizeof from) < 0 ||
        log_path(home, name, ".1", to, sizeof to) < 0 || stat(from, &st) != 0 ||
        st.st_size <= SPAWN_LOG_MAX)
        return;
    in = open(from, O_RDWR | O_CLOEXEC);
    if (in < 0)
        return;
    out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (out >= 0) {
        while ((n = read(in, buf, sizeof buf)) > 0 && write(out, buf, (size_t)n) == n)
            ;
        close(out);
    }
    if (ftruncate(in, 0) != 0) {
        /* the writer goes on appending; the next look tries again */
    }
    close(in);
}

/* The message of a JSON log line, copied to ${buf}. */
static bool json_message(const char *line, char *buf, size_t cap)
{
    json_t *o = json_loads(line, 0, NULL);
    const char *message = json_string_value(json_object_get(o, "message"));

    if (message)
        snprintf(buf, cap, "%s", message);
    json_decref(o);
    return message != NULL;
}

/* Behind "TIME LEVEL PROGRAM EVENT: " or "PROGRAM: ", whatever of it is there. */
static const char *message_of(const char *line)
{
    static const char *const programs[] = {"mount.pcloud", "pcloud-gateway", "mount", "gateway"};
    const char *colon = strstr(line, ": ");

    if (line[0] >= '0' && line[0] <= '9' && strchr(line, 'T') &&
        colon) /* a log line begins with its time */
        return colon + 2;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        size_t len = strlen(programs[i]);

        if (strncmp(line, programs[i], len) == 0 && strncmp(line + len, ": ", 2) == 0)
            return line + len + 2;
    }
    return line;
}

void spawn_log_reason(struct pc_home *home, const char *name, off_t from, char *buf, size_t cap)
{
    char path[CLI_LINE_MAX], tail[TAIL_BYTES + 1], *line;
    struct stat st;
    ssize_t n = 0;
    int fd;

    *buf = '\0';
    if (log_path(home, name, "", path, sizeof path) < 0)
        return;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_size > from)
        n = pread(fd, tail, TAIL_BYTES,
                  st.st_size - from > TAIL_BYTES ? st.st_size - TAIL_BYTES : from);
    close(fd);
    while (n > 0 && tail[n - 1] == '\n')
        n--;
    if (n <= 0)
        return;
    tail[n] = '\0';
    line = strrchr(tail, '\n');
    line = line ? line + 1 : tail;
    if (!json_message(line, buf, cap))
        snprintf(buf, cap, "%s", message_of(line));
}

/* In the child: nothing of the supervisor but what is meant for it. */
static void child_exec(char **argv, int log_fd, int secret_fd, const struct passphrase_way *way)
{
    char fd_path[32];
    sigset_t none;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    if (null >= 0)
        dup2(null, STDIN_FILENO);
    dup2(log_fd, STDOUT_FILENO);
    dup2(log_fd, STDERR_FILENO);
    unsetenv("NOTIFY_SOCKET");
    if (secret_fd >= 0) {
        snprintf(fd_path, sizeof fd_path, "/dev/fd/%d", secret_fd);
        setenv("PCLOUD_PASSPHRASE_FILE", fd_path, 1);
    } else if (*way->file) {
        setenv("PCLOUD_PASSPHRASE_FILE", way->file, 1);
    }
    execv(argv[0], argv);
    dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static pid_t spawn(struct pc_home *home, const char *log, char **argv,
                   const struct passphrase_way *way, off_t *ret_log_from)
{
    int secret_fd, log_fd = spawn_log_open(home, log);
    struct stat st;
    pid_t pid;
    int err;

    if (log_fd < 0)
        return log_fd;
    err = passphrase_way_pipe(way, &secret_fd);
    if (err < 0) {
        close(log_fd);
        return err;
    }
    *ret_log_from = fstat(log_fd, &st) == 0 ? st.st_size : 0;
    pid = fork();
    if (pid == 0)
        child_exec(argv, log_fd, secret_fd, way);
    err = pid < 0 ? pc_err_set(-errno, "cannot start a process: %s", strerror(errno)) : 0;
    if (secret_fd >= 0)
        close(secret_fd);
    close(log_fd);
    return err < 0 ? err : pid;
}

pid_t spawn_part(struct pc_home *home, enum part_kind kind, const struct plan *plan,
                 const struct passphrase_way *way, off_t *ret_log_from)
{
    char program[CLI_LINE_MAX], options[2 * CLI_LINE_MAX], dir[CLI_LINE_MAX];
    char *argv[SPAWN_ARGS_MAX] = {program};
    char s3[256], web[256], mount[CLI_LINE_MAX];
    int err =
        spawn_find(kind == PART_MOUNT ? "mount.pcloud" : "pcloud-gateway", program, sizeof program);
    int n = 1;

    if (err < 0)
        return err;
    snprintf(dir, sizeof dir, "%s", pc_home_dir(home));
    snprintf(mount, sizeof mount, "%s", plan->mount);
    snprintf(s3, sizeof s3, "%s", plan->s3);
    snprintf(web, sizeof web, "%s", plan->web);
    snprintf(options, sizeof options, *plan->mount_options ? "foreground,%s" : "foreground",
             plan->mount_options);
    if (kind == PART_MOUNT) {
        argv[n++] = dir;
        argv[n++] = mount;
        argv[n++] = (char[]){"-o"};
        argv[n++] = options;
        return spawn(home, "mount", argv, way, ret_log_from);
    }
    argv[n++] = (char[]){"--home"};
    argv[n++] = dir;
    argv[n++] = (char[]){"--s3"};
    argv[n++] = s3;
    argv[n++] = (char[]){"--web"};
    argv[n++] = web;
    return spawn(home, "gateway", argv, way, ret_log_from);
}

pid_t spawn_gc(struct pc_home *home, const struct passphrase_way *way)
{
    char program[CLI_LINE_MAX], dir[CLI_LINE_MAX];
    char *argv[] = {program, (char[]){"--home"}, dir, (char[]){"gc"}, (char[]){"--quiet"}, NULL};
    off_t from;
    pid_t pid;
    int err = spawn_find("pcloud", program, sizeof program);

    if (err < 0)
        return err;
    snprintf(dir, sizeof dir, "%s", pc_home_dir(home));
    pid = spawn(home, "gc", argv, way, &from);
    if (pid > 0)
        setpriority(PRIO_PROCESS, (id_t)pid, GC_NICE);
    return pid;
}
