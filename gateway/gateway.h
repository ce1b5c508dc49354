/* SPDX-License-Identifier: Apache-2.0 */
/* What every request of the gateway shares. */
#ifndef GATEWAY_H
#define GATEWAY_H

struct gateway { /* all borrowed; set before the first request */
    struct pc_volume *volume;
    struct workers *pool; /* for a second thread of one request */
    const char *region;   /* that clients sign for */
    const char *domain;   /* of bucket.domain addressing; "" is off */
    enum gateway_sigv2 { SIGV2_OFF, SIGV2_URL, SIGV2_ON } sigv2; /* where Signature V2 counts */
};

#endif
