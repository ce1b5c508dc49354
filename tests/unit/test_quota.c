/* SPDX-License-Identifier: Apache-2.0 */
/* Quotas of folders: limits at the exact byte by every door, what moves and frees, counting beside writers, repair. */
#include "pcloud/quota.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "meta/ops/quota.h"
#include "pcloud/bucket.h"
#include "pcloud/file.h"
#include "pcloud/history.h"
#include "pcloud/node.h"
#include "pcloud/object.h"
#include "pcloud/upkeep.h"
#include "pcloud/upload.h"
#include "test_env.h"
#include "test_volume.h"
#include "volume/volume.h"

static struct test_volume *t;

static int set_up(void **state)
{
    (void)state;
    t = test_volume_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(test_volume_fsck(t), 0);
    test_volume_free(t);
    return 0;
}

static int make(uint64_t parent, const char *name, uint32_t mode, uint64_t *ret)
{
    const struct pc_make how = {.mode = mode};
    struct pc_attr a;
    int rc = pc_make(t->v, parent, name, &how, &a);

    if (rc == 0 && ret)
        *ret = a.ino;
    return rc;
}

static uint64_t folder(uint64_t parent, const char *name)
{
    uint64_t ino = 0;

    assert_int_equal(make(parent, name, S_IFDIR | 0755, &ino), 0);
    return ino;
}

/* The write's own code, and that of closing. */
static int put(struct pc_volume *v, uint64_t parent, const char *name, size_t len, int *ret_close)
{
    const struct pc_make how = {.mode = S_IFREG | 0644};
    static _Thread_local uint64_t rng = 7;
    struct pc_file *f;
    uint8_t *buf = malloc(len + 8);
    ssize_t n;
    int rc = pc_file_make(v, parent, name, &how, O_RDWR, NULL, &f);

    assert_non_null(buf);
    for (size_t i = 0; i < len; i += 8)
        memcpy(buf + i, &(uint64_t){test_random(&rng)}, 8);
    if (rc == 0) {
        n = pc_file_write(f, buf, len, 0);
        rc = n < 0 ? (int)n : 0;
        *ret_close = pc_file_close(f);
    }
    free(buf);
    return rc;
}

static void must_put(uint64_t parent, const char *name, size_t len)
{
    int closed;

    assert_int_equal(put(t->v, parent, name, len, &closed), 0);
    assert_int_equal(closed, 0);
}

static void usage_is(uint64_t ino, uint64_t bytes, uint64_t nodes)
{
    struct pc_quota q;

    assert_int_equal(pc_quota_get(t->v, ino, &q), 0);
    assert_int_equal(q.bytes, bytes);
    assert_int_equal(q.nodes, nodes);
    assert_false(q.counting);
}

static void limits_are_exact(void **state)
{
    uint64_t a = folder(PC_ROOT_INO, "a"), b = folder(a, "b");
    struct pc_file *f;
    struct pc_attr at;
    char buf[4096] = "x";
    int closed;

    (void)state;
    assert_int_equal(pc_quota_set(t->v, a, 10000, PC_QUOTA_NONE), 0);
    assert_int_equal(pc_quota_set(t->v, b, PC_QUOTA_NONE, 3), 0);
    usage_is(a, 0, 1);
    must_put(b, "one", 6000);
    assert_int_equal(put(t->v, b, "two", 4001, &closed), -EDQUOT);
    assert_int_equal(closed, 0);
    assert_int_equal(pc_unlink(t->v, b, "two"), 0);
    must_put(b, "two", 4000);
    usage_is(a, 10000, 3);
    usage_is(b, 10000, 2);
    /* inside the limit: the same bytes anew, and what replaces them */
    assert_int_equal(pc_lookup(t->v, b, "one", &at), 0);
    assert_int_equal(pc_file_open(t->v, at.ino, O_RDWR, &f), 0);
    assert_int_equal(pc_file_write(f, buf, sizeof(buf), 1904), sizeof(buf));
    assert_int_equal(pc_file_sync(f), 0);
    assert_int_equal(pc_file_append(f, buf, 1, NULL), -EDQUOT);
    assert_int_equal(pc_file_close(f), 0);
    usage_is(a, 10000, 3);
    /* nodes */
    assert_int_equal(make(b, "three", S_IFREG | 0644, NULL), 0);
    assert_int_equal(make(b, "four", S_IFREG | 0644, NULL), -EDQUOT);
    assert_int_equal(make(b, "four", S_IFDIR | 0755, NULL), -EDQUOT);
    assert_int_equal(make(a, "four", S_IFDIR | 0755, NULL), 0);
    /* a limit below what is there: it only shrinks */
    assert_int_equal(pc_quota_set(t->v, a, 5000, PC_QUOTA_NONE), 0);
    assert_int_equal(put(t->v, a, "x", 1, &closed), -EDQUOT);
    assert_int_equal(pc_unlink(t->v, b, "two"), 0);
    usage_is(a, 6000, 5);
    at.size = 4999;
    assert_int_equal(pc_setattr(t->v, at.ino, PC_SET_SIZE, &at, NULL), 0);
    assert_int_equal(pc_quota_rm(t->v, a), 0);
    assert_int_equal(pc_quota_rm(t->v, a), -ENODATA);
    must_put(b, "big", 100000);
}

