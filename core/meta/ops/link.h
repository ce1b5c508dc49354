/* SPDX-License-Identifier: Apache-2.0 */
/* Names of nodes that have several: which folders they are in. */
#ifndef META_OPS_LINK_H
#define META_OPS_LINK_H

#include "meta/ops/row.h"

/*
 * The table link has a row for each folder with names of a file that has more than one, and their number in it; a file of one name has no row. So row.parent always is a
 * folder that has a name of it, without an index of all entries by node.
 */

/** link_more(c, r, folder): the file gets one more name, or its first, in that folder: nlink and rows; the caller stores the row. */
int link_more(struct sql_conn *c, struct row *r, uint64_t folder);
/** link_less(c, r, folder): one of several names went: nlink, parent and rows; the caller stores the row. */
int link_less(struct sql_conn *c, struct row *r, uint64_t folder);
/** link_move(c, r, from, to): a name moved: parent and rows; the caller stores the row. Of folders and files of one name only the parent. */
int link_move(struct sql_conn *c, struct row *r, uint64_t from, uint64_t to);

#endif
