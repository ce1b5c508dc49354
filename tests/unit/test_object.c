/* SPDX-License-Identifier: Apache-2.0 */
/* Objects through the volume: put, read, copy, parts, conditions, listing beside the mount's view, reclaim. */
#include "pcloud/object.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "data/disk.h"
#include "pcloud/err.h"
#include "pcloud/file.h"
#include "pcloud/upkeep.h"
#include "pcloud/upload.h"
#include "test_env.h"
#include "test_volume.h"

static uint8_t *noise(size_t len, uint64_t seed)
{
    uint8_t *p = malloc(len + 8);
    assert_non_null(p);
    for (size_t i = 0; i < len; i += 8) {
        uint64_t r = test_random(&seed);
        memcpy(p + i, &r, 8);
    }
    return p;
}

static int put(struct pc_volume *v, const char *bucket, const char *key, const void *data,
               size_t len, const struct pc_condition *cond)
{
    struct pc_put *p;
    assert_int_equal(pc_put_begin(v, &p), 0);
    for (size_t done = 0; done < len;) {
        size_t n = len - done < 100000 ? len - done : 100000;
        assert_int_equal(pc_put_write(p, (const uint8_t *)data + done, n), 0);
        done += n;
    }
    return pc_put_commit(p, bucket, key, strlen(key), "0123456789abcdef0123456789abcdef", NULL,
                         cond, NULL);
}

static void check_object(struct pc_volume *v, const char *bucket, const char *key, const void *data,
                         size_t len)
{
    struct pc_object o;
    struct pc_reader *r;
    assert_int_equal(pc_reader_open(v, bucket, key, strlen(key), &o, &r), 0);
    assert_int_equal(o.size, len);
    uint8_t *got = malloc(len + 1);
    assert_non_null(got);
    for (size_t done = 0; done < len;) {
        ssize_t n = pc_reader_read(r, got + done, len - done < 70000 ? len - done : 70000, done);
        assert_true(n > 0);
        done += (size_t)n;
    }
    assert_memory_equal(got, data, len);
    assert_int_equal(pc_reader_read(r, got, 1, len), 0);
    pc_reader_close(r);
    pc_object_fini(&o);
    free(got);
}

static void put_and_read(void **state)
{
    struct test_volume *t = *state;
    static const size_t sizes[] = {0, 1, 4096, 4097, 65536, 1u << 20, 9u << 20};
    assert_int_equal(pc_bucket_create(t->v, "photos", ""), 0);
    assert_int_equal(pc_bucket_create(t->v, "photos", ""), PC_EBUCKETEXISTS);
    assert_int_equal(pc_bucket_create(t->v, "No", ""), PC_EBUCKETNAME);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char key[64];
        snprintf(key, sizeof(key), "a/b/%zu", i);
        uint8_t *data = noise(sizes[i], i + 1);
        assert_int_equal(put(t->v, "photos", key, data, sizes[i], NULL), 0);
        check_object(t->v, "photos", key, data, sizes[i]);
        test_volume_reopen(t);
        check_object(t->v, "photos", key, data, sizes[i]);
        free(data);
    }
    struct pc_attr attr;
    assert_int_equal(pc_resolve(t->v, "/photos/a/b/4", &attr), 0);
    assert_int_equal(attr.size, 65536);
    assert_int_equal(put(t->v, "nothere", "k", "x", 1, NULL), PC_ENOBUCKET);
    assert_int_equal(test_volume_fsck(t), 0);
}

static void reader_keeps_what_it_opened(void **state)
{
    struct test_volume *t = *state;
    assert_int_equal(pc_bucket_create(t->v, "bbb", ""), 0);
    uint8_t *old = noise(300000, 7);
    assert_int_equal(put(t->v, "bbb", "k", old, 300000, NULL), 0);
    struct pc_object o;
    struct pc_reader *r;
    assert_int_equal(pc_reader_open(t->v, "bbb", "k", 1, &o, &r), 0);
    assert_int_equal(put(t->v, "bbb", "k", "new", 3, NULL), 0);
    struct pc_gc_result gc;
    assert_int_equal(pc_gc(t->v, true, NULL, &gc), 0);
    uint8_t *got = malloc(300000);
    assert_int_equal(pc_reader_read(r, got, 300000, 0), 300000);
    assert_memory_equal(got, old, 300000);
    pc_reader_close(r);
    pc_object_fini(&o);
    check_object(t->v, "bbb", "k", "new", 3);
    free(old);
    free(got);
}

