/* SPDX-License-Identifier: Apache-2.0 */
/* The operators of conditions: reading them, and do they hold for a request. */
#include "policy/policy_priv.h"

#include <string.h>
#include <strings.h>

static const struct op ops[] = {
    {"StringEquals", OP_STRING, ORDER_EQ, SENSE_MATCH},
    {"StringNotEquals", OP_STRING, ORDER_EQ, SENSE_NOT},
    {"StringEqualsIgnoreCase", OP_FOLDED, ORDER_EQ, SENSE_MATCH},
    {"StringNotEqualsIgnoreCase", OP_FOLDED, ORDER_EQ, SENSE_NOT},
    {"StringLike", OP_LIKE, ORDER_EQ, SENSE_MATCH},
    {"StringNotLike", OP_LIKE, ORDER_EQ, SENSE_NOT},
    {"NumericEquals", OP_NUMBER, ORDER_EQ, SENSE_MATCH},
    {"NumericNotEquals", OP_NUMBER, ORDER_EQ, SENSE_NOT},
    {"NumericLessThan", OP_NUMBER, ORDER_LT, SENSE_MATCH},
    {"NumericLessThanEquals", OP_NUMBER, ORDER_LE, SENSE_MATCH},
    {"NumericGreaterThan", OP_NUMBER, ORDER_GT, SENSE_MATCH},
    {"NumericGreaterThanEquals", OP_NUMBER, ORDER_GE, SENSE_MATCH},
    {"DateEquals", OP_DATE, ORDER_EQ, SENSE_MATCH},
    {"DateNotEquals", OP_DATE, ORDER_EQ, SENSE_NOT},
    {"DateLessThan", OP_DATE, ORDER_LT, SENSE_MATCH},
    {"DateLessThanEquals", OP_DATE, ORDER_LE, SENSE_MATCH},
    {"DateGreaterThan", OP_DATE, ORDER_GT, SENSE_MATCH},
    {"DateGreaterThanEquals", OP_DATE, ORDER_GE, SENSE_MATCH},
    {"Bool", OP_BOOL, ORDER_EQ, SENSE_MATCH},
    {"BinaryEquals", OP_STRING, ORDER_EQ, SENSE_MATCH},
    {"IpAddress", OP_IP, ORDER_EQ, SENSE_MATCH},
    {"NotIpAddress", OP_IP, ORDER_EQ, SENSE_NOT},
    {"ArnEquals", OP_ARN, ORDER_EQ, SENSE_MATCH},
    {"ArnNotEquals", OP_ARN, ORDER_EQ, SENSE_NOT},
    {"ArnLike", OP_ARN, ORDER_EQ, SENSE_MATCH},
    {"ArnNotLike", OP_ARN, ORDER_EQ, SENSE_NOT},
    {"Null", OP_NULL, ORDER_EQ, SENSE_MATCH},
};

static bool take_prefix(const char **name, const char *prefix)
{
    size_t n = strlen(prefix);

    if (strncmp(*name, prefix, n) != 0)
        return false;
    *name += n;
    return true;
}

bool condition_op(const char *name, struct condition *ret)
{
    size_t len;

    ret->set = take_prefix(&name, "ForAllValues:")  ? SET_ALL_VALUES
               : take_prefix(&name, "ForAnyValue:") ? SET_ANY_VALUE
                                                    : SET_NONE;
    len = strlen(name);
    ret->missing = MISSING_COUNTS;
    if (len > 8 && strcmp(name + len - 8, "IfExists") == 0) {
        ret->missing = MISSING_PASSES;
        len -= 8;
    }
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (strlen(ops[i].name) == len && memcmp(ops[i].name, name, len) == 0) {
            ret->op = &ops[i];
            return ops[i].type != OP_NULL ||
                   (ret->missing == MISSING_COUNTS && ret->set == SET_NONE);
        }
    return false;
}

static bool is_bool(const char *text)
{
    return strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0;
}

bool condition_value_ok(const struct condition *c, const char *value)
{
    struct range range;
    double number;

    switch (c->op->type) {
    case OP_NUMBER:
        return value_number(value, strlen(value), &number);
    case OP_DATE:
        return value_date(value, strlen(value), &number);
    case OP_IP:
        return value_range(value, strlen(value), &range);
    case OP_BOOL:
    case OP_NULL:
        return is_bool(value);
    case OP_STRING:
    case OP_FOLDED:
    case OP_LIKE:
    case OP_ARN:
        break;
    }
    return true;
}

static bool ordered(enum op_order order, double have, double want)
{
    switch (order) {
    case ORDER_EQ:
        return !(have < want) && !(have > want);
    case ORDER_LT:
        return have < want;
    case ORDER_LE:
        return have <= want;
    case ORDER_GT:
        return have > want;
    case ORDER_GE:
        break;
    }
    return have >= want;
}

/* Length of the part of an ARN at ${text}; the sixth is all the rest. */
static size_t arn_part(const char *text, size_t len, unsigned part)
{
    const char *colon = part < 5 ? memchr(text, ':', len) : NULL;

    return colon ? (size_t)(colon - text) : len;
}

