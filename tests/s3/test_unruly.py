#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Uploads that are broken off in every way leave nothing; what is in flight at the end is finished, what never ends is cut.
"""--broken: break off; --end PID: finish one request and leave another hanging while the gateway ends."""
import os
import select
import signal
import socket
import struct
import sys

from rawhttp import HOST, LIMIT, PORT, connect, head, read_reply, request, sign

BUCKET = "/unruly"
SIZE = 3 << 20


def begin(key, query="", sent=SIZE // 2, extra=None):
    s = connect()
    h = sign("PUT", key, query, payload="UNSIGNED-PAYLOAD", headers=extra)
    h["content-length"] = str(SIZE)
    s.sendall(head("PUT", key, query, h) + os.urandom(sent))
    return s


def broken():
    assert request("PUT", BUCKET).status == 200
    r = request("POST", BUCKET + "/parts", "uploads=")
    upload = r.body.split(b"<UploadId>")[1].split(b"<")[0].decode()
    for i in range(8):
        s = begin(f"{BUCKET}/closed{i}")
        s.close()
        s = begin(f"{BUCKET}/reset{i}")
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
        s = begin(BUCKET + "/parts", f"partNumber={i + 1}&uploadId={upload}")
        s.close()
    held = []
    for i in range(4):  # half-closed: noticed, not kept until a timeout
        s = begin(f"{BUCKET}/half{i}")
        s.shutdown(socket.SHUT_WR)
        held.append(s)
    s = connect()
    s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
    s.shutdown(socket.SHUT_WR)
    held.append(s)
    for s in held:
        assert read_reply(s).status in (0, 400), "half a request was answered"
        s.close()
    s = connect()  # a whole request, and then half-closed: it is answered
    s.sendall(head("GET", BUCKET, "", sign("GET", BUCKET)))
    s.shutdown(socket.SHUT_WR)
    r = read_reply(s)
    assert r.status == 200 and b"<Contents>" not in r.body, r.body
    r = request("GET", BUCKET, "uploads=")
    assert r.body.count(b"<Upload>") == 1, r.body
    r = request("GET", BUCKET + "/parts", f"uploadId={upload}")
    assert r.status == 200 and b"<Part>" not in r.body, r.body
    assert request("DELETE", BUCKET + "/parts", f"uploadId={upload}").status == 204


def end(pid):
    """Both uploads are under way when the signal comes; the gateway takes no new connections, so one that is refused says that it has come."""
    body = os.urandom(SIZE)
    h = sign("PUT", BUCKET + "/finished", payload="UNSIGNED-PAYLOAD")
    h["content-length"] = str(SIZE)
    s, never = connect(), begin(BUCKET + "/never")
    s.sendall(head("PUT", BUCKET + "/finished", "", h) + body[:SIZE // 2])
    assert request("GET", "/").status == 200
    os.kill(pid, signal.SIGTERM)
    for _ in range(3000):
        try:
            socket.create_connection((HOST, PORT), timeout=LIMIT).close()
        except OSError:
            break
        select.select([], [], [], 0.01)
    else:
        raise AssertionError("it still takes connections")
    s.sendall(body[SIZE // 2:])
    r = read_reply(s)
    assert r.status == 200 and r.headers.get("connection", "").lower() == "close", (r.status, r.headers)
    assert read_reply(never).status == 0
    print("one was finished, one cut")


if __name__ == "__main__":
    broken() if sys.argv[1] == "--broken" else end(int(sys.argv[2]))
