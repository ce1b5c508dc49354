/* SPDX-License-Identifier: Apache-2.0 */
/* Salvage of hostile files: as they are, and as pages and frames under a seal that fits but with any content. */
#include "meta/salvage/image.h"
#include "meta/salvage/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGES_MAX 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct aead *aead;
static int db = -1, log_file = -1;
static char db_path[32], log_path[32];

static void setup(void)
{
    static const uint8_t key[AEAD_KEY_BYTES] = {1};

    if (aead)
        return;
    db = memfd_create("db", MFD_CLOEXEC);
    log_file = memfd_create("log", MFD_CLOEXEC);
    if (db < 0 || log_file < 0 || aead_new(&aead) < 0 || aead_rekey(aead, key) < 0)
        abort();
    snprintf(db_path, sizeof db_path, "/proc/self/fd/%d", db);
    snprintf(log_path, sizeof log_path, "/proc/self/fd/%d", log_file);
}

static void put(int fd, const void *p, size_t n, off_t off)
{
    if (pwrite(fd, p, n, off) != (ssize_t)n)
        abort();
}

/* Take a page's content from the input; zeros behind its end. */
static void take(const uint8_t **data, size_t *size, uint8_t *out, size_t want)
{
    size_t n = *size < want ? *size : want;

    memset(out, 0, want);
    if (n)
        memcpy(out, *data, n);
    *data += n;
    *size -= n;
}

static void sealed_files(const uint8_t *data, size_t size, unsigned in_log)
{
    uint8_t plain[SEAL_FRAME] = {0}, out[SEAL_FRAME], nonce[AEAD_NONCE_BYTES] = {1};

    for (uint32_t i = 0; size > 0 && i < PAGES_MAX; i++) {
        if (i < in_log) {
            take(&data, &size, plain, SEAL_FRAME_HEADER + SEAL_CONTENT);
            memset(plain + SEAL_FRAME - SEAL_RESERVED, 0, SEAL_RESERVED);
            if (seal_frame(aead, i, nonce, plain, out) < 0)
                abort();
            put(log_file, out, SEAL_FRAME, SEAL_LOG_HEADER + (off_t)i * SEAL_FRAME);
        } else {
            take(&data, &size, plain, SEAL_CONTENT);
            memset(plain + SEAL_CONTENT, 0, SEAL_RESERVED);
            if (seal_page(aead, i - in_log + 1, nonce, plain, out) < 0)
                abort();
            put(db, out, SEAL_PAGE, (off_t)(i - in_log) * SEAL_PAGE);
        }
    }
}

static int row(void *arg, const struct tree_row *r)
{
    uint64_t *sum = arg;

    for (unsigned i = 0; i < r->n; i++) {
        *sum += (uint64_t)r->v[i].i;
        if (r->v[i].type == TREE_TEXT || r->v[i].type == TREE_BLOB)
            for (size_t k = 0; k < r->v[i].len; k++)
                *sum += r->v[i].p[k];
    }
    return 0;
}

static void read_all(struct image *im)
{
    uint64_t sum = 0;
    struct tree t = {.im = im, .row = row, .arg = &sum};

    tree_walk(&t, 1, TREE_ROWS);
    tree_walk(&t, 2, TREE_KEYS);
    tree_mark(im, 3);
    tree_mark_free(im);
    for (uint32_t p = 2; p <= im->pages && p < 1000; p++)
        if (!image_is_marked(im, p)) {
            tree_leaf(&t, p, TREE_ROWS);
            tree_leaf(&t, p, TREE_KEYS);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image im;

    setup();
    if (ftruncate(db, 0) < 0 || ftruncate(log_file, 0) < 0)
        abort();
    if (size == 0)
        return 0;
    if (data[0] & 0x80) {
        put(db, data + 1, size / 2, 0);
        put(log_file, data + size / 2, size - size / 2, 0);
    } else {
        sealed_files(data + 1, size - 1, data[0] % 8);
    }
    if (image_open(db_path, log_path, aead, &im) < 0)
        return 0;
    read_all(&im);
    image_close(&im);
    return 0;
}
