#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Two gateways of one home: what one has answered, the other knows.
import hashlib
import json
import os
import sys
import threading

import boto3
import s3case
from botocore.config import Config
from botocore.exceptions import ClientError
from s3case import raises, same

CONFIG = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
A, B = (boto3.client("s3", endpoint_url=url, config=CONFIG) for url in (os.environ["AWS_ENDPOINT_URL"], os.environ["OTHER_ENDPOINT_URL"]))
NAME = f"pair{os.getpid()}"


def get(c, key):
    return c.get_object(Bucket=NAME, Key=key)["Body"].read()


def test_what_one_answers_the_other_knows():
    A.create_bucket(Bucket=NAME)
    B.head_bucket(Bucket=NAME)
    for i in range(60):
        one, two = (A, B) if i % 2 else (B, A)
        one.put_object(Bucket=NAME, Key="k", Body=str(i) * 3000)
        same(get(two, "k"), (str(i) * 3000).encode())
        one.put_object(Bucket=NAME, Key=f"list/{i:02}", Body=b"")
        same(len(two.list_objects_v2(Bucket=NAME, Prefix="list/")["Contents"]), i + 1)
    A.delete_object(Bucket=NAME, Key="k")
    raises("NoSuchKey", 404, B.get_object, Bucket=NAME, Key="k")


def test_upload_by_both():
    upload = A.create_multipart_upload(Bucket=NAME, Key="parts")["UploadId"]
    data = [os.urandom(5 << 20), os.urandom(5 << 20), b"end"]
    parts = [{"PartNumber": n + 1, "ETag": c.upload_part(Bucket=NAME, Key="parts", UploadId=upload, PartNumber=n + 1, Body=d)["ETag"]}
             for n, (c, d) in enumerate(zip((B, A, B), data))]
    B.complete_multipart_upload(Bucket=NAME, Key="parts", UploadId=upload, MultipartUpload={"Parts": parts})
    same(hashlib.md5(get(A, "parts")).digest(), hashlib.md5(b"".join(data)).digest())


def test_settings():
    """Versioning and a policy set by one hold at the other with its next request."""
    A.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
    assert "VersionId" in B.put_object(Bucket=NAME, Key="v", Body=b"1")
    alt = boto3.client("s3", endpoint_url=os.environ["OTHER_ENDPOINT_URL"], config=CONFIG, aws_access_key_id=os.environ["ALT_ACCESS_KEY_ID"],
                       aws_secret_access_key=os.environ["ALT_SECRET_ACCESS_KEY"])
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                                                                 "Resource": f"arn:aws:s3:::{NAME}/*"}]})
    for _ in range(5):
        raises("AccessDenied", 403, alt.get_object, Bucket=NAME, Key="parts")
        A.put_bucket_policy(Bucket=NAME, Policy=policy)
        alt.get_object(Bucket=NAME, Key="parts")["Body"].read()
        A.delete_bucket_policy(Bucket=NAME)


def test_one_wins():
    """A condition that both try at once holds for one of them."""
    for i in range(15):
        won, gate = [], threading.Barrier(4)

        def put(c, text):
            gate.wait(60)
            try:
                c.put_object(Bucket=NAME, Key=f"once/{i}", Body=text, IfNoneMatch="*")
                won.append(text)
            except ClientError as e:
                assert e.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412), e
        threads = [threading.Thread(target=put, args=(c, t)) for c, t in ((A, b"a"), (B, b"b"), (A, b"aa"), (B, b"bb"))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        same(len(won), 1)
        same(get(A, f"once/{i}"), won[0])
        same(get(B, f"once/{i}"), won[0])


if __name__ == "__main__":
    sys.exit(s3case.run(globals()))
