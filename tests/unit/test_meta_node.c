/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes and names: what the mount does one step at a time, with each error. */
#include "meta/node.h"

#include "pcloud/err.h"
#include "test_env.h"
#include "test_meta.h"
#include "tree/segment.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cmocka.h>

static struct test_meta t;

static int set_up(void **state)
{
    (void)state;
    test_meta_new(&t);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_meta_free(&t);
    return 0;
}

static const struct meta_node_ops *ops(void)
{
    return t.m->node;
}

static int make_mode(uint64_t parent, const char *name, uint32_t mode, struct pc_attr *attr)
{
    struct pc_make make = {.mode = mode, .uid = 5, .gid = 6};

    return ops()->make(t.m, parent, name, &make, attr);
}

static struct pc_attr attr_of(uint64_t ino)
{
    struct pc_attr a;

    assert_int_equal(ops()->getattr(t.m, ino, &a), 0);
    return a;
}

static uint64_t lookup(uint64_t parent, const char *name)
{
    struct pc_attr a;
    int rc = ops()->lookup(t.m, parent, name, &a);

    return rc < 0 ? 0 : a.ino;
}

static int no_entry(uint64_t parent, const char *name)
{
    struct pc_attr a;

    return ops()->lookup(t.m, parent, name, &a);
}

static void root_is_there(void **state)
{
    struct pc_attr a = attr_of(PC_ROOT_INO);
    uint64_t parent = 0;

    (void)state;
    assert_int_equal(a.mode, S_IFDIR | 0755);
    assert_int_equal(a.nlink, 2);
    assert_int_equal(a.uid, 1000);
    assert_int_equal(ops()->parent(t.m, PC_ROOT_INO, &parent), 0);
    assert_int_equal(parent, PC_ROOT_INO);
    assert_int_equal(no_entry(PC_ROOT_INO, "nothing"), -ENOENT);
    assert_int_equal(no_entry(4711, "nothing"), -ENOENT);
    assert_int_equal(no_entry(PC_ROOT_INO, "."), -EINVAL);
    assert_int_equal(no_entry(PC_ROOT_INO, ""), -EINVAL);
    assert_int_equal(no_entry(PC_ROOT_INO, "a/b"), -EINVAL);
}

static void made_nodes_are_found(void **state)
{
    struct pc_attr f, d, found;
    char name[300];
    uint64_t parent;

    (void)state;
    assert_int_equal(make_mode(PC_ROOT_INO, "file", S_IFREG | 0640, &f), 0);
    assert_int_equal(make_mode(PC_ROOT_INO, "dir", S_IFDIR | 0750, &d), 0);
    assert_int_equal(f.mode, S_IFREG | 0640);
    assert_int_equal(f.uid, 5);
    assert_int_equal(f.nlink, 1);
    assert_int_equal(d.nlink, 2);
    assert_int_equal(attr_of(PC_ROOT_INO).nlink, 3);
    assert_int_equal(ops()->lookup(t.m, PC_ROOT_INO, "file", &found), 0);
    assert_memory_equal(&found, &f, sizeof(f));
    assert_int_equal(ops()->parent(t.m, d.ino, &parent), 0);
    assert_int_equal(parent, PC_ROOT_INO);
    assert_int_equal(ops()->parent(t.m, f.ino, &parent), -ENOTDIR);
    assert_int_equal(make_mode(PC_ROOT_INO, "file", S_IFREG, &f), -EEXIST);
    assert_int_equal(make_mode(PC_ROOT_INO, "file", S_IFDIR, &f), -EEXIST);
    assert_int_equal(make_mode(PC_ROOT_INO, "dir", S_IFREG, &f), -EEXIST);
    assert_int_equal(make_mode(found.ino, "x", S_IFREG, &f), -ENOTDIR);
    assert_int_equal(no_entry(found.ino, "x"), -ENOTDIR);
    assert_int_equal(make_mode(999, "x", S_IFREG, &f), -ENOENT);
    assert_int_equal(make_mode(d.ino, "x", 0, &f), -EINVAL);
    assert_int_equal(make_mode(d.ino, "..", S_IFREG, &f), -EINVAL);
    assert_int_equal(make_mode(d.ino, "%pc-f-x", S_IFREG, &f), -EINVAL);
    memset(name, 'n', 256);
    name[256] = '\0';
    assert_int_equal(make_mode(d.ino, name, S_IFREG, &f), -ENAMETOOLONG);
    assert_int_equal(no_entry(d.ino, name), -ENAMETOOLONG);
    name[255] = '\0';
    assert_int_equal(make_mode(d.ino, name, S_IFREG, &f), 0);
    assert_int_equal(lookup(d.ino, name), f.ino);
}

