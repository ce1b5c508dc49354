/* SPDX-License-Identifier: Apache-2.0 */
/* A data path on a temporary folder over a metadata engine in memory. */
#ifndef DATA_RIG_H
#define DATA_RIG_H

#include "data/data.h"

struct data_rig {
    char *dir, *packs;
    struct meta *meta;
    struct data_options options; /* to be changed before rig_open */
    struct data *data;           /* NULL while closed */
};

/* rig_new(rig): folder, engine, keys, options (two workers, small cache, dedup, compression); not opened. Aborts when it cannot. */
void rig_new(struct data_rig *rig);
/* rig_open(rig), rig_close(rig): data_open and data_close. */
int rig_open(struct data_rig *rig);
int rig_close(struct data_rig *rig);
/* rig_free(rig): closes and removes everything. */
void rig_free(struct data_rig *rig);

/* rig_pack_path(rig, id): path of a pack's file, to be freed. */
char *rig_pack_path(const struct data_rig *rig, uint64_t id);

/* rig_fill(buf, len, seed, text): reproducible bytes: random ones, or text that compresses. */
void rig_fill(void *buf, size_t len, uint64_t seed, bool text);

#endif
