#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# S3 by boto3: every operation of the gateway, its errors, its ETags and checksums.
"""Run by test_boto3.sh with AWS_* of a running home; ALT_ACCESS_KEY_ID and ALT_SECRET_ACCESS_KEY are another user's."""
import base64
import datetime
import hashlib
import io
import os
import sys
import threading
import urllib.error
import urllib.request
import ssl
import zlib

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.client import Config
from botocore.exceptions import ClientError, ParamValidationError

from s3case import raises, run, same

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
REGION = os.environ["AWS_DEFAULT_REGION"]
MIB = 1 << 20


def client(**kw):
    style = kw.pop("style", "path")
    config = Config(signature_version="s3v4", retries={"max_attempts": 1}, s3={"addressing_style": style}, **kw.pop("config", {}))
    return boto3.client("s3", endpoint_url=kw.pop("endpoint", ENDPOINT), region_name=REGION, config=config, **kw)


S3 = client()
COUNT = [0]


def bucket(keys=(), c=None):
    COUNT[0] += 1
    name = f"b{os.getpid()}-{COUNT[0]}"
    (c or S3).create_bucket(Bucket=name)
    for k in keys:
        S3.put_object(Bucket=name, Key=k, Body=k.encode())
    return name


def md5(data):
    return hashlib.md5(data).hexdigest()


def body(r):
    return r["Body"].read()


def raw(url, method="GET", data=None, headers=None):
    context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE")) if url.startswith("https") else None
    q = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(q, context=context) as r:
            return r.status, r.headers, r.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


# Buckets

def test_buckets():
    name = bucket()
    assert name in [b["Name"] for b in S3.list_buckets()["Buckets"]]
    same(S3.head_bucket(Bucket=name)["BucketRegion"], REGION)
    S3.get_bucket_location(Bucket=name)
    S3.create_bucket(Bucket=name)  # one's own again is fine in us-east-1
    S3.put_object(Bucket=name, Key="a/b", Body=b"x")
    raises("BucketNotEmpty", 409, S3.delete_bucket, Bucket=name)
    S3.delete_object(Bucket=name, Key="a/b")
    S3.delete_bucket(Bucket=name)
    raises("NoSuchBucket", 404, S3.head_bucket, Bucket=name)
    raises("NoSuchBucket", 404, S3.list_objects_v2, Bucket=name)
    raises("NoSuchBucket", 404, S3.put_object, Bucket=name, Key="k", Body=b"x")
    raises("NoSuchBucket", 404, S3.delete_bucket, Bucket=name)


def test_bucket_names():
    for name in ("ab", "UPPER-case", "under_score", "-dash", "a..b", "192.168.1.1", "a" * 64):
        try:
            S3.create_bucket(Bucket=name)
        except ClientError as e:
            same(e.response["Error"]["Code"], "InvalidBucketName")
        except ParamValidationError:
            pass  # boto3's own check
        else:
            raise AssertionError(f"bucket {name} was created")


def test_bucket_location_constraint():
    raises("InvalidLocationConstraint", 400, S3.create_bucket, Bucket=f"loc-{os.getpid()}",
           CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})


def test_list_buckets_pages():
    names = [bucket() for _ in range(3)]
    got, token = [], None
    while True:
        kw = {"ContinuationToken": token} if token else {}
        r = S3.list_buckets(MaxBuckets=1, Prefix=f"b{os.getpid()}-", **kw)
        got += [b["Name"] for b in r["Buckets"]]
        token = r.get("ContinuationToken")
        if not token:
            break
    assert set(names) <= set(got) and len(got) == len(set(got))


# Objects

