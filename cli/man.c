/* SPDX-License-Identifier: Apache-2.0 */
/* The man page and shell completion. */
#include "help.h"
#include "pcloud/version.h"
#include "verbs.h"

#include <string.h>

/* Text as roff takes it: escapes, and no line that begins with a control character. */
static void roff(FILE *f, const char *text)
{
    bool start = true;

    for (const char *p = text; *p; p++) {
        if (start && (*p == '.' || *p == '\''))
            fputs("\\&", f);
        start = *p == '\n';
        if (*p == '\\')
            fputs("\\e", f);
        else if (*p == '-')
            fputs("\\-", f);
        else if (*p == '\n')
            fputs("\n.PP\n", f);
        else if (*p == '~')
            fputs("\\(ti", f);
        else
            fputc(*p, f);
    }
}

static void man_options(FILE *f, const struct cli_option *table)
{
    for (; table && table->name; table++) {
        fputs(".TP\n\\fB\\-\\-", f);
        roff(f, table->name);
        fputs("\\fR", f);
        if (table->arg) {
            fputs(" \\fI", f);
            roff(f, table->arg);
            fputs("\\fR", f);
        }
        fputc('\n', f);
        roff(f, table->prose);
        fputc('\n', f);
    }
}

static void man_verb(FILE *f, const struct cli_verb *v)
{
    fputs(".SS \"pcloud ", f);
    roff(f, v->name);
    if (*v->args) {
        fputc(' ', f);
        roff(f, v->args);
    }
    fputs("\"\n", f);
    fputs("To ", f);
    roff(f, v->brief);
    fputs(".\n", f);
    if (*v->detail) {
        fputs(".PP\n", f);
        roff(f, v->detail);
        fputc('\n', f);
    }
    man_options(f, v->options);
}

static void man_config(FILE *f)
{
    fputs(".SH CONFIGURATION\nKeys of the file \\fIconfig\\fR in the home; see \\fBpcloud "
          "config\\fR.\n",
          f);
    for (int id = 0; id < PC_CONFIG_COUNT; id++) {
        const struct pc_config_entry *e = pc_config_entry((enum pc_config_id)id);

        fputs(".TP\n\\fB", f);
        roff(f, e->key);
        fputs("\\fR (", f);
        roff(f, *e->def ? e->def : "empty");
        fputs(")\n", f);
        roff(f, e->prose);
        if (*e->choices) {
            fputs(" One of: ", f);
            roff(f, e->choices);
            fputc('.', f);
        }
        fputc('\n', f);
    }
}

static const char man_tail[] =
    ".SH EXIT STATUS\n"
    "0: done. 1: failed, with one line on stderr that says what to do. 2: wrong usage.\n"
    ".SH ENVIRONMENT\n"
    ".TP\n\\fBPCLOUD_HOME\\fR\nThe home; else $XDG_DATA_HOME/pcloud or \\(ti/.local/share/pcloud, "
    "for root /var/lib/pcloud.\n"
    ".TP\n\\fBPCLOUD_PASSPHRASE_FILE\\fR\nA file with the passphrase.\n"
    ".TP\n\\fBCREDENTIALS_DIRECTORY\\fR\nThe file pcloud\\-passphrase in it, as systemd gives it.\n"
    ".TP\n\\fBNO_COLOR\\fR\nWithout colours.\n"
    ".SH FILES\n"
    "In the home: \\fIkeys\\fR (the volume secret, wrapped by the passphrase), \\fImeta\\fR (the "
    "sealed database), "
    "\\fIpacks\\fR (sealed content), \\fIconfig\\fR, \\fIrun\\fR (state of running parts), "
    "\\fIlog\\fR, "
    "\\fIpassphrase\\fR (only when init made a random one).\n"
    ".SH EXAMPLES\n"
    ".nf\npcloud init --words-out ~/words\npcloud up\neval \"$(pcloud env)\"\n"
    "cp photo.jpg \"$PCLOUD_MOUNT\"/photos/\naws s3 ls s3://photos\n.fi\n"
    ".SH SEE ALSO\n"
    ".BR mount.pcloud (8),\n.BR pcloud\\-gateway (8)\n";

