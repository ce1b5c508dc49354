/* SPDX-License-Identifier: Apache-2.0 */
/* Open files: random reads, writes, truncations, holes and copies against bytes in memory, across flush, sync and reopen. */
#include "pcloud/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "test_env.h"
#include "test_volume.h"

#define SPACE (6u << 20)

struct model {
    uint8_t *byte;
    uint64_t size;
};

static uint64_t make_file(struct pc_volume *v, const char *name)
{
    struct pc_attr attr;
    const struct pc_make make = {.mode = S_IFREG | 0644};
    assert_int_equal(pc_make(v, PC_ROOT_INO, name, &make, &attr), 0);
    return attr.ino;
}

static struct pc_file *open_file(struct pc_volume *v, uint64_t ino)
{
    struct pc_file *f;
    assert_int_equal(pc_file_open(v, ino, O_RDWR, &f), 0);
    return f;
}

static void check_content(struct pc_file *f, const struct model *m)
{
    struct pc_attr attr;
    assert_int_equal(pc_file_attr(f, &attr), 0);
    assert_int_equal(attr.size, m->size);
    uint8_t *got = malloc(SPACE);
    assert_non_null(got);
    assert_int_equal(pc_file_read(f, got, SPACE, 0), m->size);
    assert_memory_equal(got, m->byte, m->size);
    free(got);
}

static size_t random_length(uint64_t *rng)
{
    static const size_t scale[] = {16, 4096, 5000, 70000, 300000, 1500000};
    return 1 + test_random(rng) % scale[test_random(rng) % 6];
}

static void do_write(struct pc_file *f, struct model *m, uint64_t *rng, uint64_t off, size_t len)
{
    uint8_t *buf = malloc(len);
    assert_non_null(buf);
    for (size_t i = 0; i < len; i++)
        buf[i] = (uint8_t)(test_random(rng) >> (i % 3 == 0 ? 0 : 60));
    assert_int_equal(pc_file_write(f, buf, len, off), len);
    memcpy(m->byte + off, buf, len);
    if (off + len > m->size)
        m->size = off + len;
    free(buf);
}

static void do_truncate(struct pc_volume *v, uint64_t ino, struct model *m, uint64_t size)
{
    const struct pc_attr in = {.size = size};
    assert_int_equal(pc_setattr(v, ino, PC_SET_SIZE, &in, NULL), 0);
    if (size < m->size)
        memset(m->byte + size, 0, m->size - size);
    m->size = size;
}

static void do_hole(struct pc_file *f, struct model *m, uint64_t off, size_t len, int mode)
{
    assert_int_equal(pc_file_fallocate(f, mode, off, len), 0);
    if (mode != 0)
        memset(m->byte + off, 0, len);
    if ((mode & FALLOC_FL_KEEP_SIZE) == 0 && off + len > m->size)
        m->size = off + len;
}

static void do_copy(struct pc_file *f, struct model *m, uint64_t *rng)
{
    if (m->size < 2)
        return;
    uint64_t from = test_random(rng) % (m->size / 2);
    size_t len = 1 + test_random(rng) % (size_t)(m->size / 2 - from);
    uint64_t to = m->size / 2 + test_random(rng) % (SPACE - m->size / 2 - len);
    assert_int_equal(pc_file_copy(f, from, f, to, len), len);
    memmove(m->byte + to, m->byte + from, len);
    if (to + len > m->size)
        m->size = to + len;
}

static void one_step(struct test_volume *t, struct pc_file **f, uint64_t ino, struct model *m,
                     uint64_t *rng)
{
    size_t len = random_length(rng);
    uint64_t off = test_random(rng) % (SPACE - len);
    switch (test_random(rng) % 14) {
    case 0:
        do_truncate(t->v, ino, m, test_random(rng) % 3 == 0 ? test_random(rng) % 5000 : off);
        break;
    case 1:
        do_hole(*f, m, off, len, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
        if (off + len > m->size && off < m->size)
            memset(m->byte + off, 0, m->size - off);
        break;
    case 2:
        do_hole(*f, m, off, len, test_random(rng) % 2 ? 0 : FALLOC_FL_ZERO_RANGE);
        break;
    case 3:
        do_copy(*f, m, rng);
        break;
    case 4:
        assert_int_equal(test_random(rng) % 2 ? pc_file_flush(*f) : pc_file_sync(*f), 0);
        break;
    case 5:
        assert_int_equal(pc_file_close(*f), 0);
        if (test_random(rng) % 4 == 0)
            test_volume_reopen(t);
        *f = open_file(t->v, ino);
        break;
    case 6:
    case 7: /* append in pieces, as a log does */
        for (int i = 0; i < 5 && m->size + len < SPACE; i++)
            do_write(*f, m, rng, m->size, len);
        break;
    default:
        do_write(*f, m, rng, off, len);
    }
}

static void random_against_model(void **state)
{
    struct test_volume *t = *state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        char name[32];
        snprintf(name, sizeof(name), "file-%d", (int)seed);
        struct model m = {.byte = calloc(1, SPACE + 1)};
        assert_non_null(m.byte);
        uint64_t rng = seed, ino = make_file(t->v, name);
        struct pc_file *f = open_file(t->v, ino);
        for (int i = 0; i < 60; i++) {
            one_step(t, &f, ino, &m, &rng);
            check_content(f, &m);
        }
        assert_int_equal(pc_file_close(f), 0);
        free(m.byte);
    }
    assert_int_equal(test_volume_fsck(t), 0);
}

