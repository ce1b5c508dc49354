/* SPDX-License-Identifier: Apache-2.0 */
/* What the kept totals have to be, as queries. */
#include "meta/schema.h"

#define IS_FOLDER "(n.mode & 61440) = 16384"

const struct schema_total schema_totals[SCHEMA_TOTALS] = {
    {SQL_FILES, "files", "SELECT count(*) FROM node n WHERE NOT (" IS_FOLDER ") AND n.nlink>0"},
    {SQL_FOLDERS, "folders",
     "SELECT count(*) FROM node n WHERE " IS_FOLDER " AND n.nlink>0 AND n.ino<>1"},
    {SQL_OBJECTS, "objects",
     "SELECT count(*) FROM object o CROSS JOIN node n ON n.ino=o.ino WHERE n.nlink>0"},
    {SQL_BYTES, "bytes", "SELECT coalesce(sum(n.size), 0) FROM node n WHERE n.nlink>0"},
    {SQL_BLOCKS, "blocks", "SELECT count(*) FROM block WHERE refs>0"},
    {SQL_BLOCK_BYTES, "bytes of blocks", "SELECT coalesce(sum(stored), 0) FROM block WHERE refs>0"},
    {SQL_PACKS, "packs", "SELECT count(*) FROM pack"},
    {SQL_ORPHANS, "orphans", "SELECT count(*) FROM orphan"},
};
