/* SPDX-License-Identifier: Apache-2.0 */
/* Every S3 request that ended, to whoever counts and records. */
#ifndef GATEWAY_WATCH_H
#define GATEWAY_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct s3;

/** watch_request(s, sent, bytes): the request ended; its reply was ${bytes} long and went out whole, or not. */
void watch_request(struct s3 *s, bool sent, uint64_t bytes);

#endif
