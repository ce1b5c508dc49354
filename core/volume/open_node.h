/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes in use by this process: holds, unwritten data, the streams that write it. */
#ifndef VOLUME_OPEN_NODE_H
#define VOLUME_OPEN_NODE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "volume/dirty.h"

struct data_stream;
struct pc_attr;
struct pc_volume;

#define OPEN_SHARDS 64

/*
 * One for each node that is open or held here. ${lock} guards all that follows it and is held while data goes to packs and metadata, so that calls on one
 * node are ordered. Lock order: shard lock, then (released) node lock, then the engine's and the data path's own.
 */
struct open_node {
    struct open_node *next;
    uint64_t ino;
    unsigned refs; /* guarded by the shard's lock */

    pthread_mutex_t lock;
    struct dirty dirty;         /* unwritten ranges that are not in the stream */
    struct data_stream *stream; /* sequential content on its way; NULL if none */
    uint64_t stream_pos, stream_end;
    uint64_t pin;            /* of the stream; valid while it lives */
    uint64_t end;            /* end of the furthest unwritten byte; 0 if none */
    struct timespec written; /* time of the last write; CLOCK_REALTIME */
    int64_t dirty_since_ms;  /* CLOCK_MONOTONIC; 0: clean */
    uint64_t quota_left;     /* bytes that may be written before quotas are asked again */
    uint64_t quota_taken;    /* what of v->quota_pending is this node's */
    int error;               /* of a write-back; reported once to each handle */
    unsigned error_seq;
};

struct open_shard {
    pthread_mutex_t lock;
    struct open_node *head[64];
};
struct open_table {
    struct open_shard shard[OPEN_SHARDS];
};

int open_table_init(struct open_table *t);
void open_table_fini(struct open_table *t);

/** open_node_get(v, ino, ret): find or make, one reference more; the engine holds the node while there is one. */
int open_node_get(struct pc_volume *v, uint64_t ino, struct open_node **ret);
/** open_node_find(v, ino): as get, but NULL if it is not in use. */
struct open_node *open_node_find(struct pc_volume *v, uint64_t ino);
/** open_node_put(v, n): one reference less; the last one writes back what is left (errors are logged) and frees. */
void open_node_put(struct pc_volume *v, struct open_node *n);
/** open_node_ref(v, n): one more. */
void open_node_ref(struct pc_volume *v, struct open_node *n);

/** open_node_flush(v, n): write unwritten data to packs and metadata; takes the node's lock. open_node_flush_locked: the caller has it. */
int open_node_flush(struct pc_volume *v, struct open_node *n);
int open_node_flush_locked(struct pc_volume *v, struct open_node *n);

/** open_node_discard(v, n): forget unwritten data that could not be stored. open_node_discard_locked: the caller has the lock. */
void open_node_discard_locked(struct pc_volume *v, struct open_node *n);
void open_node_discard(struct pc_volume *v, struct open_node *n);

/** open_node_write_locked(v, n, buf, len, off): take new content into memory or the stream. */
int open_node_write_locked(struct pc_volume *v, struct open_node *n, const void *buf, size_t len,
                           uint64_t off);

/**
 * open_node_attr(v, flushes, attr): what unwritten data of this process makes of attributes that the engine gave; ${flushes} is v->flushes from before it was asked.
 * Data written back since is in neither the attributes nor memory: then the engine is asked again (its code is returned). Takes the lock.
 */
int open_node_attr(struct pc_volume *v, uint64_t flushes, struct pc_attr *attr);

/** open_flush_older(v, before_ms): flush every node that is dirty since before then (CLOCK_MONOTONIC ms); all with INT64_MAX. The first error. */
int open_flush_older(struct pc_volume *v, int64_t before_ms);

#endif
