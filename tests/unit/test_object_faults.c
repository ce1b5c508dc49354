/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation on buckets, objects, uploads and users of a volume, with its Nth allocation or database statement failing. */
#include "fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pcloud/err.h"
#include "pcloud/object.h"
#include "pcloud/upkeep.h"
#include "pcloud/upload.h"
#include "pcloud/user.h"

#define ETAG "0123456789abcdef0123456789abcdef"
#define SMALL 3000
#define LARGE 300000
#define KEY(key) (key), strlen(key)

static const struct pc_headers headers = {"content-type\0text/plain\0x-amz-meta-a\0one", 41};

static void content(struct fault_world *w, uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++)
        buf[i] = (uint8_t)(i * 17 + i / 509);
    memcpy(buf, w->tag, 8);
}

static int begin(struct fault_world *w, size_t len, struct pc_put **ret)
{
    static uint8_t buf[LARGE];
    struct pc_put *p;
    int rc = pc_put_begin(w->v, &p);

    if (rc < 0)
        return rc;
    content(w, buf, len);
    rc = pc_put_write(p, buf, len);
    if (rc < 0) {
        pc_put_abort(p);
        return rc;
    }
    assert_int_equal(pc_put_size(p), len);
    *ret = p;
    return 0;
}

static int put(struct fault_world *w, const char *key, size_t len)
{
    struct pc_object o;
    struct pc_put *p;
    int rc = begin(w, len, &p);

    if (rc == 0)
        rc = pc_put_commit(p, w->bucket, KEY(key), ETAG, &headers, NULL, &o);
    if (rc < 0)
        return rc;
    assert_int_equal(o.size, len);
    pc_object_fini(&o);
    return 0;
}

static void with_objects(struct fault_world *w)
{
    assert_int_equal(put(w, "a/small", SMALL), 0);
    assert_int_equal(put(w, "a/large", LARGE), 0);
    assert_int_equal(put(w, "b", SMALL), 0);
}

static int put_small(struct fault_world *w)
{
    return put(w, "new/folder/small", SMALL);
}
static int put_large(struct fault_world *w)
{
    return put(w, "new/large", LARGE);
}
static int put_over(struct fault_world *w)
{
    return put(w, "a/small", LARGE);
}

static int delete_it(struct fault_world *w)
{
    bool existed;

    return pc_object_delete(w->v, w->bucket, KEY("a/large"), NULL, &existed);
}

static int delete_all(struct fault_world *w)
{
    struct pc_delete items[] = {{.key = "a/small", .len = 7},
                                {.key = "b", .len = 1, .etag = ETAG},
                                {.key = "none", .len = 4}};
    int rc = pc_objects_delete(w->v, w->bucket, items, 3);

    for (int i = 0; i < 3 && rc == 0; i++)
        rc = items[i].result; /* 0 for one that is not there, too */
    return rc;
}

static int copy(struct fault_world *w)
{
    struct pc_object o;
    int rc = pc_object_copy(w->v, w->bucket, KEY("a/large"), NULL, w->bucket, KEY("copies/large"),
                            NULL, NULL, &o);

    if (rc < 0)
        return rc;
    assert_string_equal(o.etag, ETAG);
    assert_string_equal(pc_headers_get(&o.headers, "x-amz-meta-a"), "one");
    pc_object_fini(&o);
    return 0;
}

static int annotate(struct fault_world *w)
{
    const struct pc_headers change = {"x-amz-meta-a\0two\0x-amz-meta-b\0three", 36};

    return pc_object_annotate(w->v, w->bucket, KEY("b"), &change);
}

