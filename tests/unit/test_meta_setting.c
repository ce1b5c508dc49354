/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of buckets, and headers of objects changed in place. */
#include "meta/object.h"

#include "pcloud/err.h"
#include "test_meta.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct test_meta t;

static const struct meta_object_ops *ops(void)
{
    return t.m->object;
}

static int set_up(void **state)
{
    (void)state;
    test_meta_new(&t);
    assert_int_equal(ops()->bucket_create(t.m, "photos", ""), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_meta_free(&t); /* finds what was left behind */
    return 0;
}

static void holds(const char *bucket, enum pc_setting which, const char *text)
{
    struct pc_bucket b;
    char *data;
    size_t len;

    assert_int_equal(ops()->bucket_get(t.m, bucket, &b), 0);
    assert_int_equal(b.settings >> which & 1, text != NULL);
    if (!text) {
        assert_int_equal(ops()->setting_get(t.m, bucket, which, &data, &len), -ENODATA);
        return;
    }
    assert_int_equal(ops()->setting_get(t.m, bucket, which, &data, &len), 0);
    assert_int_equal(len, strlen(text));
    assert_string_equal(data, text);
    free(data);
}

static int set(const char *bucket, enum pc_setting which, const char *text)
{
    return ops()->setting_set(t.m, bucket, which, text, text ? strlen(text) : 0);
}

static int count_settings(void *arg, const struct pc_bucket *b)
{
    *(uint32_t *)arg |= b->settings;
    return 0;
}

static void settings_come_and_go(void **state)
{
    uint32_t seen = 0;
    char *data;
    size_t len;

    (void)state;
    holds("photos", PC_SETTING_CORS, NULL);
    assert_int_equal(set("photos", PC_SETTING_CORS, NULL), 0);
    assert_int_equal(set("photos", PC_SETTING_CORS, "<one/>"), 0);
    assert_int_equal(set("photos", PC_SETTING_ACCELERATE, ""), 0);
    holds("photos", PC_SETTING_CORS, "<one/>");
    holds("photos", PC_SETTING_ACCELERATE, "");
    holds("photos", PC_SETTING_POLICY, NULL);
    assert_int_equal(set("photos", PC_SETTING_CORS, "<two/>"), 0);
    test_meta_reopen(&t);
    holds("photos", PC_SETTING_CORS, "<two/>");
    assert_int_equal(ops()->bucket_list(t.m, count_settings, &seen), 0);
    assert_int_equal(seen, 1u << PC_SETTING_CORS | 1u << PC_SETTING_ACCELERATE);
    assert_int_equal(set("photos", PC_SETTING_CORS, NULL), 0);
    holds("photos", PC_SETTING_CORS, NULL);
    holds("photos", PC_SETTING_ACCELERATE, "");
    assert_int_equal(set("nobody", PC_SETTING_CORS, "x"), PC_ENOBUCKET);
    assert_int_equal(ops()->setting_get(t.m, "nobody", PC_SETTING_CORS, &data, &len), PC_ENOBUCKET);
}

static void settings_stay_with_their_bucket(void **state)
{
    (void)state;
    test_folder(t.m, PC_ROOT_INO, "made"); /* which has no row as a bucket yet */
    assert_int_equal(set("made", PC_SETTING_TAGGING, "tags"), 0);
    assert_int_equal(set("pcloud", PC_SETTING_TAGGING, "top"), 0);
    holds("made", PC_SETTING_TAGGING, "tags");
    holds("pcloud", PC_SETTING_TAGGING, "top");
    assert_int_equal(t.m->node->rename(t.m, PC_ROOT_INO, "made", PC_ROOT_INO, "moved", 0), 0);
    holds("moved", PC_SETTING_TAGGING, "tags");
    assert_int_equal(ops()->bucket_chown(t.m, "moved", ""), 0);
    holds("moved", PC_SETTING_TAGGING, "tags");
    assert_int_equal(ops()->bucket_delete(t.m, "moved"), 0);
    assert_int_equal(ops()->bucket_create(t.m, "moved", ""), 0);
    holds("moved", PC_SETTING_TAGGING, NULL);
    assert_int_equal(set("photos", PC_SETTING_TAGGING, "gone with the folder"), 0);
    assert_int_equal(t.m->node->rmdir(t.m, PC_ROOT_INO, "photos"), 0);
}

static void settings_have_a_limit(void **state)
{
    char *big = malloc(PC_SETTING_MAX + 2);
    char *data;
    size_t len;

    (void)state;
    memset(big, 'x', PC_SETTING_MAX + 1);
    assert_int_equal(ops()->setting_set(t.m, "photos", PC_SETTING_POLICY, big, PC_SETTING_MAX + 1),
                     PC_ELIMIT);
    holds("photos", PC_SETTING_POLICY, NULL);
    assert_int_equal(ops()->setting_set(t.m, "photos", PC_SETTING_POLICY, big, PC_SETTING_MAX), 0);
    test_meta_reopen(&t);
    assert_int_equal(ops()->setting_get(t.m, "photos", PC_SETTING_POLICY, &data, &len), 0);
    assert_int_equal(len, PC_SETTING_MAX);
    assert_memory_equal(data, big, len);
    free(data);
    free(big);
}

static const char *header(struct pc_object *o, const char *name)
{
    static char found[32];
    const char *at = o->headers.data, *end = at + o->headers.len;

    while (at && at < end) {
        const char *value = at + strlen(at) + 1;

        if (strcmp(at, name) == 0) {
            snprintf(found, sizeof(found), "%s", value);
            return found;
        }
        at = value + strlen(value) + 1;
    }
    return NULL;
}

#define CHANGE(text)                                                                               \
    &(struct pc_headers)                                                                           \
    {                                                                                              \
        (text), sizeof(text)                                                                       \
    }

static void annotations_leave_the_rest(void **state)
{
    static char big[PC_META_MAX + 1];
    struct meta_key k = test_key("photos", "a/b");
    struct pc_headers long_one = {big, PC_META_MAX};
    struct pc_object before, after;

    (void)state;
    assert_int_equal(ops()->annotate(t.m, &k, CHANGE("tagging\0a=1")), -ENOENT);
    assert_int_equal(test_put(t.m, "photos", "a/b", "v"), 0);
    assert_int_equal(ops()->get(t.m, &k, &before), 0);
    assert_int_equal(ops()->annotate(t.m, &k, CHANGE("tagging\0a=1\0acl\0x")), 0);
    assert_int_equal(ops()->annotate(t.m, &k, CHANGE("acl\0\0note\0on")), 0);
    assert_int_equal(ops()->annotate(t.m, &k, CHANGE("legal-hold\0ON")), -EINVAL);
    assert_int_equal(ops()->annotate(t.m, &k, CHANGE("tagging\0b=2")), 0);
    assert_int_equal(ops()->get(t.m, &k, &after), 0);
    assert_string_equal(header(&after, "tagging"), "b=2");
    assert_string_equal(header(&after, "note"), "on");
    assert_null(header(&after, "acl"));
    assert_string_equal(after.etag, before.etag);
    assert_memory_equal(&after.mtime, &before.mtime, sizeof(after.mtime));
    assert_int_equal(after.ino, before.ino);
    free((void *)(uintptr_t)before.headers.data);
    free((void *)(uintptr_t)after.headers.data);
    memset(big, 'x', sizeof(big));
    big[1] = big[PC_META_MAX - 1] = '\0';
    assert_int_equal(ops()->annotate(t.m, &k, &long_one), PC_ELIMIT);
    assert_int_equal(ops()->annotate(t.m, &k, &(struct pc_headers){"x", 1}), -EINVAL);
    k = test_key("nobody", "a");
    assert_int_equal(ops()->annotate(t.m, &k, CHANGE("tagging\0a=1")), PC_ENOBUCKET);
}

static void annotations_of_what_the_mount_made(void **state)
{
    struct meta_key k = test_key("made", "file");
    struct pc_object o;
    uint64_t ino;
    char etag[PC_ETAG_MAX];

    (void)state;
    ino = test_file(t.m, test_folder(t.m, PC_ROOT_INO, "made"), "file");
    snprintf(etag, sizeof(etag), "%s", test_etag(t.m, "made", "file"));
    assert_int_equal(ops()->annotate(t.m, &k, CHANGE("tagging\0a=1")), 0);
    assert_int_equal(ops()->get(t.m, &k, &o), 0);
    assert_int_equal(o.ino, ino);
    assert_string_equal(o.etag, etag);
    assert_string_equal(header(&o, "tagging"), "a=1");
    free((void *)(uintptr_t)o.headers.data);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(settings_come_and_go),
        TEST(settings_stay_with_their_bucket),
        TEST(settings_have_a_limit),
        TEST(annotations_leave_the_rest),
        TEST(annotations_of_what_the_mount_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
