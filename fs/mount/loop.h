/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that take requests from the kernel and serve them: as few as keep up. */
#ifndef FS_LOOP_H
#define FS_LOOP_H

#include <fuse_lowlevel.h>

/*
 * The kernel wakes the reader that has slept longest: with a dozen threads waiting, a single program's requests go round all of them, each time to the
 * one whose memory is in no cache any more, and a thread is woken for nothing whenever two requests come close together. So one thread reads; it serves
 * what it has read, and reads again. A second one reads when requests are found waiting again and again, and so on; and when one request takes
 * long, another thread reads in its place.
 */
struct loop;

/** loop_new(session, threads, ret): for a session that is mounted, at most so many threads. -errno. */
int loop_new(struct fuse_session *session, unsigned threads, struct loop **ret);
void loop_free(struct loop *l);

/** loop_run(l): serve, this thread among others, until the mount is gone or loop_stop; all others have ended then. 0 or -errno. */
int loop_run(struct loop *l);

/** loop_stop(l): end it, and return when no request is served any more. Any thread but one that serves. Uses SIGUSR2. */
void loop_stop(struct loop *l);

#endif
