/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of this process: what the core did, for whoever shows figures. */
#ifndef PCLOUD_COUNTER_H
#define PCLOUD_COUNTER_H

#include <stdint.h>

enum pc_counter {
    PC_COUNTER_CACHE_HIT,  /* pieces of blocks that were in memory */
    PC_COUNTER_CACHE_MISS, /* that had to be read */
    PC_COUNTER_LEASE_WAIT, /* changes that had to wait for another process */
    PC_COUNTER_LEASE_US,   /* microseconds of it, all together */
    PC_COUNTERS
};

/** pc_counter_add(which, n): any thread; never fails, orders nothing. */
void pc_counter_add(enum pc_counter which, uint64_t n);
/** pc_counter_get(which): since the process began. */
uint64_t pc_counter_get(enum pc_counter which);

#endif
