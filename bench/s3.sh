#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The gateway beside MinIO and a bare libmicrohttpd server, one after the other in one run, as numbers and ratios.
#
#     bench/s3.sh [OBJECTS [LARGE]]      with PATH naming the programs, or BUILD=DIR of a build tree after `make bench`
#
# MinIO is looked for as $MINIO, in /opt/peers, ~/go/bin and PATH; without it its column is empty. Objects of 4 KiB by 1 and 8 kept-alive
# connections, objects of 64 MiB by one. Every request is signed, bodies are hashed, pcloud and MinIO answer a PUT when it is on disk. The bare server
# forgets what it reads and checks nothing: the ceiling of the library. Three rounds in turn; the best counts.
set -uo pipefail

objects=${1:-2000} large=${2:-8} rounds=${ROUNDS:-3}
PATH=${BUILD:-$PWD}:${BUILD:-$PWD}/bench:$PATH
work=$(mktemp -d "${TMPDIR:-/tmp}/pcloud-bench-XXXXXX") || exit 1
access=BENCHACCESS secret=benchsecretkey
pids=()
cleanup() {
    [ "${#pids[@]}" -gt 0 ] && kill "${pids[@]}" 2>/dev/null
    wait
    rm -rf --one-file-system "$work"
}
trap cleanup EXIT
exec 9<> <(:)
tick() { read -rt 0.05 -u 9 || :; }
wait_port() { for _ in $(seq 600); do (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; tick; done; return 1; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

minio=${MINIO:-}
for m in /opt/peers/minio "$HOME/go/bin/minio" "$(command -v minio)"; do [ -n "$minio" ] || { [ -x "$m" ] && minio=$m; }; done

declare -A port best
start_pcloud() {
    pcloud --home "$work/home" init >/dev/null 2>&1 </dev/null || return 1
    pcloud --home "$work/home" user add bench --role admin --access-key "$access" --secret-key "$secret" >/dev/null || return 1
    port[pcloud]=$(free_port)
    pcloud-gateway --home "$work/home" --s3 "127.0.0.1:${port[pcloud]}" --web off 2>"$work/pcloud.log" & pids+=($!)
}
start_minio() {
    [ -n "$minio" ] || return 1
    port[minio]=$(free_port)
    MINIO_ROOT_USER=$access MINIO_ROOT_PASSWORD=$secret MINIO_BROWSER=off "$minio" server --quiet --address "127.0.0.1:${port[minio]}" \
        "$work/minio" >"$work/minio.log" 2>&1 & pids+=($!)
}
start_bare() {
    port[bare]=$(free_port)
    s3bare "${port[bare]}" & pids+=($!)
}
systems=()
for s in pcloud minio bare; do
    "start_$s" && wait_port "${port[$s]}" && systems+=("$s")
done

# measure SYSTEM TEST: the figure of one run, 0 if a request failed
measure() {
    local rate mb bad args
    case "$2" in
    put4k_1) args="PUT 4096 $objects 1" ;;
    put4k_8) args="PUT 4096 $((2 * objects)) 8" ;;
    get4k_1) args="GET 4096 $((2 * objects)) 1 $objects" ;;
    get4k_8) args="GET 4096 $((4 * objects)) 8 $objects" ;;
    put64m) args="PUT 67108864 $large 1" ;;
    get64m) args="GET 67108864 $((2 * large)) 1 $large" ;;
    esac
    # shellcheck disable=SC2086
    read -r rate mb bad < <(s3load "${port[$1]}" "$access" "$secret" $args 2>>"$work/errors")
    [ "${bad:-1}" = 0 ] || { echo 0; return; }
    case "$2" in *4k*) echo "$rate" ;; *) echo "${mb%.*}" ;; esac
}
tests=(put4k_1 put4k_8 get4k_1 get4k_8 put64m get64m)
for round in $(seq "$rounds"); do
    for t in "${tests[@]}"; do
        for s in "${systems[@]}"; do
            got=$(measure "$s" "$t")
            [ "$got" -gt "${best[$s.$t]:-0}" ] && best[$s.$t]=$got
        done
    done
    printf 'round %s of %s\n' "$round" "$rounds" >&2
done

ratio() { [ "${2:-0}" -gt 0 ] && awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }' || printf -- '-'; }
printf '%-10s %10s %10s %10s   %8s %8s\n' test pcloud minio bare /minio /bare
for t in "${tests[@]}"; do
    printf '%-10s %10s %10s %10s   %8s %8s\n' "$t" "${best[pcloud.$t]:-}" "${best[minio.$t]:-}" "${best[bare.$t]:-}" \
        "$(ratio "${best[pcloud.$t]:-0}" "${best[minio.$t]:-0}")" "$(ratio "${best[pcloud.$t]:-0}" "${best[bare.$t]:-0}")"
done
printf '4k: requests a second by 1 and 8 connections; 64m: MB a second\n'
[ ! -s "$work/errors" ] || { cat "$work/errors" >&2; exit 1; }