/* Several files in memory at once: what was accepted is stored, whatever the order. */
static void memory_counts(void **state)
{
    uint64_t a = folder(PC_ROOT_INO, "a"), taken = 0;
    struct pc_file *f[8];
    char name[8], buf[3000];

    (void)state;
    memset(buf, 'm', sizeof(buf));
    assert_int_equal(pc_quota_set(t->v, a, 100000, PC_QUOTA_NONE), 0);
    for (unsigned i = 0; i < 8; i++) {
        const struct pc_make how = {.mode = S_IFREG | 0644};

        snprintf(name, sizeof(name), "%u", i);
        assert_int_equal(pc_file_make(t->v, a, name, &how, O_RDWR, NULL, &f[i]), 0);
    }
    for (unsigned k = 0; k < 80; k++) {
        ssize_t n = pc_file_append(f[k % 8], buf, sizeof(buf), NULL);

        assert_int_equal(n, taken + sizeof(buf) <= 100000 ? (ssize_t)sizeof(buf) : -EDQUOT);
        taken += n > 0 ? (uint64_t)n : 0;
    }
    assert_int_equal(taken, 99000);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(pc_file_sync(f[i]), 0);
        assert_int_equal(pc_file_close(f[i]), 0);
    }
    usage_is(a, taken, 8);
}

static void trees_move(void **state)
{
    uint64_t a = folder(PC_ROOT_INO, "a"), b = folder(PC_ROOT_INO, "b"), x = folder(a, "x");
    uint64_t y = folder(x, "y");

    (void)state;
    must_put(x, "f", 5000);
    must_put(y, "g", 3);
    assert_int_equal(pc_quota_set(t->v, a, 1 << 20, PC_QUOTA_NONE), 0);
    assert_int_equal(pc_quota_set(t->v, b, 8000, 100), 0);
    assert_int_equal(pc_quota_set(t->v, PC_ROOT_INO, 1 << 30, PC_QUOTA_NONE), 0);
    usage_is(a, 5003, 4);
    assert_int_equal(pc_rename(t->v, a, "x", b, "x", 0), 0);
    usage_is(a, 0, 0);
    usage_is(b, 5003, 4);
    usage_is(PC_ROOT_INO, 5003, 6);
    must_put(a, "f", 2998);
    assert_int_equal(pc_rename(t->v, a, "f", b, "f", 0), -EDQUOT);
    usage_is(a, 2998, 1);
    /* replacing something as large needs no room for both */
    assert_int_equal(pc_rename(t->v, a, "f", x, "f", 0), 0);
    usage_is(b, 3001, 4);
    /* one that is larger than may be counted in one go is left to be copied, but not if its own quota knows */
    quota_move_max = 2;
    assert_int_equal(pc_rename(t->v, b, "x", a, "x", 0), -EXDEV);
    assert_int_equal(pc_quota_set(t->v, x, 1 << 20, PC_QUOTA_NONE), 0);
    assert_int_equal(pc_rename(t->v, b, "x", a, "x", 0), 0);
    quota_move_max = 16384;
    usage_is(a, 3001, 4);
    usage_is(b, 0, 0);
    usage_is(x, 3001, 3);
}

