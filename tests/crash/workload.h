/* SPDX-License-Identifier: Apache-2.0 */
/* A mixed workload through both doors of the core, with its model and its marks in the record. */
#ifndef CRASH_WORKLOAD_H
#define CRASH_WORKLOAD_H

#include "model.h"

enum workload_mark {
    MARK_BEGIN, /* operation n begins */
    MARK_SURE   /* everything up to the end of operation n was acknowledged as durable */
};

/*
 * workload_run(v, m, seed, ops): go on until the model has so many operations. Aborts if the volume refuses something it must not. Handles are closed at the
 * end.
 */
void workload_run(struct pc_volume *v, struct model *m, uint64_t seed, unsigned ops);

#endif
