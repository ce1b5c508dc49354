#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Limits: rates by key and address, connections of an address, clients that hardly move, a thousand connections; hosts.
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import s3case
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from rawhttp import HOST, LIMIT, PORT, connect, exchange, head, read_reply, request, sign
from s3case import same

WEB, HOME, PID = os.environ["WEB_URL"], os.environ["PCLOUD_HOME"], int(os.environ["GATEWAY_PID"])
ALT = {"access": os.environ["ALT_ACCESS_KEY_ID"], "secret": os.environ["ALT_SECRET_ACCESS_KEY"]}
BUCKET = f"/guard{os.getpid()}"
LARGE = bytes(range(256)) * (32 << 10)  # 8 MiB
BOUND = 160 << 20  # RSS under a thousand connections, half of them slow


def until(what, seconds=90):
    """Wait for what() to be true; the deadline is for a gateway that does not do it at all."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        v = what()
        if v:
            return v
        select.select([], [], [], 0.05)
    raise AssertionError("it did not come")


def figure(name, **labels):
    text = urllib.request.urlopen(WEB + "/metrics", timeout=LIMIT).read().decode()
    return next((s.value for f in text_string_to_metric_families(text) for s in f.samples if s.name == name and s.labels == labels), 0)


def configure(**values):
    """Keys of the configuration, in force when the gateway has read them again."""
    for k, v in values.items():
        subprocess.run(["pcloud", "--home", HOME, "config", "set", "limit." + k, str(v)], check=True)
    log = os.path.join(HOME, "log/gateway.log")
    seen = open(log).read().count("configuration read again")
    os.kill(PID, signal.SIGHUP)
    until(lambda: open(log).read().count("configuration read again") > seen)


def test_key_rate():
    same(request("GET", "/").status, 200)
    configure(key_requests=2)
    r = until(lambda: next((r for r in (request("GET", "/") for _ in range(50)) if r.status == 503), None))
    same(r.code, "SlowDown")
    assert 1 <= int(r.headers["retry-after"]) <= 60, r.headers
    assert figure("pcloud_s3_throttled_total", limit="key") >= 1
    same(request("GET", "/", **ALT).status, 200)  # somebody else's
    same(request("GET", "/", secret="wrong").status, 403)  # who has not proved to be it spends nothing
    until(lambda: request("GET", "/").status == 200)
    configure(key_requests=0)
    same({request("GET", "/").status for _ in range(20)}, {200})


def test_key_bytes():
    same(request("PUT", BUCKET + "/large", body=LARGE).status, 200)
    configure(key_bytes="1M")
    got = until(lambda: next((r for r in (request("GET", BUCKET + "/large") for _ in range(5)) if r.status == 503), None))
    same(got.code, "SlowDown")
    same(request("GET", "/", **ALT).status, 200)
    configure(key_bytes=0)
    same(request("GET", BUCKET + "/large").body, LARGE)


def test_address_rate():
    configure(address_requests=2)
    r = until(lambda: next((r for r in (request("GET", "/", **ALT) for _ in range(50)) if r.status == 503), None))
    same(r.code, "SlowDown")
    assert "retry-after" in r.headers
    assert figure("pcloud_s3_throttled_total", limit="address") >= 1
    configure(address_requests=0)
    same(request("GET", "/").status, 200)


def ended(s):
    """Did the other side end it?"""
    try:
        return select.select([s], [], [], 0)[0] and s.recv(65536) == b""
    except ConnectionError:
        return True


def test_connections_of_an_address():
    configure(address_connections=6)
    held = []
    try:
        for _ in range(40):  # one closed just now may still count: more than there may be in any case
            s = connect()
            s.settimeout(LIMIT)
            held.append(s)
        until(lambda: any(ended(s) for s in held))
        until(lambda: figure("pcloud_connections_cut_total", reason="address_limit") >= 1)
    finally:
        for s in held:
            s.close()
        configure(address_connections=0)
    same(request("GET", "/").status, 200)


def drip(s, data):
    """Send some; whether it was ended."""
    try:
        s.send(data)
    except OSError:
        return True
    return ended(s)


def test_slow_head():
    configure(slow_time=1)
    before = figure("pcloud_connections_cut_total", reason="head_time")
    with connect() as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        until(lambda: drip(s, b"a"))
    with connect() as s:  # not even its line
        until(lambda: drip(s, b"G"))
    with connect() as s:  # nothing at all
        until(lambda: ended(s))
    assert figure("pcloud_connections_cut_total", reason="head_time") >= before + 3
    same(request("GET", "/").status, 200)


def test_slow_body():
    configure(slow_time=1, slow_rate=100000)
    before = figure("pcloud_connections_cut_total", reason="body_rate")
    h = sign("PUT", BUCKET + "/slow", payload="UNSIGNED-PAYLOAD")
    h["content-length"] = "100000000"
    with connect() as s:
        s.sendall(head("PUT", BUCKET + "/slow", "", h) + b"x" * 300000)
        until(lambda: drip(s, b"x"))
    assert figure("pcloud_connections_cut_total", reason="body_rate") > before
    same(request("GET", BUCKET + "/slow").status, 404)


def test_slow_reader():
    configure(slow_time=1, slow_rate=100000)
    before = figure("pcloud_connections_cut_total", reason="reply_rate")
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect((HOST, PORT))
    with s:
        s.sendall(head("GET", BUCKET + "/large", "", sign("GET", BUCKET + "/large")))
        until(lambda: figure("pcloud_connections_cut_total", reason="reply_rate") > before)
    with connect() as s:  # who takes it is not in a hurry either, and gets all of it
        s.sendall(head("GET", BUCKET + "/large", "", sign("GET", BUCKET + "/large")))
        same(len(read_reply(s).body), len(LARGE))
    configure(slow_time=30, slow_rate=500)


def rss():
    with open(f"/proc/{PID}/status") as f:
        return next(int(line.split()[1]) << 10 for line in f if line.startswith("VmRSS"))


def test_thousand():
    """A thousand connections: a quarter with half a head, an eighth with half a body, an eighth that take no reply, the others at work."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    same(request("PUT", BUCKET + "/small", body=b"x" * 5000).status, 200)
    held = []
    try:
        for i in range(1000):
            s = connect()
            held.append(s)
            if i % 8 in (0, 1):
                s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
            elif i % 8 == 2:
                h = sign("PUT", BUCKET + f"/half{i}", payload="UNSIGNED-PAYLOAD")
                h["content-length"] = "4000000"
                s.sendall(head("PUT", BUCKET + f"/half{i}", "", h) + b"y" * 65536)
            elif i % 8 == 3:
                s.sendall(head("GET", BUCKET + "/large", "", sign("GET", BUCKET + "/large")))
        at_work = [s for i, s in enumerate(held) if i % 8 > 3]
        peak = 0
        for _ in range(3):
            for s in at_work:
                s.sendall(head("GET", BUCKET + "/small", "", sign("GET", BUCKET + "/small")))
            for s in at_work:
                same(len(read_reply(s).body), 5000)
            peak = max(peak, rss())
        until(lambda: figure("pcloud_connections") >= 1000)
        print(f"1000 connections: {peak >> 20} MiB, the bound is {BOUND >> 20}")
        assert peak < BOUND, peak
    finally:
        for s in held:
            s.close()
    until(lambda: figure("pcloud_connections") < 50)
    same(request("GET", BUCKET + "/half2").status, 404)


