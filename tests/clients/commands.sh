# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The job of each command line client, after serve and make_files: small and large files, names, listings, copies, metadata, URLs.

# fetch_url NAME URL FILE: the presigned URL gives the file.
fetch_url() { ok "$1: presigned URL" cmp <(curl -sf ${CA:+--cacert "$CA"} "$2") "$3"; }

# job_aws NAME PROGRAM: aws-cli.
job_aws() {
    local name=$1 aws=("$2" --endpoint-url "$ENDPOINT") b=aws-$1 f
    ok "$name mb" "${aws[@]}" s3 mb "s3://$b" >/dev/null
    for f in empty one five parts; do
        ok "$name cp $f" "${aws[@]}" s3 cp --only-show-errors --content-type text/x-test --metadata colour=blue "$FILES/$f" "s3://$b/$f"
        ok "$name get $f" cmp <("${aws[@]}" s3 cp "s3://$b/$f" -) "$FILES/$f"
    done
    is "$name: metadata and type" "$("${aws[@]}" s3api head-object --bucket "$b" --key parts --query '[Metadata.colour,ContentType]' --output text)" \
        "$(printf 'blue\ttext/x-test')"
    ok "$name: names" "${aws[@]}" s3 sync --only-show-errors "$FILES/names" "s3://$b/names"
    ok "$name: names back" "${aws[@]}" s3 sync --only-show-errors "s3://$b/names" "$TMP/back-$SCHEME-$name"
    ok "$name: names are whole" diff -r "$FILES/names" "$TMP/back-$SCHEME-$name"
    ok "$name: double slash" "${aws[@]}" s3api put-object --bucket "$b" --key 'a//b' --body "$FILES/one" >/dev/null
    ok "$name: double slash back" cmp <("${aws[@]}" s3 cp "s3://$b/a//b" -) "$FILES/one"
    ok "$name: many" "${aws[@]}" s3 sync --only-show-errors "$MANY" "s3://$b/many"
    is "$name: pages" "$("${aws[@]}" s3 ls "s3://$b/many/" | wc -l)" "$COUNT"
    ok "$name: copy in parts" "${aws[@]}" s3 cp --only-show-errors "s3://$b/parts" "s3://$b/co py+"
    ok "$name: the copy is whole" cmp <("${aws[@]}" s3 cp "s3://$b/co py+" -) "$FILES/parts"
    fetch_url "$name" "$("${aws[@]}" s3 presign "s3://$b/co py+")" "$FILES/parts"
    ok "$name: delete many" "${aws[@]}" s3 rm --recursive --only-show-errors "s3://$b/many"
    ok "$name rb" "${aws[@]}" s3 rb --force "s3://$b" >/dev/null
}
job_aws_debian() { job_aws debian /usr/bin/aws; }
job_aws_pypi() { job_aws pypi "$VENV/bin/aws"; }

