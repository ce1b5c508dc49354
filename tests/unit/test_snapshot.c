/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: what they show stays what was there, whatever is changed or removed since, and nothing is left of them in the end. */
#include "pcloud/snapshot.h"

#include "meta/snap/snapshot.h"
#include "pcloud/err.h"
#include "pcloud/file.h"
#include "pcloud/object.h"
#include "pcloud/upkeep.h"
#include "test_tree.h"
#include "test_env.h"
#include "test_volume.h"
#include "volume/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

static struct test_volume *t;

static int set_up(void **state)
{
    (void)state;
    t = test_volume_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_volume_free(t);
    return 0;
}

static uint64_t past(struct pc_volume *v, const char *name)
{
    struct pc_attr list_attr, attr;

    assert_int_equal(pc_lookup(v, PC_ROOT_INO, PC_SNAPSHOTS, &list_attr), 0);
    assert_int_equal(list_attr.ino, pc_snapshots_of(PC_ROOT_INO));
    assert_int_equal(pc_lookup(v, list_attr.ino, name, &attr), 0);
    return attr.ino;
}

/* The first line that differs says more than both trees. */
static void assert_tree(const char *name, const char *is, const char *want)
{
    size_t i = 0, line = 0;

    while (is[i] && is[i] == want[i])
        if (is[i++] == '\n')
            line = i;
    if (is[i] != want[i])
        fail_msg("%s: is   %.*s\n       want %.*s", name, (int)strcspn(is + line, "\n"), is + line,
                 (int)strcspn(want + line, "\n"), want + line);
}

static void assert_past(const char *name, const char *want)
{
    char *is = test_tree(t->v, past(t->v, name));

    assert_tree(name, is, want);
    free(is);
}

static uint64_t make(uint64_t parent, const char *name, uint32_t mode)
{
    struct pc_make m = {.mode = mode, .uid = 1, .gid = 2, .target = "somewhere"};
    struct pc_attr attr;

    assert_int_equal(pc_make(t->v, parent, name, &m, &attr), 0);
    return attr.ino;
}

static void put(uint64_t ino, uint64_t off, size_t len, unsigned seed)
{
    static uint8_t buf[1 << 20];
    struct pc_file *f;

    for (size_t i = 0; i < len; i++)
        buf[i] = (uint8_t)(seed * 2654435761u >> (i % 24)) ^ (uint8_t)(i * (seed | 1));
    assert_int_equal(pc_file_open(t->v, ino, O_RDWR, &f), 0);
    assert_int_equal(pc_file_write(f, buf, len, off), (ssize_t)len);
    assert_int_equal(pc_file_close(f), 0);
}

static void put_text(uint64_t ino, const char *text)
{
    struct pc_file *f;

    assert_int_equal(pc_file_open(t->v, ino, O_RDWR | O_TRUNC, &f), 0);
    assert_int_equal(pc_file_write(f, text, strlen(text), 0), (ssize_t)strlen(text));
    assert_int_equal(pc_file_close(f), 0);
}

static void take(const char *name)
{
    struct pc_snapshot s;

    assert_int_equal(pc_snapshot_take(t->v, name, &s), 0);
    assert_string_equal(s.name, name);
}

/* No row is left of any snapshot. */
static void assert_nothing_left(void)
{
    assert_int_equal(meta_snapshot_sweep(t->v->meta, 1), 0);
    assert_int_equal(test_volume_fsck(t), 0);
}

