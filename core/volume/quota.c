/* SPDX-License-Identifier: Apache-2.0 */
/* Quotas of folders: set and asked. */
#include "pcloud/quota.h"

#include <errno.h>

#include "volume/volume.h"

int pc_quota_settle(struct pc_volume *v)
{
    int rc;

    do
        rc = v->meta->node->quota_step(v->meta);
    while (rc > 0);
    return rc;
}

int pc_quota_set(struct pc_volume *v, uint64_t ino, uint64_t bytes_max, uint64_t nodes_max)
{
    int rc = v->meta->node->quota_set(v->meta, ino, bytes_max, nodes_max);

    return rc < 0 ? rc : pc_quota_settle(v);
}

int pc_quota_get(struct pc_volume *v, uint64_t ino, struct pc_quota *ret)
{
    struct pc_quota q;
    int rc = v->meta->node->quota_list(v->meta, ino - 1, 1, &q);

    if (rc < 0)
        return rc;
    if (rc == 0 || q.ino != ino)
        return -ENODATA;
    *ret = q;
    return 0;
}

int pc_quota_rm(struct pc_volume *v, uint64_t ino)
{
    return v->meta->node->quota_rm(v->meta, ino);
}

int pc_quota_list(struct pc_volume *v, uint64_t after, unsigned max, struct pc_quota *quotas)
{
    return v->meta->node->quota_list(v->meta, after, max, quotas);
}

int pc_quota_room(struct pc_volume *v, uint64_t ino, struct pc_quota_room *ret)
{
    return v->meta->node->quota_room(v->meta, ino, ret);
}
