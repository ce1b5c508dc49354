/* SPDX-License-Identifier: Apache-2.0 */
/* Streaming into packs and reading back, beside what the disk and the cipher alone can do, in one run. */
#include "data/data.h"

#include "crypto/aead.h"
#include "crypto/idhash.h"
#include "data_rig.h"
#include "mem_meta.h"
#include "test_env.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PIECE (128u << 10)
#define POOL                                                                                       \
    (64u                                                                                           \
     << 20) /* reproducible bytes that are sent again and again, each round changed in every piece */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int r, const char *what)
{
    if (r < 0) {
        fprintf(stderr, "bench_pack: %s: %d\n", what, r);
        exit(1);
    }
}

static double report(const char *what, size_t bytes, double t, double ceiling)
{
    double rate = (double)bytes / 1e6 / t;

    printf("%-34s %8.0f MB/s", what, rate);
    if (ceiling > 0)
        printf("   %5.2f of its ceiling", rate / ceiling);
    printf("\n");
    fflush(stdout);
    return rate;
}

/* The ${i}th piece of a long content without repeats. */
static const uint8_t *piece(uint8_t *pool, size_t i)
{
    uint8_t *p = pool + i * PIECE % POOL;

    for (size_t at = 0; at < PIECE; at += 4096)
        memcpy(p + at, &i, sizeof i);
    return p;
}

static double bench_memcpy(uint8_t *pool)
{
    static uint8_t to[PIECE];
    double t = now();

    for (size_t i = 0; i < 16384; i++) {
        memcpy(to, pool + i * PIECE % POOL, PIECE);
        __asm__ volatile("" : : "r"(to) : "memory");
    }
    return report("memcpy", 16384ull * PIECE, now() - t, 0);
}

static double bench_mac(uint8_t *pool)
{
    static const struct idhash_keys keys = {{{1}, {2}}, {3}};
    uint8_t out[IDHASH_BYTES];
    struct idhash *h;
    double t;

    must(idhash_new(&h), "hash");
    t = now();
    for (size_t i = 0; i < POOL; i += 1u << 20)
        must(idhash_name(h, &keys, pool + i, 1u << 20, out), "hash");
    t = now() - t;
    idhash_free(h);
    return report("ids, one core", POOL, t, 0);
}

static double bench_seal(uint8_t *pool)
{
    uint8_t nonce[AEAD_NONCE_BYTES] = {0}, tag[AEAD_TAG_BYTES];
    static uint8_t out[DATA_SEGMENT];
    struct aead *a = aead_thread();
    double t;

    must(a ? aead_rekey(a, pool) : -1, "cipher");
    t = now();
    for (size_t i = 0; i < POOL; i += DATA_SEGMENT)
        aead_seal(a, nonce, NULL, 0, pool + i, DATA_SEGMENT, out, tag);
    return report("AES-256-GCM, one core", POOL, now() - t, 0);
}

static double bench_raw(struct data_rig *rig, uint8_t *pool, size_t bytes)
{
    char *path = test_path(rig->dir, "raw");
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    double t = now(), rate;

    must(fd, "open");
    for (size_t i = 0; i * PIECE < bytes; i++)
        must((int)pwrite(fd, piece(pool, i), PIECE, (off_t)(i * PIECE)), "write");
    must(fdatasync(fd), "sync");
    rate = report("raw write and fdatasync", bytes, now() - t, 0);
    close(fd);
    unlink(path);
    free(path);
    return rate;
}

static void bench_stream(struct data_rig *rig, uint8_t *pool, size_t bytes, double raw)
{
    struct meta_slice *slices;
    struct data_stream *s;
    static uint8_t out[PIECE];
    uint64_t read = 0;
    unsigned n;
    double t = now(), rate;

    must(data_stream_new(rig->data, 0, &s), "stream");
    for (size_t i = 0; i * PIECE < bytes; i++)
        must(data_stream_write(s, piece(pool, i), PIECE), "write");
    must(data_stream_finish(s, &slices, &n), "finish");
    rate = report("stream into packs", bytes, now() - t, 0);
    must(data_barrier(rig->data), "barrier");
    report("  with the barrier", bytes, now() - t, raw);
    printf("  %u blocks, %.0f KiB each\n", n, (double)bytes / n / 1024);
    for (unsigned i = 0; i < n; i++)
        must(mem_meta_commit(rig->meta, &slices[i].block), "commit");
    for (int ahead = 0; ahead < 2; ahead++) {
        t = now();
        read = 0;
        for (unsigned i = 0; i < n; i++) {
            for (uint32_t off = 0, len; off < slices[i].len; off += len, read += len) {
                len = slices[i].len - off < PIECE ? slices[i].len - off : PIECE;
                if (ahead && off == 0 && i + 1 < n)
                    for (unsigned j = 1; j < 4 && i + j < n; j++)
                        data_prefetch(rig->data, &slices[i + j].block, 1);
                must(data_get(rig->data, &slices[i].block, off, len, out), "read");
            }
        }
        report(ahead ? "read back with prefetch" : "read back, 128 KiB pieces", read, now() - t,
               rate);
    }
    t = now();
    uint64_t rng = 1;
    for (int i = 0; i < 20000; i++) {
        const struct meta_block *b = &slices[test_random(&rng) % n].block;

        must(data_get(rig->data, b, (uint32_t)(test_random(&rng) % (b->size - 4096)), 4096, out),
             "read");
    }
    printf("%-34s %8.0f /s\n", "random reads of 4 KiB", 20000 / (now() - t));
    data_stream_free(s);
}

static void bench_small(struct data_rig *rig, uint8_t *pool)
{
    struct meta_block b;
    double t = now();

    for (size_t i = 0; i < 20000; i++)
        must(data_put(rig->data, piece(pool, i) + 100, 8192, &b), "put");
    printf("%-34s %8.0f /s\n", "blocks of 8 KiB, one thread", 20000 / (now() - t));
}

/* bench_pack [MIB] [text]: default 1024 MiB of random bytes. */
int main(int argc, char **argv)
{
    size_t bytes = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1024) << 20;
    bool text = argc > 2;
    uint8_t *pool = malloc(POOL);
    struct data_rig rig;
    struct rusage ru;
    double raw;

    if (!pool)
        return 1;
    rig_fill(pool, POOL, 1, text);
    rig_new(&rig);
    rig.options.workers = 0;
    rig.options.cache_bytes = 16u << 20;
    rig.options.buffer_bytes = 16u << 20;
    must(rig_open(&rig), "open");
    bench_memcpy(pool);
    bench_mac(pool);
    bench_seal(pool);
    raw = bench_raw(&rig, pool, bytes);
    bench_stream(&rig, pool, bytes, raw);
    bench_small(&rig, pool);
    must(rig_close(&rig), "close");
    getrusage(RUSAGE_SELF, &ru);
    printf("memory at its highest: %ld MiB, of which %u are the content sent\n", ru.ru_maxrss >> 10,
           POOL >> 20);
    rig_free(&rig);
    free(pool);
    return 0;
}
