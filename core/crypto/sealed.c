/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of frames under a key that is somebody else's: AES-256-GCM with a key for each stream, counted frames, a last one that says so. */
#include "pcloud/sealed.h"

#include "crypto/aead.h"

#include "pcloud/digest.h"
#include "pcloud/err.h"
#include "pcloud/keys.h"

#include "base/alloc.h"

#include <errno.h>
#include <string.h>

#define MAGIC "pcsealed"
#define VERSION 1
#define FRAME_SHIFT 16 /* of PC_SEALED_FRAME */
#define SALT_AT 16
#define SALT_BYTES 32
#define MARK_SALT 16
#define PLAIN_MAX (UINT64_C(1) << 60)

_Static_assert(PC_SEALED_FRAME == 1u << FRAME_SHIFT, "the head says how long frames are");
_Static_assert(PC_SEALED_TAG == AEAD_TAG_BYTES && PC_SEALED_KEY == AEAD_KEY_BYTES, "AES-256-GCM");

/* Labels, written in docs/FORMATS.md; they never change. */
static const char label_mark[] = "pcloud v1 customer key mark";
static const char label_stream[] = "pcloud v1 customer stream";
static const char label_name[] = "pcloud v1 customer content name";

struct pc_sealed_key {
    uint8_t raw[PC_SEALED_KEY];
};

int pc_sealed_key_new(const uint8_t raw[PC_SEALED_KEY], struct pc_sealed_key **ret)
{
    struct pc_sealed_key *k = mem_lock_alloc(sizeof *k);

    if (!k)
        return -ENOMEM;
    memcpy(k->raw, raw, sizeof k->raw);
    *ret = k;
    return 0;
}

void pc_sealed_key_free(struct pc_sealed_key *k)
{
    mem_lock_free(k);
}

static void mark_of(const struct pc_sealed_key *k, const uint8_t salt[MARK_SALT],
                    uint8_t out[MAC_BYTES])
{
    mac_keyed(k->raw, label_mark, sizeof label_mark, salt, MARK_SALT, out);
}

void pc_sealed_key_mark(const struct pc_sealed_key *k, uint8_t out[PC_SEALED_MARK])
{
    uint8_t mac[MAC_BYTES];

    pc_random(out, MARK_SALT);
    mark_of(k, out, mac);
    memcpy(out + MARK_SALT, mac, PC_SEALED_MARK - MARK_SALT);
}

bool pc_sealed_key_fits(const struct pc_sealed_key *k, const uint8_t mark[PC_SEALED_MARK])
{
    uint8_t mac[MAC_BYTES];

    mark_of(k, mark, mac);
    return pc_equal(mac, mark + MARK_SALT, PC_SEALED_MARK - MARK_SALT);
}

void pc_sealed_key_name(const struct pc_sealed_key *k, const uint8_t digest[16], uint8_t out[16])
{
    uint8_t mac[MAC_BYTES];

    mac_keyed(k->raw, label_name, sizeof label_name, digest, 16, mac);
    memcpy(out, mac, 16);
}

static uint64_t frames_of(uint64_t plain)
{
    return plain == 0 ? 1 : (plain + PC_SEALED_FRAME - 1) >> FRAME_SHIFT;
}

uint64_t pc_sealed_size(uint64_t plain)
{
    return PC_SEALED_HEAD + plain + frames_of(plain) * PC_SEALED_TAG;
}

int pc_sealed_plain(uint64_t sealed, uint64_t *ret)
{
    const uint64_t whole = PC_SEALED_FRAME + PC_SEALED_TAG;
    uint64_t body, rest;

    if (sealed < PC_SEALED_HEAD + PC_SEALED_TAG || sealed > PLAIN_MAX)
        return PC_ECORRUPT;
    body = sealed - PC_SEALED_HEAD;
    rest = body % whole;
    /* a last frame holds something, unless it is the only one */
    if (rest != 0 && rest <= PC_SEALED_TAG && body > PC_SEALED_TAG)
        return PC_ECORRUPT;
    *ret = body - (body + whole - 1) / whole * PC_SEALED_TAG;
    return 0;
}

/* Keys the cipher for the stream whose head it is. */
static int key_stream(struct aead *a, const struct pc_sealed_key *k,
                      const uint8_t head[PC_SEALED_HEAD])
{
    uint8_t key[MAC_BYTES];
    int rc;

    mac_keyed(k->raw, label_stream, sizeof label_stream, head + SALT_AT, SALT_BYTES, key);
    rc = aead_rekey(a, key);
    pc_wipe(key, sizeof key);
    return rc;
}

static void nonce_of(uint64_t number, enum pc_sealed_place place, uint8_t out[AEAD_NONCE_BYTES])
{
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(number >> 8 * i);
    memset(out + 8, 0, AEAD_NONCE_BYTES - 8);
    out[8] = place == PC_SEALED_LAST;
}

