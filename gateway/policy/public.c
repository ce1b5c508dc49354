/* SPDX-License-Identifier: Apache-2.0 */
/* Does a policy let everybody in: S3's meaning of "public", which errs towards saying so. */
#include "policy/policy_priv.h"

#include <string.h>

/* A condition on one of these with fixed values names who may come in. */
static const char *const fixing[] = {
    "aws:principalaccount",  "aws:principalarn", "aws:principalorgid", "aws:sourceaccount",
    "aws:sourcearn",         "aws:sourceorgid",  "aws:sourceowner",    "aws:sourcevpc",
    "aws:sourcevpce",        "aws:userid",       "aws:username",       "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
};

#define BITS_MIN_4 (96 + 8) /* shorter prefixes are everybody */
#define BITS_MIN_6 32

static bool is_private_range(const struct range *r)
{
    static const char *const texts[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                        "fc00::/7"};
    struct range private;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (value_range(texts[i], strlen(texts[i]), &private) && r->bits >= private.bits &&
            range_holds(&private, r))
            return true;
    return false;
}

static bool ranges_are_narrow(const struct condition *c)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct range r;

    for (size_t i = 0; i < c->values.count; i++) {
        const char *text = c->values.items[i];

        if (!value_range(text, strlen(text), &r))
            return false;
        if (r.bits < (memcmp(r.bytes, mapped, 12) == 0 ? BITS_MIN_4 : BITS_MIN_6) &&
            !is_private_range(&r))
            return false;
    }
    return true;
}

static bool values_are_fixed(const struct condition *c)
{
    for (size_t i = 0; i < c->values.count; i++)
        if (strpbrk(c->values.items[i], "*?") || strstr(c->values.items[i], "${"))
            return false;
    return true;
}

static bool fixes_source(const struct condition *c)
{
    if (c->op->sense == SENSE_NOT || c->missing == MISSING_PASSES || c->set == SET_ALL_VALUES)
        return false;
    if (c->op->type == OP_IP)
        return strcmp(c->key, "aws:sourceip") == 0 && ranges_are_narrow(c);
    if (c->op->type != OP_STRING && c->op->type != OP_FOLDED && c->op->type != OP_LIKE &&
        c->op->type != OP_ARN)
        return false;
    for (size_t i = 0; i < sizeof fixing / sizeof fixing[0]; i++)
        if (strcmp(c->key, fixing[i]) == 0)
            return values_are_fixed(c);
    return false;
}

static bool statement_is_public(const struct statement *st)
{
    bool everybody = st->principal == SENSE_NOT;

    if (st->effect != POLICY_ALLOW)
        return false;
    for (size_t i = 0; i < st->principal_count; i++)
        everybody = everybody || st->principals[i].kind == PRINCIPAL_ANY;
    for (size_t i = 0; i < st->condition_count && everybody; i++)
        everybody = !fixes_source(&st->conditions[i]);
    return everybody;
}

bool policy_is_public(const struct policy *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (statement_is_public(&p->statements[i]))
            return true;
    return false;
}