void help_man(FILE *f)
{
    fprintf(f, ".TH PCLOUD 1 \"2026-11-21\" \"pcloud %s\" \"User commands\"\n", pc_version());
    fputs(".SH NAME\npcloud \\- one encrypted volume as a folder and as an S3 endpoint\n", f);
    fputs(".SH SYNOPSIS\n.B pcloud\n.I VERB\n[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...\n", f);
    fputs(".SH DESCRIPTION\nA home is one device: its keys, metadata, content, configuration and "
          "logs. "
          "\\fBpcloud\\fR makes a home, starts and stops what serves it, and keeps it well.\n",
          f);
    fputs(".SH OPTIONS\nOf every verb:\n", f);
    man_options(f, cli_globals);
    fputs(".SH VERBS\n", f);
    for (const struct cli_verb *v = cli_verbs; v->name; v++)
        man_verb(f, v);
    man_config(f);
    fputs(man_tail, f);
}

/* The first words of all verbs, each once. */
static void complete_first(FILE *f)
{
    const char *last = "";
    size_t last_len = 0;

    for (const struct cli_verb *v = cli_verbs; v->name; v++) {
        size_t len = strcspn(v->name, " ");

        if (len == last_len && memcmp(v->name, last, len) == 0)
            continue;
        fprintf(f, "%s%.*s", *last ? " " : "", (int)len, v->name);
        last = v->name;
        last_len = len;
    }
}

static void complete_options(FILE *f, const struct cli_option *table)
{
    for (; table && table->name; table++)
        fprintf(f, " --%s", table->name);
}

static void complete_values(FILE *f, const struct cli_option *table)
{
    static const char *const how[] = {
        "return", "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\")); return",
        "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$cur\")); return",
        "COMPREPLY=($(compgen -W 'admin user' -- \"$cur\")); return"};

    for (; table && table->name; table++)
        if (table->arg)
            fprintf(f, "    --%s) %s ;;\n", table->name, how[table->complete]);
}

/* Second words, as " case" arms by their first. */
static void complete_second(FILE *f)
{
    const struct cli_verb *v = cli_verbs;

    while (v->name) {
        size_t len = strcspn(v->name, " ");
        const struct cli_verb *first = v;

        if (v->name[len] == '\0') {
            v++;
            continue;
        }
        fprintf(f, "    '%.*s ') words='", (int)len, v->name);
        for (; v->name && strncmp(v->name, first->name, len + 1) == 0; v++)
            fprintf(f, "%s%s", v == first ? "" : " ", v->name + len + 1);
        fputs("' ;;\n", f);
    }
}

int help_completion(const char *shell, FILE *f)
{
    if (strcmp(shell, "bash") != 0)
        return pc_err_set(PC_EUSAGE, "no completion for '%.40s'; there is one for bash", shell);
    fputs("# bash completion for pcloud, printed by `pcloud --print-completion bash`\n"
          "_pcloud() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} word verb= "
          "words i skip=\n"
          "    case $prev in\n",
          f);
    complete_values(f, cli_globals);
    for (const struct cli_verb *v = cli_verbs; v->name; v++)
        complete_values(f, v->options);
    fputs("    esac\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        word=${COMP_WORDS[i]}\n"
          "        [ -n \"$skip\" ] && { skip=; continue; }\n"
          "        case $word in\n"
          "        --home|--passphrase-file) skip=1 ;;\n"
          "        -*) ;;\n"
          "        *) verb=\"$verb$word \" ;;\n"
          "        esac\n"
          "    done\n"
          "    case $verb in\n"
          "    '') words='",
          f);
    complete_first(f);
    fputs("' ;;\n", f);
    complete_second(f);
    for (const struct cli_verb *v = cli_verbs; v->name; v++) {
        fprintf(f, "    '%s '*) words='", v->name);
        complete_options(f, v->options);
        fputs("' ;;\n", f);
    }
    fputs("    *) words= ;;\n    esac\n    case $cur in -*) words=\"$words", f);
    complete_options(f, cli_globals);
    fputs("\" ;; esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -F "
          "_pcloud pcloud\n",
          f);
    return 0;
}
