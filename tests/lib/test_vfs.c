/* SPDX-License-Identifier: Apache-2.0 */
/* A file layer for SQLite that notes what is written and synced, can fail, and can say what a power cut leaves. */
#include "test_vfs.h"

#include "test_env.h"

#include <sqlite3.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct file {
    sqlite3_file base;
    sqlite3_file *below;
    unsigned number;
};

static sqlite3_vfs vfs;
static sqlite3_vfs *below;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct test_event *events;
static size_t events_n, events_cap;
static bool noting;
static atomic_int failure;
static char names[TEST_VFS_FILES][64];
static unsigned names_n;

static void die(const char *what)
{
    perror(what);
    abort();
}

static void note(enum test_event_kind kind, unsigned number, int64_t off, const void *data,
                 size_t n)
{
    pthread_mutex_lock(&lock);
    if (noting) {
        struct test_event *e;

        if (events_n == events_cap) {
            events_cap = events_cap ? events_cap * 2 : 1024;
            events = realloc(events, events_cap * sizeof *events);
            if (!events)
                die("realloc");
        }
        e = &events[events_n++];
        *e = (struct test_event){kind, number, off, n, NULL};
        if (n) {
            e->data = malloc(n);
            if (!e->data)
                die("malloc");
            memcpy(e->data, data, n);
        }
    }
    pthread_mutex_unlock(&lock);
}

static unsigned number_of(const char *path)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    unsigned i;

    pthread_mutex_lock(&lock);
    for (i = 0; i < names_n && strcmp(names[i], name) != 0; i++)
        ;
    if (i == names_n) {
        if (names_n == TEST_VFS_FILES || strlen(name) >= sizeof names[0])
            die("test_vfs: too many names");
        memcpy(names[names_n++], name, strlen(name) + 1);
    }
    pthread_mutex_unlock(&lock);
    return i;
}

static struct file *self(sqlite3_file *f)
{
    return (struct file *)(void *)f;
}

static int f_close(sqlite3_file *f)
{
    return self(f)->below->pMethods->xClose(self(f)->below);
}

static int f_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 off)
{
    return self(f)->below->pMethods->xRead(self(f)->below, buf, n, off);
}

static int f_write(sqlite3_file *f, const void *buf, int n, sqlite3_int64 off)
{
    int rc = atomic_load(&failure);

    if (rc == SQLITE_OK)
        rc = self(f)->below->pMethods->xWrite(self(f)->below, buf, n, off);
    if (rc == SQLITE_OK)
        note(TEST_WRITE, self(f)->number, off, buf, (size_t)n);
    return rc;
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int rc = self(f)->below->pMethods->xTruncate(self(f)->below, size);

    if (rc == SQLITE_OK)
        note(TEST_TRUNCATE, self(f)->number, size, NULL, 0);
    return rc;
}

/* Nothing needs to reach the disk in a test: only that it was asked for counts. */
static int f_sync(sqlite3_file *f, int flags)
{
    (void)flags;
    note(TEST_SYNC, self(f)->number, 0, NULL, 0);
    return SQLITE_OK;
}

static int f_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    return self(f)->below->pMethods->xFileSize(self(f)->below, ret);
}

static int f_lock(sqlite3_file *f, int level)
{
    return self(f)->below->pMethods->xLock(self(f)->below, level);
}

static int f_unlock(sqlite3_file *f, int level)
{
    return self(f)->below->pMethods->xUnlock(self(f)->below, level);
}

static int f_check(sqlite3_file *f, int *ret)
{
    return self(f)->below->pMethods->xCheckReservedLock(self(f)->below, ret);
}

static int f_control(sqlite3_file *f, int op, void *arg)
{
    return self(f)->below->pMethods->xFileControl(self(f)->below, op, arg);
}

static int f_sector(sqlite3_file *f)
{
    return self(f)->below->pMethods->xSectorSize(self(f)->below);
}

static int f_traits(sqlite3_file *f)
{
    return self(f)->below->pMethods->xDeviceCharacteristics(self(f)->below);
}

static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
    return self(f)->below->pMethods->xShmMap(self(f)->below, page, size, extend, ret);
}

static int f_shm_lock(sqlite3_file *f, int off, int n, int flags)
{
    return self(f)->below->pMethods->xShmLock(self(f)->below, off, n, flags);
}

