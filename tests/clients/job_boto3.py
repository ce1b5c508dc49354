# SPDX-License-Identifier: Apache-2.0
# The job by boto3 and s3transfer: of Debian or of PyPI, whichever Python runs this.
"""Usage: job_boto3.py ENDPOINT FILES COUNT [CA]"""

import concurrent.futures
import io
import os
import ssl
import sys
import urllib.request

import boto3
import s3transfer
from boto3.s3.transfer import TransferConfig

endpoint, files, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
ca = sys.argv[4] if len(sys.argv) > 4 and sys.argv[4] else None
bucket = "boto3-" + boto3.__version__.replace(".", "-")
s3 = boto3.client("s3", endpoint_url=endpoint)
config = TransferConfig(multipart_threshold=6 << 20, multipart_chunksize=5 << 20)


def whole(name):
    with open(os.path.join(files, name), "rb") as f:
        return f.read()


def same(got, want, what):
    assert got == want, f"{what}: got {got!r:.100}, wanted {want!r:.100}"


s3.create_bucket(Bucket=bucket)
for name in ("empty", "one", "five", "parts"):
    extra = {"Metadata": {"colour": "blue"}, "ContentType": "text/x-test"}
    s3.upload_file(os.path.join(files, name), bucket, name, ExtraArgs=extra, Config=config)
    out = io.BytesIO()
    s3.download_fileobj(bucket, name, out, Config=config)
    same(out.getvalue(), whole(name), name)
    head = s3.head_object(Bucket=bucket, Key=name)
    same((head["Metadata"], head["ContentType"]), ({"colour": "blue"}, "text/x-test"), "metadata of " + name)
assert "-4" in s3.head_object(Bucket=bucket, Key="parts")["ETag"], "not in parts"

with s3transfer.manager.TransferManager(s3) as manager:
    manager.upload(io.BytesIO(whole("parts")), bucket, "transfer").result()
same(s3.get_object(Bucket=bucket, Key="transfer")["Body"].read(), whole("parts"), "s3transfer")

names = ["sp ace", "pl+us", "per%41cent", "qu&e=s;t?#", "it's", "a//b", "ümläut/かな", "//", "../up", "t\tab", "x" * 1024]
for name in names:
    s3.put_object(Bucket=bucket, Key="n/" + name if len(name) < 1000 else name, Body=name.encode())
same(sorted(o["Key"] for o in s3.list_objects_v2(Bucket=bucket, Prefix="n/")["Contents"]), sorted("n/" + n for n in names[:-1]), "names")
same(s3.get_object(Bucket=bucket, Key="n/a//b")["Body"].read(), b"a//b", "double slash")
same(s3.get_object(Bucket=bucket, Key=names[-1])["Body"].read(), names[-1].encode(), "long name")

with concurrent.futures.ThreadPoolExecutor(4) as pool:
    list(pool.map(lambda i: s3.put_object(Bucket=bucket, Key=f"many/{i}", Body=b"x"), range(count)))
for operation in ("list_objects_v2", "list_objects"):
    keys = [o["Key"] for page in s3.get_paginator(operation).paginate(Bucket=bucket, Prefix="many/") for o in page["Contents"]]
    same(keys, sorted(f"many/{i}" for i in range(count)), operation)

s3.copy({"Bucket": bucket, "Key": "parts"}, bucket, "co py+", Config=config)
same(s3.get_object(Bucket=bucket, Key="co py+")["Body"].read(), whole("parts"), "copy")
url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "co py+", "ResponseContentType": "text/y"}, ExpiresIn=60)
context = ssl.create_default_context(cafile=ca) if ca else None
with urllib.request.urlopen(url, context=context) as reply:
    same((reply.read(), reply.headers["Content-Type"]), (whole("parts"), "text/y"), "presigned URL")

keys = [o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket) for o in page["Contents"]]
for i in range(0, len(keys), 1000):
    same(s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in keys[i : i + 1000]]}).get("Errors"), None, "errors")
s3.delete_bucket(Bucket=bucket)
print("boto3", boto3.__version__, "s3transfer", s3transfer.__version__)
