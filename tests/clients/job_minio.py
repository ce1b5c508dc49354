# SPDX-License-Identifier: Apache-2.0
# The job by minio-py.
"""Usage: job_minio.py ENDPOINT FILES COUNT [CA]"""

import io
import os
import ssl
import sys
import urllib.request
from datetime import timedelta

import minio
import urllib3
from minio.commonconfig import ComposeSource, CopySource, Tags
from minio.deleteobjects import DeleteObject

endpoint, files, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
ca = sys.argv[4] if len(sys.argv) > 4 and sys.argv[4] else None
bucket = "minio-py"
client = minio.Minio(
    endpoint.split("://")[1],
    access_key=os.environ["AWS_ACCESS_KEY_ID"],
    secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
    secure=endpoint.startswith("https"),
    http_client=urllib3.PoolManager(ca_certs=ca, cert_reqs="CERT_REQUIRED") if ca else None,
)


def whole(name):
    with open(os.path.join(files, name), "rb") as f:
        return f.read()


def get(name):
    reply = client.get_object(bucket, name)
    try:
        return reply.read()
    finally:
        reply.close()
        reply.release_conn()


def same(got, want, what):
    assert got == want, f"{what}: got {got!r:.100}, wanted {want!r:.100}"


client.make_bucket(bucket)
assert client.bucket_exists(bucket)
for name in ("empty", "one", "five", "parts"):
    client.fput_object(bucket, name, os.path.join(files, name), content_type="text/x-test", metadata={"colour": "blue"}, part_size=5 << 20)
    same(get(name), whole(name), name)
    stat = client.stat_object(bucket, name)
    same((stat.metadata.get("x-amz-meta-colour"), stat.content_type), ("blue", "text/x-test"), "metadata of " + name)
client.put_object(bucket, "stream", io.BytesIO(whole("parts")), -1, part_size=5 << 20)
same(get("stream"), whole("parts"), "stream of unknown length")

names = ["sp ace", "pl+us", "per%41cent", "qu&e=s;t?#", "it's", "a//b", "ümläut/かな"]
for name in names:
    client.put_object(bucket, "n/" + name, io.BytesIO(name.encode()), len(name.encode()))
    same(get("n/" + name), name.encode(), name)
same(sorted(o.object_name for o in client.list_objects(bucket, "n/", recursive=True)), sorted("n/" + n for n in names), "names")

for i in range(count):
    client.put_object(bucket, f"many/{i}", io.BytesIO(b"x"), 1)
same([o.object_name for o in client.list_objects(bucket, "many/")], sorted(f"many/{i}" for i in range(count)), "pages")

client.copy_object(bucket, "co py+", CopySource(bucket, "parts"))
same(get("co py+"), whole("parts"), "copy")
client.compose_object(bucket, "composed", [ComposeSource(bucket, "five"), ComposeSource(bucket, "one")])
same(get("composed"), whole("five") + whole("one"), "composed")
tags = Tags.new_object_tags()
tags["k"] = "v"
client.set_object_tags(bucket, "one", tags)
same(client.get_object_tags(bucket, "one"), tags, "tags")
url = client.presigned_get_object(bucket, "co py+", expires=timedelta(minutes=1))
with urllib.request.urlopen(url, context=ssl.create_default_context(cafile=ca) if ca else None) as reply:
    same(reply.read(), whole("parts"), "presigned URL")

same(list(client.remove_objects(bucket, (DeleteObject(o.object_name) for o in client.list_objects(bucket, recursive=True)))), [], "errors")
client.remove_bucket(bucket)
print("minio", minio.__version__)
