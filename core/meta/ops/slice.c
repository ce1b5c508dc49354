/* SPDX-License-Identifier: Apache-2.0 */
/* Slices: found, cut by newer ones, put, shared and freed; never overlapping, never read. */
#include "meta/ops/slice.h"

#include <errno.h>
#include <sys/stat.h>

#include "pcloud/err.h"

#define PAGE 64
#define DETACH_MIN 512    /* slices; fewer go one by one */
#define DETACH_BYTES 8192 /* nobody looks for so many in a shorter range */

static int slice_insert(struct sql_conn *c, uint64_t ino, const struct slice_row *s)
{
    static const char sql[] = "INSERT INTO slice VALUES(?1, ?2, ?3, ?4, ?5)";
    int rc = sql_run(c, sql, "uuuuu", ino, s->pos, (uint64_t)s->len, (uint64_t)s->boff, s->bid);

    return rc < 0 ? rc : 0;
}

static int slice_delete(struct sql_conn *c, uint64_t ino, uint64_t pos)
{
    static const char sql[] = "DELETE FROM slice WHERE ino=?1 AND pos=?2";
    int rc = sql_run(c, sql, "uu", ino, pos);

    return rc < 0 ? rc : 0;
}

static int slice_shorten(struct sql_conn *c, uint64_t ino, uint64_t pos, uint32_t len)
{
    static const char sql[] = "UPDATE slice SET len=?3 WHERE ino=?1 AND pos=?2";
    int rc = sql_run(c, sql, "uuu", ino, pos, (uint64_t)len);

    return rc < 0 ? rc : 0;
}

int slice_page(struct sql_conn *c, uint64_t ino, uint64_t from, uint64_t to, unsigned max,
               struct slice_row *rows)
{
    static const char sql[] =
        "SELECT pos, len, boff, bid FROM slice WHERE ino=?1 AND pos >= "
        "coalesce((SELECT max(pos) FROM slice WHERE ino=?1 AND pos<=?2), 0) AND pos<?3 "
        "ORDER BY pos";
    unsigned n = 0;
    sqlite3_stmt *st;
    int rc = sql_stmt(c, sql, &st);

    if (rc < 0)
        return rc;
    rc = sql_bind(st, "uuu", ino, from, to);
    while (rc >= 0 && n < max && (rc = sql_step(st)) > 0) {
        struct slice_row s = {
            .pos = col_u(st, 0),
            .len = (uint32_t)col_u(st, 1),
            .boff = (uint32_t)col_u(st, 2),
            .bid = col_u(st, 3),
        };

        if (s.pos + s.len > from)
            rows[n++] = s;
    }
    sqlite3_reset(st);
    return rc < 0 ? rc : (int)n;
}

/* Take [from, to) out of one slice that meets it. */
static int cut_one(struct meta *m, struct sql_conn *c, struct row *r, const struct slice_row *s,
                   uint64_t from, uint64_t to)
{
    uint64_t end = s->pos + s->len;
    bool left = s->pos<from, right = end> to;
    struct slice_row rest = {.pos = to, .bid = s->bid};
    int rc;

    r->used -= (end < to ? end : to) - (left ? from : s->pos);
    if (left)
        rc = slice_shorten(c, r->ino, s->pos, (uint32_t)(from - s->pos));
    else
        rc = slice_delete(c, r->ino, s->pos);
    if (rc == 0 && right) {
        rest.len = (uint32_t)(end - to);
        rest.boff = s->boff + (uint32_t)(to - s->pos);
        rc = slice_insert(c, r->ino, &rest);
    }
    if (rc == 0 && left && right)
        rc = block_ref(m, c, s->bid, false);
    if (rc == 0 && !left && !right)
        rc = block_unref(m, c, s->bid);
    return rc < 0 ? rc : 0;
}

int slice_detach(struct meta *m, struct sql_conn *c, struct row *r, uint64_t from, uint64_t to)
{
    static const char many[] = "SELECT 1 FROM slice WHERE ino=?1 AND pos>=?2 AND pos<?3 "
                               "LIMIT 1 OFFSET ?4";
    static const char sum[] = "SELECT coalesce(sum(len), 0), coalesce(max(pos+len), 0) FROM slice "
                              "WHERE ino=?1 AND pos>=?2 AND pos<?3 AND pos+len<=?3";
    static const char move[] = "UPDATE slice SET ino=?4 WHERE ino=?1 AND pos>=?2 AND pos<?3 "
                               "AND pos+len<=?3";
    struct row o;
    sqlite3_stmt *st;
    int rc = sql_one(c, many, &st, "uuuu", r->ino, from, to, (uint64_t)DETACH_MIN);

    if (rc <= 0)
        return rc;
    sqlite3_reset(st);
    rc = sql_one(c, sum, &st, "uuu", r->ino, from, to);
    if (rc <= 0)
        return rc;
    row_new(m, S_IFREG | 0600, 0, 0, 0, &o);
    o.nlink = 0;
    o.flags = ROW_SLICES;
    o.used = col_u(st, 0);
    o.size = col_u(st, 1);
    sqlite3_reset(st);
    rc = row_insert(c, &o);
    if (rc == 0)
        rc = orphan_add(m, c, o.ino);
    if (rc == 0)
        rc = sql_run(c, move, "uuuu", r->ino, from, to, o.ino);
    if (rc < 0)
        return rc;
    r->used -= o.used;
    return 1;
}

