"""A source of manifests: lists that arrive in a folder or bucket are imported by the daemon itself, with what their rows name."""

import contextlib
import csv
import gzip
import http.server
import json
import os
import signal
import subprocess
import threading

import pytest
from buckets import KEY_ID, REGION, SECRET
from conftest import DEADLINE, PLAIN_USER, sha256, wait_for
from lists import labels, revision

LISTS = 400


@pytest.fixture
def lists(inlet):
    """The watched folder; its source is called "lists"."""
    it = inlet.root / "lists"
    it.mkdir()
    inlet.write_config(normalize=False, sources=[{"name": "lists", "manifest": {"folder": {"path": "./lists", "settle": "0s"}}}])
    return it


def change(inlet, **options):
    """Options of the source of manifests."""
    inlet.settings["sources"][0]["manifest"].update(options)
    inlet.write_config()


def write(path, rows, header=("path", "label")):
    """Arrives whole, as a careful writer does it."""
    part = path.with_name(path.name + ".part")
    with open(part, "w", newline="") as f:
        out = csv.writer(f)
        out.writerow(header)
        out.writerows(rows)
    part.rename(path)
    return path


def put(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"bytes of " + name.encode())


def manifests(inlet):
    it = inlet.source("lists")["manifests"]
    return it["present"], it["rows"], it["failed"], it["gone"]


def rows_failed(inlet):
    """{first value of the row: failure}"""
    return {next(iter(f["values"].values())): f for f in inlet.failures() if f["id"].startswith("r")}


def test_a_list_and_its_pictures_arrive_change_and_go(inlet, lists):
    inlet.start()
    put(lists / "batch", "a.jpg", "b.jpg")
    manifest = write(lists / "batch/M.csv", [("a.jpg", "cat"), ("b.jpg", "dog")])
    wait_for("its rows", lambda: manifests(inlet) == (1, 2, 0, 0))
    assert {i["sha256"] for i in inlet.items()} == {sha256(b"bytes of a.jpg"), sha256(b"bytes of b.jpg")}
    assert {r["source"] for i in inlet.items() for r in i["references"]} == {"lists/batch/M.csv"}
    assert labels(inlet, "a.jpg") == [("cat", "SUCCESS")]
    source = inlet.source("lists")
    assert (source["kind"], source["objects"]["present"], source["objects"]["skipped"]) == ("manifest", 1, 2)
    assert [s["name"] for s in inlet.status()["sources"]] == ["lists"]  # each list is no line of its own
    # The same list does nothing, touched or not.
    before = revision(inlet)
    inlet.cli("sync", "lists")
    assert revision(inlet) == before
    # An edited one updates.
    put(lists / "batch", "c.jpg")
    write(manifest, [("a.jpg", "lynx"), ("c.jpg", "hen")])
    wait_for("the change", lambda: inlet.item("c.jpg") and labels(inlet, "a.jpg") == [("lynx", "SUCCESS")])
    inlet.cli("wait")
    assert manifests(inlet) == (1, 2, 0, 0) and labels(inlet, "b.jpg") == [("dog", "SUCCESS")]
    # One that goes is told; what it brought stays.
    manifest.unlink()
    wait_for("the loss", lambda: manifests(inlet) == (0, 2, 0, 1))
    assert "1 of its manifests is gone, what they brought stays" in inlet.text("status")
    assert len(inlet.items()) == 3 and labels(inlet, "a.jpg") == [("lynx", "SUCCESS")]
    assert inlet.lines("verify")[-1]["problems"] == 0
    inlet.stop()
    items = inlet.text("items", "--json")
    inlet.cli("rebuild-index")
    assert inlet.text("items", "--json") == items


