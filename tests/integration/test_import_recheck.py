"""URLs of a list that is imported again are asked whether they changed, by what their servers tell versions apart with."""

from conftest import sha256, wait_for
from lists import imported, labels, revision
from test_import import data, served, write_csv  # noqa: F401


def test_only_what_changed_costs_bytes(web, served, data):  # noqa: F811
    web.put("/etag", b"one", etag='"1"')
    web.put("/date", b"two", age_s=7200)
    web.put("/none", b"three")
    paths = ["/date", "/etag", "/none"]
    manifest = write_csv(data / "M.csv", [[p, web.base + p, "cat"] for p in paths], ["id", "url", "label"])
    imported(served, manifest)
    assert web.take() == [("/date", 200, 3), ("/etag", 200, 3), ("/none", 200, 5)], "once, in the pass that brings them"
    before = revision(served)
    assert imported(served, manifest)["written"] == 0
    assert web.take() == [("/date", 304, 0), ("/etag", 304, 0)], "no bytes, and not one request where nothing tells versions apart"
    assert revision(served) == before
    web.put("/etag", b"one, mended", etag='"2"')
    web.put("/date", b"two, mended", age_s=3600)
    web.put("/none", b"three, mended")
    assert imported(served, manifest)["written"] == 0
    assert web.take() == [("/date", 200, 11), ("/etag", 200, 11)]
    for path, body in ("/etag", b"one, mended"), ("/date", b"two, mended"), ("/none", b"three"):
        assert served.item(path)["sha256"] == sha256(body) and labels(served, path) == [("cat", "SUCCESS")]
    imported(served, manifest)
    assert web.take() == [("/date", 304, 0), ("/etag", 304, 0)]
    assert served.lines("verify")[-1]["problems"] == 0


def test_what_cannot_be_asked_stands(web, inlet, data):  # noqa: F811
    for n in range(5):
        web.put(f"/{n}", f"page {n}".encode(), etag=f'"{n}"')
    signed = "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=1&X-Amz-Signature=1"
    web.put("/s", b"signed", etag='"s"')
    urls = [f"{web.base}/{n}" for n in range(5)] + [f"{web.base}/s{signed}"]
    manifest = write_csv(data / "M.csv", [[url, "cat"] for url in urls], ["url", "label"])
    imported(inlet, manifest)
    web.take()
    before = revision(inlet)
    web.broken = {"/1": 404, "/2": 500}
    answer = imported(inlet, manifest)
    assert (answer["written"], answer["not_fetched"], answer["to_fetch"]) == (0, 0, 0)
    assert [(path, code) for path, code, _ in web.take()] == [("/0", 304), ("/1", 404), ("/2", 500), ("/3", 304), ("/4", 304)]
    assert revision(inlet) == before and inlet.failures() == [] and len(inlet.items()) == 6
    write_csv(manifest, [[urls[0], "cat"]], ["url", "label"])
    imported(inlet, manifest)
    assert [path for path, _, _ in web.take()] == ["/0"], "what the list does not name any more is nobody's business"


def test_the_lists_of_a_source_too(web, inlet):
    folder = inlet.root / "lists"
    folder.mkdir()
    inlet.write_config(normalize=False, sources=[{"name": "lists", "manifest": {"folder": {"path": "./lists", "settle": "0s"}}}])
    for name in "/etag", "/gone", "/left":
        web.put(name, f"page {name}".encode(), etag='"1"')
    web.put("/date", b"page /date", age_s=7200)
    web.put("/none", b"page /none")
    paths = ["/date", "/etag", "/gone", "/left", "/none"]

    def write(*named):
        write_csv(folder / "new.part", [[p, web.base + p, "cat"] for p in named], ["id", "url", "label"])
        (folder / "new.part").rename(folder / "M.csv")

    def asked():
        """The first answers: a list that was written just now is read more than once."""
        said, web.said = web.said, []
        return sorted({path: code for path, code, _ in reversed(said)}.items())
    write(*paths)
    inlet.once()
    assert [(path, code) for path, code, _ in web.take()] == [(p, 200) for p in paths]
    before = revision(inlet)
    wait_for("a list that is as it was to be left alone", lambda: inlet.once() and asked() == [])
    assert revision(inlet) == before
    web.broken["/gone"] = 404
    write(*paths)  # the same again
    inlet.once()
    assert asked() == [("/date", 304), ("/etag", 304), ("/gone", 404), ("/left", 304)]
    assert inlet.failures() == [] and len(inlet.items()) == 5
    web.put("/etag", b"mended", etag='"2"')
    web.put("/new", b"page /new", etag='"1"')
    write("/date", "/etag", "/gone", "/new", "/none")
    inlet.start()
    inlet.cli("sync", "lists")
    inlet.cli("wait")
    assert asked() == [("/date", 304), ("/etag", 200), ("/gone", 404), ("/new", 200)]
    assert inlet.item("/etag")["sha256"] == sha256(b"mended") and labels(inlet, "/etag") == [("cat", "SUCCESS")]
    assert inlet.item("/left")["sha256"] == sha256(b"page /left") and inlet.failures() == []
    write("/date", "/etag", "/new", "/none")  # read by the daemon when it comes
    inlet.cli("sync", "lists")
    inlet.cli("wait")
    assert asked() == [("/date", 304), ("/etag", 304), ("/new", 304)]
    assert inlet.lines("verify")[-1]["problems"] == 0
