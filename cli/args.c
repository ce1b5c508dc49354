/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing of the command line against the table of verbs. */
#include "args.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_option *option_in(const struct cli_option *table, const char *name,
                                          size_t len)
{
    for (; table && table->name; table++)
        if (strlen(table->name) == len && memcmp(table->name, name, len) == 0)
            return table;
    return NULL;
}

const char *cli_value_at(const struct cli *c, const char *name, size_t i)
{
    for (size_t k = 0; k < c->n_values; k++)
        if (strcmp(c->values[k].option->name, name) == 0 && i-- == 0)
            return c->values[k].value ? c->values[k].value : "";
    return NULL;
}

const char *cli_value(const struct cli *c, const char *name)
{
    for (size_t k = c->n_values; k-- > 0;)
        if (strcmp(c->values[k].option->name, name) == 0)
            return c->values[k].value ? c->values[k].value : "";
    return NULL;
}

bool cli_has(const struct cli *c, const char *name)
{
    return cli_value(c, name) != NULL;
}

/* The words for "see ... --help" of what was named so far. */
static const char *help_of(const struct cli *c)
{
    return c->verb ? c->verb->name : c->group ? c->group : "";
}

static int usage(const struct cli *c, const char *what, const char *word)
{
    const char *of = help_of(c);

    return pc_err_set(PC_EUSAGE, "%s '%.80s'; see `pcloud %s%s--help`", what, word, of,
                      *of ? " " : "");
}

static int take_option(struct cli *c, int argc, char **argv, int *i)
{
    const char *word = argv[*i] + 2;
    const char *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    const struct cli_option *o = option_in(cli_globals, word, len);
    const char *value = NULL;

    if (!o && c->verb)
        o = option_in(c->verb->options, word, len);
    if (!o)
        return usage(c, c->verb ? "unknown option" : "unknown or misplaced option", argv[*i]);
    if (!o->arg && equals)
        return usage(c, "no value can follow", argv[*i]);
    if (o->arg) {
        if (!equals && *i + 1 >= argc)
            return usage(c, "a value is missing after", argv[*i]);
        value = equals ? equals + 1 : argv[++*i];
    }
    if (c->n_values == CLI_VALUES_MAX)
        return pc_err_set(PC_EUSAGE, "more than %d options", CLI_VALUES_MAX);
    c->values[c->n_values++] = (struct cli_value){o, value};
    return 0;
}

/* A first or second word of a verb. Returns 1 if it was one, 0 if it is an argument. */
static int take_word(struct cli *c, const char *word)
{
    size_t len = strlen(word);

    if (c->verb)
        return 0;
    if (c->group) {
        size_t group_len = strlen(c->group);

        for (const struct cli_verb *v = cli_verbs; v->name; v++)
            if (strncmp(v->name, c->group, group_len) == 0 && v->name[group_len] == ' ' &&
                strcmp(v->name + group_len + 1, word) == 0)
                return c->verb = v, 1;
        return usage(c, "unknown verb", word);
    }
    for (const struct cli_verb *v = cli_verbs; v->name; v++) {
        if (strcmp(v->name, word) == 0)
            return c->verb = v, 1;
        if (strncmp(v->name, word, len) == 0 && v->name[len] == ' ') {
            c->group = word;
            return 1;
        }
    }
    return usage(c, "unknown verb", word);
}

static int take_argument(struct cli *c, const char *word)
{
    if (c->n_args == c->verb->max_args || c->n_args == CLI_ARGS_MAX)
        return usage(c, "too many arguments:", word);
    c->args[c->n_args++] = word;
    return 0;
}

/* With help asked for, or no verb at all, nothing is missing. */
static int check_complete(const struct cli *c)
{
    if (cli_has(c, "help") || cli_has(c, "version"))
        return 0;
    if (c->group && !c->verb)
        return pc_err_set(PC_EUSAGE, "'%s' needs a second word; see `pcloud %s --help`", c->group,
                          c->group);
    if (!c->verb)
        return pc_err_set(PC_EUSAGE, "no verb given; see `pcloud --help`");
    if (c->n_args < c->verb->min_args)
        return pc_err_set(PC_EUSAGE, "missing argument: pcloud %s %s", c->verb->name,
                          c->verb->args);
    return 0;
}

int args_parse(int argc, char **argv, struct cli *c)
{
    bool options = true;
    int err;

    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];

        if (options && strcmp(word, "--") == 0) {
            options = false;
            continue;
        }
        if (options && strncmp(word, "--", 2) == 0) {
            err = take_option(c, argc, argv, &i);
            if (err < 0)
                return err;
            continue;
        }
        if (options && word[0] == '-' && word[1] != '\0')
            return usage(c, "unknown option", word);
        err = take_word(c, word);
        if (err == 0)
            err = take_argument(c, word);
        if (err < 0)
            return err;
    }
    return check_complete(c);
}

int args_split_address(const char *text, char *addr, size_t cap, unsigned *ret_port)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    const char *from = text;
    unsigned long port;
    char *end;

    if (!colon || colon[1] < '0' || colon[1] > '9')
        return pc_err_set(PC_EUSAGE, "'%.80s' is no address: give ADDR:PORT, as 127.0.0.1:9800",
                          text);
    port = strtoul(colon + 1, &end, 10);
    if (*end != '\0' || port > 65535)
        return pc_err_set(PC_EUSAGE, "'%.80s': the port must be 0 to 65535", text);
    if (len >= 2 && from[0] == '[' && from[len - 1] == ']') {
        from++;
        len -= 2;
    }
    if (len >= cap)
        return pc_err_set(PC_EUSAGE, "'%.80s': the address is too long", text);
    memcpy(addr, from, len);
    addr[len] = '\0';
    *ret_port = (unsigned)port;
    return 0;
}
