/* SPDX-License-Identifier: Apache-2.0 */
/* Checks, mounts and leaves the mount point. */
#include "mount/mountpoint.h"

#include "fs.h"
#include "pcloud/err.h"
#include "pcloud/log.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

bool mountpoint_is_ours(const char *path)
{
    FILE *f = setmntent("/proc/self/mounts", "r");
    struct mntent *m;
    bool ours = false;

    if (!f)
        return false;
    while ((m = getmntent(f)))
        if (strcmp(m->mnt_dir, path) == 0)
            ours = strcmp(m->mnt_type, "fuse.pcloud") == 0; /* the last one is on top */
    endmntent(f);
    return ours;
}

int mountpoint_check(const char *path)
{
    bool ours = mountpoint_is_ours(path);
    struct statvfs
        figures; /* statvfs is not answered from the kernel's caches: it shows whether the process lives */
    struct stat st;

    if (stat(path, &st) < 0 || (ours && statvfs(path, &figures) < 0)) {
        if (errno != ENOTCONN)
            return pc_err_set(-errno, "mount point %s: %s", path, strerror(errno));
        if (!ours || mountpoint_unmount(path, true) < 0)
            return pc_err_set(
                -ENOTCONN, "mount point %s: a dead mount is there; 'fusermount3 -uz %s' frees it",
                path, path);
        pc_log(PC_LOG_WARN, "mount.dead", "freed %s from a mount whose process was killed", path);
        return mountpoint_check(path);
    }
    if (!S_ISDIR(st.st_mode))
        return pc_err_set(-ENOTDIR, "mount point %s: not a folder", path);
    if (ours)
        return pc_err_set(PC_ERUNNING,
                          "mount point %s: a volume is mounted there; unmount it first", path);
    return 0;
}

/* Options that the kernel takes as they are. */
static const struct {
    enum option_id id;
    const char *text;
} kernel_options[] = {{OPTION_RO, "ro"},       {OPTION_NOATIME, "noatime"}, {OPTION_SYNC, "sync"},
                      {OPTION_SUID, "suid"},   {OPTION_NOSUID, "nosuid"},   {OPTION_DEV, "dev"},
                      {OPTION_NODEV, "nodev"}, {OPTION_NOEXEC, "noexec"}};

int mountpoint_args(const struct mount_options *o, struct fuse_args *args)
{
    char *opts = NULL, *fsname = NULL;
    char max_read[32];
    int bad;

    snprintf(max_read, sizeof(max_read), "max_read=%u", FS_REQUEST_MAX);
    bad = asprintf(&fsname, "fsname=%s", o->fsname) < 0;
    if (bad)
        fsname = NULL;
    bad = bad || fuse_opt_add_opt_escaped(&opts, fsname) < 0 ||
          fuse_opt_add_opt(&opts, "subtype=pcloud,default_permissions") < 0 ||
          fuse_opt_add_opt(&opts, max_read) < 0;
    if (o->given[OPTION_ALLOW_OTHER] || (geteuid() == 0 && !o->given[OPTION_NO_ALLOW_OTHER]))
        bad = bad || fuse_opt_add_opt(&opts, "allow_other") < 0;
    for (size_t i = 0; i < sizeof(kernel_options) / sizeof(*kernel_options); i++)
        if (o->given[kernel_options[i].id])
            bad = bad || fuse_opt_add_opt(&opts, kernel_options[i].text) < 0;
    bad = bad || fuse_opt_add_arg(args, "mount.pcloud") < 0 || fuse_opt_add_arg(args, "-o") < 0 ||
          fuse_opt_add_arg(args, opts) < 0;
    free(opts);
    free(fsname);
    return bad ? -ENOMEM : 0;
}

int mountpoint_remount(const struct mount_options *o)
{
    static const struct {
        enum option_id id;
        unsigned long flag;
    } flags[] = {{OPTION_RO, MS_RDONLY},
                 {OPTION_NOATIME, MS_NOATIME},
                 {OPTION_SYNC, MS_SYNCHRONOUS},
                 {OPTION_NOEXEC, MS_NOEXEC}};
    unsigned long set = MS_REMOUNT;

    if (!mountpoint_is_ours(o->mountpoint))
        return pc_err_set(-EINVAL, "mount point %s: no volume is mounted there to remount",
                          o->mountpoint);
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
        if (o->given[flags[i].id])
            set |= flags[i].flag;
    set |= (o->given[OPTION_SUID] ? 0 : MS_NOSUID) | (o->given[OPTION_DEV] ? 0 : MS_NODEV);
    if (mount(o->fsname, o->mountpoint, "fuse.pcloud", set, NULL) == 0)
        return 0;
    return pc_err_set(-errno, "mount point %s: remount: %s", o->mountpoint,
                      errno == EBUSY ? "a file is open for writing there" : strerror(errno));
}

/* Run fusermount3 with no signal blocked and wait for it. */
static int fusermount(const char *flags, const char *path)
{
    extern char **environ;
    char program[] = "fusermount3", separator[] = "--";
    char *arg = strdup(flags), *dir = strdup(path);
    char *argv[] = {program, arg, separator, dir, NULL};
    posix_spawnattr_t attr;
    sigset_t none;
    pid_t pid;
    int status, r = -ENOMEM;

    if (!arg || !dir || posix_spawnattr_init(&attr) != 0)
        goto done;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
    r = -posix_spawnp(&pid, program, NULL, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    if (r == 0) {
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        r = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBUSY;
    }
done:
    free(arg);
    free(dir);
    return r;
}

int mountpoint_unmount(const char *path, bool lazy)
{
    if (umount2(path, (lazy ? MNT_DETACH : 0) | UMOUNT_NOFOLLOW) == 0)
        return 0;
    if (errno != EPERM)
        return -errno;
    return fusermount(lazy ? "-uqz" : "-uq", path);
}

void mountpoint_readahead(dev_t dev, unsigned kib)
{
    char path[96], text[16];
    int fd, n;

    snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/read_ahead_kb", major(dev), minor(dev));
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    n = snprintf(text, sizeof(text), "%u", kib);
    if (write(fd, text, (size_t)n) != n)
        pc_log(PC_LOG_DEBUG, "mount.readahead", "%s: %s", path, strerror(errno));
    close(fd);
}

void mountpoint_lock_name(const char *path, char *buf, size_t cap)
{
    uint64_t h = 0xcbf29ce484222325ULL; /* FNV-1a: only a short name for a path */

    for (const char *p = path; *p; p++)
        h = (h ^ (unsigned char)*p) * 0x100000001b3ULL;
    snprintf(buf, cap, "mount-%016llx", (unsigned long long)h);
}
