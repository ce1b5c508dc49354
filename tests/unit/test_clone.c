/* SPDX-License-Identifier: Apache-2.0 */
/* Clones: whole or not at all, equal to their source, sharing its blocks, and apart from it ever after. */
#include "fault_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "meta/content.h"
#include "pcloud/tree.h"
#include "pcloud/err.h"
#include "pcloud/file.h"
#include "pcloud/object.h"
#include "volume/volume.h"

#define BIG (700 * 1024)

static uint64_t folder(struct pc_volume *v, uint64_t parent, const char *name)
{
    struct pc_make make = {.mode = S_IFDIR | 0750, .uid = 7, .gid = 8};
    struct pc_attr a;

    assert_int_equal(pc_make(v, parent, name, &make, &a), 0);
    return a.ino;
}

static uint64_t file(struct pc_volume *v, uint64_t parent, const char *name, size_t len,
                     unsigned seed)
{
    struct pc_make make = {.mode = S_IFREG | 0640, .uid = 5, .gid = 6};
    uint8_t *buf = malloc(len + 1);
    struct pc_attr a;
    struct pc_file *f;

    assert_non_null(buf);
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1103515245u + 12345u;
        buf[i] = (uint8_t)(seed >> 16);
    }
    assert_int_equal(pc_file_make(v, parent, name, &make, O_RDWR, &a, &f), 0);
    assert_int_equal(pc_file_write(f, buf, len, 0), len);
    assert_int_equal(pc_file_close(f), 0);
    free(buf);
    return a.ino;
}

static void put(struct pc_volume *v, const char *bucket, const char *key, const char *text)
{
    static const char headers[] = "content-type\0text/x-test\0x-amz-meta-a\0b";
    const struct pc_headers h = {.data = headers, .len = sizeof headers};
    struct pc_put *p;

    assert_int_equal(pc_put_begin(v, &p), 0);
    assert_int_equal(pc_put_write(p, text, strlen(text)), 0);
    assert_int_equal(pc_put_commit(p, bucket, key, strlen(key), "0123456789abcdef", &h, NULL, NULL),
                     0);
}

/* A tree with some of everything. */
static uint64_t tree(struct pc_volume *v, const char *name)
{
    uint64_t top = folder(v, PC_ROOT_INO, name), sub = folder(v, top, "sub"), ino, deep = sub;
    struct pc_make link = {.mode = S_IFLNK | 0777, .target = "../elsewhere"};
    struct pc_make fifo = {.mode = S_IFIFO | 0600}, dev = {.mode = S_IFCHR | 0600, .rdev = 0x103};
    struct pc_attr a = {.mode = 0604, .mtime = {1000, 5}, .atime = {2000, 6}};
    struct pc_file *f;
    char text[32];

    file(v, top, "empty", 0, 1);
    file(v, top, "small", 100, 2);
    ino = file(v, top, "big", BIG, 3);
    assert_int_equal(pc_link(v, ino, sub, "big again", NULL), 0);
    assert_int_equal(pc_link(v, ino, sub, "and again", NULL), 0);
    assert_int_equal(pc_xattr_set(v, ino, "user.colour", "red", 3, 0), 0);
    assert_int_equal(
        pc_setattr(v, ino, PC_SET_MODE | PC_SET_MTIME | PC_SET_ATIME | PC_SET_KEEP_CTIME, &a, NULL),
        0);
    ino = file(v, sub, "holes", 10, 4);
    assert_int_equal(pc_file_open(v, ino, O_RDWR, &f), 0);
    assert_int_equal(pc_file_write(f, "end", 3, 10000000), 3);
    assert_int_equal(pc_file_close(f), 0);
    assert_int_equal(pc_make(v, sub, "link", &link, NULL), 0);
    assert_int_equal(pc_make(v, sub, "fifo", &fifo, NULL), 0);
    assert_int_equal(pc_make(v, sub, "dev", &dev, NULL), 0);
    put(v, name, "sub/object", "from afar");
    put(v, name, "made/by s3/object", "from afar too");
    put(v, name, "both", "a file");
    put(v, name, "both/of it", "and a folder");
    for (unsigned i = 0; i < 300; i++) { /* more than a step and a page */
        snprintf(text, sizeof text, "f%u", i);
        file(v, sub, text, i % 40, i);
    }
    for (unsigned i = 0; i < 20; i++)
        deep = folder(v, deep, "deep");
    return top;
}

