"""Drives the real inletd and inlet: each test has a directory of its own with an inbox, a state and a configuration."""

import ctypes
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("INLET_BUILD", REPO / "build"))
DEADLINE = float(os.environ.get("INLET_TEST_DEADLINE", "180"))  # patience, never a measure
# A process of root that file modes bind like anybody's; another user's process is one already.
PLAIN_USER = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


def wait_for(what, condition, deadline=DEADLINE):
    """The first true value of condition(), or a failure that names what was waited for."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    pytest.fail(f"waited {deadline:.0f} s for {what}")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def killed_with_a_core(process):
    """Ends it as a crash does; did it leave a core file?"""
    os.kill(process.pid, signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -signal.SIGABRT
    return os.WCOREDUMP(status)


class Inlet:
    """One dataset with its programs."""

    def __init__(self, root):
        self.root = root
        self.inbox = root / "inbox"
        self.inbox.mkdir()
        self.state = root / "state"
        self.config = root / "inlet.yaml"
        self.daemon = None
        self.prefix = []  # of inletd's command line: what it runs in
        self.log = root / "inletd.log"
        self.settings = {
            "state_dir": "./state",
            "sources": [{"name": "drop", "folder": {"path": "./inbox", "settle": "0s"}}],
            "models": [],
            "limits": {"reserve": "16MiB", "map": "4GiB"},
        }
        self.write_config()

    def write_config(self, **changes):
        self.settings.update(changes)
        self.config.write_text(json.dumps(self.settings))  # JSON is YAML

    def folder(self, **options):
        """Change options of the first source."""
        self.settings["sources"][0]["folder"].update(options)
        self.write_config()

    def put(self, name, data):
        path = self.inbox / name if isinstance(name, str) else pathlib.Path(os.fsdecode(os.fsencode(self.inbox) + b"/" + name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def run(self, *args, program="inletd", ok=(0,), **kw):
        prefix = self.prefix if program == "inletd" else []
        done = subprocess.run([*prefix, BUILD / program, "--config", self.config, *args], capture_output=True,
                              timeout=DEADLINE * 5, **kw)
        if ok is not None and done.returncode not in ok:
            pytest.fail(f"{program} {args} ended {done.returncode}\n{done.stdout.decode(errors='replace')[-2000:]}\n"
                        f"{done.stderr.decode(errors='replace')[-4000:]}")
        return done

    def once(self, ok=(0,)):
        return self.run("--once", ok=ok)

    def cli(self, *args, ok=(0,), **kw):
        return self.run(*map(str, args), program="inlet", ok=ok, **kw)

    def text(self, *args, **kw):
        return self.cli(*args, **kw).stdout.decode()

    def lines(self, *args, **kw):
        return [json.loads(line) for line in self.text(*args, "--json", **kw).splitlines()]

    def items(self):
        return self.lines("items")

    def status(self):
        return json.loads(self.text("status", "--json"))

    def source(self, name="drop"):
        return next(s for s in self.status()["sources"] if s["name"] == name)

    def failures(self):
        return self.lines("failures")

    def failure(self, key):
        """The one failure of this file; None while there is none."""
        found = [f for f in self.failures() if f.get("key") == key]
        assert len(found) <= 1, found
        return found[0] if found else None

    def item(self, key):
        """The item that this file carries; None while there is none."""
        return next((i for i in self.items() for r in i["references"] if r.get("key") == key), None)

    def keys(self):
        return sorted(r.get("key") or r["key_base64"] for i in self.items() for r in i["references"])

    def start(self, *args):
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen([*self.prefix, BUILD / "inletd", "--config", self.config, *args], stdout=log, stderr=log)
        wait_for("the daemon's socket", lambda: self.alive() and (self.state / "inlet.sock").exists() and
                 self.cli("status", "--json", ok=None).returncode == 0)
        return self.daemon

    def alive(self):
        if self.daemon.poll() is not None:
            pytest.fail(f"inletd ended {self.daemon.returncode}\n{self.log.read_text(errors='replace')[-4000:]}")
        return True

    def stop(self, how=signal.SIGTERM):
        self.daemon.send_signal(how)
        code = self.daemon.wait(DEADLINE)
        self.daemon = None
        return code

    def close(self):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.kill()  # also ends one that is stopped
            self.daemon.wait()


from buckets import fake_gcs, minio, minio_tls, moto, proxied, versitygw  # noqa: E402, F401: fixtures
from web import web  # noqa: E402, F401: a fixture


@pytest.fixture
def inlet(tmp_path):
    it = Inlet(tmp_path)
    yield it
    it.close()


@pytest.fixture
def make_inlet(tmp_path):
    made = []

    def make(name):
        root = tmp_path / name
        root.mkdir()
        made.append(Inlet(root))
        return made[-1]

    yield make
    for it in made:
        it.close()


CLONE_NEWNS = 0x00020000


@pytest.fixture(scope="session")
def private_mounts():
    """What is mounted from now on is seen by this process and its children only, and goes with them."""
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a file system")
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        pytest.skip(f"no mount namespace: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


@pytest.fixture
def mount_tmpfs(private_mounts):
    mounted = []

    def mount(path, size="64m"):
        path.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], check=True)
        mounted.append(path)

    yield mount
    for path in mounted:
        subprocess.run(["umount", "-l", path], stderr=subprocess.DEVNULL)
