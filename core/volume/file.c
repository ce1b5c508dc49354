/* SPDX-License-Identifier: Apache-2.0 */
/* Open files: handles over the node's shared unwritten data. */
#include "pcloud/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "pcloud/err.h"
#include "pcloud/snapshot.h"
#include "volume/file.h"

#define READ_AHEAD (4u << 20) /* how far ahead of a sequential reader blocks are fetched */

static int file_new(struct pc_volume *v, uint64_t ino, int flags, struct pc_file **ret)
{
    struct pc_file *f = mem_calloc(1, sizeof(*f));
    if (f == NULL)
        return -ENOMEM;
    f->v = v;
    f->flags = flags;
    int rc = open_node_get(v, ino, &f->node);
    if (rc < 0) {
        mem_free(f);
        return rc;
    }
    f->error_seq = __atomic_load_n(&f->node->error_seq, __ATOMIC_ACQUIRE);
    *ret = f;
    return 0;
}

/* What is in the trash is written by those who had it open when it was removed, and by nobody else. */
static int trash_may_open(struct pc_volume *v, const struct pc_attr *attr, int flags)
{
    struct open_node *n;
    if ((attr->has & PC_HAS_TRASH) == 0 || ((flags & O_ACCMODE) == O_RDONLY && !(flags & O_TRUNC)))
        return 0;
    n = open_node_find(v, attr->ino);
    if (n == NULL)
        return pc_err_set(-EPERM, "what is in the trash does not change; move it out first");
    open_node_put(v, n);
    return 0;
}

int pc_file_open(struct pc_volume *v, uint64_t ino, int flags, struct pc_file **ret)
{
    struct pc_file *f;
    struct pc_attr attr;
    int rc = pc_getattr(v, ino, &attr);
    if (rc < 0)
        return rc;
    if (S_ISDIR(attr.mode))
        return -EISDIR;
    if (!S_ISREG(attr.mode))
        return -EINVAL;
    if (pc_is_snapshot(ino) && ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0))
        return -EROFS;
    rc = trash_may_open(v, &attr, flags);
    if (rc < 0)
        return rc;
    rc = file_new(v, ino, flags, &f);
    if (rc < 0)
        return rc;
    if ((flags & O_TRUNC) != 0 && attr.size != 0) {
        struct pc_attr zero = {0};
        rc = pc_setattr(v, ino, PC_SET_SIZE, &zero, NULL);
        if (rc < 0)
            goto put_node;
    }
    *ret = f;
    return 0;

put_node:
    open_node_put(v, f->node);
    mem_free(f);
    return rc;
}

int pc_file_make(struct pc_volume *v, uint64_t parent, const char *name, const struct pc_make *make,
                 int flags, struct pc_attr *attr, struct pc_file **ret)
{
    struct pc_attr made;
    if (!S_ISREG(make->mode))
        return -EINVAL;
    int rc = name != NULL ? pc_make(v, parent, name, make, &made)
                          : v->meta->node->make_unnamed(v->meta, parent, make, &made);
    if (rc < 0)
        return rc;
    rc = file_new(v, made.ino, flags, ret);
    if (name == NULL)
        meta_drop(v->meta, made.ino); /* the open file holds it now */
    if (rc == 0 && attr != NULL)
        *attr = made;
    return rc;
}

/* Does [off, off + len) meet unwritten content of the stream? */
static bool meets_stream(const struct open_node *n, uint64_t off, size_t len)
{
    return n->stream != NULL && off < n->stream_end && off + len > n->stream_pos;
}

static ssize_t read_dirty(struct pc_file *f, void *buf, size_t len, uint64_t off, uint64_t *ret_end)
{
    struct open_node *n = f->node;
    if (meets_stream(n, off, len)) {
        int rc = open_node_flush_locked(f->v, n);
        if (rc < 0)
            return rc;
    }
    uint64_t size = 0;
    ssize_t got = content_read(f->v, n->ino, buf, len, off, &size);
    if (got < 0 && !(got == PC_ECORRUPT && dirty_covers(&n->dirty, off, len)))
        return got;
    uint64_t end = n->end > size ? n->end : size;
    *ret_end = end;
    if (off >= end)
        return 0;
    size_t want = len < end - off ? len : (size_t)(end - off);
    size_t have = got > 0 ? (size_t)got : 0;
    if (have < want && off + have < size && got >= 0)
        want = have; /* damage cut the read short */
    if (have < want)
        memset((uint8_t *)buf + have, 0, want - have);
    dirty_overlay(&n->dirty, buf, want, off);
    return (ssize_t)want;
}

