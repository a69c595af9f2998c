"""`sidecars: json` of a source: NAME.json beside NAME brings labels and metadata of it, whichever comes first."""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import time

import pytest
from buckets import KEY_ID, REGION, SECRET
from conftest import BUILD, DEADLINE, sha256, wait_for
from lists import labels, revision
from media import png


@pytest.fixture
def paired(inlet):
    inlet.write_config(normalize=False)
    inlet.folder(sidecars="json")
    return inlet


def write(inlet, name, data):
    """Arrives whole, as a careful writer does it."""
    path = inlet.inbox / name
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(data if isinstance(data, bytes) else (data if isinstance(data, str) else json.dumps(data)).encode())
    part.rename(path)
    return path


def says(inlet, key):
    """The rows of no import that speak of this file: what its folder and its sidecar say."""
    item = json.loads(inlet.text("show", inlet.item(key)["id"], "--json"))
    return {r["row"]["at"]: r["row"] for r in item["rows"] if r["key"] == key and r["import"] == 0}


def rebuilds(inlet):
    """Verified, and the same from the log alone."""
    assert inlet.lines("verify")[-1]["problems"] == 0
    full = inlet.text("items", "--json", "--full")
    inlet.cli("rebuild-index")
    assert inlet.text("items", "--json", "--full") == full


def test_the_sidecar_is_no_item_and_labels_its_file(paired):
    write(paired, "in/a.jpg", b"picture")
    write(paired, "in/a.jpg.json", {"labels": ["cat", "tabby"], "split": "val", "metadata": {"k": [1]}, "camera": "x"})
    write(paired, "in/a.jpg.json.json", {"labels": ["no"]})  # speaks of no file: one like any other
    paired.once()
    assert paired.keys() == ["in/a.jpg", "in/a.jpg.json.json"]
    assert labels(paired, "in/a.jpg") == [("cat", "SUCCESS"), ("tabby", "SUCCESS")]
    row = says(paired, "in/a.jpg")["sidecar"]
    assert (row["where"], row["split"], row["metadata"]) == ("in/a.jpg.json", "val", {"k": [1], "camera": "x"})
    source = paired.source()["objects"]
    assert (source["present"], source["retrying"], source["quarantined"]) == (3, 0, 0)
    before = revision(paired)
    paired.once()
    assert revision(paired) == before
    rebuilds(paired)
    paired.once()
    assert revision(paired) == before


def test_either_may_come_first(paired):
    paired.start()
    write(paired, "late.jpg.json", {"label": "cat"})
    waits = wait_for("the sidecar to wait", lambda: paired.failure("late.jpg.json"))
    assert (waits["class"], waits["due"]) == ("retry", None)
    assert "there is no 'late.jpg' in the dataset" in waits["reason"] and "beside it" in waits["cure"]
    assert paired.source()["objects"]["retrying"] == 1 and paired.items() == []
    paired.cli("wait", ok=(0, 3))  # nobody waits for it
    write(paired, "late.jpg", b"late")
    wait_for("its label", lambda: paired.item("late.jpg") and labels(paired, "late.jpg") == [("cat", "SUCCESS")])
    assert paired.failures() == []
    write(paired, "early.jpg", b"early")
    wait_for("the file", lambda: paired.item("early.jpg"))
    write(paired, "early.jpg.json", {"label": "dog"})
    wait_for("its label", lambda: labels(paired, "early.jpg") == [("dog", "SUCCESS")])
    assert len(paired.items()) == 2
    paired.stop()
    rebuilds(paired)


