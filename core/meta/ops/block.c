/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks: found for dedup, moved by compaction, reclaimed when nothing refers to them. */
#include "meta/ops/ops.h"

#include <errno.h>
#include <string.h>

#include "pcloud/err.h"

#define BLOCK_COLUMNS "bid, id, size, stored, pack, off"
#define PAGE 256

static int block_read(sqlite3_stmt *st, struct meta_block *b)
{
    const char *id;
    size_t len;
    int rc = col_blob(st, 1, &id, &len);

    if (rc < 0)
        return rc;
    if (len != META_BLOCK_ID)
        return pc_err_set(PC_ECORRUPT, "block %llu has no id", (unsigned long long)col_u(st, 0));
    b->bid = col_u(st, 0);
    memcpy(b->id, id, META_BLOCK_ID);
    b->size = (uint32_t)col_u(st, 2);
    b->stored = (uint32_t)col_u(st, 3);
    b->pack = col_u(st, 4);
    b->off = col_u(st, 5);
    return 0;
}

int op_block_find(struct meta *m, const uint8_t id[META_BLOCK_ID], struct meta_block *ret)
{
    static const char sql[] = "SELECT " BLOCK_COLUMNS " FROM block WHERE id=?1 AND forgotten=0";
    struct sql_conn *c;
    sqlite3_stmt *st;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = sql_one(c, sql, &st, "b", id, (size_t)META_BLOCK_ID);
    if (rc > 0) {
        rc = block_read(st, ret);
        rc = rc < 0 ? rc : 1;
        sqlite3_reset(st);
    }
    sql_read_end(m, c);
    return rc;
}

int op_block_get(struct meta *m, uint64_t bid, struct meta_block *ret)
{
    static const char sql[] = "SELECT " BLOCK_COLUMNS " FROM block WHERE bid=?1";
    struct sql_conn *c;
    sqlite3_stmt *st;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = sql_one(c, sql, &st, "u", bid);
    if (rc > 0) {
        rc = block_read(st, ret);
        sqlite3_reset(st);
    } else if (rc == 0) {
        rc = -ENOENT;
    }
    sql_read_end(m, c);
    return rc;
}

int op_block_forget(struct meta *m, uint64_t bid)
{
    static const char sql[] = "UPDATE block SET forgotten=1 WHERE bid=?1";
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    if (rc < 0)
        return rc;
    rc = sql_run(c, sql, "u", bid);
    return sql_write_end(m, c, rc == 0 ? -ENOENT : rc < 0 ? rc : 0);
}

static int pack_live(struct meta *m, struct sql_conn *c, uint64_t pack, int64_t delta, uint64_t end)
{
    static const char sql[] =
        "UPDATE pack SET live=live+?2, size=max(size, ?3), seq=?4 WHERE id=?1";

    return sql_run(c, sql, "uiuu", pack, delta, end, sql_change_seq(m));
}

static int move_in(struct meta *m, struct sql_conn *c, uint64_t bid, uint64_t old_pack,
                   uint64_t old_off, uint64_t new_pack, uint64_t new_off)
{
    static const char sql[] =
        "UPDATE block SET pack=?4, off=?5 WHERE bid=?1 AND pack=?2 AND off=?3 "
        "RETURNING stored";
    int64_t stored;
    sqlite3_stmt *st;
    int rc = sql_one(c, sql, &st, "uuuuu", bid, old_pack, old_off, new_pack, new_off);

    if (rc <= 0)
        return rc < 0 ? rc : PC_ESTALEREF;
    stored = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    rc = pack_live(m, c, old_pack, -stored, 0);
    if (rc >= 0)
        rc = pack_live(m, c, new_pack, stored, new_off + (uint64_t)stored);
    if (rc <= 0)
        return rc < 0 ? rc : PC_ESTALEREF;
    sql_needs_barrier(m);
    return 0;
}

int op_block_move(struct meta *m, uint64_t bid, uint64_t old_pack, uint64_t old_off,
                  uint64_t new_pack, uint64_t new_off)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    if (rc < 0)
        return rc;
    return sql_write_end(m, c, move_in(m, c, bid, old_pack, old_off, new_pack, new_off));
}

int op_block_users(struct meta *m, uint64_t bid, unsigned max, void (*fn)(void *arg, uint64_t ino),
                   void *arg)
{
    static const char sql[] = "SELECT DISTINCT ino FROM slice WHERE bid=?1 LIMIT ?2";
    struct sql_conn *c;
    sqlite3_stmt *st;
    int n = 0, rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = sql_stmt(c, sql, &st);
    if (rc == 0) {
        rc = sql_bind(st, "uu", bid, (uint64_t)max);
        while (rc >= 0 && (rc = sql_step(st)) > 0) {
            n++;
            fn(arg, col_u(st, 0));
        }
        sqlite3_reset(st);
    }
    sql_read_end(m, c);
    return rc < 0 ? rc : n;
}

struct free_block {
    uint64_t bid, pack;
    int64_t stored;
};

static int free_page(struct sql_conn *c, uint64_t before, unsigned max, struct free_block *f)
{
    static const char sql[] =
        "SELECT bid, pack, stored FROM block WHERE refs=0 AND zseq<?1 ORDER BY zseq LIMIT ?2";
    unsigned n = 0;
    sqlite3_stmt *st;
    int rc = sql_stmt(c, sql, &st);

    if (rc < 0)
        return rc;
    rc = sql_bind(st, "uu", before < INT64_MAX ? before : INT64_MAX, (uint64_t)max);
    while (rc >= 0 && n < max && (rc = sql_step(st)) > 0) {
        f[n].bid = col_u(st, 0);
        f[n].pack = col_u(st, 1);
        f[n++].stored = sqlite3_column_int64(st, 2);
    }
    sqlite3_reset(st);
    return rc < 0 ? rc : (int)n;
}

static int gc_in(struct meta *m, struct sql_conn *c, unsigned max, uint64_t *bytes)
{
    static const char del[] = "DELETE FROM block WHERE bid=?1 AND refs=0";
    struct free_block f[PAGE];
    uint64_t before = sql_oldest_pin(m), sum = 0;
    unsigned done = 0;
    int n, rc = 0;

    do {
        n = free_page(c, before, max - done < PAGE ? max - done : PAGE, f);
        if (n < 0)
            return n;
        for (int i = 0; i < n && rc >= 0; i++) {
            rc = sql_run(c, del, "u", f[i].bid);
            if (rc >= 0)
                rc = pack_live(m, c, f[i].pack, -f[i].stored, 0);
            sum += (uint64_t)f[i].stored;
        }
        if (rc < 0)
            return rc;
        done += (unsigned)n;
    } while (n == PAGE && done < max);
    *bytes += sum;
    return (int)done;
}

int op_gc_blocks(struct meta *m, unsigned max, uint64_t *bytes)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    return rc < 0 ? rc : sql_write_end(m, c, gc_in(m, c, max, bytes));
}
