/* SPDX-License-Identifier: Apache-2.0 */
/* Writing XML: elements and text, escaped as S3 does. */
#ifndef GATEWAY_S3_XML_OUT_H
#define GATEWAY_S3_XML_OUT_H

#include "buf.h"

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define XML_NAMESPACE "http://s3.amazonaws.com/doc/2006-03-01/"
#define XML_PROLOG "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

enum xml_coding { XML_PLAIN, XML_URL /* percent-coded, as encoding-type=url asks */ };

/** xml_begin(b, root): prolog and root element in S3's namespace. */
void xml_begin(struct buf *b, const char *root);
/** xml_open(b, name), xml_close(b, name): a tag; ${name} may be followed by attributes in xml_open. */
void xml_open(struct buf *b, const char *name);
void xml_close(struct buf *b, const char *name);

/** xml_text(b, data, len): escaped text; bytes that are no UTF-8 become U+FFFD, control characters references. */
void xml_text(struct buf *b, const char *data, size_t len);

/** xml_str(b, name, value), xml_key(...), xml_num(...), xml_time(...): an element. */
void xml_str(struct buf *b, const char *name, const char *value);
void xml_key(struct buf *b, const char *name, const char *data, size_t len, enum xml_coding coding);
void xml_num(struct buf *b, const char *name, uint64_t value);
void xml_time(struct buf *b, const char *name, const struct timespec *ts);
/** xml_etag(b, etag): an ETag element, quoted. */
void xml_etag(struct buf *b, const char *etag);

#endif
