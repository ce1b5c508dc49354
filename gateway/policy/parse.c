/* SPDX-License-Identifier: Apache-2.0 */
/* From a JSON document to a policy, refusing what S3 refuses. */
#include "policy/policy_priv.h"

#include "pcloud/err.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARN "arn:aws:s3:::"

struct reader {
    struct policy *policy;
    const char *bucket;
    const char *why; /* set with PC_EFORMAT */
};

static int refuse(struct reader *rd, const char *why)
{
    rd->why = why;
    return PC_EFORMAT;
}

static void list_free(struct list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->items[i]);
    free(l->items);
}

/* An entry as a string: numbers and truth values are written as JSON does. */
static int entry_text(struct reader *rd, const json_t *j, char **ret)
{
    char number[64];
    const char *text = number;

    if (json_is_string(j))
        text = json_string_value(j);
    else if (json_is_integer(j))
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(j));
    else if (json_is_real(j))
        snprintf(number, sizeof number, "%.15g", json_real_value(j));
    else if (json_is_boolean(j))
        text = json_is_true(j) ? "true" : "false";
    else
        return refuse(rd, "Policies must be valid JSON and the values strings");
    if (strlen(text) > POLICY_TEXT_MAX)
        return PC_ELIMIT;
    *ret = strdup(text);
    return *ret ? 0 : -ENOMEM;
}

enum plain { PLAIN_STRINGS, PLAIN_SCALARS };

/* One entry or an array of them; each a string, with PLAIN_SCALARS also a number or a truth value. */
static int read_list(struct reader *rd, const json_t *j, enum plain plain, struct list *l)
{
    size_t n = json_is_array(j) ? json_array_size(j) : 1;

    if (n == 0)
        return refuse(rd, "A list of the policy is empty");
    if (n > POLICY_LIST_MAX)
        return PC_ELIMIT;
    l->items = calloc(n, sizeof *l->items);
    if (!l->items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const json_t *entry = json_is_array(j) ? json_array_get(j, i) : j;
        int rc;

        if (plain == PLAIN_STRINGS && !json_is_string(entry))
            return refuse(rd, "An element of the policy must be a string or a list of strings");
        rc = entry_text(rd, entry, &l->items[i]);
        if (rc < 0)
            return rc;
        l->count++;
    }
    return 0;
}

static bool all_of(const char *text, const char *set)
{
    return *text && strspn(text, set) == strlen(text);
}

/* "arn:aws:iam::ACCOUNT:root", "arn:aws:iam::ACCOUNT:user/NAME"; what else there is nobody here is. */
static int read_arn(struct reader *rd, const char *arn, struct principal *p)
{
    static const char iam[] = "arn:aws:iam::", sts[] = "arn:aws:sts::";
    const char *account = arn + sizeof iam - 1, *what;

    if (strncmp(arn, iam, sizeof iam - 1) != 0) {
        p->kind = PRINCIPAL_NEVER;
        return strncmp(arn, sts, sizeof sts - 1) == 0 ? 0
                                                      : refuse(rd, "Invalid principal in policy");
    }
    what = strchr(account, ':');
    if (!what || !what[1])
        return refuse(rd, "Invalid principal in policy");
    p->kind = PRINCIPAL_USER;
    if (strncmp(what + 1, "user/", 5) == 0 && what[6])
        p->text = strdup(what + 6);
    else if (strcmp(what + 1, "root") == 0 && what > account)
        p->text = strndup(account, (size_t)(what - account));
    else if (strncmp(what + 1, "role/", 5) == 0 && what[6])
        p->kind = PRINCIPAL_NEVER;
    else
        return refuse(rd, "Invalid principal in policy");
    return p->kind == PRINCIPAL_USER && !p->text ? -ENOMEM : 0;
}

