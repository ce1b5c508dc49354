#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# S3 by boto3: documents of buckets, tags, cross-origin rules, lifecycle.
"""Run by test_boto3_http.sh and test_boto3_https.sh with the environment of test_boto3.py, whose helpers it takes; s3.lifecycle_day is a second."""
import datetime
import os
import sys
import time

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

from s3case import raises, run, same
from test_boto3 import ENDPOINT, REGION, S3, body, bucket, client, raw


def wait(cond, what):
    deadline = time.monotonic() + 120
    while not cond():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


def tag_set(**kw):
    return {"TagSet": [{"Key": k, "Value": v} for k, v in sorted(kw.items())]}


def keys(b):
    return [o["Key"] for o in S3.list_objects_v2(Bucket=b).get("Contents", [])]


def test_bucket_tagging():
    b = bucket()
    raises("NoSuchTagSet", 404, S3.get_bucket_tagging, Bucket=b)
    S3.put_bucket_tagging(Bucket=b, Tagging=tag_set(a="1", b="x y/z"))
    same(S3.get_bucket_tagging(Bucket=b)["TagSet"], tag_set(a="1", b="x y/z")["TagSet"])
    twice = {"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}
    raises("InvalidTag", 400, S3.put_bucket_tagging, Bucket=b, Tagging=twice)
    raises("InvalidTag", 400, S3.put_bucket_tagging, Bucket=b, Tagging=tag_set(**{f"k{i}": "" for i in range(51)}))
    S3.delete_bucket_tagging(Bucket=b)
    raises("NoSuchTagSet", 404, S3.get_bucket_tagging, Bucket=b)


def test_object_tagging():
    b = bucket(["k"])
    etag = S3.head_object(Bucket=b, Key="k")["ETag"]
    same(S3.get_object_tagging(Bucket=b, Key="k")["TagSet"], [])
    full = tag_set(**{"%03d" % i + "k" * 125: "v" * 256 for i in range(10)})
    S3.put_object_tagging(Bucket=b, Key="k", Tagging=full)
    same(S3.get_object_tagging(Bucket=b, Key="k")["TagSet"], full["TagSet"])
    h = S3.head_object(Bucket=b, Key="k")
    same(h["ETag"], etag)
    same(h["ResponseMetadata"]["HTTPHeaders"]["x-amz-tagging-count"], "10")
    same(body(S3.get_object(Bucket=b, Key="k")), b"k")
    raises("InvalidTag", 400, S3.put_object_tagging, Bucket=b, Key="k", Tagging=tag_set(**{f"k{i}": "" for i in range(11)}))
    raises("InvalidTag", 400, S3.put_object_tagging, Bucket=b, Key="k", Tagging=tag_set(**{"k" * 129: ""}))
    raises("InvalidTag", 400, S3.put_object_tagging, Bucket=b, Key="k", Tagging=tag_set(k="v" * 257))
    raises("InvalidTag", 400, S3.put_object_tagging, Bucket=b, Key="k", Tagging=tag_set(**{"aws:k": ""}))
    raises("InvalidTag", 400, S3.put_object_tagging, Bucket=b, Key="k", Tagging=tag_set(**{"<": ""}))
    raises("NoSuchKey", 404, S3.put_object_tagging, Bucket=b, Key="none", Tagging=tag_set(a=""))
    raises("NoSuchKey", 404, S3.get_object_tagging, Bucket=b, Key="none")
    S3.delete_object_tagging(Bucket=b, Key="k")
    same(S3.get_object_tagging(Bucket=b, Key="k")["TagSet"], [])
    assert "x-amz-tagging-count" not in S3.head_object(Bucket=b, Key="k")["ResponseMetadata"]["HTTPHeaders"]


def test_tags_of_writes():
    b = bucket()
    S3.put_object(Bucket=b, Key="k", Body=b"", Tagging="b=%C3%A4%2B%3D&a")
    same(S3.get_object_tagging(Bucket=b, Key="k")["TagSet"], tag_set(a="", b="ä+=")["TagSet"])
    raises("InvalidTag", 400, S3.put_object, Bucket=b, Key="x", Body=b"", Tagging="a=1&a=2")
    raises("InvalidArgument", 400, S3.put_object, Bucket=b, Key="x", Body=b"", Tagging="a=%zz")
    S3.copy_object(Bucket=b, Key="c", CopySource=f"{b}/k")
    same(len(S3.get_object_tagging(Bucket=b, Key="c")["TagSet"]), 2)
    S3.copy_object(Bucket=b, Key="c", CopySource=f"{b}/k", TaggingDirective="REPLACE", Tagging="n=1")
    same(S3.get_object_tagging(Bucket=b, Key="c")["TagSet"], tag_set(n="1")["TagSet"])
    S3.copy_object(Bucket=b, Key="c", CopySource=f"{b}/k", MetadataDirective="REPLACE", Metadata={"m": "1"})
    same(len(S3.get_object_tagging(Bucket=b, Key="c")["TagSet"]), 2)
    same(S3.head_object(Bucket=b, Key="c")["Metadata"], {"m": "1"})
    u = S3.create_multipart_upload(Bucket=b, Key="m", Tagging="part=yes")["UploadId"]
    etag = S3.upload_part(Bucket=b, Key="m", UploadId=u, PartNumber=1, Body=b"x")["ETag"]
    S3.complete_multipart_upload(Bucket=b, Key="m", UploadId=u, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    same(S3.get_object_tagging(Bucket=b, Key="m")["TagSet"], tag_set(part="yes")["TagSet"])


def test_cors():
    b = bucket()
    url = f"{ENDPOINT}/{b}/k"
    ask = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}
    raises("NoSuchCORSConfiguration", 404, S3.get_bucket_cors, Bucket=b)
    same(raw(url, "OPTIONS", headers=ask)[0], 403)
    rules = [
        {"ID": "one", "AllowedMethods": ["PUT", "GET"], "AllowedOrigins": ["https://*.example"], "AllowedHeaders": ["x-amz-*"],
         "ExposeHeaders": ["ETag", "x-amz-id-2"], "MaxAgeSeconds": 60},
        {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]},
    ]
    S3.put_bucket_cors(Bucket=b, CORSConfiguration={"CORSRules": rules})
    same(S3.get_bucket_cors(Bucket=b)["CORSRules"], rules)
    status, h, _ = raw(url, "OPTIONS", headers={**ask, "Access-Control-Request-Headers": "X-Amz-Date, x-amz-meta-a"})
    same(status, 200)
    same(h["Access-Control-Allow-Origin"], "https://a.example")
    same(h["Access-Control-Allow-Methods"], "PUT, GET")
    same(h["Access-Control-Allow-Headers"], "X-Amz-Date, x-amz-meta-a")
    same(h["Access-Control-Max-Age"], "60")
    same(h["Access-Control-Allow-Credentials"], "true")
    same(raw(url, "OPTIONS", headers={**ask, "Access-Control-Request-Headers": "authorization"})[0], 403)
    same(raw(url, "OPTIONS", headers={**ask, "Origin": "https://a.other"})[0], 403)
    same(raw(url, "OPTIONS", headers={"Origin": "https://a.example"})[0], 400)
    same(raw(url, "OPTIONS", headers={**ask, "Access-Control-Request-Method": "BREW"})[0], 400)
    same(raw(url, "OPTIONS", headers={"Access-Control-Request-Method": "GET"})[0], 400)
    status, h, _ = raw(url, headers={"Origin": "https://b.other"})
    same((status, h["Access-Control-Allow-Origin"]), (403, "*"))
    assert "Access-Control-Allow-Credentials" not in h and "Origin" in h["Vary"]
    signed = S3.generate_presigned_url("put_object", Params={"Bucket": b, "Key": "k"})
    status, h, _ = raw(signed, "PUT", b"x", {"Origin": "https://a.example"})
    same((status, h["Access-Control-Allow-Origin"], h["Access-Control-Expose-Headers"]), (200, "https://a.example", "ETag, x-amz-id-2"))
    for bad, code in (
        ([{"AllowedMethods": ["BREW"], "AllowedOrigins": ["*"]}], "InvalidRequest"),
        ([{"AllowedMethods": ["GET"], "AllowedOrigins": ["*.*"]}], "InvalidRequest"),
        ([{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposeHeaders": ["*"]}], "InvalidRequest"),
        ([{"AllowedMethods": [], "AllowedOrigins": ["*"]}], "MalformedXML"),
        ([], "MalformedXML"),
    ):
        raises(code, 400, S3.put_bucket_cors, Bucket=b, CORSConfiguration={"CORSRules": bad})
    S3.delete_bucket_cors(Bucket=b)
    raises("NoSuchCORSConfiguration", 404, S3.get_bucket_cors, Bucket=b)


def test_encryption():
    b = bucket()
    code = "ServerSideEncryptionConfigurationNotFoundError"
    raises(code, 404, S3.get_bucket_encryption, Bucket=b)

    def by(algorithm):
        return {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}]}

    S3.put_bucket_encryption(Bucket=b, ServerSideEncryptionConfiguration=by("AES256"))
    got = S3.get_bucket_encryption(Bucket=b)["ServerSideEncryptionConfiguration"]["Rules"][0]
    same(got["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256")
    raises("MalformedXML", 400, S3.put_bucket_encryption, Bucket=b, ServerSideEncryptionConfiguration=by("ROT13"))
    same(S3.put_object(Bucket=b, Key="k", Body=b"x")["ServerSideEncryption"], "AES256")
    S3.delete_bucket_encryption(Bucket=b)
    raises(code, 404, S3.get_bucket_encryption, Bucket=b)


def test_website():
    b = bucket()
    raises("NoSuchWebsiteConfiguration", 404, S3.get_bucket_website, Bucket=b)
    w = {"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "error.html"}}
    S3.put_bucket_website(Bucket=b, WebsiteConfiguration=w)
    got = S3.get_bucket_website(Bucket=b)
    same((got["IndexDocument"], got["ErrorDocument"]), (w["IndexDocument"], w["ErrorDocument"]))
    raises("InvalidArgument", 400, S3.put_bucket_website, Bucket=b, WebsiteConfiguration={"IndexDocument": {"Suffix": "a/b"}})
    raises("InvalidArgument", 400, S3.put_bucket_website, Bucket=b, WebsiteConfiguration={"ErrorDocument": {"Key": "e"}})
    S3.delete_bucket_website(Bucket=b)
    raises("NoSuchWebsiteConfiguration", 404, S3.get_bucket_website, Bucket=b)


def test_what_is_unused():
    b = bucket()
    same("LoggingEnabled" in S3.get_bucket_logging(Bucket=b), False)
    S3.put_bucket_logging(Bucket=b, BucketLoggingStatus={})
    on = {"LoggingEnabled": {"TargetBucket": b, "TargetPrefix": "l/"}}
    raises("NotImplemented", 501, S3.put_bucket_logging, Bucket=b, BucketLoggingStatus=on)
    S3.get_bucket_notification_configuration(Bucket=b)
    S3.put_bucket_notification_configuration(Bucket=b, NotificationConfiguration={})
    topic = {"TopicConfigurations": [{"TopicArn": "arn:aws:sns:::t", "Events": ["s3:ObjectCreated:*"]}]}
    raises("NotImplemented", 501, S3.put_bucket_notification_configuration, Bucket=b, NotificationConfiguration=topic)
    same(S3.get_bucket_request_payment(Bucket=b)["Payer"], "BucketOwner")
    S3.put_bucket_request_payment(Bucket=b, RequestPaymentConfiguration={"Payer": "BucketOwner"})
    raises("NotImplemented", 501, S3.put_bucket_request_payment, Bucket=b, RequestPaymentConfiguration={"Payer": "Requester"})
    same("Status" in S3.get_bucket_accelerate_configuration(Bucket=b), False)
    S3.put_bucket_accelerate_configuration(Bucket=b, AccelerateConfiguration={"Status": "Suspended"})
    same(S3.get_bucket_accelerate_configuration(Bucket=b)["Status"], "Suspended")
    raises("ReplicationConfigurationNotFoundError", 404, S3.get_bucket_replication, Bucket=b)


def rule(**kw):
    return {"Filter": {"Prefix": ""}, "Status": "Enabled", **kw}


def lifecycle(b, *rules):
    return S3.put_bucket_lifecycle_configuration(Bucket=b, LifecycleConfiguration={"Rules": list(rules)})


def test_lifecycle_documents():
    b = bucket()
    raises("NoSuchLifecycleConfiguration", 404, S3.get_bucket_lifecycle_configuration, Bucket=b)
    date = datetime.datetime(2090, 1, 1, tzinfo=datetime.timezone.utc)
    rules = [
        {"ID": "a", "Prefix": "old/", "Status": "Disabled", "Expiration": {"Days": 3}},
        {"ID": "b", "Filter": {"And": {"Prefix": "p", "Tags": [{"Key": "k&", "Value": "v="}], "ObjectSizeGreaterThan": 5, "ObjectSizeLessThan": 9}}, "Status": "Enabled",
         "Expiration": {"Date": date}},
        {"ID": "c", "Filter": {"Tag": {"Key": "k", "Value": "v"}}, "Status": "Enabled", "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}],
         "NoncurrentVersionExpiration": {"NoncurrentDays": 2, "NewerNoncurrentVersions": 4}},
        rule(ID="d", Expiration={"ExpiredObjectDeleteMarker": True}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7}),
    ]
    lifecycle(b, *rules)
    same(S3.get_bucket_lifecycle_configuration(Bucket=b)["Rules"], rules)
    lifecycle(b, rule(Expiration={"Days": 1}))
    assert S3.get_bucket_lifecycle_configuration(Bucket=b)["Rules"][0]["ID"]
    for bad, code in (
        ([rule(Expiration={"Days": 0})], "InvalidArgument"),
        ([rule(ID="x" * 256, Expiration={"Days": 1})], "InvalidArgument"),
        ([rule(ID="x", Expiration={"Days": 1}), rule(ID="x", Expiration={"Days": 2})], "InvalidArgument"),
        ([rule(Expiration={"Days": 1}, Status="enabled")], "MalformedXML"),
        ([rule(Expiration={"Days": 1, "ExpiredObjectDeleteMarker": True})], "MalformedXML"),
        ([rule(Expiration={"Date": datetime.datetime(2090, 1, 1, 1)})], "InvalidArgument"),
        ([rule()], "InvalidRequest"),
        ([{"Status": "Enabled", "Expiration": {"Days": 1}}], "MalformedXML"),
        ([rule(Transitions=[{"Days": 1, "StorageClass": "CLOUD"}])], "MalformedXML"),
        ([rule(Filter={"Tag": {"Key": "a", "Value": ""}}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7})], "InvalidRequest"),
    ):
        raises(code, 400, lifecycle, b, *bad)
    S3.delete_bucket_lifecycle(Bucket=b)
    raises("NoSuchLifecycleConfiguration", 404, S3.get_bucket_lifecycle_configuration, Bucket=b)


def test_lifecycle_header():
    b = bucket()
    lifecycle(b, rule(ID="far off", Expiration={"Days": 30000}))
    put = S3.put_object(Bucket=b, Key="k", Body=b"x")
    assert put["Expiration"].endswith('rule-id="far%20off"'), put["Expiration"]
    same(S3.head_object(Bucket=b, Key="k")["Expiration"], put["Expiration"])
    lifecycle(b, rule(ID="far off", Filter={"Tag": {"Key": "a", "Value": "1"}}, Expiration={"Days": 30000}))
    assert "Expiration" not in S3.head_object(Bucket=b, Key="k")
    S3.put_object_tagging(Bucket=b, Key="k", Tagging=tag_set(a="1"))
    same(S3.head_object(Bucket=b, Key="k")["Expiration"], put["Expiration"])


def test_lifecycle_expires():
    b = bucket(["keep", "go/1", "go/2", "size/small"])
    S3.put_object(Bucket=b, Key="size/large", Body=b"x" * 100)
    S3.put_object(Bucket=b, Key="tag/yes", Body=b"", Tagging="a=1&b=2")
    S3.put_object(Bucket=b, Key="tag/no", Body=b"", Tagging="a=2&b=1")
    S3.put_object(Bucket=b, Key="past/k", Body=b"")
    S3.put_object(Bucket=b, Key="cool/k", Body=b"c")
    S3.create_multipart_upload(Bucket=b, Key="up/load")
    S3.create_multipart_upload(Bucket=b, Key="other")
    past = datetime.datetime(2015, 1, 1, tzinfo=datetime.timezone.utc)
    lifecycle(
        b,
        rule(Filter={"Prefix": "go/"}, Expiration={"Days": 1}),
        rule(Filter={"And": {"Prefix": "size/", "ObjectSizeGreaterThan": 50}}, Expiration={"Days": 1}),
        rule(Filter={"Tag": {"Key": "a", "Value": "1"}}, Expiration={"Days": 1}),
        rule(Filter={"Prefix": "past/"}, Expiration={"Date": past}),
        rule(Filter={"Prefix": "cool/"}, Transitions=[{"Days": 1, "StorageClass": "STANDARD_IA"}]),
        rule(Filter={"Prefix": "up/"}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}),
        rule(Filter={"Prefix": "keep"}, Status="Disabled", Expiration={"Days": 1}),
    )
    wait(lambda: keys(b) == ["cool/k", "keep", "size/small", "tag/no"], "expired")
    wait(lambda: [u["Key"] for u in S3.list_multipart_uploads(Bucket=b)["Uploads"]] == ["other"], "aborted")
    wait(lambda: S3.head_object(Bucket=b, Key="cool/k").get("StorageClass") == "STANDARD_IA", "moved")
    same(body(S3.get_object(Bucket=b, Key="cool/k")), b"c")


