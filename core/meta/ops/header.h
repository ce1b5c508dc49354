/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of objects as packed lists, and their names as extended attributes of the mount. */
#ifndef META_OPS_HEADER_H
#define META_OPS_HEADER_H

#include "meta/ops/row.h"
#include "pcloud/object.h"

#define HEADER_XATTR "user.s3."

/** header_next(data, len, pos, name, value): iterate a packed list; false at the end or at the first malformed pair. */
bool header_next(const char *data, size_t len, size_t *pos, const char **name, const char **value);

/** header_find(data, len, name): the value or NULL. */
const char *header_find(const char *data, size_t len, const char *name);

/** header_check(h): -EINVAL if not well-formed, PC_ELIMIT over PC_META_MAX. NULL and empty are legal. */
int header_check(const struct pc_headers *h);

/** header_put(data, len, name, value, value_len, out, ret_len): the list with that one set, or without it (value NULL). -ENOSPC over PC_META_MAX. */
int header_put(const char *data, size_t len, const char *name, const void *value, size_t value_len,
               char out[PC_META_MAX], size_t *ret_len);

/** header_change(data, len, change, out, ret_len): the list with each name of ${change} set, or taken away where its value is empty. PC_ELIMIT over PC_META_MAX. */
int header_change(const char *data, size_t len, const struct pc_headers *change,
                  char out[PC_META_MAX], size_t *ret_len);

/** header_drop_checksums(data, len): take out, in place, what holds only for the content that S3 put: x-amz-checksum-* and sse-*; the new length. */
size_t header_drop_checksums(char *data, size_t len);

/** header_of_xattr(xattr, name): the header that an attribute "user.s3.*" shows: 0, -EOPNOTSUPP if none. header_to_xattr: the other way; false if it is not shown. */
int header_of_xattr(const char *xattr, char name[PC_XATTR_NAME_MAX + 8]);
bool header_to_xattr(const char *name, char xattr[PC_XATTR_NAME_MAX + 1]);

/** header_load(c, ino, ret, ret_len): the list of a node's object row in memory of its own (NULL, 0 if none). */
int header_load(struct sql_conn *c, uint64_t ino, char **ret, size_t *ret_len);

#endif
