/* SPDX-License-Identifier: Apache-2.0 */
/* The check of every invariant of core/meta/ops/README.md, and what mends them. */
#include "meta/schema.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "meta/conn.h"
#include "meta/ops/row.h"
#include "meta/snap/snap.h"
#include "pcloud/err.h"

#define SHOWN_MAX 100 /* lines that one query gives; the rest is only counted */
#define ROUNDS_MAX 5  /* what one repair lets show up, the next round mends */

#define IS_FOLDER "(n.mode & 61440) = 16384"
#define HAS(flag) "(n.flags & " #flag ") <> 0"
#define LACKS(flag) "(n.flags & " #flag ") = 0"

/* Rows of a table that name a node which is not there; and nodes whose flag and rows disagree. */
#define ROWS_OF(table, flag)                                                                       \
    {"SELECT printf('" table ": row of node %d, which is not there', ino) FROM " table             \
     " WHERE ino NOT IN (SELECT ino FROM node)",                                                   \
     {"DELETE FROM " table " WHERE ino NOT IN (SELECT ino FROM node)"}},                           \
    {                                                                                              \
        "SELECT printf('node %d: has rows in " table " that its flags deny', n.ino) FROM node n "  \
        "WHERE " LACKS(flag) " AND n.ino IN (SELECT ino FROM " table ")",                          \
        {                                                                                          \
            "UPDATE node SET flags = flags | " #flag " WHERE (flags & " #flag                      \
            ") = 0 AND ino IN (SELECT ino FROM " table ")"                                         \
        }                                                                                          \
    }
#define ROWS_NEEDED(table, flag)                                                                   \
    {                                                                                              \
        "SELECT printf('node %d: has no row in " table                                             \
        " that its flags name', n.ino) FROM node n "                                               \
        "WHERE " HAS(flag) " AND n.ino NOT IN (SELECT ino FROM " table ")",                        \
        {                                                                                          \
            "UPDATE node SET flags = flags & ~" #flag " WHERE (flags & " #flag                     \
            ") <> 0 AND ino NOT IN (SELECT ino FROM " table ")"                                    \
        }                                                                                          \
    }

/*
 * Queries keep nothing in memory that grows with the volume: what they compare with is sought, or counted for a window of numbers. The window is all without
 * values for ?1 and ?2, as in what mends.
 */
#define WINDOW "BETWEEN coalesce(?1, 0) AND coalesce(?2, 9223372036854775807)"
#define W_INO "ino " WINDOW
#define W_N "n.ino " WINDOW
#define W_P "p.ino " WINDOW
#define IS_ACL                                                                                     \
    "name IN (CAST('system.posix_acl_access' AS BLOB), CAST('system.posix_acl_default' AS BLOB))"
#define OVERLAPS                                                                                   \
    "FROM (SELECT s.ino AS ino, s.pos AS pos, s.len AS len, (SELECT min(t.pos) FROM slice t "      \
    "WHERE t.ino=s.ino AND t.pos > s.pos) AS next FROM slice s) WHERE pos + len > next"
#define CONTENT                                                                                    \
    "FROM (SELECT n.ino AS ino, n.used AS used, coalesce((SELECT sum(s.len) FROM slice s "         \
    "WHERE s.ino=n.ino), length(i.data), 0) AS is_used FROM node n "                               \
    "LEFT JOIN inline i ON i.ino=n.ino WHERE n.nlink > 0 OR " HAS(128) ") AS x "
#define FOLDERS_OF                                                                                 \
    "(SELECT count(*) FROM edge e WHERE e.parent=n.ino AND substr(e.seg, -1) = x'2f')"
#define EDGES_OF                                                                                   \
    "(SELECT ino, count(*) AS k FROM (SELECT ino FROM edge WHERE " W_INO                           \
    " UNION ALL SELECT ino FROM past WHERE " W_INO ") GROUP BY ino)"
#define PAST_TWICE                                                                                 \
    "SELECT ino FROM past WHERE ino <> 0 AND " W_INO " GROUP BY ino HAVING count(*) > 1"
#define NOT_PAST                                                                                   \
    "FROM past p WHERE " W_P                                                                       \
    " AND (p.bucket NOT IN (SELECT n.ino FROM node n WHERE n.ino=p.bucket AND " IS_FOLDER          \
    ") OR (p.ino <> 0 AND (p.ino NOT IN (SELECT n.ino FROM node n WHERE n.ino=p.ino AND NOT "      \
    "(" IS_FOLDER ")) OR p.ino IN (SELECT ino FROM edge WHERE " W_INO                              \
    ") OR (p.ino IN (" PAST_TWICE ") AND EXISTS (SELECT 1 FROM past o WHERE o.ino=p.ino AND "      \
    "(o.bucket, o.key, o.rank) < (p.bucket, p.key, p.rank))))))"
