/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation on nodes and files of a volume, with its Nth allocation or database statement failing. */
#include "fault_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "pcloud/file.h"
#include "pcloud/object.h"

#define SMALL 2000
#define LARGE 150000
#define PAGE 4096

static uint64_t find(struct fault_world *w, const char *name)
{
    struct pc_attr attr;

    assert_int_equal(pc_lookup(w->v, w->dir, name, &attr), 0);
    return attr.ino;
}

static int make(struct fault_world *w, const char *name, uint32_t mode, const char *target)
{
    const struct pc_make m = {
        .mode = mode, .uid = 7, .gid = 8, .target = target, .rdev = S_ISCHR(mode) ? 0x103 : 0};
    struct pc_attr attr;
    int rc = pc_make(w->v, w->dir, name, &m, &attr);

    if (rc == 0)
        assert_int_equal(attr.mode, mode);
    return rc;
}

static void content(struct fault_world *w, uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++)
        buf[i] = (uint8_t)(i * 31 + i / 251);
    memcpy(buf, w->tag, len < 8 ? len : 8);
}

static int fill(struct fault_world *w, uint64_t ino, size_t len, uint64_t off)
{
    static uint8_t buf[LARGE];
    struct pc_file *f;
    ssize_t n;
    int rc = pc_file_open(w->v, ino, O_RDWR, &f), end;

    if (rc < 0)
        return rc;
    content(w, buf, len);
    n = pc_file_write(f, buf, len, off);
    if (n >= 0)
        assert_int_equal(n, len);
    rc = n < 0 ? (int)n : pc_file_flush(f);
    end = pc_file_close(f);
    return rc < 0 ? rc : end;
}

static void with_file(struct fault_world *w)
{
    assert_int_equal(make(w, "file", S_IFREG | 0644, NULL), 0);
    w->ino = find(w, "file");
}

static void with_small(struct fault_world *w)
{
    with_file(w);
    assert_int_equal(fill(w, w->ino, SMALL, 0), 0);
}

static void with_large(struct fault_world *w)
{
    with_file(w);
    assert_int_equal(fill(w, w->ino, LARGE, 0), 0);
}

static void with_tree(struct fault_world *w)
{
    with_large(w);
    assert_int_equal(make(w, "other", S_IFREG | 0600, NULL), 0);
    w->other = find(w, "other");
    assert_int_equal(fill(w, w->other, SMALL, 0), 0);
    assert_int_equal(make(w, "folder", S_IFDIR | 0755, NULL), 0);
    assert_int_equal(make(w, "link", S_IFLNK | 0777, "to/nowhere"), 0);
    assert_int_equal(pc_xattr_set(w->v, w->ino, "user.a", "one", 3, 0), 0);
    assert_int_equal(pc_xattr_set(w->v, w->ino, "user.b", "two", 3, 0), 0);
}

static void with_folder(struct fault_world *w)
{
    with_tree(w);
    w->other = find(w, "folder");
}

static int make_file(struct fault_world *w)
{
    return make(w, "new", S_IFREG | 0640, NULL);
}
static int make_folder(struct fault_world *w)
{
    return make(w, "new", S_IFDIR | 0750, NULL);
}
static int make_link(struct fault_world *w)
{
    return make(w, "new", S_IFLNK | 0777, "some/where");
}
static int make_device(struct fault_world *w)
{
    return make(w, "new", S_IFCHR | 0600, NULL);
}

static int link_it(struct fault_world *w)
{
    struct pc_attr attr;
    int rc = pc_link(w->v, w->ino, w->dir, "second", &attr);

    if (rc == 0)
        assert_int_equal(attr.nlink, 2);
    return rc;
}

static int unlink_it(struct fault_world *w)
{
    return pc_unlink(w->v, w->dir, "file");
}
static int remove_folder(struct fault_world *w)
{
    return pc_rmdir(w->v, w->dir, "folder");
}
static int rename_it(struct fault_world *w)
{
    return pc_rename(w->v, w->dir, "file", w->dir, "renamed", 0);
}
static int rename_over(struct fault_world *w)
{
    return pc_rename(w->v, w->dir, "file", w->dir, "other", 0);
}
static int rename_folder(struct fault_world *w)
{
    return pc_rename(w->v, w->dir, "folder", w->dir, "named", PC_RENAME_NOREPLACE);
}

static int rename_into(struct fault_world *w)
{
    return pc_rename(w->v, w->dir, "file", w->other, "in", 0);
}

static int exchange(struct fault_world *w)
{
    return pc_rename(w->v, w->dir, "file", w->dir, "folder", PC_RENAME_EXCHANGE);
}

