/* SPDX-License-Identifier: Apache-2.0 */
/* Rows out of SQLite's b-trees, page by page, past what is damaged. (https://www.sqlite.org/fileformat2.html) */
#ifndef META_SALVAGE_TREE_H
#define META_SALVAGE_TREE_H

#include "meta/salvage/image.h"

#define TREE_COLUMNS 32
#define TREE_PAYLOAD_MAX (16u << 20)

enum tree_kind {
    TREE_ROWS = 0x0d,
    TREE_KEYS = 0x0a
}; /* leaf pages of tables with a rowid, and of those without (and of indexes) */

/* One value; bytes are valid during the callback. */
struct tree_value {
    enum { TREE_NULL, TREE_INT, TREE_REAL, TREE_TEXT, TREE_BLOB } type;
    int64_t i;
    double d;
    const uint8_t *p;
    size_t len;
};

struct tree_row {
    int64_t rowid; /* of TREE_ROWS */
    unsigned n;
    struct tree_value v[TREE_COLUMNS];
};

struct tree {
    struct image *im;
    int (*row)(void *arg, const struct tree_row *row); /* negative ends */
    void *arg;
    uint64_t rows, lost_cells, lost_pages; /* read; not readable */
    bool branches_lost;                    /* a page that led to others was not readable */
};

/** tree_walk(t, root, kind): every row below ${root} that can be read. 0, or what ${row} gave. */
int tree_walk(struct tree *t, uint32_t root, enum tree_kind kind);
/** tree_leaf(t, pgno, kind): the rows of this one page, if it is such a leaf. */
int tree_leaf(struct tree *t, uint32_t pgno, enum tree_kind kind);
/** tree_mark(im, root): mark a tree's pages as used, without reading rows. tree_mark_free(im): the same for the list of free pages. */
void tree_mark(struct image *im, uint32_t root);
void tree_mark_free(struct image *im);

#endif
