#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Writes until the gateway ends and notes what was answered; checks it afterwards; sends one large object, whole or in parts, and reads it back.
import hashlib
import os
import signal
import sys
import threading

from rawhttp import connect, head, read_reply, request, sign

BUCKET = "/under-load"


def content(key):
    seed = hashlib.sha256(key.encode()).digest()
    return seed * (1 + seed[0] * 40)


def write(n, answered):
    i = 0
    while True:
        key = f"{BUCKET}/{n}-{i}"
        try:
            r = request("PUT", key, body=content(key))
        except OSError:
            return
        if r.status != 200:
            return
        answered.append(key)
        i += 1


def load(pid, path):
    assert request("PUT", BUCKET).status == 200
    answered = []
    threads = [threading.Thread(target=write, args=(n, answered)) for n in range(6)]
    killer = threading.Thread(target=lambda: (wait_for(answered, 60), os.kill(pid, signal.SIGTERM)))
    for t in threads + [killer]:
        t.start()
    for t in threads + [killer]:
        t.join()
    with open(path, "w") as f:
        f.write("\n".join(answered))


def wait_for(answered, count):
    tick = threading.Event()
    while len(answered) < count:
        tick.wait(0.01)


def check(path):
    keys = open(path).read().split()
    for key in keys:
        r = request("GET", key)
        assert r.status == 200 and r.body == content(key), key
    print(f"{len(keys)} objects that were answered are there")


LARGE = BUCKET + "/large"


def send(key, query, f, size):
    """PUT the next bytes of a file, never whole in memory here either; their ETag."""
    digest = hashlib.md5()
    h = sign("PUT", key, query, payload="UNSIGNED-PAYLOAD")
    h["content-length"] = str(size)
    with connect() as s:
        s.sendall(head("PUT", key, query, h))
        while size > 0:
            block = f.read(min(size, 1 << 20))
            size -= len(block)
            digest.update(block)
            s.sendall(block)
        r = read_reply(s)
    assert r.status == 200 and r.headers["etag"].strip('"') == digest.hexdigest(), (r.status, r.headers)
    return r.headers["etag"]


def put(path):
    with open(path, "rb") as f:
        send(LARGE, "", f, os.path.getsize(path))


def parts(path):
    left, part, xml = os.path.getsize(path), 8 << 20, ""
    r = request("POST", LARGE, "uploads=")
    upload = r.body.split(b"<UploadId>")[1].split(b"<")[0].decode()
    with open(path, "rb") as f:
        for n in range(1, left // part + 2):
            size = min(part, left)
            left -= size
            if size:
                etag = send(LARGE, f"partNumber={n}&uploadId={upload}", f, size)
                xml += f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>"
    r = request("POST", LARGE, f"uploadId={upload}", body=f"<CompleteMultipartUpload>{xml}</CompleteMultipartUpload>".encode())
    assert r.status == 200 and b"<ETag>" in r.body, (r.status, r.body)


def get(path):
    with connect() as s, open(path, "rb") as f:
        s.sendall(head("GET", LARGE, "", sign("GET", LARGE)))
        stream = s.makefile("rb")
        assert b" 200 " in stream.readline()
        while stream.readline() != b"\r\n":
            pass
        while block := f.read(1 << 20):
            assert stream.read(len(block)) == block


if __name__ == "__main__":
    actions = {"--check": check, "--put": put, "--parts": parts, "--get": get}
    if sys.argv[1] in actions:
        actions[sys.argv[1]](sys.argv[2])
    else:
        load(int(sys.argv[1]), sys.argv[2])
