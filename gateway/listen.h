/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets by "ADDR:PORT". */
#ifndef GATEWAY_LISTEN_H
#define GATEWAY_LISTEN_H

#include <stddef.h>

#define LISTEN_URL_MAX 128

/** listen_open(spec, ret_fd): "ADDR:PORT", "[v6]:PORT" or ":PORT" (every address); port 0 takes a free one. PC_EUSAGE, -EADDRINUSE with a message. */
int listen_open(const char *spec, int *ret_fd);

/** listen_url(fd, scheme, out): how a client on this machine reaches the socket. */
int listen_url(int fd, const char *scheme, char out[LISTEN_URL_MAX]);

#endif
