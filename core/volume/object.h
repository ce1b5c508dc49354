/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that serve objects and their versions share. */
#ifndef VOLUME_OBJECT_H
#define VOLUME_OBJECT_H

#include "meta/object.h"
#include "volume/volume.h"

/** object_durable(v, rc): a change is acknowledged when it is on disk: ${rc}, or the error of the sync. */
int object_durable(struct pc_volume *v, int rc);

/** reader_open(v, k, ret, ret_reader): pc_reader_open and pc_version_open. */
int reader_open(struct pc_volume *v, const struct meta_key *k, struct pc_object *ret,
                struct pc_reader **ret_reader);

/** part_copy(v, src, off, size, dst, id, part): pc_part_copy and pc_version_part_copy. */
int part_copy(struct pc_volume *v, const struct meta_key *src, uint64_t off, uint64_t size,
              const struct meta_key *dst, const char *id, struct pc_part *part);

#endif
