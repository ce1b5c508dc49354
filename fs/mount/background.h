/* SPDX-License-Identifier: Apache-2.0 */
/* Going to the background, and telling everybody who waits that the mount answers. */
#ifndef FS_BACKGROUND_H
#define FS_BACKGROUND_H

#include "pcloud/home.h"

#include <stdbool.h>

/**
 * background_start(foreground): unless ${foreground}, fork; the caller's process waits until background_ready and then exits 0, or, if the child ends before,
 * exits as it did. Returns in the child. Call before any thread.
 */
int background_start(bool foreground);

/** background_detach(): leave the terminal's session. After the passphrase was asked for. */
void background_detach(void);

/** background_ready(home): tell systemd and the waiting process. From now on lines go to the home's log if this is a background process. */
void background_ready(struct pc_home *home);

/** background_stopping(): tell systemd that the end has begun. */
void background_stopping(void);

#endif
