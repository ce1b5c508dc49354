/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies: from memory in one write, from a source block by block. A block is read where it is sent from, on the polling thread, if that waits for nothing:
 * nothing is copied then. If it would wait, a worker reads ahead into a ring.
 */
#include "httpd_priv.h"

#include "pcloud/err.h"
#include "pcloud/log.h"

#include <stdlib.h>
#include <string.h>

static bool many(const struct exchange *x)
{
    return atomic_load(&x->server->active) > REPLY_MANY;
}

/* Bytes that are read, and sent, at once. */
static size_t block_size(const struct exchange *x)
{
    if (x->req.reply_length <= REPLY_WHOLE)
        return (size_t)x->req.reply_length;
    if (many(x))
        return REPLY_LEAST / 2;
    return atomic_load(&x->server->active) <= REPLY_FEW ? REPLY_LARGE : REPLY_BLOCK;
}

/* The next bytes of the source to the ring, as many as have room in one piece; false if there is nothing to do now. */
static bool ring_read(struct exchange *x)
{
    struct req *r = &x->req;
    struct ring *g = &x->ring;
    uint64_t in = atomic_load(&g->in), left = x->until - in;
    size_t at = (size_t)(in % g->cap);
    size_t want = g->cap - at < x->block ? g->cap - at : x->block;
    ssize_t n;

    if (want > left)
        want = (size_t)left;
    if (want == 0 || want > ring_room(g))
        return false;
    n = r->source.read(r->source.arg, g->data + at, want, r->reply_offset + in);
    if (n <= 0) {
        x->source_error = n < 0 ? (int)n : -EIO;
        return false;
    }
    atomic_store(&g->in, in + (uint64_t)n);
    return true;
}

/* Fill the ring; a connection that ran out of bytes goes on as soon as half of it is there. */
static void job_read(struct worker_job *job)
{
    struct exchange *x = exchange_of(job);

    while (!atomic_load(&x->server->stopping) && ring_read(x))
        if (ring_there(&x->ring) >= x->ring.cap / 2)
            exchange_wake(x);
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

static size_t ring_size(const struct exchange *x)
{
    if (x->req.reply_length <= REPLY_WHOLE)
        return (size_t)x->req.reply_length;
    return many(x) ? REPLY_LEAST : REPLY_RING;
}

void reply_prepare(struct exchange *x)
{
    struct req *r = &x->req;
    bool more;

    if (r->status == 0 || r->reply_headers.err || r->reply_body.err)
        fail_reply(x, r->reply_body.err ? r->reply_body.err : -EIO);
    if (!r->source.read || r->head || r->reply_length == 0)
        return;
    x->block = block_size(x);
    x->until = r->reply_length;
    if (r->source.read_now && x->block < r->reply_length)
        x->until = x->block;
    if (ring_alloc(&x->ring, r->source.read_now ? x->block : ring_size(x)) < 0) {
        fail_reply(x, -ENOMEM);
        return;
    }
    do
        more = ring_read(x);
    while (more && r->reply_length <= REPLY_WHOLE);
    if (x->source_error)
        fail_reply(x, x->source_error);
}

/* Have a worker go on reading if there is something left, none is at it, and half of the ring is free. */
static void read_on(struct exchange *x)
{
    struct ring *g = &x->ring;

    if (atomic_load(&x->job_state) != JOB_IDLE || x->source_error)
        return;
    if (atomic_load(&g->in) < x->until && ring_there(g) <= g->cap / 2)
        exchange_run(x, job_read, EXCHANGE_GO_ON);
}

/* The ring is empty and nobody fills it: the next bytes straight to where they are sent from; 0 if that would wait: the ring is to bring some. */
static ssize_t give_now(struct exchange *x, char *out, size_t max)
{
    struct req *r = &x->req;
    struct ring *g = &x->ring;
    ssize_t n = r->source.read_now(r->source.arg, out, max, r->reply_offset + x->replied);

    if (n > 0) {
        x->slow = 0;
        x->replied += (uint64_t)n;
        ring_free(g);
        return n;
    }
    x->slow = x->slow == 0 ? x->block : x->slow < REPLY_SLOW ? 2 * x->slow : REPLY_SLOW;
    x->until = r->reply_length - x->replied < x->slow ? r->reply_length : x->replied + x->slow;
    x->source_error = ring_alloc(g, x->slow > x->block ? ring_size(x) : x->block);
    atomic_store(&g->in, x->replied);
    atomic_store(&g->out, x->replied);
    return 0;
}

/* Nothing is there: wait until something is. ${idle}: no job ran when that was seen. */
static ssize_t give_later(struct exchange *x, bool idle)
{
    if (idle && (x->source_error || x->server->stopping)) {
        pc_log(PC_LOG_WARN, "http.cut", "%s %.*s: the reply ends %llu bytes early", x->req.method,
               (int)strcspn(x->req.target, "?"), x->req.target,
               (unsigned long long)(x->req.reply_length - x->replied));
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    read_on(x);
    exchange_await(x);
    if (ring_there(&x->ring) > 0)
        exchange_wake(x); /* it came in between */
    return 0;
}

/* The next bytes, on the polling thread; 0 after suspending. */
static ssize_t give_more(struct exchange *x, char *out, size_t max)
{
    struct ring *g = &x->ring;
    bool idle = atomic_load(&x->job_state) == JOB_IDLE; /* before looking what it made */
    size_t there = ring_there(g), at, n;
    ssize_t now;

    if (there == 0 && idle && x->req.source.read_now && !x->source_error &&
        !atomic_load(&x->server->stopping)) {
        now = give_now(x, out, max);
        if (now > 0)
            return now;
    }
    if (there == 0)
        return give_later(x, idle);
    at = (size_t)(x->replied % g->cap);
    n = g->cap - at < max ? g->cap - at : max;
    if (n > there)
        n = there;
    memcpy(out, g->data + at, n);
    x->replied += n;
    atomic_store(&g->out, x->replied);
    read_on(x);
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

    if (r->head || r->reply_length == 0)
        return MHD_create_response_from_callback(r->reply_length, 64, give_nothing, NULL, NULL);
    if (r->reply_length <= REPLY_WHOLE) { /* all of it is here: head and body leave in one write */
        x->replied = r->reply_length;
        return from_memory(ring_take(&x->ring), (size_t)r->reply_length);
    }
    read_on(x);
    return MHD_create_response_from_callback(r->reply_length, x->block, give, x, NULL);
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
            pc_log(PC_LOG_WARN, "http.header", "%.*s: header %s cannot be sent",
                   (int)strcspn(x->req.target, "?"), x->req.target, name);
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
    conn_phase(x->conn, CONN_REPLY);
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
            status == 501   ? "NotImplemented"
            : status == 421 ? "MisdirectedRequest"
                            : "BadRequest",
            text);
    return reply_send(x);
}
