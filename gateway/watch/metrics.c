/* SPDX-License-Identifier: Apache-2.0 */
/* Counters and histograms of the gateway: atomic, never locked, rendered as OpenMetrics. */
#include "watch/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define OPERATIONS 160 /* more than there are; the last is for what does not fit */
#define BUCKETS 15

static const unsigned codes[] = {200, 201, 204, 206, 301, 304, 307, 400, 403, 404, 405, 408,
                                 409, 411, 412, 413, 416, 421, 431, 500, 501, 503, 507, 0};
#define CODES (sizeof codes / sizeof codes[0])

static const struct {
    uint64_t us;
    const char *text;
} bounds[BUCKETS] = {
    {100, "0.0001"},  {250, "0.00025"}, {500, "0.0005"},  {1000, "0.001"},    {2500, "0.0025"},
    {5000, "0.005"},  {10000, "0.01"},  {25000, "0.025"}, {50000, "0.05"},    {100000, "0.1"},
    {250000, "0.25"}, {1000000, "1.0"}, {5000000, "5.0"}, {30000000, "30.0"}, {120000000, "120.0"},
};

struct operation {
    _Atomic(const char *) name;
    atomic_ullong status[CODES];
    atomic_ullong in, out;
    atomic_ullong bucket[BUCKETS + 1];
    atomic_ullong us;
};

struct metrics {
    struct operation operation[OPERATIONS];
    atomic_ullong event[METRICS_EVENTS];
};

int metrics_new(struct metrics **ret)
{
    *ret = calloc(1, sizeof **ret);
    return *ret ? 0 : -ENOMEM;
}

void metrics_free(struct metrics *m)
{
    free(m);
}

static void add(atomic_ullong *n, uint64_t by)
{
    atomic_fetch_add_explicit(n, by, memory_order_relaxed);
}

static uint64_t get(const atomic_ullong *n)
{
    return atomic_load_explicit(n, memory_order_relaxed);
}

static size_t hash(const char *name)
{
    uint32_t h = 2166136261u;

    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 16777619u;
    return h % (OPERATIONS - 1);
}

/* A place is taken once and for ever. */
static struct operation *find(struct metrics *m, const char *name)
{
    size_t at = hash(name);

    for (size_t i = 0; i < OPERATIONS - 1; i++, at = (at + 1) % (OPERATIONS - 1)) {
        struct operation *op = &m->operation[at];
        const char *there = atomic_load_explicit(&op->name, memory_order_acquire);

        if (!there && atomic_compare_exchange_strong(&op->name, &there, name))
            return op;
        if (strcmp(there, name) == 0)
            return op;
    }
    atomic_store(&m->operation[OPERATIONS - 1].name, "Other");
    return &m->operation[OPERATIONS - 1];
}

void metrics_request(struct metrics *m, const char *operation, unsigned status, uint64_t in,
                     uint64_t out, uint64_t us)
{
    struct operation *op = find(m, operation);
    size_t code = 0, bucket = 0;

    while (code < CODES - 1 && codes[code] != status)
        code++;
    while (bucket < BUCKETS && us > bounds[bucket].us)
        bucket++;
    add(&op->status[code], 1);
    add(&op->bucket[bucket], 1);
    add(&op->us, us);
    if (in)
        add(&op->in, in);
    if (out)
        add(&op->out, out);
}

void metrics_count(struct metrics *m, enum metrics_event e)
{
    if (m)
        add(&m->event[e], 1);
}

uint64_t metrics_counted(const struct metrics *m, enum metrics_event e)
{
    return get(&m->event[e]);
}

void metrics_family(struct buf *out, const char *name, const char *type, const char *unit,
                    const char *help)
{
    buf_fmt(out, "# TYPE %s %s\n", name, type);
    if (*unit)
        buf_fmt(out, "# UNIT %s %s\n", name, unit);
    buf_fmt(out, "# HELP %s %s\n", name, help);
}

static void render_status(const struct operation *op, const char *name, struct buf *out)
{
    for (size_t i = 0; i < CODES; i++) {
        uint64_t n = get(&op->status[i]);

        if (n && codes[i])
            buf_fmt(out, "pcloud_s3_requests_total{operation=\"%s\",status=\"%u\"} %" PRIu64 "\n",
                    name, codes[i], n);
        else if (n)
            buf_fmt(out,
                    "pcloud_s3_requests_total{operation=\"%s\",status=\"other\"} %" PRIu64 "\n",
                    name, n);
    }
}

