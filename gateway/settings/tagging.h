/* SPDX-License-Identifier: Apache-2.0 */
/* Tags of buckets and objects; with an object they are kept as "key=value&key=value", sorted, in the header "tagging". */
#ifndef GATEWAY_TAGGING_H
#define GATEWAY_TAGGING_H

#include "buf.h"
#include "uri.h"

#define TAGS_OBJECT_MAX 10
#define TAGS_BUCKET_MAX 50

struct s3;

struct tags { /* the text lives as long as the request */
    struct uri_param list[TAGS_BUCKET_MAX + 1];
    size_t count;
};

/** tags_from_query(s, text, max, ret): from "key=value&…", percent-coded: checked and sorted. S3_EARGUMENT, S3_ETAG. */
int tags_from_query(struct s3 *s, const char *text, size_t max, struct tags *ret);

/** tags_from_xml(s, data, len, max, ret): from a Tagging document. S3_EXML, S3_ETAG. */
int tags_from_xml(struct s3 *s, const char *data, size_t len, size_t max, struct tags *ret);

/** tags_pack(t, out): append the form that is kept; "" if there are none. tags_unpack: read it back, for uri_query_fini. */
void tags_pack(const struct tags *t, struct buf *out);
int tags_unpack(const char *packed, struct uri_query *ret);

/** tags_xml(list, count, out): the whole document. */
void tags_xml(const struct uri_param *list, size_t count, struct buf *out);

/** tags_collect(s, out): what x-amz-tagging asks for, as a header of the object. */
int tags_collect(struct s3 *s, struct buf *out);

#endif
