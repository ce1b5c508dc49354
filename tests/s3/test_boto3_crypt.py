#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# S3 by boto3: keys of clients (SSE-C), AES256 and aws:kms, the encryption of buckets.
"""Run by test_boto3_http.sh and test_boto3_https.sh with the environment of test_boto3.py, whose helpers it takes."""
import base64
import hashlib
import json
import random
import sys

from botocore.exceptions import ClientError

from s3case import raises, run, same
from test_boto3 import MIB, S3, body, bucket, client, md5, raw

FRAME = 65536
SSE = "x-amz-server-side-encryption"
DATA = random.Random(7).randbytes(12 * MIB + 12345)


def both(byte):
    """A key and its MD5, as they travel."""
    k = bytes([byte]) * 32
    return base64.b64encode(k).decode(), base64.b64encode(hashlib.md5(k).digest()).decode()


def key_args(byte, prefix=""):
    k, digest = both(byte)
    return {prefix + "SSECustomerAlgorithm": "AES256", prefix + "SSECustomerKey": k, prefix + "SSECustomerKeyMD5": digest}


A, B = key_args(1), key_args(2)
FROM_A = key_args(1, "CopySource")


def triple(byte, **other):
    """The three headers; other replaces or, with None, takes one away."""
    h = dict(zip(("algorithm", "key", "key_md5"), ("AES256", *both(byte)))) | other
    return {f"{SSE}-customer-{n.replace('_', '-')}": v for n, v in h.items() if v is not None}


def headers(r):
    return r["ResponseMetadata"]["HTTPHeaders"]


def sent(operation, extra, **kw):
    """The status and code of a request with headers that boto3 would not send."""
    c = client()
    c.meta.events.register(f"before-call.s3.{operation}", lambda params, **_: params["headers"].update(extra))
    try:
        (c.put_object if operation == "PutObject" else c.get_object)(**kw)
    except ClientError as e:
        assert "AQEBAQ" not in str(e.response), "the answer repeats the key"
        return e.response["ResponseMetadata"]["HTTPStatusCode"], e.response["Error"]["Code"]
    return 200, ""


def check_told(r, byte):
    same(headers(r)[f"{SSE}-customer-algorithm"], "AES256")
    same(headers(r)[f"{SSE}-customer-key-md5"], both(byte)[1])
    assert SSE not in headers(r)


def test_put_get_head():
    b = bucket()
    for size in (0, 1, 15, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME, 5 * MIB + 1):
        put = S3.put_object(Bucket=b, Key="k", Body=DATA[:size], **A)
        check_told(put, 1)
        assert put["ETag"].strip('"') != md5(DATA[:size]), "the ETag tells the content"
        got = S3.get_object(Bucket=b, Key="k", **A)
        check_told(got, 1)
        same((got["ContentLength"], got["ETag"]), (size, put["ETag"]))
        assert body(got) == DATA[:size]
        head = S3.head_object(Bucket=b, Key="k", **A)
        check_told(head, 1)
        same((head["ContentLength"], head["ETag"]), (size, put["ETag"]))
        same(S3.list_objects_v2(Bucket=b)["Contents"][0]["Size"], size)
        same(S3.list_object_versions(Bucket=b)["Versions"][0]["Size"], size)
        a = S3.get_object_attributes(Bucket=b, Key="k", ObjectAttributes=["ETag", "ObjectSize"], **A)
        same((a["ObjectSize"], a["ETag"]), (size, put["ETag"].strip('"')))


def test_wrong_and_missing_keys():
    b = bucket(["plain"])
    S3.put_object(Bucket=b, Key="k", Body=b"secret", **A)
    for fn in (S3.get_object, S3.head_object):
        raises("InvalidRequest", 400, fn, Bucket=b, Key="k")
        raises("AccessDenied", 403, fn, Bucket=b, Key="k", **B)
        raises("InvalidRequest", 400, fn, Bucket=b, Key="plain", **A)
    attrs = {"Bucket": b, "Key": "k", "ObjectAttributes": ["ObjectSize"]}
    raises("InvalidRequest", 400, S3.get_object_attributes, **attrs)
    raises("AccessDenied", 403, S3.get_object_attributes, **attrs, **B)
    # a key that is there is told of before conditions about content
    raises("AccessDenied", 403, S3.get_object, Bucket=b, Key="k", IfNoneMatch="*", **B)


