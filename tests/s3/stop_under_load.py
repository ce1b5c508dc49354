#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Writes until the gateway ends and notes what was answered; checks it afterwards; sends and reads back one large object.
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


def large(path):
    """PUT and GET of a file through one socket, never whole in memory here either."""
    size, digest = os.path.getsize(path), hashlib.md5()
    h = sign("PUT", BUCKET + "/large", payload="UNSIGNED-PAYLOAD")
    h["content-length"] = str(size)
    with connect() as s, open(path, "rb") as f:
        s.sendall(head("PUT", BUCKET + "/large", "", h))
        while block := f.read(1 << 20):
            digest.update(block)
            s.sendall(block)
        r = read_reply(s)
    assert r.status == 200 and r.headers["etag"].strip('"') == digest.hexdigest(), r.headers
    with connect() as s, open(path, "rb") as f:
        s.sendall(head("GET", BUCKET + "/large", "", sign("GET", BUCKET + "/large")))
        stream = s.makefile("rb")
        assert b" 200 " in stream.readline()
        while stream.readline() != b"\r\n":
            pass
        while block := f.read(1 << 20):
            assert stream.read(len(block)) == block


if __name__ == "__main__":
    if sys.argv[1] == "--check":
        check(sys.argv[2])
    elif sys.argv[1] == "--large":
        large(sys.argv[2])
    else:
        load(int(sys.argv[1]), sys.argv[2])
