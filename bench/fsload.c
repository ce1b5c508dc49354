/* SPDX-License-Identifier: Apache-2.0 */
/* fsload DIR TEST N: one load on a filesystem, printed as one number: operations or MiB a second. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SMALL 4096
#define LARGE (128u << 10) /* what cp and most programs write at once */

static const char *dir;
static unsigned char buf[1 << 20];

static void check(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "fsload: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t roll(void)
{
    static uint64_t x = 88172645463325252ULL;

    x ^= x << 13;
    x ^= x >> 7;
    return x ^= x << 17;
}

static void fill(size_t len)
{
    for (size_t i = 0; i + 8 <= len; i += 8) {
        uint64_t r = roll();

        memcpy(buf + i, &r, 8);
    }
}

/* Files are spread over folders of a thousand. */
static void path(char *p, long i)
{
    snprintf(p, PATH_MAX, "%s/d%ld/f%ld", dir, i / 1000, i);
}

static void folder(long i)
{
    char p[PATH_MAX];

    snprintf(p, sizeof(p), "%s/d%ld", dir, i / 1000);
    check(mkdir(p, 0755) == 0 || errno == EEXIST, p);
}

static double create(long n)
{
    char p[PATH_MAX];

    for (long i = 0; i < n; i++) {
        int fd;

        if (i % 1000 == 0)
            folder(i);
        path(p, i);
        memcpy(buf, &i, sizeof(i));
        fd = open(p, O_CREAT | O_EXCL | O_WRONLY, 0644);
        check(fd >= 0 && write(fd, buf, SMALL) == SMALL && close(fd) == 0, p);
    }
    return (double)n;
}

static double stats(long n)
{
    char p[PATH_MAX];
    struct stat st;

    for (long i = 0; i < n; i++) {
        path(p, i);
        check(stat(p, &st) == 0, p);
    }
    return (double)n;
}

static double read_small(long n)
{
    char p[PATH_MAX];

    for (long i = 0; i < n; i++) {
        int fd;

        path(p, i);
        fd = open(p, O_RDONLY);
        check(fd >= 0 && read(fd, buf, SMALL) == SMALL && close(fd) == 0, p);
    }
    return (double)n;
}

static double list(long n)
{
    long seen = 0;

    for (long i = 0; i < n; i += 1000) {
        char p[PATH_MAX];
        struct dirent *e;
        struct stat st;
        DIR *d;

        snprintf(p, sizeof(p), "%s/d%ld", dir, i / 1000);
        d = opendir(p);
        check(d != NULL, p);
        while ((e = readdir(d)))
            if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
                seen++;
        closedir(d);
    }
    check(seen >= n, "fewer entries than files");
    return (double)seen;
}

static double removes(long n)
{
    char p[PATH_MAX];

    for (long i = 0; i < n; i++) {
        path(p, i);
        check(unlink(p) == 0, p);
    }
    return (double)n;
}

static int big(int flags)
{
    char p[PATH_MAX];
    int fd;

    snprintf(p, sizeof(p), "%s/big", dir);
    fd = open(p, flags, 0644);
    check(fd >= 0, p);
    return fd;
}

static double write_big(long mib)
{
    int fd = big(O_CREAT | O_TRUNC | O_WRONLY);

    for (long i = 0; i < mib * ((1 << 20) / (long)LARGE); i++) {
        memcpy(buf, &i, sizeof(i));
        check(write(fd, buf, LARGE) == LARGE, "write");
    }
    check(fsync(fd) == 0 && close(fd) == 0, "fsync");
    return (double)mib;
}

static double read_big(long mib)
{
    int fd = big(O_RDONLY);
    long long sum = 0;
    ssize_t n;

    while ((n = read(fd, buf, LARGE)) > 0)
        sum += n;
    check(n == 0 && sum == (long long)mib << 20, "read");
    close(fd);
    return (double)mib;
}

static double read_random(long n)
{
    int fd = big(O_RDONLY);
    uint64_t pages = (uint64_t)lseek(fd, 0, SEEK_END) / SMALL;

    for (long i = 0; i < n; i++)
        check(pread(fd, buf, SMALL, (off_t)(roll() % pages * SMALL)) == SMALL, "pread");
    close(fd);
    return (double)n;
}

static double write_random(long n)
{
    int fd = big(O_RDWR);
    uint64_t pages = (uint64_t)lseek(fd, 0, SEEK_END) / SMALL;

    for (long i = 0; i < n; i++) {
        memcpy(buf, &i, sizeof(i));
        check(pwrite(fd, buf, SMALL, (off_t)(roll() % pages * SMALL)) == SMALL, "pwrite");
    }
    check(fsync(fd) == 0 && close(fd) == 0, "fsync");
    return (double)n;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        double (*run)(long n);
    } tests[] = {{"create", create},
                 {"stat", stats},
                 {"read_small", read_small},
                 {"list", list},
                 {"remove", removes},
                 {"write", write_big},
                 {"read", read_big},
                 {"read_random", read_random},
                 {"write_random", write_random}};

    if (argc != 4)
        goto usage;
    dir = argv[1];
    fill(sizeof(buf));
    for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
        double begin = now(), done;

        if (strcmp(argv[2], tests[i].name) != 0)
            continue;
        done = tests[i].run(strtol(argv[3], NULL, 10));
        printf("%.0f\n", done / (now() - begin));
        return 0;
    }
usage:
    fprintf(stderr, "usage: fsload DIR TEST N\n");
    return 2;
}
