/* SPDX-License-Identifier: Apache-2.0 */
/* fill HOME COUNT [BYTES]: small files into a volume through the core: folders of a thousand in "full", and one of a tenth of them all. */
#include "pcloud/digest.h"
#include "pcloud/err.h"
#include "pcloud/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define FOLDER 1000
#define BYTES_MAX 65536

static unsigned char content[BYTES_MAX];

static void must(long rc, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "fill: %s: %s\n", what, pc_err_text((int)rc));
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t folder(struct pc_volume *v, uint64_t parent, const char *name)
{
    const struct pc_make make = {.mode = S_IFDIR | 0755};
    struct pc_attr attr;

    must(pc_make(v, parent, name, &make, &attr), name);
    return attr.ino;
}

static void file(struct pc_volume *v, uint64_t dir, unsigned long i, size_t bytes)
{
    const struct pc_make make = {.mode = S_IFREG | 0644};
    struct pc_attr attr;
    struct pc_file *f;
    char name[32];

    snprintf(name, sizeof(name), "f%07lu", i);
    must(pc_make(v, dir, name, &make, &attr), name);
    if (bytes == 0)
        return;
    memcpy(content, &i, sizeof(i));
    must(pc_file_open(v, attr.ino, O_WRONLY, &f), name);
    must(pc_file_write(f, content, bytes, 0), name);
    must(pc_file_close(f), name);
}

static void fill(struct pc_volume *v, unsigned long count, size_t bytes)
{
    unsigned long large = count / 10;
    uint64_t top = folder(v, PC_ROOT_INO, "full"), dir = 0;
    double begin = now();
    char name[32];

    for (unsigned long i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "d%05lu", i / FOLDER);
        if (i == count - large)
            dir = folder(v, top, "large");
        else if (i < count - large && i % FOLDER == 0)
            dir = folder(v, top, name);
        file(v, dir, i, bytes);
        if ((i + 1) % 100000 == 0)
            fprintf(stderr, "%lu files, %.0f a second\n", i + 1, (double)(i + 1) / (now() - begin));
    }
    must(pc_volume_sync(v), "sync");
}

int main(int argc, char **argv)
{
    unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    size_t bytes = argc > 3 ? strtoul(argv[3], NULL, 10) : 1024, len;
    struct pc_config *config;
    struct pc_volume *v;
    struct pc_home *home;
    struct pc_keys *keys;
    char *passphrase;

    if (count == 0 || bytes > BYTES_MAX) {
        fprintf(stderr, "usage: fill HOME COUNT [BYTES]\n");
        return 2;
    }
    pc_random(content, sizeof(content));
    must(pc_home_open(argv[1], &home), argv[1]);
    must(pc_config_load(home, &config), argv[1]);
    must(pc_passphrase_get(home, NULL, NULL, &passphrase, &len), argv[1]);
    must(pc_keys_open(home, passphrase, len, &keys), argv[1]);
    pc_passphrase_free(passphrase);
    must(pc_volume_open(home, keys, config, "bench", &v), argv[1]);
    pc_keys_close(keys);
    fill(v, count, bytes);
    must(pc_volume_close(v), "close");
    pc_config_free(config);
    pc_home_close(home);
    return 0;
}