static void reserved_names_are_refused(void **state)
{
    static const char *const names[] = {"pcloud", ".pcloud", ".snapshots", "ipfs", "ipns"};
    uint64_t d = test_folder(t.m, PC_ROOT_INO, "d");
    struct pc_attr a;

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(make_mode(PC_ROOT_INO, names[i], S_IFREG, &a), -EPERM);
        assert_int_equal(make_mode(PC_ROOT_INO, names[i], S_IFDIR, &a), -EPERM);
        assert_int_equal(make_mode(d, names[i], S_IFDIR, &a), 0);
        assert_int_equal(ops()->rename(t.m, d, names[i], PC_ROOT_INO, names[i], 0), -EPERM);
    }
    assert_int_equal(make_mode(PC_ROOT_INO, "sites", S_IFDIR | 0755, &a), 0);
}

static void special_nodes_keep_what_they_are(void **state)
{
    struct pc_make dev = {.mode = S_IFCHR | 0600, .rdev = 0x1234}, link = {.mode = S_IFLNK | 0777};
    char target[PC_SYMLINK_MAX + 2], buf[PC_SYMLINK_MAX + 1];
    struct pc_attr a;

    (void)state;
    assert_int_equal(ops()->make(t.m, PC_ROOT_INO, "dev", &dev, &a), 0);
    assert_int_equal(attr_of(a.ino).rdev, 0x1234);
    assert_int_equal(make_mode(PC_ROOT_INO, "pipe", S_IFIFO | 0600, &a), 0);
    assert_int_equal(make_mode(PC_ROOT_INO, "sock", S_IFSOCK | 0600, &a), 0);
    assert_int_equal(ops()->readlink(t.m, a.ino, buf, sizeof(buf)), -EINVAL);
    assert_int_equal(ops()->readlink(t.m, 99, buf, sizeof(buf)), -ENOENT);
    assert_int_equal(ops()->make(t.m, PC_ROOT_INO, "link", &link, &a), -ENOENT);
    memset(target, 'x', sizeof(target));
    target[PC_SYMLINK_MAX + 1] = '\0';
    link.target = target;
    assert_int_equal(ops()->make(t.m, PC_ROOT_INO, "link", &link, &a), -ENAMETOOLONG);
    target[PC_SYMLINK_MAX] = '\0';
    assert_int_equal(ops()->make(t.m, PC_ROOT_INO, "link", &link, &a), 0);
    assert_int_equal(a.size, PC_SYMLINK_MAX);
    assert_int_equal(ops()->readlink(t.m, a.ino, buf, sizeof(buf)), PC_SYMLINK_MAX);
    assert_string_equal(buf, target);
    assert_int_equal(ops()->readlink(t.m, a.ino, buf, 10), -ERANGE);
    assert_int_equal(ops()->unlink(t.m, PC_ROOT_INO, "link"), 0);
    assert_int_equal(ops()->getattr(t.m, a.ino, &a), -ENOENT);
}

static void setgid_is_inherited(void **state)
{
    uint64_t d = test_folder(t.m, PC_ROOT_INO, "d");
    struct pc_attr in = {.mode = 02775, .gid = 77}, f, sub;

    (void)state;
    assert_int_equal(ops()->setattr(t.m, d, PC_SET_MODE | PC_SET_GID, &in, NULL), 0);
    assert_int_equal(make_mode(d, "f", S_IFREG | 0644, &f), 0);
    assert_int_equal(make_mode(d, "sub", S_IFDIR | 0755, &sub), 0);
    assert_int_equal(f.gid, 77);
    assert_int_equal(f.mode, S_IFREG | 0644);
    assert_int_equal(sub.gid, 77);
    assert_int_equal(sub.mode, S_IFDIR | S_ISGID | 0755);
}