/* A text of everything below a folder, numbers of nodes and change times aside. */
struct look {
    struct pc_volume *v;
    FILE *out;
    uint64_t first[8]; /* nodes with several names, in the order in which they are met */
    unsigned n;
};

struct names {
    char list[400][64];
    struct pc_attr attrs[400];
    unsigned n;
};

static int note_name(void *arg, const char *name, const struct pc_attr *attr, uint64_t next)
{
    struct names *n = arg;

    (void)next;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    snprintf(n->list[n->n], sizeof n->list[0], "%s", name);
    n->attrs[n->n++] = *attr;
    return 0;
}

static unsigned nth_link(struct look *l, uint64_t ino)
{
    unsigned i = 0;

    while (i < l->n && l->first[i] != ino)
        i++;
    if (i == l->n && l->n < 8)
        l->first[l->n++] = ino;
    return i;
}

static void look_at(struct look *l, const char *name, const struct pc_attr *a)
{
    struct timespec m = a->mtime, at = a->atime;
    char buf[256];
    ssize_t len;

    fprintf(l->out, "%s %o %u %u %u %llu %llu %llu m%lld.%ld a%lld.%ld", name, a->mode, a->nlink,
            a->uid, a->gid, (unsigned long long)a->rdev, (unsigned long long)a->size,
            (unsigned long long)a->used, (long long)m.tv_sec, m.tv_nsec, (long long)at.tv_sec,
            at.tv_nsec);
    if (!S_ISDIR(a->mode) && a->nlink > 1)
        fprintf(l->out, " link%u", nth_link(l, a->ino));
    len = pc_readlink(l->v, a->ino, buf, sizeof buf);
    if (len >= 0)
        fprintf(l->out, " -> %s", buf);
    len = pc_xattr_list(l->v, a->ino, buf, sizeof buf);
    for (ssize_t i = 0; i < len; i += (ssize_t)strlen(buf + i) + 1) {
        char value[64];
        ssize_t n = pc_xattr_get(l->v, a->ino, buf + i, value, sizeof value);

        fprintf(l->out, " %s=%.*s", buf + i, (int)n, value);
    }
    if (S_ISREG(a->mode)) {
        unsigned char *data = malloc(a->size + 1);
        unsigned long sum = 5381;
        struct pc_file *f;

        assert_non_null(data);
        assert_int_equal(pc_file_open(l->v, a->ino, O_RDONLY, &f), 0);
        assert_int_equal(pc_file_read(f, data, a->size, 0), a->size);
        for (size_t i = 0; i < a->size; i++)
            sum = sum * 33 + data[i];
        assert_int_equal(pc_file_close(f), 0);
        free(data);
        fprintf(l->out, " #%lx", sum);
    }
    fputc('\n', l->out);
}

static void look_below(struct look *l, uint64_t ino, const char *path)
{
    struct names *n = calloc(1, sizeof *n);
    struct pc_dir *d;

    assert_non_null(n);
    assert_int_equal(pc_dir_open(l->v, ino, &d), 0);
    assert_int_equal(pc_dir_read(d, 0, note_name, n), 0);
    pc_dir_close(d);
    for (unsigned i = 0; i < n->n; i++) {
        char below[2000];

        snprintf(below, sizeof below, "%s/%s", path, n->list[i]);
        look_at(l, below, &n->attrs[i]);
        if (S_ISDIR(n->attrs[i].mode))
            look_below(l, n->attrs[i].ino, below);
    }
    free(n);
}

static char *text_of(struct pc_volume *v, uint64_t ino)
{
    struct look l = {.v = v};
    struct pc_attr a;
    char *text;
    size_t len;

    l.out = open_memstream(&text, &len);
    assert_non_null(l.out);
    assert_int_equal(pc_getattr(v, ino, &a), 0);
    look_at(&l, "", &a);
    look_below(&l, ino, "");
    fclose(l.out);
    return text;
}

static void same(struct pc_volume *v, uint64_t ino, const char *expected)
{
    char *text = text_of(v, ino);

    assert_string_equal(text, expected);
    free(text);
}

