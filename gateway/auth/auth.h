/* SPDX-License-Identifier: Apache-2.0 */
/* Who sends a request. */
#ifndef GATEWAY_AUTH_H
#define GATEWAY_AUTH_H

#include "pcloud/user.h"

struct s3;

/** s3_authenticate(s): who asks, by the signature of the request, into ${s}. */
int s3_authenticate(struct s3 *s);

/** auth_key(s, access_key, key): whose it is and what it may, into ${s}; the caller wipes key->secret_key. PC_ENOUSER. */
int auth_key(struct s3 *s, const char *access_key, struct pc_access_key *key);

#endif