#define REFS_OF                                                                                    \
    "((SELECT count(*) FROM slice s WHERE s.bid=b.bid) + "                                         \
    "(SELECT count(*) FROM slice_was w WHERE w.bid=b.bid AND w.bid > 0))"
#define NO_EDGE "n.ino NOT IN (SELECT ino FROM edge WHERE " W_INO ")"
#define IN_PAST "n.ino IN (SELECT ino FROM past WHERE " W_INO ")"
#define TRASH_FOLDERS                                                                              \
    "SELECT ino FROM edge WHERE parent=1 AND seg=CAST('.trash/' AS BLOB) UNION "                   \
    "SELECT h.ino FROM edge t CROSS JOIN edge h ON h.parent=t.ino WHERE t.parent=1 AND "           \
    "t.seg=CAST('.trash/' AS BLOB) AND substr(h.seg, -1) = x'2f'"
#define SETTINGS_OF "(SELECT ino, sum(1 << which) AS k FROM bucket_setting GROUP BY ino)"
#define LIVE_OF "(SELECT pack, sum(stored) AS k, max(off + stored) AS e FROM block GROUP BY pack)"
#define REACHED                                                                                    \
    "WITH RECURSIVE r(ino) AS (SELECT 1 UNION SELECT ino FROM orphan UNION SELECT e.ino FROM r "   \
    "CROSS JOIN edge e "                                                                           \
    "ON e.parent=r.ino WHERE substr(e.seg, -1) = x'2f') "

uint64_t schema_window = 250000;

/* Is it asked for windows of numbers of nodes, ?1 to ?2? */
static bool is_windowed(const struct schema_check *c)
{
    return strstr(c->find, "?1") != NULL;
}

