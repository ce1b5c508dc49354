/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the sealing layer: a main database or its log. */
#ifndef META_SEAL_FILE_H
#define META_SEAL_FILE_H

#include <sqlite3.h>

#include "meta/seal/page.h"

/** seal_file_bytes(below): room for one of our files over one of that layer's. */
int seal_file_bytes(const sqlite3_vfs *below);

/** seal_file_open(below, name, flags, ret_flags, aead, file): open into ${file}; takes ${aead} on SQLITE_OK. */
int seal_file_open(sqlite3_vfs *below, const char *name, int flags, int *ret_flags,
                   struct aead *aead, sqlite3_file *file);

#endif