static void test_tree(void **state)
{
    struct test_volume *t = test_volume_new();
    uint64_t top = tree(t->v, "source");
    struct pc_volume_stat before, after;
    struct pc_clone_result r;
    struct pc_attr a, s;
    struct pc_file *f;
    char *text = text_of(t->v, top);

    (void)state;
    assert_int_equal(pc_volume_stat(t->v, &before), 0);
    assert_int_equal(pc_clone(t->v, top, PC_ROOT_INO, "copy", NULL, &r, &a), 0);
    assert_int_equal(pc_volume_stat(t->v, &after), 0);
    assert_int_equal(after.pack_bytes, before.pack_bytes);
    assert_int_equal(after.block_bytes, before.block_bytes);
    assert_int_equal(after.files, 2 * before.files);
    assert_int_equal(after.folders, 2 * before.folders);
    assert_int_equal(after.objects, 2 * before.objects);
    assert_int_equal(after.bytes, 2 * before.bytes);
    assert_int_equal(r.entries, before.files + before.folders + 2); /* two more names */
    assert_int_equal(r.bytes, before.bytes - strlen("../elsewhere"));
    assert_in_range(r.shared, BIG, r.bytes);
    same(t->v, a.ino, text);
    assert_int_equal(pc_lookup(t->v, PC_ROOT_INO, "copy", &s), 0);
    assert_int_equal(s.ino, a.ino);
    assert_int_equal(test_volume_fsck(t), 0);

    /* From here on each is on its own. */
    assert_int_equal(pc_lookup(t->v, top, "big", &s), 0);
    assert_int_equal(pc_file_open(t->v, s.ino, O_RDWR | O_TRUNC, &f), 0);
    assert_int_equal(pc_file_write(f, "other", 5, 0), 5);
    assert_int_equal(pc_file_close(f), 0);
    assert_int_equal(pc_unlink(t->v, top, "small"), 0);
    same(t->v, a.ino, text);
    assert_int_equal(pc_gc(t->v, true, NULL, &(struct pc_gc_result){0}), 0);
    test_volume_reopen(t);
    same(t->v, a.ino, text);
    assert_int_equal(test_volume_fsck(t), 0);
    free(text);
    test_volume_free(t);
}

static void test_object(void **state)
{
    struct test_volume *t = test_volume_new();
    uint64_t top = tree(t->v, "source");
    struct pc_object o, was;

    (void)state;
    assert_int_equal(pc_clone(t->v, top, PC_ROOT_INO, "copy", NULL, NULL, NULL), 0);
    assert_int_equal(pc_object_head(t->v, "source", "made/by s3/object", 17, &was), 0);
    assert_int_equal(pc_object_head(t->v, "copy", "made/by s3/object", 17, &o), 0);
    assert_string_equal(o.etag, "0123456789abcdef");
    assert_int_equal(o.headers.len, was.headers.len);
    assert_memory_equal(o.headers.data, was.headers.data, o.headers.len);
    assert_int_equal(o.mtime.tv_sec, was.mtime.tv_sec);
    pc_object_fini(&o);
    pc_object_fini(&was);
    test_volume_free(t);
}

static void test_refused(void **state)
{
    struct test_volume *t = test_volume_new();
    uint64_t top = folder(t->v, PC_ROOT_INO, "a"), sub = folder(t->v, top, "b"),
             f = file(t->v, top, "f", 10, 1);

    (void)state;
    assert_int_equal(pc_clone(t->v, top, PC_ROOT_INO, "a", NULL, NULL, NULL), -EEXIST);
    assert_int_equal(pc_clone(t->v, f, top, "b", NULL, NULL, NULL), -EEXIST);
    assert_int_equal(pc_clone(t->v, top, sub, "x", NULL, NULL, NULL), -EINVAL);
    assert_int_equal(pc_clone(t->v, top, top, "x", NULL, NULL, NULL), -EINVAL);
    assert_int_equal(pc_clone(t->v, PC_ROOT_INO, top, "x", NULL, NULL, NULL), -EINVAL);
    assert_int_equal(pc_clone(t->v, top, PC_ROOT_INO, "pcloud", NULL, NULL, NULL), -EPERM);
    assert_int_equal(pc_clone(t->v, 4711, top, "x", NULL, NULL, NULL), -ENOENT);
    assert_int_equal(pc_clone(t->v, sub, f, "x", NULL, NULL, NULL), -ENOTDIR);
    assert_int_equal(pc_clone(t->v, sub, 4711, "x", NULL, NULL, NULL), -ENOENT);
    assert_int_equal(test_volume_fsck(t), 0);
    test_volume_free(t);
}

