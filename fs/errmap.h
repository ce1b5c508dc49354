/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where codes of pcloud become errno values for the kernel. */
#ifndef FS_ERRMAP_H
#define FS_ERRMAP_H

/** errmap(code): the positive errno for a negative code of ours or of the system; 0 for 0 and above. */
int errmap(long long code);

#endif
