/* SPDX-License-Identifier: Apache-2.0 */
/* Every file call of core/data goes through one table, so that tests can record it, fail it, or cut the power. */
#ifndef DATA_DISK_H
#define DATA_DISK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* All return 0 or a positive result, or -errno. A call may write or read less than it was asked to. */
struct disk_ops {
    int (*open)(const char *path, int flags, mode_t mode);
    void (*close)(int fd);
    ssize_t (*pread)(int fd, void *buf, size_t len, uint64_t off);
    ssize_t (*pread_now)(int fd, void *buf, size_t len, uint64_t off); /* only what is in memory */
    ssize_t (*pwrite)(int fd, const void *buf, size_t len, uint64_t off);
    int (*sync)(int fd);                                            /* fdatasync */
    int (*writeback)(int fd, uint64_t off, uint64_t len, int wait); /* a hint; promises nothing */
    void (*ahead)(int fd, uint64_t off, uint64_t len); /* a hint: it will be read soon */
    int (*sync_dir)(const char *path);
    int (*mkdir)(const char *path, mode_t mode);
    int (*truncate)(const char *path, uint64_t size);
    int (*unlink)(const char *path);
    int (*stat)(const char *path, uint64_t *ret_size);
    int (*fstat)(int fd, uint64_t *ret_size, unsigned *ret_links);
    int (*space)(const char *path, uint64_t *ret_free);
};

/** disk_real: the system's own calls. */
extern const struct disk_ops disk_real;

/** disk_use(ops): what all later calls go through; NULL is the system's own. For tests, before data_open. */
void disk_use(const struct disk_ops *ops);

/** disk(): the table in use; never NULL. */
const struct disk_ops *disk(void);

/** disk_write(fd, buf, len, off): all of it, or -errno. */
int disk_write(int fd, const void *buf, size_t len, uint64_t off);

/** disk_read(fd, buf, len, off): as much as there is up to ${len}: the number of bytes, or -errno. */
ssize_t disk_read(int fd, void *buf, size_t len, uint64_t off);

/** disk_read_now(fd, buf, len, off): all of it without waiting for a disk: 0, or -EAGAIN whatever the reason. */
int disk_read_now(int fd, void *buf, size_t len, uint64_t off);

#endif
