/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the volume: what its files share. */
#ifndef VOLUME_VOLUME_H
#define VOLUME_VOLUME_H

#include <pthread.h>
#include <stdatomic.h>

#include "data/data.h"
#include "meta/content.h"
#include "meta/meta.h"
#include "meta/node.h"
#include "meta/object.h"
#include "volume/open_node.h"

struct pc_volume {
    struct pc_home *home;
    const struct pc_config *config;
    struct meta *meta;
    struct data *data;
    struct open_table nodes;
    _Atomic(uint64_t) dirty_bytes; /* unwritten bytes of all nodes */
    _Atomic(uint64_t) flushes;     /* nodes written back so far */
    uint64_t dirty_max;
    _Atomic(uint64_t)
        quota_pending;   /* bytes that unwritten data may yet cost its quotas, at most */
    atomic_bool orphans; /* something may have lost its last name or holder */
    _Atomic int64_t trash_days;
    int64_t snapshots_due; /* the same of snapshots */
    bool snapshots_sweep;  /* removed ones have left rows */
    int64_t trash_due;     /* of the write-back thread: when to look at the trash again */

    pthread_t flusher; /* writes back old unwritten data, expires orphans */
    pthread_mutex_t flusher_lock;
    pthread_cond_t flusher_cond; /* monotonic clock */
    bool flusher_runs, stopping;
};

/**
 * quota_enter(v, n, off, len): may that be written to a node, whose lock the caller has? (It may be dropped and taken again; ${off} UINT64_MAX: at the end.) 0: into
 * memory, 1: write it through, for the quota is nearly used up; -EDQUOT. quota_write(v, n, buf, len, off, through): do so.
 */
int quota_enter(struct pc_volume *v, struct open_node *n, uint64_t off, size_t len);
int quota_write(struct pc_volume *v, struct open_node *n, const void *buf, size_t len, uint64_t off,
                bool through);

/** volume_flusher_start(v): start the write-back thread; volume_flusher_stop(v): end it and wait. */
int volume_flusher_start(struct pc_volume *v);
void volume_flusher_stop(struct pc_volume *v);

/**
 * content_read(v, ino, buf, len, off, ret_size): committed content of a node, holes as zeros; bytes read, short only at the end. Damage is PC_ECORRUPT if it
 * is at the start, else the bytes before it. *ret_size (may be NULL) gets the node's size.
 */
ssize_t content_read(struct pc_volume *v, uint64_t ino, void *buf, size_t len, uint64_t off,
                     uint64_t *ret_size);

/* What is known of where a stretch of a node's content lies. */
#define CONTENT_MAP 32
struct content_map {
    uint64_t from, to; /* nothing if they are equal */
    unsigned n;
    struct meta_slice slices[CONTENT_MAP];
};

/** content_map(v, ino, off, end, map): the stretch from ${off} on, at most to ${end}. */
void content_map(struct pc_volume *v, uint64_t ino, uint64_t off, uint64_t end,
                 struct content_map *map);

/**
 * content_read_now(v, map, buf, len, off): bytes of the stretch at ${off}, as far as no disk is waited for: fewer than ${len} where that saves opening a segment
 * twice. -EAGAIN: none, for whatever reason: content_read tells it.
 */
ssize_t content_read_now(struct pc_volume *v, const struct content_map *map, void *buf, size_t len,
                         uint64_t off);

/** content_prefetch(v, ino, off, len): bring a range into the cache in the background. */
void content_prefetch(struct pc_volume *v, uint64_t ino, uint64_t off, uint64_t len);

/** content_ahead(v, ino, off, len): a range will be read soon, once: have the system fetch it. */
void content_ahead(struct pc_volume *v, uint64_t ino, uint64_t off, uint64_t len);

/** content_to_slices(v, ino): turn inline content into a slice, so that ranges can be moved; 0 if it was none. */
int content_to_slices(struct pc_volume *v, uint64_t ino);

/** snapshots_tend(v, now_s): what is due by the rules of snapshots, and some of what removed ones left. Looks every snapshots_round_s seconds; a test may set that. */
void snapshots_tend(struct pc_volume *v, int64_t now_s);
extern int64_t snapshots_round_s;

/** trash_tend(v, now_s): free what is over, and if the disk is full the oldest hour; one process at a time. Every trash_round_s seconds; a test may set that. */
void trash_tend(struct pc_volume *v, int64_t now_s);
extern int64_t trash_round_s;

/** volume_damaged(v, ino, block, code): log damage with a path, count it, keep the block from being found by dedup. */
void volume_damaged(struct pc_volume *v, uint64_t ino, const struct meta_block *block);

#endif
