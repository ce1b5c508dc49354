/* SPDX-License-Identifier: Apache-2.0 */
/* The entry point of pcloud-gateway. */
#include "pcloud/version.h"

#include <stdio.h>

int main(void)
{
    printf("pcloud-gateway %s\n", pc_version());
    return 0;
}