static int set_mode(struct fault_world *w)
{
    const struct pc_attr in = {.mode = 0600, .uid = 5, .gid = 6};
    struct pc_attr attr;
    int rc = pc_setattr(w->v, w->ino, PC_SET_MODE | PC_SET_UID | PC_SET_GID | PC_SET_MTIME_NOW, &in,
                        &attr);

    if (rc == 0)
        assert_int_equal(attr.uid, 5);
    return rc;
}

static int set_size(struct fault_world *w, uint64_t size)
{
    const struct pc_attr in = {.size = size};
    struct pc_attr attr;
    int rc = pc_setattr(w->v, w->ino, PC_SET_SIZE, &in, &attr);

    if (rc == 0)
        assert_int_equal(attr.size, size);
    return rc;
}

static int cut(struct fault_world *w)
{
    return set_size(w, 70001);
}
static int cut_small(struct fault_world *w)
{
    return set_size(w, 11);
}
static int grow(struct fault_world *w)
{
    return set_size(w, LARGE + 5000);
}
static int grow_small(struct fault_world *w)
{
    return set_size(w, 400000);
}

static int xattr_new(struct fault_world *w)
{
    return pc_xattr_set(w->v, w->ino, "user.new", "value", 5, 0);
}
static int xattr_other(struct fault_world *w)
{
    return pc_xattr_set(w->v, w->ino, "user.a", "longer than one", 15, 0);
}
static int xattr_gone(struct fault_world *w)
{
    return pc_xattr_remove(w->v, w->ino, "user.a");
}
static int xattr_s3(struct fault_world *w)
{
    return pc_xattr_set(w->v, w->ino, "user.s3.meta.colour", "red", 3, 0);
}

static int write_small(struct fault_world *w)
{
    return fill(w, w->ino, SMALL, 0);
}
static int write_large(struct fault_world *w)
{
    return fill(w, w->ino, LARGE, 0);
}
static int write_over(struct fault_world *w)
{
    return fill(w, w->ino, PAGE, 50000);
}
static int write_behind(struct fault_world *w)
{
    return fill(w, w->ino, SMALL, 300000);
}

static int append_and_sync(struct fault_world *w)
{
    uint8_t buf[SMALL];
    struct pc_file *f;
    uint64_t off;
    ssize_t n;
    int rc = set_size(w, LARGE), end; /* an append that failed half way is put right by this */

    if (rc == 0)
        rc = pc_file_open(w->v, w->ino, O_WRONLY | O_APPEND, &f);
    if (rc < 0)
        return rc;
    content(w, buf, sizeof buf);
    n = pc_file_append(f, buf, sizeof buf, &off);
    if (n >= 0)
        assert_int_equal(off, LARGE);
    rc = n < 0 ? (int)n : pc_file_sync(f);
    end = pc_file_close(f);
    return rc < 0 ? rc : end;
}

static int fallocate_it(struct fault_world *w, int mode, uint64_t off, uint64_t len)
{
    struct pc_file *f;
    int rc = pc_file_open(w->v, w->ino, O_RDWR, &f), end;

    if (rc < 0)
        return rc;
    rc = pc_file_fallocate(f, mode, off, len);
    end = pc_file_close(f);
    return rc < 0 ? rc : end;
}

static int allocate(struct fault_world *w)
{
    return fallocate_it(w, 0, 0, LARGE + 9000);
}
static int punch(struct fault_world *w)
{
    return fallocate_it(w, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, 9 * PAGE);
}
static int zero(struct fault_world *w)
{
    return fallocate_it(w, FALLOC_FL_ZERO_RANGE, 3 * PAGE, LARGE);
}
static int collapse(struct fault_world *w)
{
    return fallocate_it(w, FALLOC_FL_COLLAPSE_RANGE, 2 * PAGE, 5 * PAGE);
}
static int insert(struct fault_world *w)
{
    return fallocate_it(w, FALLOC_FL_INSERT_RANGE, 2 * PAGE, 5 * PAGE);
}

static int copy(struct fault_world *w)
{
    struct pc_file *from, *to;
    ssize_t n;
    int rc = pc_file_open(w->v, w->ino, O_RDONLY, &from), end;

    if (rc < 0)
        return rc;
    rc = pc_file_open(w->v, w->other, O_RDWR, &to);
    if (rc < 0) {
        assert_int_equal(pc_file_close(from), 0);
        return rc;
    }
    n = pc_file_copy(from, 1000, to, 500, 100000);
    if (n >= 0)
        assert_int_equal(n, 100000);
    end = pc_file_close(to);
    assert_int_equal(pc_file_close(from), 0);
    return n < 0 ? (int)n : end;
}

static int count_entry(void *arg, const char *name, const struct pc_attr *attr, uint64_t next_off)
{
    (void)name;
    (void)attr;
    (void)next_off;
    ++*(unsigned *)arg;
    return 0;
}

