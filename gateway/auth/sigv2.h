/* SPDX-License-Identifier: Apache-2.0 */
/* AWS Signature Version 2, as old clients, presigned URLs and forms still use it. */
#ifndef GATEWAY_SIGV2_H
#define GATEWAY_SIGV2_H

#include "auth/sigv4.h"
#include "buf.h"
#include "uri.h"

#include <stddef.h>

#define SIGV2_SIGNATURE_MAX 29 /* base64 of 20 bytes, and NUL */
#define SIGV2_TEXT_MAX 65536

struct sigv2_request {
    const char *method;
    const char *bucket; /* that the host names, or "" */
    const char *path;   /* as it came */
    size_t path_len;
    bool slash; /* sign the path with one more "/": of a bucket, as some do */
    const struct uri_query *query;
    const struct header *headers;
    size_t header_count;
    const char *expires; /* of a presigned URL, else NULL */
};

/** sigv2_text(r, out): append what is signed. PC_ELIMIT, -ENOMEM. */
int sigv2_text(const struct sigv2_request *r, struct buf *out);

/** sigv2_sign(secret, text, len, out): base64 of the signature; -ENOMEM. */
int sigv2_sign(const char *secret, const void *text, size_t len, char out[SIGV2_SIGNATURE_MAX]);

struct s3;
/** sigv2_asks(s): does the request carry such a signature, where the configuration lets it count? */
bool sigv2_asks(const struct s3 *s);
/** sigv2_authenticate(s): as s3_authenticate. */
int sigv2_authenticate(struct s3 *s);

#endif
