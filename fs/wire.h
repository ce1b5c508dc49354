/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's protocol where libfuse 3.14 knows less of it than the kernel. */
#ifndef FS_WIRE_H
#define FS_WIRE_H

#include <stdbool.h>
#include <stdint.h>

struct fuse_session;

/**
 * wire_attach(se): have the mounted session read and write through this module. It adds what libfuse does not pass on: in the answer
 * to INIT, that folders may be read in parallel and that we clear set-user-id bits; and in requests, that this one is to clear them (of a request to
 * set an access control list: set-group-id), and what asks for a file without a name.
 * Without the clearing the kernel asks for security.capability before each write.
 */
int wire_attach(struct fuse_session *se);

/** wire_kill_suid(): must the request that this thread serves clear set-user-id and set-group-id bits? */
bool wire_kill_suid(void);

/** wire_is_unnamed(): is the request to create, which this thread serves, for a file without a name (O_TMPFILE)? Its name then means nothing. */
bool wire_is_unnamed(void);

/** wire_caller(): whose request this thread read last: the number of a thread, or 0 if it is the kernel's own. */
uint32_t wire_caller(void);
/** wire_is_read(): is it one for content? The kernel reads ahead: one caller has many of these at once. */
bool wire_is_read(void);

#endif
