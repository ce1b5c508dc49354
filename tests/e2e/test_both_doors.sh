#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One tree, two doors: what happens on the mount is there through S3 at once, and the other way round, also under load.
. "$SRC/tests/lib/lib.sh"
require_fuse
"$PYTHON" -c 'import boto3' 2>/dev/null || skip 'no boto3 here'

start_home
cat >"$TMP/doors.py" <<'PY'
import hashlib, os, random, sys, threading, time
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

mount = os.environ["PCLOUD_MOUNT"]
s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}))
checks = 0

def same(what, got, wanted):
    global checks
    checks += 1
    if got != wanted:
        sys.exit(f"{what}: got {got!r}, wanted {wanted!r}")

def keys(bucket, prefix=""):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [o["Key"] for p in pages for o in p.get("Contents", [])]

def get(bucket, key):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()

def missing(bucket, key):
    try:
        s3.head_object(Bucket=bucket, Key=key)
        return False
    except ClientError as e:
        return e.response["ResponseMetadata"]["HTTPStatusCode"] == 404

def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)

def read(path):
    with open(path, "rb") as f:
        return f.read()

# a folder is a bucket, a bucket is a folder
os.mkdir(mount + "/photos")
same("bucket of a folder", "photos" in [b["Name"] for b in s3.list_buckets()["Buckets"]], True)
s3.create_bucket(Bucket="music")
same("folder of a bucket", "music" in os.listdir(mount), True)

# content of all sizes, both ways
rng = random.Random(1)
for size in (0, 1, 4096, 4097, 100_000, 1 << 20, (5 << 20) + 3):
    data = rng.randbytes(size)
    write(f"{mount}/photos/2026/from-mount-{size}", data)
    same(f"mount to S3, {size}", get("photos", f"2026/from-mount-{size}"), data)
    s3.put_object(Bucket="photos", Key=f"2026/from-s3-{size}", Body=data, ContentType="image/x")
    same(f"S3 to mount, {size}", read(f"{mount}/photos/2026/from-s3-{size}"), data)
    same("size on the mount", os.stat(f"{mount}/photos/2026/from-s3-{size}").st_size, size)
    head = s3.head_object(Bucket="photos", Key=f"2026/from-s3-{size}")
    same("ETag", head["ETag"].strip('"'), hashlib.md5(data).hexdigest())
# under a client's key: the mount shows what is stored; what the mount changes is a file as any other
secret = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": bytes(range(32))}
data = rng.randbytes(200_000)
s3.put_object(Bucket="music", Key="sealed", Body=data, **secret)
shown = read(mount + "/music/sealed")
same("sealed, on the mount", (len(shown), os.stat(mount + "/music/sealed").st_size), (64 + len(data) + 4 * 16,) * 2)
same("nothing of the content shows", any(data[i:i + 16] in shown for i in range(0, len(data) - 16, 4099)), False)
os.rename(mount + "/music/sealed", mount + "/music/moved")
same("sealed and renamed", s3.get_object(Bucket="music", Key="moved", **secret)["Body"].read(), data)
with open(mount + "/music/moved", "r+b") as f:
    f.write(b"changed")
same("sealed and changed", get("music", "moved"), b"changed" + shown[7:])
same("its size", s3.list_objects_v2(Bucket="music")["Contents"][0]["Size"], len(shown))
os.unlink(mount + "/music/moved")

same("listing", keys("photos"), sorted("2026/" + n for n in os.listdir(mount + "/photos/2026")))

# change, truncate, rename, remove on the mount
write(mount + "/photos/a", b"first")
same("before", get("photos", "a"), b"first")
write(mount + "/photos/a", b"second, longer")
same("changed", get("photos", "a"), b"second, longer")
with open(mount + "/photos/a", "r+b") as f:
    f.truncate(3)
same("truncated", get("photos", "a"), b"sec")
etag = s3.head_object(Bucket="photos", Key="a")["ETag"]
os.rename(mount + "/photos/a", mount + "/photos/b")
same("renamed away", missing("photos", "a"), True)
same("renamed to", get("photos", "b"), b"sec")
os.rename(mount + "/photos/2026", mount + "/photos/2027")
same("folder renamed", keys("photos", "2026/"), [])
same("folder renamed to", len(keys("photos", "2027/")), 14)
os.remove(mount + "/photos/b")
same("removed", missing("photos", "b"), True)