/* Each of the six parts by itself: no wildcard reaches over a colon. */
static bool arn_fits(const struct pattern *p, struct policy_text have)
{
    const char *text = have.data, *pattern = (const char *)p->data;
    size_t left = have.len, pattern_left = p->len;

    for (unsigned part = 0; part < 6; part++) {
        size_t n = arn_part(text, left, part), m = arn_part(pattern, pattern_left, part);

        if (!pattern_fits((const unsigned char *)pattern, m, text, n))
            return false;
        if (part < 5 && (n == left || m == pattern_left))
            return n == left && m == pattern_left;
        if (part < 5) {
            text += n + 1;
            left -= n + 1;
            pattern += m + 1;
            pattern_left -= m + 1;
        }
    }
    return true;
}

static enum holds text_holds(const struct policy *p, const struct condition *c, const char *want,
                             struct policy_text have, const struct policy_request *r)
{
    enum op_type type = c->op->type;
    struct pattern pattern;

    switch (pattern_make(p, r, want, strlen(want),
                         type == OP_LIKE || type == OP_ARN ? WILD_CARDS : WILD_LITERAL, &pattern)) {
    case PATTERN_NEVER:
        return HOLDS_NOT;
    case PATTERN_BROKEN:
        return HOLDS_UNKNOWN;
    case PATTERN_OK:
        break;
    }
    if (type == OP_FOLDED)
        return pattern.len == have.len &&
                       strncasecmp((const char *)pattern.data, have.data, have.len) == 0
                   ? HOLDS
                   : HOLDS_NOT;
    if (type == OP_ARN)
        return arn_fits(&pattern, have) ? HOLDS : HOLDS_NOT;
    return pattern_fits(pattern.data, pattern.len, have.data, have.len) ? HOLDS : HOLDS_NOT;
}

/* One value of the request against one of the policy, without its sense. */
static enum holds one_holds(const struct policy *p, const struct condition *c, const char *want,
                            struct policy_text have, const struct policy_request *r)
{
    struct range range, address;
    double a, b;
    bool yes;

    switch (c->op->type) {
    case OP_NUMBER:
        yes = value_number(have.data, have.len, &a) && value_number(want, strlen(want), &b) &&
              ordered(c->op->order, a, b);
        break;
    case OP_DATE:
        yes = value_date(have.data, have.len, &a) && value_date(want, strlen(want), &b) &&
              ordered(c->op->order, a, b);
        break;
    case OP_IP:
        yes = value_range(have.data, have.len, &address) &&
              value_range(want, strlen(want), &range) && range_holds(&range, &address);
        break;
    case OP_BOOL:
        yes = have.len == strlen(want) && strncasecmp(have.data, want, have.len) == 0;
        break;
    case OP_STRING:
    case OP_FOLDED:
    case OP_LIKE:
    case OP_ARN:
        return text_holds(p, c, want, have, r);
    default:
        return HOLDS_UNKNOWN;
    }
    return yes ? HOLDS : HOLDS_NOT;
}

/* One value of the request against all of the policy: any of them, or none where the operator says not. */
static enum holds value_holds(const struct policy *p, const struct condition *c,
                              struct policy_text have, const struct policy_request *r)
{
    bool any = false;

    for (size_t i = 0; i < c->values.count && !any; i++) {
        enum holds h = one_holds(p, c, c->values.items[i], have, r);

        if (h == HOLDS_UNKNOWN)
            return h;
        any = h == HOLDS;
    }
    return any == (c->op->sense == SENSE_MATCH) ? HOLDS : HOLDS_NOT;
}

static enum holds null_holds(const struct condition *c, bool there)
{
    for (size_t i = 0; i < c->values.count; i++)
        if ((strcasecmp(c->values.items[i], "true") == 0) == !there)
            return HOLDS;
    return HOLDS_NOT;
}

enum holds condition_holds(const struct policy *p, const struct condition *c,
                           const struct policy_request *r)
{
    struct policy_text have;
    bool all = true, any = false;
    size_t n = 0;

    if (c->op->type == OP_NULL)
        return null_holds(c, r->value(r->arg, c->key, 0, &have));
    for (; r->value(r->arg, c->key, n, &have); n++) {
        enum holds h = value_holds(p, c, have, r);

        if (h == HOLDS_UNKNOWN)
            return h;
        all = all && h == HOLDS;
        any = any || h == HOLDS;
    }
    if (n == 0) {
        if (c->missing == MISSING_PASSES || c->set == SET_ALL_VALUES)
            return HOLDS;
        return c->set == SET_NONE && c->op->sense == SENSE_NOT ? HOLDS : HOLDS_NOT;
    }
    /* a key of many values without a quantifier: a match is one of them, "not" is none of them */
    if (c->set == SET_ALL_VALUES || (c->set == SET_NONE && c->op->sense == SENSE_NOT))
        return all ? HOLDS : HOLDS_NOT;
    return any ? HOLDS : HOLDS_NOT;
}
