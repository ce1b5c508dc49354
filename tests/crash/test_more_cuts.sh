#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Power cuts and kills in other workloads than the one of `make check`, and at more places of each.
. "$(dirname "$0")/../lib/lib.sh"

[ -x "$BUILD/tests/crash/test_power_cut" ] || skip "tests/crash/test_power_cut is not built"
for seed in 2 3; do
    ok "workload $seed" env PCLOUD_CUTS=120 "$BUILD/tests/crash/test_power_cut" "$seed"
    ok "workload $seed, killed" env PCLOUD_CUTS=30 "$BUILD/tests/crash/test_kill" "$seed"
done
pass
