/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of snapshots, and the triggers that keep what a snapshot needs before it is changed. */
#include "meta/snap/snap.h"

#include "meta/conn.h"

/* Shapes differ from those of all other tables, so that a salvage knows rows in lost pages. What was not there has -1 or NULL where a row has a value: see each reader. */
const char snap_tables_sql[] =
    "CREATE TABLE snapshot(id INTEGER PRIMARY KEY, name TEXT NOT NULL, taken INTEGER NOT NULL,"
    " next_id INTEGER NOT NULL, automatic INTEGER NOT NULL, gone INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX snapshot_name ON snapshot(name) WHERE gone = 0;"
    "CREATE TABLE node_was(ino INTEGER NOT NULL, snap INTEGER NOT NULL, mode INTEGER NOT NULL,"
    " uid INTEGER NOT NULL, gid INTEGER NOT NULL, nlink INTEGER NOT NULL, size INTEGER NOT NULL,"
    " used INTEGER NOT NULL, rdev INTEGER NOT NULL, atime INTEGER NOT NULL,"
    " mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, btime INTEGER NOT NULL,"
    " version INTEGER NOT NULL, parent INTEGER NOT NULL, flags INTEGER NOT NULL,"
    " PRIMARY KEY(ino, snap)) WITHOUT ROWID;"
    "CREATE INDEX node_was_snap ON node_was(snap);"
    "CREATE TABLE edge_was(parent INTEGER NOT NULL, seg BLOB NOT NULL, snap INTEGER NOT NULL,"
    " ino INTEGER NOT NULL, PRIMARY KEY(parent, seg, snap)) WITHOUT ROWID;"
    "CREATE INDEX edge_was_snap ON edge_was(snap);"
    "CREATE TABLE inline_was(ino INTEGER NOT NULL, snap INTEGER NOT NULL, there INTEGER NOT NULL,"
    " data BLOB, PRIMARY KEY(ino, snap)) WITHOUT ROWID;"
    "CREATE INDEX inline_was_snap ON inline_was(snap);"
    "CREATE TABLE symlink_was(ino INTEGER NOT NULL, snap INTEGER NOT NULL, target BLOB,"
    " there INTEGER NOT NULL, PRIMARY KEY(ino, snap)) WITHOUT ROWID;"
    "CREATE INDEX symlink_was_snap ON symlink_was(snap);"
    "CREATE TABLE xattr_was(ino INTEGER NOT NULL, name BLOB NOT NULL, snap INTEGER NOT NULL,"
    " value BLOB, PRIMARY KEY(ino, name, snap)) WITHOUT ROWID;"
    "CREATE INDEX xattr_was_snap ON xattr_was(snap);"
    "CREATE TABLE object_was(ino INTEGER NOT NULL, snap INTEGER NOT NULL, version INTEGER,"
    " etag TEXT, headers BLOB, parts BLOB, vid TEXT, PRIMARY KEY(ino, snap)) WITHOUT ROWID;"
    "CREATE INDEX object_was_snap ON object_was(snap);"
    "CREATE TABLE slice_was(ino INTEGER NOT NULL, pos INTEGER NOT NULL, snap INTEGER NOT NULL,"
    " len INTEGER NOT NULL, boff INTEGER NOT NULL, bid INTEGER NOT NULL,"
    " PRIMARY KEY(ino, pos, snap)) WITHOUT ROWID;"
    "CREATE INDEX slice_was_snap ON slice_was(snap);"
    "CREATE INDEX slice_was_block ON slice_was(bid) WHERE bid > 0;";

const char *const snap_was[] = {"node_was",  "edge_was",   "inline_was", "symlink_was",
                                "xattr_was", "object_was", "slice_was",  NULL};

/*
 * The first change of a key after the newest snapshot keeps what is there, under that snapshot's number. What was made since has a number (of its node, or of its
 * block) from next_id on: it needs no row that says it was not there. No OR IGNORE: a statement's own OR REPLACE would take its place within a trigger.
 */
