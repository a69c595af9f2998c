"""A strict S3 server for tests: it computes each signature again from what came over the wire, demands the canonical wire form and
nothing that it does not know, and misbehaves on request.

Whatever a request gets wrong is in violations: a test ends with `assert not server.violations`. What was asked for is in log."""

import base64
import calendar
import email.utils
import hashlib
import hmac
import http.server
import socket
import struct
import threading
import time
from urllib.parse import quote, unquote_to_bytes
from xml.sax.saxutils import escape

EMPTY = hashlib.sha256(b"").hexdigest()
UNRESERVED = "-_.~"
ELEMENTS = "".join(f"<E{i}>{i}</E{i}>" for i in range(12))  # libs3's parser overruns beyond eight


class Object:
    def __init__(self, data, etag=None, modified=1_700_000_000, **headers):
        self.data = data
        self.etag = '"' + hashlib.md5(data).hexdigest() + '"' if etag is None else etag
        self.modified = modified
        self.storage_class = headers.pop("storage_class", "STANDARD")
        self.restore = headers.pop("restore", "")
        self.headers = headers  # of an answer: {"x-amz-checksum-crc32": ...}


class Request:
    def __init__(self, method, target, headers):
        self.method, self.headers = method, headers
        self.proxied = target.startswith("http://")
        self.target = target = target[target.index("/", len("http://")):] if self.proxied else target
        path, _, query = target.partition("?")
        self.path, self.query = path, query
        pairs = [p.partition("=")[::2] for p in query.split("&") if p]
        self.params = {k: unquote_to_bytes(v) for k, v in pairs}
        self.pairs = pairs
        self.kind = "list" if "list-type" in self.params else "get"
        self.key = b""

    def __repr__(self):
        return f"{self.method} {self.target} {dict(self.headers)}"


