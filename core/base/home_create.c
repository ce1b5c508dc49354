/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a home so that it is there whole or not at all.
 *
 * A marker is the first file of a new home and the last to go: while it is there and the format file is not, everything
 * known in the folder is what an init left, and the next init removes it. Without a marker nothing is ever removed, so
 * that a folder of the user's which happens to hold "keys" or "log" is safe. The marker is locked for as long as
 * its init lives: two at once do not eat each other's files.
 */
#include "base/home.h"

#include "base/alloc.h"
#include "pcloud/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define REMOVE_DEPTH 8 /* more than a home of ours has */

static const char *const folders[] = {PC_HOME_META, PC_HOME_PACKS, PC_HOME_RUN, PC_HOME_LOG};
static const char *const files[] = {PC_HOME_KEYS, PC_HOME_CONFIG, PC_HOME_PASSPHRASE,
                                    PC_HOME_FORMAT HOME_NEW};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static int failed(const struct pc_home *home, const char *name, int code)
{
    return pc_err_set(code, "%s%s%s: %s", home->dir, name[0] ? "/" : "", name, pc_strerror(code));
}

/* Could an interrupted init have left this? */
static bool is_remains(const char *name)
{
    size_t len;

    for (size_t i = 0; i < COUNT(folders); i++) {
        if (strcmp(name, folders[i]) == 0)
            return true;
    }
    for (size_t i = 0; i < COUNT(files); i++) {
        len = strlen(files[i]);
        if (strncmp(name, files[i], len) == 0 &&
            (name[len] == 0 || strcmp(name + len, HOME_NEW) == 0))
            return true;
    }
    return strcmp(name, HOME_MARKER) == 0;
}

/* Entries that mean nothing: a fresh file system has one of its own. */
static bool is_neutral(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "lost+found") == 0;
}

static DIR *open_folder(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd < 0 || mem_denied() ? NULL : fdopendir(fd);

    if (!dir && fd >= 0) {
        int saved = errno;

        close(fd);
        errno = saved;
    }
    return dir;
}

