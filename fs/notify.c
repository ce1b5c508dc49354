/* SPDX-License-Identifier: Apache-2.0 */
/* Notifications to the kernel, by libfuse and, for what libfuse does not know yet, by hand. */
#include "notify.h"

#include "fs.h"

#include <errno.h>
#include <linux/fuse.h>
#include <string.h>
#include <unistd.h>

#define NOTIFY_INC_EPOCH                                                                           \
    8 /* FUSE_NOTIFY_INC_EPOCH of Linux 6.16: every name is to be asked again */

void notify_entry(struct fs *fs, uint64_t parent, const char *name)
{
    fuse_ino_t ino = fs_ino(fs, parent);
    size_t len = strlen(name);

    /* Expiry keeps what is mounted or open below a name that still means the same; it came with Linux 6.2. */
    if (fuse_lowlevel_notify_expire_entry(fs->session, ino, name, len, FUSE_LL_EXPIRE_ONLY) ==
        -ENOSYS)
        (void)fuse_lowlevel_notify_inval_entry(fs->session, ino, name, len);
}

void notify_node(struct fs *fs, uint64_t node, bool data)
{
    (void)fuse_lowlevel_notify_inval_inode(fs->session, fs_ino(fs, node), data ? 0 : -1, 0);
}

static int forget_name(void *arg, const char *name, const struct pc_attr *attr, uint64_t next_off)
{
    struct fs *fs = ((void **)arg)[0];
    const uint64_t *parent = ((void **)arg)[1];

    (void)attr;
    if (next_off > 2)
        notify_entry(fs, *parent, name);
    return 0;
}

static void forget_node(void *arg, uint64_t node, unsigned facts)
{
    struct fs *fs = ((void **)arg)[0];
    const bool *names = ((void **)arg)[1];
    struct pc_dir *dir;

    inodes_doubt(fs->inodes, node, INODE_NO_SUID | INODE_NO_CAPS);
    notify_node(fs, node, true);
    if (!*names || !(facts & INODE_DIR) || pc_dir_open(fs->volume, node, &dir) < 0)
        return;
    (void)pc_dir_read(dir, 0, forget_name, (void *[]){fs, &node});
    pc_dir_close(dir);
}

void notify_everything(struct fs *fs)
{
    struct fuse_out_header header = {.len = sizeof(header), .error = NOTIFY_INC_EPOCH};
    bool names = write(fuse_session_fd(fs->session), &header, sizeof(header)) != sizeof(header);

    /* An older kernel is told name by name; names that are gone live until their timeout there. */
    (void)inodes_each(fs->inodes, forget_node, (void *[]){fs, &names});
}
