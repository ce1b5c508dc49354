/* SPDX-License-Identifier: Apache-2.0 */
/* The entry point of pcloud-gateway. */
#include "opts.h"
#include "server.h"

#include "pcloud/err.h"
#include "pcloud/version.h"

#include <stdio.h>

static int fail(int rc)
{
    fprintf(stderr, "pcloud-gateway: %s\n", pc_err_text(rc));
    return rc == PC_EUSAGE ? 2 : 1;
}

int main(int argc, char **argv)
{
    struct opts o;
    int rc = opts_parse(argc, argv, &o);

    if (rc < 0)
        return fail(rc);
    if (o.help)
        opts_print_help();
    else if (o.version)
        printf("pcloud-gateway %s\n", pc_version());
    else if (o.print_man)
        opts_print_man();
    else
        rc = server_run(&o);
    return rc < 0 ? fail(rc) : 0;
}
