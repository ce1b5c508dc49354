/* SPDX-License-Identifier: Apache-2.0 */
/* Bucket policies: what is refused, what a policy says about a request, and what is public. */
#include "policy/policy.h"

#include "buf.h"
#include "pcloud/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B "arn:aws:s3:::photos"
#define ALL "\"" B "\",\"" B "/*\""

struct fact { /* "name=value"; several of one name are its values in order */
    const char *name, *value;
};

static const struct fact *facts;

static bool fact_value(void *arg, const char *name, size_t index, struct policy_text *ret)
{
    (void)arg;
    for (const struct fact *f = facts; f && f->name; f++)
        if (strcmp(f->name, name) == 0 && index-- == 0) {
            *ret = (struct policy_text){f->value, strlen(f->value)};
            return true;
        }
    return false;
}

static struct policy_request request(const char *action, const char *key)
{
    return (struct policy_request){.action = action,
                                   .bucket = "photos",
                                   .key = key,
                                   .key_len = key ? strlen(key) : 0,
                                   .user = "bob",
                                   .id = ID,
                                   .value = fact_value};
}

static struct policy *parse(const char *text)
{
    const char *why = NULL;
    struct policy *p = NULL;
    int rc = policy_parse(text, strlen(text), "photos", &p, &why);

    if (rc < 0)
        fail_msg("%s: %s", text, why ? why : pc_err_name(rc));
    return p;
}

/* One statement of that content. */
static struct policy *statement(const char *content)
{
    char text[4096];

    snprintf(text, sizeof text, "{\"Version\":\"2012-10-17\",\"Statement\":[{%s}]}", content);
    return parse(text);
}

static enum policy_effect ask(const char *content, const char *action, const char *key)
{
    struct policy *p = statement(content);
    struct policy_request r = request(action, key);
    enum policy_effect e = policy_evaluate(p, &r);

    policy_free(p);
    return e;
}

/* Does a condition hold, with these facts? */
static bool holds(const char *condition, const struct fact *with)
{
    char text[3072];
    enum policy_effect e;

    facts = with;
    snprintf(text, sizeof text,
             "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":[" ALL
             "],\"Condition\":{%s}",
             condition);
    e = ask(text, "s3:GetObject", "a");
    facts = NULL;
    return e == POLICY_ALLOW;
}

#define HOLDS(condition, ...) assert_true(holds(condition, (struct fact[]){__VA_ARGS__, {0}}))
#define HOLDS_NOT(condition, ...) assert_false(holds(condition, (struct fact[]){__VA_ARGS__, {0}}))
#define NOTHING                                                                                    \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }

static void refused_is(const char *text, int code, const char *words)
{
    const char *why = "";
    struct policy *p = NULL;
    int rc = policy_parse(text, strlen(text), "photos", &p, &why);

    if (rc == 0)
        fail_msg("taken: %s", text);
    assert_null(p);
    assert_int_equal(rc, code);
    if (code == PC_EFORMAT && !strstr(why, words))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, why, words);
}

static void refused_statement(const char *content, const char *words)
{
    char text[4096];

    snprintf(text, sizeof text, "{\"Statement\":{%s}}", content);
    refused_is(text, PC_EFORMAT, words);
    snprintf(text, sizeof text, "{\"Version\":\"2012-10-17\",\"Statement\":[{%s}]}", content);
    refused_is(text, PC_EFORMAT, words);
}

static void test_documents(void **state)
{
    (void)state;
    refused_is("", PC_EFORMAT, "JSON");
    refused_is("[]", PC_EFORMAT, "JSON");
    refused_is("true", PC_EFORMAT, "JSON");
    refused_is("{", PC_EFORMAT, "JSON");
    refused_is("{} x", PC_EFORMAT, "JSON");
    refused_is("{}", PC_EFORMAT, "Statement");
    refused_is("{\"Statement\":[]}", PC_EFORMAT, "Statement");
    refused_is("{\"Statement\":[1]}", PC_EFORMAT, "statement");
    refused_is("{\"Statement\":1}", PC_EFORMAT, "statement");
    refused_is("{\"Version\":\"2012-10-18\",\"Statement\":[]}", PC_EFORMAT, "version");
    refused_is("{\"Version\":2012,\"Statement\":[]}", PC_EFORMAT, "version");
    refused_is("{\"Id\":1,\"Statement\":[]}", PC_EFORMAT, "identifier");
    refused_is("{\"statement\":[]}", PC_EFORMAT, "Unknown field");
    refused_is("{\"Version\":\"2012-10-17\",\"Version\":\"2012-10-17\",\"Statement\":[]}",
               PC_EFORMAT, "JSON");
    refused_is("{\"Id\":\"a\\u0000b\",\"Statement\":[]}", PC_EFORMAT, "JSON");
    refused_is("{\"Id\":\"\xff\",\"Statement\":[]}", PC_EFORMAT, "JSON");
    refused_is("[[[[[[[[[[]]]]]]]]]]", PC_EFORMAT, "JSON");
    policy_free(parse("{\"Id\":\"[[[[[[[[[[[[\\\"{{{\",\"Statement\":{\"Sid\":\"a b\",\"Effect\":"
                      "\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":\"*\"}}"));
    policy_free(NULL);
}

