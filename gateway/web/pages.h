/* SPDX-License-Identifier: Apache-2.0 */
/* The pages of the web address. */
#ifndef GATEWAY_PAGES_H
#define GATEWAY_PAGES_H

#include "req.h"

struct gateway;
struct s3;

/** page_reply(r, status, type): the head of a page that nobody keeps. */
void page_reply(struct req *r, unsigned status, const char *type);

/* health.c */
/** page_health(r, gw): the state of the volume in words; 503 if it does not answer. */
void page_health(struct req *r, const struct gateway *gw);
/** page_live(r): the process answers. */
void page_live(struct req *r);
/** page_metrics(r, gw): OpenMetrics, to whom web.metrics says. */
void page_metrics(struct req *r, const struct gateway *gw);

/* public.c */
/** page_public(r, gw): an object or folder of a bucket, as far as everybody may have it. Sets r->app, and r->by_s3 if that is of S3. */
void page_public(struct req *r, const struct gateway *gw);
/* listing.c */
/** page_list(s): an operation: the folder that is the parameter prefix, as a page. */
int page_list(struct s3 *s);
/* shrink.c */
/** page_shrink(r): the reply that is set, compressed if it should be. */
void page_shrink(struct req *r);

#endif