# overwrite and delete through S3 while the kernel has it cached
s3.put_object(Bucket="photos", Key="c", Body=b"one")
same("cached", read(mount + "/photos/c"), b"one")
fd = os.open(mount + "/photos/c", os.O_RDONLY)
s3.put_object(Bucket="photos", Key="c", Body=b"number two")
same("not the cache", read(mount + "/photos/c"), b"number two")
os.close(fd)
s3.delete_object(Bucket="photos", Key="c")
same("deleted", os.path.exists(mount + "/photos/c"), False)
same("deleted, listed", "c" in os.listdir(mount + "/photos"), False)
s3.delete_bucket(Bucket="music")
same("bucket gone", os.path.exists(mount + "/music"), False)

# metadata is extended attributes
s3.put_object(Bucket="photos", Key="m", Body=b"x", ContentType="text/x-odd", Metadata={"who": "me"})
names = [n for n in os.listxattr(mount + "/photos/m") if n.startswith("user.s3.")]
same("xattrs", len(names) >= 2, True)
values = b"\n".join(os.getxattr(mount + "/photos/m", n) for n in names)
same("xattr values", b"text/x-odd" in values and b"me" in values, True)

# what is no bucket is in the reserved bucket
os.mkdir(mount + "/My Documents")
write(mount + "/My Documents/letter.txt", b"dear")
write(mount + "/notes.txt", b"note")
same("reserved bucket", keys("pcloud"), ["My Documents/letter.txt", "notes.txt"])
same("its content", get("pcloud", "My Documents/letter.txt"), b"dear")

# both directions at once, latency of what the other door sees
def median(times):
    times = sorted(times)
    return times[len(times) // 2] * 1000

def latencies(n):
    to_mount, to_s3 = [], []
    for i in range(n):
        data = b"%d %d" % (i, n)
        s3.put_object(Bucket="photos", Key="lat/s3", Body=data)
        begin = time.monotonic()
        while not os.path.exists(mount + "/photos/lat/s3") or read(mount + "/photos/lat/s3") != data:
            if time.monotonic() - begin > 30:
                sys.exit("a PUT does not show on the mount")
        to_mount.append(time.monotonic() - begin)
        write(mount + "/photos/lat/mount", data)
        begin = time.monotonic()
        while get("photos", "lat/mount") != data:
            if time.monotonic() - begin > 30:
                sys.exit("a closed file does not show through S3")
        to_s3.append(time.monotonic() - begin)
    return median(to_mount), max(to_mount) * 1000, median(to_s3), max(to_s3) * 1000

print("idle: S3 to mount median %.2f ms, worst %.2f ms; mount to S3 median %.2f ms, worst %.2f ms" % latencies(50))

stop, errors = threading.Event(), []
def load_mount():
    i = 0
    try:
        while not stop.is_set():
            write(f"{mount}/photos/load/m{i % 50}", rng.randbytes(20000))
            i += 1
    except Exception as e:
        errors.append(f"mount: {e}")
def load_s3():
    i = 0
    client = boto3.session.Session().client("s3", config=Config(s3={"addressing_style": "path"}))
    try:
        while not stop.is_set():
            client.put_object(Bucket="photos", Key=f"load/s{i % 50}", Body=rng.randbytes(20000))
            i += 1
    except Exception as e:
        errors.append(f"S3: {e}")
threads = [threading.Thread(target=t) for t in (load_mount, load_s3)]
for t in threads:
    t.start()
print("under load: S3 to mount median %.2f ms, worst %.2f ms; mount to S3 median %.2f ms, worst %.2f ms" % latencies(30))
stop.set()
for t in threads:
    t.join()
same("errors under load", errors, [])

# afterwards both doors say the same of everything
listed = sorted(keys("photos"))
walked = sorted(os.path.relpath(os.path.join(d, f), mount + "/photos") for d, _, fs in os.walk(mount + "/photos") for f in fs)
same("the same names", listed, walked)
for key in listed:
    same(f"the same bytes in {key}", get("photos", key), read(f"{mount}/photos/{key}"))
print(f"{checks} comparisons")
PY
ok 'the doors agree' "$PYTHON" "$TMP/doors.py"
down_home
fsck_clean
pass