def versions(b, prefix=""):
    r = S3.list_object_versions(Bucket=b, Prefix=prefix)
    return sorted([v["Key"] for v in r.get("Versions", [])] + ["-" + v["Key"] for v in r.get("DeleteMarkers", [])])


def test_lifecycle_of_versions():
    b = bucket()
    S3.put_bucket_versioning(Bucket=b, VersioningConfiguration={"Status": "Enabled"})
    for prefix in ("all/", "keep/", "lone/", "none/"):
        for i in range(4):
            S3.put_object(Bucket=b, Key=prefix + "k", Body=b"%d" % i)
    S3.put_object(Bucket=b, Key="cur/k", Body=b"")
    for v in S3.list_object_versions(Bucket=b, Prefix="lone/")["Versions"]:
        S3.delete_object(Bucket=b, Key="lone/k", VersionId=v["VersionId"])
    S3.delete_object(Bucket=b, Key="lone/k")
    S3.delete_object(Bucket=b, Key="none/k")
    same(versions(b, "lone/"), ["-lone/k"])
    lifecycle(
        b,
        rule(Filter={"Prefix": "all/"}, NoncurrentVersionExpiration={"NoncurrentDays": 1}),
        rule(Filter={"Prefix": "keep/"}, NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 2}),
        rule(Filter={"Prefix": "lone/"}, Expiration={"ExpiredObjectDeleteMarker": True}),
        rule(Filter={"Prefix": "none/"}, Expiration={"ExpiredObjectDeleteMarker": True}),
        rule(Filter={"Prefix": "cur/"}, Expiration={"Days": 1}),
    )
    wait(lambda: versions(b, "all/") == ["all/k"], "past versions gone")
    wait(lambda: versions(b, "keep/") == ["keep/k"] * 3, "two past versions kept")
    wait(lambda: versions(b, "lone/") == [], "a marker alone gone")
    wait(lambda: "cur/k" in versions(b, "cur/") and keys(b) == ["all/k", "keep/k"] and len(versions(b, "cur/")) == 2, "a marker made")
    same(versions(b, "none/"), ["-none/k"] + ["none/k"] * 4)
    same(body(S3.get_object(Bucket=b, Key="all/k")), b"3")