def test_rows_that_fail_are_told_and_the_rest_stands(inlet, lists):
    put(lists, "a.jpg")
    (inlet.root / "outside.txt").write_text("outside")
    (lists / "link.txt").symlink_to(inlet.root / "outside.txt")
    write(lists / "M.csv", [("a.jpg", "cat"), ("/etc/shadow", "x"), ("../outside.txt", "x"), ("link.txt", "x"),
                            ("file:///etc/passwd", "x"), ("s3://somebody/else.jpg", "x"), ("../state/erase.key", "x")])
    (lists / "bad.csv").write_text("a,b\n1,2\n")
    (lists / "notes.txt").write_text("a text and no list")
    put(lists, "photo.png")
    inlet.once(ok=(3,))
    assert [r["key"] for i in inlet.items() for r in i["references"]] == ["a.jpg"]
    why = rows_failed(inlet)
    assert set(why) == {"/etc/shadow", "../outside.txt", "link.txt", "file:///etc/passwd", "../state/erase.key"}
    for f in why.values():
        assert "does not lie beneath" in f["reason"] and "roots" in f["cure"], f
        assert (f["class"], f["file"]) == ("quarantined", str(lists / "M.csv")) and f["line"] and f["import"]
    assert "no source of the configuration covers" in inlet.failure("s3://somebody/else.jpg")["reason"]
    bad = inlet.failure("bad.csv")
    assert "no column says where" in bad["reason"] and "names" in bad["cure"] and bad["class"] == "quarantined"
    assert manifests(inlet)[:3] == (1, 7, 5)
    # Mended, and tried again by its id.
    assert inlet.lines("failures", "--import", next(iter(why.values()))["import"])
    before = revision(inlet)
    inlet.cli("retry", bad["id"], ok=(0, 3))
    assert inlet.failure("bad.csv") and len(inlet.items()) == 1
    (lists / "bad.csv").write_text("path,b\na.jpg,2\n")
    inlet.once(ok=(3,))
    assert inlet.failure("bad.csv") is None and revision(inlet) > before and manifests(inlet)[:3] == (2, 8, 5)


def test_files_that_come_after_their_list(inlet, lists):
    put(lists, "a.jpg")
    inlet.start()
    write(lists / "M.csv", [("late.jpg", "cat"), ("a.jpg", "dog")])
    waits = wait_for("the row to wait", lambda: [f for f in [inlet.failure("late.jpg")] if f and "No such file" in f["reason"]])[0]
    assert waits["class"] == "retry" and (waits["file"], waits["line"]) == (str(lists / "M.csv"), 2)
    assert inlet.failure("M.csv") is None and labels(inlet, "a.jpg") == [("dog", "SUCCESS")]
    put(lists, "late.jpg")
    inlet.cli("retry", waits["id"], ok=(0, 1, 3))  # 1: it has just been tried again by itself
    wait_for("the picture", lambda: inlet.item("late.jpg"))
    inlet.cli("wait")
    assert inlet.failures() == [] and manifests(inlet) == (1, 2, 0, 0) and labels(inlet, "late.jpg") == [("cat", "SUCCESS")]
    before = revision(inlet)
    inlet.cli("sync", "lists")
    assert revision(inlet) == before


def test_a_list_is_imported_once_whatever_waits(inlet, lists):
    """A missing file is tried again by itself: a list of a million rows is not read again for it."""
    put(lists, "a.jpg")
    manifest = write(lists / "M.csv", [("missing.jpg", "cat"), ("a.jpg", "dog")])
    assert inlet.once(ok=(3,)).stderr.count(b"M.csv: 2 rows, 2 new or changed, 0 failed") == 1
    assert b"M.csv" not in inlet.once(ok=(3,)).stderr
    write(manifest, [("missing.jpg", "lynx"), ("a.jpg", "dog")])  # it waits all the same
    inlet.once(ok=(3,))
    assert inlet.failure("missing.jpg")["class"] == "retry" and len(inlet.failures()) == 1
    put(lists, "missing.jpg")
    write(manifest, [("a.jpg", "dog"), ("missing.jpg", "lynx")])  # read anew, and there
    inlet.once()
    assert labels(inlet, "missing.jpg") == [("lynx", "SUCCESS")] and inlet.failures() == []
    (lists / "missing.jpg").unlink()  # what is in the dataset stays, and nobody waits for it
    write(manifest, [("missing.jpg", "hen"), ("a.jpg", "dog")])
    inlet.once()
    assert labels(inlet, "missing.jpg") == [("hen", "SUCCESS")] and inlet.failures() == []