def test_put_get():
    b = bucket()
    for size in (0, 1, 4096, 65536, 65537, 262144, 262145, 524289, 700001, MIB, MIB + 1, 9 * MIB):
        data = os.urandom(size)
        r = S3.put_object(Bucket=b, Key="k", Body=data)
        same(r["ETag"], f'"{md5(data)}"')
        g = S3.get_object(Bucket=b, Key="k")
        same(g["ContentLength"], size)
        same(g["ETag"], r["ETag"])
        assert body(g) == data
        h = S3.head_object(Bucket=b, Key="k")
        same(h["ContentLength"], size)
        assert abs(h["LastModified"] - datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(minutes=5)


KEYS = ["a", "a/b", "a//b", "a/", "/lead", "trail/", ".", "..", "a/../b", "./x", " space ", "plus+sign", "per%cent%2F", "quo\"te'",
        "tab\there", "new\nline", "uml-ä", "漢字/かな", "emoji-😀", "x" * 255, "y" * 1024, "q?uery=1&b", "#frag", "a:b;c,d@e$f!g*(h)",
        "<xml>&amp;", "back\\slash", "~tilde", "\u200bzero", "deep/" * 50 + "x", "z" * 300 + "/" + "w" * 300]


def test_keys():
    b = bucket()
    for k in KEYS:
        S3.put_object(Bucket=b, Key=k, Body=k.encode(), Metadata={"len": str(len(k))})
    for k in KEYS:
        g = S3.get_object(Bucket=b, Key=k)
        same(body(g), k.encode())
        same(g["Metadata"], {"len": str(len(k))})
    got = [o["Key"] for p in S3.get_paginator("list_objects_v2").paginate(Bucket=b, PaginationConfig={"PageSize": 7}) for o in p["Contents"]]
    same(got, sorted(KEYS, key=lambda s: s.encode()))
    got = [o["Key"] for p in S3.get_paginator("list_objects").paginate(Bucket=b, PaginationConfig={"PageSize": 5}) for o in p["Contents"]]
    same(got, sorted(KEYS, key=lambda s: s.encode()))
    for k in KEYS:
        S3.delete_object(Bucket=b, Key=k)
        raises("NoSuchKey", 404, S3.get_object, Bucket=b, Key=k)
    assert "Contents" not in S3.list_objects_v2(Bucket=b)
    S3.delete_bucket(Bucket=b)


def test_key_too_long():
    b = bucket()
    raises("KeyTooLongError", 400, S3.put_object, Bucket=b, Key="k" * 1025, Body=b"x")


def test_headers():
    b = bucket()
    given = {"CacheControl": "max-age=1", "ContentDisposition": "attachment; filename=\"a\"", "ContentEncoding": "gzip",
             "ContentLanguage": "de", "ContentType": "text/x-test", "Expires": datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc),
             "WebsiteRedirectLocation": "/other"}
    S3.put_object(Bucket=b, Key="k", Body=b"x", Metadata={"One": "1", "two": "a  b", "empty": ""}, **given)
    for r in (S3.head_object(Bucket=b, Key="k"), S3.get_object(Bucket=b, Key="k")):
        for k, v in given.items():
            if k == "Expires":
                same(r["ExpiresString"], "Tue, 01 Jan 2030 00:00:00 GMT")
            else:
                same(r[k], v)
        same(r["Metadata"], {"one": "1", "two": "a  b", "empty": ""})
    same(S3.get_object(Bucket=b, Key="k", ResponseContentType="a/b", ResponseCacheControl="no-cache")["ContentType"], "a/b")
    S3.put_object(Bucket=b, Key="plain", Body=b"x")
    same(S3.head_object(Bucket=b, Key="plain")["ContentType"], "binary/octet-stream")
    S3.put_object(Bucket=b, Key="big", Body=b"x", Metadata={"k": "v" * 2047})
    raises("MetadataTooLarge", 400, S3.put_object, Bucket=b, Key="big", Body=b"x", Metadata={"k": "v" * 2048})


def test_storage_class():
    b = bucket()
    S3.put_object(Bucket=b, Key="k", Body=b"x", StorageClass="STANDARD_IA")
    same(S3.head_object(Bucket=b, Key="k")["StorageClass"], "STANDARD_IA")
    same(S3.list_objects_v2(Bucket=b)["Contents"][0]["StorageClass"], "STANDARD_IA")
    raises("InvalidStorageClass", 400, S3.put_object, Bucket=b, Key="k", Body=b"x", StorageClass="GOLD")


def test_ranges():
    b = bucket()
    data = os.urandom(300000)
    S3.put_object(Bucket=b, Key="k", Body=data)
    for spec, want in (("bytes=0-0", data[:1]), ("bytes=5-", data[5:]), ("bytes=-5", data[-5:]), ("bytes=100-270000", data[100:270001]),
                       ("bytes=299999-400000", data[-1:])):
        r = S3.get_object(Bucket=b, Key="k", Range=spec)
        same(r["ResponseMetadata"]["HTTPStatusCode"], 206)
        assert body(r) == want, spec
        assert r["ContentRange"].endswith("/300000")
    r = S3.get_object(Bucket=b, Key="k", Range="bytes=9-5")
    same(r["ResponseMetadata"]["HTTPStatusCode"], 200)
    assert body(r) == data
    raises("InvalidRange", 416, S3.get_object, Bucket=b, Key="k", Range="bytes=300000-")
    same(S3.head_object(Bucket=b, Key="k", Range="bytes=0-9")["ContentLength"], 10)
    S3.put_object(Bucket=b, Key="e", Body=b"")
    raises("InvalidRange", 416, S3.get_object, Bucket=b, Key="e", Range="bytes=0-1")


