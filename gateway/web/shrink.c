/* SPDX-License-Identifier: Apache-2.0 */
/* Replies compressed for clients that ask for it: whole ones, of kinds that get smaller. */
#include "web/pages.h"

#include "pcloud/digest.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LEAST 512u
#define MOST (8u << 20) /* of content, held in memory while it is compressed */

/* Is "gzip" (or "*") in the list, and not with a quality of 0? */
static bool accepts_gzip(const char *list)
{
    for (; list && *list; list += *list == ',') {
        size_t len, name;

        list += strspn(list, " \t");
        len = strcspn(list, ",");
        name = strcspn(list, ";, \t");
        if ((name == 4 && strncasecmp(list, "gzip", 4) == 0) || (name == 1 && *list == '*')) {
            const char *q = memchr(list, '=', len);

            return !q || strtod(q + 1, NULL) > 0;
        }
        list += len;
    }
    return false;
}

static const char *reply_header(const struct req *r, const char *wanted)
{
    for (size_t at = 0; at < r->reply_headers.len;) {
        const char *name = r->reply_headers.data + at, *value = name + strlen(name) + 1;

        if (strcasecmp(name, wanted) == 0)
            return value;
        at += strlen(name) + strlen(value) + 2;
    }
    return NULL;
}

static bool gets_smaller(const char *type)
{
    static const char *const kinds[] = {
        "text/",           "application/json",      "application/javascript",
        "application/xml", "application/xhtml+xml", "application/wasm",
        "image/svg+xml"};

    for (size_t i = 0; type && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncasecmp(type, kinds[i], strlen(kinds[i])) == 0)
            return true;
    return false;
}

/* All of the reply's body in memory of the request's reply_body; false if it is as it was. */
static bool collect(struct req *r, char **ret, size_t *ret_len)
{
    size_t len = (size_t)r->reply_length, at = 0;
    char *data;

    if (!r->source.read) {
        *ret_len = r->reply_body.len;
        *ret = malloc(*ret_len);
        if (*ret)
            memcpy(*ret, r->reply_body.data, *ret_len);
        return *ret;
    }
    data = malloc(len);
    while (data && at < len) {
        ssize_t n = r->source.read(r->source.arg, data + at, len - at, r->reply_offset + at);

        if (n <= 0) {
            free(data);
            return false;
        }
        at += (size_t)n;
    }
    *ret = data;
    *ret_len = len;
    return data;
}

/* The same headers for the other form: the ETag is of this content, not of these bytes. */
static void change_headers(struct req *r)
{
    struct buf old = r->reply_headers;

    buf_init(&r->reply_headers, old.max);
    for (size_t at = 0; at < old.len;) {
        const char *name = old.data + at, *value = name + strlen(name) + 1;

        at += strlen(name) + strlen(value) + 2;
        if (strcasecmp(name, "ETag") == 0)
            req_reply_headerf(r, "ETag", "W/%s", value);
        else if (strcasecmp(name, "Accept-Ranges") != 0 &&
                 strncasecmp(name, "x-amz-checksum-", 15) != 0)
            req_reply_header(r, name, value);
    }
    buf_fini(&old);
    req_reply_header(r, "Content-Encoding", "gzip");
}

void page_shrink(struct req *r)
{
    uint64_t len = r->source.read ? r->reply_length : r->reply_body.len;
    char *data, *packed;
    size_t n, small;

    if (r->status != 200 || len < LEAST || len > MOST || reply_header(r, "Content-Encoding") ||
        !gets_smaller(reply_header(r, "Content-Type")))
        return;
    req_reply_header(r, "Vary", "Accept-Encoding");
    if (r->head || req_header(r, "Range") || !accepts_gzip(req_header(r, "Accept-Encoding")) ||
        !collect(r, &data, &n))
        return;
    packed = malloc(n);
    if (packed && pc_gzip(data, n, packed, n, &small) == 0) {
        if (r->source.close)
            r->source.close(r->source.arg);
        r->source = (struct req_source){0};
        r->reply_offset = r->reply_length = 0;
        buf_reset(&r->reply_body);
        buf_add(&r->reply_body, packed, small);
        change_headers(r);
    }
    free(packed);
    free(data);
}
