/* SPDX-License-Identifier: Apache-2.0 */
/* Packs: numbered, sealed, listed, adopted from dead sessions, forgotten when empty. */
#include "meta/ops/ops.h"

#include <errno.h>
#include <string.h>

#include "pcloud/err.h"

#define ADOPT_PAGE 64
#define FORGET_PAGE 256

int op_pack_new(struct meta *m, uint64_t *ret_id)
{
    static const char sql[] = "INSERT INTO pack VALUES(?1, 0, 0, 0, ?2, ?3)";
    struct sql_conn *c;
    uint64_t id;
    int rc =
        sql_write_begin(m, SQL_FREES, &c); /* compaction needs one; the data path looks for room */

    if (rc < 0)
        return rc;
    id = sql_next_id(m);
    rc = sql_run(c, sql, "uuu", id, sql_session(m), sql_change_seq(m));
    if (rc >= 0)
        sql_total_add(m, SQL_PACKS, 1);
    rc = sql_write_end(m, c, rc < 0 ? rc : 0);
    if (rc == 0)
        rc = meta_sync(m);
    if (rc == 0)
        *ret_id = id;
    return rc;
}

static int seal_in(struct meta *m, struct sql_conn *c, uint64_t id, uint64_t size)
{
    static const char sql[] = "UPDATE pack SET sealed=1, size=?2, seq=?3 WHERE id=?1 AND sealed=0";
    int rc = sql_run(c, sql, "uuu", id, size, sql_change_seq(m));

    return rc == 0 ? -ENOENT : rc < 0 ? rc : 0;
}

int op_pack_seal(struct meta *m, uint64_t id, uint64_t size)
{
    struct sql_conn *c;
    int rc = sql_write_begin(m, SQL_FREES, &c);

    return rc < 0 ? rc : sql_write_end(m, c, seal_in(m, c, id, size));
}

int op_pack_list(struct meta *m, uint64_t after, unsigned max, struct meta_pack *packs)
{
    static const char sql[] =
        "SELECT id, size, live, sealed FROM pack WHERE id>?1 ORDER BY id LIMIT ?2";
    struct sql_conn *c;
    sqlite3_stmt *st;
    unsigned n = 0;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = sql_stmt(c, sql, &st);
    if (rc == 0) {
        rc = sql_bind(st, "uu", after, (uint64_t)max);
        while (rc >= 0 && n < max && (rc = sql_step(st)) > 0) {
            packs[n].id = col_u(st, 0);
            packs[n].size = col_u(st, 1);
            packs[n].live = col_u(st, 2);
            packs[n++].sealed = sqlite3_column_int(st, 3) != 0;
        }
        sqlite3_reset(st);
    }
    sql_read_end(m, c);
    return rc < 0 ? rc : (int)n;
}

static int blocks_in(struct sql_conn *c, uint64_t pack, uint64_t after_off, unsigned max,
                     struct meta_block *blocks)
{
    static const char sql[] = "SELECT bid, id, size, stored, off FROM block "
                              "WHERE pack=?1 AND off>?2 ORDER BY off LIMIT ?3";
    unsigned n = 0;
    sqlite3_stmt *st;
    int rc = sql_stmt(c, sql, &st);

    if (rc < 0)
        return rc;
    rc = sql_bind(st, "uuu", pack, after_off, (uint64_t)max);
    while (rc >= 0 && n < max && (rc = sql_step(st)) > 0) {
        struct meta_block *b = &blocks[n];
        const char *id;
        size_t len;

        rc = col_blob(st, 1, &id, &len);
        if (rc == 0 && len != META_BLOCK_ID)
            rc = pc_err_set(PC_ECORRUPT, "pack %llu: a block has no id", (unsigned long long)pack);
        if (rc < 0)
            break;
        b->bid = col_u(st, 0);
        memcpy(b->id, id, META_BLOCK_ID);
        b->size = (uint32_t)col_u(st, 2);
        b->stored = (uint32_t)col_u(st, 3);
        b->pack = pack;
        b->off = col_u(st, 4);
        n++;
    }
    sqlite3_reset(st);
    return rc < 0 ? rc : (int)n;
}

