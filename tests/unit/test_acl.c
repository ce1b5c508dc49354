/* SPDX-License-Identifier: Apache-2.0 */
/* Access control lists as they are kept, and from operations to actions. */
#include "access/acl.h"
#include "access/authz.h"
#include "access/policy_cache.h"

#include "pcloud/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#define BOB "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define EVE "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static const struct acl_who owner = {EVE, true, false}, bob = {BOB, false, false},
                            eve = {EVE, false, false}, nobody = {NULL, false, false},
                            unheard = {BOB, false, true};

static void test_text(void **state)
{
    struct acl_grant g;
    struct buf b;
    char id[ACL_ID_MAX];
    size_t pos = 0;

    (void)state;
    buf_init(&b, ACL_TEXT_MAX);
    acl_start(&b, BOB);
    acl_add(&b, ACL_FULL_CONTROL, BOB);
    acl_add(&b, ACL_READ, "*");
    acl_add(&b, ACL_WRITE_ACP, ".");
    assert_string_equal(b.data, BOB " f" BOB " r* W.");
    assert_int_equal(acl_owner(b.data, id), 0);
    assert_string_equal(id, BOB);
    assert_true(acl_next(b.data, &pos, &g));
    assert_int_equal(g.permission, ACL_FULL_CONTROL);
    assert_string_equal(g.grantee, BOB);
    assert_true(acl_next(b.data, &pos, &g));
    assert_int_equal(g.permission, ACL_READ);
    assert_string_equal(g.grantee, "*");
    assert_true(acl_next(b.data, &pos, &g));
    assert_int_equal(g.permission, ACL_WRITE_ACP);
    assert_string_equal(g.grantee, ".");
    assert_false(acl_next(b.data, &pos, &g));
    buf_fini(&b);
}

/* What is damaged grants nothing. */
static void test_damaged(void **state)
{
    static const char *const bad[] = {"", " ", ".", ". ", ". r", ". x*", ".r*", ". r" BOB "0"};
    char id[ACL_ID_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(acl_grants(bad[i], ACL_READ, &bob));
        assert_false(acl_grants(bad[i], ACL_READ, &owner));
        assert_false(acl_is_public(bad[i]));
    }
    assert_int_equal(acl_owner("", id), PC_EFORMAT);
    assert_int_equal(acl_owner(BOB "0 r*", id), PC_EFORMAT);
}

static void test_grants(void **state)
{
    (void)state;
    assert_true(acl_grants(". rf" BOB, ACL_READ, &owner) == false);
    assert_true(acl_grants(". f.", ACL_READ, &owner));
    assert_true(acl_grants(". f.", ACL_WRITE_ACP, &owner));
    assert_false(
        acl_grants(". f.", ACL_READ, &eve)); /* the id alone does not make them the owner */
    assert_false(acl_grants(". f.", ACL_READ, &nobody));
    assert_true(acl_grants(". r" BOB, ACL_READ, &bob));
    assert_false(acl_grants(". r" BOB, ACL_WRITE, &bob));
    assert_false(acl_grants(". r" BOB, ACL_READ_ACP, &bob));
    assert_false(acl_grants(". r" BOB, ACL_READ, &eve));
    assert_true(acl_grants(". R" BOB, ACL_READ_ACP, &bob));
    assert_false(acl_grants(". R" BOB, ACL_READ, &bob));
    assert_true(acl_grants(". f" BOB, ACL_WRITE_ACP, &bob));
    assert_true(acl_grants(". r*", ACL_READ, &nobody));
    assert_true(acl_grants(". r*", ACL_READ, &eve));
    assert_false(acl_grants(". r@", ACL_READ, &nobody));
    assert_true(acl_grants(". r@", ACL_READ, &eve));
    assert_false(acl_grants(". r#", ACL_READ, &eve));
    assert_false(acl_grants(". r* f@", ACL_READ, &unheard));
    assert_true(acl_grants(". r* r" BOB, ACL_READ, &unheard));
    assert_true(acl_is_public(". f. r*"));
    assert_true(acl_is_public(". r@"));
    assert_false(acl_is_public(". f. r" BOB " w#"));
}

