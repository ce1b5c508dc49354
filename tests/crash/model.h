/* SPDX-License-Identifier: Apache-2.0 */
/* What a volume must hold after each operation of a workload, and what it may hold after a cut. */
#ifndef CRASH_MODEL_H
#define CRASH_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pcloud/volume.h"

#define MODEL_PENDING UINT32_MAX

enum model_kind { MODEL_FOLDER, MODEL_FILE, MODEL_OBJECT, MODEL_SYMLINK };

/* Content of a file from an operation on. */
struct model_version {
    unsigned op; /* it may be there from the beginning of this one on */
    unsigned
        sure; /* it is there from the end of this one on; MODEL_PENDING while it may be in memory only */
    uint8_t *data;
    size_t len;
};

struct model_node {
    enum model_kind kind;
    struct model_version *version;
    unsigned versions;
};

struct model_entry {
    char path[64];
    struct model_node *node;
};

#define MODEL_ENTRIES 64
struct model_state {
    struct model_entry entry[MODEL_ENTRIES];
    unsigned n;
};

struct model {
    struct model_state *state; /* after operation i; 0 is the beginning */
    unsigned ops;              /* the last one */
    struct model_node *node[4096];
    unsigned nodes;
};

/* model_begin(m): the next operation; its state starts as a copy of the one before. Returns its number. model_now(m): its state. */
unsigned model_begin(struct model *m);
struct model_state *model_now(struct model *m);

/* model_node(m, kind, data, len): a new node, of this operation. */
struct model_node *model_node_new(struct model *m, enum model_kind kind, const void *data,
                                  size_t len);
/* model_change(m, node, data, len, sure): its new content. model_flushed(m, node): what was pending is sure from this operation on. */
void model_change(struct model *m, struct model_node *n, const void *data, size_t len, bool sure);
void model_flushed(struct model *m, struct model_node *n);

struct model_entry *model_find(struct model_state *s, const char *path);
void model_set(struct model_state *s, const char *path, struct model_node *n);
void model_drop(struct model_state *s, const char *path);

/*
 * model_check(m, v, sure, last): is what the volume holds what it may hold, if everything up to the end of operation ${sure} must be there, and
 * operation ${last} was the last that began? Names are those after one of the operations between; content likewise, file by file. Prints what is wrong.
 */
bool model_check(const struct model *m, struct pc_volume *v, unsigned sure, unsigned last);

void model_free(struct model *m);

#endif
