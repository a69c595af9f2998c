"""Drives the real inletd and inlet: each test has a directory of its own with an inbox, a state and a configuration."""

import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("INLET_BUILD", REPO / "build"))
DEADLINE = float(os.environ.get("INLET_TEST_DEADLINE", "60"))  # patience, never a measure


def wait_for(what, condition, deadline=DEADLINE):
    """The first true value of condition(), or a failure that names what was waited for."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    pytest.fail(f"waited {deadline:.0f} s for {what}")


class Inlet:
    """One dataset with its programs."""

    def __init__(self, root):
        self.root = root
        self.inbox = root / "inbox"
        self.inbox.mkdir()
        self.state = root / "state"
        self.config = root / "inlet.yaml"
        self.daemon = None
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

    def put(self, name, data):
        path = self.inbox / name if isinstance(name, str) else pathlib.Path(os.fsdecode(os.fsencode(self.inbox) + b"/" + name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def run(self, *args, program="inletd", ok=(0,), **kw):
        done = subprocess.run([BUILD / program, "--config", self.config, *args], capture_output=True, timeout=DEADLINE * 5, **kw)
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

    def failures(self):
        return self.lines("failures")

    def keys(self):
        return sorted(r.get("key") or r["key_base64"] for i in self.items() for r in i["references"])

    def start(self, *args):
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen([BUILD / "inletd", "--config", self.config, *args], stdout=log, stderr=log)
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
            self.daemon.kill()
            self.daemon.wait()


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
