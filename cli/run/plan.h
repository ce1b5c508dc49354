/* SPDX-License-Identifier: Apache-2.0 */
/* What `pcloud up` is to start: options over configuration over defaults, checked before anything starts. */
#ifndef CLI_RUN_PLAN_H
#define CLI_RUN_PLAN_H

#include "cli.h"
#include "run/spawn.h"

/** plan_make(c, plan): fill it in; no checks of the machine. PC_EUSAGE. */
int plan_make(struct cli *c, struct plan *plan);

/**
 * plan_check(c, plan): can it be started here? Makes the mount's folder, clears a stale mount, tries the addresses. One clear message
 * for a busy port, a folder in use, a machine without FUSE. Undoes what it made on failure.
 */
int plan_check(struct cli *c, struct plan *plan);

/** plan_undo(plan): remove the folder that plan_check made, if it is empty. */
void plan_undo(const struct plan *plan);

/** plan_default_mount(c, buf, cap): mount.path of the configuration, else ~/pcloud. */
int plan_default_mount(struct cli *c, char *buf, size_t cap);

/** plan_inside(path, folder): is ${path} ${folder} or below it? Both absolute and without "..". */
bool plan_inside(const char *path, const char *folder);

#endif
