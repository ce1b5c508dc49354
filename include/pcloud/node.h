/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes, names and attributes: the tree as the mount sees it. */
#ifndef PCLOUD_NODE_H
#define PCLOUD_NODE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "pcloud/volume.h"

#define PC_ROOT_INO 1
#define PC_NAME_MAX 255 /* bytes of a name on the mount */
#define PC_SYMLINK_MAX 4095
#define PC_XATTR_NAME_MAX 255
#define PC_XATTR_VALUE_MAX 65536
#define PC_XATTR_LIST_MAX 65536
#define PC_FILE_MAX INT64_MAX /* bytes of a file */

struct pc_attr {
    uint64_t ino; /* never reused */
    uint32_t mode, nlink, uid, gid;
    uint64_t rdev;
    uint64_t size;
    uint64_t used;    /* bytes that hold data (not holes) */
    uint64_t version; /* rises with each change of content */
    struct timespec atime, mtime, ctime, btime;
    uint64_t has; /* set of pc_has */
};

/* What else there may be of a node. */
enum pc_has {
    PC_HAS_ACL = 1, /* access control lists; of the root: any node of the volume */
    PC_HAS_TRASH =
        2 /* it is in the trash, or the trash itself: entries come there by others' removing */
};

/*
 * Names here are names on the mount; the core maps them to raw S3 segments (core/tree/segment.h). Permission checks are the kernel's
 * (default_permissions); the core keeps the rules no caller can: sticky and setgid inheritance are the caller's input by ${gid} and mode.
 * Common errors: -ENOENT, -ENOTDIR, -EISDIR, -EEXIST, -ENOTEMPTY, -ENAMETOOLONG, -EINVAL (a name only we may give), -EPERM (reserved at the
 * top), -ENOSPC, -EIO, PC_ECORRUPT. Nothing changes on failure.
 */

int pc_lookup(struct pc_volume *v, uint64_t parent, const char *name, struct pc_attr *attr);
int pc_getattr(struct pc_volume *v, uint64_t ino, struct pc_attr *attr);

/** pc_parent(v, ino, ret_parent): the folder that holds folder ${ino}; the root's is the root. */
int pc_parent(struct pc_volume *v, uint64_t ino, uint64_t *ret_parent);

enum pc_set {
    PC_SET_MODE = 1,
    PC_SET_UID = 2,
    PC_SET_GID = 4,
    PC_SET_SIZE = 8,
    PC_SET_ATIME = 16,
    PC_SET_MTIME = 32,
    PC_SET_ATIME_NOW = 64,
    PC_SET_MTIME_NOW = 128,
    PC_SET_KILL_SUID =
        256, /* clear suid and, where group-executable, sgid: after a write or truncate by non-root */
    PC_SET_KEEP_CTIME = 512 /* ctime stays: for the access time that a read leaves */
};

/** pc_setattr(v, ino, set, in, attr): change what ${set} names from ${in}; ctime becomes now; ${attr} (may be NULL) gets the result. */
int pc_setattr(struct pc_volume *v, uint64_t ino, unsigned set, const struct pc_attr *in,
               struct pc_attr *attr);

struct pc_make {
    uint32_t mode;  /* type and permission bits */
    uint32_t umask; /* taken from the mode, unless the folder has a default access control list */
    uint32_t uid, gid;
    uint64_t rdev;
    const char *target; /* of a symlink */
};

/**
 * pc_make(v, parent, name, make, attr): create a file, folder, symlink, fifo, socket or device. -EEXIST. In a folder with setgid the new node takes the
 * folder's gid, and a new folder its setgid bit. A default access control list of the folder is inherited.
 */
int pc_make(struct pc_volume *v, uint64_t parent, const char *name, const struct pc_make *make,
            struct pc_attr *attr);

