"""What every kind of bucket must do, over real servers filled by the official clients, with a proxy between that counts."""

import hashlib
import json
import signal
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest
from buckets import KEY_ID, SECRET
from conftest import sha256, wait_for
from fault_proxy import answer, slow, vanish


class Google:
    """A bucket of fake-gcs-server."""
    scheme = "gcs"

    def __init__(self, server):
        self.bucket = server.bucket()
        self.name = self.bucket.name

    def options(self, inlet):
        return {"anonymous": True}

    def put(self, key, data=b""):
        self.bucket.blob(key).upload_from_string(data if isinstance(data, bytes) else data.encode())

    def delete(self, key):
        self.bucket.blob(key).delete()

    @staticmethod
    def key(request):
        """The key that a GET asks for."""
        return urllib.parse.unquote(request.target.partition("?")[0].rpartition("/o/")[2])


class Amazon:
    """A bucket of MinIO."""
    scheme = "s3"

    def __init__(self, server):
        self.bucket = server.bucket()
        self.name = self.bucket.name

    def options(self, inlet):
        keys = inlet.root / "aws"
        keys.write_text(f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")
        return {"credentials": str(keys)}

    def put(self, key, data=b""):
        self.bucket.put(key, data)

    def delete(self, key):
        self.bucket.delete(key)

    @staticmethod
    def key(request):
        return urllib.parse.unquote(request.target.partition("?")[0].split("/", 2)[2])


@pytest.fixture(params=["s3", "gcs"])
def far(request, inlet, proxied):
    """A new bucket behind a proxy of its own, and the one source of this dataset."""
    gcs = request.param == "gcs"
    server = request.getfixturevalue("fake_gcs" if gcs else "minio")
    it = (Google if gcs else Amazon)(server)
    it.proxy = proxied(server)

    def configure(**options):
        source = {"bucket": it.name, "endpoint": it.proxy.url, "poll": "1h"} | it.options(inlet) | options
        inlet.write_config(sources=[{"name": "far", it.scheme: source}])
    it.configure = configure
    configure()
    return it


def fill(far, objects):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: far.put(*item), objects.items()))


def stored(inlet):
    """{key: digest} of what the dataset says, checked against the bytes that it gives back."""
    found = {}
    for item in inlet.items():
        for reference in item["references"]:
            found[reference["key"]] = item["sha256"]
    return found


ODD = {
    "plain.txt": b"plain", "dir/": b"", "dir/a.txt": b"a", "with space+plus=and&amp?#.txt": b"odd", "ü/é/日本.txt": b"utf-8",
    "percent%2Fencoded": b"percent", "same/1": b"twice", "same/2": b"twice", "~!*'()": b"marks", "empty": b"",
}


def test_first_sync_and_then_listings_only(inlet, far):
    inlet.write_config(normalize="off")  # what an empty object is, is said there
    fill(far, ODD)
    inlet.once()
    assert stored(inlet) == {key: sha256(data) for key, data in ODD.items()}
    assert far.proxy.counts()["GET"] == len(ODD)
    for item in inlet.items():
        assert hashlib.sha256(inlet.cli("cat", item["id"]).stdout).hexdigest() == item["sha256"]
    status = inlet.status()
    source = inlet.source("far")
    assert source["kind"] == far.scheme and source["objects"]["present"] == len(ODD) and source["watching"] == "poll"
    far.proxy.clear()
    inlet.once()
    counts = far.proxy.counts()
    assert counts.get("LIST", 0) >= 1 and not counts.keys() & {"GET", "HEAD"}, counts
    assert inlet.status()["store"] == status["store"]  # nothing was written


def test_changed_gone_and_returned(inlet, far):
    fill(far, {"a": b"1", "b": b"2", "c": b"3"})
    inlet.once()
    far.put("a", b"changed")
    far.delete("b")
    out = inlet.once().stdout.decode()
    assert "0 objects new, 1 changed, 1 gone" in out, out
    assert stored(inlet) == {"a": sha256(b"changed"), "c": sha256(b"3")}
    assert len(inlet.items()) == 4  # what was stored stays
    far.put("b", b"2")
    inlet.once()
    assert stored(inlet)["b"] == sha256(b"2")


def test_gone_items_leave_the_export_where_that_is_wanted(inlet, far):
    far.configure(on_gone="exclude")
    fill(far, {"a": b"1", "b": b"2"})
    inlet.once()
    far.delete("b")
    inlet.once()
    exported = [json.loads(line) for line in inlet.text("export", "--format", "jsonl").splitlines()]
    assert [r["key"] for i in exported for r in i["references"]] == ["a"] and len(exported) == 1
    assert len(inlet.items()) == 2


