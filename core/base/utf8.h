/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as RFC 3629 has it: what is a whole character, and where a text may be cut. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/** utf8_next(p, n, ret_char): bytes of the character at ${p} (1 ... 4), or 0 if the ${n} bytes do not begin with a valid one. */
size_t utf8_next(const char *p, size_t n, uint32_t *ret_char);

/** utf8_cut(p, n): the largest length up to ${n} that does not end inside a character which began before it. */
size_t utf8_cut(const char *p, size_t n);

#endif
