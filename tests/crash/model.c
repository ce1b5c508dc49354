/* SPDX-License-Identifier: Apache-2.0 */
/* States as whole copies, content as whole buffers: the model must be plainly right, not fast. */
#include "model.h"

#include "pcloud/err.h"
#include "pcloud/file.h"
#include "pcloud/node.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

unsigned model_begin(struct model *m)
{
    m->ops++;
    m->state = must(realloc(m->state, (m->ops + 1) * sizeof *m->state));
    m->state[m->ops] = m->ops > 1 ? m->state[m->ops - 1] : (struct model_state){.n = 0};
    if (m->ops == 1)
        m->state[0] = m->state[1];
    return m->ops;
}

struct model_state *model_now(struct model *m)
{
    return &m->state[m->ops];
}

void model_change(struct model *m, struct model_node *n, const void *data, size_t len, bool sure)
{
    struct model_version *v;

    n->version = must(realloc(n->version, (n->versions + 1) * sizeof *n->version));
    v = &n->version[n->versions++];
    v->op = m->ops;
    v->sure = MODEL_PENDING;
    v->len = len;
    v->data = must(malloc(len + 1));
    memcpy(v->data, data, len);
    if (sure)
        model_flushed(m, n);
}

void model_flushed(struct model *m, struct model_node *n)
{
    for (unsigned i = 0; i < n->versions; i++)
        if (n->version[i].sure == MODEL_PENDING)
            n->version[i].sure = m->ops;
}

struct model_node *model_node_new(struct model *m, enum model_kind kind, const void *data,
                                  size_t len)
{
    struct model_node *n = must(calloc(1, sizeof *n));

    n->kind = kind;
    if (m->nodes == sizeof m->node / sizeof *m->node)
        abort();
    m->node[m->nodes++] = n;
    model_change(m, n, data, len, true);
    return n;
}

struct model_entry *model_find(struct model_state *s, const char *path)
{
    for (unsigned i = 0; i < s->n; i++)
        if (strcmp(s->entry[i].path, path) == 0)
            return &s->entry[i];
    return NULL;
}

void model_set(struct model_state *s, const char *path, struct model_node *n)
{
    struct model_entry *e = model_find(s, path);

    if (!e) {
        if (s->n == MODEL_ENTRIES)
            abort();
        e = &s->entry[s->n++];
        snprintf(e->path, sizeof e->path, "%s", path);
    }
    e->node = n;
}

void model_drop(struct model_state *s, const char *path)
{
    struct model_entry *e = model_find(s, path);

    if (e)
        *e = s->entry[--s->n];
}

void model_free(struct model *m)
{
    for (unsigned i = 0; i < m->nodes; i++) {
        for (unsigned j = 0; j < m->node[i]->versions; j++)
            free(m->node[i]->version[j].data);
        free(m->node[i]->version);
        free(m->node[i]);
    }
    free(m->state);
    *m = (struct model){0};
}

/* What the volume holds: paths, kinds, content. */
struct found {
    char path[64];
    mode_t mode;
    uint8_t *data;
    size_t len;
};

struct walk {
    struct pc_volume *v;
    char dir[64];
    struct found found[MODEL_ENTRIES];
    unsigned n;
    uint64_t ino[MODEL_ENTRIES];
    int error;
};

static int on_entry(void *arg, const char *name, const struct pc_attr *attr, uint64_t next)
{
    struct walk *w = arg;
    struct found *f = &w->found[w->n];

    (void)next;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    if (w->n == MODEL_ENTRIES || (size_t)snprintf(f->path, sizeof f->path, "%s%s%s", w->dir,
                                                  w->dir[0] ? "/" : "", name) >= sizeof f->path)
        return 1;
    f->mode = attr->mode;
    f->len = (size_t)attr->size;
    w->ino[w->n++] = attr->ino;
    return 0;
}

static int read_content(struct pc_volume *v, uint64_t ino, struct found *f)
{
    struct pc_file *file;
    ssize_t n;
    int r;

    f->data = must(calloc(1, f->len + 1));
    if (S_ISLNK(f->mode)) {
        n = pc_readlink(v, ino, (char *)f->data, f->len + 1);
        return n < 0 ? (int)n : 0;
    }
    r = pc_file_open(v, ino, O_RDONLY, &file);
    if (r < 0)
        return r;
    n = pc_file_read(file, f->data, f->len, 0);
    pc_file_close(file);
    if (n < 0)
        return (int)n;
    return (size_t)n == f->len ? 0 : -EIO;
}

