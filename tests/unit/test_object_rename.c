/* SPDX-License-Identifier: Apache-2.0 */
/* Objects under another key: in folders that come and go, over what is there, under conditions; headers that hold until the mount changes the content. */
#include "pcloud/object.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pcloud/err.h"
#include "pcloud/file.h"
#include "pcloud/history.h"
#include "test_env.h"
#include "test_volume.h"

#define B "bucket"

static void put(struct pc_volume *v, const char *key, const char *text)
{
    static const char headers[] = "content-type\0text/x\0sse-c\0aabb\0sse-size\0"
                                  "5";
    const struct pc_headers h = {headers, sizeof(headers)};
    char etag[PC_ETAG_MAX];
    struct pc_put *p;

    memset(etag, text[0], 32);
    etag[32] = '\0';
    assert_int_equal(pc_put_begin(v, &p), 0);
    assert_int_equal(pc_put_write(p, text, strlen(text)), 0);
    assert_int_equal(pc_put_commit(p, B, key, strlen(key), etag, &h, NULL, NULL), 0);
}

static void is(struct pc_volume *v, const char *key, const char *text)
{
    struct pc_object o;
    struct pc_reader *r;
    char got[64] = "";
    uint64_t size;

    assert_int_equal(pc_reader_open(v, B, key, strlen(key), &o, &r), 0);
    assert_int_equal(pc_reader_read(r, got, sizeof(got), 0), (int)strlen(text));
    assert_string_equal(got, text);
    assert_int_equal(pc_reader_parts(r, &size, 1), 0);
    assert_string_equal(pc_headers_get(&o.headers, "content-type"), "text/x");
    assert_int_equal(o.etag[0], text[0]);
    pc_reader_close(r);
    pc_object_fini(&o);
}

static void is_gone(struct pc_volume *v, const char *key)
{
    struct pc_object o;

    assert_int_equal(pc_object_head(v, B, key, strlen(key), &o), -ENOENT);
}

static int rename_to(struct pc_volume *v, const char *from, const char *to)
{
    return pc_object_rename(v, B, from, strlen(from), NULL, to, strlen(to), NULL);
}

static void moves(void **state)
{
    struct test_volume *t = *state;
    struct pc_attr attr;

    assert_int_equal(pc_bucket_create(t->v, B, ""), 0);
    put(t->v, "a/b/c", "one");
    assert_int_equal(rename_to(t->v, "a/b/c", "x/y"), 0);
    is(t->v, "x/y", "one");
    is_gone(t->v, "a/b/c");
    assert_int_equal(pc_resolve(t->v, "/" B "/a", &attr), -ENOENT); /* S3 made it */
    assert_int_equal(rename_to(t->v, "x/y", "x"), 0); /* beside the folder of its name */
    is(t->v, "x", "one");
    assert_int_equal(rename_to(t->v, "x", "x/y"), 0);
    is(t->v, "x/y", "one");
    assert_int_equal(rename_to(t->v, "x/y", "x/z"), 0);
    is(t->v, "x/z", "one");
    assert_int_equal(rename_to(t->v, "x/z", "x/z"), 0);
    is(t->v, "x/z", "one");
    test_volume_reopen(t);
    is(t->v, "x/z", "one");
    assert_int_equal(test_volume_fsck(t), 0);
}

static void replaces(void **state)
{
    struct test_volume *t = *state;
    struct pc_object o;
    struct pc_reader *r;
    char got[8] = "";

    assert_int_equal(pc_bucket_create(t->v, B, ""), 0);
    put(t->v, "from", "new");
    put(t->v, "d/to", "old");
    assert_int_equal(pc_reader_open(t->v, B, "d/to", 4, &o, &r), 0);
    assert_int_equal(rename_to(t->v, "from", "d/to"), 0);
    assert_int_equal(pc_reader_read(r, got, 3, 0), 3);
    assert_string_equal(got, "old"); /* who reads it keeps it */
    pc_reader_close(r);
    pc_object_fini(&o);
    is(t->v, "d/to", "new");
    is_gone(t->v, "from");
    assert_int_equal(test_volume_fsck(t), 0);
}

static void refuses(void **state)
{
    struct test_volume *t = *state;
    struct pc_condition wrong = {.if_match = "x"}, none = {.if_none_match = "*"};

    assert_int_equal(pc_bucket_create(t->v, B, ""), 0);
    put(t->v, "a", "one");
    put(t->v, "b", "two");
    assert_int_equal(rename_to(t->v, "none", "c"), -ENOENT);
    assert_int_equal(rename_to(t->v, "a", "c/"), -EINVAL);
    assert_int_equal(pc_object_rename(t->v, "nobucket", "a", 1, NULL, "c", 1, NULL), PC_ENOBUCKET);
    assert_int_equal(pc_object_rename(t->v, B, "a", 1, &wrong, "c", 1, NULL), PC_EPRECONDITION);
    assert_int_equal(pc_object_rename(t->v, B, "a", 1, NULL, "b", 1, &none), PC_EPRECONDITION);
    assert_int_equal(pc_object_rename(t->v, B, "a", 1, NULL, "b", 1, &wrong), PC_EPRECONDITION);
    is(t->v, "a", "one");
    is(t->v, "b", "two");
    assert_int_equal(pc_versioning_set(t->v, B, PC_VERSIONING_ON), 0);
    assert_int_equal(rename_to(t->v, "a", "c"), PC_EBUCKETSTATE);
    is(t->v, "a", "one");
    assert_int_equal(test_volume_fsck(t), 0);
}

/* What the mount writes is not what the marks are about. */
static void marks_go_with_the_content(void **state)
{
    struct test_volume *t = *state;
    struct pc_object o;
    struct pc_attr attr;
    struct pc_file *f;

    assert_int_equal(pc_bucket_create(t->v, B, ""), 0);
    put(t->v, "k", "one");
    assert_int_equal(pc_object_head(t->v, B, "k", 1, &o), 0);
    assert_string_equal(pc_headers_get(&o.headers, "sse-c"), "aabb");
    pc_object_fini(&o);
    assert_int_equal(pc_resolve(t->v, "/" B "/k", &attr), 0);
    assert_int_equal(pc_file_open(t->v, attr.ino, O_RDWR, &f), 0);
    assert_int_equal(pc_file_write(f, "two", 3, 0), 3);
    assert_int_equal(pc_file_close(f), 0);
    assert_int_equal(pc_object_head(t->v, B, "k", 1, &o), 0);
    assert_null(pc_headers_get(&o.headers, "sse-c"));
    assert_null(pc_headers_get(&o.headers, "sse-size"));
    assert_string_equal(pc_headers_get(&o.headers, "content-type"), "text/x");
    pc_object_fini(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(moves, test_volume_set_up, test_volume_tear_down),
        cmocka_unit_test_setup_teardown(replaces, test_volume_set_up, test_volume_tear_down),
        cmocka_unit_test_setup_teardown(refuses, test_volume_set_up, test_volume_tear_down),
        cmocka_unit_test_setup_teardown(marks_go_with_the_content, test_volume_set_up,
                                        test_volume_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