def test_checksum_nobody_sent():
    b = bucket()
    c = client(config={"request_checksum_calculation": "when_required"})
    put = c.put_object(Bucket=b, Key="k", Body=b"123456789")
    same((put["ChecksumCRC64NVME"], put["ChecksumType"]), ("rosUhgp5mIg=", "FULL_OBJECT"))
    assert "ChecksumCRC64NVME" not in S3.head_object(Bucket=b, Key="k")
    same(S3.head_object(Bucket=b, Key="k", ChecksumMode="ENABLED")["ChecksumCRC64NVME"], "rosUhgp5mIg=")
    got = S3.get_object_attributes(Bucket=b, Key="k", ObjectAttributes=["Checksum", "ETag", "ObjectSize", "StorageClass"])
    same(got["Checksum"], {"ChecksumCRC64NVME": "rosUhgp5mIg=", "ChecksumType": "FULL_OBJECT"})
    same((got["ObjectSize"], got["StorageClass"]), (9, "STANDARD"))
    S3.copy_object(Bucket=b, Key="c", CopySource=f"{b}/k", MetadataDirective="REPLACE")
    same(S3.head_object(Bucket=b, Key="c", ChecksumMode="ENABLED")["ChecksumCRC64NVME"], "rosUhgp5mIg=")


