/* SPDX-License-Identifier: Apache-2.0 */
/* The log of file calls: the C library's functions of those names, in front of the system's. */
#include "recorder.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX]; /* "" while nothing is recorded */
static size_t root_len;
static volatile unsigned *mark_seen;

/* Paths below the folder, relative to it; NULL for others. Under the lock. */
static const char *inside(const char *path)
{
    if (root_len == 0 || strncmp(path, root, root_len) != 0 || path[root_len] != '/')
        return NULL;
    return log_is_volatile(path + root_len + 1) ? NULL : path + root_len + 1;
}

/* Where a descriptor or a path relative to one lies. */
static const char *of_fd(int fd, char buf[PATH_MAX])
{
    char link[64];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = syscall(SYS_readlinkat, AT_FDCWD, link, buf, PATH_MAX - 1);
    if (n < 0)
        return NULL;
    buf[n] = 0;
    return inside(buf);
}

static const char *of_path(int dir, const char *path, char buf[PATH_MAX])
{
    char base[PATH_MAX];
    char link[64];
    ssize_t n;

    if (path[0] == '/')
        return inside(path);
    if (dir == AT_FDCWD)
        return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
    n = syscall(SYS_readlinkat, AT_FDCWD, link, base, sizeof base - 1);
    if (n < 0)
        return NULL;
    base[n] = 0;
    if ((size_t)snprintf(buf, PATH_MAX, "%s/%s", base, path) >= PATH_MAX)
        return NULL;
    return inside(buf);
}