/* In this order: what is mended first makes the later ones true or shows them. */
static const struct schema_check checks[] = {
    {"SELECT 'the root folder is missing' WHERE NOT EXISTS "
     "(SELECT 1 FROM node n WHERE n.ino=1 AND " IS_FOLDER ")",
     {"INSERT OR REPLACE INTO node VALUES(1, 16877, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0)"}},
    {"SELECT printf('folder %d: entry %Q leads to node %d, which is not there', parent, "
     "CAST(seg AS TEXT), ino) FROM edge WHERE ino NOT IN (SELECT ino FROM node)",
     {"DELETE FROM edge WHERE ino NOT IN (SELECT ino FROM node)"}},
    {"SELECT printf('node %d: its folder %d is not there', e.ino, e.parent) FROM edge e "
     "WHERE NOT EXISTS (SELECT 1 FROM node n WHERE n.ino=e.parent AND " IS_FOLDER ")",
     {"DELETE FROM edge WHERE parent NOT IN (SELECT n.ino FROM node n WHERE " IS_FOLDER ")"}},
    {"SELECT printf('folder %d: entry %Q does not fit the kind of node %d', e.parent, "
     "CAST(e.seg AS TEXT), e.ino) FROM edge e CROSS JOIN node n ON n.ino=e.ino "
     "WHERE (" IS_FOLDER ") <> (substr(e.seg, -1) = x'2f')",
     {"DELETE FROM edge WHERE (parent, seg) IN (SELECT e.parent, e.seg FROM edge e "
      "CROSS JOIN node n ON n.ino=e.ino WHERE (" IS_FOLDER ") <> (substr(e.seg, -1) = x'2f'))"}},
    {"SELECT printf('folder %d: also an entry of folder %d', n.ino, e.parent) FROM edge e "
     "CROSS JOIN node n ON n.ino=e.ino WHERE " IS_FOLDER " AND (n.ino=1 OR "
     "(n.parent <> e.parent AND EXISTS (SELECT 1 FROM edge o WHERE o.parent=n.parent AND "
     "o.ino=n.ino)))",
     {"DELETE FROM edge WHERE (parent, seg) IN (SELECT e.parent, e.seg FROM edge e "
      "CROSS JOIN node n ON n.ino=e.ino WHERE " IS_FOLDER " AND (n.ino=1 OR "
      "(n.parent <> e.parent AND EXISTS (SELECT 1 FROM edge o WHERE o.parent=n.parent AND "
      "o.ino=n.ino))))"}},
    {"SELECT printf('folder %d: %d entries lead to it', ino, k) FROM (SELECT ino, count(*) AS k "
     "FROM edge WHERE substr(seg, -1) = x'2f' AND " W_INO " GROUP BY ino) WHERE k>1",
     {"DELETE FROM edge WHERE substr(seg, -1) = x'2f' AND (parent, seg) NOT IN "
      "(SELECT parent, min(seg) FROM edge WHERE substr(seg, -1) = x'2f' GROUP BY ino)"}},
    {"SELECT printf('folder %d: names folder %d as its parent, not %d', n.ino, n.parent, e.parent) "
     "FROM edge e CROSS JOIN node n ON n.ino=e.ino WHERE " IS_FOLDER " AND n.parent <> e.parent",
     {"UPDATE node SET parent=e.parent FROM edge e WHERE e.ino=node.ino AND "
      "substr(e.seg, -1) = x'2f' AND node.parent <> e.parent"}},
    /* (after the checks above a folder's parent is the folder that its entry is in: what never climbs to the root goes round) */
    {"SELECT printf('folder %d: no way leads to it from the root', n.ino) FROM node n "
     "WHERE " IS_FOLDER " AND n.nlink > 0 AND n.ino <> 1 AND CASE WHEN EXISTS (WITH RECURSIVE "
     "up(ino) AS (SELECT n.parent UNION SELECT p.parent FROM up CROSS JOIN node p ON p.ino=up.ino "
     "WHERE up.ino <> 1) SELECT 1 FROM up WHERE up.ino=1) THEN 0 ELSE EXISTS "
     "(SELECT 1 FROM edge e WHERE e.parent=n.parent AND e.ino=n.ino) END",
     {REACHED "DELETE FROM edge WHERE (parent, seg) IN (SELECT e.parent, e.seg FROM edge e "
              "WHERE substr(e.seg, -1) = x'2f' AND e.ino NOT IN (SELECT ino FROM r) "
              "ORDER BY e.ino LIMIT 1)"}},
    {"SELECT printf('pack %d: holds blocks but is not there', pack) FROM block "
     "WHERE pack NOT IN (SELECT id FROM pack) GROUP BY pack",
     {"INSERT INTO pack SELECT pack, max(off + stored), sum(stored), 1, 0, 0 FROM block "
      "WHERE pack NOT IN (SELECT id FROM pack) GROUP BY pack"}},
    {"SELECT printf('node %d: its slice at %d has no block: the range is lost', ino, pos) "
     "FROM slice WHERE bid NOT IN (SELECT bid FROM block)",
     /* A block in no pack: reading it is an error, as it must be; zeros would be a lie. */
     {"INSERT INTO block SELECT bid, randomblob(32), max(boff + len), 1, 0, bid, count(*), 0, 1 "
      "FROM slice WHERE bid NOT IN (SELECT bid FROM block) GROUP BY bid"}},
    {"SELECT printf('node %d: its slice at %d reaches beyond its block', s.ino, s.pos) "
     "FROM slice s CROSS JOIN block b ON b.bid=s.bid WHERE s.len < 1 OR s.boff < 0 OR s.pos < 0 "
     "OR s.boff + s.len > b.size",
     {"DELETE FROM slice WHERE (ino, pos) IN (SELECT s.ino, s.pos FROM slice s "
      "CROSS JOIN block b ON b.bid=s.bid WHERE s.len < 1 OR s.boff < 0 OR s.pos < 0 "
      "OR s.boff + s.len > b.size)"}},
    {"SELECT printf('node %d: its slices at %d and %d overlap', ino, pos, next) " OVERLAPS,
     {"UPDATE slice SET len=x.next-x.pos FROM (SELECT ino, pos, next " OVERLAPS ") AS x "
      "WHERE slice.ino=x.ino AND slice.pos=x.pos"}},
    ROWS_OF("slice", 8),
    ROWS_OF("inline", 4),
    ROWS_NEEDED("inline", 4),
    ROWS_OF("xattr", 16),
    {"SELECT printf('node %d: has an access control list that its flags deny', n.ino) FROM "
     "xattr x CROSS JOIN node n ON n.ino=x.ino WHERE " IS_ACL " AND " LACKS(32768),
     {"UPDATE node SET flags = flags | 32768 WHERE (flags & 32768) = 0 AND ino IN "
      "(SELECT ino FROM xattr WHERE " IS_ACL ")"}},
    {"SELECT printf('the root does not say that there are access control lists') FROM node n "
     "WHERE n.ino=1 AND " LACKS(32768) " AND EXISTS (SELECT 1 FROM xattr WHERE " IS_ACL ")",
     {"UPDATE node SET flags = flags | 32768 WHERE ino=1"}},
    ROWS_OF("object", 32),
    ROWS_NEEDED("object", 32),
    ROWS_OF("bucket", 64),
    ROWS_NEEDED("bucket", 64),
    {"SELECT printf('setting %d: of node %d, which is no bucket', which, ino) FROM bucket_setting "
     "WHERE which NOT BETWEEN 0 AND 31 OR ino NOT IN (SELECT ino FROM bucket)",
     {"DELETE FROM bucket_setting WHERE which NOT BETWEEN 0 AND 31 OR "
      "ino NOT IN (SELECT ino FROM bucket)"}},
    {"SELECT printf('bucket %d: has settings %d, not %d', b.ino, coalesce(s.k, 0), b.settings) "
     "FROM bucket b LEFT JOIN " SETTINGS_OF
     " s ON s.ino=b.ino WHERE b.settings <> coalesce(s.k, 0)",
     {"UPDATE bucket SET settings=x.k FROM (SELECT b.ino AS ino, coalesce(s.k, 0) AS k "
      "FROM bucket b LEFT JOIN " SETTINGS_OF " s ON s.ino=b.ino) AS x "
      "WHERE x.ino=bucket.ino AND bucket.settings <> x.k"}},
    {"SELECT printf('bucket %d: past version %s of %Q has no node of its own', p.bucket, p.id, "
     "CAST(p.key AS TEXT)) " NOT_PAST,
     {"DELETE FROM past WHERE (bucket, key, rank) IN (SELECT p.bucket, p.key, p.rank " NOT_PAST
      ")"}},
    {"SELECT printf('node %d: a past version by its flag or its row, not both', n.ino) FROM node n "
     "WHERE " W_N " AND n.nlink > 0 AND (" HAS(512) ") <> (" IN_PAST ")",
     {"UPDATE node SET flags = flags & ~512 WHERE (flags & 512) <> 0",
      "UPDATE node SET flags = flags | 512, nlink=1 WHERE ino IN (SELECT ino FROM past)"}},
    {"SELECT printf('node %d: a version by its flag or its id, not both', n.ino) FROM node n "
     "WHERE n.nlink > 0 AND (" HAS(256) ") <> EXISTS (SELECT 1 FROM object o WHERE o.ino=n.ino "
                                        "AND o.vid IS NOT NULL)",
     {"UPDATE node SET flags = flags & ~256 WHERE (flags & 256) <> 0",
      "UPDATE node SET flags = flags | 256 WHERE ino IN (SELECT ino FROM object WHERE vid IS NOT "
      "NULL)"}},
    {"SELECT printf('node %d: its lock is not in its flags', o.ino) FROM object o CROSS JOIN node "
     "n "
     "ON n.ino=o.ino WHERE " LACKS(1024) " AND (instr(o.headers, CAST('lock-mode' AS BLOB)) OR "
                                         "instr(o.headers, CAST('legal-hold' AS BLOB)))",
     {"UPDATE node SET flags = flags | 1024 WHERE ino IN (SELECT ino FROM object o WHERE "
      "instr(o.headers, CAST('lock-mode' AS BLOB)) OR "
      "instr(o.headers, CAST('legal-hold' AS BLOB)))"}},
    {"SELECT printf('bucket %d: holds versions, and its flags deny it', n.ino) FROM node n "
     "WHERE n.ino IN (SELECT bucket FROM past) AND " LACKS(6144),
     {"UPDATE node SET flags = flags | 2048 WHERE (flags & 6144) = 0 AND ino IN "
      "(SELECT bucket FROM past)"}},
    {"SELECT printf('the root does not say that buckets keep versions') FROM node n WHERE n.ino=1 "
     "AND " LACKS(16384) " AND EXISTS (SELECT 1 FROM node b WHERE (b.flags & 6144) <> 0)",
     {"UPDATE node SET flags = flags | 16384 WHERE ino=1"}},
    {"SELECT printf('folder %d: of the trash by its place or by its flag, not both', n.ino) FROM "
     "node "
     "n WHERE " IS_FOLDER " AND (" HAS(1048576) ") <> (n.ino IN (" TRASH_FOLDERS "))",
     {"UPDATE node SET flags = flags & ~1048576 WHERE (flags & 1048576) <> 0",
      "UPDATE node SET flags = flags | 1048576 WHERE ino IN (" TRASH_FOLDERS ")"}},
    {"SELECT printf('node %d: in the trash, which does not know it', n.ino) FROM node h CROSS JOIN "
     "edge e ON e.parent=h.ino CROSS JOIN node n ON n.ino=e.ino WHERE (h.flags & 1048576) <> 0 "
     "AND " LACKS(1048576) " AND n.ino NOT IN (SELECT ino FROM trash)",
     {"INSERT INTO trash SELECT n.ino, 0, e.seg, n.ctime FROM node h CROSS JOIN edge e ON "
      "e.parent=h.ino CROSS JOIN node n ON n.ino=e.ino WHERE (h.flags & 1048576) <> 0 AND " LACKS(
          1048576) " AND n.ino NOT IN (SELECT ino FROM trash)"}},
    {"SELECT printf('node %d: known to the trash, but not in it', t.ino) FROM trash t WHERE NOT "
     "EXISTS (SELECT 1 FROM node n CROSS JOIN node h ON h.ino=n.parent WHERE n.ino=t.ino AND "
     "n.nlink > 0 AND (h.flags & 1048576) <> 0)",
     {"DELETE FROM trash WHERE ino NOT IN (SELECT n.ino FROM trash t CROSS JOIN node n ON "
      "n.ino=t.ino CROSS JOIN node h ON h.ino=n.parent WHERE n.nlink > 0 AND "
      "(h.flags & 1048576) <> 0)"}},
    ROWS_OF("trash", 2097152),
    ROWS_NEEDED("trash", 2097152),
    {"SELECT printf('symlink: row of node %d, which is not there', ino) FROM symlink "
     "WHERE ino NOT IN (SELECT ino FROM node)",
     {"DELETE FROM symlink WHERE ino NOT IN (SELECT ino FROM node)"}},
    {"SELECT printf('node %d: a symbolic link without target', n.ino) FROM node n "
     "WHERE (n.mode & 61440) = 40960 AND n.ino NOT IN (SELECT ino FROM symlink)",
     {"INSERT INTO symlink SELECT n.ino, CAST('?' AS BLOB) FROM node n "
      "WHERE (n.mode & 61440) = 40960 AND n.ino NOT IN (SELECT ino FROM symlink)"}},
    {"SELECT printf('node %d: inline content and slices', i.ino) FROM inline i "
     "WHERE i.ino IN (SELECT ino FROM slice)",
     {"DELETE FROM inline WHERE ino IN (SELECT ino FROM slice)",
      "UPDATE node SET flags = flags & ~4 WHERE ino IN (SELECT ino FROM slice)"}},
    {"SELECT printf('node %d: %d bytes of inline content, but its size is %d', n.ino, "
     "length(i.data), n.size) FROM inline i CROSS JOIN node n ON n.ino=i.ino "
     "WHERE length(i.data) <> n.size",
     {"UPDATE node SET size=length(i.data) FROM inline i WHERE i.ino=node.ino AND "
      "node.size <> length(i.data)"}},
    {"SELECT printf('node %d: slices up to %d, but its size is %d', n.ino, s.e, n.size) FROM "
     "(SELECT ino, max(pos + len) AS e FROM slice GROUP BY ino) s CROSS JOIN node n "
     "ON n.ino=s.ino WHERE s.e > n.size",
     {"UPDATE node SET size=s.e FROM (SELECT ino, max(pos + len) AS e FROM slice GROUP BY ino) s "
      "WHERE s.ino=node.ino AND s.e > node.size"}},
    {"SELECT printf('node %d: %d bytes in use, not %d', ino, is_used, used) " CONTENT
     "WHERE used <> is_used",
     {"UPDATE node SET used=x.is_used " CONTENT "WHERE x.ino=node.ino AND node.used <> x.is_used"}},
    {"SELECT printf('part %d of upload %d has no upload or no node', p.number, p.upload) "
     "FROM part p WHERE p.upload NOT IN (SELECT num FROM upload) OR p.ino NOT IN "
     "(SELECT n.ino FROM node n WHERE " HAS(128) ")",
     {"DELETE FROM part WHERE upload NOT IN (SELECT num FROM upload) OR ino NOT IN "
      "(SELECT n.ino FROM node n WHERE " HAS(128) ")"}},
    {"SELECT printf('node %d: a part of no upload', n.ino) FROM node n "
     "WHERE " HAS(128) " AND n.ino NOT IN (SELECT ino FROM part)",
     {"UPDATE node SET flags = flags & ~128, nlink=0 WHERE (flags & 128) <> 0 AND "
      "ino NOT IN (SELECT ino FROM part)"}},
    {"SELECT printf('upload %s: its bucket %d is not there', id, bucket) FROM upload "
     "WHERE bucket NOT IN (SELECT ino FROM node)",
     {"DELETE FROM upload WHERE bucket NOT IN (SELECT ino FROM node)"}},
    {"SELECT printf('node %d: an orphan that has links or is not there', o.ino) FROM orphan o "
     "WHERE o.ino NOT IN (SELECT ino FROM node WHERE nlink = 0)",
     {"DELETE FROM orphan WHERE ino NOT IN (SELECT ino FROM node WHERE nlink = 0)"}},
    {"SELECT printf('node %d: without links, and nobody waits for its end', n.ino) FROM node n "
     "WHERE " W_N
     " AND n.nlink=0 AND " LACKS(128) " AND n.ino NOT IN (SELECT ino FROM orphan) AND " NO_EDGE,
     {"INSERT INTO orphan SELECT n.ino, 0 FROM node n WHERE n.nlink=0 AND " LACKS(
         128) " AND n.ino NOT IN (SELECT ino FROM orphan) AND " NO_EDGE}},
    {"SELECT printf('block %d: %d slices refer to it, not %d', b.bid, " REFS_OF ", b.refs) "
     "FROM block b WHERE b.refs <> " REFS_OF,
     {"UPDATE block SET refs=x.k FROM (SELECT b.bid AS bid, " REFS_OF " AS k FROM block b "
      "WHERE b.refs <> " REFS_OF ") AS x WHERE x.bid=block.bid"}},
    {"SELECT printf('pack %d: %d bytes of records, not %d', p.id, coalesce(b.k, 0), p.live) "
     "FROM pack p LEFT JOIN " LIVE_OF " b ON b.pack=p.id WHERE p.live <> coalesce(b.k, 0)",
     {"UPDATE pack SET live=x.k FROM (SELECT p.id AS id, coalesce(b.k, 0) AS k FROM pack p "
      "LEFT JOIN " LIVE_OF " b ON b.pack=p.id WHERE p.live <> coalesce(b.k, 0)) AS x "
      "WHERE x.id=pack.id"}},
};