def test_checksum_of_copied_parts():
    b = bucket()
    S3.put_object(Bucket=b, Key="from", Body=b"a" * (6 << 20))
    for algorithm, kind in (("CRC32", "FULL_OBJECT"), ("CRC32", "COMPOSITE"), ("SHA256", "COMPOSITE")):
        name = f"Checksum{algorithm}"
        u = S3.create_multipart_upload(Bucket=b, Key="to", ChecksumAlgorithm=algorithm, ChecksumType=kind)["UploadId"]
        one = S3.upload_part_copy(Bucket=b, Key="to", UploadId=u, PartNumber=1, CopySource=f"{b}/from")["CopyPartResult"]
        two = S3.upload_part(Bucket=b, Key="to", UploadId=u, PartNumber=2, Body=b"tail", ChecksumAlgorithm=algorithm)
        parts = [{"PartNumber": n, "ETag": p["ETag"], name: p[name]} for n, p in ((1, one), (2, two))]
        done = S3.complete_multipart_upload(Bucket=b, Key="to", UploadId=u, ChecksumType=kind, MultipartUpload={"Parts": parts})
        whole = S3.put_object(Bucket=b, Key="whole", Body=b"a" * (6 << 20) + b"tail", ChecksumAlgorithm=algorithm)
        same(done[name] == whole[name], kind == "FULL_OBJECT")
        got = S3.get_object_attributes(Bucket=b, Key="to", ObjectAttributes=["Checksum", "ObjectParts"])
        same(got["Checksum"][name].split("-")[0], done[name].split("-")[0])
        same([p[name] for p in got["ObjectParts"]["Parts"]], [one[name], two[name]])