static void sequential_and_again(void **state)
{
    struct test_volume *t = *state;
    const size_t total = 20u << 20, piece = 1u << 17;
    uint8_t *buf = malloc(piece), *got = malloc(piece);
    assert_non_null(buf);
    assert_non_null(got);
    uint64_t ino = make_file(t->v, "long");
    struct pc_file *f = open_file(t->v, ino);
    for (size_t off = 0; off < total; off += piece) {
        uint64_t rng = off + 1;
        for (size_t i = 0; i < piece; i += 8) {
            uint64_t r = test_random(&rng);
            memcpy(buf + i, &r, 8);
        }
        assert_int_equal(pc_file_write(f, buf, piece, off), piece);
    }
    assert_int_equal(pc_file_close(f), 0);
    test_volume_reopen(t);
    f = open_file(t->v, ino);
    for (size_t off = 0; off < total; off += piece) {
        uint64_t rng = off + 1;
        assert_int_equal(pc_file_read(f, got, piece, off), piece);
        for (size_t i = 0; i < piece; i += 8) {
            uint64_t r = test_random(&rng);
            assert_memory_equal(got + i, &r, 8);
        }
    }
    assert_int_equal(pc_file_read(f, got, piece, total), 0);
    assert_int_equal(pc_file_close(f), 0);
    free(buf);
    free(got);
}

/* A write into what is still streaming makes the stream end first; it is unwritten data of its own then. */
static void patched_while_streaming(void **state)
{
    struct test_volume *t = *state;
    static uint8_t piece[65536], got[7];
    uint64_t ino = make_file(t->v, "patched");
    struct pc_file *f = open_file(t->v, ino);
    uint64_t rng = 77;

    for (unsigned i = 0; i < 24; i++) {
        for (size_t k = 0; k < sizeof(piece); k++)
            piece[k] = (uint8_t)test_random(&rng);
        assert_int_equal(pc_file_write(f, piece, sizeof(piece), i * sizeof(piece)), sizeof(piece));
    }
    assert_int_equal(pc_file_write(f, "patched", 7, 700001), 7);
    assert_int_equal(pc_file_read(f, got, 7, 700001), 7);
    assert_memory_equal(got, "patched", 7);
    assert_int_equal(pc_file_sync(f), 0);
    assert_int_equal(pc_file_close(f), 0);
    f = open_file(t->v, ino);
    assert_int_equal(pc_file_read(f, got, 7, 700001), 7);
    assert_memory_equal(got, "patched", 7);
    assert_int_equal(pc_file_close(f), 0);
}

static void unlinked_while_open(void **state)
{
    struct test_volume *t = *state;
    uint8_t got[8];
    struct pc_attr attr;
    uint64_t ino = make_file(t->v, "gone");
    struct pc_file *f = open_file(t->v, ino);
    assert_int_equal(pc_file_write(f, "before", 6, 0), 6);
    assert_int_equal(pc_unlink(t->v, PC_ROOT_INO, "gone"), 0);
    assert_int_equal(pc_lookup(t->v, PC_ROOT_INO, "gone", &attr), -ENOENT);
    assert_int_equal(pc_file_write(f, "after!", 6, 2), 6);
    assert_int_equal(pc_file_flush(f), 0);
    assert_int_equal(pc_file_read(f, got, 8, 0), 8);
    assert_memory_equal(got, "beafter!", 8);
    assert_int_equal(pc_file_attr(f, &attr), 0);
    assert_int_equal(attr.nlink, 0);
    assert_int_equal(pc_file_close(f), 0);
    test_volume_reopen(t);
    assert_int_equal(test_volume_fsck(t), 0);
    struct pc_attr after;
    assert_int_equal(pc_getattr(t->v, ino, &after), -ENOENT);
}