/* All of it by reads that wait for nothing, with one that may wait where they do not go on: how often that was. */
static unsigned read_at_once(struct pc_reader *r, const uint8_t *data, size_t len, size_t step)
{
    uint8_t *got = malloc(step);
    unsigned waits = 0;
    assert_non_null(got);
    for (size_t done = 0; done < len;) {
        ssize_t n = pc_reader_read_now(r, got, step, done);
        if (n == -EAGAIN) {
            waits++;
            n = pc_reader_read(r, got, 1000, done);
        }
        assert_true(n > 0 && (size_t)n <= step);
        assert_memory_equal(got, data + done, (size_t)n);
        done += (size_t)n;
    }
    assert_int_equal(pc_reader_read_now(r, got, step, len), -EAGAIN);
    free(got);
    return waits;
}

/* 100 islands of 5,000 bytes in zeros, in a bucket's file. */
static uint8_t *make_islands(struct pc_volume *v, size_t len)
{
    uint8_t *data = calloc(1, len), *some = noise(5000, 9);
    const struct pc_make make = {.mode = S_IFREG | 0644};
    struct pc_attr top, attr;
    struct pc_file *f;
    assert_non_null(data);
    assert_int_equal(pc_resolve(v, "/aaa", &top), 0);
    assert_int_equal(pc_file_make(v, top.ino, "islands", &make, O_WRONLY, &attr, &f), 0);
    for (size_t i = 0; i < 100; i++) {
        memcpy(data + i * 70001, some, 5000);
        assert_int_equal(pc_file_write(f, some, 5000, i * 70001), 5000);
    }
    assert_int_equal(pc_file_write(f, "", 1, len - 1), 1);
    assert_int_equal(pc_file_sync(f), 0);
    assert_int_equal(pc_file_close(f), 0);
    free(some);
    return data;
}

static void reader_goes_on_without_waiting(void **state)
{
    struct test_volume *t = *state;
    struct disk_ops ops = disk_real;
    struct pc_object o;
    struct pc_reader *r;
    size_t len = 9u << 20;
    uint8_t *data = noise(len, 8);
    ops.pread_now = ops.pread; /* every filesystem can do that */
    disk_use(&ops);
    assert_int_equal(pc_bucket_create(t->v, "aaa", ""), 0);
    assert_int_equal(put(t->v, "aaa", "k", data, len, NULL), 0);
    assert_int_equal(pc_reader_open(t->v, "aaa", "k", 1, &o, &r), 0);
    assert_true(read_at_once(r, data, len, 300000) <= 2);
    assert_true(read_at_once(r, data, len, 65537) <= 2);
    pc_reader_close(r);
    pc_object_fini(&o);
    free(data);
    data = make_islands(t->v, len);
    assert_int_equal(pc_reader_open(t->v, "aaa", "islands", 7, &o, &r), 0);
    assert_true(read_at_once(r, data, len, 300000) <= 8); /* it does not know of all at once */
    pc_reader_close(r);
    pc_object_fini(&o);
    disk_use(NULL);
    free(data);
}

static void conditions(void **state)
{
    struct test_volume *t = *state;
    assert_int_equal(pc_bucket_create(t->v, "ccc", ""), 0);
    const struct pc_condition absent = {.if_none_match = "*"};
    const struct pc_condition same = {.if_match = "0123456789abcdef0123456789abcdef"};
    const struct pc_condition other = {.if_match = "00000000000000000000000000000000"};
    assert_int_equal(put(t->v, "ccc", "k", "1", 1, &same), -ENOENT);
    assert_int_equal(put(t->v, "ccc", "k", "1", 1, &absent), 0);
    assert_int_equal(put(t->v, "ccc", "k", "2", 1, &absent), PC_EPRECONDITION);
    assert_int_equal(put(t->v, "ccc", "k", "3", 1, &other), PC_EPRECONDITION);
    check_object(t->v, "ccc", "k", "1", 1);
    assert_int_equal(put(t->v, "ccc", "k", "4", 1, &same), 0);
    check_object(t->v, "ccc", "k", "4", 1);
    bool existed = false;
    assert_int_equal(pc_object_delete(t->v, "ccc", "k", 1, &other, &existed), PC_EPRECONDITION);
    assert_int_equal(pc_object_delete(t->v, "ccc", "k", 1, &same, &existed), 0);
    assert_true(existed);
    assert_int_equal(pc_object_delete(t->v, "ccc", "k", 1, NULL, &existed), 0);
    assert_false(existed);
}

