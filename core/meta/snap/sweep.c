/* SPDX-License-Identifier: Apache-2.0 */
/* What a removed snapshot kept: rows that the one before it needs go to that one, the others go, in steps. */
#include "meta/snap/snap.h"

#include <errno.h>

#include "meta/ops/slice.h"
#include "pcloud/err.h"

#define PAGE 64

/*
 * A row of snapshot S says what a key was at S and, where none of an earlier one is nearer, before. So of a removed S it goes to the one before, P, unless P has its own of
 * that key or the node is younger than P. Of the first ?3 rows of S (?1) that move, in order, those that P (?2) has go next.
 */
#define FIRST(table, key)                                                                          \
    "(" key ", snap) IN (SELECT " key ", snap FROM " table " WHERE snap=?1 ORDER BY " key
#define SWEEP(table, key, young)                                                                   \
    {                                                                                              \
        "UPDATE OR IGNORE " table " SET snap=?2 WHERE " FIRST(table, key) " LIMIT ?3) AND " young  \
                                                                          " < ?4",                 \
            "DELETE FROM " table " WHERE " FIRST(table, key) " LIMIT ?2)"                          \
    }

static const struct {
    const char *move, *drop;
} sweeps[] = {
    SWEEP("node_was", "ino", "ino"),        SWEEP("edge_was", "parent, seg", "parent"),
    SWEEP("inline_was", "ino", "ino"),      SWEEP("symlink_was", "ino", "ino"),
    SWEEP("xattr_was", "ino, name", "ino"), SWEEP("object_was", "ino", "ino"),
};
#define SWEEPS (sizeof(sweeps) / sizeof(sweeps[0]))

struct gone {
    uint64_t id, before, next_id; /* before: the snapshot before it, or 0, and its next_id */
};

/* Up to ${max} rows of one table: their number. */
static int rows(struct sql_conn *c, const struct gone *g, size_t table, unsigned max)
{
    int moved = 0, dropped;

    if (g->before > 0)
        moved = sql_run(c, sweeps[table].move, "uuuu", g->id, g->before, (uint64_t)max, g->next_id);
    if (moved < 0)
        return moved;
    dropped = sql_run(c, sweeps[table].drop, "uu", g->id, (uint64_t)max - (uint64_t)moved);
    return dropped < 0 ? dropped : moved + dropped;
}

struct kept {
    uint64_t ino, pos, bid;
};

static int kept_page(struct sql_conn *c, uint64_t id, unsigned max, struct kept *kept)
{
    static const char sql[] = "SELECT ino, pos, bid FROM slice_was WHERE snap=?1 LIMIT ?2";
    unsigned n = 0;
    sqlite3_stmt *st;
    int rc = sql_stmt(c, sql, &st);

    if (rc < 0)
        return rc;
    rc = sql_bind(st, "uu", id, (uint64_t)max);
    while (rc >= 0 && n < max && (rc = sql_step(st)) > 0)
        kept[n++] = (struct kept){.ino = col_u(st, 0), .pos = col_u(st, 1), .bid = col_u(st, 2)};
    sqlite3_reset(st);
    return rc < 0 ? rc : (int)n;
}

/* One row of a slice: moved, or gone with its reference. A block younger than the one before was not there then. */
static int slice_sweep(struct meta *m, struct sql_conn *c, const struct gone *g,
                       const struct kept *k)
{
    static const char move[] = "UPDATE OR IGNORE slice_was SET snap=?4 "
                               "WHERE ino=?1 AND pos=?2 AND snap=?3";
    static const char clear[] = "UPDATE OR IGNORE slice_was SET snap=?4, len=0, boff=0, bid=0 "
                                "WHERE ino=?1 AND pos=?2 AND snap=?3";
    static const char drop[] = "DELETE FROM slice_was WHERE ino=?1 AND pos=?2 AND snap=?3";
    bool young = k->bid >= g->next_id;
    int rc = 0;

    if (g->before > 0 && k->ino < g->next_id)
        rc = sql_run(c, young ? clear : move, "uuuu", k->ino, k->pos, g->id, g->before);
    if (rc < 0 || (rc > 0 && !young))
        return rc < 0 ? rc : 0;
    if (rc == 0)
        rc = sql_run(c, drop, "uuu", k->ino, k->pos, g->id);
    if (rc >= 0 && k->bid > 0)
        rc = block_unref(m, c, k->bid);
    return rc < 0 ? rc : 0;
}

static int slices(struct meta *m, struct sql_conn *c, const struct gone *g, unsigned max)
{
    struct kept kept[PAGE];
    unsigned done = 0;
    int n;

    do {
        int rc = 0;

        n = kept_page(c, g->id, max - done < PAGE ? max - done : PAGE, kept);
        for (int i = 0; i < n && rc == 0; i++)
            rc = slice_sweep(m, c, g, &kept[i]);
        if (n < 0 || rc < 0)
            return n < 0 ? n : rc;
        done += (unsigned)n;
    } while (n > 0 && done < max);
    return (int)done;
}

/* The oldest removed one: 1, or 0 if there is none. */
static int find(struct sql_conn *c, struct gone *g)
{
    static const char sql[] = "SELECT id FROM snapshot WHERE gone=1 ORDER BY id LIMIT 1";
    static const char before[] = "SELECT id, next_id FROM snapshot WHERE id<?1 "
                                 "ORDER BY id DESC LIMIT 1";
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "");

    *g = (struct gone){0};
    if (rc <= 0)
        return rc;
    g->id = col_u(st, 0);
    sqlite3_reset(st);
    rc = sql_one(c, before, &st, "u", g->id);
    if (rc > 0) {
        g->before = col_u(st, 0);
        g->next_id = col_u(st, 1);
        sqlite3_reset(st);
    }
    return rc < 0 ? rc : 1;
}

static int sweep_in(struct meta *m, struct sql_conn *c, unsigned max)
{
    static const char del[] = "DELETE FROM snapshot WHERE id=?1";
    unsigned done = 0;
    struct gone g;
    int rc = find(c, &g);

    if (rc <= 0)
        return rc;
    for (size_t i = 0; i < SWEEPS && done < max; i++) {
        rc = rows(c, &g, i, max - done);
        if (rc < 0)
            return rc;
        done += (unsigned)rc;
    }
    if (done < max) {
        rc = slices(m, c, &g, max - done);
        if (rc < 0)
            return rc;
        done += (unsigned)rc;
    }
    if (done < max) {
        rc = sql_run(c, del, "u", g.id);
        done++;
    }
    return rc < 0 ? rc : (int)done;
}

static int any(struct meta *m)
{
    struct sql_conn *c;
    struct gone g;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = find(c, &g);
    sql_read_end(m, c);
    return rc;
}

int meta_snapshot_sweep(struct meta *m, unsigned max)
{
    struct sql_conn *c;
    int rc = any(m);

    if (rc <= 0)
        return rc;
    rc = sql_write_begin(m, SQL_FREES, &c);
    return rc < 0 ? rc : sql_write_end(m, c, sweep_in(m, c, max));
}
