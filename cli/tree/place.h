/* SPDX-License-Identifier: Apache-2.0 */
/* What people type as a path: of the volume ("/photos/2026"), or of a file below the running mount. */
#ifndef CLI_TREE_PLACE_H
#define CLI_TREE_PLACE_H

#include "cli.h"
#include "pcloud/node.h"

#define PLACE_MAX 8192

/** place_path(c, text, path): the path in the volume, absolute, without "." and "..". -EINVAL: a relative one that is not below the mount. */
int place_path(struct cli *c, const char *text, char path[PLACE_MAX]);

/** place_node(c, text, attr): what is there. The volume must be open. */
int place_node(struct cli *c, const char *text, struct pc_attr *attr);

/** place_new(c, text, parent, name): a place for something new: the folder, and the last name. -EINVAL for the top itself. */
int place_new(struct cli *c, const char *text, struct pc_attr *parent, char name[PC_NAME_MAX + 1]);

#endif
