"""inlet import FOLDER: every file of a tree once, in chunks, with its labels, whatever is in the tree and whatever is done to the programs."""

import json
import os
import signal
import subprocess
import time

import pytest
from buckets import KEY_ID, REGION, SECRET
from conftest import BUILD, DEADLINE, PLAIN_USER, sha256, wait_for
from lists import imported, labels, revision


@pytest.fixture(params=["daemon", "stand-in"])
def served(request, inlet):
    """A dataset that a daemon owns, or nobody."""
    inlet.write_config(normalize=False)
    if request.param == "daemon":
        inlet.start()
    return inlet


@pytest.fixture
def plain(inlet):
    inlet.write_config(normalize=False)
    return inlet


@pytest.fixture
def tree(tmp_path):
    it = tmp_path / "tree"
    it.mkdir()
    return it


def put(root, files):
    for name, text in files.items():
        path = os.path.join(os.fsencode(root), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())


def as_user(inlet, *args, ok):
    """As imported(), by somebody whom file modes bind."""
    done = subprocess.run([*PLAIN_USER, BUILD / "inlet", "--config", inlet.config, "import", *args, "--json"],
                          capture_output=True, timeout=DEADLINE)
    assert done.returncode in ok, done.stderr
    return json.loads(done.stdout)


# ---- files ----

def test_a_folder_comes_in_once(served, tree):
    put(tree, {f"d{i % 7}/{i}.txt": f"text {i}" for i in range(100)} | {"empty": "", "top.txt": "top"})
    answer = imported(served, tree)
    assert (answer["files"], answer["failed"], answer["chunks"], answer["vanished"]) == (102, 0, 4, 0)
    assert served.item("d3/3.txt")["sha256"] == sha256(b"text 3")
    assert served.item("empty")["bytes"] == 0
    assert len(served.items()) == 102
    assert served.source(str(tree))["objects"]["present"] == 102
    before = revision(served)
    again = imported(served, tree)
    assert (again["import"], again["files"], again["written"]) == (answer["import"], 102, 0)
    time.sleep(2.1)  # a file this young is read again each time: it may have changed within the same tick
    imported(served, tree)
    assert imported(served, tree)["sent"] == 0
    assert revision(served) == before
    # Nothing is sent, but most have a label now.
    assert "102 files, 100 new or changed, 0 failed" in served.text("import", tree, "--labels-from", "directory")
    put(tree, {"d3/3.txt": "text three", "new.txt": "new"})
    (tree / "top.txt").unlink()
    changed = imported(served, tree)
    assert (changed["sent"], changed["vanished"]) == (2, 1)
    assert served.item("d3/3.txt")["sha256"] == sha256(b"text three")
    assert served.item("top.txt")["sha256"] == sha256(b"top")
    assert served.lines("verify")[-1]["problems"] == 0


def test_what_goes_up_unasked_and_was_known_counts_as_known(plain, tree):
    """The files of the root come first: they are all wanted, so those of the folder are sent without being offered."""
    put(tree, {f"known/{i}.txt": f"text {i}" for i in range(100)})
    imported(plain, tree)
    time.sleep(2.1)  # as above
    imported(plain, tree)
    put(tree, {f"{i}.txt": f"new {i:03}" for i in range(100)})
    answer = imported(plain, tree)
    assert (answer["files"], answer["written"], answer["sent"], answer["sent_bytes"]) == (200, 100, 100, 700)
    assert len(plain.items()) == 200 and plain.lines("verify")[-1]["problems"] == 0


def test_identity_is_the_path_or_a_name(plain, tree):
    put(tree, {"a/1.txt": "1"})
    first = imported(plain, tree)
    assert imported(plain, ".", cwd=tree)["import"] == first["import"]
    assert imported(plain, tree / "a" / "..")["import"] == first["import"]
    named = imported(plain, tree, "--name", "mine")
    assert named["import"] != first["import"]
    moved = tree.rename(tree.parent / "elsewhere")
    assert imported(plain, moved, "--name", "mine")["import"] == named["import"]
    (moved / "M.csv").write_text("url\nhttp://198.51.100.1/a\n")
    assert b"is the name of an import of a folder" in plain.cli("import", moved / "M.csv", "--name", "mine", ok=(1,)).stderr
    assert b"is the name of a source" in plain.cli("import", moved, "--name", "drop", ok=(1,)).stderr


