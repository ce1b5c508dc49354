/* SPDX-License-Identifier: Apache-2.0 */
/* The allocator of the core, with a seam where a test makes the Nth allocation fail. */
#include "base/alloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 0: off. Else allocations left up to and with the one that fails. */
static atomic_ulong countdown;
static atomic_ulong refused;
static atomic_int fail_mode;

void mem_fail_at(unsigned long n, enum mem_fail_mode mode)
{
    atomic_store(&refused, 0);
    atomic_store(&fail_mode, (int)mode);
    atomic_store(&countdown, n);
}

unsigned long mem_fail_count(void)
{
    return atomic_load(&refused);
}

static bool denied_slow(void)
{
    unsigned long left = atomic_load(&countdown);

    for (;;) {
        unsigned long next = left - 1;

        if (left == 0)
            return false;
        if (left == 1 && atomic_load(&fail_mode) == (int)MEM_FAIL_ON)
            next = 1;
        if (atomic_compare_exchange_weak(&countdown, &left, next))
            break;
    }
    if (left != 1)
        return false;
    atomic_fetch_add(&refused, 1);
    errno = ENOMEM;
    return true;
}

bool mem_denied(void)
{
    return atomic_load_explicit(&countdown, memory_order_relaxed) != 0 && denied_slow();
}

void *mem_alloc(size_t n)
{
    return mem_denied() ? NULL : malloc(n ? n : 1);
}

void *mem_calloc(size_t n, size_t size)
{
    if (size != 0 && n > SIZE_MAX / size)
        return NULL;
    return mem_denied() ? NULL : calloc(n ? n : 1, size ? size : 1);
}

void *mem_realloc(void *p, size_t n)
{
    return mem_denied() ? NULL : realloc(p, n ? n : 1);
}

void *mem_realloc_array(void *p, size_t n, size_t size)
{
    if (size != 0 && n > SIZE_MAX / size)
        return NULL;
    return mem_realloc(p, n * size);
}

void *mem_dup(const void *p, size_t n)
{
    char *copy = n < SIZE_MAX ? mem_alloc(n + 1) : NULL;

    if (!copy)
        return NULL;
    if (n)
        memcpy(copy, p, n);
    copy[n] = 0;
    return copy;
}

char *mem_strdup(const char *s)
{
    return mem_dup(s, strlen(s));
}

char *mem_printf(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    int n;

    if (mem_denied())
        return NULL;
    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    return n < 0 ? NULL : text;
}

void mem_free(void *p)
{
    int saved = errno;

    free(p);
    errno = saved;
}
