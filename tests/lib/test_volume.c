/* SPDX-License-Identifier: Apache-2.0 */
/* A volume in a temporary home, for tests of everything above the engine. */
#include "test_volume.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pcloud/err.h"
#include "pcloud/upkeep.h"
#include "test_env.h"

#define PASSPHRASE "correct horse"

static void must(int rc, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "%s: %s (%s)\n", what, pc_err_text(rc), pc_err_name(rc));
    abort();
}

void test_volume_open(struct test_volume *t)
{
    must(pc_config_load(t->home, &t->config), "pc_config_load");
    must(pc_volume_open(t->home, t->keys, t->config, "test", &t->v), "pc_volume_open");
}

struct test_volume *test_volume_new(void)
{
    char words[PC_WORDS_MAX];
    struct test_volume *t = calloc(1, sizeof(*t));
    if (t == NULL)
        abort();
    setenv("PCLOUD_TEST_ARGON2", "min", 1);
    t->dir = test_dir_new();
    char *path = test_path(t->dir, "home");
    must(pc_home_create(path, &t->home), "pc_home_create");
    free(path);
    must(pc_keys_create(t->home, PASSPHRASE, sizeof(PASSPHRASE) - 1, NULL, words, &t->keys),
         "pc_keys_create");
    must(pc_volume_create(t->home, t->keys, getuid(), getgid()), "pc_volume_create");
    must(pc_home_commit(t->home), "pc_home_commit");
    test_volume_open(t);
    return t;
}

void test_volume_config(struct test_volume *t, const char *key, const char *value)
{
    must(pc_config_set(t->home, key, value), key);
}

void test_volume_close(struct test_volume *t)
{
    must(pc_volume_close(t->v), "pc_volume_close");
    pc_config_free(t->config);
}

void test_volume_reopen(struct test_volume *t)
{
    test_volume_close(t);
    test_volume_open(t);
}

struct pc_volume *test_volume_second(struct test_volume *t)
{
    struct pc_volume *v;
    must(pc_volume_open(t->home, t->keys, t->config, "second", &v), "pc_volume_open (second)");
    return v;
}

static void print_finding(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "fsck: %s\n", text);
}

uint64_t test_volume_fsck(struct test_volume *t)
{
    const struct pc_upkeep up = {.found = print_finding};
    struct pc_fsck_result r;
    must(pc_fsck(t->v, false, &up, &r), "pc_fsck");
    return r.problems;
}

void test_volume_free(struct test_volume *t)
{
    must(pc_volume_close(t->v), "pc_volume_close");
    pc_config_free(t->config);
    pc_keys_close(t->keys);
    pc_home_close(t->home);
    test_dir_free(t->dir);
    free(t);
}

int test_volume_set_up(void **state)
{
    *state = test_volume_new();
    return 0;
}

int test_volume_tear_down(void **state)
{
    test_volume_free(*state);
    return 0;
}
