/* SPDX-License-Identifier: Apache-2.0 */
/* The trash: what goes there and what does not, what comes back, what is over, and that nobody who has it open notices. */
#include "fault_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

#include "meta/node.h"
#include "pcloud/tree.h"
#include "pcloud/err.h"
#include "pcloud/file.h"
#include "pcloud/history.h"
#include "pcloud/object.h"
#include "volume/volume.h"

static struct test_volume *with_trash(void)
{
    struct test_volume *t = test_volume_new();

    test_volume_config(t, "trash.days", "7");
    test_volume_reopen(t);
    return t;
}

static uint64_t folder(struct pc_volume *v, uint64_t parent, const char *name)
{
    struct pc_make make = {.mode = S_IFDIR | 0750};
    struct pc_attr a;

    assert_int_equal(pc_make(v, parent, name, &make, &a), 0);
    return a.ino;
}

static uint64_t file(struct pc_volume *v, uint64_t parent, const char *name, const char *text)
{
    struct pc_make make = {.mode = S_IFREG | 0640, .uid = 5, .gid = 6};
    struct pc_attr a;
    struct pc_file *f;

    assert_int_equal(pc_file_make(v, parent, name, &make, O_RDWR, &a, &f), 0);
    assert_int_equal(pc_file_write(f, text, strlen(text), 0), strlen(text));
    assert_int_equal(pc_file_close(f), 0);
    return a.ino;
}

static void put(struct pc_volume *v, const char *bucket, const char *key, size_t len,
                const char *text)
{
    struct pc_put *p;

    assert_int_equal(pc_put_begin(v, &p), 0);
    assert_int_equal(pc_put_write(p, text, strlen(text)), 0);
    assert_int_equal(pc_put_commit(p, bucket, key, len, "0123456789abcdef", NULL, NULL, NULL), 0);
}

static void expect_text(struct pc_volume *v, uint64_t parent, const char *name, const char *text)
{
    char buf[64] = "";
    struct pc_attr a;
    struct pc_file *f;

    assert_int_equal(pc_lookup(v, parent, name, &a), 0);
    assert_int_equal(a.nlink, 1);
    assert_int_equal(pc_file_open(v, a.ino, O_RDONLY, &f), 0);
    assert_int_equal(pc_file_read(f, buf, sizeof buf, 0), strlen(text));
    assert_string_equal(buf, text);
    assert_int_equal(pc_file_close(f), 0);
}

/* The paths of all that is in the trash, each with a blank behind it. */
static int add_path(void *arg, const struct pc_trash_entry *e)
{
    FILE *out = arg;

    fprintf(out, "%s ", e->path);
    assert_int_equal(e->attr.nlink, 0);
    return 0;
}

static void expect_trash(struct pc_volume *v, const char *paths)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_int_equal(pc_trash_list(v, add_path, out), 0);
    fclose(out);
    assert_string_equal(text, paths);
    free(text);
}

static void done(struct test_volume *t)
{
    assert_int_equal(test_volume_fsck(t), 0);
    test_volume_reopen(t);
    assert_int_equal(test_volume_fsck(t), 0);
    test_volume_free(t);
}

static void test_off(void **state)
{
    struct test_volume *t = test_volume_new();
    uint64_t dir = folder(t->v, PC_ROOT_INO, "d");
    struct pc_attr a;

    (void)state;
    file(t->v, dir, "f", "x");
    assert_int_equal(pc_unlink(t->v, dir, "f"), 0);
    assert_int_equal(pc_rmdir(t->v, PC_ROOT_INO, "d"), 0);
    expect_trash(t->v, "");
    assert_int_equal(pc_lookup(t->v, PC_ROOT_INO, PC_TRASH_NAME, &a), -ENOENT);
    done(t);
}

/* Statements of the database that an unlink makes: the same with and without a rule that nobody asks for. */
static unsigned long changes(struct test_volume *t, uint64_t dir)
{
    static unsigned n;
    char name[32];
    struct timespec from, to;

    snprintf(name, sizeof name, "f%u", n++);
    file(t->v, dir, name, "x");
    assert_int_equal(pc_volume_flush(t->v), 0);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    (void)fault_statements();
    assert_int_equal(pc_unlink(t->v, dir, name), 0);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    return fault_statements();
}

