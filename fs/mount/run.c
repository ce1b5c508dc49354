/* SPDX-License-Identifier: Apache-2.0 */
/* Opens home, keys and volume, and runs the session. */
#include "mount/run.h"

#include "mount/background.h"
#include "fs.h"
#include "mount/mountpoint.h"
#include "mount/options.h"
#include "mount/session.h"

#include "pcloud/config.h"
#include "pcloud/err.h"
#include "pcloud/home.h"
#include "pcloud/keys.h"
#include "pcloud/log.h"
#include "pcloud/version.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_WAIT_MS 15000 /* for the process of an earlier mount to end */
#define LOCK_POLL_MS 20

static int complain(int r)
{
    fprintf(stderr, "mount.pcloud: %s\n", pc_err_text(r));
    return r;
}

static void setup_log(const struct pc_config *config)
{
    pc_log_setup(
        "mount", (enum pc_log_level)pc_log_parse_level(pc_config_str(config, PC_CONFIG_LOG_LEVEL)),
        (enum pc_log_format)pc_log_parse_format(pc_config_str(config, PC_CONFIG_LOG_FORMAT)));
}

/*
 * Whether access control lists are taken and honoured. The kernel then asks for each file's list before it shows or checks more than the mode; a
 * volume that never held one is spared that. Where options show modes and owners that nobody set, no list can mean anything.
 */
static int find_acl(struct fs *fs)
{
    const bool *given = fs->opt->given;
    struct pc_attr attr;
    int r = pc_getattr(fs->volume, PC_ROOT_INO, &attr);

    if (r < 0)
        return r;
    fs->acl = (given[OPTION_ACL] || attr.has & PC_HAS_ACL) && !given[OPTION_NO_ACL] &&
              !given[OPTION_UID] && !given[OPTION_GID] && !given[OPTION_UMASK];
    return 0;
}

/* The node that is to be the mount's root. */
static int find_root(struct fs *fs)
{
    struct pc_attr attr;
    int r;

    fs->root = PC_ROOT_INO;
    if (fs->opt->subpath) {
        r = pc_resolve(fs->volume, fs->opt->subpath, &attr);
        if (r >= 0 && !S_ISDIR(attr.mode))
            r = -ENOTDIR;
        if (r < 0)
            return pc_err_set(r, "%s in the volume: %s", fs->opt->subpath, pc_strerror(r));
        fs->root = attr.ino;
    }
    return 0;
}

/* The volume is open: everything of the mount, until its end. */
static int run_mount(struct fs *fs, struct pc_home *home)
{
    int r = find_root(fs), end;

    if (r >= 0)
        r = find_acl(fs);
    if (r < 0)
        return r;
    fs->inodes = inodes_new();
    if (!fs->inodes)
        return -ENOMEM;
    r = inodes_ref(fs->inodes, fs->root, INODE_DIR);
    if (r >= 0)
        r = pc_node_hold(fs->volume, fs->root);
    if (r >= 0) {
        handles_init(&fs->handles);
        atimes_init(&fs->atimes);
        r = session_run(fs, home);
        atimes_store(&fs->atimes, fs->volume);
        end = handles_close_all(&fs->handles);
        r = r < 0 ? r : end;
        pc_node_drop(fs->volume, fs->root);
    }
    inodes_free(fs->inodes);
    return r;
}

static int open_keys(const struct mount_options *o, struct pc_home *home, struct pc_keys **ret)
{
    char *passphrase;
    size_t len;
    int r = pc_passphrase_get(home, o->passphrase_file, "Passphrase: ", &passphrase, &len);

    if (r < 0)
        return r;
    r = pc_keys_open(home, passphrase, len, ret);
    pc_passphrase_free(passphrase);
    return r;
}

