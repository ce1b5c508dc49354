/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the engine: a new database, a session on it, its end. */
#include "meta/engine.h"

#include "base/alloc.h"
#include "meta/ops/quota.h"
#include "crypto/aead.h"
#include "meta/schema.h"
#include "meta/snap/snap.h"
#include "pcloud/err.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct engine_tuning engine_tuning = {
    .sync_log = fdatasync,
    .feed_rows = 100000,
    .log_bytes = (int64_t)16 << 20,
    .whole_bytes = (uint64_t)64 << 20,
};

static int path_exists(const char *path)
{
    if (access(path, F_OK) == 0)
        return 1;
    return errno == ENOENT ? 0 : pc_err_wrap(-errno, "%s: ", path);
}

int engine_create(const struct seal_vfs *vfs, const char *path, const uint8_t page_key[32],
                  uint32_t uid, uint32_t gid, struct sql_conn *ret)
{
    static const char label[] = "pcloud v1 volume id";
    uint8_t id[MAC_BYTES];
    struct sql_conn c;
    int fd, r;

    mac_keyed(page_key, label, sizeof label - 1, NULL, 0, id);
    if (unlink(path) < 0 && errno != ENOENT)
        return pc_err_wrap(-errno, "%s: ", path);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600); /* the log takes its mode */
    if (fd < 0)
        return pc_err_wrap(-errno, "%s: ", path);
    close(fd);
    r = conn_create(vfs, path, &c);
    if (r < 0)
        return r;
    r = conn_exec(&c, "BEGIN IMMEDIATE");
    if (r == 0)
        r = ground_create(&c, id);
    if (r == 0)
        r = schema_create(c.db, uid, gid);
    if (r == 0)
        r = conn_exec(&c, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
    if (r < 0) {
        conn_close(&c);
        return r;
    }
    *ret = c;
    return 0;
}

/* Give it its name, durably. */
static int publish(const char *dir, const char *from, const char *to)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

    if (fd < 0)
        return pc_err_wrap(-errno, "%s: ", dir);
    if (rename(from, to) < 0 || fsync(fd) < 0)
        r = pc_err_wrap(-errno, "%s: ", to);
    close(fd);
    return r;
}

int meta_create(const char *dir, const uint8_t page_key[32], uint32_t uid, uint32_t gid)
{
    char *path = mem_printf("%s/" ENGINE_DB, dir), *made = mem_printf("%s/" ENGINE_DB_NEW, dir);
    struct seal_vfs *vfs = NULL;
    struct sql_conn c;
    int r = -ENOMEM;

    if (!path || !made)
        goto free_paths;
    r = path_exists(path);
    if (r > 0)
        r = pc_err_set(-EEXIST, "there is a metadata database in %s already", dir);
    if (r < 0)
        goto free_paths;
    r = seal_vfs_new(page_key, NULL, &vfs);
    if (r < 0)
        goto free_paths;
    r = engine_create(vfs, made, page_key, uid, gid, &c);
    if (r == 0) {
        conn_close(&c); /* the log goes with the last connection */
        r = publish(dir, made, path);
    }
    if (r < 0)
        unlink(made);
    seal_vfs_free(vfs);
free_paths:
    mem_free(made);
    mem_free(path);
    return r;
}

static int format_check(struct engine *e)
{
    int64_t format;
    sqlite3_stmt *st;
    int r = setting_get(&e->writer, "format", &format);

    if (r < 0)
        return r;
    if (format != ENGINE_FORMAT)
        return pc_err_set(PC_EVERSION,
                          "the metadata in %s has format %lld, this program reads format %d; use "
                          "the version of pcloud that made it",
                          e->dir, (long long)format, ENGINE_FORMAT);
    r = sql_one(&e->writer, "SELECT value FROM setting WHERE key = 'volume_id'", &st, "");
    if (r <= 0)
        return r < 0 ? r : PC_ECORRUPT;
    if (sqlite3_column_bytes(st, 0) == sizeof e->volume_id)
        memcpy(e->volume_id, sqlite3_column_blob(st, 0), sizeof e->volume_id);
    sqlite3_reset(st);
    return 0;
}

/* Map what is shared; if nobody else is there, make it anew from the database and from what the dead left. */
static int shared_open(struct engine *e, const uint8_t *page_key)
{
    char *shm = mem_printf("%s/shm", e->dir), *redo = mem_printf("%s/redo", e->dir);
    int alone = lease_alone(&e->lease), r = alone < 0 ? alone : 0;

    if (!shm || !redo)
        r = -ENOMEM;
    if (r == 0)
        r = lease_claim(&e->lease);
    if (r == 0)
        r = shm_open_at(shm, alone, &e->shm);
    if (r == 0)
        r = shm_slot_claim(&e->shm, e->lease.slot);
    if (r == 0)
        r = redo_open(redo, page_key, &e->redo);
    mem_free(shm);
    mem_free(redo);
    if (r < 0 || !alone)
        return r;
    r = lease_take(&e->lease, &e->shm);
    if (r < 0)
        return r;
    r = counters_load(e);
    if (r == 0)
        r = txn_recover(e);
    atomic_store(&e->shm.head->next_id, atomic_load(&e->shm.head->id_end));
    lease_release(&e->lease, &e->shm);
    return r;
}

