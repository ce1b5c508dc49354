/* SPDX-License-Identifier: Apache-2.0 */
/* A file layer for SQLite that notes what is written and synced, can fail, and can say what a power cut leaves. */
#ifndef TEST_VFS_H
#define TEST_VFS_H

#include <stddef.h>
#include <stdint.h>

#define TEST_VFS_NAME "test"
#define TEST_VFS_FILES 8

enum test_event_kind { TEST_WRITE, TEST_TRUNCATE, TEST_SYNC, TEST_MARK };

struct test_event {
    enum test_event_kind kind;
    unsigned file; /* index of its name; of a mark: what kind of mark */
    int64_t off;   /* of a truncate the size, of a mark its number */
    size_t len;
    uint8_t *data;
};

/* test_vfs_setup(): Register it (once). test_vfs_start(): Forget all events and note from now on. test_vfs_stop(): No more. */
void test_vfs_setup(void);
void test_vfs_start(void);
void test_vfs_stop(void);

/* test_vfs_fail(code): From now on every write gives this SQLite code; 0: no more. */
void test_vfs_fail(int code);

/* test_vfs_sync(suffix): Note that all of the file whose name ends so is on disk. test_vfs_mark(which, number): Note a moment. */
void test_vfs_sync(const char *suffix);
void test_vfs_mark(unsigned which, int64_t number);

/* test_vfs_count(): How many events there are. test_vfs_event(i): One of them. */
size_t test_vfs_count(void);
const struct test_event *test_vfs_event(size_t i);

/*
 * test_vfs_cut(dir, upto, seed): Make in dir (which holds the files as they were at test_vfs_start) what a power cut after so many events may leave: what was synced,
 * and of what was not any part, writes torn at multiples of 512.
 */
void test_vfs_cut(const char *dir, size_t upto, uint64_t *seed);

#endif