#define EFFECT "\"Effect\":\"Allow\","
#define WHO "\"Principal\":\"*\","
#define WHAT "\"Action\":\"s3:GetObject\","
#define WHERE "\"Resource\":\"" B "/*\""

static void test_statements(void **state)
{
    (void)state;
    policy_free(statement(EFFECT WHO WHAT WHERE));
    refused_statement(WHO WHAT WHERE, "Effect");
    refused_statement("\"Effect\":\"allow\"," WHO WHAT WHERE, "effect");
    refused_statement("\"Effect\":1," WHO WHAT WHERE, "Effect");
    refused_statement(EFFECT WHAT WHERE, "Principal");
    refused_statement(EFFECT WHO "\"NotPrincipal\":\"*\"," WHAT WHERE, "Principal");
    refused_statement(EFFECT "\"NotPrincipal\":{\"AWS\":\"arn:aws:iam::x:root\"}," WHAT WHERE,
                      "NotPrincipal");
    refused_statement(EFFECT WHO WHERE, "Action");
    refused_statement(EFFECT WHO WHAT "\"NotAction\":\"s3:PutObject\"," WHERE, "Action");
    refused_statement(EFFECT WHO "\"Action\":\"s3:GetObjekt\"," WHERE, "action");
    refused_statement(EFFECT WHO "\"Action\":\"s3:Gett*\"," WHERE, "action");
    refused_statement(EFFECT WHO "\"Action\":\"ec2:*\"," WHERE, "action");
    refused_statement(EFFECT WHO "\"Action\":\"GetObject\"," WHERE, "action");
    refused_statement(EFFECT WHO "\"Action\":[]," WHERE, "empty");
    refused_statement(EFFECT WHO "\"Action\":[\"s3:*\",1]," WHERE, "string");
    refused_statement(EFFECT WHO "\"Action\":{}," WHERE, "string");
    refused_statement(EFFECT WHO WHAT "\"Sid\":\"x\"", "Resource");
    refused_statement(EFFECT WHO WHAT "\"Resource\":\"arn:aws:s3:::other/*\"", "resource");
    refused_statement(EFFECT WHO WHAT "\"Resource\":\"arn:aws:s3:::photo/*\"", "resource");
    refused_statement(EFFECT WHO WHAT "\"Resource\":\"arn:aws:s3:::photosx\"", "resource");
    refused_statement(EFFECT WHO WHAT "\"Resource\":\"photos/*\"", "resource");
    refused_statement(EFFECT WHO WHAT "\"Resource\":\"\"", "resource");
    refused_statement(EFFECT WHO WHAT WHERE ",\"Sid\":7", "identifier");
    refused_statement(EFFECT WHO WHAT WHERE ",\"Resources\":\"x\"", "Unknown");
    policy_free(statement(EFFECT WHO WHAT "\"Resource\":\"arn:aws:s3:::*/*\""));
    policy_free(statement(EFFECT WHO WHAT "\"Resource\":\"arn:aws:s3:::ph*\""));
    policy_free(statement(EFFECT WHO WHAT "\"Resource\":\"arn:aws:s3:::photos*x\""));
    policy_free(statement(EFFECT WHO WHAT "\"NotResource\":\"" B "/secret\""));
}

static void test_principals_refused(void **state)
{
    static const char *const bad[] = {"\"bob\"",
                                      "1",
                                      "{}",
                                      "[]",
                                      "{\"AWS\":[]}",
                                      "{\"AWS\":\"\"}",
                                      "{\"AWS\":\"bob\"}",
                                      "{\"AWS\":\"arn:aws:iam::1:*\"}",
                                      "{\"AWS\":\"arn:aws:iam::1:user/b*\"}",
                                      "{\"AWS\":\"arn:aws:iam::1:user/\"}",
                                      "{\"AWS\":\"arn:aws:iam::1:group/g\"}",
                                      "{\"AWS\":\"arn:aws:iam:::root\"}",
                                      "{\"AWS\":\"arn:aws:iam::1\"}",
                                      "{\"AWS\":\"arn:aws:s3:::photos\"}",
                                      "{\"CanonicalUser\":\"*\"}",
                                      "{\"CanonicalUser\":\"xyz\"}",
                                      "{\"Nobody\":\"1\"}",
                                      "{\"aws\":\"*\"}"};
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, EFFECT "\"Principal\":%s," WHAT WHERE, bad[i]);
        refused_statement(text, "");
    }
}

static enum policy_effect as(const char *principal, const char *user)
{
    char text[1024];
    struct policy *p;
    struct policy_request r = request("s3:GetObject", "a");
    enum policy_effect e;

