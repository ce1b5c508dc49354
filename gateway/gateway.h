/* SPDX-License-Identifier: Apache-2.0 */
/* What every request of the gateway shares. */
#ifndef GATEWAY_H
#define GATEWAY_H

#include <stdbool.h>
#include <time.h>

struct gateway { /* all borrowed; set before the first request */
    struct pc_volume *volume;
    struct workers *pool; /* for a second thread of one request */
    const char *region;   /* that clients sign for */
    const char *domain;   /* of bucket.domain addressing; "" is off */
    struct metrics *metrics;
    struct guard *guard;
    bool web_buckets;    /* public ones are pages at the web address */
    struct audit *audit; /* NULL: off */
    bool audit_refuses;  /* no request without a line */
    time_t started;
    const char *metrics_path; /* where the web address shows them */
    enum gateway_metrics { METRICS_NOBODY, METRICS_LOCAL, METRICS_ANY } metrics_for;
    enum gateway_sigv2 { SIGV2_OFF, SIGV2_URL, SIGV2_ON } sigv2; /* where Signature V2 counts */
    const char *kms_keys; /* names of keys that aws:kms may ask for; "*": any */
    /* where clients may send keys of their own without TLS */
    enum gateway_customer_http {
        CUSTOMER_HTTP_LOOPBACK,
        CUSTOMER_HTTP_OFF,
        CUSTOMER_HTTP_ON
    } customer_http;
};

#endif
