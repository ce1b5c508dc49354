/* SPDX-License-Identifier: Apache-2.0 */
/* Advisory locks that all mounts of a volume on one machine share. */
#ifndef FS_LOCKS_H
#define FS_LOCKS_H

#include "pcloud/home.h"

#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Each owner of locks on a node has an open file of its own in the home's run/locks, and holds there, as an open file description, the ranges that it
 * locked; so the kernel decides among all mounts, and what a killed mount held is free. An owner lives from its first lock until the kernel says
 * that it closed the file. Whoever must wait does so on a thread of its own.
 */
struct locks;

struct lock_key {
    uint64_t node, owner, fh;
    bool whole; /* by flock(2): the file as a whole, apart from ranges */
};

/** locks_open(home, ret): clears away what killed mounts left. */
int locks_open(struct pc_home *home, struct locks **ret);

/** locks_stop(l): those who wait are answered EINTR; returns when none waits. NULL is legal, as for locks_free. */
void locks_stop(struct locks *l);
void locks_free(struct locks *l);

/** locks_test(l, key, lock): what is in the way of ${lock}, in its place; l_type F_UNLCK if nothing. l_pid 0: somebody at another mount. */
int locks_test(struct locks *l, const struct lock_key *key, struct flock *lock);

/**
 * locks_set(l, key, lock, sleep, req): set, change or take away a lock. 0, -EAGAIN if somebody is in the way, -ENOLCK; or 1: another thread will answer
 * ${req}, because it waits (${sleep}), or because the one in the way may be closing just now.
 */
int locks_set(struct locks *l, const struct lock_key *key, const struct flock *lock, bool sleep,
              fuse_req_t req);

/** locks_close(l, node, owner): a process closed the file. locks_release(l, node, fh): an open file ended. Nearly free where nobody has locks. */
void locks_close(struct locks *l, uint64_t node, uint64_t owner);
void locks_release(struct locks *l, uint64_t node, uint64_t fh);

#endif