static void test_past_stays(void **state)
{
    uint64_t d, f, g;
    char *was;

    (void)state;
    d = make(PC_ROOT_INO, "docs", S_IFDIR | 0755);
    f = make(d, "a", S_IFREG | 0640);
    g = make(d, "b", S_IFREG | 0600);
    make(d, "l", S_IFLNK | 0777);
    put_text(f, "one");
    put(g, 0, 300000, 1);
    assert_int_equal(pc_xattr_set(t->v, f, "user.k", "v1", 2, 0), 0);
    was = test_tree(t->v, PC_ROOT_INO);
    take("first");
    assert_past("first", was);
    put_text(f, "another");
    put(g, 100000, 5000, 2);
    assert_int_equal(pc_xattr_set(t->v, f, "user.k", "v2", 2, 0), 0);
    assert_int_equal(pc_xattr_set(t->v, f, "user.new", "x", 1, 0), 0);
    assert_past("first", was);
    assert_int_equal(pc_unlink(t->v, d, "a"), 0);
    assert_int_equal(pc_unlink(t->v, d, "l"), 0);
    assert_int_equal(pc_rename(t->v, d, "b", PC_ROOT_INO, "c", 0), 0);
    make(d, "a", S_IFREG | 0600);
    assert_past("first", was);
    assert_int_equal(pc_unlink(t->v, d, "a"), 0);
    assert_int_equal(pc_rmdir(t->v, PC_ROOT_INO, "docs"), 0);
    assert_int_equal(pc_unlink(t->v, PC_ROOT_INO, "c"), 0);
    assert_past("first", was);
    assert_int_equal(test_volume_fsck(t), 0);
    test_volume_reopen(t);
    assert_past("first", was);
    assert_int_equal(pc_snapshot_remove(t->v, "first"), 0);
    assert_nothing_left();
    free(was);
}

static void test_read_only(void **state)
{
    struct pc_make m = {.mode = S_IFREG | 0600};
    struct pc_attr a, in = {.size = 0, .mode = 0600};
    struct pc_file *file;
    uint64_t f, root, pf, list_ino = pc_snapshots_of(PC_ROOT_INO);
    char path[256];

    (void)state;
    f = make(PC_ROOT_INO, "f", S_IFREG | 0600);
    put_text(f, "text");
    take("s");
    root = past(t->v, "s");
    assert_int_equal(pc_lookup(t->v, root, "f", &a), 0);
    pf = a.ino;
    assert_true(pc_is_snapshot(pf));
    assert_int_equal(pc_setattr(t->v, pf, PC_SET_SIZE, &in, NULL), -EROFS);
    assert_int_equal(pc_make(t->v, root, "x", &m, &a), -EROFS);
    assert_int_equal(pc_make(t->v, list_ino, "x", &m, &a), -EROFS);
    assert_int_equal(pc_unlink(t->v, root, "f"), -EROFS);
    assert_int_equal(pc_rmdir(t->v, list_ino, "s"), -EROFS);
    assert_int_equal(pc_rmdir(t->v, PC_ROOT_INO, PC_SNAPSHOTS), -EROFS);
    assert_int_equal(pc_rename(t->v, root, "f", PC_ROOT_INO, "g", 0), -EROFS);
    assert_int_equal(pc_rename(t->v, PC_ROOT_INO, "f", root, "g", 0), -EROFS);
    assert_int_equal(pc_link(t->v, pf, PC_ROOT_INO, "g", &a), -EXDEV);
    assert_int_equal(pc_xattr_set(t->v, pf, "user.a", "b", 1, 0), -EROFS);
    assert_int_equal(pc_xattr_remove(t->v, pf, "user.a"), -EROFS);
    assert_int_equal(pc_file_open(t->v, pf, O_RDWR, &file), -EROFS);
    assert_int_equal(pc_path(t->v, pf, path, sizeof(path)), 0);
    assert_string_equal(path, "/.snapshots/s/f");
    assert_int_equal(pc_lookup(t->v, list_ino, "none", &a), -ENOENT);
    assert_int_equal(pc_snapshot_remove(t->v, "s"), 0);
    assert_int_equal(pc_getattr(t->v, pf, &a), -ESTALE);
    assert_int_equal(pc_lookup(t->v, list_ino, "s", &a), -ENOENT);
    assert_int_equal(pc_snapshot_remove(t->v, "s"), -ENOENT);
}

#define NAMES_TEXT 256