def old_client(**kw):
    return boto3.client("s3", endpoint_url=ENDPOINT, region_name=REGION, config=Config(signature_version="s3", s3={"addressing_style": "path"}), **kw)


def test_signature_v2_urls():
    b = bucket()
    c = old_client()
    put = c.generate_presigned_url("put_object", Params={"Bucket": b, "Key": "a b+c", "Metadata": {"m": "1"}, "ContentType": "text/plain"})
    assert "AWSAccessKeyId" in put and "X-Amz-Algorithm" not in put
    same(raw(put, "PUT", b"old", {"x-amz-meta-m": "1", "Content-Type": "text/plain"})[0], 200)
    same(raw(put, "PUT", b"old", {"Content-Type": "text/plain"})[0], 200)
    same(raw(put, "PUT", b"old", {"Content-Type": "text/html"})[0], 403)
    get = c.generate_presigned_url("get_object", Params={"Bucket": b, "Key": "a b+c", "ResponseContentType": "text/x;y"})
    status, h, data = raw(get)
    same((status, h["Content-Type"], h["x-amz-meta-m"], data), (200, "text/x;y", "1", b"old"))
    same(raw(c.generate_presigned_url("list_objects", Params={"Bucket": b}))[0], 200)
    same(raw(get.replace("response-content-type", "response-expires"))[0], 403)
    same(raw(get, "DELETE")[0], 403)
    late = c.generate_presigned_url("get_object", Params={"Bucket": b, "Key": "a b+c"}, ExpiresIn=-1)
    status, _, data = raw(late)
    assert status == 403 and b"Request has expired" in data, data
    wrong = old_client(aws_access_key_id="NOBODY", aws_secret_access_key="x" * 8)
    status, _, data = raw(wrong.generate_presigned_url("get_object", Params={"Bucket": b, "Key": "a b+c"}))
    assert status == 403 and b"InvalidAccessKeyId" in data, data