static int read_object(struct fault_world *w)
{
    static uint8_t got[LARGE], want[LARGE];
    struct pc_object o;
    struct pc_reader *r;
    uint64_t off, len;
    size_t done = 0;
    ssize_t n = 0;
    int rc = pc_object_head(w->v, w->bucket, KEY("a/large"), &o);

    if (rc < 0)
        return rc;
    assert_string_equal(o.etag, ETAG);
    pc_object_fini(&o);
    rc = pc_reader_open(w->v, w->bucket, KEY("a/large"), &o, &r);
    if (rc < 0)
        return rc;
    content(w, want, sizeof want);
    while (done < sizeof got && (n = pc_reader_read(r, got + done, sizeof got - done, done)) > 0)
        done += (size_t)n;
    if (n >= 0) {
        assert_int_equal(done, sizeof got);
        assert_memory_equal(got, want, sizeof got);
        rc = pc_reader_part(r, 1, &off, &len);
        if (rc == 0)
            assert_int_equal(len, LARGE);
    }
    pc_reader_close(r);
    pc_object_fini(&o);
    return n < 0 ? (int)n : rc;
}

static int take_entry(void *arg, const struct pc_list_entry *e)
{
    char *text = arg;

    snprintf(text + strlen(text), 200 - strlen(text), "%.*s%s ", (int)e->len, e->key,
             e->is_prefix ? "*" : "");
    if (!e->is_prefix)
        assert_string_equal(e->etag, ETAG);
    return 0;
}

static int list(struct fault_world *w)
{
    struct pc_list l = {.prefix = "", .delimiter = "", .after = "", .max = 100};
    char text[200] = "";
    bool more;
    int rc = pc_list(w->v, w->bucket, &l, take_entry, text, &more);

    if (rc < 0)
        return rc;
    assert_string_equal(text, "a/large a/small b ");
    l.delimiter = "/";
    l.delimiter_len = 1;
    *text = '\0';
    rc = pc_list(w->v, w->bucket, &l, take_entry, text, &more);
    if (rc == 0)
        assert_string_equal(text, "a/* b ");
    return rc;
}

static int create_bucket(struct fault_world *w)
{
    char name[40];
    int rc;

    snprintf(name, sizeof name, "%s-2", w->bucket);
    rc = pc_bucket_create(w->v, name, "somebody");
    return rc == PC_EBUCKETEXISTS ? 0
                                  : rc; /* one that failed late is there when it is done again */
}

static int delete_bucket(struct fault_world *w)
{
    return pc_bucket_delete(w->v, w->bucket);
}
static int add_user(struct fault_world *w)
{
    struct pc_user u;
    int rc = pc_user_add(w->v, w->user, "a@example.org", PC_ROLE_USER, &u);

    if (rc == 0)
        assert_int_equal(strlen(u.id), 64);
    return rc;
}

static void with_user(struct fault_world *w)
{
    assert_int_equal(add_user(w), 0);
}

static int own_bucket(struct fault_world *w)
{
    return pc_bucket_chown(w->v, w->bucket, w->user);
}
static int set_setting(struct fault_world *w)
{
    return pc_bucket_setting_set(w->v, w->bucket, PC_SETTING_TAGGING, "<Tagging/>", 10);
}
static int drop_setting(struct fault_world *w)
{
    return pc_bucket_setting_set(w->v, w->bucket, PC_SETTING_TAGGING, NULL, 0);
}
static void with_setting(struct fault_world *w)
{
    assert_int_equal(set_setting(w), 0);
}

static int read_buckets(struct fault_world *w)
{
    struct pc_bucket b;
    char *text;
    size_t len;
    int rc = pc_bucket_setting_get(w->v, w->bucket, PC_SETTING_TAGGING, &text, &len);

    if (rc < 0)
        return rc;
    assert_string_equal(text, "<Tagging/>");
    free(text);
    rc = pc_bucket_get(w->v, w->bucket, &b);
    if (rc == 0)
        assert_int_equal(b.settings, 1u << PC_SETTING_TAGGING);
    return rc;
}

