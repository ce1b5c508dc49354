/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions of requests: what RFC 9110 says, without I/O. */
#include "s3/cond.h"

#include "date.h"

#include <stddef.h>
#include <string.h>

bool cond_etag_in(const char *list, const char *etag)
{
    size_t len = strlen(etag);

    while (*list) {
        size_t n;
        const char *tag;

        list += strspn(list, " \t,");
        if (strncmp(list, "W/", 2) == 0)
            list += 2;
        if (*list == '"') {
            tag = ++list;
            n = strcspn(list, "\"");
            list += n + (list[n] == '"');
        } else {
            tag = list;
            n = strcspn(list, " \t,");
            list += n;
            if (n == 1 && *tag == '*')
                return true;
        }
        if (n == len && memcmp(tag, etag, n) == 0)
            return true;
    }
    return false;
}

enum cond_result cond_check(const struct cond *c, const char *etag, time_t mtime)
{
    time_t t;

    if (c->if_match) {
        if (!cond_etag_in(c->if_match, etag))
            return COND_FAILED;
    } else if (c->if_unmodified_since && date_parse_http(c->if_unmodified_since, &t) == 0) {
        if (mtime > t)
            return COND_FAILED;
    }
    if (c->if_none_match) {
        if (cond_etag_in(c->if_none_match, etag))
            return COND_NOT_MODIFIED;
    } else if (c->if_modified_since && date_parse_http(c->if_modified_since, &t) == 0) {
        if (t <= time(NULL) && mtime <= t)
            return COND_NOT_MODIFIED;
    }
    return COND_GO;
}

bool cond_range_holds(const char *value, const char *etag, time_t mtime)
{
    time_t t;

    if (*value == '"')
        return cond_etag_in(value, etag);
    if (date_parse_http(value, &t) == 0)
        return mtime == t;
    return strcmp(value, etag) == 0;
}
