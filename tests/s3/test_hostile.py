#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# What must be refused: signatures, times, chunks, XML, names, framing; and after each the server still answers.
import base64
import hashlib
import os
import socket
import sys
import traceback
import zlib

import rawhttp
from rawhttp import EMPTY, alive, chunk_signature, connect, exchange, head, now, read_reply, request, sign

BUCKET = f"/hostile{os.getpid()}"


def expect(reply, status, code=None):
    assert reply.status == status, f"status {reply.status}, wanted {status}: {reply.body[:600]!r}"
    if code:
        assert reply.code == code, f"code {reply.code}, wanted {code}"


def cut_or(reply, *statuses):
    """The connection ended, or one of these came."""
    assert reply.status in (0,) + statuses, f"status {reply.status}: {reply.body[:300]!r}"


def test_signatures():
    good = sign("GET", BUCKET, headers={})
    expect(exchange(head("GET", BUCKET, "", good)), 200)
    for change, status, code in (
            ({"authorization": good["authorization"][:-1] + ("0" if good["authorization"][-1] != "0" else "1")}, 403, "SignatureDoesNotMatch"),
            ({"authorization": good["authorization"].replace("Signature=", "Signature=x")}, 400, "AuthorizationHeaderMalformed"),
            ({"authorization": "AWS4-HMAC-SHA256"}, 400, "AuthorizationHeaderMalformed"),
            ({"authorization": "AWS4-HMAC-SHA256 Credential=x"}, 400, "AuthorizationHeaderMalformed"),
            ({"authorization": "AWS key:sig"}, 400, "InvalidRequest"),
            ({"authorization": "Bearer x"}, 400, "InvalidArgument"),
            ({"authorization": ""}, 400, "InvalidArgument"),
            ({"x-amz-date": "nonsense"}, 403, "AccessDenied"),
            ({"x-amz-date": now(5)}, 403, "SignatureDoesNotMatch"),
            ({"x-amz-content-sha256": "x"}, 403, "SignatureDoesNotMatch"),
            ({"x-amz-extra": "not signed"}, 403, "AccessDenied")):
        expect(exchange(head("GET", BUCKET, "", {**good, **change})), status, code)
        alive()
    for missing, status, code in (("authorization", 403, "AccessDenied"), ("x-amz-date", 403, "AccessDenied"),
                                  ("x-amz-content-sha256", 400, "InvalidRequest")):
        expect(exchange(head("GET", BUCKET, "", {k: v for k, v in good.items() if k != missing})), status, code)
    expect(request("GET", BUCKET, access="NOBODY"), 403, "InvalidAccessKeyId")
    expect(request("GET", BUCKET, secret="wrong"), 403, "SignatureDoesNotMatch")
    expect(request("GET", BUCKET, region="eu-west-9"), 400, "AuthorizationHeaderMalformed")


def test_clock():
    expect(request("GET", BUCKET, date=now(-890)), 200)
    expect(request("GET", BUCKET, date=now(890)), 200)
    expect(request("GET", BUCKET, date=now(-920)), 403, "RequestTimeTooSkewed")
    expect(request("GET", BUCKET, date=now(920)), 403, "RequestTimeTooSkewed")


def test_payload():
    expect(request("PUT", BUCKET + "/k", body=b"x", payload=EMPTY), 400, "XAmzContentSHA256Mismatch")
    expect(request("PUT", BUCKET + "/k", body=b"x", payload="nonsense"), 400, "InvalidArgument")
    expect(request("PUT", BUCKET + "/k", body=b"x", payload="STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"), 501, "NotImplemented")
    expect(request("PUT", BUCKET + "/k", body=b"x", payload="UNSIGNED-PAYLOAD"), 200)
    h = sign("PUT", BUCKET + "/k")
    expect(exchange(head("PUT", BUCKET + "/k", "", h)), 411, "MissingContentLength")
    h["content-length"] = str(6 << 30)
    expect(exchange(head("PUT", BUCKET + "/k", "", h)), 400, "EntityTooLarge")


