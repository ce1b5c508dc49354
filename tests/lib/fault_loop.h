/* SPDX-License-Identifier: Apache-2.0 */
/* One operation of a volume after another, with its Nth allocation or database statement failing: all of it is done or nothing. */
#ifndef FAULT_LOOP_H
#define FAULT_LOOP_H

#include <stdint.h>

#include "test_volume.h"

enum fault_op_flag {
    FAULT_LATE = 1,    /* durable: an error may come after the change, from bringing it to disk */
    FAULT_PARTIAL = 2, /* a failure may leave part of it; doing it again must put that right */
    FAULT_READS = 4,   /* changes nothing; by itself: is done in one world again and again */
};

/* What an operation works on: fresh each time, with the same names within. */
struct fault_world {
    struct test_volume *t;
    struct pc_volume *v;
    char bucket[32]; /* a bucket, and as a folder: */
    uint64_t dir;
    char user[32];                /* no user yet */
    char upload[48];              /* for prepare to leave an upload's number */
    uint64_t ino, other;          /* for prepare to leave nodes' numbers */
    uint8_t tag[8];               /* bytes to begin content with: it is new for the volume then */
    struct pc_volume_stat before; /* when prepare was through */
};

struct fault_op {
    const char *name;
    void (*prepare)(struct fault_world *w); /* may be NULL; nothing fails meanwhile */
    int (*run)(
        struct fault_world *w); /* < 0: failed; checks by itself what it was given on success */
    unsigned flags;
};

/*
 * fault_ops(ops, n): For each operation: once without a fault; then with the first, second, ... allocation failing, alone or with all that
 * follow; then with statements of the database failing. What failed changed nothing, what did not did all; done again it succeeds; and fsck is clean.
 * Asserts by cmocka. The program must be linked with --wrap for sqlite3_step, fsync and fdatasync.
 */
void fault_ops(const struct fault_op *ops, unsigned n);

/* fault_statements(): Steps of database statements that this thread made since it asked last. */
unsigned long fault_statements(void);

#endif
