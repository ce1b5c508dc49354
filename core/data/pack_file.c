/* SPDX-License-Identifier: Apache-2.0 */
/* Pack files as files: names, headers, making, listing, removing. */
#include "data/pack_impl.h"

#include "base/alloc.h"
#include "data/deflate.h"
#include "data/disk.h"
#include "pcloud/err.h"
#include "pcloud/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAGIC "pcpack1\n"
#define VERSION 1
#define NUMBER_TRIES 64

static void put_le(uint8_t *p, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t get_le(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;

    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

void pack_header_encode(uint64_t id, uint8_t out[PACK_HEADER])
{
    memset(out, 0, PACK_HEADER);
    memcpy(out, MAGIC, 8);
    put_le(out + 8, VERSION, 4);
    put_le(out + 12, PACK_HEADER, 4);
    put_le(out + 16, id, 8);
    put_le(out + 60, crc32c(0, out, 60), 4);
}

int pack_header_parse(const uint8_t in[PACK_HEADER], uint64_t *ret_id)
{
    if (memcmp(in, MAGIC, 8) != 0)
        return pc_err_set(PC_EFORMAT, "not a pack");
    if (get_le(in + 60, 4) != crc32c(0, in, 60))
        return pc_err_set(PC_ECORRUPT, "pack with a wrong checksum of its header");
    if (get_le(in + 8, 4) != VERSION || get_le(in + 12, 4) != PACK_HEADER)
        return pc_err_set(PC_EVERSION, "pack of version %" PRIu64 "; this one reads %d",
                          get_le(in + 8, 4), VERSION);
    *ret_id = get_le(in + 16, 8);
    return 0;
}

int pack_path(const char *dir, uint64_t id, char *buf, size_t cap)
{
    int n = snprintf(buf, cap, "%s/%02x/%016" PRIx64 ".pack", dir, (unsigned)(id & 0xff), id);

    return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

/* Make the file of pack ${id}: its folder, the file, its header. The descriptor. */
static int create_file(struct packs *ps, uint64_t id)
{
    char path[PACK_PATH_MAX], *slash;
    uint8_t header[PACK_HEADER];
    int fd, r;

    r = pack_path(ps->dir, id, path, sizeof path);
    if (r < 0)
        return r;
    slash = strrchr(path, '/');
    *slash = 0;
    r = disk()->mkdir(path, 0700);
    if (r == 0)
        r = disk()->sync_dir(ps->dir);
    if (r < 0 && r != -EEXIST)
        return r;
    *slash = '/';
    fd = disk()->open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0)
        return fd;
    pack_header_encode(id, header);
    r = disk_write(fd, header, sizeof header, 0);
    if (r < 0) {
        disk()->close(fd);
        disk()->unlink(path);
        return r;
    }
    return fd;
}

int pack_create(struct packs *ps, struct pack **ret)
{
    struct pack *p = mem_calloc(1, sizeof *p);
    int fd = -EEXIST, r;

    if (!p)
        return -ENOMEM;
    /* A file of that number can only be left from before the database was put back from a copy: leave it alone. */
    for (int i = 0; fd == -EEXIST && i < NUMBER_TRIES; i++) {
        r = ps->meta->content->pack_new(ps->meta, &p->id);
        if (r < 0)
            goto free_pack;
        fd = create_file(ps, p->id);
    }
    if (fd < 0) {
        r = pc_err_set(fd, "cannot make pack %016" PRIx64 " in %s: %s", p->id, ps->dir,
                       pc_strerror(fd));
        goto free_pack;
    }
    p->ps = ps;
    p->fd = fd;
    p->size = p->end = p->flushed = p->flushed_before = PACK_HEADER;
    p->dirty = p->dir_dirty = true;
    *ret = p;
    return 0;
free_pack:
    mem_free(p);
    return r;
}

int64_t packs_size(struct packs *ps, uint64_t id)
{
    char path[PACK_PATH_MAX];
    uint64_t size;
    int r = pack_path(ps->dir, id, path, sizeof path);

    if (r == 0)
        r = disk()->stat(path, &size);
    return r < 0 ? r : (int64_t)size;
}

bool packs_gone(struct packs *ps, uint64_t id)
{
    int64_t size = packs_size(ps, id);

    return size == 0 || size == -ENOENT;
}

/* Cut to nothing first: another process may have the file open, and its space shall be free now. */
int packs_remove(struct packs *ps, uint64_t id)
{
    char path[PACK_PATH_MAX];
    int r = pack_path(ps->dir, id, path, sizeof path);

    if (r < 0)
        return r;
    pack_fd_drop(ps, id);
    r = disk()->truncate(path, 0);
    if (r == 0)
        r = disk()->unlink(path);
    if (r < 0)
        return pc_err_set(r, "cannot remove pack %016" PRIx64 ": %s", id, pc_strerror(r));
    return 0;
}

/* The number of a pack's file name; false for other files. */
static bool parse_name(const char *name, uint64_t *ret)
{
    uint64_t v = 0;

    if (strlen(name) != 21 || strcmp(name + 16, ".pack") != 0)
        return false;
    for (int i = 0; i < 16; i++) {
        const char *digits = "0123456789abcdef", *d = strchr(digits, name[i]);

        if (!d)
            return false;
        v = v << 4 | (uint64_t)(d - digits);
    }
    *ret = v;
    return true;
}

static int each_in(const char *path, int (*fn)(void *arg, uint64_t id), void *arg)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    int r = 0;

    if (!dir)
        return errno == ENOENT ? 0 : -errno;
    while (r == 0 && (errno = 0, e = readdir(dir))) {
        uint64_t id;

        if (parse_name(e->d_name, &id))
            r = fn(arg, id);
    }
    if (r == 0 && errno)
        r = -errno;
    closedir(dir);
    return r;
}

int packs_each(struct packs *ps, int (*fn)(void *arg, uint64_t id), void *arg)
{
    char path[PACK_PATH_MAX];
    int r = 0;

    for (unsigned i = 0; r == 0 && i < 256; i++) {
        int n = snprintf(path, sizeof path, "%s/%02x", ps->dir, i);

        if (n < 0 || (size_t)n >= sizeof path)
            return -ENAMETOOLONG;
        r = each_in(path, fn, arg);
    }
    return r;
}
