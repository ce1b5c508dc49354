#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Damage on disk: a corrupted byte costs exactly its range and is counted; a corrupted database says so and is saved.
. "$SRC/tests/lib/lib.sh"
require_fuse
"$PYTHON" -c 'import boto3' 2>/dev/null || skip 'no boto3 here'

json() { python3 -c 'import json,sys; d=json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }
start_home
mkdir "$PCLOUD_MOUNT/docs"
head -c 8M /dev/urandom >"$TMP/big"
cp "$TMP/big" "$PCLOUD_MOUNT/docs/big"
for i in 1 2 3 4 5; do head -c 20000 /dev/urandom >"$TMP/small$i"; cp "$TMP/small$i" "$PCLOUD_MOUNT/docs/small$i"; done
sync -f "$PCLOUD_MOUNT/docs/big"
down_home
cp -a "$PCLOUD_HOME" "$TMP/saved"

# one byte in the middle of the pack
pack=$(find "$PCLOUD_HOME/packs" -type f -size +1M | head -n 1)
[ -n "$pack" ] || fail 'no pack'
python3 - "$pack" <<'PY'
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
at = os.fstat(fd).st_size // 3
old = os.pread(fd, 1, at)
os.pwrite(fd, bytes([old[0] ^ 0x55]), at)
PY
up_home

# by S3 alone: a reply that runs into the damage is cut, so that the client notices; what it got is right
cat >"$TMP/cut.py" <<'PY'
import sys
sys.path.insert(0, sys.argv[2])
from rawhttp import exchange, head, request, sign

original = open(sys.argv[1], "rb").read()
path, total = "/docs/big", len(original)
def check(what, good):
    if not good:
        sys.exit(what)
def ranged(first, last):
    return request("GET", path, headers={"range": f"bytes={first}-{last}"})

for turn in range(2):  # the second time from what is remembered
    r = exchange(head("GET", path, "", sign("GET", path)))
    check(f"a whole GET says {r.status}", r.status == 200 and int(r.headers["content-length"]) == total)
    check(f"a whole GET gives {len(r.body)} of {total} bytes", 0 < len(r.body) < total)
    check("a whole GET gives wrong bytes", r.body == original[:len(r.body)])
    cut = len(r.body)
    bad = []
    for at in range(cut, min(cut + (4 << 20), total), 16384):
        r = ranged(at, at + 1023)
        if r.status == 500 and r.code == "InternalError":
            bad.append(at)
        else:
            check(f"the range at {at} says {r.status}", r.status == 206 and r.body == original[at:at + 1024])
    check(f"the cut at {cut} is for no damage", bad)
    check(f"the damage is in one place: {bad}", bad[-1] - bad[0] == (len(bad) - 1) * 16384)
    r = ranged(0, total - 1)
    check("a range over the damage is whole", r.status == 500 or len(r.body) < total)
    check("a range over the damage gives wrong bytes", r.status == 500 or r.body == original[:len(r.body)])
    for first in (0, total - 4096):
        r = ranged(first, first + 4095)
        check(f"the range at {first} says {r.status}", r.status == 206 and r.body == original[first:first + 4096])
    check("HEAD", request("HEAD", path).status == 200)
print(f"cut after {cut >> 10} of {total >> 10} KiB; {len(bad) * 16} KiB answer 500")
PY
ok 'a GET that meets damage' "$PYTHON" "$TMP/cut.py" "$TMP/big" "$SRC/tests/s3"
is 'status counts what S3 met' "$(pcloud status --json | json 'd["volume"]["state"]')" degraded
ok 'the log of the gateway names the file' grep -q 'docs/big' "$PCLOUD_HOME/log/gateway.log"
cat >"$TMP/damage.py" <<'PY'
import errno, os, sys
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

mount, original = os.environ["PCLOUD_MOUNT"], open(sys.argv[1], "rb").read()
s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}))
fd = os.open(mount + "/docs/big", os.O_RDONLY)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
step, good, bad = 4096, [], []
for off in range(0, len(original), step):
    try:
        data = os.pread(fd, step, off)
        if data != original[off:off + step]:
            sys.exit(f"wrong bytes at {off}")
        good.append(off)
    except OSError as e:
        if e.errno != errno.EIO:
            raise
        bad.append(off)
if not bad or not good:
    sys.exit(f"{len(good)} good and {len(bad)} bad ranges")
if bad[-1] - bad[0] > 6 << 20 or len(bad) * step > 5 << 20:
    sys.exit("the damage is larger than a block")
if bad != list(range(bad[0], bad[-1] + step, step)):
    sys.exit("the damage is not in one place")
