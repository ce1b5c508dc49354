/* SPDX-License-Identifier: Apache-2.0 */
/* Operations that are acknowledged but not committed, kept where a killed process leaves them to the next. */
#ifndef META_SHARE_REDO_H
#define META_SHARE_REDO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/aead.h"

#define REDO_BYTES (4u << 20)
#define REDO_SALT 16

/*
 * One file of fixed size, mapped by all, used by the holder of the write lease alone. What is in it lies in the kernel's page cache: it outlives a process,
 * not the machine (its header names the boot). Each record is sealed: the file is on disk, too.
 */
struct redo;

/** redo_open(path, master, ret): map, make if need be. ${master}: 32 bytes that keys are derived from; copied. -errno. */
int redo_open(const char *path, const uint8_t master[AEAD_KEY_BYTES], struct redo **ret);
/** redo_close(r): NULL is legal. What is in it stays. */
void redo_close(struct redo *r);

/** redo_begin(r, base, session): from now on records are of ${session}'s transaction that follows commit number ${base}; drops what was there. */
void redo_begin(struct redo *r, uint64_t base, uint64_t session);
/** redo_append(r, data, len): one operation; safe against kill when it returns. -ENOSPC if it does not fit. */
int redo_append(struct redo *r, const void *data, size_t len);
/** redo_clear(r): all of it is committed (or given up). */
void redo_clear(struct redo *r);
/** redo_fill(r): bytes used. */
size_t redo_fill(const struct redo *r);

/**
 * redo_left(r, ret_base, ret_session): did somebody leave records, in this life of the machine? redo_each(r, fn, arg): give each to ${fn} in order, until it returns non-zero
 * (returned) or one does not open (the end: it was being written). A record is at most REDO_BYTES.
 */
bool redo_left(const struct redo *r, uint64_t *ret_base, uint64_t *ret_session);
int redo_each(struct redo *r, int (*fn)(void *arg, const uint8_t *data, size_t len), void *arg);

#endif
