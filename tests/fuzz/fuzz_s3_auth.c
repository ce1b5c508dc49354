/* SPDX-License-Identifier: Apache-2.0 */
/* Authorization headers and dates. */
#include "auth/sigv4.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input: the header, a line feed, the date. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *date;
    unsigned char key[32];
    struct sigv4 sig;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    date = strchr(text, '\n');
    if (date)
        *date++ = '\0';
    if (sigv4_from_header(text, date, NULL, &sig) == SIGV4_OK) {
        if (strlen(sig.signature) != 64 || strlen(sig.date) != 8 || strlen(sig.time) != 16)
            abort();
        sigv4_signs(&sig, "host");
        sigv4_key(&sig, "secret", key);
    }
    sigv4_from_header(text, NULL, date, &sig);
    free(text);
    return 0;
}