    snprintf(text, sizeof text, "\"Effect\":\"Deny\",%s," WHAT WHERE, principal);
    p = statement(text);
    r.anonymous = !user;
    r.user = user;
    r.id = user && strcmp(user, "bob") == 0 ? ID : "77";
    e = policy_evaluate(p, &r);
    policy_free(p);
    return e;
}

static void test_principals(void **state)
{
    static const char *const bobs[] = {
        "\"Principal\":{\"AWS\":\"arn:aws:iam:::user/bob\"}",
        "\"Principal\":{\"AWS\":\"arn:aws:iam::123456789012:user/bob\"}",
        "\"Principal\":{\"AWS\":\"arn:aws:iam::bob:root\"}",
        "\"Principal\":{\"AWS\":\"arn:aws:iam::" ID ":root\"}",
        "\"Principal\":{\"AWS\":\"" ID "\"}",
        "\"Principal\":{\"CanonicalUser\":\"" ID "\"}",
        "\"Principal\":{\"AWS\":[\"arn:aws:iam:::user/al\",\"arn:aws:iam:::user/bob\"]}",
        "\"Principal\":{\"Service\":\"s3.amazonaws.com\",\"CanonicalUser\":\"" ID "\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof bobs / sizeof bobs[0]; i++) {
        assert_int_equal(as(bobs[i], "bob"), POLICY_DENY);
        assert_int_equal(as(bobs[i], "eve"), POLICY_SILENT);
        assert_int_equal(as(bobs[i], NULL), POLICY_SILENT);
    }
    assert_int_equal(as("\"Principal\":\"*\"", NULL), POLICY_DENY);
    assert_int_equal(as("\"Principal\":{\"AWS\":\"*\"}", NULL), POLICY_DENY);
    assert_int_equal(as("\"Principal\":{\"AWS\":[\"*\"]}", "eve"), POLICY_DENY);
    assert_int_equal(as("\"Principal\":{\"Service\":\"x\"}", "eve"), POLICY_SILENT);
    assert_int_equal(as("\"Principal\":{\"AWS\":\"arn:aws:iam::1:role/eve\"}", "eve"),
                     POLICY_SILENT);
    assert_int_equal(as("\"NotPrincipal\":{\"AWS\":\"arn:aws:iam:::user/bob\"}", "bob"),
                     POLICY_SILENT);
    assert_int_equal(as("\"NotPrincipal\":{\"AWS\":\"arn:aws:iam:::user/bob\"}", "eve"),
                     POLICY_DENY);
    assert_int_equal(as("\"NotPrincipal\":{\"AWS\":\"arn:aws:iam:::user/bob\"}", NULL),
                     POLICY_DENY);
}

static void test_actions(void **state)
{
    (void)state;
#define ACT(json, action) ask(EFFECT WHO json ",\"Resource\":[" ALL "]", action, "a")
    assert_int_equal(ACT("\"Action\":\"s3:GetObject\"", "s3:GetObject"), POLICY_ALLOW);
    assert_int_equal(ACT("\"Action\":\"S3:getobject\"", "s3:GetObject"), POLICY_ALLOW);
    assert_int_equal(ACT("\"Action\":\"s3:GetObject\"", "s3:GetObjectAcl"), POLICY_SILENT);
    assert_int_equal(ACT("\"Action\":\"s3:GetObject*\"", "s3:GetObjectAcl"), POLICY_ALLOW);
    assert_int_equal(ACT("\"Action\":\"s3:?etObject\"", "s3:GetObject"), POLICY_ALLOW);
    assert_int_equal(ACT("\"Action\":\"s3:*\"", "s3:DeleteObject"), POLICY_ALLOW);
    assert_int_equal(ACT("\"Action\":\"*\"", "s3:DeleteObject"), POLICY_ALLOW);
    assert_int_equal(ACT("\"Action\":[\"s3:PutObject\",\"s3:GetObject\"]", "s3:GetObject"),
                     POLICY_ALLOW);
    assert_int_equal(ACT("\"NotAction\":\"s3:Get*\"", "s3:GetObject"), POLICY_SILENT);
    assert_int_equal(ACT("\"NotAction\":\"s3:Get*\"", "s3:PutObject"), POLICY_ALLOW);
#undef ACT
}

