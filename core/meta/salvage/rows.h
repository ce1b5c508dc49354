/* SPDX-License-Identifier: Apache-2.0 */
/* Rows found in a damaged database put into the tables of a new one. */
#ifndef META_SALVAGE_ROWS_H
#define META_SALVAGE_ROWS_H

#include <sqlite3.h>

#include "meta/salvage/tree.h"

#define ROWS_TABLES 32

/* A table of the new database, and where its tree was in the old one. */
struct rows_table {
    const char *name;
    enum tree_kind kind;
    uint32_t root; /* 0: unknown */
    unsigned columns;
    int key;                      /* the column that is the rowid, or -1 */
    unsigned place[TREE_COLUMNS]; /* of each column in a record */
    char affinity[TREE_COLUMNS];  /* 'I', 'T', 'B', or '*' */
    bool is_null_ok[TREE_COLUMNS];
    sqlite3_stmt *insert;
    uint64_t inserted;
};

/** rows_open(db, name, sql, ret): learn its columns; ${sql}: the insert, or NULL for the plain one. rows_close(t). */
int rows_open(sqlite3 *db, const char *name, const char *sql, struct rows_table *ret);
void rows_close(struct rows_table *t);

/** rows_fits(t, kind, row): could this be a row of it? */
bool rows_fits(const struct rows_table *t, enum tree_kind kind, const struct tree_row *row);
/** rows_insert(t, row): unless one with its key is there. */
int rows_insert(struct rows_table *t, const struct tree_row *row);

#endif