def test_a_changed_sidecar_a_broken_one_and_one_that_goes(paired):
    write(paired, "a.jpg", b"a")
    sidecar = write(paired, "a.jpg.json", {"label": "cat"})
    paired.once()
    write(paired, "a.jpg.json", {"labels": ["dog", "hen"]})
    paired.once()
    assert labels(paired, "a.jpg") == [("dog", "SUCCESS"), ("hen", "SUCCESS")]
    item = json.loads(paired.text("show", paired.item("a.jpg")["id"], "--json"))
    assert [a["concept"] for a in item["superseded"]] == ["cat"]
    # One that cannot be used is told; its file, and what was said before, stand.
    write(paired, "a.jpg.json", '{"labels":\n  ["fox", }')
    write(paired, "b.jpg", b"b")
    write(paired, "b.jpg.json", "")
    write(paired, "c.jpg", b"c")
    write(paired, "c.jpg.json", b'{"label": "' + b"x" * (17 << 20) + b'"}')
    write(paired, "d.jpg", b"d")
    write(paired, "d.jpg.json", {"metadata": {"k": ["x" * 500_000, "y" * 100_000]}})
    paired.once(ok=(3,))
    broken = paired.failure("a.jpg.json")
    assert broken["class"] == "quarantined" and "line 2, column 11: " in broken["reason"] and "one JSON object" in broken["cure"]
    assert "is empty" in paired.failure("b.jpg.json")["reason"]
    assert "more than a sidecar may have" in paired.failure("c.jpg.json")["reason"]
    assert "of one sidecar are more than" in paired.failure("d.jpg.json")["reason"]
    assert labels(paired, "a.jpg") == [("dog", "SUCCESS"), ("hen", "SUCCESS")]
    assert paired.keys() == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    rebuilds(paired)
    for name in ("a", "b", "c", "d"):
        write(paired, f"{name}.jpg.json", {"label": f"mended {name}"})
    paired.once()
    assert paired.failures() == [] and labels(paired, "b.jpg") == [("mended b", "SUCCESS")]
    # It goes: that is counted, and what it said stays. It comes back as it was: nothing is new.
    before = sidecar.stat()
    sidecar.rename(paired.root / "aside.json")
    assert b"1 gone" in paired.once().stdout
    assert paired.source()["objects"]["gone"] == 1 and labels(paired, "a.jpg") == [("mended a", "SUCCESS")]
    rebuilds(paired)
    assert paired.source()["objects"]["gone"] == 1
    (paired.root / "aside.json").rename(sidecar)
    assert sidecar.stat().st_ino == before.st_ino
    paired.once()
    assert paired.source()["objects"]["gone"] == 0 and labels(paired, "a.jpg") == [("mended a", "SUCCESS")]
    rebuilds(paired)


def test_a_file_goes_and_its_sidecar_is_left_behind(paired):
    picture = write(paired, "a.jpg", b"a")
    write(paired, "a.jpg.json", {"label": "cat"})
    paired.once()
    picture.rename(paired.root / "aside.jpg")
    paired.once(ok=(3,))
    assert "there is no 'a.jpg'" in paired.failure("a.jpg.json")["reason"]
    assert [a["concept"] for i in paired.items() for a in i["annotations"]] == ["cat"]  # the last that was said of it
    rebuilds(paired)
    paired.once(ok=(3,))
    assert "there is no 'a.jpg'" in paired.failure("a.jpg.json")["reason"]  # waits again, found by the pass
    write(paired, "a.jpg.json", {"label": "lynx"})  # waits like the one before
    paired.once(ok=(3,))
    assert paired.failure("a.jpg.json")
    (paired.root / "aside.jpg").rename(picture)  # the version that was known: it is not even read again
    paired.once()
    assert paired.failures() == [] and labels(paired, "a.jpg") == [("lynx", "SUCCESS")]
    # Both go: nothing waits.
    picture.unlink()
    (paired.inbox / "a.jpg.json").unlink()
    paired.once()
    assert paired.failures() == [] and paired.source()["objects"]["gone"] == 2
    rebuilds(paired)


def killed_at(inlet, call, n):
    """Did a pass come to its n-th call of these, where it was killed?"""
    done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={n}",
                           BUILD / "inletd", "--config", inlet.config, "--once"], capture_output=True, timeout=DEADLINE)
    assert done.returncode in (0, 3, -signal.SIGKILL, 128 + signal.SIGKILL), done.stderr
    return done.returncode not in (0, 3)


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed (make deps-test)")
def test_killed_when_a_file_has_gone_its_sidecar_waits_all_the_same(paired):
    picture = write(paired, "a.jpg", b"a")
    write(paired, "a.jpg.json", {"label": "cat"})
    paired.once()
    picture.unlink()
    shutil.copytree(paired.state, paired.root / "before")
    n = 0
    while n == 0 or killed:
        n += 1
        shutil.rmtree(paired.state)
        shutil.copytree(paired.root / "before", paired.state)
        killed = killed_at(paired, "fdatasync", n)
        paired.once(ok=(3,))
        assert "there is no 'a.jpg'" in paired.failure("a.jpg.json")["reason"], n
        assert paired.source()["objects"]["gone"] == 1
    assert n > 2
    rebuilds(paired)