/* Opening writes nothing: the number gets into the database with the first commit, and what names it does not get there before. */
static void session_start(struct engine *e, const char *program)
{
    struct shm_slot *slot = &e->shm.head->slots[e->lease.slot];

    snprintf(slot->program, sizeof slot->program, "%s", program ? program : "?");
    e->session = atomic_fetch_add(&e->shm.head->last_session, 1) + 1;
    atomic_store(&slot->session, e->session);
}

static void engine_init(struct engine *e, const struct meta_options *o)
{
    snap_ops(&e->node_ops, &e->content_ops);
    e->meta = (struct meta){&e->node_ops, &e->content_ops, &sql_object_ops, &sql_trash_ops};
    e->data_barrier = o->data_barrier;
    e->barrier_arg = o->barrier_arg;
    e->reserve_bytes = o->reserve_bytes;
    e->log_fd = e->dir_fd = e->db_fd = e->lease.fd = -1;
    pthread_mutex_init(&e->lock, NULL);
    pthread_mutex_init(&e->thread_lock, NULL);
    pthread_cond_init(&e->log_grew, NULL);
    pthread_mutex_init(&e->sync_lock, NULL);
    pthread_cond_init(&e->sync_done, NULL);
    pthread_mutex_init(&e->reader_lock, NULL);
    pthread_cond_init(&e->reader_back, NULL);
    pthread_mutex_init(&e->pin_lock, NULL);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* The session ends when the lease file is closed. */
static void engine_free(struct engine *e)
{
    readers_close(e);
    snap_views_free(e->views);
    conn_close(&e->writer);
    record_free(&e->op);
    quota_op_free(e->quota);
    redo_close(e->redo);
    if (e->shm.head && e->lease.slot < SHM_SLOTS)
        shm_slot_clear(&e->shm, e->lease.slot);
    shm_close(&e->shm);
    lease_close(&e->lease);
    close_fd(e->log_fd);
    close_fd(e->dir_fd);
    close_fd(e->db_fd);
    seal_vfs_free(e->vfs);
    pthread_mutex_destroy(&e->pin_lock);
    pthread_cond_destroy(&e->reader_back);
    pthread_mutex_destroy(&e->reader_lock);
    pthread_cond_destroy(&e->sync_done);
    pthread_mutex_destroy(&e->sync_lock);
    pthread_cond_destroy(&e->log_grew);
    pthread_mutex_destroy(&e->thread_lock);
    pthread_mutex_destroy(&e->lock);
    mem_free(e->path);
    mem_free(e->dir);
    mem_free(e);
}

static int files_open(struct engine *e, const struct meta_options *o)
{
    char *log = mem_printf("%s-wal", e->path), *lease = mem_printf("%s/lease", e->dir);
    int r = -ENOMEM;

    if (!log || !lease)
        goto free_paths;
    r = seal_vfs_new(o->page_key, engine_tuning.below, &e->vfs);
    if (r < 0)
        goto free_paths;
    e->dir_fd = open(e->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (e->dir_fd < 0) {
        r = pc_err_wrap(-errno, "%s: ", e->dir);
        goto free_paths;
    }
    r = lease_open(lease, &e->lease);
    if (r == 0)
        r = conn_open(e->vfs, e->path, &e->writer);
    if (r < 0)
        goto free_paths;
    e->log_fd = open(log, O_RDWR | O_CLOEXEC);
    if (e->log_fd < 0)
        r = pc_err_wrap(-errno, "%s: ", log);
free_paths:
    mem_free(lease);
    mem_free(log);
    return r;
}

int meta_open(const struct meta_options *o, struct meta **ret)
{
    struct engine *e = mem_calloc(1, sizeof *e);
    int r = -ENOMEM;

    if (!e)
        return r;
    engine_init(e, o);
    e->dir = mem_strdup(o->dir);
    e->path = mem_printf("%s/" ENGINE_DB, o->dir);
    e->quota = quota_op_new();
    if (!e->dir || !e->path || !e->quota)
        goto free_engine;
    r = snap_views_new(&e->views);
    if (r < 0)
        goto free_engine;
    r = path_exists(e->path);
    if (r == 0)
        r = pc_err_set(PC_ENOHOME, "there is no metadata database in %s; run pcloud init", o->dir);
    if (r > 0)
        r = files_open(e, o);
    if (r == 0)
        r = format_check(e);
    if (r < 0)
        goto free_engine;
    r = lease_setup(&e->lease);
    if (r < 0)
        goto free_engine;
    r = shared_open(e, o->page_key);
    if (r == 0)
        session_start(e, o->program);
    lease_setup_end(&e->lease);
    if (r < 0)
        goto free_engine;
    checkpoint_watch(e);
    *ret = &e->meta;
    return 0;
free_engine:
    engine_free(e);
    return r;
}

int meta_close(struct meta *m)
{
    struct engine *e = engine_of(m);
    int r;

    engine_stop(e);
    r = meta_sync(m);
    engine_free(e);
    return r;
}

void meta_volume_id(struct meta *m, uint8_t id[16])
{
    memcpy(id, engine_of(m)->volume_id, 16);
}
