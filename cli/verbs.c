/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of what pcloud can be told. */
#include "verbs.h"

#define END                                                                                        \
    {                                                                                              \
        NULL, NULL, NULL, CLI_COMPLETE_NONE                                                        \
    }
#define FLAG(name, prose)                                                                          \
    {                                                                                              \
        name, NULL, prose, CLI_COMPLETE_NONE                                                       \
    }
#define WITH(name, arg, prose, complete)                                                           \
    {                                                                                              \
        name, arg, prose, CLI_COMPLETE_##complete                                                  \
    }

const struct cli_option cli_globals[] = {
    WITH("home", "DIR", "The home to work on; else $PCLOUD_HOME, else the default.", DIR),
    WITH("passphrase-file", "FILE", "Read the passphrase from FILE.", FILE),
    FLAG("json", "Print the machine's form."),
    FLAG("help", "Show help, for a verb if one is named, and exit."),
    FLAG("version", "Show the version and exit."),
    END,
};

static const struct cli_option init_options[] = {
    WITH("words-out", "FILE",
         "Write the 24 words to FILE (a new file, mode 0600), not to the terminal.", FILE),
    WITH("words-in", "FILE", "Take the volume secret from the 24 words in FILE.", FILE),
    FLAG("ask", "Ask for a passphrase on the terminal rather than make a random one."),
    WITH("user", "NAME", "Name of the first S3 user (default: the login).", NONE),
    END,
};

static const struct cli_option up_options[] = {
    WITH("mount", "DIR", "Mount here (default: mount.path, else ~/pcloud).", DIR),
    WITH("s3", "ADDR:PORT", "Where the S3 endpoint listens; port 0 takes a free one.", NONE),
    WITH("web", "ADDR:PORT", "Where web pages are served; port 0 takes a free one.", NONE),
    WITH("listen", "MULTIADDR", "Where the node listens; may be given more than once.", NONE),
    FLAG("no-mount", "Start without the mount."),
    FLAG("no-gateway", "Start without the gateway."),
    FLAG("no-node", "Start without the node."),
    FLAG("foreground", "Stay in the foreground and log to stderr, as a service of systemd."),
    END,
};

static const struct cli_option env_options[] = {
    FLAG("s3cfg", "Print a configuration file for s3cmd."),
    FLAG("rclone", "Print a remote for rclone's configuration file."),
    WITH("user", "NAME", "Use a key of this user (default: the first admin).", NONE),
    END,
};

static const struct cli_option user_add_options[] = {
    WITH("email", "E", "The user's mail address.", NONE),
    WITH("role", "ROLE", "admin (all buckets) or user (own buckets); default: user.", ROLE),
    WITH("access-key", "A", "Bring an access key along instead of making one.", NONE),
    WITH("secret-key", "S", "The secret of that key.", NONE),
    END,
};

static const struct cli_option key_add_options[] = {
    WITH("user", "NAME", "Whose key (default: the first admin).", NONE),
    WITH("bucket", "B", "Open this bucket only.", NONE),
    FLAG("read-only", "Allow reading only."),
    WITH("access-key", "A", "Bring an access key along instead of making one.", NONE),
    WITH("secret-key", "S", "The secret of that key.", NONE),
    END,
};

static const struct cli_option key_list_options[] = {
    WITH("user", "NAME", "Only keys of this user.", NONE),
    FLAG("secrets", "Show the secrets too."),
    END,
};

static const struct cli_option fsck_options[] = {
    FLAG("repair", "Mend what can be mended; build the database anew if it does not open."),
    END,
};

static const struct cli_option gc_options[] = {
    FLAG("full", "Compact every pack that holds garbage."),
    FLAG("quiet", "Say nothing unless something is wrong."),
    END,
};

static const struct cli_option trash_empty_options[] = {
    WITH("older", "AGE", "Only what was removed longer ago: 36h, 10d; in whole hours.", NONE),
    END,
};

static const struct cli_option quota_set_options[] = {
    WITH("files", "N", "At most so many files and folders too, or none (default: none).", NONE),
    END,
};

