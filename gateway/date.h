/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of time that HTTP and S3 write and read. */
#ifndef GATEWAY_DATE_H
#define GATEWAY_DATE_H

#include <time.h>

#define DATE_HTTP_MAX 32
#define DATE_ISO_MAX 32

/** date_http(t, out): "Wed, 21 Oct 2015 07:28:00 GMT". */
void date_http(time_t t, char out[DATE_HTTP_MAX]);
/** date_iso(ts, out): "2015-10-21T07:28:00.000Z". */
void date_iso(const struct timespec *ts, char out[DATE_ISO_MAX]);

/** date_parse_http(text, ret): the three forms of RFC 9110; PC_EFORMAT. */
int date_parse_http(const char *text, time_t *ret);
/** date_parse_iso(text, ret): "2015-10-21T07:28:00", with a fraction or not, then "Z", "+hh:mm" or "-hh:mm"; PC_EFORMAT. */
int date_parse_iso(const char *text, struct timespec *ret);
/** date_parse_amz(text, ret): "20151021T072800Z"; PC_EFORMAT. */
int date_parse_amz(const char *text, time_t *ret);

#endif
