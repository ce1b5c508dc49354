/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the XML bodies of requests: caps on everything, no document types, no entities of their own. */
#ifndef GATEWAY_S3_XML_IN_H
#define GATEWAY_S3_XML_IN_H

#include <stdbool.h>
#include <stddef.h>

#define XML_DEPTH_MAX 8
#define XML_TEXT_MAX 8192 /* bytes of one element */
#define XML_BODY_MAX (8u << 20)

/**
 * xml_read(data, len, root, leaf, arg): parse a document whose root element is ${root} (namespaces are ignored). For each element that ends,
 * ${leaf} gets its path below the root ("Object/Key"; "Object" when a group ends) and its text ("" for groups); a negative
 * result ends the reading. S3_EXML if the document is not well-formed, has a DOCTYPE, another root or breaks a cap; -ENOMEM.
 */
int xml_read(const char *data, size_t len, const char *root,
             int (*leaf)(void *arg, const char *path, const char *text, size_t text_len),
             void *arg);

#endif
