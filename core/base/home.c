/* SPDX-License-Identifier: Apache-2.0 */
/* A home: where it is, opening it, its locks. */
#include "pcloud/home.h"

#include "base/home.h"

#include "base/alloc.h"
#include "pcloud/err.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME_MAX 64

static int absolute(const char *path, char **ret)
{
    size_t len = strlen(path);
    char *cwd, *out;

    if (len == 0)
        return pc_err_set(PC_EUSAGE, "the path of the home is empty");
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (path[0] == '/') {
        out = mem_dup(path, len);
    } else {
        cwd = mem_denied() ? NULL : getcwd(NULL, 0);
        if (!cwd)
            return errno == ENOMEM ? -ENOMEM : pc_err_set(-errno, "the current folder is gone");
        out = mem_printf("%s/%.*s", strcmp(cwd, "/") == 0 ? "" : cwd, (int)len, path);
        free(cwd);
    }
    if (!out)
        return -ENOMEM;
    if (strlen(out) >= PATH_MAX) {
        mem_free(out);
        return pc_err_set(-ENAMETOOLONG, "the path of the home is too long");
    }
    *ret = out;
    return 0;
}

static const char *env(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

int pc_home_default(const char *opt, char **ret_path)
{
    const char *xdg = env("XDG_DATA_HOME"), *user = env("HOME");
    char *path = NULL;
    int r;

    if (!opt)
        opt = env("PCLOUD_HOME");
    if (opt)
        return absolute(opt, ret_path);
    if (geteuid() == 0)
        path = mem_strdup("/var/lib/pcloud");
    else if (xdg &&
             xdg[0] == '/') /* spec XDG base directory: a relative path is invalid and ignored */
        path = mem_printf("%s/pcloud", xdg);
    else if (user)
        path = mem_printf("%s/.local/share/pcloud", user);
    else
        return pc_err_set(PC_EUSAGE,
                          "no home is named: use --home DIR, or set PCLOUD_HOME or HOME");
    if (!path)
        return -ENOMEM;
    r = absolute(path, ret_path);
    mem_free(path);
    return r;
}

int home_new(const char *path, struct pc_home **ret)
{
    struct pc_home *home = mem_calloc(1, sizeof *home);
    int r;

    if (!home)
        return -ENOMEM;
    home->fd = home->marker_fd = -1;
    r = absolute(path, &home->dir);
    if (r < 0) {
        mem_free(home);
        return r;
    }
    *ret = home;
    return 0;
}

/* Is this a home of ours? */
static int check_format(struct pc_home *home)
{
    char *text = NULL;
    size_t len = 0;
    int r = pc_home_read(home, PC_HOME_FORMAT, HOME_FORMAT_MAX, &text, &len);

    if (r == -ENOENT)
        return faccessat(home->fd, HOME_MARKER, F_OK, 0) == 0
                   ? pc_err_set(PC_ENOHOME,
                                "%s: making this home was interrupted; run `pcloud init` again",
                                home->dir)
                   : pc_err_set(PC_ENOHOME, "%s: there is no home here; `pcloud init` makes one",
                                home->dir);
    if (r == PC_ELIMIT)
        return pc_err_set(PC_ECORRUPT, "%s/" PC_HOME_FORMAT " is damaged", home->dir);
    if (r < 0)
        return r;
    if (strcmp(text, HOME_FORMAT_TEXT) == 0 && len == strlen(text)) {
        r = 0;
    } else if (strncmp(text, "pcloud-home ", 12) == 0 && text[12] >= '0' && text[12] <= '9') {
        text[strcspn(text, "\n")] = 0;
        r = pc_err_set(PC_EVERSION,
                       "%s has the format \"%s\"; this version of pcloud knows \"%.*s\"", home->dir,
                       text, (int)sizeof HOME_FORMAT_TEXT - 2, HOME_FORMAT_TEXT);
    } else {
        r = pc_err_set(PC_ECORRUPT, "%s/" PC_HOME_FORMAT " is damaged", home->dir);
    }
    mem_free(text);
    return r;
}

int pc_home_open(const char *path, struct pc_home **ret_home)
{
    struct pc_home *home = NULL;
    int r = home_new(path, &home);

    if (r < 0)
        return r;
    home->fd = open(home->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (home->fd < 0) {
        r = -errno;
        if (r == -ENOENT || r == -ENOTDIR)
            r = pc_err_set(PC_ENOHOME, "%s: there is no home here; `pcloud init` makes one",
                           home->dir);
        else
            (void)pc_err_set(r, "%s: %s", home->dir, pc_strerror(r));
        goto close;
    }
    r = check_format(home);
    if (r < 0)
        goto close;
    (void)unlinkat(home->fd, HOME_MARKER, 0); /* of an init that was cut after its last step */
    *ret_home = home;
    return 0;
close:
    pc_home_close(home);
    return r;
}

void pc_home_close(struct pc_home *home)
{
    if (!home)
        return;
    if (home->marker_fd >= 0)
        close(home->marker_fd);
    if (home->fd >= 0)
        close(home->fd);
    mem_free(home->dir);
    mem_free(home);
}

const char *pc_home_dir(const struct pc_home *home)
{
    return home->dir;
}

int pc_home_path(const struct pc_home *home, const char *name, char *buf, size_t cap)
{
    int n = snprintf(buf, cap, "%s/%s", home->dir, name);

    if (n < 0 || (size_t)n >= cap)
        return pc_err_set(-ENAMETOOLONG, "%s/%s: the path is too long", home->dir, name);
    return 0;
}

int home_same_file(int dir_fd, const char *name, int fd)
{
    struct stat open_st, name_st;

    return fstat(fd, &open_st) == 0 && fstatat(dir_fd, name, &name_st, AT_SYMLINK_NOFOLLOW) == 0 &&
           open_st.st_dev == name_st.st_dev && open_st.st_ino == name_st.st_ino;
}

static bool is_lock_name(const char *name)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t len = strlen(name);

    return len > 0 && len <= LOCK_NAME_MAX && strspn(name, legal) == len;
}

static int lock_open(struct pc_home *home, const char *name, int *ret_fd)
{
    char path[sizeof PC_HOME_RUN + LOCK_NAME_MAX + sizeof "/.lock"];
    int fd;

    if (!is_lock_name(name))
        return pc_err_set(-EINVAL, "\"%s\" cannot name a lock", name);
    (void)snprintf(path, sizeof path, PC_HOME_RUN "/%s.lock", name);
    fd = openat(home->fd, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == ENOENT && mkdirat(home->fd, PC_HOME_RUN, 0700) == 0)
        fd = openat(home->fd, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        int r = -errno;

        return pc_err_set(r, "%s/%s: %s", home->dir, path, pc_strerror(r));
    }
    *ret_fd = fd;
    return 0;
}

/* The lock file names its holder for the message of whoever comes second; it is never removed. */
static void write_pid(int fd)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    if (n > 0 && ftruncate(fd, 0) == 0)
        (void)!pwrite(fd, text, (size_t)n, 0);
}

