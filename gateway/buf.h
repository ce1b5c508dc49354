/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer with a maximum and a sticky error: many additions, one check. */
#ifndef GATEWAY_BUF_H
#define GATEWAY_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
    char *data; /* NUL behind the last byte; NULL while nothing was added */
    size_t len, cap, max;
    int err; /* 0, -ENOMEM or PC_ELIMIT: additions after an error are ignored */
};

/** buf_init(b, max): an empty buffer that never holds more than ${max} bytes. */
void buf_init(struct buf *b, size_t max);
/** buf_fini(b): free; the buffer is empty and usable again. */
void buf_fini(struct buf *b);
/** buf_reset(b): forget content and error, keep the memory. */
void buf_reset(struct buf *b);

/** buf_add(b, data, len), buf_str(b, text), buf_char(b, c), buf_fmt(b, fmt, ...): append. */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *text);
void buf_char(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vfmt(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/** buf_text(b): the content as a string, "" if empty; valid until the next addition. */
const char *buf_text(const struct buf *b);

/** buf_take(b, ret_len): hand the memory over (to be freed by the caller); NULL if empty. */
char *buf_take(struct buf *b, size_t *ret_len);

#endif
