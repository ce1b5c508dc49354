/* SPDX-License-Identifier: Apache-2.0 */
/* Rows found in a damaged database put into the tables of a new one. */
#include "meta/salvage/rows.h"

#include "meta/sql.h"
#include "pcloud/err.h"

#include <stdio.h>
#include <string.h>

static int failed(sqlite3 *db, int rc)
{
    return pc_err_set(sql_code(rc), "new metadata database: %s", sqlite3_errmsg(db));
}

/* Columns as declared; in a table without rowid those of the key come first on disk (ours all have them first anyway). */
static int columns(sqlite3 *db, struct rows_table *t)
{
    sqlite3_stmt *st;
    int rc = sqlite3_prepare_v2(db,
                                "SELECT cid, upper(type), pk, \"notnull\", (SELECT wr FROM"
                                " pragma_table_list(?1)) FROM pragma_table_info(?1) ORDER BY cid",
                                -1, &st, NULL);

    if (rc != SQLITE_OK)
        return failed(db, rc);
    sqlite3_bind_text(st, 1, t->name, -1, SQLITE_STATIC);
    t->key = -1;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW && t->columns < TREE_COLUMNS) {
        const char *type = (const char *)sqlite3_column_text(st, 1);
        unsigned c = t->columns++;
        bool keyed = sqlite3_column_int(st, 4) != 0;

        t->kind = keyed ? TREE_KEYS : TREE_ROWS;
        t->place[c] = c;
        t->affinity[c] = type && *type ? *type : '*';
        t->is_null_ok[c] = !sqlite3_column_int(st, 3);
        if (!keyed && sqlite3_column_int(st, 2) == 1 && t->affinity[c] == 'I')
            t->key = (int)c;
    }
    sqlite3_finalize(st);
    return rc == SQLITE_DONE && t->columns > 0 ? 0 : failed(db, rc);
}

int rows_open(sqlite3 *db, const char *name, const char *sql, struct rows_table *ret)
{
    struct rows_table t = {.name = name};
    char plain[256];
    int r = columns(db, &t), n, rc;

    if (r < 0)
        return r;
    n = snprintf(plain, sizeof plain, "INSERT OR IGNORE INTO \"%s\" VALUES(?", name);
    for (unsigned i = 1; i < t.columns && n > 0 && n < (int)sizeof plain; i++)
        n += snprintf(plain + n, sizeof plain - (size_t)n, ",?");
    if (n > 0 && n < (int)sizeof plain)
        n += snprintf(plain + n, sizeof plain - (size_t)n, ")");
    if (n < 0 || n >= (int)sizeof plain)
        return PC_ELIMIT;
    rc = sqlite3_prepare_v2(db, sql ? sql : plain, -1, &t.insert, NULL);
    if (rc != SQLITE_OK)
        return failed(db, rc);
    *ret = t;
    return 0;
}

void rows_close(struct rows_table *t)
{
    sqlite3_finalize(t->insert);
    t->insert = NULL;
}

static bool value_fits(char affinity, bool is_null_ok, const struct tree_value *v)
{
    switch (v->type) {
    case TREE_NULL:
        return is_null_ok;
    case TREE_INT:
        return affinity == 'I' || affinity == '*';
    case TREE_TEXT:
        return affinity == 'T' || affinity == '*';
    case TREE_BLOB:
        return affinity == 'B' || affinity == '*';
    default:
        return false;
    }
}

bool rows_fits(const struct rows_table *t, enum tree_kind kind, const struct tree_row *row)
{
    if (kind != t->kind || row->n != t->columns)
        return false;
    for (unsigned c = 0; c < t->columns; c++) {
        const struct tree_value *v = &row->v[t->place[c]];

        if ((int)c == t->key ? v->type != TREE_NULL
                             : !value_fits(t->affinity[c], t->is_null_ok[c], v))
            return false;
    }
    return true;
}

static int bind(sqlite3_stmt *st, int i, const struct tree_value *v)
{
    switch (v->type) {
    case TREE_INT:
        return sqlite3_bind_int64(st, i, v->i);
    case TREE_REAL:
        return sqlite3_bind_double(st, i, v->d);
    case TREE_TEXT:
        return sqlite3_bind_text64(st, i, (const char *)v->p, v->len, SQLITE_STATIC, SQLITE_UTF8);
    case TREE_BLOB:
        return sqlite3_bind_blob64(st, i, v->p, v->len, SQLITE_STATIC);
    default:
        return sqlite3_bind_null(st, i);
    }
}

int rows_insert(struct rows_table *t, const struct tree_row *row)
{
    sqlite3 *db = sqlite3_db_handle(t->insert);
    int rc = SQLITE_OK;

    for (unsigned c = 0; c < t->columns && rc == SQLITE_OK; c++) {
        if ((int)c == t->key)
            rc = sqlite3_bind_int64(t->insert, (int)c + 1, row->rowid);
        else if (t->place[c] < row->n)
            rc = bind(t->insert, (int)c + 1, &row->v[t->place[c]]);
        else
            rc = sqlite3_bind_null(t->insert, (int)c + 1);
    }
    if (rc == SQLITE_OK)
        rc = sqlite3_step(t->insert);
    if (rc == SQLITE_DONE)
        t->inserted += (uint64_t)sqlite3_changes(db);
    sqlite3_reset(t->insert);
    return rc == SQLITE_DONE ? 0 : failed(db, rc);
}