job_s3cmd() {
    local cfg b=s3://s3cmd f
    cfg=$(s3cfg)
    set -- s3cmd -c "$cfg" ${CA:+--ca-certs="$CA"} --no-progress
    ok "s3cmd mb" "$@" mb "$b" >/dev/null
    for f in empty one five parts; do
        ok "s3cmd put $f" "$@" --multipart-chunk-size-mb=5 --add-header=x-amz-meta-colour:blue --mime-type=text/x-test put "$FILES/$f" "$b/$f" >/dev/null
        ok "s3cmd get $f" "$@" get "$b/$f" "$TMP/s3cmd-$SCHEME-$f" >/dev/null
        ok "s3cmd: $f is whole" cmp "$FILES/$f" "$TMP/s3cmd-$SCHEME-$f"
    done
    ok "s3cmd: metadata and type" grep -q 'x-amz-meta-colour: *blue' <("$@" info "$b/parts")
    ok "s3cmd: type" grep -q 'text/x-test' <("$@" info "$b/parts")
    ok "s3cmd: names" "$@" sync "$FILES/names/" "$b/names/" >/dev/null
    mkdir -p "$TMP/back-$SCHEME-s3cmd"
    ok "s3cmd: names back" "$@" sync "$b/names/" "$TMP/back-$SCHEME-s3cmd/" >/dev/null
    ok "s3cmd: names are whole" diff -r "$FILES/names" "$TMP/back-$SCHEME-s3cmd"
    ok "s3cmd: double slash" "$@" put "$FILES/one" "$b/a//b" >/dev/null
    ok "s3cmd: double slash back" "$@" get "$b/a//b" "$TMP/s3cmd-$SCHEME-slash" >/dev/null
    ok "s3cmd: double slash is whole" cmp "$FILES/one" "$TMP/s3cmd-$SCHEME-slash"
    ok "s3cmd: many" "$@" sync "$MANY/" "$b/many/" >/dev/null
    is "s3cmd: pages" "$("$@" ls "$b/many/" | wc -l)" "$COUNT"
    ok "s3cmd cp" "$@" cp "$b/parts" "$b/co py+" >/dev/null
    fetch_url s3cmd "$("$@" signurl "$b/co py+" +600)" "$FILES/parts"
    ok "s3cmd: delete many" "$@" del -r -f "$b" >/dev/null
    ok "s3cmd rb" "$@" rb "$b" >/dev/null
}

# job_rclone [PROGRAM]
job_rclone() {
    local rclone=${1:-rclone} b=pcloud:rclone f
    set -- env -u AWS_CA_BUNDLE "$rclone" --config "$(rclone_conf)" ${CA:+--ca-cert "$CA"} -q --s3-upload-cutoff 6M --s3-chunk-size 5M
    ok "rclone mkdir" "$@" mkdir "$b"
    for f in empty one five parts; do
        ok "rclone copyto $f" "$@" copyto --metadata --header-upload 'Content-Type: text/x-test' "$FILES/$f" "$b/$f"
        ok "rclone: $f is whole" cmp <("$@" cat "$b/$f") "$FILES/$f"
    done
    ok "rclone: names" "$@" copy "$FILES/names" "$b/names"
    ok "rclone: names back" "$@" copy "$b/names" "$TMP/back-$SCHEME-rclone"
    ok "rclone: names are whole" diff -r "$FILES/names" "$TMP/back-$SCHEME-rclone"
    is "rclone: time kept" "$(date -r "$FILES/names/sp ace" +%s)" "$(date -r "$TMP/back-$SCHEME-rclone/sp ace" +%s)"
    is "rclone: type" "$("$@" lsjson "$b/parts" | "$PYTHON" -c 'import json,sys; print(json.load(sys.stdin)[0]["MimeType"])')" text/x-test
    ok "rclone: many" "$@" sync "$MANY" "$b/many"
    is "rclone: pages" "$("$@" lsf "$b/many" | wc -l)" "$COUNT"
    ok "rclone check --download" "$@" check --download "$MANY" "$b/many"
    ok "rclone: copy in parts" "$@" --s3-copy-cutoff 6M copyto "$b/parts" "$b/co py+"
    ok "rclone: the copy is whole" cmp <("$@" cat "$b/co py+") "$FILES/parts"
    fetch_url rclone "$("$@" link "$b/co py+")" "$FILES/parts"
    ok "rclone: stream" "$@" rcat "$b/stream" <"$FILES/parts"
    ok "rclone: the stream is whole" cmp <("$@" cat "$b/stream") "$FILES/parts"
    ok "rclone purge" "$@" purge "$b"
}