def test_sidecars_are_no_files_of_a_chunk(plain, tree):
    put(tree, {"a.txt": "a", "b.txt": "b", "a.txt.json": '{"labels": ["x"]}'})
    chunk, _ = [json.loads(line) for line in plain.text("import", tree, "--chunk", 2, "--chunks", "--json").splitlines()]
    assert (chunk["chunk"], chunk["chunks"], chunk["files_done"], chunk["files_total"]) == (1, 1, 2, 2)


def test_chunks_are_as_large_as_asked_and_told(plain, tree):
    put(tree, {f"{i}.txt": f"text {i}" for i in range(25)})
    lines = [json.loads(line) for line in plain.text("import", tree, "--chunk", 10, "--chunks", "--json").splitlines()]
    assert [(c["chunk"], c["chunks"], c["files"], c["sent"], c["failed"]) for c in lines[:-1]] == [
        (1, 3, 10, 10, 0), (2, 3, 10, 10, 0), (3, 3, 5, 5, 0)]
    assert [(c["files_done"], c["files_total"]) for c in lines[:-1]] == [(10, 25), (20, 25), (25, 25)]
    assert lines[-2]["eta_s"] == 0
    assert lines[-1]["chunks"] == 3
    for wrong in ("0", "129", "x"):
        assert b"from 1 to 128" in plain.cli("import", tree, "--chunk", wrong, ok=(2,)).stderr


def test_names_of_all_kinds(plain, tree):
    names = [b"caf\xe9.txt", b"new\nline.txt", b"n" * 255, "größe/ü.txt".encode(), b"a b/'c'.txt", b"-dash", b"\xff\xfe/x"]
    put(tree, {os.fsdecode(n): n for n in names})
    assert imported(plain, tree)["failed"] == 0
    assert sorted(i["sha256"] for i in plain.items()) == sorted(sha256(n) for n in names)
    assert imported(plain, tree)["vanished"] == 0


