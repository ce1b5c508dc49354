/* SPDX-License-Identifier: Apache-2.0 */
/* Names in a Host header, and the list of those we answer for. */
#include "guard/guard.h"

#include <string.h>
#include <strings.h>

/* The name in "name:port", "[v6]:port", without a dot at its end; its length. */
static size_t name_len(const char *host)
{
    size_t len = *host == '[' ? strcspn(host, "]") : strcspn(host, ":");

    if (*host == '[' && host[len] == ']')
        len++;
    if (len > 1 && host[len - 1] == '.')
        len--;
    return len;
}

static bool fits(const char *entry, size_t len, const char *name, size_t name_len_)
{
    if (len > 2 && entry[0] == '*' && entry[1] == '.') { /* something and a dot before it */
        entry++;
        len--;
        return name_len_ > len && strncasecmp(name + name_len_ - len, entry, len) == 0;
    }
    return name_len_ == len && strncasecmp(name, entry, len) == 0;
}

bool host_listed(const char *list, const char *host)
{
    static const char gap[] = ", \t";
    size_t len = name_len(host);

    for (list += strspn(list, gap); *list; list += strspn(list, gap)) {
        size_t entry = strcspn(list, gap);

        if (len && fits(list, entry, host, len))
            return true;
        list += entry;
    }
    return false;
}

bool host_is_local(const char *host)
{
    size_t len = name_len(host);

    /* digits and dots alone: "127.0.0.1.evil.example" is a name like another */
    if (strncmp(host, "127.", 4) == 0)
        return strspn(host, "0123456789.") >= len;
    return (len == 9 && strncasecmp(host, "localhost", 9) == 0) ||
           (len == 5 && memcmp(host, "[::1]", 5) == 0);
}
