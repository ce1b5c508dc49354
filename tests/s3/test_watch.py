#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# What the gateway tells about itself: figures by a strict parser and by hand, health.
import json
import os
import sys
import urllib.error
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families

import s3case
from rawhttp import request, sign, exchange, head
from s3case import same

WEB = os.environ["WEB_URL"]
BUCKET = f"/watch{os.getpid()}"


def fetch(path):
    """Status, headers, text of a page of the web address."""
    try:
        with urllib.request.urlopen(WEB + path, timeout=30) as r:
            return r.status, r.headers, r.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read().decode()


def figures():
    """Every sample as {(name, labels): value}."""
    status, headers, text = fetch("/metrics")
    same(status, 200)
    assert headers["content-type"].startswith("application/openmetrics-text; version=1.0.0"), headers["content-type"]
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for f in text_string_to_metric_families(text) for s in f.samples}


def sample(f, name, **labels):
    return f.get((name, tuple(sorted(labels.items()))), 0)


def test_parses():
    f = figures()
    for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds",
                 "pcloud_workers", "pcloud_volume_up", "pcloud_volume_meta_bytes", "pcloud_disk_size_bytes"):
        assert sample(f, name) > 0, name
    for name in ("pcloud_workers_queued", "pcloud_cache_hits_total", "pcloud_lease_waits_total", "pcloud_lease_wait_seconds_total",
                 "pcloud_volume_damaged_reads_total", "pcloud_audit_lost_total"):
        assert any(n == name for n, _ in f), name


def test_by_hand():
    """A known number of requests changes the figures by exactly that."""
    same(request("PUT", BUCKET).status, 200)
    before = figures()
    body = b"x" * 100000
    for i in range(5):
        same(request("PUT", f"{BUCKET}/k{i}", body=body).status, 200)
    for i in range(3):
        same(request("GET", f"{BUCKET}/k{i}").body, body)
    same(request("GET", f"{BUCKET}/none").status, 404)
    same(request("GET", f"{BUCKET}/k0", secret="wrong").status, 403)

    def grown(after, name, **labels):
        return sample(after, name, **labels) - sample(before, name, **labels)
    after = figures()
    for _ in range(500):  # a request is counted when its reply is out, a moment after the client has it
        if grown(after, "pcloud_s3_requests_total", operation="GetObject", status="403") == 1:
            break
        after = figures()
    same(grown(after, "pcloud_s3_requests_total", operation="PutObject", status="200"), 5)
    same(grown(after, "pcloud_s3_requests_total", operation="GetObject", status="200"), 3)
    same(grown(after, "pcloud_s3_requests_total", operation="GetObject", status="404"), 1)
    same(grown(after, "pcloud_s3_requests_total", operation="GetObject", status="403"), 1)
    same(grown(after, "pcloud_s3_received_bytes_total", operation="PutObject"), 500000)
    assert grown(after, "pcloud_s3_sent_bytes_total", operation="GetObject") > 300000
    same(grown(after, "pcloud_s3_request_duration_seconds_count", operation="PutObject"), 5)
    same(grown(after, "pcloud_s3_request_duration_seconds_bucket", operation="PutObject", le="+Inf"), 5)
    assert grown(after, "pcloud_s3_request_duration_seconds_sum", operation="PutObject") > 0
    same(grown(after, "pcloud_volume_objects"), 5)
    same(grown(after, "pcloud_volume_content_bytes"), 500000)


def test_not_at_s3():
    """Figures and health are of the web address alone: there, they would be buckets."""
    assert request("GET", "/metrics").code == "NoSuchBucket"
    same(exchange(head("GET", "/metrics", "", {"host": "x"})).status, 404)
    assert request("GET", "/health", payload="UNSIGNED-PAYLOAD").code == "NoSuchBucket"


def test_health():
    for path in ("/health", "/health/live", "/health/ready"):
        status, headers, text = fetch(path)
        same((status, json.loads(text)), (200, {"state": "ok"}))
        same(headers["cache-control"], "no-store")
    same(fetch("/health/else")[0], 404)


if __name__ == "__main__":
    sys.exit(s3case.run(globals()))