/* Nodes that have links by their row but no entry: they are put into lost+found, and then have the links that they have. */
#define LOST                                                                                       \
    "FROM node n WHERE " W_N " AND n.ino <> 1 AND n.nlink > 0 AND " NO_EDGE " AND NOT " IN_PAST
static const char lost_sql[] = "SELECT n.ino " LOST " LIMIT 256";
static const struct schema_check lost_check = {
    "SELECT printf('node %d: no entry leads to it', n.ino) " LOST, {NULL}};

static const struct schema_check links[] = {
    {"SELECT printf('node %d: %d links, not %d', n.ino, coalesce(e.k, 0), n.nlink) FROM node n "
     "LEFT JOIN " EDGES_OF " e ON e.ino=n.ino WHERE " W_N " AND NOT (" IS_FOLDER
     ") AND " LACKS(128) " AND n.nlink <> coalesce(e.k, 0)",
     {"UPDATE node SET nlink=x.k FROM (SELECT n.ino AS ino, coalesce(e.k, 0) AS k FROM node n "
      "LEFT JOIN " EDGES_OF " e ON e.ino=n.ino WHERE NOT (" IS_FOLDER
      ") AND " LACKS(128) ") AS x WHERE x.ino=node.ino AND node.nlink <> x.k"}},
    {"SELECT printf('folder %d: %d links, not %d', n.ino, 2 + " FOLDERS_OF ", n.nlink) "
     "FROM node n WHERE " IS_FOLDER " AND n.nlink > 0 AND n.nlink <> 2 + " FOLDERS_OF,
     {"UPDATE node SET nlink=x.k FROM (SELECT n.ino AS ino, 2 + " FOLDERS_OF
      " AS k FROM node n WHERE " IS_FOLDER
      " AND n.nlink > 0) AS x WHERE x.ino=node.ino AND node.nlink <> x.k"}},
};
#define CHECKS (sizeof(checks) / sizeof(checks[0]))
#define LINKS (sizeof(links) / sizeof(links[0]))

