/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the configuration that guards the gateway and shows what it does; in the table of config.h. */
#ifndef PCLOUD_CONFIG_GATEWAY_H
#define PCLOUD_CONFIG_GATEWAY_H

/* Columns as of PC_CONFIG_TABLE. */
#define PC_CONFIG_GATEWAY_TABLE(X)                                                                 \
    X(WEB_METRICS, "web.metrics", PC_CONFIG_ENUM, "local", 0, 0, "off local any",                  \
      "Who may read the figures at the web address: nobody, this machine, everybody.")             \
    X(WEB_METRICS_PATH, "web.metrics_path", PC_CONFIG_STRING, "/metrics", 1, 255, "",              \
      "Where they are (OpenMetrics).")

#endif
