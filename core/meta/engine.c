/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the engine: a new database, a session on it, its end. */
#include "meta/engine.h"

#include "base/alloc.h"
#include "crypto/aead.h"
#include "meta/schema.h"
#include "pcloud/err.h"

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

static int db_exists(const char *dir)
{
    char *path = mem_printf("%s/" ENGINE_DB, dir);
    int r;

    if (!path)
        return -ENOMEM;
    r = access(path, F_OK) == 0;
    mem_free(path);
    return r;
}

int meta_create(const char *dir, const uint8_t page_key[32], uint32_t uid, uint32_t gid)
{
    static const char label[] = "pcloud v1 volume id";
    uint8_t id[MAC_BYTES];
    struct sql_conn c;
    int r = db_exists(dir);

    if (r < 0)
        return r;
    if (r)
        return pc_err_set(-EEXIST, "there is a metadata database in %s already", dir);
    mac_keyed(page_key, label, sizeof label - 1, NULL, 0, id);
    r = conn_open(dir, page_key, true, &c);
    if (r < 0)
        return r;
    r = exec(&c, "BEGIN IMMEDIATE");
    if (r == 0)
        r = ground_create(&c, id);
    if (r == 0)
        r = schema_create(c.db, uid, gid);
    if (r == 0)
        r = exec(&c, "COMMIT");
    conn_close(&c);
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
    if (!e->dir)
        goto free_engine;
    r = db_exists(o->dir);
    if (r <= 0) {
        if (r == 0)
            r = pc_err_set(PC_ENOHOME, "there is no metadata database in %s; run pcloud init",
                           o->dir);
        goto free_engine;
    }
    r = conn_open(o->dir, o->page_key, false, &e->writer);
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
    mem_free(e->dir);
    mem_free(e);
    return r;
}

int meta_close(struct meta *m)
{
    struct engine *e = engine_of(m);
    int r = meta_sync(m);

    conn_close(&e->writer);
    pthread_cond_destroy(&e->feed_more);
    pthread_mutex_destroy(&e->feed_lock);
    pthread_mutex_destroy(&e->pin_lock);
    pthread_mutex_destroy(&e->lock);
    mem_free(e->dir);
    mem_free(e);
    return r;
}

void meta_volume_id(struct meta *m, uint8_t id[16])
{
    memcpy(id, engine_of(m)->volume_id, 16);
}
