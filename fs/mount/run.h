/* SPDX-License-Identifier: Apache-2.0 */
/* The whole program but its entry point. */
#ifndef FS_MOUNT_RUN_H
#define FS_MOUNT_RUN_H

/** mount_main(argc, argv): mount.pcloud; the exit status. */
int mount_main(int argc, char **argv);

#endif
