/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the kernel's caches right when others change the volume. */
#ifndef FS_COHERENCE_H
#define FS_COHERENCE_H

#include "pcloud/volume.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The kernel trusts names, attributes and pages for minutes. Two threads keep that right, neither of them serves requests (a request
 * that notifies can wait for itself):
 *
 *   feed    reads the volume's change feed; what others changed is invalidated in the kernel;
 *   notify  does the same for requests whose answer was overtaken.
 *
 * Overtaken: a request reads the volume, then somebody changes it and the feed invalidates, and only then the answer arrives in the kernel
 * and is cached. So each request takes a mark before it reads, and after its answer asks whether the feed has passed a change to the same
 * node or name since; if so it has it invalidated once more. The changes of the recent past are kept in a ring for that.
 */
struct coherence;
struct fs;

/** coherence_start(fs, ret): start both threads. The session must be mounted. */
int coherence_start(struct fs *fs, struct coherence **ret);

/** coherence_stop(c): end both threads; no notification is sent afterwards. NULL is legal, twice too. */
void coherence_stop(struct coherence *c);
void coherence_free(struct coherence *c);

/** coherence_mark(c): where the feed is now. */
uint64_t coherence_mark(struct coherence *c);

/** coherence_check(c, mark, node): after an answer with what is known of the node. Never waits. */
void coherence_check(struct coherence *c, uint64_t mark, uint64_t node);

/** coherence_check_name(c, mark, parent, name, node): after an answer about a name; ${node} 0: that it is not there. */
void coherence_check_name(struct coherence *c, uint64_t mark, uint64_t parent, const char *name,
                          uint64_t node);

/** coherence_check_folder(c, mark, parent): after an answer with many names of a folder and their nodes. */
void coherence_check_folder(struct coherence *c, uint64_t mark, uint64_t parent);

/** coherence_drop(c, node, data): have the kernel forget the attributes, and with ${data} the pages, of a node soon. */
void coherence_drop(struct coherence *c, uint64_t node, bool data);

/**
 * coherence_drop_pages(c, node): attributes and pages, before it returns. It waits a moment at most: pages may be locked by requests that other threads have still to
 * serve, so the last of them must not wait for long.
 */
void coherence_drop_pages(struct coherence *c, uint64_t node);

#endif
