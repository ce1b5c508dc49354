/* SPDX-License-Identifier: Apache-2.0 */
/* Every S3 request that ended, to the figures. */
#include "watch/watch.h"

#include "s3/s3.h"
#include "watch/metrics.h"

static uint64_t us_since(const struct timespec *begun)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)((now.tv_sec - begun->tv_sec) * 1000000 +
                      (now.tv_nsec - begun->tv_nsec) / 1000);
}

void watch_request(const struct s3 *s, bool sent, uint64_t bytes)
{
    const struct gateway *gw = s->gw;
    const struct req *r = s->r;
    const char *operation = s->op ? s->op->name : "Unknown";
    uint64_t us = us_since(&r->begun);

    (void)sent;
    if (gw->metrics)
        metrics_request(gw->metrics, operation, r->status, r->received, bytes, us);
}
