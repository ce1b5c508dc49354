/* SPDX-License-Identifier: Apache-2.0 */
/* A table of file calls in front of the real one, with a countdown. */
#include "disk_fault.h"

#include "data/disk.h"

#include <pthread.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned kinds;
static unsigned long left, failed, calls[64];
static int code, fds;
static bool forever;
static uint64_t space_free = UINT64_MAX;
static size_t at_once;

/* The code this call must return, or 0. */
static int due(enum disk_fault_kind kind)
{
    int r = 0;

    pthread_mutex_lock(&lock);
    calls[kind]++;
    if ((kinds & kind) && left > 0) {
        if (left > 1) {
            left--;
        } else {
            r = code;
            failed++;
            left = forever;
        }
    }
    pthread_mutex_unlock(&lock);
    return r;
}

static int fault_open(const char *path, int flags, mode_t mode)
{
    int r = due(DISK_FAULT_OPEN);

    if (r == 0)
        r = disk_real.open(path, flags, mode);
    pthread_mutex_lock(&lock);
    fds += r >= 0;
    pthread_mutex_unlock(&lock);
    return r;
}

static void fault_close(int fd)
{
    pthread_mutex_lock(&lock);
    fds--;
    pthread_mutex_unlock(&lock);
    disk_real.close(fd);
}

static ssize_t fault_pread(int fd, void *buf, size_t len, uint64_t off)
{
    int r = due(DISK_FAULT_READ);

    return r < 0 ? r : disk_real.pread(fd, buf, at_once && len > at_once ? at_once : len, off);
}

static ssize_t fault_pread_now(int fd, void *buf, size_t len, uint64_t off)
{
    int r = due(DISK_FAULT_READ);

    return r < 0 ? r : disk_real.pread_now(fd, buf, at_once && len > at_once ? at_once : len, off);
}

static ssize_t fault_pwrite(int fd, const void *buf, size_t len, uint64_t off)
{
    int r = due(DISK_FAULT_WRITE);

    if (r < 0) {
        disk_real.pwrite(fd, buf, len / 2, off);
        return r;
    }
    return disk_real.pwrite(fd, buf, at_once && len > at_once ? at_once : len, off);
}

static int fault_sync(int fd)
{
    int r = due(DISK_FAULT_SYNC);

    return r < 0 ? r : disk_real.sync(fd);
}

static int fault_sync_dir(const char *path)
{
    int r = due(DISK_FAULT_SYNC);

    return r < 0 ? r : disk_real.sync_dir(path);
}

static int fault_mkdir(const char *path, mode_t mode)
{
    int r = due(DISK_FAULT_NAME);

    return r < 0 ? r : disk_real.mkdir(path, mode);
}

static int fault_truncate(const char *path, uint64_t size)
{
    int r = due(DISK_FAULT_NAME);

    return r < 0 ? r : disk_real.truncate(path, size);
}

static int fault_unlink(const char *path)
{
    int r = due(DISK_FAULT_NAME);

    return r < 0 ? r : disk_real.unlink(path);
}

static int fault_stat(const char *path, uint64_t *ret_size)
{
    int r = due(DISK_FAULT_STAT);

    return r < 0 ? r : disk_real.stat(path, ret_size);
}

static int fault_space(const char *path, uint64_t *ret_free)
{
    int r = due(DISK_FAULT_STAT);

    if (r < 0 || space_free == UINT64_MAX)
        return r < 0 ? r : disk_real.space(path, ret_free);
    *ret_free = space_free;
    return 0;
}

void disk_fault(unsigned kinds_, unsigned long nth, int code_, bool forever_)
{
    pthread_mutex_lock(&lock);
    kinds = kinds_;
    left = nth;
    code = code_;
    forever = forever_;
    failed = 0;
    memset(calls, 0, sizeof calls);
    pthread_mutex_unlock(&lock);
}

unsigned long disk_fault_count(void)
{
    unsigned long n;

    pthread_mutex_lock(&lock);
    n = failed;
    pthread_mutex_unlock(&lock);
    return n;
}

unsigned long disk_fault_calls(enum disk_fault_kind kind)
{
    unsigned long n;

    pthread_mutex_lock(&lock);
    n = calls[kind];
    pthread_mutex_unlock(&lock);
    return n;
}

void disk_fault_free(uint64_t bytes)
{
    space_free = bytes;
}

void disk_fault_short(size_t bytes)
{
    at_once = bytes;
}

int disk_fault_fds(void)
{
    int n;

    pthread_mutex_lock(&lock);
    n = fds;
    pthread_mutex_unlock(&lock);
    return n;
}

void disk_fault_on(void)
{
    static struct disk_ops ops;

    ops = disk_real;
    ops.open = fault_open;
    ops.close = fault_close;
    ops.pread = fault_pread;
    ops.pread_now = fault_pread_now;
    ops.pwrite = fault_pwrite;
    ops.sync = fault_sync;
    ops.sync_dir = fault_sync_dir;
    ops.mkdir = fault_mkdir;
    ops.truncate = fault_truncate;
    ops.unlink = fault_unlink;
    ops.stat = fault_stat;
    ops.space = fault_space;
    disk_fault(0, 0, 0, false);
    disk_fault_free(UINT64_MAX);
    disk_fault_short(0);
    disk_use(&ops);
}

void disk_fault_off(void)
{
    disk_use(NULL);
}