def page(path, host):
    try:
        with urllib.request.urlopen(urllib.request.Request(WEB + path, headers={"Host": host}), timeout=LIMIT) as r:
            return r.status
    except urllib.error.HTTPError as e:
        return e.code


def test_rebinding():
    """Figures for this machine are not for a page elsewhere whose name was made to point here."""
    for host, status in (("127.0.0.1:1", 200), ("localhost", 200), ("LOCALHOST:9880", 200), ("[::1]:9", 200), ("evil.example", 403),
                         ("127.0.0.1.evil.example", 403), ("localhost.evil.example:1", 403), ("10.0.0.1", 403)):
        same((host, page("/metrics", host)), (host, status))


def test_hosts():
    """With a list: what is on it, and those of the domain; run last, on a gateway that was given one."""
    if os.environ.get("HOSTS") != "1":
        return
    for host, status in ((f"{HOST}:{PORT}", 200), ("good.example", 200), ("GOOD.example.:80", 200), ("a.sub.example", 200), ("s3.test", 200),
                         ("sub.example", 421), ("evil.example", 421), ("xgood.example", 421), ("[::1]", 421), ("a.b", 421)):
        r = exchange(head("GET", "/", "", sign("GET", "/", host=host)))
        same((host, r.status), (host, status))
        if status == 421:
            same((r.code, r.headers["connection"].lower()), ("MisdirectedRequest", "close"))
            same(page("/health", host), 421)
    same(exchange(b"GET / HTTP/1.0\r\n\r\n").status, 421)
    assert figure("pcloud_host_refused_total") >= 10


if __name__ == "__main__":
    if os.environ.get("HOSTS") != "1":
        same(request("PUT", BUCKET).status, 200)
    sys.exit(s3case.run(globals()))
