#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Quotas of folders over both doors: EDQUOT and 403 at the limit, df that shows it, room again after rm.
. "$(dirname "$0")/../lib/lib.sh"
require_fuse
need curl
start_home

# object METHOD KEY [CURL OPTION...]: one signed request; prints the status, leaves the body in $TMP/body.
object() {
    local method=$1 key=$2; shift 2
    curl -sS -o "$TMP/body" -w '%{http_code}' --aws-sigv4 "aws:amz:$AWS_DEFAULT_REGION:s3" \
        --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -H "x-amz-content-sha256: UNSIGNED-PAYLOAD" -X "$method" "$@" "$AWS_ENDPOINT_URL/$key"
}
quota() { pcloud quota "$@"; }
field() { quota get "$1" --json | sed -n "s/.*\"$2\": *\([^,}]*\).*/\1/p"; }
fill() { dd if=/dev/urandom of="$1" bs="$2" count="$3" conv=fsync 2>"$TMP/dd"; }

box=$PCLOUD_MOUNT/box
mkdir -p "$box/sub/in"
fill "$box/sub/before" 1000 1000
ok "a quota is set" quota set /box 10M --files 50
is "what was there is counted" "$(field /box bytes) $(field /box files)" "1000000 3"
is "so is the limit" "$(field /box bytes_max)" $((10 << 20))
ok "one within it, by the path on the mount" quota set "$box/sub" 4M
is "both are listed" "$(quota list | awk '{ print $1 }' | tr '\n' ' ')" "/box /box/sub "

is "df of the volume shows them" "$(pcloud df | grep -c ^Quota)" 2
not_ok "dd beyond the inner one fails" fill "$box/sub/in/big" 64k 100
ok "with EDQUOT" grep -q 'Disk quota exceeded' "$TMP/dd"
ok "and not by more than it" test "$(field /box/sub bytes)" -le $((4 << 20))
ok "what was written is there" test "$(stat -c %s "$box/sub/in/big")" -ge $((2 << 20))
is "df shows the inner one's size" "$(df -B1 --output=size "$box/sub/in" | tail -1 | tr -d ' ')" $((4 << 20))
ok "and little room" test "$(df -B1 --output=avail "$box/sub" | tail -1)" -lt $((128 << 10))
is "df shows the outer one's size above" "$(df -B1 --output=size "$box" | tail -1 | tr -d ' ')" $((10 << 20))
is "its nodes too" "$(df --output=itotal "$box" | tail -1 | tr -d ' ')" 50
ok "elsewhere the disk's" test "$(df -B1 --output=size "$PCLOUD_MOUNT" | tail -1)" -gt $((10 << 20))

head -c 3000000 /dev/urandom >"$TMP/three"
is "S3 is refused too" "$(object PUT box/sub/three -T "$TMP/three")" 403
ok "with its code" grep -q '<Code>QuotaExceeded</Code>' "$TMP/body"
ok "and which quota" grep -q '<Message>.*/box/sub.*</Message>' "$TMP/body"
rm "$box/sub/in/big"
is "there is room after rm" "$(object PUT box/sub/three -T "$TMP/three")" 200
is "in place of itself it needs none" "$(object PUT box/sub/three -T "$TMP/three")" 200
is "both doors count into one" "$(field /box/sub bytes)" 4000000
ok "overwriting in place works" dd if=/dev/urandom of="$box/sub/three" bs=1M count=2 conv=notrunc,fsync status=none
is "and costs nothing" "$(field /box/sub bytes)" 4000000

# folders that move take what is below along
mkdir "$PCLOUD_MOUNT/free"
fill "$PCLOUD_MOUNT/free/f" 1M 7
not_ok "a file that does not fit stays out" mv "$PCLOUD_MOUNT/free/f" "$box/f"
ok "it is still there" test -s "$PCLOUD_MOUNT/free/f"
rm -f "$box/f"
ok "a folder moves out" mv "$box/sub/in" "$PCLOUD_MOUNT/in"
ok "and another one in" mv "$PCLOUD_MOUNT/in" "$box/in"
is "nodes follow" "$(field /box files)" 4

# the number of files and folders
(cd "$box" && for i in $(seq 60); do : >"n$i"; done) 2>"$TMP/nodes"
ok "too many files" grep -q 'Disk quota exceeded' "$TMP/nodes"
is "exactly as many as may be" "$(field /box files)" 50
is "by S3 as well" "$(object PUT box/one-more -d '')" 403
rm "$box"/n*
ok "then there is room" touch "$box/again"
is "by S3 as well" "$(object PUT box/one-more -d '')" 200

ok "quotas go away" quota rm /box/sub
not_ok "once" quota rm /box/sub
not_ok "what limits nothing is none" quota set /box none
not_ok "what is no size is none" quota set /box 10Q
not_ok "a file has none" quota set /box/sub/three 1M
ok "the removed one limits nothing" fill "$box/sub/more" 64k 60
down_home
fsck_clean
pass