static void test_resources(void **state)
{
    (void)state;
#define AT(json, key) ask(EFFECT WHO "\"Action\":\"*\"," json, "s3:GetObject", key)
    assert_int_equal(AT("\"Resource\":\"" B "/*\"", "a"), POLICY_ALLOW);
    assert_int_equal(AT("\"Resource\":\"" B "/*\"", "a/b/c"), POLICY_ALLOW);
    assert_int_equal(AT("\"Resource\":\"" B "/*\"", NULL), POLICY_SILENT);
    assert_int_equal(AT("\"Resource\":\"" B "\"", NULL), POLICY_ALLOW);
    assert_int_equal(AT("\"Resource\":\"" B "\"", "a"), POLICY_SILENT);
    assert_int_equal(AT("\"Resource\":\"" B "*\"", NULL), POLICY_ALLOW);
    assert_int_equal(AT("\"Resource\":\"" B "*\"", "a"), POLICY_ALLOW);
    assert_int_equal(AT("\"Resource\":\"*\"", "a"), POLICY_ALLOW);
    assert_int_equal(AT("\"Resource\":\"" B "/pub/*\"", "pub/a"), POLICY_ALLOW);
    assert_int_equal(AT("\"Resource\":\"" B "/pub/*\"", "pub"), POLICY_SILENT);
    assert_int_equal(AT("\"Resource\":\"" B "/pub/*\"", "Pub/a"), POLICY_SILENT);
    assert_int_equal(AT("\"Resource\":\"" B "/*.jpg\"", "x.png.jpg"), POLICY_ALLOW);
    assert_int_equal(AT("\"Resource\":\"" B "/?.jpg\"", "\xc3\xa4.jpg"), POLICY_ALLOW);
    assert_int_equal(AT("\"Resource\":\"" B "/?.jpg\"", "ab.jpg"), POLICY_SILENT);
    assert_int_equal(AT("\"Resource\":\"" B "/a*b*c\"", "aXbYbZc"), POLICY_ALLOW);
    assert_int_equal(AT("\"Resource\":\"" B "/a*b*c\"", "aXbYbZcd"), POLICY_SILENT);
    assert_int_equal(AT("\"NotResource\":\"" B "/s/*\"", "s/a"), POLICY_SILENT);
    assert_int_equal(AT("\"NotResource\":\"" B "/s/*\"", "a"), POLICY_ALLOW);
#undef AT
    assert_true(policy_glob("", "", 0));
    assert_false(policy_glob("", "a", 1));
    assert_true(policy_glob("**", "a", 1));
    assert_false(policy_glob("?", "", 0));
}

static void test_deny_first(void **state)
{
    struct policy *p = parse("{\"Statement\":["
                             "{" EFFECT WHO "\"Action\":\"s3:*\",\"Resource\":[" ALL "]},"
                             "{\"Effect\":\"Deny\"," WHO
                             "\"Action\":\"s3:Delete*\",\"Resource\":\"" B "/keep/*\"}]}");
    struct policy_request r = request("s3:DeleteObject", "keep/a");

    (void)state;
    assert_int_equal(policy_evaluate(p, &r), POLICY_DENY);
    r.action = "s3:GetObject";
    assert_int_equal(policy_evaluate(p, &r), POLICY_ALLOW);
    r.bucket = "music";
    assert_int_equal(policy_evaluate(p, &r), POLICY_SILENT);
    policy_free(p);
}

static void test_strings(void **state)
{
    (void)state;
    HOLDS("\"StringEquals\":{\"s3:prefix\":\"a\"}", {"s3:prefix", "a"});
    HOLDS("\"StringEquals\":{\"S3:Prefix\":[\"b\",\"a\"]}", {"s3:prefix", "a"});
    HOLDS_NOT("\"StringEquals\":{\"s3:prefix\":\"a\"}", {"s3:prefix", "A"});
    HOLDS_NOT("\"StringEquals\":{\"s3:prefix\":\"*\"}", {"s3:prefix", "A"});
    HOLDS("\"StringEquals\":{\"s3:prefix\":\"*\"}", {"s3:prefix", "*"});
    HOLDS_NOT("\"StringEquals\":{\"s3:prefix\":\"a\"}", NOTHING);
    HOLDS("\"StringEquals\":{\"s3:prefix\":\"\"}", {"s3:prefix", ""});
    HOLDS("\"StringNotEquals\":{\"s3:prefix\":\"a\"}", {"s3:prefix", "b"});
    HOLDS_NOT("\"StringNotEquals\":{\"s3:prefix\":[\"a\",\"b\"]}", {"s3:prefix", "b"});
    HOLDS("\"StringNotEquals\":{\"s3:prefix\":\"a\"}", NOTHING);
    HOLDS("\"StringEqualsIgnoreCase\":{\"aws:Referer\":\"AbC\"}", {"aws:referer", "aBc"});
    HOLDS_NOT("\"StringEqualsIgnoreCase\":{\"aws:Referer\":\"AbC\"}", {"aws:referer", "aBcd"});
    HOLDS_NOT("\"StringNotEqualsIgnoreCase\":{\"aws:Referer\":\"AbC\"}", {"aws:referer", "aBc"});
    HOLDS("\"StringLike\":{\"aws:Referer\":\"http://x/*\"}", {"aws:referer", "http://x/y"});
    HOLDS_NOT("\"StringLike\":{\"aws:Referer\":\"http://x/*\"}", {"aws:referer", "http://x"});
    HOLDS("\"StringNotLike\":{\"aws:Referer\":\"http://x/*\"}", {"aws:referer", "http://x"});
    HOLDS("\"StringLikeIfExists\":{\"aws:Referer\":\"http://x/*\"}", NOTHING);
    HOLDS_NOT("\"StringLikeIfExists\":{\"aws:Referer\":\"http://x/*\"}", {"aws:referer", "y"});
    HOLDS("\"StringEquals\":{\"s3:ExistingObjectTag/Team\":\"a\"}",
          {"s3:existingobjecttag/Team", "a"});
    HOLDS_NOT("\"StringEquals\":{\"s3:ExistingObjectTag/team\":\"a\"}",
              {"s3:existingobjecttag/Team", "a"});
    /* all of a block and all blocks must hold */
    HOLDS_NOT("\"StringEquals\":{\"s3:prefix\":\"a\",\"s3:delimiter\":\"/\"}", {"s3:prefix", "a"});
    HOLDS_NOT("\"StringEquals\":{\"s3:prefix\":\"a\"},\"Null\":{\"s3:prefix\":\"true\"}",
              {"s3:prefix", "a"});
    HOLDS("\"BinaryEquals\":{\"aws:userid\":\"QQ==\"}", {"aws:userid", "QQ=="});
}

