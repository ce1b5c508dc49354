/* SPDX-License-Identifier: Apache-2.0 */
/* The version of the library, as configure knows it. */
#include "pcloud/version.h"

#include "config.h"

const char *pc_version(void)
{
    return PACKAGE_VERSION;
}
