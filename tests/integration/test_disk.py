"""A full disk: intake pauses and says so, nothing is lost, and it goes on by itself when there is room."""

import os
import random
import shutil
import subprocess

import pytest
from conftest import DEADLINE, sha256, wait_for

COUNT = 40
SMALL = 1 << 20


@pytest.fixture
def small_disk(mount_tmpfs, inlet):
    """state_dir lies on a file system of 64 MiB, with files for twice that in sight of the source."""
    mount_tmpfs(inlet.state, "64m")
    inlet.write_config(limits={"map": "256MiB", "reserve": "16MiB", "segment": "16MiB"})
    return inlet


def resize(inlet, size):
    subprocess.run(["mount", "-o", f"remount,size={size}", inlet.state], check=True)


def put_much(inlet, count=COUNT, size=3 * SMALL):
    rng = random.Random(5)
    files = {}
    for n in range(count):
        data = b"\0no media " + rng.randbytes(size)  # nothing that libmagic could take for a program
        inlet.put(f"{n}.bin", data)
        files[f"{n}.bin"] = sha256(data)
    return files


def assert_whole(inlet, files):
    assert {r["key"]: i["sha256"] for i in inlet.items() for r in i["references"]} == files
    inlet.cli("verify")


def intake(inlet):
    return inlet.status()["daemon"]["intake"]


@pytest.mark.parametrize("reserve", ["16MiB", "0"], ids=["below-the-reserve", "to-the-last-byte"])
@pytest.mark.parametrize("size", [3 * SMALL, 12 * SMALL], ids=["segments", "large-blobs"])
def test_intake_pauses_and_goes_on_by_itself(small_disk, reserve, size):
    inlet = small_disk
    inlet.write_config(limits=inlet.settings["limits"] | {"reserve": reserve})
    files = put_much(inlet, count=COUNT * 3 * SMALL // size, size=size)
    inlet.start()
    why = wait_for("the pause", lambda: intake(inlet))
    assert "free" in why or "space" in why or "room" in why
    assert "Intake is paused" in inlet.text("status")
    part = wait_for("what still found room", lambda: inlet.status()["items"]["total"])
    assert part < len(files)
    warn = [c for c in inlet.lines("doctor", ok=None) if c["check"] in ("disk", "store")]
    assert any(c["level"] != "ok" and c["cure"] for c in warn)
    inlet.cli("verify")
    resize(inlet, "256m")
    wait_for("every file", lambda: inlet.status()["items"]["total"] == len(files))
    wait_for("an open intake", lambda: not intake(inlet))
    inlet.cli("wait")
    assert_whole(inlet, files)
    assert inlet.failures() == []
    assert inlet.stop() == 0


def test_the_daemon_keeps_answering_and_stops_while_the_disk_is_full(small_disk):
    inlet = small_disk
    put_much(inlet)
    inlet.start()
    wait_for("the pause", lambda: intake(inlet))
    assert inlet.items() and inlet.cli("cat", 1).stdout
    assert inlet.stop() == 0


@pytest.mark.parametrize("reserve", ["16MiB", "0"], ids=["below-the-reserve", "to-the-last-byte"])
def test_once_on_a_full_disk_ends_and_the_next_one_goes_on(small_disk, reserve):
    inlet = small_disk
    inlet.write_config(limits=inlet.settings["limits"] | {"reserve": reserve})
    files = put_much(inlet)
    inlet.once(ok=(3,))
    part = len(inlet.items())
    assert 0 < part < len(files)
    inlet.once(ok=(3,))
    assert len(inlet.items()) >= part
    inlet.cli("verify")
    resize(inlet, "256m")
    inlet.once()
    assert_whole(inlet, files)


def test_a_disk_that_was_full_at_the_start(small_disk):
    inlet = small_disk
    filler = inlet.state / "filler"
    filler.write_bytes(bytes(50 * SMALL))
    inlet.put("a.txt", "waits for room")
    done = inlet.once(ok=(3,))
    assert b"paused" in done.stderr and inlet.items() == []
    inlet.start()
    assert wait_for("the pause", lambda: intake(inlet))
    filler.unlink()
    wait_for("the file", lambda: inlet.keys() == ["a.txt"])
    assert inlet.stop() == 0


def test_a_death_on_a_full_disk_loses_nothing(small_disk):
    inlet = small_disk
    inlet.write_config(limits=inlet.settings["limits"] | {"reserve": "0"})
    files = put_much(inlet)
    inlet.start()
    wait_for("the pause", lambda: intake(inlet))
    wait_for("what still found room", lambda: inlet.status()["items"]["total"])
    inlet.daemon.kill()
    inlet.daemon.wait()
    assert 0 < len(inlet.items()) < len(files), "the store opens on the full disk"
    resize(inlet, "256m")
    inlet.once()
    assert_whole(inlet, files)


def test_a_decision_that_finds_no_room_says_so_and_works_later(small_disk):
    inlet = small_disk
    inlet.write_config(limits=inlet.settings["limits"] | {"reserve": "0"})
    inlet.put("a.txt", "to be labelled")
    inlet.start()
    wait_for("the file", lambda: inlet.items())
    with open(inlet.state / "filler", "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            pass
    done = inlet.cli("label", 1, "late", ok=(0, 1))  # there may be room in the segment's last pages
    if done.returncode:
        assert b"free" in done.stderr or b"space" in done.stderr
    os.unlink(inlet.state / "filler")
    wait_for("the label", lambda: inlet.cli("label", 1, "late", ok=(0, 1)).returncode == 0)
    assert [a["concept"] for a in inlet.items()[0]["annotations"]] == ["late"]
    inlet.cli("verify")


def test_a_store_that_is_taken_away_ends_its_daemon(inlet):
    """Nobody would see what it went on to write, and `inlet` would begin an empty dataset in its place."""
    inlet.put("a.txt", "alpha")
    inlet.start()
    wait_for("the file", lambda: inlet.keys() == ["a.txt"])
    shutil.rmtree(inlet.state)
    assert inlet.daemon.wait(DEADLINE) == 1
    assert "put it back and start again" in inlet.log.read_text()
