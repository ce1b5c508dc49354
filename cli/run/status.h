/* SPDX-License-Identifier: Apache-2.0 */
/* The state of every part and the reason for it, as text and as the contract's JSON. */
#ifndef CLI_RUN_STATUS_H
#define CLI_RUN_STATUS_H

#include "cli.h"
#include "run/state.h"

#define STATUS_NO_NODE "this build has no node yet"

struct status {
    char volume_id[33];
    const char *volume_state;
    char volume_reason[CLI_LINE_MAX];
    bool supervised; /* a supervisor runs */
    struct run_part parts[PART_COUNT];
    bool tls; /* the gateway speaks HTTPS */
};

/** status_get(c, look_inside, s): collect; with ${look_inside} the volume is opened if its passphrase is at hand. Never asks for it. */
int status_get(struct cli *c, bool look_inside, struct status *s);

/** status_url(s, address, buf, cap): "http://127.0.0.1:9800" of a gateway's address, "" for none. */
const char *status_url(const struct status *s, const char *address, char *buf, size_t cap);

/** status_json(c, s): the object of the contract; NULL if out of memory. */
json_t *status_json(struct cli *c, const struct status *s);

/** status_print_up(c, note): what `pcloud up` says at the end; ${note} may be NULL. */
int status_print_up(struct cli *c, const char *note);

#endif