def chunked(chunks, kind="STREAMING-AWS4-HMAC-SHA256-PAYLOAD", decoded=None, trailer=None, extra=None, change=None):
    """A signed chunked PUT, its body passed through ${change}."""
    date = now()
    total = sum(map(len, chunks))
    headers = {"x-amz-decoded-content-length": str(total if decoded is None else decoded), "content-encoding": "aws-chunked", **(extra or {})}
    if trailer:
        headers["x-amz-trailer"] = trailer.split(":")[0]
    h = sign("PUT", BUCKET + "/c", headers=headers, payload=kind, date=date)
    previous, body = h["authorization"].rsplit("=", 1)[1], b""
    for c in chunks + [b""]:
        if "UNSIGNED" in kind:
            body += b"%x\r\n%s" % (len(c), c)
        else:
            previous = chunk_signature(previous, c, date)
            body += b"%x;chunk-signature=%s\r\n%s" % (len(c), previous.encode(), c)
        body += b"\r\n" if c else b""
    if trailer:
        body += trailer.encode() + b"\r\n"
        if "UNSIGNED" not in kind:
            previous = chunk_signature(previous, trailer.encode() + b"\n", date, "TRAILER")
            body += b"x-amz-trailer-signature:" + previous.encode() + b"\r\n"
    body += b"\r\n"
    if change:
        body = change(body)
    h["content-length"] = str(len(body))
    return exchange(head("PUT", BUCKET + "/c", "", h) + body)


SIGNED, SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
TEXT = [b"a" * 70000, b"b" * 8192, b"c"]


def test_chunks():
    whole = b"".join(TEXT)
    crc = "x-amz-checksum-crc32:" + base64.b64encode(zlib.crc32(whole).to_bytes(4, "big")).decode()
    etag = '"' + hashlib.md5(whole).hexdigest() + '"'
    for kw in ({}, {"kind": SIGNED_TRAILER, "trailer": crc}, {"kind": UNSIGNED_TRAILER, "trailer": crc}):
        r = chunked(TEXT, **kw)
        expect(r, 200)
        assert r.headers["etag"] == etag
        g = request("GET", BUCKET + "/c")
        assert g.body == whole and "content-encoding" not in g.headers
    same_length = [
        (lambda b: b.replace(b"aaaa", b"aaab", 1), 403, "SignatureDoesNotMatch"),
        (lambda b: b.replace(b"signature=", b"signatur_=", 1), 400, "InvalidChunkSizeError"),
        (lambda b: b"zzzzz" + b[5:], 400, "InvalidChunkSizeError"),
        (lambda b: b"f" * 20 + b[20:], 400, "InvalidChunkSizeError"),
        (lambda b: b[:-2], 400, "IncompleteBody"),
        (lambda b: b[:70100], 400, "IncompleteBody"),
        (lambda b: b + b"more", 400, "InvalidChunkSizeError"),
        (lambda b: b"1" * 5000, 400, "InvalidChunkSizeError"),
        (lambda b: b"", 400, "IncompleteBody"),
    ]
    for change, status, code in same_length:
        expect(chunked(TEXT, change=change), status, code)
        alive()
    expect(chunked(TEXT, decoded=5), 400, "IncompleteBody")
    expect(chunked(TEXT, decoded=90000), 400, "IncompleteBody")
    expect(chunked(TEXT, decoded="many"), 400, "InvalidArgument")
    for kind in (SIGNED_TRAILER, UNSIGNED_TRAILER):
        expect(chunked(TEXT, kind, trailer="x-amz-checksum-crc32:AAAAAA=="), 400, "BadDigest")
        expect(chunked(TEXT, kind, trailer="x-amz-checksum-crc32:short"), 400, "InvalidRequest")
        expect(chunked(TEXT, kind, trailer=crc, change=lambda b: b.replace(b"crc32:", b"crc32=", 1)), 400, "MalformedTrailerError")
        expect(chunked(TEXT, kind, trailer=crc, change=lambda b: b.replace(crc.encode() + b"\r\n", b"", 1)),
               403 if kind == SIGNED_TRAILER else 400, "SignatureDoesNotMatch" if kind == SIGNED_TRAILER else "MalformedTrailerError")
        expect(chunked(TEXT, kind, trailer="x-amz-checksum-none:AAAA"), 400, "InvalidRequest")
    g = request("GET", BUCKET + "/c")
    assert g.body == whole, "a refused body became visible"


