# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the scripts of this folder share: a home served by HTTP and by HTTPS with a CA of its own, and the files of the job.
. "$SRC/tests/lib/lib.sh"

need openssl

# make_ca: a CA and a certificate for this host in TMP, as somebody with a network of their own has them.
make_ca() {
    [ -e "$TMP/ca.pem" ] && return
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj '/CN=Test CA' \
        -addext keyUsage=keyCertSign -keyout "$TMP/ca.key" -out "$TMP/ca.pem" 2>/dev/null || fail "openssl req"
    printf '%s\n' 'subjectAltName=IP:127.0.0.1,DNS:localhost' 'basicConstraints=CA:FALSE' extendedKeyUsage=serverAuth >"$TMP/ext"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout "$TMP/key.pem" 2>/dev/null |
        openssl x509 -req -CA "$TMP/ca.pem" -CAkey "$TMP/ca.key" -set_serial 2 -days 2 -extfile "$TMP/ext" -out "$TMP/cert.pem" 2>/dev/null ||
        fail "openssl x509"
}

# serve http|https: a new home served that way. Sets SCHEME, ENDPOINT (the URL), S3_HOST (host:port) and CA (a file, empty for http).
serve() {
    SCHEME=$1 CA=
    init_home "$TMP/home$((${#LIB_HOMES[@]} + 1))"
    if [ "$SCHEME" = https ]; then
        make_ca
        CA=$TMP/ca.pem
        pcloud --home "$PCLOUD_HOME" config set s3.tls_cert "$TMP/cert.pem" || fail "config set"
        pcloud --home "$PCLOUD_HOME" config set s3.tls_key "$TMP/key.pem" || fail "config set"
        up_home --no-mount
        export AWS_CA_BUNDLE=$CA
    else
        unset AWS_CA_BUNDLE
        up_home --no-mount
    fi
    ENDPOINT=$AWS_ENDPOINT_URL S3_HOST=${AWS_ENDPOINT_URL#*://}
    export SCHEME ENDPOINT S3_HOST CA
}

# in_both FUNCTION...: call them over HTTP, then over HTTPS, each in a new home that is clean at the end.
in_both() {
    local scheme f
    for scheme in http https; do
        serve "$scheme"
        make_many
        for f in "$@"; do
            "$f" || fail "$f over $scheme"
            say "done: $f over $scheme"
        done
        down_home
        fsck_clean
    done
}

# install_quietly COMMAND...: an installation from a registry, its caches in TMP; without it the script is skipped, with the reason.
# Go's build cache is kept where CLIENTS_CACHE says, for the loop of a developer.
install_quietly() {
    [ -n "${CLIENTS_INSTALL-1}" ] || skip "nothing is to be installed"
    env HOME="${CLIENTS_HOME:-$HOME}" PIP_CACHE_DIR="$TMP/cache/pip" PIP_DISABLE_PIP_VERSION_CHECK=1 npm_config_cache="$TMP/cache/npm" \
        GOPATH="${CLIENTS_CACHE:-$TMP/cache}/go" GOCACHE="${CLIENTS_CACHE:-$TMP/cache}/gobuild" GOTOOLCHAIN=local GOFLAGS='-modcacherw -buildvcs=false' \
        "$@" >"$TMP/install.log" 2>&1 || { tail -n 5 "$TMP/install.log" >&2; skip "not installed: $(tail -n 1 "$TMP/install.log")"; }
}

# make_files: in FILES what every client carries: 0 and 1 bytes, 5 MiB + 1, in parts; and names of many kinds in FILES/names.
make_files() {
    FILES=$TMP/files
    [ -d "$FILES" ] && return
    mkdir -p "$FILES/names/ümläut"
    : >"$FILES/empty"
    printf x >"$FILES/one"
    head -c 5242881 /dev/urandom >"$FILES/five"
    head -c 20000001 /dev/urandom >"$FILES/parts"
    printf 'space' >"$FILES/names/sp ace"
    printf 'plus' >"$FILES/names/pl+us"
    printf 'percent' >"$FILES/names/per%41cent"
    printf 'and' >"$FILES/names/qu&e=s;t"
    printf 'quote' >"$FILES/names/it's"
    printf 'kana' >"$FILES/names/ümläut/かな"
}

# make_many: in MANY a folder of COUNT files: by HTTP more than a page of a listing, by HTTPS fewer, for they are slow with some clients.
make_many() {
    local i
    COUNT=1005
    [ "$SCHEME" = http ] || COUNT=60
    MANY=$TMP/many-$SCHEME
    mkdir "$MANY"
    for ((i = 0; i < COUNT; i++)); do printf '%d' "$i" >"$MANY/k$i"; done
}
