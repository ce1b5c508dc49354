#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Backups into a bucket: restic and duplicity, from the first to a restore that is compared. BACKUPS="kopia=/path/to/kopia": only those.
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/clients/clib.sh"

# make_source: a folder to back up, of two days.
make_source() {
    SOURCE=$TMP/source
    rm -rf "$SOURCE"
    cp -r "$FILES" "$SOURCE"
    cp -r "$MANY" "$SOURCE/many"
    ln -s one "$SOURCE/link"
}
another_day() {
    printf 'changed' >"$SOURCE/one"
    rm "$SOURCE/five"
    head -c 3000000 /dev/urandom >"$SOURCE/new file"
}

restic_job() {
    local restic=${1:-restic}
    make_source
    export RESTIC_REPOSITORY=s3:$ENDPOINT/restic/re\ po RESTIC_PASSWORD=x RESTIC_CACHE_DIR=$TMP/restic-cache-$SCHEME
    set -- "$restic" -q ${CA:+--cacert "$CA"}
    ok "restic init" "$@" init
    ok "restic backup" "$@" backup "$SOURCE"
    another_day
    ok "restic backup, second" "$@" backup "$SOURCE"
    ok "restic check" "$@" check --read-data
    ok "restic restore" "$@" restore latest --target "$TMP/restic-$SCHEME"
    ok "restic: restored" diff -r --no-dereference "$SOURCE" "$TMP/restic-$SCHEME$SOURCE"
    ok "restic forget and prune" "$@" forget --keep-last 1 --prune
    ok "restic check after prune" "$@" check --read-data
    ok "restic stream" "$@" backup --stdin --stdin-filename s <"$FILES/parts"
    ok "restic dump" cmp <("$@" dump latest s) "$FILES/parts"
}

duplicity_job() {
    local url=boto3+s3://duplicity/of\ mine
    make_source
    export PASSPHRASE=x
    set -- --s3-endpoint-url "$ENDPOINT" --archive-dir "$TMP/duplicity-cache-$SCHEME" --volsize 5 -v1
    ok "bucket" "$PYTHON" "$SRC/tests/clients/make_bucket.py" duplicity
    ok "duplicity full" duplicity full "$@" "$SOURCE" "$url" >/dev/null
    another_day
    ok "duplicity incr" duplicity incr "$@" "$SOURCE" "$url" >/dev/null
    ok "duplicity verify" duplicity verify --compare-data "$@" "$url" "$SOURCE" >/dev/null
    ok "duplicity restore" duplicity restore "$@" "$url" "$TMP/duplicity-$SCHEME" >/dev/null
    ok "duplicity: restored" diff -r --no-dereference "$SOURCE" "$TMP/duplicity-$SCHEME"
    ok "duplicity remove-all-but-n-full" duplicity remove-all-but-n-full 1 --force "$@" "$url" >/dev/null
    ok "duplicity cleanup" duplicity cleanup --force "$@" "$url" >/dev/null
}

kopia_job() {
    local kopia=${1:-kopia}
    make_source
    set -- "$kopia" --config-file "$TMP/kopia-$SCHEME.config" --password x --no-progress --log-level error
    ok "bucket" "$PYTHON" "$SRC/tests/clients/make_bucket.py" kopia
    local tls=(--disable-tls)
    [ -z "$CA" ] || tls=(--root-ca-pem-path "$CA")
    ok "kopia create" "$@" repository create s3 --bucket kopia --endpoint "$S3_HOST" --region "$AWS_DEFAULT_REGION" "${tls[@]}" \
        --access-key "$AWS_ACCESS_KEY_ID" --secret-access-key "$AWS_SECRET_ACCESS_KEY" --cache-directory "$TMP/kopia-cache-$SCHEME"
    ok "kopia validate-provider" "$@" repository validate-provider --num-storage-connections 2 --concurrency-test-duration 3s
    ok "kopia snapshot" "$@" snapshot create "$SOURCE"
    another_day
    ok "kopia snapshot, second" "$@" snapshot create "$SOURCE"
    ok "kopia verify" "$@" snapshot verify --verify-files-percent 100
    ok "kopia restore" "$@" snapshot restore "$SOURCE" "$TMP/kopia-$SCHEME"
    ok "kopia: restored" diff -r --no-dereference "$SOURCE" "$TMP/kopia-$SCHEME"
    ok "kopia maintenance" "$@" maintenance run --full --safety none
    ok "kopia verify after maintenance" "$@" snapshot verify --verify-files-percent 100
}

jobs=()
for client in ${BACKUPS:-restic=restic duplicity=duplicity}; do
    command -v "${client#*=}" >/dev/null || continue
    eval "one_${client%%=*}() { ${client%%=*}_job ${client#*=}; }"
    jobs+=("one_${client%%=*}")
done
[ ${#jobs[@]} -gt 0 ] || skip "neither restic nor duplicity here"
make_files
in_both "${jobs[@]}"
pass
