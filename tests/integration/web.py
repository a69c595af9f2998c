"""A web server of this host for rows that name URLs: it has versions of its pages, does not answer where it is told so, and remembers."""

import http.server
import threading
import time
from email.utils import formatdate

import pytest


class Web:
    """Pages by their path; which query they are asked with does not matter."""

    def __init__(self):
        self.pages = {}     # their bytes; of one that is broken by 301 or 302, where it leads
        self.etags, self.dates = {}, {}
        self.broken = {}    # the status that is answered instead
        self.said = []      # (path as it was asked for, status, bytes of the body)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, path, body, etag=None, age_s=None):
        self.pages[path], self.etags[path] = body, etag
        self.dates[path] = formatdate(time.time() - age_s, usegmt=True) if age_s else None

    def take(self):
        """What was said since the last time, in the order of paths."""
        said, self.said = sorted(self.said), []
        return said

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def handler_of(web):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.split("?")[0]
            etag, date = web.etags.get(path), web.dates.get(path)
            code = web.broken.get(path, 200 if path in web.pages else 404)
            if code == 200 and ((etag and self.headers.get("If-None-Match") == etag) or
                                (date and self.headers.get("If-Modified-Since") == date)):
                code = 304
            body = web.pages[path] if code == 200 else b""
            web.said.append((self.path, code, len(body)))
            self.send_response(code)
            for name, value in ("ETag", etag), ("Last-Modified", date), ("Location", code in (301, 302) and web.pages[path]):
                if value:
                    self.send_header(name, value)
            if code != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    return Handler


@pytest.fixture
def web(inlet):
    inlet.write_config(fetch={"networks": ["127.0.0.1"]})
    it = Web()
    yield it
    it.close()
