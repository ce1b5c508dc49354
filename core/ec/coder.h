/* SPDX-License-Identifier: Apache-2.0 */
/* A coder's plan: which shards are read and which are computed, prepared once for many stripes. */
#ifndef EC_CODER_H
#define EC_CODER_H

#include "pcloud/ec.h"

struct ec_plan;

unsigned ec_k(const struct pc_ec *ec);
unsigned ec_n(const struct pc_ec *ec);

/**
 * ec_plan_new(ec, present, want, ret): compute the shards with ${want} that are not ${present} from the first k present.
 * PC_EUNRECOVERABLE, -ENOMEM.
 */
int ec_plan_new(const struct pc_ec *ec, const uint8_t *present, const uint8_t *want,
                struct ec_plan **ret);
void ec_plan_free(struct ec_plan *plan);

/** ec_plan_run(plan, len, shards): do it for ${len} bytes of each. Any thread. */
void ec_plan_run(const struct ec_plan *plan, size_t len, uint8_t *const *shards);

#endif