/* A file without a name: nobody's but its handle's, unless it gets one in time. */
static void made_without_a_name(void **state)
{
    struct test_volume *t = *state;
    const struct pc_make make = {.mode = S_IFREG | 0640}, folder = {.mode = S_IFDIR | 0755};
    struct pc_volume *other = test_volume_second(t);
    struct pc_volume_stat none, one;
    struct pc_attr attr, lost;
    struct pc_file *f, *g;
    char buf[16];

    assert_int_equal(pc_volume_stat(t->v, &none), 0);
    assert_int_equal(pc_file_make(t->v, PC_ROOT_INO, NULL, &folder, O_RDWR, &attr, &f), -EINVAL);
    assert_int_equal(pc_file_make(t->v, 4711, NULL, &make, O_RDWR, &attr, &f), -ENOENT);
    assert_int_equal(pc_file_make(t->v, PC_ROOT_INO, NULL, &make, O_RDWR, &attr, &f), 0);
    assert_int_equal(pc_file_make(t->v, PC_ROOT_INO, NULL, &make, O_RDWR, &lost, &g), 0);
    assert_int_equal(attr.nlink, 0);
    assert_int_equal(pc_file_write(f, "kept", 4, 0), 4);
    assert_int_equal(pc_file_flush(f), 0);
    assert_int_equal(pc_file_write(g, "gone", 4, 0), 4);
    assert_int_equal(pc_volume_stat(t->v, &one), 0);
    assert_int_equal(one.files, none.files);
    assert_int_equal(one.bytes, none.bytes);
    /* another process that cleans up leaves it alone */
    assert_int_equal(pc_volume_close(other), 0);
    assert_int_equal(pc_getattr(t->v, attr.ino, &attr), 0);
    assert_int_equal(test_volume_fsck(t), 0);

    assert_int_equal(pc_link(t->v, attr.ino, PC_ROOT_INO, "named", &attr), 0);
    assert_int_equal(attr.nlink, 1);
    assert_int_equal(attr.size, 4);
    assert_int_equal(pc_volume_stat(t->v, &one), 0);
    assert_int_equal(one.files, none.files + 1);
    assert_int_equal(one.bytes, none.bytes + 4);
    assert_int_equal(pc_file_close(f), 0);
    assert_int_equal(pc_file_close(g), 0);
    test_volume_reopen(t);
    assert_int_equal(test_volume_fsck(t), 0);
    assert_int_equal(pc_getattr(t->v, lost.ino, &lost), -ENOENT);
    assert_int_equal(pc_lookup(t->v, PC_ROOT_INO, "named", &attr), 0);
    assert_int_equal(pc_file_open(t->v, attr.ino, O_RDONLY, &f), 0);
    assert_int_equal(pc_file_read(f, buf, sizeof(buf), 0), 4);
    assert_memory_equal(buf, "kept", 4);

    /* one that had a name and lost it does not come back */
    assert_int_equal(pc_unlink(t->v, PC_ROOT_INO, "named"), 0);
    assert_int_equal(pc_link(t->v, attr.ino, PC_ROOT_INO, "again", &attr), -ENOENT);
    assert_int_equal(pc_file_close(f), 0);
    assert_int_equal(test_volume_fsck(t), 0);
}

static void made_open_and_patched_short(void **state)
{
    struct test_volume *t = *state;
    const struct pc_make make = {.mode = S_IFREG | 0640}, folder = {.mode = S_IFDIR | 0755};
    struct pc_file *f, *g;
    struct pc_attr attr;
    char buf[32];

    assert_int_equal(pc_file_make(t->v, PC_ROOT_INO, "short", &folder, O_RDWR, &attr, &f), -EINVAL);
    assert_int_equal(pc_file_make(t->v, PC_ROOT_INO, "short", &make, O_RDWR, &attr, &f), 0);
    assert_int_equal(pc_file_make(t->v, PC_ROOT_INO, "short", &make, O_RDWR, &attr, &g), -EEXIST);
    assert_int_equal(attr.mode, S_IFREG | 0640);
    assert_int_equal(pc_file_write(f, "0123456789", 10, 0), 10);
    assert_int_equal(pc_file_flush(f), 0);
    /* what is written covers the start of the file only */
    assert_int_equal(pc_file_write(f, "ab", 2, 0), 2);
    assert_int_equal(pc_file_flush(f), 0);
    assert_int_equal(pc_file_read(f, buf, sizeof(buf), 0), 10);
    assert_memory_equal(buf, "ab23456789", 10);
    /* nor from the start on */
    assert_int_equal(pc_file_write(f, "cd", 2, 11), 2);
    assert_int_equal(pc_file_flush(f), 0);
    assert_int_equal(pc_file_read(f, buf, sizeof(buf), 0), 13);
    assert_memory_equal(buf, "ab23456789\0cd", 13);
    assert_int_equal(pc_file_close(f), 0);
}

