/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of a tree that shares its content: the engine's steps, with progress between them. */
#include "pcloud/tree.h"

#include "pcloud/err.h"
#include "volume/volume.h"

static int steps(struct pc_volume *v, struct meta_clone *k, const struct pc_upkeep *up)
{
    int rc;

    do {
        rc = v->meta->node->clone_step(v->meta, k);
        if (rc >= 0 && up && up->progress && up->progress(up->arg, k->entries, 0) != 0)
            rc = PC_ECANCELED;
    } while (rc > 0);
    return rc;
}

int pc_clone(struct pc_volume *v, uint64_t src, uint64_t new_parent, const char *new_name,
             const struct pc_upkeep *up, struct pc_clone_result *ret, struct pc_attr *attr)
{
    struct meta_clone *k;
    int rc = open_flush_older(v, INT64_MAX);

    if (rc == 0)
        rc = v->meta->node->clone_begin(v->meta, src, new_parent, new_name, &k);
    if (rc < 0)
        return rc;
    rc = steps(v, k, up);
    if (rc == 0)
        rc = v->meta->node->clone_end(v->meta, k, new_parent, new_name, attr);
    if (rc == 0 && ret)
        *ret = (struct pc_clone_result){k->entries, k->bytes, k->shared};
    v->meta->node->clone_free(v->meta, k);
    atomic_store(&v->orphans, true); /* one that was not finished, or a source removed meanwhile */
    return rc;
}