/* Remove a file, or a folder with all in it. What is not there any more is as good as removed. */
static int remove_tree(int at, const char *name, unsigned depth)
{
    struct dirent *entry;
    DIR *dir;
    int r = 0;

    if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    dir = depth ? open_folder(at, name) : NULL;
    if (!dir)
        return depth ? -errno : -ENOTEMPTY;
    while (r == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            r = remove_tree(dirfd(dir), entry->d_name, depth - 1);
    }
    closedir(dir);
    if (r == 0 && unlinkat(at, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        r = -errno;
    return r;
}

/* Fail if the folder holds what is not ours to remove: anything without a marker, strange things with one. */
static int check_contents(struct pc_home *home, bool marked)
{
    struct dirent *entry;
    DIR *dir = open_folder(home->fd, ".");
    int r = 0;

    if (!dir)
        return failed(home, "", -errno);
    while (r == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
        if (is_neutral(entry->d_name) || (marked && is_remains(entry->d_name)))
            continue;
        r = pc_err_set(-ENOTEMPTY,
                       "%s is not empty (\"%s\" is there); name a new or an empty folder",
                       home->dir, entry->d_name);
    }
    closedir(dir);
    return r;
}

static bool exists(const struct pc_home *home, const char *name)
{
    return faccessat(home->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int remove_remains(struct pc_home *home)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < COUNT(folders); i++)
        r = remove_tree(home->fd, folders[i], REMOVE_DEPTH);
    for (size_t i = 0; r == 0 && i < COUNT(files); i++) {
        char *temporary = mem_printf("%s" HOME_NEW, files[i]);

        r = temporary ? remove_tree(home->fd, files[i], 1) : -ENOMEM;
        if (r == 0)
            r = remove_tree(home->fd, temporary, 1);
        mem_free(temporary);
    }
    return r < 0 ? pc_err_wrap(r, "%s: remains of an interrupted init: ", home->dir) : 0;
}

/* Open and lock the marker; 1 if it went away meanwhile and all must be looked at again. */
static int take_marker(struct pc_home *home)
{
    int fd = openat(home->fd, HOME_MARKER, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int r = 0;

    if (fd < 0)
        return failed(home, HOME_MARKER, -errno);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        r = errno == EWOULDBLOCK
                ? pc_err_set(PC_ERUNNING, "%s: another init is at work here", home->dir)
                : failed(home, HOME_MARKER, -errno);
    else if (!home_same_file(home->fd, HOME_MARKER, fd))
        r = 1;
    if (r != 0)
        close(fd);
    else
        home->marker_fd = fd;
    return r;
}

static void drop_marker(struct pc_home *home)
{
    (void)unlinkat(home->fd, HOME_MARKER, 0);
    close(home->marker_fd);
    home->marker_fd = -1;
}

/* Make the folder this init's own: marked, locked, without the remains of earlier ones. */
static int claim(struct pc_home *home)
{
    for (;;) {
        bool marked = exists(home, HOME_MARKER);
        int r;

        if (exists(home, PC_HOME_FORMAT))
            return pc_err_set(PC_EHOMEEXISTS, "%s: there is a home already", home->dir);
        r = check_contents(home, marked);
        if (r < 0)
            return r;
        r = take_marker(home);
        if (r < 0)
            return r;
        if (r > 0)
            continue;
        if (!exists(home, PC_HOME_FORMAT))
            return marked ? remove_remains(home) : 0;
        drop_marker(home);
    }
}

/* Remove the folders that were made for this home, the innermost first; those that others use by now stay. */
static void remove_folders(struct pc_home *home)
{
    size_t len = strlen(home->dir);

    while (home->made_from && len >= home->made_from) {
        home->dir[len] = 0;
        if (rmdir(home->dir) < 0)
            return;
        while (len > 0 && home->dir[len - 1] != '/')
            len--;
        while (len > 0 && home->dir[len - 1] == '/')
            len--;
    }
}

static int make_folders(struct pc_home *home)
{
    size_t len = strlen(home->dir);

    for (size_t i = 1; i <= len; i++) {
        char saved = home->dir[i];
        int r;

        if ((saved != '/' && saved != 0) || home->dir[i - 1] == '/')
            continue;
        home->dir[i] = 0;
        r = mkdir(home->dir, 0700) < 0 ? -errno : 0;
        if (r == 0 && home->made_from == 0)
            home->made_from = i;
        if (r < 0 && r != -EEXIST && access(home->dir, F_OK) < 0)
            (void)failed(home, "", r);
        else
            r = 0;
        home->dir[i] = saved;
        if (r < 0)
            return r;
    }
    return 0;
}

/* Everything below happens in a folder that was claimed. */
static int lay_out(struct pc_home *home)
{
    if (fchmod(home->fd, 0700) < 0)
        return failed(home, "", -errno);
    for (size_t i = 0; i < COUNT(folders); i++) {
        if (mkdirat(home->fd, folders[i], 0700) < 0)
            return failed(home, folders[i], -errno);
    }
    return 0;
}

int pc_home_create(const char *path, struct pc_home **ret_home)
{
    struct pc_home *home = NULL;
    int r = home_new(path, &home);

    if (r < 0)
        return r;
    r = make_folders(home);
    if (r < 0)
        goto remove_folders;
    home->fd = open(home->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (home->fd < 0) {
        r = failed(home, "", -errno);
        goto remove_folders;
    }
    r = claim(home);
    if (r < 0 && home->marker_fd < 0)
        goto remove_folders;
    if (r == 0)
        r = lay_out(home);
    if (r < 0) {
        pc_home_abandon(home);
        return r;
    }
    *ret_home = home;
    return 0;
remove_folders:
    remove_folders(home);
    pc_home_close(home);
    return r;
}

/* The names of new folders above the home must survive a power cut as well. */
static int sync_parents(struct pc_home *home)
{
    size_t len = strlen(home->dir);
    int r = 0;

    while (r == 0 && home->made_from && len >= home->made_from) {
        char saved;
        int fd;

        while (len > 1 && home->dir[len - 1] != '/')
            len--;
        while (len > 1 && home->dir[len - 1] == '/')
            len--;
        saved = home->dir[len];
        home->dir[len] = 0;
        fd = open(home->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fsync(fd) < 0)
            r = failed(home, "", -errno);
        if (fd >= 0)
            close(fd);
        home->dir[len] = saved;
    }
    return r;
}

int pc_home_commit(struct pc_home *home)
{
    int r = home->marker_fd < 0 ? -EINVAL : sync_parents(home);

    if (r == 0)
        r = pc_home_write(home, PC_HOME_FORMAT, HOME_FORMAT_TEXT, strlen(HOME_FORMAT_TEXT));
    if (r < 0)
        return r;
    drop_marker(home);
    home->made_from = 0;
    return 0;
}

void pc_home_abandon(struct pc_home *home)
{
    if (home && home->marker_fd >= 0) {
        if (remove_remains(home) == 0)
            (void)unlinkat(home->fd, HOME_MARKER, 0);
        remove_folders(home);
    }
    pc_home_close(home);
}