/* A file of several names counts once, where one of them is, and a removed one not at all. */
static void names_and_removed_files(void **state)
{
    uint64_t a = folder(PC_ROOT_INO, "a"), b = folder(PC_ROOT_INO, "b");
    struct pc_attr at;
    struct pc_file *f;

    (void)state;
    assert_int_equal(pc_quota_set(t->v, a, 1 << 20, 10), 0);
    assert_int_equal(pc_quota_set(t->v, b, 1 << 20, 10), 0);
    must_put(a, "f", 5000);
    assert_int_equal(pc_lookup(t->v, a, "f", &at), 0);
    assert_int_equal(pc_link(t->v, at.ino, a, "f2", NULL), 0);
    assert_int_equal(pc_link(t->v, at.ino, b, "f", NULL), 0);
    usage_is(a, 5000, 1);
    usage_is(b, 0, 0);
    assert_int_equal(pc_unlink(t->v, a, "f"), 0);
    usage_is(a, 5000, 1);
    assert_int_equal(pc_unlink(t->v, a, "f2"), 0);
    usage_is(a, 0, 0);
    usage_is(b, 5000, 1);
    assert_int_equal(pc_link(t->v, at.ino, a, "g", NULL), 0);
    assert_int_equal(pc_rename(t->v, b, "f", a, "h", 0), 0);
    usage_is(a, 5000, 1);
    usage_is(b, 0, 0);
    assert_int_equal(pc_unlink(t->v, a, "g"), 0);
    assert_int_equal(pc_file_open(t->v, at.ino, O_RDWR, &f), 0);
    assert_int_equal(pc_unlink(t->v, a, "h"), 0);
    usage_is(a, 0, 0);
    assert_int_equal(pc_file_write(f, "still", 5, 9000), 5);
    assert_int_equal(pc_file_sync(f), 0);
    usage_is(a, 0, 0);
    assert_int_equal(pc_file_close(f), 0);
}

static int put_object(const char *key, size_t len)
{
    static uint64_t rng = 99;
    struct pc_put *p;
    uint8_t *buf = calloc(1, len + 8);
    int rc = pc_put_begin(t->v, &p);

    assert_non_null(buf);
    memcpy(buf, &(uint64_t){test_random(&rng)}, 8);
    if (rc == 0)
        rc = pc_put_write(p, buf, len);
    if (rc == 0)
        rc = pc_put_commit(p, "bucket", key, strlen(key), "e", NULL, NULL, NULL);
    free(buf);
    return rc;
}

static void objects_count(void **state)
{
    char id[PC_UPLOAD_ID_MAX], buf[5000] = "part";
    struct pc_part part = {.number = 1, .etag = "e"};
    struct pc_delete item = {.key = "k", .len = 1};
    struct pc_put *p;
    struct pc_attr at;

    (void)state;
    assert_int_equal(pc_bucket_create(t->v, "bucket", ""), 0);
    assert_int_equal(pc_lookup(t->v, PC_ROOT_INO, "bucket", &at), 0);
    assert_int_equal(pc_quota_set(t->v, at.ino, 10000, 5), 0);
    assert_int_equal(put_object("k", 6000), 0);
    assert_int_equal(put_object("k", 10001), -EDQUOT);
    assert_int_equal(put_object("k", 10000), 0); /* instead of the 6000 */
    assert_int_equal(put_object("d/e/f", 1), -EDQUOT);
    assert_int_equal(put_object("k", 5000), 0);
    usage_is(at.ino, 5000, 1);
    /* a part that could not become an object */
    assert_int_equal(pc_upload_create(t->v, "bucket", "u", 1, "", NULL, id), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pc_put_begin(t->v, &p), 0);
        assert_int_equal(pc_put_write(p, buf, sizeof(buf)), 0);
        part.number = (unsigned)i + 1;
        assert_int_equal(pc_put_commit_part(p, "bucket", "u", 1, id, &part), i ? -EDQUOT : 0);
    }
    usage_is(at.ino, 5000, 1);
    part.number = 1;
    assert_int_equal(
        pc_upload_complete(t->v, "bucket", "u", 1, id, &part, 1, "e-1", NULL, NULL, NULL), 0);
    usage_is(at.ino, 10000, 2);
    /* versions stay, and count */
    assert_int_equal(pc_versioning_set(t->v, "bucket", PC_VERSIONING_ON), 0);
    assert_int_equal(put_object("k", 1), -EDQUOT);
    assert_int_equal(pc_quota_set(t->v, at.ino, 20000, 50), 0);
    assert_int_equal(put_object("k", 100), 0);
    usage_is(at.ino, 10100, 3);
    assert_int_equal(pc_objects_delete(t->v, "bucket", &item, 1), 0);
    usage_is(at.ino, 10100, 3);
}

