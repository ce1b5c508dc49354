/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor: the process behind `pcloud up` that starts the parts, watches them and starts them again. */
#ifndef CLI_RUN_SUPER_H
#define CLI_RUN_SUPER_H

#include "cli.h"
#include "passphrase.h"
#include "run/spawn.h"

/**
 * super_run(home, config, plan, way, ready_fd): supervise until SIGTERM or SIGINT; the exit status. When all parts have answered "ok" is
 * written to ${ready_fd}; when one cannot start, all are stopped and the reason is written there; then it is closed (-1: none).
 * If the reader of ${ready_fd} goes away before, everything stops. Owns the process: its signals and children are the supervisor's.
 */
int super_run(struct pc_home *home, struct pc_config *config, const struct plan *plan,
              struct passphrase_way *way, int ready_fd);

#endif
