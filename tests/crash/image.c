/* SPDX-License-Identifier: Apache-2.0 */
/* From events to a folder: what was synced is there, of the rest what the dice say. */
#include "recorder.h"

#include "log.h"
#include "test_env.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SECTOR 512u

struct content {
    uint8_t *data;
    size_t len, cap;
};

struct image {
    size_t cut;
    enum rec_mode mode;
    uint64_t rng;
    unsigned keep; /* of 8: how likely what was not synced is there */
    struct content *file;
    struct names names;
    size_t *synced; /* by file: events before this one are on disk */
};

static const char *deaf; /* to syncs of these */

void rec_deaf(const char *suffix)
{
    deaf = suffix;
}

static bool is_deaf(const struct event *e)
{
    if (!deaf)
        return false;
    if (e->kind == EV_SYNC_DIR)
        return strcmp(deaf, REC_FOLDERS) == 0;
    return e->kind == EV_SYNC && log_ends(e->path, deaf);
}

/* The dice: is something that was not synced there? */
static bool there(struct image *im)
{
    if (im->mode != REC_SOME)
        return im->mode == REC_ALL;
    return test_random(&im->rng) % 8 < im->keep;
}

static void resize(struct content *c, size_t len)
{
    if (len > c->cap) {
        c->cap = len * 2;
        c->data = realloc(c->data, c->cap);
        if (!c->data)
            abort();
    }
    if (len > c->len)
        memset(c->data + c->len, 0, len - c->len);
    c->len = len;
}

static void put(struct content *c, uint64_t off, const uint8_t *data, size_t len)
{
    if (off + len > c->len)
        resize(c, off + len);
    memcpy(c->data + off, data, len);
}

/* Sector by sector: each may be there or not. */
static void put_torn(struct image *im, struct content *c, const struct event *e)
{
    for (size_t at = 0, n; at < e->len; at += n) {
        n = SECTOR - (e->off + at) % SECTOR;
        if (n > e->len - at)
            n = e->len - at;
        if (test_random(&im->rng) % 2)
            put(c, e->off + at, e->data + at, n);
    }
}

/* The last sync of each file (or of everything) before the cut: events are numbered, a sync covers those before it. */
static void find_syncs(struct image *im)
{
    for (size_t i = 0; i < im->cut; i++) {
        const struct event *e = &log_events[i];

        if (is_deaf(e))
            continue;
        if (e->kind == EV_SYNC)
            im->synced[e->file] = i;
        else if (e->kind == EV_SYNC_ALL)
            for (uint32_t f = 0; f < log_files; f++)
                im->synced[f] = i;
    }
}

static bool in_dir(const char *path, const char *dir)
{
    size_t n = strlen(dir);
    const char *rest = n ? path + n + 1 : path;

    return (n == 0 || (strncmp(path, dir, n) == 0 && path[n] == '/')) && !strchr(rest, '/');
}

/* Is what event ${i} did to the name ${path} on disk? */
static bool name_synced(const struct image *im, size_t i, const char *path)
{
    for (size_t j = i + 1; j < im->cut; j++) {
        const struct event *e = &log_events[j];

        if (is_deaf(e))
            continue;
        if (e->kind == EV_SYNC_ALL || (e->kind == EV_SYNC_DIR && in_dir(path, e->path)))
            return true;
    }
    return false;
}

static void apply_name(struct image *im, size_t i)
{
    const struct event *e = &log_events[i];

    if (!name_synced(im, i, e->path) && !there(im))
        return;
    if (e->kind == EV_CREATE)
        names_set(&im->names, e->path, e->file);
    else if (e->kind == EV_UNLINK)
        names_drop(&im->names, e->path);
    else
        names_rename(&im->names, e->path, e->to);
}

static void apply_data(struct image *im, size_t i)
{
    const struct event *e = &log_events[i];
    struct content *c = &im->file[e->file];
    bool synced = i < im->synced[e->file];

    if (e->kind == EV_SIZE) {
        if (synced || there(im))
            resize(c, e->off);
    } else if (synced || im->mode == REC_ALL) {
        put(c, e->off, e->data, e->len);
    } else if (there(im)) {
        if (test_random(&im->rng) % 3 == 0)
            put_torn(im, c, e);
        else
            put(c, e->off, e->data, e->len);
    }
}

/* Folders first, shortest first, so that each has its own above it; names below a folder that is not there are lost. */
static void write_out(const struct image *im, const char *to)
{
    if (mkdir(to, 0700) < 0)
        abort();
    for (size_t depth = 0; depth < 4; depth++) {
        for (size_t i = 0; i < im->names.n; i++) {
            const struct name *n = &im->names.name[i];
            char *path = test_path(to, n->path);
            size_t slashes = 0;

            for (const char *p = n->path; *p; p++)
                slashes += *p == '/';
            if (slashes == depth && n->file == LOG_DIR) {
                if (mkdir(path, 0700) < 0 && errno != ENOENT)
                    abort();
            } else if (slashes == depth) {
                const struct content *c = &im->file[n->file];
                int r = test_file_write(path, c->data, c->len);

                if (r < 0 && r != -ENOENT)
                    abort();
            }
            free(path);
        }
    }
}

void rec_image(size_t cut, enum rec_mode mode, uint64_t seed, const char *to)
{
    struct image im = {.cut = cut, .mode = mode, .rng = seed};

    im.keep = (unsigned)(test_random(&im.rng) % 9);
    im.file = calloc(log_files + 1u, sizeof *im.file);
    im.synced = calloc(log_files + 1u, sizeof *im.synced);
    if (!im.file || !im.synced)
        abort();
    names_copy(&im.names, &log_base);
    for (uint32_t f = 0; f < log_base_files; f++) {
        size_t len;
        const uint8_t *data = log_base_data(f, &len);

        put(&im.file[f], 0, data, len);
    }
    find_syncs(&im);
    for (size_t i = 0; i < cut; i++) {
        switch (log_events[i].kind) {
        case EV_WRITE:
        case EV_SIZE:
            apply_data(&im, i);
            break;
        case EV_CREATE:
        case EV_UNLINK:
        case EV_RENAME:
            apply_name(&im, i);
            break;
        case EV_SYNC:
        case EV_SYNC_DIR:
        case EV_SYNC_ALL:
        case EV_MARK:
            break;
        }
    }
    write_out(&im, to);
    for (uint32_t f = 0; f < log_files; f++)
        free(im.file[f].data);
    free(im.file);
    free(im.synced);
    names_free(&im.names);
}
