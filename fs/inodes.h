/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes that the kernel knows: lookup counts, and what is known about each. */
#ifndef FS_INODES_H
#define FS_INODES_H

#include <stdbool.h>
#include <stdint.h>

struct inodes;

enum inode_fact {
    INODE_NO_SUID = 1, /* neither set-user-id nor set-group-id: a write has nothing to clear */
    INODE_NO_CAPS = 2, /* no security.capability */
    INODE_DIR = 4,
    INODE_NO_ACL = 16, /* no access control list */
    INODE_TRASH =
        32, /* in the trash, or the trash itself: entries come and go there without the kernel's doing */
    INODE_PAGES = 64,  /* content was read into the kernel's pages */
    INODE_CAPS_SET = 8 /* security.capability was set here: INODE_NO_CAPS no longer counts */
};

/*
 * Nodes are not held in the volume while the kernel knows them, only while a file or folder is open: a hold of every name that was ever looked up would turn
 * each removal into an open-unlinked one. A node that somebody else removed meanwhile is answered with ESTALE, and the kernel looks its name up again.
 */

/** inodes_new(): an empty table, NULL if out of memory. */
struct inodes *inodes_new(void);

/** inodes_free(t): NULL is legal. */
void inodes_free(struct inodes *t);

/** inodes_ref(t, node, facts): count one lookup; the first one records ${facts}. -ENOMEM. */
int inodes_ref(struct inodes *t, uint64_t node, unsigned facts);

/** inodes_unref(t, node, n): take back ${n} lookups. */
void inodes_unref(struct inodes *t, uint64_t node, uint64_t n);

/** inodes_known(t, node): does the kernel know it? */
bool inodes_known(struct inodes *t, uint64_t node);

/** inodes_facts(t, node): the set of facts known; 0 for an unknown node. */
unsigned inodes_facts(struct inodes *t, uint64_t node);

/** inodes_learn, inodes_doubt(t, node, facts): these hold; these are no longer sure. */
void inodes_learn(struct inodes *t, uint64_t node, unsigned facts);
void inodes_doubt(struct inodes *t, uint64_t node, unsigned facts);

/** inodes_each(t, fn, arg): call for every known node, without a lock; nodes that come meanwhile may be missed. -ENOMEM. */
int inodes_each(struct inodes *t, void (*fn)(void *arg, uint64_t node, unsigned facts), void *arg);

#endif
