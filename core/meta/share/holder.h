/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds the write lease, and since when: for those who wait, and for who asks from outside. */
#ifndef META_SHARE_HOLDER_H
#define META_SHARE_HOLDER_H

#include "meta/meta.h"
#include "meta/share/shm.h"

/** holder_took(s, slot), holder_left(s): the lease has a holder, or none. Under it. */
void holder_took(struct shm *s, unsigned slot);
void holder_left(struct shm *s);

/* One wait: begins with both zero. */
struct holder_wait {
    int64_t began, told; /* monotonic ns */
};
/** holder_waited(s, w, what): called now and then by who waits for another session: after a few seconds it logs for whom, now and then again. */
void holder_waited(struct shm *s, struct holder_wait *w, const char *what);

/* After so long a wait is worth a line in the log. A test may set it. */
extern int holder_patience_ms;

#endif