def test_delete_by_size():
    b = bucket()
    S3.put_object(Bucket=b, Key="k", Body=b"12345", **A)
    for size in (4, 5 + 64 + 16):
        code = S3.delete_objects(Bucket=b, Delete={"Objects": [{"Key": "k", "Size": size}]})["Errors"][0]["Code"]
        same(code, "PreconditionFailed")
    assert "Errors" not in S3.delete_objects(Bucket=b, Delete={"Objects": [{"Key": "k", "Size": 5}]})
    raises("NoSuchKey", 404, S3.head_object, Bucket=b, Key="k", **A)


def test_malformed_triples():
    b = bucket()
    for what, code in (
        (triple(1, algorithm=None), "InvalidArgument"),
        (triple(1, key=None), "InvalidArgument"),
        (triple(1, key_md5=None), "InvalidArgument"),
        (triple(1, algorithm="AES128"), "InvalidEncryptionAlgorithmError"),
        (triple(1, key="c2hvcnQ="), "InvalidArgument"),
        (triple(1, key="A" * 400), "InvalidArgument"),
        (triple(1, key="!"), "InvalidArgument"),
        (triple(1, key_md5="AAAAAAAAAAAAAAAAAAAAAA=="), "InvalidArgument"),
        (triple(1, key_md5="x"), "InvalidArgument"),
    ):
        same(sent("PutObject", what, Bucket=b, Key="k", Body=b"x"), (400, code))
        same(sent("GetObject", what, Bucket=b, Key="k"), (400, code))
    raises("NoSuchKey", 404, S3.head_object, Bucket=b, Key="k")
    same(sent("PutObject", {**triple(1), SSE: "AES256"}, Bucket=b, Key="k", Body=b"x"), (400, "InvalidArgument"))
    same(sent("PutObject", triple(1), Bucket=b, Key="k", Body=b"x"), (200, ""))
    assert body(S3.get_object(Bucket=b, Key="k", **A)) == b"x"


def test_key_in_a_url_is_none():
    """Whoever logs URLs must not log keys: in the query they do not count."""
    b = bucket()
    url = S3.generate_presigned_url("put_object", Params={"Bucket": b, "Key": "k", **A})
    assert "customer-key" in url, url
    raw(url + "&X-Amz-Server-Side-Encryption-Customer-Key=AA", "PUT", b"x")
    raises("NoSuchKey", 404, S3.head_object, Bucket=b, Key="k")


def test_ranges():
    b = bucket()
    S3.put_object(Bucket=b, Key="k", Body=DATA, **A)
    rnd, n = random.Random(3), len(DATA)
    spans = [(0, 0), (FRAME - 1, FRAME), (FRAME, 2 * FRAME - 1), (FRAME - 1, 3 * FRAME), (n - 1, n - 1), (n - FRAME, n - 1), (0, n - 1)]
    spans += [(x, min(n - 1, x + rnd.randrange(300000))) for x in (rnd.randrange(n) for _ in range(30))]
    for first, last in spans:
        r = S3.get_object(Bucket=b, Key="k", Range=f"bytes={first}-{last}", **A)
        same(r["ContentRange"], f"bytes {first}-{last}/{n}")
        assert body(r) == DATA[first:last + 1], (first, last)
    assert body(S3.get_object(Bucket=b, Key="k", Range="bytes=-70000", **A)) == DATA[-70000:]
    raises("InvalidRange", 416, S3.get_object, Bucket=b, Key="k", Range=f"bytes={n}-", **A)


def upload(b, k, parts, args):
    u = S3.create_multipart_upload(Bucket=b, Key=k, **args)
    if args:
        check_told(u, 1)
    done = []
    for i, p in enumerate(parts, 1):
        r = S3.upload_part(Bucket=b, Key=k, UploadId=u["UploadId"], PartNumber=i, Body=p, **args)
        done.append({"PartNumber": i, "ETag": r["ETag"]})
    sizes = [p["Size"] for p in S3.list_parts(Bucket=b, Key=k, UploadId=u["UploadId"])["Parts"]]
    same(sizes, [len(p) for p in parts])
    return u["UploadId"], done


