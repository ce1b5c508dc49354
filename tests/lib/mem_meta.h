/* SPDX-License-Identifier: Apache-2.0 */
/* A metadata engine in memory with just what core/data asks of one: blocks and packs. */
#ifndef MEM_META_H
#define MEM_META_H

#include "meta/content.h"

/* mem_meta_new(): an empty engine; aborts when it cannot. Any thread. */
struct meta *mem_meta_new(void);
void mem_meta_free(struct meta *m);

/*
 * mem_meta_commit(m, block): what meta_content_ops.write does with a slice's block: a row for it, or the row of an equal id, or a reference more; bid
 * and place are filled in. PC_ESTALEREF if its row is gone.
 */
int mem_meta_commit(struct meta *m, struct meta_block *block);

/* mem_meta_drop(m, bid): the row goes. */
void mem_meta_drop(struct meta *m, uint64_t bid);

/* mem_meta_place(m, id, ret): the present row of that content; false if none. */
bool mem_meta_place(struct meta *m, const uint8_t id[META_BLOCK_ID], struct meta_block *ret);

/* mem_meta_die(m): as if the session had died: its packs are adopted by the next data_open. */
void mem_meta_die(struct meta *m);

/* mem_meta_sealed(m, id, ret_size): was this pack sealed, and at what size? */
bool mem_meta_sealed(struct meta *m, uint64_t id, uint64_t *ret_size);

/* mem_meta_fail(m, code): from now on every operation returns this code; 0: they work. */
void mem_meta_fail(struct meta *m, int code);

#endif