static void test_costs_nothing(void **state)
{
    struct test_volume *t = test_volume_new();
    uint64_t dir = folder(t->v, PC_ROOT_INO, "d"), deep = dir;
    unsigned long flat, below;

    (void)state;
    for (unsigned i = 0; i < 20; i++)
        deep = folder(t->v, deep, "deeper");
    changes(t, dir); /* the first prepares statements */
    flat = changes(t, dir);
    below = changes(t, deep);
    assert_int_equal(flat, below); /* nobody climbs */
    pc_trash_days(t->v, 7);
    assert_int_equal(pc_trash_rule_set(t->v, dir, PC_TRASH_OFF), 0);
    changes(t, deep);
    assert_in_range(changes(t, deep), below + 20, below + 1000); /* and that would be seen */
    pc_trash_days(t->v, 0);
    assert_int_equal(changes(t, deep), below);
    done(t);
}

static void test_files(void **state)
{
    struct test_volume *t = with_trash();
    uint64_t dir = folder(t->v, PC_ROOT_INO, "d"), f = file(t->v, dir, "f", "one"), ino;
    struct pc_trash_result r;
    struct pc_attr a;

    (void)state;
    assert_int_equal(pc_link(t->v, f, dir, "other name", NULL), 0);
    assert_int_equal(pc_unlink(t->v, dir, "f"), 0);
    expect_trash(t->v, ""); /* it has another one */
    assert_int_equal(pc_unlink(t->v, dir, "other name"), 0);
    expect_trash(t->v, "/d/other name ");
    file(t->v, dir, "new", "two");
    file(t->v, dir, "old", "three");
    assert_int_equal(pc_rename(t->v, dir, "new", dir, "old", 0), 0);
    expect_trash(t->v, "/d/other name /d/old ");
    assert_int_equal(pc_trash_stat(t->v, &r), 0);
    assert_int_equal(r.entries, 2);
    assert_int_equal(r.bytes, 8);
    assert_int_equal(pc_getattr(t->v, f, &a), 0);
    assert_int_equal(a.nlink, 0);
    assert_int_equal(pc_trash_find(t->v, "/d/old", &ino), 0);
    assert_int_equal(pc_trash_restore(t->v, ino, 0, NULL, NULL), -EEXIST);
    assert_int_equal(pc_trash_restore(t->v, ino, dir, "back", NULL), 0);
    expect_text(t->v, dir, "back", "three");
    expect_text(t->v, dir, "old", "two");
    assert_int_equal(pc_trash_find(t->v, "/d/old", &ino), -ENOENT);
    assert_int_equal(pc_trash_find(t->v, "/d/other name", &ino), 0);
    assert_int_equal(ino, f);
    assert_int_equal(pc_trash_restore(t->v, ino, 0, NULL, NULL), 0);
    expect_text(t->v, dir, "other name", "one");
    assert_int_equal(pc_trash_restore(t->v, ino, 0, NULL, NULL), -ENOENT);
    expect_trash(t->v, "");
    done(t);
}

static void test_tree(void **state)
{
    struct test_volume *t = with_trash();
    uint64_t a = folder(t->v, PC_ROOT_INO, "a"), b = folder(t->v, a, "b"), ino, n, other;
    char name[16];

    (void)state;
    file(t->v, b, "older", "gone before");
    assert_int_equal(pc_unlink(t->v, b, "older"), 0);
    file(t->v, b, "older", "gone later");
    for (unsigned i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "f%u", i);
        file(t->v, b, name, name);
    }
    for (unsigned i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "f%u", i);
        assert_int_equal(pc_unlink(t->v, b, name), 0);
    }
    assert_int_equal(pc_unlink(t->v, b, "older"), 0);
    assert_int_equal(pc_rmdir(t->v, a, "b"), 0);
    assert_int_equal(pc_rmdir(t->v, PC_ROOT_INO, "a"), 0);
    assert_int_equal(pc_trash_find(t->v, "/a/b/f17", &ino), 0); /* through the trash */
    assert_int_equal(test_volume_fsck(t), 0);
    assert_int_equal(pc_trash_find(t->v, "/a", &ino), 0);
    assert_int_equal(ino, a);
    assert_int_equal(pc_trash_restore(t->v, ino, 0, NULL, &n), 0);
    assert_int_equal(n, 203);
    expect_text(t->v, b, "f17", "f17");
    expect_text(t->v, b, "older", "gone later");
    expect_trash(t->v, "/a/b/older ");

    /* A file brings its folders; one that is there again is taken as it is. */
    file(t->v, b, "x", "x");
    assert_int_equal(pc_unlink(t->v, b, "x"), 0);
    for (unsigned i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "f%u", i);
        assert_int_equal(pc_unlink(t->v, b, name), 0);
    }
    assert_int_equal(pc_unlink(t->v, b, "older"), 0);
    assert_int_equal(pc_rmdir(t->v, a, "b"), 0);
    assert_int_equal(pc_rmdir(t->v, PC_ROOT_INO, "a"), 0);
    other = folder(t->v, PC_ROOT_INO, "a");
    assert_int_equal(pc_trash_find(t->v, "/a/b/x", &ino), 0);
    assert_int_equal(pc_trash_restore(t->v, ino, 0, NULL, &n), 0);
    struct pc_attr at;
    assert_int_equal(pc_lookup(t->v, other, "b", &at), 0);
    assert_int_equal(at.ino, b);
    expect_text(t->v, b, "x", "x");
    done(t);
}

