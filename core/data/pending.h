/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks written a moment ago that the metadata may not know yet, so that equal content in flight is stored once. */
#ifndef DATA_PENDING_H
#define DATA_PENDING_H

#include <stdbool.h>

#include "data/data.h"

struct pending;

/** pending_new(ret): a table of fixed size: it forgets. -ENOMEM. */
int pending_new(struct pending **ret);
void pending_free(struct pending *p);
/** pending_add(p, block): remember. */
void pending_add(struct pending *p, const struct meta_block *block);
/** pending_find(p, id, ret): the caller must ask packs_is_open before using it. */
bool pending_find(struct pending *p, const uint8_t id[META_BLOCK_ID], struct meta_block *ret);
/** pending_drop(p, id): forget it: it turned out damaged. */
void pending_drop(struct pending *p, const uint8_t id[META_BLOCK_ID]);

#endif
