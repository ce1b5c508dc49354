/* SPDX-License-Identifier: Apache-2.0 */
/* Small files of a home: read whole, replaced whole. */
#include "base/home.h"

#include "base/alloc.h"
#include "pcloud/err.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const struct pc_home *home, const char *name, int code)
{
    return pc_err_set(code, "%s/%s: %s", home->dir, name, pc_strerror(code));
}

/* Read up to ${cap} + 1 bytes, so that a file which is too large is known without reading all of it. */
static int read_some(int fd, size_t cap, size_t guess, char **ret_data, size_t *ret_len)
{
    size_t room = (guess < cap ? guess : cap) + 1, len = 0;
    char *data = mem_alloc(room + 1), *more;

    while (data && len <= cap) {
        ssize_t n;

        if (len == room) {
            room = room < cap / 2 ? room * 2 : cap + 1;
            more = mem_realloc(data, room + 1);
            if (!more)
                break;
            data = more;
        }
        n = read(fd, data + len, room - len);
        if (n > 0) {
            len += (size_t)n;
        } else if (n == 0) {
            data[len] = 0;
            *ret_data = data;
            *ret_len = len;
            return 0;
        } else if (errno != EINTR) {
            int r = -errno;

            mem_free(data);
            return r;
        }
    }
    mem_free(data);
    return len > cap ? PC_ELIMIT : -ENOMEM;
}

int pc_home_read(struct pc_home *home, const char *name, size_t cap, char **ret_data,
                 size_t *ret_len)
{
    struct stat st;
    int fd, r = 0;

    if (cap >= SSIZE_MAX - 2)
        return -EINVAL;
    fd = openat(home->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return failed(home, name, -errno);
    if (fstat(fd, &st) < 0)
        r = -errno;
    else if (S_ISDIR(st.st_mode))
        r = -EISDIR;
    else if (!S_ISREG(st.st_mode))
        r = -EINVAL;
    else
        r = read_some(fd, cap, (size_t)st.st_size, ret_data, ret_len);
    close(fd);
    if (r == PC_ELIMIT)
        return pc_err_set(r, "%s/%s is larger than %zu bytes", home->dir, name, cap);
    return r < 0 ? failed(home, name, r) : 0;
}

int home_sync_folder(const struct pc_home *home, const char *name)
{
    const char *slash = strrchr(name, '/');
    char folder[PATH_MAX] = ".";
    int fd, r = 0;

    if (slash)
        (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - name), name);
    fd = openat(home->fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fsync(fd) < 0)
        r = -errno;
    close(fd);
    return r;
}

/*
 * The temporary has one fixed name, so that a crash leaves at most one and the next writer reuses it. Its lock makes
 * writers take turns; who waited for a file that was renamed meanwhile finds another one, or none, under the name.
 */
static int open_new(const struct pc_home *home, const char *path, int *ret_fd)
{
    for (;;) {
        int fd = openat(home->fd, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0)
            return -errno;
        while (flock(fd, LOCK_EX) < 0) {
            int r = -errno;

            if (r == -EINTR)
                continue;
            close(fd);
            return r;
        }
        if (home_same_file(home->fd, path, fd)) {
            *ret_fd = fd;
            return 0;
        }
        close(fd);
    }
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

int pc_home_write(struct pc_home *home, const char *name, const void *data, size_t len)
{
    char path[PATH_MAX];
    int fd = -1, r, n = snprintf(path, sizeof path, "%s" HOME_NEW, name);

    if (n < 0 || (size_t)n >= sizeof path)
        return failed(home, name, -ENAMETOOLONG);
    r = open_new(home, path, &fd);
    if (r < 0)
        return failed(home, path, r);
    if (ftruncate(fd, 0) < 0)
        r = -errno;
    if (r == 0)
        r = write_all(fd, data, len);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    if (r == 0 && renameat(home->fd, path, home->fd, name) < 0)
        r = -errno;
    if (r < 0)
        (void)unlinkat(home->fd, path, 0);
    else
        r = home_sync_folder(home, name);
    close(fd);
    return r < 0 ? failed(home, name, r) : 0;
}