class Verifier:
    """Path style and virtual host. objects is {key: Object}, keys are bytes. Everything may be changed while it runs."""

    def __init__(self, bucket="bucket", region="eu-central-1"):
        self.bucket, self.region = bucket, region
        self.keys = {"AKIDTEST": ("canary-secret-key", "")}   # id: (secret, session token)
        self.expired = set()                                   # ids whose token has expired
        self.anonymous = False
        self.objects = {}
        self.page = 1000
        self.encodes = True                                    # honours encoding-type=url
        self.quoted = True                                     # ETags in listings
        self.skew = 0                                          # this server's clock
        self.known_headers = {"x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-checksum-mode"}
        self.log, self.violations, self.rules = [], [], []
        self.lock = threading.Lock()
        self.connections = 0
        verifier = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            server_version = "Verifier"

            def log_message(self, *args):
                pass

            def setup(self):
                super().setup()
                with verifier.lock:
                    verifier.connections += 1

            def date_time_string(self, timestamp=None):
                return email.utils.formatdate((timestamp or time.time()) + verifier.skew, usegmt=True)

            def handle_any(self):
                verifier.serve(self)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass  # the client left: tests see that from their side

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def put(self, key, data=b"", **kw):
        self.objects[key.encode() if isinstance(key, str) else key] = Object(data.encode() if isinstance(data, str) else data, **kw)

    def on(self, kind, fault, times=1, skip=0):
        """The next `times` requests of a kind ("list", "get"; None: any) get this fault: fault(verifier, handler, request), which
        answers; None: for ever."""
        self.rules.append([kind, fault, times, skip])

    def count(self, kind=None):
        return sum(kind in (None, r.kind) for r in self.log)

    # ---- what came ----

    def wrong(self, request, what):
        with self.lock:
            self.violations.append(f"{what}: {request!r}")

    def check_form(self, request):
        path = quote(unquote_to_bytes(request.path), safe="/" + UNRESERVED)
        if path != request.path:
            self.wrong(request, f"path is not canonical, {path} is")
        query = "&".join(sorted(f"{quote(unquote_to_bytes(k), safe=UNRESERVED)}={quote(unquote_to_bytes(v), safe=UNRESERVED)}"
                                for k, v in request.pairs))
        if query != request.query:
            self.wrong(request, f"query is not canonical, {query} is")
        names = [n.lower() for n in request.headers.keys()]
        for name in set(names):
            if names.count(name) > 1:
                self.wrong(request, f"{name} comes twice")
            if name.startswith("x-amz-") and name not in self.known_headers:
                self.wrong(request, f"{name} is not known")
        known = {"proxy-connection"} if request.proxied else set()
        known |= {"host", "authorization", "range", "if-match", "user-agent", "accept", "accept-encoding"}
        for name in names:
            if not name.startswith("x-amz-") and name not in known:
                self.wrong(request, f"{name} has no business here")
        if request.method != "GET":
            self.wrong(request, "only GET is needed")
        if request.headers.get("x-amz-security-token") == "":
            self.wrong(request, "an empty token")

    def refusal(self, request):
        """(status, code, more, headers) or None."""
        given = request.headers.get("authorization")
        if not given:
            return None if self.anonymous else (403, "AccessDenied", "", {})
        try:
            scheme, rest = given.split(" ", 1)
            fields = dict(f.strip().split("=", 1) for f in rest.split(","))
            key_id, date, region, service, last = fields["Credential"].split("/")
            signed = fields["SignedHeaders"].split(";")
            stamp = request.headers["x-amz-date"]
            at = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
        except (KeyError, ValueError, TypeError) as e:
            self.wrong(request, f"no V4 signature ({e})")
            return 400, "AuthorizationHeaderMalformed", "", {}
        if (scheme, service, last, date) != ("AWS4-HMAC-SHA256", "s3", "aws4_request", stamp[:8]) or signed != sorted(signed):
            self.wrong(request, "the credential's scope")
        if region != self.region:
            return 400, "AuthorizationHeaderMalformed", f"<Region>{self.region}</Region>", {}
        if key_id not in self.keys:
            return 403, "InvalidAccessKeyId", "", {}
        secret, token = self.keys[key_id]
        if key_id in self.expired:
            return 400, "ExpiredToken", "", {}
        if request.headers.get("x-amz-security-token", "") != token:
            return 400, "InvalidToken", "", {}
        if abs(time.time() + self.skew - at) > 900:
            return 403, "RequestTimeTooSkewed", "", {}
        for name in request.headers.keys():
            if name.lower().startswith("x-amz-") or name.lower() in ("host", "range", "if-match"):
                if name.lower() not in signed:
                    self.wrong(request, f"{name} is not signed")
        if request.headers.get("x-amz-content-sha256") != EMPTY:
            self.wrong(request, "x-amz-content-sha256")
        if self.signature(request, secret, date, signed, stamp) != fields["Signature"]:
            return 403, "SignatureDoesNotMatch", "", {}
        return None

    def signature(self, request, secret, date, signed, stamp):
        headers = "".join(f"{n}:{' '.join(request.headers.get(n, '').split())}\n" for n in signed)
        canonical = "\n".join(["GET", request.path, request.query, headers, ";".join(signed), EMPTY])
        scope = f"{date}/{self.region}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + secret).encode()
        for part in (date, self.region, "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    # ---- what goes ----

    def answer(self, handler, status, body=b"", headers=(), length=None):
        handler.send_response(status)
        for name, value in dict(headers).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)

    def refuse(self, handler, status, code, more="", headers=()):
        body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>Words &amp; words.</Message>{more}'
                f"{ELEMENTS}<RequestId>1</RequestId></Error>").encode()
        self.answer(handler, status, body, {"Content-Type": "application/xml", **dict(headers)})

    def serve(self, handler):
        request = Request(handler.command, handler.path, handler.headers)
        self.check_form(request)
        path = unquote_to_bytes(request.path)
        if handler.headers.get("host", "").startswith(self.bucket + "."):
            request.key = path[1:]
        else:
            prefix = f"/{self.bucket}/".encode()
            if not path.startswith(prefix):
                return self.refuse(handler, 404, "NoSuchBucket")
            request.key = path[len(prefix):]
        with self.lock:
            self.log.append(request)
            rule = next((r for r in self.rules if r[0] in (None, request.kind) and r[2] != 0), None)
            if rule and rule[3] > 0:
                rule[3] -= 1
                rule = None
            elif rule and rule[2]:
                rule[2] -= 1
        if rule:
            return rule[1](self, handler, request)
        self.proper(handler, request)

    def proper(self, handler, request):
        refused = self.refusal(request)
        if refused:
            return self.refuse(handler, *refused)
        if request.kind == "list":
            return self.answer(handler, 200, self.listing(request), {"Content-Type": "application/xml"})
        self.read(handler, request)

    def listing(self, request, only=None):
        p = request.params
        if p.get("list-type") != b"2" or request.key:
            self.wrong(request, "not ListObjectsV2")
        prefix = p.get("prefix", b"")
        after = base64.b64decode(p["continuation-token"])[3:] if "continuation-token" in p else p.get("start-after", b"")
        keys = sorted(k for k in list(self.objects) if k.startswith(prefix) and k > after)
        size = min(self.page, int(p.get("max-keys", b"1000")))
        page = keys[:size] if only is None else only
        return self.page_xml(page, len(keys) > len(page), p.get("encoding-type") == b"url" and self.encodes)

    def page_xml(self, keys, more, encoded, token=None):
        def name(key):
            if encoded:
                return quote(key, safe="/" + UNRESERVED).replace("%20", "+")
            return "".join(f"&#{c};" if c < 32 else escape(chr(c)) for c in key) if key.isascii() else escape(key.decode())

        def entry(key):
            o = self.objects[key]
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(o.modified))
            etag = escape(o.etag if self.quoted else o.etag.strip('"'), {'"': "&quot;"})
            return (f"<Contents><Key>{name(key)}</Key><LastModified>{stamp}</LastModified><ETag>{etag}</ETag><Size>{len(o.data)}</Size>"
                    f"<Owner><ID>1</ID></Owner><StorageClass>{o.storage_class}</StorageClass>{o.restore}</Contents>")

        # A token with everything in it that base64 has: '+', '/' and '='.
        token = token or base64.b64encode(b"\xfb\xff\xbe" + keys[-1]).decode() if more else ""
        return ('<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                f"<Name>{self.bucket}</Name><KeyCount>{len(keys)}</KeyCount><IsTruncated>{'true' if more else 'false'}</IsTruncated>"
                + "".join(entry(k) for k in keys)
                + (f"<NextContinuationToken>{escape(token)}</NextContinuationToken>" if more else "")
                + ("<EncodingType>url</EncodingType>" if encoded else "") + "</ListBucketResult>").encode()

    def head_of(self, o):
        return {"ETag": o.etag, "Last-Modified": email.utils.formatdate(o.modified, usegmt=True), "Accept-Ranges": "bytes",
                **{k.replace("_", "-"): v for k, v in o.headers.items()}}

    def read(self, handler, request, **changes):
        o = self.objects.get(request.key)
        if o is None:
            return self.refuse(handler, 404, "NoSuchKey")
        if "if-match" in request.headers and request.headers["if-match"] != o.etag:
            return self.refuse(handler, 412, "PreconditionFailed")
        if o.storage_class == "GLACIER" and not o.restore:
            return self.refuse(handler, 403, "InvalidObjectState")
        headers = self.head_of(o) | changes.get("headers", {})
        if "range" not in request.headers:
            return self.answer(handler, 200, o.data, headers)
        start, end = range_of(request, o)
        if start >= len(o.data):
            return self.refuse(handler, 416, "InvalidRange")
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(o.data)}"
        self.answer(handler, 206, o.data[start:end], headers)


