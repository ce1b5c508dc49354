/* SPDX-License-Identifier: Apache-2.0 */
/* Events in an array, names in another; called under the recorder's lock. */
#include "log.h"

#include "recorder.h"
#include "test_env.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

size_t log_kill_at;
struct event *log_events;
size_t log_n;
uint32_t log_files, log_base_files;
struct names log_base;

static size_t cap;
static struct names present;
static uint8_t **base_data;
static size_t *base_len;

static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

long names_find(const struct names *ns, const char *path)
{
    for (size_t i = 0; i < ns->n; i++)
        if (strcmp(ns->name[i].path, path) == 0)
            return (long)i;
    return -1;
}

void names_set(struct names *ns, const char *path, uint32_t file)
{
    long i = names_find(ns, path);

    if (i < 0) {
        ns->name = must(realloc(ns->name, (ns->n + 1) * sizeof *ns->name));
        i = (long)ns->n++;
        ns->name[i].path = must(strdup(path));
    }
    ns->name[i].file = file;
}

void names_drop(struct names *ns, const char *path)
{
    long i = names_find(ns, path);

    if (i < 0)
        return;
    free(ns->name[i].path);
    ns->name[i] = ns->name[--ns->n];
}

void names_rename(struct names *ns, const char *from, const char *to)
{
    long i = names_find(ns, from);

    if (i < 0)
        return;
    names_set(ns, to, ns->name[i].file);
    names_drop(ns, from);
}

void names_copy(struct names *to, const struct names *from)
{
    *to = (struct names){0};
    for (size_t i = 0; i < from->n; i++)
        names_set(to, from->name[i].path, from->name[i].file);
}

void names_free(struct names *ns)
{
    for (size_t i = 0; i < ns->n; i++)
        free(ns->name[i].path);
    free(ns->name);
    *ns = (struct names){0};
}

bool log_ends(const char *path, const char *suffix)
{
    size_t a = strlen(path), b = strlen(suffix);

    return a >= b && strcmp(path + a - b, suffix) == 0;
}

bool log_is_volatile(const char *path)
{
    const char *file = strrchr(path, '/');

    file = file ? file + 1 : path;
    return strncmp(path, "run/", 4) == 0 || strncmp(path, "log/", 4) == 0 ||
           strcmp(file, "shm") == 0 || strcmp(file, "redo") == 0 || strcmp(file, "lease") == 0 ||
           log_ends(file, "-shm");
}

/* A folder at the beginning, and all in it. */
static void scan(const char *dir, const char *below)
{
    DIR *d = must(opendir(dir));
    struct dirent *e;

    while ((e = readdir(d))) {
        char *path, *name;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        path = test_path(dir, e->d_name);
        name = below[0] ? test_path(below, e->d_name) : must(strdup(e->d_name));
        if (e->d_type == DT_DIR) {
            names_set(&log_base, name, LOG_DIR);
            scan(path, name);
        } else if (!log_is_volatile(name)) {
            base_data = must(realloc(base_data, (log_files + 1) * sizeof *base_data));
            base_len = must(realloc(base_len, (log_files + 1) * sizeof *base_len));
            base_data[log_files] = must(test_file_read(path, &base_len[log_files]));
            names_set(&log_base, name, log_files++);
        }
        free(name);
        free(path);
    }
    closedir(d);
}

const uint8_t *log_base_data(uint32_t file, size_t *ret_len)
{
    *ret_len = base_len[file];
    return base_data[file];
}

static void forget(void)
{
    for (size_t i = 0; i < log_n; i++) {
        free(log_events[i].data);
        free(log_events[i].path);
        free(log_events[i].to);
    }
    for (uint32_t i = 0; i < log_base_files; i++)
        free(base_data[i]);
    names_free(&present);
    names_free(&log_base);
    log_n = log_files = log_base_files = 0;
}

void log_begin(const char *dir)
{
    forget();
    scan(dir, "");
    log_base_files = log_files;
    names_copy(&present, &log_base);
}

void log_add(struct event e)
{
    if (log_kill_at && log_n + 1 >= log_kill_at)
        raise(SIGKILL);
    if (log_n == cap) {
        cap = cap ? cap * 2 : 1024;
        log_events = must(realloc(log_events, cap * sizeof *log_events));
    }
    log_events[log_n++] = e;
}

static uint32_t file_of(const char *path)
{
    long i = names_find(&present, path);

    return i < 0 ? LOG_NONE : present.name[i].file;
}

void log_create(const char *path, bool dir)
{
    uint32_t file = dir ? LOG_DIR : log_files++;

    names_set(&present, path, file);
    log_add((struct event){.kind = EV_CREATE, .file = file, .path = must(strdup(path))});
}

void log_write(const char *path, uint64_t off, const void *data, size_t len)
{
    uint8_t *copy = must(malloc(len));
    uint32_t file = file_of(path);

    memcpy(copy, data, len);
    if (file == LOG_NONE) /* unlinked: nobody finds it again */
        free(copy);
    else
        log_add(
            (struct event){.kind = EV_WRITE, .file = file, .off = off, .len = len, .data = copy});
}

void log_size(const char *path, uint64_t size)
{
    uint32_t file = file_of(path);

    if (file != LOG_NONE)
        log_add((struct event){.kind = EV_SIZE, .file = file, .off = size});
}

void log_sync(const char *path, bool dir)
{
    uint32_t file = file_of(path);

    if (dir)
        log_add((struct event){.kind = EV_SYNC_DIR, .path = must(strdup(path))});
    else if (file != LOG_NONE)
        log_add((struct event){.kind = EV_SYNC, .file = file, .path = must(strdup(path))});
}

void log_rename(const char *from, const char *to)
{
    names_rename(&present, from, to);
    log_add((struct event){.kind = EV_RENAME, .path = must(strdup(from)), .to = must(strdup(to))});
}

void log_unlink(const char *path)
{
    names_drop(&present, path);
    log_add((struct event){.kind = EV_UNLINK, .path = must(strdup(path))});
}

size_t rec_count(void)
{
    return log_n;
}

bool rec_mark_at(size_t i, int *kind, unsigned *n)
{
    *kind = log_events[i].mark;
    *n = (unsigned)log_events[i].off;
    return log_events[i].kind == EV_MARK;
}

bool rec_changes(size_t i)
{
    return log_events[i].kind != EV_MARK;
}

uint64_t rec_bytes(void)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < log_n; i++)
        sum += log_events[i].len;
    return sum;
}
