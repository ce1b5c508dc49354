/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation on versions of objects, with its Nth allocation or database statement failing. */
#include "fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pcloud/err.h"
#include "pcloud/history.h"
#include "pcloud/node.h"

#define ETAG "0123456789abcdef0123456789abcdef"
#define KEY(key) (key), strlen(key)
#define SMALL 3000

static int put(struct fault_world *w, const char *key)
{
    uint8_t buf[SMALL] = {0};
    struct pc_object o;
    struct pc_put *p;
    int rc = pc_put_begin(w->v, &p);

    if (rc < 0)
        return rc;
    memcpy(buf, w->tag, sizeof w->tag);
    rc = pc_put_write(p, buf, sizeof buf);
    if (rc < 0) {
        pc_put_abort(p);
        return rc;
    }
    rc = pc_put_commit(p, w->bucket, KEY(key), ETAG, NULL, NULL, &o);
    if (rc < 0)
        return rc;
    assert_int_equal(o.size, SMALL);
    pc_object_fini(&o);
    return 0;
}

static int keep_versions(struct fault_world *w)
{
    return pc_versioning_set(w->v, w->bucket, PC_VERSIONING_ON);
}

static int delete_version(struct fault_world *w, const char *id)
{
    struct pc_delete item = {.key = "a/key", .len = 5, .version = id};

    return pc_version_delete(w->v, w->bucket, &item, NULL);
}

static void with_kept(struct fault_world *w)
{
    assert_int_equal(keep_versions(w), 0);
}

/* A version that is past, its id in upload, and a current one. */
static void with_past(struct fault_world *w)
{
    struct pc_object o;

    with_kept(w);
    assert_int_equal(put(w, "a/key"), 0);
    assert_int_equal(pc_version_head(w->v, w->bucket, KEY("a/key"), NULL, &o), 0);
    snprintf(w->upload, sizeof w->upload, "%s", o.version);
    pc_object_fini(&o);
    assert_int_equal(put(w, "a/key"), 0);
}

static void with_marker(struct fault_world *w)
{
    struct pc_object o;

    with_past(w);
    assert_int_equal(delete_version(w, NULL), 0);
    assert_int_equal(pc_version_head(w->v, w->bucket, KEY("a/key"), "", &o), PC_EMARKER);
    snprintf(w->upload, sizeof w->upload, "%s", o.version);
    pc_object_fini(&o);
}

static void with_locking(struct fault_world *w)
{
    with_past(w);
    assert_int_equal(pc_locking_set(w->v, w->bucket), 0);
}

static int put_again(struct fault_world *w)
{
    return put(w, "a/key");
}
static int mark(struct fault_world *w)
{
    return delete_version(w, NULL);
}
static int delete_past(struct fault_world *w)
{
    return delete_version(w, w->upload);
}
static int lock_bucket(struct fault_world *w)
{
    return pc_locking_set(w->v, w->bucket);
}

static int rename_folder(struct fault_world *w)
{
    return pc_rename(w->v, w->dir, "a", w->dir, "z", 0);
}

static int hold_refuses(struct fault_world *w)
{
    int rc = pc_version_hold(w->v, w->bucket, KEY("a/key"), w->upload, true);

    if (rc < 0)
        return rc;
    rc = delete_version(w, w->upload);
    if (rc == PC_ELOCKED)
        return pc_version_hold(w->v, w->bucket, KEY("a/key"), w->upload, false);
    assert_true(rc < 0); /* never deleted */
    return rc;
}

static int read_past(struct fault_world *w)
{
    uint8_t buf[SMALL];
    struct pc_object o;
    struct pc_reader *r;
    ssize_t n;
    int rc = pc_version_open(w->v, w->bucket, KEY("a/key"), w->upload, &o, &r);

    if (rc < 0)
        return rc;
    assert_string_equal(o.version, w->upload);
    assert_false(o.latest);
    n = pc_reader_read(r, buf, sizeof buf, 0);
    if (n >= 0) {
        assert_int_equal(n, sizeof buf);
        assert_memory_equal(buf, w->tag, sizeof w->tag);
    }
    pc_reader_close(r);
    pc_object_fini(&o);
    return n < 0 ? (int)n : 0;
}

static void versions(void **state)
{
    static const struct fault_op ops[] = {
        {"keep versions", NULL, keep_versions, FAULT_LATE},
        {"put over a version", with_past, put_again, FAULT_LATE},
        {"delete what is current", with_past, mark, FAULT_LATE},
        {"delete a past version", with_past, delete_past, FAULT_LATE},
        {"delete a marker", with_marker, delete_past, FAULT_LATE},
        {"put over a marker", with_marker, put_again, FAULT_LATE},
        {"rename a folder of versions", with_past, rename_folder, 0},
        {"let versions be locked", with_past, lock_bucket, FAULT_LATE},
        {"a hold", with_locking, hold_refuses, FAULT_READS | FAULT_PARTIAL},
        {"read a past version", with_past, read_past, FAULT_READS},
    };

    (void)state;
    fault_ops(ops, sizeof ops / sizeof *ops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