static void read_ahead(struct pc_file *f, uint64_t off, size_t len)
{
    uint64_t end = off + len;
    bool sequential = __atomic_exchange_n(&f->read_end, end, __ATOMIC_RELAXED) == off && off != 0;
    uint64_t ahead = __atomic_load_n(&f->ahead, __ATOMIC_RELAXED);
    if (!sequential || ahead > end + READ_AHEAD / 2)
        return;
    uint64_t from = ahead > end ? ahead : end;
    __atomic_store_n(&f->ahead, end + READ_AHEAD, __ATOMIC_RELAXED);
    content_prefetch(f->v, f->node->ino, from, end + READ_AHEAD - from);
}

/* Bytes read, which damage may have cut short, and where the file ends. */
static ssize_t read_some(struct pc_file *f, void *buf, size_t len, uint64_t off, uint64_t *ret_end)
{
    struct open_node *n = f->node;
    ssize_t got;

    if (__atomic_load_n(&n->dirty_since_ms, __ATOMIC_ACQUIRE) == 0)
        return content_read(f->v, n->ino, buf, len, off, ret_end);
    pthread_mutex_lock(&n->lock);
    got = read_dirty(f, buf, len, off, ret_end);
    pthread_mutex_unlock(&n->lock);
    return got;
}

ssize_t pc_file_read(struct pc_file *f, void *buf, size_t len, uint64_t off)
{
    uint64_t end = 0;
    if (len == 0)
        return 0;
    if (off > PC_FILE_MAX || len > PC_FILE_MAX - off)
        return -EINVAL;
    ssize_t got = read_some(f, buf, len, off, &end);
    if (got > 0)
        read_ahead(f, off, (size_t)got);
    return got;
}

ssize_t pc_file_read_all(struct pc_file *f, void *buf, size_t len, uint64_t off)
{
    uint64_t end = UINT64_MAX;
    size_t done = 0;
    if (off > PC_FILE_MAX || len > PC_FILE_MAX - off)
        return -EINVAL;
    while (done < len && off + done < end) {
        ssize_t got = read_some(f, (uint8_t *)buf + done, len - done, off + done, &end);
        if (got < 0)
            return got;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    if (done > 0)
        read_ahead(f, off, done);
    return (ssize_t)done;
}

static int may_write(const struct pc_file *f, size_t len, uint64_t off)
{
    if ((f->flags & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    return off > PC_FILE_MAX || len > PC_FILE_MAX - off ? -EFBIG : 0;
}

static int after_write(struct pc_file *f)
{
    return (f->flags & (O_SYNC | O_DSYNC)) != 0 ? pc_file_sync(f) : 0;
}

ssize_t pc_file_write(struct pc_file *f, const void *buf, size_t len, uint64_t off)
{
    int rc = may_write(f, len, off);
    if (rc < 0 || len == 0)
        return rc;
    pthread_mutex_lock(&f->node->lock);
    rc = quota_enter(f->v, f->node, off, len);
    if (rc >= 0)
        rc = quota_write(f->v, f->node, buf, len, off, rc > 0);
    pthread_mutex_unlock(&f->node->lock);
    if (rc == 0)
        rc = after_write(f);
    return rc < 0 ? rc : (ssize_t)len;
}

ssize_t pc_file_append(struct pc_file *f, const void *buf, size_t len, uint64_t *ret_off)
{
    struct open_node *n = f->node;
    struct pc_attr attr;
    pthread_mutex_lock(&n->lock);
    int through = quota_enter(f->v, n, UINT64_MAX, len);
    int rc = through < 0 ? through : f->v->meta->node->getattr(f->v->meta, n->ino, &attr);
    uint64_t off = rc == 0 && n->end < attr.size ? attr.size : n->end;
    if (rc == 0)
        rc = may_write(f, len, off);
    if (rc == 0 && len > 0)
        rc = quota_write(f->v, n, buf, len, off, through > 0);
    pthread_mutex_unlock(&n->lock);
    if (rc == 0)
        rc = after_write(f);
    if (rc < 0)
        return rc;
    if (ret_off != NULL)
        *ret_off = off;
    return (ssize_t)len;
}

int pc_file_flush(struct pc_file *f)
{
    struct open_node *n = f->node;
    pthread_mutex_lock(&n->lock);
    int rc = open_node_flush_locked(f->v, n);
    if (rc == 0 && f->error_seq != n->error_seq) {
        rc = n->error;
    }
    f->error_seq = n->error_seq;
    pthread_mutex_unlock(&n->lock);
    return rc;
}

int pc_file_sync(struct pc_file *f)
{
    int rc = pc_file_flush(f);
    return rc < 0 ? rc : meta_sync(f->v->meta);
}

int pc_file_attr(struct pc_file *f, struct pc_attr *attr)
{
    return pc_getattr(f->v, f->node->ino, attr);
}

int pc_file_close(struct pc_file *f)
{
    if (f == NULL)
        return 0;
    int rc = pc_file_flush(f);
    open_node_put(f->v, f->node);
    atomic_store(&f->v->orphans, true);
    mem_free(f);
    return rc;
}