static void test_numbers(void **state)
{
    (void)state;
    HOLDS("\"NumericEquals\":{\"s3:max-keys\":10}", {"s3:max-keys", "10"});
    HOLDS("\"NumericEquals\":{\"s3:max-keys\":\"10.0\"}", {"s3:max-keys", "10"});
    HOLDS_NOT("\"NumericNotEquals\":{\"s3:max-keys\":\"10\"}", {"s3:max-keys", "10"});
    HOLDS("\"NumericLessThan\":{\"s3:max-keys\":\"10\"}", {"s3:max-keys", "9"});
    HOLDS_NOT("\"NumericLessThan\":{\"s3:max-keys\":\"10\"}", {"s3:max-keys", "10"});
    HOLDS("\"NumericLessThanEquals\":{\"s3:max-keys\":\"10\"}", {"s3:max-keys", "10"});
    HOLDS_NOT("\"NumericGreaterThan\":{\"s3:max-keys\":\"10\"}", {"s3:max-keys", "10"});
    HOLDS("\"NumericGreaterThanEquals\":{\"s3:max-keys\":\"-1.5\"}", {"s3:max-keys", "-1.5"});
    HOLDS_NOT("\"NumericLessThan\":{\"s3:max-keys\":\"10\"}", {"s3:max-keys", "nine"});
    HOLDS_NOT("\"NumericLessThan\":{\"s3:max-keys\":\"10\"}", NOTHING);
    HOLDS("\"NumericLessThanIfExists\":{\"s3:max-keys\":\"10\"}", NOTHING);
}

static void test_dates(void **state)
{
    (void)state;
#define NOW {"aws:currenttime", "2026-11-21T16:00:00Z"}
    HOLDS("\"DateLessThan\":{\"aws:CurrentTime\":\"2027-01-01T00:00:00Z\"}", NOW);
    HOLDS("\"DateGreaterThan\":{\"aws:CurrentTime\":\"2026-11-21\"}", NOW);
    HOLDS("\"DateEquals\":{\"aws:CurrentTime\":\"2026-11-21T17:00:00+01:00\"}", NOW);
    HOLDS("\"DateEquals\":{\"aws:CurrentTime\":\"2026-11-21T10:30:00-0530\"}", NOW);
    HOLDS("\"DateEquals\":{\"aws:CurrentTime\":\"1795276800\"}", NOW);
    HOLDS("\"DateEquals\":{\"aws:CurrentTime\":1795276800}", NOW);
    HOLDS("\"DateLessThan\":{\"aws:CurrentTime\":\"2026-11-21T16:00:00.5Z\"}", NOW);
    HOLDS_NOT("\"DateLessThanEquals\":{\"aws:CurrentTime\":\"2026-11-21T15:59Z\"}", NOW);
    HOLDS("\"DateGreaterThanEquals\":{\"aws:CurrentTime\":\"2026-11-21T16:00\"}", NOW);
    HOLDS_NOT("\"DateNotEquals\":{\"aws:CurrentTime\":\"2026-11-21T16:00:00Z\"}", NOW);
    HOLDS("\"NumericLessThan\":{\"aws:EpochTime\":\"1800000000\"}",
          {"aws:epochtime", "1795276800"});
#undef NOW
}

static void test_bool_null(void **state)
{
    (void)state;
    HOLDS("\"Bool\":{\"aws:SecureTransport\":\"false\"}", {"aws:securetransport", "false"});
    HOLDS("\"Bool\":{\"aws:SecureTransport\":false}", {"aws:securetransport", "false"});
    HOLDS("\"Bool\":{\"aws:SecureTransport\":\"TRUE\"}", {"aws:securetransport", "true"});
    HOLDS_NOT("\"Bool\":{\"aws:SecureTransport\":\"true\"}", {"aws:securetransport", "false"});
    HOLDS_NOT("\"Bool\":{\"aws:MultiFactorAuthPresent\":\"true\"}", NOTHING);
    HOLDS("\"BoolIfExists\":{\"aws:MultiFactorAuthPresent\":\"true\"}", NOTHING);
    HOLDS("\"Null\":{\"s3:x-amz-acl\":\"true\"}", NOTHING);
    HOLDS("\"Null\":{\"s3:x-amz-acl\":true}", NOTHING);
    HOLDS_NOT("\"Null\":{\"s3:x-amz-acl\":\"false\"}", NOTHING);
    HOLDS("\"Null\":{\"s3:x-amz-acl\":\"false\"}", {"s3:x-amz-acl", "private"});
    HOLDS_NOT("\"Null\":{\"s3:x-amz-acl\":\"true\"}", {"s3:x-amz-acl", "private"});
}

