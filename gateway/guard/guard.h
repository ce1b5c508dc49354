/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps the gateway small and answering: limits of connections and rates, and the hosts it answers for. */
#ifndef GATEWAY_GUARD_H
#define GATEWAY_GUARD_H

#include "guard/conn.h"

#include <stdbool.h>
#include <stdint.h>

struct guard;
struct metrics;
struct pc_config;
struct s3;

/** guard_start(config, domain, m, ret): ${domain}: its hosts are ours as well; copied. ${m} outlives it. */
int guard_start(const struct pc_config *config, const char *domain, struct metrics *m,
                struct guard **ret);
/** guard_reload(g, config): limits and rates from now on; the hosts stay. */
void guard_reload(struct guard *g, const struct pc_config *config);
/** guard_stop(g): after the servers. NULL is legal. */
void guard_stop(struct guard *g);

/** guard_conns(g): the connections; NULL for NULL. */
struct conns *guard_conns(struct guard *g);

/** guard_host(g, host): do we answer for that Host header? Without a list for any. NULL: there was none. ${g} NULL is legal. */
bool guard_host(struct guard *g, const char *host);
/** host_listed(list, host): is the name, without its port, in the list ("a.example, *.b.example, 10.0.0.1, [::1]")? */
bool host_listed(const char *list, const char *host);
/** host_is_local(host): does it name this machine: localhost, 127.…, [::1]? */
bool host_is_local(const char *host);

/* rates of S3 requests (slow.c) */
/** guard_address(s), guard_key(s): one more request of the connection's address, of the access key that signed. S3_EBUSY: too many. */
int guard_address(struct s3 *s);
int guard_key(struct s3 *s);
/** guard_moved(s, bytes): so many went in and out for them. */
void guard_moved(struct s3 *s, uint64_t bytes);

/** guard_take_address(g, address, wait), guard_take_key(g, key, wait): rate_take() of either. */
bool guard_take_address(struct guard *g, uint64_t address, unsigned *ret_wait);
bool guard_take_key(struct guard *g, const char *key, unsigned *ret_wait);
/** guard_charge(g, address, key, bytes): rate_charge() of both; ${key} "" for none. */
void guard_charge(struct guard *g, uint64_t address, const char *key, uint64_t bytes);

#endif
