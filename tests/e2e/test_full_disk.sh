#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A full disk: ENOSPC on the mount, 507 through S3; what was there is whole, deleting works, and then there is space again.
. "$SRC/tests/lib/lib.sh"
require_fuse
"$PYTHON" -c 'import boto3' 2>/dev/null || skip 'no boto3 here'
[ "$(id -u)" = 0 ] || skip 'only root can mount a small disk'

# a disk of 512 MiB: ext4 in a file where that can be mounted, else memory
disk=$TMP/disk
mkdir "$disk"
truncate -s 512M "$TMP/disk.img"
if ! { PATH=$PATH:/sbin:/usr/sbin mkfs.ext4 -q -m 0 "$TMP/disk.img" && mount -o loop "$TMP/disk.img" "$disk"; } 2>/dev/null; then
    mount -t tmpfs -o size=512M,mode=700 pcloud-test "$disk" 2>/dev/null || skip 'no small disk can be mounted here'
fi
on_exit umount "$disk"
on_exit pcloud --home "$disk/home" down
init_home "$disk/home"
mkdir "$TMP/mnt"
up_home --mount "$TMP/mnt"
mkdir "$PCLOUD_MOUNT/keep" "$PCLOUD_MOUNT/fill"

cat >"$TMP/full.py" <<'PY'
import errno, os, random, sys
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

sys.path.insert(0, sys.argv[1])
from rawhttp import exchange, head, request, sign

mount = os.environ["PCLOUD_MOUNT"]
s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}))
rng = random.Random(3)
def check(what, ok):
    if not ok:
        sys.exit(what)
def write(path, data):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.write(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)

kept = {}
for i in range(50):
    kept[f"m{i}"] = rng.randbytes(rng.choice((100, 5000, 300_000)))
    write(f"{mount}/keep/m{i}", kept[f"m{i}"])
    kept[f"s{i}"] = rng.randbytes(rng.choice((100, 5000, 300_000)))
    s3.put_object(Bucket="keep", Key=f"s{i}", Body=kept[f"s{i}"])

def intact(when):
    for name, data in kept.items():
        with open(f"{mount}/keep/{name}", "rb") as f:
            check(f"{when}: {name} on the mount", f.read() == data)
        check(f"{when}: {name} through S3", s3.get_object(Bucket="keep", Key=name)["Body"].read() == data)

# fill it through the mount
full, written = None, 0
for i in range(1000):
    try:
        write(f"{mount}/fill/{i}", rng.randbytes(1 << 20))
        written += 1
    except OSError as e:
        full = e.errno
        break
check(f"the mount says ENOSPC, not {full}", full == errno.ENOSPC)
check(f"only {written} MiB fit", written > 50)
print(f"{written} MiB through the mount, then ENOSPC")

# through S3: 507, and the connection and the gateway live on
codes, accepted = set(), []
for i in range(20):
    try:
        s3.put_object(Bucket="fill", Key=f"s3-{i}", Body=rng.randbytes(4 << 20))
        codes.add(200)
        accepted.append(f"s3-{i}")
    except ClientError as e:
        codes.add(e.response["ResponseMetadata"]["HTTPStatusCode"])
check(f"S3 says 507, not {codes}", 507 in codes and codes <= {200, 507})

# every kind of write says so; what frees is done
def status(what, call, **args):
    try:
        call(Bucket="fill", **args)
    except ClientError as e:
        meta = e.response["ResponseMetadata"]
        check(f"{what}: a code beside 507, not {e.response['Error']}", meta["HTTPStatusCode"] != 507 or e.response["Error"]["Code"])
        return meta["HTTPStatusCode"]
    return 200
for i in range(200):  # until there is no room for even the smallest
    if status("a small object", s3.put_object, Key=f"s3-small{i}", Body=rng.randbytes(3000)) == 507:
        break
    accepted.append(f"s3-small{i}")
else:
    sys.exit("small objects are not refused")
check("an upload is refused", status("an upload", s3.create_multipart_upload, Key="s3-up") == 507)
check("a copy is refused", status("a copy", s3.copy_object, Key="s3-copy", CopySource="keep/s0") == 507)
check("a bucket is refused", request("PUT", "/more").status == 507)
h = sign("PUT", "/fill/s3-stream", "", {"transfer-encoding": "chunked", "content-encoding": "aws-chunked", "x-amz-decoded-content-length": "5"},
         payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER")
r = exchange(head("PUT", "/fill/s3-stream", "", h) + b"f\r\n5\r\nhello\r\n0\r\n\r\n\r\n0\r\n\r\n")
check(f"a stream of chunks is refused, not {r.status} {r.code}", r.status == 507)
check("what is not there can be deleted", status("a deletion", s3.delete_object, Key="s3-none") == 200)
listed = [o["Key"] for o in s3.list_objects_v2(Bucket="fill", Prefix="s3-").get("Contents", [])]
check("a refused object is not there", sorted(listed) == sorted(accepted))
intact("full")
check("listing works", len(os.listdir(mount + "/keep")) == 100)
check("statfs works", os.statvfs(mount).f_bavail * os.statvfs(mount).f_frsize < 96 << 20)

# deleting works at both doors
for i in range(0, written, 2):
    os.remove(f"{mount}/fill/{i}")
for o in s3.list_objects_v2(Bucket="fill").get("Contents", []):
    if not o["Key"].isdigit() or int(o["Key"]) % 4 == 1:
        s3.delete_object(Bucket="fill", Key=o["Key"])
intact("after deleting")
PY
ok 'a full disk' "$PYTHON" "$TMP/full.py" "$SRC/tests/s3"

free_before=$(df --output=avail -k "$disk" | tail -n 1)
ok 'gc on a full disk' pcloud gc --full
free_after=$(df --output=avail -k "$disk" | tail -n 1)
ok "gc gave space back: $free_before to $free_after KiB" test "$free_after" -gt $((free_before + 20000))
ok 'there is room again' dd if=/dev/urandom of="$PCLOUD_MOUNT/keep/more" bs=1M count=10 conv=fsync status=none
rm "$PCLOUD_MOUNT/keep/more"
ok 'fsck' pcloud fsck
ok 'scrub' pcloud scrub

# and a restart on a disk that is full to the last byte
dd if=/dev/zero of="$disk/ballast" bs=64k status=none 2>/dev/null
down_home
up_home --mount "$TMP/mnt"
ok 'it lists' test "$(find "$PCLOUD_MOUNT/keep" -type f | wc -l)" -eq 100
ok 'it reads' cat "$PCLOUD_MOUNT"/keep/* >/dev/null
ok 'it deletes' rm "$PCLOUD_MOUNT/keep/m0"
rm "$disk/ballast"
down_home
fsck_clean
pass
