/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the command line of mount.pcloud by the table of options. */
#include "mount/options.h"

#include "pcloud/err.h"
#include "pcloud/home.h"

#include <ctype.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPTIONS_MAX 65536 /* bytes after all -o */

struct option_entry {
    const char *name;
    enum option_arg arg;
};

#define ENTRY(id, name, arg, argname, prose) {name, arg},
static const struct option_entry entries[OPTION_COUNT] = {MOUNT_OPTION_TABLE(ENTRY)};
#undef ENTRY

/* Words that fstab, mount(8) and systemd use for themselves. */
static const char *const ignored[] = {"defaults",
                                      "auto",
                                      "noauto",
                                      "user",
                                      "nouser",
                                      "users",
                                      "owner",
                                      "group",
                                      "nofail",
                                      "_netdev",
                                      "atime",
                                      "diratime",
                                      "nodiratime",
                                      "nostrictatime",
                                      "lazytime",
                                      "dirsync",
                                      "norelatime",
                                      "nolazytime",
                                      "loud",
                                      "silent",
                                      "default_permissions",
                                      "user_xattr",
                                      NULL};

static const enum option_id opposites[][2] = {{OPTION_RO, OPTION_RW},
                                              {OPTION_ALLOW_OTHER, OPTION_NO_ALLOW_OTHER},
                                              {OPTION_SYNC, OPTION_ASYNC},
                                              {OPTION_SUID, OPTION_NOSUID},
                                              {OPTION_DEV, OPTION_NODEV},
                                              {OPTION_EXEC, OPTION_NOEXEC},
                                              {OPTION_NOATIME, OPTION_RELATIME},
                                              {OPTION_NOATIME, OPTION_STRICTATIME},
                                              {OPTION_RELATIME, OPTION_STRICTATIME},
                                              {OPTION_ALLOW_SUID, OPTION_NOSUID},
                                              {OPTION_ALLOW_DEV, OPTION_NODEV},
                                              {OPTION_ACL, OPTION_NO_ACL}};

static bool is_ignored(const char *word)
{
    /* what /proc/mounts shows of a mount comes back when it is remounted */
    if (strncmp(word, "user_id=", 8) == 0 || strncmp(word, "group_id=", 9) == 0 ||
        strncmp(word, "max_read=", 9) == 0)
        return true;
    if (strncmp(word, "x-", 2) == 0 || strncmp(word, "X-", 2) == 0 ||
        strncmp(word, "comment=", 8) == 0)
        return true;
    for (size_t i = 0; ignored[i]; i++)
        if (strcmp(word, ignored[i]) == 0)
            return true;
    return false;
}

static int parse_number(const char *name, const char *text, int base, uint64_t max, uint64_t *ret)
{
    char *end;
    unsigned long long n;

    errno = 0;
    n = strtoull(text, &end, base);
    if (!isdigit((unsigned char)text[0]) || *end || errno || n > max)
        return pc_err_set(PC_EUSAGE, "option %s: '%s' is not a number up to %llu", name, text,
                          (unsigned long long)max);
    *ret = n;
    return 0;
}

/* A user or group by number or by name. */
static int parse_id(enum option_id id, const char *text, uint32_t *ret)
{
    uint64_t n = 0;
    int r;

    if (!isdigit((unsigned char)text[0])) {
        const struct passwd *pw = id == OPTION_UID ? getpwnam(text) : NULL;
        const struct group *gr = id == OPTION_GID ? getgrnam(text) : NULL;

        if (!pw && !gr)
            return pc_err_set(PC_EUSAGE, "option %s: there is no '%s'", entries[id].name, text);
        *ret = pw ? pw->pw_uid : gr->gr_gid;
        return 0;
    }
    r = parse_number(entries[id].name, text, 10, UINT32_MAX - 1, &n);
    if (r >= 0)
        *ret = (uint32_t)n;
    return r;
}

static int keep_text(char **slot, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        return -ENOMEM;
    free(*slot);
    *slot = copy;
    return 0;
}

