/* SPDX-License-Identifier: Apache-2.0 */
/* What pack.c, pack_file.c and pack_read.c share. */
#ifndef DATA_PACK_IMPL_H
#define DATA_PACK_IMPL_H

#include <pthread.h>

#include "data/pack.h"

#define PACK_FDS 64 /* packs kept open for reading */

/* A pack this process appends to, or has filled and not yet sealed. Guarded by packs.lock, but for what is constant. */
struct pack {
    struct pack *next;
    struct packs *ps;
    struct pool_job job; /* seals it */
    uint64_t id;
    int fd;
    uint64_t size;                    /* bytes given out */
    uint64_t end;                     /* behind the last one written */
    unsigned inflight;                /* appends that hold the descriptor */
    bool full;                        /* takes no more */
    bool sealing;                     /* being handed to the engine */
    bool dirty;                       /* written since the last sync began */
    bool dir_dirty;                   /* its name is not on disk */
    bool flushing;                    /* a thread is starting write-back */
    uint64_t run;                     /* the last run of the barrier that looked at it */
    uint64_t flushed, flushed_before; /* where the last two write-backs ended */
};

struct pack_fd {
    uint64_t id, used;
    int fd; /* -1: free */
    unsigned refs;
    bool gone; /* close when nobody uses it */
};

struct packs {
    char *dir;
    struct meta *meta;
    struct pool *pool;
    uint64_t reserve;
    unsigned slots; /* packs open for appending at once */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* a pack was opened, a sync ended */
    struct pack *list;
    unsigned opening, unsealed; /* unsealed: full, not yet handed over */
    uint64_t credit;            /* bytes that may be written before asking for free space again */
    int error;                  /* of sealing at close */

    /* The barrier: runs are numbered; one at a time. */
    uint64_t run_begun, run_done;
    bool running;
    int broken; /* the error of a failed sync; for ever */

    pthread_mutex_t fd_lock;
    uint64_t fd_clock;
    struct pack_fd fds[PACK_FDS];
};

/** pack_create(ps, ret): a new pack with a number from the engine and a header. Takes no lock. */
int pack_create(struct packs *ps, struct pack **ret);

/** pack_fds_init, pack_fds_fini(ps), pack_fd_drop(ps, id): the descriptors for reading. */
void pack_fds_init(struct packs *ps);
void pack_fds_fini(struct packs *ps);
void pack_fd_drop(struct packs *ps, uint64_t id);

#endif
