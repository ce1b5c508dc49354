/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at the parts from outside: mounts, addresses, processes. Nothing here blocks longer than it says. */
#ifndef CLI_RUN_PROBE_H
#define CLI_RUN_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli.h"

#define PROBE_MAX_S 5 /* a probe's process ends after so many seconds */

enum probe_mount { PROBE_NOT_MOUNTED, PROBE_MOUNTED, PROBE_MOUNT_STALE };

/** probe_mount_kind(path): is this absolute path a mount point, and does its server live? Takes at most PROBE_MAX_S. */
enum probe_mount probe_mount_kind(const char *path);

/** probe_mount_there(path): is it in the mount table? Never blocks. */
bool probe_mount_there(const char *path);

/** probe_mount_clear(path): take away a mount whose server is gone (fusermount3 -uz, or umount2 as root). -EBUSY if it stays. */
int probe_mount_clear(const char *path);

/**
 * probe_process_ends(pid): was it killed without being gone? A thread of a mount may wait in the kernel for an answer that only its own process could give; then
 * neither ends. probe_mount_abort(path): end the FUSE connection of the mount there, so that every such wait fails.
 */
bool probe_process_ends(pid_t pid);
void probe_mount_abort(const char *path);

/** probe_mount_start(path), probe_port_start(address): start a process that looks; its pid or -errno. Its wait status goes to probe_result. */
pid_t probe_mount_start(const char *path);
pid_t probe_port_start(const char *address);

/** probe_result(status): 0 if the part answered, else -errno: what stood in the way. */
int probe_result(int status);

/** probe_wait(pid): wait for a probe's process and return its result. */
int probe_wait(pid_t pid);

/**
 * probe_address_free(address): can this ADDR:PORT be listened on? Port 0 always can. The message of -EADDRINUSE, -EADDRNOTAVAIL or
 * -EACCES names the address and what to do; PC_EUSAGE if it is no address.
 */
int probe_address_free(const char *address, const char *option);

/** probe_connect_address(address, buf, cap): the address as a client on this machine would use it: 0.0.0.0 and :: become loopback. */
int probe_connect_address(const char *address, char *buf, size_t cap);

/** probe_process_end(pid, born, term_ms): SIGTERM the process if it is still the one born then, wait, SIGKILL after ${term_ms}. Returns when it is gone. */
void probe_process_end(pid_t pid, uint64_t born, int term_ms);

#endif
