/* SPDX-License-Identifier: Apache-2.0 */
/* Every S3 request that ended, to the figures, the audit log and the rates. */
#include "watch/watch.h"

#include "guard/guard.h"
#include "s3/s3.h"
#include "watch/audit.h"
#include "watch/metrics.h"
#include "watch/record.h"

#define LINE_MAX_BYTES 32768

static uint64_t us_since(const struct timespec *begun)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)((now.tv_sec - begun->tv_sec) * 1000000 +
                      (now.tv_nsec - begun->tv_nsec) / 1000);
}

static void record(const struct s3 *s, bool sent, uint64_t bytes, uint64_t us)
{
    struct buf line;

    buf_init(&line, LINE_MAX_BYTES);
    record_json(s, sent, bytes, us, &line);
    if (line.err)
        metrics_count(s->gw->metrics, METRICS_AUDIT_LOST);
    else
        audit_line(s->gw->audit, line.data, line.len);
    buf_fini(&line);
}

void watch_request(struct s3 *s, bool sent, uint64_t bytes)
{
    const struct gateway *gw = s->gw;
    const struct req *r = s->r;
    const char *operation = s->op ? s->op->name : "Unknown";
    uint64_t us = us_since(&r->begun);

    if (s->op && s->op->body == S3_BODY_FORM)
        s->signature = "form";
    guard_moved(s, r->received + bytes);
    if (gw->metrics)
        metrics_request(gw->metrics, operation, r->status, r->received, bytes, us);
    if (gw->audit)
        record(s, sent, bytes, us);
}
