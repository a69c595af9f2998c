"""limits.memory holds: very large files and objects, all at once, and manifests of any length, in a few dozen MiB."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import threading

import pytest
from buckets import KEY_ID, REGION, SECRET
from conftest import BUILD, DEADLINE, sha256, wait_for
from fault_proxy import throttle

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


def file_backed_bytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return sum(1024 * int(n) for n in re.findall(r"^RssFile:\s+(\d+) kB", status, re.M))


class Sampler(threading.Thread):
    """with Sampler(pid) as s: ...; s.peak"""

    def __init__(self, pid):
        super().__init__()
        self.pid, self.peak, self.file_peak, self.samples, self.stop = pid, 0, 0, 0, threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *failure):
        self.stop.set()
        self.join()

    def run(self):
        while not self.stop.wait(0.02):
            try:
                self.peak = max(self.peak, anonymous_bytes(self.pid))
                self.file_peak = max(self.file_peak, file_backed_bytes(self.pid))
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
    with Sampler(inlet.daemon.pid) as sampler:
        put_sparse(inlet)
        wait_for("nine items", lambda: inlet.status()["items"]["by_state"][done] == len(FILES), deadline=300)
    assert {i["bytes"] for i in inlet.items()} == set(FILES.values()) and inlet.failures() == []
    with capsys.disabled():
        print(f"\n13 GiB by {store}: at most {sampler.peak / MIB:.1f} MiB in {sampler.samples} samples")
    assert sampler.samples > 20 and 0 < sampler.peak < LIMIT
    inlet.stop()
    shutil.rmtree(inlet.state)  # 13 GiB


@pytest.mark.parametrize("store", ["reference", "copy"])
def test_large_objects_of_a_bucket_stay_within_the_limit(inlet, minio, proxied, store, capsys):
    """Twelve at once; then the largest is alone on its slow connection, and ranges of it are read ahead."""
    bucket, proxy, keys = minio.bucket(), proxied(minio), inlet.root / "keys"
    objects = {f"f{n:02}.bin": os.urandom(24 * MIB) for n in range(11)} | {"largest.bin": os.urandom(160 * MIB)}
    bucket.put_all(objects, threads=2)
    proxy.on("GET", throttle(24 * MIB), when=lambda r: "largest.bin" in r.target)
    keys.write_text(f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")
    inlet.write_config(limits={"memory": "64MiB", "reserve": "16MiB"}, normalize="off", sources=[{"name": "lake", "s3": {
        "bucket": bucket.name, "endpoint": proxy.url, "region": REGION, "credentials": str(keys), "store": store}}])
    inlet.start()
    with Sampler(inlet.daemon.pid) as sampler:
        wait_for("all objects", lambda: inlet.status()["items"]["by_state"]["committed"] == len(objects), deadline=120)
    ahead = [r for r in proxy.seen("GET") if re.fullmatch(r"bytes=\d+-\d+", r.headers.get("Range", r.headers.get("range", "")))]
    with capsys.disabled():
        print(f"\n{len(objects)} objects by {store}, {len(ahead)} ranges read ahead: at most {sampler.peak / MIB:.1f} MiB "
              f"in {sampler.samples} samples")
    assert {i["sha256"] for i in inlet.items()} == {sha256(data) for data in objects.values()}
    assert ahead and {r.target.rpartition("/")[2] for r in ahead} == {"largest.bin"}
    assert sampler.samples > 20 and 0 < sampler.peak < LIMIT


def watched_import(inlet, feed, *args):
    """Imports what feed writes into its standard input. The samplers of the daemon and the client, and the answer."""
    client = subprocess.Popen([BUILD / "inlet", "--config", inlet.config, "import", "-", "--name", "rows", "--json", *args],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with Sampler(inlet.daemon.pid) as daemon, Sampler(client.pid) as own:
        feed(client.stdin)
        out, _ = client.communicate(timeout=DEADLINE * 5)
    return daemon, own, json.loads(out)


def test_rows_of_an_import_cost_no_memory(inlet, capsys):
    """The reader alone is taken through 5,000,000 rows by tests/unit/manifest/test_manifest.c."""
    rows = 300_000
    inlet.write_config(limits={"memory": "64MiB", "reserve": "16MiB", "map": "4GiB"}, normalize="off")
    inlet.start()

    def feed(to):
        to.write(b"inputid,input,concepts\n")
        for start in range(0, rows, 1000):
            to.write(b"".join(b"row%07d,text number %d,c%d\n" % (n, n % 1000, n % 1000 % 7) for n in range(start, start + 1000)))
    daemon, client, answer = watched_import(inlet, feed)
    assert (answer["rows"], answer["written"], answer["failed"]) == (rows, rows, 0)
    with capsys.disabled():
        print(f"\n{rows} rows: the daemon {daemon.peak / MIB:.1f} MiB and {daemon.file_peak / MIB:.1f} MiB of files, the client "
              f"{client.peak / MIB:.1f} MiB")
    assert daemon.samples > 20 and 0 < daemon.peak < LIMIT and 0 < client.peak < 32 * MIB
    assert daemon.file_peak < 128 * MIB < (inlet.state / "index/data.mdb").stat().st_blocks * 512


def test_a_field_of_a_gibibyte_costs_no_memory(inlet, capsys):
    inlet.write_config(normalize="off")
    inlet.start()

    def feed(to):
        to.write(b"inputid,input,concepts\none,text one,a\nhuge,")
        for _ in range(1024):
            to.write(b"x" * MIB)
        to.write(b",b\ntwo,text two,c\nopen,\"")
        for _ in range(64):
            to.write(b"not closed, " * (MIB // 12))
    daemon, client, answer = watched_import(inlet, feed)
    with capsys.disabled():
        print(f"\n1 GiB in a field: the client {client.peak / MIB:.1f} MiB")
    assert 0 < client.peak < 64 * MIB
    assert inlet.keys() == ["one", "two"]
    failures = inlet.failures()
    assert [f["line"] for f in failures][:2] == [3, 5]
    assert "longer than" in failures[0]["reason"] and "not closed" in failures[1]["reason"]
