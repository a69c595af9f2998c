"""What cannot work gets one clear error that names it, the reason and the cure; a good file beside it goes through."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

import media
import pytest
from conftest import BUILD, DEADLINE, PLAIN_USER, REPO, Inlet, sha256, wait_for

ONNX = REPO / "tests/data/onnx"
GOOD = "a good text beside the bad one\n"

BAD = {
    "cut.jpg": (media.CAT[:len(media.CAT) // 2], "not whole", "copy the file again"),
    "cut.png": (media.png(400, 300)[:200], "not whole", "copy the file again"),
    "huge.png": (media.png_claiming(60000, 60000), "60000 x 60000 pixels", "raise the limit"),
    "broken.txt": ("schöne Wörter für alle\n".encode() * 3 + b"\xff\n", "byte 0xff at offset", "as UTF-8"),
    "marked.txt": (b"\xef\xbb\xbfgood start \x81\xff", "byte 0x81 at offset 14", "as UTF-8"),
    "picture.svg": (media.SVG, "SVG", "convert it"),
    "named.jpg": (media.zipped(), "archive", "unpack it"),
    "empty.txt": (b"", "empty", "replace the file"),
    "program.txt": (b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0\x3e\0\x01\0\0\0" + bytes(200), "program", "remove it"),
}


def good_is_through(inlet):
    item = inlet.item("good.txt")
    return item and item["state"] in ("normalized", "routed")


# ---- files ----

@pytest.fixture(scope="module")
def ingested(tmp_path_factory):
    """All of BAD and a good file in one run of --once: failures by key, items by key, and the exit status."""
    inlet = Inlet(tmp_path_factory.mktemp("bad"))
    for name, (data, _, _) in BAD.items():
        inlet.put(name, data)
    inlet.put("good.txt", GOOD)
    inlet.put("good.png", media.png(40, 30))
    inlet.put("sound.wav", media.wav())
    inlet.put("unknown.bin", bytes(range(256)) * 20)
    done = inlet.once(ok=(3,))
    return inlet, inlet.failures(), done


def test_failures_are_the_same_after_a_rebuild(ingested):
    inlet, failures, _ = ingested
    inlet.cli("rebuild-index")
    assert inlet.failures() == failures and failures[0]["attempts"] == 1


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_has_one_failure_with_reason_and_cure(ingested, name):
    _, failures, _ = ingested
    mine = [f for f in failures if f["key"] == name]
    assert len(mine) == 1
    _, reason, cure = BAD[name]
    assert mine[0]["class"] == "quarantined" and mine[0]["stage"] == "normalize" and mine[0]["source"] == "drop"
    assert reason in mine[0]["reason"]
    assert cure in mine[0]["reason"] + mine[0]["cure"]
    assert mine[0]["cure"] and mine[0]["due"] is None


@pytest.mark.parametrize("name, types", {
    "cut.jpg": {"image/jpeg"}, "huge.png": {"image/png"}, "broken.txt": {"text/plain"}, "picture.svg": {"image/svg+xml"},
    "named.jpg": {"application/zip"}, "empty.txt": {"inode/x-empty"},
    "program.txt": {"application/x-executable", "application/x-pie-executable"}}.items())
def test_a_refused_item_is_of_the_type_that_its_bytes_have(ingested, name, types):
    inlet, _, _ = ingested
    assert inlet.item(name)["media_type"] in types


def test_nothing_else_failed(ingested):
    _, failures, done = ingested
    assert {f["key"] for f in failures} == set(BAD)
    assert f"remaining: {len(BAD)} quarantined, 0 retrying".encode() in done.stdout


def test_good_files_beside_them_are_in_the_dataset(ingested):
    inlet, _, _ = ingested
    assert good_is_through(inlet)
    item = inlet.item("good.png")
    assert (item["state"], item["media_type"], item["width"], item["height"]) == ("normalized", "image/png", 40, 30)


def test_bad_bytes_are_stored_all_the_same(ingested):
    inlet, _, _ = ingested
    for name, (data, _, _) in BAD.items():
        item = inlet.item(name)
        assert item["state"] == "quarantined" and item["sha256"] == sha256(data) and item["bytes"] == len(data)
        assert inlet.cli("cat", item["id"]).stdout == data
    inlet.cli("verify")


def test_media_without_a_decoder_are_parked_and_no_failure(ingested):
    inlet, failures, _ = ingested
    assert inlet.item("sound.wav")["state"] == "parked" and inlet.item("sound.wav")["media_type"].startswith("audio/")
    assert inlet.item("unknown.bin")["state"] == "parked"
    assert not {f["key"] for f in failures} & {"sound.wav", "unknown.bin"}


def test_the_name_does_not_decide_what_a_file_is(inlet):
    inlet.put("photo.txt", media.png(20, 10))
    inlet.put("text.png", "a text that calls itself a picture\n")
    inlet.once()
    assert inlet.item("photo.txt")["media_type"] == "image/png"
    assert inlet.item("text.png")["media_type"] == "text/plain"


def test_a_raised_limit_and_retry_cure_a_picture_that_was_too_large(inlet):
    inlet.write_config(limits=inlet.settings["limits"] | {"pixels": 1000})
    inlet.put("photo.png", media.png(40, 30))
    inlet.once(ok=(3,))
    failure = inlet.failure("photo.png")
    assert "limits.pixels (1000)" in failure["reason"]
    inlet.write_config(limits=inlet.settings["limits"] | {"pixels": 2000})
    inlet.cli("retry", failure["id"])
    assert inlet.failures() == [] and inlet.item("photo.png")["state"] == "normalized"
    inlet.once()


def test_a_replaced_file_is_cured(inlet):
    inlet.put("photo.jpg", media.CAT[:3000])
    inlet.put("gone.jpg", media.COFFEE[:3000])
    inlet.start()
    wait_for("two failures", lambda: len(inlet.failures()) == 2)
    inlet.put("photo.jpg", media.CAT)
    (inlet.inbox / "gone.jpg").unlink()
    wait_for("the good picture", lambda: (inlet.item("photo.jpg") or {}).get("state") == "normalized")
    wait_for("no failures any more", lambda: inlet.failures() == [])
    inlet.cli("wait")


def test_a_replaced_file_that_is_put_back_fails_again(inlet):
    bad = media.CAT[:3000]
    inlet.put("photo.jpg", bad)
    inlet.once(ok=(3,))
    inlet.put("photo.jpg", media.CAT)
    inlet.once()
    inlet.put("photo.jpg", bad)
    inlet.once(ok=(3,))
    assert "not whole" in inlet.failure("photo.jpg")["reason"]


def test_a_file_over_the_size_limit_is_told_and_retried_after_a_change(inlet):
    inlet.write_config(limits=inlet.settings["limits"] | {"object": "1MiB"})
    inlet.put("large.txt", "x" * (1 << 20) + "\n")
    inlet.put("good.txt", GOOD)
    inlet.once(ok=(3,))
    failure = inlet.failure("large.txt")
    assert (failure["stage"], failure["class"]) == ("fetch", "quarantined")
    assert "limits.object" in failure["reason"] and "raise limits.object" in failure["cure"]
    assert inlet.source()["objects"]["quarantined"] == 1 and good_is_through(inlet)
    inlet.write_config(limits=inlet.settings["limits"] | {"object": "2MiB"})
    inlet.cli("retry", "--all", ok=(0, 3))
    assert inlet.keys() == ["good.txt", "large.txt"] and inlet.source()["objects"]["quarantined"] == 0
    assert inlet.failure("large.txt") is None


def test_a_file_that_changes_while_it_is_read_is_never_torn(inlet):
    size = 96 << 20
    path = inlet.put("busy.bin", bytes(size))
    stop = threading.Event()

    def scribble():
        n = 0
        while not stop.is_set():
            with open(path, "r+b", buffering=0) as f:
                f.seek(n * 4099 % size)
                f.write(b"%d" % n)
            n += 1

    writer = threading.Thread(target=scribble)
    writer.start()
    try:
        inlet.start()
        inlet.put("good.txt", GOOD)
        failure = wait_for("the failure", lambda: inlet.failure("busy.bin"))
        assert failure["class"] == "retry" and "busy.bin" in failure["reason"] and failure["due"]
        assert any(why in failure["reason"] for why in ("changed", "being written", "settle"))
        assert "writer" in failure["cure"] and "server" not in failure["cure"]
        wait_for("the good file", lambda: good_is_through(inlet))
    finally:
        stop.set()
        writer.join()
    final = sha256(path.read_bytes())
    wait_for("its last state", lambda: (inlet.item("busy.bin") or {}).get("sha256") == final)
    assert inlet.failure("busy.bin") is None
    inlet.cli("verify")


def test_an_unreadable_file_does_not_stop_once(inlet):
    inlet.prefix = PLAIN_USER
    inlet.put("closed.txt", "closed").chmod(0)
    inlet.put("good.txt", GOOD)
    done = inlet.once(ok=(3,))
    assert b"0 quarantined, 1 retrying" in done.stdout and good_is_through(inlet)
    failure = inlet.failure("closed.txt")
    assert "Permission denied" in failure["reason"] and "chmod o+r" in failure["cure"]
    (inlet.inbox / "closed.txt").chmod(0o600)
    inlet.cli("retry", failure["id"])
    assert inlet.item("closed.txt") and inlet.failures() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user, of whom nothing else runs")
def test_too_few_threads_end_the_start_and_no_more():
    """Whichever thread is the first that there is no room for."""
    user = 54321
    with tempfile.TemporaryDirectory(prefix="inlet-threads-") as name:
        home = pathlib.Path(name)
        for program in ("inletd", "inlet-decode"):
            shutil.copy(BUILD / program, home)
        (home / "inbox").mkdir()
        (home / "inbox/a.txt").write_text(GOOD)
        (home / "inlet.yaml").write_text("state_dir: ./state\nmodels: []\nsources: [{name: drop, folder: {path: ./inbox, settle: 0s}}]\n")
        for path in (home, *home.rglob("*")):
            os.chown(path, user, user)
        for allowed in range(1, 100):
            done = subprocess.run(["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "prlimit", f"--nproc={allowed}",
                                   home / "inletd", "--config", home / "inlet.yaml", "--once"], capture_output=True, timeout=DEADLINE)
            if done.returncode == 0:
                break
            assert done.returncode == 1 and b": Resource temporarily unavailable" in done.stderr, (allowed, done)
        assert allowed > 10 and b"1 item waits" in done.stdout, (allowed, done)  # taken in now, or by a start that came to nothing


# ---- the configuration ----

CONFIGS = {
    "key": ("state_dir: ./state\nsources:\n  - name: drop\n    folder: { path: ./inbox, setle: 2s }\n",
            "inlet.yaml:4:30: sources[0].folder.setle: unknown key; did you mean 'settle'?"),
    "top": ("state_dir: ./state\nsource: []\n", "inlet.yaml:2:1: source: unknown key; did you mean 'sources'?"),
    "value": ("state_dir: ./state\nsources: []\nlimits: { memory: 1MiB }\n", "inlet.yaml:3:19: limits.memory:"),
    "unit": ("state_dir: ./state\nsources: [{ name: a, folder: { path: ./inbox, settle: 2 parsecs } }]\n",
             "sources[0].folder.settle:"),
    "choice": ("state_dir: ./state\nsources: [{ name: a, folder: { path: ./inbox, store: copi } }]\n",
               "sources[0].folder.store:"),
    "missing": ("sources: []\n", "state_dir"),
    "yaml": ("state_dir: [\n", "inlet.yaml:2:1"),
    "twice": ("state_dir: ./state\nsources: [{ name: a, folder: { path: ./inbox } }, { name: a, folder: { path: ./other } }]\n",
              "sources[1]"),
    "bucket": ("state_dir: ./state\nsources: [{ name: a, s3: { bucket: My_Photos } }]\n",
               "inlet.yaml:2:36: sources[0].s3.bucket: 'My_Photos' is no bucket's name at Amazon"),
    "endpoint": ("state_dir: ./state\nsources: [{ name: a, gcs: { bucket: b, endpoint: 'https://127.1' } }]\n",
                 "inlet.yaml:2:50: sources[0].gcs.endpoint: 'https://127.1': no host stands there"),
    "proxy": ("state_dir: ./state\nsources: [{ name: a, s3: { bucket: abc, proxy: 'http://proxy:http' } }]\n",
              "inlet.yaml:2:48: sources[0].s3.proxy: 'http://proxy:http': its port is not a number"),
    "network": ("state_dir: ./state\nsources: []\nfetch: { networks: [10.1.2.3/8] }\n",
                "inlet.yaml:3:21: fetch.networks: '10.1.2.3/8' has bits set behind its prefix; the network is 10.0.0.0/8"),
    "card": ("state_dir: ./state\nsources: []\nmodels: [{ card: nowhere.yaml }]\n", "there is no 'nowhere.yaml'"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_wrong_configuration_is_a_usage_error_that_names_the_place(inlet, case):
    text, expected = CONFIGS[case]
    inlet.config.write_text(text)
    for mode in ("--check", "--once"):
        done = inlet.run(mode, ok=(2,))
        assert expected in done.stderr.decode()
        assert len(done.stderr.splitlines()) == 1 and done.stdout == b""
    assert expected in inlet.cli("check-config", ok=(1, 2)).stderr.decode()
    assert not inlet.state.exists()


def test_a_missing_configuration_is_named(inlet):
    inlet.config.unlink()
    assert b"inlet.yaml" in inlet.run("--check", ok=(2,)).stderr


# ---- models ----

def card(inlet, **changes):
    """A card of our own beside the configuration: a classifier of 4 x 4 pictures."""
    shutil.copy(ONNX / "any.onnx", inlet.root / "any.onnx")
    values = {"name": "tiny", "file": "any.onnx", "media": "image", "labels": ["red", "green", "blue"],
              "input": {"width": 4, "height": 4, "std": 0.1}} | changes
    (inlet.root / "card.yaml").write_text(json.dumps(values))
    inlet.write_config(models=[{"card": "card.yaml", "bands": {"accept": 0.5, "review": 0.2}}])


CARDS = {
    "file": ({"file": "missing.onnx"}, ["missing.onnx", "No such file"]),
    "not-onnx": ({"file": "card.yaml"}, ["card.yaml"]),
    "size": ({"input": {"width": 5, "height": 4}}, ["5x4", "[N,3,4,4]", "input.width to 4"]),
    "layout": ({"input": {"width": 4, "height": 4, "layout": "nhwc"}}, ["NHWC", "[N,3,4,4]", "input.layout to nchw"]),
    "labels": ({"labels": ["red", "green"]}, ["2 labels", "[N,3]", "give it 3 labels"]),
    "key": ({"fil": "x"}, ["card.yaml:1:", "fil: unknown key", "did you mean 'file'"]),
    "choice": ({"media": "imag"}, ["card.yaml:1:", "media", "image"]),
}


@pytest.mark.parametrize("case", CARDS)
def test_a_model_that_does_not_work_stops_nothing_else_and_is_cured_by_a_new_card(inlet, case):
    changes, expected = CARDS[case]
    card(inlet, **changes)
    inlet.put("red.png", media.png(8, 8, (255, 0, 0)))
    inlet.put("good.txt", GOOD)
    done = inlet.once(ok=(3,))
    assert b"1 model could not be loaded: their items wait" in done.stdout
    logged = done.stderr.decode()
    for words in expected:
        assert words in logged
    assert "card.yaml" in logged
    assert inlet.item("red.png")["state"] == "normalized" and good_is_through(inlet)
    inlet.start()
    error = wait_for("the model in status", lambda: inlet.status()["models"])[0]["error"]
    assert all(words in error for words in expected)
    assert any(check["level"] == "fail" and check["check"] == "model" for check in inlet.lines("doctor", ok=(1,)))
    inlet.stop()
    card(inlet)
    inlet.once()
    assert [a["concept"] for a in inlet.item("red.png")["annotations"]] == ["red"]


def test_a_sample_that_the_model_cannot_take_fails_alone(inlet):
    """The model of fragile.onnx divides 0 by 0 for black pictures."""
    card(inlet, file="fragile.onnx")
    shutil.copy(ONNX / "fragile.onnx", inlet.root)
    inlet.put("black.png", media.png(8, 8, (0, 0, 0)))
    inlet.put("white.png", media.png(8, 8, (255, 255, 255)))
    inlet.once(ok=(3,))
    failure = inlet.failure("black.png")
    assert failure["stage"] == "infer" and failure["class"] == "quarantined" and "tiny" in failure["reason"] and failure["cure"]
    assert inlet.item("white.png")["state"] == "routed"
    card(inlet)
    inlet.cli("retry", failure["id"])
    assert inlet.item("black.png")["state"] == "routed" and inlet.failures() == []


def test_a_library_that_is_not_there_is_named(inlet):
    card(inlet)
    inlet.write_config(inference={"library": "./nowhere.so"})
    inlet.put("red.png", media.png(8, 8, (255, 0, 0)))
    done = inlet.once(ok=(3,))
    assert b"nowhere.so" in done.stderr and inlet.item("red.png")["state"] == "normalized"


def test_a_decoder_that_is_not_there_is_fatal_and_named(inlet):
    """Without inlet-decode nothing could go on: better to say so than to collect retries."""
    alone = inlet.root / "alone"
    alone.mkdir()
    shutil.copy(BUILD / "inletd", alone)
    inlet.put("good.txt", GOOD)
    done = subprocess.run([alone / "inletd", "--config", inlet.config, "--once"], capture_output=True, timeout=60)
    assert done.returncode == 1 and b"inlet-decode" in done.stderr
    inlet.once()
    assert good_is_through(inlet)