def test_a_row_is_tried_again_with_its_list(inlet, lists):
    inlet.settings["sources"][0]["manifest"]["folder"]["settle"] = "2s"  # then no further pass has a reason to read the list
    inlet.write_config()
    (lists / "a.jpg").mkdir()
    write(lists / "M.csv", [("a.jpg", "cat")])
    inlet.once(ok=(3,))
    (lists / "a.jpg").rmdir()
    put(lists, "a.jpg")
    inlet.once(ok=(3,))
    row = rows_failed(inlet)["a.jpg"]["id"]
    inlet.cli("retry", row)
    assert inlet.failures() == [] and labels(inlet, "a.jpg") == [("cat", "SUCCESS")]


def test_what_failed_of_a_list_that_has_gone_asks_nobody_any_more(inlet, lists):
    put(lists, "a.jpg", "in/a.jpg")
    rows = [("a.jpg", "cat"), ("/etc/shadow", "x"), ("late.jpg", "dog"), ("http://127.0.0.1:1/x.jpg", "web")]
    manifest = write(lists / "M.csv", rows)
    write(lists / "in/N.csv", rows)
    inlet.once(ok=(3,))
    row = rows_failed(inlet)["/etc/shadow"]["id"]
    assert len(inlet.failures()) == 6 and manifests(inlet) == (2, 8, 2, 0)
    items = inlet.text("items", "--json")
    (lists / "in").rename(inlet.root / "in")
    inlet.once(ok=(3,))
    assert len(inlet.failures()) == 3
    aside = manifest.rename(inlet.root / "M.csv")
    inlet.once()
    assert inlet.failures() == [] and manifests(inlet) == (0, 8, 0, 2)
    assert b"there is no failure" in inlet.cli("retry", row, ok=(1,)).stderr
    before = revision(inlet)
    inlet.once()
    assert revision(inlet) == before
    assert inlet.text("items", "--json") == items
    inlet.cli("rebuild-index")
    assert inlet.text("items", "--json") == items and inlet.failures() == []
    # Both come back as they were.
    aside.rename(manifest)
    (inlet.root / "in").rename(lists / "in")
    inlet.once(ok=(3,))
    assert len(inlet.failures()) == 6 and manifests(inlet) == (2, 8, 2, 0)
    put(lists, "late.jpg")
    inlet.cli("retry", "--all", ok=(3,))
    assert labels(inlet, "late.jpg") == [("dog", "SUCCESS")] * 2 and len(inlet.failures()) == 4
    assert inlet.lines("verify")[-1]["problems"] == 0


def test_a_row_that_names_another_place_while_the_first_is_fetched(inlet, lists):
    """What comes late from the place that was named before does not take the place of what the row names now."""
    asked, go_on = threading.Event(), threading.Event()

    class Slow(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/first":
                asked.set()
                go_on.wait(DEADLINE)
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.path)))
            self.end_headers()
            self.wfile.write(self.path.encode())

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    inlet.write_config(fetch={"networks": ["127.0.0.0/8"]})
    inlet.start()
    rows = [("one", f"{url}/first", "cat"), ("two", "later.jpg", "hen")]
    write(lists / "M.csv", rows, header=("id", "url", "label"))
    assert asked.wait(DEADLINE)
    put(lists, "a.jpg")
    write(lists / "M.csv", [("one", "a.jpg", "dog"), ("two", f"{url}/second", "cow")], header=("id", "url", "label"))
    wait_for("what the row names now", lambda: inlet.item("one") and inlet.item("two"))
    go_on.set()
    inlet.cli("wait")
    assert inlet.item("one")["sha256"] == sha256(b"bytes of a.jpg") and labels(inlet, "one") == [("dog", "SUCCESS")]
    assert inlet.item("two")["sha256"] == sha256(b"/second") and inlet.failures() == []
    inlet.stop()
    server.shutdown()
    assert inlet.lines("verify")[-1]["problems"] == 0