def range_of(request, o):
    """(first byte, one beyond the last) of the object that is asked for."""
    first, _, last = request.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")
    return int(first), min(int(last) + 1, len(o.data)) if last else len(o.data)


# ---- faults: what the tests put in with on() ----

def refuse(status, code, more="", **headers):
    return lambda v, h, r: v.refuse(h, status, code, more, {k.replace("_", "-"): str(s) for k, s in headers.items()})


def replies(status, body=b"", **headers):
    return lambda v, h, r: v.answer(h, status, body, {k.replace("_", "-"): str(s) for k, s in headers.items()})


def end(handler, hard):
    """hard: a reset, not an end."""
    handler.wfile.flush()
    if hard:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.rfile.close()
    handler.wfile.close()
    handler.connection.close()  # the last user of the descriptor


def cut_off(after, hard=False):
    """The right head, `after` bytes of the body, and the connection ends."""
    def act(v, h, r):
        o = v.objects[r.key]
        start, stop = begin(v, h, r)
        h.wfile.write(o.data[start:min(stop, start + after)])
        end(h, hard)
    return act


def begin(v, h, r):
    """The right head; which bytes of the object are owed."""
    o = v.objects[r.key]
    start, stop = range_of(r, o)
    h.send_response(206 if "range" in r.headers else 200)
    for name, value in v.head_of(o).items():
        h.send_header(name, value)
    if "range" in r.headers:
        h.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(o.data)}")
    h.send_header("Content-Length", str(stop - start))
    h.end_headers()
    return start, stop


class Throttle:
    """Right answers, each connection no faster than this: the fault of a link that is long. most: at once, as it was seen."""

    def __init__(self, bytes_s=4_000_000, piece=1 << 16):
        self.pause, self.piece = piece / bytes_s, piece
        self.running = self.most = 0

    def __call__(self, v, h, r):
        if v.refusal(r) or r.headers.get("if-match") != v.objects[r.key].etag:
            return v.proper(h, r)
        with v.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            data = v.objects[r.key].data
            start, stop = begin(v, h, r)
            for at in range(start, stop, self.piece):
                h.wfile.write(data[at:min(at + self.piece, stop)])
                time.sleep(self.pause)
        finally:
            with v.lock:
                self.running -= 1


def chunked(body_of, headers_of=None, ends=True):
    """Without a length: chunks; ends=False: the last one never comes, the connection does end."""
    def act(v, h, r):
        o = v.objects[r.key]
        h.send_response(200)
        for name, value in (headers_of or v.head_of)(o).items():
            h.send_header(name, value)
        h.send_header("Transfer-Encoding", "chunked")
        h.end_headers()
        body = body_of(o)
        h.wfile.write(b"%x\r\n" % len(body) + body + b"\r\n" + (b"0\r\n\r\n" if ends else b""))
        if not ends:
            end(h, False)
    return act
