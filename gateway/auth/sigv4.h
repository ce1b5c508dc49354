/* SPDX-License-Identifier: Apache-2.0 */
/* AWS Signature Version 4: reading a signature from a request, and computing what it must be. */
#ifndef GATEWAY_SIGV4_H
#define GATEWAY_SIGV4_H

#include "buf.h"
#include "uri.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define SIGV4_ALGORITHM "AWS4-HMAC-SHA256"
#define SIGV4_SIGNED_MAX 64      /* signed headers of a request */
#define SIGV4_EXPIRES_MAX 604800 /* seconds a presigned URL may live */
#define SIGV4_CANONICAL_MAX 65536

struct header { /* of a request; both borrowed */
    const char *name, *value;
};

struct sigv4 { /* slices are NUL-terminated copies */
    char access_key[129];
    char date[9]; /* of the scope */
    char region[65];
    char service[17];
    char signature[65]; /* lower-case hex */
    char time[17];      /* "20130524T000000Z" */
    time_t when;
    bool presigned;
    long expires; /* seconds; of a presigned URL */
    char signed_headers[1024];
};

enum sigv4_fault { /* what is wrong with the form; the caller words it for S3 */
                   SIGV4_OK,
                   SIGV4_MALFORMED,   /* cannot be read at all */
                   SIGV4_CREDENTIAL,  /* not KEY/DATE/REGION/SERVICE/aws4_request */
                   SIGV4_DATE,        /* no date, or not a date */
                   SIGV4_SCOPE_DATE,  /* the scope's day is not the request's */
                   SIGV4_EXPIRES,     /* X-Amz-Expires is no number of 1 … 604800 */
                   SIGV4_INCOMPLETE,  /* a presigned URL lacks a parameter */
                   SIGV4_UNSUPPORTED, /* another algorithm */
};

/** sigv4_from_header(authorization, amz_date, date, ret): ${amz_date}, ${date}: the headers' values or NULL. */
enum sigv4_fault sigv4_from_header(const char *authorization, const char *amz_date,
                                   const char *date, struct sigv4 *ret);

/** sigv4_from_query(query, ret): from the X-Amz-… parameters of a presigned URL. */
enum sigv4_fault sigv4_from_query(const struct uri_query *query, struct sigv4 *ret);

/** sigv4_signs(sig, name): is the header (lower case) among the signed ones? */
bool sigv4_signs(const struct sigv4 *sig, const char *name);

struct sigv4_request {
    const char *method;
    struct uri uri; /* as it came */
    const struct header *headers;
    size_t header_count;
    const char *payload; /* x-amz-content-sha256, or "UNSIGNED-PAYLOAD" */
    bool raw_path;       /* take the path as it came instead of coding it anew */
};

/** sigv4_canonical(sig, request, out): append the canonical request. PC_EFORMAT (bad coding, a signed header is missing), PC_ELIMIT, -ENOMEM. */
int sigv4_canonical(const struct sigv4 *sig, const struct sigv4_request *request, struct buf *out);

/** sigv4_string_to_sign(sig, canonical, out): append it. */
int sigv4_string_to_sign(const struct sigv4 *sig, const struct buf *canonical, struct buf *out);

/** sigv4_key(sig, secret, out): the signing key of the scope; the caller wipes it. */
void sigv4_key(const struct sigv4 *sig, const char *secret, unsigned char out[32]);

/** sigv4_sign(key, text, len, out): lower-case hex of the signature. */
void sigv4_sign(const unsigned char key[32], const char *text, size_t len, char out[65]);

#endif