static const struct cli_option passwd_options[] = {
    WITH("new-passphrase-file", "FILE", "Read the new passphrase from FILE.", FILE),
    FLAG("random", "Make a random one and keep it in the home."),
    END,
};

const struct cli_verb cli_verbs[] = {
    {"init", "", 0, 0, "make a new home and volume",
     "Makes the home, a new volume with its secret, a first user (role admin) and an access key. "
     "The 24 words are the "
     "volume secret: they are shown once and kept nowhere; write them down.\n"
     "Without a passphrase (--passphrase-file, $PCLOUD_PASSPHRASE_FILE, --ask) a random one is "
     "made and kept in the "
     "home, mode 0600: whoever can read that file can open the volume. A failed init leaves "
     "nothing behind.\n"
     "With --words-in the new volume has the secret of an earlier one. The volume starts empty: "
     "content comes back by "
     "copying the earlier home's meta and packs.",
     init_options, verb_init},
    {"up", "", 0, 0, "start all parts of this home in the background",
     "Starts the mount and the gateway under a supervisor that restarts a part that dies, and "
     "returns when they answer. "
     "If they run already as asked, says so and succeeds. If one cannot start, says why and leaves "
     "nothing running.\n"
     "This build has no node yet: --listen and --no-node are accepted and change nothing.",
     up_options, verb_up},
    {"down", "", 0, 0, "stop all parts of this home",
     "Stops the parts in order, unmounts, and also clears up after a supervisor or part that was "
     "killed. Succeeds if "
     "nothing runs.",
     NULL, verb_down},
    {"env", "", 0, 0, "print the environment for S3 tools",
     "Prints export lines for a shell: PCLOUD_MOUNT, AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, "
     "AWS_SECRET_ACCESS_KEY, "
     "AWS_DEFAULT_REGION. Use: eval \"$(pcloud env)\"",
     env_options, verb_env},
    {"status", "", 0, 0, "show every part, its state and the reason for it",
     "States: ok, starting, waiting, degraded, off, failed. Reads of damaged data are counted for "
     "the volume. Without "
     "the passphrase the volume's figures are those last seen.",
     NULL, verb_status},
    {"config get", "KEY", 1, 1, "show one configuration value", "", NULL, verb_config_get},
    {"config set", "KEY [VALUE]", 1, 2, "change one configuration value",
     "Without VALUE the key goes back to its default. Running parts read the file again on SIGHUP "
     "or at the next start; trash.days at once.",
     NULL, verb_config_set},
    {"config list", "", 0, 0, "show every key, its value and meaning", "", NULL, verb_config_list},
    {"user add", "NAME", 1, 1, "add an S3 user with an access key", "", user_add_options,
     verb_user_add},
    {"user list", "", 0, 0, "list S3 users", "", NULL, verb_user_list},
    {"user rm", "NAME", 1, 1, "remove an S3 user and the user's keys",
     "Refused while the user owns buckets; see `pcloud bucket chown`.", NULL, verb_user_rm},
    {"key add", "", 0, 0, "add an access key", "", key_add_options, verb_key_add},
    {"key list", "", 0, 0, "list access keys", "", key_list_options, verb_key_list},
    {"key rm", "ID", 1, 1, "remove an access key", "", NULL, verb_key_rm},
    {"bucket chown", "BUCKET USER", 2, 2, "give a bucket to a user", "", NULL, verb_bucket_chown},
    {"snapshot take", "[NAME]", 0, 1, "keep the whole tree as it is now",
     "Takes no time and no space, whatever is in the volume; what is changed or removed later "
     "stays in it. It is seen at .snapshots/NAME of the mount, which no listing shows. Without "
     "NAME it is the time (UTC). What programs have written to the mount and not closed or synced "
     "may be missing.",
     NULL, verb_snapshot_take},
    {"snapshot list", "", 0, 0, "list snapshots, the oldest first", "", NULL, verb_snapshot_list},
    {"snapshot rm", "NAME", 1, 1, "remove a snapshot",
     "What only it kept is freed; the next gc gives it back to the disk.", NULL, verb_snapshot_rm},
    {"snapshot restore", "NAME PATH [TO]", 2, 3, "bring a file or folder back from a snapshot",
     "Makes PATH as it was anew, at TO if that is given. There must not be anything yet. Content "
     "is shared with the snapshot, not copied. PATH and TO are paths in the volume, or below its "
     "mount.",
     NULL, verb_snapshot_restore},
    {"snapshot keep", "[RULE...|off]", 0, 5, "show or set the rules for automatic snapshots",
     "Rules are hourly=N, daily=N, weekly=N, monthly=N, yearly=N. The shortest period says how "
     "often one is taken; the newest of each of the last N periods is kept. Every program that has "
     "the volume open carries them out. Snapshots that you took are never removed by rules.",
     NULL, verb_snapshot_keep},
    {"clone", "SRC DST", 2, 2, "copy a file or a tree without copying data",
     "DST must not exist. Both share their content from then on, and each can change without the "
     "other. Modes, owners, times, xattrs, access control lists, hard links within the tree and "
     "what S3 knows of objects come along. It appears whole, or not at all. Paths are the "
     "volume's (/photos/2026), or of a file below the mount.",
     NULL, verb_clone},
    {"trash on", "FOLDER", 1, 1, "keep what is removed from a folder and below",
     "The nearest folder that says anything counts. How long: pcloud config set trash.days N; "
     "with 0 nothing goes to the trash.",
     NULL, verb_trash_on},
    {"trash off", "FOLDER", 1, 1, "free at once what is removed from a folder and below", "", NULL,
     verb_trash_off},
    {"trash inherit", "FOLDER", 1, 1, "have a folder do as the one that holds it", "", NULL,
     verb_trash_inherit},
    {"trash list", "", 0, 0, "show what is in the trash", "", NULL, verb_trash_list},
    {"trash restore", "ENTRY|PATH [TO]", 1, 2, "take something back",
     "ENTRY as `pcloud trash list` shows it, or the PATH at which it was; of several there the "
     "newest. Without TO it goes to where it was, with the folders that it was in; with a folder "
     "comes back what was removed from it.",
     NULL, verb_trash_restore},
    {"trash empty", "", 0, 0, "free what is in the trash", "", trash_empty_options,
     verb_trash_empty},
    {"fsck", "", 0, 0, "check the volume, repair it",
     "Checks every rule of metadata, reference counts and packs. Exit status 1 if problems are "
     "left. With --repair it "
     "mends them; a database that does not open is built anew from the pages that can still be "
     "read (stop the parts "
     "first), and the damaged one is kept beside it.",
     fsck_options, verb_fsck},
    {"scrub", "", 0, 0, "read everything back and verify it",
     "Each damaged file is named. Exit status 1 if there is one.", NULL, verb_scrub},
    {"gc", "", 0, 0, "give space back to the disk",
     "Frees blocks that nothing refers to, compacts packs with less than gc.ratio percent in use. "
     "The supervisor does it by itself every gc.interval seconds.",
     gc_options, verb_gc},
    {"df", "", 0, 0, "show where the space went", "", NULL, verb_df},
    {"quota set", "PATH SIZE", 2, 2, "limit what is below a folder",
     "PATH is a path of the volume, as /photos/2026, or one on the mount. SIZE limits "
     "the "
     "bytes of all files below it: 500M, 10G, 1.5T (powers of 1024), or none; holes are free. What "
     "would take it over the limit is refused: EDQUOT on the mount, 403 QuotaExceeded by S3; what "
     "frees always works. Folders with a quota may lie in others: each is checked. What is there "
     "already is counted, beside everybody's work, before the command ends.",
     quota_set_options, verb_quota_set},
    {"quota get", "PATH", 1, 1, "show a folder's quota", "", NULL, verb_quota_get},
    {"quota list", "", 0, 0, "list all quotas", "", NULL, verb_quota_list},
    {"quota rm", "PATH", 1, 1, "take a folder's quota away", "", NULL, verb_quota_rm},
    {"passwd", "", 0, 0, "change the passphrase",
     "The volume secret and its 24 words stay the same. A random passphrase kept in the home is "
     "removed when the new "
     "one comes from the terminal or a file.",
     passwd_options, verb_passwd},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
