/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing of the command line against the table of verbs. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "cli.h"

/**
 * args_parse(argc, argv, c): fill ${c}'s verb, options and arguments. Options may stand anywhere, as --name VALUE or --name=VALUE; "--" ends
 * them. PC_EUSAGE with a message that names the wrong word and what to do. With --help or --version, or without any verb, what
 * else is missing is forgiven.
 */
int args_parse(int argc, char **argv, struct cli *c);

/** args_split_address(text, addr, cap, ret_port): "ADDR:PORT", "[v6]:PORT" or ":PORT" taken apart; PC_EUSAGE. */
int args_split_address(const char *text, char *addr, size_t cap, unsigned *ret_port);

#endif
