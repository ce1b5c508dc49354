# SPDX-License-Identifier: Apache-2.0
# Makes a bucket for a client that cannot, by nothing but the standard library's HTTP and a V4 signature.
"""Usage: make_bucket.py BUCKET, with the environment of `pcloud env`."""

import datetime
import hashlib
import hmac
import os
import ssl
import sys
import urllib.request


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


url = f"{os.environ['AWS_ENDPOINT_URL']}/{sys.argv[1]}"
host = url.split("/")[2]
time = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
scope = [time[:8], os.environ["AWS_DEFAULT_REGION"], "s3", "aws4_request"]
empty = hashlib.sha256(b"").hexdigest()
names = "host;x-amz-content-sha256;x-amz-date"
request = f"PUT\n/{sys.argv[1]}\n\nhost:{host}\nx-amz-content-sha256:{empty}\nx-amz-date:{time}\n\n{names}\n{empty}"
text = "\n".join(["AWS4-HMAC-SHA256", time, "/".join(scope), hashlib.sha256(request.encode()).hexdigest()])
key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
for part in scope:
    key = sign(key, part)
signature = sign(key, text).hex()
headers = {
    "x-amz-content-sha256": empty,
    "x-amz-date": time,
    "Authorization": f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{'/'.join(scope)}, SignedHeaders={names}, Signature={signature}",
}
ca = os.environ.get("AWS_CA_BUNDLE")
context = ssl.create_default_context(cafile=ca) if ca else None
urllib.request.urlopen(urllib.request.Request(url, method="PUT", headers=headers), context=context)
