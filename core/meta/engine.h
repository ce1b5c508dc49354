/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite engine's own state, shared by the files that make its ground. */
#ifndef META_ENGINE_H
#define META_ENGINE_H

#include <pthread.h>

#include "meta/seal/vfs.h"
#include "meta/sql.h"

#define ENGINE_DB "volume.db"
#define ENGINE_DB_NEW "volume.db.new" /* while it is made */
#define ENGINE_FORMAT 1
#define ENGINE_FEED_ROWS 100000
#define ENGINE_PINS 256
#define ENGINE_HOLDS 65536

/* A prepared statement of a string literal. */
struct sql_slot {
    const char *sql;
    sqlite3_stmt *stmt;
};

struct sql_conn {
    sqlite3 *db;
    struct sql_slot *slots; /* open addressing by the literal's address */
    size_t slots_cap, slots_used;
};

struct engine_pin {
    uint64_t seq;
    unsigned count;
};

struct engine {
    struct meta meta; /* first: a struct meta * of this engine is its struct engine * */
    char *dir, *path; /* of the folder, of the database */
    struct seal_vfs *vfs;
    int (*data_barrier)(void *arg);
    void *barrier_arg;
    uint64_t reserve_bytes;
    uint8_t volume_id[16];
    uint64_t session;

    pthread_mutex_t lock; /* the write connection and what follows */
    struct sql_conn writer;
    bool barrier_needed;
    int64_t totals[SQL_TOTALS]; /* not yet written */
    uint64_t next_id, next_id_end, change, feed_next;

    pthread_mutex_t pin_lock;
    struct engine_pin pins[ENGINE_PINS];
    unsigned pins_used;
    uint16_t held[ENGINE_HOLDS]; /* counters by hash of the node */

    pthread_mutex_t feed_lock;
    pthread_cond_t feed_more;
    uint64_t feed_end;
    unsigned feed_wakes;
};

static inline struct engine *engine_of(struct meta *m)
{
    return (struct engine *)(void *)m;
}

/** conn_open(vfs, path, c): a connection to a database that is there, with its settings made. PC_EPASSPHRASE, PC_ECORRUPT, -ENOENT. */
int conn_open(const struct seal_vfs *vfs, const char *path, struct sql_conn *c);
/** conn_create(vfs, path, c): the same to a new database. */
int conn_create(const struct seal_vfs *vfs, const char *path, struct sql_conn *c);
/** conn_close(c): finalize and close; an unopened one is legal. */
void conn_close(struct sql_conn *c);

/** setting_get(c, key, ret): 0, or PC_ECORRUPT if it is not there. setting_set(c, key, value). */
int setting_get(struct sql_conn *c, const char *key, int64_t *ret);
int setting_set(struct sql_conn *c, const char *key, int64_t value);

/** totals_write(e, c): add the kept differences to the rows and forget them. */
int totals_write(struct engine *e, struct sql_conn *c);

/** feed_publish(e, end): what is up to here is committed: wake the waiting. */
void feed_publish(struct engine *e, uint64_t end);

/** ground_create(c, volume_id): the tables of the ground: setting, session, feed, total. */
int ground_create(struct sql_conn *c, const uint8_t volume_id[16]);

#endif
