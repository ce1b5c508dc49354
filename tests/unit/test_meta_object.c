/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets and objects: puts, gets, deletes, copies, conditions, folders on the way, metadata on both doors. */
#include "meta/object.h"

#include "pcloud/err.h"
#include "test_env.h"
#include "test_meta.h"

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
    assert_int_equal(t.m->object->bucket_create(t.m, "bucket", "alice"), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_meta_free(&t);
    return 0;
}

static const struct meta_object_ops *ops(void)
{
    return t.m->object;
}

static uint64_t find(uint64_t parent, const char *name)
{
    struct pc_attr a;

    return t.m->node->lookup(t.m, parent, name, &a) < 0 ? 0 : a.ino;
}

static uint64_t bucket(void)
{
    return find(PC_ROOT_INO, "bucket");
}

static int del(const char *key)
{
    struct pc_delete d = {.key = key, .len = strlen(key)};
    bool existed;
    int rc = ops()->del(t.m, "bucket", &d, 1, NULL, &existed);

    return rc < 0 ? rc : d.result < 0 ? d.result : existed;
}

static int put_if(const char *key, const char *match, const char *none_match)
{
    struct meta_key k = test_key("bucket", key);
    struct meta_new content = {.size = 1, .inline_data = "x"};
    struct pc_condition c = {.if_match = match, .if_none_match = none_match};
    unsigned bad;

    return ops()->put(t.m, &k, &content, "cond", NULL, &c, NULL, &bad);
}

static int get(const char *key, struct pc_object *o)
{
    struct meta_key k = test_key("bucket", key);

    return ops()->get(t.m, &k, o);
}

static void fini(struct pc_object *o)
{
    free((void *)(uintptr_t)o->headers.data);
}

static void objects_are_files(void **state)
{
    struct pc_attr a;
    struct pc_object o;
    uint8_t data[META_INLINE_MAX];
    size_t len;

    (void)state;
    assert_int_equal(get("dir/key", &o), -ENOENT);
    assert_int_equal(test_put(t.m, "bucket", "dir/key", "hello"), 0);
    assert_int_equal(get("dir/key", &o), 0);
    assert_int_equal(o.size, 5);
    assert_string_equal(o.etag, "etag-hello");
    assert_int_equal(o.parts, 0);
    assert_int_equal(t.m->node->lookup(t.m, find(bucket(), "dir"), "key", &a), 0);
    assert_int_equal(a.ino, o.ino);
    assert_int_equal(a.mode, S_IFREG | 0644);
    assert_int_equal(a.uid, 1000);
    assert_int_equal(t.m->content->read(t.m, a.ino, 0, 9, NULL, 0, data, &len, NULL, NULL), 0);
    assert_int_equal(len, 5);
    assert_memory_equal(data, "hello", 5);
    fini(&o);
    /* a new node takes the key's place */
    assert_int_equal(test_put(t.m, "bucket", "dir/key", "again"), 0);
    assert_true(find(find(bucket(), "dir"), "key") != a.ino);
    assert_int_equal(t.m->node->getattr(t.m, a.ino, &a), -ENOENT);
}

static void keys_have_bounds(void **state)
{
    char key[PC_KEY_MAX + 1];
    struct meta_key k = {.bucket = "bucket", .key = key, .len = sizeof(key)};
    struct meta_new content = {.size = 0};
    struct pc_object o;
    unsigned bad;

    (void)state;
    memset(key, 'k', sizeof(key));
    assert_int_equal(ops()->put(t.m, &k, &content, "e", NULL, NULL, NULL, &bad), -ENAMETOOLONG);
    assert_int_equal(ops()->get(t.m, &k, &o), -ENAMETOOLONG);
    k.len = PC_KEY_MAX;
    assert_int_equal(ops()->put(t.m, &k, &content, "e", NULL, NULL, NULL, &bad), 0);
    k.len = 0;
    assert_int_equal(ops()->put(t.m, &k, &content, "e", NULL, NULL, NULL, &bad), -EINVAL);
    assert_int_equal(test_put(t.m, "nobody", "k", "x"), PC_ENOBUCKET);
    assert_int_equal(test_put(t.m, "no bucket!", "k", "x"), PC_ENOBUCKET);
    content = (struct meta_new){.size = META_INLINE_MAX + 1, .inline_data = key};
    k.len = 1;
    assert_int_equal(ops()->put(t.m, &k, &content, "e", NULL, NULL, NULL, &bad), -EINVAL);
}

