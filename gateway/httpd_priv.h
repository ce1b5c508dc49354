/* SPDX-License-Identifier: Apache-2.0 */
/* What httpd.c, httpd_body.c and httpd_reply.c share. */
#ifndef GATEWAY_HTTPD_PRIV_H
#define GATEWAY_HTTPD_PRIV_H

#include "guard/guard.h"
#include "httpd.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#define POOL_BYTES                                                                                 \
    (64u << 10) /* of a connection: request head, read buffer, reply head; wiped for each request */
#define BODY_SMALL (64u << 10)  /* bodies up to this are collected first and served by one job */
#define BODY_RING (1u << 20)    /* bytes of a longer one that may wait for a worker */
#define BODY_PIECE (256u << 10) /* bytes of it given to the app at once, if there are so many */
#define BODY_START (128u << 10) /* from here on a worker begins */
#define BODY_DRAIN                                                                                 \
    (16u << 20) /* bytes of a refused body that are read and dropped before the connection is cut */
#define REPLY_WHOLE (512u << 10) /* replies up to this are read first and leave in one write */
#define REPLY_RING (2u << 20) /* bytes of a longer one that are read ahead, where reading waits */
#define REPLY_BLOCK (256u << 10) /* bytes of it read, and sent, at once */
#define REPLY_FEW 4u             /* with no more requests than this at work */
#define REPLY_LARGE (1u << 20)   /* ... so much: fewer turns of the library for it */
#define REPLY_SLOW (8u << 20)    /* the most that is read ahead before trying without */
#define REPLY_MANY 32u           /* with more requests than this at work */
#define REPLY_LEAST (256u << 10) /* ... only so much is read ahead */

struct server { /* one libmicrohttpd daemon; a reload starts another on the same socket */
    struct httpd *httpd;
    struct MHD_Daemon *daemon;
    struct server *next;
    int fd; /* the listening socket */
    enum req_scheme scheme;
    atomic_uint active;   /* exchanges alive */
    atomic_uint busy;     /* callbacks and jobs running */
    atomic_bool stopping; /* callbacks cut their connections */
};

struct httpd {
    struct httpd_options options;
    struct server *servers; /* the newest first */
    pthread_mutex_t lock;   /* of idle */
    pthread_cond_t idle;    /* a request ended */
    atomic_bool draining;   /* replies end their connections */
    atomic_ulong requests;
};

enum phase {
    PHASE_HEAD,    /* nothing was decided */
    PHASE_BEGIN,   /* app->head runs before the body is asked for */
    PHASE_BODY,    /* the body comes */
    PHASE_DISCARD, /* the reply is set, the rest of the body is dropped */
    PHASE_FINISH,  /* app->finish runs */
    PHASE_REPLY,   /* the reply was queued */
};

enum job_state {
    JOB_IDLE,
    JOB_RUNNING,
    JOB_AWAITED /* the connection is suspended until the job ends */
};

#define RING_SMALL REPLY_WHOLE /* up to this malloc is used, above mmap */
#define RING_MAX REPLY_RING
_Static_assert(BODY_RING <= RING_MAX && REPLY_LEAST <= RING_MAX, "a ring has room for both uses");
struct ring { /* bytes between the polling thread and a worker: one puts in, the other takes out */
    char *data;
    size_t cap;
    bool mapped;
    atomic_ullong in, out; /* bytes since the start; each is changed by one side only */
};

struct exchange {   /* a request and its reply on a connection */
    struct req req; /* first */
    struct server *server;
    struct MHD_Connection *connection;
    struct conn *conn; /* the guard's; may be NULL */
    enum phase phase;
    atomic_uint refs; /* the connection's and a running job's */
    atomic_int job_state;
    struct worker_job job;
    bool started; /* app->head was called */
    bool failed;  /* the reply is set by head or data: feed nothing more */
    bool sent;    /* the reply went out whole */
    uint64_t dropped, replied;
    struct ring ring; /* of the body; then of the reply */
    size_t block;     /* bytes of the reply read, and sent, at once */
    uint64_t slow;    /* bytes that the ring brings when reading would wait: more each time */
    uint64_t until;   /* what of the reply comes by the ring */
    int source_error; /* of the reply; valid while no job runs */
    char method[16];
    char target[];
};

/* httpd.c */
void exchange_unref(struct exchange *x);
/** exchange_run(x, fn, wait): run ${fn} on a worker; with ${wait} the connection is suspended until it ends. */
enum exchange_wait { EXCHANGE_GO_ON, EXCHANGE_WAIT };
void exchange_run(struct exchange *x, void (*fn)(struct worker_job *job), enum exchange_wait wait);
/** exchange_done(x): the end of every job: wakes the connection if it waits. */
void exchange_done(struct exchange *x);
/** exchange_await(x): suspend the connection until the running job ends: the callback comes again then. */
void exchange_await(struct exchange *x);
/** exchange_wake(x): a connection that waits goes on before the job ends. From the job, or right after exchange_await. */
void exchange_wake(struct exchange *x);
struct exchange *exchange_of(struct worker_job *job);
/** server_enter(s), server_leave(s): around every callback: httpd_stop waits until none is inside. */
void server_enter(struct server *s);
void server_leave(struct server *s);

/* httpd_ring.c */
/** ring_alloc(g, cap): empty, with room for ${cap} bytes (up to RING_MAX) or more; -ENOMEM. */
int ring_alloc(struct ring *g, size_t cap);
/** ring_free(g): as new. */
void ring_free(struct ring *g);
/** ring_take(g): the memory of a ring of up to RING_SMALL bytes, for free(). */
char *ring_take(struct ring *g);
/** ring_there(g), ring_room(g): bytes in it; bytes that fit. Seen from one side, the other can only have made it more. */
size_t ring_there(const struct ring *g);
size_t ring_room(const struct ring *g);

/* httpd_body.c */
/** body_begin(x): the head is complete: decide how the body is taken. */
enum MHD_Result body_begin(struct exchange *x);
/** body_data(x, data, size): some of it; *size becomes what is left. */
enum MHD_Result body_data(struct exchange *x, const char *data, size_t *size);
/** body_end(x): all of it was given to body_data. */
enum MHD_Result body_end(struct exchange *x);

/* httpd_reply.c */
/** reply_refuse(x, status, text): an answer of ours to what is no proper request; the connection ends. */
enum MHD_Result reply_refuse(struct exchange *x, unsigned status, const char *text);
/** reply_prepare(x): on a worker, after the app: read the first block of the body. */
void reply_prepare(struct exchange *x);
/** reply_send(x): queue it. */
enum MHD_Result reply_send(struct exchange *x);

#endif