def test_signature_v2_headers_are_off():
    try:
        old_client().list_buckets()
    except ClientError as e:
        same(e.response["ResponseMetadata"]["HTTPStatusCode"], 400)
    else:
        raise AssertionError("taken")


def test_hoisted_headers():
    b = bucket()
    url = S3.generate_presigned_url("put_object", Params={"Bucket": b, "Key": "k"})
    same(raw(url + "&x-amz-tagging=a%3D1", "PUT", b"")[0], 403)  # not signed
    c = boto3.client("s3", endpoint_url=ENDPOINT, region_name=REGION, config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))

    def hoist(request, **kw):
        request.url += "?x-amz-tagging=a%3D1&x-amz-meta-hoisted=yes"

    c.meta.events.register("before-sign.s3.PutObject", hoist)
    same(raw(c.generate_presigned_url("put_object", Params={"Bucket": b, "Key": "k"}), "PUT", b"")[0], 200)
    same(S3.get_object_tagging(Bucket=b, Key="k")["TagSet"], tag_set(a="1")["TagSet"])
    same(S3.head_object(Bucket=b, Key="k")["Metadata"], {"hoisted": "yes"})


def form(url, fields, data, filename="n.txt", headers=None):
    mark = "xxBOUNDARYxx"
    out = b""
    for k, v in fields:
        out += f'--{mark}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n'.encode() + str(v).encode() + b"\r\n"
    if data is not None:
        out += f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\nContent-Type: text/x\r\n\r\n'.encode() + data + b"\r\n"
        out += f'--{mark}\r\nContent-Disposition: form-data; name="submit"\r\n\r\nGo\r\n'.encode()
    out += f"--{mark}--\r\n".encode()
    return raw(url, "POST", out, {"Content-Type": f"multipart/form-data; boundary={mark}", **(headers or {})})


