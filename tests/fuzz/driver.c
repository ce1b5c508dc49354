/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target without a fuzzing engine: its seeds, then a fixed number of mutations of them. */
#include "test_env.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_MAX 1024
#define INPUT_MAX_BYTES 65536
#define ROUNDS_DEFAULT 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seed {
    uint8_t *data;
    size_t size;
};

static struct seed seeds[SEEDS_MAX];
static size_t seed_count;

static void seed_add(const char *path)
{
    size_t size = 0;
    uint8_t *data = test_file_read(path, &size);

    if (!data)
        return;
    if (size > INPUT_MAX_BYTES || seed_count == SEEDS_MAX) {
        free(data);
        return;
    }
    seeds[seed_count++] = (struct seed){data, size};
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void seeds_load(const char *dir)
{
    struct dirent **names = NULL;
    int n = scandir(dir, &names, NULL, by_name);

    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.') {
            char *path = test_path(dir, names[i]->d_name);

            seed_add(path);
            free(path);
        }
        free(names[i]);
    }
    free(names);
}

static size_t splice(uint8_t *buf, size_t size, uint64_t *rng)
{
    const struct seed *other = &seeds[test_random(rng) % seed_count];
    size_t at = size ? (size_t)(test_random(rng) % size) : 0;
    size_t from = other->size ? (size_t)(test_random(rng) % other->size) : 0;
    size_t len = other->size - from;

    if (len > INPUT_MAX_BYTES - at)
        len = INPUT_MAX_BYTES - at;
    memcpy(buf + at, other->data + from, len);
    return at + len;
}

/* One of six small changes at a random place; returns the new size. */
static size_t mutate(uint8_t *buf, size_t size, uint64_t *rng)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff, '\n', '\r', '"', '%', '<', '/', '0'};
    uint64_t r = test_random(rng);
    size_t at = size ? (size_t)(r >> 16) % size : 0;

    switch (r % 6) {
    case 0:
        if (size)
            buf[at] ^= (uint8_t)(1u << (r >> 8) % 8);
        return size;
    case 1:
        if (size)
            buf[at] = edges[(r >> 8) % sizeof edges];
        return size;
    case 2:
        return at;
    case 3:
        if (size == 0)
            return 0;
        memmove(buf + at, buf + at + 1, size - at - 1);
        return size - 1;
    case 4:
        if (size == INPUT_MAX_BYTES)
            return size;
        memmove(buf + at + 1, buf + at, size - at);
        buf[at] = (uint8_t)(r >> 8);
        return size + 1;
    default:
        return splice(buf, size, rng);
    }
}

/* Each input lies in an allocation of its exact size, so that a sanitizer sees the first byte read beyond it. */
static void run_one(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        abort();
    if (size)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_mutations(unsigned long rounds)
{
    static uint8_t buf[INPUT_MAX_BYTES];
    uint64_t rng = 1;

    for (unsigned long i = 0; i < rounds; i++) {
        const struct seed *seed = &seeds[i % seed_count];
        size_t size = seed->size;
        uint64_t changes = 1 + test_random(&rng) % 4;

        if (size)
            memcpy(buf, seed->data, size);
        while (changes-- > 0)
            size = mutate(buf, size, &rng);
        run_one(buf, size);
    }
}

/* fuzz_X [FILE]...: the named inputs once each; without any, the seeds and mutations of $FUZZ_ROUNDS rounds. */
int main(int argc, char **argv)
{
    const char *src = getenv("top_srcdir");
    const char *env = getenv("FUZZ_ROUNDS");
    const char *name = strrchr(argv[0], '/');
    unsigned long rounds = env ? strtoul(env, NULL, 10) : ROUNDS_DEFAULT;
    char *dir;

    for (int i = 1; i < argc; i++)
        seed_add(argv[i]);
    if (argc == 1) {
        if (asprintf(&dir, "%s/tests/fuzz/corpus/%s", src ? src : ".", name ? name + 1 : argv[0]) <
            0)
            abort();
        seeds_load(dir);
        free(dir);
        if (seed_count == 0)
            seeds[seed_count++] = (struct seed){calloc(1, 1), 0};
    }
    for (size_t i = 0; i < seed_count; i++)
        run_one(seeds[i].data, seeds[i].size);
    if (argc == 1)
        run_mutations(rounds);
    printf("%zu seeds, %lu mutations\n", seed_count, argc == 1 ? rounds : 0);
    for (size_t i = 0; i < seed_count; i++)
        free(seeds[i].data);
    return 0;
}