def test_double_chunked():
    """HTTP chunks around aws-chunked, without a length, as new SDKs send over TLS."""
    date = now()
    h = sign("PUT", BUCKET + "/d", headers={"x-amz-decoded-content-length": "10", "content-encoding": "gzip,aws-chunked",
                                            "x-amz-trailer": "x-amz-checksum-crc32"}, payload=UNSIGNED_TRAILER, date=date)
    h["transfer-encoding"] = "chunked"
    crc = base64.b64encode(zlib.crc32(b"0123456789").to_bytes(4, "big"))
    inner = b"a\r\n0123456789\r\n0\r\nx-amz-checksum-crc32:" + crc + b"\r\n\r\n"
    for step in (1, 3, 1000):
        outer = b"".join(b"%x\r\n%s\r\n" % (len(inner[i:i + step]), inner[i:i + step]) for i in range(0, len(inner), step)) + b"0\r\n\r\n"
        r = exchange(head("PUT", BUCKET + "/d", "", h) + outer)
        expect(r, 200)
        g = request("GET", BUCKET + "/d")
        assert g.body == b"0123456789" and g.headers["content-encoding"] == "gzip", g.headers


def test_xml():
    bomb = ('<?xml version="1.0"?><!DOCTYPE Delete [<!ENTITY a "aaaaaaaaaa">' +
            "".join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(8)) + "]><Delete><Object><Key>&i;</Key></Object></Delete>")
    for text in ("", "x", "<Delete>", "<Other/>", bomb, "<Delete><Object/></Delete>", "<Delete>" + "<a>" * 10000,
                 "<Delete><Object><Key>\x00</Key></Object></Delete>",
                 '<!DOCTYPE Delete SYSTEM "file:///etc/passwd"><Delete><Object><Key>k</Key></Object></Delete>'):
        r = request("POST", BUCKET, "delete=", body=text.encode())
        assert r.status == 400 and r.code in ("MalformedXML", "MissingRequestBodyError"), (text[:50], r.status, r.body)
        alive()
    r = request("POST", BUCKET, "delete=", body=b"<Delete>" + b"x" * (9 << 20))
    cut_or(r, 400)
    r = request("POST", BUCKET + "/k", "uploads=")
    upload = r.body.split(b"<UploadId>")[1].split(b"<")[0].decode()
    for text in ("", "<CompleteMultipartUpload/>", "<CompleteMultipartUpload><Part><PartNumber>x</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>",
                 "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>"):
        r = request("POST", BUCKET + "/k", f"uploadId={upload}", body=text.encode())
        assert r.status == 400, (text, r.status, r.body)
    expect(request("DELETE", BUCKET + "/k", f"uploadId={upload}"), 204)


def test_names():
    for name in ("/ab", "/UPPER", "/a_b", "/-ab", "/ab-", "/a..b", "/192.168.0.1", "/" + "a" * 64, "/a%00b", "/%2E%2E"):
        r = request("PUT", name)
        assert r.status == 400 and r.code == "InvalidBucketName", (name, r.status, r.body[:200])
    expect(request("PUT", BUCKET + "/" + "k" * 1025, body=b"x"), 400, "KeyTooLongError")
    expect(request("PUT", BUCKET + "/" + "k" * 1024, body=b"x"), 200)
    expect(exchange(head("GET", BUCKET + "/%zz", "", sign("GET", BUCKET + "/%zz"))), 400, "InvalidURI")
    expect(exchange(head("GET", BUCKET + "/%", "", sign("GET", BUCKET + "/%"))), 400, "InvalidURI")
    for key in ("/a%00b", "/%FF%FE", "/%E9", "/..", "/../../etc/passwd", "/.", "/%2E%2E%2F%2E%2E%2Fx", "//", "/a%0D%0Ab"):
        r = request("PUT", BUCKET + key.replace("//", "//"), body=key.encode())
        assert r.status in (200, 400), (key, r.status, r.body)
        if r.status == 200:
            assert request("GET", BUCKET + key).body == key.encode(), key
    expect(request("GET", BUCKET, "list-type=2&encoding-type=url"), 200)