struct churn {
    struct pc_volume *v;
    uint64_t top[3];
    uint64_t seed;
    atomic_bool stop;
};

/* Makes, removes and moves below what is being counted. */
static void *churn(void *arg)
{
    struct churn *c = arg;
    const struct pc_make file = {.mode = S_IFLNK | 0777, .target = "x"}, dir = {.mode = S_IFDIR};
    char name[8], to[8];

    while (!atomic_load(&c->stop)) {
        uint64_t from = c->top[test_random(&c->seed) % 3], at = c->top[test_random(&c->seed) % 3];

        snprintf(name, sizeof(name), "%u", (unsigned)(test_random(&c->seed) % 40));
        snprintf(to, sizeof(to), "%u", (unsigned)(test_random(&c->seed) % 40));
        switch (test_random(&c->seed) % 5) {
        case 0:
            (void)pc_make(c->v, from, name, &file, &(struct pc_attr){0});
            break;
        case 1:
            (void)pc_make(c->v, from, name, &dir, &(struct pc_attr){0});
            break;
        case 2:
            if (pc_unlink(c->v, from, name) == -EISDIR)
                (void)pc_rmdir(c->v, from, name);
            break;
        case 3:
            (void)pc_rename(c->v, from, name, at, to, 0);
            break;
        default:
            (void)put(c->v, from, name, 10 + test_random(&c->seed) % 6000, &(int){0});
        }
    }
    return NULL;
}

static void counting_beside_writers(void **state)
{
    struct churn c[2] = {{.seed = 1}, {.seed = 2}};
    pthread_t thread[2];
    uint64_t a = folder(PC_ROOT_INO, "a");

    (void)state;
    c[0].v = t->v;
    c[1].v = test_volume_second(t);
    c[0].top[0] = a;
    c[0].top[1] = folder(a, "in");
    c[0].top[2] = folder(PC_ROOT_INO, "out");
    memcpy(c[1].top, c[0].top, sizeof(c[0].top));
    for (unsigned i = 0; i < 300; i++) {
        char name[8];

        snprintf(name, sizeof(name), "n%u", i);
        must_put(c[0].top[i % 3], name, i * 7);
    }
    quota_count_max = 0;
    quota_step = 5;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, churn, &c[i]), 0);
    for (unsigned round = 0; round < 4; round++) {
        struct pc_quota q;

        assert_int_equal(pc_quota_set(t->v, a, 1 << 30, PC_QUOTA_NONE), 0);
        assert_int_equal(pc_quota_set(t->v, c[0].top[1], 1 << 30, PC_QUOTA_NONE), 0);
        assert_int_equal(pc_quota_get(t->v, a, &q), 0);
        assert_false(q.counting);
        assert_int_equal(test_volume_fsck(t), 0);
        assert_int_equal(pc_quota_rm(t->v, a), 0);
        assert_int_equal(pc_quota_rm(t->v, c[0].top[1]), 0);
    }
    assert_int_equal(pc_quota_set(t->v, a, 1 << 30, PC_QUOTA_NONE), 0);
    for (unsigned i = 0; i < 2; i++) {
        atomic_store(&c[i].stop, true);
        pthread_join(thread[i], NULL);
    }
    pc_volume_close(c[1].v);
    quota_count_max = 4096;
    quota_step = 1024;
}

/* Begun by one that died, finished by the next; and what another process counts is seen here. */
static void counting_goes_on(void **state)
{
    uint64_t a = folder(PC_ROOT_INO, "a");
    struct pc_volume *second = test_volume_second(t);
    struct pc_quota q;
    int closed;

    (void)state;
    must_put(a, "f", 5000);
    quota_count_max = 0;
    assert_int_equal(t->v->meta->node->quota_set(t->v->meta, a, 9000, PC_QUOTA_NONE), 1);
    quota_count_max = 4096;
    assert_int_equal(pc_quota_get(second, a, &q), 0);
    assert_true(q.counting);
    must_put(a, "g", 1000);
    assert_int_equal(pc_gc(second, false, NULL, &(struct pc_gc_result){0}), 0);
    usage_is(a, 6000, 2);
    assert_int_equal(put(second, a, "h", 3000, &closed), 0);
    assert_int_equal(put(t->v, a, "i", 1, &closed), -EDQUOT);
    usage_is(a, 9000, 4);
    pc_volume_close(second);
    test_volume_reopen(t);
    usage_is(a, 9000, 4);
    assert_int_equal(put(t->v, a, "j", 1, &closed), -EDQUOT);
}