static int name_of(void *arg, const struct pc_snapshot *s)
{
    char *text = arg;
    size_t len = strlen(text);

    snprintf(text + len, NAMES_TEXT - len, "%s ", s->name);
    return 0;
}

static void test_names(void **state)
{
    static const char *const bad[] = {"", ".", ".a", "a/b", "a b", "\xc3\xa4", NULL};
    struct pc_snapshot s;
    struct test_names l;
    char text[NAMES_TEXT] = "", longer[PC_SNAPSHOT_NAME_MAX + 2];

    (void)state;
    take("b");
    take("a-1");
    take("a");
    assert_int_equal(pc_snapshot_take(t->v, "a", &s), -EEXIST);
    for (size_t i = 0; bad[i]; i++)
        assert_int_equal(pc_snapshot_take(t->v, bad[i], &s), -EINVAL);
    memset(longer, 'x', sizeof(longer));
    longer[PC_SNAPSHOT_NAME_MAX + 1] = '\0';
    assert_int_equal(pc_snapshot_take(t->v, longer, &s), -EINVAL);
    assert_int_equal(pc_snapshot_list(t->v, name_of, text), 0);
    assert_string_equal(text, "b a-1 a ");
    test_list(t->v, pc_snapshots_of(PC_ROOT_INO), &l);
    assert_int_equal(l.n, 3);
    for (unsigned i = 0; i < l.n; i++)
        free(l.names[i]);
    assert_int_equal(pc_snapshot_take(t->v, NULL, &s), 0);
    assert_int_equal(strlen(s.name), strlen("2026-11-21T19-30-00Z"));
    for (int i = 0; i < 3; i++)
        assert_int_equal(pc_snapshot_take(t->v, NULL, &s), 0);
}

/* The past of a folder by its own folder of snapshots. */
static void test_subfolder(void **state)
{
    struct pc_attr a;
    uint64_t d, e;

    (void)state;
    d = make(PC_ROOT_INO, "d", S_IFDIR | 0755);
    take("one");
    make(d, "x", S_IFREG | 0600);
    take("two");
    e = make(PC_ROOT_INO, "e", S_IFDIR | 0755);
    assert_int_equal(pc_lookup(t->v, pc_snapshots_of(d), "one", &a), 0);
    assert_int_equal(pc_lookup(t->v, a.ino, "x", &a), -ENOENT);
    assert_int_equal(pc_lookup(t->v, pc_snapshots_of(d), "two", &a), 0);
    assert_int_equal(pc_lookup(t->v, a.ino, "x", &a), 0);
    assert_int_equal(pc_lookup(t->v, pc_snapshots_of(e), "two", &a), -ENOENT);
}

/* Random changes, snapshots taken and removed in between; each is compared with what was there. */
#define MODEL_SNAPS 8
static struct kept {
    char name[16];
    char *tree;
} model[MODEL_SNAPS];
static unsigned model_n, model_names;
static uint64_t seeded; /* the state of what is chosen by chance */

static int pick(void)
{
    return (int)(test_random(&seeded) >> 33);
}

static uint64_t any_of(uint64_t folder, bool dirs, char name[PC_NAME_MAX + 1])
{
    struct test_names *l = calloc(1, sizeof(*l));
    uint64_t ino = 0;
    unsigned from;

    test_list(t->v, folder, l);
    from = l->n ? (unsigned)pick() % l->n : 0;
    for (unsigned i = 0; i < l->n; i++) {
        unsigned j = (from + i) % l->n;

        if (ino == 0 && !S_ISDIR(l->attrs[j].mode) == !dirs) {
            ino = l->attrs[j].ino;
            snprintf(name, PC_NAME_MAX + 1, "%s", l->names[j]);
        }
    }
    for (unsigned i = 0; i < l->n; i++)
        free(l->names[i]);
    free(l);
    return ino;
}

static uint64_t any_folder(void)
{
    uint64_t at = PC_ROOT_INO, sub;
    char name[PC_NAME_MAX + 1];

    while (pick() % 3 && (sub = any_of(at, true, name)) != 0)
        at = sub;
    return at;
}