static void test_rules(void **state)
{
    struct test_volume *t = with_trash();
    uint64_t a = folder(t->v, PC_ROOT_INO, "a"), b = folder(t->v, a, "b"), c = folder(t->v, b, "c");
    enum pc_trash_rule own, counts;

    (void)state;
    assert_int_equal(pc_trash_rule_get(t->v, c, &own, &counts), 0);
    assert_int_equal(own, PC_TRASH_INHERIT);
    assert_int_equal(counts, PC_TRASH_ON);
    assert_int_equal(pc_trash_rule_set(t->v, a, PC_TRASH_OFF), 0);
    assert_int_equal(pc_trash_rule_get(t->v, c, &own, &counts), 0);
    assert_int_equal(counts, PC_TRASH_OFF);
    file(t->v, c, "f", "1");
    assert_int_equal(pc_unlink(t->v, c, "f"), 0);
    expect_trash(t->v, "");
    assert_int_equal(pc_trash_rule_set(t->v, b, PC_TRASH_ON), 0);
    assert_int_equal(pc_trash_rule_get(t->v, b, &own, &counts), 0);
    assert_int_equal(own, PC_TRASH_ON);
    file(t->v, a, "f", "1");
    assert_int_equal(pc_unlink(t->v, a, "f"), 0);
    expect_trash(t->v, "");
    file(t->v, c, "f", "1");
    assert_int_equal(pc_unlink(t->v, c, "f"), 0);
    expect_trash(t->v, "/a/b/c/f ");
    assert_int_equal(pc_trash_rule_set(t->v, b, PC_TRASH_INHERIT), 0);
    assert_int_equal(pc_trash_rule_get(t->v, b, &own, &counts), 0);
    assert_int_equal(own, PC_TRASH_INHERIT);
    assert_int_equal(counts, PC_TRASH_OFF);
    assert_int_equal(pc_trash_rule_set(t->v, file(t->v, a, "g", "x"), PC_TRASH_ON), -ENOTDIR);
    done(t);
}

static int see(void *arg, const char *name, const struct pc_attr *attr, uint64_t next)
{
    bool *seen = arg;

    (void)attr;
    (void)next;
    *seen = *seen || strcmp(name, PC_TRASH_NAME) == 0;
    return 0;
}