static int open_volume(const struct mount_options *o, struct pc_home *home,
                       const struct pc_config *config)
{
    struct fs *fs = calloc(1, sizeof(*fs));
    struct pc_keys *keys = NULL;
    int r, end;

    if (!fs)
        return -ENOMEM;
    fs->opt = o;
    fs->access_times = !o->given[OPTION_RO] && !o->given[OPTION_NOATIME];
    r = open_keys(o, home, &keys);
    if (r < 0)
        goto free_fs;
    background_detach();
    session_block_signals();
    r = pc_volume_open(home, keys, config, "mount", &fs->volume);
    pc_keys_close(keys);
    if (r < 0)
        goto free_fs;
    r = run_mount(fs, home);
    end = pc_volume_close(fs->volume);
    if (end < 0)
        pc_log(PC_LOG_ERROR, "unmount", "%s", pc_err_text(end));
    else if (r >= 0)
        pc_log(PC_LOG_INFO, "unmount", "%s is unmounted", o->mountpoint);
    r = r < 0 ? r : end;
free_fs:
    free(fs);
    return r;
}

/* Is one folder the other, or in it? */
static bool holds(const char *outer, const char *inner)
{
    size_t len = strlen(outer);

    return strncmp(outer, inner, len) == 0 &&
           (inner[len] == '\0' || inner[len] == '/' || outer[len - 1] == '/');
}

/* A mount over its own home, or with its home inside, would wait for itself. */
static int check_apart(const struct mount_options *o, struct pc_home *home)
{
    const char *dir = pc_home_dir(home);

    if (!holds(dir, o->mountpoint) && !holds(o->mountpoint, dir))
        return 0;
    return pc_err_set(-EINVAL, "mount point %s and home %s must not hold each other", o->mountpoint,
                      dir);
}

/*
 * One process for a mount point. After umount(8) the last one may still be writing back: then nothing is mounted there any more, and it is waited
 * for.
 */
static int take_lock(const struct mount_options *o, struct pc_home *home, int *ret_fd)
{
    char name[64];
    int r;

    mountpoint_lock_name(o->mountpoint, name, sizeof(name));
    for (int waited = 0;; waited += LOCK_POLL_MS) {
        r = pc_home_lock(home, name, ret_fd);
        if (r != PC_ERUNNING)
            return r;
        if (mountpoint_is_ours(o->mountpoint) || waited >= LOCK_WAIT_MS)
            return pc_err_wrap(r, "%s is mounted already: ", o->mountpoint);
        (void)poll(NULL, 0, LOCK_POLL_MS);
    }
}

static int run(const struct mount_options *o)
{
    struct pc_home *home = NULL;
    struct pc_config *config = NULL;
    int lock = -1;
    int r;

    if (o->given[OPTION_REMOUNT])
        return o->fake ? 0 : mountpoint_remount(o);
    r = pc_home_open(o->home, &home);
    if (r < 0)
        return r;
    r = pc_config_load(home, &config);
    if (r < 0)
        goto close_home;
    setup_log(config);
    if (o->cache)
        r = pc_config_override(config, PC_CONFIG_CACHE_SIZE, o->cache);
    if (r < 0)
        goto free_config;
    r = take_lock(o, home, &lock);
    if (r < 0)
        goto free_config;
    r = check_apart(o, home);
    if (r >= 0)
        r = mountpoint_check(o->mountpoint);
    if (r >= 0 && !o->fake)
        r = open_volume(o, home, config);
    close(lock);
free_config:
    pc_config_free(config);
close_home:
    pc_home_close(home);
    return r;
}

int mount_main(int argc, char **argv)
{
    struct mount_options o;
    int r = options_parse(argc, argv, &o);
    int status = 0;

    if (r < 0) {
        status = complain(r) == PC_EUSAGE ? 2 : 1;
    } else if (o.action == ACTION_HELP) {
        options_help(stdout);
    } else if (o.action == ACTION_VERSION) {
        printf("mount.pcloud %s\n", pc_version());
    } else if (o.action == ACTION_MAN) {
        options_man(stdout);
    } else {
        r = background_start(o.given[OPTION_FOREGROUND] || o.given[OPTION_REMOUNT] || o.fake);
        if (r >= 0)
            r = run(&o);
        status = r < 0 ? complain(r), 1 : 0;
    }
    options_fini(&o);
    return status;
}
