/* SPDX-License-Identifier: Apache-2.0 */
/* How many shards suffice and how many there are, by the number of distinct owners. */
#include "pcloud/ec.h"

/* No owner ever holds two shards of one pack: n is at most the number of owners. */
static const struct {
    unsigned owners; /* and more */
    struct pc_ec_policy policy;
} table[] = {
    {80, {29, 80}}, {30, {10, 30}}, {20, {10, 20}}, {6, {3, 6}}, {5, {2, 5}},
    {4, {2, 4}},    {3, {1, 3}},    {2, {1, 2}},    {0, {1, 1}},
};

struct pc_ec_policy pc_ec_policy(unsigned owners)
{
    unsigned i = 0;

    while (owners < table[i].owners)
        i++;
    return table[i].policy;
}