static int walk(struct walk *w)
{
    for (unsigned at = 0; at <= w->n; at++) {
        uint64_t ino = at == 0 ? PC_ROOT_INO : w->ino[at - 1];
        struct pc_dir *d;
        int r;

        if (at > 0 && !S_ISDIR(w->found[at - 1].mode)) {
            r = read_content(w->v, ino, &w->found[at - 1]);
            if (r < 0)
                return pc_err_wrap(r, "%s: ", w->found[at - 1].path);
            continue;
        }
        snprintf(w->dir, sizeof w->dir, "%s", at == 0 ? "" : w->found[at - 1].path);
        r = pc_dir_open(w->v, ino, &d);
        if (r < 0)
            return r;
        r = pc_dir_read(d, 0, on_entry, w);
        pc_dir_close(d);
        if (r < 0)
            return r;
    }
    return 0;
}

static bool kind_fits(const struct found *f, enum model_kind kind)
{
    return kind == MODEL_FOLDER    ? S_ISDIR(f->mode)
           : kind == MODEL_SYMLINK ? S_ISLNK(f->mode)
                                   : S_ISREG(f->mode);
}

static bool same(const struct found *f, const struct model_version *v)
{
    return f->len == v->len && memcmp(f->data, v->data, v->len) == 0;
}

/* A file in the middle of being written: each byte is that of one of the contents it may have, and so is its length, or between. */
static bool mixed(const struct found *f, const struct model_node *n, unsigned lo, unsigned hi)
{
    size_t least = SIZE_MAX, most = 0;

    for (unsigned v = lo; v <= hi; v++) {
        least = n->version[v].len < least ? n->version[v].len : least;
        most = n->version[v].len > most ? n->version[v].len : most;
    }
    if (f->len < least || f->len > most)
        return false;
    for (size_t i = 0; i < f->len; i++) {
        bool ok = false;

        for (unsigned v = lo; v <= hi && !ok; v++)
            ok = i < n->version[v].len ? n->version[v].data[i] == f->data[i] : f->data[i] == 0;
        if (!ok)
            return false;
    }
    return true;
}

static bool content_fits(const struct found *f, const struct model_node *n, unsigned sure,
                         unsigned last)
{
    unsigned lo = 0, hi = 0;

    for (unsigned v = 0; v < n->versions; v++) {
        if (n->version[v].sure <= sure)
            lo = v;
        if (n->version[v].op <= last)
            hi = v;
    }
    for (unsigned v = lo; v <= hi; v++)
        if (same(f, &n->version[v]))
            return true;
    return n->kind == MODEL_FILE && lo < hi && mixed(f, n, lo, hi);
}

/* NULL if all fits this state, else what does not. */
static const char *fits(const struct walk *w, struct model_state *s, unsigned sure, unsigned last)
{
    for (unsigned i = 0; i < w->n; i++) {
        const struct found *f = &w->found[i];
        const struct model_entry *e = model_find(s, f->path);

        if (!e || !kind_fits(f, e->node->kind))
            return f->path;
        if (e->node->kind != MODEL_FOLDER && !content_fits(f, e->node, sure, last))
            return f->path;
    }
    if (w->n != s->n)
        return "a name that is missing";
    return NULL;
}

bool model_check(const struct model *m, struct pc_volume *v, unsigned sure, unsigned last)
{
    struct walk *w = must(calloc(1, sizeof *w));
    bool ok = false;
    int r;

    w->v = v;
    r = walk(w);
    if (r < 0)
        fprintf(stderr, "the volume cannot be read: %s\n", pc_err_text(r));
    for (unsigned k = sure; r == 0 && k <= last && !ok; k++)
        ok = !fits(w, &m->state[k], sure, last);
    for (unsigned k = sure; r == 0 && k <= last && !ok; k++)
        fprintf(stderr, "not as after operation %u (%u…%u): %s\n", k, sure, last,
                fits(w, &m->state[k], sure, last));
    if (!ok)
        for (unsigned i = 0; i < w->n; i++)
            fprintf(stderr, "  %s (%zu bytes)\n", w->found[i].path, w->found[i].len);
    for (unsigned i = 0; i < w->n; i++)
        free(w->found[i].data);
    free(w);
    return ok;
}