static void a_change_on_the_mount_changes_the_etag(void **state)
{
    const char *first;
    char etag[PC_ETAG_MAX];

    (void)state;
    assert_int_equal(test_put(t.m, "bucket", "k", "v"), 0);
    assert_int_equal(t.m->content->write_inline(t.m, find(bucket(), "k"), "w", 1, 0), 0);
    first = test_etag(t.m, "bucket", "k");
    assert_int_equal(strlen(first), 34);
    assert_string_equal(first + 32, "-0");
    memcpy(etag, first, sizeof(etag));
    assert_int_equal(t.m->content->write_inline(t.m, find(bucket(), "k"), "w", 1, 0), 0);
    assert_string_not_equal(test_etag(t.m, "bucket", "k"), etag);
    test_file(t.m, bucket(), "made");
    assert_int_equal(strlen(test_etag(t.m, "bucket", "made")), 34);
    assert_int_equal(t.m->node->rename(t.m, bucket(), "made", bucket(), "k", 0), 0);
    assert_int_equal(strlen(test_etag(t.m, "bucket", "k")), 34);
}

static void conditions_hold_or_nothing_changes(void **state)
{
    struct pc_delete d = {.key = "k", .len = 1};
    struct pc_condition c = {.if_match = "wrong"};
    bool existed;

    (void)state;
    assert_int_equal(put_if("k", "*", NULL), -ENOENT);
    assert_int_equal(put_if("k", "e", NULL), -ENOENT);
    assert_int_equal(put_if("k", NULL, "*"), 0);
    assert_int_equal(put_if("k", NULL, "*"), PC_EPRECONDITION);
    assert_int_equal(put_if("k", NULL, "cond"), PC_EPRECONDITION);
    assert_int_equal(put_if("k", NULL, "other"), 0);
    assert_int_equal(put_if("k", "other", NULL), PC_EPRECONDITION);
    assert_int_equal(put_if("k", "cond", NULL), 0);
    assert_int_equal(put_if("k", "*", NULL), 0);
    assert_int_equal(ops()->del(t.m, "bucket", &d, 1, &c, &existed), PC_EPRECONDITION);
    assert_string_equal(test_etag(t.m, "bucket", "k"), "cond");
    c.if_match = "cond";
    assert_int_equal(ops()->del(t.m, "bucket", &d, 1, &c, &existed), 0);
    assert_true(existed);
    assert_int_equal(ops()->del(t.m, "bucket", &d, 1, &c, &existed), -ENOENT);
    assert_int_equal(put_if("deep/er/k", "*", NULL), -ENOENT);
    assert_int_equal(find(bucket(), "deep"), 0);
}

static void folders_of_s3_come_and_go(void **state)
{
    (void)state;
    assert_int_equal(test_put(t.m, "bucket", "a/b/c/k", "v"), 0);
    assert_int_equal(test_put(t.m, "bucket", "a/x", "v"), 0);
    assert_int_equal(del("a/b/c/k"), 1);
    assert_int_equal(find(find(bucket(), "a"), "b"), 0);
    assert_int_equal(del("a/b/c/k"), 0);
    assert_int_equal(del("a/x"), 1);
    assert_int_equal(find(bucket(), "a"), 0);
    assert_true(bucket() != 0);
    /* what the mount made or touched stays */
    test_folder(t.m, bucket(), "made");
    assert_int_equal(test_put(t.m, "bucket", "made/k", "v"), 0);
    assert_int_equal(del("made/k"), 1);
    assert_true(find(bucket(), "made") != 0);
    assert_int_equal(test_put(t.m, "bucket", "seen/k", "v"), 0);
    test_file(t.m, find(bucket(), "seen"), "mine");
    assert_int_equal(del("seen/k"), 1);
    assert_int_equal(t.m->node->unlink(t.m, find(bucket(), "seen"), "mine"), 0);
    assert_true(find(bucket(), "seen") != 0);
}

