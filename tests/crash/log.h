/* SPDX-License-Identifier: Apache-2.0 */
/* The recorder's events, and its folder as it was when recording began. */
#ifndef CRASH_LOG_H
#define CRASH_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_kind {
    EV_WRITE,    /* len bytes of data at off of the file */
    EV_SIZE,     /* the file has off bytes */
    EV_SYNC,     /* of the file */
    EV_CREATE,   /* the name path, of the file (or a folder: file is LOG_DIR) */
    EV_UNLINK,   /* the name goes */
    EV_RENAME,   /* path becomes to */
    EV_SYNC_DIR, /* the names in folder path */
    EV_SYNC_ALL,
    EV_MARK
};

#define LOG_DIR UINT32_MAX
#define LOG_NONE (UINT32_MAX - 1)

struct event {
    enum event_kind kind;
    int mark;
    uint32_t file;
    uint64_t off;
    size_t len;
    uint8_t *data;
    char *path, *to;
};

/* One name: of a file, or of a folder. */
struct name {
    char *path;
    uint32_t file;
};

/* The names of a moment. */
struct names {
    struct name *name;
    size_t n;
};

/* log_begin(dir): forget all; read the folder. log_add(e): one more event; takes what it points to. */
void log_begin(const char *dir);
void log_add(struct event e);

/* What happened to the file or folder of a name (relative to the folder). */
void log_create(const char *path, bool dir);
void log_write(const char *path, uint64_t off, const void *data, size_t len);
void log_size(const char *path, uint64_t size);
void log_sync(const char *path, bool dir);
void log_rename(const char *from, const char *to);
void log_unlink(const char *path);

/* log_ends(path, suffix): does it? */
bool log_ends(const char *path, const char *suffix);

/* log_is_volatile(path): shared memory, locks, logs: not part of what a disk keeps for us. */
bool log_is_volatile(const char *path);

/* names_find(ns, path): its index or -1. names_set: add or replace; names_drop. */
long names_find(const struct names *ns, const char *path);
void names_set(struct names *ns, const char *path, uint32_t file);
void names_drop(struct names *ns, const char *path);
void names_rename(struct names *ns, const char *from, const char *to);
void names_copy(struct names *to, const struct names *from);
void names_free(struct names *ns);

/* The events; the folder at the beginning: its names, and the bytes of its files (ids below log_base_files). */
extern size_t log_kill_at; /* 0: never */
extern struct event *log_events;
extern size_t log_n;
extern uint32_t log_files, log_base_files;
extern struct names log_base;
const uint8_t *log_base_data(uint32_t file, size_t *ret_len);

#endif
