/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of requests: from the polling thread through a ring to a worker, and the order of the app's calls. */
#include "httpd_priv.h"

#include "pcloud/log.h"

#include <stdlib.h>
#include <string.h>

/* head, once. */
static void call_head(struct exchange *x)
{
    const struct httpd_options *o = &x->server->httpd->options;

    if (x->started)
        return;
    x->started = true;
    if (o->app->head(o->ctx, &x->req) < 0)
        x->failed = true;
}

/* Give the app what is there, and what comes meanwhile. ${wake}: a connection that waits for room goes on as soon as half is free. */
static void feed(struct exchange *x, bool wake)
{
    const struct req_app *app = x->server->httpd->options.app;
    struct ring *g = &x->ring;
    uint64_t out = atomic_load(&g->out);
    size_t n;

    while (!x->failed && (n = ring_there(g)) > 0) {
        size_t at = (size_t)(out % g->cap);

        if (n > g->cap - at)
            n = g->cap - at;
        if (n > BODY_PIECE)
            n = BODY_PIECE;
        if (app->data(&x->req, g->data + at, n) < 0)
            x->failed = true;
        out += n;
        atomic_store(&g->out, out);
        if (wake && ring_room(g) >= g->cap / 2)
            exchange_wake(x);
    }
}

static void job_begin(struct worker_job *job)
{
    struct exchange *x = exchange_of(job);

    call_head(x);
    exchange_done(x);
}

static void job_data(struct worker_job *job)
{
    struct exchange *x = exchange_of(job);

    feed(x, true);
    exchange_done(x);
}

static void job_finish(struct worker_job *job)
{
    struct exchange *x = exchange_of(job);

    call_head(x);
    feed(x, false); /* the connection waits for the end of this job */
    if (!x->failed)
        x->server->httpd->options.app->finish(&x->req);
    reply_prepare(x);
    exchange_done(x);
}

static bool has_body(const struct req *r)
{
    return r->chunked || (r->length != REQ_LENGTH_NONE && r->length > 0);
}

enum MHD_Result body_begin(struct exchange *x)
{
    const struct req *r = &x->req;

    if (!has_body(r) && !r->expect) {
        x->phase = PHASE_BODY;
        return MHD_YES;
    }
    if (!r->expect && r->length <= BODY_SMALL) {
        x->phase = PHASE_BODY;
        conn_phase(x->conn, CONN_BODY);
        return MHD_YES;
    }
    x->phase = PHASE_BEGIN;
    exchange_run(x, job_begin, EXCHANGE_WAIT);
    return MHD_YES;
}

/* After app->head: go on, answer at once (who waits for "100 Continue" sends nothing), or drop the body first. */
static enum MHD_Result after_begin(struct exchange *x)
{
    const struct req *r = &x->req;

    x->phase = PHASE_BODY;
    conn_phase(x->conn, CONN_BODY);
    if (!x->failed)
        return MHD_YES;
    if (r->expect || (r->length != REQ_LENGTH_NONE && r->length > BODY_DRAIN)) {
        x->req.close = true;
        return reply_send(x);
    }
    x->phase = PHASE_DISCARD;
    return MHD_YES;
}

static enum MHD_Result discard(struct exchange *x, size_t *size)
{
    x->dropped += *size;
    *size = 0;
    return x->dropped > BODY_DRAIN ? MHD_NO : MHD_YES;
}

static size_t ring_size(const struct req *r)
{
    return r->length != REQ_LENGTH_NONE && r->length < BODY_RING ? (size_t)r->length : BODY_RING;
}

static void put_in(struct ring *g, const char *data, size_t n)
{
    uint64_t in = atomic_load(&g->in);
    size_t at = (size_t)(in % g->cap), first = g->cap - at < n ? g->cap - at : n;

    memcpy(g->data + at, data, first);
    memcpy(g->data, data + first, n - first);
    atomic_store(&g->in, in + n);
}

/* Nothing is taken, the same bytes come again: when there is room, or the job ended. */
static enum MHD_Result data_later(struct exchange *x, bool idle)
{
    if (idle)
        exchange_run(x, job_data, EXCHANGE_GO_ON);
    exchange_await(x);
    if (ring_room(&x->ring) >= x->ring.cap / 2)
        exchange_wake(x); /* it was made in between */
    return MHD_YES;
}

enum MHD_Result body_data(struct exchange *x, const char *data, size_t *size)
{
    struct ring *g = &x->ring;
    bool idle;

    if (x->phase == PHASE_DISCARD)
        return discard(x, size);
    if (x->phase != PHASE_BODY)
        return MHD_NO;
    idle = atomic_load(&x->job_state) == JOB_IDLE;
    if (idle && x->failed) {
        x->phase = PHASE_DISCARD;
        return discard(x, size);
    }
    if (!g->data && ring_alloc(g, ring_size(&x->req)) < 0)
        return MHD_NO;
    if (ring_room(g) <
        *size) /* all or nothing: the library does not come back for a rest by itself */
        return x->started && *size <= g->cap / 2 ? data_later(x, idle) : MHD_NO;
    put_in(g, data, *size);
    x->req.received += *size;
    *size = 0;
    if (x->started && idle && ring_there(g) >= BODY_START)
        exchange_run(x, job_data, EXCHANGE_GO_ON);
    return MHD_YES;
}

enum MHD_Result body_end(struct exchange *x)
{
    switch (x->phase) {
    case PHASE_BEGIN:
        return after_begin(x);
    case PHASE_BODY:
        if (atomic_load(&x->job_state) != JOB_IDLE) {
            exchange_await(x);
            return MHD_YES;
        }
        x->phase = PHASE_FINISH;
        conn_phase(x->conn, CONN_WORK);
        exchange_run(x, job_finish, EXCHANGE_WAIT);
        return MHD_YES;
    case PHASE_DISCARD:
    case PHASE_FINISH:
        return reply_send(x);
    default:
        return MHD_YES;
    }
}
