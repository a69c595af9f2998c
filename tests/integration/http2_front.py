"""A TLS server in front of another one: it offers the protocols that it is told to (ALPN), and notes what each request came by.

hypercorn speaks HTTP/2 and HTTP/1.1; what it is asked for is passed on to the server behind, and the answer as it comes."""

import asyncio
import collections
import http.client
import subprocess
import threading

from buckets import connects, free_port
from conftest import wait_for
from hypercorn.asyncio import serve
from hypercorn.config import Config

Seen = collections.namedtuple("Seen", "version target headers connection")


class Front:
    """protocols: such as ["h2", "http/1.1"]. certificate: made in this folder, a PEM to be trusted."""

    def __init__(self, folder, server, protocols):
        self.server, self.seen, self.breaks = server, [], 0
        self.certificate, key = folder / "front.pem", folder / "front.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=inlet test", "-addext",
                        "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", self.certificate], check=True, capture_output=True)
        self.port = free_port()
        config = Config()
        config.bind = [f"127.0.0.1:{self.port}"]
        config.certfile, config.keyfile, config.alpn_protocols = str(self.certificate), str(key), protocols
        config.errorlog = None
        config.keep_alive_timeout = 1  # a stream whose answer breaks off is left open by hypercorn until then
        self.loop, self.done = asyncio.new_event_loop(), asyncio.Event()
        self.thread = threading.Thread(target=self.loop.run_until_complete, daemon=True,
                                       args=(serve(self.answer, config, shutdown_trigger=self.done.wait, mode="asgi"),))
        self.thread.start()
        wait_for("the front", lambda: connects(self.port))

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def close(self):
        self.loop.call_soon_threadsafe(self.done.set)
        self.thread.join()

    def fetch(self, method, target, headers):
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        upstream.request(method, target, headers=headers)
        response = upstream.getresponse()
        body = response.read()
        upstream.close()
        return response.status, response.getheaders(), body

    async def answer(self, scope, receive, send):
        if scope["type"] != "http":
            return
        target = scope["raw_path"].decode() + ("?" + scope["query_string"].decode() if scope["query_string"] else "")
        headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        self.seen.append(Seen(scope["http_version"], target, headers, scope["client"]))
        kept = {k: v for k, v in headers.items() if k not in ("host", "connection")}
        status, fields, body = await asyncio.to_thread(self.fetch, scope["method"], target, kept)
        fields = [(k.lower().encode(), v.encode()) for k, v in fields if k.lower() not in ("connection", "transfer-encoding", "content-length")]
        await send({"type": "http.response.start", "status": status, "headers": [*fields, (b"content-length", b"%d" % len(body))]})
        if self.breaks and len(body) > 100_000:
            self.breaks -= 1
            await send({"type": "http.response.body", "body": body[:100_000], "more_body": True})
            raise ConnectionError("broken off, as it was asked for")
        await send({"type": "http.response.body", "body": body})
