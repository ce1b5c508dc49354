/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: opened with the settings that the engine relies on. */
#include "meta/conn.h"

#include "pcloud/err.h"

#include <string.h>

#define BUSY_MS 60000 /* only recovery after a crash lets anybody wait here */

/* Never a file but the database and its log; never a page that SQLite could write beside us. */
static const char settings_sql[] = "PRAGMA temp_store = MEMORY;"
                                   "PRAGMA mmap_size = 0;"
                                   "PRAGMA cache_spill = OFF;"
                                   "PRAGMA synchronous = NORMAL;"
                                   "PRAGMA secure_delete = OFF;"
                                   "PRAGMA wal_autocheckpoint = 0;"
                                   "PRAGMA journal_size_limit = 67108864;"
                                   "PRAGMA trusted_schema = OFF;"
                                   "PRAGMA cache_size = -16384;";

/* Without any journal until there is a log: the first page is written before it, and a journal would lie on disk in clear. */
static const char create_sql[] = "PRAGMA page_size = 4096;"
                                 "PRAGMA auto_vacuum = NONE;"
                                 "PRAGMA journal_mode = OFF;"
                                 "PRAGMA journal_mode = WAL;";

static int open_with(const struct seal_vfs *vfs, const char *path, int flags, const char *first_sql,
                     struct sql_conn *c)
{
    struct sql_conn made = {0};
    int rc = sqlite3_open_v2(path, &made.db, flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                             seal_vfs_name(vfs));

    if (rc == SQLITE_OK) {
        sqlite3_extended_result_codes(made.db, 1);
        sqlite3_busy_timeout(made.db, BUSY_MS);
        if (flags & SQLITE_OPEN_CREATE)
            rc = seal_reserve(made.db);
    }
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(made.db, settings_sql, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(made.db, first_sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK) {
        int r = sql_code(rc);

        pc_err_set(r, "metadata database %s: %s%s", path,
                   made.db ? sqlite3_errmsg(made.db) : "no memory",
                   r == PC_ECORRUPT ? "; run pcloud fsck --repair" : "");
        conn_close(&made);
        return r;
    }
    *c = made;
    return 0;
}

int conn_open(const struct seal_vfs *vfs, const char *path, struct sql_conn *c)
{
    int r = seal_probe(vfs, path);

    return r < 0 ? r : open_with(vfs, path, 0, "SELECT count(*) FROM sqlite_schema", c);
}

int conn_create(const struct seal_vfs *vfs, const char *path, struct sql_conn *c)
{
    return open_with(vfs, path, SQLITE_OPEN_CREATE, create_sql, c);
}
