/* SPDX-License-Identifier: Apache-2.0 */
/* The primitives of the core on one core of this machine, each as a rate and as a ratio to memcpy, in one run. */
#include "crypto/aead.h"
#include "crypto/crc.h"
#include "crypto/idhash.h"
#include "data/chunk.h"
#include "data/deflate.h"
#include "pcloud/digest.h"
#include "pcloud/ec.h"
#include "pcloud/keys.h"
#include "test_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BYTES ((size_t)4 << 20) /* more than a second-level cache, as a block on its way */
#define SHARDS 80
#define MEASURE                                                                                    \
    0.25 /* seconds of each round; the best of ROUNDS counts, so that a busy machine disturbs less */
#define ROUNDS 3

static uint8_t *in, *out, *text;
static uint8_t *shard[SHARDS];
static struct aead *aead;
static struct idhash *idhash;
static struct deflate *deflater;
static struct pc_ec *coder;
static unsigned coder_k;
static uint64_t gear[CHUNK_GEAR];
static volatile uint64_t sink;

/* Processor time: what else the machine does is not counted. */
static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *must(void *p)
{
    if (!p) {
        fputs("bench_core: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

static void run_memcpy(int unused)
{
    (void)unused;
    memcpy(out, in, BYTES);
    sink += out[BYTES / 2];
}

static void run_seal(int segment)
{
    static uint64_t nonce[2];
    uint8_t tag[AEAD_TAG_BYTES];

    for (size_t at = 0; at < BYTES; at += (size_t)segment) {
        nonce[0]++;
        sink += (uint64_t)aead_seal(aead, (const uint8_t *)nonce, in, 48, in + at, (size_t)segment,
                                    out + at, tag);
    }
}

static void run_mac(int unused)
{
    static const uint8_t key[32];
    uint8_t id[MAC_BYTES];

    (void)unused;
    mac_keyed(key, in, BYTES, NULL, 0, id);
    sink += id[0];
}

static void run_idhash(int size)
{
    static const struct idhash_keys keys = {{{1}, {2}}, {3}};
    uint8_t id[IDHASH_BYTES];

    for (size_t at = 0; at < BYTES; at += (size_t)size)
        if (idhash_name(idhash, &keys, in + at, (size_t)size, id) == 0)
            sink += id[0];
}

static void run_digest(int kind)
{
    uint8_t result[PC_DIGEST_MAX];

    if (pc_digest_once((enum pc_digest_kind)kind, in, BYTES, result) == 0)
        sink += result[0];
}

static void run_crc64_table(int unused)
{
    (void)unused;
    sink += crc64_table(0, in, BYTES);
}

static void run_chunker(int unused)
{
    struct chunk_state st = {0, 0};
    bool cut;

    (void)unused;
    for (size_t at = 0; at < BYTES;)
        at += chunk_scan(gear, &st, in + at, BYTES - at, &cut);
    sink += st.len;
}

static void run_deflate(int unused)
{
    (void)unused;
    for (size_t at = 0; at < BYTES; at += 65536)
        sink += deflate_pack(deflater, text + at, 65536, out, 65536);
}

static void run_guess(int unused)
{
    (void)unused;
    for (size_t at = 0; at < BYTES; at += 65536)
        sink += deflate_pays(in + at, 65536);
}

static void run_encode(int unused)
{
    (void)unused;
    pc_ec_encode(coder, BYTES / coder_k / 64 * 64, shard, shard + coder_k);
    sink += shard[coder_k][0];
}

/* Bytes a second of ${fn}, the best round. */
static double rate(void (*fn)(int arg), int arg)
{
    double best = 0;

    fn(arg);
    for (int round = 0; round < ROUNDS; round++) {
        double start = now(), t;
        size_t times = 0;

        do {
            fn(arg);
            times++;
            t = now() - start;
        } while (t < MEASURE);
        if ((double)times * BYTES / t > best)
            best = (double)times * BYTES / t;
    }
    return best;
}

/* memcpy is measured anew beside each row: what else the machine does changes within seconds. */
static void row(const char *name, void (*fn)(int arg), int arg)
{
    double mine = rate(fn, arg), copy = rate(run_memcpy, 0);

    printf("%-36s %8.0f MB/s   %6.3f of memcpy\n", name, mine / 1e6, mine / copy);
    fflush(stdout);
}

static void row_encode(unsigned k, unsigned n)
{
    char name[64];

    if (pc_ec_new(k, n, &coder) < 0)
        must(NULL);
    coder_k = k;
    (void)snprintf(name, sizeof name, "encode %u of %u, bytes of the file", k, n);
    row(name, run_encode, 0);
    pc_ec_free(coder);
}

/* Random bytes, and text of a kind: words of different frequency. */
static void fill(void)
{
    uint64_t rng = 1;

    for (size_t i = 0; i + 8 <= BYTES; i += 8) {
        uint64_t r = test_random(&rng);

        memcpy(in + i, &r, 8);
    }
    for (size_t i = 0; i < BYTES; i++) {
        uint64_t r = test_random(&rng);

        text[i] = r % 5 == 0 ? ' ' : (uint8_t)('a' + (r >> 8 & r >> 16 & 15));
    }
}

static void rows(void)
{
    printf("memcpy of %zu MiB: %.0f MB/s\n", BYTES >> 20, rate(run_memcpy, 0) / 1e6);
    row("AES-256-GCM, 64 KiB", run_seal, 65536);
    row("AES-256-GCM, 4 KiB", run_seal, 4096);
    row("id of a block, 4 MiB", run_idhash, (int)BYTES);
    row("id of a block, 16 KiB", run_idhash, 16384);
    row("BLAKE2b-256 keyed", run_mac, 0);
    row("SHA-256", run_digest, PC_SHA256);
    row("SHA-1", run_digest, PC_SHA1);
    row("MD5", run_digest, PC_MD5);
    row("CRC-32", run_digest, PC_CRC32);
    row("CRC-32C", run_digest, PC_CRC32C);
    row("CRC-64/NVME", run_digest, PC_CRC64NVME);
    row("CRC-64/NVME by tables", run_crc64_table, 0);
    row("chunker", run_chunker, 0);
    row("guess whether deflate pays", run_guess, 0);
    row("deflate of text", run_deflate, 0);
    row_encode(3, 6);
    row_encode(10, 20);
    row_encode(10, 30);
    row_encode(29, 80);
}

int main(void)
{
    static const uint8_t key[32];

    in = must(malloc(BYTES));
    out = must(malloc(BYTES));
    text = must(malloc(BYTES));
    for (size_t i = 0; i < SHARDS; i++) {
        shard[i] = must(malloc(BYTES / 3));
        memset(shard[i], (int)i, BYTES / 3);
    }
    aead = must(aead_thread());
    deflater = must(deflate_new());
    if (idhash_new(&idhash) < 0)
        must(NULL);
    if (aead_rekey(aead, key) < 0)
        return 1;
    chunk_gear(key, gear);
    fill();
    rows();
    idhash_free(idhash);
    deflate_free(deflater);
    for (size_t i = 0; i < SHARDS; i++)
        free(shard[i]);
    free(text);
    free(out);
    free(in);
    return 0;
}
