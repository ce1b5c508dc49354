/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of a volume as text: two are equal if all that can be seen of them is. */
#ifndef TEST_TREE_H
#define TEST_TREE_H

#include "pcloud/node.h"

#define TEST_NAMES 512

struct test_names {
    char *names[TEST_NAMES];
    struct pc_attr attrs[TEST_NAMES];
    unsigned n;
};

/* test_list(v, ino, l): the entries of a folder without dots; each name is to be freed. Asserts by cmocka, as all here. */
void test_list(struct pc_volume *v, uint64_t ino, struct test_names *l);

/* test_tree(v, ino): a line for each name below: kind and mode, links, owner, size, time, target, a hash of the content, attributes. To be freed. */
char *test_tree(struct pc_volume *v, uint64_t ino);

#endif
