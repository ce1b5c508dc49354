/* SPDX-License-Identifier: Apache-2.0 */
/* The pages of a damaged database: the newest that opens of each, from its log or its file. */
#include "meta/salvage/image.h"

#include "base/alloc.h"
#include "pcloud/err.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGES_MAX (1u << 28) /* a terabyte */

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t file_size(int fd)
{
    struct stat st;

    return fstat(fd, &st) < 0 ? -errno : (int64_t)st.st_size;
}

static int by_page_then_age(const void *a, const void *b)
{
    const struct image_frame *x = a, *y = b;

    if (x->pgno != y->pgno)
        return x->pgno < y->pgno ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int by_page(const void *a, const void *b)
{
    const struct image_frame *x = a, *y = b;

    return x->pgno < y->pgno ? -1 : x->pgno > y->pgno;
}

/* Only the newest of each page. */
static void frames_settle(struct image *im)
{
    uint32_t n = 0;

    if (im->frames_n == 0)
        return;
    qsort(im->frames, im->frames_n, sizeof *im->frames, by_page_then_age);
    for (uint32_t i = 0; i < im->frames_n; i++)
        if (i + 1 == im->frames_n || im->frames[i + 1].pgno != im->frames[i].pgno)
            im->frames[n++] = im->frames[i];
    im->frames_n = n;
}

static bool frame_get(struct image *im, uint32_t index, uint8_t out[SEAL_FRAME])
{
    uint8_t in[SEAL_FRAME];

    return pread(im->log_fd, in, sizeof in, SEAL_LOG_HEADER + (off_t)index * SEAL_FRAME) ==
               (ssize_t)sizeof in &&
           seal_frame_open(im->aead, index, in, out) == 0;
}

/* Frames of the log's present life carry its salts; those of an earlier one lie behind them. Which they are, the first frame says that opens. */
static uint32_t committed_frames(struct image *im, uint32_t count, uint8_t salts[8])
{
    uint32_t upto = 0;
    bool first = true;

    for (uint32_t i = 0; i < count; i++) {
        uint8_t frame[SEAL_FRAME];

        if (!frame_get(im, i, frame))
            continue;
        if (first)
            memcpy(salts, frame + 8, 8);
        first = false;
        if (memcmp(salts, frame + 8, 8) == 0 && be32(frame + 4) != 0)
            upto = i + 1;
    }
    return upto;
}

/* SQLite ends the log at the first frame that is damaged; what was committed behind it is newer than what is in the file all the same. */
static int log_read(struct image *im)
{
    int64_t size = file_size(im->log_fd);
    uint8_t salts[8] = {0}, frame[SEAL_FRAME];
    uint32_t upto;

    if (size < 0)
        return (int)size;
    if (size < SEAL_LOG_HEADER || size / SEAL_FRAME >= PAGES_MAX)
        return 0;
    upto = committed_frames(im, (uint32_t)((size - SEAL_LOG_HEADER) / SEAL_FRAME), salts);
    if (upto == 0)
        return 0;
    im->frames = mem_realloc_array(NULL, upto, sizeof *im->frames);
    if (!im->frames)
        return -ENOMEM;
    for (uint32_t i = 0; i < upto; i++) {
        uint32_t pgno;

        if (!frame_get(im, i, frame)) {
            im->log_holes = true;
            continue;
        }
        if (memcmp(salts, frame + 8, 8) != 0)
            continue;
        pgno = be32(frame);
        if (pgno >= PAGES_MAX)
            return PC_ELIMIT;
        im->frames[im->frames_n++] = (struct image_frame){.pgno = pgno, .index = i};
        if (pgno > im->pages)
            im->pages = pgno;
    }
    frames_settle(im);
    return 0;
}

int image_open(const char *path, const char *log_path, struct aead *aead, struct image *ret)
{
    struct image im = {.aead = aead, .log_fd = -1};
    int64_t size;
    int r;

    im.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (im.fd < 0)
        return pc_err_wrap(-errno, "%s: ", path);
    im.log_fd = open(log_path, O_RDONLY | O_CLOEXEC);
    size = file_size(im.fd);
    r = size < 0 ? (int)size : size / SEAL_PAGE >= PAGES_MAX ? PC_ELIMIT : 0;
    if (r == 0)
        im.pages = (uint32_t)(size / SEAL_PAGE);
    if (r == 0 && im.log_fd >= 0)
        r = log_read(&im);
    if (r == 0) {
        im.seen = mem_calloc((size_t)im.pages / 8 + 1, 1);
        r = im.seen ? 0 : -ENOMEM;
    }
    if (r < 0) {
        image_close(&im);
        return pc_err_wrap(r, "%s: ", path);
    }
    *ret = im;
    return 0;
}

void image_close(struct image *im)
{
    close(im->fd);
    if (im->log_fd >= 0)
        close(im->log_fd);
    mem_free(im->frames);
    mem_free(im->seen);
}

int image_page(struct image *im, uint32_t pgno, uint8_t out[SEAL_PAGE])
{
    const struct image_frame key = {.pgno = pgno}, *found = NULL;
    uint8_t in[SEAL_PAGE], frame[SEAL_FRAME];

    if (pgno == 0 || pgno > im->pages)
        return PC_ECORRUPT;
    if (im->frames_n > 0)
        found = bsearch(&key, im->frames, im->frames_n, sizeof key, by_page);
    if (found && frame_get(im, found->index, frame)) {
        memcpy(out, frame + SEAL_FRAME_HEADER, SEAL_PAGE);
        return 0;
    }
    if (pread(im->fd, in, sizeof in, (off_t)(pgno - 1) * SEAL_PAGE) == (ssize_t)sizeof in &&
        seal_page_open(im->aead, pgno, in, out) == 0)
        return 0;
    im->bad++;
    return PC_ECORRUPT;
}

bool image_is_marked(const struct image *im, uint32_t pgno)
{
    return pgno == 0 || pgno > im->pages || (im->seen[pgno / 8] & 1u << pgno % 8) != 0;
}

bool image_mark(struct image *im, uint32_t pgno)
{
    if (image_is_marked(im, pgno))
        return false;
    im->seen[pgno / 8] |= (uint8_t)(1u << pgno % 8);
    return true;
}