static void parts_become_one(void **state)
{
    struct test_volume *t = *state;
    const size_t sizes[] = {PC_PART_MIN, PC_PART_MIN + 77, 9};
    uint8_t *all = noise(sizes[0] + sizes[1] + sizes[2], 3);
    char id[PC_UPLOAD_ID_MAX];
    struct pc_part parts[3] = {0};
    assert_int_equal(pc_bucket_create(t->v, "ddd", ""), 0);
    assert_int_equal(pc_upload_create(t->v, "ddd", "big/one", 7, "", NULL, id), 0);
    size_t off = 0;
    for (unsigned i = 0; i < 3; i++) {
        struct pc_put *p;
        assert_int_equal(pc_put_begin(t->v, &p), 0);
        assert_int_equal(pc_put_write(p, all + off, sizes[i]), 0);
        parts[i].number = 10 * (i + 1);
        snprintf(parts[i].etag, sizeof(parts[i].etag), "%032u", i);
        assert_int_equal(pc_put_commit_part(p, "ddd", "big/one", 7, id, &parts[i]), 0);
        assert_int_equal(parts[i].size, sizes[i]);
        off += sizes[i];
    }
    test_volume_reopen(t);
    struct pc_part wrong = parts[1];
    wrong.etag[0] = 'f';
    assert_int_equal(
        pc_upload_complete(t->v, "ddd", "big/one", 7, id, &wrong, 1, "x-1", NULL, NULL, NULL),
        PC_EPART);
    assert_int_equal(
        pc_upload_complete(t->v, "ddd", "big/one", 7, id, parts, 3, "abc-3", NULL, NULL, NULL), 0);
    check_object(t->v, "ddd", "big/one", all, off);
    struct pc_object o;
    struct pc_reader *r;
    uint64_t at, len;
    assert_int_equal(pc_reader_open(t->v, "ddd", "big/one", 7, &o, &r), 0);
    assert_int_equal(o.parts, 3);
    assert_string_equal(o.etag, "abc-3");
    assert_int_equal(pc_reader_part(r, 3, &at, &len), 0);
    assert_int_equal(at, sizes[0] + sizes[1]);
    assert_int_equal(len, 9);
    assert_int_equal(pc_reader_part(r, 4, &at, &len), PC_EPART);
    pc_reader_close(r);
    pc_object_fini(&o);
    assert_int_equal(
        pc_upload_complete(t->v, "ddd", "big/one", 7, id, parts, 3, "abc-3", NULL, NULL, NULL),
        PC_ENOUPLOAD);
    assert_int_equal(test_volume_fsck(t), 0);
    free(all);
}

static void space_comes_back(void **state)
{
    struct test_volume *t = *state;
    struct pc_volume_stat before, after;
    struct pc_gc_result gc;
    assert_int_equal(pc_bucket_create(t->v, "eee", ""), 0);
    uint8_t *keep = noise(3u << 20, 99);
    assert_int_equal(put(t->v, "eee", "keep", keep, 3u << 20, NULL), 0);
    for (int i = 0; i < 8; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%d", i);
        uint8_t *data = noise(4u << 20, (uint64_t)i + 1000);
        assert_int_equal(put(t->v, "eee", key, data, 4u << 20, NULL), 0);
        free(data);
    }
    test_volume_reopen(t);
    assert_int_equal(pc_volume_stat(t->v, &before), 0);
    assert_true(before.pack_bytes >= 35u << 20);
    for (int i = 0; i < 8; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%d", i);
        assert_int_equal(pc_object_delete(t->v, "eee", key, strlen(key), NULL, NULL), 0);
    }
    assert_int_equal(pc_gc(t->v, true, NULL, &gc), 0);
    test_volume_reopen(t);
    assert_int_equal(pc_gc(t->v, true, NULL, &gc), 0);
    assert_int_equal(pc_volume_stat(t->v, &after), 0);
    assert_true(after.pack_bytes < 8u << 20);
    check_object(t->v, "eee", "keep", keep, 3u << 20);
    assert_int_equal(test_volume_fsck(t), 0);
    struct pc_scrub_result scrub;
    assert_int_equal(pc_scrub(t->v, NULL, &scrub), 0);
    assert_int_equal(scrub.damaged_blocks, 0);
    assert_true(scrub.blocks > 0);
    free(keep);
}

