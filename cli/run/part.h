/* SPDX-License-Identifier: Apache-2.0 */
/* One supervised part as a step function: events in, with the time inside; what is due next out. No I/O. */
#ifndef CLI_RUN_PART_H
#define CLI_RUN_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PART_REASON_MAX 512
#define PART_BACKOFF_MIN_MS 100
#define PART_BACKOFF_MAX_MS 30000
#define PART_PROBE_STARTING_MS 30  /* between looks at a part that starts */
#define PART_PROBE_RUNNING_MS 5000 /* between looks at a part that runs */
#define PART_SILENT_MAX 3          /* looks without an answer before it is degraded */
#define PART_START_MAX_MS 120000   /* a part that has not answered by then has failed to start */

enum part_kind { PART_MOUNT, PART_GATEWAY, PART_COUNT };

/*
 *            spawned            answered
 *   WAITING ---------> STARTING ---------> OK <-----> DEGRADED   (silent, answered)
 *      ^                  |                |              |
 *      |     exited       v     exited     |    exited    |
 *      +---------------------------------------------------      and STOPPED from everywhere
 *
 *   FAILED: exited, or silent for too long, before it answered for the first time.
 */
enum part_state {
    PART_OFF,
    PART_WAITING,
    PART_STARTING,
    PART_OK,
    PART_DEGRADED,
    PART_FAILED,
    PART_STATE_COUNT
};

enum part_event {
    PART_EV_WANTED,   /* shall run */
    PART_EV_SPAWNED,  /* a process was started */
    PART_EV_ANSWERED, /* it answered a probe */
    PART_EV_SILENT,   /* it did not; ${why} says how */
    PART_EV_EXITED,   /* the process ended, or could not be started; ${why} says how */
    PART_EV_STOPPED   /* shall run no more */
};

struct part {
    enum part_state state;
    char reason[PART_REASON_MAX];
    bool answered;         /* ever since it was wanted */
    unsigned failures;     /* ends since the last answer */
    unsigned silent;       /* probes without an answer since the last one */
    uint64_t restarts;     /* in all */
    int64_t started_ms;    /* of the present process */
    int64_t next_spawn_ms; /* WAITING: when */
    int64_t next_probe_ms; /* STARTING, OK, DEGRADED: when */
};

enum part_due { PART_DUE_NOTHING, PART_DUE_SPAWN, PART_DUE_PROBE };

/** part_step(p, event, why, now_ms): the one place where a part's state changes. ${why} may be NULL; it is copied. */
void part_step(struct part *p, enum part_event event, const char *why, int64_t now_ms);

/** part_due(p, now_ms, ret_in_ms): what is to be done now; if nothing, *ret_in_ms says in how many milliseconds to ask again (-1: never). */
enum part_due part_due(const struct part *p, int64_t now_ms, int64_t *ret_in_ms);

/** part_backoff_ms(failures): the wait before the next start: 100 ms doubling up to 30 s. */
int64_t part_backoff_ms(unsigned failures);

/** part_state_name(state), part_state_parse(text): the contract's words; parse returns PART_OFF for unknown ones. */
const char *part_state_name(enum part_state state);
enum part_state part_state_parse(const char *text);

/** part_name(kind): "mount", "gateway". */
const char *part_name(enum part_kind kind);

#endif
