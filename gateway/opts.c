/* SPDX-License-Identifier: Apache-2.0 */
/* The options of pcloud-gateway: parsing, --help and the manual page from the table. */
#include "opts.h"

#include "pcloud/err.h"
#include "pcloud/version.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *arg, *prose;
    size_t offset;
} table[] = {
#define OPTS_ROW(field, name, arg, prose) {name, arg, prose, offsetof(struct opts, field)},
    OPTS_TABLE(OPTS_ROW)
#undef OPTS_ROW
};
#define COUNT (sizeof table / sizeof table[0])

static int find(const char *name, size_t len, size_t *ret)
{
    for (*ret = 0; *ret < COUNT; ++*ret)
        if (strlen(table[*ret].name) == len && memcmp(table[*ret].name, name, len) == 0)
            return 0;
    return pc_err_set(PC_EUSAGE, "--%.*s is no option; see --help", (int)len, name);
}

int opts_parse(int argc, char **argv, struct opts *ret)
{
    struct opts o = {0};

    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *value = NULL, *eq = strchr(word, '=');
        size_t row;
        int rc;

        if (strncmp(word, "--", 2) != 0 || word[2] == '\0')
            return pc_err_set(PC_EUSAGE, "'%s' is not understood; see --help", word);
        rc = find(word + 2, eq ? (size_t)(eq - word - 2) : strlen(word + 2), &row);
        if (rc < 0)
            return rc;
        if (!table[row].arg && eq)
            return pc_err_set(PC_EUSAGE, "--%s takes no value", table[row].name);
        if (table[row].arg) {
            value = eq ? eq + 1 : i + 1 < argc ? argv[++i] : NULL;
            if (!value)
                return pc_err_set(PC_EUSAGE, "--%s needs %s", table[row].name, table[row].arg);
        } else {
            value = "";
        }
        *(const char **)((char *)&o + table[row].offset) = value;
    }
    *ret = o;
    return 0;
}

void opts_print_help(void)
{
    printf("usage: pcloud-gateway [OPTION]...\n"
           "Serve a pcloud volume by S3 until SIGTERM.\n\n");
    for (size_t i = 0; i < COUNT; i++) {
        char left[64];

        snprintf(left, sizeof left, "--%s%s%s", table[i].name, table[i].arg ? " " : "",
                 table[i].arg ? table[i].arg : "");
        printf("  %-24s %s\n", left, table[i].prose);
    }
    printf("\nWithout an option the configuration's key in parentheses counts (pcloud config).\n"
           "SIGTERM finishes what is in progress and ends; SIGHUP reads the configuration and "
           "certificate again.\n");
}

/* Text of a manual page: what troff would take for itself is escaped. */
static void put_man(const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '-')
            putchar('\\');
        putchar(*text);
    }
}

void opts_print_man(void)
{
    printf(".\\\" SPDX-License-Identifier: Apache-2.0\n"
           ".\\\" Made by pcloud-gateway --print-man from the table of options.\n"
           ".TH PCLOUD\\-GATEWAY 8 \"2026-11-21\" \"pcloud %s\" \"pcloud manual\"\n"
           ".SH NAME\npcloud\\-gateway \\- serve a pcloud volume by S3\n"
           ".SH SYNOPSIS\n.B pcloud\\-gateway\n.RI [ OPTION ]...\n"
           ".SH DESCRIPTION\n"
           "Serves the volume of one home as an S3 endpoint: its top folders are the buckets, "
           "their files the objects, "
           "the same bytes as on the mount. Usually started by\n.B pcloud up\\fR.\n"
           "It runs in the foreground, logs to standard error, and tells systemd when it answers.\n"
           ".SH OPTIONS\n",
           pc_version());
    for (size_t i = 0; i < COUNT; i++) {
        printf(".TP\n\\fB\\-\\-");
        put_man(table[i].name);
        printf("\\fR");
        if (table[i].arg)
            printf(" \\fI%s\\fR", table[i].arg);
        putchar('\n');
        put_man(table[i].prose);
        putchar('\n');
    }
    printf(".SH SIGNALS\n"
           ".TP\n.B SIGTERM, SIGINT\nTake no new connections, finish the requests in progress (at "
           "most 8 seconds), end.\n"
           ".TP\n.B SIGHUP\nRead the configuration again: log level and form, limits, and the "
           "certificate for new connections; open the audit log again. A certificate and key that "
           "are replaced are also taken without a signal.\n"
           ".SH EXIT STATUS\n0 ended by a signal, 1 failed, 2 wrong usage.\n"
           ".SH FILES\n.TP\n.I run/gateway.json\nin the home, while it serves: its addresses, "
           "process and state.\n"
           ".SH SEE ALSO\n.BR pcloud (1),\n.BR mount.pcloud (8)\n");
}
