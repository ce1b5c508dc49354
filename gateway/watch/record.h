/* SPDX-License-Identifier: Apache-2.0 */
/* One S3 request as a line of JSON. */
#ifndef GATEWAY_RECORD_H
#define GATEWAY_RECORD_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

struct s3;

/** record_json(s, sent, bytes, us, out): the line with its end. Nothing of the query, no header, no signature is in it. */
void record_json(const struct s3 *s, bool sent, uint64_t bytes, uint64_t us, struct buf *out);

/** json_text(out, text, len): quoted; what is no UTF-8 becomes U+FFFD. */
void json_text(struct buf *out, const char *text, size_t len);

#endif
