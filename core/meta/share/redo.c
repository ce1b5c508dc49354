/* SPDX-License-Identifier: Apache-2.0 */
/* Operations that are acknowledged but not committed, kept where a killed process leaves them to the next. */
#include "meta/share/redo.h"

#include "base/alloc.h"
#include "pcloud/err.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_BYTES 4096
#define BOOT_BYTES 36

static const char magic[8] = "pcredo1";

struct redo_head {
    char magic[8];
    char boot[BOOT_BYTES + 4];
    uint8_t salt[REDO_SALT];
    _Atomic uint64_t base;
    _Atomic uint64_t used; /* bytes of whole records behind the head: stored last */
    _Atomic uint64_t session;
};

struct redo_record {
    uint32_t len, number;
    uint8_t tag[AEAD_TAG_BYTES];
    uint64_t nonce; /* counts up as long as the salt stays */
};

struct redo {
    int fd;
    struct redo_head *head;
    uint8_t *data;
    uint8_t *master; /* locked */
    struct aead *aead;
    char boot[BOOT_BYTES + 4];
    uint8_t salt[REDO_SALT];
    uint64_t nonce;
    uint32_t number;
};

static int boot_read(char boot[BOOT_BYTES + 4])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return -errno;
    memset(boot, 0, BOOT_BYTES + 4);
    n = read(fd, boot, BOOT_BYTES);
    close(fd);
    return n == BOOT_BYTES ? 0 : -EIO;
}

