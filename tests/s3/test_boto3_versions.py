#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# S3 by boto3: versions, delete markers, object lock.
"""Run by test_boto3_http.sh and test_boto3_https.sh with AWS_* of a running home."""
import datetime
import os
import sys
import threading

import boto3
from botocore.client import Config

from s3case import raises, run, same

UTC = datetime.timezone.utc
S3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name=os.environ["AWS_DEFAULT_REGION"],
                  config=Config(signature_version="s3v4", retries={"max_attempts": 1}, s3={"addressing_style": "path"}))
ALT = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name=os.environ["AWS_DEFAULT_REGION"],
                   aws_access_key_id=os.environ["ALT_ACCESS_KEY_ID"], aws_secret_access_key=os.environ["ALT_SECRET_ACCESS_KEY"],
                   config=Config(signature_version="s3v4", retries={"max_attempts": 1}, s3={"addressing_style": "path"}))
COUNT = [0]


def bucket(status="Enabled", **kw):
    COUNT[0] += 1
    name = f"ver{os.getpid()}-{COUNT[0]}"
    S3.create_bucket(Bucket=name, **kw)
    if status:
        versioning(name, status)
    return name


def versioning(name, status):
    S3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
    same(S3.get_bucket_versioning(Bucket=name)["Status"], status)


def put(name, key, text, **kw):
    return S3.put_object(Bucket=name, Key=key, Body=text.encode(), **kw).get("VersionId")


def get(name, key, version=None):
    r = S3.get_object(Bucket=name, Key=key, **({"VersionId": version} if version else {}))
    if version:
        same(r["VersionId"], version)
    return r["Body"].read().decode()


def listed(name, **kw):
    """Every version as (key, id, latest, marker), in the order of the pages."""
    out = []
    for page in S3.get_paginator("list_object_versions").paginate(Bucket=name, **kw):
        rows = [(v["Key"], v["VersionId"], v["IsLatest"], False) for v in page.get("Versions", [])]
        rows += [(v["Key"], v["VersionId"], v["IsLatest"], True) for v in page.get("DeleteMarkers", [])]
        out += rows
        assert len(rows) + len(page.get("CommonPrefixes", [])) <= page["MaxKeys"]
    return out


def empty(name):
    for key, version, _, _ in listed(name):
        S3.delete_object(Bucket=name, Key=key, VersionId=version, BypassGovernanceRetention=True)
    S3.delete_bucket(Bucket=name)


