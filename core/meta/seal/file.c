/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing sealed files: whole pages of the database, frames of the log. */
#include "meta/seal/file.h"

#include "base/alloc.h"
#include "pcloud/err.h"
#include "pcloud/log.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#define RETRIES 200 /* of a first page that a checkpoint is just writing */
#define RUN_FRAMES                                                                                 \
    24 /* of the log, written together; SQLite's file layer takes less than 128 KiB at once */
#define LOGGED_MAX 100 /* damaged pages named in the log of one process */

struct seal_file {
    sqlite3_file base;
    sqlite3_file *below; /* right behind this struct */
    struct aead *aead;
    struct seal_nonces nonces;
    bool header_waits; /* a frame's header was written, its page comes next */
    uint32_t header_index;
    uint8_t header[SEAL_FRAME_HEADER];
    uint8_t *run; /* sealed frames that are to be written; room for RUN_FRAMES, or NULL */
    uint32_t run_first, run_n;
    uint8_t sealed[SEAL_FRAME], plain[SEAL_FRAME]; /* scratch */
};

static struct seal_file *self(sqlite3_file *file)
{
    return (struct seal_file *)(void *)file;
}

static void log_damage(const char *what, uint32_t number)
{
    static atomic_uint count;

    if (atomic_fetch_add(&count, 1) < LOGGED_MAX)
        pc_log(PC_LOG_ERROR, "meta.damaged", "%s %u of the metadata database fails its seal", what,
               number);
}

static int code(int r)
{
    if (r == 0)
        return SQLITE_OK;
    return r == PC_ECORRUPT ? SQLITE_CORRUPT : SQLITE_IOERR;
}

/* The main database. */

static int page_read(struct seal_file *f, uint32_t pgno, uint8_t *out)
{
    sqlite3_int64 off = (sqlite3_int64)(pgno - 1) * SEAL_PAGE, size;
    int rc = f->below->pMethods->xRead(f->below, f->sealed, SEAL_PAGE, off);

    if (rc == SQLITE_IOERR_SHORT_READ) {
        rc = f->below->pMethods->xFileSize(f->below, &size);
        if (rc == SQLITE_OK && size == 0 && pgno == 1) {
            memset(out, 0, SEAL_PAGE);
            return SQLITE_IOERR_SHORT_READ; /* a new database */
        }
        if (rc == SQLITE_OK)
            return SQLITE_CORRUPT;
    }
    return rc == SQLITE_OK ? code(seal_page_open(f->aead, pgno, f->sealed, out)) : rc;
}

/*
 * A part of page 1: SQLite looks at it before it holds any lock, so a checkpoint may be just writing it, or may have died in that. What matters will be read again
 * as a whole page (then from the log, if it is there); until then this header says no more than what is always so.
 */
static int header_read(struct seal_file *f, void *buf, int n, int off)
{
    int rc = SQLITE_CORRUPT;

    for (int i = 0; i < RETRIES && rc == SQLITE_CORRUPT; i++) {
        if (i > 0)
            sched_yield();
        rc = page_read(f, 1, f->plain);
    }
    if (rc == SQLITE_CORRUPT) {
        memset(f->plain, 0, SEAL_PAGE);
        memcpy(f->plain, "SQLite format 3", 16);
        f->plain[16] = SEAL_PAGE >> 8;
        f->plain[18] = f->plain[19] = 2;
        f->plain[20] = SEAL_RESERVED;
        f->plain[21] = 64;
        f->plain[22] = f->plain[23] = 32;
        rc = SQLITE_OK;
    }
    if (rc == SQLITE_OK || rc == SQLITE_IOERR_SHORT_READ)
        memcpy(buf, f->plain + off, (size_t)n);
    return rc;
}

static int main_read(sqlite3_file *file, void *buf, int n, sqlite3_int64 off)
{
    struct seal_file *f = self(file);
    int rc;

    if (off >= 0 && off + n <= SEAL_PAGE && n < SEAL_PAGE)
        return header_read(f, buf, n, (int)off);
    if (n != SEAL_PAGE || off % SEAL_PAGE != 0 || off / SEAL_PAGE >= UINT32_MAX)
        return SQLITE_IOERR_READ;
    rc = page_read(f, (uint32_t)(off / SEAL_PAGE) + 1, buf);
    if (rc == SQLITE_CORRUPT)
        log_damage("page", (uint32_t)(off / SEAL_PAGE) + 1);
    return rc;
}

static int main_write(sqlite3_file *file, const void *buf, int n, sqlite3_int64 off)
{
    struct seal_file *f = self(file);
    const uint8_t *nonce;

    if (n != SEAL_PAGE || off % SEAL_PAGE != 0 || off / SEAL_PAGE >= UINT32_MAX ||
        seal_nonce(&f->nonces, &nonce) < 0 ||
        seal_page(f->aead, (uint32_t)(off / SEAL_PAGE) + 1, nonce, buf, f->sealed) < 0)
        return SQLITE_IOERR_WRITE;
    return f->below->pMethods->xWrite(f->below, f->sealed, n, off);
}

