/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting content into chunks where the content itself says so (FastCDC), with a table keyed by the volume. */
#ifndef DATA_CHUNK_H
#define DATA_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_GEAR 256

/* Where the search for the next cut stands. */
struct chunk_state {
    uint64_t hash;
    size_t len; /* bytes of the chunk so far */
};

/** chunk_gear(key, gear): the table of a volume. Without ${key} (32 bytes) nobody can tell content from the lengths of its chunks by recomputing them. */
void chunk_gear(const uint8_t key[32], uint64_t gear[CHUNK_GEAR]);

/**
 * chunk_scan(gear, st, data, len, ret_cut): take bytes of ${data} into the chunk: their number, at most ${len}. *ret_cut: the chunk ends behind the last of
 * them, and ${st} is ready for the next. However the content is split over calls, the cuts are the same.
 */
size_t chunk_scan(const uint64_t gear[CHUNK_GEAR], struct chunk_state *st, const uint8_t *data,
                  size_t len, bool *ret_cut);

#endif
