/* SPDX-License-Identifier: Apache-2.0 */
/* Records what a program does to a folder's files, and makes the folders that a power cut could leave. */
#ifndef RECORDER_H
#define RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The recorder takes the place of the C library's open, write, sync, rename, unlink and their kin for the whole program, its libraries too. Writes,
 * names and syncs below one folder become events in one order; syncs cost nothing. Memory that is mapped is not seen: files that are shared
 * that way (shm, redo, lease, run, log) are not part of an image, as if the machine had started anew.
 */

/* rec_start(dir): record from now on; what is there now is on disk. rec_stop(): no more. */
void rec_start(const char *dir);
void rec_stop(void);

/* rec_mark(kind, n): an event of the caller's own. */
void rec_mark(int kind, unsigned n);

/* rec_count(): events so far. rec_mark_at(i, kind, n): is event ${i} a mark, and which? rec_changes(i): does event ${i} change the disk? */
size_t rec_count(void);
bool rec_mark_at(size_t i, int *kind, unsigned *n);
bool rec_changes(size_t i);

enum rec_mode {
    REC_SYNCED, /* only what was synced */
    REC_ALL,    /* everything: what another process sees */
    REC_SOME    /* of what was not synced, some: whole, torn at 512 bytes, or not at all */
};

/* rec_image(cut, mode, seed, to): what the disk could hold after a cut before event ${cut}, into the new folder ${to}. Aborts when it cannot. */
void rec_image(size_t cut, enum rec_mode mode, uint64_t seed, const char *to);

/*
 * rec_deaf(suffix): from now on images are made as if files whose names end in ${suffix} had never been synced; REC_FOLDERS: as if no folder had; NULL: as it was.
 * For tests of the test.
 */
#define REC_FOLDERS "/"
void rec_deaf(const char *suffix);

/*
 * rec_kill_at(n, seen): kill this process, as SIGKILL does, when it is about to record its ${n}th event; before, *seen is the number of the last mark of kind 0.
 * ${seen} lies in memory shared with who looks at it.
 */
void rec_kill_at(size_t n, volatile unsigned *seen);

/* rec_bytes(): bytes written below the folder. */
uint64_t rec_bytes(void);

#endif