/* The log. */

static sqlite3_int64 frame_offset(uint32_t index)
{
    return SEAL_LOG_HEADER + (sqlite3_int64)index * SEAL_FRAME;
}

/* A transaction's frames go to the file together: nobody looks for them before its last one is written. */
static int run_write(struct seal_file *f)
{
    int n = (int)f->run_n * SEAL_FRAME;

    if (n == 0)
        return SQLITE_OK;
    f->run_n = 0;
    return f->below->pMethods->xWrite(f->below, f->run, n, frame_offset(f->run_first));
}

/* Read a frame into f->plain. */
static int frame_read(struct seal_file *f, uint32_t index)
{
    int rc = run_write(f);

    if (rc == SQLITE_OK)
        rc = f->below->pMethods->xRead(f->below, f->sealed, SEAL_FRAME, frame_offset(index));
    if (rc == SQLITE_IOERR_SHORT_READ)
        return SQLITE_CORRUPT;
    return rc == SQLITE_OK ? code(seal_frame_open(f->aead, index, f->sealed, f->plain)) : rc;
}

/* Does this frame end a transaction? It names the size of the database then. */
static bool is_last(const uint8_t *frame)
{
    return !seal_is_zero(frame + 4, 4);
}

/* Write f->plain as a frame. */
static int frame_write(struct seal_file *f, uint32_t index)
{
    const uint8_t *nonce;
    int rc = SQLITE_OK;

    if (!f->run)
        f->run = mem_alloc((size_t)RUN_FRAMES * SEAL_FRAME);
    if (!f->run)
        return SQLITE_IOERR_NOMEM;
    if (f->run_n == RUN_FRAMES || index != f->run_first + f->run_n)
        rc = run_write(f);
    if (rc != SQLITE_OK)
        return rc;
    if (f->run_n == 0)
        f->run_first = index;
    if (seal_nonce(&f->nonces, &nonce) < 0 ||
        seal_frame(f->aead, index, nonce, f->plain, f->run + (size_t)f->run_n * SEAL_FRAME) < 0)
        return SQLITE_IOERR_WRITE;
    f->run_n++;
    return is_last(f->plain) ? run_write(f) : SQLITE_OK;
}

/* A header whose page did not follow at once is for a frame that is there already. */
static int header_settle(struct seal_file *f)
{
    int rc;

    if (!f->header_waits)
        return SQLITE_OK;
    f->header_waits = false;
    rc = frame_read(f, f->header_index);
    if (rc != SQLITE_OK)
        return rc;
    memcpy(f->plain, f->header, sizeof f->header);
    return frame_write(f, f->header_index);
}

/* All that was written is in the file. */
static int settle(struct seal_file *f)
{
    int rc = header_settle(f);

    return rc == SQLITE_OK ? run_write(f) : rc;
}

static bool frame_of(sqlite3_int64 off, uint32_t *ret_index, int *ret_in_frame)
{
    sqlite3_int64 at = off - SEAL_LOG_HEADER;

    if (at < 0 || at / SEAL_FRAME >= UINT32_MAX)
        return false;
    *ret_index = (uint32_t)(at / SEAL_FRAME);
    *ret_in_frame = (int)(at % SEAL_FRAME);
    return true;
}

/* A whole frame is asked for by recovery only, which takes what does not fit for the end of the log. */
static int log_read(sqlite3_file *file, void *buf, int n, sqlite3_int64 off)
{
    struct seal_file *f = self(file);
    int rc = settle(f), in_frame;
    uint32_t index;

    if (rc != SQLITE_OK)
        return rc;
    if (off == 0 && n == SEAL_LOG_HEADER)
        return f->below->pMethods->xRead(f->below, buf, n, off);
    if (!frame_of(off, &index, &in_frame) || in_frame + n > SEAL_FRAME)
        return SQLITE_IOERR_READ;
    rc = frame_read(f, index);
    if (rc == SQLITE_CORRUPT && in_frame == 0) {
        memset(buf, 0, (size_t)n);
        return SQLITE_OK;
    }
    if (rc == SQLITE_CORRUPT)
        log_damage("log frame", index);
    if (rc == SQLITE_OK)
        memcpy(buf, f->plain + in_frame, (size_t)n);
    return rc;
}

static int log_write(sqlite3_file *file, const void *buf, int n, sqlite3_int64 off)
{
    struct seal_file *f = self(file);
    int rc, in_frame;
    uint32_t index;

    if (off == 0 && n == SEAL_LOG_HEADER) {
        rc = settle(f);
        return rc == SQLITE_OK ? f->below->pMethods->xWrite(f->below, buf, n, off) : rc;
    }
    if (!frame_of(off, &index, &in_frame))
        return SQLITE_IOERR_WRITE;
    if (in_frame == 0 && n == SEAL_FRAME_HEADER) {
        rc = header_settle(f);
        memcpy(f->header, buf, sizeof f->header);
        f->header_index = index;
        f->header_waits = rc == SQLITE_OK;
        return rc;
    }
    if (in_frame != SEAL_FRAME_HEADER || n != SEAL_PAGE)
        return SQLITE_IOERR_WRITE;
    if (f->header_waits && f->header_index == index) {
        f->header_waits = false;
        memcpy(f->plain, f->header, sizeof f->header);
    } else {
        rc = header_settle(f);
        if (rc == SQLITE_OK)
            rc = frame_read(f, index);
        if (rc != SQLITE_OK)
            return rc;
    }
    memcpy(f->plain + SEAL_FRAME_HEADER, buf, SEAL_PAGE);
    return frame_write(f, index);
}