def test_multipart():
    b = bucket()
    cut = [DATA[:5 * MIB + 1], DATA[5 * MIB + 1:10 * MIB + 2], DATA[10 * MIB + 2:]]
    u, done = upload(b, "k", cut, A)
    raises("InvalidRequest", 400, S3.upload_part, Bucket=b, Key="k", UploadId=u, PartNumber=1, Body=b"x")
    raises("InvalidRequest", 400, S3.upload_part, Bucket=b, Key="k", UploadId=u, PartNumber=1, Body=b"x", **B)
    again = S3.upload_part(Bucket=b, Key="k", UploadId=u, PartNumber=2, Body=cut[1], **A)
    same(again["ETag"], done[1]["ETag"])
    raises("InvalidRequest", 400, S3.complete_multipart_upload, Bucket=b, Key="k", UploadId=u, MultipartUpload={"Parts": done}, **B)
    S3.complete_multipart_upload(Bucket=b, Key="k", UploadId=u, MultipartUpload={"Parts": done}, **A)
    got = S3.get_object(Bucket=b, Key="k", **A)
    same(got["ContentLength"], len(DATA))
    assert body(got) == DATA
    same(S3.list_objects_v2(Bucket=b)["Contents"][0]["Size"], len(DATA))
    edge = len(cut[0])
    for first, last in ((edge - 1, edge), (edge, edge + FRAME), (edge - FRAME - 1, edge + FRAME + 1), (3, len(DATA) - 4)):
        assert body(S3.get_object(Bucket=b, Key="k", Range=f"bytes={first}-{last}", **A)) == DATA[first:last + 1]
    for i, p in enumerate(cut, 1):
        r = S3.get_object(Bucket=b, Key="k", PartNumber=i, **A)
        same((r["ContentLength"], r["PartsCount"]), (len(p), 3))
        assert body(r) == p
        same(S3.head_object(Bucket=b, Key="k", PartNumber=i, **A)["ContentLength"], len(p))
    raises("InvalidRequest", 400, S3.get_object, Bucket=b, Key="k")
    a = S3.get_object_attributes(Bucket=b, Key="k", ObjectAttributes=["ObjectParts", "ObjectSize"], **A)
    same((a["ObjectSize"], [p["Size"] for p in a["ObjectParts"].get("Parts", [])]), (len(DATA), [len(p) for p in cut]))
    # the least size of a part is that of its content
    u, done = upload(b, "small", [DATA[:5 * MIB - 1], b"x"], A)
    raises("EntityTooSmall", 400, S3.complete_multipart_upload, Bucket=b, Key="small", UploadId=u, MultipartUpload={"Parts": done}, **A)
    # a plain upload takes no key
    u = S3.create_multipart_upload(Bucket=b, Key="p")["UploadId"]
    raises("InvalidRequest", 400, S3.upload_part, Bucket=b, Key="p", UploadId=u, PartNumber=1, Body=b"x", **A)


