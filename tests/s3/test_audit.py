#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# The audit log: a line for each request, what it says, and what it never says.
import json
import os
import re
import sys
import time

import boto3
import s3case
from botocore.config import Config
from rawhttp import ACCESS, SECRET, exchange, head, request, sign
from s3case import same

LOG = os.environ["AUDIT_LOG"]
BUCKET = f"/audit{os.getpid()}"


def lines():
    with open(LOG) as f:
        text = f.read()
    assert text == "" or text.endswith("\n"), "half a line"
    return [json.loads(line) for line in text.splitlines()]


def line_of(reply):
    """The record of the request that was answered so."""
    wanted, end = reply.headers["x-amz-request-id"], time.monotonic() + 60
    while time.monotonic() < end:
        found = [x for x in lines() if x["id"] == wanted]
        if found:
            same(len(found), 1)
            return found[0]
    raise AssertionError(f"no line for {wanted}")


def check(reply, **wanted):
    got = line_of(reply)
    for k, v in wanted.items():
        same((k, got[k]), (k, v))
    return got


def test_lines():
    x = check(request("PUT", BUCKET), operation="CreateBucket", bucket=BUCKET[1:], key="", status=200, code="", access_key=ACCESS,
              signature="v4", tls=os.environ.get("AUDIT_TLS", ""), whole=True)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", x["time"]) and x["user"] and x["remote"].startswith("127.0.0.1:") and x["us"] > 0
    check(request("PUT", BUCKET + "/a%20b%22%C3%A9", body=b"hello"), operation="PutObject", key='a b"é', received=5, status=200)
    check(request("GET", BUCKET + "/a%20b%22%C3%A9"), operation="GetObject", sent=5)
    check(request("GET", BUCKET + "/none"), status=404, code="NoSuchKey", operation="GetObject", key="none")
    check(request("GET", BUCKET, secret="wrong"), status=403, code="SignatureDoesNotMatch", user="", access_key=ACCESS)
    check(request("GET", BUCKET, access="NOBODY"), status=403, code="InvalidAccessKeyId", user="", access_key="NOBODY")
    check(exchange(head("GET", BUCKET, "", {"host": "x"})), status=403, code="AccessDenied", signature="none", access_key="")
    x = line_of(request("PUT", BUCKET + "/%FF%0A", body=b"x"))
    if x["status"] == 200:
        same((x["key"], x["key_hex"]), ("\ufffd\n", "ff0a"))
    same(request("DELETE", BUCKET + "/none").status, 204)


def test_presigned():
    for version in ("s3v4", "s3"):
        client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=Config(signature_version=version, s3={"addressing_style": "path"}))
        url = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET[1:], "Key": "a b\"é"})
        target = url[url.index(BUCKET):]
        r = exchange(head("GET", target, "", {"host": url.split("/")[2]}))
        same(r.status, 200)
        check(r, signature="v4-url" if version == "s3v4" else "v2-url", access_key=ACCESS, operation="GetObject")
        text = open(LOG).read()
        for secret in re.findall(r"Signature=([^&]+)", url) + ["Signature=", "Expires", SECRET]:
            assert secret not in text, f"{secret} is in the log"


def test_no_secret():
    h = sign("GET", BUCKET, headers={"referer": "https://x/?X-Amz-Signature=feedbeef", "x-amz-security-token": "tokentoken"})
    line_of(exchange(head("GET", BUCKET, "prefix=private", h)))
    line_of(request("GET", BUCKET, "prefix=private"))
    text = open(LOG).read()
    for secret in (SECRET, h["authorization"].rsplit("=", 1)[1], "feedbeef", "tokentoken", "Credential", "prefix=private", os.environ["ALT_SECRET_ACCESS_KEY"]):
        assert secret not in text, f"{secret} is in the log"


if __name__ == "__main__":
    sys.exit(s3case.run(globals()))
