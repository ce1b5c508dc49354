# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What test scripts share: a running home, waiting, pass and fail, S3 environment. Use:
#
#     . "$SRC/tests/lib/lib.sh"
#     require_fuse; start_home
#     ok "a file is there" test -f "$PCLOUD_MOUNT/a"
#     pass
#
# BUILD (build tree), SRC (source tree), VENV and PYTHON (Python with boto3) and a private TMPDIR come from ./check; without it
# they default to the current directory, the tree of this file, none, python3 and a fresh directory that is removed.
# A script that reaches its end without pass fails.

set -uo pipefail

SRC=${SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD=${BUILD:-$PWD}
VENV=${VENV:-}
PYTHON=${PYTHON:-python3}
LIB_OWN_TMP=
if [ -z "${PCLOUD_TEST_TMP:-}" ]; then
    LIB_OWN_TMP=$(mktemp -d "${TMPDIR:-/tmp}/pcloud-test-XXXXXX")
    PCLOUD_TEST_TMP=$LIB_OWN_TMP
fi
TMP=$PCLOUD_TEST_TMP
export SRC BUILD VENV PYTHON TMP
export TMPDIR=$TMP
export PATH="$BUILD:$PATH"
export HOME=${PCLOUD_TEST_HOME:-$TMP/user}
mkdir -p "$HOME"
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
unset AWS_CA_BUNDLE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR
unset AWS_PROFILE AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_SESSION_TOKEN XDG_DATA_HOME XDG_CONFIG_HOME
export AWS_EC2_METADATA_DISABLED=true
export NO_COLOR=1

LIB_HOMES=()      # homes that start_home made, to be stopped at the end
LIB_CLEANUPS=()   # commands of on_exit, run last to first
LIB_PASSED=
LIB_CHECKS=0
exec {LIB_TICK}<> <(:) # a pipe nobody writes to: reading it with a timeout is one tick of wait_until

say() { printf '%s\n' "$*" >&2; }

# fail TEXT: say what was expected and end the script as failed, with the logs of the homes.
fail() {
    say "FAIL: $*"
    local i=1
    while [ -n "${BASH_SOURCE[$i]:-}" ]; do
        say "  at ${BASH_SOURCE[$i]##*/}:${BASH_LINENO[$((i - 1))]}"
        i=$((i + 1))
    done
    local home log
    for home in "${LIB_HOMES[@]}"; do
        for log in "$home"/log/*; do
            [ -s "$log" ] && { say "--- $log"; tail -n 20 "$log" >&2; }
        done
    done
    exit 1
}

# skip TEXT: end the script as skipped, with the reason.
skip() { say "SKIP: $*"; exit 77; }

# pass: end the script as passed.
pass() {
    [ "$LIB_CHECKS" -gt 0 ] || fail "the script checked nothing"
    say "PASS: $LIB_CHECKS checks"
    LIB_PASSED=1
    exit 0
}

# ok TEXT COMMAND...: one check; the command must succeed.
ok() {
    local text=$1; shift
    LIB_CHECKS=$((LIB_CHECKS + 1))
    "$@" || fail "$text ($*)"
}

# not_ok TEXT COMMAND...: one check; the command must fail (but not be killed by a signal).
not_ok() {
    local text=$1 rc; shift
    LIB_CHECKS=$((LIB_CHECKS + 1))
    "$@"; rc=$?
    [ "$rc" -ne 0 ] && [ "$rc" -lt 124 ] || fail "$text: exit $rc ($*)"
}

# is TEXT GOT WANTED: one check; the two strings are equal.
is() {
    LIB_CHECKS=$((LIB_CHECKS + 1))
    [ "$2" = "$3" ] || fail "$1: got '$2', wanted '$3'"
}

# wait_until SECONDS COMMAND...: ask until the command succeeds; fails the script when the time is over.
wait_until() {
    local limit=$((SECONDS + $1)); shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$limit" ] || fail "waited in vain for: $*"
        read -rt 0.05 -u "$LIB_TICK" || :
    done
}

# on_exit COMMAND...: run at the end of the script, whatever happens.
on_exit() { LIB_CLEANUPS+=("$(printf '%q ' "$@")"); }

# need PROGRAM...: skip without one of them.
need() {
    local p
    for p in "$@"; do command -v "$p" >/dev/null || skip "no $p here"; done
}

# require_fuse: skip where nothing can be mounted.
require_fuse() {
    [ -c /dev/fuse ] && [ -r /dev/fuse ] && [ -w /dev/fuse ] || skip "no usable /dev/fuse here"
    command -v fusermount3 >/dev/null || skip "no fusermount3 here"
}

have_fuse() { [ -r /dev/fuse ] && [ -w /dev/fuse ] && command -v fusermount3 >/dev/null; }

# is_mounted DIR: whether DIR is a mount point.
is_mounted() { awk -v d="$1" '$5 == d { found = 1 } END { exit !found }' /proc/self/mountinfo; }

# env_home: take over the exports of PCLOUD_HOME's `pcloud env`.
env_home() {
    local lines
    lines=$(pcloud --home "$PCLOUD_HOME" env) || fail "pcloud env"
    eval "$lines"
}

# init_home [DIR]: a new home; sets PCLOUD_HOME.
init_home() {
    PCLOUD_HOME=${1:-$TMP/home}
    export PCLOUD_HOME
    LIB_HOMES+=("$PCLOUD_HOME")
    pcloud --home "$PCLOUD_HOME" init --words-out "$PCLOUD_HOME.words" \
        >"$PCLOUD_HOME.init.out" 2>&1 </dev/null || { cat "$PCLOUD_HOME.init.out" >&2; fail "pcloud init"; }
}

# up_home [OPTION...]: start the current home on free ports, with its mount at PCLOUD_HOME.mnt (none without FUSE), and take
# over its environment: PCLOUD_MOUNT, AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION.
up_home() {
    local args=(--s3 127.0.0.1:0 --web 127.0.0.1:0 --no-node)
    case " $* " in
    *" --no-mount "* | *" --mount "*) ;;
    *) if have_fuse; then args+=(--mount "$PCLOUD_HOME.mnt"); else args+=(--no-mount); fi ;;
    esac
    pcloud --home "$PCLOUD_HOME" up "${args[@]}" "$@" >"$PCLOUD_HOME.up.out" 2>&1 </dev/null ||
        { cat "$PCLOUD_HOME.up.out" >&2; fail "pcloud up"; }
    env_home
}

# down_home: stop the current home.
down_home() { pcloud --home "$PCLOUD_HOME" down </dev/null >"$PCLOUD_HOME.down.out" 2>&1 || fail "pcloud down"; }

# start_home [UP OPTION...]: init_home and up_home in one; a second call makes a second home beside the first.
start_home() {
    init_home "$TMP/home$((${#LIB_HOMES[@]} + 1))"
    up_home "$@"
}

# stop_home: the same as down_home; the end of the script does it as well.
stop_home() { down_home; }

# fsck_clean [HOME]: one check; `pcloud fsck` finds nothing.
fsck_clean() { ok "fsck is clean" pcloud --home "${1:-$PCLOUD_HOME}" fsck; }

# home_pid PART: the process of mount, gateway or node of the current home.
home_pid() {
    pcloud --home "$PCLOUD_HOME" status --json |
        python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]].get("pid") or "")' "$1"
}

# plaintext_absent BYTES [DIR]: one check; no file below the home holds them.
plaintext_absent() {
    LIB_CHECKS=$((LIB_CHECKS + 1))
    local hits
    hits=$(grep -rlF -- "$1" "${2:-$PCLOUD_HOME}" 2>/dev/null | grep -v '\.sock$')
    [ -z "$hits" ] || fail "'$1' is readable in $hits"
}

# clients' configuration, each printed or set for the running home
s3cfg() { pcloud --home "$PCLOUD_HOME" env --s3cfg >"$TMP/s3cfg" && printf '%s\n' "$TMP/s3cfg"; }
rclone_conf() { pcloud --home "$PCLOUD_HOME" env --rclone >"$TMP/rclone.conf" && printf '%s\n' "$TMP/rclone.conf"; }
debian_aws() { [ -x /usr/bin/aws ] || skip "no awscli from Debian here"; /usr/bin/aws "$@"; }
pypi_aws() { [ -x "$VENV/bin/aws" ] || skip "no awscli from PyPI here"; "$VENV/bin/aws" "$@"; }

lib_cleanup() {
    local rc=$? i home
    trap - EXIT
    for ((i = ${#LIB_CLEANUPS[@]} - 1; i >= 0; i--)); do eval "${LIB_CLEANUPS[$i]}" >/dev/null 2>&1; done
    for home in "${LIB_HOMES[@]}"; do
        pcloud --home "$home" down >/dev/null 2>&1 </dev/null
        is_mounted "$home.mnt" && fusermount3 -uz "$home.mnt" >/dev/null 2>&1
    done
    [ -n "$LIB_OWN_TMP" ] && rm -rf --one-file-system "$LIB_OWN_TMP"
    if [ "$rc" -eq 0 ] && [ -z "$LIB_PASSED" ]; then
        say "FAIL: ended without pass"
        rc=1
    fi
    exit "$rc"
}
trap lib_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