/* More slices than a step takes; changed while it is copied. */
struct slow {
    struct pc_volume *v;
    uint64_t ino;
    unsigned steps, changes, changed;
};

static int change(void *arg, uint64_t done, uint64_t total)
{
    struct slow *s = arg;
    struct pc_file *f;
    uint64_t n = s->steps;

    (void)done;
    (void)total;
    s->steps++;
    if (s->changed == s->changes)
        return 0;
    s->changed++;
    assert_int_equal(pc_file_open(s->v, s->ino, O_RDWR, &f), 0);
    for (uint64_t at = 0; at < 1200; at += 400) /* in the beginning, the middle, and the end */
        assert_int_equal(pc_file_write(f, &n, sizeof n, at * 8192), sizeof n);
    assert_int_equal(pc_file_sync(f), 0);
    assert_int_equal(pc_file_close(f), 0);
    return 0;
}

static uint64_t marks(struct pc_volume *v, uint64_t ino)
{
    uint64_t first = 0, n;
    struct pc_file *f;

    assert_int_equal(pc_file_open(v, ino, O_RDONLY, &f), 0);
    for (uint64_t at = 0; at < 1200; at += 400) {
        assert_int_equal(pc_file_read(f, &n, sizeof n, at * 8192), sizeof n);
        if (at == 0)
            first = n;
        assert_int_equal(n, first); /* of one moment */
    }
    assert_int_equal(pc_file_close(f), 0);
    return first;
}

static void test_long(void **state)
{
    struct test_volume *t = test_volume_new();
    uint64_t dir = folder(t->v, PC_ROOT_INO, "d"), ino = file(t->v, dir, "long", 0, 1);
    uint8_t block[4096];
    struct pc_attr a, c;
    struct pc_file *f;

    (void)state;
    assert_int_equal(pc_file_open(t->v, ino, O_RDWR, &f), 0);
    for (uint64_t i = 0; i < 1300; i++) {
        memset(block, (int)(i & 0xff), sizeof block);
        memcpy(block, &i, sizeof i);
        assert_int_equal(pc_file_write(f, block, sizeof block, i * 8192), sizeof block);
    }
    assert_int_equal(pc_file_close(f), 0);
    for (unsigned changes = 0; changes < 12; changes += 3) {
        struct slow s = {t->v, ino, 1, changes, 0};
        struct pc_upkeep up = {.progress = change, .arg = &s};
        char name[16];

        s.changes++;
        change(&s, 0, 0);
        snprintf(name, sizeof name, "copy%u", changes);
        assert_int_equal(pc_clone(t->v, dir, PC_ROOT_INO, name, &up, NULL, &a), 0);
        assert_in_range(s.steps, 4, 1000);
        assert_int_equal(pc_lookup(t->v, a.ino, "long", &c), 0);
        marks(t->v, c.ino);
        assert_int_equal(pc_getattr(t->v, ino, &a), 0);
        assert_int_equal(c.size, a.size);
        assert_int_equal(c.used, a.used);
    }
    assert_int_equal(test_volume_fsck(t), 0);
    test_volume_free(t);
}

static int stop_at(void *arg, uint64_t done, uint64_t total)
{
    unsigned *left = arg;

    (void)done;
    (void)total;
    return (*left)-- == 0;
}

static int die_at(void *arg, uint64_t done, uint64_t total)
{
    unsigned *left = arg;

    (void)done;
    (void)total;
    if ((*left)-- == 0)
        raise(SIGKILL);
    return 0;
}

/* Everything is as it was, in the tree and in the counts, once the flusher was there. */
static void as_before(struct test_volume *t, const struct pc_volume_stat *before)
{
    struct pc_volume_stat st;
    struct pc_attr a;

    while (t->v->meta->content->gc_orphans(t->v->meta, 1000) > 0)
        ;
    assert_int_equal(pc_lookup(t->v, PC_ROOT_INO, "copy", &a), -ENOENT);
    assert_int_equal(pc_volume_stat(t->v, &st), 0);
    assert_int_equal(st.files, before->files);
    assert_int_equal(st.folders, before->folders);
    assert_int_equal(st.objects, before->objects);
    assert_int_equal(st.bytes, before->bytes);
    assert_int_equal(st.block_bytes, before->block_bytes);
    assert_int_equal(test_volume_fsck(t), 0);
}

