/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at the parts from outside: mounts, addresses, processes. */
#include "run/probe.h"
#include "args.h"
#include "run/state.h"

#include "pcloud/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILL_MS 5000 /* a killed process is gone by then */

/* Undo the \ooo escapes of /proc/self/mountinfo in place. */
static void unescape(char *text)
{
    char *out = text;

    while (*text) {
        if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] && text[3]) {
            *out++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
            text += 4;
        } else {
            *out++ = *text++;
        }
    }
    *out = '\0';
}

/* The minor number of the device that is mounted at ${path}, which names its FUSE connection; -1 if nothing is. */
static int mount_minor(const char *path)
{
    FILE *f = fopen("/proc/self/mountinfo", "re");
    char *line = NULL, *field, *rest, *device = NULL;
    int minor = -1, number;
    size_t cap = 0;

    if (!f)
        return -1;
    while (getline(&line, &cap, f) > 0) {
        rest = line;
        for (int i = 0; i < 5; i++) {
            field = strsep(&rest, " ");
            if (i == 2)
                device = field;
        }
        if (!rest)
            continue;
        unescape(field);
        if (strcmp(field, path) == 0 && sscanf(device, "%*d:%d", &number) == 1)
            minor = number; /* the last one covers those before */
    }
    free(line);
    fclose(f);
    return minor;
}

bool probe_mount_there(const char *path)
{
    return mount_minor(path) >= 0;
}

void probe_mount_abort(const char *path)
{
    char file[64];
    int fd, connection = mount_minor(path);

    if (connection < 0)
        return;
    snprintf(file, sizeof file, "/sys/fs/fuse/connections/%d/abort", connection);
    fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (write(fd, "1", 1) != 1)
            pc_log(PC_LOG_WARN, "mount.abort", "%s: %s", file, strerror(errno));
        close(fd);
    } else if (geteuid() == 0) {
        umount2(path, MNT_FORCE | UMOUNT_NOFOLLOW);
    }
}

bool probe_process_ends(pid_t pid)
{
    char file[32], *line = NULL;
    unsigned long long pending;
    bool ends = false;
    size_t cap = 0;
    FILE *f;

    snprintf(file, sizeof file, "/proc/%d/status", (int)pid);
    f = fopen(file, "re");
    if (!f)
        return false;
    while (!ends && getline(&line, &cap, f) > 0)
        ends = strncmp(line, "State:\tZ", 8) == 0 || strncmp(line, "State:\tX", 8) == 0 ||
               ((sscanf(line, "SigPnd: %llx", &pending) == 1 ||
                 sscanf(line, "ShdPnd: %llx", &pending) == 1) &&
                (pending >> (SIGKILL - 1) & 1) != 0);
    free(line);
    fclose(f);
    return ends;
}

/* In a probe's process: default signals, an end after PROBE_MAX_S. */
static void probe_child(void)
{
    sigset_t none;

    sigemptyset(&none);
    signal(SIGALRM, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    alarm(PROBE_MAX_S);
}

pid_t probe_mount_start(const char *path)
{
    struct statfs st;
    pid_t pid = fork();

    if (pid != 0)
        return pid < 0 ? -errno : pid;
    probe_child();
    if (statfs(path, &st) != 0)
        _exit(errno);
    _exit(probe_mount_there(path) ? 0 : ENODEV);
}

static int resolve(const char *address, struct addrinfo **ret)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    char host[256], service[8];
    unsigned port;
    int err = args_split_address(address, host, sizeof host, &port);

    if (err < 0)
        return err;
    snprintf(service, sizeof service, "%u", port);
    err = getaddrinfo(*host ? host : NULL, service, &hints, ret);
    if (err != 0)
        return pc_err_set(PC_EUSAGE, "'%.80s' is no address: %s", address, gai_strerror(err));
    return 0;
}

pid_t probe_port_start(const char *address)
{
    struct addrinfo *ai;
    pid_t pid = fork();
    int fd;

    if (pid != 0)
        return pid < 0 ? -errno : pid;
    probe_child();
    if (resolve(address, &ai) < 0)
        _exit(EINVAL);
    fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, ai->ai_addr, ai->ai_addrlen) != 0)
        _exit(errno);
    _exit(0);
}

int probe_result(int status)
{
    if (WIFEXITED(status))
        return -WEXITSTATUS(status);
    return -ETIMEDOUT;
}

int probe_wait(pid_t pid)
{
    int status;

    if (pid < 0)
        return pid;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return probe_result(status);
}

enum probe_mount probe_mount_kind(const char *path)
{
    int err;

    if (!probe_mount_there(path))
        return PROBE_NOT_MOUNTED;
    err = probe_wait(probe_mount_start(path));
    return err == -ENOTCONN || err == -ECONNABORTED ? PROBE_MOUNT_STALE : PROBE_MOUNTED;
}

int probe_mount_clear(const char *path)
{
    pid_t pid;

    if (!probe_mount_there(path))
        return 0;
    if (geteuid() == 0 && umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
        return 0;
    pid = fork();
    if (pid == 0) {
        probe_child();
        execlp("fusermount3", "fusermount3", "-u", "-z", "-q", "--", path, (char *)NULL);
        _exit(127);
    }
    probe_wait(pid);
    if (probe_mount_there(path))
        return pc_err_set(-EBUSY, "cannot unmount %s; try `fusermount3 -uz %s`", path, path);
    return 0;
}

int probe_address_free(const char *address, const char *option)
{
    struct addrinfo *ai;
    int fd, one = 1, err = resolve(address, &ai);

    if (err < 0)
        return err;
    fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        err = pc_err_set(-errno, "cannot make a socket for %s: %s", address, strerror(errno));
        goto free_address;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, 1) != 0)
        err = -errno;
    close(fd);
    if (err == -EADDRINUSE)
        pc_err_set(err,
                   "%s is in use by another program; choose another with --%s ADDR:PORT (port 0 "
                   "takes a free one)",
                   address, option);
    else if (err < 0)
        pc_err_set(err, "cannot listen on %s: %s; choose another with --%s ADDR:PORT", address,
                   strerror(-err), option);
free_address:
    freeaddrinfo(ai);
    return err;
}

int probe_connect_address(const char *address, char *buf, size_t cap)
{
    char host[256];
    unsigned port;
    int err = args_split_address(address, host, sizeof host, &port);

    if (err < 0)
        return err;
    if (!*host || strcmp(host, "0.0.0.0") == 0)
        snprintf(host, sizeof host, "127.0.0.1");
    else if (strcmp(host, "::") == 0)
        snprintf(host, sizeof host, "::1");
    snprintf(buf, cap, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
    return 0;
}

/* Wait until the process is gone; false after ${limit_ms}. Without pidfd_open(2) (old kernels, valgrind) it is looked at now and then. */
static bool wait_gone(int pidfd, pid_t pid, uint64_t born, int limit_ms)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};

    if (pidfd >= 0)
        return poll(&p, 1, limit_ms) != 0;
    for (; limit_ms > 0 && run_born(pid) == born; limit_ms -= 10)
        poll(NULL, 0, 10);
    return limit_ms > 0;
}

void probe_process_end(pid_t pid, uint64_t born, int term_ms)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);

    /* the descriptor first: from here on it cannot become another process */
    if (born != 0 && run_born(pid) == born) {
        kill(pid, SIGTERM);
        if (!wait_gone(fd, pid, born, term_ms)) {
            kill(pid, SIGKILL);
            wait_gone(fd, pid, born, KILL_MS);
        }
    }
    if (fd >= 0)
        close(fd);
}
