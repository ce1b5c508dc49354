/* SPDX-License-Identifier: Apache-2.0 */
/* Content of nodes: slices that are cut and put, references to blocks, inline bytes. */
#ifndef META_OPS_SLICE_H
#define META_OPS_SLICE_H

#include "meta/object.h"
#include "meta/ops/row.h"

/* A row of the table slice. */
struct slice_row {
    uint64_t pos, bid;
    uint32_t len, boff;
};

/** slice_cut(m, c, r, from, to): nothing of ${r} covers [from, to) any more: metadata only. Keeps r->used; the caller stores the row. */
int slice_cut(struct meta *m, struct sql_conn *c, struct row *r, uint64_t from, uint64_t to);

/**
 * slice_detach(m, c, r, from, to): where more than a step's worth of slices lie wholly in [from, to), move them to an orphan, which gc_orphans frees in steps:
 * two statements instead of several for each slice. 1, 0 if there are few. Keeps r->used.
 */
int slice_detach(struct meta *m, struct sql_conn *c, struct row *r, uint64_t from, uint64_t to);

/** slice_put(m, c, r, slices, n, ret_bad): put them over what is there, with their blocks: meta_content_ops.write. Does not touch size and times. */
int slice_put(struct meta *m, struct sql_conn *c, struct row *r, const struct meta_slice *slices,
              unsigned n, unsigned *ret_bad);

/** slice_share(m, c, from, src_off, r, dst_off, len): slices of node ${from} in the range are those of ${r} too; the range of ${r} must be a hole. */
int slice_share(struct meta *m, struct sql_conn *c, uint64_t from, uint64_t src_off, struct row *r,
                uint64_t dst_off, uint64_t len);

/** slice_page(c, ino, from, to, max, rows): up to ${max} slices that meet [from, to), ordered; their number. */
int slice_page(struct sql_conn *c, uint64_t ino, uint64_t from, uint64_t to, unsigned max,
               struct slice_row *rows);

/** slice_free_all(m, c, ino, max): drop up to ${max} slices of a node; their number (less than max: all are gone). */
int slice_free_all(struct meta *m, struct sql_conn *c, uint64_t ino, unsigned max);

/** block_ref(m, c, bid, fresh): one reference more: 1, 0 if there is no such block (or ${fresh} and it was forgotten). block_unref: one less. */
int block_ref(struct meta *m, struct sql_conn *c, uint64_t bid, bool fresh);
int block_unref(struct meta *m, struct sql_conn *c, uint64_t bid);

/** inline_set(c, r, data, len): the inline bytes (len 0: none), with r->flags and r->used. */
int inline_set(struct sql_conn *c, struct row *r, const void *data, size_t len);
/** inline_get(c, ino, buf, ret_len): copy them out; 0 bytes if none. */
int inline_get(struct sql_conn *c, uint64_t ino, uint8_t buf[META_INLINE_MAX], size_t *ret_len);

/** content_drop(m, c, r): nothing is left; size 0. content_set(m, c, r, content, ret_bad): that is all of it now. The caller stores the row. */
int content_drop(struct meta *m, struct sql_conn *c, struct row *r);
int content_set(struct meta *m, struct sql_conn *c, struct row *r, const struct meta_new *content,
                unsigned *ret_bad);
/** content_copy(m, c, from, r): ${r}, which has none, gets the content of ${from}, shared. */
int content_copy(struct meta *m, struct sql_conn *c, const struct row *from, struct row *r);
/** content_resize(m, c, r, size): truncate or extend: meta_node_ops.setattr with PC_SET_SIZE. */
int content_resize(struct meta *m, struct sql_conn *c, struct row *r, uint64_t size);

#endif
