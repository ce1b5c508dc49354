# SPDX-License-Identifier: Apache-2.0
# A client that can do wrong: raw sockets, and signatures made here.
"""sign() makes SigV4 headers; exchange() sends bytes and reads one reply; alive() asks for the list of buckets."""
import datetime
import hashlib
import hmac
import os
import socket
import ssl
import urllib.parse
import weakref

URL = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
HOST, PORT, TLS = URL.hostname, URL.port, URL.scheme == "https"
ACCESS, SECRET = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
REGION = os.environ["AWS_DEFAULT_REGION"]
EMPTY = hashlib.sha256(b"").hexdigest()
LIMIT = 30  # seconds: of a hung server, never of a slow one


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def scope_key(date, region=REGION, secret=SECRET):
    return mac(mac(mac(mac(b"AWS4" + secret.encode(), date), region), "s3"), "aws4_request")


def now(delta=0):
    t = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=delta)
    return t.strftime("%Y%m%dT%H%M%SZ")


def sign(method, path, query="", headers=None, payload=EMPTY, date=None, region=REGION, access=ACCESS, secret=SECRET, host=None):
    """Headers of a signed request; path and query as they go on the wire, coded canonically."""
    date = date or now()
    h = {"host": host or f"{HOST}:{PORT}", "x-amz-date": date, "x-amz-content-sha256": payload}
    h.update({k.lower(): v for k, v in (headers or {}).items()})
    names = sorted(h)
    pairs = sorted((p.split("=", 1) + [""])[:2] for p in query.split("&") if p)
    canonical = "\n".join([method, path, "&".join(f"{k}={v}" for k, v in pairs), "".join(f"{n}:{h[n]}\n" for n in names),
                           ";".join(names), payload])
    scope = f"{date[:8]}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(scope_key(date[:8], region, secret), text.encode(), hashlib.sha256).hexdigest()
    h["authorization"] = f"AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}"
    return h


def head(method, path, query, headers, extra=""):
    target = path + ("?" + query if query else "")
    return (f"{method} {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + extra + "\r\n").encode("latin-1")


def connect():
    s = socket.create_connection((HOST, PORT), timeout=LIMIT)
    if TLS:
        s = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE")).wrap_socket(s, server_hostname=HOST)
    return s


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def code(self):
        a, b = self.body.find(b"<Code>"), self.body.find(b"</Code>")
        return self.body[a + 6:b].decode() if a >= 0 else ""


LEFT = weakref.WeakKeyDictionary()  # what came behind a reply, by socket: a fast server sends the next one along


def read_reply(s, method="GET", skip_continue=True):
    """One reply; status 0 if the connection ended before one came."""
    data = LEFT.pop(s, b"")
    while b"\r\n\r\n" not in data:
        try:
            more = s.recv(65536)
        except (ConnectionError, ssl.SSLError):
            more = b""
        if not more:
            return Reply(0, {}, data)
        data += more
    top, rest = data.split(b"\r\n\r\n", 1)
    lines = top.decode("latin-1").split("\r\n")
    status = int(lines[0].split()[1])
    headers = {k.strip().lower(): v.strip() for k, v in (x.split(":", 1) for x in lines[1:])}
    if status == 100:
        LEFT[s] = rest
        return read_reply(s, method) if skip_continue else Reply(100, headers, b"")
    length = 0 if method == "HEAD" or status in (204, 304) else int(headers.get("content-length", 0))
    while len(rest) < length:
        try:
            more = s.recv(65536)
        except (ConnectionError, ssl.SSLError):
            more = b""
        if not more:
            break
        rest += more
    LEFT[s] = rest[length:]
    return Reply(status, headers, rest[:length])


def exchange(data, method="GET"):
    with connect() as s:
        try:
            s.sendall(data)
        except OSError:
            pass
        return read_reply(s, method)


def request(method, path, query="", headers=None, body=b"", **kw):
    """A proper request."""
    payload = kw.pop("payload", hashlib.sha256(body).hexdigest())
    h = sign(method, path, query, headers, payload, **kw)
    if body or method in ("PUT", "POST"):
        h["content-length"] = str(len(body))
    return exchange(head(method, path, query, h) + body, method)


def alive():
    r = request("GET", "/")
    assert r.status == 200, (r.status, r.body)


def chunk_signature(previous, data, date, label="PAYLOAD", key=None):
    scope = f"{date[:8]}/{REGION}/s3/aws4_request"
    parts = [f"AWS4-HMAC-SHA256-{label}", date, scope, previous]
    if label == "PAYLOAD":
        parts.append(EMPTY)
    parts.append(hashlib.sha256(data).hexdigest())
    return hmac.new(key or scope_key(date[:8]), "\n".join(parts).encode(), hashlib.sha256).hexdigest()
