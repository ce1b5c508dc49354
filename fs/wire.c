/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at raw requests and at the first answer on their way between libfuse and the kernel. */
#include "wire.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static const uint32_t wanted = FUSE_PARALLEL_DIROPS | FUSE_HANDLE_KILLPRIV_V2 | FUSE_SETXATTR_EXT;

static _Atomic uint32_t offered;      /* flags of the kernel's INIT */
static _Atomic uint64_t init_request; /* its number, 0 once it is answered */
static _Thread_local bool kill_suid, unnamed;
static _Thread_local uint32_t caller, opcode;

/* Do requests to set an attribute have flags of their own? */
static bool extended(void)
{
    return atomic_load_explicit(&offered, memory_order_relaxed) & FUSE_SETXATTR_EXT;
}

/* ${in} and its body are what read(2) gave: one request, ${len} bytes. */
static void look(const char *buf, size_t len)
{
    struct fuse_in_header head;
    union {
        struct fuse_init_in init;
        struct fuse_write_in write;
        struct fuse_setattr_in setattr;
        struct fuse_open_in open;
        struct fuse_create_in create;
        struct fuse_setxattr_in setxattr;
    } body = {0};

    kill_suid = false;
    unnamed = false;
    if (len < sizeof(head))
        return;
    memcpy(&head, buf, sizeof(head));
    caller = head.pid;
    opcode = head.opcode;
    len -= sizeof(head);
    memcpy(&body, buf + sizeof(head), len < sizeof(body) ? len : sizeof(body));
    switch (head.opcode) {
    case FUSE_INIT:
        atomic_store(&offered, body.init.flags);
        atomic_store(&init_request, head.unique);
        break;
    case FUSE_WRITE:
        kill_suid = (body.write.write_flags & FUSE_WRITE_KILL_SUIDGID) != 0;
        break;
    case FUSE_SETATTR:
        kill_suid = (body.setattr.valid & FATTR_KILL_SUIDGID) != 0;
        break;
    case FUSE_OPEN:
        kill_suid = (body.open.open_flags & FUSE_OPEN_KILL_SUIDGID) != 0;
        break;
    case FUSE_TMPFILE:
        unnamed = true;
        break;
    case FUSE_CREATE:
        kill_suid = (body.create.open_flags & FUSE_OPEN_KILL_SUIDGID) != 0;
        break;
    case FUSE_SETXATTR:
        kill_suid = extended() && body.setxattr.setxattr_flags & FUSE_SETXATTR_ACL_KILL_SGID;
        break;
    default:
        break;
    }
}

/* Take out of a request to set an attribute what libfuse does not expect in it; the length that is left. */
static size_t shorten(char *buf, size_t len)
{
    const size_t keep = sizeof(struct fuse_in_header) + FUSE_COMPAT_SETXATTR_IN_SIZE;
    const size_t extra = sizeof(struct fuse_setxattr_in) - FUSE_COMPAT_SETXATTR_IN_SIZE;
    struct fuse_in_header head;

    if (len < keep + extra)
        return len;
    memcpy(&head, buf, sizeof(head));
    if (head.opcode != FUSE_SETXATTR || !extended())
        return len;
    memmove(buf + keep, buf + keep + extra, len - keep - extra);
    head.len -= (uint32_t)extra;
    memcpy(buf, &head, sizeof(head));
    return len - extra;
}

/* A file without a name is asked for, and answered, as one with a name is: so libfuse takes it for that. */
static void rename_request(char *buf)
{
    struct fuse_in_header head;

    memcpy(&head, buf, sizeof(head));
    head.opcode = FUSE_CREATE;
    memcpy(buf, &head, sizeof(head));
}

static ssize_t wire_read(int fd, void *buf, size_t len, void *userdata)
{
    ssize_t n = read(fd, buf, len);

    (void)userdata;
    if (n > 0) {
        look(buf, (size_t)n);
        n = (ssize_t)shorten(buf, (size_t)n);
        if (unnamed)
            rename_request(buf);
    }
    return n;
}

/* The answer to INIT with what we add. */
static ssize_t write_init(int fd, struct iovec *iov, int count)
{
    struct fuse_init_out out = {0};
    struct iovec parts[2];
    size_t len;

    if (count != 2 || iov[1].iov_len > sizeof(out) ||
        iov[1].iov_len < offsetof(struct fuse_init_out, flags) + sizeof(out.flags))
        return writev(fd, iov, count);
    len = iov[1].iov_len;
    memcpy(&out, iov[1].iov_base, len);
    out.flags |= wanted & atomic_load(&offered);
    parts[0] = iov[0];
    parts[1] = (struct iovec){.iov_base = &out, .iov_len = len};
    return writev(fd, parts, 2);
}

static ssize_t wire_writev(int fd, struct iovec *iov, int count, void *userdata)
{
    uint64_t init = atomic_load_explicit(&init_request, memory_order_relaxed);
    struct fuse_out_header head;

    (void)userdata;
    if (init && count > 0 && iov[0].iov_len == sizeof(head)) {
        memcpy(&head, iov[0].iov_base, sizeof(head));
        if (head.unique == init && head.error == 0) {
            atomic_store(&init_request, 0);
            return write_init(fd, iov, count);
        }
    }
    return writev(fd, iov, count);
}

int wire_attach(struct fuse_session *se)
{
    static const struct fuse_custom_io io = {.writev = wire_writev, .read = wire_read};

    return fuse_session_custom_io(se, &io, fuse_session_fd(se));
}

bool wire_kill_suid(void)
{
    return kill_suid;
}

bool wire_is_unnamed(void)
{
    return unnamed;
}

uint32_t wire_caller(void)
{
    return caller;
}

bool wire_is_read(void)
{
    return opcode == FUSE_READ;
}
