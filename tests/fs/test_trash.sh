#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The trash by mount, S3 and command line: what goes there, how it comes back, and that programs do not notice.
. "$SRC/tests/lib/lib.sh"
require_fuse
"$PYTHON" -c 'import boto3' 2>/dev/null || skip 'no boto3 here'
[ "$(id -u)" = 0 ] || skip "not root"
start_home
pcloud() { command pcloud --home "$PCLOUD_HOME" "$@"; }
M=$PCLOUD_MOUNT
entries() { pcloud --json trash list | "$PYTHON" -c 'import json,sys; print(*sorted(e["path"] for e in json.load(sys.stdin)))'; }
days_are() { ls "$M/.trash" >/dev/null 2>&1; }

# off: nothing is kept
mkdir "$M/d"
echo one >"$M/d/f"
rm "$M/d/f"
is "off for a new volume" "$(entries)" ""
not_ok "and there is no .trash" test -e "$M/.trash"
not_ok "a name of our own" mkdir "$M/.trash" 2>/dev/null

ok "on, while it runs" pcloud config set trash.days 7
wait_until 10 days_are
not_ok "it is not listed" sh -c "ls -a '$M' | grep -q trash"
is "and its owner's only" "$(stat -c '%a %u' "$M/.trash")" "700 0"