def test_arguments():
    for query in ("max-keys=x&list-type=2", "list-type=3", "encoding-type=gzip", "continuation-token=%00&list-type=2", "max-keys=99999999999999999999"):
        expect(request("GET", BUCKET, query), 400, "InvalidArgument")
    expect(request("GET", BUCKET, "max-uploads=-1&uploads="), 400, "InvalidArgument")
    expect(request("PATCH", BUCKET), 405, "MethodNotAllowed")
    expect(request("DELETE", "/"), 405, "MethodNotAllowed")
    expect(request("GET", BUCKET + "/k", "versionId=a%2Fb"), 400, "InvalidArgument")
    for document in ("logging", "versioning", "notification", "object-lock"):  # no bucket goes for the sake of a document
        expect(request("DELETE", BUCKET, document), 405, "MethodNotAllowed")
    many = "&".join(f"a{i}=1" for i in range(100))
    expect(request("GET", BUCKET, many), 400)


def framed(extra, body=b"", method="PUT", drop=()):
    h = sign(method, BUCKET + "/f", payload="UNSIGNED-PAYLOAD")
    for k in drop:
        h.pop(k)
    return exchange(head(method, BUCKET + "/f", "", h, extra) + body)


def test_framing():
    evil = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    for extra, statuses in (("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", (400,)),
                            ("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", (400,)),
                            ("Transfer-Encoding: gzip\r\n", (501,)),
                            ("Transfer-Encoding: gzip, chunked\r\n", (501,)),
                            ("Transfer-Encoding: chunked, identity\r\n", (501,)),
                            ("Transfer-Encoding:\tchunked\r\nTransfer-Encoding: chunked\r\n", (400,)),
                            ("Transfer-Encoding : chunked\r\n", (400,)),
                            ("Transfer-Encoding: chunked \r\n", (400, 501)),
                            ("Transfer-Encoding: xchunked\r\n", (501,)),
                            ("Transfer-Encoding: \r\n", (400, 501)),
                            ("Transfer-Encoding: \x0bchunked\r\n", (400, 501)),
                            ("Content-Length: 4\r\nContent-Length: 5\r\n", (400,)),
                            ("Content-Length: 4\r\nContent-Length: 4\r\n", (400,)),
                            ("Content-Length: -1\r\n", (400,)),
                            ("Content-Length: +4\r\n", (400,)),
                            ("Content-Length: 4, 4\r\n", (400,)),
                            ("Content-Length: 0x4\r\n", (400,)),
                            ("Content-Length: 4 4\r\n", (400,)),
                            ("Content-Length: 99999999999999999999999\r\n", (400, 413)),
                            ("Content-Length : 4\r\n", (400,)),
                            ("bad header\r\nContent-Length: 4\r\n", (400,))):
        with connect() as s:
            h = sign("PUT", BUCKET + "/f", payload="UNSIGNED-PAYLOAD")
            try:
                s.sendall(head("PUT", BUCKET + "/f", "", h, extra) + evil)
            except OSError:
                pass
            r = read_reply(s)
            assert r.status in statuses, (extra, r.status, r.body[:200])
            assert read_reply(s).status == 0, f"{extra!r}: the connection went on"
        alive()
    cut_or(framed("Transfer-Encoding: chunked\r\n", b"xyz\r\nabc\r\n"), 400)
    cut_or(framed("Transfer-Encoding: chunked\r\n", b"3\r\nabcdef\r\n0\r\n\r\n"), 400)
    expect(framed("Content-Length: 0\r\n", drop=("host",)), 400)
    assert request("GET", BUCKET + "/f").status == 404


