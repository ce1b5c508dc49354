/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the kernel to forget names, attributes and pages. Never from a thread that serves requests. */
#ifndef FS_NOTIFY_H
#define FS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct fs;

/** notify_entry(fs, parent, name): what the name means is to be asked again. */
void notify_entry(struct fs *fs, uint64_t parent, const char *name);

/** notify_node(fs, node, data): attributes, and with ${data} also pages, are to be asked again. */
void notify_node(struct fs *fs, uint64_t node, bool data);

/** notify_everything(fs): nothing that is cached can be trusted. */
void notify_everything(struct fs *fs);

#endif