struct checker {
    struct meta *m;
    struct sql_conn *c;
    bool repair;
    const struct schema_watch *w;
    uint64_t problems, round; /* all, those of this round */
    uint64_t shown;           /* lines of this query */
};

static void tell(struct checker *k, const char *text)
{
    k->problems++;
    k->round++;
    if (k->w->found)
        k->w->found(k->w->arg, text);
}

/* Lines of a query; those above SHOWN_MAX only count. With a window if ${hi} is above 0. */
static int find(struct checker *k, const char *sql, uint64_t lo, uint64_t hi)
{
    bool any = false;
    sqlite3_stmt *st;
    int rc = sql_stmt(k->c, sql, &st);

    if (rc == 0 && hi > 0)
        rc = sql_bind(st, "uu", lo, hi);
    if (rc < 0)
        return rc;
    while ((rc = sql_step(st)) > 0) {
        const char *text = (const char *)sqlite3_column_text(st, 0);

        any = true;
        if (k->shown++ < SHOWN_MAX) {
            tell(k, text ? text : "?");
        } else {
            k->problems++;
            k->round++;
        }
    }
    sqlite3_reset(st);
    return rc < 0 ? rc : any;
}

/* The greatest number of a node. */
static int last_node(struct sql_conn *c, uint64_t *ret)
{
    sqlite3_stmt *st;
    int rc = sql_one(c, "SELECT coalesce(max(ino), 0) FROM node", &st, "");

    if (rc <= 0)
        return rc < 0 ? rc : -EIO;
    *ret = col_u(st, 0);
    sqlite3_reset(st);
    return 0;
}