def test_another_bucket_is_asked_about(inlet, far, request):
    fill(far, {"a": b"1"})
    inlet.once()
    other = type(far)(request.getfixturevalue("fake_gcs" if far.scheme == "gcs" else "minio"))
    fill(other, {"b": b"2"})
    first, far.name = far.name, other.name
    far.configure()
    inlet.once(ok=(3,))
    said = inlet.source("far")["message"]
    assert f"://{first} " in said and f"://{other.name} " in said and "inlet sync far --rebind" in said, said
    assert inlet.keys() == ["a"], "nothing is taken from there, nor concluded"
    inlet.cli("sync", "far", "--rebind")
    assert inlet.keys() == ["b"] and len(inlet.items()) == 2


def test_a_folder_does_not_become_a_bucket(inlet, far):
    inlet.put("a.txt", "a file")
    inlet.settings["sources"] = [{"name": "far", "folder": {"path": "./inbox", "settle": "0s"}}]
    inlet.write_config()
    inlet.once()
    far.configure()
    fill(far, {"b": b"2"})
    inlet.cli("sync", "far", "--rebind", ok=(3,))
    said = inlet.source("far")["message"]
    assert str(inlet.inbox) in said and "source of its own" in said and "--rebind" not in said, said
    assert inlet.keys() == ["a.txt"]


def test_much_gone_at_once_is_asked_about(inlet, far):
    far.configure(on_gone="exclude")
    fill(far, {f"{i:03d}": f"{i}" for i in range(120)})
    inlet.once()
    for i in range(60):
        far.delete(f"{i:03d}")
    inlet.once(ok=(3,))
    source = inlet.source("far")
    assert source["objects"]["gone"] == 0
    said = inlet.cli("sync", "far", ok=(3,)).stdout.decode()
    assert "60 of 120 objects are gone at once" in said and "inlet sync far --accept-gone" in said, said
    inlet.start()
    wait_for("the question", lambda: inlet.source("far")["state"] == "held")
    asked = next(c for c in inlet.lines("doctor", ok=(1,)) if c["check"] == "source far")
    assert asked["level"] == "fail" and "--accept-gone" in asked["cure"] and "goes on by itself" not in asked["cure"], asked
    inlet.stop()
    inlet.cli("sync", "far", "--accept-gone")
    assert inlet.source("far")["objects"]["gone"] == 60


def test_an_emptied_bucket_is_asked_about_and_status_keeps_the_question(inlet, far):
    far.configure(on_gone="exclude")
    fill(far, {f"{i:03d}": f"{i}" for i in range(101)})
    inlet.once()
    for i in range(101):
        far.delete(f"{i:03d}")
    question = "101 of 101 objects are gone at once"
    for _ in range(2):
        assert question in inlet.once(ok=(3,)).stderr.decode()
        source = inlet.source("far")  # no daemon runs: what the last pass asked
        assert source["state"] == "held" and question in source["message"] and source["objects"]["gone"] == 0
        assert "inlet sync far --accept-gone" in inlet.text("status")
    assert len(inlet.text("export").splitlines()) == 101
    inlet.cli("sync", "far", "--accept-gone")
    source = inlet.source("far")
    assert source["state"] == "idle" and source["objects"]["gone"] == 101 and "the bucket is empty" in source["message"]
    assert inlet.text("export") == ""


