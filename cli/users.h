/* SPDX-License-Identifier: Apache-2.0 */
/* S3 identities for other verbs. */
#ifndef CLI_USERS_H
#define CLI_USERS_H

#include "pcloud/user.h"

/** users_pick_key(v, user, ret): an unrestricted key of ${user}, or with NULL of the first admin. PC_ENOUSER. The caller wipes it. */
int users_pick_key(struct pc_volume *v, const char *user, struct pc_access_key *ret);

#endif
