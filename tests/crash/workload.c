/* SPDX-License-Identifier: Apache-2.0 */
/* Operations drawn by dice; each does the same to the volume and to the model. */
#include "workload.h"

#include "data_rig.h"
#include "pcloud/err.h"
#include "pcloud/file.h"
#include "pcloud/node.h"
#include "pcloud/object.h"
#include "pcloud/upkeep.h"
#include "pcloud/upload.h"
#include "recorder.h"
#include "test_env.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BUCKET "bucket"
#define CONTENT_MAX (1u << 20)
#define PART_ONE PC_PART_MIN

struct lazy {
    struct pc_file *file;
    struct model_node *node;
};

struct work {
    struct pc_volume *v;
    struct model *m;
    uint64_t rng;
    unsigned fresh; /* for names */
    struct lazy lazy[2];
    uint8_t *buf;
};

static void must(long r, const char *what)
{
    if (r >= 0)
        return;
    fprintf(stderr, "workload: %s: %s\n", what, pc_err_text((int)r));
    abort();
}

static uint64_t dice(struct work *w, uint64_t n)
{
    return test_random(&w->rng) % n;
}

/* New content in w->buf; its length. */
static size_t content(struct work *w)
{
    static const size_t most[] = {100, 4096, 4097, 60000, 200000, CONTENT_MAX};
    size_t len = dice(w, most[dice(w, 6)]) + 1;

    rig_fill(w->buf, len, test_random(&w->rng), dice(w, 2));
    return len;
}

static void begin(struct work *w)
{
    rec_mark(MARK_BEGIN, model_begin(w->m));
}

/* The operation was acknowledged as durable, and with it all that is in the engine. */
static void sure(struct work *w)
{
    rec_mark(MARK_SURE, w->m->ops);
}

/* An entry of a kind, or NULL. */
static struct model_entry *pick(struct work *w, enum model_kind kind)
{
    struct model_state *s = model_now(w->m);
    unsigned from = (unsigned)dice(w, s->n + 1u);

    for (unsigned i = 0; i < s->n; i++) {
        struct model_entry *e = &s->entry[(from + i) % s->n];

        if (e->node->kind == kind)
            return e;
    }
    return NULL;
}