def test_line_ends():
    """Lines that another parser could end elsewhere: LF or CR alone, folded ones, NUL; and names that are none."""
    h = sign("GET", BUCKET)
    good = head("GET", BUCKET, "", h)
    expect(exchange(good), 200)
    expect(exchange(head("GET", BUCKET, "", h, "X-A: b \t \r\nX-B:\r\nX-C:   d\r\nX-D: \x07\xe9\r\n")), 200)  # odd, but plain
    smuggled = head("PUT", BUCKET + "/smuggled", "", {**sign("PUT", BUCKET + "/smuggled"), "content-length": "0"})
    for data in (good.replace(b"\r\n", b"\n"), good.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\n"), good[:-2] + b"\n", good[:-4] + b"\n\r\n", good[:-4] + b"\n\n",
                 head("GET", BUCKET, "", h, "X-A: b\nX-B: c\r\n"), head("GET", BUCKET, "", h, "X-A: b\n"),
                 head("GET", BUCKET, "", h, "X-A: b\rX-B: c\r\n"), head("GET", BUCKET, "", h, "X-A: b\r"),
                 head("GET", BUCKET, "", h, "X-A: b\r\n c\r\n"), head("GET", BUCKET, "", h, "X-A: b\r\n\tc\r\nX-B: c\r\n"),
                 head("GET", BUCKET, "", h, "X-A: b\0c\r\n"), head("GET", BUCKET, "", h, "X-A: b\0\r\nX-B: c\r\n"), head("GET", BUCKET, "", h, "X\0A: b\r\n"),
                 head("GET", BUCKET, "", h, ": b\r\n"), head("GET", BUCKET, "", h, "X A: b\r\n"), head("GET", BUCKET, "", h, "X\x01: b\r\n"),
                 good.replace(b"\r\nhost", b"\r\n host")):
        with connect() as s:
            try:
                s.sendall(data + smuggled)
            except OSError:
                pass
            r = read_reply(s)
            assert r.status == 400, (data, r.status, r.body[:200])
            assert read_reply(s).status == 0, f"{data!r}: the connection went on"
        alive()
    assert request("GET", BUCKET + "/smuggled").status == 404


def test_chunk_sizes():
    """HTTP chunks whose size is not plain hexadecimal, or whose end is not where it says."""
    h = {**sign("PUT", BUCKET + "/z", payload="UNSIGNED-PAYLOAD"), "transfer-encoding": "chunked"}
    for body in (b"0x5\r\nhello\r\n", b"+5\r\nhello\r\n", b"-5\r\nhello\r\n", b" 5\r\nhello\r\n", b"5 \r\nhello\r\n", b"\r\nhello\r\n", b"5\r\nhelloXX",
                 b"5;a\nb\r\nhello\r\n", b"fffffffffffffffff\r\nhello\r\n", b"4\r\nhello\r\n"):
        with connect() as s:
            try:
                s.sendall(head("PUT", BUCKET + "/z", "", h) + body + b"0\r\n\r\n")
            except OSError:
                pass
            cut_or(read_reply(s), 400, 413)
            assert read_reply(s).status == 0, f"{body!r}: the connection went on"
        alive()
    assert request("GET", BUCKET + "/z").status == 404


def test_garbage():
    for data in (b"GET / HTTP/9.9\r\n\r\n", b"A" * 100000, b"GET " + b"/" * 40000 + b" HTTP/1.1\r\n\r\n",
                 b"GET * HTTP/1.1\r\nHost: x\r\n\r\n", b"GET x HTTP/1.1\r\nHost: x\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 500 + b"\r\n", b"GET / HTTP/1.1\r\na: " + b"b" * 70000 + b"\r\n\r\n",
                 b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n"):
        r = exchange(data)
        assert r.status == 0 or r.status in range(400, 600) and r.status != 500, (data[:40], r.status)
        alive()
    for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"\r\n" * 100, b"GET / HTTP/1.1\r\nHost: x\r\n",
                 b"PUT /a/b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", os.urandom(5000), os.urandom(200000)):
        with connect() as s:  # no request at all, and then the end
            try:
                s.sendall(data)
            except OSError:
                pass
        alive()


def test_truncated():
    """A body that ends too early makes nothing."""
    h = sign("PUT", BUCKET + "/t", payload="UNSIGNED-PAYLOAD")
    h["content-length"] = "1000000"
    for size in (0, 10, 70000, 400000):
        with connect() as s:
            s.sendall(head("PUT", BUCKET + "/t", "", h) + b"x" * size)
            s.close()
    alive()
    assert request("GET", BUCKET + "/t").status == 404


