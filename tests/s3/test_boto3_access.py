#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Who may what: two users, an admin and nobody by name, over policies, lists, ownership and the block of public access.
"""Run with AWS_* of an admin of a running home, ONE_* and TWO_* of two users (s3lib.sh: two_users)."""
import datetime
import json
import os
import sys
import urllib.error
import urllib.request
import ssl

import boto3
from botocore import UNSIGNED
from botocore.client import Config

from s3case import raises, run, same

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
REGION = os.environ["AWS_DEFAULT_REGION"]
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"


def client(who=None):
    config = {"retries": {"max_attempts": 1}, "s3": {"addressing_style": "path"}}
    if who is None:
        return boto3.client("s3", endpoint_url=ENDPOINT, region_name=REGION, config=Config(signature_version=UNSIGNED, **config))
    return boto3.client("s3", endpoint_url=ENDPOINT, region_name=REGION, config=Config(signature_version="s3v4", **config),
                        aws_access_key_id=os.environ[f"{who}_ACCESS_KEY_ID"],
                        aws_secret_access_key=os.environ[f"{who}_SECRET_ACCESS_KEY"])


ADMIN, ONE, TWO, NOBODY = client("AWS"), client("ONE"), client("TWO"), client()
ONE_ID, TWO_ID = os.environ["ONE_ID"], os.environ["TWO_ID"]
COUNT = [0]


def bucket(keys=(), c=ONE, **kw):
    COUNT[0] += 1
    name = f"a{os.getpid()}-{COUNT[0]}"
    c.create_bucket(Bucket=name, **kw)
    for k in keys:
        c.put_object(Bucket=name, Key=k, Body=k.encode())
    return name


def denied(fn, **kw):
    raises("AccessDenied", 403, fn, **kw)


def body(r):
    return r["Body"].read()


def statement(b, action, effect="Allow", principal="*", resource=None, **kw):
    return {"Effect": effect, "Principal": principal, "Action": action,
            "Resource": resource or [f"arn:aws:s3:::{b}", f"arn:aws:s3:::{b}/*"], **kw}


def policy(b, *statements, c=ONE):
    c.put_bucket_policy(Bucket=b, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))


def grants(r):
    return sorted((g["Grantee"].get("ID") or g["Grantee"]["URI"], g["Permission"]) for g in r["Grants"])