static void test_cancelled(void **state)
{
    struct test_volume *t = test_volume_new();
    uint64_t top = tree(t->v, "source");
    struct pc_volume_stat before;
    unsigned left, n;

    (void)state;
    assert_int_equal(pc_volume_stat(t->v, &before), 0);
    for (n = 0;; n++) {
        struct pc_upkeep up = {.progress = stop_at, .arg = &left};

        left = n;
        if (pc_clone(t->v, top, PC_ROOT_INO, "copy", &up, NULL, NULL) == 0)
            break;
        assert_int_equal(test_volume_fsck(t), 0);
        as_before(t, &before);
    }
    assert_in_range(n, 2, 1000);
    test_volume_free(t);
}

static void test_killed(void **state)
{
    struct test_volume *t = test_volume_new();
    uint64_t top = tree(t->v, "source");
    struct pc_volume_stat before;

    (void)state;
    assert_int_equal(pc_volume_stat(t->v, &before), 0);
    for (unsigned n = 0; n < 2; n++) { /* two steps at least */
        int status;
        pid_t pid;

        test_volume_close(t);
        pid = fork();
        assert_int_not_equal(pid, -1);
        if (pid == 0) {
            unsigned left = n;
            struct pc_upkeep up = {.progress = die_at, .arg = &left};

            test_volume_open(t);
            (void)pc_clone(t->v, top, PC_ROOT_INO, "copy", &up, NULL, NULL);
            _exit(1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        test_volume_open(t);
        as_before(t, &before);
    }
    test_volume_free(t);
}

static void prepare_tree(struct fault_world *w)
{
    uint64_t sub = folder(w->v, w->dir, "from"), ino = file(w->v, sub, "inline", 100, w->tag[0]);

    w->ino = sub;
    assert_int_equal(pc_link(w->v, ino, sub, "again", NULL), 0);
    assert_int_equal(pc_xattr_set(w->v, ino, "user.x", "y", 1, 0), 0);
    file(w->v, folder(w->v, sub, "below"), "slices", 9000, 7);
}

static int run_clone(struct fault_world *w)
{
    struct pc_clone_result r;
    int rc = pc_clone(w->v, w->ino, w->dir, "to", NULL, &r, NULL);

    if (rc == 0)
        assert_int_equal(r.entries, 5);
    return rc;
}

static void test_faults(void **state)
{
    static const struct fault_op ops[] = {{"clone", prepare_tree, run_clone, 0}};

    (void)state;
    fault_ops(ops, 1);
}

/* What it costs, said and not judged: CLONE_ENTRIES names in folders of a hundred. */
static void test_cost(void **state)
{
    const char *want = getenv("CLONE_ENTRIES");
    struct test_volume *t;
    struct timespec from, to;
    struct pc_clone_result r;
    uint64_t top, dir = 0;
    double s;

    (void)state;
    if (!want)
        skip();
    t = test_volume_new();
    top = folder(t->v, PC_ROOT_INO, "source");
    for (long i = 0; i < strtol(want, NULL, 10); i++) {
        char name[32];

        snprintf(name, sizeof name, "n%ld", i);
        if (i % 100 == 0)
            dir = folder(t->v, top, name);
        else
            file(t->v, dir, name, i % 10 == 0 ? 6000 : 200, (unsigned)i);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    assert_int_equal(pc_clone(t->v, top, PC_ROOT_INO, "copy", NULL, &r, NULL), 0);
    assert_int_equal(pc_volume_sync(t->v), 0);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    s = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    printf("%llu entries in %.2f s of CPU time: %.0f a second\n", (unsigned long long)r.entries, s,
           (double)r.entries / s);
    test_volume_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),      cmocka_unit_test(test_object),
        cmocka_unit_test(test_refused),   cmocka_unit_test(test_long),
        cmocka_unit_test(test_cancelled), cmocka_unit_test(test_killed),
        cmocka_unit_test(test_faults),    cmocka_unit_test(test_cost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