static int read_principal(struct reader *rd, const char *kind, const char *text,
                          struct principal *p)
{
    if (strcmp(kind, "AWS") == 0 && strcmp(text, "*") == 0) {
        p->kind = PRINCIPAL_ANY;
        return 0;
    }
    if (*text == '\0' || strpbrk(text, "*?"))
        return refuse(rd, "Invalid principal in policy");
    if (strcmp(kind, "AWS") == 0 && strncmp(text, "arn:", 4) == 0)
        return read_arn(rd, text, p);
    if (strcmp(kind, "AWS") == 0 || strcmp(kind, "CanonicalUser") == 0) {
        if (!all_of(text, "0123456789abcdefABCDEF"))
            return refuse(rd, "Invalid principal in policy");
        p->kind = PRINCIPAL_USER;
        p->text = strdup(text);
        return p->text ? 0 : -ENOMEM;
    }
    if (strcmp(kind, "Service") != 0 && strcmp(kind, "Federated") != 0)
        return refuse(rd, "Invalid principal in policy");
    p->kind = PRINCIPAL_NEVER;
    return 0;
}

static int add_principals(struct reader *rd, const char *kind, const json_t *j,
                          struct statement *st)
{
    struct list l = {NULL, 0};
    struct principal *grown;
    int rc = read_list(rd, j, PLAIN_STRINGS, &l);

    if (rc == 0) {
        grown = realloc(st->principals, (st->principal_count + l.count) * sizeof *grown);
        if (grown)
            st->principals = grown;
        else
            rc = -ENOMEM;
    }
    for (size_t i = 0; rc == 0 && i < l.count; i++) {
        struct principal *p = &st->principals[st->principal_count];

        *p = (struct principal){PRINCIPAL_NEVER, NULL};
        rc = read_principal(rd, kind, l.items[i], p);
        if (rc == 0)
            st->principal_count++;
    }
    list_free(&l);
    return rc;
}

static int read_principals(struct reader *rd, const json_t *j, struct statement *st)
{
    const char *kind;
    json_t *value;
    int rc = 0;

    if (json_is_string(j))
        return strcmp(json_string_value(j), "*") == 0 ? add_principals(rd, "AWS", j, st)
                                                      : refuse(rd, "Invalid principal in policy");
    if (!json_is_object(j) || json_object_size(j) == 0)
        return refuse(rd, "Invalid principal in policy");
    json_object_foreach((json_t *)j, kind, value) if (rc == 0) rc =
        add_principals(rd, kind, value, st);
    return rc;
}

static int read_actions(struct reader *rd, const json_t *j, struct statement *st)
{
    int rc = read_list(rd, j, PLAIN_STRINGS, &st->actions);

    for (size_t i = 0; rc == 0 && i < st->actions.count; i++) {
        for (char *c = st->actions.items[i]; *c; c++)
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c + 32);
        if (!name_is_action(st->actions.items[i]))
            rc = refuse(rd, "Policy has invalid action");
    }
    return rc;
}

/* Can the pattern name this bucket or something in it? */
static bool names_bucket(const struct reader *rd, const char *text)
{
    char bucket[POLICY_TEXT_MAX + 1];
    size_t len;

    if (strcmp(text, "*") == 0)
        return true;
    if (strncmp(text, ARN, sizeof ARN - 1) != 0)
        return false;
    text += sizeof ARN - 1;
    len = strcspn(text, "/");
    memcpy(bucket, text, len);
    bucket[len] = '\0';
    if (rd->policy->variables && strstr(bucket, "${"))
        return true;
    if (policy_glob(bucket, rd->bucket, strlen(rd->bucket)))
        return true;
    /* "bucket*" without a slash: the star may stand for more than the name */
    return text[len] == '\0' && strchr(bucket, '*') &&
           strncmp(bucket, rd->bucket, strcspn(bucket, "*?")) == 0;
}

static int read_resources(struct reader *rd, const json_t *j, struct statement *st)
{
    int rc = read_list(rd, j, PLAIN_STRINGS, &st->resources);

    for (size_t i = 0; rc == 0 && i < st->resources.count; i++) {
        const char *text = st->resources.items[i];

        if (!names_bucket(rd, text) || (rd->policy->variables && !pattern_check(text)))
            rc = refuse(rd, "Policy has invalid resource");
    }
    return rc;
}

static int read_condition(struct reader *rd, const char *op, const char *key, const json_t *values,
                          struct condition *c)
{
    int rc;