static void test_addresses(void **state)
{
    (void)state;
#define FROM(a) {"aws:sourceip", a}
    HOLDS("\"IpAddress\":{\"aws:SourceIp\":\"10.1.0.0/16\"}", FROM("10.1.255.1"));
    HOLDS_NOT("\"IpAddress\":{\"aws:SourceIp\":\"10.1.0.0/16\"}", FROM("10.2.0.1"));
    HOLDS("\"IpAddress\":{\"aws:SourceIp\":\"10.1.2.3\"}", FROM("10.1.2.3"));
    HOLDS("\"IpAddress\":{\"aws:SourceIp\":\"0.0.0.0/0\"}", FROM("10.1.2.3"));
    HOLDS_NOT("\"IpAddress\":{\"aws:SourceIp\":\"0.0.0.0/0\"}", FROM("2001:db8::1"));
    HOLDS("\"IpAddress\":{\"aws:SourceIp\":\"10.1.2.128/25\"}", FROM("10.1.2.200"));
    HOLDS_NOT("\"IpAddress\":{\"aws:SourceIp\":\"10.1.2.128/25\"}", FROM("10.1.2.100"));
    HOLDS("\"IpAddress\":{\"aws:SourceIp\":\"2001:db8::/33\"}", FROM("2001:db8:7fff::1"));
    HOLDS_NOT("\"IpAddress\":{\"aws:SourceIp\":\"2001:db8::/33\"}", FROM("2001:db8:8000::1"));
    HOLDS("\"IpAddress\":{\"aws:SourceIp\":\"10.1.2.3\"}", FROM("::ffff:10.1.2.3"));
    HOLDS("\"IpAddress\":{\"aws:SourceIp\":[\"1.1.1.1\",\"::/0\"]}", FROM("10.1.2.3"));
    HOLDS_NOT("\"NotIpAddress\":{\"aws:SourceIp\":[\"1.1.1.1\",\"10.0.0.0/8\"]}", FROM("10.1.2.3"));
    HOLDS("\"NotIpAddress\":{\"aws:SourceIp\":\"1.1.1.1\"}", FROM("10.1.2.3"));
    HOLDS_NOT("\"IpAddress\":{\"aws:SourceIp\":\"10.1.2.3\"}", FROM("nowhere"));
#undef FROM
}

static void test_arns(void **state)
{
    (void)state;
#define SRC {"aws:principalarn", "arn:aws:iam::bob:user/bob"}
    HOLDS("\"ArnEquals\":{\"aws:PrincipalArn\":\"arn:aws:iam::bob:user/*\"}", SRC);
    HOLDS("\"ArnLike\":{\"aws:PrincipalArn\":\"arn:*:iam::*:user/bob\"}", SRC);
    HOLDS_NOT("\"ArnLike\":{\"aws:PrincipalArn\":\"arn:*\"}", SRC);
    HOLDS_NOT("\"ArnLike\":{\"aws:PrincipalArn\":\"arn:aws:*:user/bob\"}", SRC);
    HOLDS_NOT("\"ArnNotLike\":{\"aws:PrincipalArn\":\"arn:aws:iam::bob:user/bob\"}", SRC);
    HOLDS("\"ArnNotEquals\":{\"aws:PrincipalArn\":\"arn:aws:iam::bob:user/eve\"}", SRC);
#undef SRC
}

static void test_sets(void **state)
{
#define TAGS(a, b) {"s3:requestobjecttagkeys", a}, {"s3:requestobjecttagkeys", b}
#define KEYS "{\"s3:RequestObjectTagKeys\":[\"a\",\"b\"]}"
    (void)state;
    HOLDS("\"ForAllValues:StringEquals\":" KEYS, TAGS("a", "b"));
    HOLDS_NOT("\"ForAllValues:StringEquals\":" KEYS, TAGS("a", "c"));
    HOLDS("\"ForAllValues:StringEquals\":" KEYS, NOTHING);
    HOLDS("\"ForAnyValue:StringEquals\":" KEYS, TAGS("a", "c"));
    HOLDS_NOT("\"ForAnyValue:StringEquals\":" KEYS, TAGS("c", "d"));
    HOLDS_NOT("\"ForAnyValue:StringEquals\":" KEYS, NOTHING);
    HOLDS_NOT("\"ForAnyValue:StringNotEquals\":" KEYS, NOTHING);
    HOLDS("\"ForAnyValue:StringNotEquals\":" KEYS, TAGS("a", "c"));
    HOLDS_NOT("\"ForAnyValue:StringNotEquals\":" KEYS, TAGS("a", "b"));
    HOLDS("\"ForAllValues:StringNotEquals\":" KEYS, TAGS("c", "d"));
    HOLDS_NOT("\"ForAllValues:StringNotEquals\":" KEYS, TAGS("a", "d"));
    HOLDS("\"ForAnyValue:StringEqualsIfExists\":" KEYS, NOTHING);
    HOLDS("\"StringEquals\":" KEYS, TAGS("c", "b"));
    HOLDS_NOT("\"StringNotEquals\":" KEYS, TAGS("c", "b"));
#undef TAGS
#undef KEYS
}