static int take_value(struct mount_options *o, enum option_id id, const char *value)
{
    const char *name = entries[id].name;
    uint64_t n = 0;
    int r = 0;

    switch (id) {
    case OPTION_UID:
        return parse_id(id, value, &o->uid);
    case OPTION_GID:
        return parse_id(id, value, &o->gid);
    case OPTION_UMASK:
        r = parse_number(name, value, 8, 0777, &n);
        o->umask = (uint32_t)n;
        return r;
    case OPTION_CACHE:
        return keep_text(&o->cache, value);
    case OPTION_THREADS:
        r = parse_number(name, value, 10, 1024, &n);
        o->threads = (unsigned)n;
        return r < 0 || n ? r : pc_err_set(PC_EUSAGE, "option threads: at least 1");
    case OPTION_PASSPHRASE_FILE:
        return keep_text(&o->passphrase_file, value);
    case OPTION_FSNAME:
        return keep_text(&o->fsname, value);
    case OPTION_LOCKS:
        o->shared_locks = strcmp(value, "shared") == 0;
        return o->shared_locks || strcmp(value, "local") == 0
                   ? 0
                   : pc_err_set(PC_EUSAGE, "option locks: local or shared, not '%s'", value);
    case OPTION_SUBTYPE: /* every part of a home knows its mounts by their type */
        return strcmp(value, "pcloud") == 0
                   ? 0
                   : pc_err_set(PC_EUSAGE, "option subtype: only pcloud, not '%s'", value);
    default:
        return 0;
    }
}

static int take_word(struct mount_options *o, char *word)
{
    char *value = strchr(word, '=');

    if (is_ignored(word))
        return 0;
    if (value)
        *value++ = '\0';
    for (unsigned id = 0; id < OPTION_COUNT; id++) {
        if (strcmp(word, entries[id].name) != 0)
            continue;
        if (entries[id].arg == ARG_NONE && value)
            return pc_err_set(PC_EUSAGE, "option %s takes no value", word);
        if (entries[id].arg != ARG_NONE && (!value || !*value))
            return pc_err_set(PC_EUSAGE, "option %s needs a value: %s=...", word, word);
        for (size_t i = 0; i < sizeof(opposites) / sizeof(*opposites); i++)
            if (opposites[i][0] == id || opposites[i][1] == id)
                o->given[opposites[i][0]] = o->given[opposites[i][1]] = false;
        o->given[id] = true;
        return value ? take_value(o, (enum option_id)id, value) : 0;
    }
    if (o->sloppy)
        return 0;
    return pc_err_set(PC_EUSAGE, "unknown mount option '%s'; mount.pcloud --help lists them", word);
}

/* Words between commas; a backslash takes the next character as it is. */
static int take_words(struct mount_options *o, const char *text)
{
    size_t len = strlen(text), n = 0;
    char *word;
    int r = 0;

    if (len > OPTIONS_MAX)
        return pc_err_set(PC_EUSAGE, "over %d bytes of options", OPTIONS_MAX);
    word = malloc(len + 1);
    if (!word)
        return -ENOMEM;
    for (size_t i = 0; i <= len && r >= 0; i++) {
        if (text[i] == '\\' && text[i + 1]) {
            word[n++] = text[++i];
        } else if (text[i] == ',' || text[i] == '\0') {
            word[n] = '\0';
            if (n)
                r = take_word(o, word);
            n = 0;
        } else {
            word[n++] = text[i];
        }
    }
    free(word);
    return r;
}

/* HOME or HOME:/path; a folder of that whole name is taken as HOME. */
static int take_source(struct mount_options *o, const char *source)
{
    const char *colon = strstr(source, ":/");
    char *head = NULL;
    struct stat st;
    int r = 0;

    if (colon && stat(source, &st) == 0 && S_ISDIR(st.st_mode))
        colon = NULL;
    head = colon ? strndup(source, (size_t)(colon - source)) : strdup(source);
    if (!head)
        return -ENOMEM;
    if (colon && strcmp(colon, ":/") != 0) {
        o->subpath = strdup(colon + 1);
        r = o->subpath ? 0 : -ENOMEM;
    }
    if (r >= 0 && *head == '\0') {
        free(head);
        head = NULL;
        r = pc_home_default(NULL, &head);
    }
    if (r >= 0) {
        o->home = realpath(head, NULL);
        if (!o->home)
            r = pc_err_set(errno == ENOENT ? PC_ENOHOME : -errno,
                           "no home at %s: make one with 'pcloud --home %s init'", head, head);
    }
    free(head);
    return r;
}

