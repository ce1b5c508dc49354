/* SPDX-License-Identifier: Apache-2.0 */
/* What a home is inside, for the files of core/base that make, open and change one. */
#ifndef BASE_HOME_H
#define BASE_HOME_H

#include "pcloud/home.h"

#define HOME_MARKER                                                                                \
    ".init" /* there while an init is at work or was interrupted; locked by its process */
#define HOME_NEW ".new" /* ends the name of a file that is being written */
#define HOME_FORMAT_TEXT "pcloud-home 2\n"
#define HOME_FORMAT_MAX 64

struct pc_home {
    char *dir;     /* absolute */
    int fd;        /* of the folder */
    int marker_fd; /* of a home that is being made: the locked marker; else -1 */
    size_t
        made_from; /* of a home that is being made: length of the shortest part of ${dir} that was not there before; 0: all was */
};

/** home_new(path, ret): the structure for an absolute or relative ${path}; touches no disk. -ENOMEM, PC_EUSAGE (empty). */
int home_new(const char *path, struct pc_home **ret);

/** home_sync_folder(home, name): fsync the folder that holds ${name}. */
int home_sync_folder(const struct pc_home *home, const char *name);

/** home_lock_wait(home, name, ret_fd): as pc_home_lock, but waits: for locks that are held for a moment only. */
int home_lock_wait(struct pc_home *home, const char *name, int *ret_fd);

/** home_same_file(dir_fd, name, fd): is the open file still the one that ${name} means? */
int home_same_file(int dir_fd, const char *name, int fd);

#endif
