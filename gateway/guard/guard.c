/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of the configuration, in force. */
#include "guard/guard.h"

#include "guard/rate.h"
#include "pcloud/config.h"
#include "pcloud/digest.h"
#include "watch/metrics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOSTS_MAX 2048

struct guard {
    struct conns *conns;
    struct rate *address, *key;
    struct metrics *metrics;
    uint64_t seed;
    char hosts[HOSTS_MAX]; /* "": any */
};

static uint64_t number(const struct pc_config *config, enum pc_config_id id)
{
    return (uint64_t)pc_config_num(config, id);
}

void guard_reload(struct guard *g, const struct pc_config *config)
{
    const struct conns_limits limits = {
        .per_address = (unsigned)number(config, PC_CONFIG_LIMIT_CONNECTIONS),
        .head_s = (unsigned)number(config, PC_CONFIG_LIMIT_SLOW_TIME),
        .idle_s = (unsigned)number(config, PC_CONFIG_S3_TIMEOUT),
        .rate = number(config, PC_CONFIG_LIMIT_SLOW_RATE),
    };

    conns_set(g->conns, &limits);
    rate_set(g->address, number(config, PC_CONFIG_LIMIT_ADDRESS_REQUESTS),
             number(config, PC_CONFIG_LIMIT_ADDRESS_BYTES));
    rate_set(g->key, number(config, PC_CONFIG_LIMIT_KEY_REQUESTS),
             number(config, PC_CONFIG_LIMIT_KEY_BYTES));
}

int guard_start(const struct pc_config *config, const char *domain, struct metrics *m,
                struct guard **ret)
{
    struct guard *g = calloc(1, sizeof *g);
    const char *hosts = pc_config_str(config, PC_CONFIG_GATEWAY_HOSTS);
    int rc;

    if (!g)
        return -ENOMEM;
    g->metrics = m;
    pc_random(&g->seed, sizeof g->seed);
    if (*hosts && *domain)
        snprintf(g->hosts, sizeof g->hosts, "%s, %s, *.%s", hosts, domain, domain);
    else
        snprintf(g->hosts, sizeof g->hosts, "%s", hosts);
    rc = rate_new(&g->address);
    if (rc == 0)
        rc = rate_new(&g->key);
    if (rc == 0)
        rc = conns_start(m, &g->conns);
    if (rc < 0) {
        guard_stop(g);
        return rc;
    }
    guard_reload(g, config);
    *ret = g;
    return 0;
}

void guard_stop(struct guard *g)
{
    if (!g)
        return;
    conns_stop(g->conns);
    rate_free(g->address);
    rate_free(g->key);
    free(g);
}

struct conns *guard_conns(struct guard *g)
{
    return g ? g->conns : NULL;
}

bool guard_host(struct guard *g, const char *host)
{
    if (!g || g->hosts[0] == '\0' || (host && host_listed(g->hosts, host)))
        return true;
    metrics_count(g->metrics, METRICS_HOST_REFUSED);
    return false;
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static uint64_t who(const struct guard *g, const char *key)
{
    uint64_t h = g->seed;

    for (; *key; key++) {
        h = (h ^ (unsigned char)*key) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return h ? h : 1;
}

bool guard_take_address(struct guard *g, uint64_t address, unsigned *ret_wait)
{
    if (address == 0 || rate_take(g->address, address, now_us(), ret_wait))
        return true;
    metrics_count(g->metrics, METRICS_LIMIT_ADDRESS);
    return false;
}

bool guard_take_key(struct guard *g, const char *key, unsigned *ret_wait)
{
    if (rate_take(g->key, who(g, key), now_us(), ret_wait))
        return true;
    metrics_count(g->metrics, METRICS_LIMIT_KEY);
    return false;
}

void guard_charge(struct guard *g, uint64_t address, const char *key, uint64_t bytes)
{
    int64_t now = now_us();

    if (address)
        rate_charge(g->address, address, now, bytes);
    if (*key)
        rate_charge(g->key, who(g, key), now, bytes);
}
