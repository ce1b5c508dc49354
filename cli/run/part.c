/* SPDX-License-Identifier: Apache-2.0 */
/* One supervised part as a step function. */
#include "run/part.h"

#include <stdio.h>
#include <string.h>

static const char *const state_names[PART_STATE_COUNT] = {"off", "waiting",  "starting",
                                                          "ok",  "degraded", "failed"};

const char *part_state_name(enum part_state state)
{
    return state < PART_STATE_COUNT ? state_names[state] : "failed";
}

enum part_state part_state_parse(const char *text)
{
    for (int s = 0; s < PART_STATE_COUNT; s++)
        if (strcmp(text, state_names[s]) == 0)
            return (enum part_state)s;
    return PART_OFF;
}

const char *part_name(enum part_kind kind)
{
    return kind == PART_MOUNT ? "mount" : "gateway";
}

int64_t part_backoff_ms(unsigned failures)
{
    int64_t ms = PART_BACKOFF_MIN_MS;

    while (failures-- > 1 && ms < PART_BACKOFF_MAX_MS)
        ms *= 2;
    return ms < PART_BACKOFF_MAX_MS ? ms : PART_BACKOFF_MAX_MS;
}

static void on_exited(struct part *p, const char *why, int64_t now_ms)
{
    p->silent = 0;
    if (!p->answered) {
        p->state = PART_FAILED;
        snprintf(p->reason, sizeof p->reason, "%s", why);
        return;
    }
    p->failures++;
    p->restarts++;
    p->next_spawn_ms = now_ms + part_backoff_ms(p->failures);
    p->state = PART_WAITING;
    snprintf(p->reason, sizeof p->reason, "%s; starts again in %.1f s", why,
             (double)part_backoff_ms(p->failures) / 1000);
}

static void on_silent(struct part *p, const char *why, int64_t now_ms)
{
    p->next_probe_ms = now_ms + PART_PROBE_STARTING_MS;
    if (p->state == PART_STARTING) {
        if (now_ms - p->started_ms < PART_START_MAX_MS)
            return;
        p->state = p->answered ? PART_DEGRADED : PART_FAILED;
        snprintf(p->reason, sizeof p->reason, "no answer for %d s: %s", PART_START_MAX_MS / 1000,
                 why);
        return;
    }
    p->silent++;
    if (p->silent < PART_SILENT_MAX)
        return;
    p->next_probe_ms = now_ms + PART_PROBE_RUNNING_MS;
    p->state = PART_DEGRADED;
    snprintf(p->reason, sizeof p->reason,
             "runs but does not answer: %s; `pcloud down` and `pcloud up` restart it", why);
}

void part_step(struct part *p, enum part_event event, const char *why, int64_t now_ms)
{
    why = why ? why : "";
    switch (event) {
    case PART_EV_WANTED:
        *p = (struct part){
            .state = PART_WAITING, .reason = "about to start", .next_spawn_ms = now_ms};
        break;
    case PART_EV_SPAWNED:
        p->state = PART_STARTING;
        p->started_ms = now_ms;
        p->next_probe_ms = now_ms + PART_PROBE_STARTING_MS;
        snprintf(p->reason, sizeof p->reason, p->restarts ? "starting again" : "starting");
        break;
    case PART_EV_ANSWERED:
        p->state = PART_OK;
        p->answered = true;
        p->failures = 0;
        p->silent = 0;
        p->next_probe_ms = now_ms + PART_PROBE_RUNNING_MS;
        snprintf(p->reason, sizeof p->reason, "answers");
        break;
    case PART_EV_SILENT:
        on_silent(p, why, now_ms);
        break;
    case PART_EV_EXITED:
        on_exited(p, why, now_ms);
        break;
    case PART_EV_STOPPED:
        p->state = PART_OFF;
        snprintf(p->reason, sizeof p->reason, "%s", *why ? why : "stopped");
        break;
    }
}

enum part_due part_due(const struct part *p, int64_t now_ms, int64_t *ret_in_ms)
{
    int64_t at;

    switch (p->state) {
    case PART_WAITING:
        at = p->next_spawn_ms;
        break;
    case PART_STARTING:
    case PART_OK:
    case PART_DEGRADED:
        at = p->next_probe_ms;
        break;
    default:
        *ret_in_ms = -1;
        return PART_DUE_NOTHING;
    }
    if (now_ms < at) {
        *ret_in_ms = at - now_ms;
        return PART_DUE_NOTHING;
    }
    *ret_in_ms = 0;
    return p->state == PART_WAITING ? PART_DUE_SPAWN : PART_DUE_PROBE;
}
