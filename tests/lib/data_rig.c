/* SPDX-License-Identifier: Apache-2.0 */
/* Making and removing what a test of the data path stands on. */
#include "data_rig.h"

#include "data/pack.h"
#include "mem_meta.h"
#include "pcloud/home.h"
#include "pcloud/keys.h"
#include "test_env.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct pc_keys *keys;

static void keys_free(void)
{
    pc_keys_close(keys);
}

/* One key ring for the whole program: making one is slow by design. */
static void keys_make(void)
{
    char words[PC_WORDS_MAX], *dir = test_dir_new(), *path = test_path(dir, "home");
    struct pc_home *home;

    if (pc_home_create(path, &home) < 0 || pc_keys_create(home, "x", 1, NULL, words, &keys) < 0)
        abort();
    pc_home_abandon(home);
    free(path);
    test_dir_free(dir);
    atexit(keys_free);
}

void rig_new(struct data_rig *rig)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, keys_make);
    memset(rig, 0, sizeof *rig);
    rig->dir = test_dir_new();
    rig->packs = test_path(rig->dir, "packs");
    if (mkdir(rig->packs, 0700) < 0)
        abort();
    rig->meta = mem_meta_new();
    rig->options = (struct data_options){
        .dir = rig->packs,
        .keys = keys,
        .meta = rig->meta,
        .workers = 2,
        .cache_bytes = 4u << 20,
        .buffer_bytes = 8u << 20,
        .dedup = true,
        .compress = true,
    };
}

int rig_open(struct data_rig *rig)
{
    return data_open(&rig->options, &rig->data);
}

int rig_close(struct data_rig *rig)
{
    int r = data_close(rig->data);

    rig->data = NULL;
    return r;
}

void rig_free(struct data_rig *rig)
{
    (void)rig_close(rig);
    mem_meta_free(rig->meta);
    free(rig->packs);
    test_dir_free(rig->dir);
}

char *rig_pack_path(const struct data_rig *rig, uint64_t id)
{
    char *path = malloc(PACK_PATH_MAX);

    if (!path || pack_path(rig->packs, id, path, PACK_PATH_MAX) < 0)
        abort();
    return path;
}

void rig_fill(void *buf, size_t len, uint64_t seed, bool text)
{
    static const char words[] = "the quick brown fox jumps over the lazy dog and ";
    uint8_t *p = buf;

    for (size_t i = 0; i < len;) {
        uint64_t r = test_random(&seed);

        if (text) {
            size_t at = r % 40, n = 1 + (r >> 8) % 8;

            for (size_t j = 0; j < n && i < len; j++)
                p[i++] = (uint8_t)words[at + j];
        } else {
            for (size_t j = 0; j < 8 && i < len; j++)
                p[i++] = (uint8_t)(r >> 8 * j);
        }
    }
}