def test_roots_and_columns(inlet, lists):
    put(inlet.root / "pictures", "a.jpg", "sub/b.jpg")
    put(lists, "own.jpg")
    change(inlet, roots=["./pictures", "."], columns={"path": "bild", "label": "klasse"})
    write(lists / "M.csv", [("a.jpg", "cat"), (str(inlet.root / "pictures/sub/b.jpg"), "dog"), ("own.jpg", "hen"),
                            ("state/inlet.sock", "x"), ("state/index/data.mdb", "x")], header=("bild", "klasse"))
    (lists / "plain.jsonl").write_text('{"image": "a.jpg", "label": "tabby"}\n')  # its names are the usual ones
    inlet.once(ok=(3,))
    assert {r["key"] for i in inlet.items() for r in i["references"]} == {"a.jpg", str(inlet.root / "pictures/sub/b.jpg"), "own.jpg"}
    assert labels(inlet, "own.jpg") == [("hen", "SUCCESS")]
    assert {"cat", "tabby"} == {a["concept"] for a in inlet.item("a.jpg")["annotations"]}
    why = rows_failed(inlet)
    assert "part of Inlet's own store" in why["state/index/data.mdb"]["reason"]
    assert "No such file" in inlet.failure("state/inlet.sock")["reason"]


def test_columns_of_the_configuration_are_for_the_command_too(inlet):
    inlet.write_config(**{"import": {"columns": {"text": "satz", "label": "klasse"}, "field": "1KiB"}})
    manifest = write(inlet.root / "M.csv", [("eins", "a"), ("x" * 2000, "b")], header=("satz", "klasse"))
    answer = json.loads(inlet.cli("import", manifest, "--json", ok=(3,)).stdout)
    assert (answer["rows"], answer["failed"]) == (2, 1)
    assert [a["concept"] for i in inlet.items() for a in i["annotations"]] == ["a"]
    again = json.loads(inlet.cli("import", manifest, "--columns", "text=satz", "--name", "again", "--json", ok=(3,)).stdout)
    assert again["written"] == 1
    assert "there is no column 'satzt' for text; did you mean 'satz'?" in \
        inlet.cli("import", manifest, "--columns", "text=satzt", ok=None).stderr.decode()


def test_a_client_cannot_speak_for_a_list_of_the_source(inlet, lists):
    manifest = write(inlet.root / "M.csv", [("text", "a")], header=("text", "label"))
    refused = inlet.cli("import", manifest, "--name", "lists/M.csv", ok=(1,)).stderr.decode()
    assert "is how a manifest of the source 'lists' is called" in refused


@pytest.mark.parametrize("lists_first", [True, False], ids=["manifests", "files"])
def test_files_and_manifests_do_not_share_a_name(inlet, lists, lists_first):
    """Of the same folder: what the source brought would count as gone, and what lies there as known."""
    (lists / "M.csv").write_text("text,label\none,a\n")
    folder = {"folder": {"path": "./lists", "settle": "0s"}}
    both = [[{"name": "lists", "manifest": folder}], [{"name": "lists", **folder}]]
    inlet.write_config(sources=both[not lists_first])
    inlet.once()
    before = inlet.text("items", "--json")
    inlet.write_config(sources=both[lists_first])
    assert b"1 source offline" in inlet.once(ok=(3,)).stdout
    source = inlet.source("lists")
    took, wants = ("manifests", "files") if lists_first else ("files", "manifests")
    assert f"this source took {took} at its last pass and is to take {wants} now" in source["message"]
    assert "Give" in source["message"]
    assert inlet.text("items", "--json") == before
    inlet.write_config(sources=both[not lists_first])
    inlet.once()
    assert inlet.text("items", "--json") == before


def test_only_what_names_say_is_a_list(inlet, lists):
    change(inlet, names=["in/*.list"])
    for name in ("in/a.list", "in/b.csv", "a.list"):
        (lists / name).parent.mkdir(exist_ok=True)
        (lists / name).write_text(f"text,label\n{name},x\n")
    inlet.once()
    assert [r["source"] for i in inlet.items() for r in i["references"]] == ["lists/in/a.list"]
    assert inlet.source("lists")["objects"]["skipped"] == 2


def test_a_list_that_is_still_written_waits(inlet, lists):
    inlet.settings["sources"][0]["manifest"]["folder"]["settle"] = "1s"
    inlet.write_config()
    inlet.start()
    with open(lists / "slow.jsonl", "w") as f:
        for n in range(12):
            f.write(json.dumps({"id": str(n), "text": f"text {n}"}) + "\n")
            f.flush()
            wait_for("a tick of the writer", lambda: os.utime(lists / "slow.jsonl") is None)
            inlet.status()
            assert inlet.items() == []  # the writer is faster than the settle time
    wait_for("all rows", lambda: manifests(inlet) == (1, 12, 0, 0))
    assert len(inlet.items()) == 12


