/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request and its reply, as everything above httpd sees them. */
#include "req.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLOCK_SIZE 4064

struct req_block {
    struct req_block *next;
    size_t used, size;
    _Alignas(16) char data[];
};

void req_init(struct req *r)
{
    *r = (struct req){.length = REQ_LENGTH_NONE};
    buf_init(&r->reply_headers, 65536);
    buf_init(&r->reply_body, REQ_REPLY_MAX);
    clock_gettime(CLOCK_MONOTONIC, &r->begun);
}

void req_fini(struct req *r)
{
    while (r->scratch) {
        struct req_block *next = r->scratch->next;

        free(r->scratch);
        r->scratch = next;
    }
    if (r->source.close)
        r->source.close(r->source.arg);
    r->source = (struct req_source){0};
    buf_fini(&r->reply_headers);
    buf_fini(&r->reply_body);
}

const char *req_header(const struct req *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++)
        if (strcasecmp(r->headers[i].name, name) == 0)
            return r->headers[i].value;
    return NULL;
}

void *req_alloc(struct req *r, size_t size)
{
    struct req_block *b = r->scratch;
    void *p;

    if (size > REQ_SCRATCH_MAX - r->scratch_used)
        return NULL;
    size = (size + 15) & ~(size_t)15;
    if (!b || size > b->size - b->used) {
        size_t want = size > BLOCK_SIZE ? size : BLOCK_SIZE;

        b = malloc(sizeof *b + want);
        if (!b)
            return NULL;
        *b = (struct req_block){.next = r->scratch, .size = want};
        r->scratch = b;
    }
    p = b->data + b->used;
    b->used += size;
    r->scratch_used += size;
    return memset(p, 0, size);
}

char *req_dup(struct req *r, const void *data, size_t len)
{
    char *p = len < REQ_SCRATCH_MAX ? req_alloc(r, len + 1) : NULL;

    if (p && len)
        memcpy(p, data, len);
    return p;
}

char *req_print(struct req *r, const char *fmt, ...)
{
    va_list ap;
    int n;
    char *p;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    p = n < 0 ? NULL : req_alloc(r, (size_t)n + 1);
    if (!p)
        return NULL;
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}

void req_reply_header(struct req *r, const char *name, const char *value)
{
    struct buf *b = &r->reply_headers;
    size_t from;

    buf_add(b, name, strlen(name) + 1);
    from = b->len;
    buf_add(b, value, strlen(value) + 1);
    for (size_t i = from; !b->err && i + 1 < b->len; i++)
        if ((unsigned char)b->data[i] < 32 || b->data[i] == 127)
            b->data[i] = ' ';
}

void req_reply_headerf(struct req *r, const char *name, const char *fmt, ...)
{
    char value[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    req_reply_header(r, name, value);
}

void req_reply_reset(struct req *r)
{
    r->status = 0;
    buf_reset(&r->reply_headers);
    buf_reset(&r->reply_body);
    if (r->source.close)
        r->source.close(r->source.arg);
    r->source = (struct req_source){0};
    r->reply_length = 0;
    r->reply_offset = 0;
}
