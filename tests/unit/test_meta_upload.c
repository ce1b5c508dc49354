/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart uploads: parts that come, are replaced, become an object, or go with their upload. */
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

#include <cmocka.h>

#define BLOCK META_BLOCK_MAX

static struct test_meta t;
static uint64_t pack, next_off;
static struct meta_key key;

static int set_up(void **state)
{
    (void)state;
    test_meta_new(&t);
    assert_int_equal(t.m->object->bucket_create(t.m, "bucket", ""), 0);
    assert_int_equal(t.m->content->pack_new(t.m, &pack), 0);
    key = test_key("bucket", "dir/key");
    next_off = 1;
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

static void create(char id[PC_UPLOAD_ID_MAX])
{
    static const char headers[] = "content-type\0text/plain";
    struct pc_headers h = {headers, sizeof(headers)};

    assert_int_equal(ops()->upload_create(t.m, &key, "alice", &h, id), 0);
}

/* A part of ${size} bytes in blocks of their own; its ETag is "part-<seed>". */
static int put_part(const char *id, unsigned number, uint64_t size, unsigned seed)
{
    struct meta_slice s[8];
    struct meta_new content = {.size = size, .slices = s};
    struct pc_part p = {.number = number, .checksum = "x-amz-checksum-crc32=AAAAAA=="};
    unsigned bad;
    int rc;

    snprintf(p.etag, sizeof(p.etag), "part-%u", seed);
    for (uint64_t pos = 0; pos < size; pos += BLOCK) {
        uint32_t len = size - pos < BLOCK ? (uint32_t)(size - pos) : BLOCK;

        s[content.n] = (struct meta_slice){.pos = pos, .len = len};
        s[content.n].block = test_block(seed * 100 + content.n, len, pack, next_off);
        next_off += s[content.n++].block.stored;
    }
    rc = ops()->part_put(t.m, &key, id, &content, &p, &bad);
    if (rc == 0) {
        assert_int_equal(p.size, size);
        assert_true(p.mtime.tv_sec > 0);
    }
    return rc;
}

static struct pc_part named(unsigned number, unsigned seed)
{
    struct pc_part p = {.number = number};

    snprintf(p.etag, sizeof(p.etag), "part-%u", seed);
    return p;
}

static int complete(const char *id, const struct pc_part *parts, size_t n, struct pc_object *o)
{
    return ops()->upload_complete(t.m, &key, id, parts, n, "whole-2", NULL, NULL, o);
}

static void uploads_are_found_by_their_key(void **state)
{
    struct meta_key other = test_key("bucket", "other");
    char id[PC_UPLOAD_ID_MAX], second[PC_UPLOAD_ID_MAX];
    struct pc_upload u;

    (void)state;
    create(id);
    create(second);
    assert_string_not_equal(id, second);
    assert_int_equal(ops()->upload_get(t.m, &key, id, &u), 0);
    assert_string_equal(u.id, id);
    assert_string_equal(u.owner, "alice");
    assert_int_equal(u.len, 7);
    assert_memory_equal(u.key, "dir/key", 7);
    assert_string_equal(u.headers.data, "content-type");
    assert_true(u.created.tv_sec > 0);
    free((void *)(uintptr_t)u.key);
    free((void *)(uintptr_t)u.headers.data);
    assert_int_equal(ops()->upload_get(t.m, &other, id, &u), PC_ENOUPLOAD);
    assert_int_equal(ops()->upload_get(t.m, &key, "nothing", &u), PC_ENOUPLOAD);
    other = test_key("nobody", "dir/key");
    assert_int_equal(ops()->upload_get(t.m, &other, id, &u), PC_ENOBUCKET);
    assert_int_equal(ops()->upload_create(t.m, &other, "", NULL, id), PC_ENOBUCKET);
    other = test_key("pcloud", "bucket/x");
    assert_int_equal(ops()->upload_create(t.m, &other, "", NULL, id), -EPERM);
    other.len = 0;
    assert_int_equal(ops()->upload_create(t.m, &other, "", NULL, id), -EINVAL);
    assert_int_equal(ops()->upload_abort(t.m, &key, second), 0);
    assert_int_equal(ops()->upload_abort(t.m, &key, second), PC_ENOUPLOAD);
}

static int take_part(void *arg, const struct pc_part *p)
{
    char *out = arg;
    size_t n = strlen(out);

    assert_string_equal(p->checksum, "x-amz-checksum-crc32=AAAAAA==");
    snprintf(out + n, 128 - n, "%u:%s:%llu ", p->number, p->etag, (unsigned long long)p->size);
    return 0;
}

static void parts_are_listed(void **state)
{
    char id[PC_UPLOAD_ID_MAX], text[128] = "";
    bool more;

    (void)state;
    create(id);
    assert_int_equal(put_part(id, 3, 30, 3), 0);
    assert_int_equal(put_part(id, 1, 10, 1), 0);
    assert_int_equal(put_part(id, 2, 20, 2), 0);
    assert_int_equal(put_part(id, 2, 25, 4), 0); /* replaces */
    assert_int_equal(put_part(id, 0, 25, 4), PC_EPART);
    assert_int_equal(put_part(id, PC_PARTS_MAX + 1, 25, 4), PC_EPART);
    assert_int_equal(put_part("nothing", 1, 25, 4), PC_ENOUPLOAD);
    assert_int_equal(ops()->part_list(t.m, id, 0, 2, take_part, text, &more), 0);
    assert_string_equal(text, "1:part-1:10 2:part-4:25 ");
    assert_true(more);
    text[0] = '\0';
    assert_int_equal(ops()->part_list(t.m, id, 2, 2, take_part, text, &more), 0);
    assert_string_equal(text, "3:part-3:30 ");
    assert_false(more);
    assert_int_equal(ops()->part_list(t.m, "nothing", 0, 2, take_part, text, &more), PC_ENOUPLOAD);
}

static void parts_are_never_inline(void **state)
{
    struct meta_new content = {.size = 1, .inline_data = "x"}, empty = {.size = 0};
    struct pc_part p = {.number = 1, .etag = "e"};
    char id[PC_UPLOAD_ID_MAX];
    unsigned bad;

    (void)state;
    create(id);
    assert_int_equal(ops()->part_put(t.m, &key, id, &content, &p, &bad), -EINVAL);
    assert_int_equal(ops()->part_put(t.m, &key, id, &empty, &p, &bad), 0);
}

static void completion_looks_at_every_part(void **state)
{
    char id[PC_UPLOAD_ID_MAX];
    struct pc_part p[3];
    struct pc_object o;

    (void)state;
    create(id);
    assert_int_equal(put_part(id, 1, PC_PART_MIN, 1), 0);
    assert_int_equal(put_part(id, 2, PC_PART_MIN - 1, 2), 0);
    assert_int_equal(put_part(id, 5, 5, 3), 0);
    p[0] = named(1, 1);
    p[1] = named(2, 2);
    p[2] = named(5, 3);
    assert_int_equal(complete(id, p, 3, &o), PC_EPARTSIZE);
    assert_int_equal(complete(id, p, 0, &o), PC_EPART);
    p[1] = named(1, 1);
    assert_int_equal(complete(id, p, 2, &o), PC_EPARTORDER);
    p[1] = named(3, 1);
    assert_int_equal(complete(id, p, 2, &o), PC_EPART);
    p[1] = named(5, 9);
    assert_int_equal(complete(id, p, 2, &o), PC_EPART);
    p[1] = named(5, 3);
    memcpy(p[1].checksum, "x-amz-checksum-crc32=wrong", 27);
    assert_int_equal(complete(id, p, 2, &o), PC_EPART);
    assert_int_equal(complete("nothing", p, 2, &o), PC_ENOUPLOAD);
    memcpy(p[1].checksum, "x-amz-checksum-crc32=AAAAAA==", 30);
    assert_null(test_etag(t.m, "bucket", "dir/key"));
    assert_int_equal(complete(id, p, 2, &o), 0);
    free((void *)(uintptr_t)o.headers.data);
    assert_int_equal(complete(id, p, 2, &o), PC_ENOUPLOAD);
}

static void parts_become_an_object(void **state)
{
    struct pc_part p[2] = {named(2, 7), named(9, 8)};
    struct meta_slice s[8];
    char id[PC_UPLOAD_ID_MAX];
    uint64_t sizes[4], size, end = 0;
    struct pc_object o;
    struct meta_totals totals;
    int n;

    (void)state;
    create(id);
    assert_int_equal(put_part(id, 2, PC_PART_MIN + 5, 7), 0);
    assert_int_equal(put_part(id, 9, 1000, 8), 0);
    assert_int_equal(put_part(id, 10, 77, 9), 0); /* is not named: goes */
    assert_int_equal(complete(id, p, 2, &o), 0);
    assert_string_equal(o.etag, "whole-2");
    assert_int_equal(o.parts, 2);
    assert_int_equal(o.size, PC_PART_MIN + 1005);
    assert_string_equal(o.headers.data, "content-type");
    assert_int_equal(ops()->part_sizes(t.m, o.ino, sizes, 4), 2);
    assert_int_equal(sizes[0], PC_PART_MIN + 5);
    assert_int_equal(sizes[1], 1000);
    assert_int_equal(ops()->part_sizes(t.m, o.ino, sizes, 1), 1);
    assert_int_equal(ops()->part_sizes(t.m, 999, sizes, 1), 0);
    n = t.m->content->read(t.m, o.ino, 0, UINT64_MAX, s, 8, NULL, NULL, &size, NULL);
    assert_int_equal(n, 3);
    for (int i = 0; i < n; i++) {
        assert_int_equal(s[i].pos, end);
        end += s[i].len;
    }
    assert_int_equal(end, size);
    assert_int_equal(t.m->content->gc_orphans(t.m, 10), 1); /* the part that was not named */
    assert_int_equal(meta_totals(t.m, &totals), 0);
    assert_int_equal(totals.blocks, 3);
    assert_int_equal(totals.objects, 1);
    assert_int_equal(totals.bytes, size);
    free((void *)(uintptr_t)o.headers.data);
    /* a copy keeps ETag and parts; a change on the mount ends both */
    assert_int_equal(ops()->copy(t.m, &key, NULL, &key, NULL, NULL, &o), 0);
    assert_int_equal(o.parts, 2);
    free((void *)(uintptr_t)o.headers.data);
    assert_int_equal(t.m->content->punch(t.m, o.ino, 0, 10), 0);
    assert_int_equal(ops()->get(t.m, &key, &o), 0);
    assert_int_equal(o.parts, 0);
    assert_int_equal(strlen(o.etag), 34);
    free((void *)(uintptr_t)o.headers.data);
}

static void conditions_hold_at_completion(void **state)
{
    struct pc_condition c = {.if_none_match = "*"};
    struct pc_part p = named(1, 1);
    char id[PC_UPLOAD_ID_MAX];

    (void)state;
    create(id);
    assert_int_equal(put_part(id, 1, 10, 1), 0);
    assert_int_equal(test_put(t.m, "bucket", "dir/key", "old"), 0);
    assert_int_equal(ops()->upload_complete(t.m, &key, id, &p, 1, "w-1", NULL, &c, NULL),
                     PC_EPRECONDITION);
    assert_string_equal(test_etag(t.m, "bucket", "dir/key"), "etag-old");
    assert_true(test_meta_clean(t.m));
    c = (struct pc_condition){.if_match = "etag-old"};
    assert_int_equal(ops()->upload_complete(t.m, &key, id, &p, 1, "w-1", NULL, &c, NULL), 0);
    assert_string_equal(test_etag(t.m, "bucket", "dir/key"), "w-1");
}

static void uploads_go_with_their_bucket(void **state)
{
    char id[PC_UPLOAD_ID_MAX];
    struct meta_totals totals;
    uint64_t bytes = 0;

    (void)state;
    create(id);
    assert_int_equal(put_part(id, 1, 10, 1), 0);
    assert_int_equal(put_part(id, 2, 3 * BLOCK, 2), 0);
    assert_int_equal(meta_totals(t.m, &totals), 0);
    assert_int_equal(totals.files, 0);
    assert_int_equal(totals.blocks, 4);
    assert_int_equal(ops()->bucket_delete(t.m, "bucket"), 0);
    assert_true(test_meta_clean(t.m));
    assert_int_equal(t.m->content->gc_orphans(t.m, 10), 2);
    assert_int_equal(meta_totals(t.m, &totals), 0);
    assert_int_equal(totals.blocks, 0);
    assert_int_equal(t.m->content->gc_blocks(t.m, 10, &bytes), 4);
    assert_int_equal(ops()->bucket_create(t.m, "bucket", ""), 0);
    create(id);
    assert_int_equal(put_part(id, 1, 10, 1), 0);
    assert_int_equal(t.m->node->rmdir(t.m, PC_ROOT_INO, "bucket"), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(uploads_are_found_by_their_key), TEST(parts_are_listed),
        TEST(parts_are_never_inline),         TEST(completion_looks_at_every_part),
        TEST(parts_become_an_object),         TEST(conditions_hold_at_completion),
        TEST(uploads_go_with_their_bucket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
