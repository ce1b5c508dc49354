/* SPDX-License-Identifier: Apache-2.0 */
/* The files under run/: what the supervisor and the parts say about themselves. */
#ifndef CLI_RUN_STATE_H
#define CLI_RUN_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "cli.h"
#include "run/part.h"

#define RUN_SUPERVISOR "run/supervisor.json"
#define RUN_VOLUME "run/volume.json"
#define RUN_GC "run/gc.json"
#define RUN_LOCK "supervisor" /* pc_home_lock's name of the supervisor's lock */

/* What the supervisor says of one part. */
struct run_part {
    enum part_state state;
    char reason[CLI_LINE_MAX];
    pid_t pid;                /* 0: none */
    uint64_t born;            /* its start time, against reuse of pids */
    char where[CLI_LINE_MAX]; /* mount: path. gateway: address of s3 */
    char web[CLI_LINE_MAX];   /* gateway */
};

struct run_supervisor {
    pid_t pid;
    uint64_t born;
    bool wants[PART_COUNT];
    struct run_part parts[PART_COUNT];
};

/** run_write(home, name, value): replace a file under run/ atomically (not durably: it means nothing after a reboot). Drops ${value}. */
int run_write(struct pc_home *home, const char *name, json_t *value);

/** run_read(home, name): its content as a JSON object, NULL if there is none or it is malformed. The caller drops it. */
json_t *run_read(struct pc_home *home, const char *name);

/** run_remove(home, name): remove the file; none is fine. */
void run_remove(struct pc_home *home, const char *name);

/** run_born(pid): the start time of a live process in clock ticks since boot, 0 if there is none (a zombie counts as none). */
uint64_t run_born(pid_t pid);

/** run_supervisor_save(home, s), run_supervisor_load(home, s): the supervisor's file; load returns -ENOENT if there is none. */
int run_supervisor_save(struct pc_home *home, const struct run_supervisor *s);
int run_supervisor_load(struct pc_home *home, struct run_supervisor *s);

/** run_supervisor_alive(home): does the supervisor that wrote the file still run? */
bool run_supervisor_alive(struct pc_home *home);

/** run_part_file(part): "run/mount.json", written by the part itself. */
const char *run_part_file(enum part_kind part);

/** run_part_read(home, part, ret): what the part wrote: pid, where, web. -ENOENT if it wrote nothing. */
int run_part_read(struct pc_home *home, enum part_kind part, struct run_part *ret);

/** run_note_volume(home, v): keep the volume's id and count of damaged reads for `status` without the passphrase. */
int run_note_volume(struct pc_home *home, struct pc_volume *v);

#endif
