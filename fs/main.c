/* SPDX-License-Identifier: Apache-2.0 */
/* The entry point of mount.pcloud. */
#include "mount/run.h"

int main(int argc, char **argv)
{
    return mount_main(argc, argv);
}