def test_both_move(paired):
    for name in ("a.jpg", "b.jpg"):
        write(paired, f"old/{name}", name)
        write(paired, f"old/{name}.json", {"label": "cat"})
    paired.once()
    (paired.inbox / "old").rename(paired.inbox / "new")
    paired.once()
    assert len(paired.items()) == 2 and paired.failures() == []
    assert [(a["concept"], a["reference"]) for i in paired.items() for a in i["annotations"]] == [
        ("cat", "drop:new/a.jpg"), ("cat", "drop:new/b.jpg")]
    # The file alone: what was said of it stays until the sidecar follows.
    (paired.inbox / "new/a.jpg").rename(paired.inbox / "a.jpg")
    paired.once(ok=(3,))
    assert [a["concept"] for a in paired.item("a.jpg")["annotations"]] == ["cat"] and labels(paired, "a.jpg") == []
    (paired.inbox / "new/a.jpg.json").rename(paired.inbox / "a.jpg.json")
    paired.once()
    assert labels(paired, "a.jpg") == [("cat", "SUCCESS")] and len(paired.item("a.jpg")["annotations"]) == 1
    rebuilds(paired)


def test_together_with_labels_from_directory(paired):
    paired.folder(labels_from="directory")
    write(paired, "train/cat/a.jpg", b"a")
    write(paired, "train/cat/a.jpg.json", {"label": "tabby"})
    paired.once()
    assert labels(paired, "train/cat/a.jpg") == [("cat", "SUCCESS"), ("tabby", "SUCCESS")]
    assert set(says(paired, "train/cat/a.jpg")) == {"directory", "sidecar"}
    # The file moves alone: its folder's name changes at once, what the sidecar said stays until that follows.
    (paired.inbox / "dog").mkdir()
    (paired.inbox / "train/cat/a.jpg").rename(paired.inbox / "dog/a.jpg")
    paired.once(ok=(3,))
    assert sorted(a["concept"] for a in paired.item("dog/a.jpg")["annotations"]) == ["dog", "tabby"]
    (paired.inbox / "train/cat/a.jpg.json").rename(paired.inbox / "dog/a.jpg.json")
    paired.once()
    assert labels(paired, "dog/a.jpg") == [("dog", "SUCCESS"), ("tabby", "SUCCESS")]
    assert len(paired.item("dog/a.jpg")["annotations"]) == 2
    paired.folder(labels_from="none")
    paired.once()
    assert labels(paired, "dog/a.jpg") == [("tabby", "SUCCESS")]
    rebuilds(paired)


def test_two_files_of_one_content_that_are_called_differently(paired):
    for name, concept in (("a.jpg", "cat"), ("b.jpg", "dog"), ("c.jpg", "dog")):
        write(paired, name, b"same")
        write(paired, f"{name}.json", {"label": concept})
    paired.once()
    item, = paired.items()
    assert {(a["concept"], a["status"], a["reason"]) for a in item["annotations"]} == {
        ("cat", "ANNOTATION_AWAITING_REVIEW", "conflict"), ("dog", "ANNOTATION_AWAITING_REVIEW", "conflict")}
    write(paired, "a.jpg.json", {"label": "dog"})
    paired.once()
    assert {(a["concept"], a["status"]) for a in paired.items()[0]["annotations"]} == {("dog", "ANNOTATION_SUCCESS")}
    rebuilds(paired)


