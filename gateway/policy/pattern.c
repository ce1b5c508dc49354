/* SPDX-License-Identifier: Apache-2.0 */
/* Wildcards, and the variables of policies. */
#include "policy/policy_priv.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 256 /* of a variable */

/* Bytes of the character at ${p}: what "?" takes. */
static size_t char_len(const char *p, size_t left)
{
    size_t n = 1;

    if ((unsigned char)*p < 0xc0)
        return 1;
    while (n < left && n < 4 && ((unsigned char)p[n] & 0xc0) == 0x80)
        n++;
    return n;
}

bool pattern_fits(const unsigned char *pattern, size_t pattern_len, const char *text, size_t len)
{
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;

    while (t < len) {
        if (p < pattern_len && pattern[p] == PATTERN_ANY) {
            star = p++;
            mark = t;
        } else if (p < pattern_len && pattern[p] == PATTERN_ONE) {
            t += char_len(text + t, len - t);
            p++;
        } else if (p < pattern_len && pattern[p] == (unsigned char)text[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern_len && pattern[p] == PATTERN_ANY)
        p++;
    return p == pattern_len;
}

static enum pattern_result add(struct pattern *out, unsigned char c)
{
    if (out->len == sizeof out->data)
        return PATTERN_BROKEN;
    out->data[out->len++] = c;
    return PATTERN_OK;
}

static enum pattern_result add_value(struct pattern *out, const char *text, size_t len)
{
    enum pattern_result rc = PATTERN_OK;

    for (size_t i = 0; i < len && rc == PATTERN_OK; i++) {
        if ((unsigned char)text[i] >= PATTERN_ONE) /* no UTF-8: nothing legal can equal it */
            return PATTERN_NEVER;
        rc = add(out, (unsigned char)text[i]);
    }
    return rc;
}

struct variable { /* "${name}" or "${name, 'default'}", without the frame */
    char name[NAME_MAX_BYTES];
    const char *fallback; /* NULL if there is none */
    size_t fallback_len;
};

static const char *skip(const char *at, const char *end)
{
    while (at < end && *at == ' ')
        at++;
    return at;
}

/* What stands between the braces. */
static bool read_variable(const char *text, size_t len, struct variable *ret)
{
    const char *comma = memchr(text, ',', len), *end = text + len;
    size_t n = comma ? (size_t)(comma - text) : len;

    *ret = (struct variable){.fallback = NULL};
    while (n && text[n - 1] == ' ')
        n--;
    if (n == 0 || n >= sizeof ret->name)
        return false;
    memcpy(ret->name, text, n);
    ret->name[n] = '\0';
    name_lower(ret->name);
    if (!comma)
        return true;
    comma = skip(comma + 1, end);
    while (end > comma && end[-1] == ' ')
        end--;
    if (end - comma < 2 || *comma != '\'' || end[-1] != '\'')
        return false;
    ret->fallback = comma + 1;
    ret->fallback_len = (size_t)(end - comma) - 2;
    return true;
}

static bool is_escape(const char *name)
{
    return strcmp(name, "*") == 0 || strcmp(name, "?") == 0 || strcmp(name, "$") == 0;
}

static enum pattern_result add_variable(const struct policy_request *r, const char *text,
                                        size_t len, struct pattern *out)
{
    struct policy_text value;
    struct variable v;

    if (!read_variable(text, len, &v))
        return PATTERN_NEVER;
    if (is_escape(v.name))
        return add(out, (unsigned char)v.name[0]);
    if (r->value(r->arg, v.name, 0, &value))
        return add_value(out, value.data, value.len);
    if (v.fallback)
        return add_value(out, v.fallback, v.fallback_len);
    return PATTERN_NEVER;
}

enum pattern_result pattern_make(const struct policy *p, const struct policy_request *r,
                                 const char *text, size_t len, enum wild wild, struct pattern *out)
{
    enum pattern_result rc = PATTERN_OK;

    out->len = 0;
    for (size_t i = 0; i < len && rc == PATTERN_OK; i++) {
        if (r && p->variables && text[i] == '$' && i + 1 < len && text[i + 1] == '{') {
            const char *end = memchr(text + i, '}', len - i);

            if (!end)
                return PATTERN_NEVER;
            rc = add_variable(r, text + i + 2, (size_t)(end - text) - i - 2, out);
            i = (size_t)(end - text);
        } else if (wild == WILD_CARDS && text[i] == '*') {
            rc = add(out, PATTERN_ANY);
        } else if (wild == WILD_CARDS && text[i] == '?') {
            rc = add(out, PATTERN_ONE);
        } else {
            rc = add(out, (unsigned char)text[i]);
        }
    }
    return rc;
}

bool pattern_check(const char *text)
{
    struct variable v;

    while ((text = strstr(text, "${"))) {
        const char *end = strchr(text, '}');

        if (!end || !read_variable(text + 2, (size_t)(end - text) - 2, &v))
            return false;
        if (!is_escape(v.name) && !name_is_key(v.name))
            return false;
        text = end + 1;
    }
    return true;
}

bool policy_glob(const char *pattern, const char *text, size_t len)
{
    struct pattern p;

    return pattern_make(NULL, NULL, pattern, strlen(pattern), WILD_CARDS, &p) == PATTERN_OK &&
           pattern_fits(p.data, p.len, text, len);
}
