/* SPDX-License-Identifier: Apache-2.0 */
/* The policy document of a form, held against its fields. */
#include "form/form_policy.h"

#include "pcloud/err.h"
#include "s3/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct check {
    const char *bucket;
    const struct form_field *fields;
    size_t n;
    bool covered[FORM_FIELDS_MAX];
    struct form_limits *limits;
    char *message;
};

static int fault(struct check *c, int code, const char *what, const char *name)
{
    snprintf(c->message, 256, "%s%.120s", what, name);
    return code;
}

static int refused(struct check *c, const char *op, const char *name, const char *value)
{
    snprintf(c->message, 256,
             "Invalid according to Policy: Policy Condition failed: [\"%s\", \"$%.60s\", "
             "\"%.100s\"]",
             op, name, value);
    return S3_EACCESS;
}

/* The field of that name, marked as one that the policy speaks of; "" if there is none. */
static const char *value_of(struct check *c, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < c->n; i++)
        if (strcasecmp(c->fields[i].name, name) == 0) {
            c->covered[i] = true;
            value = value ? value : c->fields[i].value;
        }
    if (strcasecmp(name, "bucket") == 0)
        return c->bucket;
    return value ? value : "";
}

static int check_equal(struct check *c, const char *name, const json_t *want)
{
    const char *text = json_string_value(want);

    if (!text)
        return fault(c, S3_EFORMPOLICY, "Invalid Policy: Invalid Simple-Condition: ", name);
    return strcmp(value_of(c, name), text) == 0 ? 0 : refused(c, "eq", name, text);
}

static int check_starts(struct check *c, const char *name, const json_t *want)
{
    const char *text = json_string_value(want);

    if (!text)
        return fault(c, S3_EFORMPOLICY, "Invalid Policy: Invalid Condition: ", name);
    return strncmp(value_of(c, name), text, strlen(text)) == 0
               ? 0
               : refused(c, "starts-with", name, text);
}

static bool size_of(const json_t *j, uint64_t *ret)
{
    const char *text = json_string_value(j);
    unsigned long long v;
    char rest;

    if (json_is_integer(j) && json_integer_value(j) >= 0)
        return *ret = (uint64_t)json_integer_value(j), true;
    if (!text || *text < '0' || *text > '9' || sscanf(text, "%19llu%c", &v, &rest) != 1)
        return false;
    return *ret = v, true;
}

static int check_range(struct check *c, const json_t *condition)
{
    struct form_limits l;

    if (json_array_size(condition) != 3 || !size_of(json_array_get(condition, 1), &l.min) ||
        !size_of(json_array_get(condition, 2), &l.max) || l.min > l.max)
        return fault(c, S3_EFORMPOLICY, "Invalid Policy: Invalid content-length-range: ",
                     "it needs a minimum and a maximum");
    c->limits->min = l.min > c->limits->min ? l.min : c->limits->min;
    c->limits->max = l.max < c->limits->max ? l.max : c->limits->max;
    return 0;
}

static int check_list(struct check *c, const json_t *condition)
{
    const char *op = json_string_value(json_array_get(condition, 0)),
               *name = json_string_value(json_array_get(condition, 1));
    const json_t *want = json_array_get(condition, 2);

    if (op && strcasecmp(op, "content-length-range") == 0)
        return check_range(c, condition);
    if (!op || !name || *name != '$' || json_array_size(condition) != 3)
        return fault(c, S3_EFORMPOLICY, "Invalid Policy: Invalid Condition: ", op ? op : "");
    if (strcasecmp(op, "eq") == 0)
        return check_equal(c, name + 1, want);
    if (strcasecmp(op, "starts-with") == 0)
        return check_starts(c, name + 1, want);
    return fault(c, S3_EFORMPOLICY, "Invalid Policy: Invalid Condition: unknown operation: ", op);
}

static int check_condition(struct check *c, json_t *condition)
{
    void *i;

    if (json_is_array(condition))
        return check_list(c, condition);
    if (!json_is_object(condition) || json_object_size(condition) != 1)
        return fault(c, S3_EFORMPOLICY,
                     "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have "
                     "exactly one property specified.",
                     "");
    i = json_object_iter(condition);
    return check_equal(c, json_object_iter_key(i), json_object_iter_value(i));
}

/* "2007-12-01T12:00:00.000Z" */
static int check_expiration(struct check *c, const json_t *expiration, time_t now)
{
    const char *text = json_string_value(expiration), *end;
    struct tm tm = {0};

    if (!text)
        return fault(c, S3_EFORMPOLICY, "Invalid Policy: Policy missing expiration.", "");
    end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (end && *end == '.')
        end += 1 + strspn(end + 1, "0123456789");
    if (!end || strcmp(end, "Z") != 0)
        return fault(c, S3_EFORMPOLICY, "Invalid Policy: Invalid 'expiration' value: ", text);
    return timegm(&tm) < now
               ? fault(c, S3_EACCESS, "Invalid according to Policy: Policy expired.", "")
               : 0;
}

/* Fields of which the policy need not speak. */
static bool is_free(const char *name)
{
    static const char *const names[] = {"AWSAccessKeyId", "bucket",    "file",
                                        "policy",         "signature", "x-amz-signature"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return strncasecmp(name, "x-ignore-", 9) == 0 || strncasecmp(name, "x-amz-checksum-", 15) == 0;
}

static int check_all(struct check *c, const json_t *root, time_t now)
{
    const json_t *conditions = json_object_get(root, "conditions");
    int rc = check_expiration(c, json_object_get(root, "expiration"), now);

    if (rc < 0)
        return rc;
    if (!json_is_array(conditions))
        return fault(c, S3_EFORMPOLICY, "Invalid Policy: Policy missing conditions.", "");
    for (size_t i = 0; i < json_array_size(conditions); i++) {
        rc = check_condition(c, json_array_get(conditions, i));
        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; i < c->n; i++)
        if (!c->covered[i] && !is_free(c->fields[i].name))
            return fault(c, S3_EACCESS,
                         "Invalid according to Policy: Extra input fields: ", c->fields[i].name);
    return 0;
}

int form_policy_check(const char *json, size_t len, time_t now, const char *bucket,
                      const struct form_field *fields, size_t n, struct form_limits *ret,
                      char message[256])
{
    struct check c = {
        .bucket = bucket, .fields = fields, .n = n, .limits = ret, .message = message};
    json_error_t error;
    json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);
    int rc;

    *ret = (struct form_limits){0, UINT64_MAX};
    if (n > FORM_FIELDS_MAX || !json_is_object(root))
        rc = fault(&c, S3_EFORMPOLICY, "Invalid Policy: Invalid JSON.", "");
    else
        rc = check_all(&c, root, now);
    json_decref(root);
    return rc;
}
