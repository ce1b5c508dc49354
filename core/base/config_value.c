/* SPDX-License-Identifier: Apache-2.0 */
/* Lines and typed values of the configuration file. */
#include "base/config_file.h"

#include "pcloud/err.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct config_span trim(struct config_span s)
{
    while (s.len && is_blank(s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len && is_blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

bool config_line_next(struct config_span *text, struct config_line *line)
{
    struct config_span body;
    const char *end, *equals;

    if (text->len == 0)
        return false;
    end = memchr(text->p, '\n', text->len);
    line->whole.p = text->p;
    line->whole.len = end ? (size_t)(end - text->p) + 1 : text->len;
    text->p += line->whole.len;
    text->len -= line->whole.len;
    body = trim((struct config_span){line->whole.p, line->whole.len - (end ? 1 : 0)});
    line->key = line->value = (struct config_span){body.p, 0};
    line->kind = CONFIG_LINE_EMPTY;
    if (body.len == 0 || body.p[0] == '#')
        return true;
    line->kind = CONFIG_LINE_BAD;
    line->key = body;
    equals = memchr(body.p, '=', body.len);
    if (!equals || equals == body.p)
        return true;
    line->kind = CONFIG_LINE_ENTRY;
    line->key = trim((struct config_span){body.p, (size_t)(equals - body.p)});
    line->value = trim((struct config_span){equals + 1, (size_t)(body.p + body.len - equals) - 1});
    return true;
}

static bool is_word(struct config_span s, const char *word)
{
    return strlen(word) == s.len && memcmp(word, s.p, s.len) == 0;
}

/* Decimal digits without sign or space; false if it is none or over INT64_MAX. */
static bool digits(struct config_span s, int64_t *ret)
{
    int64_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        int d = s.p[i] - '0';

        if (d < 0 || d > 9 || n > (INT64_MAX - d) / 10)
            return false;
        n = n * 10 + d;
    }
    *ret = n;
    return s.len > 0;
}

static bool size(struct config_span s, int64_t *ret)
{
    static const char units[] = "kKmMgGtT";
    const char *unit = s.len ? memchr(units, s.p[s.len - 1], sizeof units - 1) : NULL;
    unsigned shift = unit ? 10 * ((unsigned)(unit - units) / 2 + 1) : 0;
    int64_t n;

    if (unit)
        s.len--;
    if (!digits(s, &n) || n > INT64_MAX >> shift)
        return false;
    *ret = n << shift;
    return true;
}

static bool boolean(struct config_span s, int64_t *ret)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (is_word(s, words[i])) {
            *ret = (int64_t)(i % 2);
            return true;
        }
    }
    return false;
}

static bool choice(struct config_span s, const char *choices, int64_t *ret)
{
    *ret = 0;
    for (;; ++*ret) {
        size_t len = strcspn(choices, " ");

        if (len == s.len && len && memcmp(choices, s.p, len) == 0)
            return true;
        if (choices[len] == 0)
            return false;
        choices += len + 1;
    }
}

/* Text that a line can hold: no control characters, no blank at an end. */
static bool string(struct config_span s, int64_t min, int64_t max)
{
    if ((int64_t)s.len < min || (int64_t)s.len > max)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < 0x20 || c == 0x7f)
            return false;
    }
    return s.len == 0 || (!is_blank(s.p[0]) && !is_blank(s.p[s.len - 1]));
}

int config_value_check(enum pc_config_id id, struct config_span value, int64_t *ret_num)
{
    const struct pc_config_entry *e = pc_config_entry(id);
    int64_t n = 0;
    bool ok = false;

    switch (e->type) {
    case PC_CONFIG_STRING:
        ok = string(value, e->min, e->max);
        break;
    case PC_CONFIG_INT:
        ok = digits(value, &n) && n >= e->min && n <= e->max;
        break;
    case PC_CONFIG_SIZE:
        ok = size(value, &n) && n >= e->min && n <= e->max;
        break;
    case PC_CONFIG_BOOL:
        ok = boolean(value, &n);
        break;
    case PC_CONFIG_ENUM:
        ok = choice(value, e->choices, &n);
        break;
    }
    if (!ok)
        return PC_EFORMAT;
    *ret_num = n;
    return 0;
}

static void print_size(int64_t n, char buf[32])
{
    unsigned unit = 0;

    while (n && n % 1024 == 0 && unit < 4) {
        n /= 1024;
        unit++;
    }
    (void)snprintf(buf, 32, "%" PRId64 "%.*s", n, unit ? 1 : 0, &" KMGT"[unit]);
}

void config_value_want(enum pc_config_id id, char buf[CONFIG_WANT_MAX])
{
    const struct pc_config_entry *e = pc_config_entry(id);
    char least[32], most[48] = "";

    switch (e->type) {
    case PC_CONFIG_STRING:
        (void)snprintf(buf, CONFIG_WANT_MAX,
                       "text of %" PRId64 " to %" PRId64 " bytes without control characters",
                       e->min, e->max);
        break;
    case PC_CONFIG_INT:
        (void)snprintf(buf, CONFIG_WANT_MAX, "a whole number from %" PRId64 " to %" PRId64, e->min,
                       e->max);
        break;
    case PC_CONFIG_SIZE:
        print_size(e->min, least);
        if (e->max < INT64_MAX) {
            memcpy(most, " to ", 5);
            print_size(e->max, most + 4);
        }
        (void)snprintf(buf, CONFIG_WANT_MAX, "a size such as 512K, 64M or 2G, from %s%s", least,
                       most[0] ? most : " on");
        break;
    case PC_CONFIG_BOOL:
        (void)snprintf(buf, CONFIG_WANT_MAX, "true or false");
        break;
    case PC_CONFIG_ENUM:
        (void)snprintf(buf, CONFIG_WANT_MAX, "one of: %s", e->choices);
        break;
    }
}