static void change_content(uint64_t ino)
{
    struct pc_attr in = {.size = (uint64_t)(pick() % 300000)};
    struct pc_file *f;

    switch (pick() % 6) {
    case 0:
        put_text(ino, "short");
        break;
    case 1:
        put(ino, (uint64_t)(pick() % 200000), (size_t)(1 + pick() % 100000), (unsigned)pick());
        break;
    case 2: /* the same as elsewhere: a block that exists */
        put(ino, (uint64_t)(pick() % 3) * 65536, 65536, (unsigned)pick() % 3);
        break;
    case 3:
        assert_int_equal(pc_setattr(t->v, ino, PC_SET_SIZE, &in, NULL), 0);
        break;
    default:
        assert_int_equal(pc_file_open(t->v, ino, O_RDWR, &f), 0);
        pc_file_fallocate(f,
                          pick() % 2   ? FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
                          : pick() % 2 ? FALLOC_FL_INSERT_RANGE
                                       : FALLOC_FL_COLLAPSE_RANGE,
                          (uint64_t)(pick() % 20) * 4096, (uint64_t)(1 + pick() % 10) * 4096);
        assert_int_equal(pc_file_close(f), 0);
    }
}

static void change_file(uint64_t folder)
{
    char name[PC_NAME_MAX + 1], value[16];
    uint64_t ino = any_of(folder, false, name);
    struct pc_attr a;

    if (ino == 0)
        return;
    assert_int_equal(pc_getattr(t->v, ino, &a), 0);
    if (!S_ISREG(a.mode))
        return;
    snprintf(value, sizeof(value), "%d", pick() % 100);
    switch (pick() % 5) {
    case 0:
        assert_int_equal(pc_xattr_set(t->v, ino, pick() % 2 ? "user.a" : "user.s3.meta.b", value,
                                      strlen(value), 0),
                         0);
        break;
    case 1:
        pc_xattr_remove(t->v, ino, pick() % 2 ? "user.a" : "user.s3.meta.b");
        break;
    default:
        change_content(ino);
    }
}

static void change(void)
{
    uint64_t folder = any_folder(), other = any_folder();
    struct pc_make m = {.target = "t"};
    static const uint32_t modes[] = {S_IFREG | 0644, S_IFREG | 0600, S_IFDIR | 0755,
                                     S_IFLNK | 0777};
    char name[PC_NAME_MAX + 1], from[PC_NAME_MAX + 1];
    struct pc_attr a;
    uint64_t ino;

    snprintf(name, sizeof(name), "n%d", pick() % 12);
    switch (pick() % 8) {
    case 0:
    case 1:
        m.mode = modes[pick() % 4];
        pc_make(t->v, folder, name, &m, &a);
        break;
    case 2:
        if (any_of(folder, false, from))
            assert_int_equal(pc_unlink(t->v, folder, from), 0);
        break;
    case 3:
        if (any_of(folder, true, from))
            pc_rmdir(t->v, folder, from);
        break;
    case 4:
        if (any_of(folder, pick() % 2, from))
            pc_rename(t->v, folder, from, other, name, pick() % 4 ? 0 : PC_RENAME_EXCHANGE);
        break;
    case 5:
        ino = any_of(folder, false, from);
        if (ino)
            pc_link(t->v, ino, other, name, &a);
        break;
    default:
        change_file(folder);
    }
}

static void model_take(void)
{
    struct kept *k = &model[model_n++];

    snprintf(k->name, sizeof(k->name), "s%u", model_names++);
    k->tree = test_tree(t->v, PC_ROOT_INO);
    take(k->name);
}

static void model_remove(unsigned i)
{
    assert_int_equal(pc_snapshot_remove(t->v, model[i].name), 0);
    free(model[i].tree);
    model[i] = model[--model_n];
}

