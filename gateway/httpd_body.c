/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of requests: from the polling thread through two buffers to a worker, and the order of the app's calls. */
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

static void call_data(struct exchange *x, struct stage *s)
{
    const struct req_app *app = x->server->httpd->options.app;

    if (s->len > 0 && !x->failed && app->data(&x->req, s->data, s->len) < 0)
        x->failed = true;
    s->len = 0;
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

    call_data(x, &x->stage[!x->fill]);
    exchange_done(x);
}

static void job_finish(struct worker_job *job)
{
    struct exchange *x = exchange_of(job);

    call_head(x);
    call_data(x, &x->stage[x->fill]);
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

static size_t stage_size(const struct req *r)
{
    return r->length != REQ_LENGTH_NONE && r->length < BODY_STAGE ? (size_t)r->length : BODY_STAGE;
}

/* Hand the full buffer to a worker and turn to the other one. */
static void swap_stages(struct exchange *x)
{
    x->fill = !x->fill;
    x->stage[x->fill].len = 0;
    exchange_run(x, job_data, EXCHANGE_GO_ON);
}

enum MHD_Result body_data(struct exchange *x, const char *data, size_t *size)
{
    struct stage *s = &x->stage[x->fill];
    bool idle;
    size_t n;

    if (x->phase == PHASE_DISCARD)
        return discard(x, size);
    if (x->phase != PHASE_BODY)
        return MHD_NO;
    idle = atomic_load(&x->job_state) == JOB_IDLE;
    if (idle && x->failed) {
        x->phase = PHASE_DISCARD;
        return discard(x, size);
    }
    if (s->len >= BODY_SWAP && x->started) {
        if (!idle) { /* nothing is taken: the same bytes come again */
            exchange_await(x);
            return MHD_YES;
        }
        swap_stages(x);
        s = &x->stage[x->fill];
    }
    if (!s->data) {
        s->cap = stage_size(&x->req);
        s->data = malloc(s->cap);
        if (!s->data)
            return MHD_NO;
    }
    n = *size < s->cap - s->len ? *size : s->cap - s->len;
    memcpy(s->data + s->len, data, n);
    s->len += n;
    x->req.received += n;
    *size -= n;
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
        exchange_run(x, job_finish, EXCHANGE_WAIT);
        return MHD_YES;
    case PHASE_DISCARD:
    case PHASE_FINISH:
        return reply_send(x);
    default:
        return MHD_YES;
    }
}
