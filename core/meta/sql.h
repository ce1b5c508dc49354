/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the SQLite engine: connections, transactions, statements; shared by the files that hold the operations. */
#ifndef META_SQL_H
#define META_SQL_H

#include <sqlite3.h>
#include <stdarg.h>

#include "meta/meta.h"

struct sql_conn; /* one SQLite connection with its prepared statements */

/**
 * sql_write_begin(m, ret): take the process's write lock and the write lease of all processes, be inside the open transaction (it is committed later,
 * for many operations at once), set a savepoint. ${room}: does the operation need space (then -ENOSPC below the reserve)? Every begin needs its end.
 */
enum sql_room { SQL_FREES, SQL_NEEDS_ROOM };
int sql_write_begin(struct meta *m, enum sql_room room, struct sql_conn **ret);

/**
 * sql_write_begin_sure(m, room, ret): the same without a savepoint, whose copies of pages cost more than a small operation: for one that has made all its checks before its
 * first write. If it fails after that, the whole transaction is made again from what was kept.
 */
int sql_write_begin_sure(struct meta *m, enum sql_room room, struct sql_conn **ret);

/** sql_write_end(m, c, rc): rc < 0 undoes the operation; else keeps it. Returns rc, or the error of keeping it. */
int sql_write_end(struct meta *m, struct sql_conn *c, int rc);

/** sql_needs_barrier(m): this operation refers to new pack bytes: call the data barrier before the commit. */
void sql_needs_barrier(struct meta *m);

/** sql_read_begin(m, ret): a consistent view that holds everything acknowledged by any process (asks a lease holder to commit). */
int sql_read_begin(struct meta *m, struct sql_conn **ret);
void sql_read_end(struct meta *m, struct sql_conn *c);

/**
 * sql_stmt(c, sql, ret): the prepared statement of a string literal (cached by its address), reset and unbound. Finish with sqlite3_reset before the next
 * write begins; sql_run and sql_one do that themselves.
 *
 * Statements that write are noted with their values, to be run again if the process is killed before the commit: bind them by sql_bind, step them by
 * sql_step, and let nothing in them depend on anything but the database and those values (no random(), no current time).
 */
int sql_stmt(struct sql_conn *c, const char *sql, sqlite3_stmt **ret);

/** sql_bind(st, types, ...): 'i' int64_t, 'u' uint64_t, 't' const char * (NULL is NULL), 'b' const void *, size_t (blob, not copied), 'n' NULL. Text and blobs must live until the statement is reset. */
int sql_bind(sqlite3_stmt *st, const char *types, ...);

/** sql_step(st): 1 a row, 0 done, < 0 a code. */
int sql_step(sqlite3_stmt *st);

/** sql_run(c, sql, types, ...): bind, run to the end, reset; the number of rows changed or a code. */
int sql_run(struct sql_conn *c, const char *sql, const char *types, ...);

/** sql_one(c, sql, ret, types, ...): bind and step once: 1 with the row in *ret (the caller resets it), 0 none (already reset), or a code. */
int sql_one(struct sql_conn *c, const char *sql, sqlite3_stmt **ret, const char *types, ...);

/** sql_code(rc): a negative code for an SQLite result (SQLITE_FULL → -ENOSPC, CORRUPT and NOTADB → PC_ECORRUPT, NOMEM → -ENOMEM, else -EIO). */
int sql_code(int rc);

/** sql_next_id(m): a number never given before to any process: nodes, blocks, packs share it. Inside a write. */
uint64_t sql_next_id(struct meta *m);

/**
 * sql_feed(m, c, kinds, ino, parent, seg, len): add a line to the change feed; part of the operation. A change of nothing but content or attributes gets none if the node was made
 * in this transaction: nobody else has seen it.
 */
int sql_feed(struct meta *m, struct sql_conn *c, unsigned kinds, uint64_t ino, uint64_t parent,
             const char *seg, size_t len);

/** sql_session(m): this session's number. sql_is_held(m, ino): may any live process hold this node? (may err to true) */
uint64_t sql_session(struct meta *m);
bool sql_is_held(struct meta *m, uint64_t ino);

/** sql_change_seq(m): a number that rises with every write operation; sql_oldest_pin(m): the least one that any live process pinned, or UINT64_MAX. */
uint64_t sql_change_seq(struct meta *m);
uint64_t sql_oldest_pin(struct meta *m);

/** sql_session_alive(m, session): does its process live? */
bool sql_session_alive(struct meta *m, uint64_t session);

/** sql_quotas_begin(m): from now on operations count for quotas. Inside a write that has made one. */
void sql_quotas_begin(struct meta *m);

/* Totals kept in the database by triggers of code, not of SQL: added within the operation, written once a commit. */
enum sql_total {
    SQL_FILES,
    SQL_FOLDERS,
    SQL_OBJECTS,
    SQL_BYTES,
    SQL_BLOCKS,
    SQL_BLOCK_BYTES,
    SQL_PACKS,
    SQL_DAMAGED,
    SQL_ORPHANS,
    SQL_TOTALS
};
void sql_total_add(struct meta *m, enum sql_total which, int64_t delta);

/* The operations, by file. */
extern const struct meta_node_ops sql_node_ops;
extern const struct meta_content_ops sql_content_ops;
extern const struct meta_object_ops sql_object_ops;
extern const struct meta_trash_ops sql_trash_ops;

#endif
