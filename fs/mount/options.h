/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of mount.pcloud: every option declared once, with its prose. */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum option_arg { ARG_NONE, ARG_ID, ARG_OCTAL, ARG_SIZE, ARG_COUNT, ARG_FILE, ARG_TEXT };

/* X(id, name, argument, its name, prose): what may stand after -o. */
#define MOUNT_OPTION_TABLE(X)                                                                      \
    X(RO, "ro", ARG_NONE, "", "Mount read-only.")                                                  \
    X(RW, "rw", ARG_NONE, "", "Mount for reading and writing (default).")                          \
    X(ALLOW_OTHER, "allow_other", ARG_NONE, "",                                                    \
      "Let other users in; permissions decide what they may do. Default for root; others need "    \
      "user_allow_other in /etc/fuse.conf.")                                                       \
    X(NO_ALLOW_OTHER, "no_allow_other", ARG_NONE, "", "Let only the mounting user in.")            \
    X(UID, "uid", ARG_ID, "UID", "Show every file as owned by this user.")                         \
    X(GID, "gid", ARG_ID, "GID", "Show every file as owned by this group.")                        \
    X(UMASK, "umask", ARG_OCTAL, "MODE", "Show every file with the permissions 0777 minus MODE.")  \
    X(NOATIME, "noatime", ARG_NONE, "", "Never record access times.")                              \
    X(RELATIME, "relatime", ARG_NONE, "",                                                          \
      "Record an access time when it is older than the last change, or than a day (default).")     \
    X(STRICTATIME, "strictatime", ARG_NONE, "",                                                    \
      "Record an access time for every open file that is read; content is then read anew at each " \
      "opening.")                                                                                  \
    X(ACL, "acl", ARG_NONE, "",                                                                    \
      "Take and honour access control lists (setfacl). Default once there is one in the volume; "  \
      "without, listing many files asks the mount for less.")                                      \
    X(NO_ACL, "noacl", ARG_NONE, "",                                                               \
      "Refuse access control lists, and do not honour those that are there.")                      \
    X(LOCKS, "locks", ARG_TEXT, "local|shared",                                                    \
      "Who sees locks of fcntl(2) and flock(2): programs that use this mount (default), or, at "   \
      "the price of a request for each lock and each closing, those of all mounts of this home "   \
      "that have locks=shared.")                                                                   \
    X(CACHE, "cache", ARG_SIZE, "SIZE",                                                            \
      "Memory for decrypted blocks; K, M and G are understood. Default: cache.size of the "        \
      "configuration.")                                                                            \
    X(WRITEBACK, "writeback", ARG_NONE, "",                                                        \
      "Let the kernel gather writes. Faster for many small writes; only for a volume that nobody " \
      "else changes meanwhile.")                                                                   \
    X(PASSPHRASE_FILE, "passphrase-file", ARG_FILE, "FILE", "Read the passphrase from FILE.")      \
    X(FOREGROUND, "foreground", ARG_NONE, "", "Stay in the foreground and log to stderr.")         \
    X(FSNAME, "fsname", ARG_TEXT, "NAME", "The source that df and mount show. Default: HOME.")     \
    X(SUBTYPE, "subtype", ARG_TEXT, "pcloud", "The type that df and mount show is fuse.pcloud.")   \
    X(SYNC, "sync", ARG_NONE, "", "Closing a file and changing a name wait for the disk.")         \
    X(ASYNC, "async", ARG_NONE, "", "The opposite of sync (default).")                             \
    X(THREADS, "threads", ARG_COUNT, "N", "Requests served at once. Default: by processors.")      \
    X(REMOUNT, "remount", ARG_NONE, "",                                                            \
      "Give the mount that is there other options of the kernel's: ro, rw, sync, noatime, suid, "  \
      "dev, exec and their opposites (root only).")                                                \
    X(SUID, "suid", ARG_NONE, "", "Honour set-user-id bits (root only).")                          \
    X(NOSUID, "nosuid", ARG_NONE, "", "Ignore set-user-id bits (default).")                        \
    X(DEV, "dev", ARG_NONE, "", "Honour device nodes (root only).")                                \
    X(NODEV, "nodev", ARG_NONE, "", "Ignore device nodes (default).")                              \
    X(ALLOW_SUID, "allow_suid", ARG_NONE, "",                                                      \
      "As suid: for fstab and mount(8), which take suid for themselves and do not pass it on.")    \
    X(ALLOW_DEV, "allow_dev", ARG_NONE, "",                                                        \
      "As dev: for fstab and mount(8), which take dev for themselves and do not pass it on.")      \
    X(EXEC, "exec", ARG_NONE, "", "Allow programs to be run (default).")                           \
    X(NOEXEC, "noexec", ARG_NONE, "", "Do not allow programs to be run.")

#define MOUNT_OPTION_ID(id, name, arg, argname, prose) OPTION_##id,
enum option_id { MOUNT_OPTION_TABLE(MOUNT_OPTION_ID) OPTION_COUNT };
#undef MOUNT_OPTION_ID

enum options_action { ACTION_MOUNT, ACTION_HELP, ACTION_VERSION, ACTION_MAN };

struct mount_options {
    enum options_action action;
    char *home;       /* absolute */
    char *subpath;    /* "/..." inside the volume, NULL for the root */
    char *mountpoint; /* absolute */
    char *passphrase_file;
    char *fsname;
    bool given[OPTION_COUNT]; /* the last of a pair of opposites wins: only that one is set */
    uint32_t uid, gid, umask;
    char *cache; /* as the configuration takes it */
    unsigned threads;
    bool shared_locks;
    bool fake; /* -f of mount(8): check, but do not mount */
    bool sloppy;
    bool verbose;
};

/**
 * options_parse(argc, argv, ret): read the command line. 0, or PC_EUSAGE and system errors with a message. Free
 * ${ret} with options_fini in either case.
 */
int options_parse(int argc, char **argv, struct mount_options *ret);
void options_fini(struct mount_options *o);

/** options_help(out), options_man(out): the help text, and the manual page in roff, from the table. */
void options_help(FILE *out);
void options_man(FILE *out);

#endif