def zstd(data):
    """One frame of one block as it is."""
    return b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little") + (len(data) << 3 | 1).to_bytes(3, "little") + data


def test_packed_lists(inlet, lists):
    with gzip.open(lists / "M.csv.gz", "wt") as f:
        f.write("text,label\neins,a\nzwei,b\n")
    put(lists, "a.jpg")
    whole = zstd(b"path,label\na.jpg,cat\n")
    (lists / "N.csv.zst").write_bytes(whole[:-3])
    (lists / "O.csv.ZST").write_bytes(b"path,label\na.jpg,dog\n")  # is none, and read as it is
    inlet.once(ok=(3,))
    assert "ends" in inlet.failure("N.csv.zst")["reason"]
    assert labels(inlet, "a.jpg") == [("dog", "SUCCESS")]
    (lists / "N.csv.zst").write_bytes(whole)
    inlet.once()
    assert manifests(inlet) == (3, 4, 0, 0) and inlet.failures() == []
    assert {a["concept"] for a in inlet.item("a.jpg")["annotations"]} == {"cat", "dog"}


def test_a_folder_of_lists(inlet, lists):
    for n in range(LISTS):
        (lists / f"{n}.csv").write_text(f"text,label\ntext {n % (LISTS - 1)},x\n")
    inlet.once()
    assert manifests(inlet) == (LISTS, LISTS, 0, 0) and inlet.status()["items"]["total"] == LISTS - 1
    before = revision(inlet)
    inlet.once()
    assert revision(inlet) == before


# ---- what is done to a list meanwhile ----

def test_a_list_that_is_cut_and_written_anew_while_it_is_read(inlet, lists):
    rows = 8000
    path = write(lists / "M.csv", [(f"r{n}", f"text {n}", "old") for n in range(rows)], header=("id", "text", "label"))
    inlet.start()
    some = wait_for("some rows", lambda: inlet.status()["items"]["total"])
    assert some < rows, "it is read still"
    os.truncate(path, 1000)  # the same inode: the daemon goes on with what it has copied, and then reads what is there
    with open(path, "r+") as f:
        f.write("id,text,label\n" + "".join(f"r{n},text {n},new\n" for n in range(10)))
        f.truncate()
    wait_for("what is there", lambda: manifests(inlet) == (1, 10, 0, 0) and not inlet.status()["daemon"].get("passes"))
    inlet.cli("wait")
    assert {labels(inlet, f"r{n}")[0] for n in range(10)} == {("new", "SUCCESS")}
    assert inlet.failures() == [] and inlet.lines("verify")[-1]["problems"] == 0


def test_a_list_that_moves_is_another_one(inlet, lists):
    put(lists, "a.jpg", "b.jpg")
    path = write(lists / "M.csv", [("a.jpg", "cat"), ("b.jpg", "dog")])
    inlet.start()
    wait_for("its rows", lambda: manifests(inlet) == (1, 2, 0, 0))
    path.rename(lists / "N.csv")
    wait_for("the move", lambda: manifests(inlet)[0::3] == (1, 1) and
             {r["source"] for i in inlet.items() for r in i["references"]} == {"lists/M.csv", "lists/N.csv"})
    inlet.cli("wait")
    assert len(inlet.items()) == 2 and inlet.failures() == []
    assert [i["state"] for i in inlet.items()] == ["committed"] * 2  # both say the same: nothing to review
    assert {a["concept"] for a in inlet.item("a.jpg")["annotations"]} == {"cat"}


