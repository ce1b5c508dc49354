/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed pages and log frames: their bytes on disk, without any file. */
#ifndef META_SEAL_PAGE_H
#define META_SEAL_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/aead.h"

/*
 * A page on disk: 4064 bytes of ciphertext, nonce (12), tag (16), four zeros. To SQLite its last 32 bytes ("reserved") are always zeros, so that its
 * checksums come out alike before and after. A frame of the log: 16 bytes of SQLite's frame header as they are (page number, size after commit, salts),
 * then one ciphertext over the header's last 8 bytes (SQLite's running sum of plain pages: it would confirm guesses) and the page, sealed as above.
 * Associated data binds a page to its number, a frame to its place in the log and to the plain part of its header.
 */
enum {
    SEAL_PAGE = 4096,
    SEAL_RESERVED = 32,
    SEAL_CONTENT = SEAL_PAGE - SEAL_RESERVED,
    SEAL_LOG_HEADER = 32,
    SEAL_FRAME_HEADER = 24,
    SEAL_FRAME_PLAIN = 16,
    SEAL_FRAME = SEAL_FRAME_HEADER + SEAL_PAGE
};

/** seal_page(a, pgno, nonce, in, out): seal a page; -EINVAL if its reserved bytes are not zeros, else 0 or -EIO. */
int seal_page(struct aead *a, uint32_t pgno, const uint8_t nonce[AEAD_NONCE_BYTES],
              const uint8_t in[SEAL_PAGE], uint8_t out[SEAL_PAGE]);

/** seal_page_open(a, pgno, in, out): the reverse; PC_ECORRUPT, and then ${out} is zeros. */
int seal_page_open(struct aead *a, uint32_t pgno, const uint8_t in[SEAL_PAGE],
                   uint8_t out[SEAL_PAGE]);

/** seal_frame(a, index, nonce, in, out), seal_frame_open(a, index, in, out): the same for frame ${index} (0, 1, …) of the log. */
int seal_frame(struct aead *a, uint32_t index, const uint8_t nonce[AEAD_NONCE_BYTES],
               const uint8_t in[SEAL_FRAME], uint8_t out[SEAL_FRAME]);
int seal_frame_open(struct aead *a, uint32_t index, const uint8_t in[SEAL_FRAME],
                    uint8_t out[SEAL_FRAME]);

/** seal_is_zero(p, n): are these bytes all zeros? */
bool seal_is_zero(const uint8_t *p, size_t n);

/* Random nonces, fetched from the kernel many at once. One thread at a time; not across fork. */
struct seal_nonces {
    uint8_t pool[AEAD_NONCE_BYTES * 64];
    unsigned left;
};
/** seal_nonce(n, ret): the next one; 0 or -errno. */
int seal_nonce(struct seal_nonces *n, const uint8_t **ret);

#endif
