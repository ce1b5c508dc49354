/* SPDX-License-Identifier: Apache-2.0 */
/* The table of file calls, and whole reads and writes over it. */
#include "data/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

static int real_open(const char *path, int flags, mode_t mode)
{
    int fd = open(path, flags | O_CLOEXEC, mode);

    return fd < 0 ? -errno : fd;
}

static void real_close(int fd)
{
    close(fd);
}

static ssize_t real_pread(int fd, void *buf, size_t len, uint64_t off)
{
    ssize_t n = pread(fd, buf, len, (off_t)off);

    return n < 0 ? -errno : n;
}

static ssize_t real_pread_now(int fd, void *buf, size_t len, uint64_t off)
{
    struct iovec v = {buf, len};
    ssize_t n = preadv2(fd, &v, 1, (off_t)off, RWF_NOWAIT);

    return n < 0 ? -errno : n;
}

static ssize_t real_pwrite(int fd, const void *buf, size_t len, uint64_t off)
{
    ssize_t n = pwrite(fd, buf, len, (off_t)off);

    return n < 0 ? -errno : n;
}

static int real_sync(int fd)
{
    return fdatasync(fd) < 0 ? -errno : 0;
}

static int real_writeback(int fd, uint64_t off, uint64_t len, int wait)
{
    unsigned flags = SYNC_FILE_RANGE_WRITE;

    if (wait)
        flags |= SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER;
    return sync_file_range(fd, (off_t)off, (off_t)len, flags) < 0 ? -errno : 0;
}

static void real_ahead(int fd, uint64_t off, uint64_t len)
{
    (void)posix_fadvise(fd, (off_t)off, (off_t)len, POSIX_FADV_WILLNEED);
}

static int real_sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r;

    if (fd < 0)
        return -errno;
    r = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return r;
}

static int real_mkdir(const char *path, mode_t mode)
{
    return mkdir(path, mode) < 0 ? -errno : 0;
}

static int real_truncate(const char *path, uint64_t size)
{
    return truncate(path, (off_t)size) < 0 ? -errno : 0;
}

static int real_unlink(const char *path)
{
    return unlink(path) < 0 ? -errno : 0;
}

static int real_stat(const char *path, uint64_t *ret_size)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return -errno;
    *ret_size = (uint64_t)st.st_size;
    return 0;
}

static int real_fstat(int fd, uint64_t *ret_size, unsigned *ret_links)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    *ret_size = (uint64_t)st.st_size;
    *ret_links = (unsigned)st.st_nlink;
    return 0;
}

static int real_space(const char *path, uint64_t *ret_free)
{
    struct statvfs st;

    if (statvfs(path, &st) < 0)
        return -errno;
    *ret_free = (uint64_t)st.f_bavail * st.f_frsize;
    return 0;
}

const struct disk_ops disk_real = {
    .open = real_open,
    .close = real_close,
    .pread = real_pread,
    .pread_now = real_pread_now,
    .pwrite = real_pwrite,
    .sync = real_sync,
    .writeback = real_writeback,
    .ahead = real_ahead,
    .sync_dir = real_sync_dir,
    .mkdir = real_mkdir,
    .truncate = real_truncate,
    .unlink = real_unlink,
    .stat = real_stat,
    .fstat = real_fstat,
    .space = real_space,
};

static const struct disk_ops *in_use = &disk_real;

void disk_use(const struct disk_ops *ops)
{
    in_use = ops ? ops : &disk_real;
}

const struct disk_ops *disk(void)
{
    return in_use;
}

int disk_write(int fd, const void *buf, size_t len, uint64_t off)
{
    const uint8_t *p = buf;

    while (len > 0) {
        ssize_t n = in_use->pwrite(fd, p, len, off);

        if (n == -EINTR)
            continue;
        if (n < 0)
            return (int)n;
        if (n == 0)
            return -EIO;
        p += n;
        len -= (size_t)n;
        off += (uint64_t)n;
    }
    return 0;
}

ssize_t disk_read(int fd, void *buf, size_t len, uint64_t off)
{
    uint8_t *p = buf;
    size_t done = 0;

    while (done < len) {
        ssize_t n = in_use->pread(fd, p + done, len - done, off + done);

        if (n == -EINTR)
            continue;
        if (n < 0)
            return n;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int disk_read_now(int fd, void *buf, size_t len, uint64_t off)
{
    uint8_t *p = buf;

    while (len > 0) {
        ssize_t n = in_use->pread_now(fd, p, len, off);

        if (n <= 0)
            return -EAGAIN;
        p += n;
        len -= (size_t)n;
        off += (uint64_t)n;
    }
    return 0;
}
