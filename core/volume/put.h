/* SPDX-License-Identifier: Apache-2.0 */
/* Content on its way into an object or a part. */
#ifndef VOLUME_PUT_H
#define VOLUME_PUT_H

#include "meta/object.h"
#include "pcloud/object.h"
#include "volume/volume.h"

struct pc_put {
    struct pc_volume *v;
    uint64_t pin;
    uint64_t size;
    struct data_stream *stream; /* from META_INLINE_MAX + 1 bytes on */
    uint8_t small[META_INLINE_MAX];
    struct meta_slice one; /* of small content that must be a block */
};

/** put_content(p, blocks, ret): end the content and describe it; ${blocks}: never inline. Borrowed from ${p}. */
enum put_form { PUT_INLINE_OK, PUT_BLOCKS };
int put_content(struct pc_put *p, enum put_form form, struct meta_new *ret);

/** put_again(p, content, bad): after PC_ESTALEREF for slice ${bad}. */
int put_again(struct pc_put *p, const struct meta_new *content, unsigned bad);

#endif