def block(b, **kw):
    switches = {k: kw.get(k, False) for k in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")}
    ONE.put_public_access_block(Bucket=b, PublicAccessBlockConfiguration=switches)


def ownership(b, value):
    ONE.put_bucket_ownership_controls(Bucket=b, OwnershipControls={"Rules": [{"ObjectOwnership": value}]})


# Nobody by name, and strangers

def test_nothing_said():
    b = bucket(["k"])
    for c in (NOBODY, TWO):
        denied(c.get_object, Bucket=b, Key="k")
        denied(c.get_object, Bucket=b, Key="not-there")
        denied(c.head_object, Bucket=b, Key="k")
        denied(c.head_object, Bucket=b, Key="not-there")
        denied(c.put_object, Bucket=b, Key="k", Body=b"x")
        denied(c.delete_object, Bucket=b, Key="k")
        denied(c.list_objects_v2, Bucket=b)
        denied(c.list_object_versions, Bucket=b)
        denied(c.list_multipart_uploads, Bucket=b)
        denied(c.create_multipart_upload, Bucket=b, Key="k")
        denied(c.head_bucket, Bucket=b)
        denied(c.delete_bucket, Bucket=b)
        denied(c.get_bucket_acl, Bucket=b)
        denied(c.get_object_acl, Bucket=b, Key="k")
        denied(c.put_bucket_acl, Bucket=b, ACL="private")
        denied(c.put_object_acl, Bucket=b, Key="k", ACL="public-read")
        denied(c.get_bucket_policy, Bucket=b)
        denied(c.get_bucket_policy_status, Bucket=b)
        denied(c.delete_bucket_policy, Bucket=b)
        denied(c.put_public_access_block, Bucket=b, PublicAccessBlockConfiguration={})
        denied(c.get_object_attributes, Bucket=b, Key="k", ObjectAttributes=["ETag"])
        denied(c.get_object_tagging, Bucket=b, Key="k")
        denied(c.get_bucket_location, Bucket=b)
        denied(c.copy_object, Bucket=b, Key="c", CopySource={"Bucket": b, "Key": "k"})
        r = c.delete_objects
        errors = r(Bucket=b, Delete={"Objects": [{"Key": "k"}, {"Key": "l"}]})["Errors"]
        same([(e["Key"], e["Code"]) for e in errors], [("k", "AccessDenied"), ("l", "AccessDenied")])
    denied(NOBODY.list_buckets)
    denied(NOBODY.create_bucket, Bucket="nobodys-bucket")
    same(body(ONE.get_object(Bucket=b, Key="k")), b"k")
    raises("NoSuchBucket", 404, NOBODY.get_object, Bucket="no-such-bucket-here", Key="k")
    assert b not in [x["Name"] for x in TWO.list_buckets()["Buckets"]]
    assert b in [x["Name"] for x in ONE.list_buckets()["Buckets"]]


def test_plain_http():
    b = bucket(["k"])
    policy(b, statement(b, "s3:GetObject"))
    context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE")) if ENDPOINT.startswith("https") else None
    with urllib.request.urlopen(f"{ENDPOINT}/{b}/k", context=context) as r:
        same(r.read(), b"k")
    # a signature that is there must be right, whatever nobody may do
    request = urllib.request.Request(f"{ENDPOINT}/{b}/k?X-Amz-Signature=00")
    try:
        urllib.request.urlopen(request, context=context)
        raise AssertionError("taken")
    except urllib.error.HTTPError as e:
        same(e.code, 400)
    # nobody cannot sign chunks
    request = urllib.request.Request(f"{ENDPOINT}/{b}/k", headers={"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"})
    try:
        urllib.request.urlopen(request, context=context)
        raise AssertionError("taken")
    except urllib.error.HTTPError as e:
        same(e.code, 403)


# Policies

def test_policy_document():
    b = bucket(["k"])
    raises("NoSuchBucketPolicy", 404, ONE.get_bucket_policy, Bucket=b)
    for text in ("{}", "x", '{"Statement":[]}', json.dumps({"Statement": [statement("other-bucket", "s3:*")]}),
                 json.dumps({"Statement": [statement(b, "s3:Nothing")]})):
        raises("MalformedPolicy", 400, ONE.put_bucket_policy, Bucket=b, Policy=text)
    raises("MalformedPolicy", 400, ONE.put_bucket_policy, Bucket=b, Policy=" " * 21000)
    text = json.dumps({"Statement": statement(b, "s3:GetObject")}, indent=3)
    same(ONE.put_bucket_policy(Bucket=b, Policy=text)["ResponseMetadata"]["HTTPStatusCode"], 204)
    same(ONE.get_bucket_policy(Bucket=b)["Policy"], text)
    assert ONE.get_bucket_policy_status(Bucket=b)["PolicyStatus"]["IsPublic"]
    ONE.delete_bucket_policy(Bucket=b)
    raises("NoSuchBucketPolicy", 404, ONE.get_bucket_policy, Bucket=b)
    assert not ONE.get_bucket_policy_status(Bucket=b)["PolicyStatus"]["IsPublic"]
    denied(NOBODY.get_object, Bucket=b, Key="k")


def test_policy_allows():
    b = bucket(["pub/a", "priv/a"])
    policy(b, statement(b, "s3:GetObject", resource=f"arn:aws:s3:::{b}/pub/*"),
           statement(b, "s3:ListBucket", resource=f"arn:aws:s3:::{b}", Condition={"StringLike": {"s3:prefix": "pub/*"}}),
           statement(b, "s3:PutObject", principal={"AWS": "arn:aws:iam:::user/two"}, resource=f"arn:aws:s3:::{b}/in/${{aws:username}}/*"))
    for c in (NOBODY, TWO):
        same(body(c.get_object(Bucket=b, Key="pub/a")), b"pub/a")
        same(c.head_object(Bucket=b, Key="pub/a")["ContentLength"], 5)
        denied(c.get_object, Bucket=b, Key="priv/a")
        same([o["Key"] for o in c.list_objects_v2(Bucket=b, Prefix="pub/")["Contents"]], ["pub/a"])
        denied(c.list_objects_v2, Bucket=b)
        denied(c.list_objects_v2, Bucket=b, Prefix="p")
        raises("NoSuchKey", 404, c.get_object, Bucket=b, Key="pub/none")
        denied(c.get_object, Bucket=b, Key="priv/none")
        denied(c.put_object, Bucket=b, Key="pub/b", Body=b"")
    TWO.put_object(Bucket=b, Key="in/two/x", Body=b"x")
    denied(TWO.put_object, Bucket=b, Key="in/one/x", Body=b"x")
    denied(NOBODY.put_object, Bucket=b, Key="in/two/x", Body=b"x")


def test_policy_denies():
    b = bucket(["k", "keep"])
    policy(b, statement(b, "s3:DeleteObject", effect="Deny", resource=f"arn:aws:s3:::{b}/keep"),
           statement(b, ["s3:GetBucketLocation", "s3:*BucketPolicy"], effect="Deny"))
    for c in (ONE, ADMIN):
        denied(c.delete_object, Bucket=b, Key="keep")
        denied(c.get_bucket_location, Bucket=b)
        r = c.delete_objects(Bucket=b, Delete={"Objects": [{"Key": "k"}, {"Key": "keep"}]})
        same([x["Key"] for x in r["Deleted"]], ["k"])
        same([(x["Key"], x["Code"]) for x in r["Errors"]], [("keep", "AccessDenied")])
    ONE.get_bucket_policy(Bucket=b)  # who locked themselves out can open again
    ONE.delete_bucket_policy(Bucket=b)
    ONE.delete_object(Bucket=b, Key="keep")


def test_policy_conditions():
    b = bucket(["k"])
    policy(b, statement(b, "s3:GetObject", Condition={"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}, "StringLike": {"aws:UserAgent": "*"}}))
    same(body(NOBODY.get_object(Bucket=b, Key="k")), b"k")
    policy(b, statement(b, "s3:GetObject", Condition={"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}))
    denied(NOBODY.get_object, Bucket=b, Key="k")
    secure = "true" if ENDPOINT.startswith("https") else "false"
    policy(b, statement(b, "s3:GetObject", Condition={"Bool": {"aws:SecureTransport": secure}}))
    NOBODY.get_object(Bucket=b, Key="k")
    policy(b, statement(b, "s3:GetObject", Condition={"DateGreaterThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}))
    denied(NOBODY.get_object, Bucket=b, Key="k")
    policy(b, statement(b, "s3:ListBucket", Condition={"NumericLessThanEquals": {"s3:max-keys": "10"}}))
    TWO.list_objects_v2(Bucket=b, MaxKeys=10)
    denied(TWO.list_objects_v2, Bucket=b, MaxKeys=11)
    denied(TWO.list_objects_v2, Bucket=b)
    policy(b, statement(b, "s3:PutObject", Condition={"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}))
    denied(TWO.put_object, Bucket=b, Key="w", Body=b"x")
    TWO.put_object(Bucket=b, Key="w", Body=b"x", ACL="bucket-owner-full-control")
    same(body(ONE.get_object(Bucket=b, Key="w")), b"x")
    policy(b, statement(b, "s3:PutObject", effect="Deny", Condition={"Null": {"s3:x-amz-server-side-encryption": "true"}}))
    denied(ONE.put_object, Bucket=b, Key="w", Body=b"x")
    ONE.put_object(Bucket=b, Key="w", Body=b"x", ServerSideEncryption="AES256")


def test_copy_needs_both_sides():
    source, target = bucket(["open", "shut"]), bucket()
    own = bucket(["k"], c=TWO)
    policy(source, statement(source, "s3:GetObject", resource=f"arn:aws:s3:::{source}/open"))
    TWO.copy_object(Bucket=own, Key="c", CopySource={"Bucket": source, "Key": "open"})
    denied(TWO.copy_object, Bucket=own, Key="c", CopySource={"Bucket": source, "Key": "shut"})
    denied(TWO.copy_object, Bucket=own, Key="c", CopySource={"Bucket": source, "Key": "none"})
    denied(TWO.copy_object, Bucket=target, Key="c", CopySource={"Bucket": source, "Key": "open"})
    upload = TWO.create_multipart_upload(Bucket=own, Key="m")["UploadId"]
    TWO.upload_part_copy(Bucket=own, Key="m", UploadId=upload, PartNumber=1, CopySource={"Bucket": source, "Key": "open"})
    denied(TWO.upload_part_copy, Bucket=own, Key="m", UploadId=upload, PartNumber=1, CopySource={"Bucket": source, "Key": "shut"})
    policy(target, statement(target, "s3:PutObject", Condition={"StringLike": {"s3:x-amz-copy-source": f"{source}/o*"}}))
    TWO.copy_object(Bucket=target, Key="c", CopySource={"Bucket": source, "Key": "open"})
    denied(TWO.copy_object, Bucket=target, Key="c", CopySource={"Bucket": own, "Key": "k"})


def test_uploads():
    b = bucket()
    policy(b, statement(b, "s3:PutObject", principal={"AWS": [ONE_ID, TWO_ID]}))
    mine = ONE.create_multipart_upload(Bucket=b, Key="m")["UploadId"]
    theirs = TWO.create_multipart_upload(Bucket=b, Key="m")["UploadId"]
    TWO.upload_part(Bucket=b, Key="m", UploadId=theirs, PartNumber=1, Body=b"x")
    same(TWO.list_parts(Bucket=b, Key="m", UploadId=theirs)["Owner"]["ID"], TWO_ID)
    denied(TWO.list_parts, Bucket=b, Key="m", UploadId=mine)
    denied(TWO.abort_multipart_upload, Bucket=b, Key="m", UploadId=mine)
    denied(NOBODY.abort_multipart_upload, Bucket=b, Key="m", UploadId=theirs)
    policy(b, statement(b, "s3:AbortMultipartUpload", effect="Deny", principal={"AWS": TWO_ID}))
    denied(TWO.abort_multipart_upload, Bucket=b, Key="m", UploadId=theirs)
    ONE.delete_bucket_policy(Bucket=b)
    TWO.abort_multipart_upload(Bucket=b, Key="m", UploadId=theirs)
    ONE.abort_multipart_upload(Bucket=b, Key="m", UploadId=mine)


def test_tags():
    b = bucket(["k"])
    tags = lambda **kw: {"TagSet": [{"Key": k, "Value": v} for k, v in kw.items()]}
    policy(b, statement(b, "s3:GetObject", Condition={"StringEquals": {"s3:ExistingObjectTag/team": "a"}}),
           statement(b, "s3:PutObjectTagging", Condition={"StringEquals": {"s3:RequestObjectTag/team": ["a", "b"]},
                                                          "ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["team"]}}),
           statement(b, "s3:PutObject", Condition={"StringEquals": {"s3:RequestObjectTag/team": "b"}}))
    denied(TWO.get_object, Bucket=b, Key="k")
    denied(TWO.put_object_tagging, Bucket=b, Key="k", Tagging=tags(team="c"))
    denied(TWO.put_object_tagging, Bucket=b, Key="k", Tagging=tags(team="a", more="x"))
    denied(TWO.put_object_tagging, Bucket=b, Key="k", Tagging=tags())
    denied(TWO.get_object_tagging, Bucket=b, Key="k")
    ONE.put_object_tagging(Bucket=b, Key="k", Tagging=tags(team="a", more="x"))
    same(body(TWO.get_object(Bucket=b, Key="k")), b"k")
    denied(TWO.put_object, Bucket=b, Key="p", Body=b"p", Tagging="team=a")
    TWO.put_object(Bucket=b, Key="p", Body=b"p", Tagging="team=b")


def test_versions():
    b = bucket(ACL="public-read-write")
    ONE.put_bucket_versioning(Bucket=b, VersioningConfiguration={"Status": "Enabled"})
    old = ONE.put_object(Bucket=b, Key="k", Body=b"old")["VersionId"]
    new = ONE.put_object(Bucket=b, Key="k", Body=b"new", ACL="public-read")["VersionId"]
    same(body(NOBODY.get_object(Bucket=b, Key="k")), b"new")
    denied(NOBODY.get_object, Bucket=b, Key="k", VersionId=old)
    ONE.put_object_acl(Bucket=b, Key="k", VersionId=old, ACL="public-read")
    ONE.put_object_acl(Bucket=b, Key="k", VersionId=new, ACL="private")
    same(body(NOBODY.get_object(Bucket=b, Key="k", VersionId=old)), b"old")
    denied(NOBODY.get_object, Bucket=b, Key="k")
    same(len(ONE.get_object_acl(Bucket=b, Key="k", VersionId=old)["Grants"]), 2)
    same(len(ONE.get_object_acl(Bucket=b, Key="k")["Grants"]), 1)
    # who may write may hide what is there, but not undo it
    denied(TWO.delete_object, Bucket=b, Key="k", VersionId=old)
    errors = TWO.delete_objects(Bucket=b, Delete={"Objects": [{"Key": "k", "VersionId": old}]})["Errors"]
    same([e["Code"] for e in errors], ["AccessDenied"])
    TWO.delete_object(Bucket=b, Key="k")
    ONE.put_bucket_acl(Bucket=b, ACL="private")
    denied(NOBODY.get_object, Bucket=b, Key="k")
    denied(NOBODY.get_object, Bucket=b, Key="k", VersionId="null")
    policy(b, statement(b, ["s3:GetObjectVersion"]))
    same(body(NOBODY.get_object(Bucket=b, Key="k", VersionId=new)), b"new")
    mine = bucket(c=TWO)
    TWO.copy_object(Bucket=mine, Key="c", CopySource={"Bucket": b, "Key": "k", "VersionId": new})
    policy(b, statement(b, ["s3:GetObject"]))
    denied(TWO.copy_object, Bucket=mine, Key="c", CopySource={"Bucket": b, "Key": "k", "VersionId": new})


def test_locks():
    b = bucket(ObjectLockEnabledForBucket=True)
    policy(b, statement(b, ["s3:PutObject", "s3:DeleteObjectVersion"], principal={"AWS": TWO_ID}))
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
    denied(TWO.put_object, Bucket=b, Key="k", Body=b"k", **lock)
    denied(TWO.put_object, Bucket=b, Key="k", Body=b"k", ObjectLockLegalHoldStatus="ON")
    v = ONE.put_object(Bucket=b, Key="k", Body=b"k", **lock)["VersionId"]
    denied(TWO.delete_object, Bucket=b, Key="k", VersionId=v, BypassGovernanceRetention=True)
    denied(TWO.put_object_legal_hold, Bucket=b, Key="k", LegalHold={"Status": "ON"})
    ONE.delete_object(Bucket=b, Key="k", VersionId=v, BypassGovernanceRetention=True)


# Lists

def test_canned():
    b = bucket()
    full = (ONE_ID, "FULL_CONTROL")
    for name, want in (("public-read", [(ALL_USERS, "READ")]), ("public-read-write", [(ALL_USERS, "READ"), (ALL_USERS, "WRITE")]),
                       ("authenticated-read", [(AUTHENTICATED, "READ")]), ("private", [])):
        ONE.put_bucket_acl(Bucket=b, ACL=name)
        same(grants(ONE.get_bucket_acl(Bucket=b)), sorted(want + [full]))
        ONE.put_object(Bucket=b, Key="k", Body=b"k", ACL=name)
        same(grants(ONE.get_object_acl(Bucket=b, Key="k")), sorted(want + [full]))
        if want:
            c = TWO if name == "authenticated-read" else NOBODY
            same(body(c.get_object(Bucket=b, Key="k")), b"k")
            c.list_objects_v2(Bucket=b)
        if name == "authenticated-read":
            denied(NOBODY.get_object, Bucket=b, Key="k")
            denied(NOBODY.list_objects_v2, Bucket=b)
    raises("InvalidArgument", 400, ONE.put_bucket_acl, Bucket=b, ACL="public")
    ONE.put_object(Bucket=b, Key="k", Body=b"k", ACL="public-read", Metadata={"a": "b"})
    before = ONE.head_object(Bucket=b, Key="k")
    ONE.put_object_acl(Bucket=b, Key="k", ACL="private")
    denied(NOBODY.get_object, Bucket=b, Key="k")
    after = ONE.head_object(Bucket=b, Key="k")
    same([before[k] for k in ("ETag", "LastModified", "Metadata")], [after[k] for k in ("ETag", "LastModified", "Metadata")])


def test_grants():
    b = bucket(["k"])
    same(ONE.get_bucket_acl(Bucket=b)["Owner"], {"ID": ONE_ID, "DisplayName": "one"})
    ONE.put_bucket_acl(Bucket=b, GrantRead=f'id="{TWO_ID}"', GrantReadACP='emailAddress="two@example.com"')
    same(grants(ONE.get_bucket_acl(Bucket=b)), sorted([(TWO_ID, "READ"), (TWO_ID, "READ_ACP")]))
    TWO.list_objects_v2(Bucket=b)
    TWO.get_bucket_acl(Bucket=b)
    denied(TWO.put_object, Bucket=b, Key="x", Body=b"")
    denied(TWO.put_bucket_acl, Bucket=b, ACL="private")
    denied(NOBODY.list_objects_v2, Bucket=b)
    acl = {"Owner": {"ID": ONE_ID}, "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": TWO_ID}, "Permission": "WRITE_ACP"}]}
    ONE.put_object_acl(Bucket=b, Key="k", AccessControlPolicy=acl)
    denied(TWO.get_object, Bucket=b, Key="k")
    denied(TWO.get_object_acl, Bucket=b, Key="k")
    acl["Grants"][0]["Permission"] = "READ"
    TWO.put_object_acl(Bucket=b, Key="k", AccessControlPolicy=acl)
    same(body(TWO.get_object(Bucket=b, Key="k")), b"k")
    same(ONE.get_object_acl(Bucket=b, Key="k")["Owner"]["ID"], ONE_ID)
    same(body(ONE.get_object(Bucket=b, Key="k")), b"k")
    denied(TWO.put_object_acl, Bucket=b, Key="k", AccessControlPolicy=acl)
    acl["Owner"]["ID"] = TWO_ID
    denied(ONE.put_object_acl, Bucket=b, Key="k", AccessControlPolicy=acl)
    acl = {"Owner": {"ID": ONE_ID}, "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": "00" * 32}, "Permission": "READ"}]}
    raises("InvalidArgument", 400, ONE.put_bucket_acl, Bucket=b, AccessControlPolicy=acl)
    acl["Grants"][0]["Grantee"] = {"Type": "AmazonCustomerByEmail", "EmailAddress": "x@example.com"}
    raises("UnresolvableGrantByEmailAddress", 400, ONE.put_bucket_acl, Bucket=b, AccessControlPolicy=acl)
    acl["Grants"][0]["Grantee"] = {"Type": "Group", "URI": "http://example.com/group"}
    raises("InvalidArgument", 400, ONE.put_bucket_acl, Bucket=b, AccessControlPolicy=acl)
    raises("InvalidRequest", 400, ONE.put_bucket_acl, Bucket=b, ACL="private", GrantRead=f"id={TWO_ID}")
    denied(TWO.get_bucket_location, Bucket=b)


def test_copy_keeps_no_list():
    b = bucket()
    ONE.put_object(Bucket=b, Key="k", Body=b"k", ACL="public-read", Metadata={"a": "b"})
    ONE.copy_object(Bucket=b, Key="c", CopySource={"Bucket": b, "Key": "k"})
    same(grants(ONE.get_object_acl(Bucket=b, Key="c")), [(ONE_ID, "FULL_CONTROL")])
    same(ONE.head_object(Bucket=b, Key="c")["Metadata"], {"a": "b"})
    ONE.copy_object(Bucket=b, Key="d", CopySource={"Bucket": b, "Key": "c"}, ACL="public-read")
    same(body(NOBODY.get_object(Bucket=b, Key="d")), b"k")
    upload = ONE.create_multipart_upload(Bucket=b, Key="m", ACL="public-read")["UploadId"]
    etag = ONE.upload_part(Bucket=b, Key="m", UploadId=upload, PartNumber=1, Body=b"m")["ETag"]
    ONE.complete_multipart_upload(Bucket=b, Key="m", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    same(body(NOBODY.get_object(Bucket=b, Key="m")), b"m")


# Ownership

def test_writer_owns():
    b = bucket(ACL="public-read-write")
    TWO.put_object(Bucket=b, Key="k", Body=b"k")
    same(TWO.get_object_acl(Bucket=b, Key="k")["Owner"]["ID"], TWO_ID)
    denied(ONE.get_object, Bucket=b, Key="k")  # it is not theirs, though it lies in their bucket
    same(body(ADMIN.get_object(Bucket=b, Key="k")), b"k")
    policy(b, statement(b, "s3:GetObject"))
    denied(ONE.get_object, Bucket=b, Key="k")  # nor theirs to give away
    denied(NOBODY.get_object, Bucket=b, Key="k")
    same([o["Owner"]["ID"] for o in ONE.list_objects(Bucket=b)["Contents"]], [TWO_ID])
    TWO.put_object_acl(Bucket=b, Key="k", ACL="bucket-owner-read")
    same(body(ONE.get_object(Bucket=b, Key="k")), b"k")
    ownership(b, "BucketOwnerPreferred")
    TWO.put_object(Bucket=b, Key="p", Body=b"p", ACL="bucket-owner-full-control")
    same(ONE.get_object_acl(Bucket=b, Key="p")["Owner"]["ID"], ONE_ID)
    NOBODY.put_object(Bucket=b, Key="n", Body=b"n")
    same(body(ONE.get_object(Bucket=b, Key="n")), b"n")
    ONE.delete_object(Bucket=b, Key="k")


def test_enforced():
    b = bucket(ACL="public-read-write")
    TWO.put_object(Bucket=b, Key="k", Body=b"k", ACL="public-read")
    raises("InvalidBucketAclWithObjectOwnership", 400, ownership, b, "BucketOwnerEnforced")
    ONE.put_bucket_acl(Bucket=b, ACL="private")
    ownership(b, "BucketOwnerEnforced")
    same(body(ONE.get_object(Bucket=b, Key="k")), b"k")
    denied(TWO.get_object, Bucket=b, Key="k")
    denied(NOBODY.get_object, Bucket=b, Key="k")
    same(ONE.get_object_acl(Bucket=b, Key="k")["Owner"]["ID"], ONE_ID)
    raises("AccessControlListNotSupported", 400, ONE.put_object, Bucket=b, Key="x", Body=b"", ACL="public-read")
    raises("AccessControlListNotSupported", 400, ONE.put_bucket_acl, Bucket=b, ACL="private")
    raises("AccessControlListNotSupported", 400, ONE.put_object_acl, Bucket=b, Key="k", ACL="private")
    ONE.put_object(Bucket=b, Key="x", Body=b"", ACL="bucket-owner-full-control")
    ONE.delete_bucket_ownership_controls(Bucket=b)
    raises("OwnershipControlsNotFoundError", 404, ONE.get_bucket_ownership_controls, Bucket=b)
    same(body(NOBODY.get_object(Bucket=b, Key="k")), b"k")
    made = bucket(ObjectOwnership="BucketOwnerEnforced")
    rules = ONE.get_bucket_ownership_controls(Bucket=made)["OwnershipControls"]["Rules"]
    same(rules, [{"ObjectOwnership": "BucketOwnerEnforced"}])
    raises("InvalidBucketAclWithObjectOwnership", 400, bucket, ObjectOwnership="BucketOwnerEnforced", ACL="public-read")


# The block of public access

def test_block():
    b = bucket(["k"])
    raises("NoSuchPublicAccessBlockConfiguration", 404, ONE.get_public_access_block, Bucket=b)
    block(b, BlockPublicAcls=True)
    denied(ONE.put_bucket_acl, Bucket=b, ACL="public-read")
    denied(ONE.put_object_acl, Bucket=b, Key="k", ACL="authenticated-read")
    denied(ONE.put_object, Bucket=b, Key="x", Body=b"", ACL="public-read")
    denied(ONE.put_bucket_acl, Bucket=b, GrantRead=f"uri={ALL_USERS}")
    ONE.put_bucket_acl(Bucket=b, GrantRead=f"id={TWO_ID}")
    ONE.delete_public_access_block(Bucket=b)
    ONE.put_bucket_acl(Bucket=b, ACL="public-read")
    ONE.put_object_acl(Bucket=b, Key="k", ACL="public-read")
    NOBODY.list_objects_v2(Bucket=b)
    assert ONE.get_bucket_policy_status(Bucket=b)["PolicyStatus"]["IsPublic"]
    block(b, IgnorePublicAcls=True)
    denied(NOBODY.list_objects_v2, Bucket=b)
    denied(TWO.get_object, Bucket=b, Key="k")
    assert not ONE.get_bucket_policy_status(Bucket=b)["PolicyStatus"]["IsPublic"]
    block(b, BlockPublicPolicy=True)
    raises("AccessDenied", 403, policy, b, statement(b, "s3:GetObject"))
    policy(b, statement(b, "s3:PutObject", principal={"AWS": TWO_ID}))
    TWO.put_object(Bucket=b, Key="t", Body=b"")
    block(b)
    policy(b, statement(b, "s3:DeleteObject"), statement(b, "s3:PutObject", principal={"AWS": TWO_ID}))
    NOBODY.delete_object(Bucket=b, Key="t")
    block(b, RestrictPublicBuckets=True)
    same(ONE.get_public_access_block(Bucket=b)["PublicAccessBlockConfiguration"]["RestrictPublicBuckets"], True)
    denied(NOBODY.delete_object, Bucket=b, Key="t")
    denied(TWO.put_object, Bucket=b, Key="t", Body=b"")
    ONE.put_object(Bucket=b, Key="t", Body=b"")


def test_expected_owner():
    b = bucket(["k"])
    ONE.get_object(Bucket=b, Key="k", ExpectedBucketOwner=ONE_ID)
    denied(ONE.get_object, Bucket=b, Key="k", ExpectedBucketOwner=TWO_ID)


if __name__ == "__main__":
    sys.exit(run(globals()))