def test_a_list_that_goes_and_comes_back(inlet, lists):
    put(lists, "a.jpg")
    path = write(lists / "M.csv", [("a.jpg", "cat")])
    inlet.start()
    wait_for("its row", lambda: manifests(inlet) == (1, 1, 0, 0))
    away = path.rename(inlet.root / "M.csv")
    wait_for("the loss", lambda: manifests(inlet) == (0, 1, 0, 1))
    away.rename(path)  # as it was
    wait_for("its return", lambda: manifests(inlet) == (1, 1, 0, 0))
    path.unlink()
    wait_for("the loss", lambda: manifests(inlet) == (0, 1, 0, 1))
    write(path, [("a.jpg", "dog")])  # and another of its name
    wait_for("the other one", lambda: manifests(inlet) == (1, 1, 0, 0) and labels(inlet, "a.jpg") == [("dog", "SUCCESS")])
    inlet.cli("wait")
    assert len(inlet.items()) == 1 and inlet.failures() == []
    assert [i["import"] for i in json.loads(inlet.text("show", "1", "--json"))["rows"]] == [1]


def yolo(lists):
    """A YOLO dataset of two pictures in the source."""
    put(lists / "ds", "images/train/a.jpg", "images/train/b.jpg")
    for name, line in ("a", "0 0.5 0.5 0.25 0.25"), ("b", "1 0.5 0.5 0.5 0.5"):
        (lists / "ds/labels/train").mkdir(parents=True, exist_ok=True)
        (lists / f"ds/labels/train/{name}.txt").write_text(line + "\n")
    (lists / "ds/data.yaml").write_text("train: images/train\nnames: [cat, dog]\n")


def concepts(inlet, key):
    item = inlet.item(key)
    return sorted(a["concept"] for a in item["annotations"]) if item else None


def test_labels_that_cannot_be_read_are_one_rows_failure(inlet, lists):
    inlet.prefix = PLAIN_USER
    change(inlet, names=["*.yaml"])  # a text in the folder may be a list, too
    yolo(lists)
    unreadable = lists / "ds/labels/train/a.txt"
    unreadable.chmod(0)
    inlet.once(ok=(3,))
    row, = inlet.failures()
    assert (row["id"][0], row["class"], row["values"]["image"]) == ("r", "retry", "images/train/a.jpg"), row
    assert "Permission denied" in row["reason"] and "can be read" in row["cure"]
    assert concepts(inlet, "images/train/b.jpg") == ["dog"] and manifests(inlet) == (1, 2, 1, 0)
    wait_for("the list to be left alone", lambda: b"data.yaml" not in inlet.once(ok=(3,)).stderr)
    unreadable.chmod(0o644)
    inlet.cli("retry", row["id"])
    assert inlet.failures() == [] and concepts(inlet, "images/train/a.jpg") == ["cat"]


def test_a_folder_of_rows_that_comes_later_is_waited_for(inlet, lists):
    yolo(lists)
    (lists / "ds/images").rename(inlet.root / "images")
    inlet.once(ok=(3,))
    waits = inlet.failure("ds/data.yaml")
    assert waits["class"] == "retry" and "1 folder that it names is not there" in waits["reason"], waits
    assert manifests(inlet)[3] == 0
    (inlet.root / "images").rename(lists / "ds/images")
    inlet.cli("retry", waits["id"])
    assert inlet.failures() == [] and concepts(inlet, "images/train/a.jpg") == ["cat"] and manifests(inlet) == (1, 2, 0, 0)


@contextlib.contextmanager
def growing(path):
    """Somebody appends to the file all the time."""
    stop = threading.Event()

    def grow():
        with open(path, "ab", buffering=0) as f:
            while not stop.is_set():
                f.write(b"x")
    writer = threading.Thread(target=grow)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize("size", [6 << 20, 16 << 20], ids=["small", "large"])
def test_a_file_that_changes_while_it_is_read_is_tried_again_by_itself(inlet, lists, size):
    """And with it neither its list nor another row; also where an earlier version of it is there."""
    put(lists, "a.jpg")
    big = lists / "big.jpg"
    for label in ("cat", "lynx"):
        big.write_bytes(os.urandom(size))
        with growing(big):
            wait_for("a change under the reader", lambda: write(lists / "M.csv", [("big.jpg", label), ("a.jpg", label)]) and
                     inlet.once(ok=(0, 3)).returncode == 3)
        row, = inlet.failures()
        assert (row["key"], row["class"], row["line"]) == ("big.jpg", "retry", 2) and "changed while it was read" in row["reason"], row
        assert labels(inlet, "a.jpg") == [(label, "SUCCESS")] and manifests(inlet) == (1, 2, 0, 0)
        inlet.cli("retry", row["id"])
        assert inlet.failures() == [] and labels(inlet, "big.jpg") == [(label, "SUCCESS")]
        assert inlet.item("big.jpg")["sha256"] == sha256(big.read_bytes())
    assert inlet.lines("verify")[-1]["problems"] == 0