/* All windows of a check, on one connection: 1 if anything was found. */
static int find_all(struct checker *k, const struct schema_check *c)
{
    uint64_t last;
    bool any = false;
    int rc;

    k->shown = 0;
    if (!is_windowed(c))
        return find(k, c->find, 0, 0);
    rc = last_node(k->c, &last);
    for (uint64_t lo = 0; rc >= 0 && lo <= last; lo += schema_window) {
        rc = find(k, c->find, lo, lo + schema_window - 1);
        any = any || rc > 0;
    }
    return rc < 0 ? rc : any;
}

static int run_check(struct checker *k, const struct schema_check *c)
{
    int rc = find_all(k, c);

    for (int i = 0; i < 2 && rc > 0 && k->repair && c->fix[i]; i++) {
        int r = sql_run(k->c, c->fix[i], "");

        if (r < 0)
            return r;
    }
    return rc < 0 ? rc : 0;
}

/* The folder lost+found of the root, made if it is missing. */
static int lost_found(struct checker *k, uint64_t *ret_ino)
{
    static const char seg[] = "lost+found/";
    struct row root, r;
    int rc = edge_find(k->c, PC_ROOT_INO, seg, sizeof(seg) - 1, ret_ino);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = row_load(k->c, PC_ROOT_INO, &root);
    if (rc < 0)
        return rc;
    row_new(k->m, S_IFDIR | 0700, root.uid, root.gid, PC_ROOT_INO, &r);
    rc = row_insert(k->c, &r);
    if (rc == 0)
        rc = edge_insert(k->c, PC_ROOT_INO, seg, sizeof(seg) - 1, r.ino);
    root.nlink++;
    if (rc == 0)
        rc = row_store(k->c, &root);
    *ret_ino = r.ino;
    return rc;
}

