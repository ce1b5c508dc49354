/* SPDX-License-Identifier: Apache-2.0 */
/* Content: reading, writing, holes, mappings, copies. */
#include "ops.h"

#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define BIG (9u << 20)

static unsigned char *bytes(size_t len, unsigned seed)
{
    unsigned char *p = malloc(len);

    CHECK(p != NULL);
    if (seed)
        ops_pattern(p, len, seed);
    else
        memset(p, 0, len);
    return p;
}

/* The file is exactly these bytes, read in odd pieces. */
static void holds(int fd, const unsigned char *want, size_t len)
{
    unsigned char *got = bytes(len + 1, 0);
    size_t at = 0;

    while (at < len + 1) {
        size_t piece = at % 3 ? 70001 : 4096;
        ssize_t n =
            OKAY(pread(fd, got + at, piece < len + 1 - at ? piece : len + 1 - at, (off_t)at));

        if (n == 0)
            break;
        at += (size_t)n;
    }
    SAME(at, len);
    CHECK(memcmp(got, want, len) == 0);
    free(got);
}

static void write_all(int fd, const unsigned char *p, size_t len, size_t piece)
{
    for (size_t at = 0; at < len; at += piece)
        SAME(write(fd, p + at, len - at < piece ? len - at : piece),
             len - at < piece ? len - at : piece);
}

static void sizes(void)
{
    static const size_t lens[] = {0, 1, 4095, 4096, 4097, 65536, 131071, 262144, 1048577, BIG};

    for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
        unsigned char *p = bytes(lens[i] + 1, 3);
        int fd = OKAY(open("f", O_CREAT | O_TRUNC | O_RDWR, 0644));

        write_all(fd, p, lens[i], 100003);
        SAME(ops_stat("f").st_size, lens[i]);
        holds(fd, p, lens[i]);
        OKAY(close(fd));
        fd = OKAY(open("f", O_RDONLY));
        holds(fd, p, lens[i]);
        OKAY(close(fd));
        free(p);
    }
}

static void overwrite_random(void)
{
    unsigned char *p = bytes(BIG, 5);
    unsigned char q[9000];
    int fd = OKAY(open("f", O_CREAT | O_RDWR, 0644));
    uint32_t x = 12345;

    write_all(fd, p, BIG, 1 << 20);
    for (unsigned i = 0; i < 300; i++) {
        size_t at, len;

        x = x * 1664525u + 1013904223u;
        at = (x >> 4) % BIG;
        len = 1 + x % sizeof(q);
        if (len > BIG - at)
            len = BIG - at;
        ops_pattern(q, len, i + 100);
        memcpy(p + at, q, len);
        SAME(pwrite(fd, q, len, (off_t)at), len);
        if (i % 100 == 50)
            OKAY(fsync(fd));
    }
    holds(fd, p, BIG);
    OKAY(close(fd));
    fd = OKAY(open("f", O_RDONLY));
    holds(fd, p, BIG);
    OKAY(close(fd));
    free(p);
}

static void truncates(void)
{
    unsigned char *p = bytes(300000, 9);
    int fd = OKAY(open("f", O_CREAT | O_RDWR, 0644));

    write_all(fd, p, 300000, 300000);
    OKAY(ftruncate(fd, 123457));
    SAME(ops_stat("f").st_size, 123457);
    holds(fd, p, 123457);
    OKAY(ftruncate(fd, 250000));
    memset(p + 123457, 0, 250000 - 123457);
    holds(fd, p, 250000);
    OKAY(close(fd));
    OKAY(truncate("f", 100));
    fd = OKAY(open("f", O_RDWR));
    holds(fd, p, 100);
    OKAY(truncate("f", 0));
    SAME(ops_stat("f").st_size, 0);
    OKAY(ftruncate(fd, 5000));
    memset(p, 0, 5000);
    holds(fd, p, 5000);
    FAILS(truncate("f", -1), EINVAL);
    FAILS(truncate("missing", 1), ENOENT);
    OKAY(close(fd));
    fd = OKAY(open("f", O_WRONLY | O_TRUNC));
    SAME(ops_stat("f").st_size, 0);
    OKAY(close(fd));
    free(p);
}

static void appends(void)
{
    int a = OKAY(open("f", O_CREAT | O_WRONLY | O_APPEND, 0644));
    int b = OKAY(open("f", O_WRONLY | O_APPEND));
    char want[4000] = "";
    size_t len = 0;

    for (int i = 0; i < 100; i++) {
        int n = snprintf(want + len, sizeof(want) - len, "line %d of %c\n", i, i % 2 ? 'b' : 'a');

        SAME(write(i % 2 ? b : a, want + len, (size_t)n), n);
        len += (size_t)n;
    }
    OKAY(close(a));
    SAME(pwrite(b, "!", 1, 0), 1); /* Linux appends even then */
    OKAY(close(b));
    snprintf(want + len, sizeof(want) - len, "!");
    ops_is("f", want);
}