static void two_parts_see_each_other(void **state)
{
    struct test_volume *t = *state;
    struct pc_volume *other = test_volume_second(t);
    uint8_t got[16];
    struct pc_attr attr;
    uint64_t ino = make_file(t->v, "shared");
    assert_int_equal(pc_lookup(other, PC_ROOT_INO, "shared", &attr), 0);
    assert_int_equal(attr.ino, ino);
    struct pc_file *f = open_file(t->v, ino);
    struct pc_file *g = open_file(other, ino);
    for (int i = 0; i < 50; i++) {
        char text[16];
        int len = snprintf(text, sizeof(text), "round %d", i);
        assert_int_equal(pc_file_write(f, text, (size_t)len, 0), len);
        assert_int_equal(pc_file_flush(f), 0);
        assert_int_equal(pc_file_read(g, got, (size_t)len, 0), len);
        assert_memory_equal(got, text, (size_t)len);
    }
    assert_int_equal(pc_file_close(f), 0);
    assert_int_equal(pc_file_close(g), 0);
    assert_int_equal(pc_volume_close(other), 0);
}

struct flushing {
    struct pc_file *f;
    atomic_bool stop;
};

static void *flush_on(void *arg)
{
    struct flushing *w = arg;

    while (!atomic_load(&w->stop) && pc_file_flush(w->f) == 0)
        ;
    return NULL;
}

static int look(void *arg, const char *name, const struct pc_attr *attr, uint64_t next_off)
{
    (void)next_off;
    if (strcmp(name, "grows") == 0)
        *(uint64_t *)arg = attr->size;
    return 0;
}

/* What was written a moment ago is in every answer, also while it is on its way from memory to the engine. */
static void a_size_never_falls_behind(void **state)
{
    struct test_volume *t = *state;
    uint64_t ino = make_file(t->v, "grows"), listed;
    struct flushing w = {.f = open_file(t->v, ino)};
    struct pc_file *f = open_file(t->v, ino);
    struct pc_attr attr;
    struct pc_dir *d;
    pthread_t thread;

    assert_int_equal(pc_dir_open(t->v, PC_ROOT_INO, &d), 0);
    assert_int_equal(pthread_create(&thread, NULL, flush_on, &w), 0);
    for (uint64_t size = 0; size < 2500; size++) {
        assert_int_equal(pc_file_write(f, "x", 1, size), 1);
        if (size % 3 == 0)
            assert_int_equal(pc_getattr(t->v, ino, &attr), 0);
        else if (size % 3 == 1)
            assert_int_equal(pc_lookup(t->v, PC_ROOT_INO, "grows", &attr), 0);
        else
            assert_int_equal(pc_dir_read(d, 0, look, &listed), 0);
        assert_int_equal(size % 3 == 2 ? listed : attr.size, size + 1);
    }
    atomic_store(&w.stop, true);
    pthread_join(thread, NULL);
    pc_dir_close(d);
    assert_int_equal(pc_file_close(w.f), 0);
    assert_int_equal(pc_file_close(f), 0);
}

static void holes(void **state)
{
    struct test_volume *t = *state;
    uint64_t ino = make_file(t->v, "sparse");
    struct pc_file *f = open_file(t->v, ino);
    const uint64_t far = 1ull << 40;
    assert_int_equal(pc_file_write(f, "x", 1, far), 1);
    assert_int_equal(pc_file_seek(f, 0, SEEK_DATA), far);
    assert_int_equal(pc_file_seek(f, 0, SEEK_HOLE), 0);
    assert_int_equal(pc_file_seek(f, far, SEEK_HOLE), far + 1);
    assert_int_equal(pc_file_seek(f, far + 1, SEEK_DATA), -ENXIO);
    struct pc_attr attr;
    assert_int_equal(pc_file_attr(f, &attr), 0);
    assert_int_equal(attr.size, far + 1);
    assert_true(attr.used < 1 << 20);
    assert_int_equal(pc_file_write(f, "x", 1, PC_FILE_MAX), -EFBIG);
    assert_int_equal(pc_file_close(f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_against_model, test_volume_set_up,
                                        test_volume_tear_down),
        cmocka_unit_test_setup_teardown(sequential_and_again, test_volume_set_up,
                                        test_volume_tear_down),
        cmocka_unit_test_setup_teardown(patched_while_streaming, test_volume_set_up,
                                        test_volume_tear_down),
        cmocka_unit_test_setup_teardown(unlinked_while_open, test_volume_set_up,
                                        test_volume_tear_down),
        cmocka_unit_test_setup_teardown(made_without_a_name, test_volume_set_up,
                                        test_volume_tear_down),
        cmocka_unit_test_setup_teardown(made_open_and_patched_short, test_volume_set_up,
                                        test_volume_tear_down),
        cmocka_unit_test_setup_teardown(two_parts_see_each_other, test_volume_set_up,
                                        test_volume_tear_down),
        cmocka_unit_test_setup_teardown(a_size_never_falls_behind, test_volume_set_up,
                                        test_volume_tear_down),
        cmocka_unit_test_setup_teardown(holes, test_volume_set_up, test_volume_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
