/* SPDX-License-Identifier: Apache-2.0 */
/* A metadata engine of its own for one test, and short forms of its operations. */
#include "test_meta.h"

#include "pcloud/err.h"
#include "test_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const uint8_t page_key[32] = {1, 2, 3};

static void must(int rc, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, pc_err_text(rc));
    abort();
}

static void open_it(struct test_meta *t)
{
    struct meta_options options = {.dir = t->dir, .page_key = page_key, .program = "test"};

    must(meta_open(&options, &t->m), "meta_open");
}

void test_meta_new(struct test_meta *t)
{
    t->dir = test_dir_new();
    must(meta_create(t->dir, page_key, 1000, 1000), "meta_create");
    open_it(t);
}

void test_meta_free(struct test_meta *t)
{
    if (!test_meta_clean(t->m))
        abort();
    must(meta_close(t->m), "meta_close");
    test_dir_free(t->dir);
}

void test_meta_reopen(struct test_meta *t)
{
    must(meta_close(t->m), "meta_close");
    open_it(t);
}

static void show(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "found: %s\n", text);
}

bool test_meta_clean(struct meta *m)
{
    const struct meta_watch watch = {.found = show};
    uint64_t problems = 0, repaired = 0;

    must(meta_check(m, false, &watch, &problems, &repaired), "meta_check");
    return problems == 0;
}

uint64_t test_file(struct meta *m, uint64_t parent, const char *name)
{
    struct pc_make make = {.mode = S_IFREG | 0644, .uid = 1000, .gid = 1000};
    struct pc_attr attr;

    must(m->node->make(m, parent, name, &make, &attr), name);
    return attr.ino;
}

uint64_t test_folder(struct meta *m, uint64_t parent, const char *name)
{
    struct pc_make make = {.mode = S_IFDIR | 0755, .uid = 1000, .gid = 1000};
    struct pc_attr attr;

    must(m->node->make(m, parent, name, &make, &attr), name);
    return attr.ino;
}

struct meta_key test_key(const char *bucket, const char *key)
{
    return (struct meta_key){.bucket = bucket, .key = key, .len = strlen(key)};
}

int test_put(struct meta *m, const char *bucket, const char *key, const char *text)
{
    struct meta_key k = test_key(bucket, key);
    struct meta_new content = {.size = strlen(text), .inline_data = text};
    char etag[PC_ETAG_MAX];
    unsigned bad;

    snprintf(etag, sizeof(etag), "etag-%.32s", text);
    return m->object->put(m, &k, &content, etag, NULL, NULL, NULL, &bad);
}

const char *test_etag(struct meta *m, const char *bucket, const char *key)
{
    static char etag[PC_ETAG_MAX];
    struct meta_key k = test_key(bucket, key);
    struct pc_object o;

    if (m->object->get(m, &k, &o) < 0)
        return NULL;
    memcpy(etag, o.etag, sizeof(etag));
    free((void *)(uintptr_t)o.headers.data);
    return etag;
}

struct meta_block test_block(uint64_t seed, uint32_t size, uint64_t pack, uint64_t off)
{
    struct meta_block b = {.size = size, .stored = size + 32, .pack = pack, .off = off};

    for (size_t i = 0; i < sizeof(b.id); i += sizeof(uint64_t)) {
        uint64_t r = test_random(&seed);

        memcpy(b.id + i, &r, sizeof(r));
    }
    return b;
}
