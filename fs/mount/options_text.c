/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the table of mount options as help text and as a manual page. */
#include "mount/options.h"

#include "pcloud/version.h"

#include <string.h>

struct option_text {
    const char *name, *argname, *prose;
};

#define TEXT(id, name, arg, argname, prose) {name, argname, prose},
static const struct option_text texts[OPTION_COUNT] = {MOUNT_OPTION_TABLE(TEXT)};
#undef TEXT

static const char *const flags[][2] = {
    {"-o OPTION[,OPTION...]", "Mount options, see below."},
    {"-f", "Check everything, but do not mount."},
    {"-n", "Accepted and ignored, as mount(8) gives it."},
    {"-s", "Ignore unknown mount options."},
    {"-v", "Say what is done."},
    {"--help", "Print this help."},
    {"--version", "Print the version."},
};

/* Words of a text in lines of at most 78 columns, each indented. */
static void wrap(FILE *out, const char *text, int indent)
{
    int column = 0;

    while (*text) {
        int len = (int)strcspn(text, " ");

        if (column == 0 || column + 1 + len > 78 - indent) {
            fprintf(out, "%s%*s", column ? "\n" : "", indent, "");
            column = 0;
        } else {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", len, text);
        column += len;
        text += len;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

void options_help(FILE *out)
{
    fputs("Usage: mount.pcloud HOME[:/path] MOUNTPOINT [-o OPTIONS] [-fnsv]\n\n"
          "Mounts the volume of a pcloud home, or one folder of it. Returns when the mount "
          "answers.\n\n",
          out);
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
        fprintf(out, "  %s\n", flags[i][0]);
        wrap(out, flags[i][1], 8);
    }
    fputs("\nMount options:\n", out);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        fprintf(out, "  %s%s%s\n", texts[i].name, *texts[i].argname ? "=" : "", texts[i].argname);
        wrap(out, texts[i].prose, 8);
    }
    fputs("\nOptions that fstab and systemd keep for themselves (defaults, noauto, nofail, x-...) "
          "are ignored.\n"
          "Unmount with umount(8) as root, else with fusermount3 -u MOUNTPOINT.\n",
          out);
}

/* Text with roff's special characters escaped. */
static void roff(FILE *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\\')
            fputs("\\e", out);
        else if (*p == '-')
            fputs("\\-", out);
        else if ((*p == '.' || *p == '\'') && p == text)
            fprintf(out, "\\&%c", *p);
        else
            fputc(*p, out);
    }
}

static void roff_item(FILE *out, const char *name, const char *argname, const char *prose)
{
    fputs(".TP\n.B ", out);
    roff(out, name);
    if (*argname) {
        fputs("=\\fI", out);
        roff(out, argname);
        fputs("\\fP", out);
    }
    fputc('\n', out);
    roff(out, prose);
    fputc('\n', out);
}

void options_man(FILE *out)
{
    fprintf(out,
            ".\\\" SPDX-License-Identifier: Apache-2.0\n"
            ".TH MOUNT.PCLOUD 8 \"2026-11-21\" \"pcloud %s\" \"System Administration\"\n"
            ".SH NAME\nmount.pcloud \\- mount a pcloud volume\n"
            ".SH SYNOPSIS\n.B mount.pcloud\n.IR HOME [:/ path ]\n.I MOUNTPOINT\n"
            ".RB [ \\-o\n.IR options ]\n.RB [ \\-fnsv ]\n",
            pc_version());
    fputs(".SH DESCRIPTION\nMounts the encrypted volume of the home\n.I HOME\n(or the folder\n.I "
          "path\n"
          "in it) and returns when the mount answers. Works as root and, through\n.BR fusermount3 "
          "(1),\n"
          "as an ordinary user. As the helper of\n.BR mount (8)\nit also serves\n.B mount \\-t "
          "pcloud\n"
          "and, under the name\n.BR mount.fuse.pcloud ,\n.BR \"mount \\-t fuse.pcloud\" ,\n"
          "and lines of\n.BR fstab (5)\nwith either type.\n.PP\n"
          "The passphrase comes from\n.BR passphrase\\-file ,\nelse from the file that\n"
          ".B PCLOUD_PASSPHRASE_FILE\nnames, else from the credential\n.B pcloud\\-passphrase\n"
          "of systemd, else from the home, else from the terminal.\n.SH OPTIONS\n",
          out);
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
        roff_item(out, flags[i][0], "", flags[i][1]);
    fputs(".SH MOUNT OPTIONS\n", out);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        roff_item(out, texts[i].name, texts[i].argname, texts[i].prose);
    fputs(".PP\nWords that fstab, mount and systemd keep for themselves (defaults, noauto, user, "
          "nofail, _netdev,\n"
          "x\\-...) are ignored.\n.SH SIGNALS\n"
          "SIGTERM and SIGINT unmount, write everything back and end; SIGHUP reads the "
          "configuration again.\n"
          ".SH EXIT STATUS\n0 mounted, 1 failed, 2 wrong usage.\n"
          ".SH EXAMPLES\n.nf\nmount.pcloud ~/.local/share/pcloud ~/pcloud\n"
          "/var/lib/pcloud /srv/files pcloud nofail,_netdev 0 0\n"
          "/var/lib/pcloud:/photos /srv/photos fuse.pcloud ro,fsname=photos 0 0\n.fi\n"
          ".SH SEE ALSO\n.BR pcloud (1),\n.BR mount (8),\n.BR fusermount3 (1)\n",
          out);
}
