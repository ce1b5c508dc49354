/* SPDX-License-Identifier: Apache-2.0 */
/* Times the core without its doors: files and objects of 4 KiB, one long file, listing; operations or megabytes a second. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "pcloud/err.h"
#include "pcloud/file.h"
#include "pcloud/object.h"
#include "test_env.h"
#include "test_volume.h"
#include "volume/volume.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Processor time of this process; of a wait that others share the rest says little. */
static double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(long rc, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, pc_err_text((int)rc));
    exit(1);
}

static void report(const char *what, double start, double count, const char *unit)
{
    double s = now() - start;
    printf("%-32s %12.0f %s\n", what, count / s, unit);
    fflush(stdout);
}

static uint64_t make_folder(struct pc_volume *v, const char *name)
{
    struct pc_attr attr;
    const struct pc_make make = {.mode = S_IFDIR | 0755};
    must(pc_make(v, PC_ROOT_INO, name, &make, &attr), "pc_make");
    return attr.ino;
}

static void files(struct pc_volume *v, unsigned n)
{
    char name[32], buf[4096];
    struct pc_attr attr;
    struct pc_file *f;
    uint64_t dir = make_folder(v, "files");
    const struct pc_make make = {.mode = S_IFREG | 0644};
    double t = now();
    for (unsigned i = 0; i < n; i++) {
        memset(buf, (int)i, sizeof(buf));
        snprintf(name, sizeof(name), "f%07u", i);
        must(pc_make(v, dir, name, &make, &attr), "pc_make");
        must(pc_file_open(v, attr.ino, O_WRONLY, &f), "pc_file_open");
        must(pc_file_write(f, buf, sizeof(buf), 0), "pc_file_write");
        must(pc_file_close(f), "pc_file_close");
    }
    must(pc_volume_sync(v), "pc_volume_sync");
    report("create 4 KiB", t, n, "/s");
    t = now();
    for (unsigned i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "f%07u", (unsigned)((uint64_t)i * 7919 % n));
        must(pc_lookup(v, dir, name, &attr), "pc_lookup");
    }
    report("lookup", t, n, "/s");
    t = now();
    for (unsigned i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "f%07u", (unsigned)((uint64_t)i * 7919 % n));
        must(pc_lookup(v, dir, name, &attr), "pc_lookup");
        must(pc_file_open(v, attr.ino, O_RDONLY, &f), "pc_file_open");
        must(pc_file_read(f, buf, sizeof(buf), 0), "pc_file_read");
        must(pc_file_close(f), "pc_file_close");
    }
    report("lookup, open, read, close", t, n, "/s");
}

static int count(void *arg, const struct pc_list_entry *e)
{
    (void)e;
    ++*(unsigned *)arg;
    return 0;
}

static void objects(struct pc_volume *v, unsigned n)
{
    char key[32], buf[4096];
    must(pc_bucket_create(v, "objects", ""), "pc_bucket_create");
    double t = now();
    for (unsigned i = 0; i < n; i++) {
        struct pc_put *p;
        memset(buf, (int)i, sizeof(buf));
        snprintf(key, sizeof(key), "k%07u", i);
        must(pc_put_begin(v, &p), "pc_put_begin");
        must(pc_put_write(p, buf, sizeof(buf)), "pc_put_write");
        must(pc_put_commit(p, "objects", key, strlen(key), "00000000000000000000000000000000", NULL,
                           NULL, NULL),
             "pc_put_commit");
    }
    report("put 4 KiB, durable, one thread", t, n, "/s");
    t = now();
    for (unsigned i = 0; i < n; i++) {
        struct pc_object o;
        struct pc_reader *r;
        snprintf(key, sizeof(key), "k%07u", (unsigned)((uint64_t)i * 7919 % n));
        must(pc_reader_open(v, "objects", key, strlen(key), &o, &r), "pc_reader_open");
        must(pc_reader_read(r, buf, sizeof(buf), 0), "pc_reader_read");
        pc_reader_close(r);
        pc_object_fini(&o);
    }
    report("get 4 KiB", t, n, "/s");
    const struct pc_list list = {.prefix = "", .delimiter = "", .after = "", .max = PC_LIST_MAX};
    unsigned seen = 0;
    bool truncated;
    t = now();
    for (unsigned i = 0; i < 100; i++)
        must(pc_list(v, "objects", &list, count, &seen, &truncated), "pc_list");
    report("list, 1,000 a page", t, seen, "keys/s");
}

