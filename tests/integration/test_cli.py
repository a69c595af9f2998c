"""inlet and inletd as people and scripts meet them: with a daemon and without, exit statuses, --json, two owners, signals."""

import concurrent.futures
import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import media
import pytest
from conftest import BUILD, DEADLINE, PLAIN_USER, wait_for

STOP_SECONDS = 5  # the promise: a signal ends the daemon within this time
MISSING = "999999"


@pytest.fixture(params=["daemon", "stand-in"])
def served(request, inlet):
    """A dataset of three items, owned by a daemon or by nobody."""
    inlet.put("a.txt", "alpha")
    inlet.put("b.txt", "beta")
    inlet.put("photo.png", media.png(30, 20))
    inlet.once()
    if request.param == "daemon":
        inlet.start()
        inlet.cli("wait")
    inlet.by_daemon = request.param == "daemon"
    return inlet


def is_locked(inlet):
    lock = os.stat(inlet.state / "lock").st_ino
    return any(f":{lock} " in line for line in pathlib.Path("/proc/locks").read_text().splitlines())


# ---- verbs ----

def test_every_verb_speaks_json(served):
    one = {
        ("status",): "sources", ("show", "1"): "runs", ("label", "1", "mine"): "revision", ("accept", "1", "mine"): "revision",
        ("reject", "1", "mine"): "revision", ("retry", "--all"): "retried", ("sync",): "drained", ("sync", "drop"): "drained",
        ("wait",): "drained", ("relabel",): "queued", ("pause",): "paused", ("resume",): "paused", ("check-config",): "ok",
        ("version",): "version",
    }
    for verb, member in one.items():
        lines = served.lines(*verb)
        assert len(lines) == 1 and member in lines[0], verb
    for verb, count in {("items",): 3, ("sources",): 1, ("failures",): 0, ("export",): 3}.items():
        assert len(served.lines(*verb)) == count, verb
    assert served.lines("verify")[-1]["problems"] == 0
    assert {line["level"] for line in served.lines("doctor")} <= {"ok", "warn"}


def test_every_verb_speaks_to_people(served):
    expected = {
        ("status",): "Items    3", ("sources",): "drop", ("items",): "photo.png", ("show", "1"): "sha256", ("failures",): "no failures",
        ("label", "1", "mine"): "item 1: labelled mine", ("reject", "1", "mine"): "rejected",
        ("sync",): "done:", ("wait",): "done:", ("pause", "drop"): "drop paused", ("resume", "drop"): "drop taken up",
        ("verify",): "0 problems", ("doctor",): "disk", ("check-config",): "is good", ("help",): "usage:",
        ("help", "items"): "--concept", ("items", "--help"): "--concept", ("version",): "inlet ",
    }
    for verb, words in expected.items():
        assert words in served.text(*verb), verb


def test_filters_of_items(served):
    served.cli("label", 2, "wanted")
    assert [i["id"] for i in served.lines("items", "--concept", "wanted")] == [2]
    assert [i["id"] for i in served.lines("items", "--status", "ANNOTATION_SUCCESS")] == [2]
    assert [i["id"] for i in served.lines("items", "--after", "1", "--limit", "1")] == [2]
    assert len(served.lines("items", "--state", "normalized", "--source", "drop")) == 3
    assert served.lines("items", "--state", "parked") == []
    assert "runs" in served.lines("items", "--full")[0]


# ---- exit statuses and what errors say ----