int op_pack_blocks(struct meta *m, uint64_t pack, uint64_t after_off, unsigned max,
                   struct meta_block *blocks)
{
    struct sql_conn *c;
    int rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = blocks_in(c, pack, after_off, max, blocks);
    sql_read_end(m, c);
    return rc;
}

/* Open packs above ${after} whose session is dead. */
static int dead_page(struct meta *m, uint64_t *after, uint64_t ids[ADOPT_PAGE], bool *ret_more)
{
    static const char sql[] =
        "SELECT id, session FROM pack WHERE sealed=0 AND id>?1 ORDER BY id LIMIT 64";
    struct sql_conn *c;
    sqlite3_stmt *st;
    int n = 0, seen = 0, rc = sql_read_begin(m, &c);

    if (rc < 0)
        return rc;
    rc = sql_stmt(c, sql, &st);
    if (rc == 0) {
        rc = sql_bind(st, "u", *after);
        while (rc >= 0 && seen < ADOPT_PAGE && (rc = sql_step(st)) > 0) {
            seen++;
            *after = col_u(st, 0);
            if (!sql_session_alive(m, col_u(st, 1)))
                ids[n++] = *after;
        }
        sqlite3_reset(st);
    }
    sql_read_end(m, c);
    *ret_more = seen == ADOPT_PAGE;
    return rc < 0 ? rc : n;
}

int op_pack_adopt(struct meta *m, int64_t (*size_of)(void *arg, uint64_t id), void *arg)
{
    uint64_t ids[ADOPT_PAGE], after = 0;
    bool more;
    int n;

    do {
        n = dead_page(m, &after, ids, &more);
        if (n < 0)
            return n;
        for (int i = 0; i < n; i++) {
            int64_t size = size_of(arg, ids[i]);
            int rc = size < 0 && size != -ENOENT ? (int)size : 0;

            if (rc == 0)
                rc = op_pack_seal(m, ids[i], size < 0 ? 0 : (uint64_t)size);
            if (rc < 0 && rc != -ENOENT)
                return rc;
        }
    } while (more);
    return 0;
}

static int forget_in(struct meta *m, struct sql_conn *c, unsigned max, uint64_t *ids)
{
    static const char sql[] = "SELECT id FROM pack WHERE sealed=1 AND live=0 AND seq<?1 LIMIT ?2";
    static const char used[] = "SELECT 1 FROM block WHERE pack=?1 LIMIT 1";
    static const char del[] = "DELETE FROM pack WHERE id=?1";
    uint64_t before = sql_oldest_pin(m);
    unsigned n = 0, kept = 0;
    sqlite3_stmt *st;
    int rc = sql_stmt(c, sql, &st);

    if (rc < 0)
        return rc;
    rc = sql_bind(st, "uu", before < INT64_MAX ? before : INT64_MAX, (uint64_t)max);
    while (rc >= 0 && n < max && (rc = sql_step(st)) > 0)
        ids[n++] = col_u(st, 0);
    sqlite3_reset(st);
    for (unsigned i = 0; i < n && rc >= 0; i++) {
        rc = sql_one(c, used, &st, "u", ids[i]);
        if (rc > 0) {
            sqlite3_reset(st); /* live is wrong: fsck mends it */
            continue;
        }
        if (rc == 0)
            rc = sql_run(c, del, "u", ids[i]);
        if (rc >= 0)
            ids[kept++] = ids[i];
    }
    if (rc < 0)
        return rc;
    sql_total_add(m, SQL_PACKS, -(int64_t)kept);
    return (int)kept;
}

int op_gc_packs(struct meta *m, unsigned max, uint64_t *ids)
{
    struct sql_conn *c;
    int n, rc = sql_write_begin(m, SQL_FREES, &c);

    if (rc < 0)
        return rc;
    if (max > FORGET_PAGE)
        max = FORGET_PAGE;
    n = sql_write_end(m, c, forget_in(m, c, max, ids));
    if (n <= 0)
        return n;
    rc = meta_sync(m);
    return rc < 0 ? rc : n;
}