static void render_in(const struct operation *op, const char *name, struct buf *out)
{
    buf_fmt(out, "pcloud_s3_received_bytes_total{operation=\"%s\"} %" PRIu64 "\n", name,
            get(&op->in));
}

static void render_out(const struct operation *op, const char *name, struct buf *out)
{
    buf_fmt(out, "pcloud_s3_sent_bytes_total{operation=\"%s\"} %" PRIu64 "\n", name, get(&op->out));
}

static void render_duration(const struct operation *op, const char *name, struct buf *out)
{
    uint64_t sum = 0, us = get(&op->us);

    for (size_t i = 0; i <= BUCKETS; i++) {
        sum += get(&op->bucket[i]);
        buf_fmt(out,
                "pcloud_s3_request_duration_seconds_bucket{operation=\"%s\",le=\"%s\"} %" PRIu64
                "\n",
                name, i < BUCKETS ? bounds[i].text : "+Inf", sum);
    }
    buf_fmt(out, "pcloud_s3_request_duration_seconds_count{operation=\"%s\"} %" PRIu64 "\n", name,
            sum);
    buf_fmt(out,
            "pcloud_s3_request_duration_seconds_sum{operation=\"%s\"} %" PRIu64 ".%06" PRIu64 "\n",
            name, us / 1000000, us % 1000000);
}

/* A family's samples stand together: once through all operations for each. */
static void render_each(const struct metrics *m, struct buf *out,
                        void (*fn)(const struct operation *op, const char *name, struct buf *out))
{
    for (size_t i = 0; i < OPERATIONS; i++) {
        const char *name = atomic_load_explicit(&m->operation[i].name, memory_order_acquire);

        if (name)
            fn(&m->operation[i], name, out);
    }
}

static void render_events(const struct metrics *m, struct buf *out, const char *name,
                          const char *label, const char *const *words, enum metrics_event first,
                          unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        buf_fmt(out, "%s_total{%s=\"%s\"} %" PRIu64 "\n", name, label, words[i],
                get(&m->event[first + i]));
}

void metrics_render(const struct metrics *m, struct buf *out)
{
    static const char *const by[] = {"key", "address"};
    static const char *const why[] = {"address_limit", "head_time", "body_rate", "reply_rate"};

    metrics_family(out, "pcloud_s3_requests", "counter", "", "S3 requests that ended.");
    render_each(m, out, render_status);
    metrics_family(out, "pcloud_s3_received_bytes", "counter", "bytes", "Bodies of S3 requests.");
    render_each(m, out, render_in);
    metrics_family(out, "pcloud_s3_sent_bytes", "counter", "bytes", "Bodies of S3 replies.");
    render_each(m, out, render_out);
    metrics_family(out, "pcloud_s3_request_duration_seconds", "histogram", "seconds",
                   "From the head of a request to the end of its reply.");
    render_each(m, out, render_duration);
    metrics_family(out, "pcloud_s3_throttled", "counter", "",
                   "Requests answered with SlowDown, by the limit they met.");
    render_events(m, out, "pcloud_s3_throttled", "limit", by, METRICS_LIMIT_KEY, 2);
    metrics_family(out, "pcloud_connections_cut", "counter", "",
                   "Connections refused or ended by a limit.");
    render_events(m, out, "pcloud_connections_cut", "reason", why, METRICS_CONN_REFUSED, 4);
    metrics_family(out, "pcloud_host_refused", "counter", "",
                   "Requests for a host that is not in gateway.hosts.");
    buf_fmt(out, "pcloud_host_refused_total %" PRIu64 "\n", get(&m->event[METRICS_HOST_REFUSED]));
    metrics_family(out, "pcloud_audit_lines", "counter", "", "Lines of the audit log.");
    buf_fmt(out, "pcloud_audit_lines_total %" PRIu64 "\n", get(&m->event[METRICS_AUDIT_WRITTEN]));
    metrics_family(out, "pcloud_audit_lost", "counter", "",
                   "Lines of the audit log that could not be written.");
    buf_fmt(out, "pcloud_audit_lost_total %" PRIu64 "\n", get(&m->event[METRICS_AUDIT_LOST]));
}
