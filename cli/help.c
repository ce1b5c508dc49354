/* SPDX-License-Identifier: Apache-2.0 */
/* Help texts as they stand on a terminal. */
#include "help.h"
#include "verbs.h"

#include <string.h>

#define HELP_WIDTH 79
#define HELP_OPTION_COLUMN 26
#define HELP_VERB_COLUMN 28

/* Print ${text} wrapped at HELP_WIDTH; the cursor stands at ${column}, further lines begin at ${indent}. */
static void print_wrapped(FILE *f, const char *text, size_t column, size_t indent)
{
    bool begins = true; /* a line, so no blank before the word */

    while (*text) {
        size_t len = strcspn(text, " \n");

        if (!begins && column + 1 + len > HELP_WIDTH) {
            fprintf(f, "\n%*s", (int)indent, "");
            column = indent;
            begins = true;
        }
        fprintf(f, begins ? "%.*s" : " %.*s", (int)len, text);
        column += len + !begins;
        begins = false;
        text += len;
        if (*text == '\n') {
            fprintf(f, "\n\n%*s", (int)indent, "");
            column = indent;
            begins = true;
        }
        if (*text)
            text++;
    }
    fputc('\n', f);
}

static void print_row(FILE *f, const char *left, const char *prose, size_t column)
{
    size_t len = strlen(left) + 2;

    fprintf(f, "  %s", left);
    if (len + 2 > column) {
        fputc('\n', f);
        len = 0;
    }
    fprintf(f, "%*s", (int)(column - len), "");
    print_wrapped(f, prose, column, column);
}

static void print_options(FILE *f, const struct cli_option *table)
{
    char left[80];

    for (; table && table->name; table++) {
        snprintf(left, sizeof left, table->arg ? "--%s %s" : "--%s", table->name, table->arg);
        print_row(f, left, table->prose, HELP_OPTION_COLUMN);
    }
}

static void print_verb_row(FILE *f, const struct cli_verb *v)
{
    char left[80];

    snprintf(left, sizeof left, *v->args ? "%s %s" : "%s", v->name, v->args);
    print_row(f, left, v->brief, HELP_VERB_COLUMN);
}

static void print_verb(FILE *f, const struct cli_verb *v)
{
    fprintf(f, "Usage: pcloud %s%s%s [OPTION]...\n", v->name, *v->args ? " " : "", v->args);
    print_wrapped(f, v->brief, 0, 0);
    if (*v->detail) {
        fputc('\n', f);
        print_wrapped(f, v->detail, 0, 0);
    }
    fputs("\nOptions:\n", f);
    print_options(f, v->options);
    print_options(f, cli_globals);
}

void help_print(const struct cli *c, FILE *f)
{
    size_t len = c->group ? strlen(c->group) : 0;

    if (c->verb) {
        print_verb(f, c->verb);
        return;
    }
    fprintf(f, "Usage: pcloud %s [OPTION]... [ARGUMENT]...\n", c->group ? c->group : "VERB");
    if (!c->group)
        fputs("One encrypted volume of your own, as a folder and as an S3 endpoint.\n", f);
    fputs("\nVerbs:\n", f);
    for (const struct cli_verb *v = cli_verbs; v->name; v++)
        if (!c->group || (strncmp(v->name, c->group, len) == 0 && v->name[len] == ' '))
            print_verb_row(f, v);
    fputs("\nOptions of every verb:\n", f);
    print_options(f, cli_globals);
    if (!c->group)
        fputs("\nFirst steps: pcloud init; pcloud up; pcloud status. More: man pcloud.\n", f);
}
