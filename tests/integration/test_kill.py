"""kill -9 at every durable step: nothing acknowledged is lost, nothing is doubled, whatever is interrupted.

2,000 files, 30 % of them duplicates, a few large ones (a blob file of their own), small segments (they are sealed on the
way) and a model on. For each durable system call the program is killed when it makes the n-th one, for n = 1, 2, ... until a
run ends by itself; then it is killed in the middle of recovery and of rebuild-index, and at random moments. After every kill
the store must verify; at the end it must equal what the files say. INLET_KILL=all walks every n; otherwise a sample fits into
INLET_KILL_SECONDS (default 210)."""

import hashlib
import itertools
import os
import random
import shutil
import subprocess
import time

import pytest
from conftest import BUILD, REPO

CALLS = ["fdatasync", "fsync", "pwrite64", "pwritev", "writev", "linkat", "ftruncate", "renameat2"]
FILES = 2000
EVERY = os.environ.get("INLET_KILL") == "all"
SECONDS = float(os.environ.get("INLET_KILL_SECONDS", "210"))
LEAST = 200 if SECONDS >= 200 or EVERY else 20  # kill points, on a slow machine too: moments at random go on until then
CARD = REPO / "config/models/text-default.yaml"
WORDS = "the quick brown fox jumps over a lazy dog while winter rain falls on the quiet town and its old harbour".split()


def make_tree(inbox, rng):
    """name -> bytes: FILES files, 30 % of which repeat another's content."""
    files, contents = {}, []
    for n in range(FILES):
        if contents and rng.random() < 0.3:
            data = rng.choice(contents)
        elif n % 500 == 250:
            data = rng.randbytes(9 << 20)  # above what a segment takes: a blob of its own
        else:
            data = " ".join(rng.choices(WORDS, k=rng.randint(5, 400))).encode() + b" %d\n" % n
        contents.append(data)
        name = f"d{n % 37}/f{n}"
        path = inbox / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        files[name] = hashlib.sha256(data).hexdigest()
    old = time.time() - 3600
    for name in files:
        os.utime(inbox / name, (old, old))
    return files


def killed_run(inlet, call, n):
    """True: the run was killed at its n-th `call`. False: it ended by itself."""
    done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                           f"inject={call}:signal=SIGKILL:when={n}", BUILD / "inletd", "--config", inlet.config, "--once"],
                          capture_output=True, timeout=300)
    if done.returncode in (0, 3):
        return False
    assert done.returncode in (137, -9), done.stderr.decode(errors="replace")[-3000:]
    return True


def check(inlet, files, oracle_annotations=None):
    """The dataset equals the files: each once, its bytes, its references, its labels."""
    inlet.cli("verify")
    items = inlet.items()
    by_content = {}
    for name, sha in files.items():
        by_content.setdefault(sha, set()).add(name)
    assert {i["sha256"] for i in items} == set(by_content)
    assert len(items) == len(by_content)
    for i in items:
        assert {r["key"] for r in i["references"]} == by_content[i["sha256"]]
        assert len(i["references"]) == len(by_content[i["sha256"]])
    labels = {i["sha256"]: sorted((a["concept"], a["status"], round(a["confidence"], 5)) for a in i["annotations"]) for i in items}
    if oracle_annotations is not None:
        assert labels == oracle_annotations
    for i in random.Random(1).sample(items, 5):
        assert hashlib.sha256(inlet.cli("cat", i["id"]).stdout).hexdigest() == i["sha256"]
    before, left = inlet.status(), inlet.failures()
    second = inlet.once(ok=(0, 3))
    after = inlet.status()
    assert after["store"]["revision"] == before["store"]["revision"], ("a second run committed something", left, before, second, after)
    return labels


def fresh(inlet):
    shutil.rmtree(inlet.state, ignore_errors=True)


def kill_at_each(inlet, rng, call, end, files, oracle):
    """Kills at the n-th call for growing n. A run that ends by itself is checked; on an empty store it ends the walk."""
    n, points, empty = 1, 0, True
    fresh(inlet)
    while time.monotonic() < end:
        if killed_run(inlet, call, n):
            points, empty = points + 1, False
            n += 1 if EVERY else 1 + rng.randint(0, n // 8)
            continue
        check(inlet, files, oracle)
        if empty:
            return points  # a whole run makes fewer than n of these calls
        fresh(inlet)
        empty = True
    inlet.once(ok=(0, 3))
    check(inlet, files, oracle)
    return points


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed (make deps-test)")
def test_killed_at_every_durable_call(inlet, capsys):
    rng = random.Random(int(os.environ.get("INLET_SEED", "7")))
    inlet.write_config(models=[{"card": str(CARD)}], limits={"reserve": "16MiB", "map": "1GiB", "segment": "4MiB"})
    files = make_tree(inlet.inbox, rng)
    inlet.once(ok=(0, 3))
    oracle = check(inlet, files)
    assert any(oracle.values()), "the model must have labelled something"

    start, counted = time.monotonic(), {}
    for at, call in enumerate(CALLS):  # what one call does not need of its share, the next ones may have
        end = start + (1e9 if EVERY else SECONDS * 0.8 * (at + 1) / len(CALLS))
        counted[call] = kill_at_each(inlet, rng, call, end, files, oracle)
        if EVERY:  # which takes its time
            with capsys.disabled():
                print(f"{call}: {counted[call]} kill points in {time.monotonic() - start:.0f} s", flush=True)
    counted["recovery and rebuild"] = in_recovery_and_rebuild(inlet, rng, files, oracle)
    counted["at random"] = at_random(inlet, rng, files, oracle, LEAST - sum(counted.values()))
    with capsys.disabled():
        print(f"\nkill points: {sum(counted.values())} ({', '.join(f'{k} {v}' for k, v in counted.items())})")
    assert sum(counted.values()) >= LEAST


def at_random(inlet, rng, files, oracle, least):
    points = 0
    fresh(inlet)
    end = time.monotonic() + SECONDS * 0.1
    while time.monotonic() < end or points < least:
        daemon = subprocess.Popen([BUILD / "inletd", "--config", inlet.config, "--once"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        try:
            daemon.wait(rng.uniform(0.01, 0.8))
            if rng.random() < 0.3:
                fresh(inlet)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
            points += 1
    inlet.once(ok=(0, 3))
    check(inlet, files, oracle)
    return points


def in_recovery_and_rebuild(inlet, rng, files, oracle):
    """Kill the rebuild of a missing index (which is recovery from revision 1) and `--rebuild-index`, again and again."""
    points = 0
    end = time.monotonic() + (1e9 if EVERY else SECONDS * 0.1)
    for call in ["pwrite64", "fdatasync", "fsync", "ftruncate", "renameat2", "writev", "unlinkat"]:
        for missing in (False, True):
            for n in itertools.count(1) if EVERY else range(1, 6):
                if time.monotonic() > end:
                    break
                if missing:
                    shutil.rmtree(inlet.state / "index", ignore_errors=True)
                mode = "--once" if missing else "--rebuild-index"
                done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                                       f"inject={call}:signal=SIGKILL:when={n}", BUILD / "inletd", "--config", inlet.config, mode],
                                      capture_output=True, timeout=300)
                if done.returncode in (0, 3):
                    break
                assert done.returncode in (137, -9), done.stderr.decode(errors="replace")[-3000:]
                points += 1
    inlet.once(ok=(0, 3))
    check(inlet, files, oracle)
    return points
