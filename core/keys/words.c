/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret of 256 bits as 24 words (BIP-39).
 *
 * The secret and the first byte of its SHA-256, the checksum, are 264 bits: 24 numbers of 11 bits, the highest first,
 * each the place of a word in the list.
 */
#include "keys/words.h"

#include "base/near.h"
#include "pcloud/digest.h"
#include "pcloud/err.h"

#include <stdio.h>
#include <string.h>

#define WORD_BITS 11
#define SHOWN_MAX 20 /* bytes of a wrong word that a message repeats */

/* The secret with its checksum behind it. */
struct bits {
    uint8_t byte[PC_KEY_BYTES + 1];
};

static int checksum(const uint8_t secret[PC_KEY_BYTES], uint8_t *ret)
{
    uint8_t hash[PC_DIGEST_MAX];
    int r = pc_digest_once(PC_SHA256, secret, PC_KEY_BYTES, hash);

    if (r == 0)
        *ret = hash[0];
    pc_wipe(hash, sizeof hash);
    return r;
}

static unsigned bits_get(const struct bits *bits, unsigned word)
{
    unsigned value = 0;

    for (unsigned i = word * WORD_BITS; i < (word + 1) * WORD_BITS; i++)
        value = value << 1 | ((unsigned)bits->byte[i / 8] >> (7 - i % 8) & 1u);
    return value;
}

static void bits_set(struct bits *bits, unsigned word, unsigned value)
{
    for (unsigned i = 0; i < WORD_BITS; i++) {
        unsigned at = word * WORD_BITS + i, bit = value >> (WORD_BITS - 1 - i) & 1;

        bits->byte[at / 8] = (uint8_t)(bits->byte[at / 8] | bit << (7 - at % 8));
    }
}

int words_encode(const uint8_t secret[PC_KEY_BYTES], char out[PC_WORDS_MAX])
{
    struct bits bits;
    int r = checksum(secret, &bits.byte[PC_KEY_BYTES]);

    if (r < 0)
        return r;
    memcpy(bits.byte, secret, PC_KEY_BYTES);
    for (unsigned i = 0; i < PC_WORDS; i++) {
        const char *word = words_english[bits_get(&bits, i)];
        size_t len = strlen(word);

        if (i > 0)
            *out++ = ' ';
        memcpy(out, word, len);
        out += len;
    }
    *out = 0;
    pc_wipe(&bits, sizeof bits);
    return 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The word's place in the sorted list, or -1. ${word} is in lower case. */
static int find(const char *word, size_t len)
{
    int low = 0, high = WORDS_LIST - 1;

    while (low <= high) {
        int middle = (low + high) / 2;
        int order = strncmp(word, words_english[middle], len);

        if (order == 0 && words_english[middle][len] == 0)
            return middle;
        if (order > 0)
            low = middle + 1;
        else
            high = middle - 1; /* also if ${word} only begins the one in the list */
    }
    return -1;
}

/* The word that was probably meant: the first four letters name it, or one letter is wrong. NULL if none is. */
static const char *nearest(const char *word, size_t len)
{
    for (int i = 0; i < WORDS_LIST; i++) {
        if (len >= 4 && strncmp(words_english[i], word, 4) == 0)
            return words_english[i];
    }
    for (int i = 0; i < WORDS_LIST; i++) {
        size_t n = strlen(words_english[i]);

        if (len + 1 >= n && len <= n + 1 && near_distance(words_english[i], n, word, len) <= 1)
            return words_english[i];
    }
    return NULL;
}

static int unknown_word(unsigned number, const char *word, size_t len)
{
    const char *near = nearest(word, len);

    if (near)
        return pc_err_set(PC_EWORDS, "word %u, \"%.*s\", is not in the list; did you mean \"%s\"?",
                          number, (int)(len < SHOWN_MAX ? len : SHOWN_MAX), word, near);
    return pc_err_set(PC_EWORDS, "word %u, \"%.*s\", is not in the list", number,
                      (int)(len < SHOWN_MAX ? len : SHOWN_MAX), word);
}

/* Take the next word off ${text}: its length, 0 at the end. ${word} gets it in lower case, cut at NEAR_MAX. */
static size_t next_word(const char **text, char word[NEAR_MAX + 1])
{
    static const char blanks[] = " \t\r\n";
    size_t len, n;

    *text += strspn(*text, blanks);
    len = strcspn(*text, blanks);
    n = len < NEAR_MAX ? len : NEAR_MAX;
    for (size_t i = 0; i < n; i++)
        word[i] = lower((*text)[i]);
    word[n] = 0;
    *text += len;
    return n;
}

static int read_words(const char *text, struct bits *bits)
{
    char word[NEAR_MAX + 1];
    unsigned count = 0;
    size_t len;
    int r = 0;

    while (r == 0 && (len = next_word(&text, word)) > 0) {
        int place = find(word, len);

        if (count == PC_WORDS)
            r = pc_err_set(PC_EWORDS, "there are more than %d words", PC_WORDS);
        else if (place < 0)
            r = unknown_word(count + 1, word, len);
        else
            bits_set(bits, count++, (unsigned)place);
    }
    pc_wipe(word, sizeof word);
    if (r == 0 && count < PC_WORDS)
        r = pc_err_set(PC_EWORDS, "there are only %u words; a recovery phrase has %d", count,
                       PC_WORDS);
    return r;
}

int words_decode(const char *text, uint8_t secret[PC_KEY_BYTES])
{
    struct bits bits = {{0}};
    uint8_t sum = 0;
    int r = read_words(text, &bits);

    if (r == 0)
        r = checksum(bits.byte, &sum);
    if (r == 0 && sum != bits.byte[PC_KEY_BYTES])
        r = pc_err_set(PC_EWORDS, "each word is in the list, but their checksum is wrong: "
                                  "a word is another one, or two have changed places");
    if (r == 0)
        memcpy(secret, bits.byte, PC_KEY_BYTES);
    pc_wipe(&bits, sizeof bits);
    return r;
}

int pc_words_check(const char *words)
{
    uint8_t secret[PC_KEY_BYTES];
    int r = words_decode(words, secret);

    pc_wipe(secret, sizeof secret);
    return r;
}
