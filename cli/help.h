/* SPDX-License-Identifier: Apache-2.0 */
/* Help texts, the man page and shell completion, all made from the table of verbs. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "cli.h"

/** help_print(c, f): the help of the verb, group or whole program that ${c} names. */
void help_print(const struct cli *c, FILE *f);

/** help_man(f): pcloud(1) in roff. */
void help_man(FILE *f);

/** help_completion(shell, f): completion code for "bash"; PC_EUSAGE for others. */
int help_completion(const char *shell, FILE *f);

#endif
