#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A bucket as a file system by s3fs. MOUNTS="goofys=/path/to/goofys": by that.
SRC=${SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$SRC/tests/clients/clib.sh"

require_fuse

# tree_job NAME DIR: a tree there and back, ranges, appending, renaming, removing; some of it is what object stores make slow, none what they cannot do.
tree_job() {
    local name=$1 dir=$2
    ok "$name: copy a tree" cp -r "$FILES" "$dir/tree"
    ok "$name: identical" diff -r "$FILES" "$dir/tree"
    ok "$name: a range" cmp <(tail -c +4000001 "$dir/tree/five" | head -c 70000) <(tail -c +4000001 "$FILES/five" | head -c 70000)
    ok "$name: rename" mv "$dir/tree/parts" "$dir/tree/re named+"
    ok "$name: renamed" cmp "$dir/tree/re named+" "$FILES/parts"
    ok "$name: rename a folder" mv "$dir/tree/names" "$dir/moved"
    ok "$name: moved" diff -r "$FILES/names" "$dir/moved"
    ok "$name: many" cp -r "$MANY" "$dir/many"
    is "$name: pages" "$(find "$dir/many" -type f | wc -l)" "$COUNT"
    ok "$name: remove" rm -r "$dir/many" "$dir/tree" "$dir/moved"
    is "$name: empty again" "$(find "$dir" -mindepth 1 | wc -l)" 0
}

s3fs_job() {
    local dir=$TMP/s3fs-$SCHEME
    mkdir -p "$dir"
    ok "bucket" "$PYTHON" "$SRC/tests/clients/make_bucket.py" s3fs-bucket
    (umask 077 && printf '%s:%s\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >"$TMP/passwd-s3fs")
    on_exit fusermount -uz "$dir"
    ok "s3fs" env ${CA:+CURL_CA_BUNDLE="$CA"} s3fs s3fs-bucket "$dir" -o passwd_file="$TMP/passwd-s3fs" -o url="$ENDPOINT" \
        -o endpoint="$AWS_DEFAULT_REGION" -o use_path_request_style -o multipart_size=10
    wait_until 20 is_mounted "$dir"
    tree_job s3fs "$dir"
    printf 'one' >"$dir/f" && printf 'two' >>"$dir/f"
    is "s3fs: appended" "$(cat "$dir/f")" onetwo
    ok "s3fs: chmod" chmod 640 "$dir/f"
    is "s3fs: mode" "$(stat -c %a "$dir/f")" 640
    ok "s3fs: symlink" ln -s f "$dir/l"
    is "s3fs: through the link" "$(cat "$dir/l")" onetwo
    ok "s3fs: umount" fusermount -u "$dir"
}

goofys_job() {
    local dir=$TMP/goofys-$SCHEME goofys=$1
    mkdir -p "$dir"
    ok "bucket" "$PYTHON" "$SRC/tests/clients/make_bucket.py" goofys
    on_exit fusermount -uz "$dir"
    ok "goofys" env ${CA:+SSL_CERT_FILE="$CA"} "$goofys" --endpoint "$ENDPOINT" --region "$AWS_DEFAULT_REGION" goofys "$dir"
    wait_until 20 is_mounted "$dir"
    tree_job goofys "$dir"
    ok "goofys: umount" fusermount -u "$dir"
}

jobs=()
for client in ${MOUNTS:-s3fs=s3fs}; do
    need "${client#*=}"
    eval "one_${client%%=*}() { ${client%%=*}_job ${client#*=}; }"
    jobs+=("one_${client%%=*}")
done
make_files
in_both "${jobs[@]}"
pass
