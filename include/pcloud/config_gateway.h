/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the configuration that guards the gateway and shows what it does; in the table of config.h. */
#ifndef PCLOUD_CONFIG_GATEWAY_H
#define PCLOUD_CONFIG_GATEWAY_H

/* Columns as of PC_CONFIG_TABLE. */
#define PC_CONFIG_GATEWAY_TABLE(X)                                                                 \
    X(WEB_METRICS, "web.metrics", PC_CONFIG_ENUM, "local", 0, 0, "off local any",                  \
      "Who may read the figures at the web address: nobody, this machine, everybody.")             \
    X(WEB_METRICS_PATH, "web.metrics_path", PC_CONFIG_STRING, "/metrics", 1, 255, "",              \
      "Where they are (OpenMetrics).")                                                             \
    X(WEB_BUCKETS, "web.buckets", PC_CONFIG_BOOL, "true", 0, 0, "",                                \
      "Show what everybody may read at the web address, as pages.")                                \
    X(GATEWAY_HOSTS, "gateway.hosts", PC_CONFIG_STRING, "", 0, 1023, "",                           \
      "Host names that are answered for, by commas, *.name for those below it; empty: any.")       \
    X(GATEWAY_AUDIT, "gateway.audit", PC_CONFIG_STRING, "", 0, 4095, "",                           \
      "Audit log: a file's name in the home's log folder, a path, or stderr; empty: off.")         \
    X(GATEWAY_AUDIT_FULL, "gateway.audit_full", PC_CONFIG_ENUM, "drop", 0, 0, "drop refuse",       \
      "When it cannot be written: serve on and count what is lost, or refuse requests.")           \
    X(LIMIT_CONNECTIONS, "limit.address_connections", PC_CONFIG_INT, "0", 0, 65536, "",            \
      "Connections one address may have at once; 0: any number.")                                  \
    X(LIMIT_ADDRESS_REQUESTS, "limit.address_requests", PC_CONFIG_INT, "0", 0, 1000000, "",        \
      "S3 requests a second from one address; 0: any number.")                                     \
    X(LIMIT_ADDRESS_BYTES, "limit.address_bytes", PC_CONFIG_SIZE, "0", 0, INT64_MAX, "",           \
      "Bytes a second from and to one address; 0: any number.")                                    \
    X(LIMIT_KEY_REQUESTS, "limit.key_requests", PC_CONFIG_INT, "0", 0, 1000000, "",                \
      "S3 requests a second by one access key; 0: any number.")                                    \
    X(LIMIT_KEY_BYTES, "limit.key_bytes", PC_CONFIG_SIZE, "0", 0, INT64_MAX, "",                   \
      "Bytes a second by one access key; 0: any number.")                                          \
    X(LIMIT_SLOW_TIME, "limit.slow_time", PC_CONFIG_INT, "30", 0, 3600, "",                        \
      "Seconds a request's head may take, and over which a slow body is judged; 0: any time.")     \
    X(LIMIT_SLOW_RATE, "limit.slow_rate", PC_CONFIG_SIZE, "500", 0, 1 << 30, "",                   \
      "Bytes a second that a body or reply must move at least; 0: none.")

#endif
