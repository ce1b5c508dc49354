/* SPDX-License-Identifier: Apache-2.0 */
/* Access times, as relatime has them: kept in memory, stored now and then. */
#ifndef FS_ATIME_H
#define FS_ATIME_H

#include "pcloud/node.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define ATIME_SLOTS 4096 /* access times that wait to be stored: more are stored at once */

/*
 * FUSE leaves access times to the filesystem. Storing one is a write to the volume, and thousands of first reads of files would be as many; so
 * they wait in a table, are shown from there, and are stored every half minute and at the end. What a crash takes is a few access times.
 */
struct atimes {
    pthread_mutex_t lock;
    _Atomic unsigned used;
    struct {
        uint64_t node; /* 0: free */
        struct timespec at;
    } slots[ATIME_SLOTS];
};

void atimes_init(struct atimes *t);

/** atimes_read(t, v, node, strict): content was read: note the time, unless it is ${strict} only where relatime wants it. */
void atimes_read(struct atimes *t, struct pc_volume *v, uint64_t node, bool strict);

/** atimes_show(t, attr): the noted access time, if it is later than the stored one. */
void atimes_show(struct atimes *t, struct pc_attr *attr);

/** atimes_forget(t, node): the access time is being set, or the node removed: what was noted no longer counts. */
void atimes_forget(struct atimes *t, uint64_t node);

/** atimes_store(t, v): write all into the volume. */
void atimes_store(struct atimes *t, struct pc_volume *v);

#endif
