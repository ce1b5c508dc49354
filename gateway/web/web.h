/* SPDX-License-Identifier: Apache-2.0 */
/* The web address: a status page and a health check. */
#ifndef GATEWAY_WEB_H
#define GATEWAY_WEB_H

#include "req.h"

extern const struct req_app web_app; /* its ctx is a struct gateway */

#endif