def test_states():
    name = bucket(None)
    assert "Status" not in S3.get_bucket_versioning(Bucket=name)
    assert put(name, "k", "0") is None
    same(listed(name), [("k", "null", True, False)])
    raises("InvalidRequest", 400, S3.put_bucket_versioning, Bucket=name, MFA="a 1",
           VersioningConfiguration={"Status": "Enabled", "MFADelete": "Enabled"})
    raises("MalformedXML", 400, S3.put_bucket_versioning, Bucket=name, VersioningConfiguration={"Status": "Off"})
    raises("AccessDenied", 403, ALT.put_bucket_versioning, Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    versioning(name, "Enabled")
    a = put(name, "k", "a")
    same(len(a), 32)
    versioning(name, "Suspended")
    assert put(name, "k", "null") is None
    same(get(name, "k", "null"), "null")
    same(get(name, "k", a), "a")
    r = S3.delete_object(Bucket=name, Key="k")
    same((r["DeleteMarker"], r["VersionId"]), (True, "null"))
    same(listed(name), [("k", a, False, False), ("k", "null", True, True)])
    empty(name)


def test_life():
    name = bucket()
    ids = [put(name, "d/k", f"v{i}") for i in range(4)]
    same(get(name, "d/k"), "v3")
    same(S3.head_object(Bucket=name, Key="d/k")["VersionId"], ids[3])
    for i, version in enumerate(ids):
        same(get(name, "d/k", version), f"v{i}")
    r = S3.delete_object(Bucket=name, Key="d/k")
    marker = r["VersionId"]
    assert r["DeleteMarker"] and marker not in ids
    r = raises("NoSuchKey", 404, S3.get_object, Bucket=name, Key="d/k")
    same(r["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"], "true")
    same(r["ResponseMetadata"]["HTTPHeaders"]["x-amz-version-id"], marker)
    raises("NoSuchKey", 404, S3.head_object, Bucket=name, Key="d/k")
    raises("MethodNotAllowed", 405, S3.get_object, Bucket=name, Key="d/k", VersionId=marker)
    raises("MethodNotAllowed", 405, S3.head_object, Bucket=name, Key="d/k", VersionId=marker)
    raises("NoSuchVersion", 404, S3.get_object, Bucket=name, Key="d/k", VersionId="0" * 32)
    raises("InvalidArgument", 400, S3.get_object, Bucket=name, Key="d/k", VersionId="no/id")
    raises("BucketNotEmpty", 409, S3.delete_bucket, Bucket=name)
    same(S3.list_objects_v2(Bucket=name)["KeyCount"], 0)
    r = S3.delete_object(Bucket=name, Key="d/k", VersionId=marker)
    same((r["DeleteMarker"], r["VersionId"]), (True, marker))
    same(get(name, "d/k"), "v3")
    r = S3.delete_object(Bucket=name, Key="d/k", VersionId=ids[3])
    assert "DeleteMarker" not in r
    same(get(name, "d/k"), "v2")
    S3.delete_object(Bucket=name, Key="d/k", VersionId=ids[0])
    same([r[1] for r in listed(name)], [ids[2], ids[1]])
    empty(name)


def test_folders_are_keys():
    name = bucket()
    ids = [put(name, "f/", text) for text in ("one", "two")]
    put(name, "f/x", "x")
    same(get(name, "f/", ids[0]), "one")
    S3.delete_object(Bucket=name, Key="f/", VersionId=ids[1])
    same(get(name, "f/"), "one")
    S3.delete_object(Bucket=name, Key="f/")
    raises("NoSuchKey", 404, S3.get_object, Bucket=name, Key="f/")
    same(get(name, "f/", ids[0]), "one")
    same(get(name, "f/x"), "x")
    empty(name)


def test_listing():
    name = bucket()
    want = []
    for key in ("a", "a/b", "a/c", "b", "c/d/e"):
        rows = [(key, put(name, key, str(i)), False, False) for i in range(3)]
        want += reversed(rows)
    want = [(k, v, i % 3 == 0, m) for i, (k, v, _, m) in enumerate(want)]
    for page in (1, 2, 4, 1000):
        same(listed(name, PaginationConfig={"PageSize": page}), want)
    same(listed(name, Prefix="a/", PaginationConfig={"PageSize": 2}), want[3:9])
    r = S3.list_object_versions(Bucket=name, Delimiter="/")
    same([p["Prefix"] for p in r["CommonPrefixes"]], ["a/", "c/"])
    same(len(r["Versions"]), 6)
    got = S3.list_object_versions(Bucket=name, Delimiter="/", MaxKeys=4)
    same((got["IsTruncated"], got["NextKeyMarker"]), (True, "a/"))
    r = S3.list_object_versions(Bucket=name, Delimiter="/", KeyMarker="a/")
    same([v["Key"] for v in r["Versions"]], ["b"] * 3)
    r = S3.list_object_versions(Bucket=name, KeyMarker="a", VersionIdMarker=want[1][1], MaxKeys=2)
    same([v["VersionId"] for v in r["Versions"]], [want[2][1], want[3][1]])
    raises("InvalidArgument", 400, S3.list_object_versions, Bucket=name, VersionIdMarker=want[1][1])
    # a page is deleted before the next one is asked for
    marker = {}
    while True:
        r = S3.list_object_versions(Bucket=name, MaxKeys=2, **marker)
        S3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in r["Versions"]]})
        if not r["IsTruncated"]:
            break
        marker = {"KeyMarker": r["NextKeyMarker"], "VersionIdMarker": r["NextVersionIdMarker"]}
    S3.delete_bucket(Bucket=name)


def test_delete_many():
    name = bucket()
    a, b = put(name, "k", "a"), put(name, "k", "b")
    r = S3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "k", "VersionId": a}, {"Key": "k"}, {"Key": "other"}]})
    gone = {(d["Key"], d.get("VersionId")): d for d in r["Deleted"]}
    assert "DeleteMarker" not in gone["k", a]
    assert gone["k", None]["DeleteMarker"] and gone["other", None]["DeleteMarkerVersionId"]
    r = S3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "k", "VersionId": gone["k", None]["DeleteMarkerVersionId"]}]})
    assert r["Deleted"][0]["DeleteMarker"]
    same(get(name, "k"), "b")
    r = S3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "k", "VersionId": b, "ETag": "bad"}, {"Key": "k", "VersionId": "0" * 40}]})
    same([e["Code"] for e in r["Errors"]], ["PreconditionFailed", "NoSuchVersion"])
    empty(name)


