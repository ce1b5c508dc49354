/* SPDX-License-Identifier: Apache-2.0 */
/* The pages of the web address. */
#ifndef GATEWAY_PAGES_H
#define GATEWAY_PAGES_H

#include "req.h"

struct gateway;

/** page_reply(r, status, type): the head of a page that nobody keeps. */
void page_reply(struct req *r, unsigned status, const char *type);

/* health.c */
/** page_health(r, gw): the state of the volume in words; 503 if it does not answer. */
void page_health(struct req *r, const struct gateway *gw);
/** page_live(r): the process answers. */
void page_live(struct req *r);
/** page_metrics(r, gw): OpenMetrics, to whom web.metrics says. */
void page_metrics(struct req *r, const struct gateway *gw);

#endif