static void keys_with_a_slash_at_the_end_are_folders(void **state)
{
    struct pc_object o;
    struct pc_attr a;

    (void)state;
    assert_int_equal(test_put(t.m, "bucket", "d/", "marker"), 0);
    assert_int_equal(t.m->node->lookup(t.m, bucket(), "d", &a), 0);
    assert_true(S_ISDIR(a.mode));
    assert_int_equal(get("d/", &o), 0);
    assert_int_equal(o.size, 6);
    fini(&o);
    assert_int_equal(get("d", &o), -ENOENT);
    assert_int_equal(test_put(t.m, "bucket", "d/", "other"), 0);
    assert_string_equal(test_etag(t.m, "bucket", "d/"), "etag-other");
    assert_int_equal(test_put(t.m, "bucket", "d/k", "v"), 0);
    assert_int_equal(del("d/"), 1);
    assert_int_equal(get("d/", &o), -ENOENT);
    assert_string_equal(test_etag(t.m, "bucket", "d/k"), "etag-v");
    assert_int_equal(test_put(t.m, "bucket", "d/", ""), 0);
    assert_int_equal(del("d/k"), 1);
    assert_true(find(bucket(), "d") != 0);
    assert_int_equal(del("d/"), 1);
    assert_int_equal(find(bucket(), "d"), 0);
    test_folder(t.m, bucket(), "made");
    assert_int_equal(get("made/", &o), -ENOENT);
    assert_int_equal(test_put(t.m, "bucket", "made/", ""), 0);
    assert_int_equal(del("made/"), 1);
    assert_true(find(bucket(), "made") != 0);
    assert_int_equal(del("made/"), 0);
}