static void test_conditions_refused(void **state)
{
    static const char *const bad[] = {
        "1",
        "{\"StringEqual\":{\"s3:prefix\":\"a\"}}",
        "{\"stringequals\":{\"s3:prefix\":\"a\"}}",
        "{\"NullIfExists\":{\"s3:prefix\":\"true\"}}",
        "{\"ForAnyValue:Null\":{\"s3:prefix\":\"true\"}}",
        "{\"StringEquals\":{}}",
        "{\"StringEquals\":[]}",
        "{\"StringEquals\":{\"s3:prefix\":[]}}",
        "{\"StringEquals\":{\"s3:prefix\":{}}}",
        "{\"StringEquals\":{\"s3:prefix\":null}}",
        "{\"StringEquals\":{\"prefix\":\"a\"}}",
        "{\"StringEquals\":{\"s3:prefixes\":\"a\"}}",
        "{\"StringEquals\":{\"s3:ExistingObjectTag/\":\"a\"}}",
        "{\"StringEquals\":{\"ec2:Region\":\"a\"}}",
        "{\"NumericEquals\":{\"s3:max-keys\":\"ten\"}}",
        "{\"NumericEquals\":{\"s3:max-keys\":\"\"}}",
        "{\"DateEquals\":{\"aws:CurrentTime\":\"tomorrow\"}}",
        "{\"DateEquals\":{\"aws:CurrentTime\":\"2026-11-21X\"}}",
        "{\"DateEquals\":{\"aws:CurrentTime\":\"2026-11-21T10:00:00+99:00\"}}",
        "{\"Bool\":{\"aws:SecureTransport\":\"yes\"}}",
        "{\"Null\":{\"s3:prefix\":\"\"}}",
        "{\"IpAddress\":{\"aws:SourceIp\":\"10.0.0\"}}",
        "{\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/33\"}}",
        "{\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/\"}}",
        "{\"IpAddress\":{\"aws:SourceIp\":\"::/129\"}}",
    };
    char text[1024];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, EFFECT WHO WHAT WHERE ",\"Condition\":%s", bad[i]);
        refused_statement(text, "");
    }
}

static void test_variables(void **state)
{
    static const struct fact bob[] = {{"aws:username", "bob"}, {"s3:prefix", "home/bob/"}, {0}};
    static const struct fact star[] = {{"aws:username", "*"}, {"s3:prefix", "home/bob/"}, {0}};
    static const struct fact odd[] = {{"aws:username", "\xff"}, {"s3:prefix", "home/bob/"}, {0}};
    const char *home = "\"StringLike\":{\"s3:prefix\":\"home/${aws:username}/*\"}";
    struct policy *p;
    struct policy_request r = request("s3:GetObject", "home/bob/a");

    (void)state;
    assert_true(holds(home, bob));
    assert_false(holds(home, star)); /* a value's star is a star */
    assert_false(holds(home, odd));
    assert_false(holds(home, (struct fact[]){{"s3:prefix", "home//"}, {0}}));
    assert_true(holds("\"StringEquals\":{\"s3:prefix\":\"${aws:username, 'all'}/\"}",
                      (struct fact[]){{"s3:prefix", "all/"}, {0}}));
    assert_true(holds("\"StringLike\":{\"s3:prefix\":\"${*}${?}${$}*\"}",
                      (struct fact[]){{"s3:prefix", "*?$x"}, {0}}));
    assert_false(
        holds("\"StringLike\":{\"s3:prefix\":\"${*}\"}", (struct fact[]){{"s3:prefix", "x"}, {0}}));
    p = statement(EFFECT WHO WHAT "\"Resource\":\"" B "/home/${aws:UserName}/*\"");
    assert_int_equal(policy_evaluate(p, &r), POLICY_SILENT); /* nobody by name */
    facts = bob;
    assert_int_equal(policy_evaluate(p, &r), POLICY_ALLOW);
    facts = star;
    assert_int_equal(policy_evaluate(p, &r), POLICY_SILENT);
    policy_free(p);
    /* the older version has none */
    facts = bob;
    p = parse("{\"Statement\":{" EFFECT WHO WHAT "\"Resource\":\"" B "/home/${aws:username}/*\"}}");
    assert_int_equal(policy_evaluate(p, &r), POLICY_SILENT);
    policy_free(p);
    facts = NULL;
    refused_is("{\"Version\":\"2012-10-17\",\"Statement\":{" EFFECT WHO WHAT "\"Resource\":\"" B
               "/${aws:username\"}}",
               PC_EFORMAT, "resource");
    refused_is("{\"Version\":\"2012-10-17\",\"Statement\":{" EFFECT WHO WHAT "\"Resource\":\"" B
               "/${aws:nobody}\"}}",
               PC_EFORMAT, "resource");
}

