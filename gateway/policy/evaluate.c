/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy says about a request: every statement is looked at, and one that denies wins. */
#include "policy/policy_priv.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ARN "arn:aws:s3:::"
#define SUBJECT_MAX 2048

struct subject {
    char text[SUBJECT_MAX];
    size_t len;
};

static bool make_subject(const struct policy_request *r, struct subject *out)
{
    int n = snprintf(out->text, sizeof out->text, ARN "%s%s", r->bucket, r->key ? "/" : "");

    if (n < 0 || (size_t)n >= sizeof out->text)
        return false;
    out->len = (size_t)n;
    if (!r->key)
        return true;
    if (r->key_len > sizeof out->text - out->len)
        return false;
    memcpy(out->text + out->len, r->key, r->key_len);
    out->len += r->key_len;
    return true;
}

static bool principal_fits(const struct principal *p, const struct policy_request *r)
{
    switch (p->kind) {
    case PRINCIPAL_ANY:
        return true;
    case PRINCIPAL_USER:
        return !r->anonymous && (strcmp(p->text, r->user) == 0 || strcmp(p->text, r->id) == 0);
    case PRINCIPAL_NEVER:
        break;
    }
    return false;
}

static bool principals_fit(const struct statement *st, const struct policy_request *r)
{
    bool any = false;

    for (size_t i = 0; i < st->principal_count && !any; i++)
        any = principal_fits(&st->principals[i], r);
    return any == (st->principal == SENSE_MATCH);
}

static void lower(const char *text, char *out, size_t size)
{
    size_t i = 0;

    for (; text[i] && i + 1 < size; i++)
        out[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
    out[i] = '\0';
}

/* Actions are read in lower case (parse.c). */
static bool actions_fit(const struct statement *st, const struct policy_request *r)
{
    char action[128];
    bool any = false;

    lower(r->action, action, sizeof action);
    for (size_t i = 0; i < st->actions.count && !any; i++)
        any = policy_glob(st->actions.items[i], action, strlen(action));
    return any == (st->action == SENSE_MATCH);
}

static enum holds resources_fit(const struct policy *p, const struct statement *st,
                                const struct policy_request *r, const struct subject *subject)
{
    struct pattern pattern;
    bool any = false;

    for (size_t i = 0; i < st->resources.count && !any; i++) {
        const char *text = st->resources.items[i];

        switch (pattern_make(p, r, text, strlen(text), WILD_CARDS, &pattern)) {
        case PATTERN_OK:
            any = pattern_fits(pattern.data, pattern.len, subject->text, subject->len);
            break;
        case PATTERN_NEVER:
            break;
        case PATTERN_BROKEN:
            return HOLDS_UNKNOWN;
        }
    }
    return any == (st->resource == SENSE_MATCH) ? HOLDS : HOLDS_NOT;
}

static enum holds statement_holds(const struct policy *p, const struct statement *st,
                                  const struct policy_request *r, const struct subject *subject)
{
    enum holds h;

    if (!principals_fit(st, r) || !actions_fit(st, r))
        return HOLDS_NOT;
    h = resources_fit(p, st, r, subject);
    for (size_t i = 0; i < st->condition_count && h == HOLDS; i++)
        h = condition_holds(p, &st->conditions[i], r);
    return h;
}

enum policy_effect policy_evaluate(const struct policy *p, const struct policy_request *r)
{
    enum policy_effect effect = POLICY_SILENT;
    struct subject subject;

    if (!make_subject(r, &subject))
        return POLICY_DENY;
    for (size_t i = 0; i < p->count; i++) {
        switch (statement_holds(p, &p->statements[i], r, &subject)) {
        case HOLDS_NOT:
            break;
        case HOLDS_UNKNOWN:
            return POLICY_DENY;
        case HOLDS:
            if (p->statements[i].effect == POLICY_DENY)
                return POLICY_DENY;
            effect = POLICY_ALLOW;
        }
    }
    return effect;
}