int slice_cut(struct meta *m, struct sql_conn *c, struct row *r, uint64_t from, uint64_t to)
{
    struct slice_row rows[PAGE];
    int n, rc = 0;

    if (!(r->flags & ROW_SLICES) || from >= to)
        return 0;
    if (to - from > DETACH_BYTES)
        rc = slice_detach(m, c, r, from, to);
    if (rc < 0)
        return rc;
    rc = 0;
    do {
        n = slice_page(c, r->ino, from, to, PAGE, rows);
        if (n < 0)
            return n;
        for (int i = 0; i < n && rc == 0; i++)
            rc = cut_one(m, c, r, &rows[i], from, to);
    } while (n == PAGE && rc == 0);
    return rc;
}

/* Bytes that new blocks add to one pack, summed over neighbours. */
struct pack_sum {
    uint64_t pack, live, end;
    unsigned first; /* the slice that began it */
};

static int pack_add(struct sql_conn *c, struct pack_sum *sum, unsigned *ret_bad)
{
    static const char sql[] = "UPDATE pack SET live=live+?2, size=max(size, ?3) WHERE id=?1";
    int rc;

    if (sum->pack == 0)
        return 0;
    rc = sql_run(c, sql, "uuu", sum->pack, sum->live, sum->end);
    if (rc == 0) {
        *ret_bad = sum->first;
        return PC_ESTALEREF;
    }
    sum->pack = 0;
    return rc < 0 ? rc : 0;
}

static int block_insert(struct meta *m, struct sql_conn *c, const struct meta_block *b,
                        uint64_t *ret_bid)
{
    static const char sql[] = "INSERT INTO block VALUES(?1, ?2, ?3, ?4, ?5, ?6, 1, 0, 0)";
    uint64_t bid = sql_next_id(m);
    int rc = sql_run(c, sql, "ubuuuu", bid, b->id, (size_t)META_BLOCK_ID, (uint64_t)b->size,
                     (uint64_t)b->stored, b->pack, b->off);

    if (rc < 0)
        return rc;
    sql_total_add(m, SQL_BLOCKS, 1);
    sql_total_add(m, SQL_BLOCK_BYTES, b->stored);
    sql_needs_barrier(m);
    *ret_bid = bid;
    return 0;
}

/* A reference to a slice's block: its row, an equal id's row, or a new one. */
static int block_take(struct meta *m, struct sql_conn *c, const struct meta_block *b, unsigned i,
                      struct pack_sum *sum, uint64_t *ret_bid, unsigned *ret_bad)
{
    static const char sql[] = "SELECT bid, size FROM block WHERE id=?1 AND forgotten=0";
    uint64_t bid = b->bid, size = b->size;
    sqlite3_stmt *st;
    int rc;

    if (bid == 0) {
        rc = sql_one(c, sql, &st, "b", b->id, (size_t)META_BLOCK_ID);
        if (rc < 0)
            return rc;
        if (rc > 0) {
            bid = col_u(st, 0);
            size = col_u(st, 1);
            sqlite3_reset(st);
        }
    }
    if (bid > 0) {
        if (size != b->size)
            return pc_err_set(PC_ECORRUPT, "block %llu: another size under the same id",
                              (unsigned long long)bid);
        rc = block_ref(m, c, bid, true);
        if (rc == 0)
            *ret_bad = i;
        *ret_bid = bid;
        return rc == 0 ? PC_ESTALEREF : rc < 0 ? rc : 0;
    }
    if (sum->pack != b->pack) {
        rc = pack_add(c, sum, ret_bad);
        if (rc < 0)
            return rc;
        *sum = (struct pack_sum){.pack = b->pack, .first = i};
    }
    sum->live += b->stored;
    if (sum->end < b->off + b->stored)
        sum->end = b->off + b->stored;
    return block_insert(m, c, b, ret_bid);
}

static bool slice_is_sound(const struct meta_slice *s)
{
    const struct meta_block *b = &s->block;

    return s->len > 0 && b->size <= META_BLOCK_MAX && s->boff <= b->size &&
           s->len <= b->size - s->boff && s->pos <= PC_FILE_MAX && s->len <= PC_FILE_MAX - s->pos &&
           (b->bid > 0 || b->pack > 0);
}

