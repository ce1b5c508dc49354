/* SPDX-License-Identifier: Apache-2.0 */
/* A connection with its prepared statements, and what its writes are noted in. */
#ifndef META_CONN_H
#define META_CONN_H

#include "meta/record.h"
#include "meta/seal/vfs.h"
#include "meta/sql.h"

/* A prepared statement of a string literal. */
struct sql_entry {
    const char *sql;
    sqlite3_stmt *stmt;
    bool writes, bound;
    struct record values; /* what was bound last, for the redo file */
};

struct quota_op;

struct sql_conn {
    sqlite3 *db;
    struct sql_entry **by_sql, **by_stmt; /* open addressing by address */
    size_t cap, used;
    struct record *op;      /* where running writes are noted; NULL: nowhere */
    struct quota_op *quota; /* what the running operation owes to quotas; NULL: there are none */
};

/** conn_open(vfs, path, c): a connection to a database that is there, with its settings made. PC_EPASSPHRASE, PC_ECORRUPT, -ENOENT. */
int conn_open(const struct seal_vfs *vfs, const char *path, struct sql_conn *c);
/** conn_create(vfs, path, c): the same to a new database. */
int conn_create(const struct seal_vfs *vfs, const char *path, struct sql_conn *c);
/** conn_close(c): finalize and close; an unopened one is legal. conn_exec(c, sql): run text that is not kept. */
void conn_close(struct sql_conn *c);
int conn_exec(struct sql_conn *c, const char *sql);
/** sql_script(c, text): run statements one after the other, as writes of the running operation; they take no values. */
int sql_script(struct sql_conn *c, const char *text);
/** sql_note(c, op): from now on note what this thread writes by ${c}; NULL: no more. */
void sql_note(struct sql_conn *c, struct record *op);

#endif