# unlink, rename over, rmdir
mkdir "$M/d/e"
echo one >"$M/d/f"; echo two >"$M/d/g"; echo three >"$M/d/h"
rm "$M/d/f"; mv "$M/d/g" "$M/d/h"; rmdir "$M/d/e"
is "what went" "$(entries)" "/d/e /d/f /d/h"
ok "df tells" sh -c "command pcloud --home '$PCLOUD_HOME' df | grep -q '^Trash .*3 entries'"
hour=$(find "$M/.trash" -mindepth 1 -maxdepth 1 -printf "%f\n" | sort | tail -n 1)
is "it lies in the hour" "$(cat "$M/.trash/$hour"/*-f)" one
is "what is kept as it was" "$(cat "$M/.trash/$hour"/*-h)" three
entry=$(basename "$M/.trash/$hour"/*-f)

# nothing is changed there; moving out restores, removing frees
not_ok "no file" touch "$M/.trash/x" 2>/dev/null
not_ok "no file in the hour" touch "$M/.trash/$hour/x" 2>/dev/null
not_ok "no folder" mkdir "$M/.trash/$hour/x" 2>/dev/null
not_ok "no writing" sh -c "echo x >'$M/.trash/$hour/$entry'" 2>/dev/null
not_ok "no attributes" chmod 777 "$M/.trash/$hour/$entry" 2>/dev/null
not_ok "no link" ln "$M/.trash/$hour/$entry" "$M/d/link" 2>/dev/null
not_ok "nothing is moved in" mv "$M/d/h" "$M/.trash/$hour/h" 2>/dev/null
not_ok "the hour stays" mv "$M/.trash/$hour" "$M/d/hour" 2>/dev/null
ok "mv restores" mv "$M/.trash/$hour/$entry" "$M/d/f"
is "with its content" "$(cat "$M/d/f")" one
is "and its link" "$(stat -c %h "$M/d/f")" 1
ok "rm frees" sh -c "rm '$M/.trash/$hour'/*-h"
is "what is left" "$(entries)" "/d/e"

# by the command line, with the folders on the way
mkdir -p "$M/t/u/v"
for i in 1 2 3; do echo "$i" >"$M/t/u/v/$i"; done
rm -r "$M/t"
not_ok "gone" test -e "$M/t"
ok "restore a tree" pcloud trash restore /t
is "all of it" "$(cat "$M"/t/u/v/*)" "$(printf '1\n2\n3')"
rm -r "$M/t"
ok "restore one file" pcloud trash restore "$M/t/u/v/2"
is "with its folders only" "$(cd "$M" && find t -type f)" "t/u/v/2"
echo other >"$M/t/u/v/1"
not_ok "the name is taken" pcloud trash restore /t/u/v/1 2>"$TMP/err"
ok "and says what to do" grep -q 'say where to' "$TMP/err"
ok "so elsewhere" pcloud trash restore /t/u/v/1 /t/first
is "it is that one" "$(cat "$M/t/first")" 1

# who has it open does not notice
cat >"$TMP/open.py" <<'PY'
import os, sys
m = sys.argv[1] + "/d/"
fd = os.open(m + "open", os.O_CREAT | os.O_RDWR)
os.write(fd, b"before")
before = os.fstat(fd)
os.unlink(m + "open")
st = os.fstat(fd)
assert st.st_nlink == 0 and st.st_ino == before.st_ino and st.st_ctime_ns >= before.st_ctime_ns, st
os.write(fd, b" and after")
os.fchmod(fd, 0o600)
os.ftruncate(fd, 12)
again = os.open(f"/proc/self/fd/{fd}", os.O_RDWR)
os.close(again)
assert os.pread(fd, 100, 0) == b"before and a", os.pread(fd, 100, 0)
os.close(fd)
os.mkdir(m + "dir")
d = os.open(m + "dir", os.O_RDONLY)
open(m + "dir/f", "w").close()
os.unlink(m + "dir/f")
os.rmdir(m + "dir")
assert os.fstat(d).st_nlink == 0 and os.listdir(d) == []
try:
    os.open("x", os.O_CREAT | os.O_RDWR, dir_fd=d)
    raise SystemExit("made")
except FileNotFoundError:
    pass
PY
ok "an open file, an open folder" "$PYTHON" "$TMP/open.py" "$M"
ok "it can be taken back" pcloud trash restore /d/open
is "as it was left" "$(cat "$M/d/open")" "before and a"
is "its link" "$(stat -c %h "$M/d/open")" 1

# rules
pcloud trash empty >/dev/null
mkdir -p "$M/build/keep"
ok "a folder that wants none" pcloud trash off "$M/build"
ok "one below that does" pcloud trash on /build/keep
echo x >"$M/build/a"; echo x >"$M/build/keep/b"
rm "$M/build/a" "$M/build/keep/b"
is "the nearest counts" "$(entries)" "/build/keep/b"
ok "as its parent" pcloud trash inherit /build/keep
is "as JSON" "$(pcloud --json trash inherit /build/keep | "$PYTHON" -c 'import json,sys; d=json.load(sys.stdin); print(d["trash"], d["counts"])')" "inherit off"

# S3
ok "objects go and come" "$PYTHON" - "$PCLOUD_HOME" <<'PY'
import boto3, json, subprocess, sys
from botocore.config import Config
s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
def pcloud(*a):
    return subprocess.run(["pcloud", "--home", sys.argv[1], *a], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
s3.create_bucket(Bucket="s3b")
etag = s3.put_object(Bucket="s3b", Key="p/k", Body=b"one", ContentType="a/b")["ETag"]
s3.put_object(Bucket="s3b", Key="p/k", Body=b"two")
s3.delete_object(Bucket="s3b", Key="p/k")
odd = "p//../\x01odd"
s3.put_object(Bucket="s3b", Key=odd, Body=b"odd")
s3.delete_object(Bucket="s3b", Key=odd)
paths = [e["path"] for e in json.loads(pcloud("--json", "trash", "list")) if not e["folder"] and e["path"].startswith("/s3b")]
assert paths.count("/s3b/p/k") == 2 and len(paths) == 3, paths
first = next(e for e in json.loads(pcloud("--json", "trash", "list")) if e["path"] == "/s3b/p/k")
pcloud("trash", "restore", first["entry"])
o = s3.get_object(Bucket="s3b", Key="p/k")
assert o["ETag"] == etag and o["ContentType"] == "a/b" and o["Body"].read() == b"one", o
pcloud("trash", "restore", [p for p in paths if p != "/s3b/p/k"][0])
assert s3.get_object(Bucket="s3b", Key=odd)["Body"].read() == b"odd"
assert ".trash" not in [b["Name"] for b in s3.list_buckets()["Buckets"]]
s3.put_bucket_versioning(Bucket="s3b", VersioningConfiguration={"Status": "Enabled"})
n = len(json.loads(pcloud("--json", "trash", "list")))
s3.put_object(Bucket="s3b", Key="p/k", Body=b"three")
s3.delete_object(Bucket="s3b", Key="p/k")
assert len(json.loads(pcloud("--json", "trash", "list"))) == n
PY

# over
not_ok "no age" pcloud trash empty --older soon 2>/dev/null
ok "what is younger stays" pcloud trash empty --older 2d
not_ok "so it is there" test -z "$(entries)"
ok "all of it" pcloud trash empty
is "nothing is left" "$(entries)" ""
is "in the folder either" "$(ls "$M/.trash")" ""
ok "off again" pcloud config set trash.days 0
freed() { echo x >"$M/d/x"; rm "$M/d/x"; [ -z "$(entries)" ] || { pcloud trash empty; false; }; }
wait_until 10 freed
stop_home
fsck_clean
pass
