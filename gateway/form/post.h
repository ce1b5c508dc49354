/* SPDX-License-Identifier: Apache-2.0 */
/* A form on its way to an object: what body.c and s3.c call. */
#ifndef GATEWAY_FORM_POST_H
#define GATEWAY_FORM_POST_H

#include <stddef.h>

struct s3;
struct post;

/** post_open(s): the body is to be a form; s->post. post_fini(s): what that holds. */
int post_open(struct s3 *s);
void post_fini(struct s3 *s);

/** post_feed(s, data, len): the next bytes of the body; where the file begins, who asks and whether they may is decided, and the request becomes a PutObject. */
int post_feed(struct s3 *s, const void *data, size_t len);
/** post_close(s): the body is over: was a file in it, of a size that the policy allows? */
int post_close(struct s3 *s);

/** body_open_object(s), body_take(s, data, len): of body.c, for content within a form: what the headers say of it, and its bytes. */
int body_open_object(struct s3 *s);
int body_take(struct s3 *s, const void *data, size_t len);

#endif
