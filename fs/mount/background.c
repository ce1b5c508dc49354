/* SPDX-License-Identifier: Apache-2.0 */
/* The readiness pipe to the process that was called, and the datagram to systemd. */
#include "mount/background.h"

#include "pcloud/err.h"
#include "pcloud/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int ready_fd = -1; /* -1: in the foreground, or told already */

/* The process that was called: exits as soon as the outcome is known. */
static _Noreturn void wait_for(pid_t child, int fd)
{
    char byte;
    ssize_t n;
    int status;

    do
        n = read(fd, &byte, 1);
    while (n < 0 && errno == EINTR);
    if (n == 1)
        _exit(0);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status))
        fprintf(stderr, "mount.pcloud: ended by signal %d before the mount answered\n",
                WTERMSIG(status));
    _exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1);
}

int background_start(bool foreground)
{
    int fds[2];
    pid_t child;

    if (foreground)
        return 0;
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    child = fork();
    if (child < 0) {
        int r = -errno;

        close(fds[0]);
        close(fds[1]);
        return r;
    }
    if (child > 0) {
        close(fds[1]);
        wait_for(child, fds[0]);
    }
    close(fds[0]);
    ready_fd = fds[1];
    return 0;
}

void background_detach(void)
{
    if (ready_fd < 0)
        return;
    (void)setsid();
    if (chdir("/") < 0)
        pc_log(PC_LOG_WARN, "background", "chdir /: %s", strerror(errno));
}

/* sd_notify(3): a datagram to the socket that NOTIFY_SOCKET names; "@" stands for an abstract one. */
static void notify_systemd(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;
    int fd;

    if (len < 2 || len >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(to.sun_path, path, len);
    if (path[0] == '@')
        to.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
        pc_log(PC_LOG_WARN, "background", "NOTIFY_SOCKET: %s", strerror(errno));
    close(fd);
}

static void redirect(struct pc_home *home)
{
    char path[PATH_MAX];
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int log = -1;

    if (pc_home_path(home, PC_HOME_LOG "/mount.log", path, sizeof(path)) == 0)
        log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
    }
    if (log >= 0 || null >= 0)
        dup2(log >= 0 ? log : null, STDERR_FILENO);
    if (null > STDERR_FILENO)
        close(null);
    if (log > STDERR_FILENO)
        close(log);
}

void background_ready(struct pc_home *home)
{
    char text[64];

    snprintf(text, sizeof(text), "READY=1\nMAINPID=%ld\n", (long)getpid());
    notify_systemd(text);
    if (ready_fd < 0)
        return;
    redirect(home);
    while (write(ready_fd, "+", 1) < 0 && errno == EINTR)
        ;
    close(ready_fd);
    ready_fd = -1;
}

void background_stopping(void)
{
    notify_systemd("STOPPING=1\n");
}
