/* SPDX-License-Identifier: Apache-2.0 */
/* Pack files: append-only logs of records; several processes have their own open ones in one folder. */
#ifndef DATA_PACK_H
#define DATA_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/data.h"
#include "data/pool.h"

#define PACK_HEADER 64
#define PACK_PATH_MAX 4096

struct packs;

/** packs_new(dir, meta, pool, reserve_bytes, ret): ${meta} and ${pool} must outlive it. -ENOMEM, -ENAMETOOLONG. */
int packs_new(const char *dir, struct meta *meta, struct pool *pool, uint64_t reserve_bytes,
              struct packs **ret);

/** packs_finish(ps): seal every open pack. The pool must be idle. The first error. */
int packs_finish(struct packs *ps);
/** packs_close(ps): after packs_finish: free. */
void packs_close(struct packs *ps);

/* New data leaves the reserve alone; compaction may use it, since it gives more back. */
enum packs_space { PACKS_KEEP_RESERVE, PACKS_USE_RESERVE };

/**
 * packs_append(ps, space, rec, len, ret_pack, ret_off): a place for ${len} bytes in an open pack, written there but not synced. Any number of threads write at once.
 * -ENOSPC also when less than the reserve would be left; then and after any other error nothing refers to what may have been written.
 */
int packs_append(struct packs *ps, enum packs_space space, const void *rec, size_t len,
                 uint64_t *ret_pack, uint64_t *ret_off);

/**
 * packs_barrier(ps): what was appended before the call is on disk. Callers at the same time share one sync. After a failed sync nobody knows what the disk
 * holds, so that this and every later call, and packs_append, fail until the volume is opened anew.
 */
int packs_barrier(struct packs *ps);

/** packs_is_open(ps, id): an open pack of this process: nobody can have reclaimed it. */
bool packs_is_open(struct packs *ps, uint64_t id);

/** packs_read(ps, id, off, buf, len): exactly ${len} bytes. PC_ESTALEREF if the pack is gone, PC_ECORRUPT if it ends before. */
int packs_read(struct packs *ps, uint64_t id, uint64_t off, void *buf, size_t len);

/** packs_read_now(ps, id, off, buf, len): the same if that waits for no disk: 0, else -EAGAIN whatever the reason. */
int packs_read_now(struct packs *ps, uint64_t id, uint64_t off, void *buf, size_t len);

/** packs_ahead(ps, id, off, len): the system may fetch these bytes; a hint. */
void packs_ahead(struct packs *ps, uint64_t id, uint64_t off, uint64_t len);

/** packs_gone(ps, id): it was removed meanwhile, so that what was read from it may be anything. */
bool packs_gone(struct packs *ps, uint64_t id);

/** packs_size, packs_remove, packs_each: see data_pack_size, data_pack_remove, data_pack_ids. */
int64_t packs_size(struct packs *ps, uint64_t id);
int packs_remove(struct packs *ps, uint64_t id);
int packs_each(struct packs *ps, int (*fn)(void *arg, uint64_t id), void *arg);

/** pack_header_encode(id, out), pack_header_parse(in, ret_id): PC_EFORMAT, PC_EVERSION, PC_ECORRUPT. */
void pack_header_encode(uint64_t id, uint8_t out[PACK_HEADER]);
int pack_header_parse(const uint8_t in[PACK_HEADER], uint64_t *ret_id);

/** pack_path(dir, id, buf, cap): where the file is; -ENAMETOOLONG. */
int pack_path(const char *dir, uint64_t id, char *buf, size_t cap);

#endif