static int map_file(struct redo *r, const char *path)
{
    struct stat st;
    void *map;
    int err;

    r->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (r->fd < 0 || fstat(r->fd, &st) < 0)
        return -errno;
    if (st.st_size != REDO_BYTES && ftruncate(r->fd, REDO_BYTES) < 0)
        return -errno;
    do
        err = posix_fallocate(r->fd, 0, REDO_BYTES); /* a hole could not be filled on a full disk */
    while (err == EINTR);
    if (err)
        return -err;
    map = mmap(NULL, REDO_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    if (map == MAP_FAILED)
        return -errno;
    r->head = map;
    r->data = (uint8_t *)map + HEAD_BYTES;
    return 0;
}

static int rekey(struct redo *r, const uint8_t salt[REDO_SALT])
{
    static const char label[] = "pcloud v1 redo";
    uint8_t *key = mem_lock_alloc(MAC_BYTES);
    int rc;

    if (!key)
        return -ENOMEM;
    mac_keyed(r->master, label, sizeof label - 1, salt, REDO_SALT, key);
    rc = aead_rekey(r->aead, key);
    mem_lock_free(key);
    return rc;
}

/* A salt, and so a key, of this opening's own: then a counter is enough of a nonce. */
static int own_key(struct redo *r)
{
    if (getrandom(r->salt, sizeof r->salt, 0) != (ssize_t)sizeof r->salt)
        return -EIO;
    r->nonce = 0;
    return rekey(r, r->salt);
}

int redo_open(const char *path, const uint8_t master[AEAD_KEY_BYTES], struct redo **ret)
{
    struct redo *r = mem_calloc(1, sizeof *r);
    int rc = -ENOMEM;

    if (!r)
        return rc;
    r->fd = -1;
    r->master = mem_lock_alloc(AEAD_KEY_BYTES);
    if (!r->master)
        goto close_redo;
    memcpy(r->master, master, AEAD_KEY_BYTES);
    rc = aead_new(&r->aead);
    if (rc == 0)
        rc = boot_read(r->boot);
    if (rc == 0)
        rc = map_file(r, path);
    if (rc == 0)
        rc = own_key(r);
    if (rc < 0)
        goto close_redo;
    *ret = r;
    return 0;
close_redo:
    redo_close(r);
    return pc_err_wrap(rc, "%s: ", path);
}

void redo_close(struct redo *r)
{
    if (!r)
        return;
    if (r->head)
        munmap(r->head, REDO_BYTES);
    if (r->fd >= 0)
        close(r->fd);
    aead_free(r->aead);
    mem_lock_free(r->master);
    mem_free(r);
}

void redo_begin(struct redo *r, uint64_t base, uint64_t session)
{
    struct redo_head *h = r->head;

    atomic_store(&h->used, 0);
    if (memcmp(r->head->salt, r->salt, sizeof r->salt) != 0) {
        memcpy(h->magic, magic, sizeof magic);
        memcpy(h->boot, r->boot, sizeof h->boot);
        memcpy(h->salt, r->salt, sizeof h->salt);
    }
    atomic_store(&h->base, base);
    atomic_store(&h->session, session);
    r->number = 0;
}

static void nonce_set(uint8_t nonce[AEAD_NONCE_BYTES], uint64_t counter)
{
    memset(nonce, 0, AEAD_NONCE_BYTES);
    memcpy(nonce, &counter, sizeof counter);
}

/* What a record is bound to: the commit it follows, its number, its length. */
struct redo_aad {
    uint64_t base;
    uint32_t number, len;
};

static size_t record_bytes(size_t len)
{
    return (sizeof(struct redo_record) + len + 7) & ~(size_t)7;
}

int redo_append(struct redo *r, const void *data, size_t len)
{
    struct redo_head *h = r->head;
    uint64_t used = atomic_load(&h->used);
    struct redo_record rec = {.number = r->number, .nonce = r->nonce};
    struct redo_aad aad = {atomic_load(&h->base), rec.number, 0};
    uint8_t nonce[AEAD_NONCE_BYTES], *at = r->data + used;
    int rc;

    if (len > REDO_BYTES || record_bytes(len) > REDO_BYTES - HEAD_BYTES - used)
        return -ENOSPC;
    rec.len = aad.len = (uint32_t)len;
    nonce_set(nonce, r->nonce++);
    rc = aead_seal(r->aead, nonce, &aad, sizeof aad, data, len, at + sizeof rec, rec.tag);
    if (rc < 0)
        return rc;
    memcpy(at, &rec, sizeof rec);
    r->number++;
    atomic_store(&h->used, used + record_bytes(len));
    return 0;
}

void redo_clear(struct redo *r)
{
    atomic_store(&r->head->used, 0);
    r->number = 0;
}

size_t redo_fill(const struct redo *r)
{
    return (size_t)atomic_load(&r->head->used);
}

bool redo_left(const struct redo *r, uint64_t *ret_base, uint64_t *ret_session)
{
    const struct redo_head *h = r->head;
    uint64_t used = atomic_load(&h->used);

    if (memcmp(h->magic, magic, sizeof magic) != 0 || used == 0 || used > REDO_BYTES - HEAD_BYTES ||
        memcmp(h->boot, r->boot, sizeof h->boot) != 0)
        return false;
    *ret_base = atomic_load(&h->base);
    *ret_session = atomic_load(&h->session);
    return true;
}

static int each(struct redo *r, int (*fn)(void *arg, const uint8_t *data, size_t len), void *arg,
                uint8_t *plain)
{
    uint64_t used = atomic_load(&r->head->used), at = 0;
    uint32_t number = 0;
    int rc = 0;

    while (rc == 0 && used - at >= sizeof(struct redo_record)) {
        struct redo_aad aad = {atomic_load(&r->head->base), number, 0};
        uint8_t nonce[AEAD_NONCE_BYTES];
        struct redo_record rec;

        memcpy(&rec, r->data + at, sizeof rec);
        aad.len = rec.len;
        nonce_set(nonce, rec.nonce);
        if (rec.number != number || rec.len > used - at - sizeof rec ||
            aead_open(r->aead, nonce, &aad, sizeof aad, r->data + at + sizeof rec, rec.len, plain,
                      rec.tag) < 0)
            break;
        rc = fn(arg, plain, rec.len);
        at += record_bytes(rec.len);
        number++;
    }
    return rc;
}

int redo_each(struct redo *r, int (*fn)(void *arg, const uint8_t *data, size_t len), void *arg)
{
    uint8_t *plain = mem_alloc(REDO_BYTES);
    int rc;

    if (!plain)
        return -ENOMEM;
    rc = rekey(r, r->head->salt);
    if (rc == 0)
        rc = each(r, fn, arg, plain);
    if (rekey(r, r->salt) < 0 && rc == 0)
        rc = -EIO;
    mem_free(plain);
    return rc;
}
