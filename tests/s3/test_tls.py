#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# TLS: which versions are spoken, and connections that live through another certificate.
"""--versions; or --live OLD NEW COMMAND...: hold a connection by certificate OLD, run COMMAND, wait until new ones get NEW, go on by the held one."""
import select
import socket
import ssl
import subprocess
import sys
import time
import warnings

from rawhttp import HOST, LIMIT, PORT, head, read_reply, sign


def peer(version=None, legacy=False):
    """A connection whose certificate is looked at, not judged: (socket, PEM)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if legacy:
        context.set_ciphers("ALL:@SECLEVEL=0")
    if version:
        context.minimum_version = context.maximum_version = version
    s = context.wrap_socket(socket.create_connection((HOST, PORT), timeout=LIMIT))
    return s, ssl.DER_cert_to_PEM_cert(s.getpeercert(True))


def versions():
    warnings.simplefilter("ignore", DeprecationWarning)
    for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        with peer(version)[0] as s:
            assert s.version() == name, s.version()
            s.sendall(head("GET", "/", "", sign("GET", "/")))
            assert read_reply(s).status == 200
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        try:
            peer(version, legacy=True)
        except (ssl.SSLError, ConnectionError):
            continue
        raise AssertionError(f"{version} is spoken")
    with socket.create_connection((HOST, PORT), timeout=LIMIT) as s:  # no TLS at all
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            data = s.recv(100)
        except ConnectionError:
            data = b""
        assert not data.startswith(b"HTTP"), data


def ask(s):
    s.sendall(head("GET", "/", "", sign("GET", "/")))
    r = read_reply(s)
    assert r.status == 200, r.status


def live(old, new, command):
    old, new = (open(p).read().strip() for p in (old, new))
    held, pem = peer()
    assert pem.strip() == old
    ask(held)
    subprocess.run(command, check=True)
    end = time.monotonic() + 90
    while True:
        s, pem = peer()
        with s:
            ask(s)
        if pem.strip() == new:
            break
        assert pem.strip() == old and time.monotonic() < end, "another certificate never came"
        select.select([], [], [], 0.1)
    with held:
        ask(held)


if __name__ == "__main__":
    if sys.argv[1] == "--versions":
        versions()
    else:
        live(sys.argv[2], sys.argv[3], sys.argv[4:])