static void odd_keys_live_together(void **state)
{
    static const char *const keys[] = {"a",  "a/",  "a/b", "a//b", ".",     "..",     "./",
                                       "//", "a/.", "%",   "%pc-", "%pc-/", "%pc-f-a"};
    const size_t n = sizeof(keys) / sizeof(keys[0]);

    (void)state;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(test_put(t.m, "bucket", keys[i], keys[i]), 0);
    for (size_t i = 0; i < n; i++) {
        const char *etag = test_etag(t.m, "bucket", keys[i]);

        assert_non_null(etag);
        assert_string_equal(etag + 5, keys[i]);
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(del(keys[i]), 1);
    assert_int_equal(ops()->bucket_delete(t.m, "bucket"), 0);
}

static void many_are_deleted_at_once(void **state)
{
    struct pc_delete items[] = {{.key = "a", .len = 1},
                                {.key = "b", .len = 1, .etag = "wrong"},
                                {.key = "nothing", .len = 7},
                                {.key = "", .len = 0},
                                {.key = "c/d", .len = 3, .etag = "etag-3"}};

    (void)state;
    assert_int_equal(test_put(t.m, "bucket", "a", "1"), 0);
    assert_int_equal(test_put(t.m, "bucket", "b", "2"), 0);
    assert_int_equal(test_put(t.m, "bucket", "c/d", "3"), 0);
    assert_int_equal(ops()->del(t.m, "bucket", items, 5, NULL, NULL), 0);
    assert_int_equal(items[0].result, 0);
    assert_int_equal(items[1].result, PC_EPRECONDITION);
    assert_int_equal(items[2].result, 0);
    assert_int_equal(items[3].result, -EINVAL);
    assert_int_equal(items[4].result, 0);
    assert_null(test_etag(t.m, "bucket", "a"));
    assert_non_null(test_etag(t.m, "bucket", "b"));
    assert_int_equal(find(bucket(), "c"), 0);
    assert_int_equal(ops()->del(t.m, "nobody", items, 5, NULL, NULL), PC_ENOBUCKET);
}

static void readers_keep_what_they_opened(void **state)
{
    struct meta_key k = test_key("bucket", "k");
    struct pc_object o;
    struct pc_attr a;

    (void)state;
    assert_int_equal(test_put(t.m, "bucket", "k", "first"), 0);
    assert_int_equal(ops()->get_hold(t.m, &k, &o), 0);
    assert_int_equal(test_put(t.m, "bucket", "k", "second"), 0);
    assert_int_equal(t.m->node->getattr(t.m, o.ino, &a), 0);
    assert_int_equal(a.size, 5);
    assert_int_equal(t.m->content->gc_orphans(t.m, 9), 0);
    meta_drop(t.m, o.ino);
    assert_int_equal(t.m->content->gc_orphans(t.m, 9), 1);
    assert_int_equal(t.m->node->getattr(t.m, o.ino, &a), -ENOENT);
    fini(&o);
    k.key = "nothing";
    k.len = 7;
    assert_int_equal(ops()->get_hold(t.m, &k, &o), -ENOENT);
}

static const char headers_data[] = "content-type\0text/plain\0x-amz-meta-color\0blue\0"
                                   "x-amz-checksum-crc32\0AAAAAA==";

static int put_with_headers(const char *key, const struct pc_headers *h)
{
    struct meta_key k = test_key("bucket", key);
    struct meta_new content = {.size = 1, .inline_data = "x"};
    unsigned bad;

    return ops()->put(t.m, &k, &content, "e", h, NULL, NULL, &bad);
}

static void headers_are_xattrs(void **state)
{
    struct pc_headers h = {headers_data, sizeof(headers_data)}, bad = {"a\0b", 3};
    struct pc_object o;
    char buf[256], *big = calloc(1, PC_META_MAX + 2);
    uint64_t ino;

    (void)state;
    assert_int_equal(put_with_headers("k", &h), 0);
    assert_int_equal(put_with_headers("k2", &bad), -EINVAL);
    bad = (struct pc_headers){big, PC_META_MAX + 1};
    assert_int_equal(put_with_headers("k2", &bad), PC_ELIMIT);
    ino = find(bucket(), "k");
    assert_int_equal(t.m->node->xattr_get(t.m, ino, "user.s3.content-type", buf, 256), 10);
    assert_memory_equal(buf, "text/plain", 10);
    assert_int_equal(t.m->node->xattr_get(t.m, ino, "user.s3.meta.color", buf, 256), 4);
    assert_int_equal(t.m->node->xattr_get(t.m, ino, "user.s3.x-amz-checksum-crc32", buf, 256),
                     -ENODATA);
    assert_int_equal(t.m->node->xattr_list(t.m, ino, buf, 256), 40);
    assert_memory_equal(buf, "user.s3.content-type\0user.s3.meta.color", 40);
    assert_int_equal(t.m->node->xattr_set(t.m, ino, "user.s3.meta.color", "red", 3, XATTR_CREATE),
                     -EEXIST);
    assert_int_equal(t.m->node->xattr_set(t.m, ino, "user.s3.meta.color", "red", 3, 0), 0);
    assert_int_equal(t.m->node->xattr_set(t.m, ino, "user.s3.meta.x", "a\nb", 3, 0), -EINVAL);
    assert_int_equal(t.m->node->xattr_set(t.m, ino, "user.s3.meta.X", "a", 1, 0), -EOPNOTSUPP);
    assert_int_equal(t.m->node->xattr_set(t.m, ino, "user.s3.set-cookie", "a", 1, 0), -EOPNOTSUPP);
    memset(big, 'v', PC_META_MAX);
    assert_int_equal(t.m->node->xattr_set(t.m, ino, "user.s3.meta.y", big, PC_META_MAX, 0),
                     -ENOSPC);
    assert_int_equal(t.m->node->xattr_remove(t.m, ino, "user.s3.content-type"), 0);
    assert_int_equal(t.m->node->xattr_remove(t.m, ino, "user.s3.content-type"), -ENODATA);
    assert_int_equal(get("k", &o), 0);
    assert_string_equal(o.etag, "e");
    assert_int_equal(o.headers.len, 21 + 30);
    assert_non_null(memmem(o.headers.data, o.headers.len, "x-amz-meta-color\0red", 21));
    fini(&o);
    /* a change on the mount makes the checksum untrue */
    assert_int_equal(t.m->content->write_inline(t.m, ino, "y", 1, 0), 0);
    assert_int_equal(get("k", &o), 0);
    assert_int_equal(o.headers.len, 21);
    fini(&o);
    free(big);
}

static void files_of_the_mount_get_headers(void **state)
{
    uint64_t f = test_file(t.m, bucket(), "f"), d = test_folder(t.m, bucket(), "d");
    struct pc_object o;

    (void)state;
    assert_int_equal(t.m->node->xattr_set(t.m, f, "user.s3.content-type", "a/b", 3, 0), 0);
    assert_int_equal(get("f", &o), 0);
    assert_int_equal(strlen(o.etag), 34);
    assert_memory_equal(o.headers.data, "content-type\0a/b", 17);
    fini(&o);
    assert_int_equal(t.m->node->xattr_set(t.m, d, "user.s3.meta.a", "b", 1, 0), -EOPNOTSUPP);
    assert_int_equal(t.m->node->xattr_get(t.m, d, "user.s3.meta.a", NULL, 0), -ENODATA);
    assert_int_equal(t.m->node->xattr_remove(t.m, d, "user.s3.meta.a"), -ENODATA);
}

static int copy(const char *from, const char *to, const char *etag, const struct pc_headers *h,
                struct pc_object *o)
{
    struct meta_key src = test_key("bucket", from), dst = test_key("bucket", to);

    return ops()->copy(t.m, &src, etag, &dst, h, NULL, o);
}

static void copies_share_content(void **state)
{
    struct pc_headers h = {headers_data, sizeof(headers_data)}, other = {"expires\0now", 12};
    struct meta_key k = test_key("bucket", "big");
    struct meta_slice s = {.pos = 0, .len = 100};
    struct meta_new content = {.size = 100, .slices = &s, .n = 1}, empty = {.size = 0};
    struct pc_object o;
    struct meta_totals totals;
    uint64_t pack;
    unsigned bad;

    (void)state;
    assert_int_equal(t.m->content->pack_new(t.m, &pack), 0);
    s.block = test_block(1, 100, pack, 64);
    assert_int_equal(ops()->put(t.m, &k, &content, "big", &h, NULL, NULL, &bad), 0);
    assert_int_equal(copy("nothing", "x", NULL, NULL, &o), -ENOENT);
    assert_int_equal(copy("big", "x", "wrong", NULL, &o), PC_EPRECONDITION);
    assert_int_equal(copy("big", "x/y", "big", NULL, &o), 0);
    assert_string_equal(o.etag, "big");
    assert_int_equal(o.size, 100);
    assert_int_equal(o.headers.len, sizeof(headers_data));
    fini(&o);
    assert_int_equal(copy("big", "big", NULL, &other, &o), 0);
    assert_memory_equal(o.headers.data, other.data, other.len);
    fini(&o);
    assert_int_equal(copy("big", "folder/", NULL, NULL, &o), 0);
    fini(&o);
    assert_int_equal(copy("folder/", "folder/", NULL, &h, &o), 0);
    assert_int_equal(o.size, 100);
    fini(&o);
    assert_int_equal(meta_totals(t.m, &totals), 0);
    assert_int_equal(totals.blocks, 1);
    assert_int_equal(totals.bytes, 300);
    assert_int_equal(totals.objects, 3);
    assert_int_equal(t.m->content->write_inline(t.m, find(bucket(), "big"), "x", 1, 0), 0);
    assert_int_equal(copy("big", "changed", NULL, NULL, &o), 0);
    assert_int_equal(strlen(o.etag), 34);
    fini(&o);
    s.pos = 50;
    assert_int_equal(ops()->put(t.m, &k, &content, "e", NULL, NULL, NULL, &bad), -EINVAL);
    assert_int_equal(ops()->put(t.m, &k, &empty, "e", NULL, NULL, NULL, &bad), 0);
}

static void buckets_are_top_folders(void **state)
{
    struct pc_bucket b;
    struct pc_attr a;

    (void)state;
    assert_int_equal(ops()->bucket_create(t.m, "bucket", ""), PC_EBUCKETEXISTS);
    assert_int_equal(ops()->bucket_create(t.m, "pcloud", ""), PC_EBUCKETEXISTS);
    assert_int_equal(ops()->bucket_create(t.m, "ipfs", ""), PC_EBUCKETNAME);
    assert_int_equal(ops()->bucket_create(t.m, "Not Legal", ""), PC_EBUCKETNAME);
    assert_int_equal(ops()->bucket_get(t.m, "bucket", &b), 0);
    assert_string_equal(b.owner, "alice");
    assert_string_equal(b.name, "bucket");
    assert_true(b.created.tv_sec > 0);
    test_folder(t.m, PC_ROOT_INO, "made");
    assert_int_equal(ops()->bucket_get(t.m, "made", &b), 0);
    assert_string_equal(b.owner, "");
    assert_int_equal(ops()->bucket_create(t.m, "made", ""), PC_EBUCKETEXISTS);
    assert_int_equal(ops()->bucket_get(t.m, "pcloud", &b), 0);
    assert_int_equal(ops()->bucket_get(t.m, "nobody", &b), PC_ENOBUCKET);
    assert_int_equal(t.m->node->rmdir(t.m, PC_ROOT_INO, "made"), 0);
    assert_int_equal(ops()->bucket_get(t.m, "made", &b), PC_ENOBUCKET);
    /* a file of that name at the top is in the reserved bucket; it does not stand in the way */
    assert_int_equal(test_put(t.m, "pcloud", "twin", "x"), 0);
    assert_int_equal(ops()->bucket_create(t.m, "twin", ""), 0);
    assert_int_equal(t.m->node->lookup(t.m, PC_ROOT_INO, "%pc-f-twin", &a), 0);
    assert_string_equal(test_etag(t.m, "pcloud", "twin"), "etag-x");
}

static void only_empty_buckets_are_deleted(void **state)
{
    struct pc_make link = {.mode = S_IFLNK | 0777, .target = "x"};
    uint64_t d;

    (void)state;
    assert_int_equal(ops()->bucket_delete(t.m, "nobody"), PC_ENOBUCKET);
    assert_int_equal(ops()->bucket_delete(t.m, "pcloud"), -EPERM);
    assert_int_equal(test_put(t.m, "bucket", "a/b", "v"), 0);
    assert_int_equal(ops()->bucket_delete(t.m, "bucket"), PC_ENOTEMPTY_BUCKET);
    assert_int_equal(del("a/b"), 1);
    d = test_folder(t.m, bucket(), "made");
    test_folder(t.m, d, "one");
    d = test_folder(t.m, d, "two");
    test_folder(t.m, d, "three");
    assert_int_equal(t.m->node->make(t.m, d, "z", &link, NULL), 0);
    assert_int_equal(ops()->bucket_delete(t.m, "bucket"), PC_ENOTEMPTY_BUCKET);
    assert_true(find(find(bucket(), "made"), "one") != 0);
    assert_int_equal(t.m->node->unlink(t.m, d, "z"), 0);
    assert_int_equal(test_put(t.m, "bucket", "made/two/marker/", ""), 0);
    assert_int_equal(ops()->bucket_delete(t.m, "bucket"), PC_ENOTEMPTY_BUCKET);
    assert_int_equal(del("made/two/marker/"), 1);
    assert_int_equal(ops()->bucket_delete(t.m, "bucket"), 0);
    assert_int_equal(bucket(), 0);
    assert_int_equal(ops()->bucket_create(t.m, "bucket", ""), 0);
}

/* More empty folders than one transaction takes away; none of them goes while there is a key. */
static void buckets_of_many_folders_are_deleted(void **state)
{
    struct meta_totals totals;
    uint64_t d = bucket();
    char name[16];

    (void)state;
    for (unsigned i = 0; i < 700; i++) {
        snprintf(name, sizeof(name), "d%u", i);
        d = test_folder(t.m, i % 5 == 0 ? bucket() : d, name);
    }
    assert_int_equal(test_put(t.m, "bucket", "z", ""), 0);
    assert_int_equal(ops()->bucket_delete(t.m, "bucket"), PC_ENOTEMPTY_BUCKET);
    assert_int_equal(meta_totals(t.m, &totals), 0);
    assert_int_equal(totals.folders, 701);
    assert_int_equal(del("z"), 1);
    assert_int_equal(ops()->bucket_delete(t.m, "bucket"), 0);
    assert_int_equal(bucket(), 0);
    assert_int_equal(meta_totals(t.m, &totals), 0);
    assert_int_equal(totals.folders, 0);
    assert_int_equal(ops()->bucket_create(t.m, "bucket", ""), 0);
}

static int take_bucket(void *arg, const struct pc_bucket *b)
{
    size_t n = strlen(arg);

    snprintf((char *)arg + n, 256 - n, "%s ", b->name);
    return 0;
}

static void buckets_are_listed_by_name(void **state)
{
    char names[256] = "";

    (void)state;
    assert_int_equal(ops()->bucket_create(t.m, "abc", ""), 0);
    assert_int_equal(ops()->bucket_create(t.m, "abc-d", ""), 0);
    assert_int_equal(ops()->bucket_create(t.m, "abc.d", ""), 0);
    assert_int_equal(ops()->bucket_create(t.m, "zzz", ""), 0);
    test_folder(t.m, PC_ROOT_INO, "No Bucket");
    test_file(t.m, PC_ROOT_INO, "file");
    assert_int_equal(ops()->bucket_list(t.m, take_bucket, names), 0);
    assert_string_equal(names, "abc abc-d abc.d bucket pcloud zzz ");
}

static void the_reserved_bucket_has_its_bounds(void **state)
{
    (void)state;
    assert_int_equal(test_put(t.m, "pcloud", "bucket/x", "v"), -EPERM);
    assert_int_equal(test_put(t.m, "pcloud", "newbucket/x", "v"), -EPERM);
    assert_int_equal(test_put(t.m, "pcloud", "pcloud/x", "v"), -EPERM);
    assert_int_equal(test_put(t.m, "pcloud", ".snapshots", "v"), -EPERM);
    assert_int_equal(test_put(t.m, "pcloud", "My Documents/x", "v"), 0);
    assert_int_equal(test_put(t.m, "bucket", "x", "v"), 0);
    assert_null(test_etag(t.m, "pcloud", "bucket/x"));
    assert_non_null(test_etag(t.m, "pcloud", "My Documents/x"));
    assert_true(find(find(PC_ROOT_INO, "My Documents"), "x") != 0);
}

static void links_are_no_objects(void **state)
{
    struct pc_make link = {.mode = S_IFLNK | 0777, .target = "x"};
    struct pc_object o;

    (void)state;
    assert_int_equal(t.m->node->make(t.m, bucket(), "l", &link, NULL), 0);
    assert_int_equal(get("l", &o), -ENOENT);
    assert_int_equal(del("l"), 0);
    assert_true(find(bucket(), "l") != 0);
    assert_int_equal(put_if("l", NULL, "*"), 0);
    assert_int_equal(get("l", &o), 0);
    fini(&o);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(objects_are_files),
        TEST(keys_have_bounds),
        TEST(a_change_on_the_mount_changes_the_etag),
        TEST(conditions_hold_or_nothing_changes),
        TEST(folders_of_s3_come_and_go),
        TEST(keys_with_a_slash_at_the_end_are_folders),
        TEST(odd_keys_live_together),
        TEST(many_are_deleted_at_once),
        TEST(readers_keep_what_they_opened),
        TEST(headers_are_xattrs),
        TEST(files_of_the_mount_get_headers),
        TEST(copies_share_content),
        TEST(buckets_are_top_folders),
        TEST(only_empty_buckets_are_deleted),
        TEST(buckets_of_many_folders_are_deleted),
        TEST(buckets_are_listed_by_name),
        TEST(the_reserved_bucket_has_its_bounds),
        TEST(links_are_no_objects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
