/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata engine: its life, its sessions and feed, and the table of operations that an engine serves. */
#ifndef META_META_H
#define META_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pcloud/volume.h"

struct meta_node_ops;    /* meta/node.h */
struct meta_content_ops; /* meta/content.h */
struct meta_object_ops;  /* meta/object.h */
struct meta_trash_ops;   /* meta/node.h */

/*
 * Every operation is one whole transaction: it reads, checks and changes in one call, so that an SQL server a millisecond away can serve it in one
 * round trip. Rows come in pages through callbacks; a callback must not call the engine. All functions: any thread.
 *
 * Visibility: an operation is seen at once by every later one of this process, and by any later one of other processes (whoever reads while another
 * process holds uncommitted work asks it to commit first). Order on disk: a commit never holds references to pack bytes that are not on disk:
 * before each commit that references new blocks the engine calls ${data_barrier}. So after a power cut whatever is there is complete.
 */
struct meta {
    const struct meta_node_ops *node;
    const struct meta_content_ops *content;
    const struct meta_object_ops *object;
    const struct meta_trash_ops *trash;
};

struct meta_options {
    const char *dir;         /* the home's meta folder; borrowed during open */
    const uint8_t *page_key; /* 32 bytes; copied into locked memory */
    const char *program;
    uint64_t reserve_bytes; /* new data is refused with -ENOSPC below so much free disk */
    int (*data_barrier)(
        void *
            arg); /* make all pack bytes written so far durable; called without locks of the caller's */
    void *barrier_arg;
};

/** meta_create(dir, page_key, uid, gid): a new database with its root node. -EEXIST. Durable. */
int meta_create(const char *dir, const uint8_t page_key[32], uint32_t uid, uint32_t gid);

/** meta_open(options, ret): PC_EPASSPHRASE (not this volume's key), PC_ECORRUPT, PC_EVERSION, PC_ENOHOME. Starts a session and reaps dead ones. */
int meta_open(const struct meta_options *options, struct meta **ret);

/* Who is inside a change, seen from outside: needs no key, opens nothing. */
struct meta_holder {
    uint32_t pid;
    char program[16];
    int64_t held_ms; /* since it began */
};
/** meta_holder(dir, ret): 1 with *ret filled, 0 if nobody is. */
int meta_holder(const char *dir, struct meta_holder *ret);

/** meta_close(m): commit, sync, end the session. The first error. */
int meta_close(struct meta *m);

/** meta_flush(m): commit what is uncommitted. meta_sync: and make it durable; concurrent callers share one fdatasync. */
int meta_flush(struct meta *m);
int meta_sync(struct meta *m);

/** meta_volume_id(m, id): 16 bytes. */
void meta_volume_id(struct meta *m, uint8_t id[16]);

/* Pins: blocks and packs that were seen or written after a pin began are not reclaimed before it ends, although nothing refers to them yet. */
uint64_t meta_pin(struct meta *m);
void meta_unpin(struct meta *m, uint64_t pin);

/* Holds: an unlinked node lives while any process holds it. Cheap (shared memory); counted by the caller: one hold, one drop a node and process. */
int meta_hold(struct meta *m, uint64_t ino);
void meta_drop(struct meta *m, uint64_t ino);

/* The change feed. */
struct meta_change {
    uint64_t seq, ino, parent;
    unsigned kinds;  /* enum pc_change_kind */
    const char *seg; /* of ENTRY: the raw segment */
    size_t seg_len;
    bool own;
};
/** meta_feed_end(m): the newest committed sequence number, from shared memory. */
uint64_t meta_feed_end(struct meta *m);
/** meta_feed_wait(m, after, timeout_ms, cancel): wait until meta_feed_end > ${after}: 1, 0 on timeout or when *cancel became true and meta_feed_wake was called. */
int meta_feed_wait(struct meta *m, uint64_t after, int timeout_ms, const volatile bool *cancel);
void meta_feed_wake(struct meta *m);
/** meta_feed_read(m, after, max, fn, arg): committed changes above ${after}; -EOVERFLOW if they were trimmed (then all caches are stale). */
int meta_feed_read(struct meta *m, uint64_t after, unsigned max,
                   void (*fn)(void *arg, const struct meta_change *c), void *arg);

/** meta_feed_skip_own(m, after): the last of the lines behind ${after} that are known to be of this engine's own changes, one after the other; ${after} if the next is not. */
uint64_t meta_feed_skip_own(struct meta *m, uint64_t after);

struct meta_totals {
    uint64_t files, folders, objects, bytes, blocks, block_bytes, packs, meta_bytes, damaged;
};
int meta_totals(struct meta *m, struct meta_totals *ret);
/** meta_has_quotas(m): may any folder have a quota? Errs to true. One look into shared memory. */
bool meta_has_quotas(struct meta *m);
/** meta_count_damage(m, n): add to the kept count of damaged reads. */
int meta_count_damage(struct meta *m, uint64_t n);

/* Who listens to a check; each may be NULL. step: how far it is; non-zero: stop with PC_ECANCELED. */
struct meta_watch {
    void (*found)(void *arg, const char *text);
    int (*step)(void *arg, uint64_t done, uint64_t total);
    void *arg;
};
/**
 * meta_check(m, repair, watch, ret_problems, ret_repaired): the database's own integrity and every invariant of core/meta/README.md, beside everybody's work; only
 * what mends keeps writers out. ${watch} may be NULL.
 */
int meta_check(struct meta *m, bool repair, const struct meta_watch *watch, uint64_t *ret_problems,
               uint64_t *ret_repaired);
/** meta_salvage(dir, page_key, found, arg): see pc_volume_salvage. */
int meta_salvage(const char *dir, const uint8_t page_key[32],
                 void (*found)(void *arg, const char *text), void *arg);

#endif