@pytest.mark.parametrize("args, words", [
    (["statsu"], "did you mean 'status'"),
    (["items", "--stat", "x"], "did you mean '--state'"),
    (["items", "--jsn"], "did you mean '--json'"),
    (["show"], "usage: inlet show ID"),
    (["show", "1", "2"], "usage"),
    (["verify", "--slice", "3/2"], "--slice"),
    (["wait", "--timeout", "soon"], "--timeout"),
    (["retry"], "inlet retry --all"),
    ([], "say what to do"),
    (["show", "one"], "ID takes the number of an item"),
    (["retry", "o1", "x7"], "ID takes the id of a failure"),
    (["items", "--state", "normalised"], "option '--state' takes one of committed, parked, normalized, inferred, routed, quarantined, "
     "not 'normalised'; did you mean 'normalized'?; see `inlet items --help`"),
    (["items", "--limit", "0"], "option '--limit' takes a number from 1 to 10000, not '0'"),
    (["failures", "--import", "x"], "option '--import' takes the number of an import"),
    (["export", "--format", "cocoa"], "did you mean 'coco'"),
    (["cat", "1", "--thumbnail", "--canonical"], "not both"),
    (["sync", "dorp"], "there is no source 'dorp' in the configuration; did you mean 'drop'?; it has drop"),
    (["pause", "dorp"], "did you mean 'drop'"),
    (["resume", "dorp"], "did you mean 'drop'"),
    (["accept", "1", ""], "a word is empty"),
    (["pause", ""], "a word is empty"),
    (["items", "--source="], "option '--source' is empty"),
    (["verify", "--slice", "1/1000001"], "--slice"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_a_wrong_command_line_is_status_2(inlet, args, words):
    done = inlet.cli(*args, ok=(2,))
    assert words in done.stderr.decode() and done.stdout == b"" and len(done.stderr.splitlines()) == 1
    assert not args or inlet.cli(*args, "--json", ok=(2,)).stderr == done.stderr


@pytest.mark.parametrize("args, words", [
    (["show", MISSING], "999999"),
    (["cat", MISSING], "999999"),
    (["label", MISSING, "x"], "no item 999999"),
    (["accept", "1"], "waits for review"),
    (["reject", "1", "unheard"], "no standing label 'unheard'"),
    (["retry", "o99"], "inlet failures"),
    (["cat", "1", "--thumbnail"], "1"),
    (["failures", "--import", "7"], "there is no import of that number"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_what_cannot_be_done_is_status_1_and_says_why(served, args, words):
    done = served.cli(*args, ok=(1,))
    assert words in done.stderr.decode() and done.stdout == b""
    assert served.cli(*args, "--json", ok=(1,)).stderr == done.stderr


def test_what_is_left_over_is_status_3(inlet):
    inlet.put("bad.jpg", media.CAT[:2000])
    inlet.put("good.txt", "good")
    inlet.once(ok=(3,))
    for verb in ("sync", "wait"):
        done = inlet.cli(verb, ok=(3,))
        assert b"1 quarantined" in done.stdout and b"inlet failures" in done.stdout
    assert inlet.lines("wait", ok=(3,))[0]["quarantined"] == 1


def test_a_damaged_store_is_status_3_of_verify(inlet):
    inlet.put("a.txt", "precious bytes")
    inlet.once()
    segment = inlet.state / "store/segments/00000001.tar"
    data = segment.read_bytes()
    segment.write_bytes(data.replace(b"precious", b"prec1ous", 1))
    done = inlet.cli("verify", ok=(3,))
    assert re.search(rb"checked \d+ batch(es)?, 1 blob, 1 item: 1 problem\n", done.stdout)
    assert inlet.lines("verify", ok=(3,))[-1]["problems"] >= 1


def test_an_index_that_was_cut_short_is_named_and_made_anew(inlet):
    """It is a mapped file: what is not there any more comes as a signal."""
    for n in range(300):
        inlet.put(f"{n}.txt", f"text {n}")
    inlet.once()
    items = inlet.text("items", "--json")
    index = inlet.state / "index/data.mdb"
    os.truncate(index, index.stat().st_size // 2)
    for program, args in (("inletd", ["--once"]), ("inlet", ["items"])):
        done = inlet.run(*args, program=program, ok=(1,))
        assert b"inlet rebuild-index" in done.stderr and str(inlet.state).encode() in done.stderr, done.stderr
    inlet.cli("rebuild-index")
    assert inlet.text("items", "--json") == items


def test_no_configuration_says_how_to_name_one(inlet):
    done = subprocess.run([BUILD / "inlet", "status"], cwd=inlet.inbox, capture_output=True, env={"PATH": os.environ["PATH"]})
    if pathlib.Path("/etc/inlet/inlet.yaml").exists():
        pytest.skip("this machine has /etc/inlet/inlet.yaml")
    assert done.returncode in (1, 2) and b"--config" in done.stderr and b"INLET_CONFIG" in done.stderr


def test_the_configuration_comes_from_the_environment_or_the_folder(inlet):
    inlet.put("a.txt", "alpha")
    inlet.once()
    for options in {"cwd": inlet.root}, {"env": os.environ | {"INLET_CONFIG": str(inlet.config)}}:
        done = subprocess.run([BUILD / "inlet", "items", "--json"], capture_output=True, check=True, **options)
        assert len(done.stdout.splitlines()) == 1


def test_a_reader_that_leaves_ends_it_quietly(inlet):
    for n in range(300):
        inlet.put(f"{n}.txt", f"text {n} ")
    inlet.once()
    done = subprocess.run(f"'{BUILD}/inlet' --config '{inlet.config}' items --full --json | head -n 1", shell=True, capture_output=True)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1 and done.stderr == b""


# ---- the stand-in ----

def test_without_a_daemon_the_lock_is_free_again_when_inlet_returns(inlet):
    inlet.put("a.txt", "alpha")
    inlet.once()
    for verb in ("status", "items", "wait", "sync", "verify"):
        inlet.cli(verb)
        assert not is_locked(inlet)
    inlet.start()
    assert inlet.stop() == 0


def test_the_stand_in_discovers_only_on_sync(inlet):
    inlet.once()
    inlet.put("a.txt", "alpha")
    assert inlet.items() == []
    inlet.cli("wait")
    assert inlet.source()["objects"]["present"] == 0
    inlet.cli("sync", "drop")
    assert inlet.keys() == ["a.txt"] and inlet.items()[0]["state"] == "normalized", "sync returns when the work is done"


def test_sync_of_one_source_leaves_the_other(inlet):
    (inlet.root / "second").mkdir()
    inlet.settings["sources"].append({"name": "other", "folder": {"path": "./second", "settle": "0s"}})
    inlet.write_config()
    inlet.put("a.txt", "alpha")
    (inlet.root / "second/b.txt").write_text("beta")
    inlet.cli("sync", "other")
    assert inlet.keys() == ["b.txt"]
    inlet.cli("sync")
    assert inlet.keys() == ["a.txt", "b.txt"]


def test_many_clients_at_once(served):
    calls = [("items",), ("status",), ("show", "1"), ("failures",), ("label", "1", "x"), ("label", "2", "y")] * 4
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        for done in pool.map(lambda args: served.cli(*args, "--json"), calls):
            assert done.returncode == 0
    assert {i["id"]: [a["concept"] for a in i["annotations"]] for i in served.items()} == {1: ["x"], 2: ["y"], 3: []}
    assert served.by_daemon or not is_locked(served)


def test_a_hundred_connections_at_once_are_answered(inlet):
    inlet.start()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(100)]
        for client in clients:
            client.connect(str(inlet.state / "inlet.sock"))
        for client in clients:  # all are open by now
            client.settimeout(DEADLINE)
            client.sendall(b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for client in clients:
            assert client.recv(12) == b"HTTP/1.1 200"


def test_a_lost_race_for_the_lock_is_no_failure(inlet):
    """Each inletd that the client starts finds another owner, who is gone before the client looks: it goes on trying."""
    inlet.put("a.txt", "alpha")
    inlet.once()
    programs, races = inlet.root / "bin", inlet.root / "races"
    programs.mkdir()
    races.write_text("....")
    shutil.copy(BUILD / "inlet", programs)
    # The rival is flock: it says that it is a stand-in, and holds the lock as long as our inletd runs.
    (programs / "inletd").write_text(f"""#!/bin/sh
        [ -s '{races}' ] || exec '{BUILD}/inletd' "$@"
        truncate -s -1 '{races}'
        exec flock '{inlet.state}/lock' sh -c 'echo "attend $PPID" > "$0"; exec "$@"' '{inlet.state}/lock' '{BUILD}/inletd' "$@"
        """)
    (programs / "inletd").chmod(0o755)
    done = subprocess.run([programs / "inlet", "--config", inlet.config, "items", "--json"], capture_output=True, timeout=DEADLINE)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1, done.stderr
    assert races.read_text() == "" and not is_locked(inlet)


def test_a_daemon_that_waits_for_the_store_can_be_stopped(inlet):
    inlet.once()
    with open(inlet.state / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"attend {os.getpid()}\n")
        lock.flush()
        with subprocess.Popen([BUILD / "inletd", "--config", inlet.config], stderr=subprocess.PIPE) as daemon:
            time.sleep(0.5)
            began = time.monotonic()
            daemon.terminate()
            _, said = daemon.communicate(timeout=DEADLINE)
    assert time.monotonic() - began < 5 and daemon.returncode == 1 and str(inlet.state).encode() in said


def test_only_a_daemon_that_does_not_listen_is_given_up(make_inlet):
    """The lock's holder is this process: a stand-in that starts or ends, one that has not said yet what it is, a daemon."""
    words = {"ending": f"attend {os.getpid()}\n", "stale": "daemon 1\n", "silent": "", "daemon": f"daemon {os.getpid()}\n"}
    clients = {}
    with contextlib.ExitStack() as held, contextlib.ExitStack() as listening:
        for name, text in words.items():
            inlet = make_inlet(name)
            inlet.once()
            lock = held.enter_context(open(inlet.state / "lock", "w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            lock.write(text)
            lock.flush()
            if name in ("ending", "silent"):
                listener = listening.enter_context(socket.socket(socket.AF_UNIX))
                listener.bind(str(inlet.state / "inlet.sock"))
                listener.listen()
            clients[name] = subprocess.Popen([BUILD / "inlet", "--config", inlet.config, "status"], stdout=subprocess.DEVNULL,
                                             stderr=subprocess.PIPE)
        assert clients["daemon"].wait(DEADLINE) == 1
        assert b"does not listen" in clients["daemon"].stderr.read()
        assert [name for name, client in clients.items() if client.poll() is None] == ["ending", "stale", "silent"]
    for client in clients.values():
        assert client.wait(DEADLINE) == (1 if client is clients["daemon"] else 0), client.stderr.read()


def attend(inlet):
    """A stand-in held open by a client that says nothing."""
    stand_in = subprocess.Popen([BUILD / "inletd", "--config", inlet.config, "--attend"], stderr=subprocess.DEVNULL)

    def connect():
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(str(inlet.state / "attend.sock"))
        except OSError:
            client.close()
            return None
        return client

    client = wait_for("the stand-in", connect)
    assert client.recv(1) == b"R"
    return stand_in, client


def test_a_daemon_waits_for_a_stand_in(inlet):
    inlet.put("a.txt", "alpha")
    stand_in, client = attend(inlet)
    with open(inlet.log, "ab") as log:
        inlet.daemon = subprocess.Popen([BUILD / "inletd", "--config", inlet.config], stdout=log, stderr=log)
    with pytest.raises(subprocess.TimeoutExpired):
        inlet.daemon.wait(0.5)
    assert (inlet.state / "lock").read_text().startswith(f"attend {stand_in.pid}")
    client.close()
    wait_for("the daemon's file", lambda: inlet.alive() and inlet.keys() == ["a.txt"])
    assert stand_in.wait(DEADLINE) == 0
    assert (inlet.state / "lock").read_text().startswith(f"daemon {inlet.daemon.pid}")
    assert inlet.stop() == 0


def test_a_second_daemon_names_the_first(inlet):
    inlet.start()
    for mode in [], ["--once"], ["--rebuild-index"]:
        done = inlet.run(*mode, ok=(1,))
        assert str(inlet.daemon.pid) in done.stderr.decode() and b"in use" in done.stderr
    assert b"daemon" in inlet.cli("rebuild-index", ok=(1,)).stderr
    assert inlet.status()["daemon"]["pid"] == inlet.daemon.pid


def test_the_socket_of_a_killed_daemon_is_no_obstacle(inlet):
    inlet.put("a.txt", "alpha")
    inlet.start()
    wait_for("the file", lambda: inlet.keys() == ["a.txt"])
    inlet.stop(signal.SIGKILL)
    assert (inlet.state / "inlet.sock").exists()
    assert inlet.keys() == ["a.txt"]
    inlet.start()
    assert inlet.stop() == 0


def test_a_path_too_long_for_a_socket_address(inlet):
    deep = inlet.root / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    inlet.state = deep / "state"
    inlet.write_config(state_dir=str(inlet.state))
    inlet.put("a.txt", "alpha")
    inlet.cli("sync")
    assert inlet.keys() == ["a.txt"]
    inlet.start()
    inlet.put("b.txt", "beta")
    wait_for("the file", lambda: inlet.keys() == ["a.txt", "b.txt"])
    assert inlet.stop() == 0


def test_a_state_dir_that_may_not_be_entered_says_what_to_do(inlet):
    closed = inlet.root / "closed"
    inlet.write_config(state_dir="./closed/state")
    closed.mkdir()
    inlet.once()
    closed.chmod(0)
    try:
        done = subprocess.run([*PLAIN_USER, BUILD / "inlet", "--config", inlet.config, "status"], capture_output=True)
    finally:
        closed.chmod(0o700)
    assert done.returncode == 1 and b"closed/state" in done.stderr and b"sudo" in done.stderr


# ---- work ----

def test_pause_holds_and_survives_a_restart_and_resume_goes_on(inlet):
    inlet.start()
    inlet.cli("pause", "drop")
    assert inlet.source()["state"] == "paused"
    inlet.put("a.txt", "alpha")
    inlet.cli("wait")
    assert inlet.items() == []
    assert inlet.stop() == 0
    inlet.start()
    assert inlet.source()["state"] == "paused" and inlet.items() == []
    inlet.cli("resume")
    wait_for("the file", lambda: inlet.keys() == ["a.txt"])


def test_a_retry_while_its_source_is_paused_waits_for_its_end(inlet):
    inlet.write_config(limits=inlet.settings["limits"] | {"object": "1KiB"})
    inlet.put("large.txt", "x" * 2000)
    inlet.start()
    failure = wait_for("the failure", lambda: inlet.failure("large.txt"))
    inlet.cli("pause")
    inlet.cli("retry", failure["id"], "--no-wait")
    reason = wait_for("word of the pause", lambda: "paused" in inlet.failure("large.txt")["reason"])
    assert reason and inlet.alive()
    inlet.cli("resume")
    wait_for("the retry, due at once", lambda: "limits.object" in inlet.failure("large.txt")["reason"])


def test_wait_with_a_limit_of_time(inlet):
    inlet.folder(settle="1h")
    inlet.put("a.txt", "settles for an hour")
    inlet.start()
    done = inlet.cli("wait", "--timeout", "1", ok=(1,))
    assert b"not done yet" in done.stdout
    assert inlet.source()["objects"]["settling"] == 1


def test_an_interrupted_client_is_status_130(inlet):
    inlet.folder(settle="1h")
    inlet.put("a.txt", "settles for an hour")
    inlet.start()
    client = subprocess.Popen([BUILD / "inlet", "--config", inlet.config, "wait"], stderr=subprocess.PIPE)
    time.sleep(0.5)  # it has asked by then, or is about to: both end alike
    client.send_signal(signal.SIGINT)
    assert client.wait(DEADLINE) == 130
    assert b"interrupted" in client.stderr.read()
    assert inlet.alive() and inlet.stop() == 0


# ---- signals ----

@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_an_idle_daemon(inlet, how):
    inlet.start()
    inlet.daemon.send_signal(how)
    assert inlet.daemon.wait(STOP_SECONDS) == 0


def test_a_signal_while_the_store_is_opened(inlet):
    """An index that is made anew may take minutes: nobody waits for its end."""
    for n in range(200):
        inlet.put(f"{n}.txt", f"text {n}")
    inlet.once()
    items = inlet.text("items", "--json")
    for wait in (0, 0.02, 0.05, 0.1, 0.2):  # somewhere on the way
        shutil.rmtree(inlet.state / "index", ignore_errors=True)
        opening = subprocess.Popen([BUILD / "inletd", "--config", inlet.config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("the lock", lambda: is_locked(inlet))
        time.sleep(wait)
        opening.terminate()
        assert opening.wait(STOP_SECONDS) == 0
    assert inlet.text("items", "--json") == items


def test_a_closed_terminal_ends_the_daemon_that_runs_in_it_and_no_other(inlet):
    inlet.start()
    inlet.daemon.send_signal(signal.SIGHUP)
    inlet.status()
    assert inlet.stop() == 0
    master, terminal = os.openpty()
    in_terminal = subprocess.Popen([BUILD / "inletd", "--config", inlet.config], stdout=terminal, stderr=terminal)
    os.close(terminal)
    wait_for("its greeting", lambda: b"then items" in os.read(master, 65536))
    in_terminal.send_signal(signal.SIGHUP)
    assert in_terminal.wait(STOP_SECONDS) == 0
    os.close(master)


@pytest.mark.parametrize("mode", [[], ["--once"]], ids=["daemon", "once"])
@pytest.mark.parametrize("work", ["large", "many", "labels"])
def test_a_signal_in_the_middle_of_work(inlet, mode, work):
    if work == "large":
        for n in range(4):
            with open(inlet.inbox / f"{n}.bin", "wb") as f:
                f.write(b"\0no media %d" % n)
                f.truncate(20 << 30)
        inlet.write_config(limits=inlet.settings["limits"] | {"object": "30GiB"})
        inlet.folder(store="reference")
    else:
        for n in range(3000):
            inlet.put(f"d{n % 50}/{n}.txt", f"Nummer {n} von vielen Texten, die auf ihre Sprache warten.\n" * 20)
        inlet.write_config(models=[{"card": "models/text-default.yaml"}] if work == "labels" else [])
    with open(inlet.log, "ab") as log:
        inlet.daemon = subprocess.Popen([BUILD / "inletd", "--config", inlet.config, *mode], stdout=log, stderr=log)
    wait_for("its socket", lambda: inlet.daemon.poll() is not None or (inlet.state / "inlet.sock").exists())
    time.sleep(0.3)  # somewhere in the middle; an end before it is as good
    if inlet.daemon.poll() is None:
        inlet.daemon.send_signal(signal.SIGINT)
    assert inlet.daemon.wait(STOP_SECONDS) == 0
    inlet.daemon = None
    inlet.cli("verify")


# ---- export ----

def test_coco_loads_in_pycocotools(inlet):
    coco = pytest.importorskip("pycocotools.coco")
    inlet.put("a.png", media.png(40, 30))
    inlet.put("again/a.png", media.png(40, 30))
    inlet.put("b.png", media.png(50, 20, (0, 0, 255)))
    inlet.put("c.txt", "no pixels")
    inlet.once()
    red, blue = inlet.item("a.png")["id"], inlet.item("b.png")["id"]
    inlet.cli("label", red, "red")
    inlet.cli("label", blue, "blue")
    inlet.cli("label", blue, "colour")
    for by, images, annotations in ("item", 2, 3), ("reference", 3, 4):
        out = inlet.root / f"{by}.json"
        inlet.cli("export", "--format", "coco", "--by", by, "-o", out)
        data = coco.COCO(str(out))
        assert len(data.getImgIds()) == images and len(data.getAnnIds()) == annotations
        assert {c["name"] for c in data.loadCats(data.getCatIds())} == {"red", "blue", "colour"}
        sizes = {(i["width"], i["height"]) for i in data.loadImgs(data.getImgIds())}
        assert sizes == {(40, 30), (50, 20)}
        found = data.getImgIds(catIds=data.getCatIds(catNms=["blue"]))
        assert len(found) == 1 and data.loadImgs(found)[0]["file_name"].endswith("b.png")


def test_export_of_what_waits_for_review_only_on_request(inlet):
    inlet.put("coffee.jpg", media.COFFEE)
    inlet.write_config(models=[{"card": "models/image-default.yaml", "bands": {"accept": 0.99, "review": 0.3}}])
    inlet.once()
    assert json.loads(inlet.text("export"))["annotations"] == []
    assert [a["concept"] for a in json.loads(inlet.text("export", "--review"))["annotations"]] == ["espresso"]


def test_an_export_file_appears_only_whole(inlet):
    inlet.put("a.txt", "alpha")
    inlet.once()
    out = inlet.root / "out.jsonl"
    inlet.cli("export", "-o", out)
    assert json.loads(out.read_text()) == inlet.items()[0]
    done = inlet.cli("export", "-o", inlet.root / "nowhere/out.jsonl", ok=(1,))
    assert b"nowhere" in done.stderr
    assert sorted(p.name for p in inlet.root.glob("out*")) == ["out.jsonl"]
    with open(inlet.root / "out.jsonl.part", "wb") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        done = inlet.cli("export", "-o", out, ok=(1,))
    assert b"another export is writing" in done.stderr and b"out.jsonl.part" in done.stderr
    inlet.cli("export", "-o", "out.jsonl", cwd=inlet.root)  # what a crash left is written over
    assert json.loads(out.read_text()) == inlet.items()[0]
    assert sorted(p.name for p in inlet.root.glob("out*")) == ["out.jsonl"]


def test_an_export_replaces_nothing_but_files(inlet):
    inlet.put("a.txt", "alpha")
    inlet.once()
    os.mkfifo(inlet.root / "pipe")
    (inlet.root / "folder").mkdir()
    for name, words in (("pipe", b"is no file"), ("folder", b"is a folder")):
        done = inlet.cli("export", "-o", inlet.root / name, ok=(1,))
        assert words in done.stderr and done.stdout == b""
    assert (inlet.root / "pipe").is_fifo()
    assert not list(inlet.root.glob("*.part"))


def test_an_export_into_a_watched_folder_is_refused_however_it_is_written(inlet):
    """It would be taken in as a new file, and be in the next export."""
    inlet.put("a.txt", "alpha")
    inlet.put("deep/b.txt", "beta")
    inlet.once()
    beside = inlet.root / "beside"
    beside.symlink_to(inlet.inbox / "deep", target_is_directory=True)
    (inlet.inbox / "out").symlink_to(inlet.root / "outside")  # rename() would put the file in its place
    for name, where in (("inbox/out.jsonl", inlet.root), (inlet.inbox / "x/y.jsonl", "/"), ("../out.jsonl", inlet.inbox / "deep"),
                        (beside / "out.jsonl", "/"), (inlet.root / "inbox/../inbox/out", "/"), ("out", inlet.inbox)):
        done = inlet.cli("export", "-o", name, ok=(1,), cwd=where)
        assert b"source 'drop' watches" in done.stderr and b"elsewhere" in done.stderr and done.stdout == b"", name
    with open(inlet.inbox / "shell.jsonl", "wb") as out:
        done = subprocess.run([BUILD / "inlet", "--config", inlet.config, "export"], stdout=out, stderr=subprocess.PIPE)
    assert done.returncode == 1 and b"shell.jsonl" in done.stderr and b"remove it" in done.stderr
    assert (inlet.inbox / "shell.jsonl").read_bytes() == b""
    assert sorted(p.name for p in inlet.inbox.iterdir()) == ["a.txt", "deep", "out", "shell.jsonl"]
    with open(inlet.root / "inbox.jsonl", "wb") as out:  # begins like the folder, and is not in it
        subprocess.run([BUILD / "inlet", "--config", inlet.config, "export"], stdout=out, check=True)
    done = inlet.cli("export", "-o", inlet.state / "index/data.mdb", ok=(1,))
    assert b"inside the store" in done.stderr and b"elsewhere" in done.stderr
    inlet.cli("export", "-o", "-")
    inlet.cli("export", "-o", inlet.root / "outside")
    assert (inlet.root / "outside").read_bytes() == (inlet.root / "inbox.jsonl").read_bytes() != b""


# ---- the configuration and the machine ----

def test_check_says_what_is_good(inlet):
    for done in inlet.run("--check"), inlet.cli("check-config"):
        assert b"is good" in done.stdout and b"1 source," in done.stdout
    assert not inlet.state.exists(), "checking makes nothing"


def test_a_dataset_without_sources_is_filled_by_import_alone(inlet):
    inlet.write_config(sources=[])
    for done in inlet.run("--check"), inlet.cli("check-config"):
        assert b"0 sources" in done.stdout and b"only `inlet import`" in done.stdout
    inlet.start()
    wait_for("the daemon to say so", lambda: "`sources` is empty" in inlet.log.read_text())
    (inlet.root / "rows.csv").write_text("id,text\n1,hello\n")
    inlet.cli("import", inlet.root / "rows.csv", "--columns", "id=id,text=text")
    assert len(inlet.items()) == 1
    assert inlet.stop() == 0


def test_check_looks_at_the_files_that_sources_name(inlet):
    """A daemon starts all the same: one source's missing file does not stop the others."""
    keys, pem = inlet.root / "keys", inlet.root / "ca.pem"
    pem.write_text("no certificate\n")
    inlet.put("a.txt", "words")

    def refused(key, value, why, prefix=()):
        far = {"bucket": "abc", "endpoint": "https://127.0.0.1:1", key: value}
        inlet.write_config(sources=[{"name": "far", "s3": far}, {"name": "drop", "folder": {"path": "./inbox", "settle": "0s"}}])
        inlet.prefix = list(prefix)
        said = inlet.run("--check", ok=(2,)).stderr.decode()
        inlet.prefix = []
        assert f"inlet.yaml:1:{inlet.config.read_text().index(json.dumps(value)) + 1}: sources[0].s3.{key}:" in said and why in said, said

    refused("ca_file", "ca.pem", "holds no certificate")
    refused("ca_file", "none.pem", "No such file")
    refused("credentials", "keys", "No such file")
    assert "sources[0].s3.credentials" in inlet.cli("check-config", ok=(1,)).stderr.decode()
    assert b"keys" in inlet.once(ok=(3,)).stderr
    assert inlet.item("a.txt"), "the other source has nothing to do with it"
    keys.write_text("[default]\n")
    keys.chmod(0)
    refused("credentials", "keys", f"cannot be read by user {os.geteuid()}", prefix=PLAIN_USER)
    keys.chmod(0o600)
    inlet.run("--check")


def test_help_of_the_configuration_names_every_option(inlet):
    text = inlet.run("--help-config").stdout.decode()
    for option in "state_dir settle reconcile store ignore card accept memory object reserve normalize batch".split():
        assert option in text
    modes = dict(re.findall(r"\b(folder|s3|gcs)\.store +(\S+)", text))
    assert modes == {"folder": "copy|reference|reflink", "s3": "copy|reference", "gcs": "copy|reference"}


def test_doctor_names_what_is_wrong_and_the_cure(inlet):
    inlet.write_config(limits=inlet.settings["limits"] | {"reserve": "1000TiB"})
    inlet.inbox.rename(inlet.root / "away")
    checks = {c["check"]: c for c in inlet.lines("doctor", ok=(1,))}
    assert checks["disk"]["level"] == "warn" and checks["source drop"]["level"] == "fail"
    assert "create the folder" in checks["source drop"]["cure"] and str(inlet.inbox) in checks["source drop"]["found"]
    inlet.inbox.write_text("a file")
    checks = {c["check"]: c for c in inlet.lines("doctor", ok=(1,))}
    assert "not a file" in checks["source drop"]["cure"]
