/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: opened with the settings that the engine relies on. */
#include "meta/engine.h"

#include "base/alloc.h"
#include "pcloud/err.h"

#include <string.h>

static const char settings_sql[] = "PRAGMA journal_mode = WAL;"
                                   "PRAGMA synchronous = NORMAL;"
                                   "PRAGMA temp_store = MEMORY;"
                                   "PRAGMA mmap_size = 0;"
                                   "PRAGMA secure_delete = OFF;"
                                   "PRAGMA wal_autocheckpoint = 0;"
                                   "PRAGMA cache_spill = OFF;"
                                   "PRAGMA trusted_schema = OFF;";

int conn_open(const char *dir, const uint8_t page_key[32], bool create, struct sql_conn *c)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
    char *path = mem_printf("%s/" ENGINE_DB, dir);
    int rc;

    (void)page_key;
    if (!path)
        return -ENOMEM;
    memset(c, 0, sizeof *c);
    rc = sqlite3_open_v2(path, &c->db, flags, "unix");
    mem_free(path);
    if (rc == SQLITE_OK) {
        sqlite3_extended_result_codes(c->db, 1);
        sqlite3_busy_timeout(c->db, 60000);
        rc = sqlite3_exec(c->db, settings_sql, NULL, NULL, NULL);
    }
    if (rc != SQLITE_OK) {
        int r = sql_code(rc);

        pc_err_set(r, "metadata database in %s: %s", dir, sqlite3_errmsg(c->db));
        conn_close(c);
        return r;
    }
    return 0;
}
