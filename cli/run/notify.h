/* SPDX-License-Identifier: Apache-2.0 */
/* Telling systemd how we are. */
#ifndef CLI_RUN_NOTIFY_H
#define CLI_RUN_NOTIFY_H

/** notify_systemd(state): send ${state} ("READY=1") to $NOTIFY_SOCKET, if there is one. */
void notify_systemd(const char *state);

#endif