static int adopt(struct checker *k, uint64_t ino)
{
    char seg[32];
    uint64_t lost;
    struct row r;
    int n, rc = lost_found(k, &lost);

    if (rc == 0)
        rc = row_load(k->c, ino, &r);
    if (rc < 0)
        return rc;
    n = snprintf(seg, sizeof(seg), "#%llu%s", (unsigned long long)ino, S_ISDIR(r.mode) ? "/" : "");
    rc = edge_insert(k->c, lost, seg, (size_t)n, ino);
    r.parent = lost;
    if (!S_ISDIR(r.mode))
        r.nlink = 1;
    return rc < 0 ? rc : row_store(k->c, &r);
}

static int run_lost(struct checker *k)
{
    uint64_t inos[256];
    int n, rc = find_all(k, &lost_check);

    if (rc <= 0 || !k->repair)
        return rc < 0 ? rc : 0;
    do {
        sqlite3_stmt *st;

        rc = sql_stmt(k->c, lost_sql, &st);
        if (rc < 0)
            return rc;
        n = 0;
        while (n < 256 && (rc = sql_step(st)) > 0)
            inos[n++] = col_u(st, 0);
        sqlite3_reset(st);
        for (int i = 0; i < n && rc >= 0; i++)
            rc = adopt(k, inos[i]);
    } while (n == 256 && rc >= 0);
    return rc < 0 ? rc : 0;
}

/* The kept totals against the tables. */
static int run_total(struct checker *k, const struct schema_total *t)
{
    static const char kept_sql[] = "SELECT value FROM total WHERE which=?1";
    int64_t kept = 0, is;
    char text[128];
    sqlite3_stmt *st;
    int rc = sql_one(k->c, t->sql, &st, "");

    if (rc <= 0)
        return rc < 0 ? rc : -EIO;
    is = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    rc = sql_one(k->c, kept_sql, &st, "i", (int64_t)t->which);
    if (rc < 0)
        return rc;
    if (rc > 0) {
        kept = sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
    }
    if (kept == is)
        return 0;
    snprintf(text, sizeof(text), "the count of %s is kept as %lld, not %lld", t->name,
             (long long)kept, (long long)is);
    tell(k, text);
    if (k->repair)
        sql_total_add(k->m, t->which, is - kept);
    return 0;
}