static void model_check(void)
{
    for (unsigned i = 0; i < model_n; i++)
        assert_past(model[i].name, model[i].tree);
}

static void model_run(unsigned seed, unsigned steps)
{
    seeded = seed;
    model_n = model_names = 0;
    for (unsigned i = 0; i < steps; i++) {
        change();
        if (pick() % 25 == 0) {
            if (model_n == MODEL_SNAPS || (model_n > 0 && pick() % 3 == 0))
                model_remove((unsigned)pick() % model_n);
            else
                model_take();
            model_check();
        }
    }
    model_check();
    assert_int_equal(test_volume_fsck(t), 0);
    while (model_n > 0) {
        model_remove((unsigned)pick() % model_n);
        model_check();
    }
    assert_nothing_left();
}

static void test_model(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 4; seed++)
        model_run(seed, 400);
}

/* What only a snapshot kept goes with it: blocks are freed, and not before. */
static void test_space(void **state)
{
    struct pc_volume_stat st;
    struct pc_gc_result r;
    uint64_t f, full;
    char *was;

    (void)state;
    f = make(PC_ROOT_INO, "f", S_IFREG | 0600);
    put(f, 0, 500000, 7);
    was = test_tree(t->v, PC_ROOT_INO);
    assert_int_equal(pc_volume_stat(t->v, &st), 0);
    full = st.block_bytes;
    take("a");
    take("b");
    assert_int_equal(pc_unlink(t->v, PC_ROOT_INO, "f"), 0);
    assert_int_equal(pc_gc(t->v, true, NULL, &r), 0);
    assert_int_equal(pc_volume_stat(t->v, &st), 0);
    assert_int_equal(st.block_bytes, full);
    assert_int_equal(pc_snapshot_remove(t->v, "b"), 0);
    assert_int_equal(pc_gc(t->v, true, NULL, &r), 0);
    assert_past("a", was);
    assert_int_equal(pc_snapshot_remove(t->v, "a"), 0);
    assert_int_equal(pc_volume_stat(t->v, &st), 0);
    assert_int_equal(st.block_bytes, 0);
    assert_nothing_left();
    free(was);
}

static void test_restore(void **state)
{
    struct pc_restore_result r;
    struct pc_attr a, b;
    struct pc_volume_stat before, after;
    uint64_t d, s, f;
    char *was, *is;

    (void)state;
    d = make(PC_ROOT_INO, "d", S_IFDIR | 0750);
    s = make(d, "s", S_IFDIR | 0700);
    f = make(s, "big", S_IFREG | 0640);
    put(f, 0, 400000, 3);
    assert_int_equal(pc_xattr_set(t->v, f, "user.k", "v", 1, 0), 0);
    assert_int_equal(pc_link(t->v, f, d, "other", &a), 0);
    put_text(make(d, "small", S_IFREG | 0600), "few");
    make(d, "link", S_IFLNK | 0777);
    make(d, "empty", S_IFREG | 0600);
    was = test_tree(t->v, d);
    take("s");
    assert_int_equal(pc_snapshot_restore(t->v, "s", "/d", NULL, &r), -EEXIST);
    assert_int_equal(pc_snapshot_restore(t->v, "none", "/d", "/e", &r), -ENOENT);
    assert_int_equal(pc_snapshot_restore(t->v, "s", "/none", "/e", &r), -ENOENT);
    assert_int_equal(pc_snapshot_restore(t->v, "s", "/d", "/none/e", &r), -ENOENT);
    put(f, 0, 400000, 4);
    assert_int_equal(pc_volume_stat(t->v, &before), 0);
    assert_int_equal(pc_snapshot_restore(t->v, "s", "/d", "/e", &r), 0);
    assert_int_equal(pc_volume_stat(t->v, &after), 0);
    assert_int_equal(before.block_bytes, after.block_bytes);
    assert_int_equal(r.folders, 2);
    assert_int_equal(r.files, 4);
    assert_int_equal(pc_resolve(t->v, "/e", &a), 0);
    is = test_tree(t->v, a.ino);
    assert_string_equal(is, was);
    assert_int_equal(pc_resolve(t->v, "/e/other", &a), 0);
    assert_int_equal(pc_resolve(t->v, "/e/s/big", &b), 0);
    assert_int_equal(a.ino, b.ino);
    assert_int_equal(pc_unlink(t->v, d, "small"), 0);
    assert_int_equal(pc_snapshot_restore(t->v, "s", "/d/small", NULL, &r), 0);
    assert_int_equal(r.files, 1);
    assert_int_equal(pc_snapshot_remove(t->v, "s"), 0);
    free(is);
    is = test_tree(t->v, PC_ROOT_INO); /* what was restored needs no snapshot */
    assert_nothing_left();
    free(is);
    free(was);
}