/* What is too long to be decided is denied. */
static void test_too_long(void **state)
{
    char *agent = malloc(POLICY_PATTERN_MAX + 2);

    (void)state;
    assert_non_null(agent);
    memset(agent, 'a', POLICY_PATTERN_MAX + 1);
    agent[POLICY_PATTERN_MAX + 1] = '\0';
    facts = (struct fact[]){{"aws:useragent", agent}, {"s3:prefix", "x"}, {0}};
    assert_int_equal(ask(EFFECT WHO WHAT WHERE
                         ",\"Condition\":{\"StringEquals\":{\"s3:prefix\":\"${aws:UserAgent}\"}}",
                         "s3:GetObject", "a"),
                     POLICY_DENY);
    facts = NULL;
    free(agent);
}

static void test_caps(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    while (b.len <= POLICY_MAX)
        buf_char(&b, ' ');
    refused_is(b.data, PC_ELIMIT, "");
    buf_reset(&b);
    buf_str(&b, "{\"Statement\":[1");
    for (int i = 0; i < POLICY_STATEMENTS_MAX; i++)
        buf_str(&b, ",1");
    buf_str(&b, "]}");
    refused_is(b.data, PC_ELIMIT, "");
    buf_reset(&b);
    buf_str(&b, "{\"Statement\":{" EFFECT WHO WHAT "\"Resource\":[\"*\"");
    for (int i = 0; i < POLICY_LIST_MAX; i++)
        buf_str(&b, ",\"*\"");
    buf_str(&b, "]}}");
    refused_is(b.data, PC_ELIMIT, "");
    buf_reset(&b);
    buf_str(&b, "{\"Statement\":{" EFFECT WHO WHAT "\"Resource\":\"" B "/");
    for (int i = 0; i < POLICY_TEXT_MAX; i++)
        buf_char(&b, 'x');
    buf_str(&b, "\"}}");
    refused_is(b.data, PC_ELIMIT, "");
    buf_fini(&b);
}

static bool is_public(const char *content)
{
    struct policy *p = statement(content);
    bool yes = policy_is_public(p);

    policy_free(p);
    return yes;
}

static void test_public(void **state)
{
    (void)state;
#define WITH(condition) is_public(EFFECT WHO WHAT WHERE ",\"Condition\":{" condition "}")
    assert_true(is_public(EFFECT WHO WHAT WHERE));
    assert_true(is_public(EFFECT "\"Principal\":{\"AWS\":[\"" ID "\",\"*\"]}," WHAT WHERE));
    assert_false(is_public("\"Effect\":\"Deny\"," WHO WHAT WHERE));
    assert_false(is_public(EFFECT "\"Principal\":{\"AWS\":\"" ID "\"}," WHAT WHERE));
    assert_false(WITH("\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/32\"}"));
    assert_false(WITH("\"IpAddress\":{\"aws:SourceIp\":[\"10.0.0.0/8\",\"192.168.0.0/16\"]}"));
    assert_true(WITH("\"IpAddress\":{\"aws:SourceIp\":\"0.0.0.0/1\"}"));
    assert_true(WITH("\"IpAddress\":{\"aws:SourceIp\":[\"10.0.0.1\",\"0.0.0.0/0\"]}"));
    assert_true(WITH("\"NotIpAddress\":{\"aws:SourceIp\":\"10.0.0.1\"}"));
    assert_true(WITH("\"IpAddressIfExists\":{\"aws:SourceIp\":\"10.0.0.1\"}"));
    assert_true(WITH("\"StringEquals\":{\"aws:Referer\":\"http://x\"}"));
    assert_true(WITH("\"Bool\":{\"aws:SecureTransport\":\"true\"}"));
    assert_false(WITH("\"StringEquals\":{\"aws:SourceVpc\":\"vpc-1\"}"));
    assert_true(WITH("\"StringLike\":{\"aws:SourceVpc\":\"vpc-*\"}"));
    assert_true(WITH("\"StringNotEquals\":{\"aws:SourceVpc\":\"vpc-1\"}"));
    assert_true(WITH("\"ForAllValues:StringEquals\":{\"aws:SourceVpc\":\"vpc-1\"}"));
    assert_false(WITH("\"ArnEquals\":{\"aws:PrincipalArn\":\"arn:aws:iam::1:user/bob\"}"));
    assert_true(WITH("\"StringEquals\":{\"aws:SourceVpc\":\"${aws:SourceVpc}\"}"));
#undef WITH
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_statements),
        cmocka_unit_test(test_principals_refused),
        cmocka_unit_test(test_principals),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_resources),
        cmocka_unit_test(test_deny_first),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_bool_null),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_arns),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_conditions_refused),
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_public),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
