/* SPDX-License-Identifier: Apache-2.0 */
/* The policy document of a form: until when, and what its fields may be. */
#ifndef GATEWAY_FORM_POLICY_H
#define GATEWAY_FORM_POLICY_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define FORM_FIELDS_MAX 96
#define FORM_FIELDS_BYTES 20480 /* names and values of all fields but the file */

struct form_field {
    const char *name, *value;
};

struct form_limits { /* of the file's size */
    uint64_t min, max;
};

/**
 * form_policy_check(json, len, now, bucket, fields, n, ret, message): S3_EFORMPOLICY if it is no policy, S3_EACCESS if it is over or a field breaks it; ${message} says why.
 */
int form_policy_check(const char *json, size_t len, time_t now, const char *bucket,
                      const struct form_field *fields, size_t n, struct form_limits *ret,
                      char message[256]);

#endif