static void attributes_are_set(void **state)
{
    uint64_t f = test_file(t.m, PC_ROOT_INO, "f");
    struct pc_attr in = {.mode = 06755,
                         .uid = 3,
                         .gid = 4,
                         .size = 10000,
                         .atime = {5, 6},
                         .mtime = {-7, 999999999}};
    struct pc_attr a;
    const unsigned all = PC_SET_MODE | PC_SET_UID | PC_SET_GID | PC_SET_ATIME | PC_SET_MTIME;

    (void)state;
    assert_int_equal(ops()->setattr(t.m, f, all, &in, &a), 0);
    assert_int_equal(a.mode, S_IFREG | 06755);
    assert_int_equal(a.uid, 3);
    assert_int_equal(a.gid, 4);
    assert_int_equal(a.atime.tv_sec, 5);
    assert_int_equal(a.atime.tv_nsec, 6);
    assert_int_equal(a.mtime.tv_sec, -7);
    assert_int_equal(a.mtime.tv_nsec, 999999999);
    assert_int_equal(ops()->setattr(t.m, f, PC_SET_SIZE | PC_SET_KILL_SUID, &in, &a), 0);
    assert_int_equal(a.size, 10000);
    assert_int_equal(a.used, 0);
    assert_int_equal(a.mode, S_IFREG | 0755);
    assert_true(a.mtime.tv_sec > 5);
    assert_int_equal(ops()->setattr(t.m, PC_ROOT_INO, PC_SET_SIZE, &in, &a), -EISDIR);
    assert_int_equal(ops()->setattr(t.m, 999, PC_SET_MODE, &in, &a), -ENOENT);
    in.size = (uint64_t)INT64_MAX + 1;
    assert_int_equal(ops()->setattr(t.m, f, PC_SET_SIZE, &in, &a), -EFBIG);
    in.atime.tv_sec = INT64_MAX;
    assert_int_equal(ops()->setattr(t.m, f, PC_SET_ATIME | PC_SET_MTIME_NOW, &in, &a), 0);
    assert_true(a.atime.tv_sec > 9000000000);
    assert_true(a.mtime.tv_sec > 1000000);
}

static void an_access_time_alone_keeps_the_change_time(void **state)
{
    uint64_t f = test_file(t.m, PC_ROOT_INO, "f");
    const struct pc_attr in = {.atime = {5, 6}}, before = attr_of(f);
    struct pc_attr a;

    (void)state;
    assert_int_equal(ops()->setattr(t.m, f, PC_SET_ATIME | PC_SET_KEEP_CTIME, &in, &a), 0);
    assert_int_equal(a.atime.tv_sec, 5);
    assert_memory_equal(&a.ctime, &before.ctime, sizeof a.ctime);
    assert_int_equal(ops()->setattr(t.m, f, PC_SET_ATIME, &in, &a), 0);
    assert_memory_not_equal(&a.ctime, &before.ctime, sizeof a.ctime);
}

static void removing_keeps_the_rules(void **state)
{
    uint64_t d = test_folder(t.m, PC_ROOT_INO, "d"), f = test_file(t.m, d, "f");
    struct pc_attr a;

    (void)state;
    assert_int_equal(ops()->unlink(t.m, PC_ROOT_INO, "d"), -EISDIR);
    assert_int_equal(ops()->rmdir(t.m, d, "f"), -ENOTDIR);
    assert_int_equal(ops()->rmdir(t.m, PC_ROOT_INO, "d"), -ENOTEMPTY);
    assert_int_equal(ops()->unlink(t.m, d, "g"), -ENOENT);
    assert_int_equal(ops()->rmdir(t.m, d, "g"), -ENOENT);
    assert_int_equal(ops()->unlink(t.m, f, "g"), -ENOTDIR);
    assert_int_equal(ops()->unlink(t.m, d, "f"), 0);
    assert_int_equal(ops()->getattr(t.m, f, &a), -ENOENT);
    assert_int_equal(ops()->rmdir(t.m, PC_ROOT_INO, "d"), 0);
    assert_int_equal(attr_of(PC_ROOT_INO).nlink, 2);
    assert_int_equal(ops()->getattr(t.m, d, &a), -ENOENT);
}

