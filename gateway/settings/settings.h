/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of buckets: what checks them, and what they do to other requests. */
#ifndef GATEWAY_SETTINGS_H
#define GATEWAY_SETTINGS_H

#include "s3/s3.h"

/** cors_check(s, out), lifecycle_check(s, out): is the body such a document? ${out} gets what is kept. S3_EXML and others. */
int cors_check(struct s3 *s, struct buf *out);
int lifecycle_check(struct s3 *s, struct buf *out);

/** cors_open(s): find what the bucket's rules allow the page that a request comes from; for the reply, whatever it is. */
int cors_open(struct s3 *s);
/** cors_reply(s): add those headers to the reply. */
void cors_reply(struct s3 *s);

#endif
