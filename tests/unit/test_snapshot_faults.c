/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots taken, removed, restored and changed under, with the Nth allocation or database statement failing. */
#include "fault_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "meta/snap/snapshot.h"
#include "pcloud/err.h"
#include "pcloud/file.h"
#include "pcloud/snapshot.h"
#include "volume/volume.h"

#define SIZE 20000

static int write_file(struct fault_world *w, uint64_t ino, uint8_t fill)
{
    static uint8_t buf[SIZE];
    struct pc_file *f;
    int rc = pc_file_open(w->v, ino, O_RDWR, &f);

    if (rc < 0)
        return rc;
    memset(buf, fill, sizeof(buf));
    memcpy(buf, w->tag, sizeof(w->tag));
    rc = (int)pc_file_write(f, buf, sizeof(buf), 0);
    if (rc >= 0)
        rc = pc_file_flush(f);
    else
        pc_file_flush(f);
    pc_file_close(f);
    return rc < 0 ? rc : 0;
}

/* What the file was in snapshot "s": its second half is all ${fill}. */
static int check_past(struct fault_world *w, uint8_t fill)
{
    static uint8_t buf[SIZE];
    char path[128];
    struct pc_attr a;
    struct pc_file *f;
    ssize_t n;
    int rc;

    snprintf(path, sizeof(path), "/.snapshots/s/%s/old", w->bucket);
    rc = pc_resolve(w->v, path, &a);
    if (rc == 0)
        rc = pc_file_open(w->v, a.ino, O_RDONLY, &f);
    if (rc < 0)
        return rc;
    n = pc_file_read_all(f, buf, sizeof(buf), 0);
    pc_file_close(f);
    if (n < 0)
        return (int)n;
    assert_int_equal(n, SIZE);
    for (size_t i = SIZE / 2; i < SIZE; i++)
        assert_int_equal(buf[i], fill);
    return 0;
}

static int find_first(void *arg, const struct pc_snapshot *s)
{
    memcpy(arg, s->name, sizeof(s->name));
    return 1;
}

/* Worlds share a volume, and snapshots are of all of it: those of earlier worlds go first. */
static void with_file(struct fault_world *w)
{
    struct pc_make m = {.mode = S_IFREG | 0644};
    char name[PC_SNAPSHOT_NAME_MAX + 1];
    struct pc_attr a;

    while (pc_snapshot_list(w->v, find_first, name) > 0)
        assert_int_equal(pc_snapshot_remove(w->v, name), 0);
    assert_int_equal(pc_make(w->v, w->dir, "old", &m, &a), 0);
    assert_int_equal(write_file(w, a.ino, 1), 0);
    assert_int_equal(pc_xattr_set(w->v, a.ino, "user.k", "v", 1, 0), 0);
    w->ino = a.ino;
}

static void with_snapshot(struct fault_world *w)
{
    struct pc_snapshot s;

    with_file(w);
    assert_int_equal(pc_snapshot_take(w->v, "s", &s), 0);
}

/* Two of them, each with rows of its own. */
static void with_changes(struct fault_world *w)
{
    struct pc_snapshot s;

    with_snapshot(w);
    assert_int_equal(write_file(w, w->ino, 2), 0);
    assert_int_equal(pc_snapshot_take(w->v, "t", &s), 0);
    assert_int_equal(write_file(w, w->ino, 3), 0);
    assert_int_equal(pc_unlink(w->v, w->dir, "old"), 0);
}

/* Something that can be seen: what is compared afterwards has no snapshots in it. */
static int done(struct fault_world *w, int rc)
{
    struct pc_make m = {.mode = S_IFREG | 0644};
    struct pc_attr a;

    if (rc < 0)
        return rc;
    rc = pc_make(w->v, w->dir, "done", &m, &a);
    return rc == -EEXIST ? 0 : rc;
}

static int take(struct fault_world *w)
{
    struct pc_snapshot s;
    int rc = pc_snapshot_take(w->v, "s", &s);

    if (rc == -EEXIST) /* the first time only its way to disk failed */
        rc = 0;
    if (rc == 0)
        rc = check_past(w, 1);
    return done(w, rc);
}

static int remove_one(struct fault_world *w, const char *name)
{
    int rc = pc_snapshot_remove(w->v, name);

    if (rc == -ENOENT) /* what a failed one left goes later */
        do
            rc = meta_snapshot_sweep(w->v->meta, 1000);
        while (rc > 0);
    return rc;
}

static int remove_newer(struct fault_world *w)
{
    int rc = remove_one(w, "t");

    if (rc == 0)
        rc = check_past(w, 1);
    return done(w, rc);
}

static int remove_older(struct fault_world *w)
{
    return done(w, remove_one(w, "s"));
}

static int restore(struct fault_world *w)
{
    struct pc_restore_result r;
    char from[64], to[64];
    int rc = pc_unlink(w->v, w->dir, "back");

    if (rc < 0 && rc != -ENOENT)
        return rc;
    snprintf(from, sizeof(from), "/%s/old", w->bucket);
    snprintf(to, sizeof(to), "/%s/back", w->bucket);
    return pc_snapshot_restore(w->v, "s", from, to, &r);
}

static int change(struct fault_world *w)
{
    int rc = write_file(w, w->ino, 4);

    return rc < 0 ? rc : check_past(w, 1);
}

static int drop(struct fault_world *w)
{
    int rc = pc_unlink(w->v, w->dir, "old");

    return rc < 0 ? rc : check_past(w, 1);
}

static int again(struct fault_world *w)
{
    return pc_xattr_set(w->v, w->ino, "user.k", "other", 5, 0);
}

static int look(struct fault_world *w)
{
    return check_past(w, 1);
}

static int tend(struct fault_world *w)
{
    int rc = pc_snapshot_rules_set(w->v, "daily=1");

    if (rc == 0)
        rc = pc_snapshot_tend(w->v, 1800000000);
    return done(w, rc);
}

static const struct fault_op ops[] = {
    {"take", with_file, take, FAULT_LATE | FAULT_PARTIAL},
    {"look", with_changes, look, FAULT_READS},
    {"change content", with_snapshot, change, FAULT_LATE | FAULT_PARTIAL},
    {"remove a file", with_snapshot, drop, FAULT_LATE},
    {"change an attribute", with_snapshot, again, 0},
    {"restore", with_changes, restore, FAULT_LATE | FAULT_PARTIAL},
    {"remove the newer", with_changes, remove_newer, FAULT_LATE | FAULT_PARTIAL},
    {"remove the older", with_changes, remove_older, FAULT_LATE | FAULT_PARTIAL},
    {"rules", with_changes, tend, FAULT_LATE | FAULT_PARTIAL},
};

static void test_all(void **state)
{
    (void)state;
    fault_ops(ops, sizeof(ops) / sizeof(ops[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