static void links_share_a_node(void **state)
{
    uint64_t d = test_folder(t.m, PC_ROOT_INO, "d"), f = test_file(t.m, PC_ROOT_INO, "f");
    struct pc_attr a;

    (void)state;
    assert_int_equal(ops()->link(t.m, f, d, "g", &a), 0);
    assert_int_equal(a.nlink, 2);
    assert_int_equal(lookup(d, "g"), f);
    assert_int_equal(ops()->link(t.m, f, d, "g", &a), -EEXIST);
    assert_int_equal(ops()->link(t.m, d, d, "h", &a), -EPERM);
    assert_int_equal(ops()->link(t.m, 999, d, "h", &a), -ENOENT);
    assert_int_equal(ops()->link(t.m, f, f, "h", &a), -ENOTDIR);
    assert_int_equal(ops()->unlink(t.m, PC_ROOT_INO, "f"), 0);
    assert_int_equal(attr_of(f).nlink, 1);
    assert_int_equal(ops()->unlink(t.m, d, "g"), 0);
    assert_int_equal(ops()->getattr(t.m, f, &a), -ENOENT);
}

static void held_nodes_outlive_their_names(void **state)
{
    uint64_t f = test_file(t.m, PC_ROOT_INO, "f"), d = test_folder(t.m, PC_ROOT_INO, "d");
    struct pc_attr a;

    (void)state;
    assert_int_equal(t.m->content->write_inline(t.m, f, "abc", 3, 0), 0);
    meta_hold(t.m, f);
    meta_hold(t.m, d);
    assert_int_equal(ops()->unlink(t.m, PC_ROOT_INO, "f"), 0);
    assert_int_equal(ops()->rmdir(t.m, PC_ROOT_INO, "d"), 0);
    assert_int_equal(attr_of(f).nlink, 0);
    assert_int_equal(attr_of(f).size, 3);
    assert_int_equal(t.m->content->write_inline(t.m, f, "abcd", 4, 0), 0);
    assert_int_equal(make_mode(d, "x", S_IFREG, &a), -ENOENT);
    assert_int_equal(ops()->link(t.m, f, PC_ROOT_INO, "f", &a), -ENOENT);
    assert_int_equal(t.m->content->gc_orphans(t.m, 100), 0);
    assert_true(test_meta_clean(t.m));
    meta_drop(t.m, f);
    meta_drop(t.m, d);
    assert_int_equal(t.m->content->gc_orphans(t.m, 100), 2);
    assert_int_equal(ops()->getattr(t.m, f, &a), -ENOENT);
    assert_int_equal(ops()->getattr(t.m, d, &a), -ENOENT);
}

struct page {
    char names[64][SEGMENT_NAME_MAX + 1];
    char last[SEGMENT_MAX + 1];
    size_t last_len, n, stop;
};

static int take(void *arg, const struct meta_entry *e)
{
    struct page *p = arg;

    memcpy(p->names[p->n++], e->name, strlen(e->name) + 1);
    memcpy(p->last, e->seg, e->seg_len);
    p->last_len = e->seg_len;
    return p->stop != 0 && p->n == p->stop;
}

static void folders_are_read_in_pages(void **state)
{
    uint64_t d = test_folder(t.m, PC_ROOT_INO, "d");
    struct page p = {.n = 0};
    char name[16];

    (void)state;
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "n%02d", i);
        if (i % 3 == 0)
            test_folder(t.m, d, name);
        else
            test_file(t.m, d, name);
    }
    assert_int_equal(ops()->dir_page(t.m, d, NULL, 0, 7, take, &p), 7);
    assert_int_equal(ops()->dir_page(t.m, d, p.last, p.last_len, 7, take, &p), 7);
    assert_int_equal(ops()->dir_page(t.m, d, p.last, p.last_len, 7, take, &p), 6);
    assert_int_equal(ops()->dir_page(t.m, d, p.last, p.last_len, 7, take, &p), 0);
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "n%02d", i);
        assert_string_equal(p.names[i], name);
    }
    p = (struct page){.stop = 3};
    assert_int_equal(ops()->dir_page(t.m, d, "", 0, 7, take, &p), 3);
    assert_int_equal(ops()->dir_page(t.m, lookup(d, "n01"), NULL, 0, 7, take, &p), -ENOTDIR);
    assert_int_equal(ops()->dir_page(t.m, 999, NULL, 0, 7, take, &p), -ENOENT);
}

