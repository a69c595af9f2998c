"""A folder in, a deduplicated, normalized dataset out: the path of one file, end to end."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess

import pytest
from conftest import BUILD, wait_for


def test_once_ingests_deduplicates_and_remembers(inlet):
    inlet.put("a.txt", "hello dataset\n")
    inlet.put("deep/er/b.txt", "hello dataset\n")
    inlet.put("c.txt", "another text\n")
    inlet.once()
    items = inlet.items()
    assert [i["id"] for i in items] == [1, 2]
    by_sha = {i["sha256"]: i for i in items}
    hello = by_sha[hashlib.sha256(b"hello dataset\n").hexdigest()]
    assert sorted(r["key"] for r in hello["references"]) == ["a.txt", "deep/er/b.txt"]
    assert hello["media_type"].startswith("text/") and hello["bytes"] == 14 and hello["state"] == "normalized"
    status = inlet.status()
    assert status["items"]["total"] == 2
    assert status["sources"][0]["objects"]["present"] == 3
    revision = status["store"]["revision"]
    done = inlet.once()
    assert inlet.status()["store"]["revision"] == revision, done.stdout


def test_cat_gives_the_bytes_back(inlet):
    data = os.urandom(300_000)
    inlet.put("blob", data)
    inlet.once(ok=(0, 3))
    item = inlet.items()[0]
    assert inlet.cli("cat", item["id"]).stdout == data


def test_a_changed_file_is_a_new_item_and_the_old_one_stays(inlet):
    inlet.put("a.txt", "first")
    inlet.once()
    inlet.put("a.txt", "second")
    inlet.once()
    items = inlet.items()
    assert len(items) == 2
    assert [len(i["references"]) for i in items] == [0, 1]


def test_deleted_and_renamed_files_update_the_ledger(inlet):
    inlet.put("a.txt", "alpha")
    inlet.put("b.txt", "beta")
    inlet.once()
    (inlet.inbox / "a.txt").unlink()
    (inlet.inbox / "b.txt").rename(inlet.inbox / "c.txt")
    inlet.once()
    assert inlet.keys() == ["c.txt"]
    assert len(inlet.items()) == 2
    objects = inlet.status()["sources"][0]["objects"]
    assert objects["present"] == 1 and objects["gone"] == 2


def test_a_running_daemon_takes_new_files(inlet):
    inlet.start()
    inlet.put("x/y/z/f.txt", "nested at once")
    wait_for("the file", lambda: inlet.keys() == ["x/y/z/f.txt"])
    os.link(inlet.inbox / "x/y/z/f.txt", inlet.inbox / "hard.txt")
    wait_for("the hard link", lambda: inlet.keys() == ["hard.txt", "x/y/z/f.txt"])
    shutil.rmtree(inlet.inbox / "x")
    wait_for("the deletion", lambda: inlet.keys() == ["hard.txt"])
    assert inlet.stop(signal.SIGINT) == 0


def test_thousands_of_empty_files_are_one_item(inlet):
    """More headers than an arena holds, and not one byte of payload."""
    for n in range(5000):
        inlet.put(f"d{n % 10}/f{n}", b"")
    inlet.once(ok=(0, 3))  # the decoder rejects an empty file
    items = inlet.items()
    assert len(items) == 1 and items[0]["bytes"] == 0
    assert len(items[0]["references"]) == 5000
    inlet.cli("verify")


def test_names_of_any_bytes(inlet):
    names = [b"new\nline", b"bad\xff\xfe", b"n" * 255, "ünï".encode(), b"quote\"back\\slash"]
    for n, name in enumerate(names):
        inlet.put(name, f"content {n}")
    inlet.once()
    refs = [r for i in inlet.items() for r in i["references"]]
    import base64
    got = {r["key"].encode() if "key" in r else base64.b64decode(r["key_base64"]) for r in refs}
    assert got == set(names)


def test_rebuilt_index_gives_the_same_items(inlet):
    for n in range(50):
        inlet.put(f"d{n % 5}/f{n}.txt", f"text number {n % 35}")
    inlet.once()
    first = inlet.items()[0]["id"]
    inlet.cli("label", first, "greeting")
    inlet.cli("label", first, "text")
    inlet.cli("reject", first, "greeting")
    before = inlet.text("items", "--json")
    inlet.cli("rebuild-index")
    assert inlet.text("items", "--json") == before
    shutil.rmtree(inlet.state / "index")
    assert inlet.text("items", "--json") == before
    inlet.cli("verify")


def test_segments_are_tar_files(inlet):
    for n in range(20):
        inlet.put(f"f{n}.txt", f"member {n}")
    inlet.once()
    listing = subprocess.run(["tar", "-tvf", inlet.state / "store/segments/00000001.tar"], capture_output=True, check=True)
    assert listing.stderr == b""
    assert listing.stdout.count(b".txt") == 20
    webdataset = pytest.importorskip("webdataset")
    samples = list(webdataset.WebDataset(str(inlet.state / "store/segments/00000001.tar"), shardshuffle=False))
    assert len(samples) == 20 and all(hashlib.sha256(s["txt"]).hexdigest() == s["__key__"].split("/")[-1] for s in samples)


def test_closed_standard_descriptors_are_no_files_of_the_store(inlet):
    """Else the lock, the index or a segment is descriptor 2, and what is said there is written into it."""
    inlet.put("a.txt", "alpha")
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
    with subprocess.Popen([*closed, BUILD / "inletd", "--config", inlet.config]) as daemon:
        wait_for("the store to be its own", lambda: (inlet.state / "lock").is_file() and
                 (inlet.state / "lock").read_text() == f"daemon {daemon.pid}\n")
        wait_for("the item", lambda: inlet.items())
        opened = [os.readlink(f"/proc/{daemon.pid}/fd/{fd}") for fd in range(3)]
        daemon.terminate()
    assert opened == ["/dev/null"] * 3
    assert subprocess.run([*closed, BUILD / "inlet", "--config", inlet.config, "items"]).returncode == 1  # there was no place to print them


def test_export_reads_back(inlet):
    inlet.put("a.txt", "export me")
    inlet.once()
    inlet.cli("label", 1, "greeting")
    line = json.loads(inlet.text("export", "--format", "jsonl"))
    assert line["annotations"][0]["concept"] == "greeting"
    assert line["annotations"][0]["worker"].startswith("user:")


def test_kill_minus_nine_loses_nothing(inlet):
    for n in range(300):
        inlet.put(f"f{n}.txt", f"text {n % 200}" * 50)
    inlet.start()
    wait_for("some items", lambda: inlet.status()["items"]["total"] > 0)
    inlet.stop(signal.SIGKILL)
    inlet.once()
    assert len(inlet.items()) == 200
    assert len(inlet.keys()) == 300
    inlet.cli("verify")
    revision = inlet.status()["store"]["revision"]
    inlet.once()
    assert inlet.status()["store"]["revision"] == revision


def test_a_killed_daemon_is_followed_at_once(inlet):
    """It lets go of the store a moment after it was killed, when its memory has been taken back."""
    inlet.put("a.txt", "alpha")
    for _ in range(3):
        inlet.start()
        wait_for("the file", lambda: inlet.keys() == ["a.txt"])
        inlet.daemon.kill()
        inlet.start()
        inlet.stop()