def test_copies():
    b = bucket(["plain"])
    S3.put_object(Bucket=b, Key="k", Body=DATA, ContentType="text/x", Metadata={"m": "1"}, **A)
    src = {"CopySource": f"{b}/k"}
    raises("InvalidRequest", 400, S3.copy_object, Bucket=b, Key="c", **src)
    raises("AccessDenied", 403, S3.copy_object, Bucket=b, Key="c", **src, **key_args(2, "CopySource"))
    raises("InvalidRequest", 400, S3.copy_object, Bucket=b, Key="c", CopySource=f"{b}/plain", **FROM_A)
    check = S3.copy_object(Bucket=b, Key="other", **src, **FROM_A, **B)
    check_told(check, 2)
    got = S3.get_object(Bucket=b, Key="other", **B)
    same((got["ContentType"], got["Metadata"]), ("text/x", {"m": "1"}))
    assert body(got) == DATA
    S3.copy_object(Bucket=b, Key="open", **src, **FROM_A)
    got = S3.get_object(Bucket=b, Key="open")
    same(got["ETag"].strip('"'), md5(DATA))
    assert body(got) == DATA
    same(S3.list_objects_v2(Bucket=b, Prefix="open")["Contents"][0]["Size"], len(DATA))
    S3.copy_object(Bucket=b, Key="closed", CopySource=f"{b}/plain", **A)
    assert body(S3.get_object(Bucket=b, Key="closed", **A)) == b"plain"
    raises("InvalidRequest", 400, S3.get_object, Bucket=b, Key="closed")
    # onto itself, to another key
    S3.copy_object(Bucket=b, Key="k", **src, **FROM_A, **B)
    raises("AccessDenied", 403, S3.get_object, Bucket=b, Key="k", **A)
    assert body(S3.get_object(Bucket=b, Key="k", **B)) == DATA
    # parts
    u = S3.create_multipart_upload(Bucket=b, Key="m", **A)["UploadId"]
    part = {"Bucket": b, "Key": "m", "UploadId": u, "CopySource": f"{b}/k"}
    raises("InvalidRequest", 400, S3.upload_part_copy, PartNumber=1, **part, **key_args(2, "CopySource"))
    last = 6 * MIB + 7
    one = S3.upload_part_copy(PartNumber=1, CopySourceRange=f"bytes=5-{last}", **part, **A, **key_args(2, "CopySource"))
    check_told(one, 1)
    two = S3.upload_part_copy(**{**part, "CopySource": f"{b}/plain"}, PartNumber=2, **A)
    parts = [{"PartNumber": i, "ETag": r["CopyPartResult"]["ETag"]} for i, r in ((1, one), (2, two))]
    S3.complete_multipart_upload(Bucket=b, Key="m", UploadId=u, MultipartUpload={"Parts": parts}, **A)
    assert body(S3.get_object(Bucket=b, Key="m", **A)) == DATA[5:last + 1] + b"plain"
    u = S3.create_multipart_upload(Bucket=b, Key="n")["UploadId"]
    one = S3.upload_part_copy(PartNumber=1, **{**part, "Key": "n", "UploadId": u}, **key_args(2, "CopySource"))
    same(one["CopyPartResult"]["ETag"].strip('"'), md5(DATA))
    S3.complete_multipart_upload(Bucket=b, Key="n", UploadId=u, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": one["CopyPartResult"]["ETag"]}]})
    assert body(S3.get_object(Bucket=b, Key="n")) == DATA


def test_versions():
    b = bucket()
    S3.put_bucket_versioning(Bucket=b, VersioningConfiguration={"Status": "Enabled"})
    one = S3.put_object(Bucket=b, Key="k", Body=b"one", **A)["VersionId"]
    two = S3.put_object(Bucket=b, Key="k", Body=b"two!")["VersionId"]
    assert body(S3.get_object(Bucket=b, Key="k", VersionId=one, **A)) == b"one"
    raises("InvalidRequest", 400, S3.get_object, Bucket=b, Key="k", VersionId=one)
    assert body(S3.get_object(Bucket=b, Key="k", VersionId=two)) == b"two!"
    same({v["VersionId"]: v["Size"] for v in S3.list_object_versions(Bucket=b)["Versions"]}, {one: 3, two: 4})
    S3.copy_object(Bucket=b, Key="k", CopySource=f"{b}/k?versionId={one}", **FROM_A)
    assert body(S3.get_object(Bucket=b, Key="k")) == b"one"


def test_kms():
    b = bucket()
    r = S3.put_object(Bucket=b, Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId="key-1", BucketKeyEnabled=True)
    for r in (r, S3.head_object(Bucket=b, Key="k"), S3.get_object(Bucket=b, Key="k")):
        same((r["ServerSideEncryption"], r["SSEKMSKeyId"], r["BucketKeyEnabled"]), ("aws:kms", "key-1", True))
    r = S3.put_object(Bucket=b, Key="d", Body=b"x", ServerSideEncryption="aws:kms:dsse")
    same((r["ServerSideEncryption"], r["SSEKMSKeyId"]), ("aws:kms:dsse", "alias/aws/s3"))
    raises("KMS.NotFoundException", 400, S3.put_object, Bucket=b, Key="x", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId="no such key")
    raises("InvalidArgument", 400, S3.put_object, Bucket=b, Key="x", Body=b"x", SSEKMSKeyId="key-1")
    raises("InvalidArgument", 400, S3.put_object, Bucket=b, Key="x", Body=b"x", ServerSideEncryption="ROT13")
    # a copy is encrypted as it says, not as its source
    r = S3.copy_object(Bucket=b, Key="c", CopySource=f"{b}/k")
    same((r["ServerSideEncryption"], "SSEKMSKeyId" in r), ("AES256", False))
    same(S3.head_object(Bucket=b, Key="c")["ServerSideEncryption"], "AES256")
    r = S3.copy_object(Bucket=b, Key="c", CopySource=f"{b}/c", ServerSideEncryption="aws:kms", SSEKMSKeyId="key-2")
    same(r["SSEKMSKeyId"], "key-2")
    same(S3.head_object(Bucket=b, Key="c")["SSEKMSKeyId"], "key-2")
    u = S3.create_multipart_upload(Bucket=b, Key="m", ServerSideEncryption="aws:kms", SSEKMSKeyId="key-1")
    same(u["SSEKMSKeyId"], "key-1")
    p = S3.upload_part(Bucket=b, Key="m", UploadId=u["UploadId"], PartNumber=1, Body=b"x")
    same(p["SSEKMSKeyId"], "key-1")
    r = S3.complete_multipart_upload(Bucket=b, Key="m", UploadId=u["UploadId"], MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": p["ETag"]}]})
    same(r["SSEKMSKeyId"], "key-1")
    same(S3.head_object(Bucket=b, Key="m")["SSEKMSKeyId"], "key-1")
    same(sent("GetObject", {SSE: "aws:kms"}, Bucket=b, Key="k"), (400, "InvalidArgument"))


def by(algorithm, key=None, **more):
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm, **({"KMSMasterKeyID": key} if key else {})}, **more}
    return {"Rules": [rule]}