def test_the_option_is_switched_on_and_off(paired):
    paired.folder(sidecars="off")
    write(paired, "a.jpg", b"a")
    write(paired, "a.jpg.json", {"label": "cat"})
    write(paired, "b.jpg.json", {"label": "dog"})
    paired.once()
    assert paired.keys() == ["a.jpg", "a.jpg.json", "b.jpg.json"]
    for _ in range(2):
        paired.folder(sidecars="json")
        paired.once(ok=(3,))
        assert paired.keys() == ["a.jpg"] and labels(paired, "a.jpg") == [("cat", "SUCCESS")]
        assert paired.failure("b.jpg.json")["due"] is None
        before = revision(paired)
        paired.once(ok=(3,))
        assert revision(paired) == before
        rebuilds(paired)
        paired.folder(sidecars="off")
        paired.once()
        assert paired.keys() == ["a.jpg", "a.jpg.json", "b.jpg.json"]
        assert labels(paired, "a.jpg") == [] and paired.failures() == []
        before = revision(paired)
        paired.once()
        assert revision(paired) == before
        rebuilds(paired)


def test_a_sidecar_that_came_as_a_file_and_cannot_be_used_is_no_item_any_more(paired):
    paired.folder(sidecars="off")
    for n, text in enumerate(('[1, 2]', '', '{"label": "cat"}')):
        write(paired, f"{n}.jpg", f"picture {n}")
        write(paired, f"{n}.jpg.json", text)
    paired.once()
    assert len(paired.keys()) == 6
    paired.folder(sidecars="json")
    paired.once(ok=(3,))
    assert paired.keys() == ["0.jpg", "1.jpg", "2.jpg"]
    assert sorted(f["key"] for f in paired.failures()) == ["0.jpg.json", "1.jpg.json"]
    rebuilds(paired)
    assert sorted(f["key"] for f in paired.failures()) == ["0.jpg.json", "1.jpg.json"]
    paired.folder(sidecars="off")
    paired.once()
    assert len(paired.keys()) == 6 and paired.failures() == []
    rebuilds(paired)


def test_what_is_a_file_again_has_its_folders_label_again(paired):
    paired.folder(sidecars="off", labels_from="directory")
    write(paired, "cat/a.jpg", b"a")
    keys = ["cat/a.jpg", "cat/a.jpg.json", "cat/alone.json", "cat/broken.json"]
    for key, text in zip(keys[1:], ({"label": "tabby"}, {"label": "dog"}, "{")):
        write(paired, key, text)
    paired.once()
    for _ in range(2):
        paired.folder(sidecars="json")
        paired.once(ok=(3,))
        assert paired.keys() == ["cat/a.jpg"] and labels(paired, "cat/a.jpg") == [("cat", "SUCCESS"), ("tabby", "SUCCESS")]
        paired.folder(sidecars="off")
        paired.once()
        assert [labels(paired, key) for key in keys] == [[("cat", "SUCCESS")]] * 4
    rebuilds(paired)


def test_a_folder_that_was_away_while_options_were_switched(paired):
    paired.folder(labels_from="directory")
    write(paired, "stays/b.jpg", b"b")
    write(paired, "in/cat/a.jpg", b"a")
    write(paired, "in/cat/a.jpg.json", {"label": "tabby"})
    paired.once()
    both = labels(paired, "in/cat/a.jpg")
    assert both == [("cat", "SUCCESS"), ("tabby", "SUCCESS")]
    time.sleep(2.1)  # a file this young is read again each time
    paired.once()
    for sidecars, labels_from, expected in (("off", "none", []), ("json", "directory", both)):
        (paired.inbox / "in").rename(paired.root / "in")
        paired.once()
        paired.folder(sidecars=sidecars, labels_from=labels_from)
        paired.once()
        (paired.root / "in").rename(paired.inbox / "in")
        paired.once()
        assert labels(paired, "in/cat/a.jpg") == expected
        rebuilds(paired)
        full = paired.text("items", "--json", "--full")
        paired.once()
        assert paired.text("items", "--json", "--full") == full


def test_switched_back_before_it_was_seen_to(paired):
    """Off, and killed when what the sidecars said has begun to go, before all of them came as files; then on again."""
    keys = [f"{n}.jpg" for n in range(40)]
    for key in keys:
        write(paired, key, f"picture {key}")
        write(paired, f"{key}.json", json.dumps({"label": f"c{key}"}) + " " * (4 << 20))  # takes its time
    paired.once()
    paired.folder(sidecars="off")
    paired.start()
    wait_for("labels to go", lambda: labels(paired, keys[0]) == [])
    paired.stop(signal.SIGKILL)
    paired.folder(sidecars="json")
    paired.once()
    for key in keys:
        assert labels(paired, key) == [(f"c{key}", "SUCCESS")]
    before = revision(paired)
    paired.once()
    assert revision(paired) == before
    rebuilds(paired)


