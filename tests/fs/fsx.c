/* SPDX-License-Identifier: Apache-2.0 */
/* fsx FILE SEED COUNT [nomap]: random operations on one file, compared with a copy in memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (6u << 20) /* bytes of the file: more than one block, less than a slow test */
#define STEP_MAX (300u << 10)
#define HISTORY 24

static unsigned char model[FILE_MAX], buf[FILE_MAX];
static size_t size; /* of the file, as it should be */
static int fd;
static const char *name;
static uint64_t state;
static char history[HISTORY][96];
static unsigned long done;

static uint32_t roll(uint32_t n)
{
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(state >> 33) % n;
}

static _Noreturn void fail(const char *what)
{
    printf("operation %lu: %s\nthe last operations:\n", done, what);
    for (unsigned long i = done > HISTORY ? done - HISTORY + 1 : 1; i <= done; i++)
        printf("  %lu %s\n", i, history[i % HISTORY]);
    exit(1);
}

static void check(bool good, const char *what)
{
    char text[200];

    if (good)
        return;
    snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
    fail(text);
}

static void __attribute__((format(printf, 1, 2))) note(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(history[++done % HISTORY], sizeof(history[0]), fmt, ap);
    va_end(ap);
}

/* Sizes and places that meet edges more often than chance would. */
static size_t pick(size_t max)
{
    static const uint32_t edges[] = {0, 1, 4095, 4096, 4097, 65536, 131072, 262144, 1048576};
    size_t n = roll(3) ? roll(STEP_MAX) : edges[roll(9)];

    if (roll(4) == 0)
        n = roll(5000);
    return max ? n % max : 0;
}

static size_t place(void)
{
    size_t at = roll(4) ? (size ? roll((uint32_t)size) : 0) : roll(FILE_MAX);

    return roll(3) ? at : at & ~(size_t)4095;
}

static void same(const unsigned char *got, size_t at, size_t len, const char *what)
{
    char text[160];

    for (size_t i = 0; i < len; i++) {
        if (got[i] == model[at + i])
            continue;
        snprintf(text, sizeof(text),
                 "%s: byte %zu is %02x, should be %02x (of %zu at %zu, size %zu)", what, at + i,
                 got[i], model[at + i], len, at, size);
        fail(text);
    }
}

static void fill(unsigned char *p, size_t len)
{
    unsigned kind = roll(4);

    for (size_t i = 0; i < len; i++)
        p[i] = (unsigned char)(kind == 0 ? done : kind == 1 ? i * done >> 3 : roll(256));
}

static void grow(size_t end)
{
    if (end > size)
        size = end;
}

static void do_write(void)
{
    size_t at = place(), len = pick(FILE_MAX - at);

    note("write %zu at %zu", len, at);
    fill(model + at, len);
    check(pwrite(fd, model + at, len, (off_t)at) == (ssize_t)len, "write");
    if (len)
        grow(at + len);
}

/* As a program that writes a file from the start, and then mends what it wrote before it closes it. */
static void do_burst(void)
{
    size_t at = roll(2) ? size : place(), pieces = roll(40), piece = 16384u << roll(4);

    note("burst of %zu times %zu at %zu", pieces, piece, at);
    for (; pieces && at + piece <= FILE_MAX; pieces--, at += piece) {
        fill(model + at, piece);
        check(pwrite(fd, model + at, piece, (off_t)at) == (ssize_t)piece, "write");
        grow(at + piece);
    }
    for (unsigned n = roll(4); n && size > 100; n--) {
        size_t mend = roll((uint32_t)size - 100), len = 1 + roll(100);

        fill(model + mend, len);
        check(pwrite(fd, model + mend, len, (off_t)mend) == (ssize_t)len, "mend");
    }
}

static void do_append(void)
{
    size_t len = pick(FILE_MAX - size);
    int end = open(name, O_WRONLY | O_APPEND);

    note("append %zu at %zu", len, size);
    check(end >= 0, "open to append");
    fill(model + size, len);
    check(write(end, model + size, len) == (ssize_t)len, "append");
    check(close(end) == 0, "close");
    size += len;
}

static void do_truncate(void)
{
    size_t to = roll(3) ? place() : pick(FILE_MAX);

    note("truncate %zu to %zu", size, to);
    check((roll(2) ? ftruncate(fd, (off_t)to) : truncate(name, (off_t)to)) == 0, "truncate");
    if (to < size)
        memset(model + to, 0, size - to);
    size = to;
}

