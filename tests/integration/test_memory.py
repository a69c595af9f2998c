"""limits.memory holds: very large files, all at once, in a few dozen MiB."""

import pathlib
import re
import shutil
import threading

import pytest
from conftest import wait_for

MIB = 1 << 20
GIB = 1 << 30
LIMIT = 96 * MIB
FILES = {"five.bin": 5 * GIB, **{f"one-{n}.bin": GIB for n in range(8)}}
COPY_NEEDS = 20 * GIB


def anonymous_bytes(pid):
    """RssAnon + RssShmem of a process and of its children."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            total += anonymous_bytes(child)
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return total + 1024 * sum(int(n) for n in re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+) kB", status, re.M))


class Sampler(threading.Thread):
    def __init__(self, pid):
        super().__init__()
        self.pid, self.peak, self.samples, self.stop = pid, 0, 0, threading.Event()

    def run(self):
        while not self.stop.wait(0.02):
            try:
                self.peak = max(self.peak, anonymous_bytes(self.pid))
                self.samples += 1
            except (FileNotFoundError, ProcessLookupError):
                pass  # a child that has just ended


def put_sparse(inlet):
    """Files of zeros that take no room, each with a beginning of its own."""
    for name, size in FILES.items():
        with open(inlet.inbox / name, "wb") as f:
            f.write(b"\0no media " + name.encode())
            f.truncate(size)


@pytest.mark.parametrize("store", ["reference", "copy"])
def test_large_files_at_once_stay_within_the_limit(inlet, store, capsys):
    free = shutil.disk_usage(inlet.root).free
    if store == "copy" and free < COPY_NEEDS:
        pytest.skip(f"a copy of 13 GiB wants {COPY_NEEDS // GIB} GiB of free disk, there are {free // GIB}")
    inlet.folder(store=store)
    done = {"reference": "committed", "copy": "parked"}[store]  # the copies are looked at by a decoder too
    inlet.write_config(limits={"memory": "64MiB", "reserve": "16MiB"}, normalize="off" if done == "committed" else "on")
    inlet.start()
    sampler = Sampler(inlet.daemon.pid)
    sampler.start()
    try:
        put_sparse(inlet)
        wait_for("nine items", lambda: inlet.status()["items"]["by_state"][done] == len(FILES), deadline=300)
    finally:
        sampler.stop.set()
        sampler.join()
    assert {i["bytes"] for i in inlet.items()} == set(FILES.values()) and inlet.failures() == []
    with capsys.disabled():
        print(f"\n13 GiB by {store}: at most {sampler.peak / MIB:.1f} MiB in {sampler.samples} samples")
    assert sampler.samples > 20 and 0 < sampler.peak < LIMIT
    inlet.stop()
    shutil.rmtree(inlet.state)  # 13 GiB