def test_no_list_counts_as_gone_before_it_is_known(inlet, lists):
    """Its import ends in the commit that makes it known."""
    inlet.start()
    for n in range(30):
        write(lists / f"{n}.csv", [(f"text {n}", "cat")], header=("text", "label"))
    seen = set()
    wait_for("all lists", lambda: seen.add(manifests(inlet)[3]) or manifests(inlet)[0] == 30)
    assert seen == {0}
    inlet.stop()
    log = b"".join(p.read_bytes() for p in sorted((inlet.state / "store/segments").iterdir()))
    batches = log.split(b'{"batch":')
    for n in range(30):
        name = b'"source":"lists/%d.csv"' % n
        done, = [b for b in batches if any(name in line and b'"complete":true' in line for line in b.splitlines())]
        assert b'"key":"%d.csv"' % n in done


@pytest.mark.parametrize("reserve", ["16MiB", "0"], ids=["below-the-reserve", "to-the-last-byte"])
def test_a_disk_that_is_full_while_a_list_is_read(mount_tmpfs, inlet, lists, reserve):
    mount_tmpfs(inlet.state, "64m")
    inlet.write_config(limits={"map": "256MiB", "reserve": reserve, "segment": "16MiB"})
    names = [f"{n}.bin" for n in range(30)]
    for n, name in enumerate(names):
        (lists / name).write_bytes(b"\0no media %d" % n + os.urandom(3 << 20))
    write(lists / "M.csv", [(name, "cat") for name in names])
    inlet.start()
    wait_for("the pause", lambda: inlet.status()["daemon"]["intake"])
    assert inlet.status()["items"]["total"] < len(names)
    subprocess.run(["mount", "-o", "remount,size=256m", inlet.state], check=True)
    wait_for("every file", lambda: manifests(inlet) == (1, len(names), 0, 0))
    inlet.cli("wait")
    assert {r["key"] for i in inlet.items() for r in i["references"]} == set(names) and len(inlet.items()) == len(names)
    assert inlet.failures() == [] and inlet.lines("verify")[-1]["problems"] == 0
    assert inlet.stop() == 0


def test_killed_in_the_middle_it_goes_on_by_itself(inlet, lists):
    rows = 30000
    write(lists / "M.csv", [(f"r{n}", f"text {n}", f"c{n % 7}") for n in range(rows)], header=("id", "text", "label"))
    inlet.start()
    assert wait_for("some rows", lambda: [n for n in [inlet.status()["items"]["total"]] if n > 1000])[0] < rows
    inlet.stop(signal.SIGKILL)
    inlet.start()
    wait_for("the rest", lambda: manifests(inlet) == (1, rows, 0, 0))
    status = inlet.status()
    assert (status["items"]["total"], status["annotations"]["ANNOTATION_SUCCESS"]) == (rows, rows)
    assert inlet.failures() == [] and inlet.lines("verify")[-1]["problems"] == 0


# ---- buckets ----