#define HEAD "(SELECT id FROM snapshot ORDER BY id DESC LIMIT 1)"
#define NEXT "(SELECT next_id FROM snapshot ORDER BY id DESC LIMIT 1)"
#define KEPT(table, where) "EXISTS (SELECT 1 FROM " table "_was WHERE " where " AND snap=" HEAD ")"
#define AFTER(table, event, when, where, values)                                                   \
    "CREATE TRIGGER IF NOT EXISTS snap_" table "_" #event " AFTER " #event " ON " table            \
    " WHEN " when " AND NOT " KEPT(table, where) " BEGIN INSERT INTO " table "_was VALUES(" values \
                                                 "); END;"
#define BEFORE_INSERT(table, when, where, select)                                                  \
    "CREATE TRIGGER IF NOT EXISTS snap_" table "_INSERT BEFORE INSERT ON " table " WHEN " when     \
    " AND NOT " KEPT(table, where) " BEGIN INSERT INTO " table "_was " select "; END;"
#define OLD_INO "OLD.ino < " NEXT
#define NEW_INO "NEW.ino < " NEXT
#define CHANGED(table, when, where, values)                                                        \
    AFTER(table, UPDATE, when, where, values) AFTER(table, DELETE, when, where, values)

#define NODE                                                                                       \
    "OLD.ino, " HEAD ", OLD.mode, OLD.uid, OLD.gid, OLD.nlink, OLD.size, OLD.used, OLD.rdev, "     \
    "OLD.atime, OLD.mtime, OLD.ctime, OLD.btime, OLD.version, OLD.parent, OLD.flags"
#define EDGE_OLD "parent=OLD.parent AND seg=OLD.seg"
#define EDGE_NEW "parent=NEW.parent AND seg=NEW.seg"
#define EDGE_WAS "OLD.parent, OLD.seg, " HEAD ", OLD.ino"
#define SLICE_OLD "ino=OLD.ino AND pos=OLD.pos"
#define SLICE_NEW "ino=NEW.ino AND pos=NEW.pos"
#define SLICE_WAS "OLD.ino, OLD.pos, " HEAD ", OLD.len, OLD.boff, OLD.bid"
#define SLICE_NONE "NEW.ino, NEW.pos, " HEAD ", 0, 0, 0"
#define SLICE_IS_NEW "NEW.ino < " NEXT " AND NEW.bid < " NEXT " AND NEW.pos >= 0"

