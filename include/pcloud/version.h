/* SPDX-License-Identifier: Apache-2.0 */
/* The version of pcloud. */
#ifndef PCLOUD_VERSION_H
#define PCLOUD_VERSION_H

/* pc_version(): The version as text ("0.1.0"); static, never NULL. */
const char *pc_version(void);

#endif
