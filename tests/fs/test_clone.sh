#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `pcloud clone` of a tree with some of everything: the same through both doors, no data, apart from its source ever after.
. "$SRC/tests/lib/lib.sh"
require_fuse
need rsync setfacl
"$PYTHON" -c 'import boto3' 2>/dev/null || skip 'no boto3 here'
start_home
pcloud() { command pcloud --home "$PCLOUD_HOME" "$@"; }
M=$PCLOUD_MOUNT

# a tree
mkdir -p "$M/photos/2026/sub"
cd "$M/photos/2026" || fail "cd"
head -c 3000000 /dev/urandom >big
head -c 300 /dev/urandom >small
: >empty
truncate -s 20M sparse
printf end | dd of=sparse bs=1 seek=5000000 conv=notrunc 2>/dev/null
ln big sub/link
ln -s ../big sub/symlink
mkfifo sub/fifo
chmod 640 big; chmod 4711 small; touch -d '2001-02-03 04:05:06.789' big sub
ok "an attribute" setfattr -n user.colour -v red small
for i in $(seq 1 300); do echo "$i" >"sub/f$i"; done
"$PYTHON" - <<'PY' || fail "put"
import boto3
from botocore.config import Config
s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
s3.put_object(Bucket="photos", Key="2026/by/s3", Body=b"x" * 10000, ContentType="image/x", Metadata={"a": "b"})
PY
cd / || fail "cd /"

before=$(pcloud --json df | "$PYTHON" -c 'import json,sys; d=json.load(sys.stdin); print(d["pack_bytes"], d["block_bytes"])')
ok "clone by paths of the volume" pcloud clone /photos/2026 /photos/copy
is "no data was written" "$(pcloud --json df | "$PYTHON" -c 'import json,sys; d=json.load(sys.stdin); print(d["pack_bytes"], d["block_bytes"])')" "$before"
ok "the mount shows it at once" test -f "$M/photos/copy/sub/f300"
is "nothing differs, attributes and links included" "$(rsync -aHXin --delete "$M/photos/2026/" "$M/photos/copy/")" ""
ok "nor does content" diff -r --no-dereference -x fifo "$M/photos/2026" "$M/photos/copy"
is "links within are links" "$(stat -c %h "$M/photos/copy/big")" 2
is "holes are holes" "$(stat -c %b "$M/photos/copy/sparse")" "$(stat -c %b "$M/photos/2026/sparse")"
is "set-user-id" "$(stat -c %a "$M/photos/copy/small")" 4711
ok "S3 says the same of both" "$PYTHON" - <<'PY'
import boto3, sys
from botocore.config import Config
s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
a, b = (s3.get_object(Bucket="photos", Key=k) for k in ("2026/by/s3", "copy/by/s3"))
sys.exit(not (a["ETag"] == b["ETag"] and b["ContentType"] == "image/x" and b["Metadata"] == {"a": "b"} and a["Body"].read() == b["Body"].read()))
PY

# refused, each with one line
not_ok "the name is there" pcloud clone /photos/2026 /photos/copy 2>"$TMP/err"
ok "and says so" grep -q 'is there already' "$TMP/err"
not_ok "into itself" pcloud clone /photos/2026 /photos/2026/sub/x 2>"$TMP/err"
ok "and says so" grep -q 'into itself' "$TMP/err"
not_ok "nothing of that name" pcloud clone /photos/none /photos/x 2>/dev/null
not_ok "no folder for it" pcloud clone /photos/2026 /none/x 2>/dev/null
not_ok "a relative path elsewhere" pcloud clone photos /photos/x 2>"$TMP/err"
ok "and says how" grep -q 'not below the mount' "$TMP/err"

# by paths below the mount, a file, as a bucket
ok "clone by paths of the mount" pcloud clone "$M/photos/2026/big" "$M/photos/../photos/big2"
ok "a file" cmp "$M/photos/2026/big" "$M/photos/big2"
is "with its own links" "$(stat -c %h "$M/photos/big2")" 1
(cd "$M/photos" && ok "relative below the mount" pcloud clone big2 big3)
ok "it is there" cmp "$M/photos/2026/big" "$M/photos/big3"
is "as JSON" "$(pcloud --json clone /photos/copy/sub /clonebucket | "$PYTHON" -c 'import json,sys; d=json.load(sys.stdin); print(d["entries"] > 300, d["shared"] >= 3000000)')" "True True"
ok "a bucket" "$PYTHON" - <<'PY'
import boto3, sys
from botocore.config import Config
s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
sys.exit(s3.get_object(Bucket="clonebucket", Key="f7")["Body"].read() != b"7\n")
PY

# apart: what one changes the other does not see, also when the other is gone
cp "$M/photos/copy/big" "$TMP/big"
printf changed | dd of="$M/photos/2026/big" bs=1 seek=1000 conv=notrunc 2>/dev/null
ok "a change stays where it is" cmp "$M/photos/copy/big" "$TMP/big"
rm -r "$M/photos/2026"
ok "reclaim" pcloud gc --full --quiet
ok "the source is gone, its content is not" cmp "$M/photos/copy/big" "$TMP/big"
stop_home
fsck_clean
pass