def test_conditions():
    name = bucket()
    etag = S3.put_object(Bucket=name, Key="k", Body=b"a")["ETag"]
    raises("PreconditionFailed", 412, S3.put_object, Bucket=name, Key="k", Body=b"b", IfNoneMatch="*")
    same(len(listed(name)), 1)
    S3.put_object(Bucket=name, Key="k", Body=b"b", IfMatch=etag)
    raises("PreconditionFailed", 412, S3.delete_object, Bucket=name, Key="k", IfMatch=etag)
    S3.delete_object(Bucket=name, Key="k")
    S3.put_object(Bucket=name, Key="k", Body=b"c", IfNoneMatch="*")
    same([m for _, _, _, m in listed(name)], [False] * 3 + [True])
    empty(name)


def test_copies():
    name, plain = bucket(), bucket(None)
    ids = [put(name, "k", text, Metadata={"n": text}) for text in ("a", "b")]
    r = S3.copy_object(Bucket=plain, Key="c", CopySource={"Bucket": name, "Key": "k", "VersionId": ids[0]})
    same(r["CopySourceVersionId"], ids[0])
    same(get(plain, "c"), "a")
    r = S3.copy_object(Bucket=name, Key="k", CopySource={"Bucket": name, "Key": "k", "VersionId": ids[0]}, MetadataDirective="REPLACE")
    same(get(name, "k", r["VersionId"]), "a")
    marker = S3.delete_object(Bucket=name, Key="k")["VersionId"]
    raises("InvalidRequest", 400, S3.copy_object, Bucket=plain, Key="c", CopySource={"Bucket": name, "Key": "k", "VersionId": marker})
    raises("NoSuchKey", 404, S3.copy_object, Bucket=plain, Key="c", CopySource={"Bucket": name, "Key": "k"})
    up = S3.create_multipart_upload(Bucket=name, Key="m")["UploadId"]
    part = S3.upload_part_copy(Bucket=name, Key="m", UploadId=up, PartNumber=1, CopySource={"Bucket": name, "Key": "k", "VersionId": ids[1]})
    done = S3.complete_multipart_upload(Bucket=name, Key="m", UploadId=up,
                                        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]})
    same(get(name, "m", done["VersionId"]), "b")
    S3.delete_object(Bucket=plain, Key="c")
    S3.delete_bucket(Bucket=plain)
    empty(name)


def test_tags_and_attributes():
    name = bucket()
    a, b = put(name, "k", "a"), put(name, "k", "bb")
    S3.put_object_tagging(Bucket=name, Key="k", VersionId=a, Tagging={"TagSet": [{"Key": "x", "Value": "1"}]})
    same(S3.get_object_tagging(Bucket=name, Key="k", VersionId=a)["TagSet"], [{"Key": "x", "Value": "1"}])
    same(S3.get_object_tagging(Bucket=name, Key="k")["TagSet"], [])
    r = S3.get_object_attributes(Bucket=name, Key="k", VersionId=a, ObjectAttributes=["ObjectSize"])
    same((r["ObjectSize"], r["VersionId"]), (1, a))
    same(S3.head_object(Bucket=name, Key="k", VersionId=b)["ContentLength"], 2)
    empty(name)


def later(**kw):
    return (datetime.datetime.now(UTC) + datetime.timedelta(**kw)).replace(microsecond=0)