static void test_canned(void **state)
{
    static const struct {
        const char *name;
        enum acl_thing thing;
        const char *owner, *text;
    } rows[] = {
        {"private", ACL_OF_BUCKET, ".", ". f."},
        {"private", ACL_OF_OBJECT, BOB, BOB " f" BOB},
        {"public-read", ACL_OF_BUCKET, ".", ". f. r*"},
        {"public-read-write", ACL_OF_OBJECT, ".", ". f. r* w*"},
        {"authenticated-read", ACL_OF_OBJECT, ".", ". f. r@"},
        {"bucket-owner-read", ACL_OF_OBJECT, BOB, BOB " f" BOB " r."},
        {"bucket-owner-full-control", ACL_OF_OBJECT, BOB, BOB " f" BOB " f."},
        {"bucket-owner-full-control", ACL_OF_OBJECT, ".", ". f."},
        {"bucket-owner-read", ACL_OF_BUCKET, ".", ". f."},
        {"log-delivery-write", ACL_OF_BUCKET, ".", ". f. w# R#"},
        {"log-delivery-write", ACL_OF_OBJECT, ".", NULL},
        {"aws-exec-read", ACL_OF_OBJECT, ".", ". f."},
        {"Private", ACL_OF_OBJECT, ".", NULL},
        {"", ACL_OF_OBJECT, ".", NULL},
    };
    struct buf b;

    (void)state;
    buf_init(&b, ACL_TEXT_MAX);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buf_reset(&b);
        assert_int_equal(acl_canned(&b, rows[i].name, rows[i].thing, rows[i].owner),
                         rows[i].text ? 0 : PC_EFORMAT);
        if (rows[i].text)
            assert_string_equal(b.data, rows[i].text);
    }
    buf_fini(&b);
}

static void test_names(void **state)
{
    static const char letters[] = "rwRWf";

    (void)state;
    for (size_t i = 0; letters[i]; i++)
        assert_int_equal(acl_permission_of(acl_permission_name((enum acl_permission)letters[i])),
                         letters[i]);
    assert_int_equal(acl_permission_of("read"), 0);
    assert_string_equal(acl_group(acl_uri("*")), "*");
    assert_string_equal(acl_group(acl_uri("@")), "@");
    assert_string_equal(acl_group(acl_uri("#")), "#");
    assert_null(acl_uri("."));
    assert_null(acl_group("http://example.com"));
}

/* A policy may name every action that is asked about, or nobody could ever be allowed it. */
static bool may_be_named(const char *action)
{
    const char *why = NULL;
    struct policy *p = NULL;
    char text[512];
    int rc;

    snprintf(text, sizeof text,
             "{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"%s\","
             "\"Resource\":\"*\"}}",
             action);
    rc = policy_parse(text, strlen(text), "b", &p, &why);
    policy_free(p);
    return rc == 0;
}

static void test_actions(void **state)
{
    static const char *const operations[] = {
        "ListObjects",   "ListObjectVersions", "HeadBucket",    "GetBucketAcl", "PutBucketAcl",
        "GetObject",     "HeadObject",         "GetObjectAcl",  "PutObjectAcl", "PutObject",
        "CopyObject",    "UploadPart",         "DeleteObject",  "ListParts",    "DeleteObjects",
        "GetBucketCors", "UploadPartCopy",     "PutBucketCors",
    };

    (void)state;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        const struct action *a = action_of(operations[i]);

        assert_non_null(a);
        assert_true(may_be_named(a->name));
        if (a->version)
            assert_true(may_be_named(a->version));
    }
    assert_int_equal(action_of("GetObject")->about, ABOUT_OBJECT);
    assert_int_equal(action_of("HeadObject")->about, ABOUT_OBJECT);
    assert_int_equal(action_of("DeleteObjects")->about, ABOUT_KEYS);
    assert_int_equal(action_of("GetObject")->acl, ACL_READ);
    assert_int_equal(action_of("DeleteObject")->acl, ACL_WRITE);
    assert_null(action_of("GetBucketLocation")); /* its action has its name */
    assert_true(may_be_named("s3:GetBucketLocation"));
    assert_null(action_of("Nothing"));
}

#define ALLOW(what)                                                                                \
    "{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"" what                  \
    "\",\"Resource\":\"*\"}}"

static void test_cache(void **state)
{
    static const char read[] = ALLOW("s3:GetObject"), list[] = ALLOW("s3:ListBucket");
    struct held_policy *a, *b, *c, *d;
    const char *why = NULL;

    (void)state;
    assert_int_equal(policy_hold("one", read, strlen(read), &a, &why), 0);
    assert_int_equal(policy_hold("one", read, strlen(read), &b, &why), 0);
    assert_ptr_equal(a, b);
    assert_int_equal(policy_hold("one", list, strlen(list), &c, &why), 0); /* it was changed */
    assert_ptr_not_equal(a, c);
    assert_true(policy_is_public(policy_held(a))); /* still whole */
    assert_int_equal(policy_hold("two", list, strlen(list), &d, &why), 0);
    assert_ptr_not_equal(c, d);
    assert_int_equal(policy_hold("one", "{}", 2, &a, &why), PC_EFORMAT);
    policy_let_go(b);
    policy_let_go(b);
    policy_let_go(c);
    policy_let_go(d);
    policy_let_go(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),   cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_grants), cmocka_unit_test(test_canned),
        cmocka_unit_test(test_names),  cmocka_unit_test(test_actions),
        cmocka_unit_test(test_cache),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
