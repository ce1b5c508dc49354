/* SPDX-License-Identifier: Apache-2.0 */
/* The process: home, volume, sockets, signals, and the order in which they come and go. */
#ifndef GATEWAY_SERVER_H
#define GATEWAY_SERVER_H

#include "opts.h"

/** server_run(o): serve until SIGTERM or SIGINT. 0 after a clean end, else a code with a message. */
int server_run(const struct opts *o);

#endif
