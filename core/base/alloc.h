/* SPDX-License-Identifier: Apache-2.0 */
/* The allocator of the core, with a seam where a test makes the Nth allocation fail. */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Memory from here is malloc's: free() may free it, so that a contract can hand it to callers who know only include/.
 * Sizes of 0 are made 1: NULL always means that there is no memory.
 */

/** mem_alloc(n): ${n} bytes, not zeroed; NULL if out of memory. */
void *mem_alloc(size_t n) __attribute__((malloc, warn_unused_result));

/** mem_calloc(n, size): zeroed; NULL if out of memory or if the product overflows. */
void *mem_calloc(size_t n, size_t size) __attribute__((malloc, warn_unused_result));

/** mem_realloc(p, n): as realloc; ${p} stays valid on failure. */
void *mem_realloc(void *p, size_t n) __attribute__((warn_unused_result));

/** mem_realloc_array(p, n, size): mem_realloc to n * size bytes; NULL if the product overflows. */
void *mem_realloc_array(void *p, size_t n, size_t size) __attribute__((warn_unused_result));

/** mem_dup(p, n): a copy of ${n} bytes with a NUL behind it. */
void *mem_dup(const void *p, size_t n) __attribute__((malloc, warn_unused_result));

/** mem_strdup(s): a copy of a string. */
char *mem_strdup(const char *s) __attribute__((malloc, warn_unused_result));

/** mem_printf(fmt, ...): the formatted string, or NULL if out of memory. */
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2), warn_unused_result));

/** mem_free(p): as free; NULL is legal; keeps errno. */
void mem_free(void *p);

/*
 * The seam. Counts every allocation of the process, also those that reach another library's allocator through mem_denied().
 * A fault loop runs an operation with n = 1, 2, ... until mem_fail_count() says that nothing failed.
 */
enum mem_fail_mode {
    MEM_FAIL_ONCE, /* the nth allocation from now fails, later ones succeed */
    MEM_FAIL_ON    /* the nth and all after it fail */
};

/** mem_fail_at(n, mode): from now on fail the ${n}th allocation (1 = the next); 0 switches the seam off. */
void mem_fail_at(unsigned long n, enum mem_fail_mode mode);

/** mem_fail_count(): how many allocations were refused since the last mem_fail_at. */
unsigned long mem_fail_count(void);

/** mem_denied(): must an allocation fail now? For those that another library makes: ask before calling it. */
bool mem_denied(void);

#endif