static void appends_of_processes(void)
{
    char buf[64];
    long counts[4] = {0};
    FILE *f;

    for (int p = 0; p < 4; p++) {
        pid_t pid = OKAY(fork());

        if (pid == 0) {
            int fd = open("log", O_CREAT | O_WRONLY | O_APPEND, 0644);

            for (int i = 0; i < 200; i++) {
                int n = snprintf(buf, sizeof(buf), "%d %d end\n", p, i);

                if (write(fd, buf, (size_t)n) != n)
                    _exit(1);
            }
            _exit(close(fd));
        }
    }
    for (int p = 0; p < 4; p++) {
        int status;

        OKAY(wait(&status));
        SAME(status, 0);
    }
    f = fopen("log", "r");
    CHECK(f != NULL);
    while (fgets(buf, sizeof(buf), f)) {
        int p, i, n = 0;

        CHECK(sscanf(buf, "%d %d end%n", &p, &i, &n) == 2 && buf[n] == '\n');
        SAME(i, counts[p]);
        counts[p]++;
    }
    for (int p = 0; p < 4; p++)
        SAME(counts[p], 200);
    fclose(f);
}

static void sparse(void)
{
    unsigned char *zeros = bytes(1 << 20, 0);
    unsigned char back[16];
    off_t far = (off_t)5 << 30;
    struct stat st;
    int fd = OKAY(open("f", O_CREAT | O_RDWR, 0644));

    SAME(pwrite(fd, "end", 3, far), 3);
    OKAY(fsync(fd));
    OKAY(fstat(fd, &st));
    SAME(st.st_size, far + 3);
    CHECK(st.st_blocks < 4096);
    SAME(pread(fd, back, sizeof(back), 1 << 30), sizeof(back));
    CHECK(memcmp(back, zeros, sizeof(back)) == 0);
    SAME(pread(fd, back, sizeof(back), far), 3);
    CHECK(memcmp(back, "end", 3) == 0);
    OKAY(close(fd));
    free(zeros);
}

static void seek_holes(void)
{
    unsigned char *p = bytes(1 << 20, 4);
    int fd = OKAY(open("f", O_CREAT | O_RDWR, 0644));
    off_t data;

    SAME(pwrite(fd, p, 1 << 20, 4 << 20), 1 << 20);
    OKAY(ftruncate(fd, 16 << 20));
    OKAY(fsync(fd));
    data = OKAY(lseek(fd, 0, SEEK_DATA));
    CHECK(data > 0 && data <= 4 << 20);
    SAME(lseek(fd, 0, SEEK_HOLE), 0);
    SAME(lseek(fd, (4 << 20) + 5, SEEK_DATA), (4 << 20) + 5);
    CHECK(OKAY(lseek(fd, 4 << 20, SEEK_HOLE)) >= 5 << 20);
    FAILS(lseek(fd, 8 << 20, SEEK_DATA), ENXIO);
    SAME(lseek(fd, 8 << 20, SEEK_HOLE), 8 << 20);
    FAILS(lseek(fd, 17 << 20, SEEK_DATA), ENXIO);
    OKAY(close(fd));
    free(p);
}

static void allocate(void)
{
    unsigned char *p = bytes(1 << 20, 6);
    int fd = OKAY(open("f", O_CREAT | O_RDWR, 0644));

    OKAY(fallocate(fd, 0, 0, 100000));
    SAME(ops_stat("f").st_size, 100000);
    OKAY(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 1 << 20));
    SAME(ops_stat("f").st_size, 100000);
    SAME(pwrite(fd, p, 1 << 20, 0), 1 << 20);
    OKAY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10000, 500000));
    memset(p + 10000, 0, 500000);
    holds(fd, p, 1 << 20);
    OKAY(fallocate(fd, FALLOC_FL_ZERO_RANGE, 600001, 7000));
    memset(p + 600001, 0, 7000);
    holds(fd, p, 1 << 20);
    FAILS(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10), EOPNOTSUPP);
    FAILS(fallocate(fd, 0, -1, 10), EINVAL);
    OKAY(close(fd));
    free(p);
}

