/* SPDX-License-Identifier: Apache-2.0 */
/* One run of pcloud: the parsed command line and what the verb has opened. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "pcloud/config.h"
#include "pcloud/err.h"
#include "pcloud/home.h"
#include "pcloud/keys.h"
#include "pcloud/volume.h"

#define CLI_VALUES_MAX 64    /* options of one command line */
#define CLI_ARGS_MAX 5       /* arguments of one command line */
#define CLI_LINE_MAX 1024    /* a reason, an address, a line of a part's log */
#define CLI_PATIENCE_MS 3000 /* a change that takes longer is a reason for others to wait */

struct cli_option;
struct cli_verb;

struct cli_value {
    const struct cli_option *option;
    const char *value; /* NULL for a flag; borrowed from argv */
};

struct cli {
    const struct cli_verb *verb; /* NULL: none was named */
    const char *group;           /* "user" where only the first word of a verb was named */
    struct cli_value values[CLI_VALUES_MAX];
    size_t n_values;
    const char *args[CLI_ARGS_MAX];
    size_t n_args;

    /* opened by cli_open_*, closed by cli_close */
    char *home_path;
    struct pc_home *home;
    struct pc_config *config;
    struct pc_keys *keys;
    struct pc_volume *volume;
};

/*
 * A verb returns 0 (done), a negative code whose message was set with pc_err_set (main prints it), or a positive exit status
 * when it has already said everything itself.
 */

/** cli_value(c, name): the value of the last option ${name}, or NULL; "" for a flag that was given. */
const char *cli_value(const struct cli *c, const char *name);

/** cli_value_at(c, name, i): the value of the i-th option ${name} of a repeatable one, or NULL. */
const char *cli_value_at(const struct cli *c, const char *name, size_t i);

/** cli_has(c, name): was the option given? */
bool cli_has(const struct cli *c, const char *name);

/** cli_log(c, program): log to stderr as the configuration says. Verbs that people type keep quiet unless log.level is debug. */
void cli_log(const struct cli *c, const char *program);

/** cli_open_home(c): find and open the home and its configuration. PC_ENOHOME names `pcloud init`. */
int cli_open_home(struct cli *c);

/** cli_open_keys(c): the home, then the key ring by the passphrase (asked for on a terminal). */
int cli_open_keys(struct cli *c);

/** cli_open_volume(c): the keys, then the volume. */
int cli_open_volume(struct cli *c);

/** cli_close(c): close all that is open; returns the first error (of writing the volume back), or ${code} if that is one. */
int cli_close(struct cli *c, int code);

/** cli_run(argc, argv): a whole run of the program; its exit status. */
int cli_run(int argc, char **argv);

#endif