def test_continue():
    """100 only when the body is wanted, also for an empty one."""
    h = sign("PUT", BUCKET + "/e", payload="UNSIGNED-PAYLOAD")
    h.update({"content-length": "5", "expect": "100-continue"})
    with connect() as s:
        s.sendall(head("PUT", BUCKET + "/e", "", h))
        assert read_reply(s, skip_continue=False).status == 100
        s.sendall(b"hello")
        expect(read_reply(s), 200)
    h["content-length"] = "0"
    with connect() as s:
        s.sendall(head("PUT", BUCKET + "/e", "", h))
        assert read_reply(s, skip_continue=False).status == 100
        expect(read_reply(s), 200)
    for path, change, status in ((BUCKET + "/e", {"authorization": h["authorization"][:-2] + "zz"}, 400), ("/no-such-bucket-at-all/e", None, 404)):
        g = sign("PUT", path, payload="UNSIGNED-PAYLOAD")
        g.update({"content-length": "5", "expect": "100-continue", **(change or {})})
        with connect() as s:
            s.sendall(head("PUT", path, "", g))
            expect(read_reply(s, skip_continue=False), status)


def test_refused_body_keeps_connection():
    """A refused small body is read, and the connection serves the next request."""
    with connect() as s:
        for _ in range(3):
            bad = sign("PUT", BUCKET + "/r", secret="wrong", payload="UNSIGNED-PAYLOAD")
            bad["content-length"] = "200000"
            s.sendall(head("PUT", BUCKET + "/r", "", bad) + b"x" * 200000)
            expect(read_reply(s), 403, "SignatureDoesNotMatch")
        s.sendall(head("GET", "/", "", sign("GET", "/")))
        expect(read_reply(s), 200)


def test_pipelined():
    with connect() as s:
        s.sendall(b"".join(head("GET", BUCKET, f"prefix={i}", sign("GET", BUCKET, f"prefix={i}")) for i in range(20)))
        data = b""
        while data.count(b"</ListBucketResult>") < 20:
            more = s.recv(65536)
            assert more
            data += more
    places = [data.index(f"<Prefix>{i}</Prefix>".encode()) for i in range(20)]
    assert places == sorted(places)


def test_response_splitting():
    r = request("GET", BUCKET + "/e", "response-content-type=a%0D%0AX-Evil%3A%201")
    expect(r, 200)
    assert "x-evil" not in r.headers


def test_virtual_host():
    domain = os.environ.get("S3_DOMAIN")
    if not domain:
        return
    host = BUCKET[1:] + "." + domain
    expect(exchange(head("PUT", "/vh/k", "", {**sign("PUT", "/vh/k", host=host, payload="UNSIGNED-PAYLOAD"), "content-length": "2"}) + b"vh"), 200)
    assert request("GET", BUCKET + "/vh/k").body == b"vh"
    assert exchange(head("GET", "/", "list-type=2", sign("GET", "/", "list-type=2", host=host))).status == 200
    assert exchange(head("GET", BUCKET + "/vh/k", "", sign("GET", BUCKET + "/vh/k", host=domain))).body == b"vh"


def test_slow():
    """Bytes one by one are a request like another."""
    h = sign("PUT", BUCKET + "/s", payload="UNSIGNED-PAYLOAD")
    h["content-length"] = "20"
    with connect() as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) if not rawhttp.TLS else None
        for byte in head("PUT", BUCKET + "/s", "", h) + b"x" * 20:
            s.sendall(bytes([byte]))
        expect(read_reply(s), 200)
    assert request("GET", BUCKET + "/s").body == b"x" * 20


def main():
    expect(request("PUT", BUCKET), 200)
    failed = []
    tests = [(n, f) for n, f in globals().items() if n.startswith("test_")]
    for name, fn in tests:
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        try:
            fn()
            alive()
            print(f"ok {name}", flush=True)
        except Exception:
            traceback.print_exc()
            print(f"FAIL {name}", flush=True)
            failed.append(name)
    print(f"{len(tests) - len(failed)} passed, {len(failed)} failed: {' '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
