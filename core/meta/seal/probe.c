/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a key opens a database, asked before SQLite touches it. */
#include "meta/seal/vfs.h"

#include "base/alloc.h"
#include "meta/seal/page.h"
#include "pcloud/err.h"

#define PROBED_MAX 4096 /* pages or frames looked at when the first page does not open */

enum opens { NOTHING_THERE, OPENS, FAILS };

/* Look for one page (or frame) that opens, from ${first} on. */
static enum opens try_file(struct aead *a, sqlite3_file *file, bool log, uint32_t first,
                           uint32_t count)
{
    int unit = log ? SEAL_FRAME : SEAL_PAGE;
    sqlite3_int64 start = log ? SEAL_LOG_HEADER : 0;
    uint8_t in[SEAL_FRAME], out[SEAL_FRAME];
    enum opens found = NOTHING_THERE;

    for (uint32_t i = first; i < first + count; i++) {
        if (file->pMethods->xRead(file, in, unit, start + (sqlite3_int64)i * unit) != SQLITE_OK)
            break;
        if ((log ? seal_frame_open(a, i, in, out) : seal_page_open(a, i + 1, in, out)) == 0)
            return OPENS;
        found = FAILS;
    }
    return found;
}

/* By SQLite's own layer: a descriptor of ours, when closed, would take away every lock that this process has on the file. */
static int try_path(const struct seal_vfs *v, struct aead *a, const char *path, bool log,
                    uint32_t first, uint32_t count, enum opens *ret)
{
    sqlite3_vfs *below = seal_vfs_below(v);
    int flags = SQLITE_OPEN_READONLY | (log ? SQLITE_OPEN_WAL : SQLITE_OPEN_MAIN_DB);
    sqlite3_file *file;
    int there = 0, rc = below->xAccess(below, path, SQLITE_ACCESS_EXISTS, &there);

    *ret = NOTHING_THERE;
    if (rc != SQLITE_OK || !there)
        return rc == SQLITE_OK ? 0 : -EIO;
    file = mem_calloc(1, (size_t)below->szOsFile);
    if (!file)
        return -ENOMEM;
    rc = below->xOpen(below, path, file, flags, &flags);
    if (rc == SQLITE_OK) {
        *ret = try_file(a, file, log, first, count);
        file->pMethods->xClose(file);
    }
    mem_free(file);
    return rc == SQLITE_OK ? 0 : pc_err_set(-EIO, "%s: cannot be opened", path);
}

int seal_probe(const struct seal_vfs *v, const char *path)
{
    enum opens first = NOTHING_THERE, rest = NOTHING_THERE, log = NOTHING_THERE;
    struct aead *a;
    char *log_path = mem_printf("%s-wal", path);
    int r = -ENOMEM;

    if (!log_path)
        return r;
    r = seal_vfs_aead(v, &a);
    if (r < 0)
        goto free_path;
    r = try_path(v, a, path, false, 0, 1, &first);
    if (r == 0 && first != OPENS)
        r = try_path(v, a, log_path, true, 0, PROBED_MAX, &log);
    if (r == 0 && first == FAILS && log != OPENS)
        r = try_path(v, a, path, false, 1, PROBED_MAX, &rest);
    if (r < 0)
        goto free_aead;
    if (first == OPENS || rest == OPENS || log == OPENS)
        r = 0;
    else if (first == FAILS)
        r = pc_err_set(PC_EPASSPHRASE,
                       "the key does not open the metadata in %s: it belongs to "
                       "another volume",
                       path);
    else
        r = pc_err_set(PC_ECORRUPT, "%s is shorter than one page; run pcloud fsck --repair", path);
free_aead:
    aead_free(a);
free_path:
    mem_free(log_path);
    return r;
}