static long read_pid(int fd)
{
    char text[24] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);

    return n > 0 ? strtol(text, NULL, 10) : 0;
}

static int lock(struct pc_home *home, const char *name, int how, int *ret_fd)
{
    int fd = -1, r = lock_open(home, name, &fd);

    if (r < 0)
        return r;
    while (flock(fd, how) < 0) {
        long pid;

        if (errno == EINTR)
            continue;
        r = -errno;
        pid = read_pid(fd);
        if (r == -EWOULDBLOCK && pid > 0)
            r = pc_err_set(PC_ERUNNING, "%s: \"%s\" is in use by process %ld", home->dir, name,
                           pid);
        else if (r == -EWOULDBLOCK)
            r = pc_err_set(PC_ERUNNING, "%s: \"%s\" is in use", home->dir, name);
        else
            (void)pc_err_set(r, "%s: lock \"%s\": %s", home->dir, name, pc_strerror(r));
        close(fd);
        return r;
    }
    write_pid(fd);
    *ret_fd = fd;
    return 0;
}

int pc_home_lock(struct pc_home *home, const char *name, int *ret_fd)
{
    return lock(home, name, LOCK_EX | LOCK_NB, ret_fd);
}

int home_lock_wait(struct pc_home *home, const char *name, int *ret_fd)
{
    return lock(home, name, LOCK_EX, ret_fd);
}
