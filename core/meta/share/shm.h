/* SPDX-License-Identifier: Apache-2.0 */
/* What the sessions of one home tell each other in memory: marks, counters, pins and holds. Nothing here is a lock, and nothing is lost with it. */
#ifndef META_SHARE_SHM_H
#define META_SHARE_SHM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SHM_SLOTS 64
#define SHM_HOLDS 65536
#define SHM_VERSION 2
#define SHM_PROGRAM 16

/* One session. Alive while its byte in the lease file is locked (share/lease.h); what a dead one left is cleared by reaping. */
struct shm_slot {
    _Atomic uint64_t session;    /* its number; 0: nobody's */
    _Atomic uint64_t oldest_pin; /* UINT64_MAX: none */
    _Atomic uint32_t poke;       /* futex: its committer sleeps on it */
    _Atomic uint32_t want;       /* somebody wants it to commit */
    _Atomic uint32_t stuck; /* its last commit failed: a positive errno; nobody waits for it then */
    _Atomic uint32_t pid;
    char program[SHM_PROGRAM]; /* who it is, for messages; with NUL */
    uint32_t unused[4];
};

struct shm_head {
    char magic[8];
    uint32_t version, unused;
    _Atomic uint64_t waiting; /* a bit for each slot that waits for the lease */
    _Atomic uint32_t
        holder; /* slot + 1 of who is inside a transaction: found set by the next, it died there */
    _Atomic uint32_t dirty;          /* slot + 1 of who has acknowledged what is not committed */
    _Atomic uint32_t grants;         /* futex: rises whenever the lease is taken */
    _Atomic uint32_t events;         /* futex: rises with every commit, and for meta_feed_wake */
    _Atomic uint32_t event_sleepers; /* about how many sleep on it; may err upwards */
    _Atomic uint32_t releases;       /* futex: rises whenever the lease is given back */
    _Atomic uint64_t commits;        /* the number of the newest commit */
    _Atomic uint64_t next_id, id_end, change, feed_end;
    _Atomic uint64_t last_session;
    _Atomic int64_t lease_since; /* monotonic ns: when the lease was taken */
    _Atomic uint32_t lease_slot; /* slot + 1 of who holds it, 0: nobody said so */
    _Atomic uint32_t quotas;     /* may any folder have a quota? Set within a change */
    uint32_t unused2[4];
    struct shm_slot slots[SHM_SLOTS];
};

struct shm {
    struct shm_head *head;
    _Atomic uint16_t *holds; /* SHM_HOLDS counters a slot */
    int fd;
};

/** shm_open_at(path, fresh, ret): map the file. ${fresh}: nobody else uses it: clear it (keeping its room on disk). PC_EVERSION, -errno. */
int shm_open_at(const char *path, bool fresh, struct shm *ret);
/** shm_close(s): unmap; an unopened one (head NULL) is legal. */
void shm_close(struct shm *s);

/** shm_slot_claim(s, slot): make a slot ready for a session that has no number yet; 0 or -errno (no room on disk). */
int shm_slot_claim(struct shm *s, unsigned slot);
/** shm_slot_clear(s, slot): its session is gone: its pins and holds count no more. */
void shm_slot_clear(struct shm *s, unsigned slot);

/** shm_hold(s, slot, ino), shm_drop, shm_is_held(s, ino): counters by hash; one that reached its end stays there. */
void shm_hold(struct shm *s, unsigned slot, uint64_t ino);
void shm_drop(struct shm *s, unsigned slot, uint64_t ino);
bool shm_is_held(struct shm *s, uint64_t ino);

/** shm_oldest_pin(s): the least of all slots, or UINT64_MAX. */
uint64_t shm_oldest_pin(struct shm *s);

/** futex_wait(word, seen, timeout_ms): sleep while the word is ${seen}; < 0: without end. futex_wake(word): wake all. Between processes. */
void futex_wait(_Atomic uint32_t *word, uint32_t seen, int timeout_ms);
void futex_wake(_Atomic uint32_t *word);

/** shm_poke(s, slot): make its committer look. shm_event(s): something was committed: wake who sleeps on events. */
void shm_poke(struct shm *s, unsigned slot);
void shm_event(struct shm *s);
/** shm_event_wait(s, seen, timeout_ms): sleep while head->events is ${seen}. */
void shm_event_wait(struct shm *s, uint32_t seen, int timeout_ms);

#endif