static void buckets_and_objects(void **state)
{
    static const struct fault_op ops[] = {
        {"put little", NULL, put_small, FAULT_LATE},
        {"put much", NULL, put_large, FAULT_LATE},
        {"put over an object", with_objects, put_over, FAULT_LATE},
        {"delete", with_objects, delete_it, FAULT_LATE},
        {"delete many", with_objects, delete_all, FAULT_LATE | FAULT_PARTIAL},
        {"copy", with_objects, copy, FAULT_LATE},
        {"annotate", with_objects, annotate, FAULT_LATE},
        {"read", with_objects, read_object, FAULT_READS},
        {"list", with_objects, list, FAULT_READS},
        {"create a bucket", NULL, create_bucket, FAULT_LATE},
        {"delete a bucket", with_setting, delete_bucket, FAULT_LATE},
        {"give a bucket away", with_user, own_bucket, FAULT_LATE},
        {"set a setting", NULL, set_setting, FAULT_LATE},
        {"drop a setting", with_setting, drop_setting, FAULT_LATE},
        {"read of buckets", with_setting, read_buckets, FAULT_READS},
    };

    (void)state;
    fault_ops(ops, sizeof ops / sizeof *ops);
}

/* Uploads: parts smaller than S3 wants, which only the last may be. */

static int create_upload(struct fault_world *w)
{
    return pc_upload_create(w->v, w->bucket, KEY("up"), "owner", &headers, w->upload);
}

static int part(struct fault_world *w, unsigned number, size_t len)
{
    struct pc_part part = {.number = number, .etag = ETAG};
    struct pc_put *p;
    int rc = begin(w, len, &p);

    if (rc == 0)
        rc = pc_put_commit_part(p, w->bucket, KEY("up"), w->upload, &part);
    if (rc == 0)
        assert_int_equal(part.size, len);
    return rc;
}

static int part_one(struct fault_world *w)
{
    return part(w, 1, LARGE);
}
static int part_two(struct fault_world *w)
{
    return part(w, 2, SMALL);
}

static int part_copied(struct fault_world *w)
{
    struct pc_part part = {.number = 3};
    int rc = pc_part_copy(w->v, w->bucket, KEY("a/large"), 1000, 200000, w->bucket, KEY("up"),
                          w->upload, &part);

    if (rc == 0)
        assert_int_equal(part.size, 200000);
    return rc;
}

static void with_upload(struct fault_world *w)
{
    with_objects(w);
    assert_int_equal(create_upload(w), 0);
}

static void with_part(struct fault_world *w)
{
    with_upload(w);
    assert_int_equal(part_one(w), 0);
}

static int complete(struct fault_world *w)
{
    const struct pc_part parts[] = {{.number = 1, .etag = ETAG}};
    struct pc_object o;
    int rc = pc_upload_complete(w->v, w->bucket, KEY("up"), w->upload, parts, 1, ETAG "-1", NULL,
                                NULL, &o);

    if (rc < 0)
        return rc;
    assert_int_equal(o.size, LARGE);
    assert_int_equal(o.parts, 1);
    pc_object_fini(&o);
    return 0;
}

static int give_up(struct fault_world *w)
{
    return pc_upload_abort(w->v, w->bucket, KEY("up"), w->upload);
}

static int get_upload(struct fault_world *w)
{
    struct pc_upload u;
    int rc = pc_upload_get(w->v, w->bucket, KEY("up"), w->upload, &u);

    if (rc < 0)
        return rc;
    assert_string_equal(u.owner, "owner");
    assert_string_equal(pc_headers_get(&u.headers, "content-type"), "text/plain");
    pc_upload_fini(&u);
    return 0;
}

static void uploads(void **state)
{
    static const struct fault_op ops[] = {
        {"create an upload", NULL, create_upload, FAULT_LATE},
        {"put a part", with_upload, part_one, FAULT_LATE},
        {"put another part", with_part, part_two, FAULT_LATE},
        {"put a part again", with_part, part_one, FAULT_LATE | FAULT_READS},
        {"copy a part", with_upload, part_copied, FAULT_LATE},
        {"complete", with_part, complete, FAULT_LATE},
        {"abort", with_part, give_up, FAULT_LATE},
        {"read of an upload", with_part, get_upload, FAULT_READS},
    };

    (void)state;
    fault_ops(ops, sizeof ops / sizeof *ops);
}

