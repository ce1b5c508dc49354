/* SPDX-License-Identifier: Apache-2.0 */
/* S3 requests held to their rates. */
#include "guard/guard.h"

#include "s3/s3.h"

int guard_address(struct s3 *s)
{
    struct guard *g = s->gw->guard;

    return !g || guard_take_address(g, s->r->address, &s->retry_after) ? 0 : S3_EBUSY;
}

int guard_key(struct s3 *s)
{
    struct guard *g = s->gw->guard;

    return !g || s->anonymous || guard_take_key(g, s->access_key, &s->retry_after) ? 0 : S3_EBUSY;
}

void guard_moved(struct s3 *s, uint64_t bytes)
{
    if (s->gw->guard)
        guard_charge(s->gw->guard, s->r->address, s->authentic ? s->access_key : "", bytes);
}