def test_default_of_bucket():
    b = bucket()
    put = S3.put_bucket_encryption
    put(Bucket=b, ServerSideEncryptionConfiguration=by("aws:kms", "key-9", BucketKeyEnabled=True))
    r = S3.put_object(Bucket=b, Key="k", Body=b"x")
    same((r["ServerSideEncryption"], r["SSEKMSKeyId"], r["BucketKeyEnabled"]), ("aws:kms", "key-9", True))
    same(S3.put_object(Bucket=b, Key="a", Body=b"x", ServerSideEncryption="AES256")["ServerSideEncryption"], "AES256")
    check_told(S3.put_object(Bucket=b, Key="c", Body=b"x", **A), 1)
    same(S3.copy_object(Bucket=b, Key="b", CopySource=f"{b}/a")["SSEKMSKeyId"], "key-9")
    same(S3.create_multipart_upload(Bucket=b, Key="m")["SSEKMSKeyId"], "key-9")
    raises("InvalidArgument", 400, put, Bucket=b, ServerSideEncryptionConfiguration=by("AES256", "key-9"))
    raises("KMS.NotFoundException", 400, put, Bucket=b, ServerSideEncryptionConfiguration=by("aws:kms", "no such"))
    raises("MalformedXML", 400, put, Bucket=b, ServerSideEncryptionConfiguration=by("ROT13"))
    raw_rule = {"Rules": [{**by("AES256")["Rules"][0], "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}]}
    put(Bucket=b, ServerSideEncryptionConfiguration=raw_rule)
    raises("AccessDenied", 403, S3.put_object, Bucket=b, Key="c", Body=b"x", **A)
    same(S3.put_object(Bucket=b, Key="k", Body=b"x")["ServerSideEncryption"], "AES256")
    S3.delete_bucket_encryption(Bucket=b)
    same(S3.put_object(Bucket=b, Key="k", Body=b"x")["ServerSideEncryption"], "AES256")


def test_policy_conditions():
    b = bucket()
    alt = {"Sid": "a", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{b}/*",
           "Condition": {"Null": {f"s3:{SSE}-customer-algorithm": "true"}, "StringNotEquals": {f"s3:{SSE}": "aws:kms"}}}
    S3.put_bucket_policy(Bucket=b, Policy=json.dumps({"Version": "2012-10-17", "Statement": [alt]}))
    raises("AccessDenied", 403, S3.put_object, Bucket=b, Key="k", Body=b"x")
    raises("AccessDenied", 403, S3.put_object, Bucket=b, Key="k", Body=b"x", ServerSideEncryption="AES256")
    S3.put_object(Bucket=b, Key="k", Body=b"x", ServerSideEncryption="aws:kms")
    S3.put_object(Bucket=b, Key="k", Body=b"x", **A)


def test_form():
    b = bucket()
    fields = triple(1)
    post = S3.generate_presigned_post(b, "k", Fields=fields, Conditions=[{k: v} for k, v in fields.items()] + [["content-length-range", 1, 5]])
    line = "sse-boundary"
    text = "".join(f'--{line}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in post["fields"].items())

    def send(content):
        data = f'{text}--{line}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n{content}\r\n--{line}--\r\n'.encode()
        return raw(post["url"], "POST", data, {"Content-Type": f"multipart/form-data; boundary={line}"})

    same(send("12345")[0], 204)  # the limit counts content, not what it becomes
    same(send("123456")[0], 400)
    assert body(S3.get_object(Bucket=b, Key="k", **A)) == b"12345"
    raises("InvalidRequest", 400, S3.get_object, Bucket=b, Key="k")


if __name__ == "__main__":
    sys.exit(run(globals()))
