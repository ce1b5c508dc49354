/* SPDX-License-Identifier: Apache-2.0 */
/* A home: the folder that holds everything of one device. */
#ifndef PCLOUD_HOME_H
#define PCLOUD_HOME_H

#include <stddef.h>

/* Files and folders in a home; all are created by pc_home_create with modes 0600 and 0700. */
#define PC_HOME_FORMAT "format" /* "pcloud-home 2\n" */
#define PC_HOME_KEYS "keys"     /* volume secret, wrapped by the passphrase */
#define PC_HOME_CONFIG "config" /* the configuration file */
#define PC_HOME_META "meta"     /* volume.db, volume.db-wal, volume.db-shm, lease, shm */
#define PC_HOME_PACKS "packs"   /* NN/NNNNNNNNNNNNNNNN.pack */
#define PC_HOME_RUN "run"       /* pid files, sockets, state of running parts, session locks */
#define PC_HOME_LOG "log"       /* logs of background parts */
#define PC_HOME_PASSPHRASE "passphrase" /* only when init made a random one */

struct pc_home;

/**
 * pc_home_default(opt, ret_path): the home's path: ${opt} if not NULL, else $PCLOUD_HOME, else $XDG_DATA_HOME/pcloud or
 * ~/.local/share/pcloud, for root /var/lib/pcloud. The caller frees ${ret_path}. -ENOMEM, PC_EUSAGE (no $HOME).
 */
int pc_home_default(const char *opt, char **ret_path);

/**
 * pc_home_create(path, ret_home): make a home and its folders (parents too). Nothing is left behind on failure. The format file is
 * written last, by pc_home_commit, so that a half-made home is never taken for one. PC_EHOMEEXISTS if a format file is there,
 * -ENOTEMPTY if the folder holds anything that is not the remains of an interrupted init (those are removed). PC_ERUNNING while
 * another process makes a home there.
 */
int pc_home_create(const char *path, struct pc_home **ret_home);

/** pc_home_commit(home): write and sync the format file: from now on it is a home. */
int pc_home_commit(struct pc_home *home);

/** pc_home_abandon(home): remove a home that was not committed and free it. */
void pc_home_abandon(struct pc_home *home);

/** pc_home_open(path, ret_home): PC_ENOHOME if there is none, PC_EVERSION if its format is not ours (message says which), PC_ECORRUPT. */
int pc_home_open(const char *path, struct pc_home **ret_home);

/** pc_home_close(home): free; NULL is legal. */
void pc_home_close(struct pc_home *home);

/** pc_home_dir(home): its absolute path, borrowed. */
const char *pc_home_dir(const struct pc_home *home);

/** pc_home_path(home, name, buf, cap): "${home}/${name}" into ${buf}; -ENAMETOOLONG. ${name} may hold slashes. */
int pc_home_path(const struct pc_home *home, const char *name, char *buf, size_t cap);

/**
 * pc_home_lock(home, name, ret_fd): take the exclusive lock run/${name}.lock for the life of ${ret_fd} (close releases; a killed
 * process releases). PC_ERUNNING if another process holds it; its pid is in the message when known.
 */
int pc_home_lock(struct pc_home *home, const char *name, int *ret_fd);

/** pc_home_write(home, name, data, len): replace a small file atomically and durably (temporary, fsync, rename, fsync folder). */
int pc_home_write(struct pc_home *home, const char *name, const void *data, size_t len);

/** pc_home_read(home, name, cap, ret_data, ret_len): read a file of at most ${cap} bytes, NUL added; the caller frees. PC_ELIMIT if larger. */
int pc_home_read(struct pc_home *home, const char *name, size_t cap, char **ret_data,
                 size_t *ret_len);

#endif
