/* SPDX-License-Identifier: Apache-2.0 */
/* Bucket policies: documents from clients, held against a request with every fact they may ask for. */
#include "policy/policy.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Most keys have a value, some have two, some none. */
static bool value(void *arg, const char *name, size_t index, struct policy_text *ret)
{
    static const char *const texts[] = {"10.1.2.3", "2026-11-21T16:00:00Z", "true", "7", "a*b"};
    size_t n = strlen(name);

    (void)arg;
    if (n == 0 || index >= n % 3)
        return false;
    *ret = (struct policy_text){texts[n % 5], strlen(texts[n % 5])};
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct policy_request r = {.action = "s3:GetObject",
                               .bucket = "photos",
                               .key = "home/bob/a",
                               .key_len = 10,
                               .user = "bob",
                               .id = "0123",
                               .value = value};
    struct policy *p = NULL;
    const char *why = NULL;
    int rc = policy_parse((const char *)data, size, "photos", &p, &why);

    if (rc < 0) {
        if (p)
            abort();
        return 0;
    }
    if (policy_evaluate(p, &r) > POLICY_DENY)
        abort();
    r.anonymous = true;
    policy_evaluate(p, &r);
    r.key = NULL;
    policy_evaluate(p, &r);
    policy_is_public(p);
    policy_free(p);
    return 0;
}