def test_lock_configuration():
    plain, name = bucket(None), bucket(None, ObjectLockEnabledForBucket=True)
    rule = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}
    raises("InvalidBucketState", 409, S3.put_object_lock_configuration, Bucket=plain, ObjectLockConfiguration=rule)
    raises("ObjectLockConfigurationNotFoundError", 404, S3.get_object_lock_configuration, Bucket=plain)
    versioning(plain, "Enabled")
    S3.put_object_lock_configuration(Bucket=plain, ObjectLockConfiguration=rule)
    same(S3.get_object_lock_configuration(Bucket=plain)["ObjectLockConfiguration"], rule)
    raises("InvalidBucketState", 409, S3.put_bucket_versioning, Bucket=plain, VersioningConfiguration={"Status": "Suspended"})
    same(S3.get_bucket_versioning(Bucket=name)["Status"], "Enabled")
    same(S3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"], {"ObjectLockEnabled": "Enabled"})
    for days, code in ((0, "InvalidRetentionPeriod"), (10 ** 6, "InvalidRetentionPeriod")):
        bad = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": days}}}
        raises(code, 400, S3.put_object_lock_configuration, Bucket=name, ObjectLockConfiguration=bad)
    v = put(plain, "k", "x")
    r = S3.get_object_retention(Bucket=plain, Key="k", VersionId=v)["Retention"]
    same(r["Mode"], "GOVERNANCE")
    assert later(hours=23) < r["RetainUntilDate"] < later(hours=25)
    raises("AccessDenied", 403, S3.delete_object, Bucket=plain, Key="k", VersionId=v)
    empty(plain)
    empty(name)


def test_retention():
    name = bucket(None, ObjectLockEnabledForBucket=True)
    until = later(days=3)
    v = put(name, "k", "x", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until)
    h = S3.head_object(Bucket=name, Key="k")
    same((h["ObjectLockMode"], h["ObjectLockRetainUntilDate"]), ("GOVERNANCE", until))
    raises("AccessDenied", 403, S3.delete_object, Bucket=name, Key="k", VersionId=v)
    raises("AccessDenied", 403, S3.put_object_retention, Bucket=name, Key="k", VersionId=v,
           Retention={"Mode": "GOVERNANCE", "RetainUntilDate": later(days=1)})
    S3.put_object_retention(Bucket=name, Key="k", VersionId=v, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": later(days=4)})
    S3.put_object_retention(Bucket=name, Key="k", VersionId=v, BypassGovernanceRetention=True,
                            Retention={"Mode": "GOVERNANCE", "RetainUntilDate": later(days=1)})
    put(name, "k", "y")
    S3.delete_object(Bucket=name, Key="k")
    same(get(name, "k", v), "x")
    r = S3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "k", "VersionId": v}]})
    same(r["Errors"][0]["Code"], "AccessDenied")
    raises("InvalidArgument", 400, S3.put_object, Bucket=name, Key="k", ObjectLockMode="GOVERNANCE")
    raises("InvalidArgument", 400, S3.put_object_retention, Bucket=name, Key="k", VersionId=v,
           Retention={"Mode": "GOVERNANCE", "RetainUntilDate": later(days=-1)})
    raises("NoSuchObjectLockConfiguration", 404, S3.get_object_legal_hold, Bucket=name, Key="k", VersionId=v)
    empty(name)
    plain = bucket()
    raises("InvalidRequest", 400, S3.put_object, Bucket=plain, Key="k", ObjectLockLegalHoldStatus="ON")
    raises("InvalidRequest", 400, S3.get_object_retention, Bucket=plain, Key="k")
    empty(plain)


def test_compliance_and_hold():
    name = bucket(None, ObjectLockEnabledForBucket=True)
    v = put(name, "k", "x", ObjectLockLegalHoldStatus="ON")
    same(S3.get_object_legal_hold(Bucket=name, Key="k")["LegalHold"]["Status"], "ON")
    raises("AccessDenied", 403, S3.delete_object, Bucket=name, Key="k", VersionId=v, BypassGovernanceRetention=True)
    S3.put_object_legal_hold(Bucket=name, Key="k", VersionId=v, LegalHold={"Status": "OFF"})
    S3.delete_object(Bucket=name, Key="k", VersionId=v)
    v = put(name, "c", "x", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=later(days=1))
    raises("AccessDenied", 403, S3.delete_object, Bucket=name, Key="c", VersionId=v, BypassGovernanceRetention=True)
    raises("AccessDenied", 403, S3.put_object_retention, Bucket=name, Key="c", BypassGovernanceRetention=True,
           Retention={"Mode": "GOVERNANCE", "RetainUntilDate": later(days=2)})
    S3.put_object_retention(Bucket=name, Key="c", Retention={"Mode": "COMPLIANCE", "RetainUntilDate": later(days=2)})
    raises("BucketNotEmpty", 409, S3.delete_bucket, Bucket=name)


def test_many_at_once():
    name = bucket()
    ids, lock = [], threading.Lock()

    def work(n):
        for i in range(10):
            v = put(name, "k", f"{n}-{i}")
            with lock:
                ids.append((v, f"{n}-{i}"))
            if i % 3 == 2:
                S3.delete_object(Bucket=name, Key="k")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    rows = listed(name, PaginationConfig={"PageSize": 7})
    same(len(rows), 60 + 18)
    same(sum(latest for _, _, latest, _ in rows), 1)
    same({v for _, v, _, marker in rows if not marker}, {v for v, _ in ids})
    for v, text in ids:
        same(get(name, "k", v), text)
    empty(name)


if __name__ == "__main__":
    sys.exit(run(globals()))
