/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of time that HTTP and S3 write and read. */
#include "date.h"

#include "pcloud/err.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void date_http(time_t t, char out[DATE_HTTP_MAX])
{
    struct tm tm;

    if (!gmtime_r(&t, &tm) || tm.tm_year > 8099)
        tm = (struct tm){.tm_mday = 1, .tm_year = 70, .tm_wday = 4};
    snprintf(out, DATE_HTTP_MAX, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * tm.tm_wday,
             (unsigned)tm.tm_mday % 100, months + 3 * tm.tm_mon,
             (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
             (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

/* ${value} in ${n} digits. */
static char *digits(char *p, unsigned n, unsigned value)
{
    for (unsigned i = n; i-- > 0; value /= 10)
        p[i] = (char)('0' + value % 10);
    return p + n;
}

void date_iso(const struct timespec *ts, char out[DATE_ISO_MAX])
{
    struct tm tm;
    time_t t = ts->tv_sec;
    char *p;

    if (!gmtime_r(&t, &tm) || tm.tm_year > 8099)
        tm = (struct tm){.tm_mday = 1, .tm_year = 70};
    p = digits(out, 4, (unsigned)(tm.tm_year + 1900));

    *p++ = '-';
    p = digits(p, 2, (unsigned)tm.tm_mon + 1);
    *p++ = '-';
    p = digits(p, 2, (unsigned)tm.tm_mday);
    *p++ = 'T';
    p = digits(p, 2, (unsigned)tm.tm_hour);
    *p++ = ':';
    p = digits(p, 2, (unsigned)tm.tm_min);
    *p++ = ':';
    p = digits(p, 2, (unsigned)tm.tm_sec);
    *p++ = '.';
    p = digits(p, 3, (unsigned)(ts->tv_nsec / 1000000));
    memcpy(p, "Z", 2);
}

static bool in_range(const struct tm *tm)
{
    return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 && tm->tm_mday <= 31 &&
           tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60 && tm->tm_year >= 0 &&
           tm->tm_year <= 8099;
}

/* Which number a letter of a pattern stands for; NULL: none. */
static int *field_of(char letter, struct tm *tm)
{
    switch (letter) {
    case 'Y':
        return &tm->tm_year;
    case 'N':
        return &tm->tm_mon;
    case 'D':
    case '_':
        return &tm->tm_mday;
    case 'h':
        return &tm->tm_hour;
    case 'm':
        return &tm->tm_min;
    case 's':
        return &tm->tm_sec;
    default:
        return NULL;
    }
}

static int month_of(const char *text)
{
    for (int i = 0; i < 12; i++)
        if (strncasecmp(text, months + 3 * i, 3) == 0)
            return i;
    return -1;
}

/*
 * Read by a pattern: Y N D h m s take one digit of year, month, day, hour, minute, second; "_" a digit of the day or a
 * space; "B" a month's name; "w" any letter; everything else stands for itself.
 */
static bool scan(const char *text, const char *pattern, struct tm *tm)
{
    *tm = (struct tm){0};
    for (; *pattern; pattern++, text++) {
        int *field = field_of(*pattern, tm);

        if (*pattern == 'B') {
            tm->tm_mon = month_of(text);
            if (tm->tm_mon < 0)
                return false;
            text += 2;
        } else if (*pattern == 'w') {
            if (!((*text | 32) >= 'a' && (*text | 32) <= 'z'))
                return false;
        } else if (field && *text >= '0' && *text <= '9') {
            *field = 10 * *field + (*text - '0');
        } else if (field && !(*pattern == '_' && *text == ' ')) {
            return false;
        } else if (!field && *text != *pattern) {
            return false;
        }
    }
    tm->tm_year -= 1900;
    return *text == '\0';
}

int date_parse_http(const char *text, time_t *ret)
{
    struct tm tm;
    const char *comma = strchr(text, ',');

    if (comma && comma - text == 3) {
        if (!scan(text, "www, DD B YYYY hh:mm:ss GMT", &tm) &&
            !scan(text, "www, DD B YYYY hh:mm:ss +0000", &tm) &&
            !scan(text, "www, DD B YYYY hh:mm:ss -0000", &tm) &&
            !scan(text, "www, DD B YYYY hh:mm:ss UTC", &tm))
            return PC_EFORMAT;
    } else if (comma) {
        if (!scan(comma, ", DD-B-YY hh:mm:ss GMT", &tm))
            return PC_EFORMAT;
        tm.tm_year += tm.tm_year + 1900 < 70 ? 2000 : 1900;
    } else if (!scan(text, "www B _D hh:mm:ss YYYY", &tm)) {
        return PC_EFORMAT;
    }
    if (!in_range(&tm))
        return PC_EFORMAT;
    *ret = timegm(&tm);
    return 0;
}

int date_parse_amz(const char *text, time_t *ret)
{
    struct tm tm;

    if (!scan(text, "YYYYNNDDThhmmssZ", &tm))
        return PC_EFORMAT;
    tm.tm_mon--;
    if (!in_range(&tm))
        return PC_EFORMAT;
    *ret = timegm(&tm);
    return 0;
}

/* The digits behind a dot as nanoseconds; what follows them. */
static const char *scan_fraction(const char *text, long *ret_ns)
{
    long unit = 100000000;

    *ret_ns = 0;
    if (*text != '.')
        return text;
    for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
        *ret_ns += unit * (*text - '0');
    return text;
}

int date_parse_iso(const char *text, struct timespec *ret)
{
    char head[20];
    struct tm tm, zone;
    const char *rest;
    long ns;
    time_t t;

    if (strnlen(text, 20) < 20)
        return PC_EFORMAT;
    memcpy(head, text, 19);
    head[19] = '\0';
    if (!scan(head, "YYYY-NN-DDThh:mm:ss", &tm))
        return PC_EFORMAT;
    tm.tm_mon--;
    if (!in_range(&tm))
        return PC_EFORMAT;
    t = timegm(&tm);
    rest = scan_fraction(text + 19, &ns);
    if (strcmp(rest, "Z") != 0) {
        if ((*rest != '+' && *rest != '-') || !scan(rest + 1, "hh:mm", &zone) ||
            zone.tm_hour > 23 || zone.tm_min > 59)
            return PC_EFORMAT;
        t += (*rest == '+' ? -1 : 1) * (zone.tm_hour * 3600L + zone.tm_min * 60L);
    }
    *ret = (struct timespec){.tv_sec = t, .tv_nsec = ns};
    return 0;
}
