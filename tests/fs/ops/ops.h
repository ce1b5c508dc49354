/* SPDX-License-Identifier: Apache-2.0 */
/* What the cases of fs_ops share: checks that end a case, and the folder each one works in. */
#ifndef TESTS_FS_OPS_H
#define TESTS_FS_OPS_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

struct ops_case {
    const char *name;
    void (*run)(void);
    bool root; /* skipped for others */
};

/* Each file's cases, ending with a NULL name. */
extern const struct ops_case cases_name[], cases_data[], cases_attr[], cases_dir[], cases_rename[],
    cases_acl[];

/* A case runs in a process of its own, in an empty folder of its own: a check that fails ends it. */
_Noreturn void ops_fail(const char *file, int line, const char *what, long long got);

static inline long long ops_okay(long long r, const char *file, int line, const char *what)
{
    if (r == -1)
        ops_fail(file, line, what, errno);
    return r;
}

/** CHECK(e): it is true. OKAY(e): it does not return -1. FAILS(e, error): it returns -1 with that errno. SAME(a, b): equal numbers. */
#define CHECK(e) ((e) ? (void)0 : ops_fail(__FILE__, __LINE__, #e, errno))
#define OKAY(e) __extension__({ (__typeof__(e))ops_okay((long long)(e), __FILE__, __LINE__, #e); })
#define FAILS(e, error)                                                                            \
    do {                                                                                           \
        errno = 0;                                                                                 \
        if ((long long)(e) != -1)                                                                  \
            ops_fail(__FILE__, __LINE__, #e " succeeded", 0);                                      \
        if (errno != (error))                                                                      \
            ops_fail(__FILE__, __LINE__, #e " is not " #error, errno);                             \
    } while (0)
#define SAME(a, b)                                                                                 \
    do {                                                                                           \
        long long ops_a = (long long)(a), ops_b = (long long)(b);                                  \
        if (ops_a != ops_b)                                                                        \
            ops_fail(__FILE__, __LINE__, #a " is not " #b, ops_a);                                 \
    } while (0)

/** ops_file(name, content): make a file. ops_is(name, content): it holds exactly that. */
void ops_file(const char *name, const char *content);
void ops_is(const char *name, const char *content);

/** ops_stat(name): its attributes without following links; the case fails if there is none. ops_there(name): is there such a name? */
struct stat ops_stat(const char *name);
bool ops_there(const char *name);

/** ops_pattern(buf, len, seed): bytes that tell where they came from. */
void ops_pattern(unsigned char *buf, size_t len, unsigned seed);

/** ops_as(uid, gid, fn): run ${fn} as that user in a child; it must return 0. */
void ops_as(uid_t uid, gid_t gid, int (*fn)(void));

#endif
