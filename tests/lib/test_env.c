/* SPDX-License-Identifier: Apache-2.0 */
/* What C tests share: a temporary directory, waiting for a condition, small file helpers. */
#include "test_env.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX_BYTES (1L << 30)

static const void *search_needle;
static size_t search_len;

static void die(const char *what)
{
    perror(what);
    abort();
}

char *test_dir_new(void)
{
    const char *base = getenv("TMPDIR");
    char *dir;

    if (!base || base[0] != '/')
        base = "/tmp";
    if (asprintf(&dir, "%s/pcloud-test-XXXXXX", base) < 0)
        die("asprintf");
    if (!mkdtemp(dir))
        die(dir);
    return dir;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void test_dir_free(char *dir)
{
    if (!dir)
        return;
    if (nftw(dir, remove_one, 32, FTW_DEPTH | FTW_PHYS) != 0)
        perror(dir);
    free(dir);
}

char *test_path(const char *dir, const char *name)
{
    char *path;

    if (asprintf(&path, "%s/%s", dir, name) < 0)
        die("asprintf");
    return path;
}

int64_t test_now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool test_wait(int timeout_ms, bool (*cond)(void *arg), void *arg)
{
    int64_t deadline = test_now_ms() + timeout_ms;

    while (!cond(arg)) {
        if (test_now_ms() >= deadline)
            return cond(arg);
        poll(NULL, 0, 5);
    }
    return true;
}

int test_file_write(const char *path, const void *data, size_t len)
{
    const char *p = data;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        return -errno;
    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0) {
            int err = -errno;

            close(fd);
            return err;
        }
        p += n;
        len -= (size_t)n;
    }
    return close(fd) == 0 ? 0 : -errno;
}

void *test_file_read(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rbe");
    char *data = NULL;
    long size;

    if (!f)
        return NULL;
    if (fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0)
        goto close_file;
    if (size > FILE_MAX_BYTES) {
        errno = EFBIG;
        goto close_file;
    }
    rewind(f);
    data = malloc((size_t)size + 1);
    if (!data)
        goto close_file;
    if (fread(data, 1, (size_t)size, f) != (size_t)size) {
        free(data);
        data = NULL;
        goto close_file;
    }
    data[size] = '\0';
    *ret_len = (size_t)size;
close_file:
    fclose(f);
    return data;
}

static int search_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    size_t len;
    void *data;
    int found;

    (void)ftw;
    if (type != FTW_F || !S_ISREG(st->st_mode))
        return 0;
    data = test_file_read(path, &len);
    if (!data)
        return 0;
    found = memmem(data, len, search_needle, search_len) != NULL;
    if (found)
        fprintf(stderr, "found in %s\n", path);
    free(data);
    return found;
}

bool test_tree_contains(const char *dir, const void *needle, size_t len)
{
    if (len < 1 || len > 4096)
        die("test_tree_contains: length");
    search_needle = needle;
    search_len = len;
    return nftw(dir, search_one, 32, FTW_PHYS) == 1;
}

uint64_t test_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