static void room_is_told(void **state)
{
    uint64_t a = folder(PC_ROOT_INO, "a"), b = folder(a, "b");
    struct pc_quota_room room;

    (void)state;
    assert_int_equal(pc_quota_room(t->v, b, &room), 0);
    assert_int_equal(pc_quota_set(t->v, a, 1000, PC_QUOTA_NONE), 0);
    assert_int_equal(pc_quota_set(t->v, b, 5000, 7), 0);
    must_put(b, "f", 400);
    assert_int_equal(pc_quota_room(t->v, b, &room), 1);
    assert_int_equal(room.bytes_max, 5000);
    assert_int_equal(room.bytes_free, 600);
    assert_int_equal(room.nodes_free, 6);
    assert_int_equal(pc_quota_room(t->v, PC_ROOT_INO, &room), 0);
    assert_int_equal(pc_rmdir(t->v, a, "b"), -ENOTEMPTY);
    assert_int_equal(pc_unlink(t->v, b, "f"), 0);
    assert_int_equal(pc_rmdir(t->v, a, "b"), 0);
    assert_int_equal(pc_quota_rm(t->v, b), -ENODATA);
    assert_int_equal(pc_quota_set(t->v, b, 1, 1), -ENOENT);
    assert_int_equal(pc_quota_set(t->v, a, PC_QUOTA_NONE, PC_QUOTA_NONE), -EINVAL);
}

static void fsck_counts_anew(void **state)
{
    static const char wrong[] = "UPDATE quota SET bytes=bytes+5, nodes=nodes-1";
    static const char lost[] = "DELETE FROM link";
    uint64_t a = folder(PC_ROOT_INO, "a"), b = folder(PC_ROOT_INO, "b");
    struct pc_fsck_result r = {0};
    struct sql_conn *c;
    struct pc_attr at;

    (void)state;
    must_put(a, "f", 100);
    assert_int_equal(pc_lookup(t->v, a, "f", &at), 0);
    assert_int_equal(pc_link(t->v, at.ino, b, "f", NULL), 0);
    assert_int_equal(pc_quota_set(t->v, a, 1000, PC_QUOTA_NONE), 0);
    assert_int_equal(sql_write_begin(t->v->meta, SQL_FREES, &c), 0);
    assert_int_equal(sql_run(c, wrong, ""), 1);
    assert_int_equal(sql_run(c, lost, ""), 2);
    assert_int_equal(sql_write_end(t->v->meta, c, 0), 0);
    assert_int_equal(pc_fsck(t->v, false, NULL, &r), 0);
    assert_int_equal(r.problems, 3);
    assert_int_equal(pc_fsck(t->v, true, NULL, &r), 0);
    assert_int_equal(r.problems, r.repaired);
    usage_is(a, 100, 1);
}

/* An operation that fails as the first of a transaction keeps nobody waiting for its commit, which never comes. */
static void refused_keeps_nobody_waiting(void **state)
{
    struct pc_volume *second = test_volume_second(t);
    const struct pc_make how = {.mode = S_IFDIR | 0755};
    struct pc_attr a;

    (void)state;
    folder(PC_ROOT_INO, "a");
    assert_int_equal(pc_quota_set(t->v, PC_ROOT_INO, 100, 2), 0);
    alarm(60); /* of a machine that hangs */
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(pc_volume_sync(t->v), 0);
        assert_int_equal(make(PC_ROOT_INO, "a", S_IFDIR | 0755, NULL), -EEXIST);
        assert_int_equal(pc_make(second, PC_ROOT_INO, "b", &how, &a), 0);
        assert_int_equal(pc_volume_sync(second), 0);
        assert_int_equal(make(PC_ROOT_INO, "c", S_IFDIR | 0755, NULL), -EDQUOT);
        assert_int_equal(pc_rmdir(second, PC_ROOT_INO, "b"), 0);
    }
    alarm(0);
    pc_volume_close(second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(limits_are_exact),
        TEST(refused_keeps_nobody_waiting),
        TEST(memory_counts),
        TEST(trees_move),
        TEST(names_and_removed_files),
        TEST(objects_count),
        TEST(counting_beside_writers),
        TEST(counting_goes_on),
        TEST(room_is_told),
        TEST(fsck_counts_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
