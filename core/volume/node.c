/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes, names and attributes: the engine's operations with this process's unwritten data in view. */
#include "pcloud/node.h"

#include <errno.h>
#include <string.h>

#include "pcloud/err.h"
#include "volume/volume.h"

int pc_lookup(struct pc_volume *v, uint64_t parent, const char *name, struct pc_attr *attr)
{
    uint64_t flushes = atomic_load(&v->flushes);
    int rc = v->meta->node->lookup(v->meta, parent, name, attr);
    return rc < 0 ? rc : open_node_attr(v, flushes, attr);
}

int pc_getattr(struct pc_volume *v, uint64_t ino, struct pc_attr *attr)
{
    uint64_t flushes = atomic_load(&v->flushes);
    int rc = v->meta->node->getattr(v->meta, ino, attr);
    return rc < 0 ? rc : open_node_attr(v, flushes, attr);
}

int pc_parent(struct pc_volume *v, uint64_t ino, uint64_t *ret_parent)
{
    return v->meta->node->parent(v->meta, ino, ret_parent);
}

/* Times that are set must not be changed again by unwritten data, and a new size must not meet it. */
static int set_flushed(struct pc_volume *v, struct open_node *n, unsigned set,
                       const struct pc_attr *in, struct pc_attr *attr)
{
    pthread_mutex_lock(&n->lock);
    int rc = open_node_flush_locked(v, n);
    if (rc == 0 && (set & PC_SET_SIZE) != 0 && in->size > META_INLINE_MAX)
        rc = content_to_slices(v, n->ino);
    if (rc == 0)
        rc = v->meta->node->setattr(v->meta, n->ino, set, in, attr);
    pthread_mutex_unlock(&n->lock);
    return rc;
}

int pc_setattr(struct pc_volume *v, uint64_t ino, unsigned set, const struct pc_attr *in,
               struct pc_attr *attr)
{
    const unsigned ordered = PC_SET_SIZE | PC_SET_MTIME | PC_SET_MTIME_NOW;
    if ((set & PC_SET_SIZE) != 0 && in->size > PC_FILE_MAX)
        return -EFBIG;
    struct open_node *n = NULL;
    uint64_t flushes = atomic_load(&v->flushes);
    int rc = 0;
    if ((set & PC_SET_SIZE) != 0)
        rc = open_node_get(v, ino, &n);
    else
        n = open_node_find(v, ino);
    if (rc < 0)
        return rc;
    if (n == NULL)
        return v->meta->node->setattr(v->meta, ino, set, in, attr);
    if ((set & ordered) != 0)
        rc = set_flushed(v, n, set, in, attr);
    else
        rc = v->meta->node->setattr(v->meta, ino, set, in, attr);
    if (rc == 0 && attr != NULL)
        rc = open_node_attr(v, flushes, attr);
    open_node_put(v, n);
    if ((set & PC_SET_SIZE) != 0)
        atomic_store(&v->orphans, true); /* what was cut off may be one */
    return rc;
}

int pc_make(struct pc_volume *v, uint64_t parent, const char *name, const struct pc_make *make,
            struct pc_attr *attr)
{
    return v->meta->node->make(v->meta, parent, name, make, attr);
}

static int may_orphan(struct pc_volume *v, int rc)
{
    if (rc >= 0)
        atomic_store(&v->orphans, true);
    return rc;
}

int pc_unlink(struct pc_volume *v, uint64_t parent, const char *name)
{
    return may_orphan(v, v->meta->node->unlink(v->meta, parent, name));
}

int pc_rmdir(struct pc_volume *v, uint64_t parent, const char *name)
{
    return may_orphan(v, v->meta->node->rmdir(v->meta, parent, name));
}

int pc_rename(struct pc_volume *v, uint64_t parent, const char *name, uint64_t new_parent,
              const char *new_name, unsigned flags)
{
    return may_orphan(v, v->meta->node->rename(v->meta, parent, name, new_parent, new_name, flags));
}

int pc_link(struct pc_volume *v, uint64_t ino, uint64_t parent, const char *name,
            struct pc_attr *attr)
{
    uint64_t flushes = atomic_load(&v->flushes);
    int rc = v->meta->node->link(v->meta, ino, parent, name, attr);
    return rc < 0 || attr == NULL ? rc : open_node_attr(v, flushes, attr);
}

ssize_t pc_readlink(struct pc_volume *v, uint64_t ino, char *buf, size_t cap)
{
    return v->meta->node->readlink(v->meta, ino, buf, cap);
}

int pc_node_hold(struct pc_volume *v, uint64_t ino)
{
    struct open_node *n;
    return open_node_get(v, ino, &n);
}

void pc_node_drop(struct pc_volume *v, uint64_t ino)
{
    struct open_node *n = open_node_find(v, ino);
    if (n == NULL)
        return;
    open_node_put(v, n);
    open_node_put(v, n);
    atomic_store(&v->orphans, true);
}

ssize_t pc_xattr_get(struct pc_volume *v, uint64_t ino, const char *name, void *buf, size_t cap)
{
    return v->meta->node->xattr_get(v->meta, ino, name, buf, cap);
}

int pc_xattr_set(struct pc_volume *v, uint64_t ino, const char *name, const void *value, size_t len,
                 int flags)
{
    return v->meta->node->xattr_set(v->meta, ino, name, value, len, flags);
}

int pc_xattr_remove(struct pc_volume *v, uint64_t ino, const char *name)
{
    return v->meta->node->xattr_remove(v->meta, ino, name);
}

ssize_t pc_xattr_list(struct pc_volume *v, uint64_t ino, char *buf, size_t cap)
{
    return v->meta->node->xattr_list(v->meta, ino, buf, cap);
}

int pc_path(struct pc_volume *v, uint64_t ino, char *buf, size_t cap)
{
    return v->meta->node->path(v->meta, ino, buf, cap);
}

int pc_resolve(struct pc_volume *v, const char *path, struct pc_attr *attr)
{
    int rc = pc_getattr(v, PC_ROOT_INO, attr);
    for (const char *p = path; rc == 0 && *p != '\0';) {
        size_t len = strcspn(p, "/");
        char name[PC_NAME_MAX + 1];
        if (len > PC_NAME_MAX)
            return -ENAMETOOLONG;
        memcpy(name, p, len);
        name[len] = '\0';
        p += len;
        while (*p == '/')
            p++;
        if (len > 0)
            rc = pc_lookup(v, attr->ino, name, attr);
    }
    return rc < 0 ? pc_err_wrap(rc, "%s", path) : 0;
}