    if (!condition_op(op, c))
        return refuse(rd, "Invalid Condition type");
    if (strlen(key) > POLICY_TEXT_MAX)
        return PC_ELIMIT;
    c->key = strdup(key);
    if (!c->key)
        return -ENOMEM;
    name_lower(c->key);
    if (!name_is_key(c->key))
        return refuse(rd, "Policy has an invalid condition key");
    rc = read_list(rd, values, PLAIN_SCALARS, &c->values);
    for (size_t i = 0; rc == 0 && i < c->values.count; i++)
        if (!condition_value_ok(c, c->values.items[i]) ||
            (rd->policy->variables && !pattern_check(c->values.items[i])))
            rc = refuse(rd, "Policy has an invalid condition value");
    return rc;
}

static int read_operator(struct reader *rd, const char *op, const json_t *keys,
                         struct statement *st)
{
    struct condition *grown;
    const char *key;
    json_t *values;
    int rc = 0;

    if (!json_is_object(keys) || json_object_size(keys) == 0)
        return refuse(rd, "Conditions must be an object of keys and values");
    if (json_object_size(keys) > POLICY_LIST_MAX)
        return PC_ELIMIT;
    grown = realloc(st->conditions, (st->condition_count + json_object_size(keys)) * sizeof *grown);
    if (!grown)
        return -ENOMEM;
    st->conditions = grown;
    json_object_foreach((json_t *)keys, key, values)
    {
        if (rc < 0)
            break;
        st->conditions[st->condition_count] = (struct condition){.op = NULL};
        rc = read_condition(rd, op, key, values, &st->conditions[st->condition_count++]);
    }
    return rc;
}

static int read_conditions(struct reader *rd, const json_t *j, struct statement *st)
{
    const char *op;
    json_t *keys;
    int rc = 0;

    if (!json_is_object(j))
        return refuse(rd, "Conditions must be an object");
    json_object_foreach((json_t *)j, op, keys) if (rc == 0) rc = read_operator(rd, op, keys, st);
    return rc;
}

static int read_effect(struct reader *rd, const json_t *j, struct statement *st)
{
    const char *text = json_string_value(j);

    if (!text)
        return refuse(rd, "Missing required field Effect");
    if (strcmp(text, "Allow") != 0 && strcmp(text, "Deny") != 0)
        return refuse(rd, "Invalid effect");
    st->effect = *text == 'A' ? POLICY_ALLOW : POLICY_DENY;
    return 0;
}

static int check_fields(struct reader *rd, const json_t *j, const char *const *known)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)j, name, value)
    {
        size_t i = 0;

        while (known[i] && strcmp(known[i], name) != 0)
            i++;
        if (!known[i])
            return refuse(rd, "Unknown field in policy");
        if ((strcmp(name, "Sid") == 0 || strcmp(name, "Id") == 0) && !json_is_string(value))
            return refuse(rd, "An identifier in the policy is not a string");
    }
    return 0;
}

/* Exactly one of the two names: which, and its value. */
static int choose(struct reader *rd, const json_t *j, const char *name, const char *negated,
                  const char *why, enum sense *sense, const json_t **ret)
{
    const json_t *a = json_object_get(j, name), *b = json_object_get(j, negated);

    if (!a == !b)
        return refuse(rd, why);
    *sense = a ? SENSE_MATCH : SENSE_NOT;
    *ret = a ? a : b;
    return 0;
}

static int read_statement(struct reader *rd, const json_t *j, struct statement *st)
{
    static const char *const known[] = {"Sid",       "Effect",    "Principal", "NotPrincipal",
                                        "Action",    "NotAction", "Resource",  "NotResource",
                                        "Condition", NULL};
    const json_t *principal, *action, *resource, *condition;
    int rc;

    if (!json_is_object(j))
        return refuse(rd, "A statement of the policy is not an object");
    rc = check_fields(rd, j, known);
    if (rc == 0)
        rc = read_effect(rd, json_object_get(j, "Effect"), st);
    if (rc == 0)
        rc = choose(rd, j, "Principal", "NotPrincipal", "Missing required field Principal",
                    &st->principal, &principal);
    if (rc == 0 && st->principal == SENSE_NOT && st->effect == POLICY_ALLOW)
        rc = refuse(rd, "Allow with NotPrincipal is not allowed.");
    if (rc == 0)
        rc = read_principals(rd, principal, st);
    if (rc == 0)
        rc = choose(rd, j, "Action", "NotAction", "Missing required field Action", &st->action,
                    &action);
    if (rc == 0)
        rc = read_actions(rd, action, st);
    if (rc == 0)
        rc = choose(rd, j, "Resource", "NotResource", "Missing required field Resource",
                    &st->resource, &resource);
    if (rc == 0)
        rc = read_resources(rd, resource, st);
    condition = json_object_get(j, "Condition");
    if (rc == 0 && condition)
        rc = read_conditions(rd, condition, st);
    return rc;
}