static void twins_have_two_names(void **state)
{
    uint64_t b = test_folder(t.m, PC_ROOT_INO, "bucket");
    struct page p = {.n = 0};
    struct pc_attr a;

    (void)state;
    assert_int_equal(test_put(t.m, "bucket", "a", "file"), 0);
    assert_int_equal(no_entry(b, "%pc-f-a"), -ENOENT);
    assert_int_equal(test_put(t.m, "bucket", "a/b", "below"), 0);
    assert_int_equal(ops()->dir_page(t.m, b, NULL, 0, 9, take, &p), 2);
    assert_string_equal(p.names[0], "%pc-f-a");
    assert_string_equal(p.names[1], "a");
    assert_int_equal(ops()->lookup(t.m, b, "a", &a), 0);
    assert_true(S_ISDIR(a.mode));
    assert_int_equal(ops()->lookup(t.m, b, "%pc-f-a", &a), 0);
    assert_true(S_ISREG(a.mode));
    assert_int_equal(no_entry(b, "%pc-d-a"), -ENOENT);
    assert_int_equal(make_mode(b, "a", S_IFREG, &a), -EEXIST);
    assert_int_equal(ops()->unlink(t.m, b, "%pc-f-a"), 0);
    assert_int_equal(no_entry(b, "%pc-f-a"), -ENOENT);
    assert_int_equal(test_put(t.m, "bucket", "a", "again"), 0);
    assert_int_equal(ops()->unlink(t.m, lookup(b, "a"), "b"), 0);
    assert_int_equal(ops()->rmdir(t.m, b, "a"), 0);
    assert_int_equal(ops()->lookup(t.m, b, "a", &a), 0);
    assert_true(S_ISREG(a.mode));
}

static void keys_that_are_no_paths_have_names(void **state)
{
    uint64_t b = test_folder(t.m, PC_ROOT_INO, "bucket");
    char key[1024], name[SEGMENT_NAME_MAX + 1];
    struct page p = {.n = 0};

    (void)state;
    memset(key, 'k', 1000);
    key[1000] = '\0';
    assert_int_equal(test_put(t.m, "bucket", key, "1"), 0);
    key[999] = 'l';
    assert_int_equal(test_put(t.m, "bucket", key, "2"), 0);
    assert_int_equal(test_put(t.m, "bucket", "..", "3"), 0);
    assert_int_equal(test_put(t.m, "bucket", "//", "4"), 0);
    assert_int_equal(test_put(t.m, "bucket", "%pc-f-x", "5"), 0);
    assert_int_equal(ops()->dir_page(t.m, b, NULL, 0, 64, take, &p), 5);
    for (size_t i = 0; i < p.n; i++) {
        uint64_t ino = lookup(b, p.names[i]);
        char path[600];

        assert_true(ino != 0);
        assert_int_equal(ops()->path(t.m, ino, path, sizeof(path)), 0);
        snprintf(name, sizeof(name), "%s", strrchr(path, '/') + 1);
        assert_string_equal(name, p.names[i]);
    }
    assert_int_equal(ops()->unlink(t.m, b, p.names[p.n - 1]), 0);
    assert_int_equal(no_entry(b, p.names[p.n - 1]), -ENOENT);
    assert_int_equal(lookup(b, p.names[p.n - 2]) != 0, 1);
}

static void paths_are_told(void **state)
{
    uint64_t d = test_folder(t.m, PC_ROOT_INO, "d"), f = test_file(t.m, d, "f");
    char buf[32];

    (void)state;
    assert_int_equal(ops()->path(t.m, f, buf, sizeof(buf)), 0);
    assert_string_equal(buf, "/d/f");
    assert_int_equal(ops()->path(t.m, PC_ROOT_INO, buf, sizeof(buf)), 0);
    assert_string_equal(buf, "/");
    assert_int_equal(ops()->path(t.m, f, buf, 4), -ERANGE);
    assert_int_equal(ops()->path(t.m, 999, buf, sizeof(buf)), 0);
    assert_string_equal(buf, "?");
}

