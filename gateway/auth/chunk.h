/* SPDX-License-Identifier: Apache-2.0 */
/* Decoders of aws-chunked bodies: signed, signed with a trailer, unsigned with a trailer. No I/O: bytes in, bytes out. */
#ifndef GATEWAY_CHUNK_H
#define GATEWAY_CHUNK_H

#include "auth/sigv4.h"

#include <stdint.h>

#define CHUNK_LINE_MAX 1024
#define CHUNK_TRAILERS_MAX 4

enum chunk_kind { CHUNK_SIGNED, CHUNK_SIGNED_TRAILER, CHUNK_UNSIGNED_TRAILER };

enum chunk_state {
    CHUNK_HEAD,    /* in the line before the data */
    CHUNK_DATA,    /* left bytes of data are to come */
    CHUNK_CR,      /* after the data */
    CHUNK_LF,      /*   "    "    "  */
    CHUNK_TRAILER, /* in a line after the last chunk */
    CHUNK_LAST_CR, /* the empty line after the last chunk without trailers */
    CHUNK_LAST_LF,
    CHUNK_END,
};

struct chunk {
    enum chunk_kind kind;
    enum chunk_state state;
    int error; /* sticky */
    uint64_t expected, received, left;
    char line[CHUNK_LINE_MAX + 1];
    size_t line_len;
    const struct sigv4 *sig; /* borrowed */
    unsigned char key[32];
    char previous[65], given[65];
    struct pc_digest *digest;
    unsigned trailers, blanks;
    bool trailer_signed;
    struct {
        char name[65], value[129];
    } trailer[CHUNK_TRAILERS_MAX];
};

/** chunk_init(c, kind, sig, key, expected): ${expected}: x-amz-decoded-content-length. ${sig} and ${key} may be NULL for the unsigned kind. -ENOMEM. */
int chunk_init(struct chunk *c, enum chunk_kind kind, const struct sigv4 *sig,
               const unsigned char key[32], uint64_t expected);
void chunk_fini(struct chunk *c);

/**
 * chunk_feed(c, data, len, sink, arg): decode; ${sink} gets the content (before the chunk's signature could be checked: use it only
 * after chunk_end). Returns 0, what ${sink} returned, or S3_ECHUNK, S3_ESIGNATURE, S3_ETRAILER, S3_EINCOMPLETE; the first error stays.
 */
int chunk_feed(struct chunk *c, const void *data, size_t len,
               int (*sink)(void *arg, const void *data, size_t len), void *arg);

/** chunk_end(c): the body is over: was it whole? */
int chunk_end(struct chunk *c);

/** chunk_trailer(c, name): a trailer's value, or NULL. */
const char *chunk_trailer(const struct chunk *c, const char *name);

#endif