/* Nothing can be made or changed there; who has it open goes on. */
static void test_guarded(void **state)
{
    struct test_volume *t = with_trash();
    uint64_t dir = folder(t->v, PC_ROOT_INO, "d"), f = file(t->v, dir, "f", "one"), hour;
    struct pc_make make = {.mode = S_IFREG | 0600}, mkdir = {.mode = S_IFDIR | 0700};
    struct pc_attr a, mode = {.mode = 0777};
    struct pc_file *open, *again;
    struct pc_dir *d;
    char name[64];
    bool seen = false;

    (void)state;
    assert_int_equal(pc_file_open(t->v, f, O_RDWR, &open), 0);
    assert_int_equal(pc_unlink(t->v, dir, "f"), 0);
    assert_int_equal(pc_file_write(open, "two", 3, 3), 3);
    assert_int_equal(pc_file_attr(open, &a), 0);
    assert_int_equal(a.nlink, 0);
    assert_int_equal(a.size, 6);
    assert_int_equal(pc_setattr(t->v, f, PC_SET_MODE, &mode, NULL), 0);
    assert_int_equal(pc_link(t->v, f, dir, "g", NULL), -ENOENT);
    assert_int_equal(pc_file_close(open), 0);
    assert_int_equal(pc_setattr(t->v, f, PC_SET_MODE, &mode, NULL), -EPERM);
    assert_int_equal(pc_file_open(t->v, f, O_RDWR, &again), -EPERM);
    assert_int_equal(pc_xattr_set(t->v, f, "user.a", "b", 1, 0), -EPERM);
    assert_int_equal(pc_xattr_remove(t->v, f, "user.a"), -EPERM);
    assert_int_equal(pc_file_open(t->v, f, O_RDONLY, &again), 0);
    assert_int_equal(pc_file_close(again), 0);

    assert_int_equal(pc_getattr(t->v, f, &a), 0);
    assert_int_equal(a.mode, S_IFREG | 0777);
    assert_int_equal(pc_lookup(t->v, PC_ROOT_INO, PC_TRASH_NAME, &a), 0);
    assert_int_equal(a.mode, S_IFDIR | 0700);
    assert_int_equal(a.has & PC_HAS_TRASH, PC_HAS_TRASH);
    assert_int_equal(pc_make(t->v, a.ino, "x", &make, NULL), -EPERM);
    assert_int_equal(pc_make(t->v, PC_ROOT_INO, PC_TRASH_NAME, &mkdir, NULL), -EPERM);
    assert_int_equal(pc_rename(t->v, PC_ROOT_INO, PC_TRASH_NAME, dir, "x", 0), -EPERM);
    assert_int_equal(pc_rename(t->v, dir, "none", a.ino, "x", 0), -ENOENT);
    assert_int_equal(pc_clone(t->v, a.ino, dir, "x", NULL, NULL, NULL), -EPERM);
    file(t->v, dir, "g", "x");
    assert_int_equal(pc_rename(t->v, dir, "g", a.ino, "x", 0), -EPERM);
    assert_int_equal(pc_dir_open(t->v, PC_ROOT_INO, &d), 0);
    assert_int_equal(pc_dir_read(d, 0, see, &seen), 0);
    pc_dir_close(d);
    assert_false(seen);

    /* Moving out takes back, removing there frees. */
    hour = (uint64_t)time(NULL);
    assert_int_equal(pc_parent(t->v, a.ino, &hour), 0);
    assert_int_equal(pc_rmdir(t->v, dir, "none"), -ENOENT);
    assert_int_equal(pc_getattr(t->v, f, &a), 0);
    snprintf(name, sizeof name, "%llu-f", (unsigned long long)f);
    struct pc_attr top;
    assert_int_equal(pc_lookup(t->v, PC_ROOT_INO, PC_TRASH_NAME, &top), 0);
    time_t now = time(NULL);
    struct tm tm;
    char text[32];
    gmtime_r(&now, &tm);
    strftime(text, sizeof text, "%Y-%m-%d-%H", &tm);
    if (pc_lookup(t->v, top.ino, text, &a) < 0) { /* the hour is another one now */
        now -= 3600;
        gmtime_r(&now, &tm);
        strftime(text, sizeof text, "%Y-%m-%d-%H", &tm);
        assert_int_equal(pc_lookup(t->v, top.ino, text, &a), 0);
    }
    hour = a.ino;
    assert_int_equal(pc_rename(t->v, top.ino, text, dir, "hour", 0), -EPERM);
    assert_int_equal(pc_rename(t->v, hour, name, hour, "other", 0), -EPERM);
    assert_int_equal(pc_rename(t->v, hour, name, dir, "g", PC_RENAME_EXCHANGE), -EPERM);
    assert_int_equal(pc_rename(t->v, hour, name, dir, "back", 0), 0);
    expect_text(t->v, dir, "back", "onetwo");
    expect_trash(t->v, "");
    assert_int_equal(pc_rmdir(t->v, PC_ROOT_INO, PC_TRASH_NAME), -ENOTEMPTY);
    assert_int_equal(pc_unlink(t->v, dir, "back"), 0);
    expect_trash(t->v, "/d/back ");
    snprintf(name, sizeof name, "%llu-back", (unsigned long long)f);
    assert_int_equal(pc_unlink(t->v, hour, name), 0);
    expect_trash(t->v, "");
    assert_int_equal(pc_getattr(t->v, f, &a), -ENOENT);

    /* Over a folder, out of the hour that this folder goes to. */
    uint64_t e1 = folder(t->v, dir, "e1");
    folder(t->v, dir, "e2");
    assert_int_equal(pc_rmdir(t->v, dir, "e1"), 0);
    snprintf(name, sizeof name, "%llu-e1", (unsigned long long)e1);
    assert_int_equal(pc_make(t->v, e1, "x", &make, NULL), -ENOENT);
    assert_int_equal(pc_rename(t->v, hour, name, dir, "e2", 0), 0);
    expect_trash(t->v, "/d/e2 ");
    done(t);
}

