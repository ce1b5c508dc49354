/* SPDX-License-Identifier: Apache-2.0 */
/* Listing against a sorted array: random trees, prefixes, delimiters, starts and page sizes; uploads too. */
#include "meta/object.h"

#include "pcloud/err.h"
#include "test_env.h"
#include "test_meta.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define KEYS_MAX 400
#define KEY_MAX 48

struct key {
    char s[KEY_MAX + 1];
    size_t len;
};

static struct test_meta t;
static struct key keys[KEYS_MAX]; /* what the bucket holds, in byte order */
static size_t key_count;

static int set_up(void **state)
{
    (void)state;
    test_meta_new(&t);
    key_count = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_meta_free(&t);
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    int order = memcmp(x->s, y->s, x->len < y->len ? x->len : y->len);

    return order ? order : x->len < y->len ? -1 : x->len > y->len;
}

static struct key make_key(const char *s, size_t len)
{
    struct key k = {.len = len};

    memcpy(k.s, s, len);
    return k;
}

/* Few different bytes, so that keys meet. */
static struct key random_key(uint64_t *rng)
{
    static const char bytes[] = "aab/b//-.0\xff\x01";
    struct key k = {.len = 1 + test_random(rng) % 9};

    for (size_t i = 0; i < k.len; i++)
        k.s[i] = bytes[test_random(rng) % (sizeof(bytes) - 1)];
    return k;
}

static void put_key(const char *bucket, const struct key *k)
{
    struct meta_key mk = {.bucket = bucket, .key = k->s, .len = k->len};
    struct meta_new content = {.size = k->len, .inline_data = k->s};
    unsigned bad;

    assert_int_equal(t.m->object->put(t.m, &mk, &content, "etag", NULL, NULL, NULL, &bad), 0);
}

static void fill(const char *bucket, uint64_t *rng, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        keys[i] = random_key(rng);
        put_key(bucket, &keys[i]);
    }
    qsort(keys, n, sizeof(keys[0]), compare);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || compare(&keys[kept - 1], &keys[i]) != 0)
            keys[kept++] = keys[i];
    }
    key_count = kept;
}

struct result {
    struct key entries[KEYS_MAX];
    bool prefixes[KEYS_MAX];
    size_t n, stop;
};

static int take(void *arg, const struct pc_list_entry *e)
{
    struct result *r = arg;

    assert_true(e->len <= KEY_MAX);
    r->entries[r->n] = make_key(e->key, e->len);
    r->prefixes[r->n++] = e->is_prefix;
    if (!e->is_prefix) {
        assert_int_equal(e->size, e->len);
        assert_string_equal(e->etag, "etag");
    }
    return r->stop != 0 && r->n == r->stop ? 7 : 0;
}

static size_t rollup(const struct key *k, const struct pc_list *l)
{
    const char *at;

    if (l->delimiter_len == 0)
        return 0;
    at = memmem(k->s + l->prefix_len, k->len - l->prefix_len, l->delimiter, l->delimiter_len);
    return at ? (size_t)(at - k->s) + l->delimiter_len : 0;
}

/* What S3 says: keys with the prefix, rolled up, strictly above after, at most max. */
static void expect(const struct pc_list *l, struct result *r, bool *truncated)
{
    struct key after = make_key(l->after, l->after_len);

    r->n = 0;
    *truncated = false;
    for (size_t i = 0; i < key_count; i++) {
        struct key k = keys[i];
        size_t n;

        if (k.len < l->prefix_len || memcmp(k.s, l->prefix, l->prefix_len) != 0)
            continue;
        n = rollup(&k, l);
        if (n > 0)
            k = make_key(k.s, n);
        if (l->after_len > 0 && compare(&k, &after) <= 0)
            continue;
        if (n > 0 && r->n > 0 && r->prefixes[r->n - 1] && compare(&r->entries[r->n - 1], &k) == 0)
            continue;
        if (r->n == l->max) {
            *truncated = l->max > 0;
            return;
        }
        r->entries[r->n] = k;
        r->prefixes[r->n++] = n > 0;
    }
}

static void compare_once(const char *bucket, const struct pc_list *l)
{
    static struct result want, got;
    bool want_more, got_more = true;

    expect(l, &want, &want_more);
    got.n = got.stop = 0;
    assert_int_equal(t.m->object->list(t.m, bucket, l, take, &got, &got_more), 0);
    assert_int_equal(got.n, want.n);
    for (size_t i = 0; i < want.n; i++) {
        assert_int_equal(compare(&got.entries[i], &want.entries[i]), 0);
        assert_int_equal(got.prefixes[i], want.prefixes[i]);
    }
    assert_int_equal(got_more, want_more);
}