static void do_read(void)
{
    size_t at = place(), len = pick(FILE_MAX - at), want = at < size ? size - at : 0;
    ssize_t n;

    note("read %zu at %zu", len, at);
    want = want < len ? want : len;
    n = pread(fd, buf, len, (off_t)at);
    check(n >= 0, "read");
    if ((size_t)n != want)
        fail("read: wrong length");
    same(buf, at, want, "read");
}

static void do_map(void)
{
    size_t at = place() & ~(size_t)4095, len;
    unsigned char *m;

    if (at >= size)
        return;
    len = 1 + pick(size - at);
    note("map %zu at %zu", len, at);
    m = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)at);
    check(m != MAP_FAILED, "mmap");
    if (roll(2)) {
        fill(model + at, len);
        memcpy(m, model + at, len);
        if (roll(2))
            check(msync(m, len, MS_SYNC) == 0, "msync");
    } else {
        same(m, at, len, "mapped");
    }
    check(munmap(m, len) == 0, "munmap");
}

static void do_space(void)
{
    static const int modes[] = {FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE,
                                FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0, FALLOC_FL_KEEP_SIZE};
    size_t at = place(), len = pick(FILE_MAX - at), end = at + len;
    int mode = modes[roll(5)];

    if (!len)
        return;
    note("fallocate %d: %zu at %zu", mode, len, at);
    check(fallocate(fd, mode, (off_t)at, (off_t)len) == 0, "fallocate");
    if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
        memset(model + at, 0, len);
    if (!(mode & FALLOC_FL_KEEP_SIZE))
        grow(end);
}

/* Moves parts of a file onto itself; not where they meet. */
static void do_copy(void)
{
    size_t from = place(), to = place(), len;
    loff_t in, out;

    if (from >= size)
        return;
    len = pick(size - from);
    if (to + len > FILE_MAX || (from < to + len && to < from + len))
        return;
    note("copy %zu from %zu to %zu", len, from, to);
    memcpy(model + to, model + from, len);
    in = (loff_t)from;
    out = (loff_t)to;
    for (size_t left = len; left;) {
        ssize_t n = copy_file_range(fd, &in, fd, &out, left, 0);

        check(n > 0, "copy_file_range");
        left -= (size_t)n;
    }
    if (len)
        grow(to + len);
}

static void do_sync(void)
{
    note("fsync");
    check(fsync(fd) == 0, "fsync");
}

static void do_reopen(void)
{
    note("close and open");
    check(close(fd) == 0, "close");
    fd = open(name, O_RDWR);
    check(fd >= 0, "open");
}

static void check_size(void)
{
    struct stat st;

    check(fstat(fd, &st) == 0, "fstat");
    if ((size_t)st.st_size != size) {
        char text[96];

        snprintf(text, sizeof(text), "the size is %lld, should be %zu", (long long)st.st_size,
                 size);
        fail(text);
    }
}

static void check_all(void)
{
    ssize_t n = pread(fd, buf, sizeof(buf), 0);

    check(n >= 0, "read all");
    if ((size_t)n != size)
        fail("read all: wrong length");
    same(buf, 0, size, "all");
}

int main(int argc, char **argv)
{
    static void (*const ops[])(void) = {do_write,    do_write,  do_write, do_burst, do_append,
                                        do_truncate, do_read,   do_read,  do_space, do_copy,
                                        do_sync,     do_reopen, do_map,   do_map};
    unsigned count = sizeof(ops) / sizeof(*ops);
    unsigned long limit;

    if (argc < 4) {
        fprintf(stderr, "usage: fsx FILE SEED COUNT [nomap]\n");
        return 2;
    }
    name = argv[1];
    state = strtoull(argv[2], NULL, 10) * 2 + 1;
    limit = strtoul(argv[3], NULL, 10);
    if (argc > 4 && strcmp(argv[4], "nomap") == 0)
        count -= 2;
    fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    check(fd >= 0, "open");
    for (unsigned long i = 0; i < limit; i++) {
        ops[roll(count)]();
        check_size();
        if (i % 50 == 49)
            check_all();
    }
    check_all();
    check(close(fd) == 0, "close");
    fd = open(name, O_RDONLY);
    check(fd >= 0, "open");
    check_all();
    printf("%lu operations, seed %s: the file is what it should be\n", done, argv[2]);
    return 0;
}