static void test_objects(void **state)
{
    struct test_volume *t = with_trash();
    static const char odd[] = "a/\0odd/../b";
    struct pc_object o;
    uint64_t ino;
    bool existed;

    (void)state;
    assert_int_equal(pc_bucket_create(t->v, "bucket", ""), 0);
    put(t->v, "bucket", "k", 1, "first");
    put(t->v, "bucket", "k", 1, "second");
    expect_trash(t->v, "/bucket/k ");
    assert_int_equal(pc_object_delete(t->v, "bucket", "k", 1, NULL, &existed), 0);
    expect_trash(t->v, "/bucket/k /bucket/k ");
    assert_int_equal(pc_trash_find(t->v, "/bucket/k", &ino), 0);
    assert_int_equal(pc_trash_restore(t->v, ino, 0, NULL, NULL), 0);
    assert_int_equal(pc_object_head(t->v, "bucket", "k", 1, &o), 0);
    assert_string_equal(o.etag, "0123456789abcdef");
    assert_int_equal(o.size, 6);
    pc_object_fini(&o);
    assert_int_equal(pc_trash_empty(t->v, 0, NULL, NULL), 0);
    expect_trash(t->v, "");

    /* A key that no path can carry; the folders that S3 made went with it. */
    put(t->v, "bucket", odd, sizeof odd - 1, "odd");
    assert_int_equal(pc_object_delete(t->v, "bucket", odd, sizeof odd - 1, NULL, &existed), 0);
    assert_int_equal(pc_object_head(t->v, "bucket", odd, sizeof odd - 1, &o), -ENOENT);
    assert_int_equal(test_volume_fsck(t), 0);
    assert_int_equal(pc_trash_find(t->v, "/bucket/a/%pc-d-%00odd/%pc-d-../b", &ino), 0);
    assert_int_equal(pc_trash_restore(t->v, ino, 0, NULL, NULL), 0);
    assert_int_equal(pc_object_head(t->v, "bucket", odd, sizeof odd - 1, &o), 0);
    pc_object_fini(&o);

    /* A bucket with versions keeps the past by itself. */
    assert_int_equal(pc_trash_empty(t->v, 0, NULL, NULL), 0);
    assert_int_equal(pc_versioning_set(t->v, "bucket", PC_VERSIONING_ON), 0);
    put(t->v, "bucket", "k", 1, "third");
    assert_int_equal(pc_object_delete(t->v, "bucket", "k", 1, NULL, &existed), 0);
    expect_trash(t->v, "");
    done(t);
}

static int seen_key(void *arg, const struct pc_list_entry *e)
{
    (void)e;
    ++*(unsigned *)arg;
    return 0;
}

static void test_no_bucket(void **state)
{
    const struct pc_list list = {.prefix = "", .delimiter = "", .after = "", .max = 100};
    struct test_volume *t = with_trash();
    struct pc_object o;
    unsigned n = 0;
    bool more;

    (void)state;
    file(t->v, PC_ROOT_INO, "f", "x");
    assert_int_equal(pc_unlink(t->v, PC_ROOT_INO, "f"), 0);
    expect_trash(t->v, "/f ");
    assert_int_equal(pc_list(t->v, "pcloud", &list, seen_key, &n, &more), 0);
    assert_int_equal(n, 0);
    assert_int_equal(pc_object_head(t->v, "pcloud", ".trash/x", 8, &o), -ENOENT);
    done(t);
}

static void test_expiry(void **state)
{
    struct test_volume *t = with_trash();
    uint64_t dir = folder(t->v, PC_ROOT_INO, "d");
    struct pc_volume_stat before, after;
    struct pc_trash_result r = {0};
    int rc;

    (void)state;
    assert_int_equal(pc_volume_stat(t->v, &before), 0);
    for (unsigned i = 0; i < 100; i++) {
        file(t->v, folder(t->v, dir, "sub"), "f", "some text");
        struct pc_attr a;
        assert_int_equal(pc_lookup(t->v, dir, "sub", &a), 0);
        assert_int_equal(pc_unlink(t->v, a.ino, "f"), 0);
        assert_int_equal(pc_rmdir(t->v, dir, "sub"), 0);
    }
    /* The hour is not over; it is long over for somebody in a year. */
    assert_int_equal(pc_trash_empty(t->v, 86400, NULL, &r), 0);
    assert_int_equal(r.entries, 0);
    assert_int_equal(t->v->meta->trash->drop(t->v->meta, time(NULL) - 3600, &r), 0);
    assert_int_equal(pc_trash_stat(t->v, &r), 0);
    assert_int_equal(r.entries, 200);
    r = (struct pc_trash_result){0};
    do {
        rc = t->v->meta->trash->drop(t->v->meta, time(NULL) + 366 * 86400, &r);
        assert_int_equal(test_volume_fsck(t), 0); /* between two steps too */
    } while (rc > 0);
    assert_int_equal(rc, 0);
    assert_int_equal(r.entries, 200);
    assert_int_equal(r.bytes, 900);
    assert_int_equal(pc_volume_stat(t->v, &after), 0);
    assert_int_equal(after.files, before.files);
    assert_int_equal(after.folders, before.folders);
    assert_int_equal(after.bytes, before.bytes);
    done(t);
}

