/* SPDX-License-Identifier: Apache-2.0 */
/* What has to hold of the tables of snapshots, and what mends it. */
#include "meta/snap/snap.h"

#include "meta/schema.h"

#define OF_ONE(table)                                                                              \
    {                                                                                              \
        "SELECT printf('" table ": %d rows of snapshot %d, which is not there', count(*), snap) "  \
        "FROM " table " WHERE snap NOT IN (SELECT id FROM snapshot) GROUP BY snap",                \
        {                                                                                          \
            "DELETE FROM " table " WHERE snap NOT IN (SELECT id FROM snapshot)"                    \
        }                                                                                          \
    }
#define LOST "FROM slice_was WHERE bid > 0 AND bid NOT IN (SELECT bid FROM block)"
#define BEYOND                                                                                     \
    "FROM slice_was w CROSS JOIN block b ON b.bid=w.bid WHERE w.bid > 0 AND "                      \
    "(w.len < 1 OR w.boff < 0 OR w.pos < 0 OR w.boff + w.len > b.size)"

const struct schema_check snap_checks[] = {
    {"SELECT printf('snapshot %d: younger than one after it', s.id) FROM snapshot s WHERE EXISTS "
     "(SELECT 1 FROM snapshot o WHERE o.id > s.id AND o.next_id < s.next_id)",
     {"UPDATE snapshot SET next_id=(SELECT min(o.next_id) FROM snapshot o WHERE o.id >= "
      "snapshot.id)"}},
    OF_ONE("node_was"),
    OF_ONE("edge_was"),
    OF_ONE("inline_was"),
    OF_ONE("symlink_was"),
    OF_ONE("xattr_was"),
    OF_ONE("object_was"),
    OF_ONE("slice_was"),
    {"SELECT printf('snapshot %d: the slice of node %d at %d has no block: the range is lost', "
     "snap, ino, pos) " LOST,
     /* As in the present: reading it is an error, as it must be. */
     {"INSERT INTO block SELECT bid, randomblob(32), max(boff + len), 1, 0, bid, count(*), 0, "
      "1 " LOST " GROUP BY bid"}},
    {"SELECT printf('snapshot %d: the slice of node %d at %d reaches beyond its block', w.snap, "
     "w.ino, w.pos) " BEYOND,
     {"DELETE FROM slice_was WHERE (ino, pos, snap) IN (SELECT w.ino, w.pos, w.snap " BEYOND ")"}},
    {NULL, {NULL}},
};

const struct schema_check snap_armed = {
    "SELECT 'the triggers of snapshots are not as they have to be' WHERE (SELECT count(*) FROM "
    "sqlite_schema WHERE type='trigger' AND name GLOB 'snap_*') <> "
    "iif(EXISTS (SELECT 1 FROM snapshot WHERE gone=0), 22, 0)",
    {NULL}};
