/* SPDX-License-Identifier: Apache-2.0 */
/* What sessions tell each other: who lives, what is pinned, what is held. */
#include "meta/engine.h"

uint64_t sql_session(struct meta *m)
{
    return engine_of(m)->session;
}

bool sql_session_alive(struct meta *m, uint64_t session)
{
    return engine_of(m)->session == session;
}

uint64_t sql_change_seq(struct meta *m)
{
    return engine_of(m)->change;
}

uint64_t sql_oldest_pin(struct meta *m)
{
    struct engine *e = engine_of(m);
    uint64_t r;

    pthread_mutex_lock(&e->pin_lock);
    r = e->pins_used ? e->pins[0].seq : UINT64_MAX;
    pthread_mutex_unlock(&e->pin_lock);
    return r;
}

uint64_t meta_pin(struct meta *m)
{
    struct engine *e = engine_of(m);
    struct engine_pin *last;
    uint64_t seq;

    pthread_mutex_lock(&e->pin_lock);
    seq = e->change;
    last = e->pins_used ? &e->pins[e->pins_used - 1] : NULL;
    if (last && (last->seq == seq || e->pins_used == ENGINE_PINS)) {
        last->count++;
        seq = last->seq;
    } else {
        e->pins[e->pins_used++] = (struct engine_pin){seq, 1};
    }
    pthread_mutex_unlock(&e->pin_lock);
    return seq;
}

void meta_unpin(struct meta *m, uint64_t pin)
{
    struct engine *e = engine_of(m);
    unsigned i = 0;

    pthread_mutex_lock(&e->pin_lock);
    while (i < e->pins_used && e->pins[i].seq != pin)
        i++;
    if (i < e->pins_used && --e->pins[i].count == 0) {
        e->pins_used--;
        for (; i < e->pins_used; i++)
            e->pins[i] = e->pins[i + 1];
    }
    pthread_mutex_unlock(&e->pin_lock);
}

static uint16_t *held(struct engine *e, uint64_t ino)
{
    return &e->held[(ino * 0x9e3779b97f4a7c15u) >> 48];
}

/* A counter that reached its end stays there: the node may be taken for held for longer than it is. */
int meta_hold(struct meta *m, uint64_t ino)
{
    uint16_t *n = held(engine_of(m), ino);
    uint16_t old = __atomic_load_n(n, __ATOMIC_RELAXED);

    while (old != UINT16_MAX && !__atomic_compare_exchange_n(n, &old, (uint16_t)(old + 1), true,
                                                             __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        ;
    return 0;
}

void meta_drop(struct meta *m, uint64_t ino)
{
    uint16_t *n = held(engine_of(m), ino);
    uint16_t old = __atomic_load_n(n, __ATOMIC_RELAXED);

    while (old != UINT16_MAX && old != 0 &&
           !__atomic_compare_exchange_n(n, &old, (uint16_t)(old - 1), true, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED))
        ;
}

bool sql_is_held(struct meta *m, uint64_t ino)
{
    return __atomic_load_n(held(engine_of(m), ino), __ATOMIC_SEQ_CST) != 0;
}