static void equal_content_is_stored_once(void **state)
{
    struct test_volume *t = *state;
    struct pc_volume_stat one, two;
    assert_int_equal(pc_bucket_create(t->v, "fff", ""), 0);
    uint8_t *data = noise(6u << 20, 5);
    assert_int_equal(put(t->v, "fff", "a", data, 6u << 20, NULL), 0);
    assert_int_equal(pc_volume_stat(t->v, &one), 0);
    assert_int_equal(put(t->v, "fff", "b", data, 6u << 20, NULL), 0);
    assert_int_equal(pc_object_copy(t->v, "fff", "a", 1, NULL, "fff", "c", 1, NULL, NULL, NULL), 0);
    assert_int_equal(pc_volume_stat(t->v, &two), 0);
    assert_int_equal(one.block_bytes, two.block_bytes);
    assert_true(two.bytes == 18u << 20);
    assert_int_equal(pc_object_delete(t->v, "fff", "a", 1, NULL, NULL), 0);
    struct pc_gc_result gc;
    assert_int_equal(pc_gc(t->v, true, NULL, &gc), 0);
    check_object(t->v, "fff", "b", data, 6u << 20);
    check_object(t->v, "fff", "c", data, 6u << 20);
    free(data);
}

struct listing {
    char text[4096];
};

static int take(void *arg, const struct pc_list_entry *e)
{
    struct listing *l = arg;
    size_t at = strlen(l->text);
    snprintf(l->text + at, sizeof(l->text) - at, "%s%.*s\n", e->is_prefix ? "P " : "", (int)e->len,
             e->key);
    return 0;
}

static void odd_keys_on_both_doors(void **state)
{
    struct test_volume *t = *state;
    static const char *const keys[] = {"a", "a-b", "a/", "a/b", "a//c", "..", "./x", "z/", "é/ü ß"};
    assert_int_equal(pc_bucket_create(t->v, "ggg", ""), 0);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        assert_int_equal(put(t->v, "ggg", keys[i], keys[i], strlen(keys[i]), NULL), 0);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        check_object(t->v, "ggg", keys[i], keys[i], strlen(keys[i]));
    struct listing l = {.text = ""};
    struct pc_list list = {.prefix = "", .delimiter = "", .after = "", .max = 1000};
    bool truncated;
    assert_int_equal(pc_list(t->v, "ggg", &list, take, &l, &truncated), 0);
    assert_string_equal(l.text, "..\n./x\na\na-b\na/\na//c\na/b\nz/\né/ü ß\n");
    assert_false(truncated);
    l.text[0] = '\0';
    list.delimiter = "/";
    list.delimiter_len = 1;
    assert_int_equal(pc_list(t->v, "ggg", &list, take, &l, &truncated), 0);
    assert_string_equal(l.text, "..\nP ./\na\na-b\nP a/\nP z/\nP é/\n");
    struct pc_attr attr;
    assert_int_equal(pc_resolve(t->v, "/ggg/a/b", &attr), 0);
    assert_int_equal(pc_resolve(t->v, "/ggg/%pc-f-a", &attr), 0);
    assert_true(S_ISREG(attr.mode));
    assert_int_equal(test_volume_fsck(t), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(put_and_read, test_volume_set_up, test_volume_tear_down),
        cmocka_unit_test_setup_teardown(reader_keeps_what_it_opened, test_volume_set_up,
                                        test_volume_tear_down),
        cmocka_unit_test_setup_teardown(reader_goes_on_without_waiting, test_volume_set_up,
                                        test_volume_tear_down),
        cmocka_unit_test_setup_teardown(conditions, test_volume_set_up, test_volume_tear_down),
        cmocka_unit_test_setup_teardown(parts_become_one, test_volume_set_up,
                                        test_volume_tear_down),
        cmocka_unit_test_setup_teardown(space_comes_back, test_volume_set_up,
                                        test_volume_tear_down),
        cmocka_unit_test_setup_teardown(equal_content_is_stored_once, test_volume_set_up,
                                        test_volume_tear_down),
        cmocka_unit_test_setup_teardown(odd_keys_on_both_doors, test_volume_set_up,
                                        test_volume_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
