/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of names of files that have several, of the folder that counts a file, and of quotas. */
#include "meta/ops/quota.h"
#include "meta/schema.h"

#define IS_FOLDER "(n.mode & 61440) = 16384"
#define W_N "n.ino BETWEEN coalesce(?1, 0) AND coalesce(?2, 9223372036854775807)"
#define NAMES                                                                                      \
    "FROM edge e CROSS JOIN node n ON n.ino=e.ino WHERE n.nlink > 1 AND substr(e.seg, -1) <> "     \
    "x'2f'"
#define COUNT_OF QUOTA_SUM("count(*)", "q.ino", "q.cursor", "")
#define BYTES_OF QUOTA_SUM("coalesce(sum(used), 0)", "q.ino", "q.cursor", "")

const struct schema_check quota_checks[] = {
    {"SELECT printf('node %d: its names are not counted by folder', ino) FROM "
     "(SELECT ino, parent, n AS is_n FROM link UNION ALL SELECT ino, parent, -k FROM "
     "(SELECT e.ino AS ino, e.parent AS parent, count(*) AS k " NAMES " AND " W_N
     " GROUP BY e.ino, e.parent)) WHERE ino BETWEEN coalesce(?1, 0) AND "
     "coalesce(?2, 9223372036854775807) GROUP BY ino, parent HAVING sum(is_n) <> 0",
     {"DELETE FROM link",
      "INSERT INTO link SELECT e.ino, e.parent, count(*) " NAMES " GROUP BY e.ino, e.parent"}},
    {"SELECT printf('node %d: belongs to folder %d, not %d', n.ino, e.parent, n.parent) "
     "FROM edge e CROSS JOIN node n ON n.ino=e.ino WHERE n.nlink=1 AND substr(e.seg, -1) <> x'2f' "
     "AND n.parent <> e.parent",
     {"UPDATE node SET parent=e.parent FROM edge e WHERE e.ino=node.ino AND node.nlink=1 AND "
      "substr(e.seg, -1) <> x'2f' AND node.parent <> e.parent"}},
    {"SELECT printf('node %d: belongs to folder %d, which has no name of it', n.ino, n.parent) "
     "FROM (SELECT DISTINCT ino FROM link) l CROSS JOIN node n ON n.ino=l.ino "
     "WHERE n.parent NOT IN (SELECT parent FROM link k WHERE k.ino=n.ino)",
     {"UPDATE node SET parent=(SELECT min(parent) FROM link k WHERE k.ino=node.ino) WHERE ino IN "
      "(SELECT ino FROM link) AND parent NOT IN (SELECT parent FROM link k WHERE k.ino=node.ino)"}},
    {"SELECT printf('node %d: a past version of bucket %d, not %d', n.ino, p.bucket, n.parent) "
     "FROM past p CROSS JOIN node n ON n.ino=p.ino WHERE n.parent <> p.bucket",
     {"UPDATE node SET parent=p.bucket FROM past p WHERE p.ino=node.ino AND "
      "node.parent <> p.bucket"}},
    {"SELECT printf('quota: of node %d, which is no folder', q.ino) FROM quota q "
     "WHERE q.ino NOT IN (SELECT n.ino FROM node n WHERE n.ino=q.ino AND " IS_FOLDER ")",
     {"DELETE FROM quota WHERE ino NOT IN (SELECT n.ino FROM node n WHERE n.ino=quota.ino "
      "AND " IS_FOLDER ")"}},
    {"SELECT printf('folder %d: its quota counts %d bytes in %d nodes, not %d in %d', ino, "
     "was_bytes, was_nodes, bytes, nodes) FROM (SELECT q.ino AS ino, q.bytes AS was_bytes, "
     "q.nodes AS was_nodes, (" BYTES_OF ") AS bytes, (" COUNT_OF ") AS nodes FROM quota q) "
     "WHERE bytes <> was_bytes OR nodes <> was_nodes",
     {"UPDATE quota AS q SET bytes=(" BYTES_OF "), nodes=(" COUNT_OF ")"}},
};
const size_t quota_checks_n = sizeof(quota_checks) / sizeof(quota_checks[0]);