static const char *const arm_sql[] = {
    CHANGED("node", OLD_INO, "ino=OLD.ino", NODE),
    AFTER("edge", DELETE, "OLD.parent < " NEXT " AND " OLD_INO, EDGE_OLD, EDGE_WAS),
    AFTER("edge", UPDATE, "OLD.parent < " NEXT " AND (" OLD_INO " OR " NEW_INO ")", EDGE_OLD,
          EDGE_WAS),
    BEFORE_INSERT("edge", "NEW.parent < " NEXT " AND " NEW_INO, EDGE_NEW,
                  "VALUES(NEW.parent, NEW.seg, " HEAD ", 0)"),
    CHANGED("inline", OLD_INO, "ino=OLD.ino", "OLD.ino, " HEAD ", 1, OLD.data"),
    BEFORE_INSERT("inline", NEW_INO, "ino=NEW.ino",
                  "SELECT NEW.ino, " HEAD ", data IS NOT NULL, data FROM (SELECT 1) "
                  "LEFT JOIN inline ON ino=NEW.ino"),
    CHANGED("symlink", OLD_INO, "ino=OLD.ino", "OLD.ino, " HEAD ", OLD.target, 1"),
    BEFORE_INSERT("symlink", NEW_INO, "ino=NEW.ino",
                  "SELECT NEW.ino, " HEAD ", target, target IS NOT NULL FROM (SELECT 1) "
                  "LEFT JOIN symlink ON ino=NEW.ino"),
    CHANGED("xattr", OLD_INO, "ino=OLD.ino AND name=OLD.name",
            "OLD.ino, OLD.name, " HEAD ", OLD.value"),
    BEFORE_INSERT("xattr", NEW_INO, "ino=NEW.ino AND name=NEW.name",
                  "SELECT NEW.ino, NEW.name, " HEAD ", value FROM (SELECT 1) "
                  "LEFT JOIN xattr ON ino=NEW.ino AND name=NEW.name"),
    CHANGED("object", OLD_INO, "ino=OLD.ino",
            "OLD.ino, " HEAD ", OLD.version, OLD.etag, OLD.headers, OLD.parts, OLD.vid"),
    BEFORE_INSERT("object", NEW_INO, "ino=NEW.ino",
                  "SELECT NEW.ino, " HEAD ", version, etag, headers, parts, vid FROM (SELECT 1) "
                  "LEFT JOIN object ON ino=NEW.ino"),
    /* ranges are moved by way of places below zero, which are nobody's past */
    CHANGED("slice", "OLD.pos >= 0 AND " OLD_INO " AND OLD.bid < " NEXT, SLICE_OLD, SLICE_WAS),
    BEFORE_INSERT("slice", SLICE_IS_NEW, SLICE_NEW, "VALUES(" SLICE_NONE ")"),
    "CREATE TRIGGER IF NOT EXISTS snap_slice_MOVE BEFORE UPDATE OF ino, pos ON slice "
    "WHEN " SLICE_IS_NEW " AND (NEW.ino, NEW.pos) <> (OLD.ino, OLD.pos) AND NOT " KEPT(
        "slice", SLICE_NEW) " BEGIN INSERT INTO slice_was VALUES(" SLICE_NONE "); END;",
    /* what a snapshot keeps of a file is a reference to its block like any other */
    "CREATE TRIGGER IF NOT EXISTS snap_slice_was_INSERT AFTER INSERT ON slice_was WHEN NEW.bid > 0 "
    "BEGIN UPDATE block SET refs=refs+1 WHERE bid=NEW.bid; END;",
    NULL,
};

static const char disarm_sql[] =
    "DROP TRIGGER IF EXISTS snap_node_UPDATE;DROP TRIGGER IF EXISTS snap_node_DELETE;"
    "DROP TRIGGER IF EXISTS snap_edge_UPDATE;DROP TRIGGER IF EXISTS snap_edge_DELETE;"
    "DROP TRIGGER IF EXISTS snap_edge_INSERT;DROP TRIGGER IF EXISTS snap_inline_UPDATE;"
    "DROP TRIGGER IF EXISTS snap_inline_DELETE;DROP TRIGGER IF EXISTS snap_inline_INSERT;"
    "DROP TRIGGER IF EXISTS snap_symlink_UPDATE;DROP TRIGGER IF EXISTS snap_symlink_DELETE;"
    "DROP TRIGGER IF EXISTS snap_symlink_INSERT;DROP TRIGGER IF EXISTS snap_xattr_UPDATE;"
    "DROP TRIGGER IF EXISTS snap_xattr_DELETE;DROP TRIGGER IF EXISTS snap_xattr_INSERT;"
    "DROP TRIGGER IF EXISTS snap_object_UPDATE;DROP TRIGGER IF EXISTS snap_object_DELETE;"
    "DROP TRIGGER IF EXISTS snap_object_INSERT;DROP TRIGGER IF EXISTS snap_slice_UPDATE;"
    "DROP TRIGGER IF EXISTS snap_slice_DELETE;DROP TRIGGER IF EXISTS snap_slice_INSERT;"
    "DROP TRIGGER IF EXISTS snap_slice_MOVE;DROP TRIGGER IF EXISTS snap_slice_was_INSERT;";

int snap_arm(struct sql_conn *c)
{
    int rc = 0;

    for (size_t i = 0; arm_sql[i] && rc == 0; i++)
        rc = sql_script(c, arm_sql[i]);
    return rc;
}

int snap_disarm(struct sql_conn *c)
{
    return sql_script(c, disarm_sql);
}