def test_folder_labels_switched_back_before_a_pass_had_ended(paired):
    """On, and killed when some files have come with their folder's name, before the pass could end; then off again."""
    paired.folder(sidecars="off", store="reference", labels_from="none")
    write(paired, "dog/first", "one that was there before")
    paired.once()
    keys = [f"cat/{n}" for n in range(100)]
    for key in keys:  # each is a batch of its own, and more than the queue of the fetch threads takes
        write(paired, key, key)
        os.truncate(paired.inbox / key, 4 << 20)
    paired.write_config(fetch={"threads": 1})
    paired.folder(labels_from="directory")
    paired.start()
    wait_for("a label", lambda: any(i["annotations"] for i in paired.items()))
    paired.stop(signal.SIGKILL)
    paired.folder(labels_from="none")
    paired.once()
    assert len(paired.items()) == 101 and not any(i["annotations"] for i in paired.items())
    before = revision(paired)
    paired.once()
    assert revision(paired) == before
    rebuilds(paired)


def test_killed_again_and_again(paired):
    """Whatever was durable at each end: each file has its label once, and no sidecar is an item."""
    files = {f"d{n % 7}/{n}.jpg": n for n in range(1500)}
    for key, n in files.items():
        write(paired, f"{key}.json", {"label": f"c{n % 5}"})
    for n, (key, _) in enumerate(files.items()):
        if n % 3:
            write(paired, key, f"picture {n}")
    paired.start()
    for step in (50, 400, 800):
        wait_for("some items", lambda: paired.status()["items"]["total"] >= step)
        paired.stop(signal.SIGKILL)
        paired.start()
    for n, (key, _) in enumerate(files.items()):
        if n % 3 == 0:
            write(paired, key, f"picture {n}")
    wait_for("some of the rest", lambda: paired.status()["items"]["total"] > 1100)
    paired.stop(signal.SIGKILL)
    paired.once()
    items = paired.items()
    assert len(items) == len(files) and paired.failures() == []
    for item in items:
        reference, = item["references"]
        annotation, = item["annotations"]
        assert annotation["concept"] == f"c{files[reference['key']] % 5}" and annotation["status"] == "ANNOTATION_SUCCESS"
        assert annotation["worker"] == "imported"
    rebuilds(paired)


def test_what_folders_and_sidecars_say_goes_out_in_every_format(paired):
    """The file is where its source says, and not where its sidecar is; split and metadata go with it."""
    paired.write_config(normalize=True)
    paired.folder(labels_from="directory")
    for name, color in (("train/cat/a", (200, 0, 0)), ("val/dog/b", (0, 0, 200))):
        write(paired, f"{name}.png", png(32, 24, color))
        write(paired, f"{name}.png.json", {"labels": ["nice"], "metadata": {"k": name}})
    paired.once()
    a, b = (str(paired.inbox / p) for p in ("train/cat/a.png", "val/dog/b.png"))
    says = {a: {"cat", "nice"}, b: {"dog", "nice"}}

    def exported(name):
        done = paired.cli("export", "--format", name)
        assert b"left out" not in done.stderr or name == "cvat", done.stderr
        return done.stdout.decode()

    assert {r["input"]: {*r["concepts"].split(",")} for r in csv.DictReader(io.StringIO(exported("clarifai")))} == says
    tasks = {t["data"]["image"]: t for t in json.loads(exported("labelstudio"))}
    assert {k: {c for r in t["annotations"][0]["result"] for c in r["value"]["choices"]} for k, t in tasks.items()} == says
    assert {json.loads(line)["source-ref"] for line in exported("groundtruth").splitlines()} == {a, b}
    assert sorted(json.loads(line)["name"] for line in exported("cvat").splitlines()[2:]) == [a[:-4], b[:-4]]
    faces = {r["file_name"]: r for r in map(json.loads, exported("huggingface").splitlines())}
    assert {k: r["k"] for k, r in faces.items()} == {"train/cat/a.png": "train/cat/a", "val/dog/b.png": "val/dog/b"}
    coco = json.loads(exported("coco"))
    assert sorted(i["file_name"] for i in coco["images"]) == ["train/cat/a.png", "val/dog/b.png"]
    # A list that names the same picture says where it is; its row, which tells no split, has that of the folder.
    boxes = paired.root / "boxes.csv"
    boxes.write_text("path,label,xmin,ymin,xmax,ymax\n" + "".join(f"inbox/{n},thing,1,2,30,20\n" for n in ("train/cat/a.png", "val/dog/b.png")))
    paired.cli("import", boxes)
    done = paired.cli("export", "--format", "yolo", "-o", paired.root / "set")
    assert b"2 pictures" in done.stdout, done.stderr
    assert {p.parent.name: p.stem[2:] for p in (paired.root / "set/images").glob("*/*.png")} == {"train": "a", "val": "b"}
    assert len(list((paired.root / "set/labels").glob("*/*.txt"))) == 2
    assert len(exported("groundtruth").splitlines()) == 2  # one entry a picture still