/** pc_unlink(v, parent, name): remove a name that is no folder. The node lives on while open. pc_rmdir: an empty folder. */
int pc_unlink(struct pc_volume *v, uint64_t parent, const char *name);
int pc_rmdir(struct pc_volume *v, uint64_t parent, const char *name);

enum pc_rename_flag { PC_RENAME_NOREPLACE = 1, PC_RENAME_EXCHANGE = 2 };

/** pc_rename(v, parent, name, new_parent, new_name, flags): rename(2), renameat2(2). O(1) for folders. -EINVAL into itself. */
int pc_rename(struct pc_volume *v, uint64_t parent, const char *name, uint64_t new_parent,
              const char *new_name, unsigned flags);

/** pc_link(v, ino, parent, name, attr): hard link, or the first name of a file made without one; -EPERM for folders, -EMLINK at 2^31 - 1. */
int pc_link(struct pc_volume *v, uint64_t ino, uint64_t parent, const char *name,
            struct pc_attr *attr);

/** pc_readlink(v, ino, buf, cap): the target with NUL; its length, -EINVAL if no symlink, -ERANGE. */
ssize_t pc_readlink(struct pc_volume *v, uint64_t ino, char *buf, size_t cap);

/* Open folders: a position that stays right while others add and remove. One thread at a time for one handle. */
struct pc_dir;
int pc_dir_open(struct pc_volume *v, uint64_t ino, struct pc_dir **ret);

/**
 * pc_dir_read(dir, off, fn, arg): call ${fn} for entries after offset ${off} (0: from the start; else one that ${fn} was given, in this handle) in order until
 * it returns non-zero (that entry was not taken) or none are left. "." and ".." come first, with offsets 1 and 2. ${attr} is complete. 0 or a code.
 */
int pc_dir_read(struct pc_dir *dir, uint64_t off,
                int (*fn)(void *arg, const char *name, const struct pc_attr *attr,
                          uint64_t next_off),
                void *arg);
void pc_dir_close(struct pc_dir *dir);

/** pc_node_hold/drop(v, ino): while held, an unlinked node keeps its content (open files do it by themselves). Counted. */
int pc_node_hold(struct pc_volume *v, uint64_t ino);
void pc_node_drop(struct pc_volume *v, uint64_t ino);

/*
 * Extended attributes. user.s3.* are the object's metadata (content-type, meta.NAME, ...). system.posix_acl_access and _default are access control
 * lists in the kernel's form: -EINVAL for anything else, -EACCES for a default list of no folder. They and the mode are kept in step: an access list
 * sets the permission bits (one that says no more than these is dropped), a new mode changes it.
 */
#define PC_XATTR_KILL_SGID 256 /* flag: setting an access list clears set-group-id */

/** pc_xattr_get(v, ino, name, buf, cap): the value's length; with cap 0 only that. -ENODATA, -ERANGE. */
ssize_t pc_xattr_get(struct pc_volume *v, uint64_t ino, const char *name, void *buf, size_t cap);
/** pc_xattr_set(v, ino, name, value, len, flags): XATTR_CREATE, XATTR_REPLACE as in setxattr(2); -E2BIG, -ENOSPC over the list cap. */
int pc_xattr_set(struct pc_volume *v, uint64_t ino, const char *name, const void *value, size_t len,
                 int flags);
int pc_xattr_remove(struct pc_volume *v, uint64_t ino, const char *name);
/** pc_xattr_list(v, ino, buf, cap): names, each with NUL; the length. */
ssize_t pc_xattr_list(struct pc_volume *v, uint64_t ino, char *buf, size_t cap);

/** pc_resolve(v, path, attr): walk an absolute path of the mount without following symlinks ("/a/b"); for the CLI and subtree mounts. */
int pc_resolve(struct pc_volume *v, const char *path, struct pc_attr *attr);

/** pc_path(v, ino, buf, cap): one path of the node, for messages and logs; "?" where none is found. */
int pc_path(struct pc_volume *v, uint64_t ino, char *buf, size_t cap);

#endif
