/* SPDX-License-Identifier: Apache-2.0 */
/* What other verbs show of quotas. */
#ifndef CLI_TREE_QUOTA_H
#define CLI_TREE_QUOTA_H

#include "cli.h"

/** quota_print_all(c, before): a line for each quota, behind ${before}. The volume must be open. */
int quota_print_all(struct cli *c, const char *before);

#endif
