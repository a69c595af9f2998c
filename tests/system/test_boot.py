"""test_boot.py - the installed unit under a real systemd: a photo dropped in comes out labeled, from inside the sandbox.

Needs root (debootstrap, systemd-nspawn). The bare system is made once and kept in $INLET_CACHE (default ~/.cache/inlet)."""
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("INLET_BUILD", REPOSITORY / "build")).resolve()
CACHE = pathlib.Path(os.environ.get("INLET_CACHE", pathlib.Path.home() / ".cache" / "inlet"))
CONFIG = "/etc/inlet/inlet.yaml"
EXPOSURE_MAX = 12  # tenths: systemd-analyze security <= 1.2

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to boot a system (debootstrap, systemd-nspawn)")


def run(*command, check=True, **options):
    done = subprocess.run(command, text=True, capture_output=True, **options)
    assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done


def eventually(what, seconds, probe):
    """The first true answer of probe(); fails with its last answer when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.2)


def runtime_packages():
    """The packages that hold the libraries our programs are linked with."""
    libraries = set()
    for program in ("inletd", "inlet", "inlet-decode"):
        libraries.update(re.findall(r"=> (/\S+)", run("ldd", BUILD / program).stdout))
    packages = {"libstdc++6"}  # of ONNX Runtime, which is loaded at run time
    for library in libraries:
        for path in (library, os.path.realpath(library), "/usr" + library):
            found = run("dpkg-query", "-S", path, check=False)
            if found.returncode == 0:
                packages.add(found.stdout.split(":")[0])
                break
        else:
            pytest.fail(f"no package owns {library}")
    onnx = run("dpkg-query", "-W", "-f", "${Package} ", "libonnxruntime*", check=False).stdout.split()
    return sorted(packages | {name for name in onnx if not name.endswith("-dev")})


@contextlib.contextmanager
def only_one():
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "boot.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def bare_system():
    """A minimal Debian of the host's release with what Inlet is linked with; made once."""
    release = re.search(r"^VERSION_CODENAME=(\S+)", pathlib.Path("/etc/os-release").read_text(), re.M).group(1)
    packages = ["systemd", "systemd-sysv", "dbus", "libmagic-mgc", *runtime_packages()]
    name = f"boot-{release}-" + hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    root = CACHE / name
    if not root.exists():
        fresh = CACHE / (name + ".part")
        shutil.rmtree(fresh, ignore_errors=True)
        run("debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus", release, fresh)
        run("chroot", fresh, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-qq", "-y", "--no-install-recommends",
            *packages)
        run("chroot", fresh, "apt-get", "clean")
        os.rename(fresh, root)
    return root


def install(root):
    """make install into the system, as on its first day: no dataset, the shipped configuration, the watchdog made quick."""
    for stale in ("etc/inlet", "var/lib/inlet", "var/spool/inlet", "usr/local/lib/inlet", "usr/local/share/inlet", "var/log/journal"):
        shutil.rmtree(root / stale, ignore_errors=True)
    run("make", "-C", REPOSITORY, f"BUILD={BUILD}", f"DESTDIR={root}", "install")
    run("systemctl", f"--root={root}", "enable", "inletd")
    for unit in ("inletd.service.d", "inletd@.service.d"):
        drop_in = root / "etc/systemd/system" / unit
        drop_in.mkdir(parents=True, exist_ok=True)
        (drop_in / "quick.conf").write_text("[Service]\nWatchdogSec=5s\nTimeoutAbortSec=1s\nRestartSec=1s\n")


