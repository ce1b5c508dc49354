/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of bytes, as RFC 9110 writes them. */
#include "s3/cond.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Digits at *text: a number that stays at its maximum; false if there are none. */
static bool number(const char **text, uint64_t *ret)
{
    const char *p = *text;
    uint64_t v = 0;

    for (; *p >= '0' && *p <= '9'; p++) {
        unsigned digit = (unsigned)(*p - '0');

        v = v > (UINT64_MAX - digit) / 10 ? UINT64_MAX : v * 10 + digit;
    }
    if (p == *text)
        return false;
    *text = p;
    *ret = v;
    return true;
}

static const char *after_unit(const char *text)
{
    if (strncasecmp(text, "bytes=", 6) != 0)
        return NULL;
    return text + 6 + strspn(text + 6, " \t");
}

static bool at_end(const char *text)
{
    return text[strspn(text, " \t")] == '\0';
}

enum range_result range_parse(const char *text, uint64_t size, uint64_t *ret_off, uint64_t *ret_len)
{
    const char *p = after_unit(text);
    uint64_t first, last = UINT64_MAX;

    if (!p)
        return RANGE_ALL;
    if (*p == '-') { /* the last so many */
        p++;
        if (!number(&p, &last) || !at_end(p))
            return RANGE_ALL;
        if (last == 0 || size == 0)
            return RANGE_UNSATISFIABLE;
        *ret_len = last < size ? last : size;
        *ret_off = size - *ret_len;
        return RANGE_PART;
    }
    if (!number(&p, &first) || *p++ != '-')
        return RANGE_ALL;
    if (!at_end(p) && (!number(&p, &last) || !at_end(p)))
        return RANGE_ALL;
    if (last < first)
        return RANGE_ALL;
    if (first >= size)
        return RANGE_UNSATISFIABLE;
    if (last >= size)
        last = size - 1;
    *ret_off = first;
    *ret_len = last - first + 1;
    return RANGE_PART;
}

bool range_parse_exact(const char *text, uint64_t *ret_off, uint64_t *ret_len)
{
    const char *p = after_unit(text);
    uint64_t first, last;

    if (!p || !number(&p, &first) || *p++ != '-' || !number(&p, &last) || !at_end(p))
        return false;
    if (last < first || last == UINT64_MAX)
        return false;
    *ret_off = first;
    *ret_len = last - first + 1;
    return true;
}