def code_of(answer):
    status, _, data = answer
    return status, data.split(b"<Code>")[1].split(b"</Code>")[0].decode() if b"<Code>" in data else ""


def test_forms():
    b = bucket()

    def post(data=b"hello", conditions=(), fields=None, change=None, key="f/${filename}", c=S3, **kw):
        p = c.generate_presigned_post(b, key, Fields=fields, Conditions=[{k: v} for k, v in (fields or {}).items()] + list(conditions))
        return form(p["url"], list({**p["fields"], **(change or {})}.items()), data, **kw)

    status, h, _ = post()
    same((status, h["ETag"]), (204, '"5d41402abc4b2a76b9719d911017c592"'))
    same(body(S3.get_object(Bucket=b, Key="f/n.txt")), b"hello")
    fields = {"Content-Type": "text/fancy", "x-amz-meta-a": "1", "success_action_status": "201", "tagging": "<Tagging><TagSet><Tag><Key>k</Key><Value>v&amp;</Value></Tag></TagSet></Tagging>".replace("&amp;", "+")}
    status, h, data = post(b"\r\n--xxBOUNDARY", fields=fields, filename="C:\\x\\ä.txt")
    assert status == 201 and b"<Key>f/\xc3\xa4.txt</Key>" in data, data
    got = S3.get_object(Bucket=b, Key="f/ä.txt")
    same((body(got), got["ContentType"], got["Metadata"], got["ResponseMetadata"]["HTTPHeaders"]["x-amz-tagging-count"]), (b"\r\n--xxBOUNDARY", "text/fancy", {"a": "1"}, "1"))
    same(S3.get_object_tagging(Bucket=b, Key="f/ä.txt")["TagSet"], tag_set(k="v+")["TagSet"])
    same(post(change={"x-amz-meta-evil": "1"})[0], 403)
    same(post(change={"key": "other"})[0], 403)
    same(code_of(post(change={"x-amz-signature": "0" * 64})), (403, "SignatureDoesNotMatch"))
    same(code_of(post(change={"policy": "e30="})), (403, "SignatureDoesNotMatch"))
    same(code_of(post(b"x" * 11, [["content-length-range", 1, 10]])), (400, "EntityTooLarge"))
    same(code_of(post(b"", [["content-length-range", 1, 10]])), (400, "EntityTooSmall"))
    same(post(b"x" * 10, [["content-length-range", 1, 10]])[0], 204)
    same(code_of(post(None)), (400, "InvalidArgument"))
    same(code_of(post(change={"key": ""})), (400, "InvalidArgument"))
    same(code_of(post(change={"x-ignore-big": "x" * 30000})), (400, "MaxPostPreDataLengthExceededError"))
    same(code_of(post(change={"x-amz-checksum-crc32": "AAAAAA=="})), (400, "BadDigest"))
    to = {"success_action_redirect": f"{ENDPOINT}/{b}?x=1"}
    p = S3.generate_presigned_post(b, "r d", Fields=to, Conditions=[to])
    status, _, _ = form(p["url"], p["fields"].items(), b"hello", headers={"Origin": "https://a.example"})
    same(status, 403)  # of the page it led to, which nobody signed
    same(body(S3.get_object(Bucket=b, Key="r d")), b"hello")
    old = old_client().generate_presigned_post(b, "old")
    assert "AWSAccessKeyId" in old["fields"]
    same(form(old["url"], old["fields"].items(), b"2" * 3000000)[0], 204)
    same(S3.head_object(Bucket=b, Key="old")["ContentLength"], 3000000)
    same(code_of(form(old["url"], {**old["fields"], "signature": "x"}.items(), b"")), (403, "SignatureDoesNotMatch"))
    same(form(f"{ENDPOINT}/{b}", [("key", "anybody")], b"")[0], 403)
    same(code_of(raw(f"{ENDPOINT}/{b}", "POST", b"x", {"Content-Type": "text/plain"})), (412, "PreconditionFailed"))
    same(code_of(raw(f"{ENDPOINT}/{b}", "POST", b"--x\r\n\r\n", {"Content-Type": "multipart/form-data; boundary=x"})), (400, "MalformedPOSTRequest"))
    alt = client(aws_access_key_id=os.environ["ALT_ACCESS_KEY_ID"], aws_secret_access_key=os.environ["ALT_SECRET_ACCESS_KEY"])
    same(code_of(post(c=alt)), (403, "AccessDenied"))
    ro = client(aws_access_key_id=os.environ["RO_ACCESS_KEY_ID"], aws_secret_access_key=os.environ["RO_SECRET_ACCESS_KEY"])
    same(code_of(post(c=ro)), (403, "AccessDenied"))


if __name__ == "__main__":
    sys.exit(run(globals()))
