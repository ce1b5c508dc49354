/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an access control list: what is taken says a mode, and after a chmod that one; what is inherited grants no more than was asked for. */
#include "meta/ops/acl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* (in memory of its own, so that a step beyond its end shows) */
    uint8_t *acl = malloc(size ? size : 1);
    uint32_t mode = 01234, said = 0, asked;
    int more;

    if (!acl)
        return 0;
    memcpy(acl, data, size);
    more = acl_mode(acl, size, &said);
    if (more >= 0) {
        must(said <= 0777 && size <= ACL_MAX);
        asked = 02000 | (data[6] * 73u & 0777); /* of the owner's permissions: any number */
        mode = asked;
        must(acl_create(acl, size, &mode) == more);
        must(mode == (asked & (said | 02000)));
        must(acl_mode(acl, size, &said) == more && said == (mode & 0777));
        acl_chmod(acl, size, 0751);
        must(acl_mode(acl, size, &said) == more && said == 0751);
    } else {
        must(more == -EINVAL && acl_create(acl, size, &mode) == more && mode == 01234);
    }
    free(acl);
    return 0;
}
