/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that serve open handles share. */
#ifndef VOLUME_FILE_H
#define VOLUME_FILE_H

#include "pcloud/file.h"
#include "volume/volume.h"

struct pc_file {
    struct pc_volume *v;
    struct open_node *node;
    int flags;
    unsigned error_seq; /* the node's when this handle last reported */
    uint64_t
        read_end; /* end of the last read: is the reader sequential? Both are hints, kept without a lock */
    uint64_t ahead; /* how far blocks were asked for in advance */
};

#endif
