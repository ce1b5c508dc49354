/* SPDX-License-Identifier: Apache-2.0 */
/* run/mount.json: what the supervisor and `pcloud status` know of the mount. */
#ifndef FS_STATE_H
#define FS_STATE_H

#include "pcloud/home.h"

struct state;

/**
 * state_open(home, mountpoint, ret): the first mount of a home owns the file, by the lock "mount"; for others nothing is written. -ENOMEM,
 * system errors.
 */
int state_open(struct pc_home *home, const char *mountpoint, struct state **ret);

/** state_set(s, state): write {"path","pid","state"}. NULL is legal. */
void state_set(struct state *s, const char *state);

/** state_close(s): remove the file, free. NULL is legal. */
void state_close(struct state *s);

#endif
