/* SPDX-License-Identifier: Apache-2.0 */
/* A layer below SQLite that seals every page on its way to disk: files of the two kinds that may be, by name. */
#include "meta/seal/vfs.h"

#include "base/alloc.h"
#include "meta/seal/file.h"
#include "pcloud/err.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct seal_vfs {
    sqlite3_vfs vfs;
    sqlite3_vfs *below;
    uint8_t *key;
    char name[32];
};

static struct seal_vfs *self(sqlite3_vfs *vfs)
{
    return vfs->pAppData;
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *ret_flags)
{
    struct seal_vfs *v = self(vfs);
    struct aead *aead;
    int rc;

    file->pMethods = NULL;
    if (!name || !(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
        return SQLITE_CANTOPEN;
    if (seal_vfs_aead(v, &aead) < 0)
        return SQLITE_NOMEM;
    rc = seal_file_open(v->below, name, flags, ret_flags, aead, file);
    if (rc != SQLITE_OK)
        aead_free(aead);
    return rc;
}

static int delete_file(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
    struct seal_vfs *v = self(vfs);

    return v->below->xDelete(v->below, name, sync_dir);
}

/* There is never a rollback journal: one that somebody put there would be written back into the database. */
static int access_file(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
    static const char journal[] = "-journal";
    struct seal_vfs *v = self(vfs);
    size_t len = strlen(name), n = sizeof journal - 1;

    if (len >= n && memcmp(name + len - n, journal, n) == 0) {
        *ret = 0;
        return SQLITE_OK;
    }
    return v->below->xAccess(v->below, name, flags, ret);
}

static int full_path(sqlite3_vfs *vfs, const char *name, int cap, char *buf)
{
    struct seal_vfs *v = self(vfs);

    return v->below->xFullPathname(v->below, name, cap, buf);
}

static int randomness(sqlite3_vfs *vfs, int n, char *buf)
{
    struct seal_vfs *v = self(vfs);

    return v->below->xRandomness(v->below, n, buf);
}

static int pause(sqlite3_vfs *vfs, int us)
{
    struct seal_vfs *v = self(vfs);

    return v->below->xSleep(v->below, us);
}

static int last_error(sqlite3_vfs *vfs, int n, char *buf)
{
    struct seal_vfs *v = self(vfs);

    return v->below->xGetLastError(v->below, n, buf);
}

static int now(sqlite3_vfs *vfs, sqlite3_int64 *ret)
{
    struct seal_vfs *v = self(vfs);

    return v->below->xCurrentTimeInt64(v->below, ret);
}

static int now_days(sqlite3_vfs *vfs, double *ret)
{
    struct seal_vfs *v = self(vfs);

    return v->below->xCurrentTime(v->below, ret);
}

static void methods_set(struct seal_vfs *v)
{
    v->vfs = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = seal_file_bytes(v->below),
        .mxPathname = v->below->mxPathname,
        .zName = v->name,
        .pAppData = v,
        .xOpen = open_file,
        .xDelete = delete_file,
        .xAccess = access_file,
        .xFullPathname = full_path,
        .xRandomness = randomness,
        .xSleep = pause,
        .xCurrentTime = now_days,
        .xGetLastError = last_error,
        .xCurrentTimeInt64 = now,
    };
}

/* Counting memory takes a lock of the whole process at every allocation. */
static void library_setup(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int seal_vfs_new(const uint8_t key[AEAD_KEY_BYTES], const char *below, struct seal_vfs **ret)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static atomic_uint numbers;
    struct seal_vfs *v;

    pthread_once(&once, library_setup);
    if (sqlite3_initialize() != SQLITE_OK)
        return -EIO;
    v = mem_calloc(1, sizeof *v);
    if (!v)
        return -ENOMEM;
    v->below = sqlite3_vfs_find(below ? below : "unix");
    if (!v->below) {
        mem_free(v);
        return pc_err_set(-EIO, "this SQLite has no file layer \"%s\"", below ? below : "unix");
    }
    v->key = mem_lock_alloc(AEAD_KEY_BYTES);
    if (!v->key) {
        mem_free(v);
        return -ENOMEM;
    }
    memcpy(v->key, key, AEAD_KEY_BYTES);
    snprintf(v->name, sizeof v->name, "pcloud-seal-%u", atomic_fetch_add(&numbers, 1));
    methods_set(v);
    if (sqlite3_vfs_register(&v->vfs, 0) != SQLITE_OK) {
        mem_lock_free(v->key);
        mem_free(v);
        return -EIO;
    }
    *ret = v;
    return 0;
}

void seal_vfs_free(struct seal_vfs *v)
{
    if (!v)
        return;
    sqlite3_vfs_unregister(&v->vfs);
    mem_lock_free(v->key);
    mem_free(v);
}

const char *seal_vfs_name(const struct seal_vfs *v)
{
    return v->name;
}

sqlite3_vfs *seal_vfs_below(const struct seal_vfs *v)
{
    return v->below;
}

int seal_vfs_aead(const struct seal_vfs *v, struct aead **ret)
{
    struct aead *a;
    int r = aead_new(&a);

    if (r < 0)
        return r;
    r = aead_rekey(a, v->key);
    if (r < 0) {
        aead_free(a);
        return r;
    }
    *ret = a;
    return 0;
}

int seal_reserve(sqlite3 *db)
{
    int n = SEAL_RESERVED;

    return sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &n);
}
