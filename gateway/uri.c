/* SPDX-License-Identifier: Apache-2.0 */
/* Request targets: splitting, percent-coding and query parameters. */
#include "uri.h"

#include "pcloud/err.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int uri_split(const char *target, struct uri *ret)
{
    const char *path = target, *mark;

    if (strlen(target) > URI_TARGET_MAX)
        return pc_err_set(PC_ELIMIT, "request target: more than %d bytes", URI_TARGET_MAX);
    if (strncasecmp(target, "http://", 7) == 0)
        path = target + 7 + strcspn(target + 7, "/?");
    else if (strncasecmp(target, "https://", 8) == 0)
        path = target + 8 + strcspn(target + 8, "/?");
    if (path != target && *path != '/')
        return pc_err_set(PC_EFORMAT, "request target: no path after the authority");
    if (*path != '/')
        return pc_err_set(PC_EFORMAT, "request target: does not begin with a slash");
    mark = strchr(path, '?');
    *ret = (struct uri){.path = path, .path_len = mark ? (size_t)(mark - path) : strlen(path)};
    if (mark) {
        ret->query = mark + 1;
        ret->query_len = strlen(mark + 1);
    }
    return 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int uri_decode(const char *in, size_t len, enum uri_plus plus, char *out, size_t *ret_len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (in[i] == '+' && plus == URI_PLUS_SPACE) {
            out[n++] = ' ';
        } else if (in[i] == '%') {
            int hi = len - i > 2 ? hex_value(in[i + 1]) : -1;
            int lo = len - i > 2 ? hex_value(in[i + 2]) : -1;

            if (hi < 0 || lo < 0)
                return pc_err_set(PC_EFORMAT, "a percent sign is not followed by two hex digits");
            out[n++] = (char)(hi << 4 | lo);
            i += 2;
        } else {
            out[n++] = in[i];
        }
    }
    out[n] = '\0';
    *ret_len = n;
    return 0;
}

void uri_encode(struct buf *b, const char *data, size_t len, enum uri_slash slash)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)data[i];

        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
            c == '-' || c == '.' || c == '_' || c == '~' || (c == '/' && slash == URI_SLASH_KEEP)) {
            buf_char(b, (char)c);
        } else {
            char code[3] = {'%', digits[c >> 4], digits[c & 15]};

            buf_add(b, code, 3);
        }
    }
}

/* One "name=value" into ${p}, its bytes at *mem, which moves on. */
static int parse_param(const char *text, size_t len, char **mem, struct uri_param *p)
{
    const char *eq = memchr(text, '=', len);
    size_t name_len = eq ? (size_t)(eq - text) : len;
    int rc;

    p->name = *mem;
    rc = uri_decode(text, name_len, URI_PLUS_SPACE, *mem, &p->name_len);
    if (rc < 0)
        return rc;
    *mem += p->name_len + 1;
    p->value = *mem;
    p->value_len = 0;
    **mem = '\0';
    if (eq)
        rc = uri_decode(eq + 1, len - name_len - 1, URI_PLUS_SPACE, *mem, &p->value_len);
    *mem += p->value_len + 1;
    return rc;
}

int uri_query_parse(const char *query, size_t len, struct uri_query *ret)
{
    size_t count = 0, at = 0;
    char *mem;
    int rc = 0;

    ret->count = 0;
    ret->mem = NULL;
    if (!query || len == 0)
        return 0;
    if (len > URI_TARGET_MAX)
        return PC_ELIMIT;
    mem = ret->mem = malloc(2 * len + 2);
    if (!mem)
        return -ENOMEM;
    while (at < len && rc == 0) {
        const char *amp = memchr(query + at, '&', len - at);
        size_t end = amp ? (size_t)(amp - query) : len;

        if (end > at && count == URI_PARAMS_MAX)
            rc = pc_err_set(PC_ELIMIT, "query: more than %d parameters", URI_PARAMS_MAX);
        else if (end > at)
            rc = parse_param(query + at, end - at, &mem, &ret->params[count++]);
        at = end + 1;
    }
    if (rc < 0) {
        uri_query_fini(ret);
        return rc;
    }
    ret->count = count;
    return 0;
}

void uri_query_fini(struct uri_query *q)
{
    free(q->mem);
    q->mem = NULL;
    q->count = 0;
}

const struct uri_param *uri_query_param(const struct uri_query *q, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < q->count; i++)
        if (q->params[i].name_len == len && memcmp(q->params[i].name, name, len) == 0)
            return &q->params[i];
    return NULL;
}

const char *uri_query_get(const struct uri_query *q, const char *name)
{
    const struct uri_param *p = uri_query_param(q, name);

    return p ? p->value : NULL;
}
