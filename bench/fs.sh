#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The mount beside gocryptfs and libfuse's passthrough_ll, one after the other in one run, as numbers and ratios.
#
#     bench/fs.sh [FILES [MIB]]      with PATH naming the programs, or BUILD=DIR of a build tree
#
# passthrough_ll is built from libfuse's examples where Debian's libfuse3-dev has put them; without it or gocryptfs their columns are
# empty. Caches of the kernel are dropped before reading (as root), so reads come from the filesystem. Three rounds; the best counts.
set -uo pipefail

src=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
files=${1:-5000} mib=${2:-512} rounds=${ROUNDS:-3}
PATH=${BUILD:-$PWD}:$PATH
work=$(mktemp -d "${TMPDIR:-/tmp}/pcloud-bench-XXXXXX") || exit 1
cleanup() {
    local d
    for d in "$work"/mnt/*; do fusermount3 -uz "$d" 2>/dev/null; done
    rm -rf --one-file-system "$work"
}
trap cleanup EXIT
mkdir -p "$work/mnt"
cc -D_GNU_SOURCE -O2 -o "$work/fsload" "$src/bench/fsload.c" || exit 1

example=/usr/share/doc/libfuse3-dev/examples
# start NAME: mount it at $work/mnt/NAME over fresh storage on the same disk
start() {
    local mnt=$work/mnt/$1 store=$work/store-$1
    mkdir -p "$mnt" "$store"
    case "$1" in
    disk) rmdir "$mnt"; ln -s "$store" "$mnt" ;;
    passthrough)
        [ -e "$work/passthrough_ll" ] || {
            # shellcheck disable=SC2046
            cc -O2 -I"$example" -o "$work/passthrough_ll" "$example/passthrough_ll.c" $(pkg-config --cflags --libs fuse3) -lpthread \
                >/dev/null 2>&1 || return 1
        }
        "$work/passthrough_ll" -o "source=$store,allow_other,default_permissions,cache=always,timeout=300" "$mnt" ;;
    gocryptfs)
        command -v gocryptfs >/dev/null || return 1
        echo bench >"$work/pass"
        gocryptfs -q -init -scryptn 10 -passfile "$work/pass" "$store" && gocryptfs -q -passfile "$work/pass" "$store" "$mnt" ;;
    pcloud)
        rmdir "$store"
        pcloud --home "$store" init >/dev/null 2>&1 </dev/null && mount.pcloud "$store" "$mnt" </dev/null ;;
    esac
}
stop() {
    [ "$1" = disk ] || fusermount3 -u "$work/mnt/$1" || fusermount3 -uz "$work/mnt/$1"
    [ "$1" != disk ] || rm "$work/mnt/disk"
    [ "$1" != pcloud ] || while [ -e "$work/store-pcloud/run/mount.json" ]; do read -rt 0.05 -u 9; done
    rm -rf "$work/store-$1"
}
exec 9<> <(:)
drop() { sync; [ -w /proc/sys/vm/drop_caches ] && echo 3 >/proc/sys/vm/drop_caches; }

tests=(create stat read_small list write read write_random read_random remove)
declare -A best
systems=(pcloud gocryptfs passthrough disk)
for round in $(seq "$rounds"); do
    for s in "${systems[@]}"; do
        start "$s" || continue
        for t in "${tests[@]}"; do
            case "$t" in write | read) n=$mib ;; *_random) n=20000 ;; *) n=$files ;; esac
            case "$t" in read* | list | stat) drop ;; esac
            got=$("$work/fsload" "$work/mnt/$s" "$t" "$n") || got=0
            [ "$got" -gt "${best[$s.$t]:-0}" ] && best[$s.$t]=$got
        done
        stop "$s"
    done
    printf 'round %s of %s\n' "$round" "$rounds" >&2
done

ratio() { [ "${2:-0}" -gt 0 ] && awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }' || printf -- '-'; }
printf '%-14s %10s %10s %12s %10s   %11s %13s\n' test "${systems[@]}" '/gocryptfs' '/passthrough'
for t in "${tests[@]}"; do
    printf '%-14s %10s %10s %12s %10s   %11s %13s\n' "$t" "${best[pcloud.$t]:-}" "${best[gocryptfs.$t]:-}" "${best[passthrough.$t]:-}" "${best[disk.$t]:-}" \
        "$(ratio "${best[pcloud.$t]:-0}" "${best[gocryptfs.$t]:-0}")" "$(ratio "${best[pcloud.$t]:-0}" "${best[passthrough.$t]:-0}")"
done
printf 'write and read: MiB a second of a file of %s MiB, with fsync; the others: operations a second\n' "$mib"