/* Where less is free than is to be kept back, the trash goes, whatever its age. */
static void test_full_disk(void **state)
{
    struct test_volume *t = with_trash();
    uint64_t dir = folder(t->v, PC_ROOT_INO, "d");
    struct pc_trash_result r = {.entries = 1};

    (void)state;
    file(t->v, dir, "f", "text");
    assert_int_equal(pc_unlink(t->v, dir, "f"), 0);
    expect_trash(t->v, "/d/f ");
    test_volume_config(t, "reserve", "4096T"); /* no disk has that */
    test_volume_reopen(t);
    for (unsigned i = 0; i < 3000 && r.entries > 0; i++) { /* the write-back thread does it */
        poll(NULL, 0, 10);
        assert_int_equal(pc_trash_stat(t->v, &r), 0);
    }
    assert_int_equal(r.entries, 0);
    done(t);
}

/* An operation on it. */
static void remove_file(struct fault_world *w)
{
    if (w->v->trash_days == 0) {
        test_volume_config(w->t, "trash.days", "7"); /* for when it is opened again */
        pc_trash_days(w->v, 7);
    }
    file(w->v, w->dir, "first", "has the hour's folder made");
    assert_int_equal(pc_unlink(w->v, w->dir, "first"), 0);
    w->ino = file(w->v, w->dir, "f", "text");
    w->other = folder(w->v, w->dir, "e");
}

static void removed_file(struct fault_world *w)
{
    remove_file(w);
    assert_int_equal(pc_unlink(w->v, w->dir, "f"), 0);
    assert_int_equal(pc_volume_stat(w->v, &w->before), 0);
}

static void removed_file_alone(struct fault_world *w)
{
    assert_int_equal(pc_trash_empty(w->v, 0, NULL, NULL), 0);
    removed_file(w);
}

static int run_unlink(struct fault_world *w)
{
    return pc_unlink(w->v, w->dir, "f");
}

static int run_rmdir(struct fault_world *w)
{
    return pc_rmdir(w->v, w->dir, "e");
}

static int run_restore(struct fault_world *w)
{
    return pc_trash_restore(w->v, w->ino, 0, NULL, NULL);
}

static int run_rule(struct fault_world *w)
{
    return pc_trash_rule_set(w->v, w->dir, PC_TRASH_OFF);
}

static int count(void *arg, const struct pc_trash_entry *e)
{
    (void)e;
    ++*(unsigned *)arg;
    return 0;
}

static int run_list(struct fault_world *w)
{
    unsigned n = 0;

    return pc_trash_list(w->v, count, &n);
}

static int run_empty(struct fault_world *w)
{
    return pc_trash_empty(w->v, 0, NULL, NULL);
}

static void test_faults(void **state)
{
    static const struct fault_op ops[] = {
        {"unlink into the trash", remove_file, run_unlink, 0},
        {"rmdir into the trash", remove_file, run_rmdir, 0},
        {"restore", removed_file, run_restore, FAULT_LATE},
        {"rule", remove_file, run_rule, FAULT_READS}, /* the picture does not show it */
        {"list", removed_file, run_list, FAULT_READS},
        {"empty", removed_file_alone, run_empty, FAULT_LATE | FAULT_PARTIAL},
    };

    (void)state;
    fault_ops(ops, sizeof ops / sizeof ops[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_off),     cmocka_unit_test(test_costs_nothing),
        cmocka_unit_test(test_files),   cmocka_unit_test(test_tree),
        cmocka_unit_test(test_rules),   cmocka_unit_test(test_guarded),
        cmocka_unit_test(test_objects), cmocka_unit_test(test_no_bucket),
        cmocka_unit_test(test_expiry),  cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
