/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that are open, and the thread that ends those on which the client hardly moves. */
#ifndef GATEWAY_CONN_H
#define GATEWAY_CONN_H

#include <stdbool.h>
#include <stdint.h>

struct conns;
struct conn;
struct metrics;
struct sockaddr;

struct conns_limits { /* 0: none */
    unsigned per_address;
    unsigned head_s; /* for a whole request head; and the span over which slowness is judged */
    unsigned idle_s; /* more of it on a connection that waits for its next request */
    uint64_t rate;   /* bytes a second that a body or reply must move */
};

/* What a connection waits for. */
enum conn_phase {
    CONN_IDLE,  /* a request */
    CONN_HEAD,  /* the rest of its head */
    CONN_BODY,  /* its body: the client moves */
    CONN_WORK,  /* us */
    CONN_REPLY, /* the client takes the reply */
};

int conns_start(struct metrics *m, struct conns **ret);
/** conns_set(s, limits): from now on. */
void conns_set(struct conns *s, const struct conns_limits *limits);
/** conns_stop(s): no connection may be left. NULL is legal. */
void conns_stop(struct conns *s);

/** conns_address(s, sa): a hash of the address (of IPv6 its /64), never 0. */
uint64_t conns_address(const struct conns *s, const struct sockaddr *sa);
/** conns_admit(s, address): may it have one more connection? */
bool conns_admit(struct conns *s, uint64_t address);
/** conns_begin(s, fd, address, ret): it is open. ${fd} stays the caller's, and open until conns_end. -ENOMEM. */
int conns_begin(struct conns *s, int fd, uint64_t address, struct conn **ret);
void conns_end(struct conns *s, struct conn *c);
/** conns_count(s): how many there are. */
unsigned conns_count(const struct conns *s);

/** conn_phase(c, phase): something else is waited for; from any thread. NULL is legal. */
void conn_phase(struct conn *c, enum conn_phase phase);
/** conn_address(c): of conns_begin; 0 for NULL. */
uint64_t conn_address(const struct conn *c);

#endif
