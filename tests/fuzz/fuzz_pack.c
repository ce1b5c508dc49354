/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile pack under a hostile row: reading, verifying and compacting it end in errors at worst. */
#include "data/data.h"

#include "data/disk.h"
#include "data/pack.h"
#include "data_rig.h"
#include "mem_meta.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PACK_FD 1000000 /* stands for the input */
#define PACK_ID 0xf00d

static const uint8_t *pack;
static size_t pack_size;

static int input_open(const char *path, int flags, mode_t mode)
{
    return (flags & O_ACCMODE) == O_RDONLY ? PACK_FD : disk_real.open(path, flags, mode);
}

static void input_close(int fd)
{
    if (fd != PACK_FD)
        disk_real.close(fd);
}

static ssize_t input_pread(int fd, void *buf, size_t len, uint64_t off)
{
    if (fd != PACK_FD)
        return disk_real.pread(fd, buf, len, off);
    if (off >= pack_size)
        return 0;
    len = len < pack_size - off ? len : pack_size - (size_t)off;
    memcpy(buf, pack + off, len);
    return (ssize_t)len;
}

static int input_stat(const char *path, uint64_t *ret_size)
{
    (void)path;
    *ret_size = pack_size;
    return 0;
}

static struct data_rig *rig_once(void)
{
    static struct disk_ops ops;
    static struct data_rig rig;

    if (rig.data)
        return &rig;
    ops = disk_real;
    ops.open = input_open;
    ops.close = input_close;
    ops.pread = ops.pread_now = input_pread;
    ops.stat = input_stat;
    disk_use(&ops);
    rig_new(&rig);
    rig.options.workers = 1;
    rig.options.cache_bytes = 0;
    if (rig_open(&rig) < 0)
        abort();
    return &rig;
}

static uint32_t get24(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

/* 12 bytes that make the row and the range, then the pack. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct data_rig *rig = rig_once();
    struct meta_block b = {.pack = PACK_ID};
    uint64_t moved, id;
    uint32_t boff, len;
    uint8_t *out;

    if (size < 12)
        return 0;
    b.size = get24(data) % (data[2] & 0x80 ? META_BLOCK_MAX + 2 : 4 * DATA_SEGMENT);
    b.stored = get24(data + 3);
    b.off = data[6];
    boff = get24(data + 7);
    len = (uint32_t)data[10] << 8 | data[11];
    pack = data + 12;
    pack_size = size - 12;
    if (b.off + 48 <= pack_size)
        memcpy(b.id, pack + b.off + 16, sizeof b.id);
    if (pack_size >= PACK_HEADER)
        (void)pack_header_parse(pack, &id);
    out = malloc(len + 1u);
    if (!out)
        abort();
    (void)data_get(rig->data, &b, boff, len, out);
    free(out);
    (void)data_verify(rig->data, &b);
    if (mem_meta_commit(rig->meta, &b) == 0) {
        (void)data_pack_compact(rig->data, PACK_ID, &moved);
        mem_meta_drop(rig->meta, b.bid);
    }
    return 0;
}