int slice_put(struct meta *m, struct sql_conn *c, struct row *r, const struct meta_slice *slices,
              unsigned n, unsigned *ret_bad)
{
    struct pack_sum sum = {0};
    unsigned bad = 0;
    int rc = 0;

    for (unsigned i = 0; i < n && rc == 0; i++) {
        const struct meta_slice *s = &slices[i];
        struct slice_row row = {.pos = s->pos, .len = s->len, .boff = s->boff};

        if (!slice_is_sound(s))
            return -EINVAL;
        rc = block_take(m, c, &s->block, i, &sum, &row.bid, &bad);
        if (rc == 0 && s->pos < r->size)
            rc = slice_cut(m, c, r, s->pos, s->pos + s->len);
        if (rc == 0)
            rc = slice_insert(c, r->ino, &row);
        if (rc == 0)
            r->used += s->len;
    }
    if (rc == 0)
        rc = pack_add(c, &sum, &bad);
    if (rc == PC_ESTALEREF && ret_bad)
        *ret_bad = bad;
    if (rc == 0 && n > 0)
        r->flags |= ROW_SLICES;
    return rc;
}

int slice_share(struct meta *m, struct sql_conn *c, uint64_t from, uint64_t src_off, struct row *r,
                uint64_t dst_off, uint64_t len)
{
    struct slice_row rows[PAGE];
    uint64_t at = src_off, end = src_off + len;
    int n, rc = 0;

    do {
        n = slice_page(c, from, at, end, PAGE, rows);
        if (n < 0)
            return n;
        for (int i = 0; i < n && rc == 0; i++) {
            struct slice_row s = rows[i];
            uint64_t lo = s.pos > src_off ? s.pos : src_off;
            uint64_t hi = s.pos + s.len < end ? s.pos + s.len : end;

            at = s.pos + s.len;
            s.boff += (uint32_t)(lo - s.pos);
            s.len = (uint32_t)(hi - lo);
            s.pos = dst_off + (lo - src_off);
            rc = block_ref(m, c, s.bid, false);
            if (rc == 0)
                return pc_err_set(PC_ECORRUPT, "a slice of node %llu has no block",
                                  (unsigned long long)from);
            if (rc > 0)
                rc = slice_insert(c, r->ino, &s);
            r->used += s.len;
            r->flags |= ROW_SLICES;
        }
    } while (n == PAGE && rc == 0);
    return rc;
}

int slice_free_all(struct meta *m, struct sql_conn *c, uint64_t ino, unsigned max)
{
    static const char sql[] = "SELECT bid FROM slice WHERE ino=?1 ORDER BY pos LIMIT ?2";
    static const char del[] = "DELETE FROM slice WHERE ino=?1 AND pos IN "
                              "(SELECT pos FROM slice WHERE ino=?1 ORDER BY pos LIMIT ?2)";
    uint64_t bids[PAGE];
    unsigned done = 0, n;
    sqlite3_stmt *st;
    int rc;

    do {
        unsigned want = max - done < PAGE ? max - done : PAGE;

        rc = sql_stmt(c, sql, &st);
        if (rc < 0)
            return rc;
        n = 0;
        rc = sql_bind(st, "uu", ino, (uint64_t)want);
        while (rc >= 0 && n < want && (rc = sql_step(st)) > 0)
            bids[n++] = col_u(st, 0);
        sqlite3_reset(st);
        if (rc >= 0 && n > 0) /* before the references: a snapshot may take them over */
            rc = sql_run(c, del, "uu", ino, (uint64_t)n);
        for (unsigned i = 0; i < n && rc >= 0; i++)
            rc = block_unref(m, c, bids[i]);
        if (rc < 0)
            return rc;
        done += n;
    } while (n == PAGE && done < max);
    return (int)done;
}

int block_ref(struct meta *m, struct sql_conn *c, uint64_t bid, bool fresh)
{
    static const char sql[] =
        "UPDATE block SET refs=refs+1 WHERE bid=?1 AND forgotten<=?2 RETURNING refs, stored";
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "uu", bid, (uint64_t)(fresh ? 0 : 1));

    if (rc <= 0)
        return rc;
    if (col_u(st, 0) == 1) {
        sql_total_add(m, SQL_BLOCKS, 1);
        sql_total_add(m, SQL_BLOCK_BYTES, sqlite3_column_int64(st, 1));
    }
    sqlite3_reset(st);
    return 1;
}

int block_unref(struct meta *m, struct sql_conn *c, uint64_t bid)
{
    static const char sql[] = "UPDATE block SET refs=refs-1, zseq=iif(refs=1, ?2, zseq) "
                              "WHERE bid=?1 AND refs>0 RETURNING refs, stored";
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "uu", bid, sql_change_seq(m));

    if (rc <= 0)
        return rc;
    if (col_u(st, 0) == 0) {
        sql_total_add(m, SQL_BLOCKS, -1);
        sql_total_add(m, SQL_BLOCK_BYTES, -sqlite3_column_int64(st, 1));
    }
    sqlite3_reset(st);
    return 0;
}
