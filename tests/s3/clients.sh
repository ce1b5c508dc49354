# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A tree of files there and back by each client: run by test_clients_http.sh and test_clients_https.sh after start_s3.

# make_tree DIR: names of many kinds, empty files, small and large ones.
make_tree() {
    local i
    mkdir -p "$1/sub/deep er" "$1/ümläut" || fail "mkdir"
    for i in 1 2 3 4 5 6 7 8 9; do printf 'file %d\n' "$i" >"$1/sub/f$i"; done
    : >"$1/empty"
    printf 'plus' >"$1/a+b"
    printf 'percent' >"$1/100%25"
    printf 'kana' >"$1/sub/deep er/かな"
    printf 'quote' >"$1/it's"
    printf 'and' >"$1/ümläut/x&y=z;?"
    head -c 20000000 /dev/urandom >"$1/large"
    head -c 70000 /dev/urandom >"$1/sub/middle"
}

CLIENT_TREE=$TMP/tree
make_tree "$CLIENT_TREE"

# try_aws NAME COMMAND...: mb, cp both ways, sync, ls, rm, rb.
try_aws() {
    local name=$1 b=s3://client-$1; shift
    ok "$name mb" "$@" s3 mb "$b" >/dev/null
    ok "$name cp --recursive" "$@" s3 cp --recursive --only-show-errors "$CLIENT_TREE" "$b/t"
    ok "$name sync back" "$@" s3 sync --only-show-errors "$b/t" "$TMP/back-$name"
    ok "$name: identical" diff -r "$CLIENT_TREE" "$TMP/back-$name"
    is "$name sync again copies nothing" "$("$@" s3 sync "$CLIENT_TREE" "$b/t")" ""
    is "$name ls --recursive" "$("$@" s3 ls --recursive "$b" | wc -l)" "$(find "$CLIENT_TREE" -type f | wc -l)"
    ok "$name mv in the server" "$@" s3 mv --only-show-errors "$b/t/large" "$b/moved/large"
    ok "$name cp to stdout" cmp <("$@" s3 cp "$b/moved/large" -) "$CLIENT_TREE/large"
    ok "$name cp from stdin" "$@" s3 cp --only-show-errors - "$b/stdin" <"$CLIENT_TREE/large"
    ok "$name: stdin is whole" cmp <("$@" s3 cp "$b/stdin" -) "$CLIENT_TREE/large"
    ok "$name rb --force" "$@" s3 rb --force "$b" >/dev/null
}

try_s3cmd() {
    local cfg b=s3://client-s3cmd extra=()
    cfg=$(s3cfg)
    [ -n "${AWS_CA_BUNDLE:-}" ] && extra=(--ca-certs="$AWS_CA_BUNDLE")
    set -- s3cmd -c "$cfg" "${extra[@]}" --no-progress -q
    ok "s3cmd mb" "$@" mb "$b"
    ok "s3cmd put" "$@" put --recursive "$CLIENT_TREE/" "$b/t/"
    mkdir -p "$TMP/back-s3cmd"
    ok "s3cmd sync back" "$@" sync "$b/t/" "$TMP/back-s3cmd/"
    ok "s3cmd: identical" diff -r "$CLIENT_TREE" "$TMP/back-s3cmd"
    ok "s3cmd in parts" "$@" --multipart-chunk-size-mb=5 put "$CLIENT_TREE/large" "$b/parts"
    ok "s3cmd get" "$@" --force get "$b/parts" "$TMP/parts"
    ok "s3cmd: parts are whole" cmp "$CLIENT_TREE/large" "$TMP/parts"
    ok "s3cmd cp" "$@" cp "$b/parts" "$b/copy"
    ok "s3cmd modify" "$@" modify --add-header=x-amz-meta-a:b "$b/copy"
    ok "s3cmd info" "$@" info "$b" >/dev/null
    ok "s3cmd info of an object" "$@" info "$b/copy" >/dev/null
    is "s3cmd ls" "$(s3cmd -c "$cfg" "${extra[@]}" ls -r "$b/t/" | wc -l)" "$(find "$CLIENT_TREE" -type f | wc -l)"
    ok "s3cmd del" "$@" del -r -f "$b"
    ok "s3cmd rb" "$@" rb "$b"
}

try_rclone() {
    local b
    set -- env -u AWS_CA_BUNDLE rclone --config "$(rclone_conf)" -q # its SDK cannot read that variable
    [ -n "${AWS_CA_BUNDLE:-}" ] && set -- "$@" --ca-cert "$AWS_CA_BUNDLE"
    b=$("$@" listremotes | head -1)client-rclone
    ok "rclone mkdir" "$@" mkdir "$b"
    ok "rclone copy" "$@" copy "$CLIENT_TREE" "$b/t"
    ok "rclone check" "$@" check "$CLIENT_TREE" "$b/t"
    ok "rclone check --download" "$@" check --download "$CLIENT_TREE" "$b/t"
    ok "rclone copy back" "$@" copy "$b/t" "$TMP/back-rclone"
    ok "rclone: identical" diff -r "$CLIENT_TREE" "$TMP/back-rclone"
    ok "rclone in parts" "$@" --s3-upload-cutoff 5M --s3-chunk-size 5M copyto "$CLIENT_TREE/large" "$b/parts"
    ok "rclone: parts are whole" cmp <("$@" cat "$b/parts") "$CLIENT_TREE/large"
    ok "rclone moveto" "$@" moveto "$b/parts" "$b/moved"
    is "rclone lsf" "$("$@" lsf -R --files-only "$b/t" | wc -l)" "$(find "$CLIENT_TREE" -type f | wc -l)"
    ok "rclone purge" "$@" purge "$b"
}

try_clients() {
    local tried=0
    if [ -x /usr/bin/aws ]; then try_aws debian /usr/bin/aws --endpoint-url "$AWS_ENDPOINT_URL"; tried=1; fi
    if [ -n "$VENV" ] && [ -x "$VENV/bin/aws" ]; then try_aws pypi "$VENV/bin/aws"; tried=1; fi
    if command -v s3cmd >/dev/null; then try_s3cmd; tried=1; fi
    if command -v rclone >/dev/null; then try_rclone; tried=1; fi
    [ "$tried" = 1 ] || skip "none of aws, s3cmd, rclone here"
}