class Machine:
    """A booted container and commands inside it."""

    # nspawn's own filter does not know Landlock; a machine has it. A network of its own, so that the unit may have none.
    OPTIONS = ("--register=no", "--keep-unit", "--boot", "--console=pipe", "--private-network",
               "--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self")

    def __init__(self, root, log):
        self.nspawn = subprocess.Popen(["systemd-nspawn", "-q", "-D", root, *self.OPTIONS],
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self.log = log.name
        self.init = eventually("the container's init", 20, self.find_init)
        eventually("systemd answers", 30, lambda: self("systemctl", "is-system-running", "--wait", check=False).stdout.strip()
                   in ("running", "degraded"))

    def find_init(self):
        assert self.nspawn.poll() is None, pathlib.Path(self.log).read_text()[-2000:]
        return run("pgrep", "-P", str(self.nspawn.pid), check=False).stdout.strip()

    def __call__(self, *command, **options):
        return run("nsenter", "--target", self.init, "--all", "--wd=/", "--", *command, **options)

    def show(self, unit, *properties):
        lines = self("systemctl", "show", unit, *(f"--property={name}" for name in properties)).stdout.splitlines()
        return dict(line.split("=", 1) for line in lines)

    def items(self):
        lines = self("inlet", "--config", CONFIG, "items", "--json").stdout.splitlines()
        return [json.loads(line) for line in lines]

    def journal(self, unit):
        return self("journalctl", "--no-pager", "-o", "cat", "-u", unit).stdout

    def power_off(self):
        self("systemctl", "poweroff", check=False)
        try:
            self.nspawn.wait(30)
        except subprocess.TimeoutExpired:
            self.nspawn.kill()
            raise


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Real photos, as make run puts into the inbox."""
    folder = tmp_path_factory.mktemp("boot") / "photos"
    run(BUILD / "venv/bin/python3", REPOSITORY / "config/samples.py", folder, BUILD / "samples")
    return folder


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    with only_one(), open(tmp_path_factory.mktemp("boot") / "console", "w") as log:
        root = bare_system()
        install(root)
        booted = Machine(root, log)
        yield booted
        booted.power_off()


def test_units_are_clean(machine):
    for unit in ("inletd.service", "inletd@.service"):
        done = machine("systemd-analyze", "verify", f"/usr/local/lib/systemd/system/{unit}")
        assert done.stdout + done.stderr == ""
        run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", REPOSITORY / "systemd" / unit)


def test_the_service_is_up_and_confined(machine):
    shown = machine.show("inletd", "ActiveState", "SubState", "NRestarts", "User", "MainPID")
    assert (shown["ActiveState"], shown["SubState"], shown["NRestarts"], shown["User"]) == ("active", "running", "0", "inlet"), \
        machine.journal("inletd")
    status = machine("cat", f"/proc/{shown['MainPID']}/status").stdout
    assert re.search(r"^Seccomp:\s+2$", status, re.M)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.M)
    assert re.search(r"^CapEff:\s+0{16}$", status, re.M)


def test_a_dropped_photo_comes_out_labeled(machine, photos):
    """A label shows that worker and model run inside the sandbox."""
    spool = pathlib.Path(f"/proc/{machine.init}/root/var/spool/inlet")
    shutil.copyfile(photos / "coffee.png", spool / "coffee.png")

    def labeled():
        return [item for item in machine.items() if item["annotations"]]

    item = eventually("the photo has a label", 40, labeled)[0]
    assert item["references"][0]["source"] == "drop" and item["references"][0]["key"] == "coffee.png"
    assert item["media_type"] == "image/png" and (item["width"], item["height"]) == (600, 400)
    assert any("espresso" in found["concept"] for found in item["annotations"]), item["annotations"]
    stored = machine("find", "/var/lib/inlet/inlet", "-name", "*.tar", "-size", "+400k").stdout
    assert stored.strip(), "no segment holds the photo"


def test_the_watchdog_is_fed_and_bites(machine):
    before = machine.show("inletd", "WatchdogTimestampMonotonic", "MainPID", "NRestarts")
    eventually("the watchdog is fed", 15, lambda: machine.show("inletd", "WatchdogTimestampMonotonic") !=
               {"WatchdogTimestampMonotonic": before["WatchdogTimestampMonotonic"]})
    machine("systemctl", "kill", "--signal=STOP", "--kill-who=main", "inletd")

    def restarted():
        shown = machine.show("inletd", "NRestarts", "ActiveState", "SubState")
        return int(shown["NRestarts"]) > int(before["NRestarts"]) and shown["SubState"] == "running"

    eventually("a hanging daemon is replaced", 30, restarted)
    assert len(machine.items()) == 1, "the dataset is as it was"


def test_a_second_dataset_runs_beside_it(machine):
    text = "state_dir: /var/lib/inlet/second\nsources:\n- {name: other, folder: {path: /var/spool/inlet}}\n"
    pathlib.Path(f"/proc/{machine.init}/root/etc/inlet/second.yaml").write_text(text)
    machine("systemctl", "start", "inletd@second")
    config = "/etc/inlet/second.yaml"
    eventually("the second dataset has the photo too", 30,
               lambda: machine("inlet", "--config", config, "items", "--json").stdout.strip())
    machine("systemctl", "stop", "inletd@second")


def test_a_wrong_configuration_fails_once_and_for_all(machine):
    pathlib.Path(f"/proc/{machine.init}/root/etc/inlet/wrong.yaml").write_text("state_dir: /var/lib/inlet/wrong\nsource: []\n")
    machine("systemctl", "start", "inletd@wrong", check=False)
    shown = machine.show("inletd@wrong", "ActiveState", "NRestarts", "ExecMainStatus")
    assert (shown["ActiveState"], shown["NRestarts"], shown["ExecMainStatus"]) == ("failed", "0", "2")
    assert "/etc/inlet/wrong.yaml:2:1: source: unknown key; did you mean 'sources'?" in machine.journal("inletd@wrong")


def server(name):
    found = shutil.which(name, path=os.environ.get("INLET_SERVERS", ""))
    if not found:
        pytest.fail(f"{name} is not built: make servers (make test and make pytest do it, and say where it is by INLET_SERVERS)")
    return found


FILL = """
import boto3, botocore.config
s3 = boto3.client("s3", endpoint_url="http://127.0.0.1:9000", region_name="us-east-1", aws_access_key_id="boot-key",
                  aws_secret_access_key="boot-secret", config=botocore.config.Config(retries={"total_max_attempts": 1}))
try:
    s3.create_bucket(Bucket="far")
except (s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
    pass  # the system is kept from run to run
s3.put_object(Bucket="far", Key="note.txt", Body=b"a note from far away\\n")
"""


@pytest.fixture(scope="module")
def bucket(machine):
    """MinIO in the same machine, with one object; its secret is a file of root's, which the service gets as a credential."""
    system = pathlib.Path(f"/proc/{machine.init}/root")
    shutil.copy(server("minio"), system / "usr/local/bin/minio")
    environment = {"HOME": "/root", "MINIO_BROWSER": "off", "MINIO_ROOT_USER": "boot-key", "MINIO_ROOT_PASSWORD": "boot-secret"}
    machine("systemd-run", "--quiet", "--unit=minio", *(f"--setenv={k}={v}" for k, v in environment.items()),
            "/usr/local/bin/minio", "server", "/var/tmp/minio", "--address", "127.0.0.1:9000", "--quiet")
    answers = []

    def made():
        """From this system's Python, in the machine's network."""
        answers.append(run("nsenter", "-t", str(machine.init), "-n", sys.executable, "-c", FILL, check=False))
        return answers[-1].returncode == 0

    try:
        eventually("MinIO answers", 30, made)
    except AssertionError:
        pytest.fail(answers[-1].stdout + answers[-1].stderr + machine.journal("minio"))
    secret = system / "etc/inlet/aws"
    secret.write_text("[default]\naws_access_key_id = boot-key\naws_secret_access_key = boot-secret\n")
    secret.chmod(0o600)
    (system / "etc/inlet/far.yaml").write_text("state_dir: /var/lib/inlet/far\nsources:\n- name: far\n  s3: {bucket: far, poll: 1s, "
        "endpoint: 'http://127.0.0.1:9000', credentials: /run/credentials/inletd@far.service/aws}\n")
    yield system
    machine("systemctl", "stop", "inletd@far", "minio")


def test_a_bucket_is_reached_through_the_drop_in(machine, bucket):
    inlet = ("inlet", "--config", "/etc/inlet/far.yaml")
    drop_in = bucket / "etc/systemd/system/inletd@far.service.d/network.conf"
    drop_in.unlink(missing_ok=True)  # the system is kept from run to run
    machine("systemctl", "daemon-reload")
    machine("systemctl", "start", "inletd@far")
    doctor = machine(*inlet, "doctor", check=False).stdout
    assert re.search(r"fail +network +this process may not use it", doctor), doctor
    drop_in.parent.mkdir(parents=True, exist_ok=True)
    text = (bucket / "usr/local/share/inlet/network.conf").read_text()
    drop_in.write_text(text.replace("#LoadCredential=aws:", "LoadCredential=aws:"))
    machine("systemctl", "daemon-reload")
    machine("systemctl", "restart", "inletd@far")
    items = eventually("the note is in the dataset", 30,
                       lambda: machine(*inlet, "items", "--json", check=False).stdout.strip())
    assert json.loads(items)["references"][0]["key"] == "note.txt"
    assert "boot-secret" not in machine.journal("inletd@far") + machine(*inlet, "status", "--json").stdout


def test_it_stops_cleanly(machine):
    began = time.monotonic()
    machine("systemctl", "stop", "inletd")
    assert time.monotonic() - began < 5
    shown = machine.show("inletd", "ActiveState", "Result", "ExecMainStatus", "ExecMainCode")
    assert (shown["ActiveState"], shown["Result"], shown["ExecMainStatus"]) == ("inactive", "success", "0"), machine.journal("inletd")
