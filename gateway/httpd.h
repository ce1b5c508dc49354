/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: libmicrohttpd behind requests, bodies and replies. Only httpd*.c know it. */
#ifndef GATEWAY_HTTPD_H
#define GATEWAY_HTTPD_H

#include "workers.h"
#include "req.h"

#include <stdbool.h>

struct httpd;

struct httpd_options {
    int listen_fd;             /* bound and listening; taken */
    const char *cert, *key;    /* PEM text; NULL: plain HTTP */
    unsigned threads;          /* that poll */
    unsigned connections;      /* served at once */
    unsigned timeout;          /* seconds without a byte */
    struct workers *pool;      /* where the app runs; outlives the server */
    const struct req_app *app; /* outlives the server */
    void *ctx;                 /* of app->head */
    struct guard *guard;       /* outlives the server; may be NULL */
    bool admit_all;            /* however many connections an address has */
};

/** httpd_start(o, ret): serve. PC_EFORMAT if the certificate or key is not usable. */
int httpd_start(const struct httpd_options *o, struct httpd **ret);

/** httpd_reload(h, cert, key): new connections get another certificate; those that are open go on. The old one stays on failure. */
int httpd_reload(struct httpd *h, const char *cert, const char *key);

/** httpd_stop(h, wait_ms): take no new connections, wait for the requests in progress, cut the rest, free. NULL is legal. */
void httpd_stop(struct httpd *h, unsigned wait_ms);

/** httpd_requests(h): requests answered since the start. */
unsigned long httpd_requests(const struct httpd *h);

#endif