static void mapped(void)
{
    size_t len = 3 << 20;
    unsigned char *p = bytes(len, 8), *m;
    int fd = OKAY(open("f", O_CREAT | O_RDWR, 0644));

    write_all(fd, p, len, len);
    m = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(m != MAP_FAILED);
    CHECK(memcmp(m, p, len) == 0);
    for (size_t i = 0; i < len; i += 50021)
        m[i] = p[i] = (unsigned char)(i / 50021);
    holds(fd, p, len);
    SAME(pwrite(fd, "written", 7, 1 << 20), 7);
    memcpy(p + (1 << 20), "written", 7);
    CHECK(memcmp(m, p, len) == 0);
    OKAY(msync(m, len, MS_SYNC));
    OKAY(munmap(m, len));
    OKAY(close(fd));
    fd = OKAY(open("f", O_RDONLY));
    holds(fd, p, len);
    OKAY(close(fd));
    free(p);
}

/* Pages changed through a mapping reach the file without msync, too. */
static void mapped_unsynced(void)
{
    unsigned char *m;
    int fd = OKAY(open("f", O_CREAT | O_RDWR, 0644));
    unsigned char want[8192] = "hello";

    OKAY(ftruncate(fd, sizeof(want)));
    m = mmap(NULL, sizeof(want), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(m != MAP_FAILED);
    OKAY(close(fd));
    memcpy(m, want, sizeof(want));
    OKAY(munmap(m, sizeof(want)));
    fd = OKAY(open("f", O_RDONLY));
    holds(fd, want, sizeof(want));
    OKAY(close(fd));
}

static void copies(void)
{
    unsigned char *p = bytes(BIG, 11);
    int a = OKAY(open("a", O_CREAT | O_RDWR, 0644)), b = OKAY(open("b", O_CREAT | O_RDWR, 0644));
    off_t from = 1000, to = 77;
    size_t left = BIG - 1000;

    write_all(a, p, BIG, 1 << 20);
    while (left) {
        ssize_t n = OKAY(copy_file_range(a, &from, b, &to, left, 0));

        CHECK(n > 0);
        left -= (size_t)n;
    }
    memmove(p + 77, p + 1000, BIG - 1000);
    memset(p, 0, 77);
    holds(b, p, BIG - 1000 + 77);
    SAME(lseek(a, 0, SEEK_SET), 0);
    OKAY(ftruncate(b, 0));
    SAME(lseek(b, 0, SEEK_SET), 0);
    SAME(sendfile(b, a, NULL, 50000), 50000);
    ops_pattern(p, BIG, 11);
    holds(b, p, 50000);
    OKAY(close(a));
    OKAY(close(b));
    free(p);
}

static void direct(void)
{
    unsigned char *p = aligned_alloc(4096, 1 << 20), *q = aligned_alloc(4096, 1 << 20);
    int fd;

    CHECK(p && q);
    ops_pattern(p, 1 << 20, 12);
    fd = OKAY(open("f", O_CREAT | O_RDWR | O_DIRECT, 0644));
    SAME(pwrite(fd, p, 1 << 20, 0), 1 << 20);
    SAME(pwrite(fd, p, 8192, 4096), 8192);
    memmove(p + 4096, p, 8192);
    SAME(pread(fd, q, 1 << 20, 0), 1 << 20);
    ops_pattern(p, 1 << 20, 12);
    CHECK(memcmp(q, p, 4096) == 0 && memcmp(q + 4096, p, 8192) == 0);
    OKAY(close(fd));
    fd = OKAY(open("f", O_RDONLY));
    SAME(pread(fd, q + 12288, 4096, 12288), 4096);
    CHECK(memcmp(q + 12288, p + 12288, 4096) == 0);
    OKAY(close(fd));
    free(p);
    free(q);
}

static void *writer(void *arg)
{
    int fd = open("shared", O_RDWR);
    unsigned char block[5000];

    for (int i = 0; i < 60; i++) {
        off_t at = ((off_t)i * 4 + (off_t)(intptr_t)arg) * (off_t)sizeof(block);

        memset(block, (int)(intptr_t)arg + 1, sizeof(block));
        if (pwrite(fd, block, sizeof(block), at) != (ssize_t)sizeof(block))
            return arg;
    }
    close(fd);
    return NULL;
}

static void parallel_writers(void)
{
    unsigned char block[5000], want[5000];
    pthread_t t[4];
    int fd = OKAY(open("shared", O_CREAT | O_RDWR, 0644));

    for (intptr_t i = 0; i < 4; i++)
        SAME(pthread_create(&t[i], NULL, writer, (void *)i), 0);
    for (int i = 0; i < 4; i++)
        SAME(pthread_join(t[i], NULL), 0);
    for (int i = 0; i < 240; i++) {
        memset(want, i % 4 + 1, sizeof(want));
        SAME(pread(fd, block, sizeof(block), (off_t)i * (off_t)sizeof(block)), sizeof(block));
        CHECK(memcmp(block, want, sizeof(want)) == 0);
    }
    OKAY(close(fd));
}

#define CYCLE (640 << 10)

static atomic_bool cycling;

static void *reader(void *arg)
{
    char *buf = malloc(CYCLE);

    (void)arg;
    CHECK(buf);
    while (cycling) {
        int fd = OKAY(open("f", O_RDONLY));

        (void)!pread(fd, buf, CYCLE, 0);
        OKAY(close(fd));
    }
    free(buf);
    return NULL;
}

static void write_direct(aio_context_t aio, int fd, const void *buf, size_t len, off_t off)
{
    struct iocb cb = {.aio_lio_opcode = IOCB_CMD_PWRITE,
                      .aio_fildes = (unsigned)fd,
                      .aio_buf = (uintptr_t)buf,
                      .aio_nbytes = len,
                      .aio_offset = off},
                *list[] = {&cb};
    struct io_event event;

    SAME(syscall(SYS_io_submit, aio, 1, list), 1);
    SAME(syscall(SYS_io_getevents, aio, 1, 1, &event, NULL), 1);
    SAME(event.res, len);
}

/* What was written by io_submit is not hidden for ever by what others read meanwhile. */
static void direct_meanwhile(void)
{
    unsigned char *p = aligned_alloc(4096, CYCLE), *got = malloc(CYCLE);
    int fd = OKAY(open("f", O_CREAT | O_RDWR | O_DIRECT, 0644)), plain;
    aio_context_t aio = 0;
    pthread_t t;

    CHECK(p && got);
    OKAY(syscall(SYS_io_setup, 1, &aio));
    plain = OKAY(open("f", O_RDONLY));
    for (int round = 1; round <= 20; round++) {
        cycling = true;
        SAME(pthread_create(&t, NULL, reader, NULL), 0);
        for (int i = 0; i < 10; i++) {
            memset(p, round * 10 + i, CYCLE);
            write_direct(aio, fd, p, CYCLE, 0);
        }
        cycling = false;
        SAME(pthread_join(t, NULL), 0);
        for (int i = 0; i < 1000; i++) { /* a mount may need a moment */
            SAME(pread(plain, got, CYCLE, 0), CYCLE);
            if (memcmp(p, got, CYCLE) == 0)
                break;
            poll(NULL, 0, 5);
        }
        CHECK(memcmp(p, got, CYCLE) == 0);
    }
    OKAY(syscall(SYS_io_destroy, aio));
    OKAY(close(plain));
    OKAY(close(fd));
    free(p);
    free(got);
}

static void access_modes(void)
{
    char c = 'x';
    int fd = OKAY(open("f", O_CREAT | O_WRONLY, 0644));

    FAILS(read(fd, &c, 1), EBADF);
    OKAY(close(fd));
    fd = OKAY(open("f", O_RDONLY));
    FAILS(write(fd, &c, 1), EBADF);
    FAILS(ftruncate(fd, 0), EINVAL);
    SAME(read(fd, &c, 1), 0);
    OKAY(close(fd));
}

static void file_limit(void)
{
    int fd = OKAY(open("f", O_CREAT | O_RDWR, 0644));
    off_t edge = INT64_MAX - 4096;

    CHECK(pwrite(fd, "x", 1, edge) == 1 || errno == EFBIG);
    CHECK(lseek(fd, 0, SEEK_END) >= 0);
    /* the largest of all files, where there are such, to its last byte */
    if (ftruncate(fd, INT64_MAX) == 0) {
        char last = 0;

        SAME(ops_stat("f").st_size, INT64_MAX);
        SAME(pwrite(fd, "e", 1, INT64_MAX - 1), 1);
        SAME(pread(fd, &last, 1, INT64_MAX - 1), 1);
        SAME(last, 'e');
        FAILS(pwrite(fd, "over", 4, INT64_MAX - 1), EINVAL);
        SAME(ops_stat("f").st_size, INT64_MAX);
    }
    OKAY(ftruncate(fd, 1));
    SAME(ops_stat("f").st_size, 1);
    OKAY(close(fd));
}

const struct ops_case cases_data[] = {
    {"data_sizes", sizes, false},
    {"data_overwrite", overwrite_random, false},
    {"data_truncate", truncates, false},
    {"data_append", appends, false},
    {"data_append_processes", appends_of_processes, false},
    {"data_sparse", sparse, false},
    {"data_seek_hole", seek_holes, false},
    {"data_fallocate", allocate, false},
    {"data_mmap", mapped, false},
    {"data_mmap_unsynced", mapped_unsynced, false},
    {"data_copy", copies, false},
    {"data_direct", direct, false},
    {"data_direct_meanwhile", direct_meanwhile, false},
    {"data_parallel", parallel_writers, false},
    {"data_access_modes", access_modes, false},
    {"data_limit", file_limit, false},
    {NULL, NULL, false},
};
