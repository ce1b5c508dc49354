/* SPDX-License-Identifier: Apache-2.0 */
/* Users and access keys, and that the feed tells of them. */
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
#include <string.h>

#include <cmocka.h>

static struct test_meta t;
static const struct pc_user alice = {"alice", "aa00", "alice@example.org", PC_ROLE_ADMIN};
static const struct pc_user bob = {"bob", "bb00", "", PC_ROLE_USER};

static int set_up(void **state)
{
    (void)state;
    test_meta_new(&t);
    assert_int_equal(t.m->object->user_add(t.m, &bob), 0);
    assert_int_equal(t.m->object->user_add(t.m, &alice), 0);
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

static int add_key(const char *user, const char *access, const char *bucket)
{
    struct pc_access_key k = {.read_only = bucket[0] != '\0'};

    snprintf(k.access_key, sizeof(k.access_key), "%s", access);
    snprintf(k.secret_key, sizeof(k.secret_key), "secret of %s", access);
    snprintf(k.user.name, sizeof(k.user.name), "%s", user);
    snprintf(k.bucket, sizeof(k.bucket), "%s", bucket);
    return ops()->key_add(t.m, &k);
}

static int take_user(void *arg, const struct pc_user *u)
{
    size_t n = strlen(arg);

    snprintf((char *)arg + n, 128 - n, "%s ", u->name);
    return 0;
}

static int take_key(void *arg, const struct pc_access_key *k)
{
    size_t n = strlen(arg);

    snprintf((char *)arg + n, 128 - n, "%s/%s ", k->user.name, k->access_key);
    return 0;
}

static void users_are_kept(void **state)
{
    char text[128] = "";
    struct pc_user u;

    (void)state;
    assert_int_equal(ops()->user_add(t.m, &alice), PC_EUSEREXISTS);
    assert_int_equal(ops()->user_get(t.m, "alice", &u), 0);
    assert_memory_equal(&u, &alice, sizeof(u));
    assert_int_equal(ops()->user_get(t.m, "carol", &u), PC_ENOUSER);
    assert_int_equal(ops()->user_list(t.m, take_user, text), 0);
    assert_string_equal(text, "alice bob ");
    assert_int_equal(ops()->user_rm(t.m, "bob"), 0);
    assert_int_equal(ops()->user_rm(t.m, "bob"), PC_ENOUSER);
}

static void keys_belong_to_users(void **state)
{
    char text[128] = "";
    struct pc_access_key k;

    (void)state;
    assert_int_equal(add_key("carol", "K1", ""), PC_ENOUSER);
    assert_int_equal(add_key("alice", "K1", ""), 0);
    assert_int_equal(add_key("bob", "K1", ""), PC_EUSEREXISTS);
    assert_int_equal(add_key("bob", "K2", "photos"), 0);
    assert_int_equal(ops()->key_get(t.m, "K2", &k), 0);
    assert_string_equal(k.secret_key, "secret of K2");
    assert_string_equal(k.bucket, "photos");
    assert_true(k.read_only);
    assert_memory_equal(&k.user, &bob, sizeof(bob));
    assert_int_equal(ops()->key_get(t.m, "K3", &k), PC_ENOUSER);
    assert_int_equal(ops()->key_list(t.m, NULL, take_key, text), 0);
    assert_string_equal(text, "alice/K1 bob/K2 ");
    text[0] = '\0';
    assert_int_equal(ops()->key_list(t.m, "bob", take_key, text), 0);
    assert_string_equal(text, "bob/K2 ");
    assert_int_equal(ops()->user_rm(t.m, "bob"), 0);
    assert_int_equal(ops()->key_get(t.m, "K2", &k), PC_ENOUSER);
    assert_int_equal(ops()->key_rm(t.m, "K1"), 0);
    assert_int_equal(ops()->key_rm(t.m, "K1"), PC_ENOUSER);
}

static void owners_stay_while_they_own(void **state)
{
    struct pc_bucket b;

    (void)state;
    assert_int_equal(ops()->bucket_create(t.m, "photos", "alice"), 0);
    assert_int_equal(ops()->user_rm(t.m, "alice"), -ENOTEMPTY);
    assert_int_equal(ops()->bucket_chown(t.m, "photos", "carol"), PC_ENOUSER);
    assert_int_equal(ops()->bucket_chown(t.m, "nobody", "bob"), PC_ENOBUCKET);
    assert_int_equal(ops()->bucket_chown(t.m, "photos", "bob"), 0);
    assert_int_equal(ops()->bucket_get(t.m, "photos", &b), 0);
    assert_string_equal(b.owner, "bob");
    assert_int_equal(ops()->user_rm(t.m, "alice"), 0);
    assert_int_equal(ops()->user_rm(t.m, "bob"), -ENOTEMPTY);
    assert_int_equal(ops()->bucket_chown(t.m, "photos", ""), 0);
    assert_int_equal(ops()->user_rm(t.m, "bob"), 0);
    assert_int_equal(ops()->bucket_chown(t.m, "pcloud", ""), 0);
    test_folder(t.m, PC_ROOT_INO, "made");
    assert_int_equal(ops()->bucket_chown(t.m, "made", ""), 0);
    assert_int_equal(ops()->bucket_delete(t.m, "photos"), 0);
}

static void take_change(void *arg, const struct meta_change *c)
{
    if (c->ino == 0 && c->kinds == PC_CHANGE_ATTR)
        ++*(int *)arg;
}

static void the_feed_tells(void **state)
{
    uint64_t before;
    int n = 0;

    (void)state;
    assert_int_equal(meta_flush(t.m), 0);
    before = meta_feed_end(t.m);
    assert_int_equal(add_key("bob", "K2", ""), 0);
    assert_int_equal(ops()->key_rm(t.m, "K2"), 0);
    assert_int_equal(ops()->user_rm(t.m, "bob"), 0);
    assert_int_equal(meta_flush(t.m), 0);
    assert_int_equal(meta_feed_read(t.m, before, 100, take_change, &n), 3);
    assert_int_equal(n, 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(users_are_kept),
        TEST(keys_belong_to_users),
        TEST(owners_stay_while_they_own),
        TEST(the_feed_tells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
