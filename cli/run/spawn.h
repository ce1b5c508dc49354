/* SPDX-License-Identifier: Apache-2.0 */
/* Starting the programs of a home: where they are, what they are told, where they log. */
#ifndef CLI_RUN_SPAWN_H
#define CLI_RUN_SPAWN_H

#include <sys/types.h>

#include "cli.h"
#include "run/part.h"
#include "passphrase.h"

#define SPAWN_LOG_MAX (8 << 20) /* bytes of a log before it moves to NAME.log.1 */

/* What `pcloud up` was asked for, with defaults filled in. */
struct plan {
    bool wants[PART_COUNT];
    char mount[CLI_LINE_MAX]; /* absolute */
    char mount_options[CLI_LINE_MAX];
    char s3[256], web[256];
    bool made_mount_dir; /* remove it again if nothing comes of it */
};

/** spawn_find(program, buf, cap): beside this program, in ../sbin, fs/ and gateway/ of a build tree, where it was installed, then PATH. -ENOENT. */
int spawn_find(const char *program, char *buf, size_t cap);

/** spawn_log_open(home, name): log/${name}.log, appending; a file above SPAWN_LOG_MAX is moved aside first. A descriptor or -errno. */
int spawn_log_open(struct pc_home *home, const char *name);

/** spawn_log_trim(home, name): copy a log above SPAWN_LOG_MAX to ${name}.log.1 and truncate it under its writer. */
void spawn_log_trim(struct pc_home *home, const char *name);

/** spawn_log_reason(home, name, from, buf, cap): the text of the last line since offset ${from}, without time, level and program; "" if none. */
void spawn_log_reason(struct pc_home *home, const char *name, off_t from, char *buf, size_t cap);

/** spawn_part(home, kind, plan, way, ret_log_from): start a part's program; its pid or a negative code. */
pid_t spawn_part(struct pc_home *home, enum part_kind kind, const struct plan *plan,
                 const struct passphrase_way *way, off_t *ret_log_from);

/** spawn_gc(home, way): start `pcloud gc --quiet` at low priority; its pid or a negative code. */
pid_t spawn_gc(struct pc_home *home, const struct passphrase_way *way);

#endif