/* Two processes: one takes, the other has written. */
static void test_two(void **state)
{
    struct pc_volume *other = test_volume_second(t);
    struct pc_snapshot s;
    uint64_t f;
    char *was, *is;

    (void)state;
    take("zero"); /* the other's statements were prepared without triggers, or are not yet */
    f = make(PC_ROOT_INO, "f", S_IFREG | 0600);
    put_text(f, "one");
    was = test_tree(t->v, PC_ROOT_INO);
    assert_int_equal(pc_snapshot_take(other, "s", &s), 0);
    put_text(f, "two");
    assert_int_equal(pc_unlink(t->v, PC_ROOT_INO, "f"), 0);
    is = test_tree(other, past(other, "s"));
    assert_string_equal(is, was);
    free(is);
    assert_past("s", was);
    assert_int_equal(pc_snapshot_remove(other, "s"), 0);
    assert_int_equal(pc_snapshot_remove(other, "zero"), 0);
    make(PC_ROOT_INO, "g", S_IFREG | 0600);
    assert_int_equal(pc_volume_close(other), 0);
    assert_nothing_left();
    free(was);
}

/* A database built anew has the past too, and goes on keeping it. */
static void test_salvage(void **state)
{
    struct pc_fsck_result r;
    uint64_t f;
    char *was;

    (void)state;
    f = make(PC_ROOT_INO, "f", S_IFREG | 0600);
    put(f, 0, 100000, 1);
    assert_int_equal(pc_snapshot_rules_set(t->v, "yearly=1"), 0);
    was = test_tree(t->v, PC_ROOT_INO);
    take("s");
    put(f, 5000, 100000, 2);
    make(PC_ROOT_INO, "g", S_IFREG | 0600);
    test_volume_close(t);
    assert_int_equal(pc_volume_salvage(t->home, t->keys, NULL, &r), 0);
    test_volume_open(t);
    assert_past("s", was);
    put_text(f, "short");
    assert_int_equal(pc_unlink(t->v, PC_ROOT_INO, "f"), 0);
    assert_past("s", was);
    assert_int_equal(test_volume_fsck(t), 0);
    assert_int_equal(pc_snapshot_remove(t->v, "s"), 0);
    assert_nothing_left();
    free(was);
}

/* Removing stopped in the middle: nobody sees it, the others are whole, and it goes on later. */
static void test_stopped(void **state)
{
    char name[16], *was;
    int n;

    (void)state;
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "f%d", i);
        put_text(make(PC_ROOT_INO, name, S_IFREG | 0600), name);
    }
    was = test_tree(t->v, PC_ROOT_INO);
    take("a");
    take("b");
    for (int i = 0; i < 40; i += 2) {
        snprintf(name, sizeof(name), "f%d", i);
        assert_int_equal(pc_unlink(t->v, PC_ROOT_INO, name), 0);
    }
    assert_int_equal(meta_snapshot_remove(t->v->meta, 2), 0);
    assert_int_equal(meta_snapshot_sweep(t->v->meta, 7), 7);
    test_volume_reopen(t);
    assert_past("a", was);
    assert_int_equal(test_volume_fsck(t), 0);
    for (int i = 1; i < 40; i += 2) { /* changes while it is half gone */
        snprintf(name, sizeof(name), "f%d", i);
        assert_int_equal(pc_unlink(t->v, PC_ROOT_INO, name), 0);
        assert_true(meta_snapshot_sweep(t->v->meta, 3) >= 0);
    }
    assert_past("a", was);
    do
        n = meta_snapshot_sweep(t->v->meta, 5);
    while (n > 0);
    assert_int_equal(n, 0);
    assert_past("a", was);
    assert_int_equal(pc_snapshot_remove(t->v, "a"), 0);
    assert_nothing_left();
    free(was);
}

