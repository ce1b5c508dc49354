# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The Debian packages pcloud needs, by purpose, and installing those that are missing.

PACKAGES_BUILD='gcc libc6-dev make autoconf automake pkg-config libfuse3-dev libmicrohttpd-dev libsodium-dev
    libssl-dev libisal-dev libsqlite3-dev libexpat1-dev libjansson-dev'
PACKAGES_RUN='fuse3 curl'
PACKAGES_TEST='libcmocka-dev shellcheck'
PACKAGES_CLANG='clang'
PACKAGES_STYLE='clang-format-14 codespell mandoc'
PACKAGES_VALGRIND='valgrind libc6-dbg'
PACKAGES_FUZZ='clang libclang-rt-14-dev'
PACKAGES_COVERAGE='gcovr'
PACKAGES_MOUNT='fuse3 attr acl git rsync sqlite3 e2fsprogs libglib2.0-bin python3'
PACKAGES_S3='curl jq openssl s3cmd awscli rclone python3 python3-venv'
PACKAGES_CLIENTS='restic duplicity s3fs python3-boto3'

# packages_missing NAME...: those of the packages that are not installed.
packages_missing() {
    local p
    for p in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || printf '%s ' "$p"
    done
}

# packages_install NAME...: install what is missing; as root directly, else by sudo, else say the line to run and return 1.
packages_install() {
    local missing become=()
    command -v dpkg-query >/dev/null || return 0
    missing=$(packages_missing "$@")
    [ -z "$missing" ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
            become=(sudo)
        else
            printf 'Packages are missing, and this is neither root nor able to become root. Run once, then again:\n' >&2
            printf '    su -c "apt-get update && apt-get install -y --no-install-recommends %s"\n' "${missing% }" >&2
            return 1
        fi
    fi
    printf 'Installing %s\n' "$missing" >&2
    # shellcheck disable=SC2086
    "${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2 &&
        "${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $missing \
            </dev/null >/dev/null && return 0
    printf 'apt-get could not install: %s\n' "$missing" >&2
    return 1
}
