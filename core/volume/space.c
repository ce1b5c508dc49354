/* SPDX-License-Identifier: Apache-2.0 */
/* Holes, moves and shared copies of ranges of open files. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include "base/alloc.h"
#include "pcloud/err.h"
#include "volume/file.h"

#define COPY_BUFFER (1u << 20)

static int grow(struct pc_file *f, uint64_t end)
{
    struct pc_attr attr;
    int rc = f->v->meta->node->getattr(f->v->meta, f->node->ino, &attr);
    if (rc < 0 || end <= attr.size)
        return rc;
    if (end > META_INLINE_MAX)
        rc = content_to_slices(f->v, f->node->ino);
    attr.size = end;
    return rc < 0 ? rc
                  : f->v->meta->node->setattr(f->v->meta, f->node->ino, PC_SET_SIZE, &attr, NULL);
}

static int collapse(struct pc_file *f, uint64_t off, uint64_t len)
{
    struct meta *m = f->v->meta;
    struct pc_attr attr;
    int rc = m->node->getattr(m, f->node->ino, &attr);
    if (rc == 0 && off + len >= attr.size)
        rc = -EINVAL;
    if (rc == 0)
        rc = content_to_slices(f->v, f->node->ino);
    if (rc == 0)
        rc = m->content->punch(m, f->node->ino, off, len);
    return rc < 0 ? rc : m->content->shift(m, f->node->ino, off + len, -(int64_t)len);
}

static int insert(struct pc_file *f, uint64_t off, uint64_t len)
{
    struct meta *m = f->v->meta;
    struct pc_attr attr;
    int rc = m->node->getattr(m, f->node->ino, &attr);
    if (rc == 0 && off >= attr.size)
        rc = -EINVAL;
    if (rc == 0 && attr.size > PC_FILE_MAX - len)
        rc = -EFBIG;
    if (rc == 0)
        rc = content_to_slices(f->v, f->node->ino);
    return rc < 0 ? rc : m->content->shift(m, f->node->ino, off, (int64_t)len);
}

/* What cannot fit is refused, as a disk would; nothing is set aside for what can. */
static int has_room(struct pc_file *f, uint64_t len)
{
    struct pc_volume_stat st;
    struct pc_attr attr;
    int rc = f->v->meta->node->getattr(f->v->meta, f->node->ino, &attr);
    if (rc == 0)
        rc = pc_volume_stat(f->v, &st);
    if (rc < 0)
        return rc;
    return len > attr.used && len - attr.used > st.disk_avail ? -ENOSPC : 0;
}

static int allocate_locked(struct pc_file *f, int mode, uint64_t off, uint64_t len)
{
    struct meta *m = f->v->meta;
    int rc = open_node_flush_locked(f->v, f->node);
    if (rc < 0)
        return rc;
    switch (mode) {
    case 0:
        rc = has_room(f, len);
        return rc < 0 ? rc : grow(f, off + len);
    case FALLOC_FL_KEEP_SIZE:
        return has_room(f, len);
    case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
    case FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE:
        return m->content->punch(m, f->node->ino, off, len);
    case FALLOC_FL_ZERO_RANGE:
        rc = m->content->punch(m, f->node->ino, off, len);
        return rc < 0 ? rc : grow(f, off + len);
    case FALLOC_FL_COLLAPSE_RANGE:
        return collapse(f, off, len);
    case FALLOC_FL_INSERT_RANGE:
        return insert(f, off, len);
    }
    return -EOPNOTSUPP;
}

int pc_file_fallocate(struct pc_file *f, int mode, uint64_t off, uint64_t len)
{
    if (len == 0)
        return -EINVAL;
    if (off > PC_FILE_MAX || len > PC_FILE_MAX - off)
        return -EFBIG;
    if ((f->flags & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    pthread_mutex_lock(&f->node->lock);
    int rc = allocate_locked(f, mode, off, len);
    pthread_mutex_unlock(&f->node->lock);
    return rc;
}

int64_t pc_file_seek(struct pc_file *f, uint64_t off, int whence)
{
    pthread_mutex_lock(&f->node->lock);
    int64_t rc = open_node_flush_locked(f->v, f->node);
    pthread_mutex_unlock(&f->node->lock);
    return rc < 0 ? rc : f->v->meta->content->seek(f->v->meta, f->node->ino, off, whence);
}

/* Both nodes' locks in the order of their numbers. */
static void lock_both(struct pc_file *a, struct pc_file *b)
{
    struct open_node *x = a->node, *y = b->node;
    if (x == y) {
        pthread_mutex_lock(&x->lock);
        return;
    }
    struct open_node *first = x->ino < y->ino ? x : y;
    pthread_mutex_lock(&first->lock);
    pthread_mutex_lock(first == x ? &y->lock : &x->lock);
}

static void unlock_both(struct pc_file *a, struct pc_file *b)
{
    pthread_mutex_unlock(&a->node->lock);
    if (a->node != b->node)
        pthread_mutex_unlock(&b->node->lock);
}

static int share_locked(struct pc_file *src, uint64_t src_off, struct pc_file *dst,
                        uint64_t dst_off, uint64_t len)
{
    struct meta *m = src->v->meta;
    int rc = open_node_flush_locked(src->v, src->node);
    if (rc == 0)
        rc = open_node_flush_locked(dst->v, dst->node);
    if (rc == 0)
        rc = content_to_slices(src->v, src->node->ino);
    if (rc == 0)
        rc = content_to_slices(dst->v, dst->node->ino);
    return rc < 0 ? rc
                  : m->content->share(m, src->node->ino, src_off, dst->node->ino, dst_off, len);
}

static ssize_t copy_small(struct pc_file *src, uint64_t src_off, struct pc_file *dst,
                          uint64_t dst_off, size_t len)
{
    uint8_t *buf = mem_alloc(len);
    if (buf == NULL)
        return -ENOMEM;
    ssize_t n = pc_file_read(src, buf, len, src_off);
    if (n > 0)
        n = pc_file_write(dst, buf, (size_t)n, dst_off);
    mem_free(buf);
    return n;
}

ssize_t pc_file_copy(struct pc_file *src, uint64_t src_off, struct pc_file *dst, uint64_t dst_off,
                     size_t len)
{
    struct pc_attr attr;
    if ((dst->flags & O_ACCMODE) == O_RDONLY || (src->flags & O_ACCMODE) == O_WRONLY)
        return -EBADF;
    int rc = pc_file_attr(src, &attr);
    if (rc < 0 || src_off >= attr.size)
        return rc;
    if (len > attr.size - src_off)
        len = (size_t)(attr.size - src_off);
    if (dst_off > PC_FILE_MAX || len > PC_FILE_MAX - dst_off)
        return -EFBIG;
    if (src->node == dst->node && src_off < dst_off + len && dst_off < src_off + len)
        return -EINVAL;
    if (len <= META_INLINE_MAX)
        return copy_small(src, src_off, dst, dst_off, len);
    if (len > INT32_MAX)
        len = INT32_MAX & ~(COPY_BUFFER - 1);
    lock_both(src, dst);
    rc = share_locked(src, src_off, dst, dst_off, len);
    unlock_both(src, dst);
    return rc < 0 ? rc : (ssize_t)len;
}
