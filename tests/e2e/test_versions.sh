#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A bucket that keeps versions, used through the mount: nothing that has a version id gets lost, and applications notice nothing.
. "$SRC/tests/lib/lib.sh"
require_fuse
[ -x "${VENV:-/nonexistent}/bin/python" ] && PYTHON=$VENV/bin/python
"$PYTHON" -c 'import boto3' 2>/dev/null || skip 'no boto3 here'

start_home
cat >"$TMP/versions.py" <<'PY'
import errno, os, shutil, subprocess, sys, time
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}))
B, top = "kept", os.environ["PCLOUD_MOUNT"] + "/kept"

def same(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: got {got!r}, wanted {wanted!r}")

def put(key, data):
    return s3.put_object(Bucket=B, Key=key, Body=data)["VersionId"]

def get(key, version=None):
    try:
        return s3.get_object(Bucket=B, Key=key, **({"VersionId": version} if version else {}))["Body"].read()
    except ClientError as e:
        return e.response["ResponseMetadata"]["HTTPStatusCode"]

def versions(key):
    r = s3.list_object_versions(Bucket=B, Prefix=key)
    return [v["VersionId"] for v in r.get("Versions", []) if v["Key"] == key], [v["VersionId"] for v in r.get("DeleteMarkers", []) if v["Key"] == key]

def read(path):
    with open(path, "rb") as f:
        return f.read()

def write(path, data, mode="wb"):
    with open(path, mode) as f:
        f.write(data)

def wait(what, fn, wanted):
    end = time.monotonic() + 20
    while fn() != wanted and time.monotonic() < end:
        pass
    same(what, fn(), wanted)

def refused(what, code, fn, *args):
    try:
        fn(*args)
    except OSError as e:
        same(what, e.errno, code)
    else:
        sys.exit(f"{what}: was not refused")

s3.create_bucket(Bucket=B)
s3.put_bucket_versioning(Bucket=B, VersioningConfiguration={"Status": "Enabled"})

# writing into what S3 put, small and large, in every way
for size in (10, 100_000, 5 << 20):
    data = os.urandom(size)
    for how in ("truncate", "append", "middle", "shrink"):
        key = f"w/{size}/{how}"
        v = put(key, data)
        path = f"{top}/{key}"
        wait("there on the mount", lambda: os.path.exists(path) and os.path.getsize(path), size)
        if how == "truncate":
            write(path, b"new"); wanted = b"new"
        elif how == "append":
            write(path, b"more", "ab"); wanted = data + b"more"
        elif how == "middle":
            with open(path, "r+b") as f:
                f.seek(size // 2); f.write(b"!!")
            wanted = data[:size // 2] + b"!!" + data[size // 2 + 2:]
        else:
            os.truncate(path, size // 2); wanted = data[:size // 2]
        same(f"{how}: now", get(key), wanted)
        same(f"{how}: the version", get(key, v), data)
        same(f"{how}: how many", len(versions(key)[0]), 2)

# deleted on the mount, had back through S3
v = put("d/f", b"deleted")
wait("there", lambda: os.path.exists(top + "/d/f"), True)
os.unlink(top + "/d/f")
same("gone", get("d/f"), 404)
same("kept", get("d/f", v), b"deleted")
marker, = versions("d/f")[1]
s3.delete_object(Bucket=B, Key="d/f", VersionId=marker)
wait("back on the mount", lambda: os.path.exists(top + "/d/f") and read(top + "/d/f"), b"deleted")

# made on the mount, deleted on the mount
os.makedirs(top + "/m")
write(top + "/m/f", b"mine")
os.unlink(top + "/m/f")
vs, ms = versions("m/f")
same("a version and a marker", (len(vs), len(ms)), (1, 1))
same("what was deleted", get("m/f", vs[0]), b"mine")

# the way editors save: no trace of the temporary name, the old one kept
v = put("e/doc", b"first")
wait("there", lambda: os.path.exists(top + "/e/doc"), True)
write(top + "/e/.doc.swp", b"second")
os.rename(top + "/e/.doc.swp", top + "/e/doc")
same("saved", get("e/doc"), b"second")
same("before", get("e/doc", v), b"first")
same("no trace", versions("e/.doc.swp"), ([], []))

# open while it goes: an ordinary file without a name
v = put("o/f", b"open")
wait("there", lambda: os.path.exists(top + "/o/f"), True)
with open(top + "/o/f", "r+b") as f:
    os.unlink(top + "/o/f")
    f.seek(0, 2); f.write(b" still"); f.flush(); os.fsync(f.fileno())
    f.seek(0)
    same("the open file", f.read(), b"open still")
same("the version", get("o/f", v), b"open")
# and open while S3 replaces it
v = put("o/g", b"one")
wait("there", lambda: os.path.exists(top + "/o/g"), True)
with open(top + "/o/g", "r+b") as f:
    w = put("o/g", b"two")
    f.write(b"ONE"); f.flush(); os.fsync(f.fileno())
same("replaced", (get("o/g"), get("o/g", v), get("o/g", w)), (b"two", b"one", b"two"))

# folders
put("t/a/f", b"f")
wait("there", lambda: os.path.exists(top + "/t/a/f"), True)
os.rename(top + "/t", top + "/u")
same("moved", (get("t/a/f"), get("u/a/f")), (404, b"f"))
shutil.rmtree(top + "/u")
same("removed", get("u/a/f"), 404)
refused("a version has one name", errno.EPERM, os.link, top + "/e/doc2" if put("e/doc2", b"x") is None else top + "/e/doc2", top + "/e/l")
refused("the bucket is not empty", errno.ENOTEMPTY, lambda: (shutil.rmtree(top + "/e"), [shutil.rmtree(f"{top}/{n}") for n in os.listdir(top)], os.rmdir(top)))
refused("it stays a bucket", errno.EPERM, os.rename, top, os.environ["PCLOUD_MOUNT"] + "/No bucket")

# locked: the version stays whatever the mount does
L, low = "locked", os.environ["PCLOUD_MOUNT"] + "/locked"
s3.create_bucket(Bucket=L, ObjectLockEnabledForBucket=True)
v = s3.put_object(Bucket=L, Key="d/k", Body=b"held", ObjectLockLegalHoldStatus="ON")["VersionId"]
wait("there", lambda: os.path.exists(low + "/d/k"), True)
refused("folders with entries stay", errno.EXDEV, os.rename, low + "/d", low + "/e")
same("mv copies", subprocess.run(["mv", low + "/d", low + "/e"]).returncode, 0)
same("moved", read(low + "/e/k"), b"held")
write(low + "/e/k", b"changed")
same("held", s3.get_object(Bucket=L, Key="d/k", VersionId=v)["Body"].read(), b"held")
try:
    s3.delete_object(Bucket=L, Key="d/k", VersionId=v, BypassGovernanceRetention=True)
    sys.exit("a held version was deleted")
except ClientError as e:
    same("refused", e.response["Error"]["Code"], "AccessDenied")

# git does not mind
for args in (["init", "-q", "."], ["-c", "user.email=a@b", "-c", "user.name=a", "commit", "-q", "--allow-empty", "-m", "x"], ["gc", "-q"], ["fsck"]):
    os.makedirs(top + "/git", exist_ok=True)
    same(f"git {args[0]}", subprocess.run(["git", "-C", top + "/git", *args]).returncode, 0)
PY
ok 'both doors' "$PYTHON" "$TMP/versions.py"
down_home
fsck_clean
pass
