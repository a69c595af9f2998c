"""A forward proxy as networks have them, beside what a fault proxy does: it is asked with whole URLs and by CONNECT, and it alone
knows where the server's name leads."""

import select
import socket

from fault_proxy import FaultProxy, Handler, Request


class Forwarding(Handler):
    def serve(self):
        method, url, version = self.requestline.split(" ")
        scheme, _, rest = url.partition("://")
        authority, _, path = rest.partition("/")
        if (scheme, authority) != ("http", self.proxy.authority):
            return self.reply(403, {}, b"")
        self.requestline = f"{method} /{path} {version}"
        del self.headers["Proxy-Connection"]
        super().serve()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = serve

    def do_CONNECT(self):
        action = self.proxy.take(Request("CONNECT", self.command, self.path, dict(self.headers.items()), self.client_address))
        if action:
            return action(self)
        if self.path != self.proxy.authority:
            return self.reply(403, {}, b"")
        self.close_connection = True
        with socket.create_connection(self.proxy.server) as far:
            self.send_response_only(200)
            self.end_headers()
            ends = {self.connection: far, far: self.connection}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    ends[end].sendall(data)


class ForwardProxy(FaultProxy):
    """To the server at 127.0.0.1:port, which is asked for by that name."""
    handler = Forwarding

    def __init__(self, name, port):
        self.authority = f"{name}:{port}"
        super().__init__("127.0.0.1", port)