def test_very_deep_trees(plain, tree):
    """A path that is too long to be opened fails by name; what lies above it comes in."""
    fd = os.open(tree, os.O_RDONLY)
    for _ in range(45):
        os.mkdir("d" * 100, dir_fd=fd)
        deeper = os.open("d" * 100, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = deeper
        with os.fdopen(os.open("f", os.O_WRONLY | os.O_CREAT, dir_fd=fd), "w") as f:
            f.write("deep")
    os.close(fd)
    answer = imported(plain, tree, ok=(3,))
    assert answer["failed"] == 1
    assert plain.source(str(tree))["objects"]["present"] == answer["files"] - 1 == 40
    failure, = plain.failures()
    assert failure["id"] == "r1.1"
    assert "File name too long" in failure["reason"]
    assert failure["cure"] == "shorten the path; a folder that lies so deep is imported by itself"
    subprocess.run(["rm", "-rf", tree], check=True)


def test_what_is_no_file_is_passed_over(plain, tree):
    put(tree, {"a.txt": "a", "b.part": "half", "sub/c.txt": "c"})
    os.mkfifo(tree / "fifo")
    (tree / "in").symlink_to("sub/c.txt")
    (tree / "round").symlink_to(".")
    (tree / "sub/up").symlink_to("..")
    answer = imported(plain, tree)
    assert (answer["files"], answer["skipped"]) == (3, 4)
    assert plain.keys() == ["a.txt", "in", "sub/c.txt"]


def test_links_do_not_lead_out(plain, tree, tmp_path):
    (tmp_path / "secret").write_text("secret")
    put(tree, {"a.txt": "a"})
    (tree / "out").symlink_to(tmp_path / "secret")
    (tree / "absolute").symlink_to("/etc/passwd")
    (tree / "nowhere").symlink_to("not-there")
    answer = imported(plain, tree, ok=(3,))
    assert (answer["files"], answer["failed"]) == (4, 3)
    assert {f["path"]: "does not lie beneath" in f["reason"] for f in plain.failures()} == {
        "out": True, "absolute": True, "nowhere": False}
    assert plain.keys() == ["a.txt"]


def test_the_store_is_never_its_own_content(plain, tree):
    put(tree, {"a.txt": "a"})
    plain.write_config(state_dir=str(tree / "state"))
    done = plain.cli("import", tree, "--json")
    assert json.loads(done.stdout)["files"] == 1
    assert b"/state is passed over: it is Inlet's own store" in done.stderr
    for inside in (tree / "state", tree / "state/store"):
        assert b"part of Inlet's own store" in plain.cli("import", inside, ok=(1,)).stderr


# ---- failures ----

@pytest.mark.skipif(os.geteuid() != 0, reason="files of another mode are made by root")
def test_failures_keep_their_ids_until_they_are_mended(plain, tree):
    put(tree, {"a.txt": "a", "z.txt": "z", "locked/b.txt": "b"})
    for bad in ("a.txt", "locked"):
        os.chmod(tree / bad, 0)
    answer = as_user(plain, tree, ok=(3,))
    assert (answer["files"], answer["failed"]) == (3, 2)
    first = {f["path"]: f["id"] for f in plain.lines("failures", "--import", answer["import"])}
    assert sorted(first) == ["a.txt", "locked"]
    assert all(f["class"] == "retry" and "Permission denied" in f["reason"] for f in plain.failures())
    assert plain.text("failures", "--format", "csv").split() == [p for p, _ in sorted(first.items(), key=lambda x: x[1])]
    before = revision(plain)
    as_user(plain, tree, ok=(3,))
    assert {f["path"]: f["id"] for f in plain.failures()} == first
    assert revision(plain) == before
    put(tree, {"0.txt": "one more"})
    os.chmod(tree / "0.txt", 0)
    os.chmod(tree / "a.txt", 0o644)
    as_user(plain, tree, ok=(3,))
    now = {f["path"]: f["id"] for f in plain.failures()}
    assert now.pop("locked") == first["locked"]
    assert list(now) == ["0.txt"] and now["0.txt"] not in first.values()
    os.chmod(tree / "locked", 0o755)
    os.chmod(tree / "0.txt", 0o644)
    assert as_user(plain, tree, ok=(0,))["failed"] == 0
    assert plain.failures() == []
    assert plain.keys() == ["0.txt", "a.txt", "locked/b.txt", "z.txt"]


@pytest.mark.skipif(os.geteuid() != 0, reason="files of another mode are made by root")
def test_what_cannot_be_read_now_has_not_vanished(plain, tree):
    put(tree, {"a.txt": "a"})
    imported(plain, tree)
    os.chmod(tree / "a.txt", 0)
    assert as_user(plain, tree, ok=(3,))["vanished"] == 0


def test_a_file_that_is_too_large_holds_up_nobody(plain, tree):
    plain.write_config(limits={"reserve": "16MiB", "map": "4GiB", "object": "1000"})
    put(tree, {"large.bin": b"x" * 1001, **{f"{i}.txt": str(i) for i in range(40)}})
    assert imported(plain, tree, ok=(3,))["failed"] == 1
    failure, = plain.failures()
    assert (failure["path"], failure["class"]) == ("large.bin", "quarantined")
    assert "limits.object" in failure["reason"]
    assert len(plain.items()) == 40


# ---- breaking off ----

def test_killed_again_and_again(plain, tree):
    """kill -9 of the client and of the owner: what was durable stays, the same command goes on, nothing is there twice."""
    put(tree, {f"d{i % 10}/{i}.txt": f"text {i} " * 50 for i in range(3000)})
    plain.start()
    for victim in ("client", "daemon", "client", "daemon"):
        client = subprocess.Popen([BUILD / "inlet", "--config", plain.config, "import", tree, "--chunks", "--labels-from", "directory"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(12):
            assert client.stdout.readline().startswith("chunk ")
        if victim == "daemon":
            plain.stop(signal.SIGKILL)
            assert client.wait(DEADLINE) == 1
            plain.start()
        else:
            client.kill()
            client.wait()
        client.stdout.close()
        client.stderr.close()
        present = wait_for("objects", lambda: plain.source(str(tree))["objects"]["present"])
        assert 12 * 32 <= present <= 3000
    imported(plain, tree, "--labels-from", "directory")
    assert len(plain.items()) == 3000
    assert plain.keys() == sorted(f"d{i % 10}/{i}.txt" for i in range(3000))
    assert {i["annotations"][0]["concept"] for i in plain.items()} == {f"d{i}" for i in range(10)}
    assert plain.lines("verify")[-1]["problems"] == 0
    plain.stop()
    before = plain.text("items", "--json", "--full")
    plain.cli("rebuild-index")
    assert plain.text("items", "--json", "--full") == before


def test_ctrl_c_ends_it_and_it_goes_on(plain, tree):
    put(tree, {f"{i}.txt": f"text {i}" for i in range(2000)})
    plain.start()
    client = subprocess.Popen([BUILD / "inlet", "--config", plain.config, "import", tree, "--chunks", "--chunk", "1"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    client.stdout.readline()
    client.send_signal(signal.SIGINT)
    client.stdout.close()
    assert client.wait(DEADLINE) == 130
    client.stderr.close()
    assert imported(plain, tree)["files"] == 2000
    assert len(plain.items()) == 2000


def test_files_that_come_and_go_meanwhile(plain, tree):
    put(tree, {f"d{i % 20}/{i}.txt": f"text {i}" for i in range(2000)})
    client = subprocess.Popen([BUILD / "inlet", "--config", plain.config, "import", tree, "--chunks", "--chunk", "8"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    client.stdout.readline()
    for i in range(0, 2000, 2):
        (tree / f"d{i % 20}/{i}.txt").unlink()
    out, err = client.communicate(timeout=DEADLINE)
    assert client.returncode == 0, out[-500:] + err
    answer = imported(plain, tree)
    assert (answer["files"], answer["failed"]) == (1000, 0)
    assert set(plain.keys()) >= {f"d{i % 20}/{i}.txt" for i in range(1, 2000, 2)}


# ---- labels ----

def test_the_folder_is_the_label(served, tree):
    put(tree, {"train/cat/1.txt": "cat 1", "val/dog/2.txt": "dog 2", "bird/3.txt": "bird 3", "4.txt": "no folder",
               "test/5.txt": "a split only", os.fsdecode(b"caf\xe9/6.txt"): "not UTF-8"})
    imported(served, tree, "--labels-from", "directory")
    assert labels(served, "train/cat/1.txt") == [("cat", "SUCCESS")]
    assert labels(served, "val/dog/2.txt") == [("dog", "SUCCESS")]
    assert labels(served, "bird/3.txt") == [("bird", "SUCCESS")]
    splits = {}
    for item in served.items():
        row, = json.loads(served.text("show", item["id"], "--json"))["rows"]
        splits[row.get("key")] = row["row"].get("split")
        assert "line" not in row
    assert splits == {"train/cat/1.txt": "train", "val/dog/2.txt": "val", "bird/3.txt": None, "4.txt": None, "test/5.txt": "test",
                      None: None}
    assert sum(len(i["annotations"]) for i in served.items()) == 3
    before = revision(served)
    imported(served, tree, "--labels-from", "directory")
    assert revision(served) == before
    imported(served, tree, "--labels-from", "none")
    assert all(not i["annotations"] for i in served.items())


def test_a_file_in_another_folder_has_another_label(plain, tree):
    put(tree, {"cat/1.txt": "it", "cat/2.txt": "two"})
    imported(plain, tree, "--labels-from", "directory")
    (tree / "dog").mkdir()
    (tree / "cat/1.txt").rename(tree / "dog/1.txt")
    answer = imported(plain, tree, "--labels-from", "directory")
    assert answer["vanished"] == 0
    assert labels(plain, "dog/1.txt") == [("dog", "SUCCESS")]
    assert labels(plain, "cat/1.txt") == []
    assert len(plain.items()) == 2
    put(tree, {"cat/1.txt": "it"})
    imported(plain, tree, "--labels-from", "directory")
    assert labels(plain, "dog/1.txt") == [("dog", "AWAITING_REVIEW")]
    assert labels(plain, "cat/1.txt") == [("cat", "AWAITING_REVIEW")]


def test_a_folder_is_read_as_it_was_before_unless_the_command_says_otherwise(plain, tree):
    """A word that was left out must not drop labels."""
    put(tree, {"cat/1.txt": "one"})
    imported(plain, tree, "--labels-from", "directory")
    before = revision(plain)
    done = plain.cli("import", tree)
    assert b"labels are those of its folders, as when it was imported before; --labels-from none drops them" in done.stderr
    assert labels(plain, "cat/1.txt") == [("cat", "SUCCESS")]
    assert revision(plain) == before
    put(tree, {"dog/2.txt": "two"})
    imported(plain, tree)
    assert labels(plain, "dog/2.txt") == [("dog", "SUCCESS")]
    plain.cli("rebuild-index")
    imported(plain, tree)
    assert labels(plain, "cat/1.txt") == [("cat", "SUCCESS")]
    assert b"as when" not in plain.cli("import", tree, "--labels-from", "none").stderr
    assert labels(plain, "cat/1.txt") == labels(plain, "dog/2.txt") == []
    assert b"as when" not in plain.cli("import", tree).stderr
    assert labels(plain, "cat/1.txt") == []


def test_sidecars_label_the_file_beside_them(plain, tree):
    put(tree, {"cat/a.txt": "a", "cat/a.txt.json": json.dumps({"labels": ["tabby"], "metadata": {"k": 1}}), "b.txt": "b",
               "c.json": "{}", "c.json.json": "{}", "d.txt.json": "{}"})
    answer = imported(plain, tree, "--labels-from", "directory")
    assert (answer["files"], answer["sidecars"]) == (5, 1)
    assert plain.keys() == ["b.txt", "c.json", "c.json.json", "cat/a.txt", "d.txt.json"]
    assert labels(plain, "cat/a.txt") == [("cat", "SUCCESS"), ("tabby", "SUCCESS")]
    row, = json.loads(plain.text("show", plain.item("cat/a.txt")["id"], "--json"))["rows"]
    assert row["row"]["metadata"] == {"k": 1}
    put(tree, {"cat/a.txt.json": json.dumps({"labels": ["siamese"]}), "b.txt.json": '{"label": "late"}'})
    assert imported(plain, tree, "--labels-from", "none")["sidecars"] == 2
    assert labels(plain, "cat/a.txt") == [("siamese", "SUCCESS")]
    assert labels(plain, "b.txt") == [("late", "SUCCESS")]
    put(tree, {"b.txt.json": '{"label": '})
    assert imported(plain, tree, ok=(3,))["failed"] == 1
    failure, = plain.failures()
    assert (failure["path"], failure["id"]) == ("b.txt.json", "r1.1")
    assert failure["reason"] and failure["cure"]
    assert plain.item("b.txt")
    put(tree, {"b.txt.json": '{"label": "mended"}'})
    imported(plain, tree)
    assert labels(plain, "b.txt") == [("mended", "SUCCESS")]
    assert plain.failures() == []
    assert imported(plain, tree, "--no-sidecars")["files"] == 7


def test_one_is_said_as_one(plain, tree):
    put(tree, {"a.txt": "a", "a.txt.json": '{"label": "x"}', "b.txt.part": "half"})
    said = plain.text("import", tree, "--chunks")
    assert "chunk 1 of 1: 1 file, 1 new or changed, 0 failed" in said
    assert ": 1 file, 1 new or changed, 0 failed" in said
    assert "1 entry was passed over" in said and "1 sidecar (NAME.json beside NAME) was read for labels" in said
    (tree / "a.txt").unlink()
    assert "1 that earlier passes named is not in the folder any more" in plain.text("import", tree)
    (tree / "M.csv").write_text("text\na text\n")
    assert ": 1 row, 1 new or changed, 0 failed" in plain.text("import", tree / "M.csv")


# ---- folders that hold a list of their files ----

def test_a_yolo_folder_is_that_dataset(plain, tree):
    put(tree, {"data.yaml": "train: images\nval: images\nnames: [cat, dog]\n", "images/a.jpg": "a", "labels/a.txt": "1 .5 .5 .2 .2\n"})
    done = plain.cli("import", tree, "--json")
    assert b"holds data.yaml: imported as that dataset (--format folder takes its files as they are)" in done.stderr
    item, = plain.items()
    assert [a["concept"] for a in item["annotations"]] == ["dog"]
    assert imported(plain, tree / "data.yaml")["written"] == 0
    assert imported(plain, tree, "--format", "folder")["files"] == 3


def test_a_hugging_face_folder_is_that_dataset(plain, tree):
    put(tree, {"metadata.csv": "file_name,text\na.txt,hello\n", "a.txt": "a"})
    assert imported(plain, tree)["rows"] == 1
    assert plain.keys() == ["a.txt"]
    put(tree, {"metadata.csv": "name,price\nx,1\n"})  # somebody else's
    (tree / "metadata.csv").rename(tree / "data.yaml")
    assert imported(plain, tree)["files"] == 2


def test_a_hugging_face_folder_with_a_list_for_each_split(plain, tree):
    """As `datasets` reads it: data/train/metadata.csv beside the files of that split."""
    put(tree, {"train/metadata.csv": "file_name,label\na.txt,cat\nsub/b.txt,dog\n", "train/a.txt": "a", "train/sub/b.txt": "b",
               "test/metadata.jsonl": '{"file_name": "a.txt", "label": "cat"}\n{"file_name": "gone.txt", "label": "cat"}\n', "test/a.txt": "another a"})
    done = plain.cli("import", tree, "--json", ok=(3,))
    assert [(a["rows"], a["failed"]) for a in map(json.loads, done.stdout.splitlines())] == [(2, 0), (2, 1)]
    rows = {json.loads(plain.text("show", i["id"], "--json"))["rows"][0]["row"]["split"]: [a["concept"] for a in i["annotations"]]
            for i in plain.items() if i["references"][0]["key"] == "a.txt"}
    assert rows == {"train": ["cat"], "test": ["cat"]} and len(plain.items()) == 3
    assert b"names one list" in plain.cli("import", tree, "--name", "x", ok=(1,)).stderr
    assert imported(plain, tree, "--format", "folder")["files"] == 5
    put(tree, {"train/metadata.csv": "no,list,of,files\n", "test/metadata.jsonl": "{}\n"})
    assert imported(plain, tree)["files"] == 5  # and so it is a folder like any other



def test_options_of_the_other_kind_are_refused(plain, tree):
    put(tree, {"M.csv": "url\nhttp://198.51.100.1/a\n"})
    for args, text in ((("--columns", "url=x"), b"is for manifests"), (("--root", "/"), b"is for manifests"),
                       (("--labels-from", "name"), b"takes one of directory, none"), (("--format", "csv"), b"is a folder")):
        assert text in plain.cli("import", tree, *args, ok=(2,)).stderr
    assert b"is for folders" in plain.cli("import", tree / "M.csv", "--labels-from", "directory", ok=(2,)).stderr


# ---- sources ----

def test_a_source_takes_labels_from_its_folders(plain):
    plain.folder(labels_from="directory")
    for name, text in {"train/cat/1.txt": "one", "cat/2.txt": "two", "3.txt": "three"}.items():
        plain.put(name, text)
    plain.once()
    assert labels(plain, "train/cat/1.txt") == [("cat", "SUCCESS")]
    assert labels(plain, "cat/2.txt") == [("cat", "SUCCESS")]
    assert labels(plain, "3.txt") == []
    row, = json.loads(plain.text("show", plain.item("train/cat/1.txt")["id"], "--json"))["rows"]
    assert row["row"]["split"] == "train"
    before = revision(plain)
    plain.once()
    assert revision(plain) == before
    # The item came with its label: there is no revision in which it stands without.
    item = json.loads(plain.text("show", plain.item("cat/2.txt")["id"], "--json"))
    assert len(item["superseded"]) == 0
    full = plain.text("items", "--json", "--full")
    plain.cli("rebuild-index")
    assert plain.text("items", "--json", "--full") == full
    plain.once()
    assert revision(plain) == before
    assert plain.lines("verify")[-1]["problems"] == 0


def test_a_file_of_a_source_that_moves_changes_its_label(plain):
    plain.folder(labels_from="directory")
    plain.put("cat/1.txt", "one")
    plain.put("cat/sub/2.txt", "two")
    plain.once()
    (plain.inbox / "dog").mkdir()
    (plain.inbox / "cat/1.txt").rename(plain.inbox / "dog/1.txt")
    (plain.inbox / "cat/sub").rename(plain.inbox / "cow")  # a whole folder
    plain.once()
    assert len(plain.items()) == 2
    assert labels(plain, "dog/1.txt") == [("dog", "SUCCESS")]
    assert [a["concept"] for a in plain.item("dog/1.txt")["annotations"]] == ["dog"]
    assert [a["concept"] for a in plain.item("cow/2.txt")["annotations"]] == ["cow"]
    plain.put("cat/1.txt", "one")  # it is at both places: they contradict each other
    plain.once()
    assert sorted(a["status"] for a in plain.item("dog/1.txt")["annotations"]) == ["ANNOTATION_AWAITING_REVIEW"] * 2
    (plain.inbox / "cat/1.txt").unlink()
    plain.once()
    assert [(a["concept"], a["status"]) for a in plain.item("dog/1.txt")["annotations"]] == [("dog", "ANNOTATION_SUCCESS")]
    (plain.inbox / "dog/1.txt").unlink()  # gone for good: what it was stays known
    plain.once()
    assert sorted((a["concept"], a["status"]) for i in plain.items() for a in i["annotations"]) == [
        ("cow", "ANNOTATION_SUCCESS"), ("dog", "ANNOTATION_SUCCESS")]
    full = plain.text("items", "--json", "--full")
    plain.cli("rebuild-index")
    assert plain.text("items", "--json", "--full") == full


def test_new_bytes_in_place_take_the_label_along(plain):
    plain.folder(labels_from="directory")
    path = plain.put("cat/1.txt", "before")
    plain.once()
    path.write_text("after, and longer")
    plain.once()
    assert plain.item("cat/1.txt")["sha256"] == sha256(b"after, and longer")
    assert labels(plain, "cat/1.txt") == [("cat", "SUCCESS")]
    assert sum(len(i["annotations"]) for i in plain.items()) == 1


def test_the_option_is_switched_on_and_off(plain):
    for i in range(1200):  # more than are looked at in one commit
        plain.put(f"d{i % 3}/{i}.txt", f"text {i}")
    plain.once()
    assert all(not i["annotations"] for i in plain.items())
    blobs = plain.status()["store"]
    plain.folder(labels_from="directory")
    plain.once()
    assert [a["concept"] for i in plain.items() for a in i["annotations"]].count("d1") == 400
    assert len(plain.items()) == 1200
    assert plain.status()["store"]["bytes"] == blobs["bytes"]
    before = revision(plain)
    plain.once()
    assert revision(plain) == before
    plain.folder(labels_from="none")
    plain.once()
    assert all(not i["annotations"] for i in plain.items())


def test_a_persons_word_stays(plain):
    plain.folder(labels_from="directory")
    plain.put("cat/1.txt", "one")
    plain.once()
    plain.cli("reject", plain.item("cat/1.txt")["id"], "cat", ok=(0, 1))
    plain.cli("label", plain.item("cat/1.txt")["id"], "lynx")
    plain.once()
    assert "lynx" in [a["concept"] for a in plain.item("cat/1.txt")["annotations"]]


def test_a_bucket_takes_labels_from_its_prefixes(plain, minio, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")
    keys.chmod(0o600)
    bucket = minio.bucket()
    bucket.put_all({key: key.encode() for key in ("set/train/cat/1.txt", "set/dog/2.txt", "set/3.txt")})
    plain.write_config(sources=[{"name": "remote", "s3": {"bucket": bucket.name, "prefix": "set/", "endpoint": minio.url,
                                                          "credentials": str(keys), "region": REGION, "labels_from": "directory"}}])
    plain.once()
    assert labels(plain, "set/train/cat/1.txt") == [("cat", "SUCCESS")]
    assert labels(plain, "set/dog/2.txt") == [("dog", "SUCCESS")]
    assert labels(plain, "set/3.txt") == []  # the prefix is the root
    bucket.put("set/fox/2.txt", b"set/dog/2.txt")
    bucket.delete("set/dog/2.txt")
    plain.once()
    assert [a["concept"] for a in plain.item("set/fox/2.txt")["annotations"]] == ["fox"]
    full = plain.text("items", "--json", "--full")
    plain.cli("rebuild-index")
    assert plain.text("items", "--json", "--full") == full
