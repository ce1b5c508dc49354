# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the scripts over a mount share: mounting a home by hand, and the program of cases. Read after lib.sh.

# mount_home DIR [OPTIONS]: mount the current home on DIR (made if missing); unmounted at the end of the script.
mount_home() {
    local dir=$1 out=$TMP/mount-${1##*/}.out
    mkdir -p "$dir"
    on_exit unmount_home "$dir"
    mount.pcloud "$PCLOUD_HOME" "$dir" ${2:+-o "$2"} >"$out" 2>&1 </dev/null || { cat "$out" >&2; fail "mount.pcloud $dir"; }
    # shellcheck disable=SC2034 # for the scripts
    MOUNT=$dir
}

# unmount_home DIR: unmount and wait until its process has written everything back.
unmount_home() {
    local dir=$1 pids
    is_mounted "$dir" || return 0
    pids=$(mount_pids "$dir")
    fusermount3 -u "$dir" 2>/dev/null || fusermount3 -uz "$dir"
    # shellcheck disable=SC2086
    wait_until 20 gone $pids
}

# mount_pids DIR: the processes that serve DIR.
mount_pids() {
    local p
    for p in /proc/[0-9]*; do
        tr '\0' '\n' 2>/dev/null <"$p/cmdline" | sed -n 's|.*/||;1p' | grep -qxE 'mount\.(fuse\.)?pcloud' &&
            tr '\0' '\n' <"$p/cmdline" | grep -qxF -- "$1" && printf '%s\n' "${p#/proc/}"
    done
}

# gone PID...: none of them runs.
gone() {
    local p
    for p in "$@"; do [ ! -d "/proc/$p" ] || return 1; done
}

# build_c NAME SOURCE...: compile a helper of the tests to $TMP/NAME.
build_c() {
    local name=$1; shift
    need cc
    cc -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -o "$TMP/$name" "$@" -lpthread || fail "cannot build $name"
}
