/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the table link. */
#include "meta/ops/link.h"

#include <sys/stat.h>

static int add(struct sql_conn *c, uint64_t ino, uint64_t folder)
{
    static const char sql[] = "INSERT INTO link VALUES(?1, ?2, 1) ON CONFLICT DO UPDATE SET n=n+1";
    int rc = sql_run(c, sql, "uu", ino, folder);

    return rc < 0 ? rc : 0;
}

/* One name less in the folder. If none is left there, the file belongs to another one. */
static int take(struct sql_conn *c, struct row *r, uint64_t folder)
{
    static const char less[] = "UPDATE link SET n=n-1 WHERE ino=?1 AND parent=?2";
    static const char empty[] = "DELETE FROM link WHERE ino=?1 AND parent=?2 AND n<=0";
    static const char other[] = "SELECT parent FROM link WHERE ino=?1 ORDER BY parent LIMIT 1";
    sqlite3_stmt *st;
    int rc = sql_run(c, less, "uu", r->ino, folder);

    if (rc >= 0)
        rc = sql_run(c, empty, "uu", r->ino, folder);
    if (rc <= 0 || r->parent != folder)
        return rc < 0 ? rc : 0;
    rc = sql_one(c, other, &st, "u", r->ino);
    if (rc <= 0)
        return rc;
    r->parent = col_u(st, 0);
    sqlite3_reset(st);
    return 0;
}

int link_more(struct sql_conn *c, struct row *r, uint64_t folder)
{
    int rc = r->nlink == 1 ? add(c, r->ino, r->parent) : 0;

    if (r->nlink == 0)
        r->parent = folder; /* its first */
    else if (rc == 0)
        rc = add(c, r->ino, folder);
    if (rc == 0)
        r->nlink++;
    return rc;
}

int link_less(struct sql_conn *c, struct row *r, uint64_t folder)
{
    static const char all[] = "DELETE FROM link WHERE ino=?1";
    int rc = take(c, r, folder);

    if (rc == 0 && r->nlink == 2)
        rc = sql_run(c, all, "u", r->ino);
    if (rc < 0)
        return rc;
    r->nlink--;
    return 0;
}

int link_move(struct sql_conn *c, struct row *r, uint64_t from, uint64_t to)
{
    int rc;

    if (from == to)
        return 0;
    if (S_ISDIR(r->mode) || r->nlink <= 1) {
        r->parent = to;
        return 0;
    }
    rc = add(c, r->ino, to);
    return rc < 0 ? rc : take(c, r, from);
}
