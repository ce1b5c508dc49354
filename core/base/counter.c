/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of this process. */
#include "pcloud/counter.h"

#include <stdatomic.h>

static struct {
    _Alignas(64) atomic_ullong n; /* a cache line each: they are counted by many threads */
} counters[PC_COUNTERS];

void pc_counter_add(enum pc_counter which, uint64_t n)
{
    atomic_fetch_add_explicit(&counters[which].n, n, memory_order_relaxed);
}

uint64_t pc_counter_get(enum pc_counter which)
{
    return atomic_load_explicit(&counters[which].n, memory_order_relaxed);
}