def ranged(off):
    r = s3.get_object(Bucket="docs", Key="big", Range=f"bytes={off}-{off + 1023}")
    return r["Body"].read()
for off in (good[0], good[-1]):
    if ranged(off) != original[off:off + 1024]:
        sys.exit("S3 gives wrong bytes")
try:
    ranged(bad[len(bad) // 2])
    sys.exit("S3 gives damaged bytes")
except ClientError as e:
    if e.response["ResponseMetadata"]["HTTPStatusCode"] != 500:
        sys.exit(f"S3 says {e.response['ResponseMetadata']['HTTPStatusCode']}")
try: # a real client notices that a whole GET ends early
    body = s3.get_object(Bucket="docs", Key="big")["Body"].read()
    sys.exit(f"a whole GET gave {len(body)} bytes")
except Exception as e:
    print(f"a whole GET: {type(e).__name__}")
print(f"{len(bad) * step >> 10} KiB of {len(original) >> 10} KiB are lost")
PY
ok 'exactly the damaged range' "$PYTHON" "$TMP/damage.py" "$TMP/big"
for i in 1 2 3 4 5; do ok 'other files are whole' cmp "$TMP/small$i" "$PCLOUD_MOUNT/docs/small$i"; done
ok 'status counts it' test "$(pcloud status --json | json 'd["volume"]["state"]')" = degraded
ok 'and says what to do' grep -q scrub <(pcloud status)
ok 'the log names the file' grep -rq 'docs/big' "$PCLOUD_HOME/log"
pcloud scrub >"$TMP/scrub"
is 'scrub finds it' $? 1
ok 'and names the file' grep -q 'docs/big' "$TMP/scrub"
down_home

# a home of garbage in its small files
for f in keys config format; do
    cp "$PCLOUD_HOME/$f" "$TMP/was" 2>/dev/null || : >"$TMP/was"
    head -c 300 /dev/urandom >"$PCLOUD_HOME/$f"
    pcloud up --no-mount --s3 127.0.0.1:0 --web 127.0.0.1:0 >"$TMP/out" 2>"$TMP/err"
    is "garbage in $f" $? 1
    is "one line about $f" "$(wc -l <"$TMP/err")" 1
    if [ -s "$TMP/was" ]; then cp "$TMP/was" "$PCLOUD_HOME/$f"; else rm "$PCLOUD_HOME/$f"; fi
done

# the database: pages of garbage
rm -rf "$PCLOUD_HOME"
cp -a "$TMP/saved" "$PCLOUD_HOME"
python3 - "$PCLOUD_HOME/meta/volume.db" <<'PY'
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
size = os.fstat(fd).st_size
os.pwrite(fd, os.urandom(64), size // 2 // 4096 * 4096 + 100)
os.pwrite(fd, os.urandom(64), 100)
PY
pcloud up --mount "$PCLOUD_HOME.mnt" --s3 127.0.0.1:0 --web 127.0.0.1:0 >"$TMP/out" 2>"$TMP/err"
is 'a damaged database' $? 1
ok "a clear message: $(cat "$TMP/err")" grep -q 'fsck --repair' "$TMP/err"
is 'one line' "$(wc -l <"$TMP/err")" 1
is 'status' "$(pcloud status --json | json 'd["volume"]["state"]')" failed
not_ok 'fsck says so' pcloud fsck >/dev/null 2>&1
ok 'repair' pcloud fsck --repair >"$TMP/repair"
ok 'the damaged one is kept' test -n "$(find "$PCLOUD_HOME/meta" -name 'volume.db.damaged-*')"
fsck_clean
up_home
say "saved: $(find "$PCLOUD_MOUNT" -type f | wc -l) of 6 files"
find "$PCLOUD_MOUNT" -type f -print0 >"$TMP/found"
while IFS= read -rd '' f; do
    if grep -qE "^node $(stat -c %i "$f"):.* is lost" "$TMP/repair"; then
        say "said to be lost in part: $f"
    else
        ok "what was saved is identical: $f" cmp "$f" "$TMP/$(basename "$f")"
    fi
done <"$TMP/found"
ok 'it can be written' cp "$TMP/small1" "$PCLOUD_MOUNT/again"
down_home

# a database that is gone
rm -rf "$PCLOUD_HOME"
cp -a "$TMP/saved" "$PCLOUD_HOME"
rm "$PCLOUD_HOME"/meta/volume.db*
pcloud up --no-mount --s3 127.0.0.1:0 --web 127.0.0.1:0 >"$TMP/out" 2>"$TMP/err"
is 'a database that is gone' $? 1
is 'one line' "$(wc -l <"$TMP/err")" 1
pass
