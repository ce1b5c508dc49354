#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Public buckets as pages: nothing before a policy says so; objects with conditions, ranges and gzip; folders as HTML, text and JSON.
import gzip
import html
import http.client
import json
import os
import sys
import urllib.parse

import boto3
import s3case
from botocore.config import Config
from s3case import same

URL = urllib.parse.urlsplit(os.environ["WEB_URL"])
NAME = f"web{os.getpid()}"
S3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=Config(s3={"addressing_style": "path"}))
TEXT = b"a line that comes again\n" * 5000
EVIL = 'a<script>alert(1)"&\'é.txt'


class Page:
    def __init__(self, path, method="GET", **headers):
        c = http.client.HTTPConnection(URL.hostname, URL.port, timeout=30)
        c.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        r = c.getresponse()
        self.status, self.headers, self.body = r.status, r.headers, r.read()
        c.close()


def public(*actions):
    statements = [{"Effect": "Allow", "Principal": "*", "Action": a, "Resource": f"arn:aws:s3:::{NAME}" + ("/*" if "Object" in a else "")} for a in actions]
    S3.put_bucket_policy(Bucket=NAME, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))


def test_nothing_is_public():
    S3.create_bucket(Bucket=NAME)
    for key, body, kind in (("text.txt", TEXT, "text/plain"), ("noise.bin", os.urandom(50000), "application/octet-stream"), (EVIL, b"x", "text/html"),
                            ("dir/one", b"1", "text/plain"), ("dir/sub/two", b"2", "text/plain"), ("site/index.html", b"<p>home</p>", "text/html")):
        S3.put_object(Bucket=NAME, Key=key, Body=body, ContentType=kind)
    for path in (f"/{NAME}/", f"/{NAME}/text.txt", f"/{NAME}/none", f"/{NAME}/site/", f"/{NAME}/dir/"):
        p = Page(path)
        same((path, p.status), (path, 403))
        assert b"text.txt" not in p.body and NAME.encode() not in p.body
    for path in ("/no-such-bucket/", "/no-such-bucket/k", "//", "//x/", "//evil.example", "/\\evil.example", "/%2Fevil.example", "/UPPER/", "/a%00b/", "/x", "/.."):
        p = Page(path)
        assert p.status == 404 or (p.status, p.headers["location"]) == (301, path + "/"), (path, p.status)
        assert p.status == 404 or "evil" not in path
    same(Page(f"/{NAME}/text.txt", Authorization="AWS a:b").status, 403)
    same(Page(f"/{NAME}/text.txt", method="PUT").status, 405)
    same(Page(f"/{NAME}/text.txt", method="DELETE").status, 405)


def test_objects():
    public("s3:GetObject")
    p = Page(f"/{NAME}/text.txt")
    same((p.status, p.body, p.headers["content-type"]), (200, TEXT, "text/plain"))
    etag, when = p.headers["etag"], p.headers["last-modified"]
    same(Page(f"/{NAME}/text.txt", If_None_Match=etag).status, 304)
    same(Page(f"/{NAME}/text.txt", If_None_Match=f"W/{etag}").status, 304)
    same(Page(f"/{NAME}/text.txt", If_Modified_Since=when).status, 304)
    same(Page(f"/{NAME}/text.txt", If_Match='"other"').status, 412)
    p = Page(f"/{NAME}/text.txt", Range="bytes=5-9", Accept_Encoding="gzip")
    same((p.status, p.body, p.headers["content-range"], p.headers["content-encoding"]), (206, TEXT[5:10], f"bytes 5-9/{len(TEXT)}", None))
    same(Page(f"/{NAME}/text.txt", Range="bytes=9999999-").status, 416)
    p = Page(f"/{NAME}/text.txt", method="HEAD")
    same((p.status, p.body, p.headers["content-length"]), (200, b"", str(len(TEXT))))
    same(Page(f"/{NAME}/text.txt?download").headers["content-disposition"], "attachment")
    same(Page(f"/{NAME}/text.txt?acl").body, TEXT)  # no query of S3 means anything here
    same(Page(f"/{NAME}/none").status, 403)  # who may not list is not told
    same(Page(f"/{NAME}/").status, 403)
    same(Page(f"/{NAME}/site/").body, b"<p>home</p>")


def test_gzip():
    p = Page(f"/{NAME}/text.txt", Accept_Encoding="br, gzip;q=0.5")
    same((p.headers["content-encoding"], gzip.decompress(p.body)), ("gzip", TEXT))
    assert len(p.body) < len(TEXT) / 10 and p.headers["etag"].startswith('W/"') and "Accept-Encoding" in p.headers["vary"]
    same(Page(f"/{NAME}/text.txt", Accept_Encoding="gzip", If_None_Match=p.headers["etag"]).status, 304)
    for accept in ("identity", "gzip;q=0", "gzipx", "br"):
        p = Page(f"/{NAME}/text.txt", Accept_Encoding=accept)
        same((accept, p.headers["content-encoding"], p.body), (accept, None, TEXT))
    same(Page(f"/{NAME}/noise.bin", Accept_Encoding="gzip").headers["content-encoding"], None)
    same(Page(f"/{NAME}/dir/one", Accept_Encoding="gzip").headers["content-encoding"], None)


def test_folders():
    public("s3:GetObject", "s3:ListBucket")
    p = Page(f"/{NAME}")
    same((p.status, p.headers["location"]), (301, f"/{NAME}/"))
    p = Page(f"/{NAME}/")
    same((p.status, p.headers["content-type"]), (200, "text/html; charset=utf-8"))
    text = p.body.decode()
    assert "<script>" not in text and EVIL in html.unescape(text), text
    links = [urllib.parse.unquote(x.split('"')[0]) for x in text.split('href="')[1:]]
    same(links, [f"/{NAME}/{k}" for k in (EVIL, "dir/", "noise.bin", "site/", "text.txt")])
    for link in links:
        same(Page(urllib.parse.quote(link)).status, 200)
    p = Page(f"/{NAME}/dir/", Accept="application/json")
    same(p.headers["content-type"], "application/json")
    d = json.loads(p.body)
    same((d["bucket"], d["prefix"], [(e["name"], e["type"]) for e in d["entries"]]), (NAME, "dir/", [("one", "object"), ("sub/", "folder")]))
    same((d["entries"][0]["size"], "next" in d), (1, False))
    same(Page(f"/{NAME}/dir/", Accept="text/plain").body, b"one\nsub/\n")
    assert f'href="/{NAME}/"' in Page(f"/{NAME}/dir/").body.decode()
    same(Page(f"/{NAME}/nothing/").status, 404)
    same(Page(f"/{NAME}/none").status, 404)


def test_pages_of_many():
    for i in range(1003):
        S3.put_object(Bucket=NAME, Key=f"many/{i:04}", Body=b"")
    d = json.loads(Page(f"/{NAME}/many/", Accept="application/json").body)
    same((len(d["entries"]), d["next"]), (1000, "many/0999"))
    d = json.loads(Page(f"/{NAME}/many/?after=many%2F0999", Accept="application/json").body)
    same(([e["name"] for e in d["entries"]], "next" in d), (["1000", "1001", "1002"], False))
    assert "?after=many%2F0999" in Page(f"/{NAME}/many/", Accept_Encoding="identity").body.decode()


def test_status_pages_stay():
    for path in ("/", "/health", "/health/live", "/metrics"):
        same(Page(path).status, 200)
    S3.delete_bucket_policy(Bucket=NAME)
    same(Page(f"/{NAME}/text.txt").status, 403)


if __name__ == "__main__":
    sys.exit(s3case.run(globals()))
