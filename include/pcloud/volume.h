/* SPDX-License-Identifier: Apache-2.0 */
/* A volume: the encrypted tree of one home, opened by any number of processes at once. */
#ifndef PCLOUD_VOLUME_H
#define PCLOUD_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#include "pcloud/config.h"
#include "pcloud/home.h"
#include "pcloud/keys.h"

struct
    pc_volume; /* thread-safe: every function below may be called from any thread, unless it says otherwise */

/**
 * pc_volume_create(home, keys, uid, gid): lay down an empty volume whose root folder belongs to ${uid}, ${gid} (mode 0755). Durable on return.
 * -EEXIST if there is one.
 */
int pc_volume_create(struct pc_home *home, const struct pc_keys *keys, uint32_t uid, uint32_t gid);

/**
 * pc_volume_open(home, keys, config, program, ret): open for reading and writing; ${program} ("mount", "gateway", "cli") names the session.
 * ${home} and ${config} must outlive it; ${keys} may be closed afterwards. Cleans up after sessions that died. PC_EVERSION, PC_ECORRUPT (message names
 * `pcloud fsck --repair`), PC_EPASSPHRASE (keys of another volume), system errors.
 */
int pc_volume_open(struct pc_home *home, const struct pc_keys *keys, const struct pc_config *config,
                   const char *program, struct pc_volume **ret);

/** pc_volume_close(v): write back, commit, sync, free. Every file, folder, put and feed of it must be closed. Returns the first error met. */
int pc_volume_close(struct pc_volume *v);

/** pc_volume_sync(v): everything acknowledged so far is on disk on return (group commit: callers share one sync). */
int pc_volume_sync(struct pc_volume *v);

/** pc_volume_flush(v): everything acknowledged so far is visible to other processes on return; not necessarily on disk. */
int pc_volume_flush(struct pc_volume *v);

struct pc_volume_stat {
    uint8_t id[16];
    uint64_t files, folders, objects; /* nodes by kind; objects: files that came by S3 */
    uint64_t bytes;                   /* sum of file sizes */
    uint64_t block_bytes;             /* stored bytes of referenced blocks */
    uint64_t pack_bytes, packs;       /* on disk */
    uint64_t meta_bytes;              /* database and log on disk */
    uint64_t disk_total, disk_free, disk_avail;
    uint64_t damaged; /* reads that met damage since the volume was made (kept in the database) */
};

/** pc_volume_stat(v, st): cheap figures for df and status. */
int pc_volume_stat(struct pc_volume *v, struct pc_volume_stat *st);

/* Who is inside a change of the volume; everybody else waits for it. */
struct pc_volume_writer {
    uint32_t pid;
    char program[16];
    int64_t held_ms;
};

/** pc_volume_writer(home, ret): 1 with *ret filled, 0 if nobody is. Opens nothing and waits for nobody: for saying why others wait. */
int pc_volume_writer(struct pc_home *home, struct pc_volume_writer *ret);

/* The change feed: what other processes (and this one) changed. */

enum pc_change_kind {
    PC_CHANGE_ENTRY = 1, /* the name in the parent appeared, went or means another node */
    PC_CHANGE_ATTR = 2,  /* attributes, xattrs or metadata of the node */
    PC_CHANGE_DATA = 4,  /* content of the node */
    PC_CHANGE_LOST = 8   /* events were missed: drop every cache */
};

struct pc_change {
    uint64_t seq;
    unsigned kinds;   /* set of pc_change_kind */
    uint64_t ino;     /* the node; 0 if unknown */
    uint64_t parent;  /* for ENTRY: the folder; else 0 */
    const char *name; /* for ENTRY: its name as the mount shows it; valid during the callback */
    bool own;         /* made through this pc_volume */
};

struct pc_feed;

/** pc_feed_open(v, ret): start reading at the present end. Close before the volume. */
int pc_feed_open(struct pc_volume *v, struct pc_feed **ret);

/**
 * pc_feed_wait(feed, timeout_ms, fn, arg): wait until changes are committed (by any process), then call ${fn} for each in order on this thread, without
 * any lock of ours held. Returns their number, 0 on timeout, -ECANCELED after pc_feed_wake. ${timeout_ms} < 0 waits for ever.
 * Those made through this pc_volume may be left out, then it can be 0 as well.
 */
int pc_feed_wait(struct pc_feed *feed, int timeout_ms,
                 void (*fn)(void *arg, const struct pc_change *c), void *arg);

/** pc_feed_wake(feed): make a waiting and all later pc_feed_wait return -ECANCELED. Async-signal-safe it is not. */
void pc_feed_wake(struct pc_feed *feed);
void pc_feed_close(struct pc_feed *feed);

#endif
