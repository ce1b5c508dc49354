/* SPDX-License-Identifier: Apache-2.0 */
/* The pages of a damaged database: the newest that opens of each, from its log or its file. */
#ifndef META_SALVAGE_IMAGE_H
#define META_SALVAGE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "meta/seal/page.h"

struct image {
    struct aead *aead; /* borrowed */
    int fd, log_fd;    /* log_fd: -1 if there is none */
    uint32_t pages;    /* the highest number */
    struct image_frame {
        uint32_t pgno, index;
    } * frames;        /* the newest of each page, by page */
    uint32_t frames_n; /* entries of it */
    uint8_t *seen;     /* bits: pages that were part of something */
    bool
        log_holes; /* frames did not open: some page may be shown as it was before, a branch without its newest leaves */
    uint64_t bad;  /* pages asked for that did not open */
};

/** image_open(path, log_path, aead, ret): look through the log. -errno. No process may have the database open. */
int image_open(const char *path, const char *log_path, struct aead *aead, struct image *ret);
void image_close(struct image *im);

/** image_page(im, pgno, out): 0 or PC_ECORRUPT. */
int image_page(struct image *im, uint32_t pgno, uint8_t out[SEAL_PAGE]);

/** image_mark(im, pgno): it is part of something; false if it was marked before, or is none. image_is_marked(im, pgno). */
bool image_mark(struct image *im, uint32_t pgno);
bool image_is_marked(const struct image *im, uint32_t pgno);

#endif