# job_s5cmd [PROGRAM]
job_s5cmd() {
    local s5=${1:-s5cmd} b=s3://s5cmd f
    set -- env AWS_REGION="$AWS_DEFAULT_REGION" "$s5" --endpoint-url "$ENDPOINT"
    ok "s5cmd mb" "$@" mb "$b" >/dev/null
    for f in empty one five parts; do
        ok "s5cmd cp $f" "$@" cp --part-size 5 --content-type text/x-test --metadata colour=blue "$FILES/$f" "$b/$f" >/dev/null
        ok "s5cmd: $f is whole" cmp <("$@" cat "$b/$f") "$FILES/$f"
    done
    ok "s5cmd: metadata" grep -q blue <("$@" head "$b/parts")
    ok "s5cmd: type" grep -q text/x-test <("$@" head "$b/parts")
    ok "s5cmd: names" "$@" cp "$FILES/names/" "$b/names/" >/dev/null
    ok "s5cmd: names back" "$@" cp "$b/names/*" "$TMP/back-$SCHEME-s5cmd/" >/dev/null
    ok "s5cmd: names are whole" diff -r "$FILES/names" "$TMP/back-$SCHEME-s5cmd"
    ok "s5cmd: many" "$@" sync "$MANY/" "$b/many/" >/dev/null
    is "s5cmd: pages" "$("$@" ls "$b/many/*" | wc -l)" "$COUNT"
    ok "s5cmd: copy" "$@" cp "$b/parts" "$b/co py+" >/dev/null
    fetch_url s5cmd "$("$@" presign "$b/co py+")" "$FILES/parts"
    ok "s5cmd: delete many" "$@" rm "$b/*" >/dev/null
    ok "s5cmd rb" "$@" rb "$b" >/dev/null
}

# job_mc [PROGRAM]
job_mc() {
    local mc=${1:-mc} b=p/mc-bucket f
    mkdir -p "$TMP/mc-$SCHEME/certs/CAs"
    [ -z "$CA" ] || cp "$CA" "$TMP/mc-$SCHEME/certs/CAs/"
    set -- "$mc" --config-dir "$TMP/mc-$SCHEME" -q
    ok "mc alias" "$@" alias set p "$ENDPOINT" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >/dev/null
    ok "mc mb" "$@" mb "$b" >/dev/null
    for f in empty one five parts; do
        ok "mc cp $f" "$@" cp --attr 'colour=blue;Content-Type=text/x-test' "$FILES/$f" "$b/$f" >/dev/null
        ok "mc: $f is whole" cmp <("$@" cat "$b/$f") "$FILES/$f"
    done
    ok "mc: pipe in parts" "$@" pipe "$b/piped" <"$FILES/parts" >/dev/null
    ok "mc: what was piped is whole" cmp <("$@" cat "$b/piped") "$FILES/parts"
    ok "mc: metadata" grep -qi 'colour *: *blue' <("$@" stat "$b/parts")
    ok "mc: type" grep -q text/x-test <("$@" stat "$b/parts")
    ok "mc: names" "$@" mirror "$FILES/names" "$b/names" >/dev/null
    ok "mc: names back" "$@" mirror "$b/names" "$TMP/back-$SCHEME-mc" >/dev/null
    ok "mc: names are whole" diff -r "$FILES/names" "$TMP/back-$SCHEME-mc"
    ok "mc: many" "$@" mirror "$MANY" "$b/many" >/dev/null
    is "mc: pages" "$("$@" ls "$b/many/" | wc -l)" "$COUNT"
    ok "mc: copy" "$@" cp "$b/parts" "$b/co py+" >/dev/null
    ok "mc: the copy is whole" cmp <("$@" cat "$b/co py+") "$FILES/parts"
    fetch_url mc "$("$@" share download "$b/co py+" | sed -n 's/^Share: //p')" "$FILES/parts"
    ok "mc: versions" "$@" version enable "$b" >/dev/null
    ok "mc: tags" "$@" tag set "$b/one" k=v >/dev/null
    ok "mc: tags back" grep -q 'k *: *v' <("$@" tag list "$b/one")
    ok "mc: public" "$@" anonymous set download "$b" >/dev/null
    ok "mc: without a key" cmp <(curl -sf ${CA:+--cacert "$CA"} "$ENDPOINT/mc-bucket/five") "$FILES/five"
    ok "mc: lifecycle" "$@" ilm rule add --expire-days 30 "$b" >/dev/null
    ok "mc: delete many" "$@" rb --force "$b" >/dev/null
}
