/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request and its reply, as everything above httpd sees them. */
#ifndef GATEWAY_REQ_H
#define GATEWAY_REQ_H

#include "auth/sigv4.h"
#include "buf.h"
#include "uri.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define REQ_HEADERS_MAX 96
#define REQ_LENGTH_NONE UINT64_MAX
#define REQ_SCRATCH_MAX (1u << 20) /* bytes of req_alloc for one request */
#define REQ_REPLY_MAX (16u << 20)  /* bytes of a reply held in memory */

struct
    req_source { /* where a reply's body comes from, if not from memory; used by one thread at a time */
    ssize_t (*read)(void *arg, void *buf, size_t len, uint64_t off);
    /* May be NULL: the same without waiting; may be fewer bytes. -EAGAIN if it would wait, or if anything is wrong: read tells it. */
    ssize_t (*read_now)(void *arg, void *buf, size_t len, uint64_t off);
    void (*close)(void *arg);
    void *arg;
};

struct req {
    /* the request */
    const char *method;
    const char *target; /* as it came */
    struct uri uri;     /* slices of target */
    struct header headers[REQ_HEADERS_MAX];
    size_t header_count;
    char peer[64];
    uint64_t address; /* a hash of the peer's; 0: unknown */
    const char *tls;  /* the protocol's version, or NULL */
    uint64_t length;  /* Content-Length or REQ_LENGTH_NONE */
    enum req_scheme { REQ_HTTP, REQ_HTTPS } scheme;
    bool head;    /* the method is HEAD */
    bool chunked; /* Transfer-Encoding: chunked */
    bool expect;  /* Expect: 100-continue */
    struct timespec begun;
    uint64_t received; /* bytes of body */
    void *app;         /* of whoever answers */
    bool by_s3;        /* ... which is S3, for the web address */

    /* the reply */
    unsigned status;
    struct buf reply_headers; /* "name\0value\0…" */
    struct buf reply_body;
    struct req_source source; /* .read not NULL: the body, reply_length bytes from reply_offset */
    uint64_t reply_offset, reply_length;
    bool close; /* end the connection afterwards */

    struct req_block *scratch;
    size_t scratch_used;
};

/** req_init(r), req_fini(r): everything a request owns. */
void req_init(struct req *r);
void req_fini(struct req *r);

/** req_header(r, name): the first value, or NULL. */
const char *req_header(const struct req *r, const char *name);

/** req_alloc(r, size): zeroed memory that lives as long as the request; NULL if there is none or over REQ_SCRATCH_MAX. */
void *req_alloc(struct req *r, size_t size);
/** req_dup(r, data, len): a copy with a NUL; req_print: formatted. NULL as req_alloc. */
char *req_dup(struct req *r, const void *data, size_t len);
char *req_print(struct req *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** req_reply_header(r, name, value): add a header of the reply; control characters become spaces. */
void req_reply_header(struct req *r, const char *name, const char *value);
void req_reply_headerf(struct req *r, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/** req_reply_reset(r): forget what was said so far. */
void req_reply_reset(struct req *r);

/* Who answers requests. For one request never two of these run at once; all but end may block. */
struct req_app {
    /* head: everything but the body is known. 0: go on; negative: the reply is set. */
    int (*head)(void *ctx, struct req *r);
    /* data: the next bytes of the body. 0, or negative: the reply is set and the rest of the body is dropped. */
    int (*data)(struct req *r, const void *data, size_t len);
    /* finish: the body is whole: set the reply. */
    void (*finish)(struct req *r);
    /* fail: the reply that was set cannot be made (its source fails at once, no memory): set another. */
    void (*fail)(struct req *r, int rc);
    /* end: the reply was sent (or never will be): free r->app. */
    void (*end)(struct req *r, bool sent, uint64_t bytes);
};

#endif
