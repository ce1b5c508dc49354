/* SPDX-License-Identifier: Apache-2.0 */
/* The session with the kernel: from mounting to the last answer. */
#ifndef FS_SESSION_H
#define FS_SESSION_H

#include "fs.h"
#include "pcloud/home.h"

/** session_block_signals(): keep this mount's signals from every thread; before the first one is made. */
void session_block_signals(void);

/**
 * session_run(fs, home): mount, say so, serve until somebody unmounts or SIGTERM or SIGINT comes, unmount. ${fs} has options, volume, root and nodes. Errors
 * have a message.
 */
int session_run(struct fs *fs, struct pc_home *home);

#endif
