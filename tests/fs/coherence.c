/* SPDX-License-Identifier: Apache-2.0 */
/* coherence A B COUNT [busy]: changes made in A are seen in B, which has cached what was there before. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MS                                                                                   \
    3000 /* far above what is expected, so that a slow machine is not taken for a stale cache */

static const char *a, *b;
static double worst, sum;
static int seen;

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void path(char *buf, const char *side, const char *name)
{
    snprintf(buf, PATH_MAX, "%s/%s", side, name);
}

static void put(const char *side, const char *name, const char *text)
{
    char p[PATH_MAX];
    size_t len = strlen(text);
    int fd;

    path(p, side, name);
    fd = open(p, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    if (fd < 0 || write(fd, text, len) != (ssize_t)len || close(fd) < 0) {
        fprintf(stderr, "%s: %s\n", p, strerror(errno));
        exit(1);
    }
}

/* What the name shows now: content, "-" if it is not there, "!" and an error otherwise. */
static void get(const char *side, const char *name, char *buf, size_t cap)
{
    char p[PATH_MAX];
    ssize_t n = -1;
    int fd;

    path(p, side, name);
    fd = open(p, O_RDONLY);
    if (fd >= 0) {
        n = read(fd, buf, cap - 1);
        close(fd);
    }
    if (n >= 0)
        buf[n] = '\0';
    else
        snprintf(buf, cap, errno == ENOENT ? "-" : "!%d", errno);
}

/* Wait until side b shows it, and note how long that took. */
static void expect(const char *what, const char *name, const char *text)
{
    double begin = now_ms(), took;
    char buf[256];

    for (;;) {
        get(b, name, buf, sizeof(buf));
        took = now_ms() - begin;
        if (strcmp(buf, text) == 0)
            break;
        if (took > LIMIT_MS) {
            fprintf(stderr, "%s: %s shows \"%s\", not \"%s\"\n", what, name, buf, text);
            exit(1);
        }
        poll(NULL, 0, 1);
    }
    seen++;
    sum += took;
    if (took > worst)
        worst = took;
}

static void expect_mode(const char *name, mode_t mode)
{
    double begin = now_ms();
    struct stat st = {.st_mode = 0};
    char p[PATH_MAX];

    path(p, b, name);
    while ((stat(p, &st) < 0 || (st.st_mode & 07777) != mode) && now_ms() - begin < LIMIT_MS)
        poll(NULL, 0, 1);
    if ((st.st_mode & 07777) != mode) {
        fprintf(stderr, "%s has mode %o, not %o\n", name, st.st_mode & 07777, mode);
        exit(1);
    }
}

static atomic_bool over;

/* Load: names, attributes and content of the same folder, all the time, on both sides. */
static void *load(void *arg)
{
    const char *side = arg;
    char p[PATH_MAX], buf[256];
    struct stat st;

    for (unsigned i = 0; !atomic_load(&over); i++) {
        get(side, "file", buf, sizeof(buf));
        get(side, "absent", buf, sizeof(buf));
        path(p, side, "file");
        (void)!stat(p, &st);
        snprintf(buf, sizeof(buf), "noise-%c-%u", side == a ? 'a' : 'b', i % 20);
        if (i % 4 == 0)
            put(side, buf, "noise");
    }
    return NULL;
}

static void round_trip(int i)
{
    char text[64], from[PATH_MAX], to[PATH_MAX], buf[64];

    get(b, "absent", buf, sizeof(buf)); /* now the kernel knows that it is not there */
    snprintf(text, sizeof(text), "version %d %.*s", i, i % 40,
             "........................................");
    put(a, "file", text);
    expect("content", "file", text);
    snprintf(text, sizeof(text), "appears %d", i);
    put(a, "absent", text);
    expect("a new name", "absent", text);
    path(from, a, "absent");
    path(to, a, "file");
    if (rename(from, to) < 0)
        exit(1);
    expect("a name that was replaced", "file", text);
    expect("a name that went", "absent", "-");
    if (chmod(to, i % 2 ? 0600 : 0644) < 0)
        exit(1);
    expect_mode("file", i % 2 ? 0600 : 0644);
}

int main(int argc, char **argv)
{
    bool busy = argc > 4;
    pthread_t t[2];

    if (argc < 4)
        return 2;
    a = argv[1];
    b = argv[2];
    put(a, "file", "first");
    for (int i = 0; busy && i < 2; i++)
        if (pthread_create(&t[i], NULL, load, i ? argv[1] : argv[2]) != 0)
            return 1;
    for (int i = 0; i < (int)strtol(argv[3], NULL, 10); i++)
        round_trip(i);
    atomic_store(&over, true);
    for (int i = 0; busy && i < 2; i++)
        pthread_join(t[i], NULL);
    printf("%d changes seen after %.2f ms on average, %.1f ms at most\n", seen, sum / seen, worst);
    return 0;
}
