/* SPDX-License-Identifier: Apache-2.0 */
/* What C tests share: a temporary directory, waiting for a condition, small file helpers. */
#ifndef TEST_ENV_H
#define TEST_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * test_dir_new(): Make a private directory (mode 0700) under $TMPDIR or /tmp. Returns its absolute path, to be given to
 * test_dir_free(); aborts the test program when it cannot.
 */
char *test_dir_new(void);

/* test_dir_free(dir): Remove the directory with all it holds and free the path; NULL is legal. */
void test_dir_free(char *dir);

/* test_path(dir, name): "dir/name", to be freed by the caller; aborts on no memory. */
char *test_path(const char *dir, const char *name);

/*
 * test_wait(timeout_ms, cond, arg): Ask cond(arg) every few milliseconds until it is true or the deadline has passed.
 * Returns its last answer. The timeout is for a hung machine: choose it generously, it never decides how fast a pass is.
 */
bool test_wait(int timeout_ms, bool (*cond)(void *arg), void *arg);

/* test_now_ms(): Monotonic time in milliseconds; for deadlines only. */
int64_t test_now_ms(void);

/* test_file_write(path, data, len): Make the file with exactly these bytes. Returns 0 or -errno. */
int test_file_write(const char *path, const void *data, size_t len);

/*
 * test_file_read(path, ret_len): The whole file in memory with a NUL behind it, to be freed by the caller; NULL with
 * errno set if that fails. Files above 1 GiB are refused.
 */
void *test_file_read(const char *path, size_t *ret_len);

/* test_tree_contains(dir, needle, len): Whether any regular file below dir holds these bytes (they must be 1..4096). */
bool test_tree_contains(const char *dir, const void *needle, size_t len);

/* test_random(state): The next number of a reproducible generator (splitmix64); seed *state by hand. */
uint64_t test_random(uint64_t *state);

#endif