struct pc_sealer {
    struct aead *aead;
    uint64_t number; /* of the next frame */
    size_t held;     /* bytes of it that wait */
    bool begun;      /* the head is out */
    uint8_t head[PC_SEALED_HEAD];
    uint8_t plain[PC_SEALED_FRAME];
    uint8_t out[PC_SEALED_FRAME + PC_SEALED_TAG];
};

int pc_sealer_new(const struct pc_sealed_key *k, struct pc_sealer **ret)
{
    struct pc_sealer *s = mem_calloc(1, sizeof *s);
    int rc = s ? aead_new(&s->aead) : -ENOMEM;

    if (rc == 0) {
        memcpy(s->head, MAGIC, 8);
        s->head[8] = VERSION;
        s->head[9] = FRAME_SHIFT;
        pc_random(s->head + SALT_AT, SALT_BYTES);
        rc = key_stream(s->aead, k, s->head);
    }
    if (rc < 0) {
        pc_sealer_free(s);
        return rc;
    }
    *ret = s;
    return 0;
}

static int emit(struct pc_sealer *s, const void *plain, size_t len, enum pc_sealed_place place,
                const struct pc_sealed_sink *sink)
{
    uint8_t nonce[AEAD_NONCE_BYTES];
    int rc = s->begun ? 0 : sink->take(sink->arg, s->head, sizeof s->head);

    s->begun = true;
    if (rc < 0)
        return rc;
    nonce_of(s->number++, place, nonce);
    rc = aead_seal(s->aead, nonce, s->head, sizeof s->head, plain, len, s->out, s->out + len);
    return rc < 0 ? rc : sink->take(sink->arg, s->out, len + PC_SEALED_TAG);
}

int pc_sealer_write(struct pc_sealer *s, const void *data, size_t len,
                    const struct pc_sealed_sink *sink)
{
    const uint8_t *p = data;
    int rc = 0;

    /* a frame waits until there is more, for the last one is sealed as such */
    while (rc == 0 && len > 0) {
        size_t n = PC_SEALED_FRAME - s->held;

        if (s->held == 0 && len > PC_SEALED_FRAME) {
            rc = emit(s, p, PC_SEALED_FRAME, PC_SEALED_MORE, sink);
            n = PC_SEALED_FRAME;
        } else if (n == 0) {
            rc = emit(s, s->plain, s->held, PC_SEALED_MORE, sink);
            s->held = 0;
        } else {
            n = len < n ? len : n;
            memcpy(s->plain + s->held, p, n);
            s->held += n;
        }
        p += n;
        len -= n;
    }
    return rc;
}

int pc_sealer_end(struct pc_sealer *s, const struct pc_sealed_sink *sink)
{
    return emit(s, s->plain, s->held, PC_SEALED_LAST, sink);
}

void pc_sealer_free(struct pc_sealer *s)
{
    if (!s)
        return;
    aead_free(s->aead);
    pc_wipe(s->plain, sizeof s->plain);
    mem_free(s);
}

struct pc_opener {
    struct aead *aead;
    bool keyed;
    uint8_t head[PC_SEALED_HEAD];
};

int pc_opener_new(struct pc_opener **ret)
{
    struct pc_opener *o = mem_calloc(1, sizeof *o);
    int rc = o ? aead_new(&o->aead) : -ENOMEM;

    if (rc < 0) {
        mem_free(o);
        return rc;
    }
    *ret = o;
    return 0;
}

int pc_opener_head(struct pc_opener *o, const struct pc_sealed_key *k,
                   const uint8_t head[PC_SEALED_HEAD])
{
    int rc;

    o->keyed = false;
    if (memcmp(head, MAGIC, 8) != 0)
        return PC_ECORRUPT;
    if (head[8] != VERSION || head[9] != FRAME_SHIFT)
        return PC_EVERSION;
    memcpy(o->head, head, sizeof o->head);
    rc = key_stream(o->aead, k, head);
    o->keyed = rc == 0;
    return rc;
}

int pc_opener_frame(struct pc_opener *o, uint64_t number, enum pc_sealed_place place,
                    const void *in, size_t len, void *out)
{
    uint8_t nonce[AEAD_NONCE_BYTES];

    if (!o->keyed || len < PC_SEALED_TAG || len > PC_SEALED_FRAME + PC_SEALED_TAG ||
        (place == PC_SEALED_MORE && len != PC_SEALED_FRAME + PC_SEALED_TAG))
        return PC_ECORRUPT;
    len -= PC_SEALED_TAG;
    nonce_of(number, place, nonce);
    return aead_open(o->aead, nonce, o->head, sizeof o->head, in, len, out,
                     (const uint8_t *)in + len);
}

void pc_opener_free(struct pc_opener *o)
{
    if (!o)
        return;
    aead_free(o->aead);
    mem_free(o);
}
