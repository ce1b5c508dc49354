/* SPDX-License-Identifier: Apache-2.0 */
/* The locks between processes: the write lease, life signs of sessions, the setup lock. All are the kernel's, so no death leaves one locked. */
#ifndef META_SHARE_LEASE_H
#define META_SHARE_LEASE_H

#include "meta/share/shm.h"

/* Locks of an open file description (OFD) on bytes of one empty file. A process that forks must not keep using the child's copy. */
struct lease {
    int fd;
    unsigned slot;         /* ours, UINT_MAX: none */
    bool held;             /* the write lease */
    bool yields;           /* somebody waited when we released: let them in first */
    uint32_t yield_grants; /* head->grants at that time */
};

/** lease_open(path, ret), lease_close(l): the file; closing releases every lock. */
int lease_open(const char *path, struct lease *ret);
void lease_close(struct lease *l);

/** lease_setup(l), lease_setup_end(l): one at a time opens a session or buries the dead. */
int lease_setup(struct lease *l);
void lease_setup_end(struct lease *l);

/** lease_alone(l): does no other session live? Under setup. 1, 0 or a code. */
int lease_alone(struct lease *l);
/** lease_claim(l): lock the first free slot's byte, remember the slot. Under setup. PC_ELIMIT if all are taken. */
int lease_claim(struct lease *l);
/** lease_is_alive(l, slot): is that slot's byte locked by anybody? (our own: true) */
bool lease_is_alive(struct lease *l, unsigned slot);
/** lease_reap(l, s): clear the slots of the dead. May do nothing if somebody else is at it. */
void lease_reap(struct lease *l, struct shm *s);

/**
 * lease_take(l, s): wait for the write lease, fairly: whoever waited when we last released goes first. 0 or -errno: what keeps the holder from committing, if
 * something does.
 */
int lease_take(struct lease *l, struct shm *s);
/** lease_release(l, s): give it back. */
void lease_release(struct lease *l, struct shm *s);
/** lease_wanted(l, s): does another session wait for it? */
bool lease_wanted(const struct lease *l, struct shm *s);

#endif
