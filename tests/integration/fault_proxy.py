"""A small HTTP proxy of ours between inletd and a real server: counts requests by kind and misbehaves when told to.

    proxy.on("GET", cut(1000), times=1)          the next body ends after 1,000 bytes
    proxy.on("LIST", answer(503, {"Retry-After": "1"}), times=3)
    proxy.on("LIST", vanish, skip=2)             the server dies at the third page; proxy.revive() brings it back
    proxy.counts()                               {"LIST": 3, "GET": 20}

Rules are looked at in the order in which they were made; the first that takes a request acts on it. What is sent on is what
came: Host included, so that signatures stay right, and the path byte for byte."""

import collections
import http.client
import http.server
import re
import socket
import struct
import threading
import urllib.parse

Request = collections.namedtuple("Request", "kind method target headers client")


def kind_of(method, target):
    """LIST, GET, HEAD, META (an object's or bucket's description), or the method itself."""
    path, _, query = target.partition("?")
    names = set(urllib.parse.parse_qs(query, keep_blank_values=True))
    gcs = re.fullmatch(r"/(?:download/)?storage/v1/b/[^/]+(?:/o(?:/(.+))?)?/?", path)
    if method != "GET":
        return method
    if gcs:
        return "GET" if gcs[1] and ("media" in query or path.startswith("/download/")) else "META" if gcs[1] or not path.rstrip(
            "/").endswith("/o") else "LIST"
    if "/" in path.strip("/") or path.endswith("/") and path.count("/") > 2:
        return "GET"
    return "META" if names & {"location", "versioning"} else "LIST"


class Rule:
    def __init__(self, kind, action, times, skip, when):
        self.kind, self.action, self.times, self.skip, self.when = kind, action, times, skip, when
        self.acted = 0

    def takes(self, request):
        if self.kind not in ("*", request.kind) or (self.when and not self.when(request)):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times == 0:
            return False
        if self.times:
            self.times -= 1
        self.acted += 1
        return True


# ---- actions: called with the handler of one request; handler.forward(...) does the honest part ----

def cut(after):
    """The body ends after so many bytes, politely (FIN)."""
    return lambda handler: handler.forward(stop_after=after)


def reset(after=0):
    """The connection is reset (RST) after so many bytes of the body."""
    return lambda handler: handler.forward(stop_after=after, hard=True)


def answer(status, headers=None, body=b""):
    """An answer of the proxy's own; the server never sees the request."""
    return lambda handler: handler.reply(status, headers or {}, body)


def meanwhile(run, after=0):
    """run() once so many bytes of the body have been sent on; then the rest."""
    return lambda handler: handler.forward(pause_after=after, pause=run)


def slow(seconds):
    """Latency before the request is sent on."""
    def act(handler):
        handler.proxy.released.wait(seconds)
        handler.forward()
    return act


def throttle(rate):
    """So many bytes a second on this connection."""
    return lambda handler: handler.forward(rate=rate)


def vanish(handler):
    """The server dies: this connection and every other, and nobody listens any more."""
    handler.proxy.vanish()
    handler.drop()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy = None  # the subclass's

    def log_message(self, *args):
        pass

    def setup(self):
        super().setup()
        self.upstream = None
        self.proxy.connected(self.connection)

    def finish(self):
        if self.upstream:
            self.upstream.close()
        self.proxy.disconnected(self.connection)
        try:
            super().finish()
        except OSError:
            pass

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass  # the client, or we, broke off

    def serve(self):
        target = self.requestline.split(" ")[1]  # self.path has lost a doubled slash
        self.request_seen = Request(kind_of(self.command, target), self.command, target, dict(self.headers.items()), self.client_address)
        self.request_body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        action = self.proxy.take(self.request_seen)
        action(self) if action else self.forward()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = serve

    def forward(self, stop_after=None, hard=False, pause_after=None, pause=None, rate=None):
        seen = self.request_seen
        for attempt in (0, 1):  # an idle connection may have been closed by the server
            if not self.upstream:
                self.upstream = http.client.HTTPConnection(*self.proxy.server, timeout=60)
            try:
                self.upstream.putrequest(seen.method, seen.target, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    self.upstream.putheader(name, value)
                self.upstream.endheaders(self.request_body or None)
                response = self.upstream.getresponse()
                break
            except (OSError, http.client.HTTPException):
                self.upstream.close()
                self.upstream = None
                if attempt:
                    return self.drop()
        self.send_response_only(response.status, response.reason)
        for name, value in response.getheaders():
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        chunked = response.length is None and seen.method != "HEAD" and response.status not in (204, 304)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        sent = 0
        while seen.method != "HEAD":
            want = 65536
            for edge in (stop_after, pause_after):
                if edge is not None and sent < edge:
                    want = min(want, edge - sent)
            if sent == pause_after:
                pause()
                pause_after = None
            if sent == stop_after:
                return self.drop(hard)
            data = response.read(want)
            if not data:
                break
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
            sent += len(data)
            if rate:
                self.proxy.released.wait(len(data) / rate)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def reply(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def drop(self, hard=False):
        self.close_connection = True
        if hard:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        if self.upstream:
            self.upstream.close()
            self.upstream = None


class FaultProxy:
    """In front of host:port, on a port of its own that stays the same over vanish() and revive()."""
    handler = Handler

    def __init__(self, host, port):
        self.server = (host, port)
        self.lock = threading.Lock()
        self.rules, self.requests, self.connections = [], [], set()
        self.released = threading.Event()  # ends every latency
        self.port = 0
        self.listener = None
        self.revive()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def revive(self):
        class Bound(self.handler):
            proxy = self
        http.server.ThreadingHTTPServer.daemon_threads = True
        self.listener = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Bound)
        self.port = self.listener.server_address[1]
        threading.Thread(target=self.listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def vanish(self):
        listener, self.listener = self.listener, None
        if not listener:
            return
        threading.Thread(target=listener.shutdown).start()
        listener.socket.close()
        with self.lock:
            for connection in self.connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.released.set()
        self.vanish()

    def on(self, kind, action, times=None, skip=0, when=None):
        rule = Rule(kind, action, times, skip, when)
        with self.lock:
            self.rules.append(rule)
        return rule

    def clear(self):
        """No rules, nothing counted."""
        with self.lock:
            self.rules.clear()
            self.requests.clear()

    def counts(self):
        with self.lock:
            return dict(collections.Counter(r.kind for r in self.requests))

    def seen(self, kind=None):
        with self.lock:
            return [r for r in self.requests if kind in (None, r.kind)]

    # called by handlers
    def take(self, request):
        with self.lock:
            self.requests.append(request)
            return next((rule.action for rule in self.rules if rule.takes(request)), None)

    def connected(self, connection):
        with self.lock:
            self.connections.add(connection)

    def disconnected(self, connection):
        with self.lock:
            self.connections.discard(connection)