static void xattrs_are_kept(void **state)
{
    uint64_t f = test_file(t.m, PC_ROOT_INO, "f");
    char buf[256], name[300], *big = calloc(1, PC_XATTR_VALUE_MAX + 1);

    (void)state;
    assert_int_equal(ops()->xattr_get(t.m, f, "user.a", buf, sizeof(buf)), -ENODATA);
    assert_int_equal(ops()->xattr_set(t.m, f, "user.a", "1", 1, XATTR_REPLACE), -ENODATA);
    assert_int_equal(ops()->xattr_set(t.m, f, "user.a", "one", 3, XATTR_CREATE), 0);
    assert_int_equal(ops()->xattr_set(t.m, f, "user.a", "1", 1, XATTR_CREATE), -EEXIST);
    assert_int_equal(ops()->xattr_set(t.m, f, "user.b", "", 0, 0), 0);
    assert_int_equal(ops()->xattr_get(t.m, f, "user.a", buf, sizeof(buf)), 3);
    assert_memory_equal(buf, "one", 3);
    assert_int_equal(ops()->xattr_get(t.m, f, "user.a", NULL, 0), 3);
    assert_int_equal(ops()->xattr_get(t.m, f, "user.a", buf, 2), -ERANGE);
    assert_int_equal(ops()->xattr_get(t.m, f, "user.b", buf, 2), 0);
    assert_int_equal(ops()->xattr_list(t.m, f, NULL, 0), 14);
    assert_int_equal(ops()->xattr_list(t.m, f, buf, 13), -ERANGE);
    assert_int_equal(ops()->xattr_list(t.m, f, buf, sizeof(buf)), 14);
    assert_memory_equal(buf, "user.a\0user.b", 14);
    assert_int_equal(ops()->xattr_set(t.m, f, "user.c", big, PC_XATTR_VALUE_MAX + 1, 0), -E2BIG);
    for (int i = 0; i < 16; i++) {
        snprintf(name, sizeof(name), "user.big%d", i);
        assert_int_equal(ops()->xattr_set(t.m, f, name, big, PC_XATTR_VALUE_MAX, 0),
                         i < 15 ? 0 : -ENOSPC);
    }
    assert_int_equal(ops()->xattr_remove(t.m, f, "user.a"), 0);
    assert_int_equal(ops()->xattr_remove(t.m, f, "user.a"), -ENODATA);
    memset(name, 'n', 256);
    name[256] = '\0';
    assert_int_equal(ops()->xattr_set(t.m, f, name, "", 0, 0), -ERANGE);
    assert_int_equal(ops()->xattr_set(t.m, 999, "user.a", "", 0, 0), -ENOENT);
    assert_int_equal(ops()->unlink(t.m, PC_ROOT_INO, "f"), 0);
    free(big);
}

static void lists_of_xattrs_have_an_end(void **state)
{
    uint64_t f = test_file(t.m, PC_ROOT_INO, "f");
    char name[256];
    int rc = 0, n = 0;

    (void)state;
    for (; rc == 0 && n < 1000; n++) {
        snprintf(name, sizeof(name), "user.%0200d", n);
        rc = ops()->xattr_set(t.m, f, name, "v", 1, 0);
    }
    assert_int_equal(rc, -ENOSPC);
    assert_true(ops()->xattr_list(t.m, f, NULL, 0) <= PC_XATTR_LIST_MAX);
    assert_true(n > 100);
}

static void it_is_all_there_after_reopening(void **state)
{
    uint64_t d = test_folder(t.m, PC_ROOT_INO, "d"), f = test_file(t.m, d, "f");

    (void)state;
    assert_int_equal(ops()->xattr_set(t.m, f, "user.a", "1", 1, 0), 0);
    test_meta_reopen(&t);
    assert_int_equal(lookup(lookup(PC_ROOT_INO, "d"), "f"), f);
    assert_true(test_file(t.m, d, "g") > f);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(root_is_there),
        TEST(made_nodes_are_found),
        TEST(reserved_names_are_refused),
        TEST(special_nodes_keep_what_they_are),
        TEST(setgid_is_inherited),
        TEST(attributes_are_set),
        TEST(an_access_time_alone_keeps_the_change_time),
        TEST(removing_keeps_the_rules),
        TEST(links_share_a_node),
        TEST(held_nodes_outlive_their_names),
        TEST(folders_are_read_in_pages),
        TEST(twins_have_two_names),
        TEST(keys_that_are_no_paths_have_names),
        TEST(paths_are_told),
        TEST(xattrs_are_kept),
        TEST(lists_of_xattrs_have_an_end),
        TEST(it_is_all_there_after_reopening),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
