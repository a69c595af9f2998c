"""URLs of a list that is imported again are asked whether they changed, by what their servers tell versions apart with."""

import http.server
import threading
import time
from email.utils import formatdate

import pytest
from conftest import sha256
from lists import imported, labels, revision
from test_import import data, served, write_csv  # noqa: F401


class Versions:
    """A web server whose pages have an ETag, a Last-Modified, or neither; it counts answers and the bytes of their bodies."""

    def __init__(self):
        self.pages, self.etags, self.dates, self.broken, self.said = {}, {}, {}, {}, []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                etag, date = web.etags.get(self.path), web.dates.get(self.path)
                code = web.broken.get(self.path, 200 if self.path in web.pages else 404)
                if code == 200 and ((etag and self.headers.get("If-None-Match") == etag) or
                                    (date and self.headers.get("If-Modified-Since") == date)):
                    code = 304
                body = web.pages[self.path] if code == 200 else b""
                web.said.append((self.path, code, len(body)))
                self.send_response(code)
                if etag:
                    self.send_header("ETag", etag)
                if date:
                    self.send_header("Last-Modified", date)
                if code != 304:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, path, body, etag=None, age_s=None):
        self.pages[path], self.etags[path] = body, etag
        self.dates[path] = formatdate(time.time() - age_s, usegmt=True) if age_s else None

    def take(self):
        said, self.said = sorted(self.said), []
        return said


@pytest.fixture
def versions(inlet):
    inlet.write_config(fetch={"networks": ["127.0.0.1"]})
    it = Versions()
    yield it
    it.server.shutdown()
    it.server.server_close()


def test_only_what_changed_costs_bytes(versions, served, data):  # noqa: F811
    versions.put("/etag", b"one", etag='"1"')
    versions.put("/date", b"two", age_s=7200)
    versions.put("/none", b"three")
    paths = ["/date", "/etag", "/none"]
    manifest = write_csv(data / "M.csv", [[p, versions.base + p, "cat"] for p in paths], ["id", "url", "label"])
    imported(served, manifest)
    assert versions.take() == [("/date", 200, 3), ("/etag", 200, 3), ("/none", 200, 5)], "once, in the pass that brings them"
    before = revision(served)
    assert imported(served, manifest)["written"] == 0
    assert versions.take() == [("/date", 304, 0), ("/etag", 304, 0)], "no bytes, and not one request where nothing tells versions apart"
    assert revision(served) == before
    versions.put("/etag", b"one, mended", etag='"2"')
    versions.put("/date", b"two, mended", age_s=3600)
    versions.put("/none", b"three, mended")
    assert imported(served, manifest)["written"] == 0
    assert versions.take() == [("/date", 200, 11), ("/etag", 200, 11)]
    for path, body in ("/etag", b"one, mended"), ("/date", b"two, mended"), ("/none", b"three"):
        assert served.item(path)["sha256"] == sha256(body) and labels(served, path) == [("cat", "SUCCESS")]
    imported(served, manifest)
    assert versions.take() == [("/date", 304, 0), ("/etag", 304, 0)]
    assert served.lines("verify")[-1]["problems"] == 0


def test_what_cannot_be_asked_stands(versions, inlet, data):  # noqa: F811
    for n in range(5):
        versions.put(f"/{n}", f"page {n}".encode(), etag=f'"{n}"')
    signed = "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=1&X-Amz-Signature=1"
    versions.put("/s" + signed, b"signed", etag='"s"')
    urls = [f"{versions.base}/{n}" for n in range(5)] + [f"{versions.base}/s{signed}"]
    manifest = write_csv(data / "M.csv", [[url, "cat"] for url in urls], ["url", "label"])
    imported(inlet, manifest)
    versions.take()
    before = revision(inlet)
    versions.broken = {"/1": 404, "/2": 500}
    answer = imported(inlet, manifest)
    assert (answer["written"], answer["not_fetched"], answer["to_fetch"]) == (0, 0, 0)
    assert [(path, code) for path, code, _ in versions.take()] == [("/0", 304), ("/1", 404), ("/2", 500), ("/3", 304), ("/4", 304)]
    assert revision(inlet) == before and inlet.failures() == [] and len(inlet.items()) == 6
    write_csv(manifest, [[urls[0], "cat"]], ["url", "label"])
    imported(inlet, manifest)
    assert [path for path, _, _ in versions.take()] == ["/0"], "what the list does not name any more is nobody's business"