def test_long_replies():
    b = bucket()
    data = os.urandom(9 * MIB + 77)
    S3.put_object(Bucket=b, Key="k", Body=data)
    size = len(data)
    # around what is read ahead, and at places that are no multiple of anything
    for first, n in ((0, MIB // 2), (0, MIB // 2 + 1), (1, 2 * MIB), (65535, 2 * MIB + 1), (MIB + 1, 4 * MIB), (77, size - 77), (size - MIB, MIB)):
        r = S3.get_object(Bucket=b, Key="k", Range=f"bytes={first}-{first + n - 1}")
        assert body(r) == data[first:first + n], (first, n)
    # clients that take it in bits of any size, at once
    errors = []

    def slowly(bit):
        stream, got = S3.get_object(Bucket=b, Key="k")["Body"], []
        while piece := stream.read(bit):
            got.append(piece)
        if b"".join(got) != data:
            errors.append(bit)

    threads = [threading.Thread(target=slowly, args=(bit,)) for bit in (1 << 14, 100003, MIB, 3 * MIB + 1)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    same(errors, [])
    # and one that goes away in the middle
    for _ in range(4):
        stream = S3.get_object(Bucket=b, Key="k")["Body"]
        stream.read(3 * MIB)
        stream.close()
    # more at once than get much memory each
    streams = [S3.get_object(Bucket=b, Key="k", Range=f"bytes={i}-")["Body"] for i in range(40)]
    for i, stream in enumerate(streams):
        assert stream.read() == data[i:], i


def test_conditions():
    b = bucket()
    etag = S3.put_object(Bucket=b, Key="k", Body=b"x")["ETag"]
    past, future = datetime.datetime(2001, 1, 1), datetime.datetime(2100, 1, 1)
    S3.get_object(Bucket=b, Key="k", IfMatch=etag)
    raises("PreconditionFailed", 412, S3.get_object, Bucket=b, Key="k", IfMatch='"nope"')
    raises("304", 304, S3.get_object, Bucket=b, Key="k", IfNoneMatch=etag)
    S3.get_object(Bucket=b, Key="k", IfNoneMatch='"nope"')
    S3.get_object(Bucket=b, Key="k", IfModifiedSince=past)
    raises("304", 304, S3.get_object, Bucket=b, Key="k", IfModifiedSince=S3.head_object(Bucket=b, Key="k")["LastModified"])
    raises("PreconditionFailed", 412, S3.get_object, Bucket=b, Key="k", IfUnmodifiedSince=past)
    S3.get_object(Bucket=b, Key="k", IfUnmodifiedSince=future)
    S3.get_object(Bucket=b, Key="k", IfMatch=etag, IfUnmodifiedSince=past)
    raises("412", 412, S3.head_object, Bucket=b, Key="k", IfMatch='"nope"')


def test_conditional_writes():
    b = bucket()
    etag = S3.put_object(Bucket=b, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    raises("PreconditionFailed", 412, S3.put_object, Bucket=b, Key="k", Body=b"2", IfNoneMatch="*")
    raises("PreconditionFailed", 412, S3.put_object, Bucket=b, Key="k", Body=b"2", IfMatch='"nope"')
    S3.put_object(Bucket=b, Key="k", Body=b"2", IfMatch=etag)
    raises("PreconditionFailed", 412, S3.put_object, Bucket=b, Key="k", Body=b"3", IfMatch=etag)
    raises("NoSuchKey", 404, S3.put_object, Bucket=b, Key="none", Body=b"3", IfMatch=etag)
    same(body(S3.get_object(Bucket=b, Key="k")), b"2")
    raises("PreconditionFailed", 412, S3.delete_object, Bucket=b, Key="k", IfMatch='"nope"')
    S3.delete_object(Bucket=b, Key="k", IfMatch=f'"{md5(b"2")}"')
    raises("404", 404, S3.head_object, Bucket=b, Key="k")


def test_race_of_creators():
    b = bucket()
    won = []

    def one(i):
        try:
            client().put_object(Bucket=b, Key="k", Body=str(i).encode(), IfNoneMatch="*")
            won.append(i)
        except ClientError as e:
            assert e.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict"), e

    threads = [threading.Thread(target=one, args=(i,)) for i in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    same(len(won), 1)
    same(body(S3.get_object(Bucket=b, Key="k")), str(won[0]).encode())


def test_digests():
    b = bucket()
    data = b"hello"
    good = base64.b64encode(hashlib.md5(data).digest()).decode()
    S3.put_object(Bucket=b, Key="k", Body=data, ContentMD5=good)
    raises("BadDigest", 400, S3.put_object, Bucket=b, Key="k", Body=b"other", ContentMD5=good)
    raises("InvalidDigest", 400, S3.put_object, Bucket=b, Key="k", Body=data, ContentMD5="AAAA")
    raises("BadDigest", 400, S3.put_object, Bucket=b, Key="k", Body=data, ChecksumCRC32="AAAAAA==")
    raises("InvalidRequest", 400, S3.put_object, Bucket=b, Key="k", Body=data, ChecksumCRC32="A")
    same(body(S3.get_object(Bucket=b, Key="k")), data)


def sums(data):
    return {"CRC32": base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode(),
            "SHA1": base64.b64encode(hashlib.sha1(data).digest()).decode(),
            "SHA256": base64.b64encode(hashlib.sha256(data).digest()).decode()}


def test_checksums():
    b = bucket()
    data = os.urandom(100000)
    for kind, want in sums(data).items():
        r = S3.put_object(Bucket=b, Key=kind, Body=data, ChecksumAlgorithm=kind)
        same(r["Checksum" + kind], want)
        r = S3.head_object(Bucket=b, Key=kind, ChecksumMode="ENABLED")
        same(r["Checksum" + kind], want)
        same(r["ChecksumType"], "FULL_OBJECT")
        a = S3.get_object_attributes(Bucket=b, Key=kind, ObjectAttributes=["Checksum", "ETag", "ObjectSize"])
        same(a["Checksum"]["Checksum" + kind], want)
        same(a["ObjectSize"], 100000)
        assert body(S3.get_object(Bucket=b, Key=kind, ChecksumMode="ENABLED")) == data
    # published check values of "123456789"
    for kind, want in (("CRC32C", "4waSgw=="), ("CRC64NVME", "rosUhgp5mIg=")):
        S3.put_object(Bucket=b, Key="check", Body=b"123456789", **{"Checksum" + kind: want})
        same(S3.head_object(Bucket=b, Key="check", ChecksumMode="ENABLED")["Checksum" + kind], want)
        raises("BadDigest", 400, S3.put_object, Bucket=b, Key="check", Body=b"12345678x", **{"Checksum" + kind: want})


def test_streams():
    b = bucket()
    data = os.urandom(3 * MIB + 7)
    r = S3.put_object(Bucket=b, Key="k", Body=io.BytesIO(data), ContentEncoding="gzip")
    same(r["ETag"], f'"{md5(data)}"')
    g = S3.get_object(Bucket=b, Key="k")
    same(g["ContentEncoding"], "gzip")  # never aws-chunked
    assert body(g) == data
    S3.upload_fileobj(io.BytesIO(data), b, "up")
    out = io.BytesIO()
    S3.download_fileobj(b, "up", out)
    assert out.getvalue() == data


def test_overwrite_and_delete():
    b = bucket()
    S3.put_object(Bucket=b, Key="k", Body=b"one", Metadata={"a": "1"})
    S3.put_object(Bucket=b, Key="k", Body=b"two")
    g = S3.get_object(Bucket=b, Key="k")
    same((body(g), g["Metadata"]), (b"two", {}))
    S3.delete_object(Bucket=b, Key="k")
    S3.delete_object(Bucket=b, Key="k")
    raises("NoSuchKey", 404, S3.get_object, Bucket=b, Key="k")


def test_delete_many():
    keys = [f"dir/{i:04d}" for i in range(250)] + ["ä&<>", "a//b"]
    b = bucket(keys)
    r = S3.delete_objects(Bucket=b, Delete={"Objects": [{"Key": k} for k in keys + ["was-never-there"]]})
    same(len(r["Deleted"]), len(keys) + 1)
    assert "Errors" not in r and "Contents" not in S3.list_objects_v2(Bucket=b)
    S3.put_object(Bucket=b, Key="k", Body=b"x")
    r = S3.delete_objects(Bucket=b, Delete={"Objects": [{"Key": "k"}], "Quiet": True})
    assert "Deleted" not in r and "Errors" not in r
    raises("MalformedXML", 400, S3.delete_objects, Bucket=b, Delete={"Objects": [{"Key": str(i)} for i in range(1001)]})
    raises("MalformedXML", 400, S3.delete_objects, Bucket=b, Delete={"Objects": []})


# Listing

def listing(b, **kw):
    r = S3.list_objects_v2(Bucket=b, **kw)
    return [o["Key"] for o in r.get("Contents", [])], [p["Prefix"] for p in r.get("CommonPrefixes", [])], r


def test_listing():
    keys = ["a-b", "a/1", "a/2/x", "a/2/y", "a0", "b", "b/c", "d//e", "é/x"]
    b = bucket(keys)
    same(listing(b)[0], sorted(keys, key=lambda s: s.encode()))
    same(listing(b, Delimiter="/")[:2], (["a-b", "a0", "b"], ["a/", "b/", "d/", "é/"]))
    same(listing(b, Delimiter="/", Prefix="a/")[:2], (["a/1"], ["a/2/"]))
    same(listing(b, Delimiter="/", Prefix="a")[:2], (["a-b", "a0"], ["a/"]))
    same(listing(b, Delimiter="-")[:2], ([k for k in sorted(keys, key=lambda s: s.encode()) if k != "a-b"], ["a-"]))
    same(listing(b, Prefix="zzz")[:2], ([], []))
    same(listing(b, StartAfter="a/2/x")[0], ["a/2/y", "a0", "b", "b/c", "d//e", "é/x"])
    same(listing(b, MaxKeys=0)[0], [])
    same(listing(b, MaxKeys=0)[2]["IsTruncated"], False)
    same(listing(b, FetchOwner=True)[2]["Contents"][0]["Owner"]["ID"], S3.list_buckets()["Owner"]["ID"])
    for size in (1, 2, 3):
        got, token = [], {}
        while True:
            k, p, r = listing(b, Delimiter="/", MaxKeys=size, **token)
            assert len(k) + len(p) <= size and r["KeyCount"] == len(k) + len(p)
            got += k + p
            if not r["IsTruncated"]:
                break
            token = {"ContinuationToken": r["NextContinuationToken"]}
        same(sorted(got), sorted(["a-b", "a/", "a0", "b", "b/", "d/", "é/"]))
    raises("InvalidArgument", 400, S3.list_objects_v2, Bucket=b, ContinuationToken="garbage")
    raises("InvalidArgument", 400, S3.list_objects_v2, Bucket=b, MaxKeys=-1)


def test_listing_v1():
    b = bucket(["a/1", "a/2", "b", "c/3"])
    r = S3.list_objects(Bucket=b, Delimiter="/", MaxKeys=1)
    same(r["NextMarker"], "a/")
    r = S3.list_objects(Bucket=b, Delimiter="/", MaxKeys=1, Marker="a/")
    same([o["Key"] for o in r["Contents"]], ["b"])
    r = S3.list_objects(Bucket=b, Delimiter="/", Marker="b")
    same([p["Prefix"] for p in r["CommonPrefixes"]], ["c/"])
    assert r["IsTruncated"] is False and "NextMarker" not in r


def test_versions_of_unversioned():
    b = bucket(["a", "b"])
    r = S3.list_object_versions(Bucket=b)
    same([(v["Key"], v["VersionId"], v["IsLatest"]) for v in r["Versions"]], [("a", "null", True), ("b", "null", True)])
    S3.delete_object(Bucket=b, Key="a", VersionId="null")
    same(body(S3.get_object(Bucket=b, Key="b", VersionId="null")), b"b")


# Copies

def test_copy():
    b = bucket()
    data = os.urandom(700000)
    etag = S3.put_object(Bucket=b, Key="from ä+%", Body=data, Metadata={"a": "1"}, ContentType="a/b")["ETag"]
    src = {"Bucket": b, "Key": "from ä+%"}
    r = S3.copy_object(Bucket=b, Key="to", CopySource=src)
    same(r["CopyObjectResult"]["ETag"], etag)
    g = S3.get_object(Bucket=b, Key="to")
    same((g["Metadata"], g["ContentType"]), ({"a": "1"}, "a/b"))
    assert body(g) == data
    S3.copy_object(Bucket=b, Key="to", CopySource=src, MetadataDirective="REPLACE", Metadata={"b": "2"}, ContentType="c/d")
    g = S3.head_object(Bucket=b, Key="to")
    same((g["Metadata"], g["ContentType"]), ({"b": "2"}, "c/d"))
    raises("InvalidRequest", 400, S3.copy_object, Bucket=b, Key="to", CopySource={"Bucket": b, "Key": "to"})
    S3.copy_object(Bucket=b, Key="to", CopySource={"Bucket": b, "Key": "to"}, MetadataDirective="REPLACE", Metadata={"c": "3"})
    assert body(S3.get_object(Bucket=b, Key="to")) == data
    raises("PreconditionFailed", 412, S3.copy_object, Bucket=b, Key="x", CopySource=src, CopySourceIfMatch='"nope"')
    raises("PreconditionFailed", 412, S3.copy_object, Bucket=b, Key="x", CopySource=src, CopySourceIfNoneMatch=etag)
    raises("NoSuchKey", 404, S3.copy_object, Bucket=b, Key="x", CopySource={"Bucket": b, "Key": "none"})
    raises("NoSuchBucket", 404, S3.copy_object, Bucket=b, Key="x", CopySource={"Bucket": "no-such-bucket-here", "Key": "k"})
    other = bucket()
    S3.copy_object(Bucket=other, Key="k", CopySource=src)
    S3.delete_object(Bucket=b, Key="from ä+%")
    assert body(S3.get_object(Bucket=other, Key="k")) == data


# Uploads in parts

def upload(b, key, parts, **kw):
    u = S3.create_multipart_upload(Bucket=b, Key=key, **kw)["UploadId"]
    done = []
    for i, p in enumerate(parts, 1):
        r = S3.upload_part(Bucket=b, Key=key, UploadId=u, PartNumber=i, Body=p)
        same(r["ETag"], f'"{md5(p)}"')
        done.append({"PartNumber": i, "ETag": r["ETag"]})
    return u, done


def mp_etag(parts):
    return f'"{md5(b"".join(hashlib.md5(p).digest() for p in parts))}-{len(parts)}"'


def test_multipart():
    b = bucket()
    parts = [os.urandom(5 * MIB), os.urandom(6 * MIB), b"tail"]
    u, done = upload(b, "k", parts, Metadata={"m": "1"}, ContentType="a/b")
    same([p["Size"] for p in S3.list_parts(Bucket=b, Key="k", UploadId=u)["Parts"]], [len(p) for p in parts])
    page = S3.list_parts(Bucket=b, Key="k", UploadId=u, MaxParts=1, PartNumberMarker=1)
    same(([p["PartNumber"] for p in page["Parts"]], page["IsTruncated"], page["NextPartNumberMarker"]), ([2], True, 2))
    assert u in [x["UploadId"] for x in S3.list_multipart_uploads(Bucket=b)["Uploads"]]
    raises("NoSuchKey", 404, S3.get_object, Bucket=b, Key="k")
    r = S3.complete_multipart_upload(Bucket=b, Key="k", UploadId=u, MultipartUpload={"Parts": done})
    same(r["ETag"], mp_etag(parts))
    again = S3.complete_multipart_upload(Bucket=b, Key="k", UploadId=u, MultipartUpload={"Parts": done})
    same(again["ETag"], r["ETag"])
    g = S3.get_object(Bucket=b, Key="k")
    same((g["ETag"], g["Metadata"], g["ContentType"]), (r["ETag"], {"m": "1"}, "a/b"))
    assert body(g) == b"".join(parts)
    g = S3.get_object(Bucket=b, Key="k", PartNumber=2)
    same((g["PartsCount"], g["ContentLength"], g["ETag"]), (3, 6 * MIB, r["ETag"]))
    assert body(g) == parts[1]
    same(S3.head_object(Bucket=b, Key="k", PartNumber=3)["ContentLength"], 4)
    raises("InvalidPartNumber", 416, S3.get_object, Bucket=b, Key="k", PartNumber=4)
    a = S3.get_object_attributes(Bucket=b, Key="k", ObjectAttributes=["ObjectParts", "ObjectSize"])
    same((a["ObjectParts"]["TotalPartsCount"], a["ObjectSize"]), (3, 11 * MIB + 4))
    raises("NoSuchUpload", 404, S3.list_parts, Bucket=b, Key="k", UploadId=u)
    assert "Uploads" not in S3.list_multipart_uploads(Bucket=b)


def test_multipart_errors():
    b = bucket()
    u, done = upload(b, "k", [b"small", b"small too"])
    def complete(parts, **kw):
        return S3.complete_multipart_upload(Bucket=b, Key="k", UploadId=kw.pop("UploadId", u), MultipartUpload={"Parts": parts}, **kw)
    raises("EntityTooSmall", 400, complete, done)
    raises("InvalidPartOrder", 400, complete, done[::-1])
    raises("InvalidPart", 400, complete, [{"PartNumber": 1, "ETag": '"' + "0" * 32 + '"'}])
    raises("InvalidPart", 400, complete, [{"PartNumber": 7, "ETag": done[0]["ETag"]}])
    raises("MalformedXML", 400, complete, [])
    raises("NoSuchUpload", 404, complete, done, UploadId="nothing")
    raises("InvalidArgument", 400, S3.upload_part, Bucket=b, Key="k", UploadId=u, PartNumber=0, Body=b"x")
    raises("InvalidArgument", 400, S3.upload_part, Bucket=b, Key="k", UploadId=u, PartNumber=10001, Body=b"x")
    raises("NoSuchUpload", 404, S3.upload_part, Bucket=b, Key="other", UploadId=u, PartNumber=1, Body=b"x")
    complete(done[:1])
    same(body(S3.get_object(Bucket=b, Key="k")), b"small")
    u2, _ = upload(b, "k", [b"x"])
    S3.abort_multipart_upload(Bucket=b, Key="k", UploadId=u2)
    raises("NoSuchUpload", 404, S3.abort_multipart_upload, Bucket=b, Key="k", UploadId=u2)
    raises("NoSuchUpload", 404, S3.upload_part, Bucket=b, Key="k", UploadId=u2, PartNumber=1, Body=b"x")
    same(body(S3.get_object(Bucket=b, Key="k")), b"small")


def test_multipart_checksums():
    b = bucket()
    parts = [b"A" * 5 * MIB, b"B" * 5 * MIB, b"C" * 5 * MIB]
    for kind, kind_type in (("CRC32", "FULL_OBJECT"), ("CRC32", "COMPOSITE"), ("SHA256", "COMPOSITE")):
        u = S3.create_multipart_upload(Bucket=b, Key="k", ChecksumAlgorithm=kind, ChecksumType=kind_type)["UploadId"]
        done = []
        for i, p in enumerate(parts, 1):
            r = S3.upload_part(Bucket=b, Key="k", UploadId=u, PartNumber=i, Body=p, ChecksumAlgorithm=kind)
            done.append({"PartNumber": i, "ETag": r["ETag"], "Checksum" + kind: r["Checksum" + kind]})
        r = S3.complete_multipart_upload(Bucket=b, Key="k", UploadId=u, MultipartUpload={"Parts": done}, ChecksumType=kind_type)
        same(r["ChecksumType"], kind_type)
        if kind_type == "FULL_OBJECT" and kind == "CRC32":
            same(r["ChecksumCRC32"], sums(b"".join(parts))["CRC32"])
        if kind == "SHA256":
            whole = hashlib.sha256(b"".join(hashlib.sha256(p).digest() for p in parts)).digest()
            same(r["ChecksumSHA256"], base64.b64encode(whole).decode() + "-3")
        h = S3.get_object(Bucket=b, Key="k", PartNumber=2, ChecksumMode="ENABLED")
        same(h["Checksum" + kind], done[1]["Checksum" + kind])
        assert body(h) == parts[1]
    u = S3.create_multipart_upload(Bucket=b, Key="k", ChecksumAlgorithm="CRC64NVME")["UploadId"]
    r = S3.upload_part(Bucket=b, Key="k", UploadId=u, PartNumber=1, Body=b"123456789", ChecksumCRC64NVME="rosUhgp5mIg=")
    r = S3.complete_multipart_upload(Bucket=b, Key="k", UploadId=u, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": r["ETag"]}]})
    same((r["ChecksumCRC64NVME"], r["ChecksumType"]), ("rosUhgp5mIg=", "FULL_OBJECT"))
    raises("InvalidRequest", 400, S3.create_multipart_upload, Bucket=b, Key="k", ChecksumAlgorithm="SHA1", ChecksumType="FULL_OBJECT")


def test_part_copy():
    b = bucket()
    data = os.urandom(11 * MIB)
    S3.put_object(Bucket=b, Key="src", Body=data)
    u = S3.create_multipart_upload(Bucket=b, Key="k")["UploadId"]
    src = {"Bucket": b, "Key": "src"}
    one = S3.upload_part_copy(Bucket=b, Key="k", UploadId=u, PartNumber=1, CopySource=src, CopySourceRange=f"bytes=3-{5 * MIB + 2}")
    two = S3.upload_part_copy(Bucket=b, Key="k", UploadId=u, PartNumber=2, CopySource=src)
    same(one["CopyPartResult"]["ETag"], f'"{md5(data[3:5 * MIB + 3])}"')
    raises("InvalidArgument", 400, S3.upload_part_copy, Bucket=b, Key="k", UploadId=u, PartNumber=3, CopySource=src, CopySourceRange="bytes=5-")
    raises("InvalidRange", 416, S3.upload_part_copy, Bucket=b, Key="k", UploadId=u, PartNumber=3, CopySource=src,
           CopySourceRange=f"bytes=0-{11 * MIB}")
    S3.complete_multipart_upload(Bucket=b, Key="k", UploadId=u, MultipartUpload={"Parts": [
        {"PartNumber": 1, "ETag": one["CopyPartResult"]["ETag"]}, {"PartNumber": 2, "ETag": two["CopyPartResult"]["ETag"]}]})
    assert body(S3.get_object(Bucket=b, Key="k")) == data[3:5 * MIB + 3] + data


def test_upload_listing():
    b = bucket()
    ids = {k: S3.create_multipart_upload(Bucket=b, Key=k)["UploadId"] for k in ("a/1", "a/2", "b", "c")}
    r = S3.list_multipart_uploads(Bucket=b, Delimiter="/")
    same(([u["Key"] for u in r["Uploads"]], [p["Prefix"] for p in r["CommonPrefixes"]]), (["b", "c"], ["a/"]))
    r = S3.list_multipart_uploads(Bucket=b, Prefix="a/")
    same([u["UploadId"] for u in r["Uploads"]], [ids["a/1"], ids["a/2"]])
    got, marker = [], {}
    while True:
        r = S3.list_multipart_uploads(Bucket=b, MaxUploads=1, **marker)
        got += [u["Key"] for u in r["Uploads"]]
        if not r["IsTruncated"]:
            break
        marker = {"KeyMarker": r["NextKeyMarker"], "UploadIdMarker": r["NextUploadIdMarker"]}
    same(got, ["a/1", "a/2", "b", "c"])


# Configurations that are not there

def test_probes():
    b = bucket(["k"])
    assert "Status" not in S3.get_bucket_versioning(Bucket=b)
    same(S3.get_bucket_acl(Bucket=b)["Grants"][0]["Permission"], "FULL_CONTROL")
    same(S3.get_object_acl(Bucket=b, Key="k")["Grants"][0]["Permission"], "FULL_CONTROL")
    same(S3.get_object_tagging(Bucket=b, Key="k")["TagSet"], [])
    same(S3.get_bucket_request_payment(Bucket=b)["Payer"], "BucketOwner")
    for get, lists in ((S3.get_bucket_analytics_configuration, S3.list_bucket_analytics_configurations),
                       (S3.get_bucket_inventory_configuration, S3.list_bucket_inventory_configurations),
                       (S3.get_bucket_metrics_configuration, S3.list_bucket_metrics_configurations),
                       (S3.get_bucket_intelligent_tiering_configuration, S3.list_bucket_intelligent_tiering_configurations)):
        same(lists(Bucket=b)["IsTruncated"], False)
        raises("NoSuchConfiguration", 404, get, Bucket=b, Id="x")
    raises("MethodNotAllowed", 405, S3.get_object_torrent, Bucket=b, Key="k")
    raises("MethodNotAllowed", 405, S3.restore_object, Bucket=b, Key="k", RestoreRequest={"Days": 1})
    for fn in (S3.get_bucket_logging, S3.get_bucket_accelerate_configuration, S3.get_bucket_notification_configuration):
        fn(Bucket=b)
    for fn, code in ((S3.get_bucket_policy, "NoSuchBucketPolicy"), (S3.get_bucket_ownership_controls, "OwnershipControlsNotFoundError"),
                     (S3.get_public_access_block, "NoSuchPublicAccessBlockConfiguration"), (S3.get_bucket_cors, "NoSuchCORSConfiguration"),
                     (S3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration"), (S3.get_bucket_tagging, "NoSuchTagSet"),
                     (S3.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError"),
                     (S3.get_bucket_website, "NoSuchWebsiteConfiguration"),
                     (S3.get_bucket_replication, "ReplicationConfigurationNotFoundError")):
        raises(code, 404, fn, Bucket=b)
        raises("NoSuchBucket", 404, fn, Bucket="no-such-bucket-here")
    same(body(S3.get_object(Bucket=b, Key="k")), b"k")


def rename(b, k, source, **headers):
    """RenameObject by a signed request of our own: boto3 sends it to directory buckets only."""
    creds = S3._request_signer._credentials
    url = f"{ENDPOINT}/{b}/{k}?renameObject"
    q = AWSRequest("PUT", url, headers={"x-amz-rename-source": source, **{n.replace("_", "-"): v for n, v in headers.items()}})
    S3SigV4Auth(creds, "s3", REGION).add_auth(q)
    status, _, text = raw(url, "PUT", b"", dict(q.headers))
    return status if status == 200 else (status, text.decode().split("<Code>")[1].split("<")[0])


def test_rename_object():
    b = bucket(["a", "b", "d/e"])
    tag = S3.head_object(Bucket=b, Key="a")["ETag"]
    same(rename(b, "n/new", f"/{b}/a"), 200)
    same(S3.head_object(Bucket=b, Key="n/new")["ETag"], tag)
    raises("NoSuchKey", 404, S3.head_object, Bucket=b, Key="a")
    same(rename(b, "b", "n/new", if_none_match="*"), (412, "PreconditionFailed"))
    same(rename(b, "b", "n/new", x_amz_rename_source_if_match="\"no\""), (412, "PreconditionFailed"))
    same(rename(b, "b", "n/new", x_amz_rename_source_if_unmodified_since="Mon, 01 Jan 2001 00:00:00 GMT"), (412, "PreconditionFailed"))
    same(rename(b, "b", "n/new", x_amz_rename_source_if_match=tag, if_match="*"), 200)
    same(body(S3.get_object(Bucket=b, Key="b")), b"a")
    same(rename(b, "%C3%A4%20x", "d%2Fe"), 200)
    same([o["Key"] for o in S3.list_objects_v2(Bucket=b)["Contents"]], ["b", "ä x"])
    same(rename(b, "x", "none"), (404, "NoSuchKey"))
    same(rename(b, "x/", "b"), (400, "InvalidRequest"))
    same(rename(b, "x", "/other/b"), (400, "InvalidRequest"))
    same(rename(b, "x", ""), (400, "InvalidArgument"))
    S3.put_bucket_versioning(Bucket=b, VersioningConfiguration={"Status": "Enabled"})
    same(rename(b, "x", "b"), (409, "InvalidBucketState"))


# Who may what

def test_users():
    alt = client(aws_access_key_id=os.environ["ALT_ACCESS_KEY_ID"], aws_secret_access_key=os.environ["ALT_SECRET_ACCESS_KEY"])
    mine = bucket(["k"])
    raises("AccessDenied", 403, alt.get_object, Bucket=mine, Key="k")
    raises("AccessDenied", 403, alt.put_object, Bucket=mine, Key="k", Body=b"x")
    raises("AccessDenied", 403, alt.list_objects_v2, Bucket=mine)
    raises("AccessDenied", 403, alt.delete_bucket, Bucket=mine)
    raises("BucketAlreadyExists", 409, alt.create_bucket, Bucket=mine)
    assert mine not in [b["Name"] for b in alt.list_buckets()["Buckets"]]
    theirs = bucket(c=alt)
    alt.put_object(Bucket=theirs, Key="k", Body=b"x")
    raises("AccessDenied", 403, alt.copy_object, Bucket=theirs, Key="c", CopySource={"Bucket": mine, "Key": "k"})
    same([b["Name"] for b in alt.list_buckets()["Buckets"]], [theirs])
    same(body(S3.get_object(Bucket=theirs, Key="k")), b"x")  # an admin sees all
    raises("InvalidAccessKeyId", 403, client(aws_access_key_id="NOBODY", aws_secret_access_key="x" * 8).list_buckets)
    raises("SignatureDoesNotMatch", 403, client(aws_secret_access_key="x" * 8, aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"]).list_buckets)
    if os.environ.get("RO_ACCESS_KEY_ID"):
        ro = client(aws_access_key_id=os.environ["RO_ACCESS_KEY_ID"], aws_secret_access_key=os.environ["RO_SECRET_ACCESS_KEY"])
        same(body(ro.get_object(Bucket=mine, Key="k")), b"k")
        raises("AccessDenied", 403, ro.put_object, Bucket=mine, Key="k", Body=b"x")
        raises("AccessDenied", 403, ro.delete_object, Bucket=mine, Key="k")
        raises("AccessDenied", 403, ro.create_bucket, Bucket="made-by-a-reader")


def test_presigned():
    b = bucket(["k ä+"])
    url = S3.generate_presigned_url("get_object", Params={"Bucket": b, "Key": "k ä+", "ResponseContentType": "a/b"}, ExpiresIn=60)
    status, headers, text = raw(url)
    same((status, text, headers["Content-Type"]), (200, "k ä+".encode(), "a/b"))
    same(raw(url, "HEAD")[0], 403)  # another method is not what was signed
    same(raw(url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"))[0], 403)
    for wrong in (0, -7, 609901):
        same(raw(S3.generate_presigned_url("get_object", Params={"Bucket": b, "Key": "k ä+"}, ExpiresIn=wrong))[0], 403)
    url = S3.generate_presigned_url("put_object", Params={"Bucket": b, "Key": "up"}, ExpiresIn=60)
    same(raw(url, "PUT", b"by url")[0], 200)
    same(body(S3.get_object(Bucket=b, Key="up")), b"by url")
    same(raw(f"{ENDPOINT}/{b}/up")[0], 403)  # nobody
    same(raw(f"{ENDPOINT}/")[0], 403)


def test_region():
    wrong = boto3.client("s3", endpoint_url=ENDPOINT, region_name="eu-north-1", config=Config(signature_version="s3v4", retries={"max_attempts": 0}))
    r = raises("AuthorizationHeaderMalformed", 400, wrong.list_buckets)
    same(r["Error"]["Region"], REGION)


def test_error_form():
    b = bucket()
    r = raises("NoSuchKey", 404, S3.get_object, Bucket=b, Key="ä<&>")
    same(r["Error"]["Key"], "ä<&>")
    meta = r["ResponseMetadata"]
    assert len(meta["RequestId"]) == 16 and meta["HostId"]
    same(r["Error"]["Message"], "The specified key does not exist.")


def test_many_at_once():
    b = bucket()
    wrong = []

    def one(i):
        c = client()
        try:
            for n in range(10):
                data = os.urandom(1 + (i * 7919 + n * 104729) % 200000)
                same(c.put_object(Bucket=b, Key=f"{i}/{n}", Body=data)["ETag"], f'"{md5(data)}"')
                assert body(c.get_object(Bucket=b, Key=f"{i}/{n}")) == data
        except Exception as e:
            wrong.append(e)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong, wrong[0]
    same(len(listing(b)[0]), 80)


if __name__ == "__main__":
    sys.exit(run(globals()))
