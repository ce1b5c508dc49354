/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, dates and address ranges of conditions. */
#include "policy/policy_priv.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 64

static bool copy(const char *text, size_t len, char out[VALUE_MAX])
{
    if (len == 0 || len >= VALUE_MAX || memchr(text, '\0', len))
        return false;
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

bool value_number(const char *text, size_t len, double *ret)
{
    char buf[VALUE_MAX], *end;

    if (!copy(text, len, buf) || strspn(buf, "0123456789.-+") != len)
        return false;
    *ret = strtod(buf, &end);
    return *end == '\0' && end != buf;
}

/* Seconds east of UTC in "Z", "+01:00", "-0530"; false if it is no zone. */
static bool read_zone(const char *at, long *ret)
{
    int hours, minutes, n = 0;

    *ret = 0;
    if (strcmp(at, "Z") == 0)
        return true;
    if ((*at != '+' && *at != '-') || at[1] < '0' || at[1] > '9')
        return false;
    if (sscanf(at + 1, "%2d:%2d%n", &hours, &minutes, &n) < 2 &&
        sscanf(at + 1, "%2d%2d%n", &hours, &minutes, &n) < 2)
        return false;
    if (at[1 + n] || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *ret = (hours * 60L + minutes) * 60 * (*at == '-' ? -1 : 1);
    return true;
}

bool value_date(const char *text, size_t len, double *ret)
{
    struct tm tm = {.tm_mday = 1};
    char buf[VALUE_MAX], *end;
    double part = 0;
    const char *at;
    long zone = 0;

    if (!copy(text, len, buf))
        return false;
    if (strspn(buf, "0123456789") == len)
        return value_number(text, len, ret);
    at = strptime(buf, "%Y-%m-%d", &tm);
    if (!at)
        return false;
    if (*at == 'T') {
        const char *rest = strptime(at + 1, "%H:%M:%S", &tm);

        at = rest ? rest : strptime(at + 1, "%H:%M", &tm);
        if (!at)
            return false;
        if (*at == '.') {
            if (at[1] < '0' || at[1] > '9')
                return false;
            part = strtod(at, &end);
            at = end;
        }
        if (*at && !read_zone(at, &zone))
            return false;
    } else if (*at) {
        return false;
    }
    *ret = (double)timegm(&tm) + part - (double)zone;
    return true;
}

bool value_range(const char *text, size_t len, struct range *ret)
{
    char buf[VALUE_MAX], *slash, *end;
    unsigned max = 128, base = 0;
    unsigned long bits;

    *ret = (struct range){.bits = 128};
    if (!copy(text, len, buf))
        return false;
    slash = strchr(buf, '/');
    if (slash)
        *slash++ = '\0';
    if (inet_pton(AF_INET, buf, ret->bytes + 12) == 1) {
        ret->bytes[10] = ret->bytes[11] = 0xff;
        max = 32;
        base = 96;
    } else if (inet_pton(AF_INET6, buf, ret->bytes) != 1) {
        return false;
    }
    if (!slash)
        return true;
    if (*slash < '0' || *slash > '9')
        return false;
    bits = strtoul(slash, &end, 10);
    if (*end || bits > max)
        return false;
    ret->bits = base + (unsigned)bits;
    return true;
}

bool range_holds(const struct range *range, const struct range *address)
{
    unsigned whole = range->bits / 8, rest = range->bits % 8;
    uint8_t mask = (uint8_t)(0xff << (8 - rest));

    if (memcmp(range->bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 || ((range->bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}
