/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the SQLite engine that hold the tree: made, named, checked and mended. */
#ifndef META_SCHEMA_H
#define META_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "meta/sql.h"

/* PRAGMA user_version of a database made by this code; another one is PC_EVERSION. */
#define SCHEMA_VERSION 4

/**
 * schema_create(db, uid, gid): the tables of the operations (those of connections and sessions are made by whoever keeps them) and the root folder
 * (mode 0755), in the caller's transaction. Sets user_version.
 */
int schema_create(sqlite3 *db, uint32_t uid, uint32_t gid);

/* One rule: a query that gives a text for each problem (with ?1 and ?2: asked for windows of numbers of nodes), and what mends all of them. */
struct schema_check {
    const char *find;
    const char *fix[2];
};

/** schema_tables: the names of those tables, NULL at the end, in an order in which a salvage may copy their rows. */
extern const char *const schema_tables[];

/* Who listens to a check; each may be NULL. step: after each of ${total} steps, and now and then within one (then with the numbers of the last); non-zero: stop. */
struct schema_watch {
    void (*found)(void *arg, const char *text);
    int (*step)(void *arg, uint64_t done, uint64_t total);
    void *arg;
};

/* A kept total and the query that counts it; in upkeep.c. */
#define SCHEMA_TOTALS 8
struct schema_total {
    enum sql_total which;
    const char *name, *sql;
};
extern const struct schema_total schema_totals[SCHEMA_TOTALS];

/* Those of ops/quota_check.c: names of files, and quotas. */
extern const struct schema_check quota_checks[];
extern const size_t quota_checks_n;

/**
 * schema_look(m, w, ret_problems): every invariant of core/meta/ops/README.md, each in a view of its own (what is committed when it begins), large ones in windows:
 * memory does not grow with the volume, and no view is held for long. Adds to *ret_problems. PC_ECANCELED.
 */
int schema_look(struct meta *m, const struct schema_watch *w, uint64_t *ret_problems);

/* Numbers of nodes whose entries are counted at once. A test may set it. */
extern uint64_t schema_window;

/** schema_repair(m, c, w, ret_problems, ret_repaired): look and mend in the caller's write (sql_write_begin). Adds to both. */
int schema_repair(struct meta *m, struct sql_conn *c, const struct schema_watch *w,
                  uint64_t *ret_problems, uint64_t *ret_repaired);

/** schema_view_begin(m, w, ret), schema_view_end(m, c): a view of what is committed, in which w->step can stop a long query. In upkeep.c. */
int schema_view_begin(struct meta *m, const struct schema_watch *w, struct sql_conn **ret);
void schema_view_end(struct meta *m, struct sql_conn *c);

#endif
