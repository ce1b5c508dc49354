/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets: so many requests and bytes a second for each of those who ask. */
#ifndef GATEWAY_RATE_H
#define GATEWAY_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate;

/** rate_new(ret): nothing is limited. -ENOMEM. */
int rate_new(struct rate **ret);
/** rate_free(r): NULL is legal. */
void rate_free(struct rate *r);

/** rate_set(r, requests, bytes): a second; 0: any number. From any thread. */
void rate_set(struct rate *r, uint64_t requests, uint64_t bytes);

/**
 * rate_take(r, who, now_us, ret_wait): one request of ${who} (a hash, not 0). False: it is too many, in *ret_wait seconds (1 or more) one more will not be. A second's
 * worth may come at once. Who has more than a second's bytes behind them waits until they are paid for.
 */
bool rate_take(struct rate *r, uint64_t who, int64_t now_us, unsigned *ret_wait);
/** rate_charge(r, who, now_us, bytes): bytes that were moved for ${who}. */
void rate_charge(struct rate *r, uint64_t who, int64_t now_us, uint64_t bytes);

#endif