static int read_statements(struct reader *rd, const json_t *j)
{
    struct policy *p = rd->policy;
    size_t n = json_is_array(j) ? json_array_size(j) : 1;
    int rc = 0;

    if (!j || n == 0)
        return refuse(rd, "Missing required field Statement");
    if (n > POLICY_STATEMENTS_MAX)
        return PC_ELIMIT;
    p->statements = calloc(n, sizeof *p->statements);
    if (!p->statements)
        return -ENOMEM;
    for (size_t i = 0; i < n && rc == 0; i++) {
        p->count++;
        rc = read_statement(rd, json_is_array(j) ? json_array_get(j, i) : j, &p->statements[i]);
    }
    return rc;
}

static int read_document(struct reader *rd, const json_t *j)
{
    static const char *const known[] = {"Version", "Id", "Statement", NULL};
    const json_t *version = json_object_get(j, "Version");
    const char *text = json_string_value(version);
    int rc;

    if (!json_is_object(j))
        return refuse(rd, "Policies must be valid JSON and the first byte must be '{'");
    rc = check_fields(rd, j, known);
    if (rc < 0)
        return rc;
    if (version && (!text || (strcmp(text, "2012-10-17") != 0 && strcmp(text, "2008-10-17") != 0)))
        return refuse(rd, "The policy must contain a valid version string");
    rd->policy->variables = text && strcmp(text, "2012-10-17") == 0;
    return read_statements(rd, json_object_get(j, "Statement"));
}

/* How deep objects and arrays nest, outside of strings. */
static bool is_shallow(const char *text, size_t len)
{
    bool quoted = false;
    size_t depth = 0;

    for (size_t i = 0; i < len; i++) {
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && (text[i] == '{' || text[i] == '['))
            depth++;
        else if (!quoted && (text[i] == '}' || text[i] == ']') && depth > 0)
            depth--;
        if (depth > POLICY_DEPTH_MAX)
            return false;
    }
    return true;
}

int policy_parse(const char *text, size_t len, const char *bucket, struct policy **ret,
                 const char **ret_why)
{
    struct reader rd = {.bucket = bucket};
    json_error_t error;
    json_t *j;
    int rc;

    if (len > POLICY_MAX)
        return PC_ELIMIT;
    j = is_shallow(text, len) ? json_loadb(text, len, JSON_REJECT_DUPLICATES, &error) : NULL;
    if (!j) {
        *ret_why = "Policies must be valid JSON and the first byte must be '{'";
        return PC_EFORMAT;
    }
    rd.policy = calloc(1, sizeof *rd.policy);
    rc = rd.policy ? read_document(&rd, j) : -ENOMEM;
    json_decref(j);
    if (rc == 0) {
        *ret = rd.policy;
        return 0;
    }
    policy_free(rd.policy);
    if (rc == PC_EFORMAT)
        *ret_why = rd.why;
    return rc;
}

static void statement_free(struct statement *st)
{
    for (size_t i = 0; i < st->principal_count; i++)
        free(st->principals[i].text);
    free(st->principals);
    list_free(&st->actions);
    list_free(&st->resources);
    for (size_t i = 0; i < st->condition_count; i++) {
        free(st->conditions[i].key);
        list_free(&st->conditions[i].values);
    }
    free(st->conditions);
}

void policy_free(struct policy *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        statement_free(&p->statements[i]);
    free(p->statements);
    free(p);
}