static int run_round(struct checker *k)
{
    int rc = 0;

    k->round = 0;
    for (size_t i = 0; snap_checks[i].find && rc == 0; i++)
        rc = run_check(k, &snap_checks[i]);
    for (size_t i = 0; i < CHECKS && rc == 0; i++)
        rc = run_check(k, &checks[i]);
    if (rc == 0)
        rc = run_lost(k);
    for (size_t i = 0; i < LINKS && rc == 0; i++)
        rc = run_check(k, &links[i]);
    for (size_t i = 0; i < quota_checks_n && rc == 0; i++)
        rc = run_check(k, &quota_checks[i]);
    return rc;
}

int schema_repair(struct meta *m, struct sql_conn *c, const struct schema_watch *w,
                  uint64_t *ret_problems, uint64_t *ret_repaired)
{
    struct checker k = {.m = m, .c = c, .repair = true, .w = w};
    uint64_t left;
    int rc = run_check(&k, &snap_armed);

    c->quota = NULL; /* they are counted anew */

    if (rc == 0)
        rc = snap_disarm(c); /* what is mended is mended in the past too */
    if (rc == 0)
        rc = run_round(&k);
    for (unsigned i = 1; rc == 0 && k.round > 0 && i < ROUNDS_MAX; i++)
        rc = run_round(&k);
    if (rc == 0 && k.problems > 0)
        rc = sql_feed(m, c, PC_CHANGE_LOST, 0, 0, NULL, 0);
    left = k.round;
    for (size_t i = 0; i < SCHEMA_TOTALS && rc == 0; i++)
        rc = run_total(&k, &schema_totals[i]);
    if (rc == 0)
        rc = snap_rearm(c);
    if (rc < 0)
        return rc;
    *ret_problems += k.problems;
    *ret_repaired += k.problems - left;
    return 0;
}

/* One check, or one window of it, in a view of its own. */
struct look {
    struct checker k;
    uint64_t done, total;
};

static int look_step(struct look *l, const struct schema_check *c, const struct schema_total *t,
                     uint64_t lo)
{
    int rc = schema_view_begin(l->k.m, l->k.w, &l->k.c);

    if (rc < 0)
        return rc;
    if (t)
        rc = run_total(&l->k, t);
    else
        rc = find(&l->k, c->find, lo, is_windowed(c) ? lo + schema_window - 1 : 0);
    schema_view_end(l->k.m, l->k.c);
    l->done++;
    if (rc >= 0 && l->k.w->step && l->k.w->step(l->k.w->arg, l->done, l->total) != 0)
        rc = PC_ECANCELED;
    return rc < 0 ? rc : 0;
}

static int look_check(struct look *l, const struct schema_check *c, uint64_t last)
{
    int rc = 0;

    l->k.shown = 0;
    for (uint64_t lo = 0; rc == 0 && lo <= (is_windowed(c) ? last : 0); lo += schema_window)
        rc = look_step(l, c, NULL, lo);
    return rc;
}

static uint64_t windows_of(const struct schema_check *c, size_t n, uint64_t last)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += is_windowed(&c[i]) ? last / schema_window + 1 : 1;
    return sum;
}

int schema_look(struct meta *m, const struct schema_watch *w, uint64_t *ret_problems)
{
    struct look l = {.k = {.m = m, .w = w}};
    uint64_t last = 0;
    int rc = schema_view_begin(m, w, &l.k.c);

    if (rc < 0)
        return rc;
    rc = last_node(l.k.c, &last);
    schema_view_end(m, l.k.c);
    l.total = windows_of(checks, CHECKS, last) + windows_of(&lost_check, 1, last) +
              windows_of(links, LINKS, last) + windows_of(quota_checks, quota_checks_n, last) + 1 +
              SCHEMA_TOTALS;
    rc = look_check(&l, &snap_armed, last);
    for (size_t i = 0; snap_checks[i].find && rc == 0; i++, l.total++)
        rc = look_check(&l, &snap_checks[i], last);
    for (size_t i = 0; i < CHECKS && rc == 0; i++)
        rc = look_check(&l, &checks[i], last);
    if (rc == 0)
        rc = look_check(&l, &lost_check, last);
    for (size_t i = 0; i < LINKS && rc == 0; i++)
        rc = look_check(&l, &links[i], last);
    for (size_t i = 0; i < quota_checks_n && rc == 0; i++)
        rc = look_check(&l, &quota_checks[i], last);
    for (size_t i = 0; i < SCHEMA_TOTALS && rc == 0; i++)
        rc = look_step(&l, NULL, &schema_totals[i], 0);
    if (rc == 0)
        *ret_problems += l.k.problems;
    return rc;
}
