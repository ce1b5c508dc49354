/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite engine's own state, shared by the files that make its ground. */
#ifndef META_ENGINE_H
#define META_ENGINE_H

#include <pthread.h>
#include <stdatomic.h>

#include "meta/conn.h"
#include "meta/content.h"
#include "meta/node.h"
#include "meta/share/lease.h"
#include "meta/share/redo.h"
#include "meta/sql.h"

#define ENGINE_DB "volume.db"
#define ENGINE_DB_NEW "volume.db.new" /* while it is made */
#define ENGINE_FORMAT 4
#define ENGINE_PINS 256
#define ENGINE_READERS 16
#define ENGINE_OPS_MAX 8192       /* operations in one commit */
#define ENGINE_COMMIT_MS 20       /* at most so long after the first of them */
#define ENGINE_COMMIT_DATA_MS 100 /* the same where the data must go to disk first */

struct snap_views; /* snap/snap.h */

/* What a test may set before it opens. */
struct engine_tuning {
    const char *below;       /* the file layer under the sealing one; NULL: SQLite's own */
    int (*sync_log)(int fd); /* fdatasync */
    uint64_t feed_rows;      /* kept lines of the feed */
    int64_t log_bytes;       /* a log of this size is checkpointed */
    uint64_t whole_bytes;    /* a larger database is checked table by table */
};
extern struct engine_tuning engine_tuning;

struct engine_pin {
    uint64_t seq;
    unsigned count;
};

/* Lock order: lock, then any of the others; each of those is the last. None is held while the caller's code runs, but lock during data_barrier. */
struct engine {
    struct meta meta; /* first: a struct meta * of this engine is its struct engine * */
    struct meta_node_ops node_ops; /* with those that know of snapshots */
    struct meta_content_ops content_ops;
    char *dir, *path;  /* of the folder, of the database */
    int dir_fd, db_fd; /* db_fd: only of who checked; closed after all connections */
    struct seal_vfs *vfs;
    int (*data_barrier)(void *arg);
    void *barrier_arg;
    uint64_t reserve_bytes;
    _Atomic bool trash; /* what is removed goes to the trash where folders want it */
    uint8_t volume_id[16];
    uint64_t session;
    struct shm shm;
    struct lease lease;
    struct redo *redo;

    pthread_mutex_t lock; /* the write connection, the lease, and down to the next blank line */
    struct sql_conn writer;
    struct record op;       /* the running operation's writes */
    struct quota_op *quota; /* what it owes to quotas */
    bool txn_open, op_barrier;
    bool op_saved; /* the running operation has a savepoint */
    unsigned txn_ops;
    uint64_t txn_base; /* the commit that the open transaction follows */
    int op_error;      /* of a call that cannot return it */
    int broken;        /* a state that cannot be trusted any more: nothing is written */
    int64_t totals[SQL_TOTALS], op_totals[SQL_TOTALS];
    uint64_t feed_next, op_feed_next, op_id_end, feed_trimmed;
    uint64_t txn_first_id; /* nodes from here on were made in the open transaction */

    _Atomic uint64_t
        barrier_need; /* rises with each kept operation that refers to new pack bytes */
    _Atomic uint64_t barrier_done;
    _Atomic uint64_t own_first, own_end; /* lines of the feed that are all our own */
    _Atomic uint32_t acked;              /* operations kept in the open transaction */
    _Atomic int64_t deadline;            /* when it is to be committed */
    _Atomic int64_t room_asked;          /* when statvfs was asked last */
    _Atomic bool room_short, stopping, committer_sleeps;

    pthread_t committer, checkpointer;
    pthread_mutex_t thread_lock; /* starting the threads; sizes of the log */
    pthread_cond_t log_grew;
    bool committer_runs, checkpointer_runs;
    int64_t log_bytes, log_next, log_now; /* to be looked at; at which size next; last seen */

    pthread_mutex_t sync_lock;
    pthread_cond_t sync_done;
    bool syncing, dir_synced;
    uint64_t synced; /* commits that are durable */
    int sync_error, log_fd;

    pthread_mutex_t reader_lock;
    pthread_cond_t reader_back;
    struct sql_conn readers[ENGINE_READERS];
    unsigned idle[ENGINE_READERS], idle_n, readers_n;

    struct snap_views *views; /* readers of the past */

    pthread_mutex_t pin_lock;
    struct engine_pin pins[ENGINE_PINS];
    unsigned pins_n;
};

static inline struct engine *engine_of(struct meta *m)
{
    return (struct engine *)(void *)m;
}

/** engine_create(vfs, path, page_key, uid, gid, ret): a new database with all tables and the root. */
int engine_create(const struct seal_vfs *vfs, const char *path, const uint8_t page_key[32],
                  uint32_t uid, uint32_t gid, struct sql_conn *ret);
/** ground_create(c, volume_id): the tables of the ground: setting, feed, total. */
int ground_create(struct sql_conn *c, const uint8_t volume_id[16]);
/** setting_get(c, key, ret): 0, or PC_ECORRUPT if it is not there. setting_set(c, key, value). */
int setting_get(struct sql_conn *c, const char *key, int64_t *ret);
int setting_set(struct sql_conn *c, const char *key, int64_t value);
/** counters_load(e): fill the shared counters from the database. Under lock and lease. counters_save(e): write totals and counters into the transaction. */
int counters_load(struct engine *e);
int counters_save(struct engine *e);

/** txn_commit(e): data barrier if needed, commit, release the lease. On failure every kept operation is still there. Under lock. */
int txn_commit(struct engine *e);
/** txn_abandon(e): give up a transaction without any kept operation. Under lock. */
void txn_abandon(struct engine *e);
/** txn_recover(e): somebody died inside a transaction: redo what was acknowledged. Under lock and lease, no transaction open. */
int txn_recover(struct engine *e);
/** txn_rebuild(e): our own transaction was rolled back: open it again with all that was kept. Under lock and lease. */
int txn_rebuild(struct engine *e);

/** write_alone_begin(e, ret): sql_write_begin in a transaction of its own, where the rows of totals are as they should be. */
int write_alone_begin(struct engine *e, struct sql_conn **ret);
/** read_committed_begin(e, ret): sql_read_begin that never sees an open transaction; what was acknowledged before is committed. */
int read_committed_begin(struct engine *e, struct sql_conn **ret);

/** committer_need(e): see to it that the committer commits by the deadline. engine_stop(e): end the threads. */
void committer_need(struct engine *e);
void engine_stop(struct engine *e);
/** checkpoint_watch(e): let this connection tell the size of the log. checkpoint_run: the thread. */
void checkpoint_watch(struct engine *e);
void *checkpoint_run(void *engine);

/** readers_close(e): all are idle. monotonic_ns(): a clock that only goes forward. */
void readers_close(struct engine *e);
int64_t monotonic_ns(void);

#endif
