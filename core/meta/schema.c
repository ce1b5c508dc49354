/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the tree in the order of docs/FORMATS.md, and the root folder. */
#include "meta/schema.h"

#include <sys/stat.h>
#include <time.h>

#include "meta/snap/snap.h"
#include "pcloud/node.h"

const char *const schema_tables[] = {
    "node",        "edge",      "inline",         "symlink",   "xattr",      "object",
    "past",        "bucket",    "bucket_setting", "pack",      "block",      "slice",
    "upload",      "part",      "orphan",         "user",      "access_key", "link",
    "quota",       "trash",     "snapshot",       "node_was",  "edge_was",   "inline_was",
    "symlink_was", "xattr_was", "object_was",     "slice_was", NULL};

/* Columns and flags: docs/FORMATS.md, "Metadata tables". Where the key is the row there is no rowid; nothing is indexed that no operation seeks. */
static const char tables[] =
    "CREATE TABLE node(ino INTEGER PRIMARY KEY, mode INTEGER NOT NULL, uid INTEGER NOT NULL,"
    " gid INTEGER NOT NULL, nlink INTEGER NOT NULL, size INTEGER NOT NULL, used INTEGER NOT NULL,"
    " rdev INTEGER NOT NULL, atime INTEGER NOT NULL, mtime INTEGER NOT NULL,"
    " ctime INTEGER NOT NULL, btime INTEGER NOT NULL, version INTEGER NOT NULL,"
    " parent INTEGER NOT NULL, flags INTEGER NOT NULL);"
    "CREATE TABLE edge(parent INTEGER NOT NULL, seg BLOB NOT NULL, ino INTEGER NOT NULL,"
    " PRIMARY KEY(parent, seg)) WITHOUT ROWID;"
    "CREATE TABLE inline(ino INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE symlink(ino INTEGER PRIMARY KEY, target BLOB NOT NULL);"
    "CREATE TABLE xattr(ino INTEGER NOT NULL, name BLOB NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY(ino, name)) WITHOUT ROWID;"
    "CREATE TABLE object(ino INTEGER PRIMARY KEY, version INTEGER, etag TEXT NOT NULL,"
    " headers BLOB, parts BLOB, vid TEXT);"
    "CREATE TABLE past(bucket INTEGER NOT NULL, key BLOB NOT NULL, rank INTEGER NOT NULL,"
    " id TEXT NOT NULL, ino INTEGER NOT NULL, mtime INTEGER NOT NULL,"
    " PRIMARY KEY(bucket, key, rank)) WITHOUT ROWID;"
    "CREATE UNIQUE INDEX past_id ON past(bucket, key, id);"
    "CREATE TABLE bucket(ino INTEGER PRIMARY KEY, owner TEXT NOT NULL, created INTEGER NOT NULL,"
    " settings INTEGER NOT NULL);"
    "CREATE TABLE bucket_setting(ino INTEGER NOT NULL, which INTEGER NOT NULL, data BLOB NOT NULL,"
    " PRIMARY KEY(ino, which)) WITHOUT ROWID;"
    "CREATE TABLE pack(id INTEGER PRIMARY KEY, size INTEGER NOT NULL, live INTEGER NOT NULL,"
    " sealed INTEGER NOT NULL, session INTEGER NOT NULL, seq INTEGER NOT NULL);"
    "CREATE TABLE block(bid INTEGER PRIMARY KEY, id BLOB NOT NULL, size INTEGER NOT NULL,"
    " stored INTEGER NOT NULL, pack INTEGER NOT NULL, off INTEGER NOT NULL,"
    " refs INTEGER NOT NULL, zseq INTEGER NOT NULL, forgotten INTEGER NOT NULL DEFAULT 0);"
    "CREATE UNIQUE INDEX block_id ON block(id) WHERE forgotten = 0;"
    "CREATE INDEX block_place ON block(pack, off);"
    "CREATE INDEX block_free ON block(zseq) WHERE refs = 0;"
    "CREATE TABLE slice(ino INTEGER NOT NULL, pos INTEGER NOT NULL, len INTEGER NOT NULL,"
    " boff INTEGER NOT NULL, bid INTEGER NOT NULL, PRIMARY KEY(ino, pos)) WITHOUT ROWID;"
    "CREATE INDEX slice_block ON slice(bid);"
    "CREATE TABLE upload(num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " bucket INTEGER NOT NULL, key BLOB NOT NULL, owner TEXT NOT NULL, created INTEGER NOT NULL,"
    " headers BLOB);"
    "CREATE INDEX upload_key ON upload(bucket, key, created, num);"
    "CREATE TABLE part(upload INTEGER NOT NULL, number INTEGER NOT NULL, ino INTEGER NOT NULL,"
    " etag TEXT NOT NULL, checksum TEXT NOT NULL, mtime INTEGER NOT NULL,"
    " PRIMARY KEY(upload, number)) WITHOUT ROWID;"
    "CREATE TABLE orphan(ino INTEGER PRIMARY KEY, seq INTEGER NOT NULL);"
    "CREATE TABLE user(name TEXT PRIMARY KEY, id TEXT NOT NULL, email TEXT NOT NULL,"
    " role INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE access_key(access TEXT PRIMARY KEY, secret TEXT NOT NULL, user TEXT NOT NULL,"
    " bucket TEXT NOT NULL, read_only INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE link(ino INTEGER NOT NULL, parent INTEGER NOT NULL, n INTEGER NOT NULL,"
    " PRIMARY KEY(ino, parent)) WITHOUT ROWID;"
    "CREATE TABLE quota(ino INTEGER PRIMARY KEY, bytes_max INTEGER NOT NULL,"
    " nodes_max INTEGER NOT NULL, bytes INTEGER NOT NULL, nodes INTEGER NOT NULL,"
    " cursor INTEGER NOT NULL);"
    "CREATE TABLE trash(ino INTEGER PRIMARY KEY, parent INTEGER NOT NULL, seg BLOB NOT NULL,"
    " gone INTEGER NOT NULL);"
    "CREATE INDEX trash_parent ON trash(parent, gone, ino);"
    "PRAGMA user_version = 4;";

static const char root[] =
    "INSERT INTO node VALUES(?1, ?2, ?3, ?4, 2, 0, 0, 0, ?5, ?5, ?5, ?5, 1, ?1, 0)";

int schema_create(sqlite3 *db, uint32_t uid, uint32_t gid)
{
    sqlite3_stmt *st = NULL;
    struct timespec now;
    int rc = sqlite3_exec(db, tables, NULL, NULL, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, snap_tables_sql, NULL, NULL, NULL);

    if (rc != SQLITE_OK)
        return sql_code(rc);
    rc = sqlite3_prepare_v2(db, root, sizeof(root), &st, NULL);
    if (rc != SQLITE_OK)
        return sql_code(rc);
    clock_gettime(CLOCK_REALTIME, &now);
    sqlite3_bind_int64(st, 1, PC_ROOT_INO);
    sqlite3_bind_int64(st, 2, S_IFDIR | 0755);
    sqlite3_bind_int64(st, 3, uid);
    sqlite3_bind_int64(st, 4, gid);
    sqlite3_bind_int64(st, 5, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
    rc = sqlite3_step(st);
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? 0 : sql_code(rc);
}
