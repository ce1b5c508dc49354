/* SPDX-License-Identifier: Apache-2.0 */
/* The x-amz-checksum family: what a request says of its body, what is kept and told of objects and parts. */
#ifndef GATEWAY_AUTH_CHECKSUM_H
#define GATEWAY_AUTH_CHECKSUM_H

#include "buf.h"
#include "pcloud/object.h"
#include "pcloud/upload.h"

struct s3;

int checksum_parse(struct s3 *s);
int checksum_kind(const char *name);
const char *checksum_name(int kind), *checksum_header(int kind), *checksum_element(int kind);
/** checksum_of_part(h, number, out): the kind of the part's own checksum, its base64 in ${out}; -1 if it is not kept. */
int checksum_of_part(const struct pc_headers *h, unsigned number, char out[64]);
bool checksum_valid(int kind, const char *value);
void checksum_reply(struct s3 *s, const struct pc_headers *h);
void checksum_xml(struct buf *b, const struct pc_headers *h);
void checksum_part_xml(struct buf *b, const char *checksum);
int checksum_of_parts(struct s3 *s, const struct pc_headers *upload, const struct pc_part *parts,
                      size_t n, struct buf *headers);

#endif
