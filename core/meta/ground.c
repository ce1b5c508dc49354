/* SPDX-License-Identifier: Apache-2.0 */
/* The ground's tables: settings, sessions, the change feed and the totals. */
#include "meta/engine.h"

#include "pcloud/err.h"

static const char ground_sql[] =
    "CREATE TABLE setting(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE session(id INTEGER PRIMARY KEY, pid INTEGER, program TEXT, started INTEGER);"
    "CREATE TABLE feed(seq INTEGER PRIMARY KEY, kinds INTEGER, ino INTEGER, parent INTEGER,"
    " seg BLOB, session INTEGER);"
    "CREATE TABLE total(which INTEGER PRIMARY KEY, value INTEGER NOT NULL);";

int setting_get(struct sql_conn *c, const char *key, int64_t *ret)
{
    sqlite3_stmt *st;
    int r = sql_one(c, "SELECT value FROM setting WHERE key = ?", &st, "t", key);

    if (r < 0)
        return r;
    if (r == 0)
        return pc_err_set(PC_ECORRUPT, "metadata database: setting %s is missing; run pcloud fsck",
                          key);
    *ret = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return 0;
}

int setting_set(struct sql_conn *c, const char *key, int64_t value)
{
    int r = sql_run(c, "INSERT OR REPLACE INTO setting VALUES(?, ?)", "ti", key, value);

    return r < 0 ? r : 0;
}

int ground_create(struct sql_conn *c, const uint8_t volume_id[16])
{
    int rc = sqlite3_exec(c->db, ground_sql, NULL, NULL, NULL);
    int r = sql_code(rc);

    if (rc != SQLITE_OK)
        return pc_err_set(r, "metadata database: %s", sqlite3_errmsg(c->db));
    r = sql_run(c, "INSERT INTO setting VALUES('volume_id', ?)", "b", volume_id, (size_t)16);
    if (r < 0)
        return r;
    for (int i = 0; i < SQL_TOTALS; i++) {
        r = sql_run(c, "INSERT INTO total VALUES(?, 0)", "i", (int64_t)i);
        if (r < 0)
            return r;
    }
    if ((r = setting_set(c, "format", ENGINE_FORMAT)) < 0 ||
        (r = setting_set(c, "next_id", 1024)) < 0 || (r = setting_set(c, "change", 1)) < 0 ||
        (r = setting_set(c, "session", 0)) < 0 || (r = setting_set(c, "feed", 0)) < 0)
        return r;
    return 0;
}

int totals_write(struct engine *e, struct sql_conn *c)
{
    for (int i = 0; i < SQL_TOTALS; i++) {
        int r;

        if (e->totals[i] == 0)
            continue;
        r = sql_run(c, "UPDATE total SET value = value + ? WHERE which = ?", "ii", e->totals[i],
                    (int64_t)i);
        if (r < 0)
            return r;
        e->totals[i] = 0;
    }
    return 0;
}
