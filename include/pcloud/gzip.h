/* SPDX-License-Identifier: Apache-2.0 */
/* Compression for whoever sends content to programs that ask for it. */
#ifndef PCLOUD_GZIP_H
#define PCLOUD_GZIP_H

#include <stddef.h>

/** pc_gzip(in, len, out, cap, ret_len): ${len} bytes (under 1 GiB) as a gzip file. -ENOSPC if it does not fit into ${cap}, -ENOMEM. */
int pc_gzip(const void *in, size_t len, void *out, size_t cap, size_t *ret_len);

#endif
