/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the SQLite engine that hold the tree: made, named, checked and mended. */
#ifndef META_SCHEMA_H
#define META_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "meta/sql.h"

/* PRAGMA user_version of a database made by this code; another one is PC_EVERSION. */
#define SCHEMA_VERSION 3

/**
 * schema_create(db, uid, gid): the tables of the operations (those of connections and sessions are made by whoever keeps them) and the root folder
 * (mode 0755), in the caller's transaction. Sets user_version.
 */
int schema_create(sqlite3 *db, uint32_t uid, uint32_t gid);

/** schema_tables: the names of those tables, NULL at the end, in an order in which a salvage may copy their rows. */
extern const char *const schema_tables[];

/**
 * schema_check(m, c, repair, found, arg, ret_problems, ret_repaired): every invariant of core/meta/ops/README.md. With ${repair} it mends what it finds;
 * then ${c} is of a sql_write_begin (the caller ends it), else of a sql_read_begin. ${found} may be NULL. Adds to *ret_problems and *ret_repaired.
 */
int schema_check(struct meta *m, struct sql_conn *c, bool repair,
                 void (*found)(void *arg, const char *text), void *arg, uint64_t *ret_problems,
                 uint64_t *ret_repaired);

#endif
