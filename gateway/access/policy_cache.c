/* SPDX-License-Identifier: Apache-2.0 */
/* Policies that were read lately. A slot is compared with the text as it is kept now, so that no other process need tell of a change. */
#include "access/policy_cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct held_policy {
    unsigned refs; /* under the lock: the slot's and the requests' */
    struct policy *policy;
    size_t len;
    char bucket[64];
    char text[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct held_policy *slots[POLICY_CACHE_SLOTS];

static size_t slot_of(const char *bucket)
{
    unsigned h = 2166136261u;

    for (; *bucket; bucket++)
        h = (h ^ (unsigned char)*bucket) * 16777619u;
    return h % POLICY_CACHE_SLOTS;
}

static void destroy(struct held_policy *h)
{
    policy_free(h->policy);
    free(h);
}

void policy_let_go(struct held_policy *h)
{
    unsigned left;

    if (!h)
        return;
    pthread_mutex_lock(&lock);
    left = --h->refs;
    pthread_mutex_unlock(&lock);
    if (left == 0)
        destroy(h);
}

static struct held_policy *find(size_t slot, const char *bucket, const char *text, size_t len)
{
    struct held_policy *h;

    pthread_mutex_lock(&lock);
    h = slots[slot];
    if (h && h->len == len && strcmp(h->bucket, bucket) == 0 && memcmp(h->text, text, len) == 0)
        h->refs++;
    else
        h = NULL;
    pthread_mutex_unlock(&lock);
    return h;
}

static void keep(size_t slot, struct held_policy *h)
{
    struct held_policy *old;

    pthread_mutex_lock(&lock);
    old = slots[slot];
    slots[slot] = h;
    h->refs++;
    pthread_mutex_unlock(&lock);
    policy_let_go(old);
}

int policy_hold(const char *bucket, const char *text, size_t len, struct held_policy **ret,
                const char **ret_why)
{
    size_t slot = slot_of(bucket);
    struct held_policy *h = find(slot, bucket, text, len);
    int rc;

    if (h) {
        *ret = h;
        return 0;
    }
    h = calloc(1, sizeof *h + (len <= POLICY_MAX ? len : 0));
    if (!h)
        return -ENOMEM;
    rc = policy_parse(text, len, bucket, &h->policy, ret_why);
    if (rc < 0) {
        free(h);
        return rc;
    }
    h->refs = 1;
    h->len = len;
    snprintf(h->bucket, sizeof h->bucket, "%s", bucket);
    memcpy(h->text, text, len);
    keep(slot, h);
    *ret = h;
    return 0;
}

const struct policy *policy_held(const struct held_policy *h)
{
    return h->policy;
}