static void random_lists(const char *bucket, uint64_t *rng, int rounds)
{
    static const char *const delimiters[] = {"", "/", "/", "/", "a", "//", "-", "\xff", "b/", "/a"};

    for (int i = 0; i < rounds; i++) {
        struct key prefix = random_key(rng), after = random_key(rng);
        struct pc_list l = {.prefix = prefix.s, .after = after.s, .max = 1000};

        l.delimiter = delimiters[test_random(rng) % 10];
        l.delimiter_len = strlen(l.delimiter);
        if (key_count > 0 && test_random(rng) % 2)
            after = keys[test_random(rng) % key_count];
        if (key_count > 0 && test_random(rng) % 2)
            prefix = keys[test_random(rng) % key_count];
        l.prefix_len = test_random(rng) % 3 ? test_random(rng) % (prefix.len + 1) : 0;
        l.after_len = test_random(rng) % 3 ? test_random(rng) % (after.len + 1) : 0;
        if (test_random(rng) % 2)
            l.max = (unsigned)(test_random(rng) % 6);
        compare_once(bucket, &l);
    }
}

static void lists_are_those_of_a_sorted_array(void **state)
{
    uint64_t rng = 5;

    (void)state;
    for (int round = 0; round < 8; round++) {
        char bucket[16];

        snprintf(bucket, sizeof(bucket), "bucket%d", round);
        assert_int_equal(t.m->object->bucket_create(t.m, bucket, ""), 0);
        fill(bucket, &rng, round == 0 ? 0 : (size_t)(1 << round));
        random_lists(bucket, &rng, 1500);
    }
}

/* Folders and what else the mount made, but no S3 client would find, is not listed. */
static void what_is_no_key_is_not_listed(void **state)
{
    uint64_t b = test_folder(t.m, PC_ROOT_INO, "bucket"), rng = 3, a, deep;
    struct pc_make link = {.mode = S_IFLNK | 0777, .target = "x"};
    struct pc_make pipe = {.mode = S_IFIFO | 0600};
    struct pc_attr attr;

    (void)state;
    fill("bucket", &rng, 60);
    a = test_folder(t.m, b, "empty");
    deep = test_folder(t.m, a, "deep");
    test_folder(t.m, deep, "deeper");
    assert_int_equal(t.m->node->make(t.m, deep, "link", &link, &attr), 0);
    assert_int_equal(t.m->node->make(t.m, b, "pipe", &pipe, &attr), 0);
    random_lists("bucket", &rng, 500);
}

static void the_reserved_bucket_holds_the_rest(void **state)
{
    static const char *const here[] = {"My Documents/a", "My Documents/b", "notes", "zebra"};
    struct pc_list l = {.prefix = "", .delimiter = "", .after = "", .max = 10};

    (void)state;
    assert_int_equal(t.m->object->bucket_create(t.m, "aaa", ""), 0);
    assert_int_equal(t.m->object->bucket_create(t.m, "photos", ""), 0);
    assert_int_equal(test_put(t.m, "photos", "hidden", "x"), 0);
    assert_int_equal(test_put(t.m, "aaa", "hidden", "x"), 0);
    for (size_t i = 0; i < 4; i++) {
        keys[i] = make_key(here[i], strlen(here[i]));
        put_key("pcloud", &keys[i]);
    }
    key_count = 4;
    compare_once("pcloud", &l);
    l.delimiter = "/";
    l.delimiter_len = 1;
    compare_once("pcloud", &l);
    l.prefix = "photos/";
    l.prefix_len = 7;
    compare_once("pcloud", &l);
    l = (struct pc_list){
        .prefix = "", .delimiter = "", .after = "photos/h", .after_len = 8, .max = 1};
    compare_once("pcloud", &l);
}

static void callers_can_stop(void **state)
{
    struct pc_list l = {.prefix = "", .delimiter = "", .after = "", .max = 10};
    static struct result r;
    bool more;
    uint64_t rng = 9;

    (void)state;
    test_folder(t.m, PC_ROOT_INO, "bucket");
    fill("bucket", &rng, 50);
    r = (struct result){.stop = 3};
    assert_int_equal(t.m->object->list(t.m, "bucket", &l, take, &r, &more), 7);
    assert_int_equal(r.n, 3);
    assert_int_equal(t.m->object->list(t.m, "nobody", &l, take, &r, &more), PC_ENOBUCKET);
    assert_int_equal(t.m->object->list(t.m, "not legal", &l, take, &r, &more), PC_ENOBUCKET);
}

