/* SPDX-License-Identifier: Apache-2.0 */
/* The entry point of pcloud. */
#include "cli.h"

int main(int argc, char **argv)
{
    return cli_run(argc, argv);
}
