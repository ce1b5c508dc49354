/* SPDX-License-Identifier: Apache-2.0 */
/* Policies that were read lately: reading one costs as much as the rest of a small request. */
#ifndef GATEWAY_POLICY_CACHE_H
#define GATEWAY_POLICY_CACHE_H

#include "policy/policy.h"

#define POLICY_CACHE_SLOTS                                                                         \
    64 /* of one policy each: at most about 3 MiB of texts and what was read */

struct held_policy;

/** policy_hold(bucket, text, len, ret, ret_why): what that text says, read anew only if it is another than before. As policy_parse. Any thread. */
int policy_hold(const char *bucket, const char *text, size_t len, struct held_policy **ret,
                const char **ret_why);
const struct policy *policy_held(const struct held_policy *h);
/** policy_let_go(h): when the request is over; NULL is fine. */
void policy_let_go(struct held_policy *h);

#endif
