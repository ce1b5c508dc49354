/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing a volume, and making all of it visible or durable. */
#include "volume/volume.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/alloc.h"
#include "crypto/aead.h"
#include "pcloud/err.h"
#include "pcloud/log.h"
#include "pcloud/tree.h"

static int barrier(void *arg)
{
    struct pc_volume *v = arg;
    return v->data != NULL ? data_barrier(v->data) : 0;
}

int pc_volume_create(struct pc_home *home, const struct pc_keys *keys, uint32_t uid, uint32_t gid)
{
    char dir[4096];
    int rc = pc_home_path(home, PC_HOME_META, dir, sizeof(dir));
    if (rc < 0)
        return rc;
    uint8_t key[PC_KEY_BYTES];
    pc_keys_derive(keys, PC_KEY_PAGES, key);
    rc = meta_create(dir, key, uid, gid);
    pc_wipe(key, sizeof(key));
    return rc;
}

static int open_meta(struct pc_volume *v, const struct pc_keys *keys, const char *program)
{
    char dir[4096];
    int rc = pc_home_path(v->home, PC_HOME_META, dir, sizeof(dir));
    if (rc < 0)
        return rc;
    uint8_t key[PC_KEY_BYTES];
    pc_keys_derive(keys, PC_KEY_PAGES, key);
    const struct meta_options options = {
        .dir = dir,
        .page_key = key,
        .program = program,
        .reserve_bytes = (uint64_t)pc_config_num(v->config, PC_CONFIG_RESERVE),
        .data_barrier = barrier,
        .barrier_arg = v,
    };
    rc = meta_open(&options, &v->meta);
    pc_wipe(key, sizeof(key));
    return rc;
}

static int open_data(struct pc_volume *v, const struct pc_keys *keys)
{
    char dir[4096];
    int rc = pc_home_path(v->home, PC_HOME_PACKS, dir, sizeof(dir));
    if (rc < 0)
        return rc;
    const struct data_options options = {
        .dir = dir,
        .keys = keys,
        .meta = v->meta,
        .workers = (unsigned)pc_config_num(v->config, PC_CONFIG_WORKERS),
        .cache_bytes = (size_t)pc_config_num(v->config, PC_CONFIG_CACHE_SIZE),
        .buffer_bytes = (size_t)pc_config_num(v->config, PC_CONFIG_WRITE_BUFFER) / 2,
        .dedup = pc_config_bool(v->config, PC_CONFIG_DEDUP),
        .compress = pc_config_bool(v->config, PC_CONFIG_COMPRESS),
        .reserve_bytes = (uint64_t)pc_config_num(v->config, PC_CONFIG_RESERVE),
    };
    return data_open(&options, &v->data);
}

int pc_volume_open(struct pc_home *home, const struct pc_keys *keys, const struct pc_config *config,
                   const char *program, struct pc_volume **ret)
{
    struct pc_volume *v = mem_calloc(1, sizeof(*v));
    if (v == NULL)
        return -ENOMEM;
    v->home = home;
    v->config = config;
    v->dirty_max = (uint64_t)pc_config_num(config, PC_CONFIG_WRITE_BUFFER) / 2;
    atomic_init(&v->orphans, true);
    int rc = open_table_init(&v->nodes);
    if (rc < 0)
        goto free_volume;
    rc = open_meta(v, keys, program);
    if (rc < 0)
        goto fini_table;
    rc = open_data(v, keys);
    if (rc < 0)
        goto close_meta;
    if (pc_config_num(config, PC_CONFIG_TRASH_DAYS) > 0)
        pc_trash_days(v, pc_config_num(config, PC_CONFIG_TRASH_DAYS));
    rc = volume_flusher_start(v);
    if (rc < 0)
        goto close_data;
    *ret = v;
    return 0;

close_data:
    data_finish(v->data);
close_meta:
    meta_close(v->meta);
    data_close(v->data);
fini_table:
    open_table_fini(&v->nodes);
free_volume:
    mem_free(v);
    return rc;
}

int pc_volume_close(struct pc_volume *v)
{
    if (v == NULL)
        return 0;
    volume_flusher_stop(v);
    int first = pc_volume_sync(v);
    int rc = data_finish(v->data);
    first = first < 0 ? first : rc;
    rc = meta_close(v->meta); /* its last commit may want the barrier */
    first = first < 0 ? first : rc;
    data_close(v->data);
    open_table_fini(&v->nodes);
    mem_free(v);
    return first;
}

int pc_volume_flush(struct pc_volume *v)
{
    int rc = open_flush_older(v, INT64_MAX);
    int committed = meta_flush(v->meta);
    return rc < 0 ? rc : committed;
}

int pc_volume_sync(struct pc_volume *v)
{
    int rc = open_flush_older(v, INT64_MAX);
    int synced = meta_sync(v->meta);
    return rc < 0 ? rc : synced;
}

int pc_volume_stat(struct pc_volume *v, struct pc_volume_stat *st)
{
    struct meta_totals t;
    struct statvfs fs;
    *st = (struct pc_volume_stat){0};
    int rc = meta_totals(v->meta, &t);
    if (rc < 0)
        return rc;
    rc = data_bytes(v->data, &st->pack_bytes, &st->packs);
    if (rc < 0)
        return rc;
    if (statvfs(pc_home_dir(v->home), &fs) < 0)
        return pc_err_set(-errno, "%s: %s", pc_home_dir(v->home), strerror(errno));
    meta_volume_id(v->meta, st->id);
    st->files = t.files;
    st->folders = t.folders;
    st->objects = t.objects;
    st->bytes = t.bytes;
    st->block_bytes = t.block_bytes;
    st->meta_bytes = t.meta_bytes;
    st->damaged = t.damaged;
    st->disk_total = (uint64_t)fs.f_blocks * fs.f_frsize;
    st->disk_free = (uint64_t)fs.f_bfree * fs.f_frsize;
    st->disk_avail = (uint64_t)fs.f_bavail * fs.f_frsize;
    return 0;
}

int pc_volume_writer(struct pc_home *home, struct pc_volume_writer *ret)
{
    char dir[4096];
    struct meta_holder h;
    int rc = pc_home_path(home, PC_HOME_META, dir, sizeof(dir));
    if (rc == 0)
        rc = meta_holder(dir, &h);
    if (rc <= 0)
        return rc;
    *ret = (struct pc_volume_writer){.pid = h.pid, .held_ms = h.held_ms};
    memcpy(ret->program, h.program, sizeof(ret->program));
    return 1;
}