def test_a_server_that_dies_while_it_lists(inlet, far):
    """Nothing is concluded from a listing that was not whole, not even of the keys that its first page left out."""
    n, pages = (1100, 1) if far.scheme == "s3" else (30, 0)  # filling a second page takes the official client of GCS half a minute
    fill(far, {f"{i:04d}": f"{i}" for i in range(n)})
    inlet.once()
    for i in (0, n // 2, n - 1):
        far.delete(f"{i:04d}")
    far.proxy.clear()
    far.proxy.on("LIST", vanish, skip=pages)
    inlet.once(ok=(3,))
    source = inlet.source("far")
    assert source["objects"]["gone"] == 0 and source["objects"]["present"] == n
    assert source["state"] == "offline" and source["message"] and source["watching"] == "poll"
    far.proxy.clear()
    far.proxy.revive()
    inlet.once()
    objects = inlet.source("far")["objects"]
    assert (objects["gone"], objects["present"]) == (3, n - 3)
    assert "GET" not in far.proxy.counts()


def test_a_storm_of_refusals_ends_with_everything_there(inlet, far):
    fill(far, {f"{i:03d}": f"{i}" for i in range(40)})
    far.proxy.on("GET", answer(503, {"Retry-After": "1"}), times=12)
    inlet.once()
    assert len(stored(inlet)) == 40
    assert inlet.failures() == []


def test_a_bad_gateway_is_waited_out(inlet, far):
    """However few tries an object has, and whoever stands in the server's place: no object is to blame."""
    inlet.write_config(limits={"attempts": 1})
    cures = {"502": "trouble of its own"} | ({"404": "`endpoint`"} if far.scheme == "s3" else {})
    fill(far, dict.fromkeys(cures, "1"))
    for key in cures:
        far.proxy.on("GET", answer(int(key), {}, b"<html>nginx</html>"), when=lambda r, key=key: far.key(r) == key)
    inlet.once(ok=(3,))
    for failure in inlet.failures():
        key = failure["key"]
        assert failure["class"] == "retry" and f": {key}" in failure["reason"] and cures.pop(key) in failure["cure"], failure
    assert not cures
    far.proxy.clear()
    wait_for("all of them", lambda: inlet.once(ok=(0, 3)).returncode == 0)


def test_another_reason_for_being_offline_is_told_again(inlet, far):
    far.configure(poll="1s")
    far.proxy.on("LIST", answer(403))
    inlet.start()
    wait_for("the first reason", lambda: b"is offline" in inlet.log.read_bytes())
    far.proxy.vanish()
    wait_for("the other reason", lambda: inlet.log.read_bytes().count(b"is offline") == 2)
    assert b"403" in inlet.log.read_bytes() and b"connect" in inlet.log.read_bytes()
    far.proxy.clear()
    far.proxy.revive()
    wait_for("the way back", lambda: b"is back" in inlet.log.read_bytes())
    inlet.stop()


def test_it_is_polled_and_synced_when_asked(inlet, far):
    far.configure(poll="1s")
    far.put("first", b"1")
    inlet.start()
    wait_for("the first object", lambda: "first" in stored(inlet))
    far.put("second", b"2")
    wait_for("the second object", lambda: "second" in stored(inlet))
    far.delete("first")
    wait_for("the loss", lambda: inlet.source("far")["objects"]["gone"] == 1)
    assert inlet.source("far")["state"] in ("live", "scanning") and inlet.source("far")["watching"] == "poll"
    inlet.stop()
    far.configure(poll="1d")
    inlet.start()
    wait_for("the pass at start", lambda: inlet.source("far")["state"] == "live")
    far.put("third", b"3")
    inlet.cli("sync", "far")
    assert "third" in stored(inlet)


def test_a_slow_bucket_holds_nobody_up(inlet, far):
    """The folder's files arrive while every fetch of the bucket hangs."""
    fill(far, {f"{i:03d}": f"{i}" for i in range(100)})
    far.proxy.on("GET", slow(600))
    sources = inlet.settings["sources"] + [{"name": "drop", "folder": {"path": "./inbox", "settle": "0s"}}]
    inlet.write_config(sources=sources)
    inlet.put("near.txt", b"near")
    inlet.start()
    wait_for("a fetch that hangs", lambda: far.proxy.counts().get("GET", 0) >= 8)
    wait_for("the folder's file", lambda: inlet.item("near.txt"))
    assert inlet.source("far")["objects"]["present"] == 0
    far.proxy.released.set()
    wait_for("the bucket's objects", lambda: inlet.source("far")["objects"]["present"] == 100)


def test_killed_in_the_middle_nothing_is_fetched_twice_that_was_kept(inlet, far):
    fill(far, {f"{i:04d}": f"{i}" for i in range(600)})
    far.configure(concurrency=4)
    far.proxy.on("GET", slow(0.01))
    inlet.start()
    wait_for("some objects", lambda: inlet.source("far")["objects"]["present"] > 100)
    inlet.stop(signal.SIGKILL)
    kept = set(stored(inlet))  # the stand-in recovers and reads, it discovers nothing
    assert 100 < len(kept) < 600
    far.proxy.clear()
    inlet.once()
    assert len(stored(inlet)) == 600
    fetched = [far.key(r) for r in far.proxy.seen("GET")]
    assert sorted(fetched) == sorted({f"{i:04d}" for i in range(600)} - kept)
    assert len(inlet.items()) == 600
    inlet.cli("verify")


def test_by_reference_nothing_is_copied_and_every_reading_is_checked(inlet, far):
    far.configure(store="reference")
    large = bytes(range(256)) * 40000  # over what is read again in memory
    fill(far, {"small": b"small", "large": large})
    inlet.once()
    asked = sorted(far.key(r) for r in far.proxy.seen("GET"))
    assert asked == ["large", "large", "small"]  # above 8 MiB it is not kept in memory until it is decoded
    assert inlet.status()["store"]["bytes"] == 0
    for key, data in (("small", b"small"), ("large", large)):
        assert inlet.cli("cat", inlet.item(key)["id"]).stdout == data
    item = inlet.item("small")["id"]
    far.put("small", b"other")
    done = inlet.cli("cat", item, ok=(1,))
    assert b"'small' of source 'far'" in done.stderr and b"small" not in done.stdout
    inlet.once()
    assert inlet.cli("cat", inlet.item("small")["id"]).stdout == b"other"
    assert b"every file that carried it is gone" in inlet.cli("cat", item, ok=(1,)).stderr


def test_the_doctor_examines_it(inlet, far):
    far.put("k", b"v")
    inlet.once()
    checks = [c for c in inlet.lines("doctor", ok=(0, 1)) if c["check"].startswith("source far")]
    assert len(checks) > 2 and all(c["level"] in ("ok", "warn") for c in checks), checks
    far.proxy.vanish()
    checks = [c for c in inlet.lines("doctor", ok=(1,)) if c["check"].startswith("source far")]
    assert any(c["level"] == "fail" and c["cure"] for c in checks), checks
