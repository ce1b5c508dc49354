/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the file of keys, as it is and with its checksum mended, and the words that stand for a secret. */
#include "crypto/crc.h"
#include "keys/keyfile.h"
#include "keys/words.h"
#include "pcloud/err.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CHEAP_KIB 64 /* a cost that a fuzzer can pay */
#define SECRET_SEALED "p\xc3\xa4ssword"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_file(const uint8_t *data, size_t size)
{
    uint8_t secret[PC_KEY_BYTES];
    struct keyfile_cost cost;
    int r = keyfile_check(data, size, &cost);

    if (r != 0 && r != PC_ECORRUPT && r != PC_EVERSION)
        abort();
    if (r == 0 && (cost.kib < KEYFILE_KIB_MIN || cost.kib > KEYFILE_KIB_MAX ||
                   cost.passes < KEYFILE_PASSES_MIN || cost.passes > KEYFILE_PASSES_MAX))
        abort();
    if (r < 0 || cost.kib > CHEAP_KIB || cost.passes > 2)
        return;
    r = keyfile_open(data, size, SECRET_SEALED, strlen(SECRET_SEALED), secret);
    if (r != 0 && r != PC_EPASSPHRASE)
        abort();
    for (size_t i = 0; r == 0 && i < sizeof secret; i++) {
        if (secret[i] != i) /* the seed's; no mutation can seal another */
            abort();
    }
}

static void open_mended(const uint8_t *data, size_t size)
{
    uint8_t *copy = size >= 8 ? malloc(size) : NULL;
    struct keyfile_cost cost;
    uint64_t sum;

    if (!copy)
        return;
    memcpy(copy, data, size);
    sum = crc64_update(0, copy, size - 8);
    for (size_t i = 0; i < 8; i++)
        copy[size - 8 + i] = (uint8_t)(sum >> 8 * i);
    if (sum % 16 == 0) /* even the least Argon2id is slower than all the rest together */
        open_file(copy, size);
    else
        (void)keyfile_check(copy, size, &cost);
    free(copy);
}

static void read_words(const uint8_t *data, size_t size)
{
    uint8_t secret[PC_KEY_BYTES], again[PC_KEY_BYTES];
    char *text = malloc(size + 1), words[PC_WORDS_MAX];
    int r;

    if (!text)
        return;
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    r = words_decode(text, secret);
    if (r != 0 && r != PC_EWORDS)
        abort();
    if (r == 0 && (words_encode(secret, words) < 0 || words_decode(words, again) < 0 ||
                   memcmp(secret, again, sizeof secret) != 0))
        abort();
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    open_file(data, size);
    open_mended(data, size);
    read_words(data, size);
    return 0;
}