static bool is_dir(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

void rec_start(const char *dir)
{
    pthread_mutex_lock(&lock);
    log_begin(dir);
    root_len = strlen(dir);
    memcpy(root, dir, root_len + 1);
    pthread_mutex_unlock(&lock);
}

void rec_stop(void)
{
    pthread_mutex_lock(&lock);
    root_len = 0;
    pthread_mutex_unlock(&lock);
}

void rec_kill_at(size_t n, volatile unsigned *seen)
{
    log_kill_at = n;
    mark_seen = seen;
}

void rec_mark(int kind, unsigned n)
{
    pthread_mutex_lock(&lock);
    if (mark_seen && kind == 0)
        *mark_seen = n;
    log_add((struct event){.kind = EV_MARK, .mark = kind, .off = n});
    pthread_mutex_unlock(&lock);
}

static int do_open(int dir, const char *path, int flags, mode_t mode)
{
    char buf[PATH_MAX];
    const char *name;
    int fd;

    if (!(flags & (O_CREAT | O_TRUNC)))
        return (int)syscall(SYS_openat, dir, path, flags, mode);
    pthread_mutex_lock(&lock);
    name = of_path(dir, path, buf);
    if (name && syscall(SYS_faccessat, dir, path, F_OK) == 0) {
        fd = (int)syscall(SYS_openat, dir, path, flags, mode);
        if (fd >= 0 && (flags & O_TRUNC))
            log_size(name, 0);
    } else {
        fd = (int)syscall(SYS_openat, dir, path, flags, mode);
        if (fd >= 0 && name)
            log_create(name, false);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define WITH_MODE(flags, last, mode)                                                               \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                         \
        va_list ap;                                                                                \
        va_start(ap, last);                                                                        \
        mode = (mode_t)va_arg(ap, int);                                                            \
        va_end(ap);                                                                                \
    }

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;

    WITH_MODE(flags, flags, mode)
    return do_open(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;

    WITH_MODE(flags, flags, mode)
    return do_open(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    mode_t mode = 0;

    WITH_MODE(flags, flags, mode)
    return do_open(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
    mode_t mode = 0;

    WITH_MODE(flags, flags, mode)
    return do_open(dir, path, flags, mode);
}

static ssize_t do_pwrite(int fd, const void *data, size_t len, off_t off)
{
    char buf[PATH_MAX];
    const char *name;
    ssize_t n;

    pthread_mutex_lock(&lock);
    n = syscall(SYS_pwrite64, fd, data, len, off);
    name = n > 0 ? of_fd(fd, buf) : NULL;
    if (name)
        log_write(name, (uint64_t)off, data, (size_t)n);
    pthread_mutex_unlock(&lock);
    return n;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t off)
{
    return do_pwrite(fd, data, len, off);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t off)
{
    return do_pwrite(fd, data, len, off);
}

ssize_t write(int fd, const void *data, size_t len)
{
    char buf[PATH_MAX];
    const char *name;
    off_t off;
    ssize_t n;

    if (fd <= 2)
        return syscall(SYS_write, fd, data, len);
    pthread_mutex_lock(&lock);
    off = lseek(fd, 0, SEEK_CUR);
    n = syscall(SYS_write, fd, data, len);
    name = n > 0 && off >= 0 ? of_fd(fd, buf) : NULL;
    if (name)
        log_write(name, (uint64_t)off, data, (size_t)n);
    pthread_mutex_unlock(&lock);
    return n;
}

static int do_ftruncate(int fd, off_t size)
{
    char buf[PATH_MAX];
    const char *name;
    int r;

    pthread_mutex_lock(&lock);
    r = (int)syscall(SYS_ftruncate, fd, size);
    name = r == 0 ? of_fd(fd, buf) : NULL;
    if (name)
        log_size(name, (uint64_t)size);
    pthread_mutex_unlock(&lock);
    return r;
}

int ftruncate(int fd, off_t size)
{
    return do_ftruncate(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return do_ftruncate(fd, size);
}

static int do_truncate(const char *path, off_t size)
{
    char buf[PATH_MAX];
    const char *name;
    int r;

    pthread_mutex_lock(&lock);
    r = (int)syscall(SYS_truncate, path, size);
    name = r == 0 ? of_path(AT_FDCWD, path, buf) : NULL;
    if (name)
        log_size(name, (uint64_t)size);
    pthread_mutex_unlock(&lock);
    return r;
}

int truncate(const char *path, off_t size)
{
    return do_truncate(path, size);
}

int truncate64(const char *path, off64_t size)
{
    return do_truncate(path, size);
}

/* What was written before this began is on disk now. The folder itself, or a folder in it: its names. */
static int do_sync(int fd)
{
    char buf[PATH_MAX];
    const char *name;

    pthread_mutex_lock(&lock);
    name = of_fd(fd, buf);
    if (!name && root_len > 0 && strcmp(buf, root) == 0)
        name = "";
    if (name)
        log_sync(name, is_dir(fd));
    pthread_mutex_unlock(&lock);
    return 0;
}

int fsync(int fd)
{
    return do_sync(fd);
}

int fdatasync(int fd)
{
    return do_sync(fd);
}

int syncfs(int fd)
{
    (void)fd;
    pthread_mutex_lock(&lock);
    if (root_len > 0)
        log_add((struct event){.kind = EV_SYNC_ALL});
    pthread_mutex_unlock(&lock);
    return 0;
}

static int do_rename(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    char a[PATH_MAX], b[PATH_MAX];
    const char *name, *to_name;
    int r;

    pthread_mutex_lock(&lock);
    r = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    name = r == 0 ? of_path(from_dir, from, a) : NULL;
    to_name = name ? of_path(to_dir, to, b) : NULL;
    if (to_name)
        log_rename(name, to_name);
    pthread_mutex_unlock(&lock);
    return r;
}

int rename(const char *from, const char *to)
{
    return do_rename(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return do_rename(from_dir, from, to_dir, to, 0);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return do_rename(from_dir, from, to_dir, to, flags);
}

int unlinkat(int dir, const char *path, int flags)
{
    char buf[PATH_MAX];
    const char *name;
    int r;

    pthread_mutex_lock(&lock);
    r = (int)syscall(SYS_unlinkat, dir, path, flags);
    name = r == 0 ? of_path(dir, path, buf) : NULL;
    if (name)
        log_unlink(name);
    pthread_mutex_unlock(&lock);
    return r;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
    char buf[PATH_MAX];
    const char *name;
    int r;

    pthread_mutex_lock(&lock);
    r = (int)syscall(SYS_mkdirat, dir, path, mode);
    name = r == 0 ? of_path(dir, path, buf) : NULL;
    if (name)
        log_create(name, true);
    pthread_mutex_unlock(&lock);
    return r;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

/* Gathered and spread writes are not used below the folder; if they come to be, they must not be missed. */
static void refuse(int fd)
{
    char buf[PATH_MAX];

    pthread_mutex_lock(&lock);
    if (of_fd(fd, buf))
        abort();
    pthread_mutex_unlock(&lock);
}

ssize_t writev(int fd, const struct iovec *iov, int n)
{
    if (fd > 2)
        refuse(fd);
    return syscall(SYS_writev, fd, iov, n);
}

ssize_t pwritev(int fd, const struct iovec *iov, int n, off_t off)
{
    refuse(fd);
    return syscall(SYS_pwritev, fd, iov, n, (long)off, (long)((uint64_t)off >> 32 >> 32));
}

int fallocate(int fd, int mode, off_t off, off_t len)
{
    refuse(fd);
    return (int)syscall(SYS_fallocate, fd, mode, off, len);
}