/* A path that is not there, in a folder that is; and that folder's node. */
static uint64_t new_path(struct work *w, char path[64])
{
    struct model_entry *dir = pick(w, MODEL_FOLDER);
    struct pc_attr attr;
    char full[80];

    if (!dir || dice(w, 3) == 0 || strchr(dir->path, '/') || strcmp(dir->path, BUCKET) == 0) {
        snprintf(path, 64, "n%u", w->fresh++);
        return PC_ROOT_INO;
    }
    snprintf(full, sizeof full, "/%s", dir->path);
    must(pc_resolve(w->v, full, &attr), "resolve");
    snprintf(path, 64, "%.40s/n%u", dir->path, w->fresh++);
    return attr.ino;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static uint64_t parent_of(struct work *w, const char *path)
{
    char dir[80];
    struct pc_attr attr;
    const char *slash = strrchr(path, '/');

    if (!slash)
        return PC_ROOT_INO;
    snprintf(dir, sizeof dir, "/%.*s", (int)(slash - path), path);
    must(pc_resolve(w->v, dir, &attr), "resolve");
    return attr.ino;
}

static struct pc_file *open_path(struct work *w, const char *path, int flags)
{
    char full[80];
    struct pc_attr attr;
    struct pc_file *f;

    snprintf(full, sizeof full, "/%s", path);
    must(pc_resolve(w->v, full, &attr), "resolve");
    must(pc_file_open(w->v, attr.ino, flags, &f), "open");
    return f;
}

static void do_mkdir(struct work *w)
{
    const struct pc_make make = {.mode = S_IFDIR | 0755};
    struct pc_attr attr;
    char path[64];
    uint64_t parent = new_path(w, path);

    if (model_now(w->m)->n > MODEL_ENTRIES - 8)
        return;
    begin(w);
    must(pc_make(w->v, parent, name_of(path), &make, &attr), "mkdir");
    model_set(model_now(w->m), path, model_node_new(w->m, MODEL_FOLDER, "", 0));
}

/* Write to the open file, and the model's next content of it. */
static void write_some(struct work *w, struct pc_file *f, struct model_node *n, bool flushed)
{
    const struct model_version *old = &n->version[n->versions - 1];
    size_t len = content(w), off = dice(w, old->len + 1), end;
    uint8_t *data;

    if (off + len > CONTENT_MAX * 2)
        off = 0;
    end = off + len > old->len ? off + len : old->len;
    data = calloc(1, end);
    if (!data)
        abort();
    memcpy(data, old->data, old->len);
    memcpy(data + off, w->buf, len);
    model_change(w->m, n, data, end, flushed);
    free(data);
    must(pc_file_write(f, w->buf, len, off), "write");
}

static void do_create(struct work *w)
{
    const struct pc_make make = {.mode = S_IFREG | 0644};
    struct model_node *n;
    struct pc_attr attr;
    struct pc_file *f;
    char path[64];
    uint64_t parent = new_path(w, path);

    if (model_now(w->m)->n > MODEL_ENTRIES - 8)
        return;
    begin(w);
    must(pc_make(w->v, parent, name_of(path), &make, &attr), "create");
    n = model_node_new(w->m, MODEL_FILE, "", 0);
    model_set(model_now(w->m), path, n);
    begin(w);
    must(pc_file_open(w->v, attr.ino, O_RDWR, &f), "open");
    write_some(w, f, n, true);
    must(pc_file_close(f), "close");
}

static void do_overwrite(struct work *w)
{
    struct model_entry *e = pick(w, MODEL_FILE);
    struct model_node *n;
    struct pc_file *f;
    char path[64];

    if (!e)
        return;
    n = e->node;
    memcpy(path, e->path, sizeof path);
    begin(w);
    f = open_path(w, path, O_RDWR);
    write_some(w, f, n, true);
    if (dice(w, 3) == 0) {
        must(pc_file_sync(f), "fsync");
        sure(w);
    }
    must(pc_file_close(f), "close");
}

static void close_lazy(struct work *w, struct lazy *l)
{
    if (!l->file)
        return;
    begin(w);
    must(pc_file_close(l->file), "close");
    model_flushed(w->m, l->node);
    l->file = NULL;
}

/* Write and leave the file open: the content is in memory until somebody flushes. */
static void do_lazy(struct work *w)
{
    struct lazy *l = &w->lazy[dice(w, 2)];
    struct model_entry *e;
    char path[64];

    close_lazy(w, l);
    e = pick(w, MODEL_FILE);
    if (!e)
        return;
    memcpy(path, e->path, sizeof path);
    begin(w);
    l->node = model_find(model_now(w->m), path)->node;
    l->file = open_path(w, path, O_RDWR);
    write_some(w, l->file, l->node, false);
}

static void do_truncate(struct work *w)
{
    struct model_entry *e = pick(w, MODEL_FILE);
    const struct model_version *old;
    struct pc_attr attr, in = {0};
    struct model_node *n;
    char full[80];
    uint8_t *data;

    if (!e)
        return;
    n = e->node;
    snprintf(full, sizeof full, "/%s", e->path);
    old = &n->version[n->versions - 1];
    in.size = dice(w, old->len + 5000);
    data = calloc(1, in.size + 1);
    if (!data)
        abort();
    memcpy(data, old->data, old->len < in.size ? old->len : in.size);
    begin(w);
    model_change(w->m, n, data, in.size, true);
    free(data);
    must(pc_resolve(w->v, full, &attr), "resolve");
    must(pc_setattr(w->v, attr.ino, PC_SET_SIZE, &in, NULL), "truncate");
}

static void do_rename(struct work *w)
{
    struct model_entry *from = pick(w, MODEL_FILE), *to = pick(w, MODEL_FILE);
    char a[64], b[64];
    struct model_node *n;

    if (!from || !to || from->node == to->node)
        return;
    memcpy(a, from->path, sizeof a);
    memcpy(b, to->path, sizeof b);
    n = from->node;
    if (dice(w, 2))
        new_path(w, b);
    begin(w);
    must(pc_rename(w->v, parent_of(w, a), name_of(a), parent_of(w, b), name_of(b), 0), "rename");
    model_drop(model_now(w->m), a);
    model_set(model_now(w->m), b, n);
}

static void do_unlink(struct work *w)
{
    struct model_entry *e = pick(w, dice(w, 4) ? MODEL_FILE : MODEL_SYMLINK);
    char path[64];

    if (!e)
        return;
    memcpy(path, e->path, sizeof path);
    begin(w);
    must(pc_unlink(w->v, parent_of(w, path), name_of(path)), "unlink");
    model_drop(model_now(w->m), path);
}

static void do_link(struct work *w)
{
    struct model_entry *e = pick(w, MODEL_FILE);
    char path[64], full[80];
    struct model_node *n;
    struct pc_attr attr;
    uint64_t parent;

    if (!e || model_now(w->m)->n > MODEL_ENTRIES - 8)
        return;
    n = e->node;
    snprintf(full, sizeof full, "/%s", e->path);
    parent = new_path(w, path);
    begin(w);
    must(pc_resolve(w->v, full, &attr), "resolve");
    must(pc_link(w->v, attr.ino, parent, name_of(path), &attr), "link");
    model_set(model_now(w->m), path, n);
}

static void do_symlink(struct work *w)
{
    char path[64], target[32];
    uint64_t parent = new_path(w, path);
    const struct pc_make make = {.mode = S_IFLNK | 0777, .target = target};
    struct pc_attr attr;

    if (model_now(w->m)->n > MODEL_ENTRIES - 8)
        return;
    snprintf(target, sizeof target, "to-%u", w->fresh);
    begin(w);
    must(pc_make(w->v, parent, name_of(path), &make, &attr), "symlink");
    model_set(model_now(w->m), path, model_node_new(w->m, MODEL_SYMLINK, target, strlen(target)));
}

static void do_put(struct work *w)
{
    struct model_entry *old = pick(w, MODEL_OBJECT);
    size_t len = content(w);
    struct pc_put *p;
    char path[64];

    if (old && dice(w, 3) == 0)
        memcpy(path, old->path, sizeof path);
    else
        snprintf(path, sizeof path, BUCKET "/o%u", w->fresh++);
    if (model_now(w->m)->n > MODEL_ENTRIES - 8)
        return;
    begin(w);
    must(pc_put_begin(w->v, &p), "put");
    must(pc_put_write(p, w->buf, len), "put");
    must(pc_put_commit(p, BUCKET, name_of(path), strlen(name_of(path)), "0123", NULL, NULL, NULL),
         "put");
    model_set(model_now(w->m), path, model_node_new(w->m, MODEL_OBJECT, w->buf, len));
    sure(w);
}

static void do_delete(struct work *w)
{
    struct model_entry *e = pick(w, MODEL_OBJECT);
    char path[64];
    bool existed;

    if (!e)
        return;
    memcpy(path, e->path, sizeof path);
    begin(w);
    must(pc_object_delete(w->v, BUCKET, name_of(path), strlen(name_of(path)), NULL, &existed),
         "delete");
    model_drop(model_now(w->m), path);
    sure(w);
}

static void put_part(struct work *w, const char *key, const char *id, unsigned number,
                     const uint8_t *data, size_t len)
{
    struct pc_part part = {.number = number, .etag = "aa"};
    struct pc_put *p;

    begin(w);
    must(pc_put_begin(w->v, &p), "part");
    must(pc_put_write(p, data, len), "part");
    must(pc_put_commit_part(p, BUCKET, key, strlen(key), id, &part), "part");
    sure(w);
}

static void do_multipart(struct work *w)
{
    static uint8_t data[PART_ONE + 30000];
    const struct pc_part parts[2] = {{.number = 1, .etag = "aa"}, {.number = 2, .etag = "aa"}};
    char id[PC_UPLOAD_ID_MAX], path[64];
    const char *key;

    if (model_now(w->m)->n > MODEL_ENTRIES - 8)
        return;
    snprintf(path, sizeof path, BUCKET "/o%u", w->fresh++);
    key = name_of(path);
    rig_fill(data, sizeof data, 7, true);
    rig_fill(data, 1000, test_random(&w->rng), false);
    begin(w);
    must(pc_upload_create(w->v, BUCKET, key, strlen(key), "", NULL, id), "upload");
    sure(w);
    put_part(w, key, id, 2, data + PART_ONE, 30000);
    put_part(w, key, id, 1, data, PART_ONE);
    begin(w);
    if (dice(w, 4) == 0) {
        must(pc_upload_abort(w->v, BUCKET, key, strlen(key), id), "abort");
    } else {
        must(pc_upload_complete(w->v, BUCKET, key, strlen(key), id, parts, 2, "ab-2", NULL, NULL,
                                NULL),
             "complete");
        model_set(model_now(w->m), path, model_node_new(w->m, MODEL_OBJECT, data, sizeof data));
    }
    sure(w);
}

static void do_copy(struct work *w)
{
    struct model_entry *e = pick(w, MODEL_OBJECT);
    const struct model_version *old;
    char path[64], from[64];

    if (!e || model_now(w->m)->n > MODEL_ENTRIES - 8)
        return;
    old = &e->node->version[e->node->versions - 1];
    memcpy(from, e->path, sizeof from);
    snprintf(path, sizeof path, BUCKET "/o%u", w->fresh++);
    begin(w);
    must(pc_object_copy(w->v, BUCKET, name_of(from), strlen(name_of(from)), NULL, BUCKET,
                        name_of(path), strlen(name_of(path)), NULL, NULL, NULL),
         "copy");
    model_set(model_now(w->m), path, model_node_new(w->m, MODEL_OBJECT, old->data, old->len));
    sure(w);
}

static void do_gc(struct work *w)
{
    struct pc_gc_result r;

    begin(w);
    must(pc_gc(w->v, true, NULL, &r), "gc");
}

static void do_sync(struct work *w)
{
    begin(w);
    must(pc_volume_sync(w->v), "sync");
    for (unsigned i = 0; i < w->m->nodes; i++)
        model_flushed(w->m, w->m->node[i]);
    sure(w);
}

void workload_run(struct pc_volume *v, struct model *m, uint64_t seed, unsigned ops)
{
    static void (*const table[])(struct work * w) = {
        do_create, do_create, do_create, do_overwrite, do_overwrite, do_overwrite, do_lazy,
        do_lazy,   do_mkdir,  do_rename, do_unlink,    do_truncate,  do_link,      do_symlink,
        do_put,    do_put,    do_put,    do_delete,    do_copy,      do_gc,        do_sync,
    };
    struct work w = {
        .v = v, .m = m, .rng = seed + m->ops, .fresh = m->ops, .buf = malloc(CONTENT_MAX)};

    if (!w.buf)
        abort();
    if (m->ops == 0) {
        begin(&w);
        must(pc_bucket_create(v, BUCKET, ""), "bucket");
        model_set(model_now(m), BUCKET, model_node_new(m, MODEL_FOLDER, "", 0));
        sure(&w);
    }
    while (m->ops < ops) {
        if (dice(&w, 40) == 0)
            do_multipart(&w);
        else
            table[dice(&w, sizeof table / sizeof *table)](&w);
        if (model_now(m)->n > MODEL_ENTRIES - 10)
            do_unlink(&w);
        if (model_now(m)->n > MODEL_ENTRIES - 10)
            do_delete(&w);
    }
    close_lazy(&w, &w.lazy[0]);
    close_lazy(&w, &w.lazy[1]);
    do_sync(&w);
    free(w.buf);
}
