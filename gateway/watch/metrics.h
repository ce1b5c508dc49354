/* SPDX-License-Identifier: Apache-2.0 */
/* What the gateway counts: requests by operation and status, bytes, durations, refusals. */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include "buf.h"

#include <stdint.h>

struct metrics;

enum metrics_event {
    METRICS_LIMIT_KEY,     /* requests over the rate of an access key */
    METRICS_LIMIT_ADDRESS, /* over that of an address */
    METRICS_CONN_REFUSED,  /* connections over the number for one address */
    METRICS_CUT_HEAD,      /* cut: no whole request head in time */
    METRICS_CUT_BODY,      /* cut: a body that hardly comes */
    METRICS_CUT_REPLY,     /* cut: a reply that is hardly taken */
    METRICS_HOST_REFUSED,  /* requests for a host that is not ours */
    METRICS_AUDIT_WRITTEN, /* lines of the audit log */
    METRICS_AUDIT_LOST,    /* lines that could not be written */
    METRICS_EVENTS
};

int metrics_new(struct metrics **ret);
/** metrics_free(m): NULL is legal. */
void metrics_free(struct metrics *m);

/** metrics_request(m, operation, status, in, out, us): one request ended. From any thread; waits for nothing. ${operation} is kept. */
void metrics_request(struct metrics *m, const char *operation, unsigned status, uint64_t in,
                     uint64_t out, uint64_t us);
/** metrics_count(m, e): it happened once more; m NULL is legal. */
void metrics_count(struct metrics *m, enum metrics_event e);
uint64_t metrics_counted(const struct metrics *m, enum metrics_event e);

/** metrics_render(m, out): all of it as OpenMetrics text, without the end mark. */
void metrics_render(const struct metrics *m, struct buf *out);
/** metrics_family(out, name, type, unit, help): the head of a family; ${unit} "" for none, else it must end the name. */
void metrics_family(struct buf *out, const char *name, const char *type, const char *unit,
                    const char *help);

#endif