/* Both. */

static int close_file(sqlite3_file *file)
{
    struct seal_file *f = self(file);
    int rc = settle(f), rc2 = f->below->pMethods->xClose(f->below);

    mem_free(f->run);
    aead_free(f->aead);
    f->aead = NULL;
    return rc == SQLITE_OK ? rc2 : rc;
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    struct seal_file *f = self(file);
    int rc = run_write(f);

    f->header_waits = false;
    return rc == SQLITE_OK ? f->below->pMethods->xTruncate(f->below, size) : rc;
}

static int sync_file(sqlite3_file *file, int flags)
{
    struct seal_file *f = self(file);
    int rc = settle(f);

    return rc == SQLITE_OK ? f->below->pMethods->xSync(f->below, flags) : rc;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    struct seal_file *f = self(file);
    int rc = settle(f);

    return rc == SQLITE_OK ? f->below->pMethods->xFileSize(f->below, ret) : rc;
}

static int lock_file(sqlite3_file *file, int level)
{
    struct seal_file *f = self(file);

    return f->below->pMethods->xLock(f->below, level);
}

static int unlock_file(sqlite3_file *file, int level)
{
    struct seal_file *f = self(file);

    return f->below->pMethods->xUnlock(f->below, level);
}

static int lock_check(sqlite3_file *file, int *ret)
{
    struct seal_file *f = self(file);

    return f->below->pMethods->xCheckReservedLock(f->below, ret);
}

static int control(sqlite3_file *file, int op, void *arg)
{
    struct seal_file *f = self(file);

    if (op == SQLITE_FCNTL_MMAP_SIZE)
        return SQLITE_OK;
    return f->below->pMethods->xFileControl(f->below, op, arg);
}

static int sector_size(sqlite3_file *file)
{
    struct seal_file *f = self(file);

    return f->below->pMethods->xSectorSize(f->below);
}

/* Only what stays true above a cipher. */
static int traits(sqlite3_file *file)
{
    struct seal_file *f = self(file);

    return f->below->pMethods->xDeviceCharacteristics(f->below) &
           (SQLITE_IOCAP_POWERSAFE_OVERWRITE | SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN);
}

static int shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
    struct seal_file *f = self(file);

    return f->below->pMethods->xShmMap(f->below, page, size, extend, ret);
}

static int shm_lock(sqlite3_file *file, int off, int n, int flags)
{
    struct seal_file *f = self(file);

    return f->below->pMethods->xShmLock(f->below, off, n, flags);
}

static void shm_barrier(sqlite3_file *file)
{
    struct seal_file *f = self(file);

    f->below->pMethods->xShmBarrier(f->below);
}

static int shm_unmap(sqlite3_file *file, int delete_it)
{
    struct seal_file *f = self(file);

    return f->below->pMethods->xShmUnmap(f->below, delete_it);
}

#define SHARED_METHODS                                                                             \
    .iVersion = 2, .xClose = close_file, .xTruncate = truncate_file, .xSync = sync_file,           \
    .xFileSize = file_size, .xLock = lock_file, .xUnlock = unlock_file,                            \
    .xCheckReservedLock = lock_check, .xFileControl = control, .xSectorSize = sector_size,         \
    .xDeviceCharacteristics = traits, .xShmMap = shm_map, .xShmLock = shm_lock,                    \
    .xShmBarrier = shm_barrier, .xShmUnmap = shm_unmap

static const sqlite3_io_methods main_methods = {
    SHARED_METHODS,
    .xRead = main_read,
    .xWrite = main_write,
};

static const sqlite3_io_methods log_methods = {
    SHARED_METHODS,
    .xRead = log_read,
    .xWrite = log_write,
};

int seal_file_bytes(const sqlite3_vfs *below)
{
    return (int)((sizeof(struct seal_file) + 15) & ~(size_t)15) + below->szOsFile;
}

int seal_file_open(sqlite3_vfs *below, const char *name, int flags, int *ret_flags,
                   struct aead *aead, sqlite3_file *file)
{
    struct seal_file *f = self(file);
    int rc;

    memset(f, 0, sizeof *f);
    f->below = (sqlite3_file *)(void *)((char *)f + ((sizeof *f + 15) & ~(size_t)15));
    rc = below->xOpen(below, name, f->below, flags, ret_flags);
    if (rc != SQLITE_OK)
        return rc;
    f->aead = aead;
    f->base.pMethods = flags & SQLITE_OPEN_WAL ? &log_methods : &main_methods;
    return SQLITE_OK;
}