static int add_key(struct fault_world *w)
{
    struct pc_access_key k;
    int rc = pc_key_add(w->v, w->user, NULL, NULL, "photos", true, &k);

    if (rc == 0)
        assert_int_equal(strlen(k.secret_key), 40);
    return rc;
}

static int add_own_key(struct fault_world *w)
{
    struct pc_access_key k;
    int rc = pc_key_add(w->v, w->user, w->bucket, "secret/secret", "", false, &k);

    if (rc == 0)
        assert_string_equal(k.access_key, w->bucket);
    return rc;
}

static void with_keys(struct fault_world *w)
{
    with_user(w);
    assert_int_equal(add_key(w), 0);
    assert_int_equal(add_own_key(w), 0);
}

static int remove_user(struct fault_world *w)
{
    return pc_user_rm(w->v, w->user);
}
static int remove_key(struct fault_world *w)
{
    return pc_key_rm(w->v, w->bucket);
}

static int find_key(struct fault_world *w)
{
    struct pc_access_key k;
    int rc = pc_key_find(w->v, w->bucket, &k);

    if (rc == 0) {
        assert_string_equal(k.secret_key, "secret/secret");
        assert_string_equal(k.user.name, w->user);
    }
    return rc;
}

static void users(void **state)
{
    static const struct fault_op ops[] = {
        {"add a user", NULL, add_user, FAULT_LATE},
        {"add a key", with_user, add_key, FAULT_LATE},
        {"bring a key", with_user, add_own_key, FAULT_LATE},
        {"remove a user", with_keys, remove_user, FAULT_LATE},
        {"remove a key", with_keys, remove_key, FAULT_LATE},
        {"find a key", with_keys, find_key, FAULT_READS},
    };

    (void)state;
    fault_ops(ops, sizeof ops / sizeof *ops);
}

/* Upkeep changes nothing that anybody sees, whether it comes to its end or not. */

static int check(struct fault_world *w)
{
    struct pc_fsck_result r;
    int rc = pc_fsck(w->v, false, NULL, &r);

    if (rc == 0)
        assert_int_equal(r.problems, 0);
    return rc;
}

static int repair(struct fault_world *w)
{
    struct pc_fsck_result r;
    int rc = pc_fsck(w->v, true, NULL, &r);

    if (rc == 0)
        assert_int_equal(r.problems, 0);
    return rc;
}

static int scrub(struct fault_world *w)
{
    struct pc_scrub_result r;
    int rc = pc_scrub(w->v, NULL, &r);

    if (rc == 0)
        assert_int_equal(r.damaged_blocks + r.damaged_files, 0);
    return rc;
}

static void with_garbage(struct fault_world *w)
{
    with_part(w);
    assert_int_equal(give_up(w), 0);
    assert_int_equal(delete_it(w), 0);
}

static int reclaim(struct fault_world *w)
{
    struct pc_gc_result r;

    return pc_gc(w->v, true, NULL, &r);
}

static int sync_it(struct fault_world *w)
{
    return pc_volume_sync(w->v);
}

static void upkeep(void **state)
{
    static const struct fault_op ops[] = {
        {"fsck", with_objects, check, FAULT_READS},
        {"fsck --repair", with_objects, repair, FAULT_READS},
        {"scrub", with_objects, scrub, FAULT_READS},
        {"gc", with_garbage, reclaim, FAULT_READS | FAULT_PARTIAL},
        {"sync", with_garbage, sync_it, FAULT_READS},
    };

    (void)state;
    fault_ops(ops, sizeof ops / sizeof *ops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_and_objects),
        cmocka_unit_test(uploads),
        cmocka_unit_test(users),
        cmocka_unit_test(upkeep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