static void long_file(struct pc_volume *v, unsigned mib)
{
    const size_t piece = 1u << 20;
    uint8_t *buf = malloc(piece);
    struct pc_attr attr;
    struct pc_file *f;
    uint64_t rng = 42;
    if (buf == NULL)
        exit(1);
    const struct pc_make make = {.mode = S_IFREG | 0644};
    must(pc_make(v, PC_ROOT_INO, "long", &make, &attr), "pc_make");
    must(pc_file_open(v, attr.ino, O_RDWR, &f), "pc_file_open");
    for (size_t i = 0; i < piece; i += 8) {
        uint64_t r = test_random(&rng);
        memcpy(buf + i, &r, 8);
    }
    double t = now();
    for (unsigned i = 0; i < mib; i++) {
        for (size_t k = 0; k < piece; k += 512)
            memcpy(buf + k, &i, sizeof(i));
        must(pc_file_write(f, buf, piece, (uint64_t)i * piece), "pc_file_write");
    }
    must(pc_file_sync(f), "pc_file_sync");
    report("sequential write and sync", t, mib, "MiB/s");
    t = now();
    for (unsigned i = 0; i < mib; i++)
        must(pc_file_read(f, buf, piece, (uint64_t)i * piece), "pc_file_read");
    report("sequential read", t, mib, "MiB/s");
    const unsigned rounds = 20000;
    t = now();
    for (unsigned i = 0; i < rounds; i++)
        must(pc_file_read(f, buf, 4096, test_random(&rng) % ((uint64_t)mib << 8) << 12),
             "pc_file_read");
    report("random read 4 KiB", t, rounds, "/s");
    t = now();
    for (unsigned i = 0; i < rounds; i++)
        must(pc_file_write(f, buf, 4096, test_random(&rng) % ((uint64_t)mib << 8) << 12),
             "pc_file_write");
    must(pc_file_sync(f), "pc_file_sync");
    report("random write 4 KiB, sync at end", t, rounds, "/s");
    must(pc_file_close(f), "pc_file_close");
    free(buf);
}

static void long_upload(struct pc_volume *v, struct meta_block block, unsigned n)
{
    const struct meta_object_ops *object = v->meta->object;
    const struct meta_key k = {.bucket = "objects", .key = "parts", .len = 5};
    struct pc_part *parts = calloc(n, sizeof(*parts));
    struct meta_slice s[2] = {{.len = 4u << 20}, {.pos = 4u << 20, .len = 1u << 20}};
    const struct meta_new content = {.size = 5u << 20, .slices = s, .n = 2};
    char id[PC_UPLOAD_ID_MAX];
    unsigned bad;
    if (parts == NULL)
        exit(1);
    block.size = 4u << 20;
    block.id[0] = 8;
    s[0].block = s[1].block = block;
    must(object->upload_create(v->meta, &k, "", NULL, id), "upload_create");
    for (unsigned i = 0; i < n; i++) {
        parts[i] = (struct pc_part){.number = i + 1, .etag = "e"};
        must(object->part_put(v->meta, &k, id, &content, &parts[i], &bad), "part_put");
    }
    must(meta_flush(v->meta), "flush");
    double t = now(), c = cpu();
    must(object->upload_complete(v->meta, &k, id, parts, n, "e", NULL, NULL, NULL), "complete");
    must(meta_flush(v->meta), "flush");
    printf("complete %u parts: %.0f ms, %.0f of processor\n", n, (now() - t) * 1e3,
           (cpu() - c) * 1e3);
    free(parts);
}

/* How long every other writer waits for the longest single operations. */
static void waits(struct pc_volume *v, unsigned slices, unsigned folders)
{
    const struct meta_content_ops *content = v->meta->content;
    struct meta_slice s[1000];
    struct pc_attr attr = {.size = 4096};
    struct meta_block block = {.size = 4096, .stored = 4096, .off = 4096, .id = {7}};
    uint64_t dir;
    char name[32];
    unsigned bad;
    must(content->pack_new(v->meta, &block.pack), "pack_new");
    const struct pc_make make = {.mode = S_IFREG | 0644};
    must(pc_make(v, PC_ROOT_INO, "slices", &make, &attr), "pc_make");
    for (unsigned i = 0; i < slices; i += 1000) {
        for (unsigned k = 0; k < 1000; k++)
            s[k] =
                (struct meta_slice){.pos = (uint64_t)(i + k) * 4096, .len = 4096, .block = block};
        must(content->write(v->meta, attr.ino, s, 1000, 0, 0, &bad), "write");
    }
    must(meta_flush(v->meta), "flush");
    double t = now(), c = cpu();
    attr.size = 4096;
    must(pc_setattr(v, attr.ino, PC_SET_SIZE, &attr, NULL), "pc_setattr");
    must(meta_flush(v->meta), "flush");
    printf("truncate %u slices: %.0f ms, %.0f of processor\n", slices, (now() - t) * 1e3,
           (cpu() - c) * 1e3);
    long_upload(v, block, 10000);
    must(pc_bucket_create(v, "folders", ""), "pc_bucket_create");
    must(pc_lookup(v, PC_ROOT_INO, "folders", &attr), "pc_lookup");
    dir = attr.ino;
    const struct pc_make sub = {.mode = S_IFDIR | 0755};
    for (unsigned i = 0; i < folders; i++) {
        snprintf(name, sizeof(name), "d%u", i);
        must(pc_make(v, dir, name, &sub, &attr), "pc_make");
    }
    t = now(), c = cpu();
    must(pc_bucket_delete(v, "folders"), "pc_bucket_delete");
    printf("delete a bucket of %u folders in steps of 256: %.0f ms, %.0f of processor\n", folders,
           (now() - t) * 1e3, (cpu() - c) * 1e3);
}

int main(int argc, char **argv)
{
    unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20000;
    struct test_volume *t = test_volume_new();
    files(t->v, n);
    objects(t->v, n);
    long_file(t->v, 512);
    waits(t->v, 100000, 100000);
    test_volume_free(t);
    return 0;
}
