/* SPDX-License-Identifier: Apache-2.0 */
/* What `pcloud up` is to start: options over configuration over defaults, checked before anything starts. */
#include "run/plan.h"
#include "args.h"
#include "run/probe.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *user_home(void)
{
    const char *home = getenv("HOME");
    const struct passwd *pw;

    if (home && home[0] == '/')
        return home;
    pw = getpwuid(getuid());
    return pw ? pw->pw_dir : NULL;
}

int plan_default_mount(struct cli *c, char *buf, size_t cap)
{
    const char *path = pc_config_str(c->config, PC_CONFIG_MOUNT_PATH);
    const char *home = user_home();
    int n;

    if (path[0] == '/')
        n = snprintf(buf, cap, "%s", path);
    else if (!home)
        return pc_err_set(
            PC_EUSAGE, "no home folder is known for this user; name the folder with --mount DIR");
    else if (path[0] == '~' && path[1] == '/')
        n = snprintf(buf, cap, "%s%s", home, path + 1);
    else
        n = snprintf(buf, cap, "%s/%s", home, *path ? path : "pcloud");
    return n > 0 && (size_t)n < cap ? 0 : pc_err_set(-ENAMETOOLONG, "the mount's path is too long");
}

/* Absolute form of a path that need not exist. */
static int absolute(const char *path, char *buf, size_t cap)
{
    char cwd[PATH_MAX];
    int n;

    if (path[0] == '/')
        n = snprintf(buf, cap, "%s", path);
    else if (!getcwd(cwd, sizeof cwd))
        return pc_err_set(-errno, "the working directory is gone: %s", strerror(errno));
    else
        n = snprintf(buf, cap, "%s/%s", cwd, path);
    if (n <= 0 || (size_t)n >= cap)
        return pc_err_set(-ENAMETOOLONG, "the mount's path is too long");
    while (n > 1 && buf[n - 1] == '/')
        buf[--n] = '\0';
    return 0;
}

int plan_make(struct cli *c, struct plan *plan)
{
    const char *mount = cli_value(c, "mount"), *s3 = cli_value(c, "s3"), *web = cli_value(c, "web");
    char host[256];
    unsigned port;
    int err = 0;

    *plan = (struct plan){.wants = {!cli_has(c, "no-mount"), !cli_has(c, "no-gateway")}};
    if (mount && !plan->wants[PART_MOUNT])
        return pc_err_set(PC_EUSAGE, "--mount and --no-mount exclude each other");
    if ((s3 || web) && !plan->wants[PART_GATEWAY])
        return pc_err_set(PC_EUSAGE, "--s3 or --web and --no-gateway exclude each other");
    if (!plan->wants[PART_MOUNT] && !plan->wants[PART_GATEWAY])
        return pc_err_set(PC_EUSAGE, "nothing is left to start: drop --no-mount or --no-gateway");
    if (mount && !*mount)
        return pc_err_set(PC_EUSAGE, "--mount needs a folder");
    if (plan->wants[PART_MOUNT] && mount)
        err = absolute(mount, plan->mount, sizeof plan->mount);
    else if (plan->wants[PART_MOUNT])
        err = plan_default_mount(c, plan->mount, sizeof plan->mount);
    if (err < 0)
        return err;
    snprintf(plan->mount_options, sizeof plan->mount_options, "%s",
             pc_config_str(c->config, PC_CONFIG_MOUNT_OPTIONS));
    snprintf(plan->s3, sizeof plan->s3, "%s",
             s3 ? s3 : pc_config_str(c->config, PC_CONFIG_S3_LISTEN));
    snprintf(plan->web, sizeof plan->web, "%s",
             web ? web : pc_config_str(c->config, PC_CONFIG_WEB_LISTEN));
    err = args_split_address(plan->s3, host, sizeof host, &port);
    return err < 0 ? err : args_split_address(plan->web, host, sizeof host, &port);
}

bool plan_inside(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0' || len == 1);
}

static bool folder_empty(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *e;
    bool empty = true;

    if (!dir)
        return false;
    while (empty && (e = readdir(dir)))
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    closedir(dir);
    return empty;
}

/* mkdir -p; *ret_made: the last one is new. */
static int make_folders(char *path, bool *ret_made)
{
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            int err = pc_err_set(-errno, "cannot make %s: %s", path, strerror(errno));

            *p = '/';
            return err;
        }
        *p = '/';
    }
    *ret_made = mkdir(path, 0700) == 0;
    if (!*ret_made && errno != EEXIST)
        return pc_err_set(-errno, "cannot make %s: %s", path, strerror(errno));
    return 0;
}

/* The default folder may hold other things (a checkout of this name): then the one beside it. */
static int choose_folder(struct cli *c, struct plan *plan)
{
    bool is_default = !cli_has(c, "mount") && !*pc_config_str(c->config, PC_CONFIG_MOUNT_PATH);
    size_t len;

    if (folder_empty(plan->mount))
        return 0;
    len = strlen(plan->mount);
    if (!is_default || len + 8 > sizeof plan->mount)
        return pc_err_set(-ENOTEMPTY, "%s is no empty folder; name another with --mount DIR",
                          plan->mount);
    memcpy(plan->mount + len, "-mount", 7);
    return make_folders(plan->mount, &plan->made_mount_dir);
}

static int check_mount(struct cli *c, struct plan *plan)
{
    char real[PATH_MAX], home[PATH_MAX];
    int err;

    if (access("/dev/fuse", R_OK | W_OK) != 0)
        return pc_err_set(-errno, "/dev/fuse: %s; load the module fuse, or start with --no-mount",
                          strerror(errno));
    if (probe_mount_kind(plan->mount) == PROBE_MOUNT_STALE &&
        (err = probe_mount_clear(plan->mount)) < 0)
        return err;
    if (probe_mount_kind(plan->mount) == PROBE_MOUNTED)
        return pc_err_set(-EBUSY,
                          "something is mounted on %s already; unmount it, or name another folder "
                          "with --mount DIR",
                          plan->mount);
    err = make_folders(plan->mount, &plan->made_mount_dir);
    if (err >= 0)
        err = choose_folder(c, plan);
    if (err < 0)
        return err;
    if (!realpath(plan->mount, real) || !realpath(pc_home_dir(c->home), home) ||
        strlen(real) >= sizeof plan->mount)
        return pc_err_set(-EINVAL, "cannot use %s as the mount's folder", plan->mount);
    memcpy(plan->mount, real, strlen(real) + 1);
    if (plan_inside(real, home) || plan_inside(home, real))
        return pc_err_set(-EINVAL,
                          "the mount %s and the home %s must not hold each other; name another "
                          "folder with --mount DIR",
                          real, home);
    return 0;
}

void plan_undo(const struct plan *plan)
{
    if (plan->made_mount_dir)
        rmdir(plan->mount);
}

int plan_check(struct cli *c, struct plan *plan)
{
    int err = 0;

    if (plan->wants[PART_GATEWAY]) {
        err = probe_address_free(plan->s3, "s3");
        if (err >= 0)
            err = probe_address_free(plan->web, "web");
    }
    if (err >= 0 && plan->wants[PART_MOUNT])
        err = check_mount(c, plan);
    if (err < 0)
        plan_undo(plan);
    return err;
}
