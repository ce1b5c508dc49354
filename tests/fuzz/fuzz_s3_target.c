/* SPDX-License-Identifier: Apache-2.0 */
/* Request targets: splitting, parameters, coding, and the canonical request of a presigned URL. */
#include "auth/sigv4.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void canonical(const struct sigv4 *sig, const struct uri *uri)
{
    static const struct header headers[] = {{"Host", "localhost"}};
    struct sigv4_request r = {
        .method = "GET", .uri = *uri, .headers = headers, .header_count = 1, .payload = "x"};
    struct buf out;

    buf_init(&out, SIGV4_CANONICAL_MAX);
    if (sigv4_canonical(sig, &r, &out) == 0 && out.len == 0)
        abort();
    buf_fini(&out);
}

/* What is coded anew is the same when decoded again. */
static void round_trip(const struct uri *uri)
{
    char *plain = malloc(uri->path_len + 1), *again;
    struct buf coded;
    size_t len, len_again;

    buf_init(&coded, 4 * URI_TARGET_MAX);
    if (plain && uri_decode(uri->path, uri->path_len, URI_PLUS_LITERAL, plain, &len) == 0) {
        uri_encode(&coded, plain, len, URI_SLASH_KEEP);
        again = malloc(coded.len + 1);
        if (!again || coded.err)
            abort();
        if (uri_decode(buf_text(&coded), coded.len, URI_PLUS_LITERAL, again, &len_again) < 0 ||
            len_again != len || memcmp(again, plain, len) != 0)
            abort();
        free(again);
    }
    buf_fini(&coded);
    free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *target = malloc(size + 1);
    struct uri_query query;
    struct sigv4 sig;
    struct uri uri;

    if (!target)
        return 0;
    memcpy(target, data, size);
    target[size] = '\0';
    if (uri_split(target, &uri) == 0) {
        round_trip(&uri);
        if (uri_query_parse(uri.query, uri.query_len, &query) == 0) {
            if (sigv4_from_query(&query, &sig) == SIGV4_OK)
                canonical(&sig, &uri);
            uri_query_fini(&query);
        }
    }
    free(target);
    return 0;
}
