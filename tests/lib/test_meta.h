/* SPDX-License-Identifier: Apache-2.0 */
/* A metadata engine of its own for one test, and short forms of its operations. */
#ifndef TEST_META_H
#define TEST_META_H

#include "meta/content.h"
#include "meta/node.h"
#include "meta/object.h"

struct test_meta {
    char *dir;
    struct meta *m;
};

/* test_meta_new(t), test_meta_free(t): a new database in a directory of its own; both abort the test when they fail. Freeing checks every invariant first. */
void test_meta_new(struct test_meta *t);
void test_meta_free(struct test_meta *t);

/* test_meta_reopen(t): close and open it. */
void test_meta_reopen(struct test_meta *t);

/* test_meta_clean(m): whether the check finds nothing; what it finds is printed. */
bool test_meta_clean(struct meta *m);

/* test_file(m, parent, name), test_folder(...): make one (0644, 0755) and return its number; abort when that fails. */
uint64_t test_file(struct meta *m, uint64_t parent, const char *name);
uint64_t test_folder(struct meta *m, uint64_t parent, const char *name);

/* test_put(m, bucket, key, text): PUT inline content with the ETag "etag-<text>"; the code. test_etag(m, bucket, key): static, NULL if there is no object. */
int test_put(struct meta *m, const char *bucket, const char *key, const char *text);
const char *test_etag(struct meta *m, const char *bucket, const char *key);

/* test_key(bucket, key): of a string. */
struct meta_key test_key(const char *bucket, const char *key);

/* test_block(seed, size, pack, off): a block with an id made from seed, that has no row yet. */
struct meta_block test_block(uint64_t seed, uint32_t size, uint64_t pack, uint64_t off);

#endif