/* The mount point as an absolute path. One that is mounted and dead is still named. */
static int take_mountpoint(struct mount_options *o, const char *path)
{
    char real[PATH_MAX], cwd[PATH_MAX];

    if (realpath(path, real)) {
        o->mountpoint = strdup(real);
    } else if (errno == ENOTCONN && path[0] == '/') {
        o->mountpoint = strdup(path);
    } else if (errno == ENOTCONN && getcwd(cwd, sizeof(cwd))) {
        if (asprintf(&o->mountpoint, "%s/%s", cwd, path) < 0)
            o->mountpoint = NULL;
    } else {
        return pc_err_set(
            -errno, "mount point %s: %s", path,
            errno == ENOENT ? "there is no such folder; make it first" : strerror(errno));
    }
    return o->mountpoint ? 0 : -ENOMEM;
}

static int take_flags(struct mount_options *o, int argc, char **argv, const char **words, int *n)
{
    static const struct option longs[] = {{"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'V'},
                                          {"print-man", no_argument, NULL, 'M'},
                                          {"options", required_argument, NULL, 'o'},
                                          {NULL, 0, NULL, 0}};
    int c;

    optind = 1;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "o:fnsvhVt:N:", longs, NULL)) != -1) {
        switch (c) {
        case 'o':
            words[(*n)++] = optarg;
            break;
        case 'f':
            o->fake = true;
            break;
        case 's':
            o->sloppy = true;
            break;
        case 'v':
            o->verbose = true;
            break;
        case 'h':
            o->action = ACTION_HELP;
            return 0;
        case 'V':
            o->action = ACTION_VERSION;
            return 0;
        case 'M':
            o->action = ACTION_MAN;
            return 0;
        case 'n':
        case 't':
        case 'N':
            break;
        default:
            return pc_err_set(PC_EUSAGE, "unknown option '%s'; mount.pcloud --help lists them",
                              argv[optind - 1]);
        }
    }
    return 0;
}

static int take_operands(struct mount_options *o, int argc, char **argv)
{
    int r;

    if (argc - optind != 2)
        return pc_err_set(PC_EUSAGE, "usage: mount.pcloud HOME[:/path] MOUNTPOINT [-o options]");
    /* (what is remounted is named as /proc/mounts shows it) */
    r = o->given[OPTION_REMOUNT] ? 0 : take_source(o, argv[optind]);
    if (r >= 0)
        r = take_mountpoint(o, argv[optind + 1]);
    if (r >= 0 && !o->fsname)
        r = keep_text(&o->fsname, argv[optind]);
    return r;
}

int options_parse(int argc, char **argv, struct mount_options *ret)
{
    const char **words = calloc((size_t)argc + 1, sizeof(*words));
    int n = 0, r;

    *ret = (struct mount_options){.action = ACTION_MOUNT};
    if (!words)
        return -ENOMEM;
    r = take_flags(ret, argc, argv, words, &n);
    for (int i = 0; i < n && r >= 0; i++)
        r = take_words(ret, words[i]);
    ret->given[OPTION_SUID] |= ret->given[OPTION_ALLOW_SUID];
    ret->given[OPTION_DEV] |= ret->given[OPTION_ALLOW_DEV];
    if (r >= 0 && ret->action == ACTION_MOUNT)
        r = take_operands(ret, argc, argv);
    free(words);
    return r;
}

void options_fini(struct mount_options *o)
{
    free(o->home);
    free(o->subpath);
    free(o->mountpoint);
    free(o->passphrase_file);
    free(o->cache);
    free(o->fsname);
    *o = (struct mount_options){.action = ACTION_MOUNT};
}