def test_lists_in_a_bucket(minio, inlet):
    keys = inlet.root / "keys"
    keys.write_text(f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")
    bucket, other = minio.bucket(), minio.bucket()
    other.put("secret.txt", b"secret")
    bucket.put_all({
        "in/batch/M.csv": b"path,label\nimg/a.txt,cat\n./b.txt,dog\n../up.txt,x\n/etc/shadow,x\nnone.txt,x\n"
        b"s3://" + bucket.name.encode() + b"/in/c.txt,hen\ns3://" + other.name.encode() + b"/secret.txt,x\n",
        "in/batch/img/a.txt": b"a", "in/batch/b.txt": b"b", "in/c.txt": b"c", "in/up.txt": b"up", "out/M.csv": b"text\nno\n",
        "in/bad.jsonl": b"\x00\x01"})
    inlet.write_config(normalize=False, sources=[{"name": "lists", "manifest": {"s3": {
        "bucket": bucket.name, "prefix": "in/", "endpoint": minio.url, "credentials": str(keys), "region": REGION, "poll": "1s"}}}])
    inlet.start()
    wait_for("what the rows name", lambda: {i["sha256"] for i in inlet.items()} == {sha256(b) for b in (b"a", b"b", b"c")})
    inlet.cli("wait", ok=(0, 3))
    assert labels(inlet, "img/a.txt") == [("cat", "SUCCESS")]
    why = rows_failed(inlet)
    assert set(why) == {"../up.txt", "/etc/shadow"} and all("beneath the manifest's own" in f["reason"] for f in why.values())
    assert why["../up.txt"]["file"] == f"s3://{bucket.name}/in/batch/M.csv"
    assert "no source of the configuration covers" in inlet.failure(f"s3://{other.name}/secret.txt")["reason"]
    assert inlet.failure("none.txt") and inlet.failure("in/bad.jsonl")["class"] == "quarantined"
    assert manifests(inlet) == (1, 7, 2, 0)
    bucket.put("in/batch/M.csv", b"path,label\n./b.txt,wolf\n")
    wait_for("the change", lambda: labels(inlet, "./b.txt") == [("wolf", "SUCCESS")])
    inlet.cli("wait", ok=(0, 3))
    before = inlet.status()["store"]["revision"]
    inlet.cli("sync", "lists", ok=(0, 3))  # nothing new: nothing written
    assert inlet.status()["store"]["revision"] == before
    bucket.delete("in/batch/M.csv")
    wait_for("the loss", lambda: manifests(inlet)[3] == 1)
    assert len(inlet.items()) == 3


def test_objects_behind_a_certificate_that_is_not_known(minio_tls, inlet, lists):
    """The rows fail and are tried again; the list is done."""
    keys, ca = inlet.root / "keys", inlet.root / "ca.pem"
    keys.write_text(f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")
    ca.write_text("no certificate\n")
    bucket = minio_tls.bucket()
    bucket.put("pictures/a.txt", b"a")
    inlet.settings["sources"].append({"name": "pictures", "s3": {
        "bucket": bucket.name, "prefix": "pictures/", "endpoint": minio_tls.url, "credentials": str(keys), "region": REGION,
        "ca_file": str(ca), "poll": "1h"}})
    inlet.write_config()
    key = f"s3://{bucket.name}/pictures/a.txt"
    write(lists / "M.csv", [(key, "cat")])
    inlet.start()
    why = wait_for("the row to wait", lambda: [f for f in [inlet.failure(key)] if f and "certificate" in f["reason"]])[0]
    assert why["class"] == "retry" and why["cure"], why
    wait_for("the list to be done", lambda: manifests(inlet) == (1, 1, 0, 0))
    inlet.stop()
    ca.write_bytes(open(minio_tls.verify, "rb").read())
    inlet.start()
    inlet.cli("retry", why["id"], ok=(0, 1, 3))
    wait_for("the object", lambda: labels(inlet, key) == [("cat", "SUCCESS")])
    inlet.cli("wait", ok=(0, 3))
    assert inlet.failure(key) is None


def test_lists_in_cloud_storage(fake_gcs, inlet):
    bucket = fake_gcs.bucket()
    for key, data in {"in/M.jsonl": b'{"path": "a.txt", "label": "cat"}\n{"path": "/a.txt"}\n', "in/a.txt": b"a", "in/photo.jpg": b"x"}.items():
        bucket.blob(key).upload_from_string(data)
    inlet.write_config(normalize=False, sources=[{"name": "lists", "manifest": {"gcs": {
        "bucket": bucket.name, "prefix": "in/", "endpoint": fake_gcs.url, "anonymous": True}}}])
    inlet.once(ok=(3,))
    assert [i["sha256"] for i in inlet.items()] == [sha256(b"a")] and labels(inlet, "a.txt") == [("cat", "SUCCESS")]
    assert "beneath the manifest's own" in rows_failed(inlet)["/a.txt"]["reason"] and manifests(inlet) == (1, 2, 1, 0)
    assert inlet.once(ok=(3,)).stderr.count(b"new or changed") == 0  # nothing is imported twice
