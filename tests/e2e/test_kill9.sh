#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 of mount and gateway in the middle of writes, twenty times: what was fsync'd or answered 200 is identical afterwards.
. "$SRC/tests/lib/lib.sh"
require_fuse
"$PYTHON" -c 'import boto3' 2>/dev/null || skip 'no boto3 here'

start_home
mkdir "$PCLOUD_MOUNT/work"
cat >"$TMP/kill9.py" <<'PY'
import hashlib, json, os, random, signal, subprocess, sys, threading, time
import boto3
from botocore.config import Config

mount, rounds = os.environ["PCLOUD_MOUNT"], int(sys.argv[1])
folder = mount + "/work"
LIMIT = 120  # seconds to wait for anything: for a hung machine, decides nothing else

class Door:
    """A writer at one door: what was acknowledged, and what was on its way when the door was killed."""
    def __init__(self, name):
        self.name, self.acked, self.pending, self.count, self.errors = name, {}, {}, 0, 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
    def run(self):
        rng = random.Random(self.name)
        while not stop.is_set():
            name = f"{self.name}-{rng.randrange(40)}"
            size = rng.choice((10, 3000, 5000, 100_000, 1_500_000))
            data = rng.randbytes(size)
            self.pending.setdefault(name, []).append(data)
            try:
                self.write(name, data, rng)
            except Exception:
                self.errors += 1
                tick.wait(0.02)
                continue
            self.acked[name] = data
            self.pending[name] = []
            self.count += 1

class Mount(Door):
    def write(self, name, data, rng):
        fd = os.open(f"{folder}/{name}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            half = len(data) // 2
            os.write(fd, data[:half])
            os.pwrite(fd, data[half:], half)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(f"{folder}/{name}.new", f"{folder}/{name}")
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

class S3(Door):
    def write(self, name, data, rng):
        if not hasattr(self, "s3"):
            self.s3 = client()
        if len(data) > 1_000_000 and rng.random() < 0.5:
            u = self.s3.create_multipart_upload(Bucket="work", Key=name)
            p = self.s3.upload_part(Bucket="work", Key=name, UploadId=u["UploadId"], PartNumber=1, Body=data)
            self.s3.complete_multipart_upload(Bucket="work", Key=name, UploadId=u["UploadId"],
                                              MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": p["ETag"]}]})
        else:
            self.s3.put_object(Bucket="work", Key=name, Body=data)

def client():
    return boto3.session.Session().client("s3", config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0},
                                                              connect_timeout=10, read_timeout=30))
def status():
    return json.loads(subprocess.run(["pcloud", "status", "--json"], check=True, capture_output=True).stdout)

def wait(what, condition):
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"waited in vain for {what}: {json.dumps(status())}")
        tick.wait(0.02)

def answers():
    try:
        os.stat(folder)
        s3.head_bucket(Bucket="work")
        return True
    except Exception:
        return False

def verify(when):
    bad = 0
    for door in doors:
        for name, data in list(door.acked.items()):
            allowed = [data] + door.pending.get(name, [])
            try:
                with open(f"{folder}/{name}", "rb") as f:
                    here = f.read()
                there = s3.get_object(Bucket="work", Key=name)["Body"].read()
            except Exception as e:
                print(f"{when}: {name}: {e}")
                bad += 1
                continue
            if here not in allowed or there != here:
                print(f"{when}: {name}: {len(here)} and {len(there)} bytes, {len(data)} acknowledged")
                bad += 1
            else:  # what is there now is the truth for later rounds
                door.acked[name], door.pending[name] = here, []
    if bad:
        sys.exit(f"{when}: {bad} acknowledged files are not identical")

tick, stop = threading.Event(), threading.Event()
s3, rng = client(), random.Random(7)
doors = [Mount("mount"), S3("s3")]
for i in range(rounds):
    targets = [d.count + rng.randrange(3, 15) for d in doors]
    wait("writes", lambda: all(d.count >= t for d, t in zip(doors, targets)))
    st = status()
    victims = [("mount",), ("gateway",), ("mount", "gateway")][i % 3]
    pids = {v: st[v]["pid"] for v in victims}
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    wait("parts to come back", lambda: all(status()[v]["pid"] not in (None, pids[v]) and status()[v]["state"] == "ok" for v in victims))
    wait("answers", answers)
    if i % 5 == 4 or i == rounds - 1:
        stop.set()
        for d in doors:
            d.thread.join(LIMIT)
        verify(f"after kill {i + 1}")
        stop.clear()
        if i < rounds - 1:
            for d in doors:
                d.thread = threading.Thread(target=d.run, daemon=True)
                d.thread.start()
print(", ".join(f"{d.name}: {d.count} acknowledged, {d.errors} cut off" for d in doors))
if not all(d.errors for d in doors):
    sys.exit("no write was cut off: the test tests nothing")
PY
ok 'all that was acknowledged is identical' "$PYTHON" "$TMP/kill9.py" "${KILLS:-20}"
fsck_clean
down_home
fsck_clean
ok 'nothing is damaged' pcloud scrub
ok 'gc' pcloud gc --full
fsck_clean
pass