/* Keys longer than S3 allows exist on the mount; the longest legal one is listed. */
static void the_longest_keys_are_listed(void **state)
{
    uint64_t folder = test_folder(t.m, PC_ROOT_INO, "bucket");
    struct pc_list l = {.prefix = "", .delimiter = "", .after = "", .max = 10};
    char name[201], longest[PC_KEY_MAX + 1];
    struct meta_key k = {.bucket = "bucket", .key = longest, .len = PC_KEY_MAX};
    struct meta_new content = {.size = 0};
    static struct result r;
    unsigned bad;
    bool more;

    (void)state;
    memset(name, 'd', 200);
    name[200] = '\0';
    for (int i = 0; i < 6; i++)
        folder = test_folder(t.m, folder, name);
    test_file(t.m, folder, "f");
    assert_int_equal(t.m->object->list(t.m, "bucket", &l, take, &r, &more), 0);
    assert_int_equal(r.n, 0);
    memset(longest, '/', PC_KEY_MAX);
    assert_int_equal(t.m->object->put(t.m, &k, &content, "e", NULL, NULL, NULL, &bad), 0);
    l.delimiter = "////";
    l.delimiter_len = 4;
    assert_int_equal(t.m->object->list(t.m, "bucket", &l, take, &r, &more), 0);
    assert_int_equal(r.n, 1);
    assert_true(r.prefixes[0]);
    l.after = longest;
    l.after_len = PC_KEY_MAX;
    l.delimiter_len = 0;
    r.n = 0;
    assert_int_equal(t.m->object->list(t.m, "bucket", &l, take, &r, &more), 0);
    assert_int_equal(r.n, 0);
    assert_false(more);
}

struct uploads {
    char text[40][KEY_MAX];
    size_t n;
};

static int take_upload(void *arg, const struct pc_upload *u, const char *key, size_t len)
{
    struct uploads *r = arg;

    snprintf(r->text[r->n++], KEY_MAX, "%s%.*s", u ? "" : "prefix ", (int)len, key);
    return 0;
}

static void uploads_are_listed_by_key_and_time(void **state)
{
    static const char *const names[] = {"a", "a", "b/1", "b/2", "b-", "c"};
    static const char *const sorted[] = {"a", "a", "b-", "b/1", "b/2", "c"};
    char ids[6][PC_UPLOAD_ID_MAX];
    struct pc_upload_list l = {"", "", "", "", 100};
    struct uploads r = {.n = 0};
    bool more;

    (void)state;
    test_folder(t.m, PC_ROOT_INO, "bucket");
    for (size_t i = 0; i < 6; i++) {
        struct meta_key k = test_key("bucket", names[i]);

        assert_int_equal(t.m->object->upload_create(t.m, &k, "", NULL, ids[i]), 0);
    }
    assert_int_equal(t.m->object->upload_list(t.m, "bucket", &l, take_upload, &r, &more), 0);
    assert_int_equal(r.n, 6);
    assert_false(more);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(r.text[i], sorted[i]);
    r.n = 0;
    l = (struct pc_upload_list){"", "/", "a", ids[0], 2};
    assert_int_equal(t.m->object->upload_list(t.m, "bucket", &l, take_upload, &r, &more), 0);
    assert_true(more);
    assert_string_equal(r.text[0], "a");
    assert_string_equal(r.text[1], "b-");
    l = (struct pc_upload_list){"", "/", "b-", "", 2};
    assert_int_equal(t.m->object->upload_list(t.m, "bucket", &l, take_upload, &r, &more), 0);
    assert_false(more);
    assert_string_equal(r.text[2], "prefix b/");
    assert_string_equal(r.text[3], "c");
    l = (struct pc_upload_list){"b/", "/", "b/1", "", 2};
    r.n = 0;
    assert_int_equal(t.m->object->upload_list(t.m, "bucket", &l, take_upload, &r, &more), 0);
    assert_int_equal(r.n, 1);
    assert_string_equal(r.text[0], "b/2");
    l = (struct pc_upload_list){"", "/", "b/", "", 2};
    r.n = 0;
    assert_int_equal(t.m->object->upload_list(t.m, "bucket", &l, take_upload, &r, &more), 0);
    assert_int_equal(r.n, 1);
    assert_string_equal(r.text[0], "c");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lists_are_those_of_a_sorted_array),  TEST(what_is_no_key_is_not_listed),
        TEST(the_reserved_bucket_holds_the_rest), TEST(callers_can_stop),
        TEST(the_longest_keys_are_listed),        TEST(uploads_are_listed_by_key_and_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
