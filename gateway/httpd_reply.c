/* SPDX-License-Identifier: Apache-2.0 */
/* Replies: from memory in one write, from a source block by block, read ahead on a worker. */
#include "httpd_priv.h"

#include "pcloud/err.h"
#include "pcloud/log.h"

#include <stdlib.h>
#include <string.h>

static int stage_alloc(struct stage *s, size_t cap)
{
    if (s->cap < cap) {
        free(s->data);
        s->data = malloc(cap);
        s->cap = s->data ? cap : 0;
    }
    s->len = 0;
    return s->data ? 0 : -1;
}

/* Fill a stage from the source, as much as there is. */
static void stage_read(struct exchange *x, struct stage *s)
{
    struct req *r = &x->req;
    uint64_t end = r->reply_offset + r->reply_length;
    size_t want = end - x->next < s->cap ? (size_t)(end - x->next) : s->cap;

    s->len = 0;
    while (s->len < want) {
        ssize_t n = r->source.read(r->source.arg, s->data + s->len, want - s->len, x->next);

        if (n <= 0) {
            x->source_error = n < 0 ? (int)n : -EIO;
            s->len = 0;
            return;
        }
        s->len += (size_t)n;
        x->next += (uint64_t)n;
    }
}

static void job_read(struct worker_job *job)
{
    struct exchange *x = exchange_of(job);

    stage_read(x, &x->stage[!x->fill]);
    exchange_done(x);
}

/* The app's reply cannot be had: it says so instead. */
static void fail_reply(struct exchange *x, int rc)
{
    struct req *r = &x->req;

    req_reply_reset(r);
    x->server->httpd->options.app->fail(r, rc);
    if (r->status == 0 || r->reply_headers.err || r->reply_body.err) {
        req_reply_reset(r);
        r->status = 500;
        r->close = true;
    }
}

void reply_prepare(struct exchange *x)
{
    struct req *r = &x->req;

    if (r->status == 0 || r->reply_headers.err || r->reply_body.err)
        fail_reply(x, r->reply_body.err ? r->reply_body.err : -EIO);
    if (!r->source.read || r->head || r->reply_length == 0)
        return;
    x->next = r->reply_offset;
    if (stage_alloc(&x->stage[0],
                    r->reply_length < REPLY_BLOCK ? (size_t)r->reply_length : REPLY_BLOCK) < 0) {
        fail_reply(x, -ENOMEM);
        return;
    }
    x->fill = 0;
    x->taken = 0;
    stage_read(x, &x->stage[0]);
    if (x->source_error)
        fail_reply(x, x->source_error);
}

/* The next bytes, on the polling thread; 0 after suspending. */
static ssize_t give_more(struct exchange *x, char *out, size_t max)
{
    struct stage *s = &x->stage[x->fill];
    size_t n;

    if (x->taken == s->len) {
        if (atomic_load(&x->job_state) != JOB_IDLE) {
            exchange_await(x);
            return 0;
        }
        if (x->source_error || x->server->stopping) {
            pc_log(PC_LOG_WARN, "http.cut", "%s %s: the reply ends %llu bytes early", x->req.method,
                   x->req.target, (unsigned long long)(x->req.reply_length - x->replied));
            return MHD_CONTENT_READER_END_WITH_ERROR;
        }
        x->fill = !x->fill;
        x->taken = 0;
        s = &x->stage[x->fill];
        if (x->next < x->req.reply_offset + x->req.reply_length) {
            if (!x->stage[!x->fill].data && stage_alloc(&x->stage[!x->fill], REPLY_BLOCK) < 0)
                return MHD_CONTENT_READER_END_WITH_ERROR;
            exchange_run(x, job_read, EXCHANGE_GO_ON);
        }
    }
    n = s->len - x->taken < max ? s->len - x->taken : max;
    if (n == 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    memcpy(out, s->data + x->taken, n);
    x->taken += n;
    x->replied += n;
    return (ssize_t)n;
}

static ssize_t give(void *arg, uint64_t pos, char *out, size_t max)
{
    struct exchange *x = arg;
    ssize_t n;

    (void)pos;
    server_enter(x->server);
    n = give_more(x, out, max);
    server_leave(x->server);
    return n;
}

static ssize_t give_nothing(void *arg, uint64_t pos, char *out, size_t max)
{
    (void)arg;
    (void)pos;
    (void)out;
    (void)max;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* Memory of the exchange goes to the response, which frees it. */
static struct MHD_Response *from_memory(char *data, size_t len)
{
    struct MHD_Response *m;

    if (len == 0) {
        free(data);
        return MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    }
    m = MHD_create_response_from_buffer_with_free_callback(len, data, free);
    if (!m)
        free(data);
    return m;
}

static struct MHD_Response *from_source(struct exchange *x)
{
    struct req *r = &x->req;
    struct stage *s = &x->stage[0];

    if (r->head || r->reply_length == 0)
        return MHD_create_response_from_callback(r->reply_length, 64, give_nothing, NULL, NULL);
    if (s->len == r->reply_length) { /* all of it is here: head and body leave in one write */
        char *data = s->data;

        *s = (struct stage){0};
        x->replied = r->reply_length;
        return from_memory(data, (size_t)r->reply_length);
    }
    if (stage_alloc(&x->stage[1], REPLY_BLOCK) < 0)
        return NULL;
    exchange_run(x, job_read, EXCHANGE_GO_ON);
    return MHD_create_response_from_callback(r->reply_length, REPLY_BLOCK, give, x, NULL);
}

static struct MHD_Response *make_response(struct exchange *x)
{
    struct req *r = &x->req;
    size_t len;
    char *data;

    if (r->source.read)
        return from_source(x);
    data = buf_take(&r->reply_body, &len);
    x->replied = r->head ? 0 : len;
    return from_memory(data, len);
}

static void add_headers(struct exchange *x, struct MHD_Response *m)
{
    const struct buf *b = &x->req.reply_headers;

    for (size_t at = 0; at < b->len;) {
        const char *name = b->data + at, *value = name + strlen(name) + 1;

        at += strlen(name) + strlen(value) + 2;
        /* an empty value cannot be sent by this library: a space means the same */
        if (MHD_add_response_header(m, name, *value ? value : " ") != MHD_YES)
            pc_log(PC_LOG_WARN, "http.header", "%s: header %s cannot be sent", x->req.target, name);
    }
    MHD_add_response_header(m, "Server", "pcloud");
    if (x->req.close || atomic_load(&x->server->httpd->draining))
        MHD_add_response_header(m, "Connection", "close");
}

enum MHD_Result reply_send(struct exchange *x)
{
    struct MHD_Response *m = make_response(x);
    enum MHD_Result rc;

    if (!m)
        return MHD_NO;
    add_headers(x, m);
    x->phase = PHASE_REPLY;
    rc = MHD_queue_response(x->connection, x->req.status, m);
    MHD_destroy_response(m);
    return rc;
}

enum MHD_Result reply_refuse(struct exchange *x, unsigned status, const char *text)
{
    struct req *r = &x->req;

    r->status = status;
    r->close = true;
    req_reply_header(r, "Content-Type", "application/xml");
    buf_fmt(&r->reply_body,
            "<?xml version=\"1.0\" "
            "encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message></Error>",
            status == 501 ? "NotImplemented" : "BadRequest", text);
    return reply_send(x);
}
