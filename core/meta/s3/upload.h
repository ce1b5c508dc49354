/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the tables upload and part. */
#ifndef META_S3_UPLOAD_H
#define META_S3_UPLOAD_H

#include "meta/s3/key.h"

/** upload_find(c, k, id, ret_num): the upload of that key and number in the table; PC_ENOUPLOAD. ${k} NULL: of any key. */
int upload_find(struct sql_conn *c, const struct meta_key *k, const char *id, uint64_t *ret_num);

/** upload_read(st, u): what callers see from the columns id, key, owner, created, headers; key and headers are borrowed from the row. */
int upload_read(sqlite3_stmt *st, struct pc_upload *u);

/** part_drop(m, c, ino): a part that goes with its content. upload_drop(m, c, num): an upload with all its parts. */
int part_drop(struct meta *m, struct sql_conn *c, uint64_t ino);
int upload_drop(struct meta *m, struct sql_conn *c, uint64_t num);

#endif