/* Readers of the past beside a writer and others' snapshots. */
struct reader {
    pthread_t thread;
    const char *want;
    uint64_t root;
    unsigned rounds;
};

static void *read_on(void *arg)
{
    struct reader *r = arg;

    for (unsigned i = 0; i < 20; i++) {
        char *is = test_tree(t->v, r->root);

        r->rounds += strcmp(is, r->want) == 0;
        free(is);
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct reader readers[3] = {0};
    char name[16], *was;

    (void)state;
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "f%d", i);
        put(make(PC_ROOT_INO, name, S_IFREG | 0600), 0, 9000, (unsigned)i);
    }
    was = test_tree(t->v, PC_ROOT_INO);
    take("s");
    for (int i = 0; i < 3; i++) {
        readers[i].want = was;
        readers[i].root = past(t->v, "s");
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
    }
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof(name), "f%d", i % 20);
        pc_unlink(t->v, PC_ROOT_INO, name);
        put_text(make(PC_ROOT_INO, name, S_IFREG | 0644), name);
        if (i % 10 == 0)
            take("other");
        if (i % 10 == 5)
            assert_int_equal(pc_snapshot_remove(t->v, "other"), 0);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
        assert_int_equal(readers[i].rounds, 20);
    }
    assert_int_equal(pc_snapshot_remove(t->v, "s"), 0);
    assert_nothing_left();
    free(was);
}

/* The rules, with a clock that is ours. */
static int count(void *arg, const struct pc_snapshot *s)
{
    (void)s;
    ++*(unsigned *)arg;
    return 0;
}

static void test_rules(void **state)
{
    static const char *const bad[] = {"hourly",  "hourly=",         "hourly=0",     "hourly=x",
                                      "often=3", "daily=1 daily=2", "daily=100001", NULL};
    char text[PC_SNAPSHOT_RULES_MAX + 1];
    int64_t now = 1800000000;
    unsigned n = 0;

    (void)state;
    assert_int_equal(pc_snapshot_rules(t->v, text), 0);
    assert_string_equal(text, "");
    assert_int_equal(pc_snapshot_tend(t->v, now), 0);
    assert_int_equal(pc_snapshot_list(t->v, count, &n), 0);
    assert_int_equal(n, 0);
    for (size_t i = 0; bad[i]; i++)
        assert_int_equal(pc_snapshot_rules_set(t->v, bad[i]), -EINVAL);
    assert_int_equal(pc_snapshot_rules_set(t->v, "hourly=4  daily=3"), 0);
    take("mine");
    for (int i = 0; i < 24 * 10 * 2; i++)
        assert_int_equal(pc_snapshot_tend(t->v, now + i * 1800), 0);
    n = 0;
    assert_int_equal(pc_snapshot_list(t->v, count, &n), 0);
    assert_int_equal(n, 1 + 4 + 2); /* the newest of the newest day is among the hours */
    assert_int_equal(pc_snapshot_rules_set(t->v, ""), 0);
    assert_int_equal(pc_snapshot_tend(t->v, now + 400 * 86400), 0);
    n = 0;
    assert_int_equal(pc_snapshot_list(t->v, count, &n), 0);
    assert_int_equal(n, 7);
    assert_int_equal(test_volume_fsck(t), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_past_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_subfolder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_space, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_restore, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_salvage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_model, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
