/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules of a bucket allow the page that a request comes from. */
#ifndef GATEWAY_CORS_H
#define GATEWAY_CORS_H

/* All of the request's memory. */
struct cors_reply {
    const char *origin; /* NULL: nothing */
    const char *methods, *headers, *exposed, *age;
};

#endif
