/* SPDX-License-Identifier: Apache-2.0 */
/* What sessions tell each other: who lives, what is pinned, what is held. */
#include "meta/engine.h"

uint64_t sql_session(struct meta *m)
{
    return engine_of(m)->session;
}

bool sql_session_alive(struct meta *m, uint64_t session)
{
    struct engine *e = engine_of(m);

    for (unsigned i = 0; i < SHM_SLOTS; i++)
        if (atomic_load(&e->shm.head->slots[i].session) == session)
            return lease_is_alive(&e->lease, i);
    return false;
}

uint64_t sql_change_seq(struct meta *m)
{
    return atomic_load(&engine_of(m)->shm.head->change);
}

uint64_t sql_oldest_pin(struct meta *m)
{
    struct engine *e = engine_of(m);

    lease_reap(&e->lease, &e->shm);
    return shm_oldest_pin(&e->shm);
}

/* Tell the others the least pin of this session. */
static void publish(struct engine *e)
{
    atomic_store(&e->shm.head->slots[e->lease.slot].oldest_pin,
                 e->pins_n ? e->pins[0].seq : UINT64_MAX);
}

/* While the number is being read everything is pinned: nobody may reclaim between the reading and the telling. */
uint64_t meta_pin(struct meta *m)
{
    struct engine *e = engine_of(m);
    struct engine_pin *last;
    uint64_t seq;

    pthread_mutex_lock(&e->pin_lock);
    if (e->pins_n == 0)
        atomic_store(&e->shm.head->slots[e->lease.slot].oldest_pin, 0);
    seq = atomic_load(&e->shm.head->change);
    last = e->pins_n ? &e->pins[e->pins_n - 1] : NULL;
    if (last && (last->seq == seq || e->pins_n == ENGINE_PINS)) {
        last->count++; /* an older one protects as much and more */
        seq = last->seq;
    } else {
        e->pins[e->pins_n++] = (struct engine_pin){seq, 1};
    }
    publish(e);
    pthread_mutex_unlock(&e->pin_lock);
    return seq;
}

void meta_unpin(struct meta *m, uint64_t pin)
{
    struct engine *e = engine_of(m);
    unsigned i = 0;

    pthread_mutex_lock(&e->pin_lock);
    while (i < e->pins_n && e->pins[i].seq != pin)
        i++;
    if (i < e->pins_n && --e->pins[i].count == 0) {
        e->pins_n--;
        for (; i < e->pins_n; i++)
            e->pins[i] = e->pins[i + 1];
        publish(e);
    }
    pthread_mutex_unlock(&e->pin_lock);
}

int meta_hold(struct meta *m, uint64_t ino)
{
    struct engine *e = engine_of(m);

    shm_hold(&e->shm, e->lease.slot, ino);
    return 0;
}

void meta_drop(struct meta *m, uint64_t ino)
{
    struct engine *e = engine_of(m);

    shm_drop(&e->shm, e->lease.slot, ino);
}

bool sql_is_held(struct meta *m, uint64_t ino)
{
    struct engine *e = engine_of(m);

    if (!shm_is_held(&e->shm, ino))
        return false;
    lease_reap(&e->lease, &e->shm);
    return shm_is_held(&e->shm, ino);
}

bool meta_has_quotas(struct meta *m)
{
    return atomic_load(&engine_of(m)->shm.head->quotas) != 0;
}

void sql_quotas_begin(struct meta *m)
{
    atomic_store(&engine_of(m)->shm.head->quotas, 1);
}