static void f_shm_barrier(sqlite3_file *f)
{
    self(f)->below->pMethods->xShmBarrier(self(f)->below);
}

static int f_shm_unmap(sqlite3_file *f, int delete_it)
{
    return self(f)->below->pMethods->xShmUnmap(self(f)->below, delete_it);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = f_close,
    .xRead = f_read,
    .xWrite = f_write,
    .xTruncate = f_truncate,
    .xSync = f_sync,
    .xFileSize = f_size,
    .xLock = f_lock,
    .xUnlock = f_unlock,
    .xCheckReservedLock = f_check,
    .xFileControl = f_control,
    .xSectorSize = f_sector,
    .xDeviceCharacteristics = f_traits,
    .xShmMap = f_shm_map,
    .xShmLock = f_shm_lock,
    .xShmBarrier = f_shm_barrier,
    .xShmUnmap = f_shm_unmap,
};

static int v_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
    struct file *t = self(f);
    int rc;

    (void)v;
    memset(t, 0, sizeof *t);
    t->below = (sqlite3_file *)(void *)(t + 1);
    rc = below->xOpen(below, name, t->below, flags, ret_flags);
    if (rc != SQLITE_OK)
        return rc;
    t->number = number_of(name);
    t->base.pMethods = &methods;
    return SQLITE_OK;
}

void test_vfs_setup(void)
{
    if (below)
        return;
    if (sqlite3_initialize() != SQLITE_OK || !(below = sqlite3_vfs_find("unix")))
        die("test_vfs_setup");
    vfs = *below; /* its calls take the layer only for its data */
    vfs.pNext = NULL;
    vfs.zName = TEST_VFS_NAME;
    vfs.szOsFile = (int)sizeof(struct file) + below->szOsFile;
    vfs.xOpen = v_open;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
        die("test_vfs_setup");
}

void test_vfs_start(void)
{
    for (size_t i = 0; i < events_n; i++)
        free(events[i].data);
    events_n = 0;
    noting = true;
}

void test_vfs_stop(void)
{
    noting = false;
}

void test_vfs_fail(int code)
{
    atomic_store(&failure, code);
}

void test_vfs_sync(const char *suffix)
{
    for (unsigned i = 0; i < names_n; i++) {
        size_t n = strlen(names[i]), k = strlen(suffix);

        if (n >= k && strcmp(names[i] + n - k, suffix) == 0)
            note(TEST_SYNC, i, 0, NULL, 0);
    }
}

void test_vfs_mark(unsigned which, int64_t number)
{
    note(TEST_MARK, which, number, NULL, 0);
}

size_t test_vfs_count(void)
{
    return events_n;
}

const struct test_event *test_vfs_event(size_t i)
{
    return &events[i];
}

static void apply(int fd, const struct test_event *e, size_t len)
{
    if (e->kind == TEST_TRUNCATE) {
        if (ftruncate(fd, e->off) < 0)
            die("ftruncate");
    } else if (e->kind == TEST_WRITE && len > 0) {
        if (pwrite(fd, e->data, len, e->off) != (ssize_t)len)
            die("pwrite");
    }
}

/* All of it, nothing of it, or its beginning. */
static size_t torn(const struct test_event *e, uint64_t *seed)
{
    uint64_t r = test_random(seed);

    if (r % 3 == 0)
        return e->len;
    return r % 3 == 1 ? 0 : (size_t)(r >> 8) % (e->len / 512 + 1) * 512;
}

static void cut_file(const char *dir, unsigned number, size_t upto, uint64_t *seed)
{
    char *path = test_path(dir, names[number]);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    size_t synced = 0;

    if (fd < 0)
        die(path);
    for (size_t i = 0; i < upto; i++)
        if (events[i].file == number && events[i].kind == TEST_SYNC)
            synced = i;
    for (size_t i = 0; i < upto; i++) {
        const struct test_event *e = &events[i];

        if (e->kind == TEST_MARK || e->file != number)
            continue;
        if (e->kind == TEST_TRUNCATE && i > synced && test_random(seed) % 2)
            continue;
        apply(fd, e, i < synced ? e->len : torn(e, seed));
    }
    close(fd);
    free(path);
}

void test_vfs_cut(const char *dir, size_t upto, uint64_t *seed)
{
    for (unsigned i = 0; i < names_n; i++)
        cut_file(dir, i, upto, seed);
}
