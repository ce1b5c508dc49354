#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A volume of a million files beside an empty one: both up at once, measured in turns, as numbers and ratios.
#
#     bench/million.sh [FILES [PROBE]]      with BUILD=DIR of a build tree after `make bench`; FULL=HOME takes one that is filled already
#
# Each turn makes PROBE files of 4 KiB in a fresh folder, drops the kernel's caches (as root), stats and lists them, pages through them by S3 and removes
# them again. Beside the rate stands the processor time of the part that answers, in microseconds an operation: on a shared machine that one can be trusted.
# ROUNDS turns; the best counts.
set -uo pipefail

src=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
files=${1:-1000000} probe=${2:-3000} rounds=${ROUNDS:-5}
PATH=${BUILD:-$PWD}:${BUILD:-$PWD}/bench:$PATH
work=$(mktemp -d "${TMPDIR:-/tmp}/pcloud-bench-XXXXXX") || exit 1
declare -A home=([empty]=$work/empty [full]=${FULL:-$work/full})
declare -A best cpu port key secret
url='' access='' word='' # set by pcloud env, below
cleanup() {
    local v
    for v in empty full; do pcloud --home "${home[$v]}" down; done >/dev/null 2>&1
    rm -rf --one-file-system "$work"
}
trap cleanup EXIT
cc -D_GNU_SOURCE -O2 -o "$work/fsload" "$src/bench/fsload.c" || exit 1
now() { date +%s%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.0f", (b - a) / 1e6 }'; }
drop() { sync; [ -w /proc/sys/vm/drop_caches ] && echo 3 >/proc/sys/vm/drop_caches; }
json_pid() { pcloud --home "${home[$1]}" status --json | tr -d '\n' | sed -n 's/.*"'"$2"'": *{[^}]*"pid": *\([0-9]*\).*/\1/p'; }
used() { cat "/proc/$1/task/"*/schedstat 2>/dev/null | awk '{ n += $1 } END { printf "%.0f", n / 1000 }'; } # microseconds

for v in empty full; do
    [ -e "${home[$v]}/format" ] || pcloud --home "${home[$v]}" init >/dev/null 2>&1 </dev/null || exit 1
done
if [ -z "${FULL:-}" ]; then
    began=$(now)
    fill "${home[full]}" "$files" || exit 1
    printf 'filled with %s files in %s ms\n' "$files" "$(since "$began")"
fi
du -sm "${home[full]}" | awk '{ printf "on disk: %d MiB\n", $1 }'

# up and status, from cold caches
for v in empty full full empty; do
    drop
    began=$(now)
    pcloud --home "${home[$v]}" up --mount "$work/$v.mnt" --s3 127.0.0.1:0 --web 127.0.0.1:0 >/dev/null || exit 1
    up=$(since "$began")
    began=$(now)
    pcloud --home "${home[$v]}" status --json | tr -d ' \n' | grep -q '"gateway":{[^}]*"state":"ok"' || printf 'status: the gateway is not ready\n'
    printf '%-6s up %s ms, status --json %s ms\n' "$v" "$up" "$(since "$began")"
    pcloud --home "${home[$v]}" down >/dev/null
done
for v in empty full; do
    pcloud --home "${home[$v]}" up --mount "$work/$v.mnt" --s3 127.0.0.1:0 --web 127.0.0.1:0 >/dev/null || exit 1
    eval "$(pcloud --home "${home[$v]}" env | sed "s/^export //; s/^AWS_ENDPOINT_URL=/url=/; s/^AWS_ACCESS_KEY_ID=/access=/; s/^AWS_SECRET_ACCESS_KEY=/word=/")"
    port[$v]=${url##*:} key[$v]=$access secret[$v]=$word
    cpu[$v.mount.pid]=$(json_pid "$v" mount) cpu[$v.gateway.pid]=$(json_pid "$v" gateway)
done

# turn VOLUME TEST PART COUNT COMMAND...: run it; keep the best rate and the least processor time of PART
turn() {
    local v=$1 t=$2 pid=${cpu[$1.$3.pid]} n=$4 before got took
    shift 4
    before=$(used "$pid")
    got=$("$@") || { printf '%s: %s failed\n' "$v" "$t" >&2; return; }
    got=${got%% *}
    took=$(awk -v a="$before" -v b="$(used "$pid")" -v n="$n" 'BEGIN { printf "%.1f", (b - a) / n }')
    [ "$got" -gt "${best[$v.$t]:-0}" ] && best[$v.$t]=$got
    awk -v a="$took" -v b="${cpu[$v.$t]:-1e9}" 'BEGIN { exit !(a < b) }' && cpu[$v.$t]=$took
    return 0
}
pages=$(((probe + 999) * 20 / 1000))
mkdir "$work/empty.mnt/probe" "$work/full.mnt/probe" || exit 1
for round in $(seq "$rounds"); do
    [ $((round % 2)) = 1 ] && order='empty full' || order='full empty'
    for t in create stat list s3list remove; do
        for v in $order; do
            dir=$work/$v.mnt/probe
            case "$t" in stat | list) drop ;; esac
            case "$t" in
            s3list) turn "$v" "$t" gateway "$pages" s3load "${port[$v]}" "${key[$v]}" "${secret[$v]}" LIST 0 "$pages" 1 '/probe?list-type=2&max-keys=1000' ;;
            *) turn "$v" "$t" mount "$probe" "$work/fsload" "$dir" "$t" "$probe" ;;
            esac
        done
    done
    rmdir "$work"/*.mnt/probe/* || exit 1
    printf 'round %s of %s\n' "$round" "$rounds" >&2
done
ratio() { awk -v a="${1:-0}" -v b="${2:-0}" 'BEGIN { if (b > 0) printf "%.2f", a / b; else printf "-" }'; }
printf '%-8s %10s %10s %6s   %12s %12s %6s\n' test 'empty /s' 'full /s' ratio 'empty us cpu' 'full us cpu' ratio
for t in create stat list s3list remove; do
    printf '%-8s %10s %10s %6s   %12s %12s %6s\n' "$t" "${best[empty.$t]}" "${best[full.$t]}" "$(ratio "${best[full.$t]}" "${best[empty.$t]}")" \
        "${cpu[empty.$t]}" "${cpu[full.$t]}" "$(ratio "${cpu[full.$t]}" "${cpu[empty.$t]}")"
done

# what only the full one has: files far apart, one large folder
old=$((files * 9 / 10000))
drop
began=$(now)
for i in $(seq 1 $((old > 300 ? 300 : old))); do
    n=$(((i * 7919) % old))
    printf '%s/full.mnt/full/d%05d/f%07d\0' "$work" "$n" "$((n * 1000 + i))"
done | xargs -0 stat -c %s >/dev/null || exit 1
printf 'full: stat of 300 files in 300 folders, cold: %s ms\n' "$(since "$began")"
drop
began=$(now)
n=$(find "$work/full.mnt/full/large" | wc -l)
printf 'full: list of a folder of %s, cold: %s ms\n' "$n" "$(since "$began")"
for v in empty full; do
    for p in mount gateway; do
        awk -v v="$v" -v p="$p" '/^VmRSS/ { r = $2 } /^VmHWM/ { h = $2 } END { printf "%-6s %-8s %.1f MiB of memory, %.1f at most\n", v, p, r / 1024, h / 1024 }' \
            "/proc/${cpu[$v.$p.pid]}/status"
    done
done
