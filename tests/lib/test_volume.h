/* SPDX-License-Identifier: Apache-2.0 */
/* A volume in a temporary home, for tests of everything above the engine. */
#ifndef TEST_VOLUME_H
#define TEST_VOLUME_H

#include "pcloud/config.h"
#include "pcloud/home.h"
#include "pcloud/keys.h"
#include "pcloud/volume.h"

struct test_volume {
    char *dir; /* of the home */
    struct pc_home *home;
    struct pc_keys *keys;
    struct pc_config *config;
    struct pc_volume *v;
};

/* test_volume_new(): Make a home and an empty volume (cheap passphrase cost) and open it; aborts the program when it cannot. */
struct test_volume *test_volume_new(void);

/* test_volume_config(t, key, value): Set a configuration key; counts from the next test_volume_reopen. */
void test_volume_config(struct test_volume *t, const char *key, const char *value);

/* test_volume_close(t), test_volume_open(t): The volume alone; both abort the program when they cannot. Between them there are no threads of it. */
void test_volume_close(struct test_volume *t);
void test_volume_open(struct test_volume *t);

/* test_volume_reopen(t): Close and open again. */
void test_volume_reopen(struct test_volume *t);

/* test_volume_second(t): Open the same home once more, as another part would; close it with pc_volume_close. */
struct pc_volume *test_volume_second(struct test_volume *t);

/* test_volume_fsck(t): The number of problems that pc_fsck finds, each printed. */
uint64_t test_volume_fsck(struct test_volume *t);

/* test_volume_free(t): Close, and remove the home. */
void test_volume_free(struct test_volume *t);

/* test_volume_set_up(state), test_volume_tear_down(state): The same for cmocka: *state is the volume. */
int test_volume_set_up(void **state);
int test_volume_tear_down(void **state);

#endif
