/* SPDX-License-Identifier: Apache-2.0 */
/* File calls of the data path that fail when a test says so. */
#ifndef DISK_FAULT_H
#define DISK_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum disk_fault_kind {
    DISK_FAULT_OPEN = 1,
    DISK_FAULT_READ = 2,
    DISK_FAULT_WRITE = 4, /* half of what was asked is written before */
    DISK_FAULT_SYNC = 8,  /* of files and folders */
    DISK_FAULT_NAME = 16, /* mkdir, unlink, truncate */
    DISK_FAULT_STAT = 32, /* stat, free space */
    DISK_FAULT_ALL = 63
};

/*
 * disk_fault(kinds, nth, code, forever): make the ${nth} call from now on of these kinds (1: the next) return ${code}, and with ${forever} all after it;
 * 0: none. Starts counting anew; any thread's calls count.
 */
void disk_fault(unsigned kinds, unsigned long nth, int code, bool forever);

/* disk_fault_count(): how many calls failed since. */
unsigned long disk_fault_count(void);

/* disk_fault_calls(kind): calls of that kind since. */
unsigned long disk_fault_calls(enum disk_fault_kind kind);

/* disk_fault_free(bytes): what the disk says is free; UINT64_MAX: the truth. */
void disk_fault_free(uint64_t bytes);

/* disk_fault_short(bytes): writes and reads do at most so much at once; 0: all. */
void disk_fault_short(size_t bytes);

/* disk_fault_fds(): descriptors that are open. */
int disk_fault_fds(void);

/* disk_fault_on(), disk_fault_off(): put these calls in place of the system's; the system's again. */
void disk_fault_on(void);
void disk_fault_off(void);

#endif