# ---- buckets ----

def test_sidecars_in_a_bucket(minio, paired):
    keys = paired.root / "keys"
    keys.write_text(f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")
    keys.chmod(0o600)
    bucket = minio.bucket()
    bucket.put_all({"in/a+b.jpg": b"a", "in/a+b.jpg.json": b'{"label": "cat"}', "in/early.jpg.json": b'{"label": "dog"}',
                    "in/ref.jpg": b"r", "in/broken.jpg.json": b"{", "out.json": b"{}"})
    paired.write_config(sources=[{"name": "drop", "s3": {"bucket": bucket.name, "prefix": "in/", "endpoint": minio.url, "sidecars": "json",
                                                         "credentials": str(keys), "region": REGION, "poll": "1s", "store": "reference"}}])
    paired.start()
    wait_for("what waits", lambda: paired.failure("in/early.jpg.json"))
    wait_for("the label", lambda: paired.item("in/a+b.jpg") and labels(paired, "in/a+b.jpg") == [("cat", "SUCCESS")])
    assert wait_for("what is broken", lambda: paired.failure("in/broken.jpg.json"))["class"] == "quarantined"
    bucket.put("in/early.jpg", b"e")
    bucket.put("in/a+b.jpg.json", b'{"label": "lynx"}')
    wait_for("the labels", lambda: paired.item("in/early.jpg") and labels(paired, "in/early.jpg") == [("dog", "SUCCESS")] and
             labels(paired, "in/a+b.jpg") == [("lynx", "SUCCESS")])
    bucket.delete("in/a+b.jpg.json", "in/early.jpg")
    wait_for("what is gone", lambda: paired.source()["objects"]["gone"] == 2 and paired.failure("in/early.jpg.json"))
    assert labels(paired, "in/a+b.jpg") == [("lynx", "SUCCESS")]
    before = revision(paired)
    paired.cli("sync", "drop", ok=(0, 3))
    assert revision(paired) == before
    paired.stop()
    assert {i["sha256"] for i in paired.items()} == {sha256(b"a"), sha256(b"e"), sha256(b"r")}
    rebuilds(paired)


def test_sidecars_in_cloud_storage(fake_gcs, paired):
    bucket = fake_gcs.bucket()
    for key, data in {"a.jpg": b"a", "a.jpg.json": b'{"label": "cat"}', "b.jpg.json": b'{"label": "dog"}'}.items():
        bucket.blob(key).upload_from_string(data)
    paired.write_config(sources=[{"name": "drop", "gcs": {"bucket": bucket.name, "endpoint": fake_gcs.url, "anonymous": True,
                                                          "sidecars": "json"}}])
    paired.once(ok=(3,))
    assert paired.keys() == ["a.jpg"] and labels(paired, "a.jpg") == [("cat", "SUCCESS")] and paired.failure("b.jpg.json")
    bucket.blob("b.jpg").upload_from_string(b"b")
    paired.once()
    assert labels(paired, "b.jpg") == [("dog", "SUCCESS")]


def test_a_source_of_lists_has_none(inlet):
    inlet.write_config(sources=[{"name": "lists", "manifest": {"folder": {"path": "./inbox", "sidecars": "json"}}}])
    assert b"sources[0].manifest.folder.sidecars" in inlet.run("--check", ok=None).stderr
