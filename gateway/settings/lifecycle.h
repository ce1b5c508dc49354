/* SPDX-License-Identifier: Apache-2.0 */
/* Lifecycle rules: read from their document, asked about objects. */
#ifndef GATEWAY_LIFECYCLE_H
#define GATEWAY_LIFECYCLE_H

#include "buf.h"
#include "pcloud/object.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define LIFECYCLE_RULES_MAX 1000
#define LIFECYCLE_MOVES_MAX 8
#define LIFECYCLE_ID_MAX 255

struct lifecycle_when { /* neither: never */
    long days;          /* -1: not given */
    time_t date;        /* 0: not given */
};

struct lifecycle_move { /* to another storage class */
    struct lifecycle_when when;
    char class[32];
};

struct lifecycle_rule {
    char id[LIFECYCLE_ID_MAX + 1];
    bool enabled, has_prefix, has_filter, has_and; /* prefix may stand alone, as it did once */
    bool marker;                                   /* expire delete markers that hide nothing */
    char prefix[PC_KEY_MAX + 1];
    struct buf tags; /* "key=value&…", as objects keep them */
    unsigned tag_count;
    int64_t greater, less;                        /* bytes; -1: not given */
    struct lifecycle_when expire;                 /* the current version */
    long noncurrent_days, keep_newer, abort_days; /* -1: not given */
    struct lifecycle_move moves[LIFECYCLE_MOVES_MAX], noncurrent_moves[LIFECYCLE_MOVES_MAX];
    unsigned move_count, noncurrent_move_count;
};

struct lifecycle {
    struct lifecycle_rule *rules;
    size_t count, cap;
    const char *message; /* of the error */
};

/** lifecycle_parse(data, len, ret): S3_EXML, S3_EARGUMENT, S3_EREQUEST with ret->message or NULL. Free with lifecycle_fini in any case. */
int lifecycle_parse(const char *data, size_t len, struct lifecycle *ret);
void lifecycle_fini(struct lifecycle *l);

/** lifecycle_xml(l, out): the document. */
void lifecycle_xml(const struct lifecycle *l, struct buf *out);

/** lifecycle_covers(r, key, len, size, headers): is the rule on, and for such an object? */
bool lifecycle_covers(const struct lifecycle_rule *r, const char *key, size_t len, uint64_t size,
                      const struct pc_headers *headers);

/** lifecycle_due(w, since, day): when it happens to what is from ${since}: whole days of ${day} seconds later, at the end of that day; INT64_MAX: never. */
int64_t lifecycle_due(const struct lifecycle_when *w, time_t since, long day);

struct s3;
/** lifecycle_reply(s, o): the header that says when an object of the request's key will expire, if one of the bucket's rules says so. */
void lifecycle_reply(struct s3 *s, const struct pc_object *o);

/* The thread that applies the rules of all buckets; of all processes on a volume one at a time. */
struct pc_home;
struct lifecycle_worker;
int lifecycle_start(struct pc_volume *v, struct pc_home *home, long day,
                    struct lifecycle_worker **ret);
void lifecycle_stop(struct lifecycle_worker *w);

#endif