static int read_names(struct fault_world *w)
{
    struct pc_attr attr;
    struct pc_dir *dir;
    unsigned count = 0;
    char buf[300];
    uint64_t parent;
    int rc = pc_dir_open(w->v, w->dir, &dir);

    if (rc < 0)
        return rc;
    rc = pc_dir_read(dir, 0, count_entry, &count);
    pc_dir_close(dir);
    if (rc < 0)
        return rc;
    assert_int_equal(count, 6);
    snprintf(buf, sizeof buf, "/%s/folder", w->bucket);
    if ((rc = pc_resolve(w->v, buf, &attr)) < 0 || (rc = pc_parent(w->v, attr.ino, &parent)) < 0)
        return rc;
    assert_int_equal(parent, w->dir);
    if ((rc = pc_path(w->v, w->ino, buf, sizeof buf)) < 0)
        return rc;
    assert_non_null(strstr(buf, "/file"));
    return pc_volume_flush(w->v);
}

static int read_facts(struct fault_world *w)
{
    char buf[100];
    struct pc_attr attr;
    ssize_t n = pc_xattr_list(w->v, w->ino, buf, sizeof buf);

    if (n < 0)
        return (int)n;
    assert_int_equal(n, 14);
    n = pc_xattr_get(w->v, w->ino, "user.b", buf, sizeof buf);
    if (n < 0)
        return (int)n;
    assert_memory_equal(buf, "two", 3);
    if ((n = pc_lookup(w->v, w->dir, "link", &attr)) < 0 ||
        (n = pc_readlink(w->v, attr.ino, buf, sizeof buf)) < 0)
        return (int)n;
    assert_string_equal(buf, "to/nowhere");
    return pc_getattr(w->v, w->ino, &attr);
}

static int read_content(struct fault_world *w)
{
    static uint8_t got[LARGE], want[LARGE];
    struct pc_file *f;
    ssize_t n;
    int rc = pc_file_open(w->v, w->ino, O_RDONLY, &f);
    int64_t hole;

    if (rc < 0)
        return rc;
    content(w, want, sizeof want);
    n = pc_file_read_all(f, got, sizeof got, 0);
    if (n >= 0) {
        assert_int_equal(n, sizeof got);
        assert_memory_equal(got, want, sizeof got);
        hole = pc_file_seek(f, 0, SEEK_HOLE);
        if (hole >= 0)
            assert_int_equal(hole, LARGE);
        else
            n = hole;
    }
    assert_int_equal(pc_file_close(f), 0);
    return n < 0 ? (int)n : 0;
}

static void nodes(void **state)
{
    static const struct fault_op ops[] = {
        {"make a file", NULL, make_file, 0},
        {"make a folder", NULL, make_folder, 0},
        {"make a symlink", NULL, make_link, 0},
        {"make a device", NULL, make_device, 0},
        {"link", with_large, link_it, 0},
        {"unlink", with_tree, unlink_it, 0},
        {"rmdir", with_tree, remove_folder, 0},
        {"rename", with_tree, rename_it, 0},
        {"rename over a file", with_tree, rename_over, 0},
        {"rename into a folder", with_folder, rename_into, 0},
        {"rename a folder", with_tree, rename_folder, 0},
        {"exchange", with_tree, exchange, 0},
        {"set attributes", with_small, set_mode, 0},
        {"new xattr", with_tree, xattr_new, 0},
        {"other xattr", with_tree, xattr_other, 0},
        {"remove an xattr", with_tree, xattr_gone, 0},
        {"an object's header", with_small, xattr_s3, 0},
        {"read names", with_tree, read_names, FAULT_READS},
        {"read facts", with_tree, read_facts, FAULT_READS},
    };

    (void)state;
    fault_ops(ops, sizeof ops / sizeof *ops);
}

static void files(void **state)
{
    static const struct fault_op ops[] = {
        {"write little", with_file, write_small, FAULT_PARTIAL},
        {"write much", with_file, write_large, FAULT_PARTIAL},
        {"write into a file", with_large, write_over, FAULT_PARTIAL},
        {"write behind a small file", with_small, write_behind, FAULT_PARTIAL},
        {"append", with_large, append_and_sync, FAULT_PARTIAL},
        {"cut", with_large, cut, 0},
        {"cut a small file", with_small, cut_small, 0},
        {"grow", with_large, grow, 0},
        {"grow a small file", with_small, grow_small, 0},
        {"allocate", with_large, allocate, 0},
        {"punch", with_large, punch, FAULT_PARTIAL},
        {"zero", with_large, zero, FAULT_PARTIAL},
        {"collapse", with_large, collapse, FAULT_PARTIAL},
        {"insert", with_large, insert, FAULT_PARTIAL},
        {"copy", with_tree, copy, FAULT_PARTIAL},
        {"read content", with_large, read_content, FAULT_READS},
    };

    (void)state;
    fault_ops(ops, sizeof ops / sizeof *ops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes),
        cmocka_unit_test(files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
