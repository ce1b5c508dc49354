/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions and ranges of requests: what RFC 9110 says, without I/O. */
#ifndef GATEWAY_S3_COND_H
#define GATEWAY_S3_COND_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct cond { /* header values or NULL */
    const char *if_match, *if_none_match;
    const char *if_modified_since, *if_unmodified_since;
};

enum cond_result { COND_GO, COND_NOT_MODIFIED, COND_FAILED };

/** cond_check(c, etag, mtime): RFC 9110 §13.2.2; dates that cannot be read are ignored, as are those of the future. */
enum cond_result cond_check(const struct cond *c, const char *etag, time_t mtime);

/** cond_etag_in(list, etag): is the ETag in the list of an If-Match header? Quotes and W/ do not matter; "*" is any. */
bool cond_etag_in(const char *list, const char *etag);

/** cond_range_holds(value, etag, mtime): If-Range: an ETag or a date. */
bool cond_range_holds(const char *value, const char *etag, time_t mtime);

enum range_result { RANGE_ALL, RANGE_PART, RANGE_UNSATISFIABLE };

/** range_parse(text, size, ret_off, ret_len): one "bytes=" range of ${size} bytes; what is not one, or is several, is all. */
enum range_result range_parse(const char *text, uint64_t size, uint64_t *ret_off,
                              uint64_t *ret_len);

/** range_parse_exact(text, ret_off, ret_len): "bytes=first-last" of a part copy; false if it is anything else. */
bool range_parse_exact(const char *text, uint64_t *ret_off, uint64_t *ret_len);

#endif
