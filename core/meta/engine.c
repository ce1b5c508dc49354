/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the engine: a new database, a session on it, its end. */
#include "meta/engine.h"

#include "base/alloc.h"
#include "crypto/aead.h"
#include "meta/schema.h"
#include "pcloud/err.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int exec(struct sql_conn *c, const char *sql)
{
    int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK
               ? 0
               : pc_err_set(sql_code(rc), "metadata database: %s", sqlite3_errmsg(c->db));
}

static int path_exists(const char *path)
{
    if (access(path, F_OK) == 0)
        return 1;
    return errno == ENOENT ? 0 : pc_err_wrap(-errno, "%s: ", path);
}

/* Make the whole database under a name that nobody opens. */
static int create_at(const char *path, const struct seal_vfs *vfs, const uint8_t volume_id[16],
                     uint32_t uid, uint32_t gid)
{
    struct sql_conn c;
    int fd, r;

    if (unlink(path) < 0 && errno != ENOENT)
        return pc_err_wrap(-errno, "%s: ", path);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600); /* the log takes its mode */
    if (fd < 0)
        return pc_err_wrap(-errno, "%s: ", path);
    close(fd);
    r = conn_create(vfs, path, &c);
    if (r < 0)
        return r;
    r = exec(&c, "BEGIN IMMEDIATE");
    if (r == 0)
        r = ground_create(&c, volume_id);
    if (r == 0)
        r = schema_create(c.db, uid, gid);
    if (r == 0)
        r = exec(&c, "COMMIT");
    if (r == 0)
        r = exec(&c, "PRAGMA wal_checkpoint(TRUNCATE)");
    conn_close(&c); /* the log goes with the last connection */
    return r;
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
    static const char label[] = "pcloud v1 volume id";
    char *path = mem_printf("%s/" ENGINE_DB, dir), *made = mem_printf("%s/" ENGINE_DB_NEW, dir);
    struct seal_vfs *vfs = NULL;
    uint8_t id[MAC_BYTES];
    int r = -ENOMEM;

    if (!path || !made)
        goto free_paths;
    r = path_exists(path);
    if (r > 0)
        r = pc_err_set(-EEXIST, "there is a metadata database in %s already", dir);
    if (r < 0)
        goto free_paths;
    mac_keyed(page_key, label, sizeof label - 1, NULL, 0, id);
    r = seal_vfs_new(page_key, NULL, &vfs);
    if (r < 0)
        goto free_paths;
    r = create_at(made, vfs, id, uid, gid);
    if (r == 0)
        r = publish(dir, made, path);
    if (r < 0)
        unlink(made);
    seal_vfs_free(vfs);
free_paths:
    mem_free(made);
    mem_free(path);
    return r;
}

/* Read the settings that rise; take this session's number. */
static int session_start(struct engine *e, const char *program)
{
    struct sql_conn *c = &e->writer;
    int64_t format, next_id, change, session, feed;
    sqlite3_stmt *st;
    int r = setting_get(c, "format", &format);

    if (r < 0)
        return r;
    if (format != ENGINE_FORMAT)
        return pc_err_set(PC_EVERSION,
                          "the metadata in %s has format %lld, this program reads format %d; use "
                          "the version of pcloud that made it",
                          e->dir, (long long)format, ENGINE_FORMAT);
    if ((r = setting_get(c, "next_id", &next_id)) < 0 ||
        (r = setting_get(c, "change", &change)) < 0 ||
        (r = setting_get(c, "session", &session)) < 0 || (r = setting_get(c, "feed", &feed)) < 0)
        return r;
    r = sql_one(c, "SELECT value FROM setting WHERE key = 'volume_id'", &st, "");
    if (r <= 0)
        return r < 0 ? r : PC_ECORRUPT;
    if (sqlite3_column_bytes(st, 0) == 16)
        memcpy(e->volume_id, sqlite3_column_blob(st, 0), 16);
    sqlite3_reset(st);
    e->session = (uint64_t)session + 1;
    e->next_id = (uint64_t)next_id;
    e->next_id_end = e->next_id;
    e->change = (uint64_t)change;
    e->feed_end = (uint64_t)feed;
    e->feed_next = e->feed_end + 1;
    r = setting_set(c, "session", (int64_t)e->session);
    if (r < 0)
        return r;
    r = sql_run(c, "INSERT INTO session VALUES(?, ?, ?, ?)", "uiti", e->session, (int64_t)getpid(),
                program ? program : "", (int64_t)time(NULL));
    return r < 0 ? r : 0;
}

static void engine_free(struct engine *e)
{
    seal_vfs_free(e->vfs);
    pthread_cond_destroy(&e->feed_more);
    pthread_mutex_destroy(&e->feed_lock);
    pthread_mutex_destroy(&e->pin_lock);
    pthread_mutex_destroy(&e->lock);
    mem_free(e->path);
    mem_free(e->dir);
    mem_free(e);
}

int meta_open(const struct meta_options *o, struct meta **ret)
{
    struct engine *e = mem_calloc(1, sizeof *e);
    int r = -ENOMEM;

    if (!e)
        return r;
    e->meta = (struct meta){&sql_node_ops, &sql_content_ops, &sql_object_ops};
    e->data_barrier = o->data_barrier;
    e->barrier_arg = o->barrier_arg;
    e->reserve_bytes = o->reserve_bytes;
    pthread_mutex_init(&e->lock, NULL);
    pthread_mutex_init(&e->pin_lock, NULL);
    pthread_mutex_init(&e->feed_lock, NULL);
    pthread_cond_init(&e->feed_more, NULL);
    e->dir = mem_strdup(o->dir);
    e->path = mem_printf("%s/" ENGINE_DB, o->dir);
    if (!e->dir || !e->path)
        goto free_engine;
    r = path_exists(e->path);
    if (r == 0)
        r = pc_err_set(PC_ENOHOME, "there is no metadata database in %s; run pcloud init", o->dir);
    if (r < 0)
        goto free_engine;
    r = seal_vfs_new(o->page_key, NULL, &e->vfs);
    if (r < 0)
        goto free_engine;
    r = conn_open(e->vfs, e->path, &e->writer);
    if (r < 0)
        goto free_engine;
    r = exec(&e->writer, "BEGIN IMMEDIATE");
    if (r == 0)
        r = session_start(e, o->program);
    if (r == 0)
        r = exec(&e->writer, "COMMIT");
    if (r < 0)
        goto close_writer;
    *ret = &e->meta;
    return 0;
close_writer:
    conn_close(&e->writer);
free_engine:
    engine_free(e);
    return r;
}

int meta_close(struct meta *m)
{
    struct engine *e = engine_of(m);
    int r = meta_sync(m);

    conn_close(&e->writer);
    engine_free(e);
    return r;
}

void meta_volume_id(struct meta *m, uint8_t id[16])
{
    memcpy(id, engine_of(m)->volume_id, 16);
}
